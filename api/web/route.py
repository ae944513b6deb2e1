"""The route class of every REST endpoint: declared query parameters only, and strict JSON of the declared type.

Make routers with `strict_router`; `unguarded` lists what does not stand in this frame, for the architecture test.
"""

import copy
from collections.abc import Callable, Coroutine, Sequence
from email.message import Message
from enum import Enum
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response, routing
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from api.errors import Fault, Problem
from api.web.body import strict_json
from api.web.narrow import Narrowing, Present
from api.web.query import DeclaredQuery

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
# Every set of optional parameters that callers really send has a handler; whoever tries them all only evicts.
_REMEMBERED_HANDLERS = 64


class StrictRequest(Request):
    """A request whose JSON body is parsed by `strict_json`."""

    async def json(self) -> Any:
        """Return the body as a value; a 400 problem for what has no single meaning."""
        if not hasattr(self, "_json"):
            self._json = strict_json(await self.body())
        return self._json


class StrictRoute(APIRoute):
    """A route that reads nothing it did not declare."""

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's handler in the checks."""
        whole = super().get_route_handler()
        context = self._context()
        dependant = self.dependant if context is None else context.dependant
        query, narrowing = DeclaredQuery(dependant), Narrowing(dependant)
        body = self.body_field
        media_type = getattr(body.field_info, "media_type", "application/json") if body is not None else None

        @lru_cache(maxsize=_REMEMBERED_HANDLERS)
        def narrowed(present: Present) -> Handler:
            return whole if context is None else self._handler_of(context, narrowing.dependant(present))

        async def strict_handler(request: Request) -> Response:
            query.check(request)
            handle = narrowed(narrowing.present(request))
            if media_type is None:
                return await handle(request)
            strict = StrictRequest(request.scope, request.receive)
            await _check_media_type(strict, media_type)
            return await handle(strict)

        return strict_handler

    def _context(self) -> Any | None:
        """What the router that includes this route adds to it; None while the route stands by itself.

        A router included with `dependencies=[...]` has parameters that this route's own dependant lacks. FastAPI tells
        its handlers so through this variable only; without it, those parameters would be refused.
        """
        variable = getattr(routing, "_effective_route_context_var", None)
        context = variable.get() if variable is not None else None
        return context if context is not None and context.original_route is self and context.dependant else None

    def _handler_of(self, context: Any, dependant: Dependant) -> Handler:
        """FastAPI's own handler of this route in its router, for other dependencies."""
        changed = copy.copy(context)
        changed.dependant = dependant
        variable = routing._effective_route_context_var  # noqa: SLF001 - see `_context`
        token = variable.set(changed)
        try:
            return super().get_route_handler()
        finally:
            variable.reset(token)


async def _check_media_type(request: Request, expected: str) -> None:
    sent = request.headers.get("content-type")
    if sent is not None:
        message = Message()
        message["content-type"] = sent
        charset = str(message.get_param("charset", "utf-8")).lower()
        # get_content_type answers text/plain for a type it cannot read, so a malformed one does not pass.
        if message.get_content_type() == expected and charset in {"utf-8", "utf8"}:
            return
    elif not await request.body():
        # No type and no body: the schema check says that the body is missing.
        return
    what = "is not the type this path reads" if sent is not None else "is missing"
    raise Problem(
        "unsupported-media-type",
        f"header.content-type {what}; send {expected}",
        faults=[Fault("header.content-type", what, f"send {expected}, in UTF-8")],
        headers={"Accept-Post" if request.method == "POST" else "Accept-Patch": expected}
        if request.method in {"POST", "PATCH"}
        else None,
    )


def strict_router(*, prefix: str = "", tags: Sequence[str | Enum] = (), dependencies: Sequence[Any] = ()) -> APIRouter:
    """Make a router whose endpoints all stand in the frame."""
    return APIRouter(prefix=prefix, tags=list(tags), dependencies=list(dependencies), route_class=StrictRoute)


def unguarded(app: FastAPI) -> list[str]:
    """List the routes that are no `StrictRoute`, as `METHOD /path`: to be empty but for the streams and pages."""
    return sorted(
        f"{method} {context.path}"
        for context in iter_route_contexts(app.routes)
        if not isinstance(context.original_route, StrictRoute)
        for method in sorted(context.methods or {"*"})
    )
