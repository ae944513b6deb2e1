"""The OpenAPI document as the national REST API-profil wants it: `shape(app.openapi())`.

FastAPI describes the endpoints; what holds for all of them is added here, once: problems, trace headers, security,
examples. An operation says what is its own by `openapi_extra={"x-public": True}` (no token) and by `responses=` for
statuses that `_statuses` does not give it.

The document is a function of the routes alone: no clock, no settings, no order of a set.
"""

import copy
import re
from collections.abc import Iterator
from typing import Any, Final

from fastapi.routing import APIRoute

from api.errors import PROBLEMS, Fault, Problem
from api.web.datatypes import camel
from api.web.examples import example_of
from api.web.profile import METHODS, operations

Json = dict[str, Any]

SERVER: Final = "https://samsyn.example/samsyn/v1"
INFO: Final[Json] = {
    "title": "Samsyn",
    "description": (
        "Samsyn låter de myndigheter som arbetar mot öppna drogscener i Stockholms län dela det de vet om en plats, "
        "och ger var och en det som lagen låter den få. Varje utlämnad och varje undanhållen uppgift anger paragraf. "
        "**Begränsningar och kända problem:** ett angivet ändamål bevisar ingenting, det gör den som frågar ansvarig; "
        "antal 1–4 visas inte; DPoP krävs ännu inte.\n\n"
        "Samsyn lets the agencies that work against open drug scenes in Stockholm county share what they know about "
        "a place, and gives each of them what the law lets it have. Every released and every withheld field says "
        "which paragraph decided. **Limits and known problems:** a declared purpose proves nothing, it makes the "
        "caller accountable; counts of 1–4 are not shown; DPoP is not required yet."
    ),
    "termsOfService": "https://samsyn.example/terms",
    "contact": {"name": "Samsyn", "url": "https://samsyn.example/contact", "email": "samsyn@samsyn.example"},
    "license": {"name": "EUPL-1.2", "url": "https://joinup.ec.europa.eu/collection/eupl/eupl-text-eupl-12"},
}
_PROBLEM_TYPE = "application/problem+json"
_TRACE_EXAMPLE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_TRACE_PARAMETER: Json = {
    "name": "traceparent",
    "in": "header",
    "required": False,
    "description": "Trace of the caller (W3C Trace Context); one that cannot be read is replaced / Spårning",
    # No pattern: what cannot be read is replaced, not refused.
    "schema": {"type": "string", "example": _TRACE_EXAMPLE},
}
_HEADERS: dict[str, Json] = {
    "traceparent": {
        "description": "Trace of this answer (W3C Trace Context) / Svarets spårning",
        "schema": {
            "type": "string",
            "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
            "example": _TRACE_EXAMPLE,
        },
    },
    "Location": {
        "description": "URL of what was created / Adress till det som skapades",
        "schema": {"type": "string", "format": "uri-reference", "example": "/samsyn/v1/scenes/varberg"},
    },
    "Allow": {
        "description": "The methods this path takes / Metoder som sökvägen tar emot",
        "schema": {"type": "string", "example": "GET, HEAD, OPTIONS"},
    },
    "WWW-Authenticate": {
        "description": "How to authenticate (RFC 6750) / Hur man legitimerar sig",
        "schema": {"type": "string", "example": 'Bearer realm="samsyn"'},
    },
}
_HEADER_OF_STATUS = {201: "Location", 401: "WWW-Authenticate", 405: "Allow"}
_WHY, _CASE = "Purpose", "Case-Reference"
# What these cannot do without, by operation: elsewhere the headers open fields. The token is read first, so FastAPI
# takes them for optional.
NEEDED_HEADERS: Final[dict[str, frozenset[str]]] = {
    "answerSupplement": frozenset({_WHY}),
    "askSupplement": frozenset({_WHY}),
    "createRequest": frozenset({_WHY, _CASE}),
    "decideRequest": frozenset({_WHY}),
    "discloseOnOwnInitiative": frozenset({_WHY, _CASE}),
    "eraseIndividual": frozenset({_WHY, _CASE}),
    "makeExtract": frozenset({_WHY, _CASE}),
    "withdrawRequest": frozenset({_WHY}),
}


def operation_id(route: APIRoute) -> str:
    """Name of an operation: its handler's name in camelCase; for FastAPI's `generate_unique_id_function`."""
    return camel(route.name)


def shape(openapi: Json) -> Json:
    """Return FastAPI's document completed to the profile; the argument is left as it was.

    Raises ValueError, naming every place, where an operation lacks a description or an example cannot be made.
    """
    document = _renamed(copy.deepcopy(openapi))
    document["info"] = {**INFO, "version": document["info"]["version"]}
    document["servers"] = [{"url": SERVER}]
    document["security"] = [{"bearer": []}]
    components = document.setdefault("components", {})
    components["securitySchemes"] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "Access token (RFC 9068, ES256), valid for five minutes at most / Åtkomsttoken",
        }
    }
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _problem_schema()
    components["schemas"] = dict(sorted(schemas.items()))
    components["headers"] = _HEADERS
    components["responses"] = {}
    for node in _schema_nodes(document):
        _tidy_schema(node)
    lacks: list[str] = []
    for path, item in document["paths"].items():
        document["paths"][path] = {method: item[method] for method in METHODS if method in item}
        for method, operation in document["paths"][path].items():
            where = f"{method.upper()} {path}"
            if not operation.get("summary") or not operation.get("description"):
                lacks.append(f"{where} needs a summary and a description")
            _complete(path, method, operation, components)
            lacks.extend(_complete_contents(operation, where, components["schemas"]))
    for name, schema in components["schemas"].items():
        lacks.extend(_complete_schema(name, schema, components["schemas"]))
    components["responses"] = dict(sorted(components["responses"].items()))
    if lacks:
        raise ValueError("; ".join(dict.fromkeys(lacks)))
    return document


def _statuses(path: str, method: str, operation: Json, *, public: bool) -> set[int]:
    """Return the refusals that an operation can answer by what it takes."""
    names = {parameter["name"].lower() for parameter in operation.get("parameters", ()) if parameter["in"] == "header"}
    statuses = {400, 405, 406, 413, 431, 500, 503}
    if not public:
        statuses |= {401, 403}
    if "{" in path:
        statuses |= {404}
    if operation.get("parameters") or "requestBody" in operation:
        statuses |= {422}
    if "requestBody" in operation:
        statuses |= {415}
    if method != "get":
        statuses |= {409}
    if "if-match" in names:
        statuses |= {412, 428}
    return statuses


def _complete(path: str, method: str, operation: Json, components: Json) -> None:
    public = bool(operation.pop("x-public", False))
    operation["security"] = [] if public else [{"bearer": []}]
    responses = operation["responses"]
    for status in _statuses(path, method, operation, public=public):
        responses.setdefault(str(status), {})
    needed = NEEDED_HEADERS.get(operation["operationId"], frozenset())
    for parameter in operation.setdefault("parameters", []):
        _without_null(parameter)
        if parameter["in"] == "header" and parameter["name"] in needed:
            parameter["required"] = True
    operation["parameters"].append(copy.deepcopy(_TRACE_PARAMETER))
    for status in sorted(responses):
        code = int(status) if status.isdigit() else 0
        if code >= 400:  # noqa: PLR2004 - from here on it is an error
            responses[status] = _problem_response(code, responses[status], components)
            continue
        headers = responses[status].setdefault("headers", {})
        headers.setdefault("traceparent", {"$ref": "#/components/headers/traceparent"})
        if code in _HEADER_OF_STATUS:
            headers.setdefault(_HEADER_OF_STATUS[code], {"$ref": f"#/components/headers/{_HEADER_OF_STATUS[code]}"})
    operation["responses"] = dict(sorted(responses.items()))


def _without_null(parameter: Json) -> None:
    """A parameter that may be left out has no way to be null: as text it would be the word."""
    schema = parameter.get("schema", {})
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1 and len(schema["anyOf"]) > 1:
        del schema["anyOf"]
        parameter["schema"] = {**kinds[0], **schema}


def _problem_response(status: int, given: Json, components: Json) -> Json:
    """Return a reference to the common answer of a status, or the operation's own with its description kept."""
    kind = next((kind for kind in PROBLEMS.values() if kind.status == status), None)
    name = f"Problem{status}"
    title = f"{kind.title_en} / {kind.title_sv}" if kind else f"Refused ({status})"
    common = {
        "description": title,
        "headers": {
            header: {"$ref": f"#/components/headers/{header}"}
            for header in ("traceparent", _HEADER_OF_STATUS.get(status))
            if header
        },
        "content": {
            _PROBLEM_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": Problem(kind.slug, kind.title_en).as_json("/samsyn/v1/scenes")
                if kind
                else _problem_example(),
            }
        },
    }
    own = given.get("description")
    if own and own not in _DEFAULT_DESCRIPTIONS:
        return {**common, "description": own}
    components["responses"].setdefault(name, common)
    return {"$ref": f"#/components/responses/{name}"}


# What FastAPI writes where an endpoint says nothing.
_DEFAULT_DESCRIPTIONS = frozenset({"Validation Error", "Additional Response"})


def _problem_example() -> Json:
    fault = Fault("query.page", "“0” is too small", "at least 1")
    return Problem("invalid", "query.page: “0” is too small", faults=[fault]).as_json("/samsyn/v1/scenes")


def _problem_schema() -> Json:
    text: Json = {"type": "string"}
    return {
        "type": "object",
        "description": "A refusal (RFC 9457) / Ett felmeddelande",
        "required": ["type", "title", "titleSv", "status", "detail", "instance"],
        "properties": {
            "type": {"type": "string", "format": "uri", "description": "Kind of problem; stable"},
            "title": {**text, "description": "The kind, in English"},
            "titleSv": {**text, "description": "Felets slag, på svenska"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {**text, "description": "What is wrong, and what to do"},
            "instance": {"type": "string", "format": "uri-reference", "description": "Path of the request"},
            "errors": {
                "type": "array",
                "description": "Each place that is wrong",
                "items": {
                    "type": "object",
                    "required": ["where", "what"],
                    "properties": {"where": text, "what": text, "hint": text},
                },
            },
            "errorId": {**text, "description": "Name of an unexpected error, to report it by"},
        },
        "example": _problem_example(),
    }


def _renamed(document: Json) -> Json:
    """Give components and references PascalCase names: `Page_Scene_`, `Scene-Input` → `PageScene`, `SceneInput`."""
    schemas = document.get("components", {}).get("schemas", {})
    names: dict[str, str] = {}
    for name in sorted(schemas):
        tidy = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))
        if tidy in names.values():
            raise ValueError(f"two schemas would be named {tidy}: rename {name}")
        names[name] = tidy

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                start, _, name = reference.rpartition("/")
                node = {**node, "$ref": f"{start}/{names.get(name, name)}"}
            return {key: walk(value) for key, value in node.items()}
        return [walk(value) for value in node] if isinstance(node, list) else node

    renamed: Json = walk(document)
    if schemas:
        renamed["components"]["schemas"] = {
            names[name]: body for name, body in renamed["components"]["schemas"].items()
        }
    return renamed


_SUBSCHEMAS = ("items", "additionalProperties", "not", "propertyNames")
_SUBSCHEMA_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")


def _below(schema: Any) -> Iterator[Json]:
    if not isinstance(schema, dict):
        return
    yield schema
    for key in _SUBSCHEMAS:
        yield from _below(schema.get(key))
    for key in _SUBSCHEMA_LISTS:
        for part in schema.get(key, ()):
            yield from _below(part)
    for part in schema.get("properties", {}).values():
        yield from _below(part)


def _schema_nodes(document: Json) -> Iterator[Json]:
    """Every schema of the document, each once, and no property that merely is called `title` or `example`."""
    for schema in document["components"]["schemas"].values():
        yield from _below(schema)
    for _, _, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            yield from _below(parameter.get("schema"))
        holders = [operation.get("requestBody", {}), *operation["responses"].values()]
        for holder in holders:
            for content in holder.get("content", {}).values():
                yield from _below(content.get("schema"))


# pydantic leaves a bound under its own name where a validator of ours stands between it and the type.
_PYDANTIC_WORDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def _tidy_schema(schema: Json) -> None:
    for ours, standard in _PYDANTIC_WORDS.items():
        if ours in schema:
            schema[standard] = schema.pop(ours)
    # pydantic repeats every name as a title.
    schema.pop("title", None)
    # The profile's linter knows the singular only.
    many = schema.pop("examples", None)
    if isinstance(many, list) and many:
        schema.setdefault("example", many[0])


def _complete_contents(operation: Json, where: str, schemas: Json) -> Iterator[str]:
    """Give every JSON body its example, beside the schema and in it; say what cannot be given one."""
    places = [("request body", operation.get("requestBody", {})), *operation["responses"].items()]
    for place, holder in places:
        content = holder.get("content", {}).get("application/json")
        if content is None:
            continue
        schema = content.setdefault("schema", {})
        try:
            content["example"] = example_of(schema, schemas)
        except ValueError as error:
            yield f"{where} {place}: {error}"
            continue
        if "$ref" not in schema:
            schema.setdefault("example", content["example"])


def _complete_schema(name: str, schema: Json, schemas: Json) -> Iterator[str]:
    """Give a component and its dates their examples; say what cannot be given one."""
    for property_name, prop in schema.get("properties", {}).items():
        formats = {part.get("format") for part in _below(prop)}
        if formats & {"date", "date-time"} and "example" not in prop and prop.get("type") != "array":
            prop["example"] = example_of(prop, schemas)
        if re.fullmatch(r"_?[a-z][A-Za-z0-9]*", property_name) is None:
            yield f"{name}.{property_name} is not camelCase"
    if "example" not in schema:
        try:
            schema["example"] = example_of(schema, schemas)
        except ValueError as error:
            yield f"{name}: {error}"
