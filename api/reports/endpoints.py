"""Situation reports over REST."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.disclosure.selection import parse_sort
from api.errors import not_found
from api.interventions.schemas import PERIOD_PATTERN
from api.reports import service
from api.reports.publishing import publish
from api.reports.repository import REPORTS
from api.reports.representations import JsonOnly
from api.reports.schemas import ReportIn, ReportOut, ReportPage
from api.scenes.schemas import MunicipalityCode
from api.scenes.service import scene_known
from api.web.context import AskingDependency, ServicesDependency
from api.web.datatypes import LINE_PATTERN
from api.web.documents import answers
from api.web.paging import PageQuery
from api.web.reading import answer_list, answer_one
from api.web.route import strict_router
from api.web.sorting import sort_query
from api.web.writing import created

router: APIRouter = strict_router(tags=["situation reports"])

ReportId = Annotated[UUID, Path(alias="reportId", description="The edition's id / Utgåvans id")]
County = Annotated[Literal["01"] | None, Query(description="The county: 01, Stockholm / Länet: 01, Stockholm")]


@router.get(
    "/situation-reports",
    responses=answers(ReportPage) | {404: {}},
    summary="List situation reports / Lista lägesbilder",
)
async def list_reports(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    page: PageQuery,
    _json: JsonOnly,
    scene: Annotated[UUID | None, Query(description="The scene's id; 404 where there is none / Platsens id")] = None,
    district: Annotated[
        str | None, Query(description="District board's area", min_length=1, max_length=120, pattern=LINE_PATTERN)
    ] = None,
    municipality: Annotated[MunicipalityCode | None, Query(description="Four-digit municipality code")] = None,
    county: County = None,
    period: Annotated[
        str | None, Query(description="2026, 2026-Q3 or 2026-10, as it was published", pattern=PERIOD_PATTERN)
    ] = None,
    edition: Annotated[
        Literal["latest", "all"], Query(description="The newest edition of each period, or every one")
    ] = "latest",
    sort: Annotated[str | None, sort_query(REPORTS)] = None,
) -> Response:
    """Published editions, newest period first. Shared, but for `policeWork`, which the police get for a purpose."""
    if scene is not None and not (await parts.gate.read(who, scene_known(scene))).count:
        raise not_found("the scene")
    given = {
        "scene": scene,
        "district": district,
        "municipality": municipality,
        "county": county,
        "period": period,
        "latest": True if edition == "latest" else None,
    }
    filters = tuple((name, value) for name, value in given.items() if value is not None)
    selection = service.reports(filters, parse_sort(REPORTS, sort), page.offset, page.limit)
    return await answer_list(request, parts, who, selection, page)


@router.get(
    "/situation-reports/{reportId}",
    responses=answers(ReportOut),
    summary="Read a situation report / Läs en lägesbild",
)
async def read_report(
    request: Request, parts: ServicesDependency, who: AskingDependency, report_id: ReportId, _json: JsonOnly
) -> Response:
    """One edition, exactly as it was published."""
    return await answer_one(request, parts, who, service.one_report(report_id), what="the situation report")


@router.post(
    "/situation-reports",
    status_code=201,
    responses=answers(ReportOut, status=201),
    summary="Publish a situation report / Publicera en lägesbild",
)
async def publish_report(
    request: Request, parts: ServicesDependency, who: AskingDependency, body: ReportIn, _json: JsonOnly
) -> Response:
    """Publish the next edition for a scene and a calendar period, with the scope `publish:reports`.

    The county board, the police and the scene's own board. Editions are frozen; a correction is a new edition. A
    period that is still running gives an edition marked `provisional`. Within a calendar year a scene is reported by
    year, by quarter or by month, never by two of them: their difference could reveal a hidden count.
    """
    who.caller.require("publish:reports")
    report_id = parts.new_id()
    async with parts.database.transaction() as connection:
        await publish(connection, scene=body.scene, period=body.period, who=who, report_id=report_id, now=parts.clock())
    path = f"/situation-reports/{report_id}"
    return await created(request, parts, who, service.one_report(report_id), path, "the situation report")
