"""Monthly crime counts, in a small CSV format of this service.

    area_type,area,month,group,count
    municipality,0180,2023-11,narcotics,412
    local-police-area,Skärholmen,2023-11,violence,..

`count` is a whole number; `..`, `XX` or an empty cell means that the sender withholds it, which is not zero.
Semicolons serve as well as commas. One row per area, month and group.
"""

import re
from dataclasses import dataclass
from typing import BinaryIO, Literal, cast

from api.places.import_cells import municipality_code
from api.places.import_result import CellError, ImportResult, Row, RowProblem, collect
from api.places.import_table import read_rows

AreaType = Literal["municipality", "district", "local-police-area"]

_AREA_TYPES = ("municipality", "district", "local-police-area")
_COLUMNS = ("area_type", "area", "month", "group", "count")
_WITHHELD = {"", "..", "xx"}


@dataclass(frozen=True, slots=True)
class CrimeCount:
    """Reported crimes of one group in one area and month.

    `area` is a municipality code, or a district's or local police area's name; `month` is `YYYY-MM`; `group` a slug
    (`narcotics`, `violence`). `count` is None where the sender withholds it.
    """

    area_type: AreaType
    area: str
    month: str
    group: str
    count: int | None

    @property
    def withheld(self) -> bool:
        """Whether the sender hides the figure; never to be read as zero."""
        return self.count is None


def read_crime_counts(stream: BinaryIO) -> ImportResult[CrimeCount]:
    """Read monthly crime counts (format in the module's docstring); raises `ImportFileError` only."""
    problems: list[RowProblem] = []
    rows = read_rows(stream, _COLUMNS, problems)
    return collect("crime-counts", rows, problems, build=_crime_count, key=_key)


def _key(count: CrimeCount) -> tuple[str, str, str, str]:
    return count.area_type, count.area, count.month, count.group


def _crime_count(row: Row) -> CrimeCount:
    area_type = row.require("area_type")
    if area_type not in _AREA_TYPES:
        raise CellError("area_type", f"{area_type[:40]!r} is none of {', '.join(_AREA_TYPES)}")
    return CrimeCount(
        area_type=cast("AreaType", area_type),
        area=municipality_code(row, "area") if area_type == "municipality" else row.require("area"),
        month=_matching(row, "month", r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])", "a month as YYYY-MM"),
        group=_matching(row, "group", r"[a-z][a-z0-9_-]{0,62}", "a group's slug such as narcotics"),
        count=_count(row),
    )


def _matching(row: Row, field: str, pattern: str, expected: str) -> str:
    """A cell that has the given form."""
    text = row.require(field)
    if not re.fullmatch(pattern, text):
        raise CellError(field, f"{text[:40]!r} is not {expected}")
    return text


def _count(row: Row) -> int | None:
    """A whole number, or None where it is withheld; nothing is rounded or guessed."""
    text = row.get("count")
    if text.casefold() in _WITHHELD:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise CellError("count", f"{text[:40]!r} is not a whole number, nor .. or XX for a withheld one")
    return int(text)
