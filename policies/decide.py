"""decide(facts, law, as_of) -> Decision: the only maker of a Decision.

INVARIANT: default deny. A field is released because a rule below says so; every other path, and every error, withholds.
INVARIANT: a protected field of another holder is released only under that holder's recorded decision, which the law
of today must still carry.
"""

from collections.abc import Iterator, Mapping
from dataclasses import InitVar, dataclass, replace
from datetime import date
from functools import lru_cache
from types import MappingProxyType

from policies.assess import assess_provision, lawless, locks, reachable
from policies.model import (
    Assessment,
    Condition,
    CouldOpen,
    Facts,
    Field,
    Holder,
    Law,
    LiveDecision,
    Provision,
    Question,
    Released,
    RowRule,
    SecrecyRule,
    Withheld,
)

_SEAL = object()
_ANY = RowRule("any")
_OWN = RowRule("own")
_CITATION_OF_SHARED = "6 kap. 5 § OSL"
_CITATION_OF_OWN = "8 kap. 1 § OSL"


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What is released and what is withheld of one resource for one caller on one day (*sekretessprövning*).

    `protected`: the answer touches individual-level or otherwise locked data under a declared purpose, or rows about
    individuals at all; it then leaves a receipt, and nobody may cache it.
    """

    facts: Facts
    as_of: date
    policy_version: str
    protected: bool
    released: tuple[Released, ...]
    withheld: tuple[Withheld, ...]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        # INVARIANT: permission is a type. Only decide() knows the seal; a test holds that nobody else imports it. It is
        # not kept, so that neither a Decision nor `dataclasses.replace` of one gives it away.
        if seal is not _SEAL:
            raise TypeError("a Decision is made by policies.decide only")

    def rules_for(self, field: str) -> tuple[RowRule, ...]:
        """The row rules under which a field is released; empty where it is withheld everywhere."""
        return tuple(dict.fromkeys(entry.rows for entry in self.released if entry.field == field))

    def refusal_of(self, field: str) -> Withheld | None:
        """The first reason for which the field, or some row's value of it, is withheld."""
        return next((entry for entry in self.withheld if entry.field == field), None)


def decide(facts: Facts, law: Law, as_of: date) -> Decision:
    """Decide every field in `facts.fields` by the law of `as_of`. Unknown resources or fields raise `KeyError`."""
    return _decide(facts, _Key(law), as_of)


class _Key:
    """Lets a law stand in a cache key by its version, which is a digest of all its files."""

    __slots__ = ("law",)

    def __init__(self, law: Law) -> None:
        self.law = law

    def __hash__(self) -> int:
        return hash(self.law.version)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.law.version == self.law.version


@lru_cache(maxsize=4096)
def _decide(facts: Facts, key: _Key, as_of: date) -> Decision:
    law = key.law
    released: list[Released] = []
    # The caller's own agency and another of its sector may be withheld in the same words: said once.
    withheld: dict[tuple[str, str | None, str], Withheld] = {}
    protected = False
    for name in facts.fields:
        field = law.fields[facts.resource, name]
        if field.kind.level == "shared":
            released.append(Released(name, "no-secrecy", _CITATION_OF_SHARED, _ANY))
            continue
        protected = protected or facts.purpose is not None or field.individual
        for entry in _decide_protected(facts, field, key, as_of):
            if isinstance(entry, Released):
                released.append(entry)
            else:
                withheld[entry.field, entry.holder_sector, entry.reason] = entry
    return Decision(facts, as_of, law.version, protected, tuple(released), tuple(withheld.values()), _SEAL)


def _holders(facts: Facts, field: Field) -> tuple[Holder, ...]:
    if field.holder == "row":
        return facts.holders
    return (Holder(field.holder, own=field.holder == facts.caller_sector),)


def _decide_protected(facts: Facts, field: Field, key: _Key, as_of: date) -> Iterator[Released | Withheld]:
    for holder in _holders(facts, field):
        reason = None
        if facts.purpose is None:
            reason = "no-purpose"
        elif field.individual and not facts.case_reference:
            reason = "no-case-reference"
        if reason is not None:
            yield _withhold(field, holder, key.law.secrecy_of(field.kind.id, holder.sector), reason)
        elif holder.own:
            rows = _OWN if field.holder == "row" else _ANY
            yield Released(field.name, "own-data", _CITATION_OF_OWN, rows, holder.sector)
        else:
            yield from _decide_others(facts, field, holder, key, as_of)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the law of a day says of one kind at one holder for one caller, whatever has been decided."""

    rules: tuple[SecrecyRule, ...]
    answers: Mapping[str, Assessment]
    lawless: bool
    reason: str
    could_open: tuple[CouldOpen, ...]


def _between(provision: Provision, question: Question) -> bool:
    wording = provision.in_force(question.as_of)
    return (
        wording is not None
        and question.holder_sector in wording.from_sectors
        and question.recipient_sector in wording.to_sectors
    )


@lru_cache(maxsize=16384)
def _standing(question: Question, legal_basis: str | None, key: _Key) -> _Standing:
    """Asked once for all fields of a kind: the law has far fewer questions than callers have.

    Provisions that are not in force, or not between these two, can neither carry nor open: they are passed over.
    """
    rules = locks(question, key.law)
    answers = [
        assess_provision(provision, question, rules)
        for provision in key.law.provisions.values()
        if legal_basis in (None, provision.id) and _between(provision, question)
    ]
    return _Standing(
        rules=rules,
        answers=MappingProxyType({answer.provision.id: answer for answer in answers}),
        lawless=lawless(rules, key.law, question.as_of),
        reason="no-decision" if not rules or reachable(answers, rules) else "no-provision",
        could_open=_could_open(answers, rules),
    )


def _decide_others(facts: Facts, field: Field, holder: Holder, key: _Key, as_of: date) -> Iterator[Released | Withheld]:
    question = Question(
        holder.sector,
        facts.caller_sector,
        facts.purpose or "",
        as_of,
        field.kind.id,
        recipient_equated=facts.caller_equated,
    )
    standing = _standing(question, facts.legal_basis, key)
    if standing.lawless:
        yield _withhold(field, holder, standing.rules, "no-wording-in-force")
        return
    for live in facts.decisions:
        if live.holder_sector == holder.sector and (field.name in live.fields or field.key):
            decided = standing
            if live.holder_equated:
                decided = _standing(replace(question, holder_equated=True), facts.legal_basis, key)
            answer = decided.answers.get(live.provision)
            if answer is not None and _carries(answer, live, facts):
                yield _release(field, holder, answer, live)
    yield _withhold(field, holder, standing.rules, standing.reason, standing.could_open)


def _carries(answer: Assessment, live: LiveDecision, facts: Facts) -> bool:
    """Whether today's law still carries a recorded decision, for the purpose that it was made for."""
    return answer.available and answer.wording is not None and live.purpose == facts.purpose


def _release(field: Field, holder: Holder, answer: Assessment, live: LiveDecision) -> Released:
    wording, provision = answer.wording, answer.provision
    rows = RowRule("decision", live.id, wording.age_below if wording else None, wording.age_from if wording else None)
    return Released(field.name, provision.id, provision.citation, rows, holder.sector, live.id)


def _could_open(answers: list[Assessment], rules: tuple[SecrecyRule, ...]) -> tuple[CouldOpen, ...]:
    """Special provisions that fit holder and recipient and open at least one lock, with what each still lacks."""
    fitting = []
    for answer in answers:
        conditions = {lack.condition for lack in answer.lacks}
        if conditions & {Condition.FROM_SECTOR, Condition.TO_SECTOR, Condition.IN_FORCE} or answer.provision.general:
            continue
        if rules and not answer.opens:
            continue
        lacks = tuple(lack.condition.value for lack in answer.lacks)
        fitting.append(CouldOpen(answer.provision.id, (*lacks, "decision")))
    return tuple(sorted(fitting, key=lambda entry: (len(entry.lacks), entry.provision)))


def _withhold(
    field: Field,
    holder: Holder,
    rules: tuple[SecrecyRule, ...],
    reason: str,
    could_open: tuple[CouldOpen, ...] = (),
) -> Withheld:
    # Where no secrecy is encoded, what keeps another's protected field back is that nobody has asked for it (OSL 6:5).
    citation = "; ".join(rule.citation for rule in rules) or _CITATION_OF_SHARED
    return Withheld(field.name, reason, tuple(rule.id for rule in rules), citation, holder.sector, could_open)
