"""Disclosure decisions and the rows they name."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from api.store.base import Table


class DisclosureDecision(Table, table=True):
    """A decision (*utlämnandebeslut*) by the holder to disclose named fields of named rows to one recipient.

    It lives from `valid_from` until `valid_until`, or until it is revoked.
    """

    __tablename__ = "disclosure_decisions"
    __table_args__ = (
        CheckConstraint("valid_until > valid_from", name="period"),
        CheckConstraint("holder <> recipient", name="two_agencies"),
        Index("ix_disclosure_decisions_recipient", "recipient", "resource"),
    )

    id: UUID = Field(primary_key=True)
    holder: str = Field(foreign_key="agencies.slug")
    recipient: str = Field(foreign_key="agencies.slug")
    provision: str
    purpose: str
    resource: str
    fields: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    attestations: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    decided_by: str
    valid_from: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    valid_until: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))


class DisclosureDecisionItem(Table, table=True):
    """One row that a decision covers: what the officer saw, frozen; never future rows."""

    __tablename__ = "disclosure_decision_items"

    decision_id: UUID = Field(primary_key=True, foreign_key="disclosure_decisions.id")
    item_id: UUID = Field(primary_key=True)
