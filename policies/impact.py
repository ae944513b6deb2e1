"""For how many receipts a change of the law files makes another answer: from receipts alone, never from rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from policies.changes.phrases import phrase, same
from policies.explain import Language
from policies.model import Law, Text
from policies.replay import Key, Outcome, Outcomes, Recorded, outcomes_of

Circle = tuple[str | None, str, str, str | None]
"""Holder's sector, kind of the field, recipient's sector, purpose."""


@dataclass(slots=True)
class Group:
    """Receipts whose answer differs alike: from whom, what, to whom and why. Fields are `resource.field`.

    `gained` and `lost` are fields released only after or only before; `otherwise` are those that another ground,
    reason or age decides.
    """

    receipts: int = 0
    gained: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    otherwise: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Impact:
    """`receipts` were decided again, each on its own day; `differ` of them come out otherwise, told in `groups`."""

    receipts: int
    differ: int
    groups: dict[Circle, Group]


def impact(records: Iterable[Recorded], old: Law, new: Law) -> Impact:
    """Decide every record by two laws and count where they part."""
    receipts = differ = 0
    groups: dict[Circle, Group] = {}
    for one in records:
        receipts += 1
        before, after = (outcomes_of(one.facts, law, one.day) for law in (old, new))
        keys = [key for key in dict.fromkeys((*before, *after)) if before.get(key) != after.get(key)]
        differ += bool(keys)
        touched = set()
        for key in keys:
            circle = _circle(key, one, old, new)
            group = groups.setdefault(circle, Group())
            touched.add(circle)
            _sorted_in(group, key, before, after)
        for circle in touched:
            groups[circle].receipts += 1
    return Impact(receipts, differ, dict(sorted(groups.items(), key=lambda item: (-item[1].receipts, repr(item[0])))))


def _circle(key: Key, one: Recorded, old: Law, new: Law) -> Circle:
    resource, name, sector = key
    known = new.fields.get((resource, name)) or old.fields[resource, name]
    facts = one.facts[0]
    return sector, known.kind.id, facts.caller_sector, facts.purpose


def _released(outcomes: Iterable[Outcome]) -> bool:
    return any(one.ground is not None for one in outcomes)


def _sorted_in(group: Group, key: Key, before: Outcomes, after: Outcomes) -> None:
    was, now = _released(before.get(key, ())), _released(after.get(key, ()))
    chosen = group.otherwise if was == now else group.gained if now else group.lost
    chosen.add(f"{key[0]}.{key[1]}")


def in_words(found: Impact, law: Law, language: Language) -> list[str]:
    """How many, and then each group, the largest first."""
    return [text.sv if language == "sv" else text.en for text in _texts(found, law)]


def _texts(found: Impact, law: Law) -> Iterator[Text]:
    yield phrase(
        "{} av {} kvitton skulle ha fått ett annat svar.",
        "{} of {} receipts would have had another answer.",
        same(str(found.differ)),
        same(str(found.receipts)),
    )
    anybody = Text("alla", "all")
    for (holder, kind, recipient, purpose), group in found.groups.items():
        said = [
            phrase(sv, en, same(", ".join(sorted(names))))
            for sv, en, names in (
                ("lämnas nu: {}", "now released: {}", group.gained),
                ("lämnas inte längre: {}", "no longer released: {}", group.lost),
                ("på annan grund: {}", "on other grounds: {}", group.otherwise),
            )
            if names
        ]
        yield phrase(
            "{}: {} → {}; ändamål: {}; uppgift: {}: {}.",
            "{}: {} → {}; purpose: {}; kind: {}: {}.",
            same(str(group.receipts)),
            anybody if holder is None else law.sectors.get(holder, same(holder)),
            law.sectors.get(recipient, same(recipient)),
            Text("inget", "none") if purpose is None else law.purposes.get(purpose, same(purpose)),
            law.kinds[kind].title if kind in law.kinds else same(kind),
            Text("; ".join(text.sv for text in said), "; ".join(text.en for text in said)),
        )
