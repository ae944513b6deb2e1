"""The same table in Cedar (cedarpy) and in Rego (regopy, which wraps rego-cpp), translated value by value.

A peer answers which fields are released; it gives no reasons, no row rules and nothing that could open what is
withheld. Everything that can be made once is: policies and entities parsed, the Rego module compiled, the requests
written. All that makes the peers faster, so that what is left is their deciding.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import cedarpy
from regopy import Input, Interpreter

from policies.assess import breaks_rule
from policies.model import Facts, Field, Holder, Law, LiveDecision, OpenQuestion, Provision, Wording

Handed = frozenset[tuple[str, str, bool]]
"""What is released: field, holder's sector, and whether that holder is the caller's own agency."""

_NEVER = date(9999, 12, 31)
_COMMON = """
permit (principal, action, resource) when { resource.shared };
permit (principal, action, resource) when { context.own };
forbid (principal, action, resource) when { !resource.shared && context.purpose == "" };
forbid (principal, action, resource) when { !resource.shared && resource.individual && !context.caseReference };
"""
_MODULE = """package table
import rego.v1

released contains [name, holder.sector, holder.own] if {
    some name in input.fields
    data.fields[name].shared
    some holder in input.holders
}

released contains [name, holder.sector, true] if {
    some holder in input.holders
    holder.own
    some name in input.fields
    asked_for(data.fields[name])
}

released contains [name, holder.sector, holder.own] if {
    some live in input.decisions
    live.purpose == input.purpose
    input.basis in ["", live.provision]
    some holder in input.holders
    live.holder == holder.sector
    some wording in data.provisions[live.provision]
    wording.start <= input.day
    input.day < wording.until
    holder.sector in wording.from_sectors
    input.caller in wording.to_sectors
    input.purpose in wording.purposes
    some name in live.fields
    field := data.fields[name]
    asked_for(field)
    field.kind in wording.kinds
    locks := data.locks[holder.sector][field.kind]
    every lock in locks { lock in wording.breaks }
    not in_question(wording, holder, locks)
}

asked_for(field) if {
    input.purpose != ""
    not without_case(field)
}

without_case(field) if {
    field.individual
    not input.caseReference
}

in_question(wording, holder, locks) if {
    some asked in wording.questions
    input.purpose in asked.purposes
    holder.sector in asked.from_sectors
    input.caller in asked.to_sectors
    concerned(asked, locks)
}

concerned(asked, _) if count(asked.secrecy) == 0

concerned(asked, locks) if {
    some lock in locks
    lock in asked.secrecy
}
"""


def broken(law: Law, provision: Provision, wording: Wording) -> list[str]:
    """The secrecy rules a wording breaks, by id: neither language says "all of chapter 26" by itself."""
    day = wording.valid_from
    return [rule.id for rule in law.secrecy.values() if breaks_rule(wording.breaks, provision.chapter, rule, day)]


def _named(facts: Facts, field: Field) -> Iterable[LiveDecision]:
    return (live for live in facts.decisions if field.key or field.name in live.fields)


class Cedar:
    """Each wording is a permit policy, each field at each holder an entity, each field asked for a request."""

    def __init__(self, law: Law, resource: str, day: date) -> None:
        self.law, self.day = law, _number(day)
        wordings = {
            f"{provision.id}.{number}": (provision, wording)
            for provision in law.provisions.values()
            for number, wording in enumerate(provision.wordings)
        }
        policies = [_permit(law, group, *wording) for group, wording in wordings.items()]
        self.policies = cedarpy.PolicySet.from_str("\n".join([_COMMON, *policies]))
        senders = {sector: [g for g, (_, w) in wordings.items() if sector in w.from_sectors] for sector in law.sectors}
        receivers = {sector: [g for g, (_, w) in wordings.items() if sector in w.to_sectors] for sector in law.sectors}
        entities = [_entity("Sector", sector, {}, "To", groups) for sector, groups in receivers.items()]
        for field in law.fields_of(resource):
            for sector, groups in senders.items():
                entities.append(_entity("Held", f"{field.name}@{sector}", _held(law, field, sector), "From", groups))
        entities += [_entity(kind, group, {}, kind, []) for kind in ("From", "To") for group in wordings]
        self.entities = cedarpy.Entities.from_json_str(json.dumps(entities))

    def requests(self, facts: Facts) -> list[dict[str, str]]:
        """One for every field at every holder, holder by holder."""
        return [self._request(facts, name, holder) for holder in facts.holders for name in facts.fields]

    def _request(self, facts: Facts, name: str, holder: Holder) -> dict[str, str]:
        context = {
            "own": holder.own,
            "recipient": facts.caller_sector,
            "purpose": facts.purpose or "",
            "basis": facts.legal_basis or "",
            "caseReference": facts.case_reference,
            "day": self.day,
            "decisions": [
                {"provision": live.provision, "holder": live.holder_sector, "purpose": live.purpose}
                for live in _named(facts, self.law.fields[facts.resource, name])
            ],
        }
        return {
            "principal": f'Sector::"{facts.caller_sector}"',
            "action": 'Action::"read"',
            "resource": f'Held::"{name}@{holder.sector}"',
            "context": json.dumps(context),
        }

    def one_by_one(self, requests: Sequence[dict[str, str]]) -> list[bool]:
        """A call for each."""
        return [cedarpy.is_authorized(request, self.policies, self.entities).allowed for request in requests]

    def batch(self, requests: Sequence[dict[str, str]]) -> list[bool]:
        """One call for all."""
        answers = cedarpy.is_authorized_batch(list(requests), self.policies, self.entities)
        return [answer.allowed for answer in answers]

    def released(self, facts: Facts) -> Handed:
        """What it hands out. Raises `RuntimeError` where Cedar skipped a policy that it could not evaluate."""
        asked = [(name, holder.sector, holder.own) for holder in facts.holders for name in facts.fields]
        answers = cedarpy.is_authorized_batch(self.requests(facts), self.policies, self.entities)
        if errors := [error for answer in answers for error in answer.diagnostics.errors]:
            raise RuntimeError(errors[0])
        return frozenset(what for what, answer in zip(asked, answers, strict=True) if answer.allowed)


def _number(day: date) -> int:
    return int(day.strftime("%Y%m%d"))


def _entity(kind: str, identity: str, attributes: dict[str, Any], parent: str, groups: list[str]) -> dict[str, Any]:
    parents = [{"type": parent, "id": group} for group in groups]
    return {"uid": {"type": kind, "id": identity}, "attrs": attributes, "parents": parents}


def _among(values: Iterable[str], one: str) -> str:
    # A chain of comparisons: Cedar makes a set anew whenever it meets one.
    return "(" + " || ".join(f"{one} == {json.dumps(value)}" for value in sorted(values)) + ")"


def _permit(law: Law, group: str, provision: Provision, wording: Wording) -> str:
    """From and to stand in the head, where Cedar looks first: twice as fast as conditions."""
    conditions = [f"context.day >= {_number(wording.valid_from)}", _among(["", provision.id], "context.basis")]
    if wording.until is not None:
        conditions.append(f"context.day < {_number(wording.until)}")
    if wording.purposes is not None:
        conditions.append(_among(wording.purposes, "context.purpose"))
    if wording.kinds is not None:
        conditions.append(_among(wording.kinds, "resource.kind"))
    named = f'{{provision: "{provision.id}", holder: resource.holder, purpose: context.purpose}}'
    conditions += [
        f"context.decisions.contains({named})",
        f"{json.dumps(broken(law, provision, wording))}.containsAll(resource.locks)",
    ]
    doubts = "".join(f" unless {{ {_doubt(asked)} }}" for asked in wording.open_questions)
    head = f'permit (principal in To::"{group}", action, resource in From::"{group}")'
    return f"{head} when {{ {' && '.join(conditions)} }}{doubts};"


def _doubt(asked: OpenQuestion) -> str:
    conditions = ["true"]
    if asked.purposes:
        conditions.append(_among(asked.purposes, "context.purpose"))
    if asked.from_sectors:
        conditions.append(_among(asked.from_sectors, "resource.holder"))
    if asked.to_sectors:
        conditions.append(_among(asked.to_sectors, "context.recipient"))
    if asked.secrecy:
        conditions.append(f"{json.dumps(sorted(asked.secrecy))}.containsAny(resource.locks)")
    return " && ".join(conditions)


def _held(law: Law, field: Field, sector: str) -> dict[str, Any]:
    return {
        "holder": sector,
        "kind": field.kind.id,
        "shared": field.kind.level == "shared",
        "individual": field.individual,
        "locks": [rule.id for rule in law.secrecy_of(field.kind.id, sector)],
    }


class Rego:
    """One module over the table as data; one query answers for every field at every holder."""

    def __init__(self, law: Law, resource: str, day: date) -> None:
        self.law, self.day = law, _number(day)
        self.engine = Interpreter()
        self.engine.add_data(
            {
                "fields": {field.name: _described(field) for field in law.fields_of(resource)},
                "locks": {
                    sector: {kind: [rule.id for rule in law.secrecy_of(kind, sector)] for kind in law.kinds}
                    for sector in law.sectors
                },
                "provisions": {
                    provision.id: [_worded(law, provision, wording) for wording in provision.wordings]
                    for provision in law.provisions.values()
                },
            }
        )
        self.engine.add_module("table", _MODULE)
        self.compiled = self.engine.build("data.table.released")

    def input(self, facts: Facts) -> Input:
        """The facts as the engine's own value."""
        fields = [self.law.fields[facts.resource, name] for name in facts.fields]
        return Input(
            {
                "caller": facts.caller_sector,
                "fields": list(facts.fields),
                "holders": [{"sector": holder.sector, "own": holder.own} for holder in facts.holders],
                "purpose": facts.purpose or "",
                "basis": facts.legal_basis or "",
                "caseReference": facts.case_reference,
                "day": self.day,
                "decisions": [
                    {
                        "holder": live.holder_sector,
                        "provision": live.provision,
                        "purpose": live.purpose,
                        "fields": [field.name for field in fields if field.key or field.name in live.fields],
                    }
                    for live in facts.decisions
                ],
            }
        )

    def ask(self, given: Input) -> list[list[Any]]:
        """What is released, as the engine answers it. Raises `RuntimeError` where it does not."""
        self.engine.set_input(given)
        output = self.engine.query_bundle(self.compiled)
        if not output.ok():
            raise RuntimeError(str(output))
        released: list[list[Any]] = output[0][0]
        return released

    def released(self, facts: Facts) -> Handed:
        """What it hands out."""
        return frozenset((name, sector, own) for name, sector, own in self.ask(self.input(facts)))


def _described(field: Field) -> dict[str, Any]:
    return {"kind": field.kind.id, "shared": field.kind.level == "shared", "individual": field.individual}


def _worded(law: Law, provision: Provision, wording: Wording) -> dict[str, Any]:
    """No condition at all is every value of the closed list."""
    return {
        "start": _number(wording.valid_from),
        "until": _number(wording.until or _NEVER),
        "from_sectors": sorted(wording.from_sectors),
        "to_sectors": sorted(wording.to_sectors),
        "purposes": sorted(law.purposes if wording.purposes is None else wording.purposes),
        "kinds": sorted(law.kinds if wording.kinds is None else wording.kinds),
        "breaks": broken(law, provision, wording),
        "questions": [
            {
                "purposes": sorted(asked.purposes or law.purposes),
                "secrecy": sorted(asked.secrecy),
                "from_sectors": sorted(asked.from_sectors or law.sectors),
                "to_sectors": sorted(asked.to_sectors or law.sectors),
            }
            for asked in wording.open_questions
        ],
    }
