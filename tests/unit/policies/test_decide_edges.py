"""decide() on both sides of every edge, over a law of a few made-up rules."""

import dataclasses
from datetime import timedelta

import pytest

from policies import decide as decide_module
from policies.decide import decide
from policies.model import CouldOpen, Facts, Holder, LiveDecision, Released, RowRule, SecrecyWording, Withheld
from tests.unit.policies.tiny_law import (
    DAY,
    END,
    HEALTH,
    PLACE,
    START,
    breaks,
    field,
    law,
    provision,
    secrecy,
    wording,
)

CARE, POLICE = Holder("care", own=False), Holder("police", own=True)
RULE = secrecy("osl-25-1")
FIELDS = (
    field("spot", PLACE),
    field("name"),
    field("id", key=True),
    field("health", HEALTH),
    field("held", holder="care"),
    field("taught", holder="school"),
    field("secret", individual=True),
)


def known(*provisions, rules=(RULE,), fields=FIELDS):
    return law(provisions, rules, fields)


def facts(*names, **changes):
    asked = Facts("police", "person", names or ("name",), (CARE,), "prevent", case_reference=True)
    return dataclasses.replace(asked, **changes)


def live(provision="osl-10-1", **changes):
    made = LiveDecision("d1", "care", provision, "prevent", frozenset({"name"}))
    return dataclasses.replace(made, **changes)


def withheld(name="name", reason="no-provision", holder="care", could_open=()):
    return Withheld(name, reason, ("osl-25-1",), "cite osl-25-1", holder, could_open)


def opener(*lacks, provision="osl-10-1"):
    return CouldOpen(provision, (*lacks, "decision"))


# Shared and own.


def test_shared_field_is_released_to_anybody_and_protects_nothing():
    decision = decide(facts("spot", purpose=None, holders=()), known(), DAY)
    assert decision.released == (Released("spot", "no-secrecy", "6 kap. 5 § OSL", RowRule("any")),)
    assert (decision.withheld, decision.protected) == ((), False)


def test_a_decision_says_what_was_asked_by_which_law_and_when():
    laws, asked = known(), facts()
    decision = decide(asked, laws, DAY)
    assert (decision.facts, decision.as_of, decision.policy_version) == (asked, DAY, laws.version)


def test_what_comes_after_a_shared_field_is_decided_too():
    decision = decide(facts("spot", "name", "spot", "health"), known(), DAY)
    assert [entry.field for entry in decision.released] == ["spot", "spot"]
    assert [entry.field for entry in decision.withheld] == ["name", "health"]


@pytest.mark.parametrize(
    ("names", "purpose", "protected"),
    [
        (("spot",), "prevent", False),
        (("name",), "prevent", True),
        (("name",), None, False),
        (("secret",), None, True),
        (("secret", "name"), None, True),
        (("name", "secret"), None, True),
        (("spot", "name"), "prevent", True),
    ],
)
def test_an_answer_is_protected_by_a_purpose_or_by_persons(names, purpose, protected):
    assert decide(facts(*names, purpose=purpose), known(), DAY).protected is protected


def test_own_rows_are_released_for_a_purpose():
    decision = decide(facts(holders=(POLICE,)), known(), DAY)
    own = Released("name", "own-data", "8 kap. 1 § OSL", RowRule("own"), "police")
    assert (decision.released, decision.withheld) == ((own,), ())
    assert decision.rules_for("name") == (RowRule("own"),)
    assert decision.refusal_of("name") is None


def test_a_field_of_one_holder_is_its_own_whole_and_anothers_not_at_all():
    mine = decide(facts("held", caller_sector="care", holders=()), known(), DAY)
    assert mine.released == (Released("held", "own-data", "8 kap. 1 § OSL", RowRule("any"), "care"),)
    theirs = decide(facts("held", holders=(POLICE,)), known(), DAY)
    assert (theirs.released, theirs.withheld) == ((), (withheld("held"),))
    taught = decide(facts("taught", holders=(POLICE,)), known(), DAY)
    assert [(entry.field, entry.holder_sector) for entry in taught.withheld] == [("taught", "school")]
    assert taught.released == ()
    mine = decide(facts("taught", caller_sector="school", holders=()), known(), DAY)
    assert mine.rules_for("taught") == (RowRule("any"),)


def test_without_a_purpose_even_own_rows_are_withheld():
    decision = decide(facts(purpose=None, holders=(POLICE, CARE)), known(), DAY)
    nothing = Withheld("name", "no-purpose", (), "6 kap. 5 § OSL", "police", ())
    assert (decision.released, decision.withheld) == ((), (nothing, withheld(reason="no-purpose")))


def test_persons_need_a_case_reference_and_others_do_not():
    for name, reference, released in [
        ("secret", False, False), ("secret", True, True), ("name", False, True), ("name", True, True),
    ]:  # fmt: skip
        decision = decide(facts(name, holders=(POLICE,), case_reference=reference), known(), DAY)
        assert bool(decision.released) is released, (name, reference)
        assert [entry.reason for entry in decision.withheld] == ([] if released else ["no-case-reference"])


def test_purpose_is_asked_for_before_the_case_reference():
    decision = decide(facts("secret", purpose=None, case_reference=False), known(), DAY)
    assert [entry.reason for entry in decision.withheld] == ["no-purpose"]


def test_the_same_words_are_said_once_and_each_holder_once():
    both = (Holder("care", own=True), CARE, Holder("school", own=False))
    decision = decide(facts(holders=both, purpose=None), known(), DAY)
    assert [(entry.field, entry.holder_sector) for entry in decision.withheld] == [("name", "care"), ("name", "school")]


# Others' rows.


@pytest.mark.parametrize(
    ("said", "reason", "could_open"),
    [
        ((), "no-provision", ()),
        ((wording(),), "no-decision", (opener(),)),
        ((wording(purposes=frozenset({"count"})),), "no-provision", (opener("purpose"),)),
        ((wording(kinds=frozenset({"health"}), purposes=frozenset()),), "no-provision", (opener("purpose", "kind"),)),
        ((wording(from_sectors=frozenset({"school"})),), "no-provision", ()),
        ((wording(to_sectors=frozenset({"school"})),), "no-provision", ()),
        ((wording(valid_from=DAY + timedelta(days=1)),), "no-provision", ()),
        ((wording(valid_from=DAY),), "no-decision", (opener(),)),
        ((wording(until=DAY),), "no-provision", ()),
        ((wording(breaks=breaks()),), "no-provision", ()),
        ((wording(other_sector=True),), "no-decision", (opener(),)),
    ],
)
def test_what_could_open_is_named_with_what_it_lacks(said, reason, could_open):
    laws = known(*(provision("osl-10-1", *said),) if said else ())
    decision = decide(facts(), laws, DAY)
    assert (decision.released, decision.withheld) == ((), (withheld(reason=reason, could_open=could_open),))


def test_general_exits_are_not_named():
    decision = decide(facts(), known(provision("osl-10-1", general=True)), DAY)
    assert decision.withheld == (withheld(),)


def test_provisions_that_fit_holder_and_recipient_alone_are_named_and_none_between_companies():
    laws = known(
        provision("lag-2020-1-2"),
        provision("osl-10-2", wording(other_sector=True)),
    )
    decision = decide(facts(caller_equated=True), laws, DAY)
    assert decision.withheld == (withheld(reason="no-decision", could_open=(opener(provision="osl-10-2"),)),)
    within = decide(facts(caller_sector="care"), laws, DAY)
    assert within.withheld == (withheld(reason="no-decision", could_open=(opener(provision="lag-2020-1-2"),)),)


def test_what_could_open_stands_with_the_fewest_lacks_first_and_then_by_id():
    lame = wording(purposes=frozenset({"count"}))
    laws = known(
        provision("osl-10-1", lame), provision("osl-10-4"), provision("osl-10-3", wording(breaks=breaks())),
        provision("osl-10-2"),
    )  # fmt: skip
    (entry,) = decide(facts(), laws, DAY).withheld
    assert [one.provision for one in entry.could_open] == ["osl-10-2", "osl-10-4", "osl-10-1"]


def test_where_nothing_locks_another_holders_field_still_waits_for_its_decision():
    laws = known(provision("osl-10-1", wording(breaks=breaks())), rules=(secrecy("osl-25-1", applies=frozenset()),))
    decision = decide(facts(), laws, DAY)
    expected = Withheld("name", "no-decision", (), "6 kap. 5 § OSL", "care", (opener(),))
    assert (decision.released, decision.withheld) == ((), (expected,))
    opened = decide(facts(decisions=(live(),)), laws, DAY)
    assert [entry.decision for entry in opened.released] == ["d1"]


def test_every_lock_is_named():
    laws = known(rules=(RULE, secrecy("osl-26-1")))
    (entry,) = decide(facts(), laws, DAY).withheld
    assert entry.secrecy == ("osl-25-1", "osl-26-1")
    assert entry.citation == "cite osl-25-1; cite osl-26-1"


def test_where_a_lock_has_no_wording_nothing_is_decided():
    rule = secrecy("osl-25-1", wordings=(SecrecyWording(START, END, "reverse"),))
    laws = known(provision(), rules=(rule,))
    for day, released, reason in [
        (END - timedelta(days=1), ["d1"], "no-decision"),
        (END, [], "no-wording-in-force"),
    ]:
        decision = decide(facts(decisions=(live(),)), laws, day)
        assert [entry.decision for entry in decision.released] == released
        (entry,) = decision.withheld
        assert (entry.reason, bool(entry.could_open)) == (reason, bool(released))


# Recorded decisions.


def test_a_decision_that_the_law_carries_releases_the_rows_that_it_names():
    decision = decide(facts(decisions=(live(),)), known(provision()), DAY)
    released = Released("name", "osl-10-1", "cite osl-10-1", RowRule("decision", "d1"), "care", "d1")
    assert decision.released == (released,)
    assert decision.withheld == (withheld(reason="no-decision", could_open=(opener(),)),)
    assert decision.rules_for("name") == (RowRule("decision", "d1"),)
    assert decision.refusal_of("name") == decision.withheld[0]
    for other in ("health", "secret"):
        assert decision.rules_for(other) == ()
        assert decision.refusal_of(other) is None


@pytest.mark.parametrize(
    ("why", "one"),
    [
        ("another holder's", live(holder_sector="school")),
        ("another holder's, that sorts before", live(holder_sector="bank")),
        ("another field", live(fields=frozenset({"health"}))),
        ("another purpose", live(purpose="count")),
        ("another purpose, that sorts after", live(purpose="protect")),
        ("another provision", live(provision="osl-10-2")),
    ],
)
def test_a_decision_that_names_something_else_releases_nothing(why, one):
    assert decide(facts(decisions=(one,)), known(provision()), DAY).released == (), why


def test_a_decision_is_carried_only_where_every_condition_holds():
    laws = known(provision("osl-10-1", wording(purposes=frozenset({"count"}))))
    assert decide(facts(decisions=(live(),)), laws, DAY).released == ()
    assert decide(facts(purpose="count", decisions=(live(purpose="count"),)), laws, DAY).released != ()


def test_a_decision_may_rest_on_a_general_exit():
    laws = known(provision("osl-10-1", general=True))
    decision = decide(facts(decisions=(live(),)), laws, DAY)
    assert [entry.ground for entry in decision.released] == ["osl-10-1"]
    assert decision.withheld == (withheld(),)


def test_every_decision_that_carries_releases_its_rows():
    laws = known(provision("osl-10-1"), provision("osl-10-2", wording(age_from=15, age_below=21)))
    made = (live(id="d1", purpose="count"), live(id="d2"), live("osl-10-2", id="d3"))
    decision = decide(facts(decisions=made), laws, DAY)
    assert decision.rules_for("name") == (
        RowRule("decision", "d2"), RowRule("decision", "d3", age_below=21, age_from=15),
    )  # fmt: skip
    assert [entry.ground for entry in decision.released] == ["osl-10-1", "osl-10-2"]


def test_key_follows_with_rows_that_a_decision_names():
    decision = decide(facts("name", "id", "health", decisions=(live(),)), known(provision()), DAY)
    assert [entry.field for entry in decision.released] == ["name", "id"]


def test_a_legal_basis_leaves_every_other_provision_untried():
    laws = known(provision("osl-10-1"), provision("osl-10-2"), provision("osl-10-3"))
    made = (live("osl-10-1", id="d1"), live("osl-10-2", id="d2"), live("osl-10-3", id="d3"))
    decision = decide(facts(legal_basis="osl-10-2", decisions=made), laws, DAY)
    assert [entry.decision for entry in decision.released] == ["d2"]
    assert decision.withheld == (withheld(reason="no-decision", could_open=(opener(provision="osl-10-2"),)),)
    nothing = decide(facts(legal_basis="osl-10-9", decisions=made), laws, DAY)
    assert (nothing.released, nothing.withheld) == ((), (withheld(),))


def test_a_company_that_holds_is_bound_as_one_and_an_authority_beside_it_as_an_authority():
    laws = known(provision("lag-2020-1-2"), provision("osl-10-2"))
    made = tuple(
        live(rule, id=f"{rule}{equated}", holder_equated=equated)
        for rule in ("lag-2020-1-2", "osl-10-2")
        for equated in (False, True)
    )
    decision = decide(facts(decisions=made), laws, DAY)
    assert [entry.decision for entry in decision.released] == ["lag-2020-1-2False", "osl-10-2False", "osl-10-2True"]


def test_a_company_that_asks_is_not_reached_by_an_act_outside_osl():
    laws = known(provision("lag-2020-1-2"), provision("osl-10-2"))
    made = (live("lag-2020-1-2", id="d1"), live("osl-10-2", id="d2"))
    assert [one.decision for one in decide(facts(decisions=made), laws, DAY).released] == ["d1", "d2"]
    company = facts(decisions=made, caller_equated=True)
    assert [one.decision for one in decide(company, laws, DAY).released] == ["d2"]


# Kept answers.


def test_a_decision_is_kept_for_equal_facts_law_and_day_and_for_nothing_else():
    laws, others = known(provision()), known()
    first = decide(facts(), laws, DAY)
    assert decide(facts(), dataclasses.replace(laws), DAY) is first
    assert decide(facts(), laws, END) is not first
    assert decide(facts("health"), laws, DAY) is not first
    assert decide(facts(), others, DAY).withheld != first.withheld


def test_a_decision_is_itself_and_nothing_can_be_changed_in_it_or_hung_on_it():
    first = decide(facts(), known(), DAY)
    decide_module._decide.cache_clear()
    laws = known()
    one, again = decide(facts(), laws, DAY), decide(facts(), dataclasses.replace(laws), DAY)
    assert one is again
    decide_module._decide.cache_clear()
    assert decide(facts(), laws, DAY) != one
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.protected = False
    assert not hasattr(first, "__dict__")


def test_a_law_in_a_key_is_its_version():
    key = decide_module._Key
    laws = known()
    assert key(laws) == key(dataclasses.replace(laws))
    assert hash(key(laws)) == hash(laws.version)
    # Versions are compared for equality alone, whichever sorts first.
    assert key(laws) != key(dataclasses.replace(laws, version="a"))
    assert key(laws) != key(dataclasses.replace(laws, version="z"))
    assert key(laws) != laws.version


def test_what_the_law_says_of_a_kind_is_asked_once_for_all_fields_and_callers():
    laws = known(provision())
    decide_module._standing.cache_clear()
    decide(facts("name", "id", decisions=(live(),)), laws, DAY)
    assert decide_module._standing.cache_info().misses == 1
    decide(facts("name", decisions=(live(id="d2"),)), laws, DAY)
    assert decide_module._standing.cache_info().misses == 1


def test_a_standing_cannot_be_changed():
    laws = known(provision())
    decide(facts(), laws, DAY)
    standing = decide_module._standing(
        decide_module.Question("care", "police", "prevent", DAY, "name"), None, decide_module._Key(laws)
    )
    assert not hasattr(standing, "__dict__")
    with pytest.raises(dataclasses.FrozenInstanceError):
        standing.reason = "no-decision"
    with pytest.raises(TypeError):
        standing.answers["osl-10-9"] = standing.answers["osl-10-1"]
