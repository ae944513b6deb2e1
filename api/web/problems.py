"""Every refusal leaves as one `application/problem+json` object (RFC 9457), whatever raised it.

`install(app, …)` gives a Starlette or FastAPI app the handlers and, outside them, a boundary that nothing passes:
the server's own error page would show a stack trace, and its log the values that the failing code held.

INVARIANT: neither the answer nor the log of an unexpected error carries an exception's text, a local variable or
the request's body; both carry the same `errorId`, which ties them together.
"""

import json
import logging
import traceback
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import PROBLEMS, Problem
from api.web import scope_keys
from api.web.faults import problem_of

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger("samsyn.errors")
_MAX_INSTANCE = 500

_KIND_OF_STATUS: dict[int, str] = {}
for _kind in PROBLEMS.values():
    _KIND_OF_STATUS.setdefault(_kind.status, _kind.slug)

_DETAIL = {
    400: "The request cannot be read",
    401: "Send a valid access token as Authorization: Bearer …",
    403: "You may not do this",
    404: "There is nothing at this path",
    405: "This path does not take this method; the Allow header lists those it takes",
}


def instance_of(scope: Scope) -> str:
    """Path of the request as a URI reference: a problem's `instance`."""
    return quote(scope["path"][:_MAX_INSTANCE], safe="/:@!$&'()*+,;=-._~")


def problem_response(problem: Problem, scope: Scope) -> Response:
    """Build the answer for a problem, with its own headers (WWW-Authenticate, Allow …)."""
    # A surrogate in a quoted key cannot be written as UTF-8; it becomes a question mark rather than a second error.
    body = json.dumps(problem.as_json(instance_of(scope)), ensure_ascii=False, separators=(",", ":"))
    headers = {"cache-control": "private, no-store", **(problem.headers or {})}
    return Response(body.encode("utf-8", "replace"), problem.status_code, headers, MEDIA_TYPE)


class _PlainProblem(Problem):
    """A status that the catalogue does not know, from a library: titled as HTTP titles it."""

    def __init__(self, status: int) -> None:
        self._title = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Refused"
        super().__init__("internal", self._title)
        self.status_code = status

    def as_json(self, instance: str) -> dict[str, Any]:
        titles = {"title": self._title, "titleSv": "Begäran kunde inte utföras"}
        return {
            "type": "about:blank",
            **titles,
            "status": self.status_code,
            "detail": self._title,
            "instance": instance,
        }


def _of_http_exception(error: HTTPException, scope: Scope) -> Problem:
    if isinstance(error, Problem):
        return error
    slug = _KIND_OF_STATUS.get(error.status_code)
    # The library's own `detail` is not passed on: it may quote what was sent, or name our code.
    problem = (
        Problem(slug, _DETAIL.get(error.status_code, PROBLEMS[slug].title_en))
        if slug
        else _PlainProblem(error.status_code)
    )
    problem.headers = dict(error.headers) if error.headers else None
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = scope.get(scope_keys.ALLOWED)
        if allowed is not None:
            problem.headers = {"Allow": allowed(scope)}
    return problem


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return problem_response(_of_http_exception(error, request.scope), request.scope)


async def _on_invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return problem_response(problem_of(error), request.scope)


def _frames(error: BaseException) -> str:
    return " ".join(f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__))


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    return chain


class ErrorBoundary:
    """ASGI middleware behind which no exception is seen: it becomes a problem and one line in the log.

    `new_id` gives the error's id. Where an answer had begun, the connection is broken off, so that half an answer
    cannot be taken for a whole one.
    """

    def __init__(self, app: ASGIApp, new_id: Callable[[], str]) -> None:
        self._app = app
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the app, or with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noting_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noting_start)
        except Exception as error:  # noqa: BLE001 - this is the one place that catches everything
            failure: Exception = error
        else:
            return
        if isinstance(failure, ClientDisconnect):
            return
        if isinstance(failure, _BrokenOffError):
            raise _BrokenOffError from None
        if started:
            self._unexpected(failure, scope)
            raise _BrokenOffError from None
        await self._response(failure, scope)(scope, receive, send)

    def _response(self, error: Exception, scope: Scope) -> Response:
        if isinstance(error, RequestValidationError):
            return problem_response(problem_of(error), scope)
        if isinstance(error, HTTPException):
            return problem_response(_of_http_exception(error, scope), scope)
        return problem_response(self._unexpected(error, scope), scope)

    def _unexpected(self, error: Exception, scope: Scope) -> Problem:
        error_id = self._new_id()
        route = getattr(scope.get("route"), "path", "-")
        causes = "; ".join(
            f"{type(cause).__module__}.{type(cause).__qualname__} at {_frames(cause)}" for cause in _chain(error)
        )
        _log.error("unexpected error %s in %s %s: %s", error_id, scope["method"], route, causes)
        detail = "Something went wrong here. Try again; if it persists, report the errorId"
        return Problem("internal", detail, extra={"errorId": error_id})


class _BrokenOffError(RuntimeError):
    """The answer had begun when the error came; already logged, and without its cause."""

    def __init__(self) -> None:
        super().__init__("answer broken off; see the samsyn.errors log")


def install(app: Starlette, *, new_id: Callable[[], str]) -> None:
    """Give an app the handlers and the boundary; call it after every other `add_middleware`: outermost."""
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_middleware(ErrorBoundary, new_id=new_id)
