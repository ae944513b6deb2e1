"""Protected reads, each with its leaf in the ledger, against an open read of as many rows, in one interleaved run.

    uv run python benchmarks/protected.py [--rounds 7] [--seconds 2] [--profile own|named|police-work|open]

The open read is the list of a scene's mappings. `police-work` is the same list under a purpose, with what the police do
there; `own` are persons of a mapping whom the caller holds, `named` such as a decision of another agency names to it.
Only the ratios mean anything. The reads take turns at the same server, at 16 connections; the ratio shown is the median
of the rounds' ratios. Afterwards the tree is counted: a leaf for each protected answer.
"""

import argparse
import asyncio
import os
import pstats
import statistics
import tempfile
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
from data import AGENCY, MAPPINGS_EACH, load
from loading import CONNECTIONS, Ask, generator, rate
from run import answer, serving

from api.agencies.repository import register
from api.identity.development import DevelopmentIssuer
from api.settings import Settings
from api.store.database import Database
from api.store.embedded import embedded_server
from api.store.migrate import upgrade

HOLDER = "skarholmen-socialtjanst"
ROWS = 15
PURPOSE = "prevent-crime"
_PERSON = """
INSERT INTO individuals (id, mapping_id, holder, role, name, birth_date, sex, substances, circumstances, observed_on,
                         basis, recorded_by, created_at, protected_identity)
SELECT gen_random_uuid(), $1, $2, 'buys', 'Påhittad Person ' || n, date '2008-01-01', 'unknown', '{cannabis}',
       'Påhittade omständigheter.', date '2026-10-01', 'fact', 'handläggare-1', now(), false
  FROM generate_series(1, $3::int) n RETURNING id
"""
_DECISION = """
INSERT INTO disclosure_decisions (id, holder, recipient, provision, purpose, resource, fields, attestations, decided_by,
                                  valid_from, valid_until, age_below)
VALUES ($1, $2, $3, 'osl-10-18a', $4, 'individual', '{role,name,birthDate,sex,circumstances,observedOn,basis}', '{}',
        'handläggare-1', $5, $6, 21)
"""
_ITEM = "INSERT INTO disclosure_decision_items (decision_id, item_id, alias) VALUES ($1, $2, gen_random_uuid())"

_GATHER = """
UPDATE mappings SET scene_id = $1 WHERE id IN (SELECT id FROM mappings WHERE scene_id <> $1 ORDER BY id LIMIT $2)
"""


async def persons(url: str) -> dict[str, str]:
    """Persons whom the caller holds and persons whom a decision names to it, the mapping of each, and a scene."""
    database = Database(url)
    async with database.transaction() as connection:
        agency = {"slug": HOLDER, "name": HOLDER, "sector": "social-services", "municipality": None, "district": None}
        await register(connection, [agency])
    await database.close()
    connection = await asyncpg.connect(url)
    scene = await connection.fetchval("SELECT id FROM scenes ORDER BY id LIMIT 1")
    # As many mappings of one scene as persons of one mapping.
    await connection.execute(_GATHER, scene, ROWS - MAPPINGS_EACH)
    own, named = [row["id"] for row in await connection.fetch("SELECT id FROM mappings ORDER BY id LIMIT 2")]
    await connection.fetch(_PERSON, own, AGENCY, ROWS)
    rows = await connection.fetch(_PERSON, named, HOLDER, ROWS)
    decision, now = uuid.uuid4(), datetime.now(UTC)
    await connection.execute(
        _DECISION, decision, HOLDER, AGENCY, PURPOSE, now - timedelta(days=1), now + timedelta(days=30)
    )
    await connection.executemany(_ITEM, [(decision, row["id"]) for row in rows])
    await connection.execute("ANALYZE")
    await connection.close()
    return {"own": str(own), "named": str(named), "scene": str(scene)}


def asks(root: str, token: str, places: dict[str, str]) -> dict[str, tuple[Ask, Ask]]:
    """Each kind of protected read, and the open read that it is held against."""
    plain = {"Authorization": f"Bearer {token}"}
    why = plain | {"Purpose": PURPOSE, "Case-Reference": "A123.456/2026"}
    mappings = f"{root}/scenes/{places['scene']}/mappings"
    shared = Ask(mappings, plain)
    return {
        "police-work": (Ask(mappings, why), shared),
        "own": (Ask(f"{root}/mappings/{places['own']}/individuals", why), shared),
        "named": (Ask(f"{root}/mappings/{places['named']}/individuals", why), shared),
    }


def check(pairs: dict[str, tuple[Ask, Ask]]) -> None:
    """Refuse to compare reads that are not what they are called."""
    for kind, (protected, shared) in pairs.items():
        found, other = answer(protected), answer(shared)
        assert len(found["items"]) == len(other["items"]), kind
        assert "receipt" in found["_meta"]["disclosure"], kind
        assert "receipt" not in other["_meta"]["disclosure"], kind
    assert "policeWork" in answer(pairs["police-work"][0])["items"][0]
    assert date.fromisoformat(answer(pairs["named"][0])["items"][0]["birthDate"])


def compare(
    pairs_of: Callable[[], dict[str, tuple[Ask, Ask]]], *, rounds: int, seconds: float
) -> dict[str, tuple[float, float, float]]:
    """For each kind the median answers a second with leaf and without, and the median of their ratios."""
    figures: dict[str, tuple[list[float], list[float]]] = {kind: ([], []) for kind in pairs_of()}
    for number in range(rounds + 1):
        for kind, found in figures.items():
            turns = list(zip(pairs_of()[kind], found, strict=True))
            for ask, measured in turns if number % 2 else reversed(turns):
                answers = rate(ask, seconds)
                if number:  # the first round warms up
                    measured.append(answers)
    return {
        kind: (
            statistics.median(protected),
            statistics.median(shared),
            statistics.median(one / other for one, other in zip(protected, shared, strict=True)),
        )
        for kind, (protected, shared) in figures.items()
    }


async def leaves(url: str) -> int:
    """How many leaves the tree has."""
    connection = await asyncpg.connect(url)
    found: int = await connection.fetchval("SELECT count(*) FROM ledger_leaves")
    await connection.close()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--profile", choices=["own", "named", "police-work", "open"], help="profile this load instead")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="samsyn-benchmark-") as place, embedded_server(Path(place)) as server:
        directory, url = Path(place), server.dsn()
        upgrade(url)
        asyncio.run(load(url))
        places = asyncio.run(persons(url))
        settings = Settings(data_dir=directory)
        issuer = DevelopmentIssuer.load_or_create(directory, issuer=settings.issuer, audience=settings.audience)

        def token() -> str:
            return issuer.token(AGENCY, [PURPOSE], ["read"], now=datetime.now(UTC), new_id=lambda: str(uuid.uuid4()))

        if given.profile:
            with serving("samsyn", directory, url, directory / "profile") as root:
                pairs = asks(root, token(), places)
                rate(pairs["own"][1] if given.profile == "open" else pairs[given.profile][0], given.seconds * 3)
            pstats.Stats(str(directory / "profile")).sort_stats("tottime").print_stats(45)
            return
        with serving("samsyn", directory, url) as root:
            check(asks(root, token(), places))
            print(
                f"{os.cpu_count()} cores shared by server, PostgreSQL and {generator()} ({CONNECTIONS} connections); "
                f"{given.rounds} rounds of {given.seconds:g} s each, taken in turns"
            )
            found = compare(lambda: asks(root, token(), places), rounds=given.rounds, seconds=given.seconds)
            for kind, (protected, shared, ratio) in found.items():
                print(f"{kind:12} with leaf {protected:6.0f}/s   open, without {shared:6.0f}/s   ratio {ratio:.2f}")
        print(f"{asyncio.run(leaves(url))} leaves in the tree")


if __name__ == "__main__":
    main()
