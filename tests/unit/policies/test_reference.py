"""The engine and the plain second reading say the same: of our law, and of laws that nobody has enacted.

    SAMSYN_TEST_SEED=n uv run pytest tests/unit/policies/test_reference.py -m long -n 0 -s

asks 20 000 times in each test instead of some hundred; SAMSYN_TEST_CASES says how often.
"""

import os
import secrets
from collections import Counter
from datetime import date

import pytest
from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st

from policies import reference
from policies.assess import assess
from policies.catalogue import law
from policies.decide import decide
from policies.explain import outcome
from policies.model import Condition, Question
from tests.unit.policies import generated_law as generated

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
print(f"SAMSYN_TEST_SEED={SEED}")

LAW = law()
OURS = st.just(LAW)
MANY = int(os.environ.get("SAMSYN_TEST_CASES", "20000"))
EXAMPLES = [200, pytest.param(MANY, marks=pytest.mark.long)]


@st.composite
def asked(draw, some_laws):
    """A law and a few questions to it: a law costs more to make than to ask."""
    one = draw(some_laws)
    return one, draw(st.lists(generated.questions(one), min_size=1, max_size=4))


@st.composite
def decided(draw, some_laws):
    """A law and a few callers' facts, each with its day."""
    one = draw(some_laws)
    return one, draw(st.lists(generated.facts(one), min_size=1, max_size=4))


def compare(strategy, check, examples):
    """Draw and check, and count what was seen, so that a comparison of nothings is no proof."""
    seen = Counter()

    @seed(SEED)
    @settings(
        max_examples=examples,
        deadline=None,
        print_blob=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(strategy)
    def run(drawn):
        one, cases = drawn
        note(one)
        for case in cases:
            note(case)
            seen.update(check(one, case))

    run()
    return seen


def same_explanation(one, question):
    answers = assess(question, one)
    expected = reference.explain(question, one)
    found = {
        answer.provision.id: (answer.available, tuple(lack.condition for lack in answer.lacks), answer.opens)
        for answer in answers
    }
    assert len(found) == len(answers)
    assert found == dict(expected.provisions)
    assert outcome(question, one, answers) == expected.outcome
    yield expected.outcome
    for reading in expected.provisions.values():
        yield from reading.fails or ["available"]


def same_decision(one, case):
    facts, day = case
    made = decide(facts, one, day)
    expected = reference.decide(facts, one, day)
    released = [
        (entry.field, entry.ground, entry.holder_sector, entry.rows.scope, entry.decision, entry.rows.age_from,
         entry.rows.age_below)
        for entry in made.released
    ]  # fmt: skip
    withheld = [
        (entry.field, entry.reason, entry.holder_sector, entry.secrecy,
         tuple((opener.provision, opener.lacks) for opener in entry.could_open))
        for entry in made.withheld
    ]  # fmt: skip
    assert set(released) == expected.released
    assert set(withheld) == expected.withheld
    assert (len(released), len(withheld)) == (len(expected.released), len(expected.withheld)), "said once"
    assert all(entry.rows.decision == entry.decision for entry in made.released)
    assert made.protected == expected.protected
    yield from (entry.reason for entry in expected.withheld)
    yield from (f"rows: {entry.scope}" for entry in expected.released)
    for entry in expected.released:
        yield from (f"age {name}" for name in ("from", "below") if getattr(entry, f"age_{name}") is not None)
    yield from (lack for entry in expected.withheld for _, lacks in entry.could_open for lack in lacks)


# What every run must have met, and what only a long one is sure to.
CONDITIONS = set(Condition) - {Condition.OTHER}
OUTCOMES = {"not-secret", "needs-decision", "withheld", "available"}
GROUNDS = {"no-purpose", "no-decision", "no-provision", "rows: any", "rows: own", "rows: decision"}
SELDOM = {"no-case-reference", "no-wording-in-force", "age from", "age below"}


def met(examples):
    return GROUNDS | (SELDOM if examples > 10_000 else set())


@pytest.mark.parametrize("examples", EXAMPLES)
def test_our_law_is_explained_as_a_plain_reading_explains_it(examples):
    assert set(compare(asked(OURS), same_explanation, examples)) >= CONDITIONS | OUTCOMES


@pytest.mark.parametrize("examples", EXAMPLES)
def test_any_law_is_explained_as_a_plain_reading_explains_it(examples):
    assert set(compare(asked(generated.laws()), same_explanation, examples)) >= CONDITIONS | OUTCOMES


@pytest.mark.parametrize("examples", EXAMPLES)
def test_our_law_decides_as_a_plain_reading_decides(examples):
    assert set(compare(decided(OURS), same_decision, examples)) >= met(examples)


@pytest.mark.parametrize("examples", EXAMPLES)
def test_any_law_decides_as_a_plain_reading_decides(examples):
    assert set(compare(decided(generated.laws()), same_decision, examples)) >= met(examples)


def test_every_holder_recipient_purpose_and_kind_of_our_law_is_read_alike_today():
    kinds, today = list(LAW.kinds), date(2026, 11, 20)
    for holder in LAW.sectors:
        for recipient in LAW.sectors:
            for nth, purpose in enumerate(LAW.purposes):
                # Kinds take turns with purposes: every pair of sectors meets every purpose, and most kinds.
                question = Question(holder, recipient, purpose, today, kind=kinds[nth % len(kinds)])
                list(same_explanation(LAW, question))


@pytest.mark.parametrize(
    ("born", "day", "turned_21", "below_21"),
    [
        ("2005-11-20", "2026-11-19", False, True),
        ("2005-11-20", "2026-11-20", True, False),
        ("2005-05-31", "2026-05-30", False, True),
        ("2005-05-31", "2026-05-31", True, False),
        # No 29 February in 2025: on the 28th the law does not say, and both readings withhold.
        ("2004-02-29", "2025-02-27", False, True),
        ("2004-02-29", "2025-02-28", False, False),
        ("2004-02-29", "2025-03-01", True, False),
        (None, "2026-11-20", False, False),
    ],
)
def test_an_age_turns_at_midnight_of_the_birthday(born, day, turned_21, below_21):
    born, day = born and date.fromisoformat(born), date.fromisoformat(day)
    assert reference.has_turned(born, 21, day) == turned_21
    assert reference.is_younger(born, 21, day) == below_21


def test_born_on_29_february_turns_20_on_29_february():
    born = date(2004, 2, 29)
    assert [reference.has_turned(born, 20, day) for day in (date(2024, 2, 28), date(2024, 2, 29))] == [False, True]
    assert [reference.is_younger(born, 20, day) for day in (date(2024, 2, 28), date(2024, 2, 29))] == [True, False]
