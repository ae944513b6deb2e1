"""The law a second time: slow, obvious, and for tests alone to compare the engine with.

Written from the design (sections 4 and 7) and from what `model.py` says that its values mean. It shares no logic with
`assess.py`, `decide.py` or the SQL, so that a mistake would have to be made twice. Nothing in the service imports it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from policies.model import (
    Condition,
    Facts,
    Field,
    Holder,
    Law,
    OpenQuestion,
    Provision,
    Question,
    SecrecyRule,
    SecrecyWording,
    Wording,
)


class Reading(NamedTuple):
    """How one provision answers a question: the conditions that fail, in order, and the locks that it breaks."""

    available: bool
    fails: tuple[Condition, ...]
    opens: frozenset[str]


_Readings = dict[Question, dict[str, Reading]]


class Explained(NamedTuple):
    """`not-secret`, `needs-decision` or `withheld`, and every provision's reading by its id."""

    outcome: str
    provisions: Mapping[str, Reading]


class Release(NamedTuple):
    """A field that is handed out: on which ground, from which holders, and of which rows."""

    field: str
    ground: str
    holder_sector: str | None
    scope: str
    decision: str | None = None
    age_from: int | None = None
    age_below: int | None = None


class Withholding(NamedTuple):
    """A field that is kept back: why, at which holders, behind which locks, and what could open them and lacks what."""

    field: str
    reason: str
    holder_sector: str
    secrecy: tuple[str, ...]
    could_open: tuple[tuple[str, tuple[str, ...]], ...]


class Decided(NamedTuple):
    """All that is released and all that is withheld; `protected` answers leave a receipt."""

    released: frozenset[Release]
    withheld: frozenset[Withholding]
    protected: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it lies at its holder; `own`: the holder is the caller's own agency.

    `named_by` are the ids of the decisions that this row's holder made, that live, and that name this row.
    """

    holder_sector: str
    own: bool
    born: date | None
    named_by: frozenset[str]


# --- may this be shared? --------------------------------------------------------------------------------------------


def explain(question: Question, law: Law) -> Explained:
    """The outcome of a question, and each provision's reading. Unknown kinds, sectors and rules raise `KeyError`."""
    rules = _locks(question, law)
    readings = {provision.id: _read(provision, question, rules) for provision in law.provisions.values()}
    return Explained(_outcome(question, law, rules, readings), readings)


def _locks(question: Question, law: Law) -> list[SecrecyRule]:
    """The secrecy rules that the question names; else those that cover its kind at its holder."""
    if question.secrecy is not None:
        return [law.secrecy[identity] for identity in question.secrecy]
    # An unknown name is an error: nothing known is not nothing secret.
    if question.kind not in law.kinds or question.holder_sector not in law.sectors:
        raise KeyError(f"{question.kind} at {question.holder_sector}")
    return [rule for rule in law.secrecy.values() if (question.holder_sector, question.kind) in rule.applies]


def _outcome(question: Question, law: Law, rules: list[SecrecyRule], readings: Mapping[str, Reading]) -> str:
    """Special provisions, alone or together, must open every lock; general exits count for nothing."""
    if not _law_is_known(rules, law, question.as_of):
        return "withheld"
    if not rules:
        return "not-secret"
    for rule in rules:
        opened = False
        for identity, reading in readings.items():
            special = not law.provisions[identity].general
            # In a combination each meets all its own conditions; only the other locks may be left to others.
            if special and set(reading.fails) <= {Condition.SECRECY} and rule.id in reading.opens:
                opened = True
        if not opened:
            return "withheld"
    return "needs-decision"


def _law_is_known(rules: list[SecrecyRule], law: Law, day: date) -> bool:
    """Every lock has a wording that day, and some secrecy rule is in force at all: silence opens nothing."""
    every_lock = all(_secrecy_wording(rule, day) is not None for rule in rules)
    return every_lock and any(_secrecy_wording(rule, day) is not None for rule in law.secrecy.values())


def _secrecy_wording(rule: SecrecyRule, day: date) -> SecrecyWording | None:
    """A wording holds from its first day up to, not including, its `until`."""
    for wording in rule.wordings:
        if wording.valid_from <= day and (wording.until is None or day < wording.until):
            return wording
    return None


def _wording(provision: Provision, day: date) -> Wording | None:
    """As for secrecy rules."""
    for wording in provision.wordings:
        if wording.valid_from <= day and (wording.until is None or day < wording.until):
            return wording
    return None


def _read(provision: Provision, question: Question, rules: list[SecrecyRule]) -> Reading:
    """One provision against one question, condition by condition."""
    wording = _wording(provision, question.as_of)
    if wording is None:
        return Reading(available=False, fails=(Condition.IN_FORCE,), opens=frozenset())
    closing = [asked for asked in wording.open_questions if _concerns(asked, question, rules)]
    broken = frozenset(rule.id for rule in rules if _breaks(provision, wording, rule, question.as_of))
    fails: list[Condition] = []
    if not _fits_holder(provision, wording, question, closing):
        fails.append(Condition.FROM_SECTOR)
    if not _fits_recipient(provision, wording, question):
        fails.append(Condition.TO_SECTOR)
    if wording.purposes is not None and question.purpose not in wording.purposes:
        fails.append(Condition.PURPOSE)
    if any(rule.id not in broken for rule in rules):
        fails.append(Condition.SECRECY)
    # What the question does not say is attested, and fails nothing here.
    if question.kind is not None and wording.kinds is not None and question.kind not in wording.kinds:
        fails.append(Condition.KIND)
    age = question.subject_age
    if age is not None and wording.age_from is not None and age < wording.age_from:
        fails.append(Condition.SUBJECT_AGE)
    if age is not None and wording.age_below is not None and age >= wording.age_below:
        fails.append(Condition.SUBJECT_AGE)
    # One for each question that closes it.
    fails += [Condition.OPEN_QUESTION] * len(closing)
    return Reading(available=fails == [], fails=tuple(fails), opens=broken)


def _reaches_companies(provision: Provision) -> bool:
    """OSL 2:3 equates companies with authorities for OSL, where the general exits stand too, and for no other act."""
    return provision.general or provision.id.startswith("osl-")


def _fits_holder(provision: Provision, wording: Wording, question: Question, closing: list[OpenQuestion]) -> bool:
    if question.holder_sector not in wording.from_sectors:
        return False
    if question.holder_equated and not _reaches_companies(provision):
        if question.holder_sector in wording.equated_from:
            return True
        # Where it is an open question whether the company is reached, that question is what closes the provision.
        return any(asked.equated for asked in closing)
    return True


def _fits_recipient(provision: Provision, wording: Wording, question: Question) -> bool:
    if question.recipient_sector not in wording.to_sectors:
        return False
    if wording.other_sector and question.recipient_sector == question.holder_sector:
        return False
    return not question.recipient_equated or _reaches_companies(provision)


def _concerns(asked: OpenQuestion, question: Question, rules: list[SecrecyRule]) -> bool:
    """Whether an open question is about this combination. A limit that is not stated limits nothing."""
    if asked.purposes and question.purpose not in asked.purposes:
        return False
    if asked.from_sectors and question.holder_sector not in asked.from_sectors:
        return False
    if asked.to_sectors and question.recipient_sector not in asked.to_sectors:
        return False
    if asked.secrecy and not any(rule.id in asked.secrecy for rule in rules):
        return False
    return not asked.equated or question.holder_equated


def _breaks(provision: Provision, wording: Wording, rule: SecrecyRule, day: date) -> bool:
    """Whether a provision breaks a lock: it is excepted nowhere, and one of the ways to break it applies."""
    breaks, lock = wording.breaks, _secrecy_wording(rule, day)
    # A rule without a wording that day is not known, and what is not known is not opened.
    if lock is None:
        return False
    if rule.id in breaks.excepts:
        return False
    if provision.chapter is not None and provision.chapter in rule.closed_to_chapters:
        return False
    return any(
        [
            breaks.everything,
            rule.id in breaks.rules,
            rule.chapter in breaks.chapters,
            rule.protects in breaks.protects,
            lock.harm_test in breaks.harm_tests,
        ]
    )


# --- what is released, and what is withheld? ------------------------------------------------------------------------


def decide(facts: Facts, law: Law, as_of: date) -> Decided:
    """Every field at every holder: released on a ground, or withheld for a reason, or some rows each way."""
    released: set[Release] = set()
    withheld: set[Withholding] = set()
    protected = False
    # Fields of one kind are asked about in the same words, and read once.
    known: _Readings = {}
    for name in facts.fields:
        field = law.fields[facts.resource, name]
        if field.kind.level == "shared":
            released.add(Release(name, "no-secrecy", None, scope="any"))
            continue
        if facts.purpose is not None or field.individual:
            protected = True
        for holder in _holders(facts, field):
            if facts.purpose is None:
                withheld.add(_withhold(law, field, holder, "no-purpose"))
            elif field.individual and not facts.case_reference:
                withheld.add(_withhold(law, field, holder, "no-case-reference"))
            elif holder.own:
                scope = "own" if field.holder == "row" else "any"
                released.add(Release(name, "own-data", holder.sector, scope))
            else:
                opened, shut = _of_another(facts, law, field, holder, as_of, known)
                released.update(opened)
                withheld.add(shut)
    return Decided(frozenset(released), frozenset(withheld), protected)


def _holders(facts: Facts, field: Field) -> list[Holder]:
    """Rows name their holders; a field with a holder of its own is that sector's, whoever typed it."""
    if field.holder == "row":
        return list(facts.holders)
    return [Holder(field.holder, own=facts.caller_sector == field.holder)]


def _withhold(law: Law, field: Field, holder: Holder, reason: str) -> Withholding:
    locks = [rule.id for rule in law.secrecy.values() if (holder.sector, field.kind.id) in rule.applies]
    return Withholding(field.name, reason, holder.sector, tuple(locks), ())


def _of_another(
    facts: Facts, law: Law, field: Field, holder: Holder, as_of: date, known: _Readings
) -> tuple[list[Release], Withholding]:
    """Another holder's protected field: rows that its decisions name may be released, the others never are."""
    question = _question(facts, field, holder, as_of, equated=False)
    rules = _locks(question, law)
    if not _law_is_known(rules, law, as_of):
        return [], _withhold(law, field, holder, "no-wording-in-force")
    tried = [
        provision
        for provision in law.provisions.values()
        if facts.legal_basis is None or provision.id == facts.legal_basis
    ]
    released: list[Release] = []
    for live in facts.decisions:
        # A key identifies the row, and goes with whatever is released of it.
        names_field = field.name in live.fields or field.key
        if live.holder_sector != holder.sector or live.purpose != facts.purpose or not names_field:
            continue
        asked = _question(facts, field, holder, as_of, equated=live.holder_equated)
        for provision in tried:
            wording = _wording(provision, as_of)
            if provision.id == live.provision and wording is not None and _read(provision, asked, rules).available:
                ages = (wording.age_from, wording.age_below)
                released.append(Release(field.name, provision.id, holder.sector, "decision", live.id, *ages))
    if question not in known:
        known[question] = {provision.id: _read(provision, question, rules) for provision in tried}
    readings = known[question]
    outcome = _outcome(question, law, rules, readings)
    reason = "no-provision" if outcome == "withheld" else "no-decision"
    shut = _withhold(law, field, holder, reason)._replace(could_open=_could_open(law, rules, readings))
    return released, shut


def _question(facts: Facts, field: Field, holder: Holder, as_of: date, *, equated: bool) -> Question:
    return Question(
        holder_sector=holder.sector,
        recipient_sector=facts.caller_sector,
        purpose=str(facts.purpose),
        as_of=as_of,
        kind=field.kind.id,
        holder_equated=equated,
        recipient_equated=facts.caller_equated,
    )


def _could_open(
    law: Law, rules: list[SecrecyRule], readings: Mapping[str, Reading]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Special provisions of the day, between these two, that break some lock, if there is any; the nearest first."""
    found = []
    for identity, reading in readings.items():
        if law.provisions[identity].general:
            continue
        if {Condition.IN_FORCE, Condition.FROM_SECTOR, Condition.TO_SECTOR} & set(reading.fails):
            continue
        if rules and not reading.opens:
            continue
        found.append((identity, (*(condition.value for condition in reading.fails), "decision")))
    return tuple(sorted(found, key=lambda opener: (len(opener[1]), opener[0])))


# --- which rows? ----------------------------------------------------------------------------------------------------


def shows(facts: Facts, law: Law, day: date, row: Row) -> frozenset[str]:
    """The fields that the caller may see of one row on a calendar day in Sweden; of a row nobody may know of, none."""
    return shown_by(decide(facts, law, day), facts, law, day, row)


def shown_by(decided: Decided, facts: Facts, law: Law, day: date, row: Row) -> frozenset[str]:
    """As `shows`, where it has been decided already: deciding is slow, and rows are many."""
    seen = set()
    for entry in decided.released:
        every_row_has_this_holder = law.fields[facts.resource, entry.field].holder != "row"
        of_this_holder = every_row_has_this_holder or entry.holder_sector in {None, row.holder_sector}
        if of_this_holder and _fits_row(entry, day, row):
            seen.add(entry.field)
    return frozenset(seen)


def _fits_row(entry: Release, day: date, row: Row) -> bool:
    if entry.scope == "any":
        return True
    if entry.scope == "own":
        return row.own
    return (
        entry.decision in row.named_by
        and (entry.age_from is None or has_turned(row.born, entry.age_from, day))
        and (entry.age_below is None or is_younger(row.born, entry.age_below, day))
    )


def has_turned(born: date | None, age: int, day: date) -> bool:
    """Whether a person is at least an age: from the birthday on, or 1 March where the year has no 29 February."""
    if born is None:
        return False
    return day >= (_birthday(born, age) or date(born.year + age, 3, 1))


def is_younger(born: date | None, age: int, day: date) -> bool:
    """Whether a person is below an age: before the birthday, or before 28 February where the year has no 29th."""
    if born is None:
        return False
    return day < (_birthday(born, age) or date(born.year + age, 2, 28))


def _birthday(born: date, age: int) -> date | None:
    """The day on which a person turns an age; born on 29 February, there is none in a common year."""
    try:
        return date(born.year + age, born.month, born.day)
    except ValueError:
        return None
