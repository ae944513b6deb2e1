"""Replay case by case: what is the same, what is another answer, and in which words the reason is named."""

import dataclasses
from datetime import UTC, date, datetime, timedelta

import pytest

from policies.blame import replaced
from policies.catalogue import law
from policies.impact import Impact
from policies.model import Facts, Holder, LiveDecision, Text
from policies.replay import (
    Cause,
    DecisionState,
    Difference,
    NothingDecidedError,
    Outcome,
    Recorded,
    Replay,
    read_entry,
    replay,
)
from policies.replay_words import in_words
from tests.unit.policies import tiny_law as tiny
from tests.unit.policies.receipts import entry_of

LAW = law()
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
DAY = date(2026, 11, 20)
BEFORE, FIRST = date(2025, 11, 30), date(2025, 12, 1)
NAME = ("individual", "name", "social-services")


def facts(provision="osl-10-15a", **changes):
    """The police ask for a name that social services hold, under a recorded decision."""
    decision = LiveDecision("b-1", "social-services", provision, "prevent-crime", frozenset({"name"}))
    asked = Facts(
        caller_sector="police",
        resource="individual",
        fields=("id", "name", "contact"),
        holders=(Holder("police", own=True), Holder("social-services", own=False)),
        purpose="prevent-crime",
        case_reference=True,
        decisions=(decision,),
    )
    return dataclasses.replace(asked, **changes)


def again(some_facts, day=DAY, *, law=LAW, recorded_by=None, today=DAY, decisions=None, law_of_then=None):
    entry = entry_of([some_facts], recorded_by or law, day)
    states = {"b-1": DecisionState(LATER)} if decisions is None else decisions
    return replay(read_entry(entry), law, today=today, now=NOW, decisions=states, law_of_then=law_of_then)


def by_key(differences):
    return {one.key: one for one in differences}


def test_nothing_changed_is_the_same_twice():
    done = again(facts())
    assert (done.then, done.since) == ((), ())
    assert in_words(done, LAW, "sv") == (
        ["Samma: lagen för 2026-11-20 ger svaret som gavs."],
        ["Samma: ingen ändring av lag eller beslut sedan 2026-11-20 ändrar svaret (2026-11-20)."],
    )
    assert in_words(done, LAW, "en") == (
        ["Same: the law of 2026-11-20 gives the answer given."],
        ["Same: no change of law or decisions since 2026-11-20 changes the answer (2026-11-20)."],
    )


# --- what has come since --------------------------------------------------------------------------------------------


def test_the_day_before_a_provision_came_into_force_its_amendment_is_named():
    done = again(facts(), BEFORE, today=DAY)
    assert done.then == ()
    change = by_key(done.since)[NAME]
    assert change.was == {Outcome(reason="no-decision")}, "10 kap. 18 a § could open it that day too"
    assert Outcome("osl-10-15a", "b-1") in change.now
    assert change.causes == (Cause("wording", "osl-10-15a", (FIRST,)),)
    assert "Orsak: 10 kap. 15 a § OSL (osl-10-15a): gäller från 2025-12-01." in in_words(done, LAW, "sv")[1][-1]
    assert "Cause: 10 kap. 15 a § OSL (osl-10-15a): in force from 2025-12-01." in in_words(done, LAW, "en")[1][-1]


def test_on_its_first_day_a_provision_is_no_amendment_any_more():
    assert again(facts(), FIRST, today=DAY).since == ()


@pytest.mark.parametrize(
    ("states", "cause", "said"),
    [
        (
            {"b-1": DecisionState(LATER, NOW)},
            Cause("decision", "b-1", ended="revoked", moment=NOW),
            "beslut b-1 återkallades 2026-11-21T12:00+00:00",
        ),
        (
            {"b-1": DecisionState(NOW)},
            Cause("decision", "b-1", ended="expired", moment=NOW),
            "beslut b-1 gick ut 2026-11-21T12:00+00:00",
        ),
        (
            {"b-1": DecisionState(LATER, NOW - timedelta(hours=2))},
            Cause("decision", "b-1", ended="revoked", moment=NOW - timedelta(hours=2)),
            "beslut b-1 återkallades 2026-11-21T10:00+00:00",
        ),
        (
            {"b-1": DecisionState(NOW - timedelta(hours=2))},
            Cause("decision", "b-1", ended="expired", moment=NOW - timedelta(hours=2)),
            "beslut b-1 gick ut 2026-11-21T10:00+00:00",
        ),
        ({}, Cause("decision", "b-1", ended="gone"), "beslut b-1 finns inte längre"),
    ],
)
def test_a_decision_that_ended_is_named_with_its_moment(states, cause, said):
    done = again(facts(), decisions=states)
    assert done.then == ()
    # The key of a row goes with it, so it closes with the decision too.
    assert {key: one.causes for key, one in by_key(done.since).items()} == {
        NAME: (cause,),
        ("individual", "id", "social-services"): (cause,),
    }
    assert by_key(done.since)[NAME].now == {Outcome(reason="no-decision")}
    assert in_words(done, LAW, "sv")[1][1:] == [
        (
            "individual.id hos socialtjänst: då lämnat: 10 kap. 15 a § OSL (beslut b-1), inte lämnat (no-decision); "
            f"nu inte lämnat (no-decision). Orsak: {said}."
        ),
        (
            "individual.name hos socialtjänst: då lämnat: 10 kap. 15 a § OSL (beslut b-1), inte lämnat (no-decision); "
            f"nu inte lämnat (no-decision). Orsak: {said}."
        ),
    ]


@pytest.mark.parametrize(
    "state", [DecisionState(LATER, NOW + timedelta(seconds=1)), DecisionState(NOW + timedelta(seconds=1))]
)
def test_a_decision_that_ends_later_is_still_alive(state):
    assert again(facts(), decisions={"b-1": state}).since == ()


def test_an_end_that_touches_no_field_of_the_answer_is_no_difference():
    # A decision for another purpose opened nothing, so its revocation closes nothing.
    other = dataclasses.replace(facts().decisions[0], purpose="statistics")
    assert again(facts(decisions=(other,)), decisions={}).since == ()


def test_an_amendment_and_a_revocation_are_both_named():
    closed = tiny.wording(until=tiny.END)
    rule = tiny.provision("osl-10-1", closed)
    small = tiny.law([rule], [tiny.secrecy()], [tiny.field("name")])
    done = again(tiny_facts(), tiny.DAY, law=small, today=tiny.END, decisions={})
    (change,) = done.since
    assert change.causes == (
        Cause("wording", "osl-10-1", (tiny.END,)),
        Cause("decision", "b-1", ended="gone"),
    )
    assert (
        "cite osl-10-1 (osl-10-1): gällde till och med 2021-12-31; beslut b-1 finns"
        in in_words(done, small, "sv")[1][1]
    )


def test_an_amendment_that_changes_whose_rows_are_open_is_named_though_the_field_stays_open():
    changed = date(2021, 7, 1)
    wordings = (tiny.wording(until=changed, age_below=21), tiny.wording(valid_from=changed, age_below=18, age_from=15))
    small = tiny.law([tiny.provision("osl-10-1", *wordings)], [tiny.secrecy()], [tiny.field("name")])
    done = again(tiny_facts(), tiny.DAY, law=small, today=tiny.END)
    (change,) = done.since
    assert change.causes == (Cause("wording", "osl-10-1", (changed,)),)
    sv, en = (in_words(done, small, language)[1][1] for language in ("sv", "en"))
    assert "då lämnat: cite osl-10-1 (beslut b-1, under 21 år)" in sv
    assert "nu lämnat: cite osl-10-1 (beslut b-1, från 15 år, under 18 år)" in sv
    assert "ny lydelse från 2021-07-01" in sv
    assert "now released: cite osl-10-1 (decision b-1, from the age of 15, under 18)" in en
    assert "new wording from 2021-07-01" in en


def test_the_secrecy_rule_that_came_into_force_is_named():
    lock = tiny.secrecy("osl-26-1", wordings=(dataclasses.replace(tiny.secrecy().wordings[0], valid_from=tiny.END),))
    # Before its first wording nothing is known of that lock, and everything under it is withheld.
    small = tiny.law([tiny.provision()], [tiny.secrecy(), lock], [tiny.field("name")])
    done = again(tiny_facts(), tiny.DAY, law=small, today=tiny.END)
    (change,) = done.since
    assert change.was == {Outcome(reason="no-wording-in-force")}
    assert change.causes == (Cause("wording", "osl-26-1", (tiny.END,)),)


def test_two_amendments_that_only_together_change_the_answer_are_both_named():
    first, second = date(2021, 7, 1), date(2021, 8, 1)
    closed = tiny.breaks(rules=frozenset({"osl-25-1"}))
    rule = tiny.provision(
        "osl-10-1",
        tiny.wording(until=first, breaks=closed, from_sectors=frozenset({"school"})),
        tiny.wording(valid_from=first, breaks=tiny.breaks(harm_tests=frozenset({"straight"}))),
    )
    said = tiny.secrecy().wordings[0]
    lock = tiny.secrecy(
        wordings=(
            dataclasses.replace(said, until=second),
            dataclasses.replace(said, valid_from=second, harm_test="straight"),
        )
    )
    small = tiny.law([rule], [lock], [tiny.field("name")])
    (change,) = again(tiny_facts(), tiny.DAY, law=small, today=tiny.END).since
    assert Outcome("osl-10-1", "b-1") in change.now
    assert set(change.causes) == {Cause("wording", "osl-10-1", (first,)), Cause("wording", "osl-25-1", (second,))}


def test_days_on_which_a_rule_turns_are_those_after_the_recorded_day_through_today():
    first, second = date(2021, 7, 1), date(2021, 8, 1)
    wordings = (
        tiny.wording(until=first),
        tiny.wording(valid_from=first, until=second),
        tiny.wording(valid_from=second),
    )
    small = tiny.law([tiny.provision("osl-10-1", *wordings)], [tiny.secrecy()])
    assert replaced(small, "osl-10-1", tiny.DAY, second) == (first, second)
    assert replaced(small, "osl-10-1", first, second) == (second,)
    assert replaced(small, "osl-10-1", second, first) == (second,)
    assert replaced(small, "osl-10-1", tiny.DAY, first - timedelta(days=1)) == ()
    assert replaced(small, "osl-25-1", tiny.START - timedelta(days=1), tiny.END) == (tiny.START,)


@pytest.mark.parametrize("made", [Outcome, Recorded, DecisionState, Cause, Difference, Replay, Impact])
def test_what_was_found_is_never_changed(made):
    assert made.__dataclass_params__.frozen
    assert "__slots__" in vars(made)


# --- the law files have changed ------------------------------------------------------------------------------------


def tiny_facts(**changes):
    decision = LiveDecision("b-1", "care", "osl-10-1", "prevent", frozenset({"name"}))
    asked = Facts(
        caller_sector="police",
        resource="person",
        fields=("name",),
        holders=(Holder("care", own=False),),
        purpose="prevent",
        case_reference=True,
        decisions=(decision,),
    )
    return dataclasses.replace(asked, **changes)


def tiny_pair(**changes):
    """A law, and the same with another wording of its one provision."""
    said = (tiny.wording(), tiny.wording(**changes))
    return [tiny.law([tiny.provision("osl-10-1", one)], [tiny.secrecy()], [tiny.field("name")]) for one in said]


def test_files_that_changed_without_changing_the_answer_are_told_and_the_answer_is_the_same():
    old, new = tiny_pair(purposes=frozenset({"prevent"}))
    done = again(tiny_facts(), tiny.DAY, law=new, recorded_by=old, today=tiny.DAY)
    assert done.then == ()
    assert in_words(done, new, "sv")[0] == [
        "Samma: lagen för 2021-06-15 ger svaret som gavs.",
        f"Lagfilerna har ändrats sedan dess: policyVersion var {old.version}, är nu {new.version}.",
    ]


def test_the_file_that_changed_the_answer_is_named():
    old, new = tiny_pair(purposes=frozenset({"count"}))
    done = again(tiny_facts(), tiny.DAY, law=new, recorded_by=old, today=tiny.DAY, law_of_then=old)
    (change,) = done.then
    assert change.causes == (Cause("file", "osl-10-1"),)
    assert done.since == ()
    sv, en = (in_words(done, new, language)[0] for language in ("sv", "en"))
    assert sv == [
        "Ett annat svar av lagen för 2021-06-15.",
        f"Lagfilerna har ändrats sedan dess: policyVersion var {old.version}, är nu {new.version}.",
        (
            "person.name hos care sv: då lämnat: cite osl-10-1 (beslut b-1), inte lämnat (no-decision); "
            "nu inte lämnat (no-provision). Orsak: lagfilen för cite osl-10-1 (osl-10-1) är ändrad."
        ),
    ]
    assert en == [
        "Another answer from the law of 2021-06-15.",
        f"The law files have changed since: policyVersion was {old.version}, is now {new.version}.",
        (
            "person.name at care en: then released: cite osl-10-1 (decision b-1), withheld (no-decision); "
            "now withheld (no-provision). Cause: the law file of cite osl-10-1 (osl-10-1) has changed."
        ),
    ]


def test_a_change_of_age_in_the_files_is_found_where_the_old_files_are_at_hand():
    old, new = tiny_pair(age_below=21)
    (change,) = again(tiny_facts(), tiny.DAY, law=new, recorded_by=old, today=tiny.DAY, law_of_then=old).then
    assert {one.age_below for one in change.was if one.ground} == {None}
    assert {one.age_below for one in change.now if one.ground} == {21}
    # The record says no ages: without the old files it cannot be known.
    assert again(tiny_facts(), tiny.DAY, law=new, recorded_by=old, today=tiny.DAY).then == ()


def test_without_the_old_files_the_rules_that_decide_the_field_are_named():
    old, new = tiny_pair(purposes=frozenset({"count"}))
    done = again(tiny_facts(), tiny.DAY, law=new, recorded_by=old, today=tiny.DAY)
    (change,) = done.then
    assert change.causes == (Cause("rule", "osl-10-1"), Cause("rule", "osl-25-1"))
    assert in_words(done, new, "sv")[0][-1].endswith(
        "Orsak: prövas efter cite osl-10-1 (osl-10-1); prövas efter cite osl-25-1 (osl-25-1)."
    )
    assert "decided by cite osl-25-1 (osl-25-1)" in in_words(done, new, "en")[0][-1]


def test_a_field_of_another_kind_is_named_as_what_changed():
    old, _ = tiny_pair()
    shared = tiny.field("name", tiny.PLACE)
    new = dataclasses.replace(old, version="another-kind", fields={("person", "name"): shared})
    done = again(tiny_facts(), tiny.DAY, law=new, recorded_by=old, today=tiny.DAY, law_of_then=old)
    keys = {one.key: one for one in done.then}
    assert keys[("person", "name", None)].now == {Outcome("no-secrecy")}
    assert {cause for one in done.then for cause in one.causes} == {Cause("file", "person.name")}
    said = in_words(done, new, "en")[0]
    assert any("person.name: then not decided; now released: no secrecy." in one for one in said)
    assert any("the law file of person.name has changed" in one for one in said)


def test_a_field_and_a_sector_that_the_law_no_longer_knows_are_differences_and_no_errors():
    old, _ = tiny_pair()
    new = dataclasses.replace(old, version="no-field", fields={})
    (change,) = again(tiny_facts(), tiny.DAY, law=new, recorded_by=old, today=tiny.DAY, law_of_then=old).then
    assert (change.now, change.causes) == (frozenset(), (Cause("file", "person.name"),))
    (change,) = again(tiny_facts(), tiny.DAY, law=new, recorded_by=old, today=tiny.DAY).then
    assert change.causes == (Cause("rule", "osl-10-1"),)
    rest = {key: title for key, title in old.sectors.items() if key != "care"}
    new = dataclasses.replace(old, version="no-sector", sectors=rest)
    done = again(tiny_facts(), tiny.DAY, law=new, recorded_by=old, today=tiny.DAY, law_of_then=old)
    assert done.then[0].causes == (Cause("file", "care"),)
    assert "person.name hos care: då" in in_words(done, new, "sv")[0][-1]


# --- the record itself -----------------------------------------------------------------------------------------------


def test_a_record_that_does_not_follow_from_its_law_is_told_and_no_rule_is_blamed():
    entry = entry_of([facts()], LAW, DAY)
    entry["resources"][0]["released"].append(["contact", "osl-10-15a", "social-services", "b-1"])
    done = replay(read_entry(entry), LAW, today=DAY, now=NOW, decisions={"b-1": DecisionState(LATER)})
    (change,) = done.then
    assert (change.key, change.causes) == (("individual", "contact", "social-services"), ())
    assert in_words(done, LAW, "sv")[0][0] == (
        "Ett annat svar: det antecknade följer inte av lagen för 2026-11-20, "
        f"fast lagfilerna är desamma ({LAW.version})."
    )
    assert in_words(done, LAW, "en")[0][0].startswith("Another answer: the record does not follow from the law")


def test_a_record_that_followed_from_neither_law_blames_no_file():
    old, new = tiny_pair()
    entry = entry_of([tiny_facts()], old, tiny.DAY)
    entry["resources"][0]["withheld"] = []
    done = replay(
        read_entry(entry), new, today=tiny.DAY, now=NOW, decisions={"b-1": DecisionState(LATER)}, law_of_then=old
    )
    (change,) = done.then
    assert change.causes == ()


def test_every_fact_of_a_decision_stands_in_the_record():
    asked = facts(legal_basis="osl-10-15a", caller_equated=True)
    live = dataclasses.replace(asked.decisions[0], holder_equated=True)
    asked = dataclasses.replace(asked, decisions=(live,))
    record = read_entry(entry_of([asked], LAW, DAY, agency="polisen"))
    assert record.facts == (asked,)
    assert (record.kind, record.recipient, record.day, record.policy_version) == ("answer", "polisen", DAY, LAW.version)
    bare = facts(purpose=None, case_reference=False, decisions=(), holders=())
    assert read_entry(entry_of([bare], LAW, DAY)).facts == (bare,)


def test_an_answer_about_several_resources_is_replayed_whole():
    both = [facts(), facts(resource="mapping", fields=("id", "policeWork"), decisions=())]
    record = read_entry(entry_of(both, LAW, DAY))
    assert {key[0] for key in record.outcomes} == {"individual", "mapping"}
    done = replay(record, LAW, today=DAY, now=NOW, decisions={})
    assert done.then == ()
    assert {one.key[0] for one in done.since} == {"individual"}


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "refusal", "agency": "x", "resources": [{"reason": "purpose-not-allowed"}], "callerSector": "police"},
        {"kind": "decision", "agency": "x"},
        {"kind": "answer", "recipient": "x", "resources": [{"resource": "individual", "released": [], "fields": []}]},
        {},
    ],
)
def test_what_holds_nothing_decided_is_told_so(entry):
    with pytest.raises(NothingDecidedError, match="decided field by field"):
        read_entry(entry)


def test_own_data_is_called_so():
    done = again(facts(holders=(Holder("police", own=True),), decisions=()), law=LAW)
    assert done.then == ()
    small = tiny.law([], [tiny.secrecy()], [tiny.field("name")])
    gone = dataclasses.replace(small, version="no-name", fields={})
    own = tiny_facts(holders=(Holder("care", own=True),), caller_sector="care", decisions=())
    done = again(own, tiny.DAY, law=gone, recorded_by=small, today=tiny.DAY)
    assert "då lämnat: egen uppgift; nu inte prövat." in in_words(done, gone, "sv")[0][-1]
    assert Text("egen uppgift", "own data").en in in_words(done, gone, "en")[0][-1]
