"""Requests as rows, and as the resource that their two parties read."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Text,
    bindparam,
    case,
    column,
    func,
    insert,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from api.disclosure.resource import AGENCY, Filter, Resource, one_of
from api.requests.states import STATES
from api.requests.tables import DisclosureRequest
from api.store.base import table_of

_REQUESTS = table_of(DisclosureRequest)
_DECISIONS = table(
    "disclosure_decisions",
    column("id"),
    column("request_id"),
    column("valid_until", DateTime(timezone=True)),
    column("revoked_at", DateTime(timezone=True)),
)
_AGENCIES = table("agencies", column("slug"), column("sector"), column("equated"))


def _sealed(sealed: ColumnElement[Any]) -> ColumnElement[Any]:
    """A sealed text as the gate opens it: the id it is bound to, and the token (base64, so ASCII)."""
    return case((sealed.is_not(None), func.json_build_array(_REQUESTS.c.id, func.encode(sealed, "escape"))))


_AS = bindparam("role", type_=Text())

REQUESTS = Resource(
    name="disclosure-request",
    source=_REQUESTS,
    key=_REQUESTS.c.id,
    own=or_(_REQUESTS.c.requester == AGENCY, _REQUESTS.c.holder == AGENCY),
    fields={
        "id": _REQUESTS.c.id,
        "requester": _REQUESTS.c.requester,
        "holder": _REQUESTS.c.holder,
        "purpose": _REQUESTS.c.purpose,
        "provision": _REQUESTS.c.provision,
        "duty": _REQUESTS.c.duty,
        "caseReference": _REQUESTS.c.case_reference,
        "scene": _REQUESTS.c.scene_id,
        "question": _sealed(_REQUESTS.c.question_sealed),
        "kinds": _REQUESTS.c.kinds,
        "why": _sealed(_REQUESTS.c.why_sealed),
        "state": _REQUESTS.c.state,
        "createdAt": _REQUESTS.c.created_at,
        "supplementQuestion": _sealed(_REQUESTS.c.supplement_question_sealed),
        "supplementAskedAt": _REQUESTS.c.supplement_asked_at,
        "supplementAnswer": _sealed(_REQUESTS.c.supplement_answer_sealed),
        "supplementAnsweredAt": _REQUESTS.c.supplement_answered_at,
        "decidedAt": _REQUESTS.c.decided_at,
        "decidedByRole": _REQUESTS.c.decided_by_role,
        "decision": select(_DECISIONS.c.id)
        .where(_DECISIONS.c.request_id == _REQUESTS.c.id)
        .correlate(_REQUESTS)
        .scalar_subquery(),
        "refusalReason": _sealed(_REQUESTS.c.refusal_reason_sealed),
        "refusalCitation": _REQUESTS.c.refusal_citation,
        "refusalAppeal": _REQUESTS.c.refusal_appeal,
    },
    sealed=frozenset({"question", "why", "supplementQuestion", "supplementAnswer", "refusalReason"}),
    order=(_REQUESTS.c.created_at.desc(), _REQUESTS.c.id),
    sorts={"createdAt": _REQUESTS.c.created_at, "state": _REQUESTS.c.state, "decidedAt": _REQUESTS.c.decided_at},
    filters={
        # What goes with every row that is visible at all may be filtered on by everybody.
        "id": Filter((), _REQUESTS.c.id == bindparam("id", type_=Uuid()), lambda v: {"id": v}),
        "state": Filter(("state",), _REQUESTS.c.state == bindparam("state", type_=Text()), one_of("state", *STATES)),
        "role": Filter(
            ("requester", "holder"),
            case((_AS == "requester", _REQUESTS.c.requester == AGENCY), else_=_REQUESTS.c.holder == AGENCY),
            one_of("role", "requester", "holder"),
        ),
    },
)


class Party(NamedTuple):
    """An agency as the register has it now: what the law asks about it."""

    slug: str
    sector: str
    equated: bool


class RequestRow(NamedTuple):
    """What a step of a request depends on."""

    id: UUID
    requester: str
    holder: str
    purpose: str
    provision: str
    duty: bool
    case_reference: str
    scene_id: UUID | None
    kinds: list[str]
    state: str
    created_at: datetime


async def parties(connection: AsyncConnection, slugs: Iterable[str]) -> dict[str, Party]:
    """Those of the agencies that are registered."""
    wanted = select(_AGENCIES.c.slug, _AGENCIES.c.sector, _AGENCIES.c.equated).where(_AGENCIES.c.slug.in_(set(slugs)))
    return {row.slug: Party(*row) for row in await connection.execute(wanted)}


async def add_request(connection: AsyncConnection, request: Mapping[str, Any]) -> None:
    """Store a request."""
    await connection.execute(insert(_REQUESTS), [dict(request)])


async def lock_request(connection: AsyncConnection, request_id: UUID, *, agency: str) -> RequestRow | None:
    """A request that the agency is a party of, locked until the transaction ends; of others nothing."""
    wanted = (
        select(*(_REQUESTS.c[name] for name in RequestRow._fields))
        .where(_REQUESTS.c.id == request_id, or_(_REQUESTS.c.requester == agency, _REQUESTS.c.holder == agency))
        .with_for_update()
    )
    row = (await connection.execute(wanted)).first()
    return None if row is None else RequestRow(*row)


async def change_request(connection: AsyncConnection, request_id: UUID, changes: Mapping[str, Any]) -> None:
    """Change columns of a request that is locked."""
    await connection.execute(update(_REQUESTS).where(_REQUESTS.c.id == request_id).values(dict(changes)))


# What each party wrote, by its column.
_WRITTEN: Mapping[str, tuple[ColumnElement[Any], ...]] = {
    "requester": (_REQUESTS.c.question_sealed, _REQUESTS.c.why_sealed, _REQUESTS.c.supplement_answer_sealed),
    "holder": (_REQUESTS.c.supplement_question_sealed, _REQUESTS.c.refusal_reason_sealed),
}
_OPEN = ("submitted", "supplement-requested")
# A request that was granted ends with the decision. The version before 0008 did not note when one was withdrawn.
_END = func.greatest(
    func.coalesce(_REQUESTS.c.decided_at, _REQUESTS.c.withdrawn_at, _REQUESTS.c.created_at),
    select(func.least(_DECISIONS.c.revoked_at, _DECISIONS.c.valid_until))
    .where(_DECISIONS.c.request_id == _REQUESTS.c.id)
    .correlate(_REQUESTS)
    .scalar_subquery(),
)


async def count_requests_ended_before(connection: AsyncConnection, agency: str, before: datetime) -> int:
    """How many requests that ended before a moment hold texts that the agency wrote, on either side."""
    told = or_(*(_told(side, agency) for side in _WRITTEN))
    counted = select(func.count()).select_from(_REQUESTS).where(told, *_ended_before(before))
    return int((await connection.execute(counted)).scalar_one())


async def erase_request_texts(
    connection: AsyncConnection, agency: str, before: datetime, *, at_most: int
) -> list[UUID]:
    """Erase what the agency wrote in requests that ended before a moment; their ids, of each side at most that many.

    The other party's texts stay, and who asked whom for what, by which provision. Requests that another transaction
    holds are passed by.
    """
    erased: list[UUID] = []
    for side, texts in _WRITTEN.items():
        due = (
            select(_REQUESTS.c.id)
            .where(_told(side, agency), *_ended_before(before))
            .limit(at_most)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        gone = update(_REQUESTS).where(_REQUESTS.c.id == due.c.id).values({text.name: None for text in texts})
        erased += (await connection.execute(gone.returning(_REQUESTS.c.id))).scalars()
    return erased


def _told(side: str, agency: str) -> ColumnElement[bool]:
    return (_REQUESTS.c[side] == agency) & or_(*(text.is_not(None) for text in _WRITTEN[side]))


def _ended_before(before: datetime) -> tuple[ColumnElement[bool], ...]:
    return _REQUESTS.c.state.not_in(_OPEN), _END < before
