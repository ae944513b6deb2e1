"""Municipalities, districts, schools and stations. Positions in SWEREF 99 TM (EPSG:3006), metres."""

from sqlalchemy import ARRAY, Column, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from api.store.base import Table
from api.store.types import Point


class Municipality(Table, table=True):
    """A municipality (*kommun*) of the county; `code` is SCB's four digits."""

    __tablename__ = "municipalities"

    code: str = Field(primary_key=True)
    name: str
    police_area: str | None = None
    local_police_area: str | None = None


class District(Table, table=True):
    """A district board's area (*stadsdelsnämndsområde*)."""

    __tablename__ = "districts"

    name: str = Field(primary_key=True)
    municipality: str = Field(foreign_key="municipalities.code")
    local_police_area: str | None = None


class School(Table, table=True):
    """A school unit (*skolenhet*). Without a trustworthy position it is kept, and near nothing."""

    __tablename__ = "schools"
    __table_args__ = (Index("ix_schools_position", "position", postgresql_using="gist"),)

    id: str = Field(primary_key=True)
    name: str
    municipality: str | None = Field(default=None, foreign_key="municipalities.code")
    forms: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    is_primary: bool | None = None
    position: str | None = Field(default=None, sa_column=Column(Point()))
    position_geojson: dict[str, object] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    coordinate_status: str
    source: str


class Station(Table, table=True):
    """A stop of public transport; `stop_id` is the 16-digit SL site id as text. A position may be unknown."""

    __tablename__ = "stations"
    __table_args__ = (Index("ix_stations_position", "position", postgresql_using="gist"),)

    stop_id: str = Field(primary_key=True)
    name: str
    mode: str | None = None
    municipality: str | None = None
    position: str | None = Field(default=None, sa_column=Column(Point()))
    position_geojson: dict[str, object] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    source: str
