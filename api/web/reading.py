"""From the gate's answer to an HTTP answer: `items`, `_meta`, `_links` put together as bytes."""

from collections.abc import Mapping
from datetime import date

from fastapi import Request
from starlette.responses import Response

from api.disclosure.asking import Asking
from api.disclosure.gate import Answer
from api.disclosure.selection import Selection
from api.errors import not_found
from api.web.conditional import respond
from api.web.context import Services
from api.web.paging import Page, base_url, link_header, meta_and_links


async def answer_list(
    request: Request, parts: Services, who: Asking, selection: Selection, page: Page, *, as_of: date | None = None
) -> Response:
    """One page of a list."""
    answer = await parts.gate.read(who, selection, as_of=as_of)
    url, query = base_url(parts.settings.api_url, request), request.query_params.multi_items()
    total = answer.total or 0
    members = meta_and_links(url, query, page, total=total, count=answer.count, disclosure=answer.disclosure())
    body = b"".join((b'{"items":', answer.items, b",", members, b"}"))
    return respond(request, body, shared=answer.shared, headers={"Link": link_header(url, query, page, total)})


async def answer_one(
    request: Request,
    parts: Services,
    who: Asking,
    selection: Selection,
    *,
    what: str,
    links: Mapping[str, str] | None = None,
    as_of: date | None = None,
) -> Response:
    """One resource; 404 in the same words whether it does not exist or may not be known."""
    answer = await parts.gate.read(who, selection, as_of=as_of)
    return respond(request, single(request, parts, answer, what=what, links=links), shared=answer.shared)


def single(
    request: Request, parts: Services, answer: Answer, *, what: str, links: Mapping[str, str] | None = None
) -> bytes:
    """The representation of one resource; `links` maps relation to path under the API root."""
    row = answer.first()
    if row is None:
        raise not_found(what)
    url = base_url(parts.settings.api_url, request)
    targets = {"self": url} | {rel: parts.settings.api_url + path for rel, path in (links or {}).items()}
    rendered = ",".join(
        f'"{rel}":{{"href":"{target}","rel":"{rel}","method":"GET"}}' for rel, target in targets.items()
    )
    fields = row[1:-1].strip()
    return b"".join(
        (
            b"{",
            fields + b"," if fields else b"",
            b'"_meta":{"disclosure":',
            answer.disclosure(),
            b'},"_links":{',
            rendered.encode(),
            b"}}",
        )
    )
