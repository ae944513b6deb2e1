"""The lists of excepted secrecy, word for word as law.md gives them (table B rows 5, 15-17 and 20-22)."""

import pytest

from policies.catalogue import law

# Chapter and section as the citation; `a`, `st.1` as in the statute. 25:2 alone means both its paragraphs.
ROW_5 = """24:2a 24:8 25:1 25:2 25:3 25:4 25:5 25:8 26:1a:1 26:3 26:4 26:6 29:1 29:2 31:1:1 31:2 31:12 33:2 33:4a 36:3
           40:2 40:5"""
ROW_15 = """24:2a 24:8 25:1 25:2:2 25:3 25:4 25:5 25:6 25:7 25:8 26:1 26:1a:2 26:2 26:3 26:4 26:5 26:6 31:1:1 31:2 31:12
            33:2 33:4a 36:3 40:2 40:5"""
# Row 16: "all other than those in 19-23, 25:2 st.1, 26:1 a st.1"; those in 19-22 a are all among those in 23.
ROW_16 = ROW_15 + " 25:2:1 26:1a:1"
ROW_17 = """24:2a 24:8 25:1 25:2 25:3 25:4 25:5 25:6 25:7 25:8 26:1 26:1a:1 26:1a:2 26:2 26:3 26:4 26:5 26:6 29:1 29:2
            31:1:1 31:2 31:12 33:2 33:4a 36:3 40:2 40:5"""
# Row 21: "25:1-8, 25:15, 26:1-6, 24:8, 40:2, 40:5, nor private-care confidentiality PSL 6:12-14, 16".
SECTION_8 = """24:8 25:1 25:2 25:3 25:4 25:5 25:6 25:7 25:8 25:15 26:1 26:1a:1 26:1a:2 26:2 26:3 26:4 26:5 26:6
               40:2 40:5 psl-6-12 psl-6-13 psl-6-14 psl-6-16"""
EXCEPTED = {
    "osl-10-15a": ROW_5,
    "osl-10-24": ROW_16,
    "osl-10-27": ROW_17,
    "lag-2025-170-5": SECTION_8,
    "lag-2025-170-6": SECTION_8,
    "lag-2025-170-7": SECTION_8,
}
# Rows 7-15: what the narrow provisions break, and nothing else.
BROKEN = {
    "osl-10-18a": "26:1",
    "osl-10-18b": "25:1 25:2:2 26:1",
    "osl-10-18c": "25:1 26:1",
    "osl-10-19": "25:1 25:2:2 25:3 25:4 25:5 26:1 26:1a:2 26:3 26:4 26:6",
    "osl-10-20": "26:1",
    "osl-10-21": "25:1 25:2:2 25:3 25:4 25:5 26:1 26:1a:2 26:3 26:4 26:6 33:2 33:4a",
    "osl-10-22": "26:1",
    "osl-10-22a": "25:1 25:2:2 26:1",
    "osl-10-23": ROW_15,
}


def ids(row: str) -> set[str]:
    both = row.replace(" 25:2 ", " 25:2:1 25:2:2 ").split()
    return {citation if citation.startswith("psl") else "osl-" + citation.replace(":", "-") for citation in both}


@pytest.mark.parametrize("provision", EXCEPTED)
def test_exceptions_are_those_of_the_statute(provision: str):
    (wording,) = law().provisions[provision].wordings
    assert wording.breaks.excepts == ids(EXCEPTED[provision])


@pytest.mark.parametrize("provision", [name for name in EXCEPTED if name != "osl-10-15a"])
def test_all_secrecy_but_the_excepted_is_broken(provision: str):
    assert law().provisions[provision].wordings[0].breaks.everything


@pytest.mark.parametrize("provision", BROKEN)
def test_narrow_provisions_break_what_the_statute_names_and_nothing_else(provision: str):
    for wording in law().provisions[provision].wordings:
        assert wording.breaks.rules == ids(BROKEN[provision])
        assert not wording.breaks.everything
        assert not wording.breaks.chapters
        assert not wording.breaks.protects
        assert not wording.breaks.harm_tests


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


# Table A, column "test". 18:3 follows 18:1 or 18:2: the stricter of them. 29:1-2 are "absolute-type".
HARM_TESTS = {
    "osl-18-1": "straight",
    "osl-18-2": "reverse",
    "osl-18-3": "reverse",
    "osl-21-1": "straight",
    "osl-21-3": "straight",
    "osl-21-7": "straight",
    "osl-23-2-1": "reverse",
    "osl-23-2-2": "straight",
    "osl-23-2-3": "straight",
    "osl-24-8": "absolute",
    "osl-25-1": "reverse",
    "osl-26-1": "reverse",
    "osl-27-3": "reverse",
    "osl-27-3a": "absolute",
    "osl-29-1": "absolute",
    "osl-29-2": "absolute",
    "osl-29-3": "reverse",
    "osl-32-3": "reverse",
    "osl-35-1": "reverse",
    "osl-35-3": "absolute",
    "osl-35-15": "straight",
    "osl-35-20": "straight",
    "osl-40-5": "absolute",
    "osl-40-7g": "reverse",
}


def test_every_secrecy_rule_has_its_harm_test_here():
    assert set(HARM_TESTS) == set(law().secrecy)


@pytest.mark.parametrize("rule", HARM_TESTS)
def test_harm_test_is_that_of_the_statute(rule: str):
    assert law().secrecy[rule].wordings[-1].harm_test == HARM_TESTS[rule]


def test_only_rules_for_the_public_interest_protect_operations():
    # Chapter 18 protects the public interest, chapters 21-40 the individual.
    for rule in law().secrecy.values():
        assert rule.protects == ("operation" if rule.chapter == 18 else "individual"), rule.id
