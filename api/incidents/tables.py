"""Incident batches and incidents."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, DateTime, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from api.store.base import Table


class IncidentBatch(Table, table=True):
    """One delivery and what became of it. `id` is ours, or the sender's own where it was PUT; unique per sender.

    `digest` is the SHA-256 of the body as received: the same delivery again is recognised by it.
    """

    __tablename__ = "incident_batches"

    agency: str = Field(primary_key=True, foreign_key="agencies.slug")
    id: str = Field(primary_key=True)
    digest: str
    status: str
    received: int
    accepted: int
    updated: int
    unchanged: int
    rejected: int
    unlocated: int
    errors: list[dict[str, object]] = Field(sa_column=Column(JSONB, nullable=False))
    completed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class Incident(Table, table=True):
    """An incident (*händelse*) in public transport at its newest revision.

    It is tied to scenes through its station, so that a station whose position becomes known later counts from then.
    """

    __tablename__ = "incidents"
    __table_args__ = (Index("ix_incidents_stop_occurred_at", "stop_id", "occurred_at"),)

    agency: str = Field(primary_key=True, foreign_key="agencies.slug")
    incident_id: str = Field(primary_key=True)
    revision: int
    occurred_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    stop_id: str
    category: str
    mode: str
    line: str | None = None
    severity: int
    withdrawn: bool
    batch_id: str


class OutlineStation(Table, table=True):
    """A station so near an outline that its incidents belong to the scene; refreshed when either changes."""

    __tablename__ = "outline_stations"

    outline_id: UUID = Field(primary_key=True, foreign_key="scene_outlines.id")
    stop_id: str = Field(primary_key=True, foreign_key="stations.stop_id")
    distance_m: float
