"""Scenes and the history of their outlines."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from api.store.base import Table
from api.store.types import Polygon


class Scene(Table, table=True):
    """An open drug scene (*öppen drogscen*). Open while `closed_on` is empty; `ending` says how it ended.

    `version` counts changes and is the scene's entity tag for If-Match.
    """

    __tablename__ = "scenes"
    __table_args__ = (
        CheckConstraint("closed_on IS NULL OR closed_on >= appeared_on", name="closed_after_appeared"),
        CheckConstraint("(closed_on IS NULL) = (ending IS NULL)", name="ending_with_date"),
    )

    id: UUID = Field(primary_key=True)
    name: str
    municipality: str = Field(foreign_key="municipalities.code", index=True)
    district: str | None = Field(default=None, foreign_key="districts.name")
    local_police_area: str | None = None
    environment: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    setting: str
    symptoms: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    appeared_on: date
    closed_on: date | None = None
    ending: str | None = None
    sara_stage: str
    fictional: bool = False
    version: int = 1
    created_by: str = Field(foreign_key="agencies.slug")
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class SceneOutline(Table, table=True):
    """A scene's outline during one period: scenes shrink. `until` is the first day it no longer held.

    `outline` is SWEREF 99 TM for distances, `geojson` the CRS84 polygon as served. `school_count` counts primary
    schools within 500 m and is refreshed in the transaction that changes an outline or a school.
    """

    __tablename__ = "scene_outlines"
    __table_args__ = (
        Index("ix_scene_outlines_outline", "outline", postgresql_using="gist"),
        Index("uq_scene_outlines_current", "scene_id", unique=True, postgresql_where="until IS NULL"),
        CheckConstraint("until IS NULL OR until > valid_from", name="period"),
    )

    id: UUID = Field(primary_key=True)
    scene_id: UUID = Field(foreign_key="scenes.id", index=True)
    outline: str = Field(sa_column=Column(Polygon(), nullable=False))
    geojson: dict[str, object] = Field(sa_column=Column(JSONB, nullable=False))
    valid_from: date
    until: date | None = None
    school_count: int = 0
