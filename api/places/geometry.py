"""Where a scene lies: outlines checked, turned to metres and back.

GeoJSON Polygon (CRS84) ──parse_outline──> Outline ──as_pg_polygon──> PostgreSQL `polygon` in metres
                                              └──────as_geojson─────> GeoJSON Polygon (CRS84), normalised

Callers speak CRS84 (longitude, latitude, degrees; RFC 7946 and OGC). Rows hold SWEREF 99 TM (EPSG:3006; east, north,
metres), where a distance is metres. Degrees are kept at 1e-7 and metres at 1 mm: what arrives with seven decimals
comes back unchanged.
"""

import itertools
import math
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import shapely
from pyproj import Transformer

Position = tuple[float, float]
Ring = tuple[Position, ...]

MAX_POSITIONS = 1000
MIN_AREA_M2 = 1.0
MAX_AREA_M2 = 25_000_000.0
_MIN_AREA_DEGREES = 1e-10  # below one square metre everywhere in Sweden
DEGREE_DECIMALS = 7
METRE_DECIMALS = 3

# Sweden, roughly: a box in degrees, and a box in metres that cuts the neighbours off at the first one's corners.
_SWEDEN_DEGREES = (10.5, 55.0, 24.2, 69.1)
_SWEDEN_METRES = (250_000.0, 6_090_000.0, 940_000.0, 7_690_000.0)
_LONGITUDE_LIMIT, _LATITUDE_LIMIT = 180.0, 90.0
_MIN_POSITIONS = 4  # a triangle, closed
_AXES = 2

OUTLINE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "One GeoJSON Polygon (RFC 7946) in CRS84: longitude, latitude; one closed ring without holes.",
    "required": ["type", "coordinates"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "const": "Polygon"},
        "coordinates": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "array",
                "minItems": _MIN_POSITIONS,
                "maxItems": MAX_POSITIONS,
                "items": {
                    "type": "array",
                    "minItems": _AXES,
                    "maxItems": _AXES,
                    "prefixItems": [
                        {"type": "number", "minimum": -_LONGITUDE_LIMIT, "maximum": _LONGITUDE_LIMIT},
                        {"type": "number", "minimum": -_LATITUDE_LIMIT, "maximum": _LATITUDE_LIMIT},
                    ],
                },
            },
        },
    },
}
"""The published shape of an outline (JSON Schema 2020-12).

INVARIANT: `parse_outline` refuses with kind "schema" exactly what this schema refuses.
"""


class GeometryError(ValueError):
    """A position or an outline is refused.

    `where` names the place (`outline.coordinates[0][3]`), `what` the fault, `hint` what to do. `kind` is "schema" for
    what the published schema says, "fact" for what is well formed but no possible outline on Sweden's map.
    """

    def __init__(self, where: str, what: str, hint: str | None = None, *, kind: Literal["schema", "fact"]) -> None:
        self.where = where
        self.what = what
        self.hint = hint
        self.kind = kind
        super().__init__(f"{where}: {what}")


@dataclass(frozen=True, slots=True)
class Outline:
    """The outline of a scene: one closed ring, counter-clockwise, without repeated neighbours.

    `degrees` holds (longitude, latitude), `metres` the same positions as (east, north) in SWEREF 99 TM.
    INVARIANT: made by `parse_outline` only, so a row can hold no outline that was not checked.
    """

    degrees: Ring
    metres: Ring

    @property
    def area_m2(self) -> float:
        """Area in square metres."""
        return float(shapely.Polygon(self.metres).area)

    @property
    def bbox_metres(self) -> tuple[float, float, float, float]:
        """West, south, east and north edge in metres."""
        return bounds(self.metres)

    @property
    def bbox_degrees(self) -> tuple[float, float, float, float]:
        """West, south, east and north edge in degrees."""
        return bounds(self.degrees)

    @property
    def centre_metres(self) -> Position:
        """A point inside the outline, for a label or a pin, in metres."""
        point = shapely.Polygon(self.metres).point_on_surface()
        return round(point.x, METRE_DECIMALS), round(point.y, METRE_DECIMALS)

    def as_geojson(self) -> dict[str, Any]:
        """The outline as a GeoJSON Polygon in CRS84, closed, counter-clockwise (RFC 7946, 3.1.6)."""
        return {"type": "Polygon", "coordinates": [[list(position) for position in self.degrees]]}

    def as_pg_polygon(self) -> str:
        """The outline as the text of a PostgreSQL `polygon` in metres, which closes itself."""
        return "(" + ",".join(pg_point(position) for position in self.metres[:-1]) + ")"


class _Transformers(threading.local):
    """One pair of transformers per thread: making one is slow, sharing one is not promised to be safe."""

    def __init__(self) -> None:
        self.to_metres = Transformer.from_crs("OGC:CRS84", "EPSG:3006", always_xy=True)
        self.to_degrees = Transformer.from_crs("EPSG:3006", "OGC:CRS84", always_xy=True)


_transformers = _Transformers()


def to_metres(lon: float, lat: float) -> Position:
    """Turn degrees (CRS84) to (east, north) in SWEREF 99 TM, at 1 mm; not finite where the projection has no answer."""
    east, north = _transformers.to_metres.transform(lon, lat)
    return round(east, METRE_DECIMALS), round(north, METRE_DECIMALS)


def to_degrees(east: float, north: float) -> Position:
    """Turn metres (SWEREF 99 TM) to (longitude, latitude) in CRS84, at 1e-7 degrees."""
    lon, lat = _transformers.to_degrees.transform(east, north)
    return round(lon, DEGREE_DECIMALS), round(lat, DEGREE_DECIMALS)


def in_sweden(lon: float, lat: float) -> bool:
    """Tell whether a position lies in Sweden, give or take a strip of sea and neighbour."""
    return _within((lon, lat), _SWEDEN_DEGREES) and _within(to_metres(lon, lat), _SWEDEN_METRES)


def looks_swapped(lon: float, lat: float) -> bool:
    """Tell whether a position is outside Sweden and would be inside with its two numbers the other way round."""
    return not in_sweden(lon, lat) and in_sweden(lat, lon)


def pg_point(position: Position) -> str:
    """Write a position in metres as the text of a PostgreSQL `point`."""
    return f"({position[0]:.{METRE_DECIMALS}f},{position[1]:.{METRE_DECIMALS}f})"


def geojson_point(position: Position) -> dict[str, Any]:
    """A position in metres as a GeoJSON Point in CRS84."""
    return {"type": "Point", "coordinates": list(to_degrees(*position))}


def bounds(ring: Sequence[Position]) -> tuple[float, float, float, float]:
    """Least x, least y, greatest x, greatest y of a ring."""
    xs, ys = zip(*ring, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def distance_m(ring: Sequence[Position], point: Position) -> float:
    """Metres from a ring (in metres) to a point, 0 inside: what PostgreSQL's `polygon <-> point` must equal."""
    return float(shapely.Polygon(ring).distance(shapely.Point(point)))


def counter_clockwise(ring: Ring) -> Ring:
    """Turn a closed ring counter-clockwise, keeping its first position (RFC 7946, 3.1.6)."""
    pairs = itertools.pairwise(_from_origin(ring))
    doubled_area = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)
    return ring if doubled_area >= 0 else ring[::-1]


def parse_outline(value: Any, where: str = "outline") -> Outline:
    """Check a GeoJSON Polygon in CRS84 and make an `Outline` of it.

    Raises `GeometryError` naming the place below `where`: kind "schema" for what `OUTLINE_SCHEMA` refuses, kind
    "fact" for an open ring, longitude and latitude swapped, a place outside Sweden, an outline that crosses itself,
    or an area that no scene can have.
    """
    ring_where = f"{where}.coordinates[0]"
    given = parse_ring(_only_ring(value, where), ring_where)
    require_sweden(given, ring_where)
    degrees = _without_repeats(given)
    metres = tuple(to_metres(*position) for position in degrees)
    if len(set(metres)) < _MIN_POSITIONS - 1:
        raise GeometryError(ring_where, "has fewer than three different positions", "draw round the place", kind="fact")
    _require_simple(degrees, metres, ring_where)
    _require_plausible_area(metres, ring_where)
    if counter_clockwise(metres) is not metres:
        degrees, metres = degrees[::-1], metres[::-1]
    return Outline(degrees, metres)


def parse_ring(value: Any, where: str, max_positions: int = MAX_POSITIONS) -> Ring:
    """Read one closed GeoJSON ring of (longitude, latitude), rounded to 1e-7 degrees; raises `GeometryError`."""
    if not isinstance(value, list | tuple):
        raise GeometryError(where, "is not a list of positions", "send [[longitude, latitude], …]", kind="schema")
    if not _MIN_POSITIONS <= len(value) <= max_positions:
        raise GeometryError(
            where,
            f"has {len(value)} positions; {_MIN_POSITIONS} to {max_positions} are accepted",
            "the first position is repeated as the last; simplify an outline that is too detailed",
            kind="schema",
        )
    ring = tuple(_position(position, f"{where}[{index}]") for index, position in enumerate(value))
    if ring[0] != ring[-1]:
        raise GeometryError(where, "is not closed", "repeat the first position as the last", kind="fact")
    return ring


def require_sweden(ring: Ring, where: str) -> None:
    """Refuse a ring that leaves Sweden, saying so when its positions are latitude, longitude."""
    for index, (lon, lat) in enumerate(ring):
        place = f"{where}[{index}]"
        if looks_swapped(lon, lat):
            raise GeometryError(
                place,
                f"[{lon:g}, {lat:g}] lies outside Sweden, but [{lat:g}, {lon:g}] lies in it: latitude came first",
                "send longitude first, then latitude (CRS84, RFC 7946)",
                kind="fact",
            )
        if not in_sweden(lon, lat):
            raise GeometryError(
                place,
                f"[{lon:g}, {lat:g}] lies outside Sweden",
                "send longitude, latitude in degrees (CRS84)",
                kind="fact",
            )


def _only_ring(value: Any, where: str) -> Any:
    """The single ring of a Polygon, not yet looked into."""
    if not isinstance(value, Mapping):
        raise GeometryError(where, "is not a GeoJSON object", 'send {"type": "Polygon", …}', kind="schema")
    if value.get("type") == "Feature":
        raise GeometryError(where, "is a Feature", "send the Feature's geometry", kind="schema")
    if value.get("type") != "Polygon":
        raise GeometryError(f"{where}.type", 'is not "Polygon"', "a scene is one outline: one Polygon", kind="schema")
    unknown = sorted(str(name) for name in value if name not in {"type", "coordinates"})
    if unknown:
        hint = "coordinates are always CRS84 (RFC 7946)" if "crs" in unknown else "send type and coordinates only"
        raise GeometryError(f"{where}.{unknown[0][:40]}", "is not known here", hint, kind="schema")
    rings = value.get("coordinates")
    if not isinstance(rings, list | tuple) or not rings:
        raise GeometryError(f"{where}.coordinates", "holds no ring", "send one ring: [[[lon, lat], …]]", kind="schema")
    if len(rings) > 1:
        raise GeometryError(
            f"{where}.coordinates[1]",
            "is a hole or a second ring",
            "a scene is one outline without holes: send one ring",
            kind="schema",
        )
    return rings[0]


def _position(value: Any, where: str) -> Position:
    """One (longitude, latitude), rounded to 1e-7 degrees."""
    if not isinstance(value, list | tuple) or len(value) != _AXES:
        what = (
            "has a third number"
            if isinstance(value, list | tuple) and len(value) > _AXES
            else "is not a pair of numbers"
        )
        raise GeometryError(where, what, "send [longitude, latitude], without height", kind="schema")
    lon = _degrees(value[0], f"{where}[0]", _LONGITUDE_LIMIT, "longitude")
    lat = _degrees(value[1], f"{where}[1]", _LATITUDE_LIMIT, "latitude")
    return lon, lat


def _degrees(value: Any, where: str, limit: float, name: str) -> float:
    """One coordinate in degrees, rounded to 1e-7."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise GeometryError(where, f"{name} is not a number", "write 59.2759, not a text", kind="schema")
    # Comparing does not turn the value to float first: a whole number of a thousand digits must not overflow.
    if not -limit <= value <= limit:
        raise GeometryError(
            where,
            f"{name} is not within {-limit:g} and {limit:g}",
            "send degrees in CRS84, not metres in SWEREF 99 TM",
            kind="schema",
        )
    return round(float(value), DEGREE_DECIMALS)


def _require_simple(degrees: Ring, metres: Ring, where: str) -> None:
    """Refuse a ring that crosses or touches itself, telling where, or that encloses nothing.

    Both forms are looked at: a line straight in degrees is bent in metres, and either form may be what somebody draws.
    """
    for ring, least_area, in_degrees in (
        (degrees, _MIN_AREA_DEGREES, lambda x, y: (x, y)),
        (metres, MIN_AREA_M2, to_degrees),
    ):
        polygon = shapely.Polygon(ring)
        if polygon.convex_hull.area < least_area:
            raise GeometryError(where, "encloses no area", "draw round the place", kind="fact")
        if polygon.is_valid:
            continue
        reason = shapely.is_valid_reason(polygon)
        found = re.search(r"\[(\S+) (\S+)\]", reason)
        place = ""
        if found:
            lon, lat = in_degrees(float(found[1]), float(found[2]))
            place = f" at [{lon:.6f}, {lat:.6f}]"
        verb = "touches" if reason.startswith("Ring Self") else "crosses"
        raise GeometryError(where, f"{verb} itself{place}", "put the positions in order round the place", kind="fact")


def _require_plausible_area(metres: Ring, where: str) -> None:
    """Refuse an area that no scene can have."""
    area = shapely.Polygon(metres).area
    if area < MIN_AREA_M2:
        raise GeometryError(where, "encloses less than one square metre", "draw round the place", kind="fact")
    if area > MAX_AREA_M2:
        raise GeometryError(
            where,
            f"encloses {area / 1e6:.1f} km²; at most {MAX_AREA_M2 / 1e6:g} km² is accepted",
            "a scene is a sharply bounded place: draw the place, not the municipality",
            kind="fact",
        )


def _without_repeats(ring: Ring) -> Ring:
    """The ring without positions that repeat their neighbour."""
    return ring[:1] + tuple(b for a, b in itertools.pairwise(ring) if a != b)


def _from_origin(ring: Ring) -> Ring:
    """The ring moved to its first position: far from the origin the area would drown in rounding."""
    x0, y0 = ring[0]
    return tuple((x - x0, y - y0) for x, y in ring)


def _within(position: Position, box: tuple[float, float, float, float]) -> bool:
    """Tell whether a position is finite and inside a box."""
    west, south, east, north = box
    x, y = position
    return math.isfinite(x) and math.isfinite(y) and west <= x <= east and south <= y <= north
