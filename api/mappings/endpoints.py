"""Mappings over REST."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.disclosure.selection import parse_sort
from api.errors import not_found
from api.mappings import service
from api.mappings.repository import MAPPINGS
from api.mappings.schemas import MappingIn, MappingOut, MappingPage, Searched
from api.scenes.endpoints import SceneId
from api.scenes.service import scene_known
from api.web.context import AskingDependency, ServicesDependency
from api.web.documents import answers
from api.web.idempotency import REPLAYED_HEADER, OptionalIdempotencyKey, once
from api.web.paging import PageQuery
from api.web.reading import answer_list, answer_one
from api.web.route import strict_router
from api.web.sorting import sort_query
from api.web.writing import created

router: APIRouter = strict_router(tags=["mappings"])

MappingId = Annotated[UUID, Path(alias="mappingId", description="The mapping's id / Kartläggningens id")]
_CREATED: dict[int | str, dict[str, Any]] = answers(MappingOut, status=201)
_CREATED[201]["headers"] = REPLAYED_HEADER


@router.get(
    "/scenes/{sceneId}/mappings", responses=answers(MappingPage), summary="List mappings / Lista kartläggningar"
)
async def list_mappings(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    scene_id: SceneId,
    page: PageQuery,
    police_work: Annotated[
        Searched | None,
        Query(
            alias="policeWork",
            description="A part of `policeWork`, in any case. Refused (403) for those who may not have the field",
        ),
    ] = None,
    sort: Annotated[str | None, sort_query(MAPPINGS)] = None,
) -> Response:
    """Mappings of a scene, newest first. `policeWork` is protected; the rest is shared."""
    if (await parts.gate.read(who, scene_known(scene_id))).first() is None:
        raise not_found("the scene")
    filters: service.Filters = (("scene", scene_id),)
    if police_work is not None:
        filters += (("policeWork", police_work),)
    selection = service.mappings(filters, parse_sort(MAPPINGS, sort), page.offset, page.limit)
    return await answer_list(request, parts, who, selection, page)


@router.get("/mappings/{mappingId}", responses=answers(MappingOut), summary="Read a mapping / Läs en kartläggning")
async def read_mapping(
    request: Request, parts: ServicesDependency, who: AskingDependency, mapping_id: MappingId
) -> Response:
    """One mapping."""
    links = {"individuals": f"/mappings/{mapping_id}/individuals"}
    return await answer_one(request, parts, who, service.one_mapping(mapping_id), what="the mapping", links=links)


@router.post(
    "/scenes/{sceneId}/mappings",
    status_code=201,
    responses=_CREATED,
    summary="Add a mapping / Lägg till en kartläggning",
)
async def create_mapping(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    scene_id: SceneId,
    key: OptionalIdempotencyKey,
    body: MappingIn,
) -> Response:
    """Add the mapping of a scene on one day. Police and municipal safety, with the scope `write:mappings`.

    The answer shows what a read shows this caller: `policeWork` comes back only to those who may have it.
    """
    service.require_writer(who)

    async def write(connection: AsyncConnection, mapping_id: UUID) -> None:
        await service.create_mapping(
            connection,
            body,
            who=who,
            scene_id=scene_id,
            mapping_id=mapping_id,
            now=parts.clock(),
            today=parts.gate.today(),
        )

    async def answer(mapping_id: UUID) -> Response:
        return await created(
            request, parts, who, service.one_mapping(mapping_id), f"/mappings/{mapping_id}", "the mapping"
        )

    return await once(request, parts, who, key, collection="/mappings", write=write, answer=answer)
