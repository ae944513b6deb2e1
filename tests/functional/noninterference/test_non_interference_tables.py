"""Every table is stated to be public, shared or secret, and whatever is secret is made to differ."""

import importlib
from typing import Any

import pytest
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ColumnClause

from api.disclosure.resource import Resource
from migrations.metadata import SUBJECTS, metadata
from policies.catalogue import law
from tests.functional.noninterference.differences import KINDS
from tests.functional.noninterference.stated import TABLES

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
        assert table in VARIED or table == "ledger_leaves"
    assert {f"{table}.{column}" for column in stated.hidden} <= VARIED


@pytest.mark.parametrize("what", sorted(VARIED))
def test_nothing_differs_that_is_not_stated_to_be_secret(what: str):
    table, _, column = what.partition(".")
    assert column in TABLES[table].hidden if column else TABLES[table].rows in ("own", "log")


def _resources() -> list[Resource]:
    """What can be read, found in the repository beside the tables of each subject, and in those below it."""
    found: dict[str, Resource] = {}
    for subject in SUBJECTS:
        package = importlib.import_module(subject.__name__.rpartition(".")[0])
        for path in importlib.resources.files(package).rglob("repository.py"):
            inner = ".".join(path.relative_to(next(iter(package.__path__))).with_suffix("").parts)
            for value in vars(importlib.import_module(f"{package.__name__}.{inner}")).values():
                if isinstance(value, Resource):
                    found[value.name] = value
    return list(found.values())


def _columns(expression: Any) -> set[tuple[str, str]]:
    elements = visitors.iterate(expression)
    return {(e.table.name, e.name) for e in elements if isinstance(e, ColumnClause) and e.table is not None}


@pytest.mark.parametrize("resource", _resources(), ids=lambda resource: resource.name)
def test_column_of_a_field_that_the_law_protects_is_stated_to_be_hidden(resource: Resource):
    for field in law().fields_of(resource.name):
        if field.kind.level == "protected":
            for table, column in _columns(resource.fields[field.name]):
                stated = TABLES[table]
                assert stated.rows == "own" or column in stated.hidden, f"{table}.{column}"
