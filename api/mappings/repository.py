"""Mappings as rows and as the resource that the gate reads."""

from collections.abc import Mapping as Values
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Text, bindparam, column, func, insert, literal_column, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnClause, ColumnElement
from sqlalchemy.types import Uuid

from api.disclosure.resource import AS_OF, Child, Filter, Resource
from api.mappings.tables import Mapping
from api.store.base import table_of

_MAPPINGS = table_of(Mapping)
# Of rows that every agency reads, the one part that the police keep: to police, and to whom a decision names it
# (migration 0006).
_KEPT = table("visible_police_work", column("resource"), column("row_id"), column("police_work", Text()))


def police_work_of(resource: str, key: ColumnClause[UUID]) -> ColumnElement[Any]:
    """What the police do on the place, as far as the database shows it to the asking agency; else null."""
    of_row = (_KEPT.c.resource == literal_column(f"'{resource}'"), _KEPT.c.row_id == key)
    return select(_KEPT.c.police_work).where(*of_row).correlate(key.table).scalar_subquery()


_POLICE_WORK = police_work_of("mapping", _MAPPINGS.c.id)


def _individuals() -> Resource:
    from api.individuals.repository import INDIVIDUALS

    return INDIVIDUALS


def _of_mapping() -> ColumnElement[bool]:
    from api.individuals.repository import of_mapping

    return of_mapping(_MAPPINGS.c.id)


MAPPINGS = Resource(
    name="mapping",
    source=_MAPPINGS,
    key=_MAPPINGS.c.id,
    base=_MAPPINGS.c.mapped_on <= AS_OF,
    fields={
        "id": _MAPPINGS.c.id,
        "scene": _MAPPINGS.c.scene_id,
        "mappedOn": _MAPPINGS.c.mapped_on,
        "mappedBy": _MAPPINGS.c.mapped_by,
        "affected": _MAPPINGS.c.affected,
        "physicalPlace": _MAPPINGS.c.physical_place,
        "use": _MAPPINGS.c.use,
        "substances": _MAPPINGS.c.substances,
        "policeWork": _POLICE_WORK,
        "partners": _MAPPINGS.c.partners,
        "hotspots": _MAPPINGS.c.hotspots,
        "timePattern": _MAPPINGS.c.time_pattern,
        "interviews": _MAPPINGS.c.interviews,
    },
    order=(_MAPPINGS.c.mapped_on.desc(), _MAPPINGS.c.id),
    sorts={
        "mappedOn": _MAPPINGS.c.mapped_on,
        "mappedBy": _MAPPINGS.c.mapped_by,
        "policeWork": _POLICE_WORK,
    },
    filters={
        "id": Filter(("id",), _MAPPINGS.c.id == bindparam("id", type_=Uuid()), lambda v: {"id": v}),
        "scene": Filter(("scene",), _MAPPINGS.c.scene_id == bindparam("scene", type_=Uuid()), lambda v: {"scene": v}),
        # A part of the text in any case. strpos has no wildcards, so `%` and `_` are sought as they stand.
        "policeWork": Filter(
            ("policeWork",),
            func.strpos(func.lower(_POLICE_WORK), func.lower(bindparam("policeWork", type_=Text()))) > 0,
            lambda v: {"policeWork": v},
        ),
    },
    children={"individuals": Child(_individuals, _of_mapping, through="mapping")},
)

# Metres from the nearest outline that the scene has, or has had, to each point, in the order of the points.
_DISTANCES = text(
    """
SELECT (SELECT min(o.outline <-> CAST(asked.position AS point)) FROM scene_outlines o WHERE o.scene_id = :scene)
  FROM unnest(CAST(:points AS text[])) WITH ORDINALITY AS asked(position, nth)
 ORDER BY asked.nth
"""
)


async def add_mapping(connection: AsyncConnection, mapping: Values[str, Any]) -> None:
    """Store a mapping."""
    await connection.execute(insert(_MAPPINGS), [dict(mapping)])


async def mapping_exists(connection: AsyncConnection, mapping_id: UUID) -> bool:
    """Whether there is such a mapping."""
    return (await connection.execute(select(_MAPPINGS.c.id).where(_MAPPINGS.c.id == mapping_id))).first() is not None


async def distances_to_scene(connection: AsyncConnection, scene_id: UUID, points: Sequence[str]) -> list[float]:
    """Metres from a scene's outlines, those of earlier times too, to points given as PostgreSQL texts."""
    found = await connection.execute(_DISTANCES, {"scene": scene_id, "points": list(points)})
    return list(found.scalars())
