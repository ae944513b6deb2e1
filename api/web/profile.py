"""The rules of the national REST API-profil that an OpenAPI document can show, one function each.

`violations(document)` lists what breaks them, as `RULE.ID place: what`. Written from the profile's text; the
agency's own linter judges the same document elsewhere.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]
Rule = Callable[[Json], Iterator[str]]

METHODS = ("get", "post", "put", "patch", "delete")
RULES: dict[str, Rule] = {}
_CAMEL = re.compile(r"[a-z][a-z0-9]*(?:[A-Z][a-z0-9]*)*")
_DATE = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
_DATE_TIME = re.compile(_DATE.pattern + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})")
_FIRST_ERROR = 400


def violations(document: Json) -> list[str]:
    """Return every breach of the profile in the document; empty is the aim."""
    return [f"{rule_id} {breach}" for rule_id, rule in RULES.items() for breach in rule(document)]


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Every operation as (path, method, operation), in the document's order."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def resolved(document: Json, node: Any) -> Any:
    """Return a node, or what its `$ref` points to."""
    while isinstance(node, dict) and "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def _rule(rule_id: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        RULES[rule_id] = rule
        return rule

    return register


def _responses(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, method, operation in operations(document):
        for status, response in operation.get("responses", {}).items():
            yield f"{method.upper()} {path} {status}", status, resolved(document, response)


def _parameters(document: Json) -> Iterator[tuple[str, Json]]:
    for path, method, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            found = resolved(document, parameter)
            yield f"{method.upper()} {path} {found['in']}.{found['name']}", found


def _is_error(status: str) -> bool:
    return status == "default" or (status.isdigit() and int(status) >= _FIRST_ERROR)


@_rule("DOK.03")
def _info_is_complete(document: Json) -> Iterator[str]:
    info = document.get("info", {})
    for name in ("version", "title", "description", "termsOfService", "contact", "license"):
        if not info.get(name):
            yield f"info.{name} is missing"
    for name in ("name", "url", "email"):
        if not info.get("contact", {}).get(name):
            yield f"info.contact.{name} is missing"
    for name in ("name", "url"):
        if not info.get("license", {}).get(name):
            yield f"info.license.{name} is missing"


@_rule("DOK.06")
def _description_is_bilingual(document: Json) -> Iterator[str]:
    words = set(re.findall(r"[a-zåäö]+", document.get("info", {}).get("description", "").lower()))
    if not {"och", "som"} <= words:
        yield "info.description is not in Swedish"
    if not {"and", "the"} <= words:
        yield "info.description is not in English"


@_rule("DOK.09")
def _limits_are_named(document: Json) -> Iterator[str]:
    if "begränsning" not in document.get("info", {}).get("description", "").lower():
        yield "info.description names no begränsningar"


@_rule("DOK.15")
def _json_bodies_have_an_example(document: Json) -> Iterator[str]:
    bodies: list[tuple[str, Json]] = [(where, response) for where, _, response in _responses(document)]
    for path, method, operation in operations(document):
        if "requestBody" in operation:
            bodies.append((f"{method.upper()} {path} request", resolved(document, operation["requestBody"])))
    for where, body in bodies:
        for media_type, content in body.get("content", {}).items():
            is_json = media_type == "application/json" or media_type.endswith("+json")
            if is_json and "example" not in resolved(document, content.get("schema", {})):
                yield f"{where} {media_type}: the schema has no example"


@_rule("DOK.19")
def _operations_are_described(document: Json) -> Iterator[str]:
    for path, method, operation in operations(document):
        for name in ("summary", "description"):
            if not operation.get(name):
                yield f"{method.upper()} {path} has no {name}"


@_rule("DOK.20")
def _responses_are_described(document: Json) -> Iterator[str]:
    for where, _, response in _responses(document):
        if not response.get("description"):
            yield f"{where} has no description"


@_rule("DOK.21")
def _security_is_declared(document: Json) -> Iterator[str]:
    known = document.get("components", {}).get("securitySchemes", {})
    for path, method, operation in operations(document):
        if "security" not in operation and "security" not in document:
            yield f"{method.upper()} {path} declares no security"
        for requirement in operation.get("security", ()):
            for name in requirement:
                if name not in known:
                    yield f"{method.upper()} {path} needs the undeclared scheme {name}"


@_rule("DOT.02")
def _dates_have_an_example(document: Json) -> Iterator[str]:
    forms = {"date": _DATE, "date-time": _DATE_TIME}
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        for property_name, prop in schema.get("properties", {}).items():
            options = [prop, *prop.get("anyOf", ())]
            form = next((forms[part["format"]] for part in options if part.get("format") in forms), None)
            if form is not None and not form.fullmatch(str(prop.get("example", ""))):
                yield f"{name}.{property_name} has no example in RFC 3339"


@_rule("FEL.01")
def _problems_are_whole(document: Json) -> Iterator[str]:
    for where, _, response in _responses(document):
        content = response.get("content", {}).get("application/problem+json")
        if content is None:
            continue
        schema = resolved(document, content.get("schema", {}))
        lacking = {"type", "title", "status", "detail", "instance"} - set(schema.get("properties", {}))
        if schema.get("type") != "object" or lacking:
            yield f"{where}: the problem lacks {sorted(lacking)}"


@_rule("FEL.02")
def _errors_are_problems(document: Json) -> Iterator[str]:
    for where, status, response in _responses(document):
        content = response.get("content", {})
        if _is_error(status) and content and "application/problem+json" not in content:
            yield f"{where} is no application/problem+json"
    for name in ("HTTPValidationError", "ValidationError"):
        if name in document.get("components", {}).get("schemas", {}):
            yield f"{name} is left in the document"


@_rule("VER.06")
def _api_info_exists(document: Json) -> Iterator[str]:
    if "get" not in document["paths"].get("/api-info", {}):
        yield "GET /api-info is missing"


@_rule("UFN.01")
def _server_is_named_as_it_must_be(document: Json) -> Iterator[str]:
    servers = document.get("servers") or [{}]
    for server in servers:
        # SAK.01, UFN.02 and VER.05 look at the same text: https, no port, one API name, v and a number.
        if not re.fullmatch(r"https://[a-z0-9.-]+/[a-z0-9-]+/v[0-9]+", server.get("url", "")):
            yield f"servers: {server.get('url')} is not https://host/api/v1"


@_rule("UFN.07")
def _paths_are_plain(document: Json) -> Iterator[str]:
    for path in document["paths"]:
        for part in path.removeprefix("/").split("/"):
            if part.startswith("{"):
                continue
            if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*(?:\.json)?", part):
                yield f"{path}: {part!r} has other characters than a-z, 0-9 and single hyphens"


@_rule("UFN.09")
def _path_parameters_are_camel_case(document: Json) -> Iterator[str]:
    for path in document["paths"]:
        for name in re.findall(r"\{([^}]*)\}", path):
            if not _CAMEL.fullmatch(name):
                yield f"{path}: {name} is not camelCase"


@_rule("FNS.01")
def _query_parameters_are_camel_case(document: Json) -> Iterator[str]:
    for where, parameter in _parameters(document):
        if parameter["in"] == "query" and not _CAMEL.fullmatch(parameter["name"]):
            yield f"{where} is not camelCase"


@_rule("FNS.07")
def _pages_are_asked_for_alike(document: Json) -> Iterator[str]:
    for path, method, operation in operations(document):
        where = f"{method.upper()} {path}"
        query = {p["name"]: p for p in operation.get("parameters", ()) if p.get("in") == "query"}
        if "page" in query and "limit" not in query:
            yield f"{where} takes page without limit"
        if "page" in query and query["page"]["schema"].get("default") != 1:
            yield f"{where}: page does not start at 1"
        if "page" in query and "limit" in query and query["limit"]["schema"].get("default") != 20:  # noqa: PLR2004
            yield f"{where}: limit is not 20 unless asked (FNS.09)"


@_rule("ARP.03")
def _created_has_a_location(document: Json) -> Iterator[str]:
    for where, status, response in _responses(document):
        if status == "201" and "Location" not in response.get("headers", {}):
            yield f"{where} has no Location header"


@_rule("SAK.09")
def _only_bearer_tokens(document: Json) -> Iterator[str]:
    for name, scheme in document.get("components", {}).get("securitySchemes", {}).items():
        if (scheme.get("type"), scheme.get("scheme")) != ("http", "bearer"):
            yield f"{name} is not http/bearer (SAK.10)"


@_rule("SPA.02")
def _requests_carry_a_trace(document: Json) -> Iterator[str]:
    for path, method, operation in operations(document):
        found = [resolved(document, parameter) for parameter in operation.get("parameters", ())]
        if not any(one["in"] == "header" and one["name"].lower() == "traceparent" for one in found):
            yield f"{method.upper()} {path} takes no traceparent"


@_rule("SPA.04")
def _answers_carry_a_trace(document: Json) -> Iterator[str]:
    for where, _, response in _responses(document):
        if "traceparent" not in response.get("headers", {}):
            yield f"{where} has no traceparent header"
