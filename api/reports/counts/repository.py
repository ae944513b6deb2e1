"""Crime counts as rows and as the resource that the gate reads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Text,
    bindparam,
    case,
    func,
    literal_column,
    null,
    or_,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.resource import Filter, Resource
from api.places.tables import District, Municipality
from api.protection.suppress import DEFAULT_THRESHOLD
from api.reports.tables import CrimeCount
from api.store.base import table_of

_COUNTS = table_of(CrimeCount)
_DISTRICTS, _MUNICIPALITIES = table_of(District), table_of(Municipality)
_KEY = ("area_type", "area", "month", "crime_group")
# A statement takes 32 767 parameters, and a row has five.
_ROWS_AT_ONCE = 5000

# INVARIANT: a small count leaves the database only as a hidden one. A count the sender withholds looks the same.
_SMALL = _COUNTS.c["count"].between(1, literal_column(str(DEFAULT_THRESHOLD)))
_SHOWN = case((_SMALL, null()), else_=_COUNTS.c["count"])
_HIDDEN: ColumnElement[bool] = or_(_COUNTS.c["count"].is_(None), _SMALL)


def _equal(name: str, field: ColumnElement[Any]) -> Filter:
    return Filter((name,), field == bindparam(name, type_=Text()), lambda value: {name: value})


COUNTS = Resource(
    name="crime-count",
    source=_COUNTS,
    key=func.concat_ws("/", *(_COUNTS.c[name] for name in _KEY)),
    fields={
        "areaType": _COUNTS.c.area_type,
        "area": _COUNTS.c.area,
        "month": _COUNTS.c.month,
        "group": _COUNTS.c.crime_group,
        "count": _SHOWN,
        "withheld": _HIDDEN,
    },
    order=(_COUNTS.c.month.desc(), _COUNTS.c.area_type, _COUNTS.c.area, _COUNTS.c.crime_group),
    sorts={"areaType": _COUNTS.c.area_type, "area": _COUNTS.c.area, "month": _COUNTS.c.month},
    filters={
        "areaType": _equal("areaType", _COUNTS.c.area_type),
        "area": _equal("area", _COUNTS.c.area),
        "month": _equal("month", _COUNTS.c.month),
        "group": _equal("group", _COUNTS.c.crime_group),
    },
)


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of rows: new ones, ones whose count changed, and ones already on record as they are."""

    added: int
    updated: int
    unchanged: int


class MonthlyCount(Protocol):
    """A count as the importer reads it and as it is sent; `count` is None where the sender withholds it."""

    @property
    def area_type(self) -> str: ...  # noqa: D102
    @property
    def area(self) -> str: ...  # noqa: D102
    @property
    def month(self) -> str: ...  # noqa: D102
    @property
    def group(self) -> str: ...  # noqa: D102
    @property
    def count(self) -> int | None: ...  # noqa: D102


async def store_crime_counts(connection: AsyncConnection, rows: Iterable[MonthlyCount]) -> Stored:
    """Store counts by area, month and group; of a key given twice the last holds."""
    latest = {(row.area_type, row.area, row.month, row.group): row.count for row in rows}
    wanted = [dict(zip(_KEY, key, strict=True)) | {"count": count} for key, count in latest.items()]
    added = updated = 0
    for start in range(0, len(wanted), _ROWS_AT_ONCE):
        statement = insert(_COUNTS).values(wanted[start : start + _ROWS_AT_ONCE])
        changed: CursorResult[Any] = await connection.execute(
            statement.on_conflict_do_update(
                index_elements=list(_KEY),
                set_={"count": statement.excluded["count"]},
                where=_COUNTS.c["count"].is_distinct_from(statement.excluded["count"]),
            ).returning(literal_column("xmax = 0").label("is_new"))
        )
        news = [row.is_new for row in changed]
        added, updated = added + sum(news), updated + len(news) - sum(news)
    return Stored(added, updated, len(wanted) - added - updated)


async def known_areas(connection: AsyncConnection) -> dict[str, Sequence[str]]:
    """The areas that counts can be about, by type: municipality codes, names of districts and local police areas."""
    police = union(
        select(_DISTRICTS.c.local_police_area).where(_DISTRICTS.c.local_police_area.is_not(None)),
        select(_MUNICIPALITIES.c.local_police_area).where(_MUNICIPALITIES.c.local_police_area.is_not(None)),
    )
    return {
        "municipality": (await connection.execute(select(_MUNICIPALITIES.c.code))).scalars().all(),
        "district": (await connection.execute(select(_DISTRICTS.c.name))).scalars().all(),
        "local-police-area": (await connection.execute(police)).scalars().all(),
    }
