"""Every table is stated to be public, shared or secret, and whatever is secret is made to differ."""

import importlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ColumnClause
from sqlalchemy.sql.selectable import TableValuedAlias

import api
from api.disclosure.resource import Resource
from migrations.metadata import metadata
from policies.catalogue import law
from tests.functional.noninterference.differences import KINDS
from tests.functional.noninterference.stated import TABLES

# What the read path sees of a table that it does not reach itself.
BEHIND = {"visible_individuals": "individuals", "visible_police_work": "mappings"}
# By these such a value is found, which is shown to everybody beside it.
_TIES = {("mappings", "id"), ("situation_reports", "id"), ("mappings", "row_id"), ("mappings", "resource")}
VARIED = {what for kind in KINDS for what in kind.varies}


def test_every_table_says_what_it_is_to_a_caller():
    assert set(TABLES) == set(metadata.tables), "state in stated.py who may see the rows of a new table"


@pytest.mark.parametrize("table", TABLES)
def test_hidden_columns_are_columns_of_a_shared_table(table: str):
    assert TABLES[table].hidden <= set(metadata.tables[table].columns.keys())
    assert not TABLES[table].hidden or TABLES[table].rows == "shared"


@pytest.mark.parametrize("table", TABLES)
def test_whatever_is_secret_is_made_to_differ(table: str):
    stated = TABLES[table]
    if stated.rows in ("own", "log"):
        # Whatever a ledger holds of others comes there by their asking.
        assert table in VARIED or table in {"ledger_leaves", "ledger_nodes", "ledger_head"}
    assert {f"{table}.{column}" for column in stated.hidden} <= VARIED


@pytest.mark.parametrize("what", sorted(VARIED))
def test_nothing_differs_that_is_not_stated_to_be_secret(what: str):
    table, _, column = what.partition(".")
    assert column in TABLES[table].hidden if column else TABLES[table].rows in ("own", "log")


def _resources() -> list[Resource]:
    """What can be read, found in every repository."""
    found: dict[str, Resource] = {}
    root = Path(api.__file__).parent
    for path in sorted(root.rglob("repository.py")):
        module = importlib.import_module(".".join(("api", *path.relative_to(root).with_suffix("").parts)))
        found |= {value.name: value for value in vars(module).values() if isinstance(value, Resource)}
    return list(found.values())


def _columns(expression: Any) -> set[tuple[str, str]]:
    elements = visitors.iterate(expression)
    columns = [e for e in elements if isinstance(e, ColumnClause) and e.table is not None]
    # What a function makes of a column is found by the column.
    read = {(e.table.name, e.name) for e in columns if not isinstance(e.table, TableValuedAlias)}
    return {(BEHIND.get(table, table), column) for table, column in read} - _TIES


@pytest.mark.parametrize("resource", _resources(), ids=lambda resource: resource.name)
def test_column_of_a_field_that_the_law_protects_is_stated_to_be_hidden(resource: Resource):
    for field in law().fields_of(resource.name):
        if field.kind.level == "protected":
            for table, column in _columns(resource.fields[field.name]):
                stated = TABLES[table]
                assert stated.rows in ("own", "log") or column in stated.hidden, f"{table}.{column}"
