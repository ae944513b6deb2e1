"""Published editions, figures as papers state them, and monthly crime counts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Column, DateTime, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from api.store.base import Table


class SituationReport(Table, table=True):
    """A published, frozen edition of a situation report (*lägesbild*) for one scene and calendar period.

    Counts are already protected when the row is written: what is hidden is not in the row.
    """

    __tablename__ = "situation_reports"
    __table_args__ = (UniqueConstraint("scene_id", "period", "edition"),)

    id: UUID = Field(primary_key=True)
    scene_id: UUID = Field(foreign_key="scenes.id")
    period: str
    edition: int
    published_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    published_by: str = Field(foreign_key="agencies.slug")
    what: dict[str, object] = Field(sa_column=Column(JSONB, nullable=False))
    where: dict[str, object] = Field(sa_column=Column("where_", JSONB, nullable=False))
    when: dict[str, object] = Field(sa_column=Column("when_", JSONB, nullable=False))
    affected: list[dict[str, object]] = Field(sa_column=Column(JSONB, nullable=False))
    hotspots: list[dict[str, object]] = Field(sa_column=Column(JSONB, nullable=False))
    physical_place: str | None = None
    use: str | None = None
    substances: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    time_pattern: str | None = None
    interventions: list[dict[str, object]] = Field(sa_column=Column(JSONB, nullable=False))
    trend: dict[str, object] = Field(sa_column=Column(JSONB, nullable=False))
    police_work: str | None = None
    protection: dict[str, object] = Field(sa_column=Column(JSONB, nullable=False))


class StatedFigure(Table, table=True):
    """A figure as a paper states it, so that what the rows give can be held against it."""

    __tablename__ = "stated_figures"

    area: str = Field(primary_key=True)
    year: int = Field(primary_key=True)
    measure: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    value: int


class CrimeCount(Table, table=True):
    """Reported crimes by group and month. `count` is empty where the source withholds it."""

    __tablename__ = "crime_counts"

    area_type: str = Field(primary_key=True)
    area: str = Field(primary_key=True)
    month: str = Field(primary_key=True)
    crime_group: str = Field(primary_key=True)
    count: int | None = None
