"""Values to ask with: ids and texts of rows on either side, the contract's own examples, and what fits no schema.

One who asks may guess anything, so the rows that differ are asked about more often than the others.
"""

import random
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.functional.noninterference.rows import KEYS, Change, Row, Rows
from tests.functional.noninterference.world import START
from tests.support import moment

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_NOBODYS = "00000000-0000-4000-8000-000000000001"
# What the columns are called that say whose a row is.
WHOSE = ("agency", "holder", "recipient", "requester")
_ODD = ["", " ", "a", "%", "'", "\u00e5", "0", "-1", "null", "true", "x" * 300, "\x00", _NOBODYS]


def snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def singular(table: str) -> str:
    return f"{table[:-3]}y" if table.endswith("ies") else table.removesuffix("s")


def tables_of(name: str) -> list[str]:
    """The tables that a parameter or field such as `individualId`, `scene` or `reportId` can be the key of."""
    word = snake(name).removesuffix("_id").removesuffix("s")
    if word in ("receipt", "ledger_entry"):
        return ["ledger_leaves"]
    return [table for table in KEYS if word and singular(table).endswith(word)]


def is_id(value: Any) -> bool:
    return isinstance(value, str) and _UUID.match(value) is not None


@cache
def matching(pattern: str) -> list[str]:
    """Some texts that a pattern matches, the same ones in every run."""
    found: list[str] = []

    @seed(0)
    @settings(max_examples=12, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.from_regex(pattern, fullmatch=pattern.endswith("$")))
    def note(text: str) -> None:
        found.append(text.removesuffix("\n"))

    note()
    return sorted(set(found))


class Pools:
    """What can be asked with in one case: the rows of side `a`, those that differ on `b`, and the contract's words."""

    def __init__(
        self, rng: random.Random, agency: str | None, rows: Rows, changes: Iterable[Change], words: dict[str, list[Any]]
    ) -> None:
        self._rng, self._words = rng, words
        self._rows = {table: list(own.values()) for table, own in rows.items()}
        self._own = {
            table: [row for row in own if agency is not None and agency in map(row.get, WHOSE)]
            for table, own in self._rows.items()
        }
        # A leaf is of those who have a part of it.
        parts = {row["leaf_index"] for row in self._own["ledger_parts"]}
        self._own["ledger_leaves"] = [row for row in self._rows["ledger_leaves"] if row["leaf_index"] in parts]
        self._hot: dict[str, list[Row]] = {}
        for change in changes:
            states = [row for row in (change.before, change.after) if row is not None]
            self._hot.setdefault(change.table, []).extend(states)

    def differing(self) -> set[str]:
        """The tables in which something differs."""
        return set(self._hot)

    def row(self, table: str) -> Row | None:
        """A row of a table: often one that differs, or one of the caller's own, where there are any."""
        drawn = self._rng.random()
        rows = self._hot.get(table) if drawn < 0.45 else self._own[table] if drawn < 0.7 else None
        rows = rows or self._rows[table]
        return self._rng.choice(rows) if rows else None

    def about(self, table: str) -> Row | None:
        """A row, or else one that a differing row points at: the mapping of a hidden person."""
        column = f"{singular(table)}_id"
        pointing = [row for rows in self._hot.values() for row in rows if column in row]
        if pointing and self._rng.random() < 0.5:
            return {"id": self._rng.choice(pointing)[column]}
        return self.row(table)

    def key(self, name: str) -> str | None:
        """A key of the table that a name tells of (`individualId`: of a person), as it stands in an address."""
        tables = tables_of(name)
        row = self.about(self._rng.choice(tables)) if tables else None
        if row is None:
            return None
        known = (row.get(key) for key in ("id", "slug", "stop_id", "receipt"))
        return str(next(filter(None, known), None) or next(iter(row.values())))

    def any_id(self) -> str:
        """The id of anything at all."""
        known = [row for rows in self._rows.values() for row in rows if is_id(row.get("id"))]
        return str(self._rng.choice(known)["id"]) if known else _NOBODYS

    def text(self, name: str) -> Any:
        """A value of some column of that name, else of the contract's examples of it; None where there is neither."""
        column = snake(name)
        tables = [table for table, rows in self._rows.items() if rows and column in rows[0]]
        row = self.row(self._rng.choice(tables)) if tables and self._rng.random() < 0.7 else None
        if row is not None and row[column] is not None:
            return self._part(row[column])
        words = self._words.get(name)
        return self._rng.choice(words) if words else None

    def _part(self, value: Any) -> Any:
        """The value, or of a text now and then a word in it."""
        if isinstance(value, str) and " " in value and self._rng.random() < 0.5:
            return self._rng.choice(value.split())
        return value

    def body_like(self, table: str, example: dict[str, Any], there: str) -> dict[str, Any]:
        """A body that says what some row says, best one of the address it is sent to: an attempt to run into it."""
        near = [row for row in self._hot.get(table, []) if any(one in there for one in row.values() if is_id(one))]
        row = self._rng.choice(near) if near and self._rng.random() < 0.85 else self.row(table)
        if row is None:
            return dict(example)
        return {name: row.get(snake(name), row.get(f"{snake(name)}_id", value)) for name, value in example.items()}

    def odd(self) -> str:
        return self._rng.choice(_ODD)

    def value(self, name: str, schema: dict[str, Any]) -> Any:
        """A value for a parameter: mostly one that its schema takes."""
        rng, kind = self._rng, schema.get("type")
        listed = [schema["const"]] if "const" in schema else schema.get("enum") or schema.get("examples")
        if rng.random() < 0.12:
            return self.odd()
        if listed and rng.random() < 0.9:
            return rng.choice(listed)
        if kind == "boolean":
            return rng.choice(["true", "false"])
        if kind in ("integer", "number"):
            low, high = schema.get("minimum", 0), schema.get("maximum", 10**6)
            return rng.choice([low, low, low + 1, low + 2, schema.get("default", low), high, low - 1, high + 1])
        known = self.key(name) if rng.random() < 0.8 else None
        if schema.get("format") == "uuid":
            return known if is_id(known) else self.any_id()
        return self._string(name, schema, known)

    def _string(self, name: str, schema: dict[str, Any], known: str | None) -> Any:
        rng, pattern = self._rng, schema.get("pattern")
        options = [option for option in (known, self.text(name), schema.get("example")) if isinstance(option, str)]
        if pattern is not None:
            options = [option for option in options if re.search(pattern, option)]
            if not options or rng.random() < 0.3:
                options = matching(pattern)
        if schema.get("format") == "date" and rng.random() < 0.5:
            options = [str(moment(START).date() - timedelta(days=rng.choice([0, 1, 30, 400])))]
        return rng.choice(options) if options else self.odd()


def words_of(document: Any) -> dict[str, list[Any]]:
    """Every example and enumerated value of a contract, by the name of its property."""
    words: dict[str, list[Any]] = {}
    for name, value in _named(document):
        if value not in (None, [], {}) and value not in words.setdefault(name, []):
            words[name].append(value)
    return words


def _named(node: Any) -> Iterator[tuple[str, Any]]:
    """The members of every example in a document, and what the schema of a property says that it may be."""
    for inner in node if isinstance(node, list) else ():
        yield from _named(inner)
    for name, inner in node.items() if isinstance(node, dict) else ():
        if name == "example":
            yield from _members(inner)
        elif name == "properties" and isinstance(inner, dict):
            for of, schema in inner.items():
                yield from ((of, value) for value in _values(schema))
        yield from _named(inner)


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    for inner in value if isinstance(value, list) else ():
        yield from _members(inner)
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield name, inner
        yield from _members(inner)


def _values(schema: Any) -> Iterator[Any]:
    if isinstance(schema, dict):
        yield from schema.get("enum", ())
        yield schema.get("example")
        for one in schema.get("anyOf", ()):
            yield from _values(one)
