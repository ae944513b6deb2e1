"""How many receipts a change of the law files gives another answer, and to whom it matters."""

import dataclasses
from datetime import date

from policies.impact import impact, in_words
from policies.model import Facts, Holder, LiveDecision
from policies.replay import read_entry
from tests.unit.policies import tiny_law as tiny
from tests.unit.policies.receipts import entry_of

FIELDS = [tiny.field("name"), tiny.field("health", tiny.HEALTH), tiny.field("place", tiny.PLACE)]


def law(*wordings, general=False, extra=()):
    rule = tiny.provision("osl-10-1", *wordings, general=general)
    return tiny.law([rule, *extra], [tiny.secrecy()], FIELDS)


def asked(purpose="prevent", caller="police", fields=("name", "health", "place"), decided=True):
    decision = LiveDecision("b-1", "care", "osl-10-1", "prevent", frozenset({"name", "health"}))
    return Facts(
        caller_sector=caller,
        resource="person",
        fields=fields,
        holders=(Holder("care", own=False),),
        purpose=purpose,
        case_reference=True,
        decisions=(decision,) if decided else (),
    )


def records(*some_facts, by, day=tiny.DAY):
    return [read_entry(entry_of([facts], by, day)) for facts in some_facts]


def test_a_change_that_matters_to_nobody_touches_no_receipt():
    old, new = law(tiny.wording()), law(tiny.wording(type="may", attestations=("a",)))
    found = impact(records(asked(), asked(purpose=None), by=old), old, new)
    assert (found.receipts, found.differ, found.groups) == (2, 0, {})
    assert in_words(found, new, "sv") == ["0 av 2 kvitton skulle ha fått ett annat svar."]
    assert in_words(found, new, "en") == ["0 of 2 receipts would have had another answer."]


def test_what_is_lost_is_told_by_holder_kind_recipient_and_purpose():
    old, new = law(tiny.wording()), law(tiny.wording(kinds=frozenset({"name"})))
    found = impact(records(asked(), asked(caller="school"), asked(decided=False), by=old), old, new)
    # The provision closes for health: two had it under a decision; to the third it is only told otherwise.
    assert (found.receipts, found.differ) == (3, 3)
    to_police, to_school = ("care", "health", "police", "prevent"), ("care", "health", "school", "prevent")
    assert list(found.groups) == [to_police, to_school], "the largest first"
    assert (found.groups[to_police].receipts, found.groups[to_school].receipts) == (2, 1)
    assert found.groups[to_police].lost == {"person.health"} == found.groups[to_police].otherwise
    assert (found.groups[to_school].lost, found.groups[to_school].otherwise) == ({"person.health"}, set())
    what = "ändamål: sagt; uppgift: hälsa: lämnas inte längre: person.health"
    assert in_words(found, new, "sv") == [
        "3 av 3 kvitton skulle ha fått ett annat svar.",
        f"2: care sv → police sv; {what}; på annan grund: person.health.",
        f"1: care sv → school sv; {what}.",
    ]


def test_what_is_gained_is_told_as_gained():
    old, new = law(tiny.wording(kinds=frozenset({"name"}))), law(tiny.wording())
    found = impact(records(asked(), by=old), old, new)
    (group,) = found.groups.values()
    assert (group.gained, group.lost, group.otherwise) == ({"person.health"}, set(), set())
    assert in_words(found, new, "en")[1] == (
        "1: care en → police en; purpose: said; kind: health: now released: person.health."
    )


def test_another_ground_or_age_is_neither_gain_nor_loss():
    old, new = law(tiny.wording()), law(tiny.wording(age_below=18))
    found = impact(records(asked(fields=("name",)), by=old), old, new)
    (group,) = found.groups.values()
    assert (group.gained, group.lost, group.otherwise) == (set(), set(), {"person.name"})
    assert "on other grounds: person.name." in in_words(found, new, "en")[1]


def test_every_receipt_is_decided_by_the_law_of_its_own_day():
    new_from = date(2021, 7, 1)
    old = law(tiny.wording())
    new = law(tiny.wording(until=new_from), tiny.wording(valid_from=new_from, purposes=frozenset({"count"})))
    before, after = records(asked(), by=old, day=tiny.DAY), records(asked(), by=old, day=new_from)
    assert impact(before, old, new).differ == 0
    assert impact(after, old, new).differ == 1


def test_fields_that_only_one_law_knows_and_words_that_neither_knows_are_told_all_the_same():
    old = law(tiny.wording())
    rest = {key: field for key, field in old.fields.items() if key != ("person", "health")}
    shared = {**rest, ("person", "name"): tiny.field("name", tiny.PLACE)}
    new = dataclasses.replace(old, version="other-fields", fields=shared, purposes={}, sectors={"care": tiny.SAID})
    found = impact(records(asked(), by=old), old, new)
    assert found.groups[("care", "health", "police", "prevent")].lost == {"person.health"}
    # What has become open to all has no holder any more.
    assert found.groups[(None, "place", "police", "prevent")].gained == {"person.name"}
    said = in_words(found, dataclasses.replace(new, kinds={}), "en")
    assert "1: all → police; purpose: prevent; kind: place: now released: person.name." in said
    again = impact(records(asked(purpose=None), by=old), old, new)
    assert "purpose: none; kind: health" in " ".join(in_words(again, new, "en"))
    assert impact(records(asked(), by=old), new, old).groups[("care", "health", "police", "prevent")].gained


def test_a_receipt_counts_once_however_many_of_its_fields_differ():
    old, new = law(tiny.wording()), law(tiny.wording(purposes=frozenset({"count"})))
    found = impact(records(asked(), by=old), old, new)
    assert (found.receipts, found.differ) == (1, 1)
    # Of groups that are equally large, the order is that of what they concern.
    assert [(circle[1], group.receipts) for circle, group in found.groups.items()] == [("health", 1), ("name", 1)]
