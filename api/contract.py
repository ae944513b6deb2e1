"""The published contracts: `openapi/openapi.json`, generated from the routes, served at the API's root."""

import json
from functools import lru_cache
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.routing import APIRouter
from starlette.responses import Response

from api.web.conditional import respond
from api.web.openapi import shape


@lru_cache(maxsize=4)
def openapi_bytes(api: FastAPI) -> bytes:
    """The OpenAPI document as it is committed and served."""
    return json.dumps(shape(api.openapi()), ensure_ascii=False, indent=1).encode() + b"\n"


def contract_router(api: FastAPI) -> APIRouter:
    """The route of the document itself (REST API-profil DOK.23–24)."""
    router = APIRouter(include_in_schema=False)

    @router.get("/openapi.json")
    async def document(request: Request) -> Response:
        return respond(request, openapi_bytes(api), shared=True)

    return router


def contract_files() -> dict[str, bytes]:
    """Every published contract by file name, made from the code alone: no database, no network, no settings."""
    from tempfile import TemporaryDirectory

    from api.app import create_app
    from api.graphql.schema import sdl
    from api.settings import Settings
    from api.store.database import Database

    with TemporaryDirectory() as directory:
        app = create_app(Settings(data_dir=Path(directory)), Database("postgresql://nowhere/none"))
    return {"openapi.json": openapi_bytes(app.state.api), "schema.graphql": sdl().encode()}
