"""Values of the law layer: none can be changed, and what is not said has one meaning."""

import dataclasses
from datetime import date, timedelta

import pytest

from policies import decide, matrix, model
from policies.changes import effects, rules, text
from policies.model import Assessment, Condition, Facts, Holder, Lack, LiveDecision, Question, RowRule
from tests.unit.policies.tiny_law import (
    DAY,
    END,
    HEALTH,
    NAME,
    PLACE,
    START,
    field,
    law,
    provision,
    secrecy,
    wording,
)

ONE_DAY = timedelta(days=1)
NO_VALUES = {"Condition", "_Key", "_Item"}
VALUES = [
    value
    for module in (decide, matrix, model, effects, rules, text)
    for value in vars(module).values()
    if isinstance(value, type) and value.__module__ == module.__name__ and value.__name__ not in NO_VALUES
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__qualname__)
def test_every_value_is_frozen_and_holds_nothing_that_it_does_not_name(value):
    assert dataclasses.is_dataclass(value)
    assert value.__dataclass_params__.frozen
    assert "__slots__" in vars(value)


@pytest.mark.parametrize(
    "wordings",
    [secrecy(wordings=(model.SecrecyWording(START, END, "straight"),)), provision("osl-10-1", wording(until=END))],
    ids=["a secrecy rule", "a provision"],
)
def test_a_wording_is_in_force_from_its_first_day_until_before_its_end(wordings):
    (said,) = wordings.wordings
    for day, found in [
        (START - ONE_DAY, None),
        (START, said),
        (DAY, said),
        (END - ONE_DAY, said),
        (END, None),
        (END + ONE_DAY, None),
    ]:
        assert wordings.in_force(day) is found, day


@pytest.mark.parametrize("rule", [secrecy(), provision()], ids=["a secrecy rule", "a provision"])
def test_an_open_ended_wording_does_not_end(rule):
    assert rule.in_force(START - ONE_DAY) is None
    assert rule.in_force(date.max) is rule.wordings[0]


def test_companies_count_as_authorities_in_osl_and_general_exits():
    assert provision("osl-10-1").equates
    assert provision("sol-10-1", general=True).equates
    assert not provision("sol-10-1").equates


def test_rules_of_a_kind_at_a_holder_are_those_that_cover_both():
    first, second = secrecy("osl-25-1"), secrecy("osl-26-1", applies=frozenset({("school", "name"), ("care", "name")}))
    known = law(rules=[first, second])
    assert known.secrecy_of("name", "care") == (first, second)
    assert known.secrecy_of("health", "care") == (first,)
    assert known.secrecy_of("name", "school") == (second,)
    assert known.secrecy_of("name", "police") == known.secrecy_of("health", "school") == ()


def test_fields_of_a_resource_are_its_own_in_the_order_of_the_law():
    fields = [field("b", PLACE), dataclasses.replace(field("x"), resource="note"), field("a", HEALTH), field("c", NAME)]
    known = law(fields=fields)
    assert known.fields_of("person") == (fields[0], fields[2], fields[3])
    assert known.fields_of("note") == (fields[1],)
    assert known.fields_of("other") == ()


def test_what_is_not_said_of_parties_and_rows_is_not_so():
    asked = Facts("police", "person", ("name",))
    assert (asked.holders, asked.purpose, asked.legal_basis, asked.case_reference) == ((), None, None, False)
    assert (asked.decisions, asked.caller_equated) == ((), False)
    assert not LiveDecision("d", "care", "osl-10-1", "prevent", frozenset()).holder_equated
    question = Question("care", "police", "prevent", DAY)
    assert (question.kind, question.secrecy, question.subject_age) == (None, None, None)
    assert (question.holder_equated, question.recipient_equated) == (False, False)
    rows = RowRule("any")
    assert (rows.decision, rows.age_below, rows.age_from) == (None, None, None)
    assert (wording().other_sector, wording().equated_from) == (False, frozenset())
    assert Holder("care", own=False) != Holder("care", own=True)


def test_an_answer_is_available_where_nothing_is_lacking():
    assert Assessment(provision(), wording(), (), frozenset(), ()).available
    lack = Lack(Condition.PURPOSE, "a", "b")
    assert not Assessment(provision(), wording(), (lack,), frozenset(), ()).available
