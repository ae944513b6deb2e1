"""Individuals."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, Column, DateTime, Index, Text
from sqlmodel import Field

from api.store.base import Table


class Individual(Table, table=True):
    """A person tied to a mapping, as one agency recorded it.

    `holder` is that agency, and it alone reads the row unless it decides otherwise.
    """

    __tablename__ = "individuals"
    __table_args__ = (Index("ix_individuals_mapping_holder", "mapping_id", "holder"),)

    id: UUID = Field(primary_key=True)
    mapping_id: UUID = Field(foreign_key="mappings.id")
    holder: str = Field(foreign_key="agencies.slug")
    role: str
    name: str | None = None
    identity_number: str | None = None
    birth_date: date | None = None
    sex: str | None = None
    contact: str | None = None
    substances: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    circumstances: str | None = None
    observed_on: date
    basis: str
    recorded_by: str
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
