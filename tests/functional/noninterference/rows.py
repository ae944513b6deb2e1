"""The rows of a database as JSON, read and written past the service, as only a test may."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from migrations.metadata import metadata

Key = tuple[Any, ...]
Row = Mapping[str, Any]
Rows = dict[str, dict[Key, Row]]
"""Every table by name, each row by its primary key."""

KEYS = {table.name: tuple(column.name for column in table.primary_key) for table in metadata.sorted_tables}
_EVERYTHING = " UNION ALL ".join(f"SELECT '{name}' AS name, to_jsonb(t) AS row FROM {name} t" for name in KEYS)


@dataclass(frozen=True)
class Change:
    """One row before and after; None where there is none."""

    table: str
    before: Row | None
    after: Row | None

    @property
    def key(self) -> Key:
        row = self.after if self.after is not None else self.before
        assert row is not None
        return key_of(self.table, row)

    def __str__(self) -> str:
        if self.before is None or self.after is None:
            return f"{self.table} {'+' if self.before is None else '-'} {json.dumps(self.after or self.before)}"
        differ = {name: [self.before[name], new] for name, new in self.after.items() if self.before[name] != new}
        return f"{self.table} {self.key}: {json.dumps(differ, ensure_ascii=False)}"


def key_of(table: str, row: Row) -> Key:
    return tuple(row[name] for name in KEYS[table])


async def connect(url: str) -> asyncpg.Connection:
    """A connection whose writes no trigger refuses, not even the one that keeps editions as they are."""
    connection = await asyncpg.connect(url)
    await connection.execute("SET session_replication_role = replica; SET timezone = 'UTC'")
    return connection


async def read_rows(connection: asyncpg.Connection) -> Rows:
    rows: Rows = {name: {} for name in KEYS}
    for name, text in await connection.fetch(_EVERYTHING):
        row = json.loads(text)
        rows[name][key_of(name, row)] = row
    # In an order of their own, so that a run can be repeated whatever the server does with its pages.
    return {name: dict(sorted(own.items())) for name, own in rows.items()}


def changes_between(before: Rows, after: Rows) -> list[Change]:
    """What makes the one database into the other."""
    return [
        Change(table, before[table].get(key), after[table].get(key))
        for table in KEYS
        for key in sorted(before[table].keys() | after[table].keys())
        if before[table].get(key) != after[table].get(key)
    ]


async def make_changes(connection: asyncpg.Connection, changes: Iterable[Change]) -> None:
    """Put rows in their new state. Rows go before others come, so that no unique column is taken twice."""
    by_table: dict[str, list[Change]] = {}
    for change in changes:
        by_table.setdefault(change.table, []).append(change)
    async with connection.transaction():
        for table, own in by_table.items():
            gone = json.dumps([change.before for change in own if change.before is not None])
            same = " AND ".join(f"t.{name} = o.{name}" for name in KEYS[table])
            old = f"jsonb_populate_recordset(NULL::{table}, $1::jsonb)"
            await connection.execute(f"DELETE FROM {table} t USING {old} o WHERE {same}", gone)
            come = json.dumps([change.after for change in own if change.after is not None])
            await connection.execute(f"INSERT INTO {table} SELECT * FROM {old}", come)
