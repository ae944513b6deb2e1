"""Decisions as rows, and as the resource that holder and recipient read."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Text, bindparam, case, func, insert, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from api.disclosure.resource import AGENCY, NOW, Filter, Resource, one_of
from api.requests.states import DECISION_STATES
from api.requests.tables import DisclosureDecision, DisclosureDecisionItem, DisclosureRequest
from api.store.base import table_of

_DECISIONS = table_of(DisclosureDecision)
_ITEMS = table_of(DisclosureDecisionItem)
_REQUESTS = table_of(DisclosureRequest)
_EMPTY: ColumnElement[Any] = literal_column("'[]'::json")
_NONE: ColumnElement[Any] = literal_column("'{}'::jsonb", JSONB())


def _word(text: str) -> ColumnElement[str]:
    return literal_column(f"'{text}'::text", Text())


_MINE = _DECISIONS.c.holder == AGENCY
# Of rows that are no individuals (a mapping, an edition) every agency knows the id.
_ITEM = case(
    (_MINE, func.json_build_object(_word("id"), _ITEMS.c.item_id, _word("alias"), _ITEMS.c.alias)),
    (_DECISIONS.c.resource == _word("individual"), func.json_build_object(_word("id"), _ITEMS.c.alias)),
    else_=func.json_build_object(_word("id"), _ITEMS.c.item_id),
)
_ATTESTED = func.jsonb_each_text(_DECISIONS.c.attestations).table_valued("key", "value").alias("attested")
# INVARIANT: the officer's own words may say more than the decision discloses, so they are the holder's alone. Where one
# is erased the text is null; what was attested to stays.
_ATTESTATION = case(
    (_MINE, func.json_build_object(_word("id"), _ATTESTED.c.key, _word("text"), _ATTESTED.c.value)),
    else_=func.json_build_object(_word("id"), _ATTESTED.c.key),
)
_STATE = case(
    (_DECISIONS.c.revoked_at.is_not(None), _word("revoked")),
    (_DECISIONS.c.valid_until <= NOW, _word("expired")),
    else_=_word("live"),
)
_AS = bindparam("role", type_=Text())

DECISIONS = Resource(
    name="disclosure-decision",
    source=_DECISIONS,
    key=_DECISIONS.c.id,
    own=or_(_MINE, _DECISIONS.c.recipient == AGENCY),
    fields={
        "id": _DECISIONS.c.id,
        "request": _DECISIONS.c.request_id,
        "holder": _DECISIONS.c.holder,
        "recipient": _DECISIONS.c.recipient,
        "provision": _DECISIONS.c.provision,
        "purpose": _DECISIONS.c.purpose,
        "caseReference": _DECISIONS.c.case_reference,
        "resource": _DECISIONS.c.resource,
        "fields": _DECISIONS.c.fields,
        # In the order of what both know them by.
        "items": select(func.coalesce(func.json_agg(aggregate_order_by(_ITEM, _ITEMS.c.alias)), _EMPTY))
        .where(_ITEMS.c.decision_id == _DECISIONS.c.id)
        .correlate(_DECISIONS)
        .scalar_subquery(),
        "attestations": select(func.coalesce(func.json_agg(aggregate_order_by(_ATTESTATION, _ATTESTED.c.key)), _EMPTY))
        .select_from(_ATTESTED)
        .correlate(_DECISIONS)
        .scalar_subquery(),
        "state": _STATE,
        "validFrom": _DECISIONS.c.valid_from,
        "validUntil": _DECISIONS.c.valid_until,
        "decidedAt": _DECISIONS.c.decided_at,
        "decidedByRole": _DECISIONS.c.decided_by_role,
        "revokedAt": _DECISIONS.c.revoked_at,
        "revokedByRole": _DECISIONS.c.revoked_by_role,
        "revokeReason": _DECISIONS.c.revoke_reason,
    },
    order=(_DECISIONS.c.valid_from.desc(), _DECISIONS.c.id),
    sorts={"validFrom": _DECISIONS.c.valid_from, "validUntil": _DECISIONS.c.valid_until},
    filters={
        # What goes with every row that is visible at all may be filtered on by everybody.
        "id": Filter((), _DECISIONS.c.id == bindparam("id", type_=Uuid()), lambda v: {"id": v}),
        "state": Filter(("state",), bindparam("state", type_=Text()) == _STATE, one_of("state", *DECISION_STATES)),
        "role": Filter(
            ("holder", "recipient"),
            case((_AS == "recipient", _DECISIONS.c.recipient == AGENCY), else_=_MINE),
            one_of("role", "holder", "recipient"),
        ),
    },
)


class DecisionRow(NamedTuple):
    """What a revocation depends on."""

    id: UUID
    holder: str
    recipient: str
    provision: str
    purpose: str
    fields: list[str]
    revoked_at: datetime | None
    valid_until: datetime


async def add_decision(
    connection: AsyncConnection, decision: Mapping[str, Any], items: Sequence[Mapping[str, Any]]
) -> None:
    """Store a decision and the rows that it names."""
    await connection.execute(insert(_DECISIONS), [dict(decision)])
    rows = [dict(item) | {"decision_id": decision["id"]} for item in items]
    await connection.execute(insert(_ITEMS), rows)


async def known_aliases(
    connection: AsyncConnection, holder: str, recipient: str, ids: Iterable[UUID]
) -> dict[UUID, UUID]:
    """The aliases that a holder's rows have towards a recipient already.

    INVARIANT: a row has one alias towards each recipient, also where two officers decide at once: until the transaction
    ends nobody else gives any between the two.
    """
    between = func.hashtextextended(f"aliases of {holder} towards {recipient}", 0)
    await connection.execute(select(func.pg_advisory_xact_lock(between)))
    wanted = (
        select(_ITEMS.c.item_id, _ITEMS.c.alias)
        .join(_DECISIONS, _DECISIONS.c.id == _ITEMS.c.decision_id)
        .where(_DECISIONS.c.holder == holder, _DECISIONS.c.recipient == recipient, _ITEMS.c.item_id.in_(list(ids)))
    )
    return {row.item_id: row.alias for row in await connection.execute(wanted)}


async def aliases_of(connection: AsyncConnection, decision_id: UUID) -> dict[UUID, UUID]:
    """The rows that a decision names, each with its alias."""
    wanted = select(_ITEMS.c.item_id, _ITEMS.c.alias).where(_ITEMS.c.decision_id == decision_id)
    return {row.item_id: row.alias for row in await connection.execute(wanted.order_by(_ITEMS.c.alias))}


async def lock_decision(connection: AsyncConnection, decision_id: UUID, *, agency: str) -> DecisionRow | None:
    """A decision that the agency is a party of, locked until the transaction ends; of others nothing."""
    party = or_(_DECISIONS.c.holder == agency, _DECISIONS.c.recipient == agency)
    wanted = select(*(_DECISIONS.c[name] for name in DecisionRow._fields)).where(_DECISIONS.c.id == decision_id, party)
    row = (await connection.execute(wanted.with_for_update())).first()
    return None if row is None else DecisionRow(*row)


async def lock_live_decisions(
    connection: AsyncConnection, items: Sequence[UUID], *, holder: str, now: datetime
) -> list[DecisionRow]:
    """The holder's decisions that live and name any of these rows, locked until the transaction ends."""
    if not items:
        return []
    naming = select(_ITEMS.c.decision_id).where(_ITEMS.c.item_id.in_(list(items)))
    alive = (_DECISIONS.c.revoked_at.is_(None), _DECISIONS.c.valid_until > now, _DECISIONS.c.holder == holder)
    wanted = (
        select(*(_DECISIONS.c[name] for name in DecisionRow._fields))
        .where(_DECISIONS.c.resource == "individual", _DECISIONS.c.id.in_(naming), *alive)
        .order_by(_DECISIONS.c.id)
        .with_for_update()
    )
    return [DecisionRow(*row) for row in await connection.execute(wanted)]


async def tells_place(connection: AsyncConnection, decision_id: UUID) -> bool:
    """Whether a decision answers a request that names a scene."""
    asked = (
        select(_REQUESTS.c.scene_id)
        .join(_DECISIONS, _DECISIONS.c.request_id == _REQUESTS.c.id)
        .where(_DECISIONS.c.id == decision_id)
    )
    return (await connection.execute(asked)).scalar_one_or_none() is not None


async def change_decision(connection: AsyncConnection, decision_id: UUID, changes: Mapping[str, Any]) -> None:
    """Change columns of a decision that is locked."""
    await connection.execute(update(_DECISIONS).where(_DECISIONS.c.id == decision_id).values(dict(changes)))


# Ids without their texts.
_ATTESTED_ALONE = func.coalesce(
    select(func.jsonb_object_agg(_ATTESTED.c.key, literal_column("NULL::text", Text())))
    .select_from(_ATTESTED)
    .correlate(_DECISIONS)
    .scalar_subquery(),
    _NONE,
)


async def count_decisions_ended_before(connection: AsyncConnection, holder: str, before: datetime) -> int:
    """How many of the holder's decisions that ended before a moment hold words of its officers."""
    counted = select(func.count()).select_from(_DECISIONS).where(*_told_and_ended(holder, before))
    return int((await connection.execute(counted)).scalar_one())


async def erase_decision_words(
    connection: AsyncConnection, holder: str, before: datetime, *, at_most: int
) -> list[UUID]:
    """Erase what was written in the holder's decisions that ended before a moment; their ids, at most that many.

    What was decided, by whom, what was attested to and which rows it named stay. Decisions that another transaction
    holds are passed by.
    """
    due = (
        select(_DECISIONS.c.id)
        .where(*_told_and_ended(holder, before))
        .limit(at_most)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    gone = update(_DECISIONS).where(_DECISIONS.c.id == due.c.id)
    gone = gone.values(attestations=_ATTESTED_ALONE, revoke_reason=None)
    return list((await connection.execute(gone.returning(_DECISIONS.c.id))).scalars())


def _told_and_ended(holder: str, before: datetime) -> tuple[ColumnElement[bool], ...]:
    """A decision outlives the request that it answers, so its own end counts."""
    words = (func.jsonb_strip_nulls(_DECISIONS.c.attestations) != _NONE) | _DECISIONS.c.revoke_reason.is_not(None)
    ended = func.least(_DECISIONS.c.revoked_at, _DECISIONS.c.valid_until) < before
    return _DECISIONS.c.holder == holder, words, ended
