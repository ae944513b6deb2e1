"""Requests for disclosure over REST. Requester and holder see a request; nobody else knows that there is one."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.disclosure.asking import Asking
from api.disclosure.gate import Answer
from api.disclosure.selection import Selection, parse_sort
from api.disclosure.stepping import Leaf
from api.errors import invalid, not_found
from api.law.endpoints import AcceptLanguage
from api.law.service import language_of
from api.requests import service
from api.requests.repository import REQUESTS, Party
from api.requests.schemas import RequestDetail, RequestIn, RequestOut, RequestPage, SupplementAnswerIn, SupplementIn
from api.requests.states import State
from api.web.conditional import respond
from api.web.context import AskingDependency, Services, ServicesDependency
from api.web.documents import answers
from api.web.idempotency import (
    REPLAYED,
    REPLAYED_HEADER,
    OptionalIdempotencyKey,
    Written,
    fingerprint,
    once,
    write_once,
)
from api.web.paging import PageQuery
from api.web.reading import answer_list, single
from api.web.route import strict_router
from api.web.sorting import sort_query
from api.web.writing import created
from policies.explain import checklist_as_json

router: APIRouter = strict_router(tags=["disclosure"])

COLLECTION = "/disclosure-requests"
RequestId = Annotated[UUID, Path(alias="requestId", description="The request's id / Begärans id")]
Take = Callable[[AsyncConnection, UUID], Awaitable[Leaf]]


def once_answered(model: Any, status: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a post that is made once for each Idempotency-Key."""
    given = answers(model, status=status)
    given[status]["headers"] = REPLAYED_HEADER
    return given


@router.get(COLLECTION, responses=answers(RequestPage), summary="List requests / Lista begäranden")
async def list_requests(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    page: PageQuery,
    state: Annotated[State | None, Query(description="Only those in this state / Bara i detta läge")] = None,
    role: Annotated[
        Literal["requester", "holder"] | None,
        Query(description="Only those that the own agency has sent, or been sent / Bara skickade eller mottagna"),
    ] = None,
    sort: Annotated[str | None, sort_query(REQUESTS)] = None,
) -> Response:
    """The requests that the caller's agency has sent or been sent, newest first. Needs `Purpose`."""
    filters = tuple((name, value) for name, value in (("state", state), ("role", role)) if value is not None)
    selection = service.requests(filters, parse_sort(REQUESTS, sort), page.offset, page.limit)
    return await answer_list(request, parts, who, selection, page)


@router.get(COLLECTION + "/{requestId}", responses=answers(RequestDetail), summary="Read a request / Läs en begäran")
async def read_request(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    request_id: RequestId,
    accept_language: AcceptLanguage = None,
) -> Response:
    """One request; while it is undecided, with the law's own checklist: what holds, and what must be attested to."""
    answer = await parts.gate.read(who, service.one_request(request_id))
    row = known(answer, "the disclosure request")
    checks = service.checklist(
        row,
        await _party(parts, row["holder"]),
        await _party(parts, row["requester"]),
        parts.law,
        parts.gate.today(),
    )
    shown = checklist_as_json(checks, parts.law, language_of(accept_language))
    body = single(request, parts, answer, what="the disclosure request", links=decision_link(row))
    listed = json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()
    return respond(request, b'{"checklist":' + listed + b"," + body[1:], shared=answer.shared)


@router.post(
    COLLECTION,
    status_code=201,
    responses=once_answered(RequestOut, 201),
    summary="Ask another agency / Begär uppgifter av en annan myndighet",
)
async def create_request(
    request: Request, parts: ServicesDependency, who: AskingDependency, key: OptionalIdempotencyKey, body: RequestIn
) -> Response:
    """Ask the agency that may hold something. Authorities, with the scope `disclosure:request`.

    Needs `Purpose` (what it is for) and `Case-Reference`. It is answered alike whether or not the holder has anything;
    409 names what the law lacks for the kinds that are asked for.
    """
    service.require_authority(who, parts.law.authorities, "disclosure:request")
    purpose = service.require_header("Purpose", who.purpose)
    case_reference = service.require_header("Case-Reference", who.case_reference)

    async def write(connection: AsyncConnection, request_id: UUID) -> None:
        leaf = await service.create_request(
            connection, body, desk_of(parts, who), request_id=request_id, purpose=purpose, case_reference=case_reference
        )
        await parts.ledger.append_within(connection, leaf)

    async def answer(request_id: UUID) -> Response:
        path = f"{COLLECTION}/{request_id}"
        return await created(request, parts, who, service.one_request(request_id), path, "the disclosure request")

    stated = (purpose, case_reference)
    return await once(request, parts, who, key, collection=COLLECTION, write=write, answer=answer, beside=stated)


@router.post(
    COLLECTION + "/{requestId}/supplement",
    responses=once_answered(RequestOut, 200),
    summary="Ask for a supplement / Begär komplettering",
)
async def ask_supplement(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    request_id: RequestId,
    key: OptionalIdempotencyKey,
    body: SupplementIn,
) -> Response:
    """The holder asks for what it needs to decide. A person with a role, scope `disclosure:decide`.

    Not where the provision is a duty to disclose: that is decided on, never parked (409).
    """
    service.require_authority(who, parts.law.authorities, "disclosure:decide")

    async def take(connection: AsyncConnection, _: UUID) -> Leaf:
        return await service.ask_supplement(connection, request_id, body.question, desk_of(parts, who))

    return await _stepped(request, parts, who, key, request_id, await request.json(), take)


@router.post(
    COLLECTION + "/{requestId}/supplement/answer",
    responses=once_answered(RequestOut, 200),
    summary="Answer with a supplement / Komplettera begäran",
)
async def answer_supplement(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    request_id: RequestId,
    key: OptionalIdempotencyKey,
    body: SupplementAnswerIn,
) -> Response:
    """The requester answers the holder's question. Scope `disclosure:request`."""
    service.require_authority(who, parts.law.authorities, "disclosure:request")

    async def take(connection: AsyncConnection, _: UUID) -> Leaf:
        return await service.answer_supplement(connection, request_id, body.answer, desk_of(parts, who))

    return await _stepped(request, parts, who, key, request_id, await request.json(), take)


@router.post(
    COLLECTION + "/{requestId}/withdrawal",
    responses=once_answered(RequestOut, 200),
    summary="Withdraw a request / Återkalla en begäran",
)
async def withdraw_request(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    request_id: RequestId,
    key: OptionalIdempotencyKey,
) -> Response:
    """The requester takes its request back, as long as it is undecided. Scope `disclosure:request`. No body."""
    if (await request.body()).strip() not in (b"", b"{}"):
        raise invalid("body", "is not read here", "send none")
    service.require_authority(who, parts.law.authorities, "disclosure:request")

    async def take(connection: AsyncConnection, _: UUID) -> Leaf:
        return await service.withdraw(connection, request_id, desk_of(parts, who))

    return await _stepped(request, parts, who, key, request_id, None, take)


def desk_of(parts: Services, who: Asking) -> service.Desk:
    """What a step works with, at this moment."""
    return service.Desk(who, parts.law, parts.sealer, parts.clock(), parts.gate.today())


async def take_once(parts: Services, who: Asking, key: str | None, mark: bytes, collection: str, take: Take) -> Written:
    """Take a step once for each key. INVARIANT: the step and its leaf are committed together or not at all."""

    async def write(connection: AsyncConnection, new_id: UUID) -> None:
        await parts.ledger.append_within(connection, await take(connection, new_id))

    return await write_once(parts, who, key, mark, collection=collection, write=write)


async def read_now(parts: Services, who: Asking, selection: Selection, what: str) -> tuple[Answer, dict[str, Any]]:
    """A row as it stands now, through the gate, with the answer that it came in."""
    answer = await parts.gate.read(who, selection)
    return answer, known(answer, what)


def known(answer: Answer, what: str) -> dict[str, Any]:
    """The one row of an answer. Raises `Problem` 404 in the same words whether there is none or it may not be known."""
    first = answer.first()
    if first is None:
        problem = not_found(what)
        problem.extra["disclosure"] = json.loads(answer.disclosure())
        raise problem
    row: dict[str, Any] = json.loads(first)
    return row


def decision_link(row: dict[str, Any]) -> dict[str, str]:
    """The link to the decision on a request, where there is one."""
    return {} if row.get("decision") is None else {"decision": f"/disclosure-decisions/{row['decision']}"}


async def _party(parts: Services, slug: str) -> Party:
    agency = await parts.agencies.find(slug)
    if agency is None:
        raise not_found("the agency")
    return Party(agency.slug, agency.sector, agency.equated)


async def _stepped(
    request: Request, parts: Services, who: Asking, key: str | None, request_id: UUID, sent: Any, take: Take
) -> Response:
    """Take a step, and answer with the request as it stands then."""
    service.require_header("Purpose", who.purpose)
    path = f"{COLLECTION}/{request_id}"
    mark = fingerprint(request.method, request.url.path, sent)
    written = await take_once(parts, who, key, mark, path, take)
    answer, row = await read_now(parts, who, service.one_request(request_id), "the disclosure request")
    body = single(request, parts, answer, what="the disclosure request", links={"self": path} | decision_link(row))
    headers = {REPLAYED: "true"} if written.replayed else {}
    return respond(request, body, shared=answer.shared, headers=headers)
