"""The ledger's rows: leaves, what each agency may know of them, the tree's nodes, its head, and who has seen it.

Nothing of it is ever changed or removed, but that a part is erased (triggers of migration 0003). There are no foreign
keys: what belongs together is written in one transaction, and `samsyn verify` says where it does not.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, DateTime, Index, LargeBinary, Uuid
from sqlmodel import Field

from api.store.base import Table


def _bytes(*, nullable: bool = False) -> Column[bytes]:
    return Column(LargeBinary, nullable=nullable)


class Leaf(Table, table=True):
    """One protected answer or refusal. `at_us` is microseconds since 1970; `padding` fills the slots without a part."""

    __tablename__ = "ledger_leaves"

    leaf_index: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    receipt: UUID = Field(unique=True)
    at_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    content_root: bytes = Field(sa_column=_bytes())
    padding: list[bytes] = Field(sa_column=Column(ARRAY(LargeBinary), nullable=False))


class LeafPart(Table, table=True):
    """What one agency may know of a leaf: `entry` is canonical JSON, for the commitment is over these very bytes.

    `items` are ids of rows about individuals as that agency knows them; null where there are none. Erased (*gallrad*):
    `salt`, `entry` and `items` are null and `erased_at` says since when.
    """

    __tablename__ = "ledger_parts"
    __table_args__ = (
        CheckConstraint("role IN ('receiver', 'giver')", name="role"),
        CheckConstraint(
            "(entry IS NULL) = (erased_at IS NOT NULL) AND (salt IS NULL) = (entry IS NULL)", name="erased"
        ),
        Index("ix_ledger_parts_agency_leaf_index", "agency", "leaf_index"),
        Index("ix_ledger_parts_items", "items", postgresql_using="gin", postgresql_where="items IS NOT NULL"),
    )

    leaf_index: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    slot: int = Field(primary_key=True)
    agency: str
    role: str
    salt: bytes | None = Field(default=None, sa_column=_bytes(nullable=True))
    entry: str | None = None
    items: list[UUID] | None = Field(default=None, sa_column=Column(ARRAY(Uuid), nullable=True))
    commitment: bytes = Field(sa_column=_bytes())
    erased_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))


class TreeNode(Table, table=True):
    """The hash of a perfect subtree: level 0 is a leaf, `position` counts from the left."""

    __tablename__ = "ledger_nodes"

    level: int = Field(primary_key=True)
    position: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hash: bytes = Field(sa_column=_bytes())


class TreeHead(Table, table=True):
    """One row: how many leaves, and the perfect subtrees' hashes left to right. Whoever locks it is the sequencer."""

    __tablename__ = "ledger_head"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    frontier: list[bytes] = Field(sa_column=Column(ARRAY(LargeBinary), nullable=False))


class LedgerWitness(Table, table=True):
    """An agency that cosigns checkpoints: the name of its key, and the key (Ed25519, 32 bytes)."""

    __tablename__ = "ledger_witnesses"

    agency: str = Field(primary_key=True, foreign_key="agencies.slug")
    name: str = Field(unique=True)
    public_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))


class Cosignature(Table, table=True):
    """That an agency has seen the log grow to `size`: the signature line as it was sent, the newest of each size."""

    __tablename__ = "ledger_cosignatures"

    agency: str = Field(primary_key=True, foreign_key="agencies.slug")
    size: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    signed_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    line: str
