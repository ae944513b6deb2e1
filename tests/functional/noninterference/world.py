"""Two databases with the same rows, and the service over each: the same clock, the same ids for the same request."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from api.agencies.repository import register
from api.ledger.keys import load_or_create
from api.places.geometry import pg_point, to_metres
from api.places.repository import store_stations
from api.protection.sealing import Sealer
from api.reports.indicators.repository import store_stated_figures
from policies.catalogue import law
from tests.functional.noninterference.rows import Change, Rows, changes_between, connect, make_changes, read_rows
from tests.support import SCENE, STOP, UNLOCATED_STOP, App, Clock, copy_database, moment, open_app

START = "2026-11-21T10:00:00Z"
MORE_AGENCIES = [
    ("aklagarmyndigheten", "prosecutor", None, None),
    ("sakerhetspolisen", "security-police", None, None),
    ("waxholmsbolaget", "public-transport", None, None),
    ("botkyrka-socialtjanst", "social-services", "0127", None),
]
# A scene that nothing but a few incidents of one month has ever happened at: all that is told of it is hidden.
QUIET_SCENE = "Tysta platsen (fiktiv)"
QUIET_STOP = "9091001000009111"
QUIET_MONTH = "2025-02"
_QUIET_PLACE = (18.05, 59.31)
PEOPLE = [
    "skarholmen-socialtjanst",
    "sodermalm-socialtjanst",
    "botkyrka-socialtjanst",
    "polismyndigheten",
    "region-stockholm-vard",
    "stockholm-utbildning",
    "kriminalvarden",
    "tullverket",
    "skarholmen-trygghet",
]


_SEALERS: list[Sealer] = []
_CONTRACTS: dict[str, dict[str, Any] | None] = {}


def sealed(row_id: str, field: str, text: str) -> str:
    """A text as it lies in a row of either side, written as a row's JSON has bytes."""
    return "\\x" + _SEALERS[0].seal(row_id, field, text).hex()


class Ids:
    """Ids that are the same on both sides for the same request, and drawn anew for each, whatever came between."""

    def __init__(self) -> None:
        self._rng = random.Random(0)

    def begin(self, name: str) -> None:
        self._rng = random.Random(name)

    def __call__(self) -> uuid.UUID:
        return uuid.UUID(int=self._rng.getrandbits(128), version=4)


@dataclass
class Side:
    """The service over one of the two databases, asked without a socket."""

    app: App
    ids: Ids
    connection: asyncpg.Connection
    client: httpx.AsyncClient

    async def rows(self) -> Rows:
        return await read_rows(self.connection)

    def forget_what_was_signed(self) -> None:
        """The ledger's rows are put in another state here, which a signer that remembers does not sign over."""
        signer = self.app.services.checkpoints._signer
        signer._last = None
        signer._file.unlink(missing_ok=True)

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """How many requests a process has answered is the operator's to know, whoever sent them: not a secret here."""
        counted = self.app.app.state.counts.copy()
        yield
        self.app.app.state.counts.clear()
        self.app.app.state.counts.update(counted)


@dataclass
class Pair:
    """Side `a` is without the secret, side `b` with it."""

    a: Side
    b: Side
    clock: Clock
    _asked: int = field(default=0)

    async def both(self, **request: Any) -> tuple[httpx.Response, httpx.Response]:
        """Ask the two sides the same."""
        self._asked += 1
        for side in (self.a, self.b):
            side.ids.begin(f"request {self._asked}")
        first, second = await asyncio.gather(self.a.client.request(**request), self.b.client.request(**request))
        return first, second

    async def differ(self, changes: list[Change]) -> None:
        """Make rows differ: on side `b` alone."""
        await make_changes(self.b.connection, changes)

    async def share(self, changes: list[Change]) -> None:
        """Change rows on both sides."""
        for side in (self.a, self.b):
            await make_changes(side.connection, changes)

    async def even_out(self) -> tuple[list[Change], Rows]:
        """Make the rows of `a` those of `b`; what had to be changed, and the rows that both have now."""
        before, after = await self.a.rows(), await self.b.rows()
        changes = changes_between(before, after)
        await make_changes(self.a.connection, changes)
        for side in (self.a, self.b):
            side.forget_what_was_signed()
        return changes, after


@asynccontextmanager
async def open_pair(server_dsn: str, prepared: str, directory: Path) -> AsyncIterator[Pair]:
    """Two fresh copies of the prepared database. Both sides know the same issuer, so one token serves both."""
    clock = Clock(moment(START))
    urls = [await copy_database(server_dsn, prepared) for _ in range(2)]
    try:
        async with _side(urls[0], directory, clock, "a") as a, _side(urls[1], directory, clock, "b") as b:
            # Both sides have the keys of one directory, but that each signs a ledger of its own.
            _SEALERS[:] = [a.app.services.sealer]
            yield Pair(a, b, clock)
    finally:
        await _drop(server_dsn, urls)


@asynccontextmanager
async def _side(url: str, directory: Path, clock: Clock, name: str) -> AsyncIterator[Side]:
    ids = Ids()
    connection = await connect(url)
    try:
        key = directory / f"ledger-{name}.key"
        load_or_create(key)
        async with open_app(url, directory, clock=clock, new_id=ids, ledger_key=key) as app:
            # Made from the code alone, and slowly: each side makes its contract once, for all its worlds.
            app.app.state.api.openapi_schema = _CONTRACTS.get(name)
            side = Side(app, ids, connection, app.client())
            side.forget_what_was_signed()
            yield side
            _CONTRACTS[name] = app.app.state.api.openapi_schema
    finally:
        await connection.close()


async def _drop(server_dsn: str, urls: list[str]) -> None:
    """A long run would fill the disk with databases."""
    connection = await asyncpg.connect(server_dsn)
    try:
        for url in urls:
            name = url.partition("?")[0].rpartition("/")[2]
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


async def prepare(server_dsn: str, template: str, directory: Path) -> str:
    """A database with something of everything, for worlds to be copied from; nobody stays connected to it."""
    url = await copy_database(server_dsn, template)
    async with open_app(url, directory, clock=Clock(moment(START)), new_id=Ids()) as app:
        await _fill(app, random.Random("the world that all cases begin in"))
    return url


async def _fill(app: App, rng: random.Random) -> None:
    async with app.database.transaction() as connection:
        names = ("slug", "sector", "municipality", "district")
        more = [dict(zip(names, agency, strict=True)) | {"name": agency[0]} for agency in MORE_AGENCIES]
        await register(connection, more)
        longitude, latitude = _QUIET_PLACE
        place = {"type": "Point", "coordinates": [longitude, latitude]}
        position = pg_point(to_metres(longitude, latitude))
        quiet = {"stop_id": QUIET_STOP, "name": "Tyst", "mode": "bus", "municipality": "0180", "source": "test"}
        await store_stations(connection, [quiet | {"position": position, "position_geojson": place}])
        figure = {"area": "01", "year": 2023, "measure": "scenes", "value": 63, "source": "test"}
        await store_stated_figures(connection, [figure])
    scenes = await _scenes(app)
    mappings = [await _mapping(app, scene, day, rng) for scene in scenes for day in ("2025-03-01", "2026-09-10")]
    for mapping in mappings:
        for holder in rng.sample(PEOPLE, 6):
            for _ in range(rng.randint(1, 2)):
                await _made(app, holder, f"mappings/{mapping}/individuals", person(rng))
    await _incidents(app, rng)
    await _requests(app, rng)
    for scene in scenes:
        period = "2026-Q3" if scene != scenes[-1] else QUIET_MONTH
        await _made(app, "lansstyrelsen-stockholm", "situation-reports", {"scene": scene, "period": period})
    for agency in ("skarholmen-trygghet", "sodermalm-socialtjanst"):
        answer = {"scene": scenes[0], "period": "2026", "interventions": []}
        await _made(app, agency, "intervention-surveys", answer)
    counts = [{"areaType": "municipality", "area": "0180", "month": f"2026-{month:02}", "group": group,
               "count": rng.choice([0, 1, 3, 4, 5, 40, None])}
              for month in range(1, 10) for group in ("narcotics", "violence")]  # fmt: skip
    await _made(app, "polismyndigheten", "crime-counts", {"counts": counts}, status=200)


async def _requests(app: App, rng: random.Random) -> None:
    """Each agency asks two others under the one provision that fits all, and gets every sort of answer."""
    why = {"Purpose": "care-and-support", "Case-Reference": "A123.456/2026"}
    demanded = law().provisions["osl-10-2"].wordings[-1].attestations
    notes = dict.fromkeys((*demanded, "data-protection-check", "receiver-secrecy"), "Ja (påhittat)")
    body = {"provision": "osl-10-2", "kinds": ["person-identity", "person-contact"], "why": "Påhittat skäl"}
    steps = {
        "left": [],
        "parked": [("holder", "supplement", {"question": "När? (påhittat)"})],
        "withdrawn": [("requester", "withdrawal", {})],
        "refused": [("holder", "decision", {"outcome": "refused", "reason": "Nej (påhittat)"})],
    }
    for nth, requester in enumerate(PEOPLE):
        for holder in (PEOPLE[nth - 1], PEOPLE[nth - 4]):
            asked = body | {"holder": holder, "scope": {"question": f"Vem är {rng.randint(1, 99)}? (påhittat)"}}
            request = await _made(app, requester, "disclosure-requests", asked, headers=why)
            own = await app.rows("SELECT id FROM individuals WHERE holder = $1 ORDER BY id LIMIT 3", holder)
            grant = {"outcome": "granted", "items": [str(row["id"]) for row in own], "fields": ["name", "sex"],
                     "validUntil": "2027-06-30", "attestations": notes}  # fmt: skip
            chosen = rng.choice([*steps, "granted", "granted"])
            for who, step, sent in [("holder", "decision", grant)] if chosen == "granted" else steps[chosen]:
                taker = holder if who == "holder" else requester
                path = f"disclosure-requests/{request}/{step}"
                await _made(app, taker, path, sent, status=201 if step == "decision" else 200, headers=why)


async def _scenes(app: App) -> list[str]:
    longitude, latitude = _QUIET_PLACE
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
    quiet = [[longitude + 0.001 * east, latitude + 0.0005 * north] for east, north in corners]
    changes = [
        {},
        {"name": "Andra platsen (fiktiv)", "district": "Södermalm", "environment": ["park"]},
        {"name": "Tredje platsen (fiktiv)", "municipality": "0127", "district": None},
        {"name": QUIET_SCENE, "outline": {"type": "Polygon", "coordinates": [quiet]}, "district": "Södermalm"},
    ]
    return [await _made(app, "polismyndigheten", "scenes", SCENE | change) for change in changes]


async def _mapping(app: App, scene: str, day: str, rng: random.Random) -> str:
    body = {
        "mappedOn": day,
        "affected": [{"group": "passersby", "count": rng.randint(1, 9)}, {"group": "sellers", "count": 3}],
        "physicalPlace": "Torg (påhittat)",
        "use": "Genomgång",
        "substances": ["cannabis"],
        "policeWork": rng.choice([None, "Spaning fredagar (fiktivt)", "Kamera (fiktivt)"]),
    }
    return await _made(app, rng.choice(["polismyndigheten", "skarholmen-trygghet"]), f"scenes/{scene}/mappings", body)


async def _incidents(app: App, rng: random.Random) -> None:
    def row(number: int, stop: str, at: str) -> dict[str, Any]:
        what = {"category": rng.choice(["theft", "other"]), "severity": rng.randint(1, 4)}
        where = {"occurredAt": at, "stopId": stop, "mode": "metro", "line": "13"}
        return {"incidentId": f"i-{number}", "revision": 1} | what | where

    for agency in ("trafikforvaltningen", "waxholmsbolaget"):
        days = [f"2026-08-{day:02}T{hour:02}:30:00Z" for day in range(1, 15) for hour in (6, 20)]
        rows = [row(number, STOP, at) for number, at in enumerate(days)]
        rows += [row(number, UNLOCATED_STOP, f"2026-07-0{number % 9 + 1}T12:00:00Z") for number in range(50, 55)]
        if agency == "trafikforvaltningen":
            rows += [row(number, QUIET_STOP, f"{QUIET_MONTH}-0{number - 89}T12:00:00Z") for number in (90, 91)]
        await _made(app, agency, "incident-batches", rows)


async def _made(
    app: App, agency: str, path: str, body: Any, *, status: int = 201, headers: dict[str, str] | None = None
) -> str:
    """The id of what a person at one agency makes over the service."""
    key = {"Idempotency-Key": f'"{uuid.UUID(int=random.Random(f"{agency}{path}{body}").getrandbits(128))}"'}
    answer = await app.client(agency, headers=key | (headers or {}), person=True).post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json().get("id", "")


def _number(rng: random.Random) -> str:
    """An identity number with a right check digit that is no living person's: of the 19th century."""
    digits = f"{rng.randint(50, 89)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}98{rng.randint(0, 9)}"
    products = (int(digit) * (2 - place % 2) for place, digit in enumerate(digits))
    return f"18{digits}{-sum(product // 10 + product % 10 for product in products) % 10}"


def person(rng: random.Random) -> dict[str, Any]:
    """A made-up person, as an agency would send it."""
    year = rng.choice([1979, 1991, 2001, 2006, 2008, 2010, 2013])
    born = rng.choice([None, f"{year}-{rng.randint(1, 9):02}-{rng.randint(1, 28):02}"])
    return {
        "role": rng.choice(["sells", "buys", "both", "present"]),
        "name": rng.choice([None, f"Påhittad {rng.randint(1, 99)} (fiktiv)"]),
        "identityNumber": rng.choice([None, _number(rng), _number(rng)]),
        "birthDate": born,
        "sex": rng.choice(["female", "male", "other", "unknown"]),
        "contact": rng.choice([None, f"070-174 06 {rng.randint(10, 99)} (fiktivt)"]),
        "substances": rng.sample(["cannabis", "tramadol", "kokain"], rng.randint(0, 2)),
        "circumstances": rng.choice([None, f"Påhittad omständighet {rng.randint(1, 99)}."]),
        "observedOn": (moment(START) - timedelta(days=rng.randint(1, 300))).date().isoformat(),
        "basis": rng.choice(["fact", "assessment"]),
        "protectedIdentity": rng.random() < 0.3,
    }
