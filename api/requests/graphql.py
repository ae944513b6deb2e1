"""Requests for disclosure over GraphQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncConnection
from strawberry.scalars import JSON

from api.disclosure.stepping import Leaf
from api.errors import invalid
from api.graphql.binding import Created, Page, RootField, as_body, compiled, created_once, same_names
from api.requests import service
from api.requests.endpoints import COLLECTION, Take, desk_of, take_once
from api.requests.repository import REQUESTS
from api.requests.schemas import RequestIn, SupplementAnswerIn, SupplementIn
from api.web.idempotency import Written, fingerprint
from api.web.idempotency_key import parse


@strawberry.type(
    description="A request for disclosure, as its requester and its holder see it. A text that is erased is null"
)
class DisclosureRequest:
    """Every field is null where no purpose is declared; a request between others is not there at all."""

    id: strawberry.ID | None
    requester: str | None
    holder: str | None
    purpose: str | None
    provision: str | None
    duty: bool | None
    case_reference: str | None
    scene: strawberry.ID | None
    question: str | None
    kinds: list[str] | None
    why: str | None
    state: str | None
    created_at: datetime | None
    supplement_question: str | None
    supplement_asked_at: datetime | None
    supplement_answer: str | None
    supplement_answered_at: datetime | None
    decided_at: datetime | None
    decided_by_role: str | None
    decision: strawberry.ID | None
    refusal_reason: str | None
    refusal_citation: str | None
    refusal_appeal: JSON | None


@strawberry.type(description="A page of requests for disclosure")
class DisclosureRequestPage(Page):
    """A page of requests."""

    items: list[DisclosureRequest]


@strawberry.type
class DisclosureRequestQuery:
    """Root fields about requests."""

    @strawberry.field(description="What the own agency has sent or been sent, newest first. Needs a purpose")
    def disclosure_requests(
        self,
        state: str | None = None,
        role: str | None = None,
        sort: str | None = None,
        page: int = 1,
        limit: int = 20,
    ) -> DisclosureRequestPage:
        """Compiled."""
        compiled()

    @strawberry.field(description="One request, or null")
    def disclosure_request(self, id: strawberry.ID) -> DisclosureRequest | None:  # noqa: A002 - GraphQL's own name
        """Compiled."""
        compiled()


@strawberry.input(description="A scene, a question in the requester's own words, or both")
class ScopeInput:
    """As `scope` over REST."""

    scene: strawberry.ID | None = None
    question: str | None = None


@strawberry.input(description="A request to the agency that may hold something")
class DisclosureRequestInput:
    """As the body of POST /disclosure-requests."""

    holder: str
    provision: str
    scope: ScopeInput
    kinds: list[str]
    why: str


@strawberry.type(description="A step that was taken with a request or a decision: read it by its id")
class Stepped:
    """`replayed` is true where an earlier request under the same Idempotency-Key took it."""

    id: strawberry.ID
    location: str
    replayed: bool


@strawberry.type
class DisclosureRequestMutation:
    """Writes about requests."""

    @strawberry.mutation(description="Ask another agency. Needs Purpose and Case-Reference")
    async def request_disclosure(self, info: strawberry.Info, request: DisclosureRequestInput) -> Created:
        """As POST /disclosure-requests."""
        context = info.context
        service.require_authority(context.who, context.parts.law.authorities, "disclosure:request")
        purpose = service.require_header("Purpose", context.who.purpose)
        case_reference = service.require_header("Case-Reference", context.who.case_reference)
        sent = as_body(request)
        body = context.checked(RequestIn, sent)

        async def write(connection: AsyncConnection, request_id: UUID) -> None:
            desk = desk_of(context.parts, context.who)
            leaf = await service.create_request(
                connection, body, desk, request_id=request_id, purpose=purpose, case_reference=case_reference
            )
            await context.parts.ledger.append_within(connection, leaf)

        return await created_once(context, COLLECTION, sent, write, beside=(purpose, case_reference))

    @strawberry.mutation(description="The holder asks for what it needs to decide; not where it is a duty")
    async def ask_supplement(self, info: strawberry.Info, id: strawberry.ID, question: str) -> Stepped:  # noqa: A002
        """As POST /disclosure-requests/{requestId}/supplement."""
        context = info.context
        service.require_authority(context.who, context.parts.law.authorities, "disclosure:decide")
        body = context.checked(SupplementIn, {"question": question})

        async def take(connection: AsyncConnection, _: UUID) -> Leaf:
            return await service.ask_supplement(
                connection, as_id(id), body.question, desk_of(context.parts, context.who)
            )

        return await stepped(context, id, "supplement", {"question": question}, take)

    @strawberry.mutation(description="The requester answers the holder's question")
    async def answer_supplement(self, info: strawberry.Info, id: strawberry.ID, answer: str) -> Stepped:  # noqa: A002
        """As POST /disclosure-requests/{requestId}/supplement/answer."""
        context = info.context
        service.require_authority(context.who, context.parts.law.authorities, "disclosure:request")
        body = context.checked(SupplementAnswerIn, {"answer": answer})

        async def take(connection: AsyncConnection, _: UUID) -> Leaf:
            return await service.answer_supplement(
                connection, as_id(id), body.answer, desk_of(context.parts, context.who)
            )

        return await stepped(context, id, "supplement/answer", {"answer": answer}, take)

    @strawberry.mutation(description="The requester takes its request back")
    async def withdraw_disclosure_request(self, info: strawberry.Info, id: strawberry.ID) -> Stepped:  # noqa: A002
        """As POST /disclosure-requests/{requestId}/withdrawal."""
        context = info.context
        service.require_authority(context.who, context.parts.law.authorities, "disclosure:request")

        async def take(connection: AsyncConnection, _: UUID) -> Leaf:
            return await service.withdraw(connection, as_id(id), desk_of(context.parts, context.who))

        return await stepped(context, id, "withdrawal", {}, take)


def as_id(given: str) -> UUID:
    """An id as an argument. Raises `Problem` 422."""
    try:
        return UUID(given)
    except ValueError:
        raise invalid("variables.id", "is not an id", "take it from an answer of this API") from None


async def taken(context: Any, path: str, sent: Mapping[str, Any], take: Take) -> Written:
    """Take a step once per Idempotency-Key, as REST does."""
    key = None if context.idempotency_key is None else parse(context.idempotency_key)
    mark = fingerprint("POST", f"/graphql{path}", dict(sent))
    return await take_once(context.parts, context.who, key, mark, path, take)


async def stepped(context: Any, given: str, name: str, sent: Mapping[str, Any], take: Take) -> Stepped:
    """Take a step with a request, and say where to read it."""
    service.require_header("Purpose", context.who.purpose)
    path = f"{COLLECTION}/{as_id(given)}"
    written = await taken(context, f"{path}/{name}", sent, take)
    return Stepped(id=strawberry.ID(given), location=context.parts.settings.api_url + path, replayed=written.replayed)


ROOTS = (
    RootField("disclosureRequests", REQUESTS, paged=True, filters=same_names("state", "role")),
    RootField("disclosureRequest", REQUESTS, paged=False, filters=same_names("id")),
)
