"""The ledger's rows: what is written in one transaction, what proofs are made from, and who has seen the log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from api.ledger.checkpoint import WITNESS, VerifierKey
from api.ledger.columns import StoredPart
from api.ledger.leaves import Content, Leaf, microseconds
from api.ledger.merkle import Frontier, Node
from api.ledger.parts import Part
from api.ledger.tables import Cosignature, LeafPart, LedgerWitness, TreeHead, TreeNode
from api.ledger.tables import Leaf as LeafRow
from api.store.base import table_of

_LEAVES, _PARTS, _NODES, _HEAD = (table_of(one) for one in (LeafRow, LeafPart, TreeNode, TreeHead))
_WITNESSES, _COSIGNATURES = (table_of(one) for one in (LedgerWitness, Cosignature))
_LEAF = (_LEAVES.c.leaf_index, _LEAVES.c.at_us, _LEAVES.c.receipt, _LEAVES.c.content_root)

_SOME_NODES = text(
    """
    SELECT n.level, n.position, n.hash
      FROM unnest(CAST(:levels AS integer[]), CAST(:positions AS bigint[])) AS wanted (level, position)
      JOIN ledger_nodes n ON (n.level, n.position) = (wanted.level, wanted.position)
    """
)


# One statement for all tables: every answer waits for it, and the trips there and back are most of what it takes.
_ADD = text(
    """
    WITH leaves AS (
        INSERT INTO ledger_leaves (leaf_index, receipt, at_us, content_root, padding)
        SELECT leaf_index, receipt, at_us, content_root, CAST(padding AS bytea[])
          FROM unnest(CAST(:leaf_0 AS bigint[]), CAST(:leaf_1 AS uuid[]), CAST(:leaf_2 AS bigint[]),
                      CAST(:leaf_3 AS bytea[]), CAST(:leaf_4 AS text[]))
               AS new (leaf_index, receipt, at_us, content_root, padding)
    ), parts AS (
        INSERT INTO ledger_parts (leaf_index, slot, agency, role, salt, entry, items, commitment)
        SELECT leaf_index, slot, agency, role, salt, entry, CAST(items AS uuid[]), commitment
          FROM unnest(CAST(:part_0 AS bigint[]), CAST(:part_1 AS integer[]), CAST(:part_2 AS text[]),
                      CAST(:part_3 AS text[]), CAST(:part_4 AS bytea[]), CAST(:part_5 AS text[]),
                      CAST(:part_6 AS text[]), CAST(:part_7 AS bytea[]))
               AS new (leaf_index, slot, agency, role, salt, entry, items, commitment)
    ), nodes AS (
        INSERT INTO ledger_nodes (level, position, hash)
        SELECT * FROM unnest(CAST(:node_0 AS integer[]), CAST(:node_1 AS bigint[]), CAST(:node_2 AS bytea[]))
    )
    UPDATE ledger_head SET size = :size, frontier = :frontier
    """
).bindparams(bindparam("frontier", type_=ARRAY(LargeBinary)))


class HeadMissingError(LookupError):
    """The ledger has no head: its one row was never made, or has been taken away."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A leaf that only lacks its place: its parts with their salts and spelling, and its content."""

    receipt: UUID
    at_us: int
    parts: tuple[Part, ...]
    salts: tuple[bytes, ...]
    entries: tuple[str, ...]
    content: Content

    def at(self, index: int) -> Leaf:
        """The leaf, in its place."""
        return Leaf(index, self.at_us, self.receipt, self.content.root)


async def take_head(connection: AsyncConnection) -> Frontier:
    """The head, locked: this transaction is the only sequencer until it ends. Raises `HeadMissingError`."""
    return _frontier((await connection.execute(select(_HEAD.c.size, _HEAD.c.frontier).with_for_update())).first())


async def read_head(connection: AsyncConnection) -> Frontier:
    """The head as of now. Raises `HeadMissingError`."""
    return _frontier((await connection.execute(select(_HEAD.c.size, _HEAD.c.frontier))).first())


def _frontier(row: Sequence[Any] | None) -> Frontier:
    if row is None:
        raise HeadMissingError("the ledger has no head")
    size, hashes = row
    return Frontier(size, tuple(hashes))


async def add_leaves(connection: AsyncConnection, head: Frontier, sealed: Iterable[Sealed]) -> Frontier:
    """Store leaves in their order behind a head that is locked; the head they make."""
    leaves, parts, nodes = [], [], []
    for one in sealed:
        index, leaf = head.size, one.at(head.size)
        leaves.append((index, one.receipt, one.at_us, leaf.content_root, _array(one.content.padding)))
        parts += [
            (index, slot, part.agency, part.role, salt, entry, _ids(part.items), one.content.values[slot])
            for part, salt, entry, slot in zip(one.parts, one.salts, one.entries, one.content.slots, strict=True)
        ]
        head, made = head.append(leaf.hash)
        nodes += [(node.level, node.position, digest) for node, digest in made]
    values: dict[str, Any] = {"size": head.size, "frontier": list(head.hashes)}
    for kind, rows in (("leaf", leaves), ("part", parts), ("node", nodes)):
        values |= {f"{kind}_{number}": list(column) for number, column in enumerate(zip(*rows, strict=True))}
    if leaves:
        await connection.execute(_ADD, values)
    return head


def _array(values: Iterable[bytes]) -> str:
    """An array of bytes as PostgreSQL spells it: arrays of arrays cannot be unnested into arrays."""
    return "{" + ",".join(f'"\\\\x{value.hex()}"' for value in values) + "}"


def _ids(items: Sequence[UUID]) -> str | None:
    return "{" + ",".join(map(str, items)) + "}" if items else None


async def read_nodes(connection: AsyncConnection, wanted: Sequence[Node]) -> dict[Node, bytes]:
    """The hashes of these nodes; one that is not stored is not in the answer."""
    asked = {"levels": [node.level for node in wanted], "positions": [node.position for node in wanted]}
    rows = await connection.execute(_SOME_NODES, asked) if wanted else ()
    return {Node(level, position): digest for level, position, digest in rows}


async def read_leaves(connection: AsyncConnection, start: int, end: int) -> list[Leaf]:
    """The leaves from `start` to before `end`, in order."""
    wanted = select(*_LEAF).where(_LEAVES.c.leaf_index >= start, _LEAVES.c.leaf_index < end)
    return [Leaf(*row) for row in await connection.execute(wanted.order_by(_LEAVES.c.leaf_index))]


async def find_leaf(connection: AsyncConnection, *, receipt: UUID | None, index: int | None) -> Leaf | None:
    """The leaf that has this receipt and this index, of those that are given; without either, the last one."""
    wanted = select(*_LEAF).order_by(_LEAVES.c.leaf_index.desc()).limit(1)
    if receipt is not None:
        wanted = wanted.where(_LEAVES.c.receipt == receipt)
    if index is not None:
        wanted = wanted.where(_LEAVES.c.leaf_index == index)
    row = (await connection.execute(wanted)).first()
    return None if row is None else Leaf(*row)


async def count_parts_before(connection: AsyncConnection, agency: str, before: datetime) -> int:
    """How many of an agency's parts are from before a moment and not erased."""
    counted = select(func.count()).select_from(_PARTS).join(_LEAVES, _PARTS.c.leaf_index == _LEAVES.c.leaf_index)
    return int((await connection.execute(counted.where(*_unerased(agency, before)))).scalar_one())


async def erase_parts_before(
    connection: AsyncConnection, agency: str, before: datetime, *, at: datetime, at_most: int
) -> int:
    """Erase the content of an agency's parts from before a moment, oldest first; how many.

    The commitments stay, so every proof holds as before.
    """
    due = (
        select(_PARTS.c.leaf_index, _PARTS.c.slot)
        .join(_LEAVES, _PARTS.c.leaf_index == _LEAVES.c.leaf_index)
        .where(*_unerased(agency, before))
        .order_by(_PARTS.c.leaf_index)
        .limit(at_most)
        .cte("due")
    )
    erased = update(_PARTS).values(salt=None, entry=None, items=None, erased_at=at)
    same = (_PARTS.c.leaf_index == due.c.leaf_index) & (_PARTS.c.slot == due.c.slot)
    return (await connection.execute(erased.where(same))).rowcount


def _unerased(agency: str, before: datetime) -> tuple[ColumnElement[bool], ...]:
    return _PARTS.c.agency == agency, _PARTS.c.erased_at.is_(None), _LEAVES.c.at_us < microseconds(before)


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """A leaf as it is stored, with everything it is made of."""

    leaf: Leaf
    padding: tuple[bytes, ...]
    parts: tuple[StoredPart, ...]


async def one_view(connection: AsyncConnection) -> None:
    """All that this transaction reads is of one moment, whatever is written meanwhile. To be called first."""
    await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))


async def stored_leaves(connection: AsyncConnection, after: int, at_most: int) -> list[StoredLeaf]:
    """The leaves behind an index (-1: from the first), in order, with all that belongs to them."""
    wanted = select(*_LEAF, _LEAVES.c.padding).where(_LEAVES.c.leaf_index > after)
    rows = (await connection.execute(wanted.order_by(_LEAVES.c.leaf_index).limit(at_most))).all()
    parts: dict[int, list[StoredPart]] = {}
    if rows:
        columns = (_PARTS.c.leaf_index, *(_PARTS.c[column.name] for column in fields(StoredPart)))
        among = (_PARTS.c.leaf_index > after) & (_PARTS.c.leaf_index <= rows[-1].leaf_index)
        for index, *part in await connection.execute(select(*columns).where(among).order_by(*columns[:2])):
            parts.setdefault(index, []).append(StoredPart(*part))
    return [StoredLeaf(Leaf(*row[:4]), tuple(row.padding), tuple(parts.get(row.leaf_index, ()))) for row in rows]


async def noted_erasures(connection: AsyncConnection) -> list[tuple[str, int, str]]:
    """The entries that tell of erased content of the ledger, and are left: agency, time of the leaf, entry."""
    wanted = select(_PARTS.c.agency, _LEAVES.c.at_us, _PARTS.c.entry)
    joined = wanted.join(_LEAVES, _PARTS.c.leaf_index == _LEAVES.c.leaf_index)
    # As `canonical` spells it; what else it finds is passed over when it is read.
    told = joined.where(_PARTS.c.entry.contains('"kind":"erasure"'), _PARTS.c.entry.contains('"of":"ledger"'))
    return [tuple(row) for row in await connection.execute(told)]


async def stored_counts(connection: AsyncConnection) -> tuple[int, int, int]:
    """How many leaves, parts and nodes are stored."""
    counted = [select(func.count()).select_from(one) for one in (_LEAVES, _PARTS, _NODES)]
    leaves, parts, nodes = [(await connection.execute(one)).scalar_one() for one in counted]
    return leaves, parts, nodes


async def all_cosignatures(connection: AsyncConnection) -> list[tuple[str, int, str]]:
    """Every cosignature: agency, size, line."""
    columns = (_COSIGNATURES.c.agency, _COSIGNATURES.c.size, _COSIGNATURES.c.line)
    return [tuple(row) for row in await connection.execute(select(*columns).order_by(*columns[:2]))]


@dataclass(frozen=True, slots=True)
class Witness:
    """An agency that cosigns, and its key."""

    agency: str
    key: VerifierKey


async def read_witnesses(connection: AsyncConnection) -> list[Witness]:
    """The agencies that cosign."""
    rows = await connection.execute(select(*_WITNESSES.c).order_by(_WITNESSES.c.agency))
    return [Witness(row.agency, VerifierKey(row.name, WITNESS, row.public_key)) for row in rows]


async def sector_of(connection: AsyncConnection, agency: str) -> str | None:
    """The sector of a registered agency; `None` where there is no such agency."""
    found = text("SELECT sector FROM agencies WHERE slug = :agency")
    return (await connection.execute(found, {"agency": agency})).scalar_one_or_none()


async def register_witness(connection: AsyncConnection, witness: Witness) -> None:
    """Say with which key an agency cosigns from now on. What it has cosigned before stays, under the key of then."""
    values = {"name": witness.key.name, "public_key": witness.key.public}
    statement = insert(_WITNESSES).values(agency=witness.agency, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["agency"], set_=values))


async def read_cosignatures(connection: AsyncConnection, size: int) -> list[str]:
    """The signature lines known for a size."""
    wanted = select(_COSIGNATURES.c.line).where(_COSIGNATURES.c.size == size).order_by(_COSIGNATURES.c.agency)
    return list((await connection.execute(wanted)).scalars())


async def keep_cosignature(connection: AsyncConnection, agency: str, size: int, *, signed_at: int, line: str) -> None:
    """Keep a cosignature, in place of an older one of the same agency and size."""
    values = {"signed_at": signed_at, "line": line}
    statement = insert(_COSIGNATURES).values(agency=agency, size=size, **values)
    newer = statement.excluded.signed_at > _COSIGNATURES.c.signed_at
    kept = statement.on_conflict_do_update(index_elements=["agency", "size"], set_=values, where=newer)
    await connection.execute(kept)
