"""Cells as typed values: codes, ids, numbers, positions. Each refusal says what a spreadsheet may have done."""

import math
import re
import unicodedata
from typing import Literal

from api.places.geometry import Position, in_sweden, looks_swapped, to_degrees, to_metres
from api.places.import_result import CellError, Row

MAX_DISAGREEMENT_M = 50.0
"""How far apart, in metres, a row's degrees and its SWEREF 99 TM columns may lie."""

CoordStatus = Literal["ok", "outside-municipality", "missing", "invalid", "swapped", "contradictory"]

_NUMBER = re.compile(r"[+-]?\d{1,9}(?:[.,]\d{1,15})?")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+")


def slugify(name: str) -> str:
    """A name as a stable slug: lower case a-z, 0-9 and hyphens ("Enskede-Årsta-Vantör" is `enskede-arsta-vantor`)."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def is_scientific(text: str) -> bool:
    """Tell whether an id has become a number such as 9.09E+15, its last digits lost."""
    return _SCIENTIFIC.fullmatch(text) is not None


def municipality_code(row: Row, field: str = "municipality_code") -> str:
    """The SCB municipality code, four digits (*kommunkod*); a lost leading zero is put back and reported."""
    text = row.require(field)
    if re.fullmatch(r"[0-9]{4}", text):
        return text
    if re.fullmatch(r"[1-9][0-9]{2}", text):
        row.note(field, f"{text} has lost its leading zero; read as 0{text}")
        return f"0{text}"
    raise CellError(field, f"{text[:40]!r} is not a municipality code of four digits")


def number(text: str) -> float | None:
    """A number with decimal point or decimal comma; None where it is not one, or has two separators."""
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) and text.isascii() else None


def position(row: Row) -> tuple[Position | None, CoordStatus]:
    """The row's position in metres (SWEREF 99 TM), from `lat` and `lon`, else from `sweref99_n` and `sweref99_e`.

    INVARIANT: a position that cannot be right is reported and not placed (None); the row stays.
    """
    degrees, metres = _pair(row, "lon", "lat"), _pair(row, "sweref99_e", "sweref99_n")
    if degrees == "unreadable" or metres == "unreadable":
        return None, "invalid"
    if degrees is not None:
        return _placed(row, degrees, metres)
    if metres is None:
        return None, "missing"
    if not in_sweden(*to_degrees(*metres)):
        row.note("sweref99_n", f"north {metres[1]:g}, east {metres[0]:g} lies outside Sweden; not placed")
        return None, "invalid"
    return metres, "ok"


def _placed(row: Row, degrees: Position, metres: Position | None) -> tuple[Position | None, CoordStatus]:
    """The position told in degrees, if it can be right and the one told in metres, where there is one, agrees."""
    lon, lat = degrees
    if looks_swapped(lon, lat):
        row.note("lat", f"latitude {lat:g} and longitude {lon:g} are swapped; not placed")
        return None, "swapped"
    if not in_sweden(lon, lat):
        row.note("lat", f"latitude {lat:g}, longitude {lon:g} lies outside Sweden; not placed")
        return None, "invalid"
    placed = to_metres(lon, lat)
    if metres is not None and (apart := math.dist(placed, metres)) > MAX_DISAGREEMENT_M:
        row.note("sweref99_n", f"lies {apart:.0f} m from lat and lon; not placed, since one of them is wrong")
        return None, "contradictory"
    return placed, "ok"


def _pair(row: Row, x_field: str, y_field: str) -> Position | Literal["unreadable"] | None:
    """Two cells as one position; None where both are empty."""
    texts = {field: row.get(field) for field in (x_field, y_field)}
    if not any(texts.values()):
        return None
    numbers = {field: number(text) for field, text in texts.items()}
    for field, value in numbers.items():
        if value is None:
            row.note(
                field, f"{texts[field][:40]!r} is not a number; not placed" if texts[field] else "is empty; not placed"
            )
    x, y = numbers[x_field], numbers[y_field]
    return "unreadable" if x is None or y is None else (x, y)
