"""Whether the process lives, whether it can work, and what it counts. Outside the API's base path, for operators."""

from collections import Counter

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.settings import BASE_PATH


class Requests:
    """ASGI middleware that counts answers by method and status class; no path, no caller, no value of a request."""

    def __init__(self, app: ASGIApp, counts: Counter[tuple[str, str]]) -> None:
        self._app, self._counts = app, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the answer when it starts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
        method = scope["method"] if scope["method"] in known else "OTHER"

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._counts[method, f"{message['status'] // 100}xx"] += 1
            await send(message)

        await self._app(scope, receive, counting)


async def live(_: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "live"})


async def ready(request: Request) -> Response:
    """The database answers too: 200, else 503."""
    if await request.app.state.services.database.ready():
        return JSONResponse({"status": "ready"})
    return JSONResponse({"status": "unavailable"}, status_code=503)


async def metrics(request: Request) -> Response:
    """Counters in the Prometheus text format."""
    counts: Counter[tuple[str, str]] = request.app.state.counts
    lines = ["# TYPE samsyn_responses_total counter"]
    lines += [
        f'samsyn_responses_total{{method="{method}",status="{status}"}} {number}'
        for (method, status), number in sorted(counts.items())
    ]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


async def start(_: Request) -> Response:
    """Where a person begins."""
    return RedirectResponse(f"{BASE_PATH}/docs", status_code=307)


ROUTES = [
    Route("/", start, methods=["GET"]),
    Route("/health/live", live, methods=["GET"]),
    Route("/health/ready", ready, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
]
