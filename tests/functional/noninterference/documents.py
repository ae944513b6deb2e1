"""Random GraphQL documents, made from what the served schema says of itself: every field, argument and mutation."""

import json
import random
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    build_client_schema,
    get_introspection_query,
    get_named_type,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from tests.functional.noninterference.pools import Pools, is_id, tables_of

_DEEPEST = 6
# The service refuses deeper questions than so, and no type of the schema is wrapped more often.
INTROSPECTION = get_introspection_query(descriptions=False, type_depth=3)


class Documents:
    """Draws documents, those parts of the schema first that have not been asked for yet."""

    def __init__(self, introspected: dict[str, Any]) -> None:
        self.schema: GraphQLSchema = build_client_schema(introspected)
        self.unasked = set(self.everything())

    def everything(self) -> list[str]:
        """Every field and argument of every object type that a document can reach."""
        found = []
        for name, kind in self.schema.type_map.items():
            if isinstance(kind, GraphQLObjectType) and not name.startswith("__"):
                for field, one in kind.fields.items():
                    found += [f"{name}.{field}", *(f"{name}.{field}({argument})" for argument in one.args)]
        return found

    def any(self, rng: random.Random, pools: Pools) -> dict[str, Any]:
        """A request: mostly a query, sometimes a mutation, seldom nonsense."""
        if self.schema.mutation_type is not None and rng.random() < 0.25:
            return self._request(rng, pools, "mutation", self.schema.mutation_type)
        return self.query(rng, pools)

    def query(self, rng: random.Random, pools: Pools, *, variables: bool = True) -> dict[str, Any]:
        assert self.schema.query_type is not None
        return self._request(rng, pools, "query", self.schema.query_type, variables=variables)

    def _request(
        self, rng: random.Random, pools: Pools, word: str, root: GraphQLObjectType, *, variables: bool = True
    ) -> dict[str, Any]:
        drawing = _Drawing(rng, pools, self, variables=variables)
        fields = [name for name in root.fields if f"{root.name}.{name}" in self.unasked] or list(root.fields)
        most = 1 if word == "mutation" else 3
        chosen = [rng.choice(fields) for _ in range(rng.randint(1, most))]
        parts = [drawing.field(root, name, f"r{nth}", 1) for nth, name in enumerate(chosen)]
        if rng.random() < 0.04:
            parts.append("noSuchField")
        head = f"{word} Q({', '.join(drawing.declared)})" if drawing.declared else word
        text = " ".join((head, "{", *parts, "}", *drawing.fragments))
        request: dict[str, Any] = {"query": text}
        if drawing.values:
            request["variables"] = drawing.values
        if rng.random() < 0.02:
            request["query"] = text[: rng.randint(1, len(text))]
        return request


class _Drawing:
    def __init__(self, rng: random.Random, pools: Pools, documents: Documents, *, variables: bool) -> None:
        self._rng, self._pools, self._documents, self._variables = rng, pools, documents, variables
        self.declared: list[str] = []
        self.values: dict[str, Any] = {}
        self.fragments: list[str] = []

    def _first_time(self, what: str) -> bool:
        new = what in self._documents.unasked
        self._documents.unasked.discard(what)
        return new

    def field(self, parent: GraphQLObjectType, name: str, alias: str | None, depth: int) -> str:
        field = parent.fields[name]
        self._first_time(f"{parent.name}.{name}")
        shown = f"{alias}: {name}" if alias else name
        given = [one for one in (self._argument(parent, name, field, argument) for argument in field.args) if one]
        if given:
            shown += f"({', '.join(given)})"
        if self._rng.random() < 0.03:
            shown += f" @{self._rng.choice(['include', 'skip'])}(if: {self._rng.choice(['true', 'false'])})"
        answered = get_named_type(field.type)
        if is_object_type(answered):
            shown += f" {{ {self._selection(answered, depth)} }}"
        return shown

    def _selection(self, kind: GraphQLObjectType, depth: int) -> str:
        rng, parts = self._rng, []
        for name, field in kind.fields.items():
            nested = is_object_type(get_named_type(field.type))
            fresh = f"{kind.name}.{name}" in self._documents.unasked
            if nested and depth >= _DEEPEST:
                continue
            if fresh or rng.random() < (0.7 if nested else 0.5):
                alias = f"a{rng.randint(0, 99)}{name}" if rng.random() < 0.2 else None
                parts.append(self.field(kind, name, alias, depth + 1))
                if nested and rng.random() < 0.2:
                    parts.append(self.field(kind, name, f"again{name}", depth + 1))
        if not parts or rng.random() < 0.1:
            parts.append("__typename")
        if rng.random() < 0.1:
            fragment = f"F{len(self.fragments)}"
            self.fragments.append(f"fragment {fragment} on {kind.name} {{ {' '.join(parts)} }}")
            return f"...{fragment}"
        return " ".join(parts)

    def _argument(self, parent: GraphQLObjectType, name: str, field: GraphQLField, argument: str) -> str | None:
        kind = field.args[argument].type
        what = f"{parent.name}.{name}({argument})"
        rng = self._rng
        if not is_non_null_type(kind) and what not in self._documents.unasked and rng.random() > 0.35:
            return None
        self._first_time(what)
        value = self._value(kind, argument, field)
        if self._variables and rng.random() < 0.15:
            variable = f"v{len(self.declared)}"
            self.declared.append(f"${variable}: {kind}")
            self.values[variable] = value
            return f"{argument}: ${variable}"
        return f"{argument}: {_literal(value)}"

    def _value(self, kind: Any, name: str, field: GraphQLField | None) -> Any:
        rng, nullable = self._rng, get_nullable_type(kind)
        if is_list_type(nullable):
            return [self._value(nullable.of_type, name, None) for _ in range(rng.choice([0, 1, 1, 2]))]
        if is_input_object_type(nullable):
            return {
                inner: self._value(one.type, inner, None)
                for inner, one in nullable.fields.items()
                if is_non_null_type(one.type) or rng.random() < 0.6
            }
        if rng.random() < 0.04:
            return self._pools.odd()
        return self._scalar(nullable.name, name, field)

    def _scalar(self, kind: str, name: str, field: GraphQLField | None) -> Any:
        rng = self._rng
        if kind == "Int":
            known = self._pools.text(name)
            return known if isinstance(known, int) and rng.random() < 0.5 else rng.choice([1, 1, 2, 5, 20, 100, 101, 0])
        if kind == "Boolean":
            return rng.random() < 0.5
        if kind == "Float":
            return rng.choice([17.9334, 59.2947])
        if name == "sort" and field is not None:
            chosen = rng.sample(self._leaves(field), rng.choice([1, 1, 2]))
            return ",".join(rng.choice(["", "-"]) + one for one in chosen)
        own = f"{get_named_type(field.type).name}Id" if field is not None and name == "id" else name
        known = self._pools.key(own) if tables_of(own) else None
        if known is None or (kind != "ID" and not is_id(known) and rng.random() < 0.5):
            known = self._pools.text(name)
        return known if known is not None else self._pools.any_id()

    def _leaves(self, field: GraphQLField) -> list[str]:
        """The fields that rows of this answer can be sorted by, or could be taken to."""
        answered = get_named_type(field.type)
        items = answered.fields.get("items")
        row = get_named_type(items.type) if items is not None else answered
        return [*row.fields, "name"]


def _literal(value: Any) -> str:
    """A value as GraphQL spells it: JSON, but for the names of an object's members."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_literal(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return json.dumps(value)
