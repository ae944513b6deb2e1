"""Individuals over REST: always under their mapping, always protected."""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.disclosure.asking import Asking
from api.disclosure.selection import parse_sort
from api.errors import not_found
from api.individuals import service
from api.individuals.repository import INDIVIDUALS
from api.individuals.schemas import IndividualCreated, IndividualIn, IndividualOut, IndividualPage, Role
from api.mappings.endpoints import MappingId
from api.mappings.service import mapping_known
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
    role: Annotated[
        Role | None, Query(description="What the person does at the place. Refused (403) where it is withheld")
    ] = None,
    sort: Annotated[str | None, sort_query(INDIVIDUALS)] = None,
) -> Response:
    """The individuals that the caller may know of: its own, and what a disclosure decision names.

    Needs `Purpose` and `Case-Reference`. What is withheld is listed alike whether or not any row exists.
    """
    await _require_mapping(parts, who, mapping_id)
    filters = () if role is None else (("role", role),)
    selection = service.individuals(mapping_id, filters, parse_sort(INDIVIDUALS, sort), page.offset, page.limit)
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
    if answer.first() is None:
        problem = not_found("the individual")
        problem.extra["disclosure"] = json.loads(answer.disclosure())
        raise problem
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

    The answer says where the record is and repeats nothing of it.
    """
    who.caller.require("write:mappings")
    service.require_authority(who, parts.law.authorities)
    collection = f"/mappings/{mapping_id}/individuals"

    async def write(connection: AsyncConnection, individual_id: UUID) -> None:
        await service.create_individual(
            connection,
            body,
            who=who,
            mapping_id=mapping_id,
            individual_id=individual_id,
            now=parts.clock(),
            today=parts.gate.today(),
        )

    async def answer(individual_id: UUID) -> Response:
        location = f"{parts.settings.api_url}{collection}/{individual_id}"
        link = {"href": location, "rel": "self", "method": "GET"}
        made = json.dumps({"id": str(individual_id), "_links": {"self": link}}, separators=(",", ":"))
        return respond(request, made.encode(), shared=False, status_code=201, headers={"Location": location})

    return await once(request, parts, who, key, collection=collection, write=write, answer=answer)
