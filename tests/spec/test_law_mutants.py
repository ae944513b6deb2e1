"""Every slip in the law files is noticed: by the catalogue, which refuses it, or by a specification read from law.md.

What is generated from the law files (the matrix, the lawyers' document) is not asked: it follows every slip.
"""

import dataclasses
import os
import random
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest

from policies import catalogue, provision_files
from policies.assess import assess_provision, locks
from policies.catalogue import LawError, law
from policies.model import Law, Question
from tests.architecture import test_gate
from tests.spec import (
    law_mutants,
    test_cases,
    test_citations,
    test_exception_lists,
    test_fields,
    test_locks,
    test_open_questions,
    test_second_reading,
)
from tests.spec.law_mutants import Mutant, Mutated, mutants

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
print(f"SAMSYN_TEST_SEED={SEED}")
SAMPLE = 150
LAW = law()
ALL = list(mutants())

# Each specification besides the cases: where it stands, and which of its tests, if not all.
READINGS: dict[str, tuple[ModuleType, frozenset[str]]] = {
    "second reading": (test_second_reading, frozenset()),
    "exception lists": (test_exception_lists, frozenset()),
    "citations": (test_citations, frozenset()),
    "open questions": (test_open_questions, frozenset()),
    "table of locks": (test_locks, frozenset()),
    "table of fields": (test_fields, frozenset()),
    "resources": (
        test_gate,
        frozenset({"test_resources_are_those_of_the_law", "test_resource_has_exactly_the_fields_that_the_law_knows"}),
    ),
}
Check = Callable[[], None]


def checks_of(module: ModuleType, names: frozenset[str]) -> Iterator[Check]:
    """The tests of those names, or all of a module, with every set of their parameters."""
    for name, function in vars(module).items():
        if not name.startswith("test_") or (names and name not in names):
            continue
        named = [mark.args for mark in getattr(function, "pytestmark", []) if mark.name == "parametrize"]
        for row in product(*([_arguments(names, values) for values in each] for names, each in named)):
            yield partial(function, **{key: value for part in row for key, value in part.items()})


def _arguments(names: str | tuple[str, ...], values: Any) -> dict[str, Any]:
    keys = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    return dict(zip(keys, [values] if len(keys) == 1 else values, strict=True))


def fails(check: Check) -> bool:
    try:
        check()
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - a test that cannot run has failed
        return True
    return False


CHECKS = {killer: list(checks_of(*which)) for killer, which in READINGS.items()}


def case_fails(facts: dict[str, Any], expected: dict[str, Any]) -> bool:
    def check() -> None:
        assert not list(test_cases.differences(expected, test_cases.answer(facts)))

    return fails(check)


def question(facts: dict[str, Any]) -> Question:
    return Question(
        facts["holderSector"],
        facts["recipientSector"],
        facts["purpose"],
        facts["asOf"],
        kind=facts.get("kind"),
        secrecy=tuple(facts["secrecy"]) if "secrecy" in facts else None,
        subject_age=facts.get("subject", {}).get("age"),
        holder_equated=facts.get("holderEquated", False),
        recipient_equated=facts.get("recipientEquated", False),
    )


CASES = [(question(facts), facts, expected) for _, facts, expected in test_cases.EVERY]


def concerns(asked: Question, rule: str, mutated: Law) -> bool:
    """Whether another wording of that rule can bear on a question at all. Where it cannot, its case need not be asked.

    To say no too often lets a mutant live, and that is a failure that is seen.
    """
    if rule in LAW.provisions and rule in mutated.provisions:
        before, after = (known.provisions[rule] for known in (LAW, mutated))
        locked = locks(asked, LAW)
        first, second = (assess_provision(provision, asked, locked) for provision in (before, after))
        same = (first.lacks, first.opens, first.attestations) == (second.lacks, second.opens, second.attestations)
        return not same or before.general != after.general
    first, second = (locks(asked, known) for known in (LAW, mutated))
    if rule in LAW.secrecy and rule in mutated.secrecy:
        before, after = (known.secrecy[rule] for known in (LAW, mutated))
        if dataclasses.replace(before, applies=after.applies) == after:
            return [lock.id for lock in first] != [lock.id for lock in second]
        return any(rule == lock.id for lock in (*first, *second))
    # An explanation speaks of kinds, not of the fields that are of them.
    return rule != "fields"


def killers_of(mutated: Law, mutant: Mutant) -> Iterator[str]:
    """Who notices that this is not the law."""
    loaded = {"LAW": mutated, "law": lambda: mutated}
    rule = Path(mutant.file).stem
    with patch.dict(vars(test_cases), loaded):
        if any(case_fails(facts, expected) for asked, facts, expected in CASES if concerns(asked, rule, mutated)):
            yield "cases"
    for killer, (module, _) in READINGS.items():
        with patch.dict(vars(module), loaded):
            if any(map(fails, CHECKS[killer])):
                yield killer


def judged(chosen: Iterable[Mutant], directory: Path) -> Iterator[tuple[Mutant, list[str]]]:
    """Each mutant with all who notice it."""
    laws = Mutated(directory / "law")
    for mutant in chosen:
        try:
            mutated = laws.load(mutant)
        except LawError:
            yield mutant, ["loader"]
        else:
            yield mutant, list(killers_of(mutated, mutant))


def settle(found: list[tuple[Mutant, list[str]]]) -> None:
    """Print the score, and fail where a mutant lives."""
    alive = [str(mutant) for mutant, killers in found if not killers]
    by_killer = Counter(killer for _, killers in found for killer in killers)
    alone = Counter(killers[0] for _, killers in found if len(killers) == 1)
    print(f"{len(found)} mutants of the law files, {len(found) - len(alive)} noticed")
    for killer, count in by_killer.most_common():
        print(f"  {killer}: {count}, of which nobody else notices {alone[killer]}")
    assert alive == [], "noticed by nobody"


def test_the_law_itself_passes_every_specification():
    untouched = Mutant("terms.toml", "nothing", law_mutants.tables("terms.toml"))
    assert list(killers_of(LAW, untouched)) == []


@pytest.mark.parametrize("file", sorted({mutant.file for mutant in ALL}))
def test_a_file_written_anew_says_the_same(file: str, tmp_path: Path):
    """What kills a mutant is its slip, not the way in which its file was written."""
    again = Mutated(tmp_path / "law").load(Mutant(file, "nothing", law_mutants.tables(file)))
    assert dataclasses.replace(again, version=LAW.version) == LAW


# What a law file may say that decides nothing, and what stands for rows that have slips of their own.
TEXTS = {"id", "title", "note", "source", "not_held", "text"}


def _differing(before: Any, after: Any) -> Iterator[str]:
    """The keys under which two trees differ, at every depth."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            if before.get(key) != after.get(key):
                yield key
                yield from _differing(before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list):
        for one, other in zip(before, after, strict=False):
            yield from _differing(one, other)


@pytest.mark.parametrize(
    ("folder", "keys"),
    [
        (
            "provisions",
            provision_files._PROVISION_KEYS
            | provision_files._WORDING_KEYS
            | provision_files._BREAKS_KEYS
            | provision_files._QUESTION_KEYS
            | {"age_from", "age_below"},
        ),
        ("secrecy", catalogue._SECRECY_KEYS | {"from", "until", "harm_test", "sectors", "kinds"}),
    ],
)
def test_every_key_that_decides_anything_has_slips(folder: str, keys: set[str]):
    slipped = {
        key
        for mutant in ALL
        if mutant.file.startswith(folder) and mutant.tables is not None
        for key in _differing(law_mutants.tables(mutant.file), mutant.tables)
    }
    assert keys - TEXTS <= slipped


def test_a_slip_in_the_law_files_is_noticed(tmp_path: Path):
    settle(list(judged(random.Random(SEED).sample(ALL, SAMPLE), tmp_path)))


@pytest.mark.long
def test_every_slip_in_the_law_files_is_noticed(tmp_path: Path):
    settle(list(judged(ALL, tmp_path)))
