"""What was answered to which Idempotency-Key, kept in the transaction of the write it belongs to."""

from datetime import datetime

from sqlalchemy import Column, DateTime, LargeBinary
from sqlmodel import Field

from api.store.base import Table


class IdempotentAnswer(Table, table=True):
    """The first answer to a key. `fingerprint` is a SHA-256 of method, path and body."""

    __tablename__ = "idempotent_answers"

    agency: str = Field(primary_key=True)
    client_id: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    status: int
    location: str | None = None
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    answered_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, index=True))
