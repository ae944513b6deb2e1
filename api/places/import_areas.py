"""Municipalities and the city's districts, from CSV (names and police areas) or GeoJSON (borders)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

import shapely

from api.places.geometry import GeometryError, Ring, counter_clockwise, parse_ring, require_sweden
from api.places.import_cells import municipality_code, slugify
from api.places.import_result import ImportResult, Row, RowProblem, collect, fill, merge
from api.places.import_table import read_rows

MAX_BORDER_POSITIONS = 50_000


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality (*kommun*).

    `code` is SCB's, four digits. The police areas are None where no file tells or where several share the
    municipality (Stockholm: see its districts). `geometry` is a GeoJSON Polygon or MultiPolygon in CRS84, or None.
    """

    code: str
    name: str
    police_area: str | None
    local_police_area: str | None
    geometry: dict[str, Any] | None = None

    @property
    def slug(self) -> str:
        """The name in agency slugs (`upplands-vasby`)."""
        return slugify(self.name)


@dataclass(frozen=True, slots=True)
class District:
    """A district of Stockholm with a board of its own (*stadsdelsnämndsområde*); fields as in `Municipality`."""

    name: str
    municipality_code: str
    local_police_area: str | None
    geometry: dict[str, Any] | None = None

    @property
    def slug(self) -> str:
        """The name in agency slugs (`hagersten-alvsjo`)."""
        return slugify(self.name)


def read_municipalities(stream: BinaryIO) -> ImportResult[Municipality]:
    """Read municipalities from CSV or GeoJSON; raises `ImportFileError` only.

    Columns or properties: municipality_code, name; if there: police_area, local_police_area.
    """
    problems: list[RowProblem] = []
    rows = read_rows(stream, ("municipality_code", "name"), problems)
    return collect("municipalities", rows, problems, build=_municipality, key=lambda area: area.code, join=fill)


def read_districts(stream: BinaryIO) -> ImportResult[District]:
    """Read districts from CSV or GeoJSON; raises `ImportFileError` only.

    Columns or properties: district (or name), municipality_code; if there: local_police_area.
    """
    problems: list[RowProblem] = []
    rows = read_rows(stream, (("district", "name"), "municipality_code"), problems)
    return collect("districts", rows, problems, build=_district, key=_district_key, join=fill)


def merge_municipalities(known: Iterable[Municipality], new: Iterable[Municipality]) -> tuple[Municipality, ...]:
    """Put a later file over an earlier one; what the later does not know stays."""
    return merge(known, new, lambda area: area.code, fill)


def merge_districts(known: Iterable[District], new: Iterable[District]) -> tuple[District, ...]:
    """Put a later file over an earlier one; what the later does not know stays."""
    return merge(known, new, _district_key, fill)


def _district_key(district: District) -> tuple[str, str]:
    return district.municipality_code, district.slug


def _municipality(row: Row) -> Municipality:
    return Municipality(
        code=municipality_code(row),
        name=row.require("name"),
        police_area=_one_area(row, "police_area"),
        local_police_area=_one_area(row, "local_police_area"),
        geometry=_geometry(row),
    )


def _district(row: Row) -> District:
    return District(
        name=row.require("district", "name"),
        municipality_code=municipality_code(row),
        local_police_area=_one_area(row, "local_police_area"),
        geometry=_geometry(row),
    )


def _one_area(row: Row, field: str) -> str | None:
    """One police area's name; None, reported, where the cell names several or points elsewhere."""
    text = row.get(field)
    if any(mark in text for mark in "|/("):
        row.note(field, f"{text[:80]!r} is not one area; left out")
        return None
    return text or None


def _geometry(row: Row) -> dict[str, Any] | None:
    """The feature's border; None, reported, where it is not one."""
    if row.geometry is None:
        return None
    try:
        return parse_border(row.geometry, "geometry")
    except GeometryError as error:
        row.note(error.where[:80], f"{error.what}; border left out")
        return None


def parse_border(value: Any, where: str) -> dict[str, Any]:
    """Check an area's GeoJSON Polygon or MultiPolygon in CRS84 and normalise it; raises `GeometryError`.

    Exterior rings come out counter-clockwise, holes clockwise (RFC 7946, 3.1.6).
    """
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in {"Polygon", "MultiPolygon"}:
        raise GeometryError(where, "is neither Polygon nor MultiPolygon", kind="schema")
    given = value.get("coordinates")
    parts = [given] if kind == "Polygon" else given
    place = f"{where}.coordinates"
    if not isinstance(parts, list) or not parts or not all(isinstance(part, list) and part for part in parts):
        raise GeometryError(place, "holds no rings", kind="schema")
    polygons = [
        _rings(part, f"{place}[{index}]" if kind == "MultiPolygon" else place) for index, part in enumerate(parts)
    ]
    shape = shapely.MultiPolygon([(rings[0], rings[1:]) for rings in polygons])
    if not shape.is_valid:
        raise GeometryError(place, f"is not a possible border: {shapely.is_valid_reason(shape)}", kind="fact")
    coordinates = [[[list(position) for position in ring] for ring in rings] for rings in polygons]
    return {"type": kind, "coordinates": coordinates[0] if kind == "Polygon" else coordinates}


def _rings(part: list[Any], where: str) -> list[Ring]:
    """The rings of one polygon, the first counter-clockwise, the others clockwise."""
    rings = [parse_ring(ring, f"{where}[{index}]", MAX_BORDER_POSITIONS) for index, ring in enumerate(part)]
    for index, ring in enumerate(rings):
        require_sweden(ring, f"{where}[{index}]")
    return [counter_clockwise(rings[0])] + [counter_clockwise(ring)[::-1] for ring in rings[1:]]
