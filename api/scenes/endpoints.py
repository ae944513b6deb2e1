"""Scenes over REST."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.disclosure.asking import Asking
from api.disclosure.selection import parse_sort
from api.errors import Fault, Problem, not_found
from api.places.geometry import to_metres
from api.scenes import service
from api.scenes.repository import SCENES
from api.scenes.schemas import MunicipalityCode, SceneIn, SceneOut, ScenePage, ScenePatch, SchoolPage, Status
from api.web.conditional import OptionalIfMatch, etag_of, require_match, respond
from api.web.context import AskingDependency, Services, ServicesDependency
from api.web.datatypes import LINE_PATTERN, Flag, StrictDate, Whole
from api.web.documents import answers
from api.web.paging import PageQuery
from api.web.reading import answer_list, answer_one, single
from api.web.route import strict_router
from api.web.sorting import sort_query
from api.web.writing import created

router: APIRouter = strict_router(tags=["scenes"])

SceneId = Annotated[UUID, Path(alias="sceneId", description="The scene's id / Platsens id")]
AsOf = Annotated[StrictDate | None, Query(alias="asOf", description="Data as of this day; the law is always today's")]
_BOX = r"^-?[0-9]{1,3}(\.[0-9]{1,9})?(,-?[0-9]{1,3}(\.[0-9]{1,9})?){3}$"


def scene_links(scene_id: UUID) -> dict[str, str]:
    """Where a scene leads."""
    path = f"/scenes/{scene_id}"
    return {"schools": f"{path}/schools", "mappings": f"{path}/mappings"}


@router.get("/scenes", responses=answers(ScenePage) | {409: {}}, summary="List scenes / Lista öppna drogscener")
async def list_scenes(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    page: PageQuery,
    municipality: Annotated[MunicipalityCode | None, Query(description="Four-digit municipality code")] = None,
    district: Annotated[
        str | None, Query(description="District board's area", pattern=LINE_PATTERN, max_length=120)
    ] = None,
    status: Annotated[Status | None, Query(description="Status on the day asked for")] = None,
    near_school: Annotated[
        Flag | None, Query(alias="nearSchool", description="Whether a primary school lies within 500 m")
    ] = None,
    mapping_overdue: Annotated[
        Flag | None, Query(alias="mappingOverdue", description="Whether the yearly mapping is overdue")
    ] = None,
    bbox: Annotated[
        str | None, Query(description="west,south,east,north in CRS84 degrees", pattern=_BOX, max_length=80)
    ] = None,
    as_of: AsOf = None,
    sort: Annotated[str | None, sort_query(SCENES)] = None,
) -> Response:
    """Scenes with their derived class *särskilt utsatt plats för unga*. Shared with every registered agency."""
    given = {
        "municipality": municipality,
        "district": district,
        "status": status,
        "nearSchool": near_school,
        "mappingOverdue": mapping_overdue,
        "bbox": None if bbox is None else _box(bbox),
    }
    filters = tuple((name, value) for name, value in given.items() if value is not None)
    selection = service.scenes(filters, parse_sort(SCENES, sort), page.offset, page.limit)
    return await answer_list(request, parts, who, selection, page, as_of=as_of)


def _box(text: str) -> tuple[float, float, float, float]:
    west, south, east, north = (float(part) for part in text.split(","))
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004 - the globe
        raise Problem(
            "conflict",
            "query.bbox: not a box on the globe",
            faults=[Fault("query.bbox", "not a box on the globe", "west,south,east,north in degrees, west first")],
        )
    corners = [to_metres(lon, lat) for lon in (west, east) for lat in (south, north)]
    easts, norths = [x for x, _ in corners], [y for _, y in corners]
    return min(easts), min(norths), max(easts), max(norths)


@router.get("/scenes/{sceneId}", responses=answers(SceneOut), summary="Read a scene / Läs en öppen drogscen")
async def read_scene(
    request: Request, parts: ServicesDependency, who: AskingDependency, scene_id: SceneId, as_of: AsOf = None
) -> Response:
    """One scene, with its outline as it was on the day asked for."""
    selection = service.one_scene(scene_id)
    return await answer_one(request, parts, who, selection, what="the scene", links=scene_links(scene_id), as_of=as_of)


@router.post(
    "/scenes",
    status_code=201,
    responses=answers(SceneOut, status=201),
    summary="Register a scene / Registrera en öppen drogscen",
)
async def create_scene(request: Request, parts: ServicesDependency, who: AskingDependency, body: SceneIn) -> Response:
    """Register a scene. Police and municipal safety, with the scope `write:scenes`."""
    service.require_writer(who)
    scene_id = parts.new_id()
    async with parts.database.transaction() as connection:
        await service.create_scene(
            connection,
            body,
            who=who,
            scene_id=scene_id,
            outline_id=parts.new_id(),
            now=parts.clock(),
            today=parts.gate.today(),
            radius_m=parts.settings.incident_radius_m,
        )
    return await created(request, parts, who, service.one_scene(scene_id), f"/scenes/{scene_id}", "the scene")


@router.patch("/scenes/{sceneId}", responses=answers(SceneOut), summary="Change a scene / Ändra en öppen drogscen")
async def change_scene(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    scene_id: SceneId,
    body: ScenePatch,
    _if_match: OptionalIfMatch = None,
) -> Response:
    """Change a scene. Needs `If-Match` with the ETag of the scene as last read."""
    service.require_writer(who)
    sent = "outline" in body.model_fields_set
    outline = service.read_outline(body.outline, "body.outline") if sent else None
    async with parts.database.transaction() as connection:
        row = await service.lock_for_change(connection, scene_id)
        # The row is locked, so no other change can come between this read and ours.
        require_match(request, etag_of(await _current(request, parts, who, scene_id), "application/json"))
        await service.patch_scene(
            connection,
            row,
            body,
            outline,
            outline_id=parts.new_id(),
            now=parts.clock(),
            today=parts.gate.today(),
            radius_m=parts.settings.incident_radius_m,
        )
    changed = await _current(request, parts, who, scene_id)
    return respond(request, changed, shared=True, headers={"ETag": etag_of(changed, "application/json")})


async def _current(request: Request, parts: Services, who: Asking, scene_id: UUID) -> bytes:
    """What a read of the scene gives now: the state that its ETag stands for."""
    answer = await parts.gate.read(who, service.one_scene(scene_id))
    return single(request, parts, answer, what="the scene", links=scene_links(scene_id))


@router.get(
    "/scenes/{sceneId}/schools", responses=answers(SchoolPage), summary="Schools near a scene / Skolor nära platsen"
)
async def list_schools(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    scene_id: SceneId,
    page: PageQuery,
    within: Annotated[Whole, Query(ge=1, le=5000, description="Metres from the outline / Meter från platsen")] = 500,
) -> Response:
    """Schools by distance from the outline in metres (SWEREF 99 TM), nearest first."""
    if not (await parts.gate.read(who, service.scene_known(scene_id))).count:
        raise not_found("the scene")
    selection = service.schools_near(scene_id, within, page.offset, page.limit)
    return await answer_list(request, parts, who, selection, page)
