"""Disclosure decisions over GraphQL."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncConnection
from strawberry.scalars import JSON

from api.disclosure.stepping import Leaf
from api.errors import invalid
from api.graphql.binding import Created, Page, RootField, as_body, compiled, created_once, same_names
from api.requests.decisions import service
from api.requests.decisions.endpoints import COLLECTION, granting_of
from api.requests.decisions.repository import DECISIONS
from api.requests.decisions.schemas import GrantIn, OwnInitiativeIn, RefusalIn, RevocationIn
from api.requests.endpoints import COLLECTION as REQUESTS
from api.requests.endpoints import desk_of, read_now
from api.requests.graphql import Stepped, as_id, taken
from api.requests.service import one_request, require_authority, require_header


@strawberry.type(
    description="A disclosure decision, as its holder and its recipient see it. A text that is erased is null"
)
class DisclosureDecision:
    """Every field is null where no purpose is declared; `items` and `attestations` as over REST."""

    id: strawberry.ID | None
    request: strawberry.ID | None
    holder: str | None
    recipient: str | None
    provision: str | None
    purpose: str | None
    case_reference: str | None
    resource: str | None
    fields: list[str] | None
    items: JSON | None
    attestations: JSON | None
    state: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    decided_at: datetime | None
    decided_by_role: str | None
    revoked_at: datetime | None
    revoked_by_role: str | None
    revoke_reason: str | None


@strawberry.type(description="A page of disclosure decisions")
class DisclosureDecisionPage(Page):
    """A page of decisions."""

    items: list[DisclosureDecision]


@strawberry.type
class DisclosureDecisionQuery:
    """Root fields about decisions."""

    @strawberry.field(description="What the own agency has decided, or what names it, newest first. Needs a purpose")
    def disclosure_decisions(
        self,
        state: str | None = None,
        role: str | None = None,
        sort: str | None = None,
        page: int = 1,
        limit: int = 20,
    ) -> DisclosureDecisionPage:
        """Compiled."""
        compiled()

    @strawberry.field(description="One decision, or null")
    def disclosure_decision(self, id: strawberry.ID) -> DisclosureDecision | None:  # noqa: A002 - GraphQL's own name
        """Compiled."""
        compiled()


@strawberry.input(description="What the officer attests to, by id of the checklist, in the officer's words")
class AttestationInput:
    """A member of `attestations` over REST."""

    id: str
    text: str


@strawberry.input(description="A grant (items, fields, validUntil, attestations) or a refusal (reason)")
class DisclosureDecisionInput:
    """As the body of POST /disclosure-requests/{requestId}/decision."""

    outcome: str
    items: list[strawberry.ID] | None = None
    fields: list[str] | None = None
    valid_until: str | None = None
    attestations: list[AttestationInput] | None = None
    provision: str | None = None
    reason: str | None = None


@strawberry.input(description="A disclosure that nobody has asked for; `purpose` is the recipient's")
class OwnInitiativeInput:
    """As the body of POST /disclosure-decisions."""

    recipient: str
    provision: str
    purpose: str
    items: list[strawberry.ID]
    fields: list[str]
    valid_until: str
    attestations: list[AttestationInput] | None = None


@strawberry.type
class DisclosureDecisionMutation:
    """Writes about decisions: by a person with a role, at the holder."""

    @strawberry.mutation(description="Grant or refuse a request. The id is the decision's, or a refused request's own")
    async def decide_disclosure(
        self,
        info: strawberry.Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's own name
        decision: DisclosureDecisionInput,
    ) -> Created:
        """As POST /disclosure-requests/{requestId}/decision."""
        context = info.context
        require_authority(context.who, context.parts.law.authorities, "disclosure:decide")
        require_header("Purpose", context.who.purpose)
        sent = _attested(as_body(decision))
        body = context.checked(GrantIn if decision.outcome == "granted" else RefusalIn, sent)
        request_id = as_id(id)

        async def take(connection: AsyncConnection, decision_id: UUID) -> Leaf:
            granting = granting_of(context.parts, context.who)
            return await service.decide_request(connection, request_id, body, granting, decision_id)

        written = await taken(context, f"{REQUESTS}/{request_id}/decision", sent, take)
        _, row = await read_now(context.parts, context.who, one_request(request_id), "the disclosure request")
        path = f"{REQUESTS}/{request_id}" if row["decision"] is None else f"{COLLECTION}/{row['decision']}"
        return Created(
            id=strawberry.ID(path.rpartition("/")[2]),
            location=context.parts.settings.api_url + path,
            replayed=written.replayed,
        )

    @strawberry.mutation(description="Disclose what nobody has asked for, where the provision allows that")
    async def disclose_on_own_initiative(self, info: strawberry.Info, decision: OwnInitiativeInput) -> Created:
        """As POST /disclosure-decisions."""
        context = info.context
        require_authority(context.who, context.parts.law.authorities, "disclosure:decide")
        purpose = require_header("Purpose", context.who.purpose)
        case_reference = require_header("Case-Reference", context.who.case_reference)
        sent = _attested(as_body(decision))
        body = context.checked(OwnInitiativeIn, sent)

        async def write(connection: AsyncConnection, decision_id: UUID) -> None:
            granting = granting_of(context.parts, context.who)
            leaf = await service.decide_on_own_initiative(connection, body, granting, decision_id)
            await context.parts.ledger.append_within(connection, leaf)

        return await created_once(context, COLLECTION, sent, write, beside=(purpose, case_reference))

    @strawberry.mutation(description="End a decision; the very next read finds nothing under it")
    async def revoke_disclosure(
        self,
        info: strawberry.Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's own name
        reason: str | None = None,
    ) -> Stepped:
        """As DELETE /disclosure-decisions/{decisionId}."""
        context = info.context
        require_authority(context.who, context.parts.law.authorities, "disclosure:decide")
        body = context.checked(RevocationIn, {} if reason is None else {"reason": reason})
        decision_id, desk = as_id(id), desk_of(context.parts, context.who)
        async with context.parts.database.transaction() as connection:
            leaf = await service.revoke(connection, decision_id, body.reason, desk)
            await context.parts.ledger.append_within(connection, leaf)
        location = f"{context.parts.settings.api_url}{COLLECTION}/{decision_id}"
        return Stepped(id=strawberry.ID(str(decision_id)), location=location, replayed=False)


def _attested(sent: dict[str, Any]) -> dict[str, Any]:
    """The body as REST has it: attestations by their ids. Raises `Problem` 422 where one is said twice."""
    if "attestations" not in sent:
        return sent
    attested = {one["id"]: one["text"] for one in sent["attestations"]}
    if len(attested) != len(sent["attestations"]):
        raise invalid("variables.decision.attestations", "names an attestation twice", "attest to each once")
    return sent | {"attestations": attested}


ROOTS = (
    RootField("disclosureDecisions", DECISIONS, paged=True, filters=same_names("state", "role")),
    RootField("disclosureDecision", DECISIONS, paged=False, filters=same_names("id")),
)
