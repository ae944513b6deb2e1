import itertools
from datetime import date
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from api.web import problems
from api.web.body import BodyLimit
from api.web.methods import Methods
from api.web.query import RequestSyntax
from api.web.trace import Envelope
from tests.unit.web.web_frame import FEED_LIMIT, LIMIT, Answer, Ask, ask_app, build_api


@pytest.fixture
def api() -> FastAPI:
    api = build_api({"released": date(2026, 11, 20), "documentation": "https://samsyn.example/samsyn/v1/docs"})
    ids = itertools.count(1)
    api.add_middleware(Methods, app_of=api)
    problems.install(api, new_id=lambda: f"error-{next(ids)}")
    return api


@pytest.fixture
def app(api: FastAPI) -> Any:
    async def live(_request: Request) -> Response:
        return Response("ok")

    outer = Starlette(routes=[Route("/health/live", live), Mount("/samsyn/v1", app=api)])
    outer.add_middleware(BodyLimit, limit_for=lambda scope: FEED_LIMIT if scope["path"] == "/samsyn/v1/feed" else LIMIT)
    outer.add_middleware(RequestSyntax)
    problems.install(outer, new_id=lambda: "outer-error")
    return Envelope(outer, random_bytes=lambda n: bytes(range(1, n + 1)), https=True)


@pytest.fixture
def ask(app: Any) -> Ask:
    def ask_path(method: str, target: str, **options: Any) -> Answer:
        return ask_app(app, method, "/samsyn/v1" + target, **options)

    return ask_path
