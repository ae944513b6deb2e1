"""Stores what the importers have read. The caller opens the transaction."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from api.places.geometry import geojson_point, pg_point
from api.places.importers import District, ImportResult, Municipality, RowProblem, School, Station
from api.places.repository import (
    municipality_codes,
    store_districts,
    store_municipalities,
    store_schools,
    store_stations,
)


def _position(record: School | Station) -> dict[str, Any]:
    if record.position is None:
        return {"position": None, "position_geojson": None}
    return {"position": pg_point(record.position), "position_geojson": geojson_point(record.position)}


def _school(record: School, known: frozenset[str]) -> dict[str, Any]:
    return _position(record) | {
        "id": record.source_id,
        "name": record.name,
        "municipality": record.municipality_code if record.municipality_code in known else None,
        "forms": list(record.school_forms),
        "is_primary": record.is_primary,
        "coordinate_status": record.coord_status,
        "source": record.source,
    }


def _station(record: Station) -> dict[str, Any]:
    return _position(record) | {
        "stop_id": record.stop_id,
        "name": record.name,
        "mode": record.mode,
        "municipality": record.municipality_code,
        "source": record.source or "import",
    }


def _unknown(records: Sequence[School | District], known: frozenset[str]) -> list[RowProblem]:
    codes = sorted({record.municipality_code for record in records} - known)
    reason = "names no municipality that is known; import municipalities first"
    return [RowProblem(0, "municipality_code", f"`{code}` {reason}", kept=True) for code in codes]


async def store_places(connection: AsyncConnection, result: ImportResult[Any]) -> tuple[int, tuple[RowProblem, ...]]:
    """Store the records of one import; how many were stored, and all that there is to report.

    Distances between scenes, schools and stations are the caller's to refresh (`scenes.repository`).
    """
    records, known = result.records, await municipality_codes(connection)
    problems = list(result.problems)
    if result.kind == "municipalities":
        await store_municipalities(connection, [_municipality(record) for record in records])
    elif result.kind == "districts":
        problems += _unknown(records, known)
        records = tuple(record for record in records if record.municipality_code in known)
        await store_districts(connection, [_district(record) for record in records])
    elif result.kind == "schools":
        problems += _unknown(records, known)
        await store_schools(connection, [_school(record, known) for record in records])
    elif result.kind == "stations":
        await store_stations(connection, [_station(record) for record in records])
    else:
        raise ValueError("not a kind of place")
    return len(records), tuple(problems)


def _municipality(record: Municipality) -> dict[str, Any]:
    return {
        "code": record.code,
        "name": record.name,
        "police_area": record.police_area,
        "local_police_area": record.local_police_area,
    }


def _district(record: District) -> dict[str, Any]:
    return {
        "name": record.name,
        "municipality": record.municipality_code,
        "local_police_area": record.local_police_area,
    }
