"""From a validated operation to selections: what the gate is asked for, and how its answers are put together.

The schema has object types only, so a type condition always names the type it stands in, and collecting fields needs
no knowledge of rows. A plan depends on the text and the variables, never on the caller.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    OperationDefinitionNode,
    SelectionSetNode,
    get_argument_values,
    get_directive_values,
    get_named_type,
)
from graphql.language import InlineFragmentNode

from api.disclosure.resource import Resource
from api.disclosure.selection import ChildWanted, FieldWanted, Selection, parse_sort
from api.graphql.binding import RootField
from api.web.paging import DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE

_COUNTED = {"totalRecords", "page", "limit", "count"}
_IDS = {"id", "scene", "decision", "individual"}


@dataclass(frozen=True, slots=True)
class PagePart:
    """One member of a page: items (the selection's number), a count, or a constant."""

    key: str
    what: str
    selection: int | None = None


@dataclass(frozen=True, slots=True)
class RootPlan:
    """One root field: its response key and what it needs from the gate; `parts` is None for a single row.

    `scope` is what a token needs beside `read`.
    """

    key: str
    selections: tuple[Selection, ...]
    as_of: date | None
    page: int
    limit: int
    parts: tuple[PagePart, ...] | None
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole query: response keys in order, the compiled roots by key, and the fields graphql-core is to answer."""

    order: tuple[str, ...]
    roots: Mapping[str, RootPlan]
    resolved: tuple[FieldNode, ...]


Grouped = dict[str, list[FieldNode]]


class Planner:
    """Plans operations of one document with one set of variables."""

    def __init__(
        self,
        schema: GraphQLSchema,
        roots: Mapping[str, RootField],
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Any,
    ) -> None:
        self._schema, self._roots, self._fragments, self._variables = schema, roots, fragments, variables

    def plan(self, operation: OperationDefinitionNode) -> Plan:
        """Plan a query. Raises `GraphQLError`, or `Problem` for a sort that the list does not have."""
        query = self._schema.query_type
        assert query is not None, "the schema has a query type"  # noqa: S101
        grouped = self._collect([operation.selection_set])
        roots, resolved = {}, []
        for key, nodes in grouped.items():
            root = self._roots.get(nodes[0].name.value)
            if root is None:
                resolved += nodes
            else:
                roots[key] = self._root(key, root, query, nodes)
        return Plan(tuple(grouped), roots, tuple(resolved))

    def _collect(self, sets: list[SelectionSetNode]) -> Grouped:
        grouped: Grouped = {}
        seen: set[str] = set()
        for selection_set in sets:
            self._visit(selection_set, grouped, seen)
        return grouped

    def _visit(self, selection_set: SelectionSetNode, grouped: Grouped, seen: set[str]) -> None:
        for node in selection_set.selections:
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                grouped.setdefault((node.alias or node.name).value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                self._visit(node.selection_set, grouped, seen)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                self._visit(self._fragments[node.name.value].selection_set, grouped, seen)

    def _included(self, node: Any) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        if skip and skip["if"] is True:
            return False
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return not (include and include["if"] is False)

    def _root(self, key: str, root: RootField, query: GraphQLObjectType, nodes: list[FieldNode]) -> RootPlan:
        field = query.fields[root.name]
        arguments = get_argument_values(field, nodes[0], self._variables)
        filters = tuple(root.filters({name: _value(name, given) for name, given in arguments.items()}))
        sort = parse_sort(root.resource, arguments.get("sort"))
        page, limit = arguments.get("page", 1), arguments.get("limit", DEFAULT_LIMIT if root.paged else 1)
        _check_page(page, limit)
        answered = get_named_type(field.type)
        grouped = self._collect([node.selection_set for node in nodes if node.selection_set])
        as_of = arguments.get("asOf")
        if not root.paged:
            wanted = self._wanted(root.resource, answered, grouped)
            selection = Selection(root.resource, wanted, filters, sort, limit=1, total=False)
            return RootPlan(key, (selection,), as_of, 1, 1, None, root.scope)
        selections: list[Selection] = []
        parts = []
        for part_key, part_nodes in grouped.items():
            name = part_nodes[0].name.value
            if name == "items":
                inner = self._collect([node.selection_set for node in part_nodes if node.selection_set])
                item = get_named_type(answered.fields["items"].type)
                wanted = self._wanted(root.resource, item, inner)
                selections.append(Selection(root.resource, wanted, filters, sort, (page - 1) * limit, limit))
                parts.append(PagePart(part_key, "items", len(selections) - 1))
            else:
                parts.append(PagePart(part_key, answered.name if name == "__typename" else name))
        if not selections and any(part.what in _COUNTED for part in parts):
            # INVARIANT: what is only counted passes the gate too.
            counted = (FieldWanted(root.resource.known_by, "id"),)
            selections.append(Selection(root.resource, counted, filters, sort, (page - 1) * limit, limit))
        return RootPlan(key, tuple(selections), as_of, page, limit, tuple(parts), root.scope)

    def _wanted(self, resource: Resource, answered: Any, grouped: Grouped) -> tuple[FieldWanted | ChildWanted, ...]:
        return tuple(self._each(resource, answered, grouped))

    def _each(self, resource: Resource, answered: Any, grouped: Grouped) -> Iterator[FieldWanted | ChildWanted]:
        for key, nodes in grouped.items():
            name = nodes[0].name.value
            if name == "__typename":
                yield FieldWanted(name, key, literal=answered.name)
            elif name in resource.children:
                field = answered.fields[name]
                limit = get_argument_values(field, nodes[0], self._variables).get("limit", DEFAULT_LIMIT)
                _check_page(1, limit)
                child = resource.children[name].resource()
                inner = self._collect([node.selection_set for node in nodes if node.selection_set])
                wanted = self._wanted(child, get_named_type(field.type), inner)
                yield ChildWanted(name, key, Selection(child, wanted, limit=limit, total=False))
            else:
                yield FieldWanted(name, key)


def _value(name: str, given: Any) -> Any:
    if name in _IDS and isinstance(given, str):
        try:
            return UUID(given)
        except ValueError:
            raise GraphQLError(f"`{name}` is not an id; take it from an answer of this API") from None
    if isinstance(given, str) and ("\0" in given or len(given) > 200):  # noqa: PLR2004 - as REST's query parameters
        raise GraphQLError(f"`{name}` is not a value this field can have")
    return given


def _check_page(page: Any, limit: Any) -> None:
    if not isinstance(page, int) or not 1 <= page <= MAX_PAGE:
        raise GraphQLError(f"`page` must be 1 to {MAX_PAGE}")
    if not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:
        raise GraphQLError(f"`limit` must be 1 to {MAX_LIMIT}")
