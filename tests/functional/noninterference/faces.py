"""Every face that the service shows, found by walking its routes and its contract, and random requests to them."""

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, Route

from api.contract import openapi_bytes
from api.settings import BASE_PATH
from api.web.profile import operations, resolved
from tests.functional.noninterference.documents import Documents
from tests.functional.noninterference.pools import Pools, is_id, singular, snake, tables_of

_IN_PATH = re.compile(r"\{([^}:]+)(?::[a-z]+)?\}")
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
_ACCEPTS = ["*/*", "text/html", "text/csv", "application/geo+json", "application/pdf", "application/problem+json", "no"]
_CHANGING = ("PATCH", "PUT", "DELETE")
# Said by the caller of a whole case, or by the exchange itself, not drawn for each request.
_OF_THE_CALLER = {"purpose", "legal-basis", "case-reference", "traceparent"}


@dataclass(frozen=True)
class Face:
    """A method of an address; `operation` is what the contract says of it, empty where it stands outside."""

    method: str
    template: str
    operation: dict[str, Any] = field(default_factory=dict, compare=False, hash=False)

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    def subjects(self) -> set[str]:
        """The tables that the end of its address speaks of: persons, for the persons of a mapping and one of them."""
        words = [word for word in self.template.split("/") if word and "{" not in word]
        return set(tables_of(words[-1].replace("-", "_"))) if words else set()

    def sorts(self) -> list[str]:
        """The fields that its rows can be ordered by, out of the pattern of its parameter `sort`."""
        patterns = [one["schema"].get("pattern", "") for one in self.parameters("query") if one["name"] == "sort"]
        found = [re.match(r"\^-\?\(\?:([^)]+)\)", pattern) for pattern in patterns]
        assert all(found), f"{self}: this test cannot read what the list can be ordered by; teach it"
        return [field for one in found if one for field in one[1].split("|")]

    def parameters(self, where: str) -> list[dict[str, Any]]:
        return [one for one in self.operation.get("parameters", []) if one["in"] == where]


@dataclass(frozen=True)
class Asked:
    """One request, in the words of the client that sends it; `used` names what of the contract it used."""

    face: Face
    url: str
    params: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    content: bytes | None
    used: frozenset[str]

    def __str__(self) -> str:
        headers = [pair for pair in self.headers if pair[0] not in ("Authorization", "traceparent")]
        return f"{self.face.method} {self.url} {list(self.params)} {headers} {(self.content or b'')[:2000]!r}"

    def as_request(self) -> dict[str, Any]:
        return {
            "method": self.face.method,
            "url": self.url if self.url.startswith("http") else f"http://test{self.url}",
            "params": list(self.params) or None,
            "headers": list(self.headers),
            "content": self.content,
        }


def contract(app: Any) -> dict[str, Any]:
    """The contract that the app serves."""
    return json.loads(openapi_bytes(app.state.api))


def all_faces(app: Any) -> list[Face]:
    """Every method of every address of the app, in the contract or not, HEAD and OPTIONS too."""
    document = contract(app)
    known = {(method.upper(), path): _whole(document, path, one) for path, method, one in operations(document)}
    faces: dict[tuple[str, str], Face] = {}
    for route in app.routes:
        if isinstance(route, Mount) and route.path == BASE_PATH:
            continue
        assert isinstance(route, Route), f"{route}: a face of a sort that this test cannot walk yet; teach it"
        for method in route.methods or ():
            faces[method, route.path] = Face(method, route.path)
    for context in iter_route_contexts(app.state.api.routes):
        known_sort = context.path is not None and context.methods is not None
        assert known_sort, f"{context}: a face of a sort that this test cannot walk yet; teach it"
        for method in {*context.methods, "OPTIONS", *(["HEAD"] if "GET" in context.methods else [])}:
            described = known.get(("GET" if method == "HEAD" else method, context.path), {})
            faces[method, context.path] = Face(method, BASE_PATH + context.path, described)
    unseen = set(known) - set(faces)
    assert not unseen, f"the contract names what no route serves: {unseen}"
    return sorted(faces.values(), key=str)


def _whole(document: dict[str, Any], path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """An operation with its parameters written out."""
    shared = document["paths"][path].get("parameters", [])
    parameters = [resolved(document, one) for one in (*shared, *operation.get("parameters", []))]
    body = resolved(document, operation.get("requestBody", {}))
    answers = {status: resolved(document, answer) for status, answer in operation.get("responses", {}).items()}
    return {**operation, "parameters": parameters, "requestBody": body, "responses": answers}


class Asker:
    """Draws requests for one case. `memory` keeps what earlier answers told: entity tags and links."""

    def __init__(self, rng: random.Random, pools: Pools, documents: Documents, memory: "Memory") -> None:
        self._rng, self._pools, self._documents, self._memory = rng, pools, documents, memory

    def ask(self, face: Face, said: tuple[tuple[str, str], ...]) -> Iterator[Asked]:
        """A request to a face by a caller who says `said` in headers; what changes something is mostly read before.

        Answers are to be noted before the next request is drawn, for it may use what they tell.
        """
        rng = self._rng
        used = {str(face)}
        url = self._url(face)
        if face.method in _CHANGING and rng.random() < 0.8:
            yield Asked(Face("GET", "(before a change)"), url, (), (*said, ("traceparent", _TRACE)), None, frozenset())
        params = list(self._query(face, used))
        content, media_type = self._body(face, url)
        headers = [*said, ("traceparent", _TRACE), *self._headers(face, url, used)]
        if media_type is not None:
            headers.append(("Content-Type", media_type if rng.random() < 0.97 else "text/plain"))
        yield Asked(face, url, tuple(params), tuple(headers), content, frozenset(used))

    def follow(self, said: tuple[tuple[str, str], ...]) -> Asked | None:
        """A link that some earlier answer gave."""
        link = self._memory.link(self._rng)
        if link is None:
            return None
        return Asked(Face("GET", "(a link)"), link, (), (*said, ("traceparent", _TRACE)), None, frozenset())

    def _url(self, face: Face) -> str:
        """The address with its parameters: mostly of rows that belong together, as a person and its mapping do."""
        names = _IN_PATH.findall(face.template)
        schemas = {one["name"]: one.get("schema", {}) for one in face.parameters("path")}
        chosen: dict[str, str] = {}
        if names and self._rng.random() < 0.85:
            tables = tables_of(names[-1])
            row = self._pools.about(tables[0]) if tables else None
            for name in names if row is not None else ():
                column = snake(name)
                if name == names[-1] and "id" in row:
                    chosen[name] = str(row["id"])
                elif column in row:
                    chosen[name] = str(row[column])

        def fill(found: re.Match[str]) -> str:
            name = found[1]
            known = chosen.get(name) or self._pools.value(name, schemas.get(name, {})) or "none"
            return str(known).replace("\x00", "").replace("?", "").replace("#", "") or "none"

        template = self._memory.like(self._rng, face.template) if not schemas else None
        return template or _IN_PATH.sub(fill, face.template)

    def _query(self, face: Face, used: set[str]) -> Iterator[tuple[str, str]]:
        rng, known = self._rng, self._memory.used
        for one in face.parameters("query"):
            name = one["name"]
            unsent = [field for field in face.sorts() if f"{face} ?sort={field}" not in known] if name == "sort" else []
            often = 0.97 if one.get("required") else 0.8 if unsent else 0.3 if f"{face} ?{name}" in known else 0.5
            if rng.random() > often:
                continue
            if unsent:
                fields = rng.sample(unsent, min(len(unsent), rng.choice([1, 1, 2])))
                used |= {f"{face} ?sort={field}" for field in fields}
                value: Any = ",".join(rng.choice(["", "-"]) + field for field in fields)
            else:
                value = self._value(face, one)
            used.add(f"{face} ?{name}")
            yield name, str(value)
            if rng.random() < 0.03:
                yield name, self._pools.odd()
        if rng.random() < 0.03:
            yield rng.choice(["unknown", "holder", "name", "offset"]), self._pools.odd()

    def _value(self, face: Face, parameter: dict[str, Any]) -> Any:
        if face.template.endswith("/graphql") and parameter["name"] == "query" and self._rng.random() < 0.95:
            return self._documents.query(self._rng, self._pools, variables=False)["query"]
        return self._pools.value(parameter["name"], parameter.get("schema", {}))

    def _headers(self, face: Face, url: str, used: set[str]) -> list[tuple[str, str]]:
        rng, headers = self._rng, []
        answers = face.operation.get("responses", {}).values()
        produced = [kind for answer in answers for kind in answer.get("content", {})]
        if rng.random() < 0.3:
            headers.append(("Accept", rng.choice([*produced, *produced, *_ACCEPTS])))
        if rng.random() < 0.2:
            headers.append(("Accept-Language", rng.choice(["sv", "en", "sv-SE, en;q=0.5", "zz"])))
        if face.method in ("GET", "HEAD") and rng.random() < 0.25:
            headers.append(("If-None-Match", self._memory.tag(rng, url)))
        elif face.method in _CHANGING and rng.random() < 0.85:
            headers.append(("If-Match", self._memory.tag(rng, url)))
        if face.method == "POST" and rng.random() < 0.8:
            row = self._pools.row("idempotent_answers") if rng.random() < 0.5 else None
            key = row["key"] if row is not None else f"{rng.getrandbits(64)}"
            headers.append(("Idempotency-Key", f'"{key}"'))
        given = {name.lower() for name, _ in headers} | {"accept-language", "if-match", "idempotency-key"}
        for one in face.parameters("header"):
            if one["name"].lower() not in given | _OF_THE_CALLER and rng.random() < 0.5:
                used.add(f"{face} {one['name']}")
                headers.append((one["name"], str(self._pools.value(one["name"], one.get("schema", {}))).strip("\x00")))
        return headers

    def _body(self, face: Face, url: str) -> tuple[bytes | None, str | None]:
        rng = self._rng
        offered = face.operation.get("requestBody", {}).get("content", {})
        if not offered:
            return None, None
        media_type = rng.choice(sorted(offered))
        if face.template.endswith("/graphql"):
            return json.dumps(self._documents.any(rng, self._pools)).encode(), media_type
        if rng.random() < 0.02:
            return b'{"half', media_type
        examples = (one.get("example", one.get("schema", {}).get("example")) for one in offered.values())
        example = next((one for one in examples if isinstance(one, dict | list)), {})
        body = self._varied(example, face.template, url)
        if media_type == "application/json" or not isinstance(body, list):
            return json.dumps(body).encode(), media_type
        if media_type == "text/csv":
            return _as_csv(body), media_type
        return "\n".join(json.dumps(row) for row in body).encode(), media_type

    def _varied(self, example: Any, template: str, url: str) -> Any:
        """The contract's example with other values: of rows that exist, on one side or both, or of no schema at all."""
        rng = self._rng
        if isinstance(example, list):
            return [self._varied(rng.choice(example), template, url) for _ in range(rng.choice([1, 1, 2]))]
        body = dict(example)
        plain = rng.random() < 0.3
        tables = tables_of(template.rpartition("/")[2])
        alike = bool(tables) and not plain and rng.random() < 0.7
        if alike:
            body = self._pools.body_like(tables[0], body, url)
        for name, value in list(body.items()):
            if is_id(value) and not (alike and rng.random() < 0.7):
                body[name] = self._pools.key(name) or self._pools.any_id()
            elif not plain:
                body[name] = self._another(name, value, url)
        if not plain and rng.random() < 0.15:
            name = rng.choice([*sorted(body), "unknown"])
            body[name] = rng.choice([None, 0, [], "x" * 5000, self._pools.odd()])
        return body

    def _another(self, name: str, value: Any, url: str) -> Any:
        """Another value for a member, now and then; of objects within it, other members."""
        rng = self._rng
        objects = isinstance(value, list) and value and all(isinstance(one, dict) for one in value)
        if objects and rng.random() < 0.3:
            return [self._varied(one, singular(name), url) for one in value]
        known = self._pools.text(name) if not objects and rng.random() < 0.1 else None
        return value if known is None else known


class Memory:
    """Entity tags by address, and links, as answers gave them. They are the same on both sides, or the run has ended.

    `used` names the parameters that have been sent.
    """

    def __init__(self) -> None:
        self.used: set[str] = set()
        self._tags: dict[str, str] = {}
        self._links: dict[str, None] = {}

    def note(self, url: str, answer: Any) -> None:
        if "etag" in answer.headers:
            self._tags[url] = answer.headers["etag"]
        kind = answer.headers.get("content-type", "")
        links: list[str] = []
        if "json" in kind and b'"_links"' in answer.content:
            links = re.findall(r'"href":"([^"]+)"', answer.text)
        elif "html" in kind:
            base = str(answer.request.url)
            found = re.findall(r'(?:href|src)="([^"#:]+)"', answer.text)
            links = [str(answer.request.url.join(one)) for one in found if one and base]
        for link in links:
            self._links[link] = None
        for old in list(self._links)[:-400]:
            del self._links[old]

    def tag(self, rng: random.Random, url: str) -> str:
        known = self._tags.get(url)
        return known if known is not None and rng.random() < 0.7 else rng.choice(["*", '"3f2a"', "W/x"])

    def link(self, rng: random.Random) -> str | None:
        return rng.choice(list(self._links)) if self._links else None

    def like(self, rng: random.Random, template: str) -> str | None:
        """A link to an address of a template that the contract says nothing of."""
        fitting = re.compile(_IN_PATH.sub(".+", template) + r"\Z")
        known = [link for link in self._links if fitting.search(link)]
        return rng.choice(known) if known and "{" in template and rng.random() < 0.7 else None


def _as_csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, sorted({name for row in rows for name in row}), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: str(value).lower() if isinstance(value, bool) else value for name, value in row.items()}
                     for row in rows)  # fmt: skip
    return text.getvalue().encode()
