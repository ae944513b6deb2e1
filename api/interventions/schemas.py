"""What is sent and answered about interventions and the intervention survey."""

import re
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema

from api.web.datatypes import Body, Out, Slug, StrictDate, StrictDateTime, Text, refusal
from api.web.documents import PageOf, Single

# Texts as `Text` checks them, spelled so that a type checker sees a `str`.
Name = Annotated[str, *Text(120).__metadata__]
Prose = Annotated[str, *Text(4000, lines=True).__metadata__]
InterventionType = Literal["situational", "social"]
InterventionStatus = Literal["planned", "ongoing", "ended"]
# A year, a quarter or a month; no sliding window.
PERIOD_PATTERN = r"^20[0-9]{2}(-(Q[1-4]|0[1-9]|1[0-2]))?$"
Period = Annotated[str, Field(pattern=PERIOD_PATTERN, json_schema_extra={"example": "2026-Q3"})]

# The one spelling that the contract names; UUID itself would also read braces, URNs and bare digits.
_UUID_PATTERN = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_UUID = re.compile(_UUID_PATTERN.removesuffix("$") + r"\Z")


def _reference(value: Any) -> Any:
    if isinstance(value, UUID):
        return value
    if not isinstance(value, str) or not _UUID.match(value):
        raise refusal("is not a UUID", "give the id as it was answered")
    return UUID(value)


_SCENE_EXAMPLE = "7d444840-9dc0-41d1-b245-5ffdce74fad2"
SceneReference = Annotated[
    UUID,
    BeforeValidator(_reference),
    WithJsonSchema({"type": "string", "format": "uuid", "pattern": _UUID_PATTERN, "example": _SCENE_EXAMPLE}),
]
_GIVEN_EXAMPLE: dict[str, Any] = {
    "intervention": "increase-presence",
    "status": "ongoing",
    "startedOn": "2026-03-02",
    "endedOn": None,
    "times": 24,
    "partners": ["Nattvandrarna (fiktiv förening)"],
    "assessment": "Färre klagomål på torget sedan mars.",
}
_SURVEY_EXAMPLE: dict[str, Any] = {
    "scene": _SCENE_EXAMPLE,
    "period": "2026-Q3",
    "comment": "Svaret gäller torget och tunnelbaneentrén.",
    "interventions": [_GIVEN_EXAMPLE],
}


class InterventionOut(Out):
    """A method (*insats*) of the regional folder: situational or social."""

    slug: str = Field(json_schema_extra={"example": "increase-presence"})
    name: str = Field(json_schema_extra={"example": "Öka närvaron på platsen"})
    name_en: str = Field(json_schema_extra={"example": "Increasing presence at the place"})
    type: InterventionType
    source: str


class InterventionPage(PageOf):
    """A page of interventions."""

    items: list[InterventionOut]


class GivenIn(Body):
    """One intervention in a survey answer."""

    model_config = {"json_schema_extra": {"example": _GIVEN_EXAMPLE}}

    intervention: Annotated[Slug, Field(json_schema_extra={"example": "increase-presence"})]
    status: InterventionStatus
    started_on: StrictDate | None = None
    ended_on: StrictDate | None = None
    times: Annotated[int, Field(ge=0, le=100_000, description="How many times it was carried out")] | None = None
    partners: Annotated[list[Name], Field(max_length=30)] = []
    assessment: Annotated[Prose, Field(description="The respondent's own assessment")] | None = None


class SurveyIn(Body):
    """An answer to the intervention survey (*insatsenkät*) for one scene and period; an empty list is an answer too."""

    model_config = {"json_schema_extra": {"example": _SURVEY_EXAMPLE}}

    scene: SceneReference
    period: Period
    comment: Prose | None = None
    interventions: Annotated[list[GivenIn], Field(max_length=100)]


class GivenOut(Out):
    """One intervention in a survey answer."""

    intervention: str = Field(json_schema_extra={"example": "increase-presence"})
    status: InterventionStatus
    started_on: StrictDate | None
    ended_on: StrictDate | None
    times: int | None
    partners: list[str]
    assessment: str | None


class SurveyOut(Single):
    """A survey answer as one agency gave it."""

    id: UUID
    scene: UUID
    period: Period
    agency: str = Field(json_schema_extra={"example": "skarholmen-trygghet"})
    answered_at: StrictDateTime
    comment: str | None
    interventions: list[GivenOut]


class SurveyPage(PageOf):
    """A page of survey answers."""

    items: list[SurveyOut]
