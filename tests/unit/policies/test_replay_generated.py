"""Replay over laws that nobody has enacted: a fresh answer is always the same, and what makes another is named."""

import dataclasses
import os
import secrets
from collections import Counter
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from policies.blame import frozen
from policies.impact import impact
from policies.replay import DecisionState, outcomes_of, read_entry, replay
from tests.unit.policies import generated_law as generated
from tests.unit.policies.receipts import entry_of
from tests.unit.policies.tiny_law import NOTHING

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
print(f"SAMSYN_TEST_SEED={SEED}")
MANY = settings(max_examples=100, deadline=None, print_blob=True, database=None)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
SEEN = Counter()


def other(law, table, identity, rule):
    """The law with another rule under the same id, or without it."""
    rest = {key: one for key, one in getattr(law, table).items() if key != identity}
    changed = rest if rule is None else rest | {identity: dataclasses.replace(rule, id=identity)}
    return dataclasses.replace(law, version=f"{law.version}-{identity}-{hash(repr(rule))}", **{table: changed})


def wide_open(provision):
    """The provision without any condition in any of its wordings."""
    everybody, everything = frozenset(generated.SECTORS), dataclasses.replace(NOTHING, everything=True)
    free = {"from_sectors": everybody, "to_sectors": everybody, "purposes": None, "breaks": everything, "kinds": None}
    free |= {"age_from": None, "age_below": None, "open_questions": (), "other_sector": False}
    return dataclasses.replace(
        provision, general=False, wordings=tuple(dataclasses.replace(said, **free) for said in provision.wordings)
    )


@st.composite
def answers(draw):
    """A law, facts, and a day on which they were decided; in half of them a decision rests on a wide open rule."""
    law = draw(generated.laws())
    facts, day = draw(generated.facts(law))
    rules = [one.provision for one in facts.decisions if one.provision in law.provisions]
    if rules and draw(st.booleans()):
        law = other(law, "provisions", rules[0], wide_open(law.provisions[rules[0]]))
    return law, facts, day


def alive(*some_facts):
    return {one.id: DecisionState(LATER) for facts in some_facts for one in facts.decisions}


def ids(differences):
    return {cause.id for one in differences for cause in one.causes}


def over_everything(rule):
    """The secrecy rule over every kind at every sector."""
    pairs = frozenset((sector, kind) for sector in generated.SECTORS for kind in generated.KINDS)
    return dataclasses.replace(rule, applies=pairs, closed_to_chapters=frozenset(generated.CHAPTERS))


@seed(SEED)
@MANY
@given(answers())
def test_replay_of_a_fresh_answer_is_the_same(asked):
    law, facts, day = asked
    done = replay(read_entry(entry_of([facts], law, day)), law, today=day, now=NOW, decisions=alive(facts))
    assert (done.then, done.since) == ((), ())


@seed(SEED)
@MANY
@given(answers())
def test_a_day_frozen_answers_as_that_day_whenever_it_is_asked(asked):
    law, facts, day = asked
    still = frozen(law, day)
    for when in (day, date(1999, 1, 1), date(2999, 1, 1)):
        assert outcomes_of([facts], still, when) == outcomes_of([facts], law, day)


def one_rule_changed(law):
    """The law with one rule gone, or as wide as it can be, for each of its rules."""
    for table, rules in (("provisions", law.provisions), ("secrecy", law.secrecy)):
        for identity, rule in sorted(rules.items()):
            for changed in (None, wide_open(rule) if table == "provisions" else over_everything(rule)):
                yield identity, other(law, table, identity, changed)


@seed(SEED)
@MANY
@given(answers())
def test_the_one_rule_that_changed_is_named_wherever_it_matters(asked):
    law, facts, day = asked
    record = read_entry(entry_of([facts], law, day))
    for identity, changed in one_rule_changed(law):
        done = replay(record, changed, today=day, now=NOW, decisions=alive(facts), law_of_then=law)
        differ = outcomes_of([facts], law, day) != outcomes_of([facts], changed, day)
        assert bool(done.then) == differ
        assert all([cause.id for cause in one.causes] == [identity] for one in done.then)
        SEEN["provision" if identity in law.provisions else "secrecy"] += differ


@seed(SEED)
@MANY
@given(answers(), answers())
def test_files_named_are_enough_to_turn_the_answer(asked, another):
    law, facts, day = asked
    changed = dataclasses.replace(
        law, version=law.version + another[0].version, provisions=another[0].provisions, secrecy=another[0].secrecy
    )
    record = read_entry(entry_of([facts], law, day))
    done = replay(record, changed, today=day, now=NOW, decisions=alive(facts), law_of_then=law)
    assert bool(done.then) == (outcomes_of([facts], law, day) != outcomes_of([facts], changed, day))
    for one in done.then:
        named = {cause.id for cause in one.causes}
        taken = law
        for table in ("provisions", "secrecy"):
            for identity in named & {*getattr(law, table), *getattr(changed, table)}:
                taken = other(taken, table, identity, getattr(changed, table).get(identity))
        assert outcomes_of([facts], taken, day).get(one.key) == outcomes_of([facts], changed, day).get(one.key)
        SEEN["files"] += 1


@seed(SEED)
@MANY
@given(answers())
def test_amendments_named_lie_between_the_days_and_are_enough(asked):
    law, facts, day = asked
    record = read_entry(entry_of([facts], law, day))
    for turn in generated.boundaries(law):
        for today in (turn - timedelta(days=1), turn):
            done = replay(record, law, today=today, now=NOW, decisions=alive(facts))
            assert done.then == ()
            assert bool(done.since) == (outcomes_of([facts], law, day) != outcomes_of([facts], law, today))
            for one in done.since:
                check_amendments(one, law, facts, day, today)
                SEEN["amendment"] += 1


def check_amendments(one, law, facts, day, today):
    """The causes are wordings that turn between the days, and they alone make the field come out as today."""
    assert one.causes, "a difference has a cause"
    for cause in one.causes:
        rule = law.provisions.get(cause.id) or law.secrecy.get(cause.id)
        turns = {turn for said in rule.wordings for turn in (said.valid_from, said.until)}
        assert cause.days
        assert all(min(day, today) < turn <= max(day, today) and turn in turns for turn in cause.days)
    # With those rules as they are today, and all others as they were that day.
    now, turned = frozen(law, today), frozen(law, day)
    for table in ("provisions", "secrecy"):
        for identity in {cause.id for cause in one.causes} & set(getattr(law, table)):
            turned = other(turned, table, identity, getattr(now, table)[identity])
    assert outcomes_of([facts], turned, today).get(one.key) == outcomes_of([facts], law, today).get(one.key)


@seed(SEED)
@settings(MANY, max_examples=300)
@given(answers(), st.data())
def test_a_decision_that_has_ended_is_named_for_every_field_it_opened(asked, data):
    law, facts, day = asked
    known = sorted(one.id for one in facts.decisions)
    ended = data.draw(st.sets(st.sampled_from(known), min_size=1)) if known else set()
    states = {**alive(facts), **{identity: DecisionState(LATER, NOW) for identity in ended}}
    done = replay(read_entry(entry_of([facts], law, day)), law, today=day, now=NOW, decisions=states)
    opened = {
        key: {one.decision for one in some} & ended
        for key, some in outcomes_of([facts], law, day).items()
        if any(one.decision in ended for one in some)
    }
    assert {one.key: {cause.id for cause in one.causes} for one in done.since} == opened
    assert all(one.decision not in ended for difference in done.since for one in difference.now)
    SEEN["decision"] += bool(opened)


@seed(SEED)
@MANY
@given(answers(), answers())
def test_impact_counts_the_receipts_that_replay_calls_another(asked, another):
    law, facts, day = asked
    changed = dataclasses.replace(law, version=law.version + another[0].version, provisions=another[0].provisions)
    records = [read_entry(entry_of([facts], law, day)), read_entry(entry_of([facts], law, day))]
    found = impact(records, law, changed)
    again = replay(records[0], changed, today=day, now=NOW, decisions=alive(facts), law_of_then=law)
    assert (found.receipts, found.differ) == (2, 2 if again.then else 0)
    assert bool(found.groups) == bool(again.then)
    told = {name for group in found.groups.values() for name in group.gained | group.lost | group.otherwise}
    assert told == {f"{one.key[0]}.{one.key[1]}" for one in again.then}
    SEEN["impact"] += bool(again.then)


def test_generated_laws_made_every_sort_of_difference():
    # Else the tests above would hold of replays that never differ.
    wanted = {"provision", "secrecy", "files", "amendment", "decision", "impact"}
    assert {name for name in wanted if SEEN[name] > 0} == wanted, SEEN
