"""An example of a JSON schema, from the examples its parts carry; the same every time."""

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

_BY_FORMAT = {
    "date": "2026-11-20",
    "date-time": "2026-11-20T08:30:00Z",
    "uuid": "7d444840-9dc0-41d1-b245-5ffdce74fad2",
    "uri": "https://samsyn.example/samsyn/v1",
    "uri-reference": "/samsyn/v1/scenes",
    "email": "samsyn@samsyn.example",
}
_MAX_DEPTH = 20


def example_of(schema: Json, schemas: Json, depth: int = 0) -> Any:
    """Return a value that the schema accepts; `schemas` are the document's components.

    Raises ValueError where a pattern allows no guess: give that type an `example`.
    """
    if depth > _MAX_DEPTH:
        raise ValueError("the schema contains itself; give it an example")
    if "$ref" in schema and "example" not in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas, depth + 1)
    stated = _stated(schema)
    if stated:
        return stated[0]
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        some = [part for part in options if part.get("type") != "null"] or options
        return example_of(some[0], schemas, depth + 1)
    if "allOf" in schema:
        return _merged([example_of(part, schemas, depth + 1) for part in schema["allOf"]])
    return _OF_TYPE.get(schema.get("type", ""), _unknown)(schema, schemas, depth + 1)


def _stated(schema: Json) -> list[Any]:
    """Return the value that the schema itself names, if any, as a list of one."""
    for key in ("example", "const", "default"):
        if schema.get(key) is not None:
            return [schema[key]]
    allowed: list[Any] = schema.get("enum", [])
    return allowed[:1]


def _merged(parts: list[Any]) -> Any:
    if all(isinstance(part, dict) for part in parts):
        return {key: value for part in parts for key, value in part.items()}
    return parts[0]


def _object(schema: Json, schemas: Json, depth: int) -> Json:
    return {name: example_of(part, schemas, depth) for name, part in schema.get("properties", {}).items()}


def _array(schema: Json, schemas: Json, depth: int) -> list[Any]:
    if "prefixItems" in schema:
        return [example_of(part, schemas, depth) for part in schema["prefixItems"]]
    if schema.get("maxItems") == 0:
        return []
    return [example_of(schema.get("items", {}), schemas, depth)] * max(1, schema.get("minItems", 0))


def _text(schema: Json, _schemas: Json, _depth: int) -> str:
    if schema.get("format") in _BY_FORMAT:
        return _BY_FORMAT[schema["format"]]
    pattern = schema.get("pattern")
    # The patterns of `Text` only exclude characters; of any other, nothing can be guessed.
    if pattern is not None and not pattern.startswith("^[^"):
        raise ValueError(f"pattern {pattern} needs an example")
    return "Text".ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 80)]


def _number(schema: Json, _schemas: Json, _depth: int) -> int | float:
    if "exclusiveMinimum" in schema:
        low: int | float = schema["exclusiveMinimum"] + 1
    else:
        low = schema.get("minimum", min(1, schema.get("maximum", 1)))
    return int(low) if float(low).is_integer() else low


def _true(_schema: Json, _schemas: Json, _depth: int) -> bool:
    return True


def _unknown(_schema: Json, _schemas: Json, _depth: int) -> Any:
    return {}


_OF_TYPE: dict[str, Callable[[Json, Json, int], Any]] = {
    "object": _object,
    "array": _array,
    "string": _text,
    "integer": _number,
    "number": _number,
    "boolean": _true,
    "null": lambda *_: None,
}
