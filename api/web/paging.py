"""Pages of a list: `page` from 1, `limit` 20 unless asked, `_meta` and `_links` (REST API-profil FNS.07–14, HYP).

INVARIANT: links are built from the configured public address, never from the Host header, which the caller writes.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

from fastapi import Depends, Query
from pydantic import Field
from starlette.requests import Request

from api.web.datatypes import Out, Whole

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
# (page - 1) × limit stays far inside a bigint.
MAX_PAGE = 10_000_000

Parameters = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of a list is asked for."""

    number: int = 1
    limit: int = DEFAULT_LIMIT

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.number - 1) * self.limit


async def _page(
    page: Annotated[Whole, Query(ge=1, le=MAX_PAGE, description="Page, from 1 / Sida, från 1")] = 1,
    limit: Annotated[
        Whole, Query(ge=1, le=MAX_LIMIT, description="Items on a page / Antal på en sida")
    ] = DEFAULT_LIMIT,
) -> Page:
    return Page(page, limit)


PageQuery = Annotated[Page, Depends(_page)]
"""Parameter type of an endpoint that answers a list."""


class Link(Out):
    """Where a related representation is found (`href` absolute), and by which method."""

    href: str = Field(json_schema_extra={"format": "uri"})
    rel: str
    method: Literal["GET"] = "GET"


class Links(Out):
    """The neighbours of a page; `next` and `prev` only where there is one."""

    self_: Link = Field(alias="self")
    first: Link
    last: Link
    next: Link | None = None
    prev: Link | None = None


class Meta(Out):
    """How much there is and which part of it this is: `count` items of `totalRecords` on this `page`."""

    total_records: int = Field(ge=0)
    page: int = Field(ge=1)
    limit: int = Field(ge=1)
    count: int = Field(ge=0)


def base_url(api_url: str, request: Request) -> str:
    """Absolute URL of the request's path, under the configured public address of the API."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    return api_url + quote(path, safe="/:@!$&'()*+,;=-._~")


def other_parameters(items: Iterable[tuple[str, str]]) -> Parameters:
    """Every query parameter but page and limit, in the order they were given."""
    return tuple((name, value) for name, value in items if name not in {"page", "limit"})


@lru_cache(maxsize=512)
def _prefix(url_base: str, others: Parameters) -> str:
    # INVARIANT: percent-encoded, so that the result can stand in JSON and in a header as it is.
    kept = urlencode(others, quote_via=quote, safe=",:/")
    return f"{url_base}?{kept}&page=" if kept else f"{url_base}?page="


def _pages(page: Page, total: int) -> list[tuple[str, int]]:
    """Return the relations of a page and the page each leads to."""
    last = max(1, -(-total // page.limit))
    pages = [("self", page.number), ("first", 1), ("last", last)]
    if page.number < last:
        pages.append(("next", page.number + 1))
    if page.number > 1:
        # Past the end, the previous page is the last that exists.
        pages.append(("prev", min(page.number - 1, last)))
    return pages


def links(url_base: str, query: Iterable[tuple[str, str]], page: Page, total: int) -> dict[str, dict[str, str]]:
    """`_links` of a page: self, first, last, and next and prev where they exist.

    `url_base` is absolute (`base_url`); `query` the request's decoded parameters; `total` all rows of the list.
    """
    prefix = _prefix(url_base, other_parameters(query))
    return {
        rel: {"href": f"{prefix}{number}&limit={page.limit}", "rel": rel, "method": "GET"}
        for rel, number in _pages(page, total)
    }


def link_header(url_base: str, query: Iterable[tuple[str, str]], page: Page, total: int) -> str:
    """Text of the `Link` header (RFC 8288) that says the same as `_links`."""
    prefix = _prefix(url_base, other_parameters(query))
    return ", ".join(f'<{prefix}{number}&limit={page.limit}>; rel="{rel}"' for rel, number in _pages(page, total))


def meta(page: Page, *, total: int, count: int, **more: Any) -> dict[str, Any]:
    """`_meta` of a page; `more` adds members (`disclosure`)."""
    return {"totalRecords": total, "page": page.number, "limit": page.limit, "count": count, **more}


def meta_and_links(
    url_base: str,
    query: Iterable[tuple[str, str]],
    page: Page,
    *,
    total: int,
    count: int,
    disclosure: bytes | None = None,
) -> bytes:
    """Render the members `"_meta":{…},"_links":{…}` as JSON bytes, without braces around, to be set after the items.

    `disclosure` is `_meta.disclosure` as JSON, ready.
    """
    prefix = _prefix(url_base, other_parameters(query))
    rendered = ",".join(
        f'"{rel}":{{"href":"{prefix}{number}&limit={page.limit}","rel":"{rel}","method":"GET"}}'
        for rel, number in _pages(page, total)
    )
    facts = f'"_meta":{{"totalRecords":{total},"page":{page.number},"limit":{page.limit},"count":{count}'
    middle = b',"disclosure":' + disclosure if disclosure is not None else b""
    return b"".join((facts.encode(), middle, b'},"_links":{', rendered.encode(), b"}"))


def check_url_base(url: str) -> None:
    """Raise ValueError for a configured address that could not stand in JSON or a header as it is."""
    if json.dumps(url) != f'"{url}"' or any(character in url for character in "<>? #"):
        raise ValueError("the public address must be a plain URL without query and fragment")
