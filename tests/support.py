"""What tests share: databases of their own, agencies, tokens, and clients that speak to the app without a socket."""

import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from sqlalchemy.engine import make_url

from api.agencies.repository import register
from api.app import create_app, utc_now
from api.identity.caller import SCOPES
from api.identity.development import DevelopmentIssuer
from api.interventions.service import load_catalogue
from api.places.geometry import pg_point, to_metres
from api.places.repository import store_districts, store_municipalities, store_schools, store_stations
from api.settings import Settings
from api.store.database import Database
from policies.catalogue import law

AGENCIES = [
    ("polismyndigheten", "police", None, None),
    ("skarholmen-trygghet", "municipal-safety", "0180", "Skärholmen"),
    ("skarholmen-socialtjanst", "social-services", "0180", "Skärholmen"),
    ("sodermalm-trygghet", "municipal-safety", "0180", "Södermalm"),
    ("sodermalm-socialtjanst", "social-services", "0180", "Södermalm"),
    ("botkyrka-trygghet", "municipal-safety", "0127", None),
    ("trafikforvaltningen", "public-transport", None, None),
    ("region-stockholm-vard", "health-care", None, None),
    ("stockholm-utbildning", "school", "0180", None),
    ("lansstyrelsen-stockholm", "county-board", None, None),
    ("kriminalvarden", "prison-probation", None, None),
    ("tullverket", "customs", None, None),
    ("centrumagaren", "private", None, None),
]
STOP = "9091001000009289"
UNLOCATED_STOP = "9091001000009999"
SCENE = {
    "name": "Provplatsen (fiktiv)",
    "municipality": "0180",
    "district": "Skärholmen",
    "localPoliceArea": "Skärholmen",
    "environment": ["station", "square"],
    "setting": "suburb",
    "symptoms": ["perceived-unsafe"],
    "outline": {
        "type": "Polygon",
        "coordinates": [
            [[17.932, 59.2942], [17.9345, 59.2942], [17.9345, 59.2955], [17.932, 59.2955], [17.932, 59.2942]],
        ],
    },
    "appearedOn": "2022-05-01",
}


async def create_database(server_dsn: str) -> str:
    """Make an empty database beside the server's own and return its URL."""
    name = f"t{uuid.uuid4().hex[:16]}"
    connection = await asyncpg.connect(server_dsn)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return make_url(server_dsn).set(database=name).render_as_string(hide_password=False)


async def copy_database(server_dsn: str, template: str) -> str:
    """A copy of a database that nobody is connected to."""
    name = f"t{uuid.uuid4().hex[:16]}"
    connection = await asyncpg.connect(server_dsn)
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{make_url(template).database}"')
    finally:
        await connection.close()
    return make_url(server_dsn).set(database=name).render_as_string(hide_password=False)


async def seed(url: str) -> None:
    """Register agencies and a few places."""
    database = Database(url)
    async with database.transaction() as connection:
        await store_municipalities(
            connection,
            [
                {"code": "0180", "name": "Stockholm", "police_area": None, "local_police_area": None},
                {"code": "0127", "name": "Botkyrka", "police_area": None, "local_police_area": "Botkyrka"},
            ],
        )
        await store_districts(
            connection,
            [
                {"name": "Skärholmen", "municipality": "0180", "local_police_area": "Skärholmen"},
                {"name": "Södermalm", "municipality": "0180", "local_police_area": "Södermalm"},
            ],
        )
        await register(
            connection,
            [
                {"slug": slug, "name": slug, "sector": sector, "municipality": municipality, "district": district}
                for slug, sector, municipality, district in AGENCIES
            ],
        )
        await store_stations(
            connection,
            [
                {
                    "stop_id": STOP,
                    "name": "Bredäng",
                    "mode": "metro",
                    "municipality": "0180",
                    "position": pg_point(to_metres(17.9334, 59.2947)),
                    "position_geojson": {"type": "Point", "coordinates": [17.9334, 59.2947]},
                    "source": "test",
                },
                {
                    "stop_id": UNLOCATED_STOP,
                    "name": "Okänd plats",
                    "mode": "bus",
                    "municipality": None,
                    "position": None,
                    "position_geojson": None,
                    "source": "test",
                },
            ],
        )
        await store_schools(
            connection,
            [
                {
                    "id": "school-near",
                    "name": "Provskolan (fiktiv)",
                    "municipality": "0180",
                    "forms": ["gr"],
                    "is_primary": True,
                    "position": pg_point(to_metres(17.9352, 59.2947)),
                    "position_geojson": {"type": "Point", "coordinates": [17.9352, 59.2947]},
                    "coordinate_status": "ok",
                    "source": "test",
                }
            ],
        )
        await load_catalogue(connection)
    await database.close()


@dataclass
class Clock:
    """A clock that a test can set; it goes with the wall clock until then."""

    at: datetime | None = None

    def __call__(self) -> datetime:
        return self.at or utc_now()


@dataclass
class App:
    """The service over one database, and clients for its agencies."""

    app: Any
    url: str
    issuer: DevelopmentIssuer
    clock: Clock
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def services(self) -> Any:
        return self.app.state.services

    @property
    def database(self) -> Database:
        return self.services.database

    def token(
        self,
        agency: str,
        *,
        purposes: Iterable[str] | None = None,
        scopes: Iterable[str] | None = None,
        person: bool = False,
        client_id: str | None = None,
    ) -> str:
        """A token; every purpose and scope unless named."""
        return self.issuer.token(
            agency,
            list(law().purposes) if purposes is None else list(purposes),
            sorted(SCOPES) if scopes is None else list(scopes),
            subject="handläggare-1" if person else None,
            role="beslutsfattare" if person else None,
            now=self.clock(),
            new_id=lambda: str(uuid.uuid4()),
        )

    def client(self, agency: str | None = None, *, headers: dict[str, str] | None = None, **claims: Any) -> Any:
        """A client for an agency (without one: nobody), speaking to the app directly."""
        sent = dict(headers or {})
        if agency is not None:
            sent["Authorization"] = f"Bearer {self.token(agency, **claims)}"
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app, raise_app_exceptions=False),
            base_url="http://test/samsyn/v1/",
            headers=sent,
        )
        self.clients.append(client)
        return client

    async def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Look into the database past the gate, as only a test may."""
        connection = await asyncpg.connect(self.url)
        try:
            return [dict(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()

    async def execute(self, statement: str, *values: Any) -> None:
        """Change the database past the service, as only a test may."""
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()

    async def new_scene(self, **changes: Any) -> dict[str, Any]:
        """Register a scene as the police."""
        answer = await self.client("polismyndigheten").post("scenes", json=SCENE | changes)
        assert answer.status_code == 201, answer.text
        return answer.json()


@asynccontextmanager
async def open_app(
    url: str,
    directory: Path,
    *,
    clock: Clock | None = None,
    new_id: Callable[[], uuid.UUID] = uuid.uuid4,
    **settings: Any,
) -> AsyncIterator[App]:
    """Run the service over a migrated database while the block lasts."""
    clock = clock or Clock()
    chosen = Settings(data_dir=directory, public_url="http://test", **settings)
    app = create_app(chosen, Database(url, read_connections=4), clock=clock, new_id=new_id)
    issuer = DevelopmentIssuer.load_or_create(directory, issuer=chosen.issuer, audience=chosen.audience)
    async with app.router.lifespan_context(app):
        opened = App(app, url, issuer, clock)
        yield opened
        for client in opened.clients:
            await client.aclose()


def canonical(body: Any) -> str:
    """A JSON body as text, without what changes from one answer to the next: the receipt."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: strip(inner) for key, inner in value.items() if key != "receipt"}
        if isinstance(value, list):
            return [strip(inner) for inner in value]
        return value

    return json.dumps(strip(body), sort_keys=True, ensure_ascii=False)


def moment(text: str) -> datetime:
    """A point in time from ISO text, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)
