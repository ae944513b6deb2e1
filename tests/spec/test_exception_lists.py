"""The lists of excepted secrecy, word for word as law.md gives them (table B rows 5 and 17)."""

import pytest

from policies.catalogue import law

# Chapter and section as the citation; `a`, `st.1` as in the statute.
ROW_5 = """24:2a 24:8 25:1 25:2 25:3 25:4 25:5 25:8 26:1a:1 26:3 26:4 26:6 29:1 29:2 31:1:1 31:2 31:12 33:2 33:4a 36:3
           40:2 40:5"""
ROW_17 = """24:2a 24:8 25:1 25:2 25:3 25:4 25:5 25:6 25:7 25:8 26:1 26:1a:1 26:1a:2 26:2 26:3 26:4 26:5 26:6 29:1 29:2
            31:1:1 31:2 31:12 33:2 33:4a 36:3 40:2 40:5"""


def ids(row: str) -> set[str]:
    return {"osl-" + citation.replace(":", "-") for citation in row.split()}


@pytest.mark.parametrize(("provision", "row"), [("osl-10-15a", ROW_5), ("osl-10-27", ROW_17)])
def test_exceptions_are_those_of_the_statute(provision: str, row: str):
    (wording,) = law().provisions[provision].wordings
    assert wording.breaks.excepts == ids(row)


def test_15a_breaks_chapters_21_to_40_and_nothing_else():
    breaks = law().provisions["osl-10-15a"].wordings[0].breaks
    assert breaks.chapters == set(range(21, 41))
    assert not breaks.everything
    assert not breaks.rules
    assert not breaks.protects
    assert not breaks.harm_tests


def test_chapter_10_does_not_reach_the_criminal_records_register():
    # Table A, row 35:3: chapters 10 and 12 do not apply.
    rule = law().secrecy["osl-35-3"]
    assert rule.closed_to_chapters == {10, 12}
    assert [wording.harm_test for wording in rule.wordings] == ["absolute"]


# Table A, column "test".
HARM_TESTS = {
    "osl-18-1": "straight",
    "osl-18-2": "reverse",
    "osl-21-1": "straight",
    "osl-23-2-1": "reverse",
    "osl-23-2-2": "straight",
    "osl-23-2-3": "straight",
    "osl-25-1": "reverse",
    "osl-26-1": "reverse",
    "osl-29-3": "reverse",
    "osl-32-3": "reverse",
    "osl-35-1": "reverse",
    "osl-35-3": "absolute",
    "osl-35-15": "straight",
    "osl-40-7g": "reverse",
}


@pytest.mark.parametrize("rule", HARM_TESTS)
def test_harm_test_is_that_of_the_statute(rule: str):
    assert law().secrecy[rule].wordings[-1].harm_test == HARM_TESTS[rule]


def test_only_rules_for_the_public_interest_protect_operations():
    # Chapter 18 protects the public interest, chapters 21-40 the individual.
    for rule in law().secrecy.values():
        assert rule.protects == ("operation" if rule.chapter == 18 else "individual"), rule.id
