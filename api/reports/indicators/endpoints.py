"""Indicators over REST."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.disclosure.selection import parse_sort
from api.reports.indicators import service
from api.reports.indicators.repository import FIRST_YEAR, INDICATORS
from api.reports.indicators.schemas import AREA_PATTERN, IndicatorPage
from api.web.context import AskingDependency, ServicesDependency
from api.web.datatypes import Whole
from api.web.documents import answers
from api.web.paging import PageQuery
from api.web.reading import answer_list
from api.web.route import strict_router
from api.web.sorting import sort_query

router: APIRouter = strict_router(tags=["indicators"])


@router.get("/indicators", responses=answers(IndicatorPage), summary="List indicators / Lista indikatorer")
async def list_indicators(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    page: PageQuery,
    area: Annotated[
        str | None, Query(description="01 for the county, or a municipality code", pattern=AREA_PATTERN)
    ] = None,
    year: Annotated[Whole | None, Query(description="Calendar year / Kalenderår", ge=FIRST_YEAR, le=2100)] = None,
    county: Annotated[Literal["01"] | None, Query(description="The county and all its municipalities: 01")] = None,
    sort: Annotated[str | None, sort_query(INDICATORS)] = None,
) -> Response:
    """Scenes per area and year from 2021, counted from rows, beside what papers state. The goal is fewer each year."""
    given = {"area": area, "year": year, "county": county}
    filters = tuple((name, value) for name, value in given.items() if value is not None)
    selection = service.indicators(filters, parse_sort(INDICATORS, sort), page.offset, page.limit)
    return await answer_list(request, parts, who, selection, page)
