"""The method catalogue, survey answers, and the memory of posts that were already answered."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, Column, DateTime, Index, Text
from sqlmodel import Field

from api.store.base import Table


class Intervention(Table, table=True):
    """A method of the regional folder (*metodstöd*, Polisregion Stockholm 2023): situational or social."""

    __tablename__ = "interventions"

    slug: str = Field(primary_key=True)
    name: str
    name_en: str
    type: str
    source: str


class Survey(Table, table=True):
    """One answer to the intervention survey (*insatsenkät*) by one agency for one scene and period."""

    __tablename__ = "surveys"
    __table_args__ = (Index("ix_surveys_scene_period", "scene_id", "period"),)

    id: UUID = Field(primary_key=True)
    scene_id: UUID = Field(foreign_key="scenes.id")
    agency: str = Field(foreign_key="agencies.slug")
    period: str
    comment: str | None = None
    answered_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    answered_by: str


class SurveyIntervention(Table, table=True):
    """One intervention in a survey answer, in the order it was given."""

    __tablename__ = "survey_interventions"

    survey_id: UUID = Field(primary_key=True, foreign_key="surveys.id")
    position: int = Field(primary_key=True)
    intervention: str = Field(foreign_key="interventions.slug")
    status: str
    started_on: date | None = None
    ended_on: date | None = None
    times: int | None = None
    partners: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    assessment: str | None = None
