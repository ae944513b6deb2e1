"""A refusal says where it is appealed: to the court, and between state authorities to the government."""

from itertools import product

import pytest

from policies.appeals import appeal_of, refusal_citation
from policies.catalogue import law

LAW = law()
STATE = {"police", "security-police", "prosecutor", "customs", "prison-probation", "county-board"}


def test_state_authorities_are_those_under_the_government():
    assert LAW.state_authorities == STATE


@pytest.mark.parametrize(("holder", "requester"), list(product(sorted(LAW.authorities), repeat=2)))
def test_appeal_goes_to_the_government_only_between_state_authorities(holder, requester):
    appeal = appeal_of(holder, requester, LAW)
    if {holder, requester} <= STATE:
        assert appeal.citation == "6 kap. 7 § andra stycket och 8 § fjärde stycket OSL"
        assert "regeringen" in appeal.text.sv
        assert "the government" in appeal.text.en
    else:
        assert appeal.citation == "6 kap. 7 § andra stycket OSL"
        assert "kammarrätten" in appeal.text.sv
        assert "kammarrätten" in appeal.text.en
    # Not when an act says otherwise.
    assert "om inte något annat följer av lag" in appeal.text.sv
    assert "unless otherwise follows from an act" in appeal.text.en


@pytest.mark.parametrize("pair", [("private", "police"), ("police", "private"), ("police", "public")])
def test_who_is_no_authority_is_pointed_to_the_act(pair):
    assert appeal_of(*pair, LAW).citation == "6 kap. 7 och 8 §§ OSL"


@pytest.mark.parametrize(
    ("kinds", "holder", "citation"),
    [
        (["person-identity"], "social-services", "26 kap. 1 § OSL"),
        (["person-identity", "person-health"], "social-services", "26 kap. 1 § OSL"),
        (["person-identity"], "police", "18 kap. 1 § OSL; 35 kap. 1 § OSL"),
        (["person-identity"], "municipal-safety", "6 kap. 5 § OSL"),
        (["person-identity", "person-contact"], "municipal-safety", "21 kap. 3 § OSL"),
    ],
)
def test_refusal_names_every_lock_of_what_was_asked_for_once(kinds, holder, citation):
    assert refusal_citation(kinds, holder, LAW) == citation
