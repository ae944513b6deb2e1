"""Nothing goes round the gate: every route, root field, resource and filter is found by enumeration and tried."""

import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_asyncio
from fastapi.routing import iter_route_contexts
from graphql import (
    get_named_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_required_argument,
    is_required_input_field,
)
from sqlalchemy import Alias
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ColumnClause

from api.contract import openapi_bytes
from api.disclosure.gate import Gate
from api.disclosure.resource import Resource
from api.errors import Problem
from api.graphql.schema import CORE, ROOTS, SCHEMA
from api.law.graphql import LawQuery
from api.ledger.parts import Part
from api.web.body import strict_json
from api.web.profile import operations
from api.web.route import unguarded
from policies.catalogue import law
from tests.architecture.source_tree import modules
from tests.support import AGENCIES, App

LAW = law()
WHY = {"Purpose": "prevent-crime", "Case-Reference": "A123.456/2026"}
AN_ID = "00000000-0000-4000-8000-000000000001"
PATH_VALUES = {"provisionId": "osl-10-15a"}
# What a read does not go without.
QUERIES = {"/ledger/extracts": f"?individual={AN_ID}"}

# --- what can be read, found in every repository -----------------------------------------------------------------


def _resources() -> dict[str, Resource]:
    found = {}
    for module in modules():
        if module.name.endswith(".repository"):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, Resource):
                    found[value.name] = value
    return found


RESOURCES = _resources()


# The same place twice: in metres to compute with, in degrees to show.
SAME = {"scene_outlines.outline": "scene_outlines.geojson", "schools.position": "schools.position_geojson"}


def columns(expression: Any) -> set[str]:
    """The columns that an expression reads, subqueries and all, as `table.column`; aliases under their table's name."""
    found = set()
    for element in visitors.iterate(expression):
        if isinstance(element, ColumnClause) and element.table is not None:
            table = element.table.element if isinstance(element.table, Alias) else element.table
            found.add(f"{table.name}.{element.name}")
    return {SAME.get(column, column) for column in found}


def _where(resources: Any) -> list[tuple[str, str]]:
    return [(name, parameter) for name, resource in RESOURCES.items() for parameter in resources(resource)]


def test_resources_are_those_of_the_law():
    assert set(RESOURCES) == {resource for resource, _ in LAW.fields}


@pytest.mark.parametrize("name", RESOURCES)
def test_resource_has_exactly_the_fields_that_the_law_knows(name: str):
    assert set(RESOURCES[name].fields) == {field.name for field in LAW.fields_of(name)}


@pytest.mark.parametrize(("name", "parameter"), _where(lambda resource: resource.filters))
def test_filter_names_every_field_that_it_reads(name: str, parameter: str):
    resource, wanted = RESOURCES[name], RESOURCES[name].filters[parameter]
    read = columns(wanted.predicate)
    assert read, "the predicate reads nothing; the walk over its columns may have broken"
    if wanted.decision is not None:
        # What a decision names is its recipient's to know; the compiler keeps those rows that it opens by itself.
        read -= {"disclosure_decision_items.decision_id", "disclosure_decision_items.item_id"}
    named = wanted.fields
    if not named:
        # What goes with every row that is visible at all may be filtered on wherever the row is seen.
        named = tuple(field.name for field in LAW.fields_of(name) if field.key)
        assert named, "a filter names at least one field, unless it reads only the key of a resource of persons"
    assert set(named) <= set(resource.fields)
    belongs = set().union(*(columns(resource.fields[field]) for field in named))
    assert read <= belongs, f"`{parameter}` reads {sorted(read - belongs)}, which none of {named} shows"


@pytest.mark.parametrize(("name", "field"), _where(lambda resource: resource.sorts))
def test_sort_reads_only_the_field_that_it_names(name: str, field: str):
    resource = RESOURCES[name]
    assert field in resource.fields
    assert columns(resource.sorts[field]) <= columns(resource.fields[field])


@pytest.mark.parametrize("name", RESOURCES)
def test_default_order_reads_only_what_every_caller_sees_of_a_visible_row(name: str):
    resource = RESOURCES[name]
    # Of what belongs to parties alone, every field is released with the row, or none is.
    parties_alone = resource.own is not None and resource.holder is None
    seen = {f.name for f in LAW.fields_of(name) if f.kind.level == "shared" or f.key or parties_alone}
    open_columns = set().union(*(columns(resource.fields[field]) for field in seen), columns(resource.key))
    read = set().union(*(columns(element) for element in resource.order))
    assert read <= open_columns, sorted(read - open_columns)


@pytest.mark.parametrize("name", [name for name in RESOURCES if RESOURCES[name].own is not None])
def test_what_belongs_to_parties_is_released_whole_or_not_at_all(name: str):
    fields = LAW.fields_of(name)
    assert RESOURCES[name].holder is None
    assert {(field.kind.id, field.holder, field.individual, field.sources) for field in fields} == {
        ("person-circumstance", "row", False, ())
    }


@pytest.mark.parametrize("name", RESOURCES)
def test_rows_about_persons_have_a_holder_and_an_age(name: str):
    resource = RESOURCES[name]
    individual = any(field.individual for field in LAW.fields_of(name))
    assert (resource.holder is not None) == individual
    assert (resource.of_age is not None) == individual


def test_walk_over_columns_sees_into_functions_cases_and_subqueries():
    scene, report, individual = RESOURCES["scene"], RESOURCES["situation-report"], RESOURCES["individual"]
    assert columns(scene.fields["status"]) == {"scenes.closed_on", "scenes.ending"}
    assert {"mappings.mapped_on", "scenes.appeared_on"} <= columns(scene.fields["mappingOverdue"])
    assert columns(report.filters["latest"].predicate) >= {"situation_reports.edition", "situation_reports.period"}
    assert columns(individual.filters["role"].predicate) == {"visible_individuals.role"}


# --- GraphQL -----------------------------------------------------------------------------------------------------

LAW_FIELDS = {SCHEMA.config.name_converter.get_graphql_name(field) for field in
              LawQuery.__strawberry_definition__.fields}  # fmt: skip


def test_every_query_field_is_the_public_law_or_read_through_the_gate():
    fields = set(CORE.query_type.fields)
    assert fields == LAW_FIELDS | set(ROOTS)
    assert not LAW_FIELDS & set(ROOTS)


def _row_type(root: str) -> Any:
    answered = get_named_type(CORE.query_type.fields[root].type)
    return get_named_type(answered.fields["items"].type) if ROOTS[root].paged else answered


def _rows(resource: Resource, shown: Any, path: str) -> Iterator[tuple[str, Resource, Any]]:
    yield path, resource, shown
    for name, child in resource.children.items():
        if name in shown.fields:
            yield from _rows(child.resource(), get_named_type(shown.fields[name].type), f"{path}.{name}")


ROWS = [row for root in ROOTS for row in _rows(ROOTS[root].resource, _row_type(root), root)]


@pytest.mark.parametrize(("path", "resource", "shown"), ROWS, ids=[path for path, _, _ in ROWS])
def test_graphql_type_shows_only_fields_that_the_gate_decides(path: str, resource: Resource, shown: Any):
    assert set(shown.fields) <= set(resource.fields) | set(resource.children)
    withheld = {field.name for field in LAW.fields_of(resource.name) if field.kind.level == "protected"}
    for name, field in shown.fields.items():
        # Withheld is null: a field that may be withheld can never be promised.
        assert not (name in withheld and is_non_null_type(field.type)), f"{path}.{name} must be nullable"


@pytest.mark.parametrize("root", ROOTS)
def test_page_of_rows_has_nothing_but_rows_and_counts(root: str):
    if ROOTS[root].paged:
        page = get_named_type(CORE.query_type.fields[root].type)
        assert set(page.fields) == {"items", "totalRecords", "page", "limit", "count"}


@pytest.mark.parametrize("mutation", CORE.mutation_type.fields)
def test_mutation_answers_no_row(mutation: str):
    answered = get_named_type(CORE.mutation_type.fields[mutation].type)
    for field in answered.fields.values():
        assert not is_object_type(get_named_type(field.type)), "rows are read through the gate, after the write"


@pytest.mark.parametrize("root", ROOTS)
def test_root_field_has_no_resolver_that_could_read_past_the_plan(root: str):
    # Strawberry's own resolver for the field must be the one that refuses.
    (field,) = (
        field
        for field in SCHEMA.get_type_by_name("Query").fields
        if SCHEMA.config.name_converter.get_graphql_name(field) == root
    )
    with pytest.raises(Exception, match="read through the gate"):
        field.base_resolver.wrapped_func(None, *[None] * len(field.arguments))


# --- the routes, with the gate taken out -------------------------------------------------------------------------


class Closed:
    """A gate that lets nothing through and counts who came."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, *_: Any, **__: Any) -> Any:
        self.asked += 1
        raise Problem("unavailable", "the gate is closed")


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Closed:
    gate = Closed()
    monkeypatch.setattr(Gate, "read_all", lambda _self, *args, **kwargs: gate(*args, **kwargs))
    return gate


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def document(app: App) -> dict[str, Any]:
    return strict_json(openapi_bytes(app.app.state.api))


def _all_operations() -> list[tuple[str, str, dict[str, Any]]]:
    from api.contract import contract_files

    return list(operations(strict_json(contract_files()["openapi.json"])))


OPERATIONS = _all_operations()
PUBLIC = [(method, path) for path, method, operation in OPERATIONS if operation["security"] == []]
READS = [path for path, method, _ in OPERATIONS if method == "get" and (method, path) not in PUBLIC]
# Read past the gate, and why: the ledger's hashes, places and times are rows of no holder and fields of no law. Whoever
# could not read them could not see that the log was rewritten. Its content is read through the gate like anything else.
LEDGER = {"/ledger/checkpoint", "/ledger/key", "/ledger/leaves", "/ledger/proofs/inclusion",
          "/ledger/proofs/consistency"}  # fmt: skip
GATED = [path for path in READS if path not in LEDGER]
WRITES = [(method, path, operation) for path, method, operation in OPERATIONS
          if method != "get" and (method, path) not in PUBLIC and path != "/graphql"]  # fmt: skip


def filled(path: str) -> str:
    whole = re.sub(r"\{([^}]+)\}", lambda found: PATH_VALUES.get(found[1], AN_ID), path).removeprefix("/")
    return whole + QUERIES.get(path, "")


def _ids(writes: Any) -> list[str]:
    return [f"{method} {path}" for method, path, *_ in writes]


@pytest.mark.asyncio(loop_scope="session")
async def test_contract_in_the_tests_is_the_one_that_is_served(app: App, document: dict[str, Any]):
    assert list(operations(document)) == OPERATIONS
    routes = {
        (method.lower(), context.path)
        for context in iter_route_contexts(app.app.state.api.routes)
        for method in context.methods or ()
        if method not in {"HEAD", "OPTIONS"}
    }
    outside = routes - {(method, path) for path, method, _ in OPERATIONS}
    # What stands outside the contract also stands outside the frame, and is tried below.
    assert {f"{method.upper()} {path}" for method, path in outside} <= set(unguarded(app.app.state.api))
    assert ("get", "/scenes") in routes
    assert len(READS) > 10
    assert len(WRITES) > 5


def _outside(app: App) -> list[str]:
    inside = {path for path, _, _ in OPERATIONS}
    return sorted(
        {context.path for context in iter_route_contexts(app.app.state.api.routes) if context.path not in inside}
    )


@pytest.mark.asyncio(loop_scope="session")
async def test_routes_outside_the_contract_read_no_row(app: App, closed: Closed):
    for path in _outside(app):
        with app.database.recorder.recording() as statements:
            answer = await app.client("polismyndigheten", headers=WHY).get(
                path.replace("{path:path}", "docs.js").lstrip("/")
            )
        assert answer.status_code == 200, path
        assert not [statement for statement in statements if "FROM agencies" not in statement], path
    assert closed.asked == 0


@pytest.mark.parametrize("path", GATED)
@pytest.mark.asyncio(loop_scope="session")
async def test_read_comes_through_the_gate(app: App, closed: Closed, path: str):
    query = "?query=%7Bscenes%7Bcount%7D%7D" if path == "/graphql" else ""
    answer = await app.client("polismyndigheten", headers=WHY).get(filled(path) + query)
    assert closed.asked == 1, f"{path} answered {answer.status_code} without asking the gate: {answer.text[:300]}"
    if path == "/graphql":
        assert answer.json()["data"] is None
    else:
        assert answer.status_code == 503, answer.text[:300]
        assert "items" not in answer.json()


@pytest.mark.parametrize("path", GATED)
@pytest.mark.asyncio(loop_scope="session")
async def test_no_statement_of_a_read_is_sent_past_the_gate(app: App, closed: Closed, path: str):
    # The register of agencies tells who asks; nothing else may be looked at before the gate.
    client = app.client("polismyndigheten", headers=WHY)
    with app.database.recorder.recording() as statements:
        await client.get(filled(path))
    assert [statement for statement in statements if "FROM agencies" not in statement] == []


@pytest.mark.parametrize("path", sorted(LEDGER))
@pytest.mark.asyncio(loop_scope="session")
async def test_ledger_shows_hashes_and_nothing_of_what_they_are_over(app: App, closed: Closed, path: str):
    await app.services.ledger.append([Part("tullverket", "receiver", {"kind": "answer", "case": "hemligt"})])
    query = {"from": "0"} if path.endswith("consistency") else {}
    with app.database.recorder.recording() as statements:
        answer = await app.client("polismyndigheten").get(path.lstrip("/"), params=query)
    assert answer.status_code == 200, answer.text[:300]
    read = {table for statement in statements for table in re.findall(r"(?:FROM|JOIN) ([a-z_]+)", statement)}
    assert read <= {"agencies", "unnest", *(f"ledger_{name}" for name in NO_CONTENT)}, read
    assert not [statement for statement in statements if re.search(r"ledger_parts|entry|salt|items", statement)]
    assert "hemligt" not in answer.text
    assert closed.asked == 0


NO_CONTENT = ("leaves", "nodes", "head", "witnesses", "cosignatures")
LAW_ALONE = [(method, path) for method, path in PUBLIC if path not in LEDGER]


@pytest.mark.parametrize(("method", "path"), LAW_ALONE, ids=_ids(LAW_ALONE))
@pytest.mark.asyncio(loop_scope="session")
async def test_public_operation_answers_from_the_law_alone(app: App, closed: Closed, method: str, path: str):
    (operation,) = (one for where, how, one in OPERATIONS if (how, where) == (method, path))
    with app.database.recorder.recording() as statements:
        answer = await app.client().request(method.upper(), filled(path), **_body(operation))
    assert answer.status_code == 200, answer.text[:300]
    assert list(statements) == []
    assert closed.asked == 0


def _body(operation: dict[str, Any]) -> dict[str, Any]:
    """The example that the contract gives, as arguments of a request."""
    content = operation.get("requestBody", {}).get("content", {})
    return {"json": content["application/json"]["example"]} if content else {}


@pytest.mark.parametrize("path", READS)
@pytest.mark.asyncio(loop_scope="session")
async def test_read_needs_a_token_and_the_scope_to_read(app: App, closed: Closed, path: str):
    query = "?query=%7Bscenes%7Bcount%7D%7D" if path == "/graphql" else ""
    assert (await app.client().get(filled(path) + query)).status_code == 401
    answer = await app.client("polismyndigheten", scopes=["write:scenes"], headers=WHY).get(filled(path) + query)
    assert answer.status_code == 403, answer.text[:300]
    assert 'scope="read"' in answer.headers["WWW-Authenticate"]
    assert closed.asked == 0


async def _write(app: App, method: str, path: str, operation: dict[str, Any], agency: str | None, **claims: Any) -> Any:
    headers = {"Idempotency-Key": f'"{agency}-{len(claims)}-{path}"'} | WHY
    client = app.client(agency, headers=headers, **claims)
    return await client.request(method.upper(), filled(path), **_body(operation))


@pytest.mark.parametrize(("method", "path", "operation"), WRITES, ids=_ids(WRITES))
@pytest.mark.asyncio(loop_scope="session")
async def test_write_needs_a_token_and_a_scope(app: App, method: str, path: str, operation: dict[str, Any]):
    assert (await _write(app, method, path, operation, None)).status_code == 401
    challenges = []
    with app.database.recorder.recording() as statements:
        for agency, *_ in AGENCIES:
            answer = await _write(app, method, path, operation, agency, scopes=["read"])
            assert answer.status_code == 403, f"{agency}: {answer.status_code} {answer.text[:300]}"
            challenges.append(answer.headers.get("WWW-Authenticate", ""))
    assert any("insufficient_scope" in challenge for challenge in challenges), "no agency was refused for its scope"
    assert not [statement for statement in statements if re.match(r"\s*(INSERT|UPDATE|DELETE|WITH)", statement)]


@pytest.mark.parametrize(("method", "path", "operation"), WRITES, ids=_ids(WRITES))
@pytest.mark.asyncio(loop_scope="session")
async def test_write_is_open_to_somebody_and_not_to_private_actors(
    app: App, method: str, path: str, operation: dict[str, Any]
):
    # Else the test above would hold of an operation that refuses everybody.
    # By a person with a role: a machine decides nothing.
    statuses = {
        agency: (await _write(app, method, path, operation, agency, person=True)).status_code for agency, *_ in AGENCIES
    }
    assert any(status != 403 for status in statuses.values()), statuses
    assert statuses["centrumagaren"] == 403


# --- GraphQL, with the gate taken out ----------------------------------------------------------------------------


def _argument(kind: Any) -> str:
    if is_non_null_type(kind):
        return _argument(kind.of_type)
    if is_list_type(kind):
        return f"[{_argument(kind.of_type)}]"
    if is_input_object_type(kind):
        needed = {name: field.type for name, field in kind.fields.items() if is_required_input_field(field)}
        return "{" + ", ".join(f"{name}: {_argument(inner)}" for name, inner in needed.items()) + "}"
    samples = {"ID": f'"{AN_ID}"', "String": '"2026-10-01"', "Int": "1", "Boolean": "true", "Float": "59.3"}
    return samples[kind.name]


def _call(name: str, field: Any) -> str:
    needed = {key: argument.type for key, argument in field.args.items() if is_required_argument(argument)}
    arguments = ", ".join(f"{key}: {_argument(kind)}" for key, kind in needed.items())
    return f"{name}({arguments})" if arguments else name


def _fields(shown: Any) -> str:
    return " ".join(name for name, field in shown.fields.items() if not is_object_type(get_named_type(field.type)))


def _query(root: str) -> str:
    inner = _fields(_row_type(root))
    body = f"items {{ {inner} }} totalRecords" if ROOTS[root].paged else inner
    return f"{{ {_call(root, CORE.query_type.fields[root])} {{ {body} }} }}"


async def graphql(app: App, query: str, agency: str = "polismyndigheten", **claims: Any) -> dict[str, Any]:
    answer = await app.client(agency, headers=WHY, **claims).post("graphql", json={"query": query})
    assert answer.status_code == 200, answer.text[:300]
    return answer.json()


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.asyncio(loop_scope="session")
async def test_root_field_comes_through_the_gate(app: App, closed: Closed, root: str):
    answer = await graphql(app, _query(root))
    assert closed.asked == 1, answer
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["problem"]["status"] == 503


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.asyncio(loop_scope="session")
async def test_every_scalar_of_a_root_field_can_be_asked_for(app: App, root: str):
    # With the gate open the same query is answered, so what was refused above was a whole query.
    answer = await graphql(app, _query(root))
    assert "errors" not in answer, answer


@pytest.mark.parametrize("name", sorted(LAW_FIELDS))
@pytest.mark.asyncio(loop_scope="session")
async def test_the_law_over_graphql_reads_no_row(app: App, closed: Closed, name: str):
    arguments = '(question: {holderSector: "police", recipientSector: "school", purpose: "statistics", kind: "place"})'
    with app.database.recorder.recording() as statements:
        answer = await graphql(
            app, f"{{ {name}{arguments if 'question' in CORE.query_type.fields[name].args else ''} }}"
        )
    assert "errors" not in answer, answer
    assert [statement for statement in statements if "FROM agencies" not in statement] == []
    assert closed.asked == 0


@pytest.mark.parametrize("mutation", CORE.mutation_type.fields)
@pytest.mark.asyncio(loop_scope="session")
async def test_mutation_needs_a_scope(app: App, mutation: str):
    field = CORE.mutation_type.fields[mutation]
    query = f"mutation {{ {_call(mutation, field)} {{ {_fields(get_named_type(field.type))} }} }}"
    for agency, *_ in AGENCIES:
        with app.database.recorder.recording() as statements:
            answer = await graphql(app, query, agency, scopes=["read"])
        assert answer["data"] is None, f"{agency}: {answer}"
        problem = answer["errors"][0]["extensions"]["problem"]
        assert problem["status"] == 403, f"{agency}: {answer}"
        assert not [statement for statement in statements if re.match(r"\s*(INSERT|UPDATE|DELETE|WITH)", statement)]
