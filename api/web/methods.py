"""405 with every method of the path in `Allow`, OPTIONS answered with the same list, HEAD answered as GET.

Starlette puts only the first matching route's methods into `Allow`; a path whose GET and POST are separate routes
would deny one of them. The list here is computed from all routes of the app, once, on first need.
"""

import re
from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.web import scope_keys

_ORDER = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def _route_path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")) or "/"


class MethodTable:
    """Which methods each path of an app takes; `(template, methods)` pairs as in an OpenAPI document's paths."""

    def __init__(self, paths: Iterable[tuple[str, Iterable[str]]]) -> None:
        merged: dict[str, set[str]] = {}
        for path, methods in paths:
            merged.setdefault(path, set()).update(method.upper() for method in methods)
        self._routes: list[tuple[re.Pattern[str], set[str]]] = [
            (compile_path(path)[0], methods) for path, methods in merged.items()
        ]

    @classmethod
    def of(cls, app: FastAPI) -> "MethodTable":
        """Build the table of all routes of an app: included ones, and those hidden from its document."""
        contexts = iter_route_contexts(app.routes)
        return cls((context.path, context.methods) for context in contexts if context.path and context.methods)

    def methods(self, path: str) -> set[str]:
        """Methods of all routes that match the path, empty if none; with HEAD where there is GET, and OPTIONS."""
        found: set[str] = set()
        for pattern, methods in self._routes:
            if pattern.match(path):
                found |= methods
        if "GET" in found:
            found.add("HEAD")
        return found | {"OPTIONS"} if found else found

    def allow(self, path: str) -> str:
        """Text of the `Allow` header, in a fixed order."""
        return ", ".join(method for method in _ORDER if method in self.methods(path))


class Methods:
    """ASGI middleware around a FastAPI app's routes; add it to that app with `add_middleware(Methods, app_of=app)`.

    OPTIONS on a known path is 204 with `Allow`; the table also serves the 405 problem (see `problems`).
    """

    def __init__(self, app: ASGIApp, app_of: FastAPI) -> None:
        self._app = app
        self._fastapi = app_of
        self._table: MethodTable | None = None

    def _allow(self, scope: Scope) -> str:
        # Routes are complete only after the app is built, which is after its middleware is declared.
        self._table = self._table or MethodTable.of(self._fastapi)
        return self._table.allow(_route_path(scope))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer OPTIONS, pass HEAD on as GET, and leave everything else to the routes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[scope_keys.ALLOWED] = self._allow
        method = scope["method"]
        if method == "OPTIONS":
            allowed = self._allow(scope)
            if allowed:
                await Response(status_code=204, headers={"Allow": allowed})(scope, receive, send)
                return
        if method == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
            return
        await self._app(scope, receive, send)


def _without_body(send: Send) -> Any:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
