"""Indicators as the resource that the gate reads, counted from rows at each read, and the figures papers state."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Integer, Text, bindparam, column, func, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.resource import AS_OF, Filter, Resource
from api.reports.tables import StatedFigure
from api.store.base import table_of

_STATED = table_of(StatedFigure)

FIRST_YEAR = 2021
COUNTY = "01"
COUNTY_NAME = "Stockholms län"

# One row for the county and each municipality and year. `day` is the year's last day, or today in a running year.
# A scene counts in a year if it was open on any of its days; `closed_on` is the first day it no longer was.
# Merged scenes are gone, but were not closed. Near a school: with any outline of that year (a school within 500 m).
_COUNTED = text(f"""
SELECT a.area, a.name AS area_name, y.year, n.scenes, n.remaining, n.closed, n.new, n.near_school,
       CASE WHEN a.area = '{COUNTY}' THEN n.affected END AS municipalities_affected, a.municipalities,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('measure', f.measure, 'value', f.value, 'source', f.source)
                                  ORDER BY f.measure, f.source), CAST('[]' AS jsonb))
          FROM stated_figures f WHERE f.area = a.area AND f.year = y.year) AS stated
  FROM (SELECT '{COUNTY}' AS area, '{COUNTY_NAME}' AS name, CAST(count(*) AS integer) AS municipalities
          FROM municipalities WHERE code LIKE '{COUNTY}%'
         UNION ALL SELECT code, name, 1 FROM municipalities WHERE code LIKE '{COUNTY}%') AS a
 CROSS JOIN (SELECT year, make_date(year, 1, 1) AS first, least(make_date(year, 12, 31), :as_of) AS day
               FROM generate_series({FIRST_YEAR}, CAST(extract(year FROM CAST(:as_of AS date)) AS int)) AS year) AS y
 CROSS JOIN LATERAL (
       SELECT count(*) AS scenes,
              count(*) FILTER (WHERE s.closed_on IS NULL OR s.closed_on > y.day) AS remaining,
              count(*) FILTER (WHERE s.closed_on <= y.day AND s.ending = 'closed') AS closed,
              count(*) FILTER (WHERE s.appeared_on >= y.first) AS new,
              count(*) FILTER (WHERE EXISTS (
                  SELECT FROM scene_outlines o
                   WHERE o.scene_id = s.id AND o.school_count > 0 AND o.valid_from <= y.day
                     AND (o.until IS NULL OR o.until > y.first))) AS near_school,
              count(DISTINCT s.municipality) FILTER (WHERE s.closed_on IS NULL OR s.closed_on > y.day) AS affected
         FROM scenes s
        WHERE s.municipality LIKE a.area || '%'
          AND s.appeared_on <= y.day AND (s.closed_on IS NULL OR s.closed_on >= y.first)) AS n
""").bindparams(AS_OF)  # noqa: S608 - made of constants
_ROWS = _COUNTED.columns(
    column("area", Text()),
    column("area_name", Text()),
    column("year", Integer()),
    column("scenes", Integer()),
    column("remaining", Integer()),
    column("closed", Integer()),
    column("new", Integer()),
    column("near_school", Integer()),
    column("municipalities_affected", Integer()),
    column("municipalities", Integer()),
    column("stated", JSONB()),
).subquery("indicators")

INDICATORS = Resource(
    name="indicator",
    source=_ROWS,
    key=func.concat(_ROWS.c.area, "-", _ROWS.c.year),
    fields={
        "area": _ROWS.c.area,
        "areaName": _ROWS.c.area_name,
        "year": _ROWS.c.year,
        "scenes": _ROWS.c.scenes,
        "remaining": _ROWS.c.remaining,
        "closed": _ROWS.c.closed,
        "new": _ROWS.c.new,
        "nearSchool": _ROWS.c.near_school,
        "municipalitiesAffected": _ROWS.c.municipalities_affected,
        "municipalities": _ROWS.c.municipalities,
        "stated": _ROWS.c.stated,
    },
    order=(_ROWS.c.area, _ROWS.c.year),
    sorts={
        "area": _ROWS.c.area,
        "year": _ROWS.c.year,
        "scenes": _ROWS.c.scenes,
        "remaining": _ROWS.c.remaining,
        "closed": _ROWS.c.closed,
        "new": _ROWS.c.new,
        "nearSchool": _ROWS.c.near_school,
    },
    filters={
        "area": Filter(("area",), _ROWS.c.area == bindparam("area", type_=Text()), lambda v: {"area": v}),
        "year": Filter(("year",), _ROWS.c.year == bindparam("year", type_=Integer()), lambda v: {"year": v}),
        "county": Filter(
            ("area",), func.left(_ROWS.c.area, 2) == bindparam("county", type_=Text()), lambda v: {"county": v}
        ),
    },
)


async def store_stated_figures(connection: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Store figures by area, year, measure and source; a figure read again replaces the one before."""
    for row in rows:
        statement = insert(_STATED).values(dict(row))
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["area", "year", "measure", "source"], set_={"value": statement.excluded.value}
            )
        )
