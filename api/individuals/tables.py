"""Individuals."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, Column, DateTime, Index, LargeBinary, Text
from sqlmodel import Field

from api.store.base import Table


class Individual(Table, table=True):
    """A person tied to a mapping, as one agency recorded it.

    `holder` is that agency, and it alone reads the row unless it decides otherwise. `…_sealed` are texts under keys
    that are not in the database; `person_key` is the same in all rows of the holder about one person (`pseudonyms.py`),
    null without an identity number. Of a person with `protected_identity` (OSL 21:3) other agencies see the place only
    where a decision names it.
    """

    __tablename__ = "individuals"
    __table_args__ = (
        Index("ix_individuals_mapping_holder", "mapping_id", "holder"),
        Index("ix_individuals_person", "holder", "person_key", postgresql_where="person_key IS NOT NULL"),
        Index("ix_individuals_protected", "id", postgresql_where="protected_identity"),
    )

    id: UUID = Field(primary_key=True)
    mapping_id: UUID = Field(foreign_key="mappings.id")
    holder: str = Field(foreign_key="agencies.slug")
    role: str
    name: str | None = None
    birth_date: date | None = None
    sex: str | None = None
    substances: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    circumstances: str | None = None
    observed_on: date
    basis: str
    recorded_by: str
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    identity_number_sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    contact_sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    person_key: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    protected_identity: bool
