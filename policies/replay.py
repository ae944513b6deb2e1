"""A receipt decided again: by the law of its day and by what holds today, and which rule or decision differs.

Everything comes from the receiver's part of a ledger entry, which holds every fact that was decided on and no value of
a row. What a row rule says of single rows (whether a person was under 21) is therefore compared as a rule, not as rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from policies.blame import blamed, frozen, replaced
from policies.decide import decide
from policies.model import Facts, Holder, Law, LiveDecision

Key = tuple[str, str, str | None]
"""Resource, field, and the holder's sector where the rows name one."""


class NothingDecidedError(ValueError):
    """The entry holds nothing that was decided by the law; the text says what it is."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way in which a field came out at one holder: opened on a `ground`, or withheld for a `reason`.

    The ages are those of the row rule; a record does not say them.
    """

    ground: str | None = None
    decision: str | None = None
    reason: str | None = None
    age_from: int | None = None
    age_below: int | None = None


Outcomes = Mapping[Key, frozenset[Outcome]]
_NOTHING: frozenset[Outcome] = frozenset()


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer as the ledger holds it: the facts of each resource asked for, and how every field came out."""

    kind: str
    recipient: str
    day: date
    policy_version: str
    facts: tuple[Facts, ...]
    outcomes: Outcomes


@dataclass(frozen=True, slots=True)
class DecisionState:
    """What has become of a disclosure decision: its period, and when it was revoked, if it was."""

    valid_until: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """What makes a difference.

    `file`: the law file of that rule, field or sector says something else. `rule`: it decides the field, and which file
    changed is not known. `wording`: the rule's wording begins or ends on `days`. `decision`: it was `revoked`, has
    `expired`, or is `gone`; `moment` says when.
    """

    kind: Literal["file", "rule", "wording", "decision"]
    id: str
    days: tuple[date, ...] = ()
    ended: Literal["revoked", "expired", "gone"] | None = None
    moment: datetime | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of one holder that comes out otherwise, and why."""

    key: Key
    was: frozenset[Outcome]
    now: frozenset[Outcome]
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """`then`: the record against today's files read for its day. `since`: that day against `today`; empty is *same*."""

    recorded: Recorded
    version: str
    today: date
    then: tuple[Difference, ...]
    since: tuple[Difference, ...]


def read_entry(entry: Mapping[str, Any]) -> Recorded:
    """The receiver's part of an entry as it stands in the ledger (`api/disclosure/noting.py` writes it).

    Raises `NothingDecidedError` where nothing in it was decided field by field: a purpose refused, a decision made.
    """
    kind = str(entry.get("kind"))
    decided = [one for one in entry.get("resources", ()) if "fields" in one]
    if not decided or "callerSector" not in entry:
        raise NothingDecidedError(f"an entry of the kind `{kind}` holds nothing that was decided field by field")
    outcomes: dict[Key, frozenset[Outcome]] = {}
    for one in decided:
        for name, ground, sector, decision in one["released"]:
            _add(outcomes, (one["resource"], name, sector), Outcome(ground=ground, decision=decision))
        for name, sector, reason in one["withheld"]:
            _add(outcomes, (one["resource"], name, sector), Outcome(reason=reason))
    return Recorded(
        kind=kind,
        recipient=str(entry["agency"]),
        day=date.fromisoformat(entry["asOf"]),
        policy_version=str(entry["policyVersion"]),
        facts=tuple(_facts(entry, one) for one in decided),
        outcomes=outcomes,
    )


def _add(outcomes: dict[Key, frozenset[Outcome]], key: Key, outcome: Outcome) -> None:
    outcomes[key] = outcomes.get(key, _NOTHING) | {outcome}


def _facts(entry: Mapping[str, Any], one: Mapping[str, Any]) -> Facts:
    return Facts(
        caller_sector=entry["callerSector"],
        resource=one["resource"],
        fields=tuple(one["fields"]),
        holders=tuple(Holder(sector, own) for sector, own in one["holders"]),
        purpose=entry["purpose"],
        legal_basis=entry["legalBasis"],
        case_reference=entry["caseReference"] is not None,
        decisions=tuple(
            LiveDecision(
                id=live["id"],
                holder_sector=live["holderSector"],
                provision=live["provision"],
                purpose=live["purpose"],
                fields=frozenset(live["fields"]),
                holder_equated=live["equated"],
            )
            for live in one["decisions"]
        ),
        caller_equated=entry["callerEquated"],
    )


def outcomes_of(facts: Iterable[Facts], law: Law, day: date) -> Outcomes:
    """How every field comes out by a law on a day. A field or holder that this law does not know has no outcome."""
    found: dict[Key, frozenset[Outcome]] = {}
    for one in facts:
        known = replace(
            one,
            fields=tuple(name for name in one.fields if (one.resource, name) in law.fields),
            holders=tuple(holder for holder in one.holders if holder.sector in law.sectors),
        )
        decision = decide(known, law, day)
        for opened in decision.released:
            rows = opened.rows
            outcome = Outcome(opened.ground, opened.decision, None, rows.age_from, rows.age_below)
            _add(found, (one.resource, opened.field, opened.holder_sector), outcome)
        for shut in decision.withheld:
            _add(found, (one.resource, shut.field, shut.holder_sector), Outcome(reason=shut.reason))
    return found


def replay(
    recorded: Recorded,
    law: Law,
    *,
    today: date,
    now: datetime,
    decisions: Mapping[str, DecisionState],
    law_of_then: Law | None = None,
) -> Replay:
    """Decide a record again. `decisions` holds what has become of those it names, by id; one that is missing is gone.

    `law_of_then` is the law of the version that the record names, where it can be had: it says exactly which files
    made a difference.
    """
    again = outcomes_of(recorded.facts, law, recorded.day)
    then = tuple(_then(recorded, again, law, law_of_then))
    return Replay(recorded, law.version, today, then, tuple(_since(recorded, again, law, today, now, decisions)))


def _as_recorded(outcomes: Outcomes) -> Outcomes:
    return {
        key: frozenset(replace(one, age_from=None, age_below=None) for one in some) for key, some in outcomes.items()
    }


def _differing(was: Outcomes, now: Outcomes) -> list[Key]:
    return [key for key in dict.fromkeys((*was, *now)) if was.get(key, _NOTHING) != now.get(key, _NOTHING)]


def _then(recorded: Recorded, again: Outcomes, law: Law, law_of_then: Law | None) -> Iterable[Difference]:
    """What today's files make of the recorded day that the record does not say."""
    if recorded.policy_version == law.version:
        # The same files decide alike: then it is the record that does not follow from them, and no rule is to blame.
        law_of_then = law
    if law_of_then is None:
        plain = _as_recorded(again)
        for key in _differing(recorded.outcomes, plain):
            given = recorded.outcomes.get(key, _NOTHING)
            yield Difference(key, given, plain.get(key, _NOTHING), _concerned(key, given, again, law))
        return
    decided = outcomes_of(recorded.facts, law_of_then, recorded.day)
    follows = _as_recorded(decided) == recorded.outcomes
    # A record has no ages. Where it follows from the law of its day, that law says them.
    was, now = (decided, again) if follows else (recorded.outcomes, _as_recorded(again))
    differing = _differing(was, now)
    found = blamed(law_of_then, law, differing, lambda mixed: outcomes_of(recorded.facts, mixed, recorded.day))
    for key in differing:
        causes = tuple(Cause("file", name) for name in found[key])
        yield Difference(key, was.get(key, _NOTHING), now.get(key, _NOTHING), causes)


def _concerned(key: Key, was: frozenset[Outcome], again: Outcomes, law: Law) -> tuple[Cause, ...]:
    """The provisions that opened the field then or open it now, and the secrecy rules that lock it."""
    grounds = {one.ground for one in was | again.get(key, _NOTHING)} & set(law.provisions)
    field = law.fields.get(key[:2])
    locks = () if field is None else law.secrecy_of(field.kind.id, key[2] or "")
    named = [*(ground for ground in sorted(map(str, grounds))), *(rule.id for rule in locks)]
    return tuple(Cause("rule", identity) for identity in named)


def _since(
    recorded: Recorded,
    base: Outcomes,
    law: Law,
    today: date,
    now: datetime,
    decisions: Mapping[str, DecisionState],
) -> Iterable[Difference]:
    ended = dict(_ended(recorded.facts, now, decisions))
    alive = tuple(
        replace(one, decisions=tuple(live for live in one.decisions if live.id not in ended)) for one in recorded.facts
    )
    by_law, by_all = outcomes_of(recorded.facts, law, today), outcomes_of(alive, law, today)
    amended = _differing(base, by_law)
    then, current = frozen(law, recorded.day), frozen(law, today)
    found = blamed(then, current, amended, lambda mixed: outcomes_of(recorded.facts, mixed, today))
    for key in dict.fromkeys((*amended, *_differing(base, by_all))):
        was = base.get(key, _NOTHING)
        causes = [Cause("wording", name, replaced(law, name, recorded.day, today)) for name in found.get(key, ())] + [
            ended[one.decision] for one in sorted(was, key=repr) if one.decision in ended
        ]
        if was != by_all.get(key, _NOTHING):
            yield Difference(key, was, by_all.get(key, _NOTHING), tuple(dict.fromkeys(causes)))


def _ended(
    facts: Iterable[Facts], now: datetime, decisions: Mapping[str, DecisionState]
) -> Iterable[tuple[str | None, Cause]]:
    for identity in dict.fromkeys(live.id for one in facts for live in one.decisions):
        state = decisions.get(identity)
        if state is None:
            yield identity, Cause("decision", identity, ended="gone")
        elif state.revoked_at is not None and state.revoked_at <= now:
            yield identity, Cause("decision", identity, ended="revoked", moment=state.revoked_at)
        elif state.valid_until <= now:
            yield identity, Cause("decision", identity, ended="expired", moment=state.valid_until)
