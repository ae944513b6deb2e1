"""The pages' addresses: `/docs` (Swagger UI), `/docs/graphiql`, `/docs/law`, and their assets under `/docs/static/`.

They need no token: what they show is the published contract and the law, and they hold no data.
"""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from api.errors import not_found
from api.pages.assets import STATIC, cache_control
from api.pages.rendering import graphiql_page, law_page, page
from api.settings import Settings


def router(settings: Settings) -> APIRouter:
    """The routes of the docs pages, to be included under the API's base path."""
    routes = APIRouter(include_in_schema=False)
    files = StaticFiles(directory=STATIC)

    @routes.get("/docs")
    async def docs() -> HTMLResponse:
        """Swagger UI over the published OpenAPI document."""
        return page("docs", settings, root="./")

    @routes.get("/docs/graphiql")
    async def graphiql() -> HTMLResponse:
        """GraphiQL over the GraphQL endpoint."""
        return graphiql_page(settings, root="../")

    @routes.get("/docs/law")
    def law() -> HTMLResponse:
        """The encoded law as a document for lawyers, in Swedish."""
        # No coroutine: the first reader waits for the rendering, and nobody else.
        return law_page(settings, root="../")

    @routes.get("/docs/static/{path:path}")
    async def asset(path: str, request: Request) -> Response:
        """One asset; 304 where the browser's copy is current."""
        try:
            response = await files.get_response(path, request.scope)
        except HTTPException:
            raise not_found("This page asset") from None
        response.headers["Cache-Control"] = cache_control(path)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return routes
