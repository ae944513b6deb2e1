"""May this be granted? The hard conditions of one disclosure decision (*utlämnandebeslut*), and what it must attest.

check_kind     one kind of information: the checklist that an officer is shown
check_request  the kinds that are asked for: every obstacle that stands whatever the holder has
check_grant    the fields and rows that are to be handed out: every obstacle, and every attestation that is demanded

INVARIANT: both checks ask `check_kind` for each kind, so what the checklist shows is what is checked. None of them
weighs anything: where interests are to be weighed, a person attests to it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from datetime import date
from typing import Literal

from policies.assess import assess_provision, lawless, locks
from policies.model import Condition, Field, Lack, Law, Question, SecrecyRule, Wording

Initiative = Literal["on-request", "own-initiative"]

# Whoever has protected identity is not to be found: where a person is, and how to reach it, is secret anywhere.
PROTECTED_IDENTITY = "osl-21-3"
_LOCATING_KINDS = frozenset({"person-contact", "person-whereabouts"})
LOCATING_FIELDS = frozenset({"mapping"})
# Each row's birth date is looked at, so nobody has to attest to what it says.
_LOOKED_UP = frozenset({"subject-age-verified"})
# Unicode counts them among the letters, and nobody sees them (Hangul fillers).
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
_NOTHING = Lack(Condition.OTHER, "at least one", "none")
# Conditions that say nothing of a kind or a row: they fail for the whole decision.
_OF_THE_WAY = frozenset(
    {Condition.IN_FORCE, Condition.FROM_SECTOR, Condition.TO_SECTOR, Condition.PURPOSE, Condition.OTHER}
)


@dataclass(frozen=True, slots=True)
class Way:
    """How something is to be handed out: by whom, to whom, why, under which provision, on which day in Sweden.

    `purpose` is the recipient's. `holder_equated`, `recipient_equated`: an authority only through OSL 2:3.
    """

    provision: str
    initiative: Initiative
    purpose: str
    holder_sector: str
    recipient_sector: str
    day: date
    holder_equated: bool = False
    recipient_equated: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A row that is to be handed out: when the person was born, and whether its identity is protected (OSL 21:3)."""

    born: date | None
    protected_identity: bool = False


@dataclass(frozen=True, slots=True)
class KindCheck:
    """What the law says of one kind: the locks, what the provision lacks, and what must be attested to.

    `citation` is that of the locks that stay shut, else of the provision.
    """

    kind: str
    secrecy: tuple[SecrecyRule, ...]
    lacks: tuple[Lack, ...]
    attestations: tuple[str, ...]
    wording: Wording | None
    citation: str

    @property
    def available(self) -> bool:
        """Every hard condition holds that can be checked without a row."""
        return not self.lacks

    @property
    def of_each_row(self) -> tuple[tuple[Condition, str], ...]:
        """What is checked for each row when it is named: condition, and what it requires."""
        ages = _age_limits(self.wording)
        found = [(Condition.SUBJECT_AGE, ages)] if ages else []
        if self.kind in _LOCATING_KINDS:
            found.append((Condition.SECRECY, f"{PROTECTED_IDENTITY} too, of a person with protected identity"))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why something cannot be granted: where it stands in the decision, what is lacking, and the paragraph.

    `where` is `provision`, `kinds`, `kinds.<kind>`, `fields`, `fields.<name>`, `items`, or a row's own name, with
    `.<field>` after it where it is about one field of it.
    """

    where: str
    lack: Lack
    citation: str


@dataclass(frozen=True, slots=True)
class GrantCheck:
    """Every obstacle to a grant, the attestations that it must carry, and the wording that it rests on."""

    obstacles: tuple[Obstacle, ...]
    attestations: tuple[str, ...]
    wording: Wording | None


def is_duty(provision: str, day: date, law: Law) -> bool:
    """Whether the provision's wording of that day is a duty (*uppgiftsskyldighet*). Raises `KeyError`."""
    wording = law.provisions[provision].in_force(day)
    return wording is not None and wording.type == "shall"


def check_kind(way: Way, kind: str, law: Law, *, age: int | None = None, protected: bool = False) -> KindCheck:
    """Whether one kind of information can be handed out in this way, whatever the row.

    `age` is the person's, where one is known; `protected` adds the lock of OSL 21:3. Raises `KeyError` for a
    provision, kind or sector that the law does not know.
    """
    provision = law.provisions[way.provision]
    question = Question(
        holder_sector=way.holder_sector,
        recipient_sector=way.recipient_sector,
        purpose=way.purpose,
        as_of=way.day,
        kind=kind,
        subject_age=age,
        holder_equated=way.holder_equated,
        recipient_equated=way.recipient_equated,
    )
    rules = locks(question, law)
    if protected:
        rules = tuple(dict.fromkeys((*rules, law.secrecy[PROTECTED_IDENTITY])))
    answer = assess_provision(provision, question, rules)
    shut = [rule.citation for rule in rules if rule.id not in answer.opens]
    wording = answer.wording
    lacks = list(answer.lacks)
    if lawless(rules, law, way.day):
        lacks.append(Lack(Condition.IN_FORCE, "secrecy rules that are known for the day", str(way.day)))
    if wording is not None and way.initiative not in wording.initiative:
        lacks.append(Lack(Condition.OTHER, ", ".join(sorted(wording.initiative)), way.initiative))
    return KindCheck(
        kind=kind,
        secrecy=rules,
        lacks=tuple(lacks),
        attestations=tuple(name for name in answer.attestations if name not in _LOOKED_UP),
        wording=wording,
        citation="; ".join(shut) if shut and wording is not None else provision.citation,
    )


def check_request(way: Way, kinds: Sequence[str], law: Law) -> tuple[Obstacle, ...]:
    """Every obstacle to what is asked for that no row could remove, each told once.

    Raises `KeyError` for a provision, kind or sector that the law does not know.
    """
    citation = law.provisions[way.provision].citation
    found = [*_nothing({"kinds": kinds}, citation)]
    for kind in kinds:
        found += _of_kind(f"kinds.{kind}", check_kind(way, kind, law), citation)
    return tuple(dict.fromkeys(found))


def check_grant(
    way: Way, fields: Sequence[Field], items: Mapping[str, Item], law: Law, *, place_told: bool = False
) -> GrantCheck:
    """Every obstacle to handing out these fields of these rows, each told once; `items` by what each is called.

    `place_told`: what is answered names a place, so that whoever is named is named there.

    Raises `KeyError` for a provision, kind or sector that the law does not know.
    """
    checks = {field.name: check_kind(way, field.kind.id, law) for field in fields}
    citation = law.provisions[way.provision].citation
    told = _told(fields, law, place_told=place_told)
    found = [*_nothing({"fields": fields, "items": items}, citation)]
    for name, check in checks.items():
        found += _of_kind(f"fields.{name}", check, citation)
    for where, item in items.items():
        found += _age_obstacles(where, item, checks.values(), way, law)
        if item.protected_identity:
            found += _protected_obstacles(where, told, way, law)
    return GrantCheck(
        obstacles=tuple(dict.fromkeys(found)),
        attestations=tuple(dict.fromkeys(name for check in checks.values() for name in check.attestations)),
        wording=law.provisions[way.provision].in_force(way.day),
    )


def locked_by_protection(way: Way, fields: Sequence[Field], law: Law, *, place_told: bool = False) -> bool:
    """Whether OSL 21:3 stands in the way of these fields of a person with protected identity, and of nobody else.

    `place_told` as in `check_grant`. Raises `KeyError` for a provision or sector that the law does not know.
    """
    return any(_protected_obstacles("", _told(fields, law, place_told=place_told), way, law))


def unattested(demanded: Iterable[str], given: Mapping[str, str]) -> tuple[str, ...]:
    """The attestations that are demanded and not given: one without a word in it is none."""
    return tuple(name for name in demanded if not says_something(given.get(name, "")))


def says_something(text: str) -> bool:
    """Whether a text holds a letter or digit that can be seen: spaces of no width and fillers are no words."""
    return any(one.isalnum() and one not in _FILLERS for one in text)


def _nothing(named: Mapping[str, Sized], citation: str) -> Iterator[Obstacle]:
    for where, values in named.items():
        if not values:
            yield Obstacle(where, _NOTHING, citation)


def _of_kind(where: str, check: KindCheck, citation: str) -> Iterator[Obstacle]:
    for lack in check.lacks:
        paragraph = check.citation if lack.condition is Condition.SECRECY else citation
        yield Obstacle("provision" if lack.condition in _OF_THE_WAY else where, lack, paragraph)


def _age_obstacles(where: str, item: Item, checks: Iterable[KindCheck], way: Way, law: Law) -> Iterator[Obstacle]:
    """The ages that the wording demands, on the day. INVARIANT: an unknown age meets no condition of age."""
    provision = law.provisions[way.provision]
    limits = _age_limits(provision.in_force(way.day))
    if not limits:
        return
    ages = _ages(item.born, way.day)
    if not ages:
        yield Obstacle(where, Lack(Condition.SUBJECT_AGE, limits, "unknown"), provision.citation)
    for check in checks:
        for age in ages:
            for lack in check_kind(way, check.kind, law, age=age).lacks:
                if lack.condition is Condition.SUBJECT_AGE:
                    yield Obstacle(where, lack, provision.citation)


def _told(fields: Sequence[Field], law: Law, *, place_told: bool) -> tuple[Field, ...]:
    """The fields, and the place where what is answered tells it already."""
    place = [law.fields["individual", name] for name in sorted(LOCATING_FIELDS)] if place_told else []
    return tuple(dict.fromkeys((*fields, *place)))


def _protected_obstacles(where: str, fields: Sequence[Field], way: Way, law: Law) -> Iterator[Obstacle]:
    """What leads to a person with protected identity is locked by OSL 21:3 too, whatever else locks it."""
    for field in fields:
        if field.kind.id not in _LOCATING_KINDS and field.name not in LOCATING_FIELDS:
            continue
        check = check_kind(way, field.kind.id, law, protected=True)
        of_anybody = check_kind(way, field.kind.id, law).lacks
        for lack in check.lacks:
            if lack not in of_anybody:
                yield Obstacle(f"{where}.{field.name}", lack, check.citation)


def _age_limits(wording: Wording | None) -> str:
    """The ages that a wording demands, in words; empty where it demands none."""
    if wording is None:
        return ""
    limits = [f"at least {wording.age_from}"] if wording.age_from is not None else []
    limits += [f"under {wording.age_below}"] if wording.age_below is not None else []
    return " and ".join(limits)


def _ages(born: date | None, day: date) -> tuple[int, ...]:
    """Whole years on a day; none where the birth date is unknown or still to come.

    Who is born on 29 February is, on 28 February of a common year, of two ages: the law does not say which, and both
    must be lawful.
    """
    if born is None or born > day:
        return ()
    years = day.year - born.year
    turned = (day.month, day.day) >= (born.month, born.day)
    if (born.month, born.day) == (2, 29) and (day.month, day.day) == (2, 28) and not _is_leap(day.year):
        return (years - 1, years)
    return (years if turned else years - 1,)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
