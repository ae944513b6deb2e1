"""The columns that the database's roles may read are those that reads name: none is missing, none is for no use."""

from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy import Alias
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ColumnClause

from api.agencies.repository import REGISTER
from api.disclosure import compile as compile_module
from api.disclosure.gate import _LIVE_DECISIONS
from api.disclosure.resource import Resource
from api.reports.indicators import repository as indicators
from api.store.roles import OPEN, PROTECTED, STATED
from policies.catalogue import law
from tests.architecture.test_gate import RESOURCES

FIELDS = law().fields
# Statements written as text, with the tables that they read.
TEXTS = {
    REGISTER: ("agencies",),
    str(indicators._COUNTED): ("municipalities", "stated_figures", "scenes", "scene_outlines"),
    _LIVE_DECISIONS: ("disclosure_decisions", "agencies"),
}


def columns(expressions: Iterable[Any]) -> set[str]:
    """`table.column` of everything that the expressions read of what is stated."""
    found = set()
    for expression in expressions:
        for element in visitors.iterate(expression):
            if isinstance(element, ColumnClause) and element.table is not None:
                table = element.table.element if isinstance(element.table, Alias) else element.table
                if getattr(table, "name", None) in STATED:
                    found.add(f"{table.name}.{element.name}")
    return found


def everywhere(resource: Resource) -> list[Any]:
    """What any read of the resource names, whatever was asked for."""
    base = [one for one in (resource.base, resource.own, resource.holder) if one is not None]
    children = [child.on() for child in resource.children.values() if not child.resource().held]
    return [resource.key, *resource.order, *base, *resource.expressly.values(), *children]


def named(resource: Resource, *, protected: bool) -> set[str]:
    """The columns that are named where fields of that level are asked for, filtered on or sorted by."""
    level = "protected" if protected else "shared"
    fields = {name for name in resource.fields if FIELDS[resource.name, name].kind.level == level}
    filters = [one.predicate for one in resource.filters.values() if fields.intersection(one.fields)]
    sorts = [expression for name, expression in resource.sorts.items() if name in fields]
    return columns([*(resource.fields[name] for name in fields), *filters, *sorts])


def anyhow(resource: Resource) -> set[str]:
    """As `named`, for what is read whichever fields are asked for; of a joined table only what the join reads."""
    joins = list(visitors.iterate(resource.source))
    ties = [getattr(one, name, None) for one in joins for name in ("onclause", "whereclause")]
    return columns([*everywhere(resource), *(tie for tie in ties if tie is not None)])


def granted(role: str) -> set[str]:
    return {f"{table}.{column}" for table, stated in STATED.items() for column in stated.read_by(role)}


@pytest.mark.parametrize("name", RESOURCES)
def test_role_may_read_whatever_a_read_of_the_resource_names(name: str):
    resource = RESOURCES[name]
    every = anyhow(resource) | named(resource, protected=False) | named(resource, protected=True)
    assert every <= granted(PROTECTED), sorted(every - granted(PROTECTED))
    if not resource.held:
        shared = anyhow(resource) | named(resource, protected=False)
        assert shared <= granted(OPEN), sorted(shared - granted(OPEN))


def test_role_may_read_what_a_row_rule_names():
    rules = columns([*compile_module._DECISIONS.c, *compile_module._ITEMS.c])
    assert len(rules) > 5
    assert rules <= granted(PROTECTED), sorted(rules - granted(PROTECTED))


def _texts(columns_of: set[str]) -> set[str]:
    """Those of the columns that a statement written as text names."""
    return {
        column
        for column in columns_of
        for statement, tables in TEXTS.items()
        if column.partition(".")[0] in tables and column.partition(".")[2] in statement
    }


def test_role_may_read_nothing_that_no_read_names():
    shared, every = set(), set()
    for resource in RESOURCES.values():
        shown = anyhow(resource) | named(resource, protected=False)
        shared |= set() if resource.held else shown
        every |= shown | named(resource, protected=True)
    unused = granted(OPEN) - shared
    assert unused - _texts(unused) == set()
    unused = granted(PROTECTED) - every
    assert unused - _texts(unused) == set()
