"""The docs pages as HTML, with the headers that keep a page to its own origin."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.pages.assets import vendor_path
from api.pages.markdown import Rendered, render
from api.settings import Settings
from policies.catalogue import law
from policies.document.text import document

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)

# INVARIANT: a page loads, and talks to, nothing but its own origin, and runs no inline script: closed networks have
# no way out, and a token typed into a page must have none either.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{inline_style}; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# GraphiQL writes a style element when it opens a dialog; Swagger UI gets by without.
_INLINE_STYLE = {"docs": "", "graphiql": " 'unsafe-inline'", "law": ""}

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def page(
    name: Literal["docs", "graphiql", "law"], settings: Settings, *, root: str, shown: Rendered | None = None
) -> HTMLResponse:
    """One page. `root` is the API root as seen from the page's own address (`./`, `../`).

    Relative addresses hold whatever prefix a reverse proxy puts in front of the service.
    """
    html = TEMPLATES.get_template(f"{name}.html").render(
        root=root,
        static=f"{root}docs/static/",
        swagger=f"{root}docs/static/{vendor_path('swagger-ui-dist')}/",
        graphiql=f"{root}docs/static/{vendor_path('graphiql')}/",
        development=settings.environment == "development",
        document=shown,
    )
    policy = _POLICY.format(inline_style=_INLINE_STYLE[name])
    return HTMLResponse(html, headers=HEADERS | {"Content-Security-Policy": policy})


def graphiql_page(settings: Settings, *, root: str = "./") -> HTMLResponse:
    """GraphiQL, also as the answer of `GET /graphql` to a browser (`root="./"` there)."""
    return page("graphiql", settings, root=root)


def law_page(settings: Settings, *, root: str) -> HTMLResponse:
    """The law that the service decides by, as a document for lawyers."""
    return page("law", settings, root=root, shown=_law_document())


@lru_cache(maxsize=1)
def _law_document() -> Rendered:
    # The page lists its own contents beside the text, so the document's own list is left out.
    return render(document(law()), without="innehall")
