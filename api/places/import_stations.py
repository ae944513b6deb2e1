"""Stations and stops, by SL's 16-digit site id, from files that know positions and files that do not."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import BinaryIO

from api.places.geometry import Position
from api.places.import_cells import is_scientific, municipality_code, position
from api.places.import_result import CellError, ImportFileError, ImportResult, Row, RowProblem, collect, fill, merge
from api.places.import_table import read_rows

MODES = ("metro", "commuter-rail", "tram", "bus", "boat")
SITE_PREFIX = "9091001"
"""Site (9091) of SL (001); nine digits of site id follow."""

_COLUMNS = (("site_gid", "stop_id"), ("station", "name"))
# A spreadsheet keeps 15 digits of a number: the sixteenth becomes 0. By chance, all of ten ids end so once in 10^10.
_ROUNDED_FROM = 10


@dataclass(frozen=True, slots=True)
class Station:
    """A station or stop (*hållplats*).

    `stop_id` is SL's site gid: 16 digits, as text, since it is too large for many programs' numbers. `modes` are the
    modes of transport known to stop there, in the order of `MODES`. `position` is (east, north) in metres, SWEREF 99
    TM; None where no file has told it: incidents there are kept, tied to no scene. `source` is the file's own word.
    """

    stop_id: str
    name: str
    modes: tuple[str, ...]
    position: Position | None
    municipality_code: str | None
    source: str | None = None

    @property
    def mode(self) -> str | None:
        """The heaviest mode of transport that stops there, None where no file tells."""
        return self.modes[0] if self.modes else None


def read_stations(stream: BinaryIO, mode: str | None = None) -> ImportResult[Station]:
    """Read a CSV file of stations; raises `ImportFileError` only.

    Columns: site_gid (or stop_id), station (or name); if there: lat, lon, municipality_code, site_id (must agree with
    the gid) and mode (`metro`, or several: `metro|commuter-rail`). `mode` is that of a file without such a column; a
    file with `line_colour` is the metro's.
    """
    if mode is not None and mode not in MODES:
        raise ImportFileError(f"{mode[:40]!r} is not a mode of transport", f"use one of {', '.join(MODES)}")
    problems: list[RowProblem] = []
    rows = read_rows(stream, _COLUMNS, problems)
    result = collect(
        "stations", rows, problems, build=lambda row: _station(row, mode), key=_stop_id, join=join_stations
    )
    if len(result.records) >= _ROUNDED_FROM and all(station.stop_id.endswith("0") for station in result.records):
        raise ImportFileError(
            "every stop id ends in 0: a spreadsheet has rounded them to 15 digits", "export them as text"
        )
    return result


def mode_of_file(filename: str) -> str | None:
    """The mode of transport that a file's name tells (`commuter_rail_stations.csv`), None where it tells none."""
    words = re.sub(r"[^a-z]+", "-", filename.casefold())
    return next((mode for mode in MODES if re.search(rf"(^|-){mode}(-|$)", words)), None)


def merge_stations(known: Iterable[Station], new: Iterable[Station]) -> tuple[Station, ...]:
    """Put a later file's stations over an earlier one's (see `join_stations`)."""
    return merge(known, new, _stop_id, join_stations)


def join_stations(earlier: Station, later: Station) -> Station:
    """One station out of what two files, or two rows, know of it.

    INVARIANT: a later position wins, and a record without position never erases one. The record that brings the
    position also names the station; modes add up.
    """
    leading, other = (earlier, later) if later.position is None and earlier.position is not None else (later, earlier)
    modes = tuple(mode for mode in MODES if mode in earlier.modes + later.modes)
    return replace(fill(other, leading), modes=modes)


def _stop_id(station: Station) -> str:
    return station.stop_id


def _station(row: Row, mode: str | None) -> Station:
    return Station(
        stop_id=_checked_stop_id(row),
        name=row.require("station", "name"),
        modes=_modes(row, mode),
        position=position(row)[0],
        municipality_code=municipality_code(row) if row.get("municipality_code") else None,
        source=row.get("source") or None,
    )


def _checked_stop_id(row: Row) -> str:
    """The 16-digit site gid; refused where a spreadsheet has eaten it or where the site id contradicts it."""
    field = "site_gid" if row.has("site_gid") else "stop_id"
    gid = row.require(field)
    if is_scientific(gid):
        raise CellError(field, f"{gid[:40]} is an id that a spreadsheet has turned to a number; export ids as text")
    if not re.fullmatch(rf"{SITE_PREFIX}[0-9]{{9}}", gid):
        raise CellError(field, f"{gid[:40]!r} is not an SL site id ({SITE_PREFIX} and nine digits)")
    site = row.get("site_id")
    if site and gid != f"{SITE_PREFIX}{site:0>9}":
        # One of the two names another station; guessing would tie its incidents to the wrong scene.
        raise CellError(field, f"{gid} does not belong to site {site[:40]}")
    return gid


def _modes(row: Row, mode: str | None) -> tuple[str, ...]:
    """The modes that the row, else the caller, else the file's columns tell."""
    told = [part.strip() for part in row.get("mode").split("|") if part.strip()]
    if unknown := [part for part in told if part not in MODES]:
        raise CellError("mode", f"{unknown[0][:40]!r} is none of {', '.join(MODES)}")
    if told:
        return tuple(known for known in MODES if known in told)
    if mode is not None:
        return (mode,)
    return ("metro",) if row.has("line_colour") else ()
