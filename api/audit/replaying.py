"""Receipts decided again, for the operator: from what the ledger and the decisions say, never from rows."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.audit.repository import ends_of_decisions, last_receiver_entries, receiver_entry
from policies.impact import Impact, impact
from policies.model import Law
from policies.replay import DecisionState, NothingDecidedError, Recorded, Replay, read_entry, replay


class CannotReplayError(Exception):
    """The receipt cannot be decided again; the text says why and is fit to be shown."""


async def replay_receipt(
    connection: AsyncConnection,
    receipt: UUID,
    law: Law,
    *,
    today: date,
    now: datetime,
    law_of_version: Callable[[str], Law | None],
) -> Replay:
    """Decide a receipt again. `law_of_version` finds the law files of an earlier version, where they can be had.

    Raises `CannotReplayError` where there is no such receipt, its content is erased, or nothing in it was decided.
    """
    there, entry = await receiver_entry(connection, receipt)
    if not there:
        raise CannotReplayError("the ledger has no such receipt")
    if entry is None:
        raise CannotReplayError("the receiver's part of this receipt has been erased (gallrad); its proof still stands")
    try:
        recorded = read_entry(json.loads(entry))
    except NothingDecidedError as nothing:
        raise CannotReplayError(str(nothing)) from None
    named = {UUID(live.id) for facts in recorded.facts for live in facts.decisions}
    ends = await ends_of_decisions(connection, named)
    return replay(
        recorded,
        law,
        today=today,
        now=now,
        decisions={str(one): DecisionState(*end) for one, end in ends.items()},
        law_of_then=None if recorded.policy_version == law.version else law_of_version(recorded.policy_version),
    )


@dataclass(frozen=True, slots=True)
class Reckoned:
    """The impact on receipts that hold decisions, and how many others there were among the last."""

    impact: Impact
    undecided: int


async def impact_on_last(connection: AsyncConnection, last: int, old: Law, new: Law) -> Reckoned:
    """What a change of the law files does to the last receivers' parts that are not erased."""
    records: list[Recorded] = []
    entries = await last_receiver_entries(connection, last)
    for entry in entries:
        try:
            records.append(read_entry(json.loads(entry)))
        except NothingDecidedError:
            continue
    return Reckoned(impact(records, old, new), len(entries) - len(records))
