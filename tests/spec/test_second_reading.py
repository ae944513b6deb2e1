"""The law was read twice: once into `policies/law/`, once, apart from it, into the tables of `readings/`.

Both were read from the project's law.md (`readings/provisions.csv` from its table B, `readings/secrecy.csv` from its
table A), one row a wording. Like double-entry bookkeeping, a slip in either shows as a difference here. Before one of
them is changed to agree with the other, law.md decides which of the two misread it.

Short words of the tables: `authorities` every sector that is an authority; `anyone` every sector; `any` no condition;
in `breaks`, `all` every secrecy rule, `ch21-40` those of these chapters, `individual` those that protect an
individual, `harm-tests` those with a harm test to pass, straight or reverse. `can_10_27`, `can_10_15a` and
`can_duty` of `secrecy.csv` are the three columns of table A: whether the general clause, 10:15 a and the duties of
lag (2025:170) §§ 5–7 break the rule. `n-a`: table A does not say. `companies_from`: sectors whose companies (OSL 2:3)
the rule names; `other_sector`: holder and recipient are authorities of different kinds.
"""

import csv
from collections.abc import Iterator
from datetime import date
from itertools import groupby, zip_longest
from pathlib import Path

import pytest

from policies.assess import breaks_rule
from policies.catalogue import law
from policies.model import Provision, SecrecyRule, Wording

LAW = law()
READINGS = Path(__file__).parent / "readings"
# The chapter in which a duty of another act breaks secrecy (OSL 10:28).
DUTIES = 10
TABLE_A = {
    "can_10_27": ("osl-10-27",),
    "can_10_15a": ("osl-10-15a",),
    "can_duty": ("lag-2025-170-5", "lag-2025-170-6", "lag-2025-170-7"),
}
Row = dict[str, str]


def read(name: str) -> dict[str, list[Row]]:
    with (READINGS / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    grouped = {identity: list(group) for identity, group in groupby(rows, lambda row: row["id"])}
    assert sum(map(len, grouped.values())) == len(rows), f"{name}: the wordings of a rule stand together"
    return grouped


PROVISIONS = read("provisions.csv")
SECRECY = read("secrecy.csv")


def words(values: object) -> str:
    """A value as a lawyer reads it."""
    if isinstance(values, frozenset):
        return " ".join(sorted(map(str, values))) or "nothing"
    return "nothing" if values in {None, ""} else str(values)


def difference(rule: str, column: str, reading: object, file: object) -> Iterator[str]:
    """One sentence where the two readings of one column are not equal."""
    if reading == file:
        return
    sentence = f"{rule}, {column}: the reading says {words(reading)}; the law file says {words(file)}"
    if isinstance(reading, frozenset) and isinstance(file, frozenset):
        sentence += f". Only in the reading: {words(reading - file)}. Only in the law file: {words(file - reading)}"
    yield sentence


def day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def whole(text: str) -> int | None:
    return int(text) if text else None


def listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


def sectors(text: str) -> frozenset[str]:
    return {"authorities": LAW.authorities, "anyone": frozenset(LAW.sectors)}.get(text, listed(text))


def numbers(text: str) -> frozenset[int]:
    return frozenset(map(int, text.split()))


def chapter_of(provision: str) -> int:
    return int(provision.split("-")[1]) if provision.startswith("osl-") else DUTIES


def read_as_breaking(row: Row, rule: Row) -> bool:
    """Whether the reading of a provision breaks the reading of a secrecy rule."""
    if rule["id"] in listed(row["excepts"]) or chapter_of(row["id"]) in numbers(rule["closed_to"]):
        return False
    spans = {
        "all": True,
        "ch21-40": 21 <= int(rule["chapter"]) <= 40,
        "individual": rule["protects"] == "individual",
        "harm-tests": rule["harm_test"] in {"straight", "reverse"},
    }
    return any(spans.get(word, word == rule["id"]) for word in listed(row["breaks"]))


def encoded_as_breaking(provision: Provision, wording: Wording, rule: SecrecyRule) -> bool:
    """Whether the law file's provision breaks the law file's secrecy rule, on a day when that is in force."""
    return breaks_rule(wording.breaks, provision.chapter, rule, rule.wordings[-1].valid_from)


def differences_of_breaks(name: str, row: Row, provision: Provision, wording: Wording) -> Iterator[str]:
    both = SECRECY.keys() & LAW.secrecy.keys()
    yield from difference(
        name,
        "breaks (of the secrecy rules in secrecy.csv)",
        frozenset(identity for identity in both if read_as_breaking(row, SECRECY[identity][-1])),
        frozenset(identity for identity in both if encoded_as_breaking(provision, wording, LAW.secrecy[identity])),
    )
    short = {"all", "ch21-40", "individual", "harm-tests"}
    elsewhere = SECRECY.keys() | LAW.secrecy.keys() | short
    yield from difference(
        name, "breaks (rules named besides)", listed(row["breaks"]) - elsewhere, wording.breaks.rules - elsewhere
    )
    yield from difference(name, "excepts", listed(row["excepts"]), wording.breaks.excepts)


def differences_of_wording(row: Row, provision: Provision, wording: Wording) -> Iterator[str]:
    name = f"{provision.citation} ({provision.id}, row {row['row']}), wording from {row['from']}"
    asked = frozenset(question.number for question in wording.open_questions)
    compared: dict[str, tuple[object, object]] = {
        "from": (day(row["from"]), wording.valid_from),
        "until": (day(row["until"]), wording.until),
        "type": (row["type"], wording.type),
        "general": (row["general"], "yes" if provision.general else ""),
        "from_sectors": (sectors(row["from_sectors"]), wording.from_sectors),
        "to_sectors": (sectors(row["to_sectors"]), wording.to_sectors),
        "other_sector": (row["other_sector"], "yes" if wording.other_sector else ""),
        "companies_from": (listed(row["companies_from"]), wording.equated_from),
        "purposes": (
            "any" if row["purposes"] == "any" else listed(row["purposes"]),
            "any" if wording.purposes is None else wording.purposes,
        ),
        "kinds": (listed(row["kinds"]), wording.kinds or frozenset()),
        "age_from": (whole(row["age_from"]), wording.age_from),
        "age_below": (whole(row["age_below"]), wording.age_below),
        "initiative": (listed(row["initiative"]), wording.initiative),
        "open_questions": (numbers(row["open_questions"]), asked),
        "confidence": (row["confidence"], provision.confidence),
    }
    for column, (reading, file) in compared.items():
        yield from difference(name, column, reading, file)
    yield from differences_of_breaks(name, row, provision, wording)


def differences_of_provision(identity: str) -> Iterator[str]:
    provision = LAW.provisions[identity]
    for row, wording in zip_longest(PROVISIONS[identity], provision.wordings):
        if row is None:
            yield f"{provision.citation} ({identity}): the reading has no wording from {wording.valid_from}"
        elif wording is None:
            yield f"{provision.citation} ({identity}): the law file has no wording from {row['from']}"
        else:
            yield from differences_of_wording(row, provision, wording)


def differences_of_table_a(name: str, row: Row, rule: SecrecyRule) -> Iterator[str]:
    for column, provisions in TABLE_A.items():
        if row[column] == "n-a":
            continue
        for identity in provisions:
            provision = LAW.provisions[identity]
            breaks = all(encoded_as_breaking(provision, wording, rule) for wording in provision.wordings)
            asked = f"{column}, whether {provision.citation} breaks it"
            yield from difference(name, asked, row[column], "yes" if breaks else "no")


def differences_of_secrecy(identity: str) -> Iterator[str]:
    rule = LAW.secrecy[identity]
    for row, wording in zip_longest(SECRECY[identity], rule.wordings):
        if row is None:
            yield f"{rule.citation} ({identity}): the reading has no wording from {wording.valid_from}"
            continue
        if wording is None:
            yield f"{rule.citation} ({identity}): the law file has no wording from {row['from']}"
            continue
        name = f"{rule.citation} ({identity}), wording from {row['from']}"
        compared: dict[str, tuple[object, object]] = {
            "from": (day(row["from"]), wording.valid_from),
            "until": (day(row["until"]), wording.until),
            "harm_test": (row["harm_test"], wording.harm_test),
            "protects": (row["protects"], rule.protects),
            "chapter": (whole(row["chapter"]), rule.chapter),
            "closed_to": (numbers(row["closed_to"]), rule.closed_to_chapters),
            "confidence": (row["confidence"], rule.confidence),
        }
        for column, (reading, file) in compared.items():
            yield from difference(name, column, reading, file)
        yield from differences_of_table_a(name, row, rule)


def settle(found: list[str]) -> None:
    if found:
        pytest.fail("The two readings of the law differ; law.md decides.\n- " + "\n- ".join(found), pytrace=False)


def test_both_readings_have_the_same_provisions():
    settle(list(difference("Table B", "provisions", frozenset(PROVISIONS), frozenset(LAW.provisions))))


def test_both_readings_have_the_same_secrecy_rules():
    settle(list(difference("Table A", "secrecy rules", frozenset(SECRECY), frozenset(LAW.secrecy))))


@pytest.mark.parametrize("identity", sorted(PROVISIONS.keys() & LAW.provisions.keys()))
def test_provision_is_read_alike_twice(identity: str):
    settle(list(differences_of_provision(identity)))


@pytest.mark.parametrize("identity", sorted(SECRECY.keys() & LAW.secrecy.keys()))
def test_secrecy_rule_is_read_alike_twice(identity: str):
    settle(list(differences_of_secrecy(identity)))


def test_table_a_is_answered_by_the_provisions_that_it_names():
    """Its three columns are checked rule by rule above; a provision that went missing would go unasked."""
    asked = {identity for provisions in TABLE_A.values() for identity in provisions}
    assert asked <= LAW.provisions.keys()
    assert {row[column] for rows in SECRECY.values() for row in rows for column in TABLE_A} == {"yes", "no", "n-a"}
