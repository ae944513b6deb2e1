"""Agencies over REST."""

from fastapi import Request
from starlette.responses import Response

from api.agencies.repository import AGENCIES
from api.agencies.schemas import AgencyPage
from api.disclosure.selection import Selection, every_field
from api.web.context import AskingDependency, ServicesDependency
from api.web.documents import answers
from api.web.paging import PageQuery
from api.web.reading import answer_list
from api.web.route import strict_router

router = strict_router(tags=["agencies"])


@router.get("/agencies", responses=answers(AgencyPage), summary="List agencies / Lista myndigheter")
async def list_agencies(
    request: Request, parts: ServicesDependency, who: AskingDependency, page: PageQuery
) -> Response:
    """The registered agencies and their sectors."""
    selection = Selection(AGENCIES, every_field(AGENCIES), offset=page.offset, limit=page.limit)
    return await answer_list(request, parts, who, selection, page)
