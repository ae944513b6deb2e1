"""Scenes and outlines as rows, and as the resource that the gate reads."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.resource import AS_OF, Child, Filter, Resource
from api.mappings.tables import Mapping as MappingRow
from api.scenes.tables import Scene, SceneOutline
from api.store.base import table_of

_SCENES = table_of(Scene)
_OUTLINES = table_of(SceneOutline)
_MAPPINGS = table_of(MappingRow)

# A mapping holds for a year (seed: at least one mapping a year per scene).
_MAPPING_HOLDS: ColumnElement[Any] = literal_column("interval '1 year'")

_OPEN = or_(_SCENES.c.closed_on.is_(None), _SCENES.c.closed_on > AS_OF)
_STATUS = case((_OPEN, "active"), else_=_SCENES.c.ending)
_NEAR_SCHOOL = _OUTLINES.c.school_count > 0
_LAST_MAPPED = (
    select(func.max(_MAPPINGS.c.mapped_on))
    .where(_MAPPINGS.c.scene_id == _SCENES.c.id, _MAPPINGS.c.mapped_on <= AS_OF)
    .correlate(_SCENES)
    .scalar_subquery()
)
_MAPPING_OVERDUE = and_(
    _OPEN, func.coalesce(_LAST_MAPPED, _SCENES.c.appeared_on) <= cast(AS_OF, AS_OF.type) - _MAPPING_HOLDS
)


def _box(value: tuple[float, float, float, float]) -> Mapping[str, Any]:
    """The bounding box in metres as a polygon text; `value` is west, south, east, north."""
    west, south, east, north = value
    return {"bbox": f"(({west},{south}),({east},{south}),({east},{north}),({west},{north}))"}


def _mappings() -> Resource:
    from api.mappings.repository import MAPPINGS

    return MAPPINGS


SCENES = Resource(
    name="scene",
    source=_SCENES.join(
        _OUTLINES,
        and_(
            _OUTLINES.c.scene_id == _SCENES.c.id,
            _OUTLINES.c.valid_from <= AS_OF,
            or_(_OUTLINES.c.until.is_(None), _OUTLINES.c.until > AS_OF),
        ),
    ),
    key=_SCENES.c.id,
    base=_SCENES.c.appeared_on <= AS_OF,
    fields={
        "id": _SCENES.c.id,
        "name": _SCENES.c.name,
        "municipality": _SCENES.c.municipality,
        "district": _SCENES.c.district,
        "localPoliceArea": _SCENES.c.local_police_area,
        "status": _STATUS,
        "environment": _SCENES.c.environment,
        "setting": _SCENES.c.setting,
        "symptoms": _SCENES.c.symptoms,
        "outline": _OUTLINES.c.geojson,
        "appearedOn": _SCENES.c.appeared_on,
        "closedOn": case((_OPEN, None), else_=_SCENES.c.closed_on),
        "saraStage": _SCENES.c.sara_stage,
        "fictional": _SCENES.c.fictional,
        "schoolsWithin500m": _OUTLINES.c.school_count,
        "particularlyExposedForYouth": _NEAR_SCHOOL,
        "mappingOverdue": _MAPPING_OVERDUE,
    },
    order=(_SCENES.c.name, _SCENES.c.id),
    sorts={
        "name": _SCENES.c.name,
        "municipality": _SCENES.c.municipality,
        "district": _SCENES.c.district,
        "appearedOn": _SCENES.c.appeared_on,
        "schoolsWithin500m": _OUTLINES.c.school_count,
    },
    filters={
        "id": Filter(("id",), _SCENES.c.id == bindparam("id", type_=_SCENES.c.id.type), lambda v: {"id": v}),
        "municipality": Filter(
            ("municipality",),
            _SCENES.c.municipality == bindparam("municipality", type_=Text()),
            lambda v: {"municipality": v},
        ),
        "district": Filter(
            ("district",), _SCENES.c.district == bindparam("district", type_=Text()), lambda v: {"district": v}
        ),
        "status": Filter(("status",), _STATUS == bindparam("status", type_=Text()), lambda v: {"status": v}),
        "nearSchool": Filter(
            ("particularlyExposedForYouth",),
            _NEAR_SCHOOL == bindparam("nearSchool", type_=_SCENES.c.fictional.type),
            lambda v: {"nearSchool": v},
        ),
        "mappingOverdue": Filter(
            ("mappingOverdue",),
            _MAPPING_OVERDUE == bindparam("mappingOverdue", type_=_SCENES.c.fictional.type),
            lambda v: {"mappingOverdue": v},
        ),
        "bbox": Filter(
            ("outline",), _OUTLINES.c.outline.op("&&")(bindparam("bbox", type_=_OUTLINES.c.outline.type)), _box
        ),
    },
    children={"mappings": Child(_mappings, lambda: _MAPPINGS.c.scene_id == _SCENES.c.id)},
)


async def add_scene(connection: AsyncConnection, scene: Mapping[str, Any], outline: Mapping[str, Any]) -> None:
    """Store a new scene with its first outline."""
    await connection.execute(insert(_SCENES), [dict(scene)])
    await connection.execute(insert(_OUTLINES), [dict(outline)])


async def lock_scene(connection: AsyncConnection, scene_id: UUID) -> Any | None:
    """The scene's row, locked until the transaction ends, or `None`."""
    found = await connection.execute(select(_SCENES).where(_SCENES.c.id == scene_id).with_for_update())
    return found.first()


async def scene_exists(connection: AsyncConnection, scene_id: UUID) -> bool:
    """Whether there is such a scene."""
    return (await connection.execute(select(_SCENES.c.id).where(_SCENES.c.id == scene_id))).first() is not None


async def find_scene(connection: AsyncConnection, scene_id: UUID) -> Any | None:
    """The scene's row, or `None`."""
    return (await connection.execute(select(_SCENES).where(_SCENES.c.id == scene_id))).first()


async def change_scene(connection: AsyncConnection, scene_id: UUID, changes: Mapping[str, Any]) -> None:
    """Change a scene's columns and count its version up."""
    await connection.execute(
        update(_SCENES).where(_SCENES.c.id == scene_id).values(**changes, version=_SCENES.c.version + 1)
    )


async def replace_outline(connection: AsyncConnection, outline: Mapping[str, Any], day: date) -> None:
    """Let a new outline hold from `day`; the one before it is kept, or replaced where it began the same day."""
    current = (_OUTLINES.c.scene_id == outline["scene_id"]) & _OUTLINES.c.until.is_(None)
    same_day = await connection.execute(
        update(_OUTLINES)
        .where(current, _OUTLINES.c.valid_from >= day)
        .values(outline=outline["outline"], geojson=outline["geojson"])
        .returning(_OUTLINES.c.id)
    )
    if same_day.first() is None:
        await connection.execute(update(_OUTLINES).where(current).values(until=day))
        await connection.execute(insert(_OUTLINES), [dict(outline)])


# The outline's bounds grown by so many metres, so that the GiST index over positions is used.
_GROWN = """box(point(((o.outline::box)[1])[0] - {0}, ((o.outline::box)[1])[1] - {0}),
            point(((o.outline::box)[0])[0] + {0}, ((o.outline::box)[0])[1] + {0}))"""
_SCHOOLS_METRES = 500
_COUNT_SCHOOLS = f"""
UPDATE scene_outlines o SET school_count = (
    SELECT count(*) FROM schools s
     WHERE s.is_primary AND s.position <@ {_GROWN.format(_SCHOOLS_METRES)}
       AND o.outline <-> s.position <= {_SCHOOLS_METRES})
 WHERE CAST(:scene AS uuid) IS NULL OR o.scene_id = :scene
"""  # noqa: S608 - made of constants
_FORGET_STATIONS = """
DELETE FROM outline_stations USING scene_outlines o
 WHERE o.id = outline_stations.outline_id AND (CAST(:scene AS uuid) IS NULL OR o.scene_id = :scene)
"""
_TIE_STATIONS = f"""
INSERT INTO outline_stations (outline_id, stop_id, distance_m)
SELECT o.id, s.stop_id, o.outline <-> s.position
  FROM scene_outlines o
  JOIN stations s ON s.position <@ {_GROWN.format("CAST(:radius AS integer)")} AND o.outline <-> s.position <= :radius
 WHERE CAST(:scene AS uuid) IS NULL OR o.scene_id = :scene
"""  # noqa: S608 - made of constants


async def refresh_neighbours(connection: AsyncConnection, *, radius_m: int, scene_id: UUID | None = None) -> None:
    """Recompute which schools and stations lie near which outlines: all of them, or those of one scene.

    A school counts within 500 m (seed: Södermalm, dnr SÖD 2024/85), a station within `radius_m` metres.
    """
    await connection.execute(text(_COUNT_SCHOOLS), {"scene": scene_id})
    await connection.execute(text(_FORGET_STATIONS), {"scene": scene_id})
    await connection.execute(text(_TIE_STATIONS), {"scene": scene_id, "radius": radius_m})


async def stops_near_scenes(connection: AsyncConnection) -> list[str]:
    """The stops that lie near some scene's outline."""
    found = await connection.execute(text("SELECT DISTINCT stop_id FROM outline_stations ORDER BY stop_id"))
    return [row.stop_id for row in found]
