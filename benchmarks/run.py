"""Samsyn against JSON built by PostgreSQL behind bare Starlette, in one interleaved run.

    uv run python benchmarks/run.py [--rounds 7] [--seconds 2] [--profile rest|graphql] [--skip-start]

Only the ratios mean anything: the absolute figures are those of the machine, of the day and of what else runs. The
two servers take turns, round by round, so that whatever disturbs one disturbs the other; the ratio shown is the
median of the rounds' ratios.
"""

import argparse
import asyncio
import json
import os
import pstats
import signal
import statistics
import subprocess
import sys
import tempfile
import timeit
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data import AGENCY, MAPPINGS_EACH, SCENES, load
from loading import CONNECTIONS, Ask, generator, rate
from starting import start_up

from api.identity.development import DevelopmentIssuer
from api.settings import Settings
from api.store.embedded import embedded_server
from api.store.migrate import upgrade

HERE = Path(__file__).parent
QUERY = """{ scenes(limit: 100) { items {
  id name municipality district setting environment symptoms appearedOn saraStage fictional
  mappings(limit: 3) { id mappedOn use substances } } } }"""


@contextmanager
def serving(which: str, directory: Path, url: str, profile: Path | None = None) -> Iterator[str]:
    """One server in a process of its own; gives its address."""
    command = [sys.executable, str(HERE / "serving.py"), which, str(directory), url]
    command += [] if profile is None else [str(profile)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert process.stdout.readline().strip() == "ready"
        try:
            yield f"http://127.0.0.1:{port}/samsyn/v1"
        finally:
            process.send_signal(signal.SIGTERM)


def asks(root: str, token: str) -> dict[str, Ask]:
    """The two reads; the bare server gets the same headers and does not look at them."""
    headers = {"Authorization": f"Bearer {token}"}
    body = json.dumps({"query": QUERY})
    return {
        "rest": Ask(f"{root}/scenes?limit=100", headers),
        "graphql": Ask(f"{root}/graphql", headers | {"Content-Type": "application/json"}, body),
    }


def answer(ask: Ask) -> Any:
    """What a server answers once, as JSON."""
    request = urllib.request.Request(ask.url, ask.body.encode() if ask.body else None, dict(ask.headers))
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def same(samsyn: dict[str, Ask], bare: dict[str, Ask]) -> None:
    """Refuse to compare servers that answer different things."""
    items = [answer(asked["rest"])["items"] for asked in (samsyn, bare)]
    assert items[0] == items[1]
    assert len(items[0]) == SCENES
    nested = [answer(asked["graphql"])["data"]["scenes"]["items"] for asked in (samsyn, bare)]
    assert nested[0] == nested[1]
    assert all(len(scene["mappings"]) == MAPPINGS_EACH for scene in nested[0])


def compare(
    samsyn: str, bare: str, token: Callable[[], str], *, rounds: int, seconds: float
) -> dict[str, tuple[float, float, float]]:
    """For each read the median answers a second of Samsyn and of the bare server, and the median of their ratios."""
    figures: dict[str, tuple[list[float], list[float]]] = {"rest": ([], []), "graphql": ([], [])}
    for number in range(rounds + 1):
        for kind, (ours, theirs) in figures.items():
            turns = [(samsyn, ours), (bare, theirs)]
            for root, found in turns if number % 2 else reversed(turns):
                measured = rate(asks(root, token())[kind], seconds)
                if number:  # the first round warms both up
                    found.append(measured)
    return {
        kind: (
            statistics.median(ours),
            statistics.median(theirs),
            statistics.median(one / other for one, other in zip(ours, theirs, strict=True)),
        )
        for kind, (ours, theirs) in figures.items()
    }


def small_parts(directory: Path, issuer: DevelopmentIssuer, token: str) -> dict[str, float]:
    """Microseconds of the steps that every answer takes: a decision and a token, each seen before."""
    from api.identity.jwks import JwksSource
    from api.identity.tokens import TokenVerifier
    from api.scenes.repository import SCENES as RESOURCE
    from policies.catalogue import law
    from policies.decide import decide
    from policies.model import Facts

    settings = Settings(data_dir=directory)
    now = datetime.now(UTC)
    facts = Facts("police", "scene", tuple(RESOURCE.fields))
    decide(facts, law(), now.date())
    figures = {"decide, warm": _microseconds(lambda: decide(facts, law(), now.date()))}
    keys = JwksSource.from_document(issuer.jwks(), clock=lambda: now, development=True)
    verifier = TokenVerifier(keys, issuer=settings.issuer, audience=settings.audience, clock=lambda: now)

    async def verify() -> float:
        header = f"Bearer {token}"
        await verifier.verify(header)
        begun = timeit.default_timer()
        for _ in range(5000):
            await verifier.verify(header)
        return (timeit.default_timer() - begun) / 5000 * 1e6

    return figures | {"token, seen before": asyncio.run(verify())}


def _microseconds(work: Callable[[], object]) -> float:
    return min(timeit.repeat(work, number=5000, repeat=5)) / 5000 * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--profile", choices=["rest", "graphql"], help="profile Samsyn under this load instead")
    parser.add_argument("--skip-start", action="store_true", help="leave out the start-up times of `samsyn demo`")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="samsyn-benchmark-") as place, embedded_server(Path(place)) as server:
        directory, url = Path(place), server.dsn()
        upgrade(url)
        asyncio.run(load(url))
        settings = Settings(data_dir=directory)
        issuer = DevelopmentIssuer.load_or_create(directory, issuer=settings.issuer, audience=settings.audience)

        def token() -> str:
            return issuer.token(AGENCY, [], ["read"], now=datetime.now(UTC), new_id=lambda: str(uuid.uuid4()))

        if given.profile:
            with serving("samsyn", directory, url, directory / "profile") as root:
                rate(asks(root, token())[given.profile], given.seconds * 3)
            pstats.Stats(str(directory / "profile")).sort_stats("tottime").print_stats(45)
            return
        with serving("samsyn", directory, url) as samsyn, serving("bare", directory, url) as bare:
            same(asks(samsyn, token()), asks(bare, token()))
            print(
                f"{os.cpu_count()} cores shared by server, PostgreSQL and {generator()} ({CONNECTIONS} connections); "
                f"{given.rounds} rounds of {given.seconds:g} s each, taken in turns; {SCENES} scenes"
            )
            compared = compare(samsyn, bare, token, rounds=given.rounds, seconds=given.seconds)
            for kind, (ours, theirs, ratio) in compared.items():
                print(f"{kind:8} samsyn {ours:7.0f}/s   bare {theirs:7.0f}/s   ratio {ratio:.2f}")
        for what, microseconds in small_parts(directory, issuer, token()).items():
            print(f"{what}: {microseconds:.1f} µs")
    if not given.skip_start:
        for what, seconds in start_up().items():
            print(f"start, {what}: {seconds:.1f} s")


if __name__ == "__main__":
    main()
