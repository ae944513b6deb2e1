"""How each provision answers one question. The single place where hard conditions are checked.

INVARIANT: what the question does not say (a request made, consent, an age that is not given) is an attestation that
an officer must make, never a condition that counts as met by silence.
"""

from collections.abc import Iterable
from datetime import date

from policies.model import (
    Assessment,
    Breaks,
    Condition,
    Lack,
    Law,
    OpenQuestion,
    Provision,
    Question,
    SecrecyRule,
    Wording,
)

# Every ground that says *may* rests on these two as well (BDL 2:4 and 2:22; OSL 7:2).
ATTESTATIONS_OF_MAY = ("data-protection-check", "receiver-secrecy")

_ITSELF = "an authority itself"
_THROUGH_OSL_2_3 = "an authority only through OSL 2:3"


def locks(question: Question, law: Law) -> tuple[SecrecyRule, ...]:
    """The secrecy rules the question is about: those it names, else those of its kind at its holder.

    Raises `KeyError` for a rule, kind or sector that the law does not know: nothing known is not nothing secret.
    """
    if question.secrecy is not None:
        return tuple(law.secrecy[identity] for identity in question.secrecy)
    if question.kind is None:
        raise ValueError("a question names a kind or secrecy rules")
    if question.kind not in law.kinds or question.holder_sector not in law.sectors:
        raise KeyError(f"{question.kind} at {question.holder_sector}")
    return law.secrecy_of(question.kind, question.holder_sector)


def breaks_rule(breaks: Breaks, chapter: int | None, rule: SecrecyRule, day: date) -> bool:
    """Whether a provision of that chapter of OSL breaks a secrecy rule on a day; one with no wording is not opened."""
    wording = rule.in_force(day)
    if wording is None or rule.id in breaks.excepts or chapter in rule.closed_to_chapters:
        return False
    return (
        breaks.everything
        or rule.id in breaks.rules
        or rule.chapter in breaks.chapters
        or rule.protects in breaks.protects
        or wording.harm_test in breaks.harm_tests
    )


def _names(values: Iterable[str]) -> str:
    return ", ".join(sorted(values))


def _concerns(asked: OpenQuestion, question: Question, rules: tuple[SecrecyRule, ...]) -> bool:
    """Whether an open question is about this combination; a limit that it does not have limits nothing."""
    return (
        (not asked.purposes or question.purpose in asked.purposes)
        and (not asked.secrecy or any(rule.id in asked.secrecy for rule in rules))
        and (not asked.from_sectors or question.holder_sector in asked.from_sectors)
        and (not asked.to_sectors or question.recipient_sector in asked.to_sectors)
        and (not asked.equated or question.holder_equated)
    )


def _binds_company(wording: Wording, sector: str, closing: Iterable[OpenQuestion]) -> bool:
    """Whether a rule outside OSL names companies of that sector, or leaves it as a question, which then closes it."""
    return sector in wording.equated_from or any(asked.equated for asked in closing)


def _sector_lacks(
    provision: Provision, wording: Wording, question: Question, closing: Iterable[OpenQuestion]
) -> Iterable[Lack]:
    # OSL 2:3 equates municipal and regional companies with authorities for OSL, not for the acts outside it.
    only_equated = not provision.equates
    if question.holder_sector not in wording.from_sectors:
        yield Lack(Condition.FROM_SECTOR, _names(wording.from_sectors), question.holder_sector)
    elif only_equated and question.holder_equated and not _binds_company(wording, question.holder_sector, closing):
        yield Lack(Condition.FROM_SECTOR, _ITSELF, _THROUGH_OSL_2_3)
    if question.recipient_sector not in wording.to_sectors:
        yield Lack(Condition.TO_SECTOR, _names(wording.to_sectors), question.recipient_sector)
    elif only_equated and question.recipient_equated:
        yield Lack(Condition.TO_SECTOR, _ITSELF, _THROUGH_OSL_2_3)
    elif wording.other_sector and question.recipient_sector == question.holder_sector:
        yield Lack(Condition.TO_SECTOR, "another sector than the holder's", question.recipient_sector)
    if wording.purposes is not None and question.purpose not in wording.purposes:
        yield Lack(Condition.PURPOSE, _names(wording.purposes), question.purpose)


def _content_lacks(wording: Wording, question: Question, closing: Iterable[OpenQuestion]) -> Iterable[Lack]:
    if wording.kinds is not None and question.kind is not None and question.kind not in wording.kinds:
        yield Lack(Condition.KIND, _names(wording.kinds), question.kind)
    age = question.subject_age
    if age is not None:
        if wording.age_from is not None and age < wording.age_from:
            yield Lack(Condition.SUBJECT_AGE, f"at least {wording.age_from}", str(age))
        if wording.age_below is not None and age >= wording.age_below:
            yield Lack(Condition.SUBJECT_AGE, f"under {wording.age_below}", str(age))
    for asked in closing:
        yield Lack(Condition.OPEN_QUESTION, asked.text.en, f"question {asked.number}")


def _attestations(wording: Wording, question: Question) -> tuple[str, ...]:
    stated = list(wording.attestations)
    if (wording.age_below, wording.age_from) != (None, None) and question.subject_age is None:
        stated.append("subject-age-verified")
    if wording.kinds is not None and question.kind is None:
        stated.append("kind-is-covered")
    if wording.type == "may":
        stated.extend(ATTESTATIONS_OF_MAY)
    return tuple(stated)


def assess_provision(provision: Provision, question: Question, rules: tuple[SecrecyRule, ...]) -> Assessment:
    """One provision against one question; `lacks` holds every failing condition, in the order of `Condition`."""
    wording = provision.in_force(question.as_of)
    if wording is None:
        first = provision.wordings[0].valid_from
        lack = Lack(Condition.IN_FORCE, f"from {first}", str(question.as_of))
        return Assessment(provision, None, (lack,), frozenset(), ())
    opens = frozenset(rule.id for rule in rules if breaks_rule(wording.breaks, provision.chapter, rule, question.as_of))
    closing = [asked for asked in wording.open_questions if _concerns(asked, question, rules)]
    lacks = [*_sector_lacks(provision, wording, question, closing)]
    shut = [rule.id for rule in rules if rule.id not in opens]
    if shut:
        lacks.append(Lack(Condition.SECRECY, _names(shut), _names(opens)))
    lacks += _content_lacks(wording, question, closing)
    return Assessment(provision, wording, tuple(lacks), opens, _attestations(wording, question))


def assess(question: Question, law: Law) -> tuple[Assessment, ...]:
    """Every encoded provision against the question, available ones first, special before general, each group by id."""
    rules = locks(question, law)
    answers = [assess_provision(provision, question, rules) for provision in law.provisions.values()]
    return tuple(
        sorted(answers, key=lambda answer: (not answer.available, answer.provision.general, answer.provision.id))
    )


def undated(rules: Iterable[SecrecyRule], day: date) -> tuple[SecrecyRule, ...]:
    """Rules that lock the data but have no wording on that day: nothing can be decided, so it is withheld."""
    return tuple(rule for rule in rules if rule.in_force(day) is None)


def lawless(rules: Iterable[SecrecyRule], law: Law, day: date) -> bool:
    """Whether the law of that day is not known: a lock has no wording, or no secrecy rule at all is in force."""
    return bool(undated(rules, day)) or all(rule.in_force(day) is None for rule in law.secrecy.values())


def reachable(answers: Iterable[Assessment], rules: tuple[SecrecyRule, ...]) -> bool:
    """Whether special provisions, alone or together, can open every lock (general exits never count).

    In a combination each provision must meet all its own conditions; only `secrecy` may fall to the others.
    """
    opened: set[str] = set()
    for answer in answers:
        if answer.provision.general:
            continue
        if all(lack.condition is Condition.SECRECY for lack in answer.lacks):
            opened |= answer.opens
    return bool(rules) and all(rule.id in opened for rule in rules)
