"""`GET /api-info`: name, version and life-cycle status of the API (REST API-profil VER.06, VER.07)."""

from datetime import date
from typing import Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from api.web.datatypes import Out, StrictDate
from api.web.route import strict_router

API_NAME = "Samsyn"
API_VERSION = "1.0.0"


class ApiInfo(Out):
    """What this API is and where in its life it stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "apiName": API_NAME,
                "apiVersion": API_VERSION,
                "apiReleased": "2026-11-20",
                "apiDocumentation": "https://samsyn.example/samsyn/v1/docs",
                "apiStatus": "active",
            }
        }
    )

    api_name: str
    api_version: str = Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")
    api_released: StrictDate
    api_documentation: str = Field(json_schema_extra={"format": "uri"})
    api_status: Literal["alpha", "beta", "active", "deprecated", "retired", "decommissioned"]


def api_info_router(*, released: date, documentation: str) -> APIRouter:
    """Router of the public endpoint; `documentation` is the absolute URL of the docs page."""
    info = ApiInfo(
        api_name=API_NAME,
        api_version=API_VERSION,
        api_released=released,
        api_documentation=documentation,
        api_status="active",
    )
    router = strict_router(tags=["api"])

    @router.get("/api-info", summary="About this API / Om detta API", openapi_extra={"x-public": True})
    async def api_info() -> ApiInfo:
        """Name, version, release date, documentation and status of the API.

        Namn, version, datum, dokumentation och status för API:et.
        """
        return info

    return router
