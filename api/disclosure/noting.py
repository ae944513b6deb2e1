"""What the ledger notes of an answer (BDF 3:4): when, who read, who received, whose rows, why, and on which ground.

Never a value of a row: ids of rows, names of fields, and every fact that the decision was made from, so that it can be
made again. Each agency gets a part of its own and sees no other.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from api.disclosure.asking import Asking
from api.ledger.parts import Part
from policies.decide import Decision
from policies.model import LiveDecision


@dataclass(frozen=True, slots=True)
class Live:
    """Decisions that name the caller, by resource, and the agency that made each."""

    decisions: tuple[tuple[str, tuple[LiveDecision, ...]], ...] = ()
    holders: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """A row about an individual that was shown: its key, which the holder knows, and the id that the caller saw."""

    resource: str
    key: str
    shown_as: str
    holder: str


def shown_rows(noted: str | None) -> Iterator[Shown]:
    """What the compiled statement noted (`compile._shown`), flattened; nested lists may show a row more than once."""
    return iter(dict.fromkeys(_flattened(json.loads(noted or "[]"))))


def _flattened(rows: list[list[Any]]) -> Iterator[Shown]:
    for row, *nested in rows:
        if row is not None:
            yield Shown(*row)
        for inner in nested:
            yield from _flattened(inner or [])


def receiver_part(
    asking: Asking, decisions: Sequence[Decision], kind: str, filters: Sequence[str], shown: Sequence[Shown]
) -> Part:
    """The part of the agency that asked: all that was asked, decided and shown, with the ids it was shown under."""
    by_resource: dict[str, dict[str, list[str]]] = {}
    for one in shown:
        by_resource.setdefault(one.resource, {}).setdefault(one.holder, []).append(one.shown_as)
    entry = _asked(asking, decisions, kind) | {
        "agency": asking.agency.slug,
        "legalBasis": asking.legal_basis,
        "filters": list(filters),
        "callerSector": asking.agency.sector,
        "callerEquated": asking.agency.equated,
        "resources": [_decided(decision) for decision in decisions],
        "items": by_resource,
    }
    return Part(asking.agency.slug, "receiver", entry, tuple(dict.fromkeys(UUID(one.shown_as) for one in shown)))


def giver_parts(asking: Asking, decisions: Sequence[Decision], live: Live, shown: Sequence[Shown]) -> Iterator[Part]:
    """For each other agency whose data was handed out: what of its own, to whom, under which of its decisions.

    INVARIANT: nothing of another holder stands in it, not even that there was one.
    """
    givers = {one.holder for one in shown} | {
        live.holders[entry.decision]
        for decision in decisions
        # Rows of individuals say themselves whether any was shown; other fields are released for rows all may see.
        if not any(one.resource == decision.facts.resource for one in shown) and not decision.facts.holders
        for entry in decision.released
        if entry.decision is not None
    }
    for giver in sorted(givers - {asking.agency.slug}):
        own = [one for one in shown if one.holder == giver]
        by_resource: dict[str, list[str]] = {}
        for one in own:
            by_resource.setdefault(one.resource, []).append(one.key)
        resources = [
            {"resource": decision.facts.resource, "released": released}
            for decision in decisions
            if (
                released := [
                    [entry.field, entry.ground, entry.decision]
                    for entry in decision.released
                    if entry.decision is not None and live.holders[entry.decision] == giver
                ]
            )
        ]
        entry = _asked(asking, decisions, "answer") | {
            "agency": giver,
            "recipient": asking.agency.slug,
            "legalBasis": asking.legal_basis,
            "resources": resources,
            "items": by_resource,
        }
        yield Part(giver, "giver", entry, tuple(dict.fromkeys(UUID(one.key) for one in own)))


def _asked(asking: Asking, decisions: Sequence[Decision], kind: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "client": asking.caller.client_id,
        "subject": asking.caller.subject,
        "role": asking.caller.role,
        "purpose": asking.purpose,
        "caseReference": asking.case_reference,
        "policyVersion": decisions[0].policy_version,
        "asOf": decisions[0].as_of.isoformat(),
    }


def _decided(decision: Decision) -> dict[str, Any]:
    """Everything that `decide` was given about one resource, and what it answered."""
    facts = decision.facts
    return {
        "resource": facts.resource,
        "fields": list(facts.fields),
        "holders": [[holder.sector, holder.own] for holder in facts.holders],
        "decisions": [
            {
                "id": one.id,
                "holderSector": one.holder_sector,
                "provision": one.provision,
                "purpose": one.purpose,
                "fields": sorted(one.fields),
                "equated": one.holder_equated,
            }
            for one in facts.decisions
        ],
        "released": [[entry.field, entry.ground, entry.holder_sector, entry.decision] for entry in decision.released],
        "withheld": [[entry.field, entry.holder_sector, entry.reason] for entry in decision.withheld],
    }
