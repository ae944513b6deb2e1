"""`samsyn import`: from a file to rows, in one transaction."""

from pathlib import Path
from typing import Any

from api.places.importers import READERS, ImportResult, RowProblem, mode_of_file, read_stations
from api.places.service import store_places
from api.reports.counts.repository import store_crime_counts
from api.scenes.repository import refresh_neighbours
from api.settings import Settings
from api.store.database import Database


async def import_file(url: str, kind: str, path: Path, settings: Settings) -> tuple[int, tuple[RowProblem, ...]]:
    """Read and store a file; how many records were stored, and what there is to report of single rows.

    Raises `ImportFileError` for a file that cannot be read at all; nothing is stored then.
    """
    with path.open("rb") as stream:
        result: ImportResult[Any] = (
            read_stations(stream, mode_of_file(path.name)) if kind == "stations" else READERS[kind](stream)
        )
    database = Database(url)
    try:
        async with database.transaction() as connection:
            if kind == "crime-counts":
                await store_crime_counts(connection, result.records)
                return len(result.records), result.problems
            stored, problems = await store_places(connection, result)
            await refresh_neighbours(connection, radius_m=settings.incident_radius_m)
            return stored, problems
    finally:
        await database.close()
