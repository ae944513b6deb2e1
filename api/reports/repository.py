"""Published editions as rows and as the resource that the gate reads, and the rows an edition is made from."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, func, insert, literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.resource import Filter, Resource
from api.mappings.repository import police_work_of
from api.mappings.tables import Mapping as MappingRow
from api.reports.building import IncidentCount
from api.reports.editions import Edition, Neighbour, Windows
from api.reports.periods import Period
from api.reports.tables import SituationReport
from api.scenes.tables import SceneOutline
from api.store.base import table_of

_REPORTS = table_of(SituationReport)
_OUTLINES = table_of(SceneOutline)
_MAPPINGS = table_of(MappingRow)

_OTHERS = _REPORTS.alias("others")
_LATEST = (
    select(func.max(_OTHERS.c.edition))
    .where(_OTHERS.c.scene_id == _REPORTS.c.scene_id, _OTHERS.c.period == _REPORTS.c.period)
    .correlate(_REPORTS)
    .scalar_subquery()
)
_POLICE_WORK = police_work_of("situation-report", _REPORTS.c.id)
_MUNICIPALITY = _REPORTS.c.where_["municipality"].astext

REPORTS = Resource(
    name="situation-report",
    source=_REPORTS,
    key=_REPORTS.c.id,
    fields={
        "id": _REPORTS.c.id,
        "edition": _REPORTS.c.edition,
        "scene": _REPORTS.c.scene_id,
        "period": _REPORTS.c.period,
        "publishedAt": _REPORTS.c.published_at,
        "publishedBy": _REPORTS.c.published_by,
        "what": _REPORTS.c.what,
        "where": _REPORTS.c.where_,
        "when": _REPORTS.c.when_,
        "affected": _REPORTS.c.affected,
        "hotspots": _REPORTS.c.hotspots,
        "physicalPlace": _REPORTS.c.physical_place,
        "use": _REPORTS.c.use,
        "substances": _REPORTS.c.substances,
        "timePattern": _REPORTS.c.time_pattern,
        "interventions": _REPORTS.c.interventions,
        "trend": _REPORTS.c.trend,
        "policeWork": _POLICE_WORK,
        "protection": _REPORTS.c.protection,
    },
    order=(_REPORTS.c.period.desc(), _REPORTS.c.scene_id, _REPORTS.c.edition.desc(), _REPORTS.c.id),
    sorts={
        "period": _REPORTS.c.period,
        "publishedAt": _REPORTS.c.published_at,
        "edition": _REPORTS.c.edition,
        "policeWork": _POLICE_WORK,
    },
    filters={
        "id": Filter(("id",), _REPORTS.c.id == bindparam("id", type_=Uuid()), lambda v: {"id": v}),
        "scene": Filter(("scene",), _REPORTS.c.scene_id == bindparam("scene", type_=Uuid()), lambda v: {"scene": v}),
        "period": Filter(("period",), _REPORTS.c.period == bindparam("period", type_=Text()), lambda v: {"period": v}),
        "district": Filter(
            ("where",),
            _REPORTS.c.where_["district"].astext == bindparam("district", type_=Text()),
            lambda v: {"district": v},
        ),
        "municipality": Filter(
            ("where",), _MUNICIPALITY == bindparam("municipality", type_=Text()), lambda v: {"municipality": v}
        ),
        "county": Filter(
            ("where",), func.left(_MUNICIPALITY, 2) == bindparam("county", type_=Text()), lambda v: {"county": v}
        ),
        "latest": Filter(("edition", "scene", "period"), _REPORTS.c.edition == _LATEST, lambda _: {}),
    },
)

# An incident belongs to a scene where the outline of its day lies near its station; the EXISTS counts it once.
_COUNT_INCIDENTS = text("""
SELECT category, weekday, band, count(*) AS incidents
  FROM (SELECT i.category,
               CAST(extract(isodow FROM i.occurred_at AT TIME ZONE 'Europe/Stockholm') AS integer) AS weekday,
               CAST(extract(hour FROM i.occurred_at AT TIME ZONE 'Europe/Stockholm') AS integer) / 6 AS band
          FROM incidents i
         WHERE i.occurred_at >= :first AND i.occurred_at < :after AND NOT i.withdrawn
           AND EXISTS (
               SELECT FROM outline_stations s JOIN scene_outlines o ON o.id = s.outline_id
                WHERE o.scene_id = :scene AND s.stop_id = i.stop_id
                  AND o.valid_from <= CAST(i.occurred_at AT TIME ZONE 'Europe/Stockholm' AS date)
                  AND (o.until IS NULL OR o.until > CAST(i.occurred_at AT TIME ZONE 'Europe/Stockholm' AS date)))
       ) AS placed
 GROUP BY category, weekday, band
""")
_STATIONS = text("""
SELECT t.stop_id AS "stopId", t.name, CAST(round(s.distance_m) AS integer) AS distance
  FROM outline_stations s JOIN stations t USING (stop_id)
 WHERE s.outline_id = :outline
 ORDER BY s.distance_m, t.stop_id
""")
# Of each agency's answers about one intervention the newest counts, so that one reported ended is under way no more.
_UNDER_WAY = text("""
SELECT intervention, name, type, agency, started_on, partners, assessment
  FROM (SELECT g.intervention, i.name, i.type, s.agency, g.status, g.started_on, g.partners, g.assessment, g.position,
               rank() OVER (PARTITION BY s.agency, g.intervention ORDER BY s.answered_at DESC, s.id) AS age
          FROM surveys s
          JOIN survey_interventions g ON g.survey_id = s.id
          JOIN interventions i ON i.slug = g.intervention
         WHERE s.scene_id = :scene AND s.period = ANY(:periods)) AS answers
 WHERE age = 1 AND status = 'ongoing'
 ORDER BY intervention, agency, position
""")


async def outline_on(connection: AsyncConnection, scene_id: UUID, day: date) -> Any | None:
    """The scene's outline of that day (`id`, `geojson`, `school_count`), or `None`."""
    wanted = select(_OUTLINES.c.id, _OUTLINES.c.geojson, _OUTLINES.c.school_count).where(
        _OUTLINES.c.scene_id == scene_id,
        _OUTLINES.c.valid_from <= day,
        func.coalesce(_OUTLINES.c.until > day, literal(value=True)),
    )
    return (await connection.execute(wanted)).first()


async def stations_near(connection: AsyncConnection, outline_id: UUID) -> list[dict[str, Any]]:
    """The stations tied to an outline: `stopId`, `name` and `distance` in whole metres, nearest first."""
    found = await connection.execute(_STATIONS, {"outline": outline_id})
    return [dict(row) for row in found.mappings()]


async def count_incidents(
    connection: AsyncConnection, scene_id: UUID, first: datetime, after: datetime
) -> list[IncidentCount]:
    """Incidents tied to a scene from an instant up to another, by category, weekday and hour band in Swedish time."""
    found = await connection.execute(_COUNT_INCIDENTS, {"scene": scene_id, "first": first, "after": after})
    return [IncidentCount(row.category, row.weekday, row.band, row.incidents) for row in found]


async def mapping_by(connection: AsyncConnection, scene_id: UUID, day: date) -> Any | None:
    """The scene's newest mapping on or before a day, or `None`."""
    wanted = (
        select(_MAPPINGS)
        .where(_MAPPINGS.c.scene_id == scene_id, _MAPPINGS.c.mapped_on <= day)
        .order_by(_MAPPINGS.c.mapped_on.desc(), _MAPPINGS.c.created_at.desc(), _MAPPINGS.c.id)
        .limit(1)
    )
    return (await connection.execute(wanted)).first()


async def interventions_under_way(
    connection: AsyncConnection, scene_id: UUID, periods: Sequence[str]
) -> list[dict[str, Any]]:
    """Interventions reported as ongoing in any of these periods, in the order of method and agency."""
    found = await connection.execute(_UNDER_WAY, {"scene": scene_id, "periods": list(periods)})
    return [
        {
            "intervention": row.intervention,
            "name": row.name,
            "type": row.type,
            "agency": row.agency,
            "startedOn": row.started_on.isoformat() if row.started_on else None,
            "partners": list(row.partners),
            "assessment": row.assessment,
        }
        for row in found
    ]


async def editions_around(connection: AsyncConnection, scene_id: UUID, year: int) -> list[Edition]:
    """What is published about a scene for a year and the ones before and after it."""
    reports = _REPORTS.c
    wanted = select(reports.period, reports.edition, reports.what, reports.when_, reports.trend).where(
        reports.scene_id == scene_id,
        func.left(reports.period, 4).in_([str(near) for near in (year - 1, year, year + 1)]),
    )
    found = await connection.execute(wanted)
    return [Edition(Period.parse(row.period), row.edition, row.what, row.when_, row.trend) for row in found]


# Any constant will do; it must only be the publishing's own.
_TURN = text("SELECT pg_advisory_xact_lock(7216455)")
_WINDOWS = text("""
SELECT o.scene_id, s.stop_id, greatest(o.valid_from, :first) AS first,
       least(coalesce(o.until, :after), :after) AS after
  FROM outline_stations s JOIN scene_outlines o ON o.id = s.outline_id
 WHERE o.valid_from < :after AND (o.until IS NULL OR o.until > :first)
   AND (o.scene_id = :scene OR o.scene_id IN (SELECT scene_id FROM situation_reports WHERE left(period, 4) = :year))
""")
_PERIODS = text("""
SELECT scene_id, array_agg(DISTINCT period) AS periods
  FROM situation_reports WHERE left(period, 4) = :year AND scene_id <> :scene GROUP BY scene_id
""")


async def take_turn(connection: AsyncConnection) -> None:
    """Publish one edition at a time in the whole county: each is checked against all that are there."""
    await connection.execute(_TURN)


async def neighbours(
    connection: AsyncConnection, scene_id: UUID, first: date, after: date
) -> tuple[Windows, list[Neighbour]]:
    """The stations that count for the scene, each with its days, and those of every scene reported on that year."""
    year = {"scene": scene_id, "year": str(first.year)}
    periods = {row.scene_id: tuple(row.periods) for row in await connection.execute(_PERIODS, year)}
    windows: dict[UUID, set[tuple[str, date, date]]] = {}
    for row in await connection.execute(_WINDOWS, year | {"first": first, "after": after}):
        windows.setdefault(row.scene_id, set()).add((row.stop_id, row.first, row.after))
    own = frozenset(windows.pop(scene_id, set()))
    return own, [Neighbour(periods[other], frozenset(found)) for other, found in windows.items()]


async def add_report(connection: AsyncConnection, report: Mapping[str, Any]) -> None:
    """Store an edition. The table takes no update and no delete."""
    await connection.execute(insert(_REPORTS), [dict(report)])
