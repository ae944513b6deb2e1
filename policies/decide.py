"""decide(facts, law, as_of) -> Decision: the only maker of a Decision.

INVARIANT: default deny. A field is released because a rule below says so; every other path, and every error, withholds.
INVARIANT: a protected field of another holder is released only under that holder's recorded decision, which the law
of today must still carry.
"""

from collections.abc import Iterator
from dataclasses import InitVar, dataclass
from datetime import date
from functools import lru_cache

from policies.assess import assess_provision, locks, reachable, undated
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
    withheld: list[Withheld] = []
    protected = False
    for name in facts.fields:
        field = law.fields[facts.resource, name]
        if field.kind.level == "shared":
            released.append(Released(name, "no-secrecy", _CITATION_OF_SHARED, _ANY))
            continue
        protected = protected or facts.purpose is not None or field.individual
        for entry in _decide_protected(facts, field, law, as_of):
            # The caller's own agency and another of its sector may be withheld in the same words: said once.
            (released if isinstance(entry, Released) else withheld).append(entry)  # type: ignore[arg-type]
    return Decision(facts, as_of, law.version, protected, tuple(released), tuple(dict.fromkeys(withheld)), _SEAL)


def _holders(facts: Facts, field: Field) -> tuple[Holder, ...]:
    if field.holder == "row":
        return facts.holders
    return (Holder(field.holder, own=field.holder == facts.caller_sector),)


def _decide_protected(facts: Facts, field: Field, law: Law, as_of: date) -> Iterator[Released | Withheld]:
    for holder in _holders(facts, field):
        rules = law.secrecy_of(field.kind.id, holder.sector)
        reason = None
        if facts.purpose is None:
            reason = "no-purpose"
        elif field.individual and not facts.case_reference:
            reason = "no-case-reference"
        if reason is not None:
            yield _withhold(field, holder, rules, reason)
        elif holder.own:
            rows = _OWN if field.holder == "row" else _ANY
            yield Released(field.name, "own-data", _CITATION_OF_OWN, rows, holder.sector)
        else:
            yield from _decide_others(facts, field, holder, law, as_of)


def _decide_others(facts: Facts, field: Field, holder: Holder, law: Law, as_of: date) -> Iterator[Released | Withheld]:
    question = Question(holder.sector, facts.caller_sector, facts.purpose or "", as_of, field.kind.id)
    rules = locks(question, law)
    if undated(rules, as_of):
        yield _withhold(field, holder, rules, "no-wording-in-force")
        return
    answers = [
        assess_provision(provision, question, rules)
        for provision in law.provisions.values()
        if facts.legal_basis in (None, provision.id)
    ]
    for live in facts.decisions:
        if live.holder_sector == holder.sector and (field.name in live.fields or field.key):
            answer = next((a for a in answers if a.provision.id == live.provision), None)
            if answer is not None and _carries(answer, live, facts):
                yield _release(field, holder, answer, live)
    reason = "no-decision" if not rules or reachable(answers, rules) else "no-provision"
    yield _withhold(field, holder, rules, reason, _could_open(answers, rules))


def _carries(answer: Assessment, live: LiveDecision, facts: Facts) -> bool:
    """Whether today's law still carries a recorded decision, for the purpose that it was made for."""
    return answer.available and answer.wording is not None and live.purpose == facts.purpose


def _release(field: Field, holder: Holder, answer: Assessment, live: LiveDecision) -> Released:
    age_below = answer.wording.age_below if answer.wording else None
    provision: Provision = answer.provision
    rows = RowRule("decision", live.id, age_below)
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
