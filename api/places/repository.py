"""Places as rows, and schools and stations as resources that the gate reads."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Float, and_, bindparam, case, cast, column, func, or_, select, table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Integer, Numeric, Uuid

from api.disclosure.resource import AS_OF, Filter, Resource
from api.places.tables import District, Municipality, School, Station
from api.store.base import table_of

_MUNICIPALITIES, _DISTRICTS = table_of(Municipality), table_of(District)
_SCHOOLS, _STATIONS = table_of(School), table_of(Station)
_OUTLINES = table("scene_outlines", column("scene_id"), column("outline"), column("valid_from"), column("until"))
# The list of schools is always that of one scene, so its outline is part of the FROM clause.
_NEAR = select(_OUTLINES.c.outline.label("outline")).where(
    _OUTLINES.c.scene_id == bindparam("scene", type_=Uuid()),
    _OUTLINES.c.valid_from <= AS_OF,
    or_(_OUTLINES.c.until.is_(None), _OUTLINES.c.until > AS_OF),
).subquery("place")  # fmt: skip
_DISTANCE = cast(_NEAR.c.outline.op("<->", return_type=Float())(_SCHOOLS.c.position), Float)

SCHOOLS = Resource(
    name="school",
    source=_SCHOOLS.join(_NEAR, _SCHOOLS.c.position.is_not(None)),
    key=_SCHOOLS.c.id,
    fields={
        "id": _SCHOOLS.c.id,
        "name": _SCHOOLS.c.name,
        "municipality": _SCHOOLS.c.municipality,
        "schoolForms": _SCHOOLS.c.forms,
        "primary": _SCHOOLS.c.is_primary,
        "position": _SCHOOLS.c.position_geojson,
        "distance": func.round(cast(_DISTANCE, Numeric), 1),
    },
    order=(_DISTANCE, _SCHOOLS.c.id),
    filters={
        "near": Filter(
            ("distance", "position"),
            and_(_DISTANCE <= bindparam("within", type_=Integer())),
            lambda value: {"scene": value[0], "within": value[1]},
        )
    },
)


async def municipality_exists(connection: AsyncConnection, code: str) -> bool:
    """Whether the county has a municipality with this code."""
    return (await connection.execute(select(_MUNICIPALITIES.c.code).filter_by(code=code))).first() is not None


async def district_exists(connection: AsyncConnection, name: str, municipality: str) -> bool:
    """Whether the municipality has a district board with this name."""
    found = select(_DISTRICTS.c.name).filter_by(name=name, municipality=municipality)
    return (await connection.execute(found)).first() is not None


async def _upsert(
    connection: AsyncConnection,
    target: Any,
    key: str,
    rows: Iterable[Mapping[str, Any]],
    rules: Mapping[str, Callable[[Any], Any]],
) -> None:
    """Insert rows or bring existing ones up to date; `rules` says how a column is merged where not by replacing."""
    for row in rows:
        statement = insert(target).values(dict(row))
        new = statement.excluded
        changed = {name: rules.get(name, lambda new, name=name: new[name])(new) for name in row if name != key}
        await connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=changed))


def _kept(target: Any, name: str) -> Callable[[Any], Any]:
    """What is known stays where the new row has nothing."""
    return lambda new: func.coalesce(new[name], target.c[name])


def _with_position(target: Any, name: str) -> Callable[[Any], Any]:
    """What came with a position stays where the new row has none."""
    placed = target.c.position.is_not(None)
    return lambda new: case((and_(new.position.is_(None), placed), target.c[name]), else_=new[name])


async def store_municipalities(connection: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Store municipalities by code."""
    kept = {name: _kept(_MUNICIPALITIES, name) for name in ("police_area", "local_police_area")}
    await _upsert(connection, _MUNICIPALITIES, "code", rows, kept)


async def store_districts(connection: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Store districts by name."""
    kept = {"local_police_area": _kept(_DISTRICTS, "local_police_area")}
    await _upsert(connection, _DISTRICTS, "name", rows, kept)


async def store_schools(connection: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Store schools by id."""
    await _upsert(connection, _SCHOOLS, "id", rows, {})


async def store_stations(connection: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Store stations by stop id. A file without positions never erases a position, nor the name that came with it."""
    rules: dict[str, Callable[[Any], Any]] = {
        name: _kept(_STATIONS, name) for name in ("position", "position_geojson", "municipality")
    }
    # A station of two modes keeps the one it was first known by; the list of sites names none.
    rules["mode"] = lambda new: func.coalesce(_STATIONS.c.mode, new.mode)
    rules |= {name: _with_position(_STATIONS, name) for name in ("name", "source")}
    await _upsert(connection, _STATIONS, "stop_id", rows, rules)


async def municipality_codes(connection: AsyncConnection) -> frozenset[str]:
    """The codes of all municipalities."""
    return frozenset((await connection.execute(select(_MUNICIPALITIES.c.code))).scalars())
