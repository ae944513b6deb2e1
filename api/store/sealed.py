"""Sealed columns of any table, for putting their texts under a newer key. Those are the columns named `…_sealed`."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import MetaData, Table, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

_SUFFIX = "_sealed"


def sealed_tables(metadata: MetaData) -> list[tuple[Table, tuple[str, ...]]]:
    """The tables with sealed columns, and those columns' names."""
    found = []
    for table in metadata.sorted_tables:
        names = tuple(column.name for column in table.columns if column.name.endswith(_SUFFIX))
        if names:
            found.append((table, names))
    return found


async def some_sealed(
    connection: AsyncConnection, table: Table, names: Sequence[str], *, after: Sequence[Any] | None, at_most: int
) -> list[Mapping[str, Any]]:
    """The next rows that hold something sealed, by primary key, locked until the transaction ends."""
    keys = list(table.primary_key)
    sealed = [table.c[name] for name in names]
    wanted = select(*keys, *sealed).where(or_(*(column.is_not(None) for column in sealed)))
    if after is not None:
        wanted = wanted.where(tuple_(*keys) > tuple_(*after))
    rows = await connection.execute(wanted.order_by(*keys).limit(at_most).with_for_update())
    return [dict(row) for row in rows.mappings()]


def key_of(table: Table, row: Mapping[str, Any]) -> tuple[Any, ...]:
    """The row's primary key."""
    return tuple(row[column.name] for column in table.primary_key)


async def put_sealed(
    connection: AsyncConnection, table: Table, row: Mapping[str, Any], new: Mapping[str, bytes]
) -> None:
    """Store other tokens in a row's sealed columns."""
    same = (column == row[column.name] for column in table.primary_key)
    await connection.execute(update(table).where(*same).values(**new))
