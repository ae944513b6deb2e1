"""Entries, receipts and extracts over REST: each agency its own part of the ledger, and nothing of others."""

import json
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.audit import service
from api.audit.extract import COLUMNS, RESOURCE, Event, as_csv, as_json, as_table, decisions_in, events, file_name
from api.audit.proof import bundle
from api.audit.repository import names_of, own_part, rows_named_by, rows_of_same_person
from api.audit.schemas import DaysQuery, EntryQuery, ExtractOut, Filters, LedgerEntryPage, ReceiptOut
from api.disclosure.asking import Asking
from api.disclosure.keeping import keeping_part
from api.errors import not_found
from api.law.representation import CSV, JSON, chosen
from api.pages.extract import Facts, extract_page
from api.requests.service import require_header
from api.web.conditional import respond
from api.web.context import AskingDependency, Services, ServicesDependency
from api.web.documents import answers
from api.web.paging import PageQuery, base_url
from api.web.reading import answer_list, single
from api.web.route import strict_router

router: APIRouter = strict_router(tags=["ledger"])

HTML = "text/html"
_FORMS: dict[str, Any] = {
    CSV: {"schema": {"type": "string"}, "example": ",".join(COLUMNS) + "\r\n"},
    HTML: {"schema": {"type": "string"}, "example": "<!doctype html>"},
}
_EXTRACT: dict[int | str, Any] = {
    200: {"model": ExtractOut, "description": "The extract / Utdraget", "content": _FORMS},
    404: {"description": "The agency has, and has had, no such row / Myndigheten har ingen sådan rad"},
}


@router.get(
    "/ledger/entries", responses=answers(LedgerEntryPage), summary="List one's own entries / Lista egna anteckningar"
)
async def list_entries(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    page: PageQuery,
    asked: EntryQuery,
) -> Response:
    """What the ledger holds of the caller's own agency, newest first: what it gave, was given, asked and decided.

    Needs `Purpose` and the scope `audit:read`. Each agency sees its own part of an answer and of others nothing.
    """
    who.caller.require("audit:read")
    selection = service.entries(asked, page.offset, page.limit)
    return await answer_list(request, parts, who, selection, page)


@router.get("/receipts/{receiptId}", responses=answers(ReceiptOut), summary="Read a receipt / Läs ett kvitto")
async def read_receipt(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    receipt_id: Annotated[UUID, Path(alias="receiptId", description="The receipt of an answer / Ett svars kvitto")],
) -> Response:
    """One's own part of one answer, as giver or receiver, with the proof that `samsyn verify` checks. Needs `Purpose`.

    404 in the same words for a receipt that does not exist and for one between others.
    """
    answer = await parts.gate.read(who, service.one_receipt(receipt_id))
    if answer.first() is None:
        problem = not_found("the receipt")
        problem.extra["disclosure"] = json.loads(answer.disclosure())
        raise problem
    # INVARIANT: proven is only the very part that the gate has just shown, whole.
    async with parts.database.transaction() as connection:
        part = await own_part(connection, receipt_id, who.agency.slug)
    if part is None:
        raise not_found("the receipt")
    inclusion = await parts.checkpoints.inclusion(receipt=receipt_id, index=None, size=None)
    proof = json.dumps(bundle(part, inclusion), ensure_ascii=False, separators=(",", ":")).encode()
    links = {"checkpoint": f"/ledger/checkpoint?size={inclusion.size}"}
    body = single(request, parts, answer, what="the receipt", links=links)
    return respond(request, b'{"proof":' + proof + b"," + body[1:], shared=False)


@router.get(
    "/ledger/extracts",
    responses=_EXTRACT,
    summary="Extract for a person / Loggutdrag för en person",
)
async def make_extract(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    individual: Annotated[UUID, Query(description="One of the own agency's rows / En av den egna myndighetens rader")],
    days: DaysQuery,
) -> Response:
    """To whom a person's data was shown (*loggutdrag*): what, when, who read, who received, why, by which provision.

    For the agency that holds the row, with the scope `audit:read`, `Purpose` and `Case-Reference`; it covers all its
    rows about the same person. As JSON, as CSV, or as a page in Swedish to hand out (Accept). It is itself noted. 404
    in the same words where the agency has no such row.
    """
    media_type = chosen(request.headers.get("Accept"), (JSON, CSV, HTML))
    who.caller.require("audit:read")
    require_header("Purpose", who.purpose)
    case_reference = require_header("Case-Reference", who.case_reference)
    made = await _collect(parts, who, individual, days.filters())
    # INVARIANT: as with any answer, the leaf is durable before the first byte leaves.
    part = keeping_part(
        who, "extract", RESOURCE, made.rows or [individual], policy_version=parts.law.version, today=parts.gate.today()
    )
    receipt = await parts.ledger.append((part,))
    if media_type == CSV:
        body = as_csv(as_table(made.events, parts.law)).encode()
        named = {"Content-Disposition": f'attachment; filename="{file_name(days)}"'}
        return respond(request, body, media_type=f"{CSV}; charset=utf-8; header=present", shared=False, headers=named)
    made_at = parts.clock()
    if media_type == HTML:
        table = as_table(made.events, parts.law)
        facts = Facts(made.holder, case_reference, made_at, receipt, days.start, days.end)
        return extract_page(table, COLUMNS, facts)
    url = base_url(parts.settings.api_url, request)
    shown = {
        "holder": who.agency.slug,
        "madeAt": made_at.isoformat(),
        "receipt": receipt,
        "from": None if days.start is None else days.start.isoformat(),
        "to": None if days.end is None else days.end.isoformat(),
        "rows": len(made.rows),
        "events": [as_json(event) for event in made.events],
        "_meta": {"disclosure": json.loads(made.disclosure)},
        "_links": {"self": {"href": url, "rel": "self", "method": "GET"}},
    }
    return respond(request, json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode(), shared=False)


@dataclass(frozen=True, slots=True)
class _Made:
    """The events, the holder's name, the ids of its rows about the person now, and what the law said."""

    events: list[Event]
    holder: str
    rows: list[UUID]
    disclosure: bytes


async def _collect(parts: Services, who: Asking, individual: UUID, days: Filters) -> _Made:
    """What is told of a person. Raises `Problem` 404 where the caller has, and has had, no such row."""
    own = who.agency.slug
    answer = await parts.gate.read(who, service.of_person([individual], days))
    async with parts.database.transaction() as connection:
        ids = await rows_of_same_person(connection, own, individual)
    if len(ids) > 1:
        answer = await parts.gate.read(who, service.of_person(ids, days))
    entries = service.rows_of(answer.items, answer.total)
    # Where no row is left its log still is: the ledger outlives what was erased.
    if not ids and not entries:
        raise not_found("the individual")
    async with parts.database.transaction() as connection:
        named = await rows_named_by(connection, decisions_in(entries), ids or [individual])
        agencies = await names_of(connection, {own, *(entry["recipient"] for entry in entries)})
    return _Made(list(events(entries, named, agencies, parts.law)), agencies[own], ids, answer.disclosure())
