"""The law files read a second time, slowly and obviously, for tests to compare the engine with.

It shares no code with `policies`: it reads the TOML itself and asks one provision one question.
"""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

LAW = Path(__file__).resolve().parents[3] / "policies" / "law"

Rule = dict[str, Any]


def _read(path: Path) -> Rule:
    return tomllib.loads(path.read_text("utf-8"))


def _rules(folder: str) -> dict[str, Rule]:
    return {path.stem: _read(path) for path in sorted((LAW / folder).glob("*.toml"))}


TERMS = _read(LAW / "terms.toml")
FIELDS = _read(LAW / "fields.toml")
SECTORS = list(TERMS["sectors"])
AUTHORITIES = [sector for sector, row in TERMS["sectors"].items() if row["authority"]]
PURPOSES = list(TERMS["purposes"])
KINDS = list(TERMS["kinds"])
PROTECTED = [kind for kind, row in TERMS["kinds"].items() if row["level"] == "protected"]
SECRECY = _rules("secrecy")
PROVISIONS = _rules("provisions")
BOUNDARIES = sorted({day for rule in [*SECRECY.values(), *PROVISIONS.values()] for wording in rule["wording"]
                     for day in (wording["from"], wording.get("until")) if day is not None})  # fmt: skip


def wording(rule: Rule, day: date) -> Rule | None:
    """What a rule says on a day."""
    for stage in rule["wording"]:
        if stage["from"] <= day < stage.get("until", date.max):
            return stage
    return None


def locks(kind: str, sector: str) -> list[Rule]:
    """The secrecy rules that lock a kind at a sector."""
    return [
        rule
        for rule in SECRECY.values()
        if any(sector in row["sectors"] and kind in row["kinds"] for row in rule["applies"])
    ]


def _sectors(named: str | list[str]) -> list[str]:
    return {"authorities": AUTHORITIES, "anyone": SECTORS}[named] if isinstance(named, str) else named


def opens(provision: Rule, rule: Rule, day: date) -> bool:
    """Whether a provision breaks a secrecy rule on a day."""
    said, lock = wording(provision, day), wording(rule, day)
    if said is None or lock is None:
        return False
    breaks = said["breaks"]
    if rule["id"] in breaks.get("excepts", []) or provision.get("chapter") in rule.get("closed_to_chapters", []):
        return False
    return (
        breaks.get("everything", False)
        or rule["id"] in breaks.get("rules", [])
        or any(first <= rule["chapter"] <= last for first, last in breaks.get("chapters", []))
        or rule["protects"] in breaks.get("protects", [])
        or lock["harm_test"] in breaks.get("harm_tests", [])
    )


def available(
    provision: Rule, rules: list[Rule], *, holder: str, recipient: str, purpose: str, day: date, age: int | None = None
) -> bool:
    """Whether every hard condition of a provision holds, and it opens every one of the locks by itself."""
    said = wording(provision, day)
    if said is None:
        return False
    closed = any(
        (not asked.get("purposes") or purpose in asked["purposes"])
        and (not asked.get("secrecy") or any(rule["id"] in asked["secrecy"] for rule in rules))
        and (not asked.get("from_sectors") or holder in asked["from_sectors"])
        and (not asked.get("to_sectors") or recipient in asked["to_sectors"])
        for asked in said.get("open_question", [])
    )
    below = said.get("subject", {}).get("age_below")
    return (
        holder in _sectors(said["from_sectors"])
        and recipient in _sectors(said["to_sectors"])
        and (said["purposes"] == "any" or purpose in said["purposes"])
        and (below is None or age is None or age < below)
        and all(opens(provision, rule, day) for rule in rules)
        and not closed
    )


def outcome(rules: list[Rule], *, holder: str, recipient: str, purpose: str, day: date, age: int | None = None) -> str:
    """not-secret, needs-decision or withheld: special provisions alone or together open every lock, or they do not."""
    if not any(wording(rule, day) for rule in SECRECY.values()) or not all(wording(rule, day) for rule in rules):
        return "withheld"
    if not rules:
        return "not-secret"
    fitting = [
        provision
        for provision in PROVISIONS.values()
        if not provision.get("general")
        and available(
            _breaking_all(provision), rules, holder=holder, recipient=recipient, purpose=purpose, day=day, age=age
        )
    ]
    opened = [rule for rule in rules if any(opens(provision, rule, day) for provision in fitting)]
    return "needs-decision" if len(opened) == len(rules) else "withheld"


def _breaking_all(provision: Rule) -> Rule:
    """The provision as if it opened every lock, so that only its other conditions count."""
    return {name: value for name, value in provision.items() if name != "chapter"} | {
        "wording": [stage | {"breaks": {"everything": True}} for stage in provision["wording"]]
    }
