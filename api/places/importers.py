"""Readers of files of places: pure, from a binary stream to records and problems; nothing is stored here.

    read_schools · read_stations · read_municipalities · read_districts · read_crime_counts
        (stream) -> ImportResult(kind, records, problems)         raises ImportFileError only
    merge_stations · merge_municipalities · merge_districts
        (known, new) -> records                                   a later file adds, and erases nothing that it lacks

Rows that are wrong are reported with number, field and reason. A row whose place is doubtful stays, without position.
"""

from collections.abc import Callable
from typing import Any, BinaryIO

from api.places.import_areas import (
    District,
    Municipality,
    merge_districts,
    merge_municipalities,
    read_districts,
    read_municipalities,
)
from api.places.import_cells import MAX_DISAGREEMENT_M, CoordStatus, slugify
from api.places.import_counts import CrimeCount, read_crime_counts
from api.places.import_result import ImportFileError, ImportResult, RowProblem
from api.places.import_schools import School, read_schools
from api.places.import_stations import MODES, Station, join_stations, merge_stations, mode_of_file, read_stations

READERS: dict[str, Callable[[BinaryIO], ImportResult[Any]]] = {
    "schools": read_schools,
    "stations": read_stations,
    "municipalities": read_municipalities,
    "districts": read_districts,
    "crime-counts": read_crime_counts,
}
"""By the name that `samsyn import` uses."""

__all__ = [
    "MAX_DISAGREEMENT_M",
    "MODES",
    "READERS",
    "CoordStatus",
    "CrimeCount",
    "District",
    "ImportFileError",
    "ImportResult",
    "Municipality",
    "RowProblem",
    "School",
    "Station",
    "join_stations",
    "merge_districts",
    "merge_municipalities",
    "merge_stations",
    "mode_of_file",
    "read_crime_counts",
    "read_districts",
    "read_municipalities",
    "read_schools",
    "read_stations",
    "slugify",
]
