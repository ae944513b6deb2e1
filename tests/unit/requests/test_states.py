"""Every step that a request can take is taken, and every other one is refused."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args

import pytest

from api.requests import tables
from api.requests.states import (
    DECISION_STATES,
    STATES,
    TRANSITIONS,
    Act,
    DecisionState,
    Party,
    State,
    decision_state,
    state_after,
)

ACTS, PARTIES = get_args(Act), get_args(Party)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)

# By hand, apart from the table: state, act, who, state after, and whether a duty can go that way.
STEPS = {
    ("submitted", "ask-supplement", "holder"): ("supplement-requested", False),
    ("supplement-requested", "answer-supplement", "requester"): ("submitted", True),
    ("submitted", "grant", "holder"): ("granted", True),
    ("submitted", "grant-in-part", "holder"): ("partly-granted", True),
    ("submitted", "refuse", "holder"): ("refused", True),
    ("submitted", "withdraw", "requester"): ("withdrawn", True),
    ("supplement-requested", "withdraw", "requester"): ("withdrawn", True),
}


@pytest.mark.parametrize("duty", [False, True])
@pytest.mark.parametrize(("before", "act", "by"), list(product(STATES, ACTS, PARTIES)))
def test_a_step_is_taken_if_it_stands_in_the_table_and_else_never(before, act, by, duty):
    after, of_duty = STEPS.get((before, act, by), (None, True))
    assert state_after(before, act, by=by, duty=duty) == (after if of_duty or not duty else None)


def test_table_holds_each_step_once():
    assert len(TRANSITIONS) == len(STEPS)
    assert {(step.before, step.act, step.by) for step in TRANSITIONS} == set(STEPS)


@pytest.mark.parametrize("end", ["granted", "partly-granted", "refused", "withdrawn"])
def test_what_is_decided_or_withdrawn_stays_so(end):
    assert [step for step in TRANSITIONS if step.before == end] == []


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_reached(state):
    assert state == "submitted" or state in {step.after for step in TRANSITIONS}


def test_lists_of_states_are_the_types():
    assert get_args(State) == STATES
    assert get_args(DecisionState) == DECISION_STATES


def test_database_holds_decided_requests_to_their_states():
    texts = [str(check.sqltext) for check in tables.DisclosureRequest.__table_args__ if hasattr(check, "sqltext")]
    named = {state for text in texts for state in STATES if f"'{state}'" in text}
    # `granted` is what is left of both rules: decided, without a refusal.
    assert named == set(STATES) - {"granted"}


@pytest.mark.parametrize(
    ("revoked_at", "valid_until", "state"),
    [
        (None, NOW + SECOND, "live"),
        (None, NOW, "expired"),
        (None, NOW - SECOND, "expired"),
        (NOW, NOW + SECOND, "revoked"),
        (NOW - SECOND, NOW - SECOND, "revoked"),
    ],
)
def test_decision_lives_until_it_is_revoked_or_its_time_is_out(revoked_at, valid_until, state):
    assert decision_state(revoked_at=revoked_at, valid_until=valid_until, now=NOW) == state
