"""The answer to *may I share this?* is whole: every provision, what it lacks, and what an officer must attest.

That it is right is proven against the plain reading, in `test_reference.py`.
"""

import dataclasses
import os
import secrets
from datetime import date, timedelta

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from policies import reference
from policies.assess import ATTESTATIONS_OF_MAY, assess
from policies.catalogue import law
from policies.explain import explanation, outcome, provision_as_json, secrecy_as_json
from policies.model import Condition, Question
from tests.unit.policies import generated_law as generated

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
print(f"SAMSYN_TEST_SEED={SEED}")
MANY = settings(max_examples=300, deadline=None, print_blob=True, database=None)

LAW = law()
TODAY = date(2026, 11, 20)
ORDER = list(Condition)

days = st.one_of(
    st.just(TODAY),
    st.sampled_from([day + timedelta(days=step) for day in generated.boundaries(LAW) for step in (-1, 0)]),
    st.dates(date(2000, 1, 1), date(2030, 1, 1)),
)
_sector = st.sampled_from(list(LAW.sectors))
_common = {
    "holder_sector": _sector,
    "recipient_sector": _sector,
    "purpose": st.sampled_from(list(LAW.purposes)),
    "as_of": days,
    "subject_age": st.none() | st.integers(0, 130),
}
of_kind = st.builds(Question, kind=st.sampled_from(list(LAW.kinds)), **_common)
of_secrecy = st.builds(
    Question,
    secrecy=st.lists(st.sampled_from(list(LAW.secrecy)), unique=True, min_size=1, max_size=3).map(tuple),
    **_common,
)
questions = st.one_of(of_kind, of_secrecy)


@seed(SEED)
@MANY
@given(questions)
def test_the_secrecy_shown_is_what_was_named_or_what_locks_the_kind(question):
    shown = [rule["id"] for rule in explanation(question, LAW, "sv")["secrecy"]]
    covering = [rule.id for rule in LAW.secrecy.values() if (question.holder_sector, question.kind) in rule.applies]
    assert shown == (covering if question.secrecy is None else list(question.secrecy))


@seed(SEED)
@MANY
@given(questions)
def test_a_law_that_is_not_known_that_day_is_the_reason(question):
    answered = explanation(question, LAW, "sv")
    known = all(LAW.secrecy[rule["id"]].in_force(question.as_of) for rule in answered["secrecy"])
    known = known and any(rule.in_force(question.as_of) for rule in LAW.secrecy.values())
    assert answered.get("reason") == (None if known else "no-wording-in-force")
    assert known or answered["outcome"] == "withheld"


@seed(SEED)
@MANY
@given(questions)
def test_every_provision_is_answered_once_and_available_ones_come_first(question):
    shown = explanation(question, LAW, "en")["provisions"]
    assert sorted(entry["id"] for entry in shown) == sorted(LAW.provisions)
    fits = [entry["status"] == "available" for entry in shown]
    assert fits == sorted(fits, reverse=True)
    for entry in shown:
        assert (entry["status"] == "available") == (entry["lacks"] == [])
        places = [ORDER.index(Condition(lack["condition"])) for lack in entry["lacks"]]
        assert places == sorted(set(places))
        assert all(lack["required"] or lack["condition"] == "secrecy" for lack in entry["lacks"])
        assert entry.get("general", False) == LAW.provisions[entry["id"]].general


@seed(SEED)
@MANY
@given(questions)
def test_general_exits_decide_no_outcome(question):
    special = {name: provision for name, provision in LAW.provisions.items() if not provision.general}
    without = dataclasses.replace(LAW, provisions=special)
    assert outcome(question, LAW, assess(question, LAW)) == outcome(question, without, assess(question, without))


@seed(SEED)
@MANY
@given(questions)
def test_what_the_question_does_not_say_is_attested(question):
    for answer in assess(question, LAW):
        if answer.wording is None:
            continue
        stated = set(answer.attestations)
        assert len(stated) == len(answer.attestations)
        assert stated >= set(answer.wording.attestations)
        assert (stated >= set(ATTESTATIONS_OF_MAY)) == (answer.wording.type == "may")
        assert ("subject-age-verified" in stated) == (
            (answer.wording.age_from, answer.wording.age_below) != (None, None) and question.subject_age is None
        )
        assert ("kind-is-covered" in stated) == (answer.wording.kinds is not None and question.kind is None)
        assert stated <= set(LAW.attestations)


@seed(SEED)
@MANY
@given(of_kind, st.sampled_from(["private", "public"]))
def test_nothing_secret_reaches_a_private_recipient_but_by_a_rule_that_names_it(question, recipient):
    question = dataclasses.replace(question, recipient_sector=recipient)
    not_for_it = {
        name: provision
        for name, provision in LAW.provisions.items()
        if provision.general or not any(recipient in said.to_sectors for said in provision.wordings)
    }
    without = dataclasses.replace(LAW, provisions=not_for_it)
    assert outcome(question, without, assess(question, without)) in {"not-secret", "withheld"}


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "person"},
        {"kind": "Person-identity"},
        {"holder_sector": "polis"},
        {"kind": None, "secrecy": ("osl-99-9",)},
    ],
)
def test_a_question_about_what_the_law_does_not_know_is_no_answer(changes):
    known = Question("police", "social-services", "prevent-crime", TODAY, kind="person-identity")
    with pytest.raises(KeyError):
        explanation(dataclasses.replace(known, **changes), LAW, "sv")


def test_a_question_about_nothing_is_refused():
    with pytest.raises(ValueError, match="kind or secrecy"):
        assess(Question("police", "social-services", "prevent-crime", TODAY), LAW)


def _texts(value):
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("day", [date(2000, 1, 1), TODAY])
def test_the_whole_law_can_be_shown_on_any_day(language, day):
    shown = [provision_as_json(provision, LAW, language) for provision in LAW.provisions.values()]
    shown += [secrecy_as_json(rule, language, day) for rule in LAW.secrecy.values()]
    assert len(shown) == len(LAW.provisions) + len(LAW.secrecy)
    assert all(text.strip() for text in _texts(shown))


def test_what_a_provision_is_said_to_break_is_what_it_opens():
    rules = tuple(LAW.secrecy)
    asked = Question("police", "social-services", "prevent-crime", TODAY, secrecy=rules)
    for name, reading in reference.explain(asked, LAW).provisions.items():
        shown = provision_as_json(LAW.provisions[name], LAW, "sv")["wordings"][-1]
        assert set(shown["breaks"]) == reading.opens, name


@pytest.mark.parametrize("rule", [LAW.provisions["osl-10-18a"], LAW.secrecy["osl-26-1"]], ids=lambda rule: rule.id)
def test_a_wording_holds_from_its_first_day_up_to_and_not_on_its_last(rule):
    first = dataclasses.replace(rule.wordings[0], valid_from=date(2020, 1, 1), until=date(2021, 1, 1))
    second = dataclasses.replace(rule.wordings[0], valid_from=date(2021, 1, 1), until=date(2022, 1, 1))
    dated = dataclasses.replace(rule, wordings=(first, second))
    held = [dated.in_force(date(year, month, day)) for year, month, day in
            [(2019, 12, 31), (2020, 1, 1), (2020, 12, 31), (2021, 1, 1), (2021, 12, 31), (2022, 1, 1)]]  # fmt: skip
    assert held == [None, first, first, second, second, None]
