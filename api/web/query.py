"""What may stand in the request line and the headers.

`RequestSyntax`      ASGI middleware: percent-encoding, UTF-8, NUL, headers sent twice, headers too long
`DeclaredQuery`      the query parameters a route declares; refuses any other, and one value too many
`check_order`        two parameters that begin and end something

A parameter that is silently ignored is a filter the caller believes in: unknown ones are refused, always.
"""

import re
import types
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Union, get_args, get_origin
from urllib.parse import unquote_to_bytes

from fastapi.dependencies.models import Dependant
from pydantic import BaseModel
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import Fault, Problem, invalid
from api.web.faults import shortened

# Two of these would let a proxy and the service believe in different callers, purposes or keys.
SINGLE_HEADERS = frozenset(
    {
        b"authorization",
        b"purpose",
        b"legal-basis",
        b"case-reference",
        b"idempotency-key",
        b"if-match",
        b"content-type",
    }
)
MAX_HEADER_BYTES = 8 * 1024
# An oversized token is the token check's to refuse (401), so these may be longer.
_LONG_HEADERS = frozenset({b"authorization", b"dpop", b"cookie"})
MAX_LONG_HEADER_BYTES = 64 * 1024
MAX_ALL_HEADERS_BYTES = 128 * 1024
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class RequestSyntax:
    """Refuse what cannot be read in one way only: 400, or 431 for headers that are too large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the request line and headers; raises `Problem`, to which the error boundary outside gives its form."""
        if scope["type"] == "http":
            _check_text(scope.get("raw_path") or b"", "path")
            _check_text(scope["query_string"], "query")
            _check_headers(scope["headers"])
        await self._app(scope, receive, send)


def _check_text(raw: bytes, where: str) -> None:
    if b"%" in raw:
        broken = _BROKEN_ESCAPE.search(raw)
        if broken:
            raise _unreadable(where, f"a % without two hex digits at byte {broken.start()}", "write a literal % as %25")
        raw = unquote_to_bytes(raw)
    elif raw.isascii() and b"\x00" not in raw:
        return
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _unreadable(where, "is not UTF-8", "percent-encode the UTF-8 bytes") from None
    if "\x00" in text:
        raise _unreadable(where, "holds a NUL character", "remove %00")


def _check_headers(headers: Iterable[tuple[bytes, bytes]]) -> None:
    seen: set[bytes] = set()
    total = 0
    for name, value in headers:
        size = len(value)
        total += len(name) + size
        if size > MAX_HEADER_BYTES and (name not in _LONG_HEADERS or size > MAX_LONG_HEADER_BYTES):
            where = f"header.{shortened(name.decode('latin-1'))}"
            limit = MAX_LONG_HEADER_BYTES if name in _LONG_HEADERS else MAX_HEADER_BYTES
            what = f"is longer than {limit} bytes"
            raise Problem("headers-too-large", f"{where}: {what}", faults=[Fault(where, what, "send a shorter value")])
        if name in SINGLE_HEADERS:
            if name in seen:
                raise _unreadable(f"header.{name.decode('latin-1')}", "is sent more than once", "send it once")
            seen.add(name)
    if total > MAX_ALL_HEADERS_BYTES:
        what = f"are longer than {MAX_ALL_HEADERS_BYTES} bytes together"
        raise Problem("headers-too-large", f"The headers {what}", faults=[Fault("header", what, "send fewer headers")])


def _unreadable(where: str, what: str, hint: str) -> Problem:
    return Problem("unreadable", f"{where}: {what}", faults=[Fault(where, what, hint)])


def check_order(start: Any, end: Any, *, place: str = "query") -> None:
    """Raise a 422 problem where `from` lies after `to`; either may be None. An empty answer would tell of nothing."""
    if start is not None and end is not None and start > end:
        raise invalid(f"{place}.from", "lies after `to`", "give the earlier one first")


class DeclaredQuery:
    """The query parameters of one route, from what its handler and dependencies declare."""

    def __init__(self, dependant: Dependant) -> None:
        self.single: set[str] = set()
        self.repeatable: set[str] = set()
        self._collect(dependant)
        self.names = sorted(self.single | self.repeatable)

    def _collect(self, dependant: Dependant) -> None:
        for field in dependant.query_params:
            annotation = field.field_info.annotation
            model = _model_in(annotation)
            if model is None:
                self._add(field.validation_alias or field.alias, annotation)
                continue
            for name, info in model.model_fields.items():
                alias = info.validation_alias if isinstance(info.validation_alias, str) else info.alias
                self._add(alias or name, info.annotation)
        for dependency in dependant.dependencies:
            self._collect(dependency)

    def _add(self, name: str, annotation: Any) -> None:
        (self.repeatable if _is_sequence(annotation) else self.single).add(name)

    def check(self, request: Request) -> None:
        """Raise a 400 problem for a parameter that is not declared, or is repeated though it has one value."""
        if not request.scope["query_string"]:
            return
        seen: set[str] = set()
        for name, _ in request.query_params.multi_items():
            if name in self.repeatable:
                continue
            where = f"query.{shortened(name)}"
            if name not in self.single:
                raise Problem(
                    "unknown-parameter",
                    f"{where} is not a parameter here; {self._allowed()}",
                    faults=[Fault(where, "is not a parameter here", self._allowed())],
                )
            if name in seen:
                raise _unreadable(where, "is given more than once", "give it once")
            seen.add(name)

    def _allowed(self) -> str:
        return f"allowed: {', '.join(self.names)}" if self.names else "this path takes no query parameters"


def _parts(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, without annotations and None."""
    if get_origin(annotation) is Annotated:
        return _parts(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(part for arg in get_args(annotation) if arg is not type(None) for part in _parts(arg))
    return (annotation,)


def _is_sequence(annotation: Any) -> bool:
    for part in _parts(annotation):
        origin = get_origin(part) or part
        if (
            isinstance(origin, type)
            and issubclass(origin, Sequence | set | frozenset)
            and not issubclass(origin, str | bytes)
        ):
            return True
    return False


def _model_in(annotation: Any) -> type[BaseModel] | None:
    for part in _parts(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None
