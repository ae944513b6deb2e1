"""decide(): nothing is released but by a rule, and the list of what is withheld says nothing about what exists."""

import dataclasses
import os
import secrets
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import example, given, seed, settings
from hypothesis import strategies as st

from policies import decide as decide_module
from policies.catalogue import law
from policies.decide import Decision, decide
from policies.model import Facts, Holder, LiveDecision, RowRule
from tests.unit.policies import generated_law as generated

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
print(f"SAMSYN_TEST_SEED={SEED}")
MANY = settings(max_examples=250, deadline=None, print_blob=True, database=None)

LAW = law()
TODAY = date(2026, 11, 20)
PERSON = tuple(field.name for field in LAW.fields_of("individual"))
EVERYTHING = {
    resource: tuple(field.name for field in LAW.fields_of(resource)) for resource, _ in dict.fromkeys(LAW.fields)
}

AUTHORITIES = sorted(LAW.authorities)

days = st.one_of(
    st.sampled_from([day + timedelta(days=step) for day in generated.boundaries(LAW) for step in (-1, 0, 1)]),
    st.dates(date(2000, 1, 1), date(2030, 1, 1)),
    st.just(TODAY),
)
provisions = st.sampled_from([*LAW.provisions, "osl-10-99", ""])


@st.composite
def questions(draw, resource=None):
    """Facts as the gate makes them: the caller's own agency first, then every other sector with an agency."""
    caller = draw(st.sampled_from(list(LAW.sectors)))
    resource = resource or draw(st.sampled_from(list(EVERYTHING)))
    names = draw(st.lists(st.sampled_from(EVERYTHING[resource]), unique=True, min_size=1))
    others = draw(st.lists(st.sampled_from(AUTHORITIES), unique=True))
    own = (Holder(caller, own=True),) if caller in AUTHORITIES else ()
    purpose = draw(st.none() | st.sampled_from(list(LAW.purposes)))
    live = draw(
        st.lists(
            st.builds(
                LiveDecision,
                id=st.uuids().map(str),
                holder_sector=st.sampled_from(AUTHORITIES),
                provision=provisions,
                purpose=st.sampled_from(list(LAW.purposes))
                if purpose is None
                else st.sampled_from([purpose, "statistics"]),
                fields=st.frozensets(st.sampled_from(EVERYTHING[resource])),
            ),
            max_size=4,
            unique_by=lambda one: one.id,
        )
    )
    return Facts(
        caller_sector=caller,
        resource=resource,
        fields=tuple(names),
        holders=own + tuple(Holder(sector, own=False) for sector in others),
        purpose=purpose,
        legal_basis=draw(st.none() | provisions),
        case_reference=draw(st.booleans()),
        decisions=tuple(live),
    )


def field_of(facts, name):
    return LAW.fields[facts.resource, name]


def holders_of(facts, field):
    if field.holder == "row":
        return facts.holders
    return (Holder(field.holder, own=field.holder == facts.caller_sector),)


def protected_released(decision):
    return [entry for entry in decision.released if field_of(decision.facts, entry.field).kind.level == "protected"]


@seed(SEED)
@MANY
@given(questions(), days)
def test_nothing_protected_is_released_without_a_purpose(facts, day):
    decision = decide(dataclasses.replace(facts, purpose=None), LAW, day)
    assert protected_released(decision) == []
    assert {entry.reason for entry in decision.withheld} <= {"no-purpose"}


@seed(SEED)
@MANY
@given(questions("individual"), days)
def test_no_individual_is_released_without_a_case_reference(facts, day):
    decision = decide(dataclasses.replace(facts, case_reference=False), LAW, day)
    assert decision.released == ()
    assert decision.protected


@seed(SEED)
@MANY
@given(questions(), days)
def test_another_holders_field_is_released_only_under_its_decision(facts, day):
    decision = decide(facts, LAW, day)
    live = {one.id: one for one in facts.decisions}
    for entry in protected_released(decision):
        field = field_of(facts, entry.field)
        if entry.ground == "own-data":
            assert entry.holder_sector == facts.caller_sector
            assert entry.rows == (RowRule("own") if field.holder == "row" else RowRule("any"))
            continue
        one = live[entry.decision]
        assert (one.holder_sector, one.provision, one.purpose) == (entry.holder_sector, entry.ground, facts.purpose)
        assert entry.field in one.fields or field.key
        assert (entry.rows.scope, entry.rows.decision) == ("decision", one.id)
    nobody = decide(dataclasses.replace(facts, decisions=()), LAW, day)
    assert {entry.ground for entry in protected_released(nobody)} <= {"own-data"}


@seed(SEED)
@MANY
@given(questions(), days, st.sampled_from(["private", "public"]))
def test_nobody_but_authorities_is_given_anything_by_a_provision_that_does_not_name_them(facts, day, caller):
    decision = decide(dataclasses.replace(facts, caller_sector=caller), LAW, day)
    grounds = {entry.ground for entry in protected_released(decision)} - {"own-data"}
    offered = {opener.provision for entry in decision.withheld for opener in entry.could_open}
    assert all(caller in LAW.provisions[name].in_force(day).to_sectors for name in grounds | offered)


def test_only_general_exits_and_what_carries_out_a_sentence_reach_anybody_but_authorities():
    reached = {
        name
        for name, provision in LAW.provisions.items()
        for said in provision.wordings
        if said.to_sectors - LAW.authorities and not provision.general
    }
    # 35:15 a speaks of individuals, and of authorities.
    assert reached == {"osl-35-15a"}


@seed(SEED)
@MANY
@given(questions(), days)
def test_every_field_of_every_holder_is_answered_exactly_once(facts, day):
    decision = decide(facts, LAW, day)
    withheld = Counter((entry.field, entry.holder_sector) for entry in decision.withheld)
    released = Counter((entry.field, entry.holder_sector, entry.decision) for entry in decision.released)
    assert max([*withheld.values(), *released.values()], default=1) == 1
    for name in facts.fields:
        field = field_of(facts, name)
        if field.kind.level == "shared":
            assert (name, None, None) in released
            assert not any(key[0] == name for key in withheld)
            continue
        reachable = facts.purpose is not None and (facts.case_reference or not field.individual)
        for sector in {holder.sector for holder in holders_of(facts, field)}:
            own, others = (Holder(sector, own=own) in holders_of(facts, field) for own in (True, False))
            assert ((name, sector, None) in released) == (own and reachable)
            # Under a decision some rows are released; the rest of that holder's stay withheld beside them.
            assert ((name, sector) in withheld) == (others or not reachable)
    asked = {(name, holder.sector) for name in facts.fields for holder in holders_of(facts, field_of(facts, name))}
    assert set(withheld) <= asked
    assert {entry.field for entry in decision.released} <= set(facts.fields)


@seed(SEED)
@MANY
@given(questions(), days)
def test_what_is_withheld_is_the_same_whether_or_not_a_decision_exists(facts, day):
    with_decisions = decide(facts, LAW, day)
    without = decide(dataclasses.replace(facts, decisions=()), LAW, day)
    assert with_decisions.withheld == without.withheld
    assert with_decisions.protected == without.protected


@seed(SEED)
@MANY
@given(questions(), days)
def test_a_named_legal_basis_only_narrows(facts, day):
    narrow = decide(facts, LAW, day)
    wide = decide(dataclasses.replace(facts, legal_basis=None), LAW, day)
    assert set(narrow.released) <= set(wide.released)
    if facts.legal_basis is not None:
        assert {entry.ground for entry in narrow.released} <= {facts.legal_basis, "own-data", "no-secrecy"}
        assert {opener.provision for entry in narrow.withheld for opener in entry.could_open} <= {facts.legal_basis}


@seed(SEED)
@MANY
@given(questions(), days)
@example(Facts("police", "scene", EVERYTHING["scene"]), TODAY)
def test_decide_is_a_function_of_facts_law_and_day(facts, day):
    first = decide(facts, LAW, day)
    assert decide(facts, LAW, day) is first, "a warm decision is the same object"
    decide_module._decide.cache_clear()
    again = decide(dataclasses.replace(facts), LAW, day)
    assert again is not first
    names = [entry.name for entry in dataclasses.fields(Decision)]
    assert [getattr(again, name) for name in names] == [getattr(first, name) for name in names]
    assert (again.facts, again.as_of, again.policy_version) == (facts, day, LAW.version)


# One decision, one person's record, every way in which the decision does not carry.


def one(**changes) -> Facts:
    """The police ask social services for the name of a person, under a recorded decision."""
    live = {
        "id": "d1",
        "holder_sector": "social-services",
        "provision": "osl-10-15a",
        "purpose": "prevent-crime",
        "fields": frozenset({"name"}),
    }
    live |= {name: value for name, value in changes.items() if name in live}
    facts = {name: value for name, value in changes.items() if name not in live}
    asked = {
        "caller_sector": "police",
        "resource": "individual",
        "fields": ("name",),
        "holders": (Holder("police", own=True), Holder(live["holder_sector"], own=False)),
        "purpose": "prevent-crime",
        "case_reference": True,
        "decisions": (LiveDecision(**live),),
    }
    return Facts(**(asked | facts))


def opened(facts: Facts, day: date = TODAY) -> list[str]:
    return [entry.ground for entry in decide(facts, LAW, day).released if entry.decision]


def test_a_decision_that_the_law_carries_releases_what_it_names():
    assert opened(one()) == ["osl-10-15a"]


@pytest.mark.parametrize(
    ("why", "facts", "day"),
    [
        ("the provision is unknown", one(provision="osl-10-15b"), TODAY),
        ("the provision is named with an empty id", one(provision=""), TODAY),
        ("the decision was made for another purpose", one(purpose="investigate-crime"), TODAY),
        ("the day before 10:15 a came into force", one(), date(2025, 11, 30)),
        ("10:15 a does not reach health care", one(holder_sector="health-care"), TODAY),
        ("10:27 does not reach social services", one(provision="osl-10-27"), TODAY),
        ("10:15 a for a committed crime is an open question", one(purpose="investigate-crime"), TODAY),
        ("the decision names another field", one(fields=frozenset({"birthDate"})), TODAY),
        ("another basis is asked for", one(legal_basis="osl-10-18a"), TODAY),
        ("a duty that breaks no secrecy", one(provision="osl-6-5"), TODAY),
        ("10:18 a before 2013", one(provision="osl-10-18a"), date(2012, 12, 31)),
        (
            "10:18 a to customs before 2025-04-01",
            one(provision="osl-10-18a", caller_sector="customs"),
            date(2025, 3, 31),
        ),
        ("10:18 a to the prosecutor", one(provision="osl-10-18a", caller_sector="prosecutor"), TODAY),
        ("10:18 a out of health care", one(provision="osl-10-18a", holder_sector="health-care"), TODAY),
        ("a private caller", one(caller_sector="private"), TODAY),
        ("the caller's sector is unknown", one(caller_sector="guards"), TODAY),
        ("no case reference", one(case_reference=False), TODAY),
        ("before any law is known", one(provision="osl-10-1"), date(2009, 6, 29)),
        (
            "one lock of two: 18:1 stays shut",
            one(caller_sector="social-services", holder_sector="police", provision="osl-10-15a"),
            TODAY,
        ),
        (
            "consent does not open 18:1",
            one(caller_sector="social-services", holder_sector="police", provision="osl-10-1"),
            TODAY,
        ),
    ],
)
def test_a_decision_that_the_law_does_not_carry_releases_nothing(why, facts, day):
    assert opened(facts, day) == [], why


def test_committed_crime_out_of_social_services_stays_closed_though_decided_for_that_purpose():
    # Open question 1: the decision's purpose is the caller's, and still nothing opens.
    live = LiveDecision("d1", "social-services", "osl-10-15a", "investigate-crime", frozenset({"name"}))
    assert opened(dataclasses.replace(one(), purpose="investigate-crime", decisions=(live,))) == []


@pytest.mark.parametrize(
    ("facts", "day"),
    [
        (one(), date(2025, 12, 1)),
        (one(provision="osl-10-18a"), date(2013, 1, 1)),
        (one(provision="osl-10-18a", caller_sector="customs"), date(2025, 4, 1)),
        (one(provision="osl-10-1"), date(2009, 6, 30)),
        (one(caller_sector="social-services", holder_sector="police", provision="osl-10-27"), TODAY),
        (one(holder_sector="health-care", provision="osl-10-2"), TODAY),
    ],
)
def test_a_decision_carries_from_the_very_day_of_the_wording(facts, day):
    assert opened(facts, day) == [facts.decisions[0].provision]


def test_key_follows_with_a_row_that_a_decision_names_and_nothing_else_does():
    facts = dataclasses.replace(one(), fields=PERSON)
    found = {entry.field for entry in decide(facts, LAW, TODAY).released if entry.decision}
    assert found == {"name", "id", "mapping", "holder", "protectedIdentity"}


@pytest.mark.parametrize(("provision", "age"), [("osl-10-18a", 21), ("osl-10-15a", None), ("osl-10-2", None)])
def test_age_condition_becomes_a_row_rule(provision, age):
    (entry,) = (entry for entry in decide(one(provision=provision), LAW, TODAY).released if entry.decision)
    assert entry.rows == RowRule("decision", "d1", age)


AGED = [
    (name, said)
    for name, provision in LAW.provisions.items()
    for said in provision.wordings
    if (said.age_from, said.age_below) != (None, None)
]
# Our law with every lock off, so that what a provision breaks plays no part.
UNLOCKED = dataclasses.replace(
    LAW,
    version=f"{LAW.version} unlocked",
    secrecy={name: dataclasses.replace(rule, applies=frozenset()) for name, rule in LAW.secrecy.items()},
)


@pytest.mark.parametrize(("name", "said"), AGED, ids=[f"{name} {said.valid_from}" for name, said in AGED])
def test_every_age_limit_of_the_law_reaches_its_row_rule(name, said):
    day = max(said.valid_from, date(2009, 6, 30))
    ages = set()
    for holder in said.from_sectors & LAW.authorities:
        for caller in said.to_sectors:
            live = LiveDecision("d1", holder, name, min(said.purposes or LAW.purposes), frozenset(PERSON))
            facts = Facts(caller, "individual", PERSON, (Holder(holder, own=False),), live.purpose,
                          case_reference=True, decisions=(live,))  # fmt: skip
            ages |= {(entry.rows.age_from, entry.rows.age_below) for entry in decide(facts, UNLOCKED, day).released}
    assert ages == {(said.age_from, said.age_below)}


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (dataclasses.replace(one(), purpose=None), "no-purpose"),
        (one(case_reference=False), "no-case-reference"),
        (one(), "no-decision"),
        (one(holder_sector="health-care", caller_sector="county-board"), "no-provision"),
        (one(caller_sector="private"), "no-provision"),
        (one(holder_sector="municipal-safety"), "no-decision"),
    ],
)
def test_reason_says_what_is_lacking(facts, reason):
    withheld = [entry for entry in decide(facts, LAW, TODAY).withheld if entry.holder_sector != "police"]
    assert [entry.reason for entry in withheld] == [reason]


def test_before_the_law_is_known_the_reason_says_so():
    withheld = decide(one(), LAW, date(2009, 6, 29)).withheld
    assert [entry.reason for entry in withheld] == ["no-wording-in-force"]


def test_withheld_names_every_lock_and_what_each_provision_lacks():
    facts = one(caller_sector="social-services", holder_sector="police")
    (entry,) = decide(facts, LAW, TODAY).withheld
    assert entry.secrecy == ("osl-18-1", "osl-35-1")
    assert entry.citation == "18 kap. 1 § OSL; 35 kap. 1 § OSL"
    openers = {opener.provision: opener.lacks for opener in entry.could_open}
    assert openers["osl-10-27"] == ("decision",)
    assert openers["osl-10-15a"] == ("secrecy", "decision")
    # What lacks least comes first, and whom a rule is not for, it is not offered to.
    assert list(openers.items()) == sorted(openers.items(), key=lambda opener: (len(opener[1]), opener[0]))
    assert all(lacks[-1] == "decision" for lacks in openers.values())
    assert "osl-10-18a" not in openers


def test_general_exits_are_never_offered_as_what_could_open():
    for holder in AUTHORITIES:
        for entry in decide(one(holder_sector=holder, caller_sector="county-board"), LAW, TODAY).withheld:
            assert not any(LAW.provisions[opener.provision].general for opener in entry.could_open)


@pytest.mark.parametrize("made", [
    lambda first: Decision(first.facts, first.as_of, first.policy_version, False, first.released, (), object()),
    lambda first: Decision(first.facts, first.as_of, first.policy_version, False, first.released, (), None),
    lambda first: Decision(first.facts, first.as_of, first.policy_version, False, first.released, ()),
    lambda first: Decision(),
])  # fmt: skip
def test_decision_is_made_by_decide_only(made):
    with pytest.raises(TypeError):
        made(decide(one(), LAW, TODAY))


def test_decision_cannot_be_changed_or_copied_with_changes():
    decision = decide(one(), LAW, TODAY)
    with pytest.raises(dataclasses.FrozenInstanceError):
        decision.released = ()
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(decision, released=())
    assert decide_module._SEAL not in [getattr(decision, name, None) for name in dir(decision)]


def ask(**changes):
    return dataclasses.replace(one(), decisions=(), **changes)


@pytest.mark.parametrize("facts", [ask(fields=("shoeSize",)), ask(resource="person"), ask(fields=("name", "Name"))])
def test_unknown_field_or_resource_is_an_error_and_no_answer(facts):
    with pytest.raises(KeyError):
        decide(facts, LAW, TODAY)


def test_shared_fields_need_no_purpose_and_leave_no_receipt():
    for resource, names in EVERYTHING.items():
        shared = tuple(name for name in names if LAW.fields[resource, name].kind.level == "shared")
        decision = decide(Facts("private", resource, shared), LAW, TODAY)
        assert [entry.field for entry in decision.released] == list(shared)
        assert not decision.protected
        assert decision.withheld == ()
