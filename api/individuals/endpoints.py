"""Individuals over REST: always under their mapping, always protected."""

import json
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.disclosure.asking import Asking
from api.disclosure.keeping import keeping_part
from api.disclosure.selection import parse_sort
from api.errors import not_found
from api.individuals import service
from api.individuals.repository import INDIVIDUALS
from api.individuals.schemas import (
    IndividualCreated,
    IndividualErased,
    IndividualIn,
    IndividualOut,
    IndividualPage,
    Line,
    Role,
)
from api.mappings.endpoints import MappingId
from api.mappings.service import mapping_known
from api.requests.decisions.service import end_what_locates
from api.requests.endpoints import desk_of, known
from api.requests.service import require_header
from api.web.conditional import respond
from api.web.context import AskingDependency, Services, ServicesDependency
from api.web.documents import answers
from api.web.idempotency import REPLAYED_HEADER, OptionalIdempotencyKey, once
from api.web.paging import PageQuery
from api.web.reading import answer_list, single
from api.web.route import strict_router
from api.web.sorting import sort_query

router: APIRouter = strict_router(tags=["individuals"])

IndividualId = Annotated[UUID, Path(alias="individualId", description="The individual's id / Individens id")]
DecisionId = Annotated[UUID, Path(alias="decisionId", description="The decision's id / Beslutets id")]
RoleQuery = Annotated[
    Role | None, Query(description="What the person does at the place. Refused (403) where it is withheld")
]
SubstancesQuery = Annotated[
    Line | None,
    Query(description="Always refused (403): nobody selects persons by health or addiction / Sökförbud"),
]
_CREATED: dict[int | str, dict[str, Any]] = answers(IndividualCreated, status=201)
_CREATED[201]["headers"] = REPLAYED_HEADER


async def _require_mapping(parts: Services, who: Asking, mapping_id: UUID) -> None:
    if (await parts.gate.read(who, mapping_known(mapping_id))).first() is None:
        raise not_found("the mapping")


@router.get(
    "/mappings/{mappingId}/individuals",
    responses=answers(IndividualPage),
    summary="List individuals / Lista individer",
)
async def list_individuals(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    mapping_id: MappingId,
    page: PageQuery,
    role: RoleQuery = None,
    substances: SubstancesQuery = None,
    sort: Annotated[str | None, sort_query(INDIVIDUALS)] = None,
) -> Response:
    """The individuals that the caller may know of at the place: its own, and what a disclosure decision names.

    Needs `Purpose` and `Case-Reference`. What is withheld is listed alike whether or not any row exists. A person with
    protected identity is found here by others only where the decision names `mapping`.
    """
    await _require_mapping(parts, who, mapping_id)
    filters = _filters(role=role, substances=substances)
    selection = service.individuals(mapping_id, filters, parse_sort(INDIVIDUALS, sort), page.offset, page.limit)
    return await answer_list(request, parts, who, selection, page)


def _filters(**given: str | None) -> service.Filters:
    return tuple((name, value) for name, value in given.items() if value is not None)


@router.get(
    "/disclosure-decisions/{decisionId}/individuals",
    responses=answers(IndividualPage),
    summary="List what a decision discloses / Lista det som ett beslut lämnar ut",
)
async def list_disclosed(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    decision_id: DecisionId,
    page: PageQuery,
    role: RoleQuery = None,
    substances: SubstancesQuery = None,
    sort: Annotated[str | None, sort_query(INDIVIDUALS)] = None,
) -> Response:
    """The rows that a live decision opens to the caller, whatever the place.

    Needs `Purpose` and `Case-Reference`. Empty, in the same words, for any other id.
    """
    filters = _filters(role=role, substances=substances)
    chosen = parse_sort(INDIVIDUALS, sort)
    selection = service.disclosed_individuals(decision_id, filters, chosen, page.offset, page.limit)
    return await answer_list(request, parts, who, selection, page)


@router.get(
    "/mappings/{mappingId}/individuals/{individualId}",
    responses=answers(IndividualOut),
    summary="Read an individual / Läs en individ",
)
async def read_individual(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    mapping_id: MappingId,
    individual_id: IndividualId,
) -> Response:
    """One individual. 404 in the same words, with the same reasons, whether it does not exist or may not be known."""
    await _require_mapping(parts, who, mapping_id)
    answer = await parts.gate.read(who, service.one_individual(mapping_id, individual_id))
    known(answer, "the individual")
    body = single(request, parts, answer, what="the individual", links={"mapping": f"/mappings/{mapping_id}"})
    return respond(request, body, shared=answer.shared)


@router.post(
    "/mappings/{mappingId}/individuals",
    status_code=201,
    responses=_CREATED,
    summary="Record an individual / Anteckna en individ",
)
async def create_individual(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    mapping_id: MappingId,
    key: OptionalIdempotencyKey,
    body: IndividualIn,
) -> Response:
    """Record a person tied to a mapping. Any authority, with the scope `write:mappings`; the caller is the holder.

    The answer says where the record is and repeats nothing of it. What the ledger cannot note is not stored. Where it
    says that the person has protected identity, all the agency's rows under the same identity number do from now on,
    and decisions that tell where such a person is end, unless their provision opens OSL 21:3.
    """
    who.caller.require("write:mappings")
    service.require_authority(who, parts.law.authorities)
    collection = f"/mappings/{mapping_id}/individuals"

    async def write(connection: AsyncConnection, individual_id: UUID) -> None:
        newly_protected = await service.create_individual(
            connection,
            body,
            who=who,
            mapping_id=mapping_id,
            individual_id=individual_id,
            sealer=parts.sealer,
            now=parts.clock(),
            today=parts.gate.today(),
        )
        for leaf in await end_what_locates(connection, newly_protected, desk_of(parts, who)):
            await parts.ledger.append_within(connection, leaf)
        await _note(connection, parts, who, "collection", individual_id)

    async def answer(individual_id: UUID) -> Response:
        location = f"{parts.settings.api_url}{collection}/{individual_id}"
        link = {"href": location, "rel": "self", "method": "GET"}
        made = json.dumps({"id": str(individual_id), "_links": {"self": link}}, separators=(",", ":"))
        return respond(request, made.encode(), shared=False, status_code=201, headers={"Location": location})

    return await once(request, parts, who, key, collection=collection, write=write, answer=answer)


@router.delete(
    "/mappings/{mappingId}/individuals/{individualId}",
    responses=answers(IndividualErased),
    summary="Erase an individual / Gallra en individ",
)
async def erase_individual(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    mapping_id: MappingId,
    individual_id: IndividualId,
) -> Response:
    """Erase a row of the caller's own agency, with the scope `write:mappings`; decisions then open nothing of it.

    Needs `Purpose` and `Case-Reference`, as reading it does. 404 in the same words for any other id. What the ledger
    cannot note is not erased.
    """
    who.caller.require("write:mappings")
    service.require_authority(who, parts.law.authorities)
    # INVARIANT: without them not even own rows are known to exist, so a refusal must not tell either.
    require_header("Purpose", who.purpose)
    require_header("Case-Reference", who.case_reference)
    async with parts.database.transaction() as connection:
        await service.erase_individual(connection, who=who, mapping_id=mapping_id, individual_id=individual_id)
        receipt = await _note(connection, parts, who, "erasure", individual_id)
    told = json.dumps({"id": str(individual_id), "receipt": receipt}, separators=(",", ":"))
    return respond(request, told.encode(), shared=False)


async def _note(
    connection: AsyncConnection,
    parts: Services,
    who: Asking,
    kind: Literal["collection", "erasure"],
    individual_id: UUID,
) -> str:
    """The leaf of a write, in its transaction: what cannot be noted is not done. Returns the receipt."""
    part = keeping_part(
        who, kind, INDIVIDUALS.name, [individual_id], policy_version=parts.law.version, today=parts.gate.today()
    )
    return await parts.ledger.append_within(connection, (part,))
