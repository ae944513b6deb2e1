"""The law as cases: each file in `cases/` is one question, the answer that the law gives, and where that stands.

`[facts]` is the body of POST /explanations. Of `[expected]`, `available` names every special provision that fits and
`general` every general exit; `lacks` names the conditions that fail; `attestations` what must be written down, at
least. `source` is the row or section of the project's law.md that the answer was read from.
"""

import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.law.schemas import ExplanationIn
from api.law.service import explain
from policies.catalogue import law
from policies.model import Provision, SecrecyRule

CASES = sorted((Path(__file__).parent / "cases").glob("*.toml"))
TODAY = date(2026, 11, 20)
LAW = law()


def read(path: Path) -> dict[str, Any]:
    case = tomllib.loads(path.read_text("utf-8"))
    assert set(case) == {"title", "source", "facts", "expected"}, path.name
    assert set(case["expected"]) <= {
        "outcome", "reason", "secrecy", "available", "general", "lacks", "attestations",
    }, path.name  # fmt: skip
    return case


def answer(facts: dict[str, Any]) -> dict[str, Any]:
    body = facts | {"asOf": facts["asOf"].isoformat()}
    return explain(ExplanationIn.model_validate(body), LAW, today=TODAY, language="sv")


def _names(ids: Any) -> str:
    return ", ".join(ids) or "nothing"


def differences(expected: dict[str, Any], given: dict[str, Any]) -> Iterator[str]:
    """What the answer says otherwise than the case, as sentences."""
    for member in ("outcome", "reason"):
        if given.get(member) != expected.get(member):
            yield f"the {member} should be {expected.get(member)}, the answer says {given.get(member)}"
    locks = [rule["id"] for rule in given["secrecy"]]
    if "secrecy" in expected and locks != expected["secrecy"]:
        yield f"the item should be locked by {_names(expected['secrecy'])}, the answer says {_names(locks)}"
    for member, general in (("available", False), ("general", True)):
        fits = {
            entry["id"]
            for entry in given["provisions"]
            if entry["status"] == "available" and entry.get("general", False) is general
        }
        if member in expected and fits != set(expected[member]):
            yield f"{member} should be {_names(expected[member])}, the answer says {_names(sorted(fits))}"
    yield from _differences_of_provisions(expected, {entry["id"]: entry for entry in given["provisions"]})


def _differences_of_provisions(expected: dict[str, Any], provisions: dict[str, Any]) -> Iterator[str]:
    for name, conditions in expected.get("lacks", {}).items():
        lacks = [lack["condition"] for lack in provisions[name]["lacks"]]
        if lacks != conditions:
            yield f"{name} should lack {_names(conditions)}, the answer says {_names(lacks)}"
    for name, attestations in expected.get("attestations", {}).items():
        missing = set(attestations) - {entry["id"] for entry in provisions[name]["attestations"]}
        if missing:
            yield f"{name} should demand that {_names(sorted(missing))} be written down"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path):
    case = read(path)
    found = list(differences(case["expected"], answer(case["facts"])))
    if found:
        facts = "\n".join(f"  {name}: {value}" for name, value in case["facts"].items())
        pytest.fail(
            f"{case['title']}\n(source: {case['source']}; file: cases/{path.name})\n{facts}\nBut:\n- "
            + "\n- ".join(found),
            pytrace=False,
        )


EVERY = [(path.stem, case["facts"], case["expected"]) for path in CASES for case in [read(path)]]
ANSWERS = {name: answer(facts) for name, facts, _ in EVERY}
LOCKS = {name: {rule["id"] for rule in given["secrecy"]} for name, given in ANSWERS.items()}


def _fits(provision: str, expected: dict[str, Any]) -> bool:
    return provision in (*expected.get("available", ()), *expected.get("general", ()))


def _is_about(rule: str, name: str, expected: dict[str, Any]) -> bool:
    """Whether a case says anything of this provision, or is locked by this secrecy rule."""
    return _fits(rule, expected) or rule in expected.get("lacks", {}) or rule in LOCKS[name]


def _always_closed(provision: Provision) -> bool:
    """Whether an open question closes the provision as it reads today for everybody, whatever is asked."""
    return any(
        not (asked.purposes or asked.secrecy or asked.from_sectors or asked.to_sectors or asked.equated)
        for asked in provision.wordings[-1].open_questions
    )


@pytest.mark.parametrize("provision", LAW.provisions)
def test_every_provision_has_a_case_where_it_fits_and_one_where_it_does_not(provision: str):
    fits = [name for name, _, expected in EVERY if _fits(provision, expected)]
    fails = [name for name, _, expected in EVERY if provision in expected.get("lacks", {})]
    if _always_closed(LAW.provisions[provision]):
        assert ["open-question"] in [expected.get("lacks", {}).get(provision) for _, _, expected in EVERY], (
            f"no case says that only the open question stops {provision}"
        )
        assert not fits, f"{provision} is closed, yet fits in {fits}"
    else:
        assert fits, f"no case says when {provision} can be relied on"
    assert fails, f"no case says when {provision} cannot be relied on"


@pytest.mark.parametrize("rule", LAW.secrecy)
def test_every_secrecy_rule_has_a_case(rule: str):
    assert any(rule in locks for locks in LOCKS.values())


DAYS = sorted(
    {
        (rule.id, day)
        for rule in [*LAW.provisions.values(), *LAW.secrecy.values()]
        for wording in rule.wordings
        for day in (wording.valid_from, wording.until)
        if day is not None
    }
)


@pytest.mark.parametrize(("rule", "day"), DAYS, ids=[f"{rule}-{day}" for rule, day in DAYS])
def test_every_date_on_which_the_law_changes_has_a_case_on_the_day_and_the_day_before(rule: str, day: date):
    days = {facts["asOf"] for name, facts, expected in EVERY if _is_about(rule, name, expected)}
    missing = {day, day - timedelta(days=1)} - days
    assert not missing, f"{rule} changes on {day}: no case about it on {_names(sorted(map(str, missing)))}"


def _reaches(provision: Provision, rule: SecrecyRule) -> bool:
    """Whether the provision breaks secrecy so widely that it takes an exception to stop it at this rule."""
    return any(
        wording.breaks.everything or rule.chapter in wording.breaks.chapters or rule.protects in wording.breaks.protects
        for wording in provision.wordings
    )


EXCEPTIONS = sorted(
    (provision.id, rule.id)
    for provision in LAW.provisions.values()
    for rule in LAW.secrecy.values()
    if any(rule.id in wording.breaks.excepts for wording in provision.wordings)
    or (provision.chapter in rule.closed_to_chapters and _reaches(provision, rule))
)


@pytest.mark.parametrize(("provision", "rule"), EXCEPTIONS)
def test_every_exception_has_a_case_where_the_secrecy_stops_the_provision(provision: str, rule: str):
    assert any(
        "secrecy" in expected.get("lacks", {}).get(provision, ()) and rule in LOCKS[name] for name, _, expected in EVERY
    ), f"no case says that {provision} does not break {rule}"


QUESTIONS = sorted(
    {
        (provision.id, asked.number)
        for provision in LAW.provisions.values()
        for wording in provision.wordings
        for asked in wording.open_questions
    }
)


@pytest.mark.parametrize(("provision", "number"), QUESTIONS)
def test_every_open_question_has_a_case_that_it_closes(provision: str, number: int):
    closed = [
        name
        for name, _, expected in EVERY
        if "open-question" in expected.get("lacks", {}).get(provision, ())
        for entry in ANSWERS[name]["provisions"]
        if entry["id"] == provision and f"question {number}" in [lack["actual"] for lack in entry["lacks"]]
    ]
    assert closed, f"no case says that question {number} closes {provision}"


@pytest.mark.parametrize(
    "condition", ["in-force", "from-sector", "to-sector", "purpose", "secrecy", "kind", "subject-age", "open-question"]
)
def test_every_condition_has_a_case_that_fails_it(condition: str):
    assert any(condition in lacks for _, _, expected in EVERY for lacks in expected.get("lacks", {}).values())
