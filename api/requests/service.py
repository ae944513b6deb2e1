"""What can be done with requests for disclosure. Callers open the transaction; nothing here commits.

Each step returns the leaf that tells of it, which the caller must make durable before the commit.
INVARIANT: a request is never compared with what its holder has; only the law and what all agencies know may refuse it.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.asking import Asking
from api.disclosure.selection import Selection, every_field
from api.disclosure.stepping import Between, Leaf, Step, step_leaf
from api.errors import Fault, Problem, conflict, not_found
from api.protection.sealing import Sealer
from api.requests.repository import (
    REQUESTS,
    Party,
    RequestRow,
    add_request,
    change_request,
    lock_request,
    parties,
)
from api.requests.schemas import RequestIn
from api.requests.states import Act, State, state_after
from api.requests.states import Party as Side
from api.scenes.repository import scene_exists
from policies.grants import KindCheck, Obstacle, Way, check_kind, check_request, is_duty
from policies.model import Law

Filters = tuple[tuple[str, Any], ...]
Sort = tuple[tuple[str, bool], ...]
_UNDECIDED = frozenset({"submitted", "supplement-requested"})


@dataclass(frozen=True, slots=True)
class Desk:
    """What a step works with: who takes it, when, and under which law. `today` is the day in Sweden."""

    who: Asking
    law: Law
    sealer: Sealer
    now: datetime
    today: date

    def leaf(self, step: Step, request: RequestRow, said: dict[str, Any] | None = None) -> Leaf:
        """The leaf of a step of a request."""
        return step_leaf(
            self.who, step, Between(request.holder, request.requester), _facts(request) | (said or {}),
            policy_version=self.law.version, today=self.today,
        )  # fmt: skip


def requests(filters: Filters, sort: Sort, offset: int, limit: int) -> Selection:
    """The selection of a list of requests."""
    return Selection(REQUESTS, every_field(REQUESTS), filters, sort, offset, limit)


def one_request(request_id: UUID) -> Selection:
    """The selection of one request."""
    return Selection(REQUESTS, every_field(REQUESTS), (("id", request_id),), limit=1, total=False)


def require_authority(who: Asking, authorities: frozenset[str], scope: str) -> None:
    """Let only authorities with the scope ask and decide. Raises `Problem` 403.

    Whoever is none asks the agency itself (OSL 6:4); no provision between authorities reaches it.
    """
    who.caller.require(scope)
    if who.agency.sector not in authorities:
        raise Problem(
            "forbidden",
            f"authorities ask each other here; `{who.agency.slug}` is {who.agency.sector}, and asks the agency itself",
        )


def require_header(name: str, value: str | None) -> str:
    """The value of a header that a step needs. Raises `Problem` 400."""
    if value is None:
        where = f"header.{name}"
        raise Problem("missing-header", f"{where}: is missing", faults=[Fault(where, "is missing", f"send `{name}`")])
    return value


async def create_request(
    connection: AsyncConnection, body: RequestIn, desk: Desk, *, request_id: UUID, purpose: str, case_reference: str
) -> Leaf:
    """Store a request. Raises `Problem` 409 naming every obstacle; nothing is stored then."""
    requester = desk.who.agency.slug
    known = await parties(connection, [requester, body.holder])
    kinds = tuple(dict.fromkeys(body.kinds))
    faults = [fault async for fault in _scope_faults(connection, body)]
    obstacles: tuple[Obstacle, ...] = ()
    if body.holder == requester:
        faults.append(Fault("body.holder", "is your own agency", "read your own rows; they need no request"))
    elif body.holder not in known:
        faults.append(unknown_agency("body.holder"))
    elif body.provision not in desk.law.provisions:
        faults.append(unknown_provision())
    else:
        way = way_between(known[body.holder], known[requester], body.provision, purpose, desk.today)
        obstacles = check_request(way, kinds, desk.law)
    refuse(faults, obstacles)

    def sealed(field: str, value: str | None) -> bytes | None:
        return None if value is None else desk.sealer.seal(str(request_id), field, value)

    request = RequestRow(
        id=request_id, requester=requester, holder=body.holder, purpose=purpose, provision=body.provision,
        duty=is_duty(body.provision, desk.today, desk.law), case_reference=case_reference, scene_id=body.scope.scene,
        kinds=list(kinds), state="submitted", created_at=desk.now,
    )  # fmt: skip
    caller = desk.who.caller
    await add_request(
        connection,
        request._asdict()
        | {
            "question_sealed": sealed("question", body.scope.question),
            "why_sealed": sealed("why", body.why),
            "asked_by": caller.subject,
            "asked_by_client": caller.client_id,
            "asked_by_role": caller.role,
        },
    )
    scene = None if body.scope.scene is None else str(body.scope.scene)
    return desk.leaf("disclosure-request", request, {"scene": scene})


async def ask_supplement(connection: AsyncConnection, request_id: UUID, question: str, desk: Desk) -> Leaf:
    """The holder asks for what it needs to decide. Raises `Problem` 404, 403, or 409: a duty is never parked."""
    request = await lock(connection, request_id, desk, "holder")
    state = step(request, "ask-supplement", "holder")
    changes = {
        "state": state,
        "supplement_question_sealed": desk.sealer.seal(str(request_id), "supplementQuestion", question),
        "supplement_asked_at": desk.now,
        "supplement_answer_sealed": None,
        "supplement_answered_at": None,
    }
    await change_request(connection, request_id, changes)
    return desk.leaf("supplement-request", request)


async def answer_supplement(connection: AsyncConnection, request_id: UUID, answer: str, desk: Desk) -> Leaf:
    """The requester answers. Raises `Problem` 404, 403 or 409."""
    request = await lock(connection, request_id, desk, "requester")
    state = step(request, "answer-supplement", "requester")
    changes = {
        "state": state,
        "supplement_answer_sealed": desk.sealer.seal(str(request_id), "supplementAnswer", answer),
        "supplement_answered_at": desk.now,
    }
    await change_request(connection, request_id, changes)
    return desk.leaf("supplement-answer", request)


async def withdraw(connection: AsyncConnection, request_id: UUID, desk: Desk) -> Leaf:
    """The requester takes its request back. Raises `Problem` 404, 403 or 409."""
    request = await lock(connection, request_id, desk, "requester")
    changes = {"state": step(request, "withdraw", "requester"), "withdrawn_at": desk.now}
    await change_request(connection, request_id, changes)
    return desk.leaf("withdrawal", request)


async def lock(connection: AsyncConnection, request_id: UUID, desk: Desk, side: Side) -> RequestRow:
    """A request of the caller's, locked. Raises `Problem` 404 for all others alike, 403 for the other party."""
    agency = desk.who.agency.slug
    request = await lock_request(connection, request_id, agency=agency)
    if request is None:
        raise not_found("the disclosure request")
    if agency != (request.requester if side == "requester" else request.holder):
        raise Problem("forbidden", f"this is for the {side} of the request alone")
    return request


def step(request: RequestRow, act: Act, side: Side) -> State:
    """The state that an act leads to. Raises `Problem` 409 where it cannot be taken."""
    before: Any = request.state
    after = state_after(before, act, by=side, duty=request.duty)
    if after is not None:
        return after
    if request.duty and state_after(before, act, by=side, duty=False) is not None:
        raise conflict("request.duty", "a duty to disclose is decided on, never parked", "grant or refuse")
    raise conflict("request.state", f"the request is {before}; this cannot be done with it any more or yet")


def checklist(
    request: Mapping[str, Any], holder: Party, requester: Party, law: Law, today: date
) -> tuple[KindCheck, ...]:
    """What the law of today says of each kind that is asked for; nothing once the request is decided or withdrawn.

    `request` is a row as the gate gives it.
    """
    if request["state"] not in _UNDECIDED or request["provision"] not in law.provisions:
        return ()
    way = way_between(holder, requester, request["provision"], request["purpose"], today)
    return tuple(check_kind(way, kind, law) for kind in request["kinds"])


def way_between(holder: Party, recipient: Party, provision: str, purpose: str, today: date) -> Way:
    """A request's way, between two agencies as they are registered now."""
    return Way(
        provision=provision,
        initiative="on-request",
        purpose=purpose,
        holder_sector=holder.sector,
        recipient_sector=recipient.sector,
        day=today,
        holder_equated=holder.equated,
        recipient_equated=recipient.equated,
    )


def unknown_agency(where: str) -> Fault:
    """No such agency."""
    return Fault(where, "is no registered agency", "take a slug of GET /agencies")


def unknown_provision() -> Fault:
    """No such provision."""
    return Fault("body.provision", "is no encoded provision", "take an id of GET /provisions")


def refuse(faults: Iterable[Fault], obstacles: Iterable[Obstacle]) -> None:
    """Raise `Problem` 409 naming every fault and every obstacle of the law, if there is any."""
    stands = list(obstacles)
    found = [*faults, *_as_faults(stands)]
    if found:
        lacks = [
            {
                "where": f"body.{one.where}",
                "condition": one.lack.condition.value,
                "required": one.lack.required,
                "actual": one.lack.actual,
                "citation": one.citation,
            }
            for one in stands
        ]
        detail = f"{found[0].where}: {found[0].what}"
        raise Problem("conflict", detail, faults=found, extra={"lacks": lacks} if lacks else None)


def _as_faults(obstacles: Iterable[Obstacle]) -> Iterator[Fault]:
    for one in obstacles:
        what = (
            f"{one.lack.condition.value}: requires {one.lack.required}, is {one.lack.actual or 'none'} ({one.citation})"
        )
        yield Fault(f"body.{one.where}", what, "see the checklist of the request, or POST /explanations")


async def _scope_faults(connection: AsyncConnection, body: RequestIn) -> AsyncIterator[Fault]:
    if body.scope.scene is None and body.scope.question is None:
        yield Fault("body.scope", "names neither a scene nor a question", "name one of them, or both")
    if body.scope.scene is not None and not await scene_exists(connection, body.scope.scene):
        yield Fault("body.scope.scene", "no such scene", "give the id of a scene in GET /scenes")


def _facts(request: RequestRow) -> dict[str, Any]:
    return {
        "request": str(request.id),
        "purpose": request.purpose,
        "legalBasis": request.provision,
        "caseReference": request.case_reference,
        "kinds": request.kinds,
    }
