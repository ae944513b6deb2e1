"""The ledger's leaves."""

from uuid import UUID

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field

from api.store.base import Table


class Leaf(Table, table=True):
    """One protected answer or refusal. Never changed, never removed; `hash` chains over the leaf before.

    `entry` is canonical JSON as text, because the hash is over these very bytes. `at_us` is microseconds since 1970.
    """

    __tablename__ = "ledger_leaves"

    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    receipt: UUID = Field(unique=True)
    at_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    receiver: str = Field(index=True)
    salt: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    entry: str
    previous: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
