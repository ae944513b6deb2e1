"""What Samsyn is measured against: the least that can answer, a bare Starlette app around one statement a request.

No token, no law, no log, no headers of its own: PostgreSQL builds the JSON, the app hands on the bytes.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

LIST = """
SELECT coalesce(json_agg(row_to_json(r)), '[]')::text FROM (
  SELECT s.id, s.name, s.municipality, s.district, s.local_police_area AS "localPoliceArea",
         CASE WHEN s.closed_on IS NULL OR s.closed_on > $1 THEN 'active' ELSE s.ending END AS status,
         s.environment, s.setting, s.symptoms, o.geojson AS outline, s.appeared_on AS "appearedOn",
         CASE WHEN s.closed_on IS NULL OR s.closed_on > $1 THEN NULL ELSE s.closed_on END AS "closedOn",
         s.sara_stage AS "saraStage", s.fictional, o.school_count AS "schoolsWithin500m",
         o.school_count > 0 AS "particularlyExposedForYouth",
         (s.closed_on IS NULL OR s.closed_on > $1)
         AND coalesce((SELECT max(m.mapped_on) FROM mappings m WHERE m.scene_id = s.id AND m.mapped_on <= $1),
                      s.appeared_on) <= $1 - interval '1 year' AS "mappingOverdue"
    FROM scenes s
    JOIN scene_outlines o ON o.scene_id = s.id AND o.valid_from <= $1 AND (o.until IS NULL OR o.until > $1)
   WHERE s.appeared_on <= $1 ORDER BY s.name, s.id LIMIT 100) r
"""
NESTED = """
SELECT coalesce(json_agg(row_to_json(r)), '[]')::text FROM (
  SELECT s.id, s.name, s.municipality, s.district, s.setting, s.environment, s.symptoms, s.appeared_on AS "appearedOn",
         s.sara_stage AS "saraStage", s.fictional,
         (SELECT coalesce(json_agg(row_to_json(c)), '[]') FROM (
            SELECT m.id, m.mapped_on AS "mappedOn", m.use, m.substances
              FROM mappings m WHERE m.scene_id = s.id AND m.mapped_on <= $1
             ORDER BY m.mapped_on DESC, m.id LIMIT 3) c) AS mappings
    FROM scenes s
    JOIN scene_outlines o ON o.scene_id = s.id AND o.valid_from <= $1 AND (o.until IS NULL OR o.until > $1)
   WHERE s.appeared_on <= $1 ORDER BY s.name, s.id LIMIT 100) r
"""


async def _as_it_was(_):
    """Both servers spare themselves the pool's reset, so that the comparison is of the rest."""


def create_bare(dsn: str, connections: int) -> Starlette:
    """The app over a database that Samsyn has filled, with a pool set up as Samsyn's own read pool."""
    pool: asyncpg.Pool

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        nonlocal pool
        settings = {"default_transaction_read_only": "on", "timezone": "UTC", "jit": "off"}
        async with asyncpg.create_pool(
            dsn, min_size=1, max_size=connections, server_settings=settings, reset=_as_it_was
        ) as pool:
            yield

    async def scenes(_: Request) -> Response:
        async with pool.acquire() as connection:
            items = await connection.fetchval(LIST, date.today())  # noqa: DTZ011 - a day is all it takes
        return Response(b'{"items":' + items.encode() + b"}", media_type="application/json")

    async def nested(request: Request) -> Response:
        json.loads(await request.body())
        async with pool.acquire() as connection:
            items = await connection.fetchval(NESTED, date.today())  # noqa: DTZ011 - as above
        return Response(b'{"data":{"scenes":{"items":' + items.encode() + b"}}}", media_type="application/json")

    routes = [Route("/samsyn/v1/scenes", scenes), Route("/samsyn/v1/graphql", nested, methods=["POST"])]
    return Starlette(routes=routes, lifespan=lifespan)
