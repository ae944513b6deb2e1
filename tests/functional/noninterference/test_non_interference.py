"""Proof, not hope: what a caller may not know changes nothing of any answer, on any face that there is.

    SAMSYN_TEST_SEED=n uv run pytest tests/functional/noninterference -m long -n 0 -s

runs 20 000 cases in worlds of fifty; each world says its own seed. To take a run up again, or to see a failure again,
give the seed of the world; SAMSYN_TEST_CASES says how many cases are left.
"""

import os

import pytest
import pytest_asyncio

from tests.functional.noninterference.differences import KINDS
from tests.functional.noninterference.run import CASES_IN_A_WORLD, SEED, Tally, run
from tests.functional.noninterference.world import prepare

pytestmark = pytest.mark.asyncio(loop_scope="session")

CASES = 200
MORE_WORLDS = 3
MANY = int(os.environ.get("SAMSYN_TEST_CASES", "20000"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def prepared(server, template, tmp_path_factory):
    directory = tmp_path_factory.mktemp("non-interference")
    return server.dsn(), await prepare(server.dsn(), template, directory), directory


def asked(tally: Tally) -> str:
    statuses = ", ".join(f"{times} of {status}" for status, times in sorted(tally.statuses.items()))
    run_through = f"{tally.cases} cases, {tally.broken_off} broken off, {tally.statuses.total()} questions"
    return f"{run_through}, {tally.decided} answers that rest on a decision: {statuses}"


def missing(tally: Tally) -> dict[str, set[str]]:
    """What has not been asked yet: a comparison of answers never asked for, or that all refuse, proves nothing."""
    reads = {str(face) for face in tally.faces if face.method == "GET"}
    lacks = {
        "faces never asked": {str(face) for face in tally.faces} - set(tally.used),
        "parameters never sent": tally.parameters - set(tally.used),
        "of the GraphQL schema never named": tally.unnamed or set(),
        "differences never drawn": {kind.name for kind in KINDS} - set(+tally.kinds),
        "never answered with anything but a refusal": reads - set(tally.succeeded),
        "answers that rest on a decision": set() if tally.decided else {"none"},
    }
    return {what: names for what, names in lacks.items() if names}


def check_that_everything_was_asked(tally: Tally) -> None:
    assert missing(tally) == {}
    assert tally.crashes == [], "answered with an error of the service's own"
    assert tally.broken_off * 20 <= tally.cases, "too often broken off: see `Tally.broken_off`"


async def test_answers_are_the_same_whatever_the_caller_may_not_know(prepared):
    print(f"SAMSYN_TEST_SEED={SEED}")
    tally = Tally()
    await run(*prepared, seed=SEED, cases=CASES, tally=tally)
    # The draw may leave something out, seldom. Then a few more worlds make up for it.
    for more in range(MORE_WORLDS):
        if missing(tally):
            await run(*prepared, seed=SEED + CASES + more, cases=CASES_IN_A_WORLD, tally=tally)
    print(asked(tally))
    check_that_everything_was_asked(tally)


@pytest.mark.long
async def test_answers_are_the_same_in_twenty_thousand_cases(prepared):
    tally = Tally()
    await run(*prepared, seed=SEED, cases=MANY, tally=tally, say=print)
    print(asked(tally))
    if MANY >= CASES:
        check_that_everything_was_asked(tally)
