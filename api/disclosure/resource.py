"""What a subject offers to be read: fields, filters, children, as SQL expressions the gate may or may not select.

A `Resource` stands in the subject's `repository.py`; its field names are those of `policies/law/fields.toml`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, FromClause, bindparam
from sqlalchemy.types import Date, DateTime, Text

from api.errors import invalid

# Values every compiled statement may refer to; the gate supplies them. AS_OF selects data, TODAY is the law's day.
AS_OF = bindparam("as_of", type_=Date(), required=True)
TODAY = bindparam("today", type_=Date(), required=True)
NOW = bindparam("now", type_=DateTime(timezone=True), required=True)
AGENCY = bindparam("agency", type_=Text(), required=True)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter parameter: the fields whose values it reveals, and its predicate over named bind parameters.

    `bind` turns the caller's value into the predicate's parameters. INVARIANT: a filter names every field that its
    predicate reads; one that forgot a field would be an oracle. `through` is a field of the resource's `expressly`: a
    row that does not show it, or not to this caller, cannot be found by it. `decision` is the parameter with a
    decision's id, of a filter that keeps the rows which that very decision opens.
    """

    fields: tuple[str, ...]
    predicate: ColumnElement[bool]
    bind: Callable[[Any], Mapping[str, Any]]
    through: str | None = None
    decision: str | None = None


def one_of(name: str, *allowed: str) -> Callable[[Any], Mapping[str, Any]]:
    """What binds a parameter that takes these values alone, on every face. It raises `Problem` 422 for another."""

    def bind(value: Any) -> Mapping[str, Any]:
        if value not in allowed:
            raise invalid(f"query.{name}", "is none of its values", f"one of {', '.join(allowed)}")
        return {name: value}

    return bind


@dataclass(frozen=True, slots=True)
class Child:
    """A nested list: its resource and the condition that ties its rows to the parent's; `through` as in `Filter`."""

    resource: Callable[[], "Resource"]
    on: Callable[[], ColumnElement[bool]]
    through: str | None = None


@dataclass(frozen=True, eq=False)
class Resource:
    """A readable kind of row.

    `source` is the FROM clause, `key` the primary key, `sorts` the fields a list may be ordered by and `order` the
    default order (always ending in the key, so that pages are stable). `holder` is a column for row
    rules where rows have several holders. `base` is a condition every read carries, such as the day asked for.
    `own` says whose a row is where it belongs to parties rather than to one holder (a request is its sender's and its
    receiver's); with `own` and no `holder`, nobody but the parties ever sees a row. `sealed` are fields that lie
    encrypted: their expression is `json_build_array(row id, token)`, and the gate opens it. `expressly` are fields that
    go with the row, but for rows of this condition: of those, others see it only where the decision names the field.
    """

    name: str
    source: FromClause
    key: ColumnElement[Any]
    fields: Mapping[str, ColumnElement[Any]]
    order: tuple[ColumnElement[Any], ...]
    filters: Mapping[str, Filter] = field(default_factory=dict)
    sorts: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    children: Mapping[str, Child] = field(default_factory=dict)
    base: ColumnElement[bool] | None = None
    holder: ColumnElement[str] | None = None
    of_age: Callable[[int | None, int | None], ColumnElement[bool]] | None = None
    own: ColumnElement[bool] | None = None
    sealed: frozenset[str] = frozenset()
    expressly: Mapping[str, ColumnElement[bool]] = field(default_factory=dict)

    @property
    def held(self) -> bool:
        """Whether rows belong to agencies, so that a row rule decides which of them a caller may know of."""
        return self.holder is not None or self.own is not None

    @property
    def known_by(self) -> str:
        """The field that tells of a row and nothing else: its id, or what stands first where it has none."""
        return "id" if "id" in self.fields else next(iter(self.fields))
