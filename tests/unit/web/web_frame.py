"""A small app in the whole frame, and a bare ASGI client that can send what no HTTP library would."""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from pydantic import Field
from starlette.responses import StreamingResponse

from api.errors import Problem
from api.web.api_info import api_info_router
from api.web.conditional import OptionalIfMatch, etag_of, require_match, respond
from api.web.datatypes import Body, Slug, StrictDate, StrictDateTime, Text
from api.web.idempotency_key import IdempotencyKey
from api.web.paging import PageQuery
from api.web.route import strict_router

LIMIT = 2_000
FEED_LIMIT = 100_000


@dataclass(frozen=True)
class Answer:
    status: int
    raw_headers: list[tuple[bytes, bytes]]
    body: bytes
    broken_off: BaseException | None = None

    def header(self, name: str) -> str | None:
        found = [value.decode() for key, value in self.raw_headers if key == name.encode()]
        assert len(found) <= 1, f"{name} is sent {len(found)} times"
        return found[0] if found else None

    def json(self) -> Any:
        return json.loads(self.body)

    def faults(self) -> list[dict[str, str]]:
        return self.json().get("errors", [])


Ask = Callable[..., Answer]


def ask_app(
    app: Any,
    method: str,
    target: str,
    *,
    body: bytes | Iterable[bytes] = b"",
    headers: Sequence[tuple[str, str]] = (),
    json_body: Any = None,
) -> Answer:
    """Send one request; `target` goes out as it is, so that broken encodings arrive."""
    raw_path, _, query = target.partition("?")
    sent = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    if json_body is not None:
        body = json.dumps(json_body).encode()
    if (json_body is not None or body) and not any(name == b"content-type" for name, _ in sent):
        sent.append((b"content-type", b"application/json"))
    chunks = iter([body] if isinstance(body, bytes) else body)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": unquote(raw_path),
        "raw_path": raw_path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(b"host", b"evil.example"), *[header for header in sent if header[1] != b"(none)"]],
        "scheme": "http",
        "server": ("evil.example", 80),
        "client": ("127.0.0.1", 1),
    }
    started: dict[str, Any] = {}
    parts: list[bytes] = []
    lookahead = next(chunks, b"")

    async def receive() -> dict[str, Any]:
        nonlocal lookahead
        if lookahead is None:
            return {"type": "http.disconnect"}
        chunk, lookahead = lookahead, next(chunks, None)
        return {"type": "http.request", "body": chunk, "more_body": lookahead is not None}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert not started, "answered twice"
            started.update(message)
        else:
            parts.append(message.get("body", b""))

    broken_off = None
    try:
        asyncio.run(app(scope, receive, send))
    except Exception as error:  # noqa: BLE001 - the test looks at it
        broken_off = error
    return Answer(started.get("status", 0), list(started.get("headers", [])), b"".join(parts), broken_off)


class Step(Body):
    status: Literal["planned", "ongoing", "ended"]
    started_on: StrictDate | None = None
    times: int | None = Field(default=None, ge=0, le=1000)


class Survey(Body):
    scene: Slug
    at: StrictDateTime | None = None
    comment: Text(200, lines=True) | None = None
    share: float | None = Field(default=None, ge=0, le=1)
    agreed: bool | None = None
    name: Text(40) | None = None
    birth_date: StrictDate | None = None
    identity_number: (
        Annotated[str, Field(pattern=r"^[0-9]{12}$", json_schema_extra={"example": "190001019999"})] | None
    ) = None
    interventions: list[Step] = Field(default_factory=list, max_length=500)


def _included_only(via: Annotated[Text(10) | None, Query()] = None) -> str | None:
    return via


SHARED = b'{"id":"varberg"}'


def build_api(settings: dict[str, Any]) -> FastAPI:
    api = FastAPI(title="t", version="1.0.0", openapi_url=None, docs_url=None, redoc_url=None)
    included = strict_router()

    @included.get("/included", summary="Included")
    async def included_endpoint() -> dict[str, str]:
        """With a dependency that only the inclusion brings."""
        return {}

    api.include_router(_scenes())
    api.include_router(_odd_ones())
    api.include_router(included, dependencies=[Depends(_included_only)])
    api.include_router(api_info_router(**settings))
    _add_unguarded(api)
    return api


def _scenes() -> APIRouter:
    router = strict_router(tags=["scenes"])

    @router.get("/scenes", summary="Scenes")
    async def list_scenes(
        request: Request,
        page: PageQuery,
        municipality: Annotated[Text(4), Query()] = "0180",
        environment: Annotated[list[Slug] | None, Query()] = None,
    ) -> Response:
        """All scenes."""
        return respond(request, f"[{page.offset},{page.limit}]".encode(), shared=True)

    @router.post("/scenes", summary="New scene", status_code=201)
    async def add_scene(survey: Survey, key: IdempotencyKey) -> dict[str, Any]:
        """Add a scene."""
        return {"key": key, "interventions": len(survey.interventions)}

    @router.get("/scenes/{sceneId}", summary="Scene")
    async def one_scene(request: Request, sceneId: Slug) -> Response:  # noqa: N803
        """One scene."""
        return respond(request, SHARED, shared=True)

    @router.patch("/scenes/{sceneId}", summary="Change a scene")
    async def change_scene(
        request: Request,
        sceneId: Slug,  # noqa: N803
        survey: Survey,
        if_match: OptionalIfMatch = None,
    ) -> dict[str, bool]:
        """Change a scene."""
        require_match(request, etag_of(SHARED, "application/json"))
        return {"changed": True}

    @router.post("/surveys", summary="Survey")
    async def add_survey(survey: Survey) -> dict[str, Any]:
        """Add a survey."""
        return {"comment": survey.comment, "share": survey.share}

    return router


def _odd_ones() -> APIRouter:
    router = strict_router()

    @router.get("/secret", summary="Secret")
    async def secret(request: Request, purpose: Annotated[Literal["prevent-crime"], Header()]) -> Response:
        """Protected."""
        return respond(request, b"{}", shared=False)

    @router.get("/page", summary="Page")
    async def page() -> Response:
        """A page."""
        return Response("<p>", media_type="text/html")

    @router.get("/crash", summary="Crash")
    async def crash() -> None:
        """Fail with a value that must not get out."""
        try:
            int("19121212-1212")
        except ValueError as error:
            raise KeyError("19121212-1212") from error

    @router.get("/refuse", summary="Refuse")
    async def refuse() -> None:
        """Refuse."""
        raise Problem("unauthenticated", "No token", headers={"WWW-Authenticate": "Bearer"})

    return router


def _add_unguarded(api: FastAPI) -> None:
    @api.get("/half")
    async def half() -> Response:
        """Fail in the middle of an answer."""

        async def stream() -> Any:
            yield b"first"
            raise RuntimeError("19121212-1212")

        return StreamingResponse(stream())

    @api.post("/feed")
    async def feed(request: Request) -> dict[str, int]:
        """Count what comes, chunk by chunk."""
        return {"chunks": len([chunk async for chunk in request.stream() if chunk])}

    @api.get("/ignores-body")
    async def ignores_body() -> dict[str, str]:
        """Read nothing."""
        return {}
