"""Incident batches over REST. Bodies are streams of any length up to the feed limit, so no model stands for them."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.disclosure.asking import Asking
from api.incidents import service
from api.incidents.feed import media_type_of, received
from api.incidents.schemas import BATCH_ID_PATTERN, BatchOut, BatchPage, request_body
from api.web.context import AskingDependency, Services, ServicesDependency
from api.web.documents import answers
from api.web.paging import PageQuery
from api.web.reading import answer_list, answer_one
from api.web.route import strict_router
from api.web.writing import created

router: APIRouter = strict_router(tags=["incidents"])

BatchId = Annotated[
    str,
    Path(
        alias="batchId",
        description="The batch's id: the sender's own where it was PUT / Leveransens id",
        pattern=BATCH_ID_PATTERN,
        json_schema_extra={"example": "2026-11-20"},
    ),
]
_WHAT = "the batch"
_BODY = {"requestBody": request_body()}


@router.get("/incident-batches", responses=answers(BatchPage), summary="List own batches / Lista egna leveranser")
async def list_incident_batches(
    request: Request, parts: ServicesDependency, who: AskingDependency, page: PageQuery
) -> Response:
    """The batches that the caller's own agency has sent, latest first; read one for its rejected rows."""
    return await answer_list(request, parts, who, service.batches(page.offset, page.limit), page)


@router.post(
    "/incident-batches",
    status_code=201,
    responses=answers(BatchOut, status=201),
    openapi_extra=_BODY,
    summary="Send incidents / Lämna händelser",
)
async def create_incident_batch(request: Request, parts: ServicesDependency, who: AskingDependency) -> Response:
    """Send a batch of incidents. Public transport, with the scope `write:incidents`.

    A row is recognised by `incidentId`: a higher revision is `updated`, the same one again `unchanged`, so a batch may
    safely be sent twice. A lower revision than the one on record is `unchanged` too: it has been superseded. The same
    revision with other content is rejected. A bad row is rejected alone, with its number, field and reason; a body
    that cannot be read is refused whole.
    """
    batch_id = str(parts.new_id())
    await _take(request, parts, who, batch_id)
    return await _created(request, parts, who, batch_id)


@router.put(
    "/incident-batches/{batchId}",
    status_code=201,
    responses=answers(BatchOut, status=201)
    | answers(BatchOut, description="The same batch was stored before / Redan mottagen"),
    openapi_extra=_BODY,
    summary="Send incidents under an id of one's own / Lämna händelser under eget id",
)
async def put_incident_batch(
    request: Request, parts: ServicesDependency, who: AskingDependency, batch_id: BatchId
) -> Response:
    """Send a batch under an id of the sender's choice, which makes it safe to send again after a lost answer.

    The same id with the same bytes answers the first result again (200); with other bytes it is refused (409).
    """
    if await _take(request, parts, who, batch_id):
        return await _created(request, parts, who, batch_id)
    return await answer_one(request, parts, who, service.one_batch(batch_id), what=_WHAT)


@router.get("/incident-batches/{batchId}", responses=answers(BatchOut), summary="Read a batch / Läs en leverans")
async def read_incident_batch(
    request: Request, parts: ServicesDependency, who: AskingDependency, batch_id: BatchId
) -> Response:
    """What became of a batch of the caller's own agency, with its rejected rows."""
    return await answer_one(request, parts, who, service.one_batch(batch_id), what=_WHAT)


async def _take(request: Request, parts: Services, who: Asking, batch_id: str) -> bool:
    """Receive and store a batch; False where it is stored already."""
    # INVARIANT: who may not send is refused before a byte of the body is read.
    service.require_sender(who)
    media_type = media_type_of(request.headers, request.method)
    async with received(request.stream(), media_type) as delivery, parts.database.transaction() as connection:
        return await service.take_batch(connection, delivery, who=who, batch_id=batch_id, clock=parts.clock)


async def _created(request: Request, parts: Services, who: Asking, batch_id: str) -> Response:
    return await created(request, parts, who, service.one_batch(batch_id), f"/incident-batches/{batch_id}", _WHAT)
