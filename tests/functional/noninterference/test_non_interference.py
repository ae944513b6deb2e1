"""Proof, not hope: what a caller may not know changes nothing of any answer, on any face that there is.

    SAMSYN_TEST_SEED=n uv run pytest tests/functional/noninterference -m long -n 0 -s

runs 20 000 cases in worlds of fifty; each world says its own seed. To take a run up again, or to see a failure again,
give the seed of the world; SAMSYN_TEST_CASES says how many cases are left.
"""

import os

import pytest
import pytest_asyncio

from tests.functional.noninterference.differences import KINDS
from tests.functional.noninterference.run import SEED, Tally, run
from tests.functional.noninterference.world import prepare

pytestmark = pytest.mark.asyncio(loop_scope="session")

CASES = 200
MANY = int(os.environ.get("SAMSYN_TEST_CASES", "20000"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def prepared(server, template, tmp_path_factory):
    directory = tmp_path_factory.mktemp("non-interference")
    return server.dsn(), await prepare(server.dsn(), template, directory), directory


def asked(tally: Tally) -> str:
    statuses = ", ".join(f"{times} of {status}" for status, times in sorted(tally.statuses.items()))
    run_through = f"{tally.cases} cases, {tally.broken_off} broken off, {tally.statuses.total()} questions"
    return f"{run_through}, {tally.decided} answers that rest on a decision: {statuses}"


def check_that_everything_was_asked(tally: Tally) -> None:
    """A comparison of answers that were never asked for, or that all refuse, would prove nothing."""
    assert {str(face) for face in tally.faces} - set(tally.used) == set(), "never asked"
    assert tally.parameters - set(tally.used) == set(), "parameters never sent"
    assert tally.unnamed == set(), "of the GraphQL schema never named"
    assert {kind.name for kind in KINDS} - set(+tally.kinds) == set(), "never drawn"
    reads = {str(face) for face in tally.faces if face.method == "GET"}
    assert reads - set(tally.succeeded) == set(), "never answered with anything but a refusal"
    assert tally.decided > 0, "no answer rested on a decision"
    assert tally.crashes == [], "answered with an error of the service's own"
    assert tally.broken_off * 20 <= tally.cases, "too often broken off: see `Tally.broken_off`"


async def test_answers_are_the_same_whatever_the_caller_may_not_know(prepared):
    print(f"SAMSYN_TEST_SEED={SEED}")
    tally = Tally()
    await run(*prepared, seed=SEED, cases=CASES, tally=tally)
    print(asked(tally))
    check_that_everything_was_asked(tally)


@pytest.mark.long
async def test_answers_are_the_same_in_twenty_thousand_cases(prepared):
    tally = Tally()
    await run(*prepared, seed=SEED, cases=MANY, tally=tally, say=print)
    print(asked(tally))
    if MANY >= CASES:
        check_that_everything_was_asked(tally)
