"""Loads the demo: the seeds' own figures and places, and everything else fictional and marked so.

All of it in one transaction, through the same services as anybody's writes, with ids made from names: loading again
changes nothing.
"""

import io
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from api.agencies.repository import register
from api.demo import DATA, DemoScene, demo_scenes
from api.demo.texts import COMMENTS, MAPPINGS, PERSONS, Place
from api.disclosure.asking import AgencyRef, Asking
from api.identity.caller import SCOPES, Caller
from api.incidents.feed import Delivery
from api.incidents.service import take_batch
from api.individuals.schemas import IndividualIn
from api.individuals.service import create_individual
from api.interventions.schemas import SurveyIn
from api.interventions.service import create_survey, load_catalogue
from api.mappings.schemas import MappingIn
from api.mappings.service import create_mapping
from api.places.geometry import parse_outline
from api.places.importers import READERS, District, Municipality, read_districts, read_municipalities
from api.places.service import store_places
from api.protection.keys import key_source
from api.protection.sealing import Sealer
from api.reports.indicators.service import load_stated_figures
from api.reports.publishing import publish
from api.scenes.repository import add_scene, refresh_neighbours, scene_exists, stops_near_scenes
from api.settings import Settings
from api.store.database import Database
from policies.catalogue import law

Progress = Callable[[str], None]
# The demo's writes carry these moments, so that loading on any day gives the same rows.
_WRITTEN = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
_TODAY = date(2026, 11, 2)
_FEED_FROM, _FEED_TO = date(2025, 7, 1), date(2026, 10, 31)
_COUNTY: tuple[tuple[str, str, str, str | None], ...] = (
    ("polismyndigheten", "Polismyndigheten, polisregion Stockholm", "police", None),
    ("stockholm-utbildning", "Stockholms utbildningsnämnd", "school", "0180"),
    ("region-stockholm-vard", "Region Stockholm, hälso- och sjukvård", "health-care", None),
    ("trafikforvaltningen", "Region Stockholm, Trafikförvaltningen", "public-transport", None),
    ("lansstyrelsen-stockholm", "Länsstyrelsen i Stockholms län", "county-board", None),
    ("kriminalvarden", "Kriminalvården", "prison-probation", None),
    ("tullverket", "Tullverket", "customs", None),
    ("centrumagaren", "Centrumägaren (fiktiv fastighetsägare)", "private", None),
)


def demo_id(kind: str, name: str) -> UUID:
    """The id of a demo row: always the same for the same name."""
    return uuid5(NAMESPACE_URL, f"urn:samsyn:demo:{kind}:{name}")


def demo_agencies() -> list[dict[str, Any]]:
    """Every agency of the demo: per board its social services and its safety work, and the county's own."""
    with (DATA / "municipalities.csv").open("rb") as file:
        municipalities: tuple[Municipality, ...] = read_municipalities(file).records
    with (DATA / "districts.csv").open("rb") as file:
        districts: tuple[District, ...] = read_districts(file).records
    agencies = [_agency(slug, name, sector, municipality, None) for slug, name, sector, municipality in _COUNTY]
    boards: list[tuple[str, str, str, str | None]] = [
        (one.slug, f"{one.name} stadsdelsnämnd", one.municipality_code, one.name) for one in districts
    ]
    boards += [(one.slug, f"{one.name} kommun", one.code, None) for one in municipalities if one.name != "Stockholm"]
    for slug, board, municipality, district in boards:
        agencies += [
            _agency(f"{slug}-socialtjanst", f"{board}, socialtjänst", "social-services", municipality, district),
            _agency(f"{slug}-trygghet", f"{board}, trygghet", "municipal-safety", municipality, district),
        ]
    return agencies


def _agency(slug: str, name: str, sector: str, municipality: str | None, district: str | None) -> dict[str, Any]:
    return {"slug": slug, "name": name, "sector": sector, "municipality": municipality, "district": district}


async def load_demo(database: Database, settings: Settings, progress: Progress) -> None:
    """Load the demo where it is not loaded yet."""
    async with database.transaction() as connection:
        progress("loading municipalities, districts, stations and schools")
        for kind in ("municipalities", "districts", "stations", "schools"):
            with (DATA / f"{kind}.csv").open("rb") as file:
                await store_places(connection, READERS[kind](file))
        agencies = {agency["slug"]: agency for agency in demo_agencies()}
        await register(connection, agencies.values())
        await load_catalogue(connection)
        scenes = demo_scenes()
        if await scene_exists(connection, scene_id(scenes[0])):
            progress("the demo is loaded already")
            return
        progress(f"loading {len(scenes)} scenes")
        for scene in scenes:
            await add_scene(connection, *scene_rows(scene))
        await refresh_neighbours(connection, radius_m=settings.incident_radius_m)
        await load_stated_figures(connection, DATA / "stated_figures.csv")
        writer = _Writer(connection, agencies, Sealer(key_source(settings)))
        open_scenes = [scene for scene in scenes if scene.closed_on is None]
        progress("loading mappings, survey answers and fictional individuals")
        for number, scene in enumerate(open_scenes):
            await writer.map_scene(scene, number)
        progress("feeding sixteen months of fictional incidents")
        await writer.feed_incidents()
        progress("publishing situation reports")
        for scene in open_scenes:
            if not scene.fictional:
                await writer.publish(scene, "2026-Q3")


def scene_id(scene: DemoScene) -> UUID:
    """The id of a demo scene."""
    return demo_id("scene", scene.name)


def person_id(scene: DemoScene, holder: str, nth: int) -> UUID:
    """The id of what a holder has recorded of the demo's `nth` person at a scene."""
    return demo_id("individual", f"{scene.name}:{holder}:{nth}")


def scene_rows(scene: DemoScene) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows of a demo scene and of its only outline."""
    outline = parse_outline(scene.outline())
    row = {
        "id": scene_id(scene),
        "name": scene.name,
        "municipality": scene.municipality_code,
        "district": scene.district,
        "local_police_area": scene.local_police_area,
        "environment": list(scene.environment),
        "setting": scene.setting,
        "symptoms": ["nuisance", "perceived-unsafe", "hot-spot"],
        "appeared_on": scene.appeared_on,
        "closed_on": scene.closed_on,
        "ending": None if scene.closed_on is None else "closed",
        "sara_stage": "assessment" if scene.closed_on else "response",
        "fictional": scene.fictional,
        "version": 1,
        "created_by": "polismyndigheten",
        "created_at": _WRITTEN,
        "updated_at": _WRITTEN,
    }
    return row, {
        "id": demo_id("outline", scene.name),
        "scene_id": row["id"],
        "outline": outline.as_pg_polygon(),
        "geojson": outline.as_geojson(),
        "valid_from": scene.appeared_on,
        "until": None,
        "school_count": 0,
    }


class _Writer:
    """Writes as the demo's agencies do."""

    def __init__(self, connection: AsyncConnection, agencies: dict[str, dict[str, Any]], sealer: Sealer) -> None:
        self._connection, self._agencies, self._sealer = connection, agencies, sealer

    def _asking(self, slug: str) -> Asking:
        agency = self._agencies[slug]
        caller = Caller(slug, f"{slug}-demo", f"{slug}-demo", None, frozenset(law().purposes), SCOPES)
        reference = AgencyRef(slug, agency["sector"], agency["municipality"], agency["district"])
        return Asking(caller, reference, ())

    def _board(self, scene: DemoScene, branch: str) -> str:
        return next(
            slug
            for slug, agency in self._agencies.items()
            if slug.endswith(branch)
            and agency["municipality"] == scene.municipality_code
            and agency["district"] == scene.district
        )

    async def map_scene(self, scene: DemoScene, number: int) -> None:
        """A mapping this year (last year for every ninth scene, which is then overdue), a survey, some persons."""
        overdue = number % 9 == 8  # noqa: PLR2004 - every ninth
        place = MAPPINGS[number % len(MAPPINGS)]
        mapped_on = date(2025 if overdue else 2026, 9, 1 + number % 25)
        body = MappingIn.model_validate(_mapping(place, mapped_on, scene))
        mapping_id = demo_id("mapping", scene.name)
        who = self._asking(self._board(scene, "-trygghet"))
        await create_mapping(
            self._connection,
            body,
            who=who,
            scene_id=scene_id(scene),
            mapping_id=mapping_id,
            now=_WRITTEN,
            today=_TODAY,
        )
        survey = SurveyIn.model_validate(_survey(scene, number))
        await create_survey(
            self._connection,
            survey,
            who=who,
            survey_id=demo_id("survey", scene.name),
            now=_WRITTEN,
            today=_TODAY,
        )
        if not overdue:
            await self._individuals(scene, mapping_id, number)

    async def _individuals(self, scene: DemoScene, mapping_id: UUID, number: int) -> None:
        """The police know of one of the demo's persons at each scene, the board's social services of all of them."""
        known = {"polismyndigheten": [number % len(PERSONS)], self._board(scene, "-socialtjanst"): range(len(PERSONS))}
        for holder, persons in known.items():
            for nth in persons:
                await create_individual(
                    self._connection,
                    IndividualIn.model_validate(PERSONS[nth]),
                    who=self._asking(holder),
                    mapping_id=mapping_id,
                    individual_id=person_id(scene, holder, nth),
                    sealer=self._sealer,
                    now=_WRITTEN,
                    today=_TODAY,
                )

    async def feed_incidents(self) -> None:
        """Sixteen months of incidents at the stations near scenes, always the same ones."""
        stops = await stops_near_scenes(self._connection)
        lines = "\n".join(json.dumps(row) for row in demo_incidents(stops)).encode()
        delivery = Delivery(io.BytesIO(lines), str(demo_id("batch", "feed").hex), "application/x-ndjson")
        who = self._asking("trafikforvaltningen")
        await take_batch(self._connection, delivery, who=who, batch_id="demo-feed", clock=lambda: _WRITTEN)

    async def publish(self, scene: DemoScene, period: str) -> None:
        """The edition of one scene and period, by the scene's board."""
        await publish(
            self._connection,
            scene=scene_id(scene),
            period=period,
            who=self._asking(self._board(scene, "-trygghet")),
            report_id=demo_id("report", f"{scene.name}:{period}"),
            now=_WRITTEN,
        )


def _mapping(place: Place, mapped_on: date, scene: DemoScene) -> dict[str, Any]:
    return {
        "mappedOn": mapped_on.isoformat(),
        "affected": place.affected,
        "physicalPlace": place.physical_place,
        "use": place.use,
        "substances": place.substances,
        "policeWork": place.police_work,
        "partners": place.partners,
        "hotspots": [
            {"name": place.hotspot, "position": {"type": "Point", "coordinates": [scene.lon, scene.lat]}},
        ],
        "timePattern": place.time_pattern,
        "interviews": place.interviews,
    }


def _survey(scene: DemoScene, number: int) -> dict[str, Any]:
    return {
        "scene": str(scene_id(scene)),
        "period": "2026",
        "comment": COMMENTS[number % len(COMMENTS)],
        "interventions": [
            {
                "intervention": "place-activation",
                "status": "ongoing",
                "startedOn": f"2026-0{1 + number % 6}-15",
                "times": 4 + number % 9,
                "partners": ["lokalpolisområdet", "fastighetsägare"],
                "assessment": "Fler i rörelse dagtid (fiktiv bedömning).",
            },
            {"intervention": "safety-inspections", "status": "ended", "startedOn": "2026-02-01",
             "endedOn": "2026-05-31", "times": 2, "partners": ["trafikkontoret"]},
            {"intervention": "sig-and-sspf", "status": "planned", "startedOn": "2027-01-15"},
        ],
    }  # fmt: skip


_CATEGORIES = (
    ("intoxication", 30), ("disorder", 34), ("narcotics", 12), ("deviant-behaviour", 10), ("theft", 5),
    ("vandalism", 4), ("violence-passenger", 2), ("violence-staff", 1), ("illness", 2),
)  # fmt: skip
# Afternoons and late evenings carry most incidents, weekends their nights.
_HOURS = (1, 1, 1, 0, 0, 0, 1, 2, 2, 2, 2, 3, 3, 3, 4, 6, 7, 7, 6, 6, 7, 7, 5, 3)


def demo_incidents(stops: list[str]) -> Iterator[dict[str, Any]]:
    """Fictional incident rows in the feed's own shape, from a seeded generator."""
    chance = random.Random(20261102)  # noqa: S311 - invented figures, not secrets
    names, weights = zip(*_CATEGORIES, strict=True)
    for number, stop in enumerate(sorted(stops)):
        a_week = 6 + 3 * (number % 7)
        day = _FEED_FROM
        while day <= _FEED_TO:
            for index in range(chance.randint(0, a_week)):
                hour = chance.choices(range(24), _HOURS)[0]
                moment = datetime(day.year, day.month, day.day, hour, chance.randint(0, 59), tzinfo=UTC)
                moment += timedelta(days=chance.randint(0, 6))
                yield {
                    "incidentId": f"demo-{stop[-4:]}-{day:%y%m%d}-{index}",
                    "occurredAt": moment.isoformat().replace("+00:00", "Z"),
                    "stopId": stop,
                    "category": chance.choices(names, weights)[0],
                    "mode": "metro",
                    "line": "13",
                    "severity": chance.randint(1, 3),
                    "revision": 1,
                    "withdrawn": False,
                }
            day += timedelta(days=7)
