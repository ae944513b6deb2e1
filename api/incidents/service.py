"""What can be done with incident batches. Callers open the transaction; nothing here commits."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.asking import Asking
from api.disclosure.selection import Selection, every_field
from api.errors import Problem, conflict
from api.incidents.feed import Delivery
from api.incidents.feed_row import RowFault
from api.incidents.repository import (
    INCIDENT_BATCHES,
    Staged,
    Verdict,
    add_batch,
    find_batch,
    lock_sender,
    merge_staged,
    open_staging,
    stage,
)
from api.incidents.rows import check_row
from api.incidents.schemas import MAX_ERRORS

WRITING_SECTOR = "public-transport"
# A full feed of the shortest good rows stays below this; more is empty lines and scraps.
MAX_ROWS = 2_000_000
_CHUNK = 2_000
_REASONS = {
    "unknown-stop": ("stopId", "names a stop that is not in the register; check the id, or have the stop imported"),
    "contradiction": ("revision", "same revision with other content; send a correction under a higher revision"),
}


def require_sender(who: Asking) -> None:
    """Let only public transport with `write:incidents` send. Raises `Problem` 403."""
    who.caller.require("write:incidents")
    if who.agency.sector != WRITING_SECTOR:
        raise Problem(
            "forbidden",
            f"incidents may be sent by {WRITING_SECTOR}; `{who.agency.slug}` is {who.agency.sector}",
        )


def batches(offset: int, limit: int) -> Selection:
    """The selection of the caller's own batches, without their errors."""
    wanted = tuple(one for one in every_field(INCIDENT_BATCHES) if one.name != "errors")
    return Selection(INCIDENT_BATCHES, wanted, offset=offset, limit=limit)


def one_batch(batch_id: str) -> Selection:
    """The selection of one of the caller's own batches."""
    return Selection(INCIDENT_BATCHES, every_field(INCIDENT_BATCHES), (("id", batch_id),), limit=1, total=False)


async def take_batch(
    connection: AsyncConnection, delivery: Delivery, *, who: Asking, batch_id: str, clock: Callable[[], datetime]
) -> bool:
    """Store a batch under an id; False where the same batch is stored under it already.

    Raises `Problem` 409 where another batch has the id, 400, 413 or 422 for a body that cannot be read: nothing of
    it is stored then.
    """
    agency = who.agency.slug
    if await _is_stored(connection, agency, batch_id, delivery.digest):
        return False
    await open_staging(connection)
    reading = _Reading(delivery.rows(), clock())
    while not reading.ended:
        await stage(connection, await asyncio.to_thread(reading.take, _CHUNK))
    # INVARIANT: from here until the commit no other batch of this agency is merged, so the highest revision stays
    # whatever the order, and one id is given once.
    await lock_sender(connection, agency)
    if await _is_stored(connection, agency, batch_id, delivery.digest):
        return False
    verdicts = await merge_staged(connection, agency, batch_id, named=MAX_ERRORS)
    counts = reading.counts(verdicts)
    await add_batch(
        connection,
        {
            "agency": agency,
            "id": batch_id,
            "digest": delivery.digest,
            "status": "completed",
            **counts,
            "errors": reading.errors(verdicts),
            "completed_at": clock(),
        },
    )
    return True


async def _is_stored(connection: AsyncConnection, agency: str, batch_id: str, digest: str) -> bool:
    earlier = await find_batch(connection, agency, batch_id)
    if earlier is None:
        return False
    if earlier.digest != digest:
        raise conflict(
            "path.batchId",
            "this id already names a batch with another body",
            "choose a new id for a new batch; send an id again only with the same bytes",
        )
    return True


@dataclass(slots=True)
class _Reading:
    """The rows of a delivery as they are read: how many, and which of them are rejected for what they hold."""

    rows: Iterator[Any]
    now: datetime
    received: int = 0
    rejected: int = 0
    faults: list[tuple[int, RowFault]] = field(default_factory=list)
    ended: bool = False

    def take(self, size: int) -> list[Staged]:
        """Read on by `size` rows and return the good ones. Raises `Problem` 400, 413 or 422."""
        good: list[Staged] = []
        before = self.received
        for value in islice(self.rows, size):
            self.received += 1
            checked = check_row(value, self.received, self.now)
            if not isinstance(checked, RowFault):
                good.append(checked)
                continue
            self.rejected += 1
            if len(self.faults) < MAX_ERRORS:
                self.faults.append((self.received, checked))
        if self.received > MAX_ROWS:
            raise Problem("too-large", f"the batch has more than {MAX_ROWS} rows; send less at a time")
        self.ended = self.received - before < size
        return good

    def counts(self, verdicts: dict[str, Verdict]) -> dict[str, int]:
        """The batch's counts. received = accepted + updated + unchanged + rejected."""
        taken = {name: verdicts.get(name, Verdict()) for name in ("accepted", "updated", "unchanged")}
        return {
            "received": self.received,
            **{name: verdict.rows for name, verdict in taken.items()},
            "rejected": self.rejected + sum(verdicts[name].rows for name in _REASONS if name in verdicts),
            "unlocated": sum(verdict.unlocated for verdict in taken.values()),
        }

    def errors(self, verdicts: dict[str, Verdict]) -> list[dict[str, Any]]:
        """The first rejected rows in their order, as the answer has them."""
        found = [(number, fault.field, fault.reason) for number, fault in self.faults]
        for name, reason in _REASONS.items():
            found += [(number, *reason) for number in verdicts.get(name, Verdict()).named]
        found.sort(key=lambda one: one[0])
        return [{"row": number, "field": name, "reason": why} for number, name, why in found[:MAX_ERRORS]]
