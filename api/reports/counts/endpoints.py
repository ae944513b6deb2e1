"""Crime counts over REST."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.disclosure.selection import parse_sort
from api.reports.counts import service
from api.reports.counts.repository import COUNTS
from api.reports.counts.schemas import GROUP_PATTERN, MONTH_PATTERN, AreaType, CountPage, CountsIn, StoredOut
from api.web.conditional import respond
from api.web.context import AskingDependency, ServicesDependency
from api.web.datatypes import LINE_PATTERN
from api.web.documents import answers
from api.web.paging import PageQuery
from api.web.reading import answer_list
from api.web.route import strict_router
from api.web.sorting import sort_query

router: APIRouter = strict_router(tags=["crime counts"])


@router.get("/crime-counts", responses=answers(CountPage), summary="List crime counts / Lista brottsantal per månad")
async def list_crime_counts(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    page: PageQuery,
    area_type: Annotated[AreaType | None, Query(alias="areaType", description="What sort of area")] = None,
    area: Annotated[
        str | None,
        Query(description="Municipality code, or the area's name", min_length=1, max_length=120, pattern=LINE_PATTERN),
    ] = None,
    month: Annotated[str | None, Query(description="Month as 2026-09 / Månad", pattern=MONTH_PATTERN)] = None,
    group: Annotated[
        str | None, Query(description="Group such as narcotics or violence / Brottsgrupp", pattern=GROUP_PATTERN)
    ] = None,
    sort: Annotated[str | None, sort_query(COUNTS)] = None,
) -> Response:
    """Reported crimes per area, month and group. Counts of 1-4 are hidden; `withheld` is never zero."""
    given = {"areaType": area_type, "area": area, "month": month, "group": group}
    filters = tuple((name, value) for name, value in given.items() if value is not None)
    selection = service.crime_counts(filters, parse_sort(COUNTS, sort), page.offset, page.limit)
    return await answer_list(request, parts, who, selection, page)


@router.post("/crime-counts", responses=answers(StoredOut), summary="Store crime counts / Lämna brottsantal per månad")
async def post_crime_counts(
    request: Request, parts: ServicesDependency, who: AskingDependency, body: CountsIn
) -> Response:
    """Store or correct monthly counts: all of them or none. Police, with the scope `write:counts`.

    Sending the same counts again changes nothing.
    """
    who.caller.require("write:counts")
    async with parts.database.transaction() as connection:
        stored = await service.store(connection, body, who=who, today=parts.gate.today())
    answer = StoredOut(
        received=len(body.counts), added=stored.added, updated=stored.updated, unchanged=stored.unchanged
    )
    return respond(request, answer.model_dump_json().encode(), shared=False)
