"""Selection ∩ Decision -> one SELECT in which PostgreSQL itself builds the JSON.

INVARIANT: a column is named in the statement only if the decision releases it for the rows it is taken from. That
holds for what is selected, filtered, ordered and joined alike; what identifies a row, and its holder, go with every row
that is visible at all, and are what the ledger notes of it.

Statements depend on the *shape* of what is asked (fields, filters, order, row rules), never on values, and are
compiled once a shape.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    column,
    false,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    table,
    text,
    true,
)
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.selectable import Select, Subquery
from sqlalchemy.types import Uuid

from api.disclosure.resource import AGENCY, NOW, Resource
from api.disclosure.selection import FieldWanted, Selection
from policies.decide import Decision
from policies.model import RowRule

_DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
_DECISIONS = table(
    "disclosure_decisions",
    column("id"),
    column("holder"),
    column("recipient"),
    column("revoked_at"),
    column("valid_from"),
    column("valid_until"),
    column("fields", ARRAY(Text)),
)
_EMPTY_LIST: ColumnElement[Any] = literal_column("'[]'::json")
_EMPTY_OBJECT: ColumnElement[Any] = literal_column("'{}'::jsonb")
_ITEMS = table("disclosure_decision_items", column("decision_id"), column("item_id"))

# INVARIANT: no key can spell this name, because a column of the same name would stand for the whole row.
_CHOSEN = "chosen rows"
_SAFE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class _Node:
    """The shape of one resource's part: everything that decides the statement's text."""

    resource: Resource
    fields: tuple[tuple[str, str, str | None, tuple[RowRule, ...]], ...]
    children: tuple[tuple[str, str, "_Node"], ...]
    visible: tuple[RowRule, ...]
    # The rules under which each field of the resource's `expressly` is released.
    ways: tuple[tuple[str, tuple[RowRule, ...]], ...]
    filters: tuple[str, ...]
    sort: tuple[tuple[str, bool], ...]
    total: bool
    keep_withheld: bool

    @property
    def noted(self) -> bool:
        """Whether the ledger notes which rows were shown: those about individuals, here or further in."""
        return self.resource.holder is not None or any(node.noted for _, _, node in self.children)


@dataclass(frozen=True, slots=True)
class Statement:
    """A compiled statement: text with `$1…`, the names of its parameters in order, and those that are constants."""

    text: str
    parameters: tuple[str, ...]
    constants: Mapping[str, Any]

    def values(self, values: Mapping[str, Any]) -> list[Any]:
        """The parameters' values in the statement's order."""
        known = {**self.constants, **values}
        return [known[name] for name in self.parameters]


def compile_selection(
    selection: Selection, decisions: Mapping[int, Decision], *, keep_withheld: bool
) -> tuple[Statement, dict[str, Any]]:
    """The statement for a selection, and the values that its shape decides: nested pages, the ids of decisions.

    `decisions` holds the decision for each node, by `id(node)`. `keep_withheld` answers null for a withheld field
    (GraphQL) instead of leaving its key out (REST).
    """
    values: dict[str, Any] = {}
    shape = _shape(selection, decisions, values, "", keep_withheld=keep_withheld)
    return _statement(shape), values


def own_values(selection: Selection) -> dict[str, Any]:
    """The values that only this selection has, and others of its shape have otherwise: its page and its filters."""
    values: dict[str, Any] = {}
    for name, value in selection.filters:
        values.update(selection.resource.filters[name].bind(value))
    return values | {"limit": selection.limit, "offset": selection.offset}


def shape_of(selection: Selection) -> Selection:
    """A selection without its own values: equal shapes are compiled to the same statement."""
    return Selection(
        selection.resource,
        selection.wanted,
        tuple((name, None) for name, _ in selection.filters),
        selection.sort,
        0,
        0,
        selection.total,
    )


def _shape(
    selection: Selection, decisions: Mapping[int, Decision], values: dict[str, Any], path: str, *, keep_withheld: bool
) -> _Node:
    decision = decisions[id(selection)]
    fields = []
    for wanted in selection.wanted:
        if isinstance(wanted, FieldWanted):
            rules = () if wanted.literal is not None else decision.rules_for(wanted.name)
            fields.append((wanted.name, wanted.key, wanted.literal, rules))
    asked = dict.fromkeys(rule for name in selection.field_names() for rule in decision.rules_for(name))
    visible = tuple(asked) if selection.resource.held else (RowRule("any"),)
    ways = tuple((name, decision.rules_for(name)) for name in selection.resource.expressly)
    named = {*asked, *(rule for _, rules in ways for rule in rules)}
    if path:
        if selection.filters:
            raise ValueError("a nested list takes no filters: its parameters would collide with the outer ones")
        values |= {f"{path}limit": selection.limit, f"{path}offset": selection.offset}
    for rule in named:
        if rule.decision is not None:
            values[_decision_parameter(rule)] = rule.decision
    return _Node(
        resource=selection.resource,
        fields=tuple(fields),
        children=tuple(
            (
                child.name,
                child.key,
                _shape(child.selection, decisions, values, _within(path, nth), keep_withheld=keep_withheld),
            )
            for nth, child in enumerate(selection.children())
        ),
        visible=visible,
        ways=ways,
        filters=tuple(name for name, _ in selection.filters),
        sort=selection.sort,
        total=selection.total,
        keep_withheld=keep_withheld,
    )


def _within(path: str, nth: int) -> str:
    """What the parameters of the `nth` child begin with. By number: two paths of aliases can spell alike."""
    return f"{path}n{nth}_"


def _decision_parameter(rule: RowRule) -> str:
    return f"decision_{(rule.decision or '').replace('-', '')}"


@lru_cache(maxsize=1024)
def _statement(shape: _Node) -> Statement:
    chosen = _rows(shape, "").subquery(_CHOSEN)
    counted: list[ColumnElement[Any]] = [
        cast(func.coalesce(func.json_agg(_as_json(chosen, shape)), _EMPTY_LIST), Text).label("items"),
        func.count().label("count"),
    ]
    if shape.noted:
        counted.append(cast(func.jsonb_agg(chosen.c["shown"]), Text).label("shown"))
    if shape.total:
        matching = select(func.count()).select_from(shape.resource.source).where(*_conditions(shape))
        # A first page that is not full holds everything: there is nothing left to count, and PostgreSQL does not.
        whole = and_(func.count() < bindparam("limit", type_=Integer()), bindparam("offset", type_=Integer()) == 0)
        counted.append(case((whole, func.count()), else_=matching.scalar_subquery()).label("total"))
    compiled = select(*counted).select_from(chosen).compile(dialect=_DIALECT)
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return Statement(str(compiled), tuple(compiled.positiontup or ()), constants)


def _as_json(chosen: Any, shape: _Node) -> ColumnElement[Any]:
    """The row as one JSON object: as it is, or put together where some rows release more, or the ledger notes it."""
    if _uniform(shape) and not shape.noted:
        return func.row_to_json(text(f'"{_CHOSEN}"'))
    return chosen.c["document"]  # type: ignore[no-any-return]


def _uniform(shape: _Node) -> bool:
    """Whether every released field is released for all visible rows, so that plain columns say it all."""
    return all(rules == () or set(rules) >= set(shape.visible) for _, _, _, rules in shape.fields)


def _rows(shape: _Node, path: str) -> Select[Any]:
    columns = _plain_columns(shape, path) if _uniform(shape) else [_merged_document(shape, path).label("document")]
    if shape.noted:
        if _uniform(shape):
            pairs = [part for column in columns for part in (_quoted(column.key or ""), column)]
            columns = [func.json_build_object(*pairs).label("document")]
        columns.append(_shown(shape, path).label("shown"))
    ordering = [shape.resource.sorts[name].desc() if down else shape.resource.sorts[name] for name, down in shape.sort]
    return (
        select(*columns)
        .select_from(shape.resource.source)
        .where(*_conditions(shape))
        .order_by(*ordering, *shape.resource.order)
        .limit(bindparam(f"{path}limit", type_=Integer()))
        .offset(bindparam(f"{path}offset", type_=Integer()))
    )


def _plain_columns(shape: _Node, path: str) -> list[ColumnElement[Any]]:
    columns: list[ColumnElement[Any]] = []
    for name, key, constant, rules in shape.fields:
        if constant is not None:
            columns.append(_quoted(constant).label(key))
        elif rules:
            columns.append(_value(shape, name).label(key))
        elif shape.keep_withheld:
            columns.append(null().label(key))
    columns += [
        _nested(shape.resource, name, node, _within(path, nth)).label(key)
        for nth, (name, key, node) in enumerate(shape.children)
    ]
    return columns


def _merged_document(shape: _Node, path: str) -> ColumnElement[Any]:
    """Fields released for every visible row, then for each row rule the fields it adds, under CASE."""
    everywhere: list[ColumnElement[Any]] = []
    by_rules: dict[tuple[RowRule, ...], list[ColumnElement[Any]]] = {}
    for name, key, constant, rules in shape.fields:
        if constant is not None:
            everywhere += [_quoted(key), _quoted(constant)]
        elif not rules:
            everywhere += [_quoted(key), null()] if shape.keep_withheld else []
        elif set(rules) >= set(shape.visible):
            everywhere += [_quoted(key), _value(shape, name)]
        else:
            everywhere += [_quoted(key), null()] if shape.keep_withheld else []
            by_rules.setdefault(rules, []).extend([_quoted(key), _value(shape, name)])
    for nth, (name, key, node) in enumerate(shape.children):
        everywhere += [_quoted(key), _nested(shape.resource, name, node, _within(path, nth))]
    document: ColumnElement[Any] = func.jsonb_build_object(*everywhere)
    for rules, pairs in by_rules.items():
        released = or_(*(_row_condition(shape.resource, rule) for rule in rules))
        part = case((released, func.jsonb_build_object(*pairs)), else_=_EMPTY_OBJECT)
        document = document.op("||")(part)
    return document


def _value(shape: _Node, name: str) -> ColumnElement[Any]:
    value = shape.resource.fields[name]
    if name not in shape.resource.expressly:
        return value
    return case((_shows(shape, name), value), else_=null())


def _shows(shape: _Node, name: str) -> ColumnElement[bool]:
    """Of visible rows, those that show a field which some rows show only to those whom a decision names it to.

    INVARIANT: a row is found by what it shows and by nothing else. A provision may open some kinds only: then a row is
    visible whose place is not.
    """
    rules = dict(shape.ways)[name]
    freely = not_(shape.resource.expressly[name])
    if not set(rules) >= set(shape.visible):
        freely = and_(freely, or_(false(), *(_row_condition(shape.resource, rule) for rule in rules)))
    return or_(freely, *(_row_condition(shape.resource, rule, naming=name) for rule in rules))


def _quoted(name: str) -> ColumnElement[str]:
    """A key or a type's name as an SQL string. Only plain names come this far; anything else is a fault of ours."""
    if _SAFE_KEY.fullmatch(name) is None:
        raise ValueError("not a name that can stand in a statement")
    return literal_column(f"'{name}'::text", Text())


def _nested(parent: Resource, name: str, node: _Node, path: str) -> ColumnElement[Any]:
    """A child list as a correlated scalar subquery."""
    rows = _nested_rows(parent, name, node, path)
    return select(func.coalesce(func.json_agg(_as_json(rows, node)), _EMPTY_LIST)).select_from(rows).scalar_subquery()


def _nested_rows(parent: Resource, name: str, node: _Node, path: str) -> Subquery:
    child = parent.children[name]
    tied = [child.on()] if child.through is None else [child.on(), _shows(node, child.through)]
    return _rows(node, path).where(*tied).correlate(*_tables(parent)).subquery(_CHOSEN)


def _shown(shape: _Node, path: str) -> ColumnElement[Any]:
    """What the ledger notes of a row: `[[resource, key, id as shown, holder] or null, rows of each nested list …]`."""
    resource = shape.resource
    row: ColumnElement[Any] = null()
    if resource.holder is not None:
        named = (resource.key, resource.fields["id"])
        row = func.jsonb_build_array(_quoted(resource.name), *(cast(part, Text) for part in named), resource.holder)
    nested = []
    for nth, (name, _, node) in enumerate(shape.children):
        if node.noted:
            rows = _nested_rows(resource, name, node, _within(path, nth))
            nested.append(select(func.jsonb_agg(rows.c["shown"])).select_from(rows).scalar_subquery())
    return func.jsonb_build_array(row, *nested)


def _tables(resource: Resource) -> Iterable[Any]:
    return resource.source._from_objects  # noqa: SLF001 - the public API has no list of a FROM clause's tables


def _conditions(shape: _Node) -> list[ColumnElement[bool]]:
    if not shape.visible:
        return [false()]
    conditions = [] if shape.resource.base is None else [shape.resource.base]
    if RowRule("any") not in shape.visible:
        conditions.append(or_(*(_row_condition(shape.resource, rule) for rule in shape.visible)))
    for name in shape.filters:
        wanted = shape.resource.filters[name]
        conditions.append(wanted.predicate)
        if wanted.through is not None:
            conditions.append(_shows(shape, wanted.through))
        if wanted.decision is not None:
            conditions.append(_opened_by(shape, bindparam(wanted.decision, type_=Uuid())))
    return conditions


def _opened_by(shape: _Node, decision: ColumnElement[Any]) -> ColumnElement[bool]:
    """The rows that one decision opens by itself, today and for this purpose: its id alone would tell more."""
    return or_(
        false(),
        *(
            and_(bindparam(_decision_parameter(rule), type_=Uuid()) == decision, _row_condition(shape.resource, rule))
            for rule in shape.visible
            if rule.decision is not None
        ),
    )


def _row_condition(resource: Resource, rule: RowRule, *, naming: str | None = None) -> ColumnElement[bool]:
    """A row rule as SQL; with `naming`, a decision counts only where it names that field.

    A decision is looked at again here, so that a revocation bites on the very next read.
    """
    if rule.scope == "any":
        return true()
    if rule.scope == "own":
        if resource.own is not None:
            return resource.own
        return false() if resource.holder is None else resource.holder == AGENCY
    conditions = [
        _DECISIONS.c.id == bindparam(_decision_parameter(rule), type_=Uuid()),
        _DECISIONS.c.recipient == AGENCY,
        _DECISIONS.c.revoked_at.is_(None),
        _DECISIONS.c.valid_from <= NOW,
        _DECISIONS.c.valid_until > NOW,
        _ITEMS.c.item_id == resource.key,
    ]
    if resource.holder is not None:
        conditions.append(_DECISIONS.c.holder == resource.holder)
    if naming is not None:
        conditions.append(any_(_DECISIONS.c.fields) == naming)
    joined = select(_ITEMS.c.item_id).join(_DECISIONS, _DECISIONS.c.id == _ITEMS.c.decision_id)
    live = joined.where(*conditions).correlate(*_tables(resource)).exists()
    return and_(live, *_ages(resource, rule))


def _ages(resource: Resource, rule: RowRule) -> Iterable[ColumnElement[bool]]:
    """The ages a row rule demands, on the day of reading.

    INVARIANT: where nobody can say how old a row's person is, it stays withheld.
    """
    if (rule.age_from, rule.age_below) != (None, None):
        yield false() if resource.of_age is None else resource.of_age(rule.age_from, rule.age_below)


def gate_values(*, as_of: date, today: date, now: datetime, agency: str) -> dict[str, Any]:
    """The parameters that the gate itself supplies: `as_of` is the day of the data, `today` the day of the law."""
    return {"as_of": as_of, "today": today, "now": now, "agency": agency}
