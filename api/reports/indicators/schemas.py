"""What is answered about indicators."""

from typing import Annotated, Literal

from pydantic import Field

from api.web.datatypes import Out
from api.web.documents import PageOf

AREA_PATTERN = r"^01(?:[0-9]{2})?$"
Area = Annotated[str, Field(pattern=AREA_PATTERN, json_schema_extra={"example": "01"})]
Measure = Literal["scenes", "remaining", "closed", "new", "nearSchool", "municipalitiesAffected", "municipalities"]


class StatedOut(Out):
    """A figure as a paper states it."""

    measure: Measure
    value: int
    source: str = Field(json_schema_extra={"example": "Hägersten-Älvsjö stadsdelsnämnd 2024-04-25"})


class IndicatorOut(Out):
    """Scenes in one area (the county `01` or a municipality) and year, counted from rows.

    `scenes` were open on some day of the year, `remaining` on its last day (today in a running year), `nearSchool`
    of the `scenes` have a primary school within 500 m; `municipalitiesAffected` have a remaining scene (county only).
    """

    area: Area
    area_name: str
    year: int = Field(json_schema_extra={"example": 2023})
    scenes: int
    remaining: int
    closed: int
    new: int
    near_school: int
    municipalities_affected: int | None
    municipalities: int
    stated: list[StatedOut]


class IndicatorPage(PageOf):
    """A page of indicators: the county first, years in order."""

    items: list[IndicatorOut]
