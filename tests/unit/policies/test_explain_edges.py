"""What people and programs read, word for word, over a law of a few made-up rules."""

import dataclasses
from datetime import date, timedelta

import pytest

from policies import explain as explain_module
from policies.assess import assess
from policies.decide import decide
from policies.explain import (
    disclosure,
    explanation,
    outcome,
    provision_as_json,
    released_as_json,
    secrecy_as_json,
    withheld_as_json,
)
from policies.model import CouldOpen, Facts, Holder, Released, RowRule, SecrecyWording, Text, Withheld
from tests.unit.policies.tiny_law import (
    DAY,
    END,
    NAME,
    PLACE,
    START,
    asked,
    breaks,
    field,
    law,
    provision,
    question,
    secrecy,
    wording,
)

GUARD = frozenset({"guard"})
ENDED = secrecy("osl-25-1", wordings=(SecrecyWording(START, END, "straight"),))


# What a decision says.


def test_released_names_holder_and_decision_where_there_is_one():
    plain = Released("spot", "no-secrecy", "6 kap. 5 § OSL", RowRule("any"))
    assert released_as_json(plain) == {"field": "spot", "ground": "no-secrecy", "citation": "6 kap. 5 § OSL"}
    decided = Released("name", "osl-10-1", "cite", RowRule("decision", "d1"), "care", "d1")
    assert released_as_json(decided) == {
        "field": "name", "ground": "osl-10-1", "citation": "cite", "holderSector": "care", "decision": "d1",
    }  # fmt: skip


def test_withheld_names_what_could_open_it():
    entry = Withheld("name", "no-decision", ("osl-25-1",), "cite", "care", (CouldOpen("osl-10-1", ("decision",)),))
    assert withheld_as_json(entry) == {
        "field": "name",
        "holderSector": "care",
        "secrecy": ["osl-25-1"],
        "citation": "cite",
        "reason": "no-decision",
        "couldOpen": [{"provision": "osl-10-1", "lacks": ["decision"]}],
    }


def decided(laws, resource="person", purpose="prevent"):
    asking = Facts("police", resource, ("spot", "name"), (Holder("care", own=False),), purpose, case_reference=True)
    return decide(asking, laws, DAY)


def test_disclosure_lists_every_decision_and_names_the_resources_after_the_first():
    fields = [
        dataclasses.replace(field(name, kind), resource=resource)
        for resource in ("note", "person", "visit")
        for name, kind in (("spot", PLACE), ("name", NAME))
    ]
    laws = law(rules=[secrecy()], fields=fields)
    made = [decided(laws), decided(laws, "note"), decided(laws), decided(laws, "visit")]
    shown = disclosure(iter(made), receipt="r1")
    assert list(shown) == ["policyVersion", "asOf", "purpose", "receipt", "released", "withheld"]
    assert (shown["policyVersion"], shown["asOf"]) == (laws.version, "2021-06-15")
    assert (shown["purpose"], shown["receipt"]) == ("prevent", "r1")
    assert [entry["field"] for entry in shown["released"]] == ["spot", "note.spot", "spot", "visit.spot"]
    assert [entry["field"] for entry in shown["withheld"]] == ["name", "note.name", "name", "visit.name"]
    assert shown["released"][0] == {"field": "spot", "ground": "no-secrecy", "citation": "6 kap. 5 § OSL"}
    assert shown["withheld"][0]["reason"] == "no-provision"


def test_disclosure_says_nothing_of_a_purpose_or_a_receipt_that_there_is_not():
    laws = law(rules=[secrecy()], fields=[field("spot", PLACE), field("name")])
    shown = disclosure([decided(laws, purpose=None)], receipt=None)
    assert list(shown) == ["policyVersion", "asOf", "released", "withheld"]
    with pytest.raises(TypeError):
        disclosure([decided(laws)], "r1")


# May this be shared?


def test_an_explanation_says_it_all():
    rule = provision("osl-10-1", wording(attestations=("a",)), title=Text("rubrik", "title"))
    general = provision("osl-10-2", wording(type="may", to_sectors=GUARD, purposes=frozenset({"count"})), general=True)
    laws = law([general, rule], [secrecy()])
    shown = explanation(question(), laws, "sv")
    assert list(shown) == ["outcome", "text", "policyVersion", "asOf", "secrecy", "provisions"]
    assert (shown["outcome"], shown["policyVersion"], shown["asOf"]) == ("needs-decision", laws.version, "2021-06-15")
    assert shown["text"] == explain_module._OUTCOMES["needs-decision"].sv
    assert shown["secrecy"] == [secrecy_as_json(secrecy(), "sv", DAY)]
    assert shown["provisions"] == [
        {
            "id": "osl-10-1",
            "citation": "cite osl-10-1",
            "title": "rubrik",
            "type": "shall",
            "status": "available",
            "lacks": [],
            "attestations": [{"id": "a", "text": "a sv"}],
        },
        {
            "id": "osl-10-2",
            "citation": "cite osl-10-2",
            "title": "sagt",
            "type": "may",
            "status": "inapplicable",
            "lacks": [
                {"condition": "to-sector", "required": "guard", "actual": "police"},
                {"condition": "purpose", "required": "count", "actual": "prevent"},
            ],
            "attestations": [
                {"id": "data-protection-check", "text": "data-protection-check sv"},
                {"id": "receiver-secrecy", "text": "receiver-secrecy sv"},
            ],
            "general": True,
        },
    ]
    english = explanation(question(), laws, "en")
    assert english["text"] == explain_module._OUTCOMES["needs-decision"].en
    assert english["provisions"][0]["title"] == "title"
    assert english["provisions"][0]["attestations"][0]["text"] == "a en"


def test_a_provision_not_in_force_is_of_the_type_of_its_last_wording():
    rule = provision("osl-10-1", wording(valid_from=END, until=date(2023, 1, 1)),
                     wording(valid_from=date(2023, 1, 1), type="may"))  # fmt: skip
    laws = law([rule], [secrecy()])
    for day, kind in [(DAY, "may"), (END, "shall"), (date(2023, 1, 1), "may")]:
        (entry,) = explanation(question(as_of=day), laws, "sv")["provisions"]
        assert entry["type"] == kind, day


@pytest.mark.parametrize(
    ("facts", "said", "rules", "expected"),
    [
        ({}, wording(), [secrecy()], "needs-decision"),
        ({}, wording(to_sectors=GUARD), [secrecy()], "withheld"),
        ({"holder_sector": "police"}, wording(), [secrecy()], "not-secret"),
        ({"holder_sector": "police"}, wording(to_sectors=GUARD), [secrecy()], "not-secret"),
        ({"as_of": START - timedelta(days=1)}, wording(), [secrecy()], "withheld"),
        ({"as_of": START - timedelta(days=1), "holder_sector": "police"}, wording(), [secrecy()], "withheld"),
        ({"as_of": END}, wording(), [ENDED, secrecy("osl-26-1", applies=frozenset())], "withheld"),
        ({"as_of": END, "holder_sector": "police"}, wording(), [ENDED, secrecy("osl-26-1")], "not-secret"),
    ],
)
def test_outcome_and_reason_of_each_case(facts, said, rules, expected):
    laws = law([provision("osl-10-1", said)], rules)
    wanted = question(**facts)
    assert outcome(wanted, laws, assess(wanted, laws)) == expected
    shown = explanation(wanted, laws, "sv")
    assert shown["outcome"] == expected
    assert shown["text"] == explain_module._OUTCOMES[expected].sv
    dark = facts.get("as_of", DAY) != DAY and expected == "withheld"
    assert shown.get("reason") == ("no-wording-in-force" if dark else None)


# The law itself.


def test_a_secrecy_rule_is_shown_with_the_harm_test_of_the_day():
    stages = (SecrecyWording(START, END, "straight"), SecrecyWording(END, date(2023, 1, 1), "reverse"))
    covered = frozenset({("school", "name"), ("care", "name"), ("care", "health")})
    rule = secrecy("osl-25-1", wordings=stages, applies=covered, title=Text("rubrik", "title"))
    shown = secrecy_as_json(rule, "en", DAY)
    assert shown == {
        "id": "osl-25-1",
        "citation": "cite osl-25-1",
        "title": "title",
        "protects": "individual",
        "harmTest": "straight",
        "inForceFrom": "2020-01-01",
        "covers": [
            {"holderSector": "care", "kinds": ["health", "name"]},
            {"holderSector": "school", "kinds": ["name"]},
        ],
    }
    assert secrecy_as_json(rule, "sv", DAY)["title"] == "rubrik"
    for day, harm_test in [(END, "reverse"), (date(2023, 1, 1), None), (START - timedelta(days=1), None)]:
        assert secrecy_as_json(rule, "sv", day)["harmTest"] == harm_test


def test_a_provision_is_shown_with_every_wording():
    first = wording(until=END)
    second = wording(
        valid_from=END,
        type="may",
        from_sectors=frozenset({"school", "care"}),
        to_sectors=frozenset({"police"}),
        other_sector=True,
        equated_from=frozenset({"school", "care"}),
        purposes=frozenset({"prevent", "count"}),
        breaks=breaks(harm_tests=frozenset({"straight"}), rules=frozenset({"osl-26-1"}),
                      excepts=frozenset({"osl-27-1", "osl-26-2"})),
        kinds=frozenset({"name", "health"}),
        age_from=15,
        age_below=21,
        initiative=frozenset({"own-initiative", "on-request"}),
        attestations=("b", "a"),
        open_questions=(asked(),),
    )  # fmt: skip
    rules = [
        secrecy("osl-25-1", wordings=(SecrecyWording(START, None, "straight"),)),
        secrecy("osl-26-1"),
        secrecy("osl-26-2", wordings=(SecrecyWording(START, None, "straight"),)),
        secrecy("osl-28-1"),
    ]
    laws = law(rules=rules)
    shown = provision_as_json(provision("osl-10-1", first, second, title=Text("rubrik", "title")), laws, "en")
    assert {key: value for key, value in shown.items() if key != "wordings"} == {
        "id": "osl-10-1",
        "citation": "cite osl-10-1",
        "title": "title",
        "general": False,
        "source": "S1",
        "confidence": "V",
    }
    assert shown["wordings"] == [
        {
            "from": "2020-01-01",
            "until": "2022-01-01",
            "type": "shall",
            "fromSectors": ["care", "guard", "police", "school"],
            "toSectors": ["care", "guard", "police", "school"],
            "otherSectorOnly": False,
            "equatedFromSectors": [],
            "purposes": None,
            "breaks": ["osl-25-1", "osl-26-1", "osl-26-2", "osl-28-1"],
            "excepts": [],
            "kinds": None,
            "subjectAgeFrom": None,
            "subjectAgeBelow": None,
            "initiative": ["on-request"],
            "attestations": [],
            "openQuestions": [],
        },
        {
            "from": "2022-01-01",
            "until": None,
            "type": "may",
            "fromSectors": ["care", "school"],
            "toSectors": ["police"],
            "otherSectorOnly": True,
            "equatedFromSectors": ["care", "school"],
            "purposes": ["count", "prevent"],
            "breaks": ["osl-25-1", "osl-26-1"],
            "excepts": ["osl-26-2", "osl-27-1"],
            "kinds": ["health", "name"],
            "subjectAgeFrom": 15,
            "subjectAgeBelow": 21,
            "initiative": ["on-request", "own-initiative"],
            "attestations": [{"id": "b", "text": "b en"}, {"id": "a", "text": "a en"}],
            "openQuestions": [{"number": 7, "text": "said"}],
        },
    ]
    assert provision_as_json(provision(general=True), laws, "sv")["general"] is True
    assert provision_as_json(provision(), laws, "sv")["title"] == "sagt"
