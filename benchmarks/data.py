"""Rows like the demo's: sixty open scenes, three mappings each, written through the service's own code."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from api.agencies.repository import register
from api.demo import DATA, demo_scenes
from api.demo.loading import scene_rows
from api.demo.texts import MAPPINGS
from api.disclosure.asking import AgencyRef, Asking
from api.identity.caller import Caller
from api.mappings.schemas import MappingIn
from api.mappings.service import create_mapping
from api.places.importers import READERS
from api.places.service import store_places
from api.scenes.repository import add_scene, refresh_neighbours
from api.store.database import Database

SCENES = 60
MAPPINGS_EACH = 3
AGENCY = "polismyndigheten"
_WRITTEN = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
_WRITER = Asking(Caller(AGENCY, AGENCY, AGENCY, None, frozenset(), frozenset()), AgencyRef(AGENCY, "police"), ())


def _id(kind: str, name: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"urn:samsyn:benchmark:{kind}:{name}")


async def load(url: str) -> None:
    """Fill a migrated, empty database."""
    database = Database(url)
    async with database.transaction() as connection:
        for kind in ("municipalities", "districts", "stations", "schools"):
            with (DATA / f"{kind}.csv").open("rb") as file:
                await store_places(connection, READERS[kind](file))
        agency = {"slug": AGENCY, "name": AGENCY, "sector": "police", "municipality": None, "district": None}
        await register(connection, [agency])
        for scene in islice(demo_scenes(), SCENES):
            row, outline = scene_rows(scene)
            # Every scene is open, so that the list holds them all.
            row |= {"closed_on": None, "ending": None, "sara_stage": "response"}
            await add_scene(connection, row, outline)
            for number in range(MAPPINGS_EACH):
                mapped_on = date(2026, 9, 1) - timedelta(days=30 * number)
                await create_mapping(
                    connection,
                    MappingIn.model_validate(_mapping(number, mapped_on)),
                    who=_WRITER,
                    scene_id=row["id"],
                    mapping_id=_id("mapping", f"{scene.name}:{number}"),
                    now=_WRITTEN,
                    today=_WRITTEN.date(),
                )
        await refresh_neighbours(connection, radius_m=150)
    await database.close()


def _mapping(number: int, mapped_on: date) -> dict[str, Any]:
    place = MAPPINGS[number % len(MAPPINGS)]
    return {
        "mappedOn": mapped_on.isoformat(),
        "affected": place.affected,
        "physicalPlace": place.physical_place,
        "use": place.use,
        "substances": place.substances,
        "policeWork": place.police_work,
        "partners": place.partners,
        "hotspots": [],
        "timePattern": place.time_pattern,
        "interviews": place.interviews,
    }
