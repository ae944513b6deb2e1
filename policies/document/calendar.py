"""Every day on which the encoded law changes, and what changes that day."""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import pairwise

from policies.document.rules import differences
from policies.document.swedish import day, natural, short_citation
from policies.document.words import HARM_TESTS, Words, heading
from policies.model import Provision, SecrecyRule


def calendar(words: Words) -> str:
    """The section: one heading a day."""
    law = words.law
    begins: dict[date, list[SecrecyRule | Provision]] = {}
    said: dict[date, list[str]] = {}
    rules: list[SecrecyRule | Provision] = [*law.secrecy.values(), *law.provisions.values()]
    for rule in sorted(rules, key=lambda rule: natural(rule.id)):
        link = words.linked(rule.id, short_citation(rule.citation))
        begins.setdefault(rule.wordings[0].valid_from, []).append(rule)
        for when, text in _rewordings(rule, words):
            said.setdefault(when, []).append(f"Ny lydelse av {link}: {text}.")
        last = rule.wordings[-1].until
        if last is not None:
            end = f"Den sista kodade lydelsen av {link} upphör att gälla. Därefter avgörs ingenting med stöd av den."
            said.setdefault(last, []).append(end)
    parts = [
        (
            "Varje dag då en kodad lydelse börjar eller upphör att gälla. Före den äldsta kodade lydelsen kan det "
            "finnas andra, som källorna inte återger. Planerade ändringar står under [kommande rätt](#kommande)."
        )
    ]
    for when in sorted({*begins, *said}):
        lines = [*_beginnings(begins.get(when, []), words), *said.get(when, [])]
        parts += [heading(3, f"dag-{when}", day(when)), "\n".join(f"- {line}" for line in lines)]
    return "\n\n".join(parts)


def _rewordings(rule: SecrecyRule | Provision, words: Words) -> Iterator[tuple[date, str]]:
    if isinstance(rule, Provision):
        for before, after in pairwise(rule.wordings):
            yield after.valid_from, differences(before, after, words)
    else:
        for earlier, later in pairwise(rule.wordings):
            yield later.valid_from, f"{HARM_TESTS[later.harm_test]} (förut: {HARM_TESTS[earlier.harm_test]})"


def _beginnings(rules: Iterable[SecrecyRule | Provision], words: Words) -> Iterator[str]:
    by_group: dict[str, list[str]] = {
        group: [] for group in ("Sekretess", "Allmänna utvägar", "Möjligheter", "Skyldigheter")
    }
    for rule in rules:
        by_group[_group(rule)].append(rule.id)
    for group, ids in by_group.items():
        if ids:
            yield f"{group} från denna dag: {words.cited(ids)}."


def _group(rule: SecrecyRule | Provision) -> str:
    if isinstance(rule, SecrecyRule):
        return "Sekretess"
    if rule.general:
        return "Allmänna utvägar"
    return "Möjligheter" if rule.wordings[0].type == "may" else "Skyldigheter"
