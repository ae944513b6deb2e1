"""Requests for disclosure, decisions on them, and the rows that decisions name."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, DateTime, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from api.store.base import Table

_OPEN = "state IN ('submitted', 'supplement-requested', 'withdrawn')"


class DisclosureRequest(Table, table=True):
    """A request (*begäran*) by one agency to another to disclose data on individuals.

    It names a holder, a scene or a question and kinds of information, never a row. `duty`: the provision was a duty to
    disclose on the day it was made. `…_sealed` are texts about persons, under keys that are not in the database; a rule
    of retention of the agency that wrote them makes them null. `why_sealed` is null only where that has happened.
    """

    __tablename__ = "disclosure_requests"
    __table_args__ = (
        CheckConstraint("requester <> holder", name="two_agencies"),
        CheckConstraint("scene_id IS NOT NULL OR question_sealed IS NOT NULL OR why_sealed IS NULL", name="scope"),
        # INVARIANT: what can still be decided on keeps its words.
        CheckConstraint("why_sealed IS NOT NULL OR state NOT IN ('submitted', 'supplement-requested')", name="words"),
        CheckConstraint(f"(decided_at IS NULL) = ({_OPEN})", name="decided"),
        CheckConstraint("(refusal_appeal IS NOT NULL) = (state IN ('refused', 'partly-granted'))", name="appeal"),
        Index("ix_disclosure_requests_holder", "holder", "created_at"),
        Index("ix_disclosure_requests_requester", "requester", "created_at"),
    )

    id: UUID = Field(primary_key=True)
    requester: str = Field(foreign_key="agencies.slug")
    holder: str = Field(foreign_key="agencies.slug")
    purpose: str
    provision: str
    duty: bool
    case_reference: str
    scene_id: UUID | None = Field(default=None, foreign_key="scenes.id")
    question_sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    kinds: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    why_sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    state: str
    asked_by: str
    asked_by_client: str
    asked_by_role: str | None = None
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    supplement_question_sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    supplement_asked_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    supplement_answer_sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    supplement_answered_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    decided_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    decided_by: str | None = None
    decided_by_role: str | None = None
    refusal_reason_sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    refusal_citation: str | None = None
    refusal_appeal: dict[str, str] | None = Field(default=None, sa_column=Column(JSONB))
    withdrawn_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))


class DisclosureDecision(Table, table=True):
    """A decision (*utlämnandebeslut*) by the holder to disclose named fields of named rows to one recipient.

    It lives from `valid_from` until `valid_until`, or until it is revoked. Without a `request_id` it was made on the
    holder's own initiative. `age_below` and `age_from` are what the provision's wording demanded when it was made.
    `attestations` are texts by their ids; null where a rule of retention has erased the text.
    """

    __tablename__ = "disclosure_decisions"
    __table_args__ = (
        CheckConstraint("valid_until > valid_from", name="period"),
        CheckConstraint("holder <> recipient", name="two_agencies"),
        Index("ix_disclosure_decisions_recipient", "recipient", "resource"),
        Index("ix_disclosure_decisions_holder", "holder"),
    )

    id: UUID = Field(primary_key=True)
    holder: str = Field(foreign_key="agencies.slug")
    recipient: str = Field(foreign_key="agencies.slug")
    provision: str
    purpose: str
    resource: str
    fields: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    attestations: dict[str, str | None] = Field(sa_column=Column(JSONB, nullable=False))
    decided_by: str
    valid_from: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    valid_until: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    # One decision for each request: whoever decides second finds it decided.
    request_id: UUID | None = Field(default=None, foreign_key="disclosure_requests.id", unique=True)
    case_reference: str | None = None
    decided_by_client: str | None = None
    decided_by_role: str | None = None
    decided_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    age_below: int | None = None
    age_from: int | None = None
    revoked_by: str | None = None
    revoked_by_role: str | None = None
    revoke_reason: str | None = None


class DisclosureDecisionItem(Table, table=True):
    """One row that a decision covers: what the officer saw, frozen; never future rows.

    `alias` is the row's id towards the recipient, the same in every decision that names it to that recipient (the
    database draws one where a writer gives none); `pseudonym` is the person's, null once the row is erased.
    """

    __tablename__ = "disclosure_decision_items"
    __table_args__ = (
        Index("ix_disclosure_decision_items_item", "item_id"),
        Index("ix_disclosure_decision_items_alias", "alias"),
    )

    decision_id: UUID = Field(primary_key=True, foreign_key="disclosure_decisions.id")
    item_id: UUID = Field(primary_key=True)
    alias: UUID
    pseudonym: str | None = None
