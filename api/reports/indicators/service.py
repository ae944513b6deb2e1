"""Reading indicators, and keeping the figures that papers state."""

import csv
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.selection import Selection, every_field
from api.reports.indicators.repository import INDICATORS, store_stated_figures


def indicators(
    filters: tuple[tuple[str, Any], ...], sort: tuple[tuple[str, bool], ...], offset: int, limit: int
) -> Selection:
    """The selection of a list of indicators."""
    return Selection(INDICATORS, every_field(INDICATORS), filters, sort, offset, limit)


async def load_stated_figures(connection: AsyncConnection, file: Path) -> int:
    """Store the figures of a CSV file (`area,year,measure,value,source`) and return how many they are."""
    with file.open(encoding="utf-8", newline="") as stream:
        rows = [row | {"year": int(row["year"]), "value": int(row["value"])} for row in csv.DictReader(stream)]
    await store_stated_figures(connection, rows)
    return len(rows)
