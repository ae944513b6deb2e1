"""What is sent and answered about crime counts; the same rows as the CSV of `api.places.import_counts`."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.web.datatypes import Body, Out, Text
from api.web.documents import PageOf

AreaType = Literal["municipality", "district", "local-police-area"]
MONTH_PATTERN = r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$"
GROUP_PATTERN = r"^[a-z][a-z0-9_-]{0,62}$"
# Even of the longest names, these stay below the limit of an ordinary body.
MAX_ROWS = 500

Month = Annotated[str, Field(pattern=MONTH_PATTERN, json_schema_extra={"example": "2026-09"})]
Group = Annotated[str, Field(pattern=GROUP_PATTERN, json_schema_extra={"example": "narcotics"})]
_ROW: dict[str, Any] = {
    "areaType": "local-police-area",
    "area": "Skärholmen",
    "month": "2026-09",
    "group": "narcotics",
    "count": 41,
}
_EXAMPLE: dict[str, Any] = {"counts": [_ROW]}
AreaName = Text(120)


class CountIn(Body):
    """Reported crimes of one group in one area and month; `count` is null where the sender withholds it."""

    model_config = {"json_schema_extra": {"example": _ROW}}

    area_type: AreaType
    area: AreaName
    month: Month
    group: Group
    count: Annotated[int, Field(ge=0, le=999_999_999)] | None


class CountsIn(Body):
    """Counts to store; one already on record for the same area, month and group is replaced."""

    model_config = {"json_schema_extra": {"example": _EXAMPLE}}

    counts: Annotated[list[CountIn], Field(min_length=1, max_length=MAX_ROWS)]


class StoredOut(Out):
    """What became of the counts that were sent."""

    received: int = Field(ge=0)
    added: int = Field(ge=0)
    updated: int = Field(ge=0)
    unchanged: int = Field(ge=0)


class CountOut(Out):
    """A monthly count; `withheld` where the sender or the protection of small numbers hides it, and never zero."""

    area_type: AreaType
    area: str = Field(json_schema_extra={"example": "Skärholmen"})
    month: Month
    group: Group
    count: int | None = Field(ge=0, json_schema_extra={"example": 41})
    withheld: bool


class CountPage(PageOf):
    """A page of crime counts, newest month first."""

    items: list[CountOut]
