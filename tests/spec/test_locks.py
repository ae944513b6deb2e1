"""Which secrecy rules lock which kind at which authority: a table read from law.md, apart from the law files.

`readings/locks.csv` has a row a kind and a column a sector that is an authority; `none` is the explicit answer that no
rule locks it there. Where two rules stand, both must open. Whoever is no authority holds nothing under OSL.
"""

import csv
from pathlib import Path

import pytest

from policies.catalogue import law

LAW = law()

with (Path(__file__).parent / "readings" / "locks.csv").open(encoding="utf-8", newline="") as file:
    LOCKS = {row.pop("kind"): row for row in csv.DictReader(file, strict=True)}
SHARED = {"place", "situation", "statistic", "survey-answer"}
AUTHORITIES = set(LOCKS["camera"]) - {"law.md"}
OTHERS = {"private", "public"}
PURPOSES = {
    "prevent-crime", "investigate-crime", "protect-child", "care-and-support", "place-based-prevention",
    "correct-misuse", "statistics", "supervision", "execute-sentence",
}  # fmt: skip


def test_kinds_that_are_shared_are_those_that_concern_no_individual_and_no_operation():
    assert {kind.id for kind in LAW.kinds.values() if kind.level == "shared"} == SHARED
    assert set(LAW.kinds) == SHARED | set(LOCKS)


def test_sectors_are_the_authorities_and_those_who_are_none():
    assert LAW.authorities == AUTHORITIES
    assert set(LAW.sectors) == AUTHORITIES | OTHERS


def test_purposes_are_those_that_a_caller_may_declare():
    assert set(LAW.purposes) == PURPOSES


@pytest.mark.parametrize("kind", LOCKS)
def test_kind_is_locked_at_each_authority_by_the_rules_of_the_table(kind: str):
    for sector in AUTHORITIES:
        rules = [rule.id for rule in LAW.secrecy_of(kind, sector)]
        assert (" ".join(rules) or "none") == LOCKS[kind][sector], f"{kind} at {sector}"
    for sector in OTHERS:
        assert not LAW.secrecy_of(kind, sector), f"{kind} at {sector}"
