"""A grant that the law does not allow has an obstacle for each reason, and one that lacks nothing has none."""

import dataclasses
from datetime import date, timedelta

import pytest

from policies.catalogue import law as shipped
from policies.explain import checklist_as_json
from policies.grants import Item, Way, check_grant, check_kind, check_request, is_duty, unattested
from policies.model import Condition, Lack
from tests.unit.policies.tiny_law import (
    DAY,
    END,
    HEALTH,
    START,
    asked,
    breaks,
    field,
    law,
    provision,
    secrecy,
    wording,
)

LAW = shipped()
TODAY = date(2026, 11, 20)
YOUNG = Item(date(2009, 5, 4))
FROM_CARE = Way("osl-10-1", "on-request", "prevent", "care", "police", DAY)
ANYBODY = Item(None)
PLACE_OF_PROTECTED = secrecy("osl-21-3", applies=frozenset())


def fields(*names):
    return [LAW.fields["individual", name] for name in names]


def way(provision, holder, recipient, purpose="prevent-crime", initiative="on-request", day=TODAY, **changes):
    return Way(provision, initiative, purpose, holder, recipient, day, **changes)


def granting(stands, names, items, known):
    return check_grant(stands, names, {f"items[{nth}]": item for nth, item in enumerate(items)}, known)


def told(check):
    return [(one.where, one.lack.condition.value, one.citation) for one in check.obstacles]


# --- our law --------------------------------------------------------------------------------------------------------

SOCIAL_TO_POLICE = way("osl-10-18a", "social-services", "police")


def test_social_services_may_tell_the_police_of_a_17_year_old_at_risk():
    check = granting(SOCIAL_TO_POLICE, fields("name", "birthDate", "role"), [YOUNG], LAW)
    assert check.obstacles == ()
    assert check.attestations == (
        "concrete-risk-of-crime", "not-unsuitable-for-interventions", "not-about-committed-crime",
        "data-protection-check", "receiver-secrecy",
    )  # fmt: skip
    assert check.wording.age_below == 21


@pytest.mark.parametrize(
    ("born", "lawful"),
    [
        (TODAY.replace(year=2005), False),
        (TODAY.replace(year=2005) + timedelta(days=1), True),
        (TODAY.replace(year=2004), False),
        (None, False),
        (TODAY + timedelta(days=1), False),
        (TODAY, True),
    ],
)
def test_of_whom_is_not_known_to_be_under_21_nothing_is_told_under_18_a(born, lawful):
    check = granting(SOCIAL_TO_POLICE, fields("name"), [YOUNG, Item(born)], LAW)
    assert told(check) == ([] if lawful else [("items[1]", "subject-age", "10 kap. 18 a § OSL")])


def test_health_care_cannot_tell_the_police_under_the_general_rule_and_is_told_which_lock_is_shut():
    check = granting(way("osl-10-15a", "health-care", "police"), fields("name", "contact"), [ANYBODY], LAW)
    assert told(check) == [
        ("fields.name", "secrecy", "25 kap. 1 § OSL"),
        ("fields.contact", "secrecy", "25 kap. 1 § OSL"),
    ]


def test_contact_details_are_a_duty_on_request_alone_and_nothing_but_contact_details():
    on_request = way("lag-2025-170-4", "health-care", "police")
    check = granting(on_request, fields("contact"), [ANYBODY], LAW)
    assert check.obstacles == ()
    # A duty carries no check of its own against data protection; its own balancing it does.
    assert check.attestations == (
        "requested-by-authority", "needed-for-purpose", "no-extraordinary-reason-for-secrecy",
    )  # fmt: skip
    assert is_duty("lag-2025-170-4", TODAY, LAW)
    assert not is_duty("osl-10-18a", TODAY, LAW)
    assert not is_duty("lag-2025-170-4", date(2025, 3, 31), LAW)
    unasked = dataclasses.replace(on_request, initiative="own-initiative")
    assert [(one.where, one.lack) for one in granting(unasked, fields("contact"), [ANYBODY], LAW).obstacles] == [
        ("provision", Lack(Condition.OTHER, "on-request", "own-initiative"))
    ]
    more = granting(on_request, fields("contact", "name"), [ANYBODY], LAW)
    assert [(where, condition) for where, condition, _ in told(more)] == [("fields.name", "kind")]


@pytest.mark.parametrize("recipient", sorted(LAW.sectors))
def test_report_of_concern_goes_to_the_social_welfare_board_and_nowhere_else(recipient):
    report = way("sol-19-1", "school", recipient, "protect-child", "own-initiative")
    check = granting(report, fields("name", "circumstances"), [YOUNG], LAW)
    assert (check.obstacles == ()) == (recipient == "social-services")
    on_request = dataclasses.replace(report, initiative="on-request")
    assert "other" in [one.lack.condition.value for one in granting(on_request, fields("name"), [YOUNG], LAW).obstacles]


@pytest.mark.parametrize("identity", sorted(LAW.provisions))
def test_nothing_reaches_a_private_actor_but_what_is_open_to_anyone(identity):
    check = granting(way(identity, "social-services", "private"), fields("name"), [YOUNG], LAW)
    open_to_anyone = "private" in LAW.provisions[identity].wordings[-1].to_sectors
    assert open_to_anyone or "to-sector" in [condition for _, condition, _ in told(check)]


def test_two_locks_are_both_to_be_opened_by_the_one_provision_of_the_decision():
    check = granting(way("osl-10-15a", "police", "social-services"), fields("name"), [ANYBODY], LAW)
    assert told(check) == [("fields.name", "secrecy", "18 kap. 1 § OSL")]
    assert granting(way("osl-10-27", "police", "social-services"), fields("name"), [ANYBODY], LAW).obstacles == ()


@pytest.mark.parametrize("day", [date(2025, 11, 30), date(2025, 12, 1)])
def test_provision_that_is_not_in_force_that_day_carries_nothing(day):
    check = granting(way("osl-10-15a", "social-services", "police", day=day), fields("name"), [ANYBODY], LAW)
    expected = [] if day == date(2025, 12, 1) else [("provision", "in-force", "10 kap. 15 a § OSL")]
    assert told(check) == expected


@pytest.mark.parametrize(
    ("identity", "recipient", "names", "shut"),
    [
        ("osl-10-18a", "police", ("name", "role", "circumstances"), []),
        ("osl-10-18a", "police", ("contact", "name"), ["contact"]),
        ("osl-10-18a", "police", ("observedOn", "mapping"), ["observedOn", "mapping"]),
        ("osl-10-15a", "police", ("contact", "observedOn", "mapping"), []),
        ("osl-10-1", "police", ("contact", "observedOn", "mapping"), []),
    ],
)
def test_what_leads_to_a_person_with_protected_identity_needs_a_provision_that_breaks_that_too(
    identity, recipient, names, shut
):
    protected = dataclasses.replace(YOUNG, protected_identity=True)
    check = granting(way(identity, "social-services", recipient), fields(*names), [YOUNG, protected], LAW)
    assert told(check) == [(f"items[1].{name}", "secrecy", "21 kap. 3 § OSL") for name in shut]


@pytest.mark.parametrize("identity", ["osl-10-1", "harm-assessment"])
def test_general_exit_can_carry_a_grant(identity):
    assert granting(way(identity, "health-care", "police"), fields("name"), [ANYBODY], LAW).obstacles == ()


@pytest.mark.parametrize("about", ["provision", "kind", "sector"])
def test_what_the_law_does_not_know_is_an_error(about):
    chosen = {"provision": "osl-99-1", "holder_sector": "police"} if about == "provision" else {}
    chosen |= {"holder_sector": "fire"} if about == "sector" else {}
    with pytest.raises(KeyError):
        check_kind(dataclasses.replace(SOCIAL_TO_POLICE, **chosen), "weight" if about == "kind" else "camera", LAW)


@pytest.mark.parametrize(
    ("stands", "kinds", "expected"),
    [
        (SOCIAL_TO_POLICE, ["person-identity", "person-health"], []),
        (SOCIAL_TO_POLICE, [], [("kinds", "other", "10 kap. 18 a § OSL")]),
        (way("osl-10-15a", "health-care", "police"), ["person-identity", "person-contact"],
         [("kinds.person-identity", "secrecy", "25 kap. 1 § OSL"),
          ("kinds.person-contact", "secrecy", "25 kap. 1 § OSL")]),
        (way("lag-2025-170-4", "social-services", "police"), ["person-contact", "person-identity"],
         [("kinds.person-identity", "kind", LAW.provisions["lag-2025-170-4"].citation)]),
        # Nobody asks for a report of concern: it is made.
        (way("sol-19-1", "school", "social-services", "protect-child"), ["person-identity"],
         [("provision", "other", "19 kap. 1 § SoL")]),
        (way("osl-10-18a", "social-services", "private"), ["person-identity", "person-circumstance"],
         [("provision", "to-sector", "10 kap. 18 a § OSL")]),
    ],
)  # fmt: skip
def test_request_has_an_obstacle_for_whatever_no_row_could_mend(stands, kinds, expected):
    found = check_request(stands, kinds, LAW)
    assert [(one.where, one.lack.condition.value, one.citation) for one in found] == expected


# --- edges, over a law of a few made-up rules -----------------------------------------------------------------------


def tiny(said=None, **changes):
    return law([provision("osl-10-1", said or wording())], [secrecy(**changes), PLACE_OF_PROTECTED])


def test_a_grant_of_no_field_or_of_no_row_is_none():
    known = tiny()
    assert [(where, condition) for where, condition, _ in told(granting(FROM_CARE, [], [], known))] == [
        ("fields", "other"), ("items", "other"),
    ]  # fmt: skip
    assert told(granting(FROM_CARE, [field("a")], [ANYBODY], known)) == []


def test_every_obstacle_is_told_and_told_once():
    said = wording(
        from_sectors=frozenset({"school"}), to_sectors=frozenset({"school"}), purposes=frozenset({"count"}),
        breaks=breaks(), kinds=frozenset({"health"}), age_from=18, age_below=21,
        initiative=frozenset({"own-initiative"}), open_questions=(asked(),),
    )  # fmt: skip
    check = granting(
        FROM_CARE, [field("a"), field("b"), field("c", HEALTH)], [ANYBODY, Item(date(2000, 6, 16))], tiny(said)
    )
    assert sorted((where, condition) for where, condition, _ in told(check)) == [
        ("fields.a", "kind"), ("fields.a", "open-question"), ("fields.a", "secrecy"),
        ("fields.b", "kind"), ("fields.b", "open-question"), ("fields.b", "secrecy"),
        ("fields.c", "open-question"), ("fields.c", "secrecy"),
        ("items[0]", "subject-age"),
        ("provision", "from-sector"), ("provision", "other"), ("provision", "purpose"), ("provision", "to-sector"),
    ]  # fmt: skip
    assert len(set(check.obstacles)) == len(check.obstacles)


@pytest.mark.parametrize(
    ("limits", "required"),
    [((None, 21), "under 21"), ((18, None), "at least 18"), ((18, 21), "at least 18 and under 21")],
)
def test_unknown_age_meets_no_condition_of_age(limits, required):
    known = tiny(wording(age_from=limits[0], age_below=limits[1]))
    (obstacle,) = granting(FROM_CARE, [field("a")], [ANYBODY], known).obstacles
    assert obstacle.lack == Lack(Condition.SUBJECT_AGE, required, "unknown")
    assert check_kind(FROM_CARE, "name", known).of_each_row == ((Condition.SUBJECT_AGE, required),)


@pytest.mark.parametrize(
    ("born", "day", "below", "of_age"),
    [
        (date(2003, 6, 15), date(2021, 6, 14), True, False),
        (date(2003, 6, 15), date(2021, 6, 15), False, True),
        (date(2003, 12, 31), date(2021, 12, 30), True, False),
        # Of two ages for one day: neither below 18 nor 18.
        (date(2004, 2, 29), date(2022, 2, 27), True, False),
        (date(2004, 2, 29), date(2022, 2, 28), False, False),
        (date(2004, 2, 29), date(2022, 3, 1), False, True),
        (date(2004, 2, 29), date(2024, 2, 28), False, True),
    ],
)
def test_ages_are_whole_years_on_the_day(born, day, below, of_age):
    stands = dataclasses.replace(FROM_CARE, day=day)
    for limits, lawful in (({"age_below": 18}, below), ({"age_from": 18}, of_age)):
        check = granting(stands, [field("a")], [Item(born)], tiny(wording(**limits)))
        assert (check.obstacles == ()) == lawful, limits


def test_age_is_looked_up_and_never_attested_to():
    known = tiny(wording(age_below=21, attestations=("a",), type="may"))
    check = granting(FROM_CARE, [field("a")], [Item(date(2015, 1, 1))], known)
    assert check.attestations == ("a", "data-protection-check", "receiver-secrecy")


def test_attestations_are_those_of_every_kind_once():
    stated = wording(attestations=("b", "a"))
    check = granting(FROM_CARE, [field("x"), field("y", HEALTH)], [ANYBODY], tiny(stated))
    assert check.attestations == ("b", "a")


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ({}, ("a", "b")),
        ({"a": "x", "b": " \t\n"}, ("b",)),
        ({"a": "x", "b": "y", "c": "z"}, ()),
        ({"b": "", "a": "x"}, ("b",)),
    ],
)
def test_attestation_without_a_word_is_none(given, lacking):
    assert unattested(("a", "b"), given) == lacking


@pytest.mark.parametrize(("day", "lawful"), [(START - timedelta(days=1), False), (START, True)])
def test_day_on_which_no_law_is_known_carries_nothing(day, lawful):
    # The provision is older than every secrecy rule, and the kind is locked by none: silence opens nothing.
    said = wording(valid_from=START - timedelta(days=900))
    known = law([provision("osl-10-1", said)], [secrecy(applies=frozenset())])
    check = granting(dataclasses.replace(FROM_CARE, day=day), [field("a")], [ANYBODY], known)
    assert (check.obstacles == ()) == lawful
    assert [one.lack.condition for one in check.obstacles] == ([] if lawful else [Condition.IN_FORCE])


def test_provision_before_its_wording_and_after_it_carries_nothing_and_names_itself():
    known = tiny(wording(until=END))
    for day in (START - timedelta(days=1), END):
        stands = dataclasses.replace(FROM_CARE, day=day)
        check = granting(stands, [field("a")], [ANYBODY], known)
        assert ("provision", "in-force", "cite osl-10-1") in told(check)
        assert check.wording is None
        assert check_kind(stands, "name", known).of_each_row == ()


@pytest.mark.parametrize("side", ["holder_equated", "recipient_equated"])
def test_company_is_an_authority_in_osl_alone(side):
    known = law([provision("osl-10-1"), provision("sol-19-1")], [secrecy()])
    for identity, lawful in (("osl-10-1", True), ("sol-19-1", False)):
        stands = dataclasses.replace(FROM_CARE, provision=identity, **{side: True})
        assert (granting(stands, [field("a")], [ANYBODY], known).obstacles == ()) == lawful


def test_protected_identity_closes_nothing_that_does_not_lead_to_the_person():
    said = wording(breaks=breaks(rules=frozenset({"osl-25-1"})))
    item = Item(None, protected_identity=True)
    check = granting(FROM_CARE, [field("name"), field("mapping")], [item], tiny(said))
    assert told(check) == [("items[0].mapping", "secrecy", "cite osl-21-3")]


def test_lock_of_protected_identity_that_is_there_already_is_told_of_once():
    said = wording(breaks=breaks())
    known = law([provision("osl-10-1", said)], [secrecy("osl-21-3")])
    check = granting(FROM_CARE, [field("mapping")], [Item(None, protected_identity=True)], known)
    assert told(check) == [("fields.mapping", "secrecy", "cite osl-21-3")]


def test_general_exit_is_checked_like_any_provision():
    known = law([provision("osl-10-1", wording(breaks=breaks()), general=True)], [secrecy()])
    assert [(w, c) for w, c, _ in told(granting(FROM_CARE, [field("a")], [ANYBODY], known))] == [
        ("fields.a", "secrecy")
    ]


# --- what the officer is shown --------------------------------------------------------------------------------------


def shown(stands, *kinds, language="sv"):
    return checklist_as_json([check_kind(stands, kind, LAW) for kind in kinds], LAW, language)


def test_checklist_shows_conditions_attestations_and_whether_it_is_a_duty():
    name, contact = shown(SOCIAL_TO_POLICE, "person-identity", "person-contact")
    assert name["status"] == "available"
    assert name["secrecy"] == ["osl-26-1"]
    assert not name["duty"]
    assert name["lacks"] == []
    assert name["conditions"] == [{"condition": "subject-age", "required": "under 21"}]
    assert name["attestations"][0] == {
        "id": "concrete-risk-of-crime",
        "text": "Konkreta omständigheter visar en risk för att den unge kommer att utöva brottslig verksamhet.",
    }
    assert {condition["condition"] for condition in contact["conditions"]} == {"subject-age", "secrecy"}
    (duty,) = shown(way("lag-2025-170-4", "health-care", "police"), "person-contact", language="en")
    assert duty["duty"]
    assert "extraordinary reasons" in duty["attestations"][2]["text"]


@pytest.mark.parametrize("identity", sorted(LAW.provisions))
@pytest.mark.parametrize("recipient", ["police", "social-services", "private"])
@pytest.mark.parametrize("holder", ["police", "social-services", "health-care"])
def test_what_the_checklist_shows_is_what_the_check_of_a_grant_holds(identity, recipient, holder):
    for purpose in ("prevent-crime", "protect-child"):
        stands = way(identity, holder, recipient, purpose)
        for one in fields("name", "contact", "substances"):
            (entry,) = shown(stands, one.kind.id)
            grant = granting(stands, [one], [Item(date(2009, 5, 4))], LAW)
            lacking = [obstacle.lack for obstacle in grant.obstacles if obstacle.lack.condition != "subject-age"]
            assert [(lack.condition.value, lack.required, lack.actual) for lack in lacking] == [
                (lack["condition"], lack["required"], lack["actual"]) for lack in entry["lacks"]
            ]
            assert list(grant.attestations) == [attestation["id"] for attestation in entry["attestations"]]
            assert (entry["status"] == "available") == (not lacking)


def test_no_provision_opens_without_a_word_from_a_person():
    wordings = [wording for provision in LAW.provisions.values() for wording in provision.wordings]
    assert wordings
    assert all(wording.attestations for wording in wordings)
