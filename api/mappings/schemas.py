"""What is sent and answered about mappings."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from api.web.datatypes import Body, Out, StrictDate, Text
from api.web.documents import PageOf, Single

# Texts as `Text` checks them, spelled so that a type checker sees a `str`.
Name = Annotated[str, *Text(120).__metadata__]
Group = Annotated[str, *Text(80).__metadata__]
Substance = Annotated[str, *Text(60).__metadata__]
Prose = Annotated[str, *Text(4000, lines=True).__metadata__]
Searched = Annotated[str, *Text(200).__metadata__]
AgeBand = Literal["under-15", "15-17", "18-20", "21-29", "30-49", "50-plus", "unknown"]
Sex = Literal["female", "male", "other", "unknown"]
Substances = Annotated[
    list[Substance], Field(max_length=30, description="Substances by name, as they are known at the place")
]
Degrees = Annotated[float, Field(ge=-180, le=180)]

_POSITION_EXAMPLE: dict[str, Any] = {"type": "Point", "coordinates": [17.9334, 59.2947]}
_HOTSPOT_EXAMPLE: dict[str, Any] = {"name": "Trappan vid norra entrén", "position": _POSITION_EXAMPLE}
_AFFECTED_EXAMPLE: dict[str, Any] = {"group": "passersby", "ageBand": "18-20", "sex": "female", "count": 12}
_EXAMPLE: dict[str, Any] = {
    "mappedOn": "2026-10-05",
    "affected": [_AFFECTED_EXAMPLE],
    "physicalPlace": "Torg med två entréer, dålig belysning vid trappan.",
    "use": "Genomgång till kollektivtrafiken; uteserveringar sommartid.",
    "substances": ["cannabis", "tramadol"],
    "policeWork": "Synlig närvaro torsdag till lördag (exempel).",
    "partners": ["Skärholmens stadsdelsförvaltning", "Trafikförvaltningen"],
    "hotspots": [_HOTSPOT_EXAMPLE],
    "timePattern": "Vardagar 16–21, helger från 14.",
    "interviews": "Åtta samtal med butiksägare och boende.",
}


class PositionIn(Body):
    """A GeoJSON Point (RFC 7946) in CRS84: longitude, latitude."""

    model_config = {"json_schema_extra": {"example": _POSITION_EXAMPLE}}

    type: Literal["Point"]
    coordinates: Annotated[list[Degrees], Field(min_length=2, max_length=2)]


class HotspotIn(Body):
    """A sharply bounded spot inside the scene that is hit harder than the rest."""

    model_config = {"json_schema_extra": {"example": _HOTSPOT_EXAMPLE}}

    name: Name
    position: PositionIn


class AffectedIn(Body):
    """How many persons of a group are affected: groups, never a person."""

    model_config = {"json_schema_extra": {"example": _AFFECTED_EXAMPLE}}

    group: Annotated[Group, Field(description="sellers, buyers, children on their way to school …")]
    age_band: AgeBand = "unknown"
    sex: Sex = "unknown"
    count: Annotated[int, Field(ge=0, le=10_000)]


class MappingIn(Body):
    """A mapping (*kartläggning*) made by a board together with the local police area.

    `policeWork` is held by the police, whoever sends it; the rest is shared.
    """

    model_config = {"json_schema_extra": {"example": _EXAMPLE}}

    mapped_on: StrictDate
    affected: Annotated[list[AffectedIn], Field(max_length=200)] = []
    physical_place: Prose
    use: Prose
    substances: Substances = []
    police_work: Prose | None = None
    partners: Annotated[list[Name], Field(max_length=30)] = []
    hotspots: Annotated[list[HotspotIn], Field(max_length=50)] = []
    time_pattern: Prose | None = None
    interviews: Prose | None = None


class PositionOut(Out):
    """A GeoJSON Point in CRS84."""

    type: Literal["Point"]
    coordinates: Annotated[list[float], Field(min_length=2, max_length=2)]


class HotspotOut(Out):
    """A spot inside the scene that is hit harder than the rest."""

    name: str
    position: PositionOut


class AffectedOut(Out):
    """How many persons of a group are affected; `count` is null where it is `hidden`, being 1–4."""

    group: str
    age_band: AgeBand
    sex: Sex
    count: int | None
    hidden: bool


class MappingOut(Single):
    """A mapping; `policeWork` is left out for those who may not have it."""

    id: UUID
    scene: UUID
    mapped_on: StrictDate
    mapped_by: str = Field(json_schema_extra={"example": "skarholmen-trygghet"})
    affected: list[AffectedOut]
    physical_place: str
    use: str
    substances: list[str]
    police_work: str | None = None
    partners: list[str]
    hotspots: list[HotspotOut]
    time_pattern: str | None
    interviews: str | None


class MappingPage(PageOf):
    """A page of mappings."""

    items: list[MappingOut]
