"""What may come as a body: no more than the limit, and JSON that has one meaning only.

`BodyLimit`    ASGI middleware; counts as it streams, buffers nothing
`strict_json`  bytes -> value, or a 400 problem that names the place

Parsers differ on duplicate keys, NaN, lone surrogates and huge numbers. What one system reads as one thing and the
next as another has no place in a document that decides on disclosure, so such a body is refused (I-JSON, RFC 7493).
"""

import asyncio
import json
import math
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Fault, Problem
from api.web.faults import member
from api.web.problems import problem_response

MAX_DEPTH = 64
_MAX_PLACE = 200
_SPACE = " \t\n\r"
_INT64 = 2**63
_EXACT_FLOAT = 2.0**53
# A refused body is read and thrown away up to here, so that the sender sees the answer and not a broken connection.
_DRAIN_BYTES = 256 * 1024 * 1024
_DRAIN_SECONDS = 10.0


def _too_large(limit: int) -> Problem:
    return Problem(
        "too-large", f"The body is larger than {limit} bytes; send less at a time", headers={"Connection": "close"}
    )


class BodyLimit:
    """Refuse a body above its limit with 413, by Content-Length before reading, else while it streams.

    `limit_for(scope)` gives the limit in bytes of that request.
    """

    def __init__(self, app: ASGIApp, limit_for: Callable[[Scope], int]) -> None:
        self._app = app
        self._limit_for = limit_for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a receive that stops at the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_for(scope)
        received = 0
        over = False

        async def counting() -> Message:
            nonlocal received, over
            if over:
                raise _too_large(limit)
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    over = True
                    raise _too_large(limit)
            return message

        async def draining(message: Message) -> None:
            last = message["type"] == "http.response.body" and not message.get("more_body", False)
            if not (over and last):
                await send(message)
                return
            await send({**message, "more_body": True})
            await _drain(receive)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        for name, value in scope["headers"]:
            if name == b"content-length" and _declared(value) > limit:
                over = True
                await problem_response(_too_large(limit), scope)(scope, receive, draining)
                return
        await self._app(scope, counting, draining)


def _declared(content_length: bytes) -> int:
    # Servers refuse a malformed length themselves; one that slips through counts as nothing declared.
    return int(content_length[:20]) if content_length.isdigit() else 0


async def _drain(receive: Receive) -> None:
    taken = 0
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while taken < _DRAIN_BYTES:
                message = await receive()
                taken += len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return


class _Duplicate:
    """Stands where an object names a member twice, until its place is known."""

    def __init__(self, key: str) -> None:
        self.key = key


def _object(pairs: list[tuple[str, Any]]) -> Any:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen: set[str] = set()
    return _Duplicate(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]


def _integer(text: str) -> int:
    # Longer digits are never converted (the time is quadratic); any value out of range is refused with its place.
    return int(text) if len(text) <= len(str(-_INT64)) else _INT64


def _real(text: str) -> float | int:
    # In JSON Schema 4.0 is an integer. Making it one here keeps what the schema allows and the types accept the same.
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < _EXACT_FLOAT else value


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_real)


def strict_json(raw: bytes) -> Any:
    """Parse one JSON value; raise a 400 problem for anything two readers could understand differently."""
    if raw.startswith(b"\xef\xbb\xbf"):
        raise _unreadable("body", "starts with a byte order mark", "send UTF-8 without one")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable("body", f"is not UTF-8 at byte {error.start}", "send UTF-8") from None
    try:
        value, end = _DECODER.raw_decode(text, len(text) - len(text.lstrip(_SPACE)))
    except json.JSONDecodeError as error:
        what = f"is not JSON at line {error.lineno}, column {error.colno}: {error.msg.lower()}"
        raise _unreadable("body", what, "send one JSON value in UTF-8") from None
    except RecursionError:
        raise _unreadable("body", f"is nested deeper than {MAX_DEPTH} levels", "flatten it") from None
    rest = text[end:].lstrip(_SPACE)
    if rest:
        what = f"goes on after the JSON value, at character {len(text) - len(rest)}"
        raise _unreadable("body", what, "send one JSON value")
    _examine(value)
    return value


# A place as a chain of (chain of the parent, member or index): rendered only for what is refused.
_Place = tuple["_Place | None", int | str]


def _rendered(place: "_Place | None") -> str:
    steps: list[str] = []
    while place is not None:
        place, step = place
        steps.append(f"[{step}]" if isinstance(step, int) else f".{member(step)}")
    text = "body" + "".join(reversed(steps))
    return text if len(text) <= _MAX_PLACE else text[: _MAX_PLACE - 1] + "…"


def _examine(top: Any) -> None:
    """Raise for the first value that has no single meaning; without recursion: the depth is the caller's."""
    stack: list[tuple[Any, _Place | None, int]] = [([top], None, -1)]
    while stack:
        container, place, depth = stack.pop()
        if depth >= MAX_DEPTH:
            raise _unreadable(_rendered(place), f"is nested deeper than {MAX_DEPTH} levels", "flatten it")
        members = container.items() if type(container) is dict else enumerate(container)
        for step, value in members:
            if type(step) is str:
                fault = _fault_in_text(step)
                if fault is not None:
                    raise _unreadable(_rendered(place), f"the name of a member {fault[0]}", fault[1])
            kind = type(value)
            here = place if depth < 0 else (place, step)
            if kind is dict or kind is list:
                stack.append((value, here, depth + 1))
                continue
            fault = _CHECKS[kind](value) if kind in _CHECKS else None
            if fault is not None:
                raise _unreadable(_rendered(here), *fault)


_Fault = tuple[str, str] | None


def _fault_in_text(text: str) -> _Fault:
    if "\x00" in text:
        return "holds a NUL character", "remove \\u0000"
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            return "holds half a surrogate pair", "escape both halves, or none"
    return None


def _fault_in_integer(value: int) -> _Fault:
    return None if -_INT64 <= value < _INT64 else ("is a number beyond 64 bits", "send long identifiers as texts")


def _fault_in_real(value: float) -> _Fault:
    return (
        None
        if math.isfinite(value)
        else ("is not a finite number", "JSON has no NaN or Infinity; leave the member out")
    )


_CHECKS: dict[type, Callable[[Any], _Fault]] = {
    str: _fault_in_text,
    int: _fault_in_integer,
    float: _fault_in_real,
    _Duplicate: lambda value: (f"names “{member(value.key)}” more than once", "name each member once"),
}


def _unreadable(where: str, what: str, hint: str) -> Problem:
    return Problem("unreadable", f"{where}: {what}", faults=[Fault(where, what, hint)])
