"""Mappings."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, Column, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from api.store.base import Table


class Mapping(Table, table=True):
    """A mapping (*kartläggning*) of a scene on one day, made by a board together with the local police area.

    `police_work` is held by the police whoever types it. `affected_counts` holds exact counts of persons and is never
    served; `affected` is what may be shown, with counts of 1-4 hidden.
    """

    __tablename__ = "mappings"
    __table_args__ = (Index("ix_mappings_scene_mapped_on", "scene_id", "mapped_on"),)

    id: UUID = Field(primary_key=True)
    scene_id: UUID = Field(foreign_key="scenes.id")
    mapped_on: date
    mapped_by: str = Field(foreign_key="agencies.slug")
    affected_counts: list[dict[str, object]] = Field(sa_column=Column(JSONB, nullable=False))
    affected: list[dict[str, object]] = Field(sa_column=Column(JSONB, nullable=False))
    physical_place: str
    use: str
    substances: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    police_work: str | None = None
    partners: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    hotspots: list[dict[str, object]] = Field(sa_column=Column(JSONB, nullable=False))
    time_pattern: str | None = None
    interviews: str | None = None
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
