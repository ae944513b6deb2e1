"""What is sent and answered about situation reports."""

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from api.incidents.schemas import Category
from api.interventions.schemas import Period, SceneReference
from api.mappings.schemas import AffectedOut, HotspotOut
from api.scenes.schemas import Environment, OutlineBody, Setting, Symptom
from api.web.datatypes import Body, Out, StrictDate, StrictDateTime
from api.web.documents import PageOf, Single

_EXAMPLE: dict[str, Any] = {"scene": "7d444840-9dc0-41d1-b245-5ffdce74fad2", "period": "2026-Q3"}


class ReportIn(Body):
    """What to publish: a scene and a calendar period (a year, a quarter or a month) that has begun."""

    model_config = {"json_schema_extra": {"example": _EXAMPLE}}

    scene: SceneReference
    period: Period


class CountOut(Out):
    """A count as published: null where it is hidden, which is not zero."""

    count: int | None = Field(ge=0, json_schema_extra={"example": 17})
    hidden: bool = Field(json_schema_extra={"example": False})


class CategoryCount(CountOut):
    """Incidents of one category."""

    category: Category


class TimeCount(CountOut):
    """Incidents on one ISO weekday (1 is Monday) in one hour band, Swedish local time."""

    weekday: int = Field(ge=1, le=7)
    hour_band: Literal["00-06", "06-12", "12-18", "18-24"]


class WhatOut(Out):
    """What happens: the symptoms, and incidents by category."""

    symptoms: list[Symptom]
    setting: Setting
    incidents: list[CategoryCount]
    total: CountOut


class StationOut(Out):
    """A station whose incidents belong to the scene; `distance` in metres from the outline."""

    stop_id: str = Field(json_schema_extra={"example": "9091001000009289"})
    name: str
    distance: int


class WhereOut(Out):
    """Where the place is, as it was on the last day reported on."""

    name: str
    municipality: str = Field(json_schema_extra={"example": "0180"})
    district: str | None
    outline: OutlineBody
    environment: list[Environment]
    stations: list[StationOut]
    schools_within_500m: int
    fictional: bool


class WhenOut(Out):
    """When it happens: incidents by weekday and hour band over the days `from`-`through`.

    `provisional`: the period was still running.
    """

    from_: StrictDate = Field(alias="from", json_schema_extra={"example": "2026-07-01"})
    through: StrictDate = Field(json_schema_extra={"example": "2026-09-30"})
    provisional: bool = Field(json_schema_extra={"example": False})
    cells: list[TimeCount]
    total: CountOut


class UnderWayOut(Out):
    """An intervention under way, as an agency answered the survey."""

    intervention: str = Field(json_schema_extra={"example": "increase-presence"})
    name: str
    type: Literal["situational", "social"]
    agency: str = Field(json_schema_extra={"example": "skarholmen-trygghet"})
    started_on: StrictDate | None = Field(json_schema_extra={"example": "2026-03-02"})
    partners: list[str]
    assessment: str | None


class TrendOut(Out):
    """The total against the same period of the year before; `change` only where both totals are shown."""

    previous_period: Period
    total: CountOut
    previous_total: CountOut | None
    change: int | None


class ProtectionOut(Out):
    """How small counts are hidden: up to which count of events and of persons, and since when that holds."""

    threshold: int = Field(json_schema_extra={"example": 4})
    threshold_persons: int = Field(json_schema_extra={"example": 4})
    method: str = Field(json_schema_extra={"example": "suppression-with-complements"})
    policy_date: StrictDate = Field(json_schema_extra={"example": "2026-01-01"})


class ReportOut(Single):
    """A published, frozen edition of a situation report (*lägesbild*)."""

    id: UUID
    edition: int = Field(ge=1)
    scene: UUID
    period: Period
    published_at: StrictDateTime
    published_by: str = Field(json_schema_extra={"example": "lansstyrelsen-stockholm"})
    what: WhatOut
    where: WhereOut
    when: WhenOut
    affected: list[AffectedOut]
    hotspots: list[HotspotOut]
    physical_place: str | None
    use: str | None
    substances: list[str]
    time_pattern: str | None
    interventions: list[UnderWayOut]
    trend: TrendOut
    police_work: str | None = Field(default=None, description="Released to the police; others see why it is withheld")
    protection: ProtectionOut


class ReportPage(PageOf):
    """A page of situation reports, newest period first."""

    items: list[ReportOut]
