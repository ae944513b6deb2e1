"""Storing and reading crime counts. Callers open the transaction; nothing here commits."""

from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.asking import Asking
from api.disclosure.selection import Selection, every_field
from api.errors import Fault, Problem
from api.reports.counts.repository import COUNTS, Stored, known_areas, store_crime_counts
from api.reports.counts.schemas import CountIn, CountsIn
from api.scenes.service import require_sector

WRITING_SECTORS = frozenset({"police"})
_MAX_FAULTS = 20


def crime_counts(
    filters: tuple[tuple[str, Any], ...], sort: tuple[tuple[str, bool], ...], offset: int, limit: int
) -> Selection:
    """The selection of a list of crime counts."""
    return Selection(COUNTS, every_field(COUNTS), filters, sort, offset, limit)


async def store(connection: AsyncConnection, body: CountsIn, *, who: Asking, today: date) -> Stored:
    """Store all counts or none. Raises `Problem` 403, or 409 naming each row that contradicts what is known."""
    require_sector(who, WRITING_SECTORS, "crime counts")
    areas = {kind: frozenset(names) for kind, names in (await known_areas(connection)).items()}
    faults: list[Fault] = []
    seen: set[tuple[str, str, str, str]] = set()
    for number, row in enumerate(body.counts):
        faults += _faults(row, f"body.counts[{number}]", areas, f"{today:%Y-%m}", seen)
    if faults:
        raise Problem("conflict", f"{faults[0].where}: {faults[0].what}", faults=faults[:_MAX_FAULTS])
    return await store_crime_counts(connection, body.counts)


def _faults(
    row: CountIn, where: str, areas: dict[str, frozenset[str]], this_month: str, seen: set[tuple[str, str, str, str]]
) -> list[Fault]:
    faults = []
    if row.area not in areas[row.area_type]:
        faults.append(Fault(f"{where}.area", f"no such {row.area_type}", "spell it as GET /scenes and /agencies do"))
    if row.month > this_month:
        faults.append(Fault(f"{where}.month", "lies in the future", "send counts once the month has begun"))
    key = (row.area_type, row.area, row.month, row.group)
    if key in seen:
        faults.append(Fault(where, "the same area, month and group stands twice", "send each once"))
    seen.add(key)
    return faults
