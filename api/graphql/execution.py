"""Runs one GraphQL request: parse and validate (remembered by text), plan, read through the gate, join bytes."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    execute,
    get_operation_ast,
    parse,
    validate,
)
from pydantic import BaseModel, ValidationError

from api.disclosure.asking import Asking
from api.disclosure.gate import Answer
from api.errors import Problem
from api.graphql.limits import MAX_TOKENS, check_limits
from api.graphql.plan import Plan, Planner, RootPlan
from api.graphql.schema import CORE, ROOTS
from api.graphql.words import MOST_FAULTS, RULES, unreadable, variable_values
from api.web.context import Services
from api.web.faults import fault_of
from policies.explain import Language

_LOG = logging.getLogger("samsyn.errors")


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """A request as it came: the text, the operation's name, the variables."""

    query: str
    operation: str | None
    variables: Mapping[str, Any]


@dataclass(slots=True)
class Context:
    """What resolvers and mutations are given."""

    parts: Services
    who: Asking
    language: Language
    idempotency_key: str | None

    def checked(self, model: type[BaseModel], body: Mapping[str, Any]) -> Any:
        """An input object through the very model that REST's body goes through. Raises `Problem` 422."""
        try:
            return model.model_validate(body)
        except ValidationError as error:
            faults = [fault_of(found | {"loc": ("body", *found["loc"])}, body) for found in _found(error)]
            raise Problem("invalid", f"{faults[0].where}: {faults[0].what}", faults=faults) from None


def _found(error: ValidationError) -> list[dict[str, Any]]:
    return [dict(found) for found in error.errors(include_url=False)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer's JSON, whether the request itself was refused (no `data`), and whether it may be cached."""

    body: bytes
    refused: bool


@dataclass(frozen=True, slots=True)
class _Document:
    document: DocumentNode
    errors: tuple[GraphQLError, ...]


@lru_cache(maxsize=512)
def _checked(query: str) -> _Document:
    """Parse and validate a text, once. Errors are remembered too: they cost as much."""
    document = DocumentNode(definitions=())
    try:
        document = parse(query, max_tokens=MAX_TOKENS)
        check_limits(document)
    except GraphQLError as error:
        return _Document(document, (unreadable(error),))
    except RecursionError:
        return _Document(document, (GraphQLError("the query is nested too deeply"),))
    return _Document(document, tuple(validate(CORE, document, RULES, max_errors=MOST_FAULTS)))


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def _refusal(*errors: GraphQLError) -> Outcome:
    return Outcome(_json({"errors": [error.formatted for error in errors]}), refused=True)


def is_mutation(request: GraphQLRequest) -> bool:
    """Whether the text, as far as it can be read at all, asks for a change."""
    operation = get_operation_ast(_checked(request.query).document, request.operation)
    return operation is not None and operation.operation is OperationType.MUTATION


async def run(request: GraphQLRequest, context: Context, *, mutations: bool) -> Outcome:
    """Answer a request. `mutations` is false where the method must change nothing.

    Raises `Problem` 403 for a query under a token without the scope `read`.
    """
    checked = _checked(request.query)
    if checked.errors:
        return _refusal(*checked.errors)
    operation = get_operation_ast(checked.document, request.operation)
    if operation is None:
        return _refusal(GraphQLError("name one of the document's operations in `operationName`"))
    values = variable_values(CORE, operation, request.variables)
    if isinstance(values, list):
        return _refusal(*values)
    if operation.operation is OperationType.QUERY:
        # A query is a read whatever method carries it.
        context.who.caller.require("read")
        return await _query(checked.document, operation, values, request, context)
    if not mutations or operation.operation is not OperationType.MUTATION:
        return _refusal(GraphQLError("send mutations with POST; subscriptions are not offered"))
    return await _resolve(checked.document, operation, request, context)


async def _query(
    document: DocumentNode, operation: OperationDefinitionNode, values: Any, request: GraphQLRequest, context: Context
) -> Outcome:
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    try:
        plan = Planner(CORE, ROOTS, fragments, values).plan(operation)
        answers = await _read(plan, context)
    except GraphQLError as error:
        return Outcome(_json({"data": None, "errors": [error.formatted]}), refused=False)
    except Problem as problem:
        return Outcome(_json({"data": None, "errors": [_problem_error(problem, [])]}), refused=False)
    members: dict[str, bytes] = {key: _root_bytes(root, answers[key]) for key, root in plan.roots.items()}
    errors: list[Any] = []
    if plan.resolved:
        part = replace_selection(operation, plan)
        only = DocumentNode(
            definitions=tuple(
                part if node is operation else node
                for node in document.definitions
                if node is operation or isinstance(node, FragmentDefinitionNode)
            )
        )
        result = await _execute(only, request, context)
        if result.data is None:
            return Outcome(_json({"data": None, "errors": _errors(result, context)}), refused=False)
        members |= {key: _json(value) for key, value in result.data.items()}
        errors = _errors(result, context)
    data = b",".join(b'"%s":%s' % (key.encode(), members[key]) for key in plan.order if key in members)
    extensions = _extensions(answers)
    tail = b',"errors":' + _json(errors) if errors else b""
    return Outcome(b'{"data":{' + data + b"}" + tail + extensions + b"}", refused=False)


def replace_selection(operation: OperationDefinitionNode, plan: Plan) -> OperationDefinitionNode:
    """The operation with only the fields that graphql-core is to answer."""
    return OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        variable_definitions=operation.variable_definitions,
        directives=operation.directives,
        selection_set=SelectionSetNode(selections=plan.resolved),
    )


async def _read(plan: Plan, context: Context) -> dict[str, list[Answer]]:
    """All selections of the query as one answer of the gate: one leaf, one receipt. `Problem` 403 for a scope."""
    for root in plan.roots.values():
        if root.scope is not None:
            context.who.caller.require(root.scope)
    wanted = [(selection, root.as_of) for root in plan.roots.values() for selection in root.selections]
    if not wanted:
        return {key: [] for key in plan.roots}
    answers = iter(await context.parts.gate.read_all(context.who, wanted, keep_withheld=True))
    return {key: [next(answers) for _ in root.selections] for key, root in plan.roots.items()}


def _root_bytes(root: RootPlan, answers: list[Answer]) -> bytes:
    if root.parts is None:
        return answers[0].first() or b"null"
    counts = {
        "totalRecords": answers[0].total if answers else 0,
        "count": answers[0].count if answers else 0,
        "page": root.page,
        "limit": root.limit,
    }
    members = []
    for part in root.parts:
        if part.selection is not None:
            value = answers[part.selection].items
        elif part.what in counts:
            value = str(counts[part.what]).encode()
        else:
            value = b'"%s"' % part.what.encode()
        members.append(b'"%s":%s' % (part.key.encode(), value))
    return b"{" + b",".join(members) + b"}"


def _extensions(answers: Mapping[str, list[Answer]]) -> bytes:
    first = next((answer for group in answers.values() for answer in group), None)
    return b"" if first is None else b',"extensions":{"disclosure":' + first.disclosure() + b"}"


async def _resolve(
    document: DocumentNode, operation: OperationDefinitionNode, request: GraphQLRequest, context: Context
) -> Outcome:
    result = await _execute(
        document, replace(request, operation=operation.name.value if operation.name else None), context
    )
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = _errors(result, context)
    return Outcome(_json(body), refused=False)


async def _execute(document: DocumentNode, request: GraphQLRequest, context: Context) -> ExecutionResult:
    result = execute(
        CORE,
        document,
        context_value=context,
        variable_values=dict(request.variables),
        operation_name=request.operation,
    )
    return await result if hasattr(result, "__await__") else result


def _errors(result: ExecutionResult, context: Context) -> list[dict[str, Any]]:
    """Errors as callers see them: a `Problem` whole, anything unexpected without its words."""
    shown = []
    for error in result.errors or ():
        cause = error.original_error
        if isinstance(cause, Problem):
            shown.append(_problem_error(cause, error.path or []))
        elif cause is None or isinstance(cause, GraphQLError):
            shown.append(dict(error.formatted))
        else:
            error_id = str(context.parts.new_id())
            # The type and the place only: an exception's words may hold what a row holds.
            _LOG.error("unexpected error %s in graphql: %s at %s", error_id, type(cause).__name__, error.path)
            extensions = {"problem": {"type": "urn:samsyn:problem:internal", "errorId": error_id}}
            shown.append({"message": "unexpected error", "path": list(error.path or []), "extensions": extensions})
    return shown


def _problem_error(problem: Problem, path: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {"message": problem.detail, "extensions": {"problem": problem.as_json("/graphql")}}
    return shown | {"path": list(path)} if path else shown
