"""Rules of retention."""

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from api.store.base import Table


class RetentionRule(Table, table=True):
    """After how many months what an agency holds goes.

    `individuals`: rows about them, from the day of recording. `ledger`: the content of its part, from the day of the
    leaf. `disclosures`: what it wrote in requests and decisions, from the day on which they ended.
    """

    __tablename__ = "retention_rules"
    __table_args__ = (
        CheckConstraint("subject IN ('individuals', 'ledger', 'disclosures')", name="subject"),
        CheckConstraint("months >= 1", name="months"),
    )

    agency: str = Field(primary_key=True, foreign_key="agencies.slug")
    subject: str = Field(primary_key=True)
    months: int
