"""What the document for lawyers says of single edges, over laws of a few made-up rules."""

import dataclasses
from datetime import date, timedelta

import pytest

from policies.document.calendar import calendar
from policies.document.fields import fields
from policies.document.lists import secrecy as secrecy_section
from policies.document.lists import sources
from policies.document.rules import by_group, differences, reaches
from policies.document.words import Words, anchored_code, spans
from policies.model import SecrecyWording
from tests.unit.policies.tiny_law import END, PLACE, SAID, SECTORS, START, field, law, provision, secrecy, wording

ONE_DAY = timedelta(days=1)


def test_a_provision_is_grouped_by_its_latest_wording():
    became_shall = provision("osl-10-1", wording(type="may", until=END), wording(valid_from=END, type="shall"))
    became_may = provision("osl-10-2", wording(type="shall", until=END), wording(valid_from=END, type="may"))
    assert by_group(law([became_shall, became_may])) == ([], [became_may], [became_shall])


def test_a_wording_reaches_a_rule_only_if_both_are_in_force_some_day():
    rule = secrecy(wordings=(SecrecyWording(START, END, "reverse"),))
    for begins, reached in [(END - ONE_DAY, True), (END, False), (END + ONE_DAY, False)]:
        said = wording(valid_from=begins)
        assert reaches(provision("osl-10-1", said), said, rule) is reached, begins
    for ends, reached in [(START - ONE_DAY, False), (START, False), (START + ONE_DAY, True)]:
        said = wording(valid_from=date(2019, 1, 1), until=ends)
        assert reaches(provision("osl-10-1", said), said, rule) is reached, ends


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kinds": frozenset({"place"})}, "Uppgiftsslag: plats (förut: alla uppgiftsslag)"),
        ({"age_from": 15}, "Ålder: minst 15 år (förut: ingen åldersgräns)"),
        ({"equated_from": frozenset({"care"})}, "Bolag: omfattas också hos care sv (förut: enligt huvudregeln)"),
        ({"other_sector": True}, "Mellan: bara mellan olika sektorer (förut: även inom samma sektor)"),
        ({"from_sectors": frozenset({"care"})}, "som givare utgår police sv, school sv och guard sv"),
        ({"to_sectors": frozenset({"care"})}, "som mottagare utgår police sv, school sv och guard sv"),
        ({"type": "may"}, "Uppgiften: får lämnas (möjlighet) (förut: ska lämnas (uppgiftsskyldighet))"),
        ({}, "de kodade villkoren är desamma som förut"),
    ],
)
def test_a_new_wording_is_told_by_the_condition_that_it_changes(changes, said):
    words = Words(law())
    assert differences(wording(), wording(**changes), words) == said


def test_the_overview_shows_the_latest_harm_test_and_the_first_and_the_last_day():
    stages = (SecrecyWording(START, END, "straight"), SecrecyWording(END, date(2023, 1, 1), "reverse"))
    text = secrecy_section(Words(law(rules=[secrecy(wordings=stages)])))
    row = "| [cite osl-25-1](#osl-25-1) | sagt | den enskilde | omvänt | 1 januari 2020 | 31 december 2022 |"
    assert row in text.splitlines()


def test_every_rule_that_is_not_verified_is_listed_as_unsure():
    codes = ("?", "V", "W")
    rules = [secrecy(f"osl-25-{place}", confidence=code) for place, code in enumerate(codes, 1)]
    known = dataclasses.replace(law(rules=rules), confidences=dict.fromkeys(codes, SAID))
    unsure = sources(Words(known)).partition("osakra")[2]
    assert [f"](#{rule.id})" in unsure for rule in rules] == [True, False, True]


def test_a_field_is_shown_with_the_secrecy_of_its_own_holder_or_that_of_each():
    lock = secrecy("osl-25-1", applies=frozenset({("school", "name")}))
    by_each = "Sekretess hos den som håller raden, för varje uppgiftsslag:"
    held = [field("spot", PLACE, holder="school"), field("name", holder="school"), field("other", holder="care")]
    text = fields(Words(law(rules=[lock], fields=held)))
    assert [line.split(" | ")[2] for line in text.splitlines() if "(`" in line and line.startswith("| ")] == [
        "ingen; hålls av school sv",
        "[cite osl-25-1](#osl-25-1); hålls av school sv",
        "[ingen kodad](#ingen-sekretess); hålls av care sv",
    ]
    assert by_each not in text
    text = fields(Words(law(rules=[lock], fields=[field("spot", PLACE), field("name")])))
    assert [line.split(" | ")[2] for line in text.splitlines() if "(`" in line and line.startswith("| ")] == [
        "ingen",
        "enligt tabellen nedan",
    ]
    assert text.partition(by_each)[2].split("\n")[2:] == [
        "| Hos | Namn |",
        "| --- | --- |",
        "| Police sv och care sv | [ingen kodad](#ingen-sekretess) |",
        "| School sv | [cite osl-25-1](#osl-25-1) |",
    ]


def test_the_calendar_groups_a_provision_by_its_first_wording():
    rule = provision("osl-10-1", wording(type="may", until=END), wording(valid_from=END, type="shall"))
    text = calendar(Words(law([rule])))
    assert "- Möjligheter från denna dag: [cite osl-10-1](#osl-10-1)." in text.splitlines()


def test_a_code_is_anchored_by_its_own_letters_unless_it_has_none():
    assert anchored_code("kalla", "S1") == '<a id="kalla-s1"></a>S1'
    assert anchored_code("kalla", "1") == '<a id="kalla-1"></a>1'
    assert anchored_code("kalla", "?") == '<a id="kalla-oppen"></a>?'


def test_chapters_are_said_as_spans():
    assert spans(frozenset({10})) == "10"
    assert spans(frozenset({10, 12})) == "10 och 12"
    assert spans(frozenset({21, 22})) == "21–22"
    assert spans(frozenset({8, *range(21, 41), 44})) == "8, 21–40 och 44"


def test_only_everybody_is_said_as_all():
    words = Words(law())
    assert words.sectors(frozenset(SECTORS)) == "alla, även enskilda"
    assert words.sectors(frozenset({"care", "police", "school"})) == "alla myndigheter"
    assert words.sectors(frozenset({"care", "police"}), "eller") == "police sv eller care sv"
    assert words.sectors(frozenset({"guard", "police", "school"})) == "police sv, school sv och guard sv"
    assert not words.sectors(frozenset())
    assert words.sectors(frozenset({*SECTORS, "unheard-of"})) == "police sv, care sv, school sv och guard sv"
