"""What every answer carries: its trace (W3C Trace Context), security headers, and a Cache-Control.

INVARIANT: an answer that says nothing about caching is `private, no-store`. No header at all means that a proxy may
keep it.
"""

import re
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.web import scope_keys

# Level 1 has exactly these four fields; a higher version may append more, which are not ours to repeat.
_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_NOTHING = b"0" * 32
_SAMPLED = 1

_COMMON = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_DATA_POLICY = b"default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HSTS = (b"strict-transport-security", b"max-age=31536000")


class Envelope:
    """ASGI middleware, the outermost: completes the headers of every answer.

    `random_bytes(n)` gives n random bytes (`secrets.token_bytes`); `https` says that callers reach the service by
    https only, and then they are told to keep to it.
    """

    def __init__(self, app: ASGIApp, *, random_bytes: Callable[[int], bytes], https: bool) -> None:
        self._app = app
        self._random = random_bytes
        self._common = (*_COMMON, _HSTS) if https else _COMMON

    def _continued(self, scope: Scope) -> tuple[bytes, bytes]:
        """Return the trace to answer in and its flags: the caller's, or a new one where theirs cannot be read."""
        sent = [value for name, value in scope["headers"] if name == b"traceparent"]
        match = _TRACEPARENT.fullmatch(sent[0]) if len(sent) == 1 else None
        if match:
            version, trace, span, flags, more = match.groups()
            legible = version != b"ff" and (more is None or version != b"00")
            if legible and trace != _NOTHING and span != _NOTHING[:16]:
                return trace, b"%02x" % (int(flags, 16) & _SAMPLED)
        return self._hex(16), b"00"

    def _hex(self, length: int) -> bytes:
        # All zeros would mean that there is no trace.
        text = self._random(length).hex().encode()
        return text if text.strip(b"0") else text[:-1] + b"1"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under its trace, and complete the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace, flags = self._continued(scope)
        scope[scope_keys.TRACE_ID] = trace.decode()
        traceparent = b"00-%b-%b-%b" % (trace, self._hex(8), flags)

        async def completing(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self._completed(list(message.get("headers", ())), traceparent)}
            await send(message)

        await self._app(scope, receive, completing)

    def _completed(self, headers: list[tuple[bytes, bytes]], traceparent: bytes) -> list[tuple[bytes, bytes]]:
        held = dict(headers)
        if b"cache-control" not in held:
            headers.append((b"cache-control", b"private, no-store"))
        if b"content-security-policy" not in held:
            page = held.get(b"content-type", b"").startswith(b"text/html")
            headers.append((b"content-security-policy", _PAGE_POLICY if page else _DATA_POLICY))
        headers.extend(header for header in self._common if header[0] not in held)
        if b"traceparent" in held:
            headers = [header for header in headers if header[0] != b"traceparent"]
        headers.append((b"traceparent", traceparent))
        return headers
