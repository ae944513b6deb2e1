"""kill -9 at any moment loses no acknowledged write, doubles none, halves none, and leaves the ledger whole."""

import asyncio
import contextlib
import json
import os
import random
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg
import httpx
import pytest

from api.identity.caller import SCOPES
from api.identity.development import DevelopmentIssuer
from api.ledger.auditing import audit
from api.ledger.checkpoint import Checkpoint, Note
from api.settings import Settings
from api.store.database import Database
from api.store.embedded import embedded_server
from api.store.migrate import upgrade
from policies.catalogue import law
from tests.integration.embedded_support import kill_cluster
from tests.integration.process_support import Service, end, free_port
from tests.support import SCENE, STOP, seed

LONG_ROUNDS = 200
BATCH_ROWS = 60
MAPPING = {
    "mappedOn": "2025-10-05",
    "physicalPlace": "Torg (fiktivt).",
    "use": "Genomgång (fiktivt).",
    "policeWork": "Synlig närvaro (fiktivt).",
}
GIVEN = [
    {"intervention": "increase-presence", "status": "ongoing", "startedOn": "2024-03-01", "times": 24},
    {"intervention": "mumin", "status": "ended", "startedOn": "2024-01-01", "endedOn": "2024-02-01"},
]


@dataclass
class Record:
    """What was sent, and what of it was acknowledged."""

    surveys: dict[str, dict] = field(default_factory=dict)
    survey_answers: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, bytes] = field(default_factory=dict)
    batch_answers: set[str] = field(default_factory=set)
    posted: dict[str, int] = field(default_factory=dict)
    receipts: list[str] = field(default_factory=list)
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)

    def note(self, answer):
        if answer.status_code != 503:
            self.unexpected.append(f"{answer.request.method} {answer.url.path}: {answer.status_code} {answer.text}")


class House:
    """One data directory with a scene and a mapping in it, and the service that runs on it."""

    def __init__(self, data_dir):
        self.data_dir, self.port = data_dir, free_port()
        self.services = []
        with embedded_server(data_dir) as server:
            upgrade(server.dsn())
            asyncio.run(seed(server.dsn()))
        settings = Settings(data_dir=data_dir)
        self.issuer = DevelopmentIssuer.load_or_create(data_dir, issuer=settings.issuer, audience=settings.audience)
        self.start()
        with httpx.Client(base_url=self.service.api, headers=self.headers("polismyndigheten")) as police:
            self.scene = police.post("scenes", json=SCENE).raise_for_status().json()["id"]
            self.mapping = police.post(f"scenes/{self.scene}/mappings", json=MAPPING).raise_for_status().json()["id"]

    @property
    def service(self):
        return self.services[-1]

    def start(self):
        self.services.append(Service("serve", self.data_dir, self.port))
        self.service.ready()

    def headers(self, agency, purpose=None):
        token = self.issuer.token(
            agency, list(law().purposes), sorted(SCOPES), now=datetime.now(UTC), new_id=lambda: str(uuid.uuid4())
        )
        return {"Authorization": f"Bearer {token}"} | ({"Purpose": purpose} if purpose else {})

    def client(self, agency, purpose=None):
        return httpx.AsyncClient(base_url=self.service.api, headers=self.headers(agency, purpose), timeout=20)

    async def fetch(self, dsn, statement):
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path / "data")
    yield made
    end(made.services, made.data_dir)


async def post_surveys(house, record, stop):
    async with house.client("skarholmen-trygghet") as client:
        while not stop.is_set():
            key = f'"{uuid.uuid4()}"'
            record.surveys[key] = {
                "scene": house.scene, "period": "2025", "comment": f"Svar {key[1:-1]}", "interventions": GIVEN,
            }  # fmt: skip
            answer = await client.post(
                "intervention-surveys", json=record.surveys[key], headers={"Idempotency-Key": key}
            )
            if answer.status_code == 201:
                record.survey_answers[key] = answer.content
            else:
                record.note(answer)


def rows(name):
    given = {"occurredAt": "2026-10-01T07:40:00+02:00", "stopId": STOP, "category": "disorder", "mode": "metro",
             "line": "13", "severity": 2, "revision": 1}  # fmt: skip
    return "\n".join(json.dumps(given | {"incidentId": f"{name}-{number}"}) for number in range(BATCH_ROWS)).encode()


async def send_batches(house, record, stop, *, own_id):
    sent = {"Content-Type": "application/x-ndjson"}
    async with house.client("trafikforvaltningen") as client:
        while not stop.is_set():
            name = uuid.uuid4().hex
            if own_id:
                record.batches[name] = rows(name)
                answer = await client.put(f"incident-batches/{name}", content=record.batches[name], headers=sent)
            else:
                answer = await client.post("incident-batches", content=rows(name), headers=sent)
            if answer.status_code != 201:
                record.note(answer)
            elif own_id:
                record.batch_answers.add(name)
            else:
                record.posted[answer.json()["id"]] = answer.json()["accepted"]


async def read_protected(house, record, stop, agency, purpose, path, status):
    async with house.client(agency, purpose) as client:
        while not stop.is_set():
            answer = await client.get(path)
            if answer.status_code == status:
                body = answer.json()
                record.receipts.append(body["receipt"] if status == 403 else body["_meta"]["disclosure"]["receipt"])
            else:
                record.note(answer)


async def read_checkpoints(house, record, stop):
    """Whoever keeps a checkpoint must be able to find the log again that was signed, whatever it went through."""
    async with house.client("tullverket") as client:
        while not stop.is_set():
            answer = await client.get("ledger/checkpoint")
            if answer.status_code == 200:
                checkpoint = Checkpoint.parse(Note.parse(answer.text).text)
                record.checkpoints[f"signed over {checkpoint.size}"] = checkpoint
            else:
                record.note(answer)


async def load_until_killed(house, record, kill, seconds, *, warm):
    """Post and read from many sides, and kill after so many seconds; `warm`: counted from when each has an answer."""
    stop = asyncio.Event()
    mapping = f"mappings/{house.mapping}"
    oracle = f"scenes/{house.scene}/mappings?policeWork=synlig"
    workers = [
        *(post_surveys(house, record, stop) for _ in range(3)),
        *(send_batches(house, record, stop, own_id=own_id) for own_id in (True, True, False)),
        read_checkpoints(house, record, stop),
        read_protected(house, record, stop, "polismyndigheten", "prevent-crime", mapping, 200),
        read_protected(house, record, stop, "region-stockholm-vard", "care-and-support", mapping, 200),
        read_protected(house, record, stop, "region-stockholm-vard", "care-and-support", oracle, 403),
    ]

    async def until_gone(worker):
        with contextlib.suppress(httpx.TransportError):
            await worker

    running = [asyncio.create_task(until_gone(worker)) for worker in workers]
    async with asyncio.timeout(60):
        while warm and not (record.survey_answers and record.batch_answers and record.receipts):
            assert not record.unexpected, record.unexpected[:3]
            await asyncio.sleep(0.01)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(kill)
    # Where only the database died the service goes on and must refuse; it is given a moment to show it.
    await asyncio.sleep(0.3)
    stop.set()
    await asyncio.gather(*running)


async def check(house, dsn, record):
    stored = {str(row["id"]) for row in await house.fetch(dsn, "SELECT id FROM surveys")}
    for key, answer in record.survey_answers.items():
        assert json.loads(answer)["id"] in stored, f"lost: {key}"
    batches = {
        row["id"]: row
        for row in await house.fetch(
            dsn,
            """SELECT b.id, b.accepted, b.received, coalesce(i.rows, 0) AS rows
                 FROM incident_batches b
                 LEFT JOIN (SELECT agency, batch_id, count(*) AS rows FROM incidents GROUP BY 1, 2) i
                   ON (i.agency, i.batch_id) = (b.agency, b.id)""",
        )
    }
    assert record.batch_answers | set(record.posted) <= set(batches), "an acknowledged batch is lost"
    for batch in batches.values():
        assert batch["rows"] == batch["accepted"] == batch["received"] == BATCH_ROWS, f"half a batch: {batch}"
    assert all(accepted == BATCH_ROWS for accepted in record.posted.values())
    orphans = await house.fetch(
        dsn,
        """SELECT i.incident_id FROM incidents i
            WHERE NOT EXISTS (SELECT FROM incident_batches b WHERE (b.agency, b.id) = (i.agency, i.batch_id))""",
    )
    assert not orphans
    database = Database(dsn)
    found = await audit(database, record.checkpoints, "samsyn.example/ledger")
    await database.close()
    assert found.faults == []
    logged = [str(row["receipt"]) for row in await house.fetch(dsn, "SELECT receipt FROM ledger_leaves")]
    assert len(logged) == len(set(logged))
    assert set(record.receipts) <= set(logged), "a protected answer left without its leaf"
    assert len(record.receipts) == len(set(record.receipts)), "two answers share a receipt"


async def send_again(house, record):
    """Everything once more, acknowledged or not: the first answer for what was, one row for what was not."""
    async with house.client("skarholmen-trygghet") as client:
        for key, body in record.surveys.items():
            answer = await client.post("intervention-surveys", json=body, headers={"Idempotency-Key": key})
            assert answer.status_code == 201, answer.text
            if key in record.survey_answers:
                assert answer.headers["Idempotency-Replayed"] == "true"
                assert answer.content == record.survey_answers[key]
            record.survey_answers[key] = answer.content
    async with house.client("trafikforvaltningen") as client:
        for name, body in record.batches.items():
            sent = {"Content-Type": "application/x-ndjson"}
            answer = await client.put(f"incident-batches/{name}", content=body, headers=sent)
            assert answer.status_code in ({200} if name in record.batch_answers else {200, 201}), answer.text
            assert answer.json()["accepted"] == BATCH_ROWS
            record.batch_answers.add(name)


async def no_survey_is_there_twice(house, dsn, record):
    comments = [row["comment"] for row in await house.fetch(dsn, "SELECT comment FROM surveys")]
    assert len(comments) == len(set(comments))
    assert {body["comment"] for body in record.surveys.values()} <= set(comments)
    given = await house.fetch(
        dsn, "SELECT count(*) AS n FROM surveys s LEFT JOIN survey_interventions i ON i.survey_id = s.id GROUP BY s.id"
    )
    assert {row["n"] for row in given} <= {len(GIVEN)}


KILLS = {
    "service": lambda house: house.service.kill(),
    "database": lambda house: kill_cluster(house.data_dir),
    "everything": lambda house: (house.service.kill(), kill_cluster(house.data_dir)),
}


def crash_and_recover(house, what, seconds, *, warm):
    record = Record()
    asyncio.run(load_until_killed(house, record, lambda: KILLS[what](house), seconds, warm=warm))
    assert not record.unexpected, record.unexpected[:3]
    if what == "database":
        assert httpx.get(f"http://127.0.0.1:{house.port}/health/live").status_code == 200
        assert httpx.get(f"http://127.0.0.1:{house.port}/health/ready").status_code == 503
        house.service.stop()
    house.start()
    with embedded_server(house.data_dir) as server:
        asyncio.run(check(house, server.dsn(), record))
        asyncio.run(send_again(house, record))
        asyncio.run(check(house, server.dsn(), record))
        asyncio.run(no_survey_is_there_twice(house, server.dsn(), record))


def chance_of(seed_):
    print("SAMSYN_TEST_SEED =", seed_)
    return random.Random(seed_)


def new_seed():
    return int(os.environ.get("SAMSYN_TEST_SEED", time.time_ns()))


def test_kill_at_a_random_moment_loses_doubles_and_halves_nothing(house):
    chance = chance_of(new_seed())
    for what in [*KILLS] * 2:
        # A round in which nothing was acknowledged would show nothing, hence `warm`.
        crash_and_recover(house, what, chance.random(), warm=True)
    assert "unexpected error" not in "".join(service.said for service in house.services)


@pytest.mark.long
def test_many_kills_lose_double_and_halve_nothing(tmp_path):
    chance = chance_of(new_seed())
    house = House(tmp_path / "data")
    try:
        for number in range(LONG_ROUNDS):
            what, seconds = chance.choice(list(KILLS)), chance.random()
            print(f"round {number}: {what} after {seconds:.3f} s")
            crash_and_recover(house, what, seconds, warm=False)
    finally:
        end(house.services, house.data_dir)
