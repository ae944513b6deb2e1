"""What is said of a change of the law, word for word, over laws of a few made-up rules."""

import dataclasses
from datetime import date

import pytest

from policies.changes.phrases import Names, by_sectors, joined, period, phrase, same, sentence
from policies.changes.rules import rule_changes
from policies.changes.text import Changes, changes, list_changes
from policies.model import LeftOut, SecrecyWording, Text
from tests.unit.policies import tiny_law as tiny
from tests.unit.policies.tiny_law import END, START

TINY = tiny.law()
LATER = date(2023, 1, 1)
MANY = {f"s{place}": same(f"S{place}") for place in range(9)}


# Phrases.


def test_a_phrase_is_filled_in_each_language():
    assert phrase("{} på {}", "{} at {}", Text("a", "b"), Text("c", "d")) == Text("a på c", "b at d")
    assert joined(iter([Text("a", "b"), Text("c", "d")])) == Text("a, c", "b, d")
    assert joined([Text("a", "b"), Text("c", "d")], "; ") == Text("a; c", "b; d")
    assert sentence(Text("a", "b.")) == Text("a.", "b.")
    assert sentence(Text("”a.”", "“b.“")) == Text("”a.”", "“b.“")


@pytest.mark.parametrize(
    ("start", "until", "said"),
    [
        (None, None, Text("Alltid", "Always")),
        (None, END, Text("Till och med 2021-12-31", "Through 2021-12-31")),
        (START, None, Text("Från 2020-01-01", "From 2020-01-01")),
        (START, END, Text("Från 2020-01-01 till och med 2021-12-31", "From 2020-01-01 through 2021-12-31")),
    ],
)
def test_a_period_is_said_in_both_languages(start, until, said):
    assert period(start, until) == said


def test_sectors_with_the_same_kinds_are_grouped():
    pairs = {("b", "x"), ("b", "y"), ("a", "y"), ("a", "x"), ("c", "x")}
    assert by_sectors(pairs) == [(["a", "b"], ["x", "y"]), (["c"], ["x"])]


def names_of(sectors=MANY, authorities=frozenset(), kinds=("place",), **changed):
    laws = dataclasses.replace(
        TINY, sectors=sectors, authorities=authorities, kinds={one: TINY.kinds[one] for one in kinds}, **changed
    )
    return Names(laws, laws)


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        (0, "alla"),
        (1, "alla utom S0"),
        (3, "alla utom S0, S1, S2"),
        (4, "S4, S5, S6, S7, S8"),
        (9, "ingen"),
    ],
)
def test_nearly_everybody_is_said_by_who_is_missing(lacking, said):
    assert names_of().of_sectors([*MANY][lacking:]).sv == said


def test_a_few_are_named_though_they_lack_few():
    six = {key: MANY[key] for key in [*MANY][:6]}
    seven = {key: MANY[key] for key in [*MANY][:7]}
    assert names_of(six).of_sectors(["s0", "s1", "s2"]).sv == "S0, S1, S2"
    assert names_of(seven).of_sectors(["s3", "s2", "s1", "s0"]).sv == "alla utom S4, S5, S6"


def test_the_circle_of_authorities_is_named_before_that_of_everybody():
    names = names_of(authorities=frozenset([*MANY][:8]))
    assert names.of_sectors([*MANY][:8]) == Text("alla myndigheter", "all authorities")
    assert names.of_sectors([*MANY][:7]) == Text("alla myndigheter utom S7", "all authorities but S7")
    assert names.of_sectors([*MANY][1:]) == Text("alla utom S0", "everybody but S0")
    assert names.of_sectors(MANY) == Text("alla", "everybody")
    assert names_of().of_sectors([]) == Text("ingen", "nobody")


def test_a_list_with_a_name_that_is_not_known_is_never_said_as_all():
    names = names_of(purposes=MANY)
    for said, mark in [(names.of_sectors([*MANY, "x"]), ", "), (names.of_purposes([*MANY, "x"]), " / ")]:
        assert said.sv == mark.join(["S0", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "x"])


def test_purposes_and_kinds_are_named_by_what_is_missing_where_it_is_little():
    names = names_of(purposes=MANY)
    assert names.of_purposes(MANY) == Text("alla", "all")
    assert names.of_purposes([*MANY][1:]) == Text("alla utom S0", "all but S0")
    assert names.of_purposes([*MANY][3:]) == Text("alla utom S0 / S1 / S2", "all but S0 / S1 / S2")
    assert names.of_purposes([*MANY][4:]).sv == "S4 / S5 / S6 / S7 / S8"
    assert names.of_purposes(["s1", "unheard-of", "s0", "new"]).sv == "S0 / S1 / new / unheard-of"
    few = names_of(purposes={key: MANY[key] for key in [*MANY][:6]})
    assert few.of_purposes(["s0", "s1", "s2"]).sv == "S0 / S1 / S2"
    assert names_of(kinds=("place", "name", "health")).of_kinds(["health", "place"]).sv == "plats / hälsa"


def test_the_later_law_says_what_a_thing_is_called():
    def law(word, rule):
        known = tiny.law([tiny.provision(rule, citation=f"P {word}")], [tiny.secrecy("osl-25-1", citation=f"S {word}")])
        return dataclasses.replace(
            known, attestations={"a": same(word), rule: same("x")}, references={"osl-1-1": word, rule: "never"}
        )

    names = Names(law("old", "osl-10-1"), law("new", "osl-10-2"))
    assert names.cited(["osl-10-2", "osl-10-1", "osl-25-1", "osl-1-1", "osl-9-9"]).sv == (
        "P new, P old, S new, new, osl-9-9"
    )
    assert names.attested(["osl-10-1", "a", "none"]) == Text("”x” ”new” ”none”", "“x” “new” “none”")


# Rules.


def told(old, new, language="sv"):
    return [getattr(one, language) for one in rule_changes(old, new, Names(old, new))]


def with_wordings(*wordings, **changed):
    return tiny.law([tiny.provision("osl-10-1", *wordings, **changed)], [tiny.secrecy()])


CALLED = "Ändras: bestämmelsen cite osl-10-1 (osl-10-1): "
SAID = CALLED + "lydelsen från 2020-01-01: "


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {"until": END}, "gäller till och med: nu 2021-12-31; förut tills vidare."),
        ({"until": END}, {}, "gäller till och med: nu tills vidare; förut 2021-12-31."),
        ({"age_from": 15}, {}, "lägsta ålder: nu ingen; förut 15."),
        ({}, {"purposes": frozenset({"count"})}, "ändamål: nu sagt; förut alla."),
        ({"kinds": frozenset({"name"})}, {"kinds": frozenset()}, "gäller inte längre uppgiftsslaget namn."),
        ({"kinds": frozenset({"name"})}, {"kinds": None}, "uppgiftsslag: nu alla; förut namn."),
        ({"kinds": None}, {"kinds": frozenset()}, "uppgiftsslag: nu ingen; förut alla."),
        ({"attestations": ("a", "b")}, {"attestations": ("b", "a")},
         "ska nu antecknas: ”b sv” ”a sv” (i annan ordning)."),
        ({"attestations": ("b", "a")}, {"attestations": ("a", "b")},
         "ska nu antecknas: ”a sv” ”b sv” (i annan ordning)."),
        ({"attestations": ("a",)}, {"attestations": ("a", "b")}, "ska nu antecknas: ”b sv”."),
        ({"other_sector": True}, {}, "bara mellan olika sektorer: nu nej; förut ja."),
        ({"equated_from": frozenset({"care"})}, {}, "binder inte längre bolag inom care sv."),
        ({"open_questions": (tiny.asked(),)}, {"open_questions": (tiny.asked(equated=True),)},
         "fråga 7: bara myndigheter genom 2 kap. 3 § OSL: nu ja; förut nej."),
        ({"open_questions": (tiny.asked(),)},
         {"open_questions": (tiny.asked(secrecy=frozenset({"osl-25-1"}), from_sectors=frozenset({"care"})),)},
         "fråga 7: sekretess: nu cite osl-25-1; förut alla."),
        ({"open_questions": (tiny.asked(),)}, {"open_questions": (tiny.asked(), tiny.asked())},
         "stängs nu av fråga 7: sagt."),
        ({"open_questions": (tiny.asked(), tiny.asked())}, {"open_questions": (tiny.asked(),)},
         "stängs inte längre av fråga 7: sagt."),
        ({"breaks": tiny.breaks(chapters=frozenset({9, 10}))}, {"breaks": tiny.breaks(chapters=frozenset({21, 3}))},
         "bryter nu även sekretess i kapitel 3, 21."),
        ({"breaks": tiny.breaks(rules=frozenset({"osl-27-1"}))},
         {"breaks": tiny.breaks(rules=frozenset({"osl-27-1", "osl-26-2", "osl-26-1"}))},
         "bryter nu även osl-26-1, osl-26-2."),
    ],
)  # fmt: skip
def test_each_attribute_of_a_wording_is_told_by_what_it_was_and_is(before, after, said):
    sentences = told(with_wordings(tiny.wording(**before)), with_wordings(tiny.wording(**after)))
    assert sentences[0] == SAID + said
    assert all(one.startswith(SAID) for one in sentences)


@pytest.mark.parametrize("other", [6, 8])
def test_a_question_is_the_same_whatever_other_numbers_stand_before_it(other):
    both = tiny.wording(open_questions=(tiny.asked(number=other), tiny.asked()))
    one = tiny.wording(open_questions=(tiny.asked(),))
    assert told(with_wordings(both), with_wordings(one)) == [SAID + f"stängs inte längre av fråga {other}: sagt."]
    assert told(with_wordings(one), with_wordings(both)) == [SAID + f"stängs nu av fråga {other}: sagt."]


def test_rules_are_told_in_the_order_of_the_new_law_and_those_that_went_after_them():
    old = tiny.law([tiny.provision("osl-10-1"), tiny.provision("osl-10-2")], [tiny.secrecy("osl-25-1")])
    new = tiny.law([tiny.provision("osl-10-3"), tiny.provision("osl-10-2", source="S2")], [tiny.secrecy("osl-26-1")])
    assert told(old, new) == [
        "Tillkommer: sekretessbestämmelsen cite osl-26-1 (osl-26-1), ”sagt”.",
        "Utgår: sekretessbestämmelsen cite osl-25-1 (osl-25-1), ”sagt”.",
        "Tillkommer: bestämmelsen cite osl-10-3 (osl-10-3), ”sagt”.",
        "Ändras: bestämmelsen cite osl-10-2 (osl-10-2): källa: nu S2; förut S1.",
        "Utgår: bestämmelsen cite osl-10-1 (osl-10-1), ”sagt”.",
    ]
    assert told(old, new, "en")[1] == "Removed: the secrecy rule cite osl-25-1 (osl-25-1), “said”."


def test_a_wording_with_the_same_first_day_is_the_same_and_the_rest_are_paired_in_order():
    one, two = tiny.wording(until=END), tiny.wording(valid_from=END)
    earlier = tiny.wording(valid_from=date(2019, 1, 1), until=START)
    assert told(with_wordings(two), with_wordings(one, two)) == [
        CALLED + "tillkommer: lydelsen från 2020-01-01.",
    ]
    assert told(with_wordings(one, two), with_wordings(two)) == [CALLED + "utgår: lydelsen från 2020-01-01."]
    shifted = dataclasses.replace(one, valid_from=date(2020, 2, 1))
    assert told(with_wordings(earlier, one, two), with_wordings(shifted, two)) == [
        CALLED + "lydelsen från 2019-01-01: gäller från: nu 2020-02-01; förut 2019-01-01.",
        CALLED + "lydelsen från 2019-01-01: gäller till och med: nu 2021-12-31; förut 2019-12-31.",
        CALLED + "utgår: lydelsen från 2020-01-01.",
    ]
    duty = dataclasses.replace(two, valid_from=LATER, type="may")
    ended = dataclasses.replace(two, until=LATER)
    assert told(with_wordings(one, two), with_wordings(one, ended, duty))[1:] == [
        CALLED + "tillkommer: lydelsen från 2023-01-01.",
        CALLED + "lydelsen från 2023-01-01: slag: nu får lämnas (möjlighet); förut ska lämnas (uppgiftsskyldighet).",
    ]


def test_a_secrecy_rule_is_told_by_its_stages_its_reach_and_what_is_closed():
    old = tiny.secrecy("osl-25-1", wordings=(SecrecyWording(START, None, "reverse"),))
    new = tiny.secrecy(
        "osl-25-1",
        wordings=(SecrecyWording(START, END, "straight"), SecrecyWording(END, None, "absolute")),
        applies=frozenset({("care", "name"), ("school", "name"), ("police", "name")}),
        closed_to_chapters=frozenset({10, 9}),
        not_held=tiny.SAID,
        protects="operation",
    )
    start = "Ändras: sekretessbestämmelsen cite osl-25-1 (osl-25-1): "
    assert told(tiny.law(rules=[old]), tiny.law(rules=[new])) == [
        start + "skyddar: nu verksamheten; förut den enskilde.",
        start + "bryts inte längre av kapitel 9, 10.",
        start + "varför Samsyn inte håller sådana uppgifter: nu sagt; förut ingen.",
        start + "gäller nu även namn hos police sv, school sv.",
        start + "gäller inte längre hälsa hos care sv.",
        start + "lydelsen från 2020-01-01: gäller till och med: nu 2021-12-31; förut tills vidare.",
        start + "lydelsen från 2020-01-01: skaderekvisit: nu rakt skaderekvisit; förut omvänt skaderekvisit.",
        start + "tillkommer: lydelsen från 2022-01-01.",
        start + "lydelsen från 2022-01-01: skaderekvisit: nu absolut sekretess; förut rakt skaderekvisit.",
    ]


# Lists.


def listed(old, new, language="sv"):
    return [getattr(one, language) for one in list_changes(old, new, Names(old, new))]


def test_entries_of_a_list_are_told_new_ones_first_and_by_both_words():
    old = dataclasses.replace(TINY, sources={"S1": tiny.SAID, "S2": tiny.SAID, "S3": tiny.SAID})
    new = dataclasses.replace(TINY, sources={"S4": tiny.SAID, "S2": Text("nytt", "new"), "S3": tiny.SAID})
    assert listed(old, new) == [
        "Tillkommer: källan `S4`: sagt.",
        "Ändras: källan `S2`: nu nytt; förut sagt.",
        "Utgår: källan `S1`: sagt.",
    ]
    assert listed(old, new, "en")[1] == "Changed: the source `S2`: now new; before said."


def test_what_is_left_out_is_told_with_its_planned_day():
    old = dataclasses.replace(TINY, left_out=(LeftOut("1 §", tiny.SAID, None),))
    new = dataclasses.replace(TINY, left_out=(LeftOut("1 §", tiny.SAID, LATER),))
    assert listed(old, new) == ["Ändras: den utelämnade regeln `1 §`: nu sagt (väntas 2023-01-01); förut sagt."]


def test_authorities_are_told_one_by_one():
    new = dataclasses.replace(TINY, authorities=frozenset({"police", "guard"}))
    assert listed(TINY, new) == [
        "Ändras: guard sv räknas nu som myndighet.",
        "Ändras: care sv räknas inte längre som myndighet.",
        "Ändras: school sv räknas inte längre som myndighet.",
    ]


def test_answers_of_no_secrecy_are_told_by_their_reason():
    why, other = Text("skäl", "why"), Text("annat", "other")
    old = dataclasses.replace(TINY, no_secrecy={("care", "name"): why, ("police", "name"): why})
    new = dataclasses.replace(
        TINY,
        no_secrecy={
            ("care", "name"): other,
            ("police", "name"): why,
            ("school", "name"): other,
            ("care", "place"): why,
        },
    )
    assert listed(old, new) == [
        "Tillkommer: svaret ”ingen sekretessregel” för namn hos care sv, school sv: annat.",
        "Tillkommer: svaret ”ingen sekretessregel” för plats hos care sv: skäl.",
        "Utgår: svaret ”ingen sekretessregel” för namn hos care sv: skäl.",
    ]


def test_a_field_is_told_with_all_that_it_is():
    plain, full = tiny.field("a"), tiny.field("b", holder="school", sources=("x.y", "x.z"), individual=True, key=True)
    new = dataclasses.replace(TINY, fields={(one.resource, one.name): one for one in (plain, full)})
    assert listed(TINY, new) == [
        "Tillkommer: fältet `person.a`: slag name, hålls av den som raden anger.",
        (
            "Tillkommer: fältet `person.b`: slag name, hålls av school, härleds ur x.y, x.z, gäller en person, "
            "följer med raden."
        ),
    ]


def test_any_other_version_has_changed():
    older = dataclasses.replace(TINY, authorities=frozenset(), version="a")
    newer = dataclasses.replace(TINY, version="b")
    assert changes(older, newer, "sv").rules
    assert changes(newer, older, "sv").rules


def test_a_law_of_the_same_version_has_not_changed():
    assert changes(TINY, dataclasses.replace(TINY, authorities=frozenset()), "sv") == Changes((), ())


def test_a_change_is_told_in_the_language_asked_for():
    old, new = with_wordings(tiny.wording()), with_wordings(tiny.wording(until=END))
    for language, rule, outcome in [
        ("sv", SAID + "gäller till och med: nu 2021-12-31; förut tills vidare.", "Från 2022-01-01: care sv → alla; "),
        ("en", ("Changed: the provision cite osl-10-1 (osl-10-1): the wording from 2020-01-01: in force through: now "
         "2021-12-31; before until further notice."), "From 2022-01-01: care en → everybody; "),
    ]:  # fmt: skip
        said = changes(old, new, language)
        assert said.rules == (rule,)
        assert [one[: len(outcome)] for one in said.outcomes] == [outcome]
