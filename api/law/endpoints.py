"""The law over REST. Public: no token."""

import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import Header, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.errors import not_found
from api.law.matrix import COLUMNS, as_csv, filtered, matrix_of, row_as_json
from api.law.representation import CSV, JSON, chosen
from api.law.schemas import (
    ExplanationIn,
    ExplanationOut,
    MatrixPage,
    MatrixQuery,
    ProvisionOut,
    ProvisionPage,
    SecrecyPage,
)
from api.law.service import explain, language_of
from api.web.conditional import respond
from api.web.context import Services, ServicesDependency
from api.web.documents import answers
from api.web.paging import Page, PageQuery, base_url, link_header, links, meta
from api.web.route import strict_router
from policies.explain import provision_as_json, secrecy_as_json

router = strict_router(tags=["law"])
_PUBLIC = {"x-public": True}
AcceptLanguage = Annotated[str | None, Header(alias="Accept-Language", description="`sv` or `en`", max_length=200)]


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _page(
    request: Request,
    parts: Services,
    page: Page,
    rows: Sequence[Any],
    shown: Callable[[Any], Any] = lambda row: row,
    **more: Any,
) -> Response:
    items = [shown(row) for row in rows[page.offset : page.offset + page.limit]]
    url, query = base_url(parts.settings.api_url, request), request.query_params.multi_items()
    body = {
        "items": items,
        "_meta": meta(page, total=len(rows), count=len(items), policyVersion=parts.law.version, **more),
        "_links": links(url, query, page, len(rows)),
    }
    return respond(request, _json(body), shared=True, headers={"Link": link_header(url, query, page, len(rows))})


@router.get(
    "/provisions",
    responses=answers(ProvisionPage),
    openapi_extra=_PUBLIC,
    summary="List provisions / Lista sekretessbrytande bestämmelser",
)
async def list_provisions(
    request: Request, parts: ServicesDependency, page: PageQuery, accept_language: AcceptLanguage = None
) -> Response:
    """Every encoded provision with its wordings, conditions, source and confidence."""
    language = language_of(accept_language)
    rows = [provision_as_json(provision, parts.law, language) for provision in parts.law.provisions.values()]
    return _page(request, parts, page, rows)


@router.get(
    "/provisions/{provisionId}",
    responses=answers(ProvisionOut),
    openapi_extra=_PUBLIC,
    summary="Read a provision / Läs en bestämmelse",
)
async def read_provision(
    request: Request,
    parts: ServicesDependency,
    provision_id: Annotated[str, Path(alias="provisionId", pattern=r"^[a-z0-9-]{1,40}$", examples=["osl-10-15a"])],
    accept_language: AcceptLanguage = None,
) -> Response:
    """One provision with all its wordings."""
    provision = parts.law.provisions.get(provision_id)
    if provision is None:
        raise not_found("the provision")
    url = base_url(parts.settings.api_url, request)
    shown = provision_as_json(provision, parts.law, language_of(accept_language))
    body = shown | {"_links": {"self": {"href": url, "rel": "self", "method": "GET"}}}
    return respond(request, _json(body), shared=True)


@router.get(
    "/secrecy-rules",
    responses=answers(SecrecyPage),
    openapi_extra=_PUBLIC,
    summary="List secrecy rules / Lista sekretessbestämmelser",
)
async def list_secrecy_rules(
    request: Request, parts: ServicesDependency, page: PageQuery, accept_language: AcceptLanguage = None
) -> Response:
    """Every encoded secrecy rule, what it covers at which sector, and its harm test today."""
    language, today = language_of(accept_language), parts.gate.today()
    rows = [secrecy_as_json(rule, language, today) for rule in parts.law.secrecy.values()]
    return _page(request, parts, page, rows)


@router.get(
    "/disclosure-matrix",
    responses={
        200: {
            "model": MatrixPage,
            "description": "The rows: JSON by page, CSV whole / Raderna: JSON per sida, CSV i ett",
            "content": {CSV: {"schema": {"type": "string"}, "example": ",".join(COLUMNS) + "\r\n"}},
        }
    },
    openapi_extra=_PUBLIC,
    summary="The disclosure matrix / Utlämnandematrisen",
)
async def disclosure_matrix(
    request: Request,
    parts: ServicesDependency,
    page: PageQuery,
    asked: MatrixQuery,
) -> Response:
    """What the law answers for every holder, recipient, purpose, kind and age: equal cells in one row, `*` for all.

    As JSON by page; as CSV (`Accept: text/csv`) every row that the filters leave, `|` between the values of a cell.
    Holder and recipient are taken to be authorities themselves, not through OSL 2:3. General exits (consent, the
    holder's own need, a harm assessment) exist for nearly everything and are not listed; nor is anything where nothing
    is secret, or where no wording of that day is known. Ask /explanations for what a provision demands.
    """
    media_type = chosen(request.headers.get("Accept"), (JSON, CSV))
    whole = await run_in_threadpool(matrix_of, parts.law)
    today = parts.gate.today()
    rows = filtered(whole, asked, today)
    if media_type == CSV:
        body = as_csv(rows, whole.axes, line_end="\r\n").encode()
        return respond(request, body, media_type=f"{CSV}; charset=utf-8; header=present", shared=True)
    as_of = str(asked.as_of or today)
    return _page(request, parts, page, rows, lambda row: row_as_json(row, whole.axes), asOf=as_of)


@router.post(
    "/explanations",
    responses=answers(ExplanationOut),
    openapi_extra=_PUBLIC,
    summary="May this be shared? / Får detta delas?",
)
async def explanations(
    request: Request, parts: ServicesDependency, body: ExplanationIn, accept_language: AcceptLanguage = None
) -> Response:
    """Whether something may be shared, under which paragraph, and what must be written down. Stores nothing."""
    shown = explain(body, parts.law, today=parts.gate.today(), language=language_of(accept_language))
    return respond(request, _json(shown), shared=True)
