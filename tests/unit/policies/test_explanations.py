"""The answer to *may I share this?* agrees with a plain reading of the law files, and is whole."""

import dataclasses
import os
import secrets
from datetime import date, timedelta

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from policies.assess import ATTESTATIONS_OF_MAY, assess
from policies.catalogue import law
from policies.explain import explanation, outcome, provision_as_json, secrecy_as_json
from policies.model import Condition, Question
from tests.unit.policies import plain_law as plain

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
print(f"SAMSYN_TEST_SEED={SEED}")
MANY = settings(max_examples=300, deadline=None, print_blob=True, database=None)

LAW = law()
TODAY = date(2026, 11, 20)
ORDER = list(Condition)

days = st.one_of(
    st.just(TODAY),
    st.sampled_from([day + timedelta(days=step) for day in plain.BOUNDARIES for step in (-1, 0)]),
    st.dates(date(2000, 1, 1), date(2030, 1, 1)),
)
_sector = st.sampled_from(plain.SECTORS)
_common = {
    "holder_sector": _sector,
    "recipient_sector": _sector,
    "purpose": st.sampled_from(plain.PURPOSES),
    "as_of": days,
    "subject_age": st.none() | st.integers(0, 130),
}
of_kind = st.builds(Question, kind=st.sampled_from(plain.KINDS), **_common)
of_secrecy = st.builds(
    Question,
    secrecy=st.lists(st.sampled_from(list(plain.SECRECY)), unique=True, min_size=1, max_size=3).map(tuple),
    **_common,
)
questions = st.one_of(of_kind, of_secrecy)


def locks(question):
    if question.secrecy is not None:
        return [plain.SECRECY[name] for name in question.secrecy]
    return plain.locks(question.kind, question.holder_sector)


def facts(question):
    return {
        "holder": question.holder_sector,
        "recipient": question.recipient_sector,
        "purpose": question.purpose,
        "day": question.as_of,
        "age": question.subject_age,
    }


@seed(SEED)
@MANY
@given(questions)
def test_outcome_is_that_of_a_plain_reading(question):
    answered = explanation(question, LAW, "sv")
    assert answered["outcome"] == plain.outcome(locks(question), **facts(question))
    assert [rule["id"] for rule in answered["secrecy"]] == [rule["id"] for rule in locks(question)]


@seed(SEED)
@MANY
@given(questions)
def test_available_provisions_are_those_of_a_plain_reading(question):
    if any(plain.wording(rule, question.as_of) is None for rule in locks(question)):
        # Nothing can be decided then: the outcome says so, and no list of provisions changes it.
        assert explanation(question, LAW, "sv")["reason"] == "no-wording-in-force"
        return
    found = {answer.provision.id for answer in assess(question, LAW) if answer.available}
    expected = {
        name for name, rule in plain.PROVISIONS.items() if plain.available(rule, locks(question), **facts(question))
    }
    assert found == expected


@seed(SEED)
@MANY
@given(questions)
def test_every_provision_is_answered_once_and_available_ones_come_first(question):
    shown = explanation(question, LAW, "en")["provisions"]
    assert sorted(entry["id"] for entry in shown) == sorted(plain.PROVISIONS)
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
            answer.wording.age_below is not None and question.subject_age is None
        )
        assert ("kind-is-covered" in stated) == (answer.wording.kinds is not None and question.kind is None)
        assert stated <= set(LAW.attestations)


@seed(SEED)
@MANY
@given(of_kind, st.sampled_from(["private", "public"]))
def test_nothing_secret_reaches_a_private_recipient_without_a_general_exit(question, recipient):
    question = dataclasses.replace(question, recipient_sector=recipient)
    assert explanation(question, LAW, "sv")["outcome"] in {"not-secret", "withheld"}


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
    assert len(shown) == len(plain.PROVISIONS) + len(plain.SECRECY)
    assert all(text.strip() for text in _texts(shown))


def test_what_a_provision_is_said_to_break_is_what_it_opens():
    for name, rule in plain.PROVISIONS.items():
        shown = provision_as_json(LAW.provisions[name], LAW, "sv")["wordings"][-1]
        opens = {lock["id"] for lock in plain.SECRECY.values() if plain.opens(rule, lock, TODAY)}
        assert set(shown["breaks"]) == opens, name


@pytest.mark.parametrize("rule", [LAW.provisions["osl-10-18a"], LAW.secrecy["osl-26-1"]], ids=lambda rule: rule.id)
def test_a_wording_holds_from_its_first_day_up_to_and_not_on_its_last(rule):
    first = dataclasses.replace(rule.wordings[0], valid_from=date(2020, 1, 1), until=date(2021, 1, 1))
    second = dataclasses.replace(rule.wordings[0], valid_from=date(2021, 1, 1), until=date(2022, 1, 1))
    dated = dataclasses.replace(rule, wordings=(first, second))
    held = [dated.in_force(date(year, month, day)) for year, month, day in
            [(2019, 12, 31), (2020, 1, 1), (2020, 12, 31), (2021, 1, 1), (2021, 12, 31), (2022, 1, 1)]]  # fmt: skip
    assert held == [None, first, first, second, second, None]
