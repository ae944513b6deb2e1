"""Answers that a caller may keep and ask about again (RFC 9110 §13), and those nobody may keep.

Shared reads carry a strong ETag over the exact bytes; protected ones `no-store` and no ETag: a tag that changes
would tell that a row behind it changed.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated

from fastapi import Header
from starlette.requests import Request
from starlette.responses import Response

from api.errors import Fault, Problem

SHARED_CACHE = "private, no-cache"
PROTECTED_CACHE = "private, no-store"
# Each of these changes what the same URL answers.
VARY = "Authorization, Accept, Purpose, Accept-Language"

_SHARED = ((b"cache-control", SHARED_CACHE.encode()), (b"vary", VARY.encode()))
_PROTECTED = ((b"cache-control", PROTECTED_CACHE.encode()), (b"vary", VARY.encode()))
_TAG = re.compile(r'\s*(W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*')
_MAX_TAGS = 100

OptionalIfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=1000,
        description="ETag of the state that is changed; 428 without it / ETag för det tillstånd som ändras",
        json_schema_extra={"example": '"3f2a9c51d07b4e68a1c2d3e4f5061728"'},
    ),
]
"""Parameter type of an endpoint that changes a resource, so that the contract names the header.

It is checked by `require_match` once the resource is found: an unknown resource is 404 whatever the header says.
"""


class Bytes(Response):
    """An answer of ready bytes and ready headers: nothing is computed that is known already."""

    def __init__(self, body: bytes, status_code: int, raw_headers: list[tuple[bytes, bytes]]) -> None:
        self.status_code = status_code
        self.body = body
        self.raw_headers = raw_headers
        self.background = None


def etag_of(body: bytes, media_type: str) -> str:
    """Strong entity tag of one representation, with its quotes; another media type has another tag."""
    digest = sha256(media_type.encode())
    digest.update(body)
    return f'"{digest.hexdigest()[:32]}"'


class _LastTags:
    """The last body under each address with its tag: most reads find what they found before.

    Comparing two equal bodies costs a fiftieth of a digest. Holds at most `_REMEMBERED` bodies of `_REMEMBERED_BYTES`.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, bytes, str], tuple[bytes, str]] = {}

    def tag(self, request: Request, body: bytes, media_type: str) -> str:
        """As `etag_of`."""
        key = (request.scope["path"], request.scope["query_string"], media_type)
        last = self._last.get(key)
        if last is not None and last[0] == body:
            return last[1]
        tag = etag_of(body, media_type)
        if _WORTH_BYTES < len(body) <= _REMEMBERED_BYTES:
            self._last.pop(key, None)
            if len(self._last) >= _REMEMBERED:
                del self._last[next(iter(self._last))]
            self._last[key] = (body, tag)
        return tag


_WORTH_BYTES = 4 * 1024
_REMEMBERED_BYTES = 256 * 1024
_REMEMBERED = 64
_LAST_TAGS = _LastTags()


def respond(
    request: Request,
    body: bytes,
    *,
    media_type: str = "application/json",
    shared: bool,
    headers: Mapping[str, str] | None = None,
    status_code: int = 200,
) -> Response:
    """Answer with bytes that are ready: with ETag, or 304, where `shared`; else not to be stored by anybody.

    `headers` are added as they are. Nothing but a 200 to GET or HEAD is given an ETag.
    """
    extra = (
        [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        if headers
        else []
    )
    if shared and status_code == 200 and request.method in {"GET", "HEAD"}:  # noqa: PLR2004 - it is the status 200
        tag = _LAST_TAGS.tag(request, body, media_type)
        raw_headers = [(b"etag", tag.encode()), *_SHARED, *extra]
        asked = _header(request, b"if-none-match")
        if asked is not None and _names(asked, tag):
            return Bytes(b"", 304, raw_headers)
    else:
        raw_headers = [*(_SHARED if shared else _PROTECTED), *extra]
    raw_headers.append((b"content-type", media_type.encode("latin-1")))
    raw_headers.append((b"content-length", b"%d" % len(body)))
    return Bytes(body, status_code, raw_headers)


def require_match(request: Request, current_etag: str) -> None:
    """Let a change through only from one who has seen the current state; strong comparison.

    `current_etag` is with quotes, as `etag_of` gives it. Raises 428 without If-Match, 412 where it names another
    state or none at all.
    """
    asked = _header(request, b"if-match")
    if asked is None:
        raise Problem(
            "precondition-required",
            "Read the resource first, and send its ETag as If-Match",
            faults=[Fault("header.if-match", "is missing", "send the ETag of the state you have seen")],
        )
    if asked.strip() == "*":
        return
    # What is no list of entity tags names no state, so it cannot name the current one.
    if (False, current_etag) not in _tags(asked):
        raise Problem("precondition-failed", "The resource has changed since you read it; read it again")


def _header(request: Request, name: bytes) -> str | None:
    values = [value for key, value in request.scope["headers"] if key == name]
    return b",".join(values).decode("latin-1") if values else None


def _tags(text: str) -> list[tuple[bool, str]]:
    """Return the (weak, tag) pairs of a header; empty where it is malformed or absurdly long."""
    tags: list[tuple[bool, str]] = []
    position = 0
    while position < len(text):
        match = _TAG.match(text, position)
        if match is None or len(tags) == _MAX_TAGS:
            return []
        tags.append((match[1] is not None, match[2]))
        position = match.end()
        if position < len(text):
            if text[position] != ",":
                return []
            position += 1
    return tags


def _names(asked: str, tag: str) -> bool:
    # A malformed If-None-Match is no reason to refuse a read: it simply matches nothing.
    return asked.strip() == "*" or any(candidate == tag for _, candidate in _tags(asked))
