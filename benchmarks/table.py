"""A generated law and generated questions, for measuring `decide` on a table of a stated size.

One resource with 20 fields of which 2 are shared, 8 sectors, 10 secrecy rules and 40 provisions that use everything
the law files can say: two wordings, all ways to name what is broken, exceptions, closed chapters, open questions.
"""

import pickle
from dataclasses import replace
from datetime import date
from random import Random
from types import MappingProxyType
from typing import Any

from policies.model import (
    Breaks,
    Facts,
    Field,
    Holder,
    Kind,
    Law,
    LiveDecision,
    OpenQuestion,
    Provision,
    SecrecyRule,
    SecrecyWording,
    Text,
    Wording,
)

FIELDS, PROVISIONS = 20, 40
RESOURCE = "dossier"
TODAY = date(2026, 11, 20)
_FIRST, _AMENDED, _TO_COME = date(2010, 1, 1), date(2025, 4, 1), date(2027, 7, 1)
_SECTORS = tuple(f"sector-{number}" for number in range(8))
_PURPOSES = tuple(f"purpose-{number}" for number in range(6))
_KINDS = tuple(Kind(f"kind-{number}", "protected", Text("slag", "kind")) for number in range(8))
_SHARED = Kind("kind-shared", "shared", Text("delat", "shared"))
_CHAPTERS = (18, 21, 23, 25, 26, 35)
_TEXT = Text("text", "text")


def made_law(random: Random) -> Law:
    """A law of its own version; the same for the same state of `random`."""
    secrecy = {rule.id: rule for rule in (_secrecy(random, number) for number in range(10))}
    provisions = {
        rule.id: rule for rule in (_provision(random, number, tuple(secrecy)) for number in range(PROVISIONS))
    }
    fields = {(RESOURCE, field.name): field for field in (_field(random, number) for number in range(FIELDS))}
    return Law(
        version=f"made-{random.getrandbits(64):x}",
        sectors=MappingProxyType(dict.fromkeys(_SECTORS, _TEXT)),
        authorities=frozenset(_SECTORS),
        purposes=MappingProxyType(dict.fromkeys(_PURPOSES, _TEXT)),
        kinds=MappingProxyType({kind.id: kind for kind in (*_KINDS, _SHARED)}),
        fields=MappingProxyType(fields),
        secrecy=MappingProxyType(secrecy),
        no_secrecy=MappingProxyType({}),
        provisions=MappingProxyType(provisions),
        attestations=MappingProxyType({"attested": _TEXT}),
    )


def made_facts(random: Random, law: Law, *, others: int, own: bool = False) -> Facts:
    """All fields of the resource at so many other holders, with up to three live decisions of theirs."""
    caller, *sectors = random.sample(_SECTORS, others + 1)
    holders = tuple(Holder(sector, own=False) for sector in sectors)
    # At times another agency of the caller's own sector holds rows too.
    same = (Holder(caller, own=False),) if own and random.random() < 0.5 else ()
    purpose = random.choice(_PURPOSES)
    decisions = tuple(_live(random, law, holder.sector, caller, purpose) for holder in same + holders for _ in range(3))
    return Facts(
        caller_sector=caller,
        resource=RESOURCE,
        fields=tuple(field.name for field in law.fields_of(RESOURCE)),
        holders=((Holder(caller, own=True),) if own else ()) + same + holders,
        purpose=purpose if random.random() < 0.95 else None,
        legal_basis=random.choice(decisions).provision if decisions and random.random() < 0.1 else None,
        case_reference=random.random() < 0.95,
        decisions=tuple(random.sample(decisions, random.randint(0, min(3, len(decisions))))),
    )


def telling(random: Random, law: Law) -> Facts:
    """One question to be timed: one other holder, and nothing that cuts the deciding short."""
    while True:
        facts = made_facts(random, law, others=1)
        if facts.decisions and facts.purpose and facts.case_reference:
            return facts


def again(facts: Facts) -> Facts:
    """Equal facts that share no object with the first, not even a text, as the next request brings them."""
    fresh: Facts = pickle.loads(pickle.dumps(facts))
    return fresh


def never_seen(random: Random, facts: Facts) -> Facts:
    """The same facts under decisions that were not there before."""
    return replace(facts, decisions=tuple(replace(live, id=_id(random)) for live in facts.decisions))


def _id(random: Random) -> str:
    return f"{random.getrandbits(128):032x}"


def _some(random: Random, values: tuple[Any, ...], fewest: int, most: int) -> frozenset[Any]:
    return frozenset(random.sample(values, random.randint(fewest, most)))


def _field(random: Random, number: int) -> Field:
    kind = _SHARED if number < 2 else random.choice(_KINDS)
    return Field(RESOURCE, f"field{number}", kind, "row", (), individual=True, key=number == 2)


def _secrecy(random: Random, number: int) -> SecrecyRule:
    pairs = tuple((sector, kind.id) for sector in _SECTORS for kind in _KINDS)
    harm_test: Any = random.choice(("straight", "reverse", "absolute"))
    protects: Any = random.choice(("individual", "operation"))
    return SecrecyRule(
        id=f"secrecy-{number}",
        citation=f"{number} §",
        title=_TEXT,
        chapter=random.choice(_CHAPTERS),
        protects=protects,
        applies=_some(random, pairs, 8, 16),
        closed_to_chapters=frozenset({10}) if number == 0 else frozenset(),
        wordings=(SecrecyWording(_FIRST, None, harm_test),),
        source="made",
        confidence="made",
    )


def _provision(random: Random, number: int, rules: tuple[str, ...]) -> Provision:
    # Most have one wording that is in force; some were amended, some are not in force yet.
    periods = random.choice([[(_FIRST, None)]] * 3 + [[(_FIRST, _AMENDED), (_AMENDED, None)], [(_TO_COME, None)]])
    return Provision(
        id=f"provision-{number}",
        citation=f"{number} §",
        title=_TEXT,
        chapter=random.choice((10, 19, None)),
        general=number < 3,
        wordings=tuple(_wording(random, rules, start, until) for start, until in periods),
        source="made",
        confidence="made",
    )


def _wording(random: Random, rules: tuple[str, ...], start: date, until: date | None) -> Wording:
    kinds = tuple(kind.id for kind in _KINDS)
    kind_of_rule: Any = random.choice(("may", "shall"))
    return Wording(
        valid_from=start,
        until=until,
        type=kind_of_rule,
        from_sectors=_some(random, _SECTORS, 2, 6),
        to_sectors=_some(random, _SECTORS, 2, 6),
        purposes=_some(random, _PURPOSES, 2, 4) if random.random() < 0.5 else None,
        breaks=_breaks(random, rules),
        kinds=_some(random, kinds, 2, 6) if random.random() < 0.3 else None,
        age_from=None,
        age_below=random.choice((None, 18, 21)),
        initiative=frozenset({"on-request"}),
        attestations=("attested",),
        open_questions=(_question(random, rules),) if random.random() < 0.2 else (),
    )


def _breaks(random: Random, rules: tuple[str, ...]) -> Breaks:
    ways: list[dict[str, Any]] = [
        {"everything": True},
        {"rules": _some(random, rules, 3, 8)},
        {"chapters": _some(random, _CHAPTERS, 2, 5)},
        {"protects": frozenset({"individual"})},
        {"harm_tests": frozenset({"straight", "reverse"})},
    ]
    nothing: dict[str, Any] = dict.fromkeys(("rules", "chapters", "protects", "harm_tests"), frozenset())
    excepts = _some(random, rules, 1, 2) if random.random() < 0.3 else frozenset()
    return Breaks(**({"everything": False, "excepts": excepts} | nothing | random.choice(ways)))


def _question(random: Random, rules: tuple[str, ...]) -> OpenQuestion:
    return OpenQuestion(
        number=1,
        purposes=_some(random, _PURPOSES, 0, 2),
        secrecy=_some(random, rules, 0, 4),
        from_sectors=_some(random, _SECTORS, 0, 4),
        to_sectors=_some(random, _SECTORS, 0, 4),
        equated=False,
        text=_TEXT,
    )


def _live(random: Random, law: Law, holder: str, caller: str, purpose: str) -> LiveDecision:
    """As a holder would decide: mostly on a provision that reaches the caller, now and then on any at all."""
    reaching = [
        rule.id
        for rule in law.provisions.values()
        if (wording := rule.in_force(TODAY)) and holder in wording.from_sectors and caller in wording.to_sectors
    ]
    pool = reaching if reaching and random.random() < 0.8 else list(law.provisions)
    names = tuple(field.name for field in law.fields_of(RESOURCE))
    return LiveDecision(
        id=_id(random),
        holder_sector=holder,
        provision=random.choice(pool),
        purpose=purpose if random.random() < 0.9 else random.choice(_PURPOSES),
        fields=_some(random, names, 4, FIELDS),
    )
