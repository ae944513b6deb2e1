"""Schools, as Skolverket's register and the city's school buildings give them."""

import hashlib
import re
from dataclasses import dataclass
from typing import BinaryIO

from api.places.geometry import Position
from api.places.import_cells import CoordStatus, is_scientific, municipality_code, position, slugify
from api.places.import_result import CellError, ImportResult, Row, RowProblem, collect
from api.places.import_table import read_rows

_COLUMNS = ("school_unit_code", "name", "municipality_code", "lat", "lon")
_PRIMARY_FORM = "gr"
_PRESCHOOL_CLASS = "F"


@dataclass(frozen=True, slots=True)
class School:
    """A school unit (*skolenhet*).

    `source_id` is the school unit code, or made from source and name where there is none. `position` is (east, north)
    in metres, SWEREF 99 TM; None where nobody knows it or where the one on record is known to be wrong, as
    `coord_status` tells. `years` counts the preschool class (*förskoleklass*) as 0. `is_primary` tells whether it is
    a *grundskola*; None is unknown and must not be counted as one.
    """

    source_id: str
    name: str
    municipality_code: str
    district: str | None
    position: Position | None
    school_forms: tuple[str, ...]
    years: tuple[int, ...]
    is_primary: bool | None
    coord_status: CoordStatus
    source: str


def read_schools(stream: BinaryIO) -> ImportResult[School]:
    """Read a CSV file of schools; raises `ImportFileError` only.

    Columns: school_unit_code (may be empty), name, municipality_code, lat, lon; if there: sweref99_n, sweref99_e,
    district, school_forms (`fsk|gr`), school_years (`1,2,3` or `F-6`), is_grundskola (1, 0 or empty), source,
    coord_status (`ok` or `outside-municipality`).
    """
    problems: list[RowProblem] = []
    rows = read_rows(stream, _COLUMNS, problems)
    return collect("schools", rows, problems, build=_school, key=lambda school: school.source_id)


def _school(row: Row) -> School:
    name = row.require("name")
    municipality = municipality_code(row)
    source = row.get("source") or "unnamed-source"
    forms = tuple(form for form in row.get("school_forms").split("|") if form)
    placed, status = _placed(row)
    return School(
        source_id=_source_id(row, source, municipality, name),
        name=name,
        municipality_code=municipality,
        district=row.get("district") or None,
        position=placed,
        school_forms=forms,
        years=_years(row),
        is_primary=_is_primary(row, forms),
        coord_status=status,
        source=source,
    )


def _placed(row: Row) -> tuple[Position | None, CoordStatus]:
    """The position, unless the file itself says that it is wrong."""
    status = row.get("coord_status")
    if status in {"", "ok"}:
        return position(row)
    # INVARIANT: a school whose position is known to be wrong counts near no scene, and does not vanish either.
    row.note("coord_status", f"position marked {status[:40]!r}; kept without position")
    return None, "outside-municipality" if status == "outside-municipality" else "invalid"


def _source_id(row: Row, source: str, municipality: str, name: str) -> str:
    """The school unit code; else an id that stays the same as long as source, municipality and name do."""
    code = row.get("school_unit_code")
    if re.fullmatch(r"[0-9]{8}|[a-z][a-z0-9-]{2,63}", code):
        return code
    if is_scientific(code):
        raise CellError("school_unit_code", f"{code[:40]} is a code that a spreadsheet has turned to a number")
    if code:
        raise CellError("school_unit_code", f"{code[:40]!r} is not a code of eight digits")
    # The digest keeps names apart that differ only in what a slug leaves out.
    digest = hashlib.sha256(f"{source}\n{municipality}\n{name}".encode()).hexdigest()[:8]
    return f"{slugify(source)}-{slugify(name)}"[:80].rstrip("-") + f"-{digest}"


def _years(row: Row) -> tuple[int, ...]:
    """The school years taught, 0 for the preschool class."""
    text = row.get("school_years")
    if spread := re.fullmatch(r"([F1-9])-([1-9])", text):
        first = 0 if spread[1] == _PRESCHOOL_CLASS else int(spread[1])
        return tuple(range(first, int(spread[2]) + 1))
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if all(re.fullmatch(r"[F1-9]", part) for part in parts):
        return tuple(sorted({0 if part == _PRESCHOOL_CLASS else int(part) for part in parts}))
    row.note("school_years", f"{text[:40]!r} is not a list of school years; left out")
    return ()


def _is_primary(row: Row, forms: tuple[str, ...]) -> bool | None:
    """Whether the unit is a grundskola: as the file says, else by its school forms, else unknown."""
    text = row.get("is_grundskola")
    if text in {"0", "1"}:
        return text == "1"
    if text:
        row.note("is_grundskola", f"{text[:40]!r} is neither 1 nor 0; unknown")
        return None
    return _PRIMARY_FORM in forms if forms else None
