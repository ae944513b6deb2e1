"""Every hard condition on both sides of its edge, over a law of a few made-up rules."""

import dataclasses
from datetime import timedelta

import pytest

from policies.assess import assess, assess_provision, breaks_rule, lawless, locks, reachable, undated
from policies.model import Condition, Lack, SecrecyWording
from tests.unit.policies.tiny_law import (
    DAY,
    END,
    START,
    asked,
    breaks,
    law,
    provision,
    question,
    secrecy,
    wording,
)

BEFORE = START - timedelta(days=1)
CARE, GUARD = frozenset({"care"}), frozenset({"guard"})
RULE = secrecy("osl-25-1")


def lacks(said=None, identity="osl-10-1", rules=(RULE,), **facts):
    """What a provision lacks, as pairs of condition and the two texts."""
    answer = assess_provision(provision(identity, said or wording()), question(**facts), rules)
    assert answer.available == (not answer.lacks)
    return [(lack.condition.value, lack.required, lack.actual) for lack in answer.lacks]


# Locks: what is asked about.


def test_locks_are_those_named_in_the_order_of_the_question():
    other = secrecy("osl-26-1")
    known = law(rules=[RULE, other])
    assert locks(question(secrecy=("osl-26-1", "osl-25-1")), known) == (other, RULE)
    assert locks(question(secrecy=()), known) == ()


def test_locks_are_those_of_the_kind_at_the_holder():
    known = law(rules=[RULE, secrecy("osl-26-1", applies=frozenset({("school", "name"), ("care", "place")}))])
    assert locks(question(), known) == (RULE,)
    assert locks(question(holder_sector="police"), known) == ()


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"kind": "weight"}, KeyError, "weight at care"),
        ({"holder_sector": "bank"}, KeyError, "name at bank"),
        ({"secrecy": ("osl-99-1",)}, KeyError, "osl-99-1"),
        ({"kind": None}, ValueError, "a question names a kind or secrecy rules"),
    ],
)
def test_a_question_about_what_is_not_known_is_an_error(changes, error, told):
    with pytest.raises(error, match=told):
        locks(question(**changes), law(rules=[RULE]))


# Breaking.


@pytest.mark.parametrize(
    ("how", "broken"),
    [
        ({}, False),
        ({"everything": True}, True),
        ({"rules": frozenset({"osl-25-1"})}, True),
        ({"rules": frozenset({"osl-25-2"})}, False),
        ({"chapters": frozenset({25})}, True),
        ({"chapters": frozenset({24, 26})}, False),
        ({"protects": frozenset({"individual"})}, True),
        ({"protects": frozenset({"operation"})}, False),
        ({"harm_tests": frozenset({"reverse"})}, True),
        ({"harm_tests": frozenset({"straight"})}, False),
    ],
)
def test_each_way_of_breaking_breaks_by_itself_unless_excepted_closed_or_undated(how, broken):
    said = breaks(**how)
    closed = secrecy("osl-25-1", closed_to_chapters=frozenset({10}))
    assert breaks_rule(said, 10, RULE, START) is broken
    assert breaks_rule(said, None, closed, START) is broken
    assert breaks_rule(said, 12, closed, START) is broken
    assert breaks_rule(said, 10, closed, START) is False
    assert breaks_rule(said, 10, RULE, BEFORE) is False
    excepting = dataclasses.replace(said, excepts=frozenset({"osl-25-1"}))
    assert breaks_rule(excepting, 10, RULE, START) is False
    beside = dataclasses.replace(said, excepts=frozenset({"osl-25-2"}))
    assert breaks_rule(beside, 10, RULE, START) is broken


def test_the_harm_test_is_that_of_the_day():
    stages = (SecrecyWording(START, END, "straight"), SecrecyWording(END, None, "absolute"))
    rule = secrecy("osl-25-1", wordings=stages)
    said = breaks(harm_tests=frozenset({"straight", "reverse"}))
    assert breaks_rule(said, 10, rule, END - timedelta(days=1))
    assert not breaks_rule(said, 10, rule, END)


# Sectors and purposes.


def test_sectors_and_purposes_that_the_wording_names_are_met_and_others_are_named_as_lacking():
    said = wording(
        from_sectors=frozenset({"school", "police"}),
        to_sectors=frozenset({"school", "care"}),
        purposes=frozenset({"protect", "count"}),
    )
    assert lacks(said) == [
        ("from-sector", "police, school", "care"),
        ("to-sector", "care, school", "police"),
        ("purpose", "count, protect", "prevent"),
    ]
    assert lacks(said, holder_sector="police", recipient_sector="care", purpose="count") == []
    assert lacks(said, holder_sector="school", recipient_sector="school", purpose="protect") == []
    assert lacks(wording(purposes=frozenset()), purpose="count") == [("purpose", "", "count")]


def test_a_rule_between_sectors_does_not_hold_within_one():
    said = wording(other_sector=True)
    assert lacks(said, recipient_sector="care") == [("to-sector", "another sector than the holder's", "care")]
    assert lacks(said, recipient_sector="school") == []
    assert lacks(said, holder_sector="police", recipient_sector="care") == []
    assert lacks(wording(), recipient_sector="care") == []


ITSELF = ("an authority itself", "an authority only through OSL 2:3")


@pytest.mark.parametrize("side", ["holder_equated", "recipient_equated"])
@pytest.mark.parametrize(("identity", "general", "reaches"), [
    ("osl-10-1", False, True), ("lag-2020-1-2", False, False), ("harm-assessment", True, True), ("osl-9-1", True, True),
])  # fmt: skip
def test_companies_are_authorities_for_osl_and_general_exits_only(side, identity, general, reaches):
    rule = provision(identity, general=general)
    answer = assess_provision(rule, question(**{side: True}), (RULE,))
    condition = Condition.FROM_SECTOR if side == "holder_equated" else Condition.TO_SECTOR
    assert answer.lacks == (() if reaches else (Lack(condition, *ITSELF),))
    assert assess_provision(rule, question(), (RULE,)).available


def test_an_act_outside_osl_binds_companies_of_the_sectors_that_it_names():
    said = wording(equated_from=frozenset({"care"}))
    assert lacks(said, "lag-2020-1-2", holder_equated=True) == []
    assert lacks(said, "lag-2020-1-2", holder_equated=True, holder_sector="school") == [("from-sector", *ITSELF)]
    assert lacks(said, "lag-2020-1-2", recipient_equated=True) == [("to-sector", *ITSELF)]


def test_a_question_about_companies_closes_for_them_alone():
    said = wording(open_questions=(asked(), asked(equated=True, number=8)))
    closed = [("open-question", "said", "question 7"), ("open-question", "said", "question 8")]
    assert lacks(said, "lag-2020-1-2", holder_equated=True) == closed
    assert lacks(said, "lag-2020-1-2") == closed[:1]
    other = wording(open_questions=(asked(),))
    assert lacks(other, "lag-2020-1-2", holder_equated=True) == [("from-sector", *ITSELF), closed[0]]


def test_a_sector_that_is_not_named_is_lacking_once_though_it_is_a_company_too():
    said = wording(from_sectors=GUARD, to_sectors=GUARD, other_sector=True)
    found = lacks(said, "lag-2020-1-2", holder_equated=True, recipient_equated=True, recipient_sector="care")
    assert found == [("from-sector", "guard", "care"), ("to-sector", "guard", "care")]
    found = lacks(wording(other_sector=True), "lag-2020-1-2", recipient_equated=True, recipient_sector="care")
    assert found == [("to-sector", *ITSELF)]


# Content: kinds and ages.


def test_a_limit_to_kinds_bites_where_a_kind_is_named():
    said = wording(kinds=frozenset({"health", "contact"}))
    assert lacks(said) == [("kind", "contact, health", "name")]
    assert lacks(said, kind="health") == []
    assert lacks(said, kind=None, secrecy=("osl-25-1",)) == []
    assert lacks(wording(), kind="name") == []


@pytest.mark.parametrize(
    ("age_from", "age_below", "age", "lacking"),
    [
        (None, None, 0, []),
        (None, None, 130, []),
        (None, 18, 17, []),
        (None, 18, 18, [("subject-age", "under 18", "18")]),
        (None, 18, 19, [("subject-age", "under 18", "19")]),
        (18, None, 17, [("subject-age", "at least 18", "17")]),
        (18, None, 18, []),
        (18, None, 19, []),
        (18, 21, 17, [("subject-age", "at least 18", "17")]),
        (18, 21, 20, []),
        (18, 21, 21, [("subject-age", "under 21", "21")]),
        (18, 21, None, []),
        (1, 2, 0, [("subject-age", "at least 1", "0")]),
    ],
)
def test_an_age_holds_from_its_first_birthday_to_before_its_last(age_from, age_below, age, lacking):
    assert lacks(wording(age_from=age_from, age_below=age_below), subject_age=age) == lacking


# Open questions.


@pytest.mark.parametrize(
    ("limits", "closed"),
    [
        ({}, True),
        ({"purposes": frozenset({"prevent"})}, True),
        ({"purposes": frozenset({"count"})}, False),
        ({"secrecy": frozenset({"osl-25-1"})}, True),
        ({"secrecy": frozenset({"osl-26-1"})}, True),
        ({"secrecy": frozenset({"osl-18-1"})}, False),
        ({"from_sectors": CARE}, True),
        ({"from_sectors": frozenset({"school"})}, False),
        ({"to_sectors": frozenset({"police"})}, True),
        ({"to_sectors": frozenset({"school"})}, False),
        ({"equated": True}, False),
        (
            {"purposes": frozenset({"prevent"}), "secrecy": frozenset({"osl-26-1"}), "from_sectors": CARE,
             "to_sectors": frozenset({"police"})},
            True,
        ),
    ],
)  # fmt: skip
def test_an_open_question_closes_what_meets_all_its_limits(limits, closed):
    found = lacks(wording(open_questions=(asked(**limits),)), rules=(RULE, secrecy("osl-26-1")))
    assert found == ([("open-question", "said", "question 7")] if closed else [])


# What must be written down.


@pytest.mark.parametrize(
    ("said", "facts", "expected"),
    [
        (wording(), {}, ()),
        (wording(attestations=("b", "a")), {}, ("b", "a")),
        (wording(type="may", attestations=("b",)), {}, ("b", "data-protection-check", "receiver-secrecy")),
        (wording(age_below=18), {}, ("subject-age-verified",)),
        (wording(age_from=18), {}, ("subject-age-verified",)),
        (wording(age_from=18, age_below=21), {}, ("subject-age-verified",)),
        (wording(age_below=18), {"subject_age": 0}, ()),
        (wording(age_from=18), {"subject_age": 18}, ()),
        (wording(kinds=frozenset({"name"})), {}, ()),
        (wording(kinds=frozenset({"name"})), {"kind": None, "secrecy": ("osl-25-1",)}, ("kind-is-covered",)),
        (wording(), {"kind": None, "secrecy": ("osl-25-1",)}, ()),
        (
            wording(type="may", attestations=("a",), age_below=18, kinds=frozenset({"name"})),
            {"kind": None, "secrecy": ("osl-25-1",)},
            ("a", "subject-age-verified", "kind-is-covered", "data-protection-check", "receiver-secrecy"),
        ),
    ],
)
def test_what_the_question_does_not_say_must_be_written_down(said, facts, expected):
    assert assess_provision(provision("osl-10-1", said), question(**facts), (RULE,)).attestations == expected


# One provision, whole.


def test_a_provision_that_fits_lacks_nothing_and_opens_what_it_breaks():
    rule = provision()
    answer = assess_provision(rule, question(), (RULE,))
    assert (answer.provision, answer.wording, answer.lacks) == (rule, rule.wordings[0], ())
    assert answer.opens == {"osl-25-1"}
    assert answer.available


def test_a_provision_not_in_force_lacks_that_alone_and_opens_nothing():
    rule = provision("osl-10-1", wording(valid_from=DAY, until=END, attestations=("a",)), wording(valid_from=END))
    answer = assess_provision(rule, question(as_of=DAY - timedelta(days=1), holder_sector="bank"), (RULE,))
    assert answer.lacks == (Lack(Condition.IN_FORCE, "from 2021-06-15", "2021-06-14"),)
    assert (answer.wording, answer.opens, answer.attestations) == (None, frozenset(), ())
    assert not answer.available


def test_the_wording_is_that_of_the_day():
    first, second = wording(until=END), wording(valid_from=END, to_sectors=GUARD)
    rule = provision("osl-10-1", first, second)
    assert assess_provision(rule, question(as_of=END - timedelta(days=1)), (RULE,)).wording is first
    assert assess_provision(rule, question(as_of=END), (RULE,)).wording is second


def test_locks_left_shut_are_named_and_lacks_stand_in_the_order_of_checking():
    said = wording(
        from_sectors=GUARD,
        to_sectors=GUARD,
        purposes=frozenset({"count"}),
        breaks=breaks(rules=frozenset({"osl-25-1", "osl-29-1"})),
        kinds=frozenset({"health"}),
        age_below=18,
        open_questions=(asked(),),
    )
    rules = tuple(secrecy(name) for name in ("osl-29-1", "osl-26-1", "osl-25-1", "osl-21-1"))
    found = lacks(said, rules=rules, subject_age=18)
    assert [condition for condition, _, _ in found] == [
        "from-sector", "to-sector", "purpose", "secrecy", "kind", "subject-age", "open-question",
    ]  # fmt: skip
    assert found[3] == ("secrecy", "osl-21-1, osl-26-1", "osl-25-1, osl-29-1")


def test_what_is_asked_about_no_lock_lacks_no_secrecy():
    assert lacks(wording(breaks=breaks()), rules=()) == []


def test_all_provisions_are_answered_available_first_special_before_general_each_by_id():
    shut = wording(to_sectors=GUARD)
    known = law(
        [
            provision("osl-10-9", shut),
            provision("osl-10-8", general=True),
            provision("osl-10-7", shut, general=True),
            provision("osl-10-6"),
            provision("osl-10-5", shut),
            provision("osl-10-4"),
        ],
        [RULE],
    )
    answers = assess(question(), known)
    assert [(answer.provision.id, answer.available) for answer in answers] == [
        ("osl-10-4", True), ("osl-10-6", True), ("osl-10-8", True), ("osl-10-5", False), ("osl-10-9", False),
        ("osl-10-7", False),
    ]  # fmt: skip
    assert answers[0].opens == {"osl-25-1"}


# Days on which the law is not known.


def test_rules_without_a_wording_of_the_day_are_undated():
    later = secrecy("osl-26-1", wordings=(SecrecyWording(END, None, "reverse"),))
    assert undated((RULE, later), START) == (later,)
    assert undated((RULE, later), BEFORE) == (RULE, later)
    assert undated((RULE, later), END) == ()


def test_law_is_not_known_where_a_lock_is_undated_or_no_rule_is_in_force():
    later = secrecy("osl-26-1", wordings=(SecrecyWording(END, None, "reverse"),))
    known = law(rules=[RULE, later])
    assert not lawless((RULE,), known, START)
    assert lawless((RULE, later), known, START)
    assert not lawless((), known, START)
    assert lawless((), known, BEFORE)
    assert lawless((), law(), START)


# Reaching the outcome.


def answers_of(*said, rules, general=False):
    return [
        assess_provision(provision(f"osl-10-{number}", one, general=general), question(), rules)
        for number, one in enumerate(said, 1)
    ]


def test_provisions_open_together_what_none_opens_alone():
    rules = (RULE, secrecy("osl-26-1"))
    first, second = (wording(breaks=breaks(rules=frozenset({rule.id}))) for rule in rules)
    assert not reachable(answers_of(first, rules=rules), rules)
    assert not reachable(answers_of(second, rules=rules), rules)
    assert reachable(answers_of(first, second, rules=rules), rules)
    assert reachable(answers_of(wording(), rules=rules), rules)
    unfit = dataclasses.replace(second, to_sectors=GUARD)
    assert not reachable(answers_of(first, unfit, rules=rules), rules)
    assert reachable(answers_of(unfit, first, second, rules=rules), rules)


def test_general_exits_and_no_locks_reach_nothing():
    assert not reachable(answers_of(wording(), rules=(RULE,), general=True), (RULE,))
    both = answers_of(wording(), rules=(RULE,), general=True) + answers_of(wording(), rules=(RULE,))
    assert reachable(both, (RULE,))
    assert not reachable(answers_of(wording(), rules=()), ())
    assert not reachable([], (RULE,))
