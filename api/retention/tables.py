"""Rules of retention."""

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from api.store.base import Table


class RetentionRule(Table, table=True):
    """After how many months an agency's rows go: those about individuals, or the content of its part of the ledger."""

    __tablename__ = "retention_rules"
    __table_args__ = (
        CheckConstraint("subject IN ('individuals', 'ledger')", name="subject"),
        CheckConstraint("months >= 1", name="months"),
    )

    agency: str = Field(primary_key=True, foreign_key="agencies.slug")
    subject: str = Field(primary_key=True)
    months: int
