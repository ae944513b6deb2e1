"""How a subject's GraphQL types are bound to what the gate can read.

A subject's `graphql.py` names the strawberry type of each resource and the root fields that read it; everything else
(fields, nesting, aliases, withholding) follows from the resource.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NoReturn, TypeVar

import strawberry
from graphql import GraphQLError

from api.disclosure.resource import Resource

Filters = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class RootField:
    """A root field that is read through the gate.

    `paged`: it answers `{items, totalRecords, page, limit, count}`; else one row or null. `filters` turns the
    coerced arguments into filters of the resource, and may raise `Problem`.
    """

    name: str
    resource: Resource
    paged: bool
    filters: Callable[[Mapping[str, Any]], Filters]


def same_names(*names: str) -> Callable[[Mapping[str, Any]], Filters]:
    """Filters whose parameters have the same names as the arguments."""
    return lambda arguments: tuple((name, arguments[name]) for name in names if arguments.get(name) is not None)


def compiled() -> NoReturn:
    """The resolver of every field that is read through the gate: queries are compiled and never resolved."""
    raise GraphQLError("this field is read through the gate and cannot be resolved one by one")


ItemT = TypeVar("ItemT")


@strawberry.type(description="A page of a list, and how much there is")
class Page:
    """What every page has beside its items."""

    total_records: int
    page: int
    limit: int
    count: int


def as_of(arguments: Mapping[str, Any]) -> date | None:
    """The day of the data that the arguments ask for."""
    return arguments.get("asOf")
