"""What is said of a query that cannot be run: where it is wrong, and what belongs there.

INVARIANT: nothing of a value that was sent. graphql-core's own messages print it, and it may be a question about a
person; so they are replaced by the type that the schema has in that place.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    GraphQLSyntaxError,
    Node,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    get_named_type,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    specified_rules,
    type_from_ast,
)
from graphql.execution.values import VariableValues, get_variable_values
from graphql.language import SKIP, VisitorAction
from graphql.utilities import validate_input_literal, validate_input_value
from graphql.validation import ASTValidationRule, ValuesOfCorrectTypeRule

_Path = Sequence[str | int]
_QUOTED = re.compile(r":? '.*'", re.DOTALL)
_EXPECTED = "Syntax Error: Expected "
MOST_FAULTS = 20
_TOO_DEEP = "The variables are nested too deeply"


class _ValuesOfCorrectType(ValuesOfCorrectTypeRule):
    """graphql-core's rule about the values in the text of a query, in words of ours."""

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        """Report each place of a value where something else belongs."""
        if input_type is not None:
            found: dict[str, GraphQLError] = {}

            def note(error: GraphQLError, path: list[str | int]) -> None:
                words = f"Invalid value{_place(path)}: expected {_belongs(input_type, path)}"
                found.setdefault(words, GraphQLError(words, error.nodes or node))

            validate_input_literal(node, input_type, note, hide_suggestions=True)
            for error in found.values():
                self.report_error(error)
        return SKIP


RULES: tuple[type[ASTValidationRule], ...] = tuple(
    _ValuesOfCorrectType if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules
)
"""The rules of the specification, none of which prints a value."""


def unreadable(error: GraphQLError) -> GraphQLError:
    """The error of a text that cannot be parsed, without the words that it stumbles on."""
    if not isinstance(error, GraphQLSyntaxError):
        return error
    expected = error.message.partition(", found")[0] + "." if error.message.startswith(_EXPECTED) else None
    return GraphQLError(expected or _QUOTED.sub("", error.message), source=error.source, positions=error.positions)


def variable_values(
    schema: GraphQLSchema, operation: OperationDefinitionNode, given: Mapping[str, Any]
) -> VariableValues | list[GraphQLError]:
    """The variables of a validated operation as the schema's types, or what is wrong with them."""
    values = get_variable_values(schema, operation.variable_definitions or (), dict(given), max_errors=1)
    if not isinstance(values, list):
        return values
    try:
        faults = dict(_faults(schema, operation, given))
    except RecursionError:
        faults = {}
    return [GraphQLError(words, node) for words, node in faults.items()] or [GraphQLError(_TOO_DEEP)]


class _EnoughError(Exception):
    """So many faults are told; looking for more would cost the service and help nobody."""


def _faults(
    schema: GraphQLSchema, operation: OperationDefinitionNode, given: Mapping[str, Any]
) -> Iterator[tuple[str, Node]]:
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        if name not in given and definition.default_value is not None:
            continue
        kind: Any = type_from_ast(schema, definition.type)
        paths: list[_Path] = []

        def note(_: GraphQLError, path: list[str | int], to: list[_Path] = paths) -> None:
            to.append(path)
            if len(to) == MOST_FAULTS:
                raise _EnoughError

        with suppress(_EnoughError):
            validate_input_value(given.get(name, Undefined), kind, note, hide_suggestions=True)
        for path in paths:
            words = f"Variable '${name}' has an invalid value{_place(path)}: expected {_belongs(kind, path)}"
            yield words, definition


def _place(path: _Path) -> str:
    """` at .scope.question`: the path in the value, which has only names of the schema and numbers."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return f" at {steps}" if steps else ""


def _belongs(kind: Any, path: _Path) -> str:
    """The type that belongs at the end of the path, an input object's with its members."""
    for step in path:
        kind = get_nullable_type(kind)
        # One value may stand for a list of one, and then has no place in it.
        while is_list_type(kind) and isinstance(step, str):
            kind = get_nullable_type(kind.of_type)
        kind = kind.of_type if isinstance(step, int) else kind.fields[step].type
    named = get_named_type(kind)
    if not is_input_object_type(named):
        return str(kind)
    return f"{kind} {{{', '.join(f'{name}: {field.type}' for name, field in named.fields.items())}}}"
