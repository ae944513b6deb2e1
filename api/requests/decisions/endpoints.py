"""Disclosure decisions over REST: made by a person at the holder, seen by holder and recipient alone."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.disclosure.asking import Asking
from api.disclosure.selection import parse_sort
from api.disclosure.stepping import Leaf
from api.requests.decisions import service
from api.requests.decisions.repository import DECISIONS
from api.requests.decisions.schemas import (
    DecisionOut,
    DecisionPage,
    DecisionRevoked,
    GrantIn,
    OwnInitiativeIn,
    RefusalIn,
)
from api.requests.endpoints import (
    COLLECTION as REQUESTS,
)
from api.requests.endpoints import (
    RequestId,
    decision_link,
    desk_of,
    known,
    once_answered,
    read_now,
    take_once,
)
from api.requests.schemas import RequestOut
from api.requests.service import one_request, require_authority, require_header
from api.requests.states import DecisionState
from api.web.conditional import respond
from api.web.context import AskingDependency, Services, ServicesDependency
from api.web.datatypes import LINE_PATTERN
from api.web.documents import answers
from api.web.idempotency import REPLAYED, OptionalIdempotencyKey, fingerprint, once
from api.web.paging import Link, PageQuery
from api.web.reading import answer_list, single
from api.web.route import strict_router
from api.web.sorting import sort_query
from api.web.writing import created

router: APIRouter = strict_router(tags=["disclosure"])

COLLECTION = "/disclosure-decisions"
DecisionId = Annotated[UUID, Path(alias="decisionId", description="The decision's id / Beslutets id")]


@router.get(COLLECTION, responses=answers(DecisionPage), summary="List decisions / Lista utlämnandebeslut")
async def list_decisions(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    page: PageQuery,
    state: Annotated[DecisionState | None, Query(description="Only those in this state / Bara i detta läge")] = None,
    role: Annotated[
        Literal["holder", "recipient"] | None,
        Query(description="Only those that the own agency has made, or that name it / Bara fattade eller mottagna"),
    ] = None,
    sort: Annotated[str | None, sort_query(DECISIONS)] = None,
) -> Response:
    """The decisions that the caller's agency has made, or that name it, newest first. Needs `Purpose`."""
    filters = tuple((name, value) for name, value in (("state", state), ("role", role)) if value is not None)
    selection = service.decisions(filters, parse_sort(DECISIONS, sort), page.offset, page.limit)
    return await answer_list(request, parts, who, selection, page)


@router.get(
    COLLECTION + "/{decisionId}", responses=answers(DecisionOut), summary="Read a decision / Läs ett utlämnandebeslut"
)
async def read_decision(
    request: Request, parts: ServicesDependency, who: AskingDependency, decision_id: DecisionId
) -> Response:
    """One decision. The holder sees the ids of its rows and what was written down; the recipient aliases, no text."""
    answer = await parts.gate.read(who, service.one_decision(decision_id))
    row = known(answer, "the disclosure decision")
    links = {"individuals": f"{COLLECTION}/{decision_id}/individuals"}
    links |= {} if row["request"] is None else {"request": f"{REQUESTS}/{row['request']}"}
    body = single(request, parts, answer, what="the disclosure decision", links=links)
    return respond(request, body, shared=answer.shared)


@router.post(
    REQUESTS + "/{requestId}/decision",
    status_code=201,
    responses=once_answered(RequestOut, 201),
    summary="Decide on a request / Besluta om en begäran",
)
async def decide_request(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    request_id: RequestId,
    key: OptionalIdempotencyKey,
    body: Annotated[GrantIn | RefusalIn, Body(discriminator="outcome")],
) -> Response:
    """Grant all or part of a request, or refuse it. The holder's, by a person with a role, scope `disclosure:decide`.

    409 names every obstacle: a condition of the law that fails, an attestation that is missing, a row that is not the
    own agency's, a request that is decided already. The answer is the request; `Location` is the decision, if granted.
    """
    require_authority(who, parts.law.authorities, "disclosure:decide")
    require_header("Purpose", who.purpose)

    async def take(connection: AsyncConnection, decision_id: UUID) -> Leaf:
        return await service.decide_request(connection, request_id, body, granting_of(parts, who), decision_id)

    path = f"{REQUESTS}/{request_id}"
    mark = fingerprint(request.method, request.url.path, await request.json())
    written = await take_once(parts, who, key, mark, f"{path}/decision", take)
    answer, row = await read_now(parts, who, one_request(request_id), "the disclosure request")
    links = {"self": path} | decision_link(row)
    headers = {"Location": parts.settings.api_url + links.get("decision", path)}
    headers |= {REPLAYED: "true"} if written.replayed else {}
    made = single(request, parts, answer, what="the disclosure request", links=links)
    return respond(request, made, shared=answer.shared, status_code=201, headers=headers)


@router.post(
    COLLECTION,
    status_code=201,
    responses=once_answered(DecisionOut, 201),
    summary="Disclose on own initiative / Lämna ut på eget initiativ",
)
async def disclose_on_own_initiative(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    key: OptionalIdempotencyKey,
    body: OwnInitiativeIn,
) -> Response:
    """Disclose what nobody has asked for, where the provision allows that. A person with a role, `disclosure:decide`.

    Needs `Purpose` and `Case-Reference`. Checked like a grant; `purpose` in the body is the recipient's.
    """
    require_authority(who, parts.law.authorities, "disclosure:decide")
    purpose = require_header("Purpose", who.purpose)
    case_reference = require_header("Case-Reference", who.case_reference)

    async def write(connection: AsyncConnection, decision_id: UUID) -> None:
        leaf = await service.decide_on_own_initiative(connection, body, granting_of(parts, who), decision_id)
        await parts.ledger.append_within(connection, leaf)

    async def answer(decision_id: UUID) -> Response:
        path = f"{COLLECTION}/{decision_id}"
        return await created(request, parts, who, service.one_decision(decision_id), path, "the disclosure decision")

    stated = (purpose, case_reference)
    return await once(request, parts, who, key, collection=COLLECTION, write=write, answer=answer, beside=stated)


@router.delete(
    COLLECTION + "/{decisionId}",
    responses=answers(DecisionRevoked),
    summary="Revoke a decision / Återkalla ett utlämnandebeslut",
)
async def revoke_decision(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    decision_id: DecisionId,
    reason: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            pattern=LINE_PATTERN,
            description="Why, without a word about a person: it stands in the address / Skäl, utan personuppgifter",
        ),
    ] = None,
) -> Response:
    """End a decision; the very next read finds nothing under it. The holder's, by a person, `disclosure:decide`.

    No reason is demanded: nothing may hold a revocation up.
    """
    require_authority(who, parts.law.authorities, "disclosure:decide")
    desk = desk_of(parts, who)
    async with parts.database.transaction() as connection:
        leaf = await service.revoke(connection, decision_id, reason, desk)
        await parts.ledger.append_within(connection, leaf)
    itself = {"href": f"{parts.settings.api_url}{COLLECTION}/{decision_id}", "rel": "self", "method": "GET"}
    revoked = DecisionRevoked(id=decision_id, state="revoked", revoked_at=desk.now, links_={"self": Link(**itself)})
    return respond(request, revoked.model_dump_json().encode(), shared=False)


def granting_of(parts: Services, who: Asking) -> service.Granting:
    """What a grant works with, at this moment."""
    return service.Granting(desk_of(parts, who), parts.new_id, parts.settings.decision_max_days)
