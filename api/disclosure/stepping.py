"""What the ledger notes where agencies ask each other, and decide (BDF 3:4): who, what, when, why, on which ground.

Each of the two gets a part. Never a value of a row and never a free text: ids, names of fields, paragraphs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from api.disclosure.asking import Asking
from api.ledger.parts import Part

Leaf = tuple[Part, ...]
Step = Literal[
    "disclosure-request", "supplement-request", "supplement-answer", "withdrawal", "disclosure-decision",
    "disclosure-refusal", "disclosure-revocation",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Between:
    """The agency that holds, and the one that asks or is given."""

    giver: str
    receiver: str


def step_leaf(
    asking: Asking,
    step: Step,
    between: Between,
    said: Mapping[str, Any],
    *,
    policy_version: str,
    today: date,
    aliases: Mapping[UUID, UUID] | None = None,
) -> Leaf:
    """One leaf about one step. `said` is told to both; `aliases` are the giver's rows as the receiver knows them.

    INVARIANT: the receiver's part holds no id of the giver's, and who at the other agency acted stands as a role.
    """
    named = dict(aliases or {})
    # INVARIANT: in an order that says nothing of the rows, or two recipients' parts would go in step.
    shown = sorted(named.values())
    common = {"kind": step, "policyVersion": policy_version, "asOf": today.isoformat()} | dict(said)
    caller = asking.caller
    itself = {"client": caller.client_id, "subject": caller.subject, "role": caller.role}
    acting = {slug: itself if slug == asking.agency.slug else {"role": caller.role} for slug in _both(between)}
    receiver = common | acting[between.receiver] | {"agency": between.receiver, "holder": between.giver}
    giver = common | acting[between.giver] | {"agency": between.giver, "recipient": between.receiver}
    if named:
        receiver["items"] = {"individual": {between.giver: [str(alias) for alias in shown]}}
        giver["items"] = {"individual": [str(item) for item in named]}
    return (
        Part(between.receiver, "receiver", receiver, tuple(shown)),
        Part(between.giver, "giver", giver, tuple(named)),
    )


def _both(between: Between) -> Sequence[str]:
    return (between.giver, between.receiver)
