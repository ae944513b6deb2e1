"""The ledger's rows."""

from collections.abc import Sequence

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from api.ledger.chain import GENESIS, ChainedLeaf
from api.ledger.tables import Leaf

# Any constant will do; it must only be the ledger's own.
_SEQUENCER_LOCK = 0x5A_4D_53_59_4E


async def take_sequence(connection: AsyncConnection) -> tuple[int, bytes]:
    """Become the only sequencer until the transaction ends; the last leaf's number and hash."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _SEQUENCER_LOCK})
    last = (await connection.execute(select(Leaf.seq, Leaf.hash).order_by(Leaf.seq.desc()).limit(1))).first()  # type: ignore[attr-defined,call-overload]
    return (last.seq, last.hash) if last else (0, GENESIS)


async def add_leaves(connection: AsyncConnection, leaves: Sequence[ChainedLeaf], parties: Sequence[str]) -> None:
    """Store a run of leaves; `parties` names the receiver of each."""
    rows = [
        {
            "seq": leaf.seq,
            "receipt": leaf.receipt,
            "at_us": leaf.at_us,
            "salt": leaf.salt,
            "entry": leaf.entry,
            "previous": leaf.previous,
            "hash": leaf.hash,
            "receiver": party,
        }
        for leaf, party in zip(leaves, parties, strict=True)
    ]
    await connection.execute(insert(Leaf), rows)


async def all_leaves(connection: AsyncConnection) -> list[ChainedLeaf]:
    """Every leaf from the first, for verification."""
    columns = (Leaf.seq, Leaf.receipt, Leaf.at_us, Leaf.salt, Leaf.entry, Leaf.previous, Leaf.hash)
    rows = await connection.execute(select(*columns).order_by(Leaf.seq))  # type: ignore[call-overload]
    return [ChainedLeaf(*row) for row in rows]
