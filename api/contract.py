"""What is generated and committed: the contracts, made from the routes, and what is made from the law files.

`GENERATED` names each file and its maker; `samsyn contracts` writes them all, or says which are stale and shows how.
"""

import difflib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.routing import APIRouter
from starlette.responses import Response

from api.web.conditional import respond
from api.web.openapi import shape
from policies.explain import Language


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


@lru_cache(maxsize=1)
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


def _contract(name: str) -> Callable[[], bytes]:
    return lambda: contract_files()[name]


def _matrix() -> bytes:
    from api.law.matrix import golden
    from policies.catalogue import law

    return golden(law())


def _law_document() -> bytes:
    from policies.catalogue import law
    from policies.document.text import document

    return document(law()).encode()


MATRIX = "policies/matrix.golden.csv"
# Path below the project's folder, and what makes the file.
GENERATED: tuple[tuple[str, Callable[[], bytes]], ...] = (
    ("openapi/openapi.json", _contract("openapi.json")),
    ("openapi/schema.graphql", _contract("schema.graphql")),
    (MATRIX, _matrix),
    ("policies/law.md", _law_document),
)
_LONGEST_DIFFERENCE = 200


@dataclass(frozen=True, slots=True)
class Stale:
    """A generated file that is not what its maker makes now; `found` is empty where there is none."""

    name: str
    path: Path
    found: bytes
    made: bytes

    def write(self) -> None:
        """Bring the file up to date."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(self.made)

    def difference(self) -> list[str]:
        """What would change in the file, as a unified diff of at most 200 lines."""
        found, made = (content.decode(errors="replace").splitlines() for content in (self.found, self.made))
        lines = list(
            difflib.unified_diff(found, made, f"{self.name} (committed)", f"{self.name} (made now)", lineterm="")
        )
        more = len(lines) - _LONGEST_DIFFERENCE
        return lines if more <= 0 else [*lines[:_LONGEST_DIFFERENCE], f"… and {more} more lines"]


def stale_files(root: Path, *names: str) -> Iterator[Stale]:
    """The generated files under a folder that are missing or out of date; only those named, where any are."""
    for name, make in GENERATED:
        if names and name not in names:
            continue
        path, made = root / name, make()
        found = path.read_bytes() if path.exists() else b""
        if found != made:
            yield Stale(name, path, found, made)


def matrix_in_words(stale: Stale, language: Language) -> list[str]:
    """What the committed matrix and the law of now answer differently, in sentences."""
    from api.law.matrix import from_csv, matrix_of
    from policies.catalogue import law
    from policies.changes.phrases import Names
    from policies.changes.text import outcomes

    now = matrix_of(law())
    try:
        committed = from_csv(stale.found.decode(), now.axes)
    except ValueError:
        return []
    return list(outcomes(committed, now, Names(law(), law()), language))
