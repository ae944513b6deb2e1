"""What is sent and answered about scenes."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, WithJsonSchema, model_validator

from api.places.geometry import OUTLINE_SCHEMA
from api.web.datatypes import Body, Out, StrictDate, Text, refusal
from api.web.documents import PageOf, Single

Environment = Literal["park", "station", "residential", "square"]
Setting = Literal["suburb", "city", "vulnerable-area"]
Status = Literal["active", "closed", "merged"]
SaraStage = Literal["scanning", "analysis", "response", "assessment"]
# The seven symptoms of the regional folder (Polisregion Stockholm 2023), in its order.
Symptom = Literal[
    "nuisance",
    "perceived-unsafe",
    "hot-spot",
    "attracts-new-users",
    "youth-advised-against",
    "avoided-by-public",
    "tolerance-zone",
]
MunicipalityCode = Annotated[str, Field(pattern=r"^01[0-9]{2}$", json_schema_extra={"example": "0180"})]
OutlineBody = Annotated[Any, WithJsonSchema(OUTLINE_SCHEMA)]

OUTLINE_EXAMPLE: dict[str, Any] = {
    "type": "Polygon",
    "coordinates": [
        [[17.932, 59.2942], [17.9345, 59.2942], [17.9345, 59.2955], [17.932, 59.2955], [17.932, 59.2942]],
    ],
}
_EXAMPLE: dict[str, Any] = {
    "name": "Exempelplatsen (fiktiv)",
    "municipality": "0180",
    "district": "Skärholmen",
    "localPoliceArea": "Skärholmen",
    "status": "active",
    "environment": ["station", "square"],
    "setting": "suburb",
    "symptoms": ["perceived-unsafe", "hot-spot"],
    "outline": OUTLINE_EXAMPLE,
    "appearedOn": "2022-05-01",
    "closedOn": None,
    "saraStage": "scanning",
}


class SceneIn(Body):
    """A scene (*öppen drogscen*) as a police or municipal system reports it."""

    model_config = {"json_schema_extra": {"example": _EXAMPLE}}

    name: Text(120)
    municipality: MunicipalityCode
    district: Text(120) | None = None
    local_police_area: Text(120) | None = None
    status: Status = "active"
    environment: Annotated[list[Environment], Field(min_length=1, max_length=4)]
    setting: Setting
    symptoms: Annotated[list[Symptom], Field(max_length=7)] = []
    outline: OutlineBody
    appeared_on: StrictDate
    closed_on: StrictDate | None = None
    sara_stage: SaraStage = "scanning"


class ScenePatch(Body):
    """A change of a scene: only what is named is changed. A new outline holds from the day it is sent."""

    model_config = {"json_schema_extra": {"example": {"saraStage": "analysis"}, "minProperties": 1}}

    # A default that is never validated: a member may be left out, but only those that can be empty may be null.
    name: Text(120) = None
    district: Text(120) | None = None
    local_police_area: Text(120) | None = None
    status: Status = None  # type: ignore[assignment]
    environment: Annotated[list[Environment], Field(min_length=1, max_length=4)] = None  # type: ignore[assignment]
    setting: Setting = None  # type: ignore[assignment]
    symptoms: Annotated[list[Symptom], Field(max_length=7)] = None  # type: ignore[assignment]
    outline: OutlineBody = None
    closed_on: StrictDate | None = None
    sara_stage: SaraStage = None  # type: ignore[assignment]

    @model_validator(mode="after")
    def _changes_something(self) -> "ScenePatch":
        if not self.model_fields_set:
            raise refusal("names nothing to change", "name at least one member")
        return self


class SceneOut(Single):
    """A scene. Positions are CRS84 (longitude, latitude)."""

    id: UUID
    name: str
    municipality: str
    district: str | None
    local_police_area: str | None
    status: Status
    environment: list[Environment]
    setting: Setting
    symptoms: list[Symptom]
    outline: OutlineBody
    appeared_on: StrictDate
    closed_on: StrictDate | None
    sara_stage: SaraStage
    fictional: bool
    schools_within_500m: int
    particularly_exposed_for_youth: bool = Field(description="Särskilt utsatt plats för unga: a school within 500 m")
    mapping_overdue: bool = Field(description="No mapping during the last year")


class ScenePage(PageOf):
    """A page of scenes."""

    items: list[SceneOut]


class SchoolOut(Out):
    """A school near a scene; `distance` in metres from the outline, 0 inside it."""

    id: str
    name: str
    municipality: str | None
    school_forms: list[str]
    primary: bool | None
    position: Any
    distance: float


class SchoolPage(PageOf):
    """A page of schools, nearest first."""

    items: list[SchoolOut]
