"""Leaving out what a request does not carry changes no value that an endpoint is given, and no refusal."""

import itertools
import json
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Header, Query, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from api.web import problems
from api.web.narrow import Narrowing
from api.web.route import strict_router
from tests.unit.web.web_frame import ask_app


class Box(BaseModel):
    west: float = 1.0


def _inner(
    depth: Annotated[int | None, Query(ge=0)] = 3,
    trace_id: Annotated[str | None, Header()] = None,
    purpose: Annotated[str | None, Header(alias="Purpose", max_length=5)] = None,
) -> list[Any]:
    return [depth, trace_id, purpose]


def _outer(inner: Annotated[list[Any], Depends(_inner)], required: Annotated[str, Query()]) -> list[Any]:
    return [*inner, required]


def _included(via: Annotated[int, Query()] = 7) -> int:
    if via == 13:
        raise problems.Problem("forbidden", "thirteen")
    return via


def build() -> FastAPI:
    app = FastAPI()
    router = strict_router()

    @router.get("/all", response_model=None)
    async def everything(
        request: Request,
        outer: Annotated[list[Any], Depends(_outer)],
        made: Annotated[list[str], Query(default_factory=list)],
        plain: Annotated[int, Query(ge=1, le=9)] = 5,
        many: Annotated[list[int] | None, Query()] = None,
        named: Annotated[str | None, Query(alias="nearSchool")] = None,
        old_style: str = Query("old", max_length=3),
        box: Annotated[Box, Query()] = Box(),  # noqa: B008 - what FastAPI asks for
    ) -> Response:
        return JSONResponse([outer, plain, many, named, made, old_style, box.west])

    app.include_router(router, dependencies=[Depends(_included)])
    problems.install(app, new_id=lambda: "id")
    return app


QUERIES = ["required=r", "depth=4", "plain=2", "plain=0", "many=1&many=2", "nearSchool=x", "via=8", "via=13", "depth=x"]
HEADERS = [("purpose", "a"), ("Purpose", "too long"), ("trace-id", "t"), ("x-other", "o")]
REQUESTS = [
    ("&".join(queries), headers)
    for count in range(4)
    for queries in itertools.combinations(QUERIES, count)
    for headers in ([], *[[header] for header in HEADERS])
]


def test_every_combination_of_parameters_is_answered_as_without_narrowing(monkeypatch: pytest.MonkeyPatch):
    narrowing, whole = build(), build()
    # Whatever could be left out is taken for present, so that nothing is.
    answers = [ask_app(narrowing, "GET", f"/all?{query}", headers=headers) for query, headers in REQUESTS]
    monkeypatch.setattr(Narrowing, "present", lambda self, _request: self._queries | self._headers)
    expected = [ask_app(whole, "GET", f"/all?{query}", headers=headers) for query, headers in REQUESTS]
    assert [(one.status, json.loads(one.body)) for one in answers] == [
        (one.status, json.loads(one.body)) for one in expected
    ]
    assert {200, 400, 403, 422} >= {one.status for one in answers} >= {200, 403, 422}


def test_only_what_has_its_own_plain_default_can_be_left_out():
    router = build().routes[-1].original_router
    narrowing = Narrowing(router.routes[0].dependant)
    assert narrowing._queries == {"plain", "many", "nearSchool", "named", "depth"}
    assert {b"purpose", b"trace-id"} <= narrowing._headers
    left = narrowing.dependant(frozenset())
    assert {field.alias for field in left.query_params} == {"made", "old_style", "box"}
    assert [field.alias for field in left.dependencies[0].query_params] == ["required"]
    assert left.dependencies[0].dependencies[0].header_params == []
