"""A replay told in whole sentences, in Swedish or English."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from policies.changes.phrases import Names, joined, phrase, same
from policies.explain import Language
from policies.model import Law, Text
from policies.replay import Cause, Difference, Key, Outcome, Replay

_OWN = {"own-data": Text("egen uppgift", "own data"), "no-secrecy": Text("ingen sekretess", "no secrecy")}
_ENDED = {
    "revoked": Text("beslut {} återkallades {}", "decision {} was revoked {}"),
    "expired": Text("beslut {} gick ut {}", "decision {} expired {}"),
    "gone": Text("beslut {} finns inte längre", "decision {} is no longer there"),
}


def in_words(replay: Replay, law: Law, language: Language) -> tuple[list[str], list[str]]:
    """Sentences on the record against the law of its day, and on what has come since; each begins with the verdict."""
    names = Names(law, law)
    texts = (_then(replay, names, law), _since(replay, names, law))
    then, since = ([text.sv if language == "sv" else text.en for text in some] for some in texts)
    return then, since


def _then(replay: Replay, names: Names, law: Law) -> Iterator[Text]:
    day, old, new = (same(str(part)) for part in (replay.recorded.day, replay.recorded.policy_version, replay.version))
    changed = phrase(
        "Lagfilerna har ändrats sedan dess: policyVersion var {}, är nu {}.",
        "The law files have changed since: policyVersion was {}, is now {}.",
        old,
        new,
    )
    if not replay.then:
        yield phrase("Samma: lagen för {} ger svaret som gavs.", "Same: the law of {} gives the answer given.", day)
        if old != new:
            yield changed
        return
    if old == new:
        yield phrase(
            "Ett annat svar: det antecknade följer inte av lagen för {}, fast lagfilerna är desamma ({}).",
            "Another answer: the record does not follow from the law of {}, though the law files are the same ({}).",
            day,
            new,
        )
    else:
        yield phrase("Ett annat svar av lagen för {}.", "Another answer from the law of {}.", day)
        yield changed
    yield from (_difference(one, names, law) for one in replay.then)


def _since(replay: Replay, names: Names, law: Law) -> Iterator[Text]:
    days = (same(str(replay.recorded.day)), same(str(replay.today)))
    if not replay.since:
        yield phrase(
            "Samma: ingen ändring av lag eller beslut sedan {} ändrar svaret ({}).",
            "Same: no change of law or decisions since {} changes the answer ({}).",
            *days,
        )
        return
    yield phrase(
        "Ett annat svar: lag eller beslut har ändrats sedan {} ({}).",
        "Another answer: law or decisions have changed since {} ({}).",
        *days,
    )
    yield from (_difference(one, names, law) for one in replay.since)


def _difference(one: Difference, names: Names, law: Law) -> Text:
    said = phrase(
        "{}: då {}; nu {}.", "{}: then {}; now {}.", _where(one.key, law), _came_out(one.was, names),
        _came_out(one.now, names),
    )  # fmt: skip
    if not one.causes:
        return said
    return phrase(
        "{} Orsak: {}.", "{} Cause: {}.", said, joined((_cause(cause, names, law) for cause in one.causes), "; ")
    )


def _where(key: Key, law: Law) -> Text:
    resource, field, sector = key
    named = same(f"{resource}.{field}")
    if sector is None:
        return named
    return phrase("{} hos {}", "{} at {}", named, law.sectors.get(sector, same(sector)))


def _came_out(outcomes: Iterable[Outcome], names: Names) -> Text:
    """Released parts first; a field can be both, for a decision covers the rows it names and no others."""
    ordered = sorted(outcomes, key=lambda one: (one.reason is not None, repr(one)))
    return joined(_outcome(one, names) for one in ordered) if ordered else Text("inte prövat", "not decided")


def _outcome(one: Outcome, names: Names) -> Text:
    if one.ground is None:
        return phrase("inte lämnat ({})", "withheld ({})", same(str(one.reason)))
    ground = _OWN.get(one.ground) or names.cited((one.ground,))
    details = []
    if one.decision is not None:
        details.append(phrase("beslut {}", "decision {}", same(one.decision)))
    if one.age_from is not None:
        details.append(phrase("från {} år", "from the age of {}", same(str(one.age_from))))
    if one.age_below is not None:
        details.append(phrase("under {} år", "under {}", same(str(one.age_below))))
    said = phrase("lämnat: {}", "released: {}", ground)
    return phrase("{} ({})", "{} ({})", said, joined(details)) if details else said


def _cause(cause: Cause, names: Names, law: Law) -> Text:
    if cause.ended is not None:
        words = _ENDED[cause.ended]
        moment = same("" if cause.moment is None else cause.moment.isoformat(timespec="minutes"))
        return phrase(words.sv, words.en, same(cause.id), moment)
    if cause.kind == "wording":
        days = joined(_day(day, cause.id, law) for day in cause.days)
        return phrase("{} ({}): {}", "{} ({}): {}", names.cited((cause.id,)), same(cause.id), days)
    known = cause.id in law.provisions or cause.id in law.secrecy
    called = phrase("{} ({})", "{} ({})", names.cited((cause.id,)), same(cause.id)) if known else same(cause.id)
    if cause.kind == "file":
        return phrase("lagfilen för {} är ändrad", "the law file of {} has changed", called)
    return phrase("prövas efter {}", "decided by {}", called)


def _day(day: Any, identity: str, law: Law) -> Text:
    rule: Any = law.provisions.get(identity) or law.secrecy[identity]
    begins = any(said.valid_from == day for said in rule.wordings)
    ends = any(said.until == day for said in rule.wordings)
    if begins and ends:
        return phrase("ny lydelse från {}", "new wording from {}", same(str(day)))
    if begins:
        return phrase("gäller från {}", "in force from {}", same(str(day)))
    return phrase("gällde till och med {}", "in force through {}", same(str(day - timedelta(days=1))))
