"""Writes leaves, many in one commit. No log, no data: a leaf that cannot be written is an answer that is not given."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from api.errors import Problem
from api.ledger.chain import ChainedLeaf, canonical, leaf_hash
from api.ledger.repository import add_leaves, take_sequence
from api.store.database import Database

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GROUP = 256
# A leaf is written in milliseconds. Whatever keeps it longer (a lock, a disk, a pool), callers are not kept waiting.
_PATIENCE_S = 10.0


@dataclass(slots=True)
class _Waiting:
    receipt: UUID
    receiver: str
    at_us: int
    entry: str
    done: asyncio.Future[None]


def _microseconds(moment: datetime) -> int:
    elapsed = moment - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds


class Ledger:
    """The log of disclosures. Leaves that arrive while a commit runs share the next one."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
        new_salt: Callable[[], bytes] = lambda: secrets.token_bytes(16),
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self._database, self._clock, self._new_id, self._new_salt = database, clock, new_id, new_salt
        self._patience_s = patience_s
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def append(self, entry: Mapping[str, Any], *, receiver: str) -> str:
        """Make a leaf durable and return its receipt id. Raises `Problem` 503 where it cannot be written.

        INVARIANT: when this returns, the leaf is committed; when it raises, the caller must not answer.
        """
        waiting = _Waiting(
            self._new_id(),
            receiver,
            _microseconds(self._clock()),
            canonical(entry),
            asyncio.get_running_loop().create_future(),
        )
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        # A caller that goes away must not cancel the commit that others wait for.
        await asyncio.shield(waiting.done)
        return str(waiting.receipt)

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:_GROUP], self._waiting[_GROUP:]
            try:
                # Cut off in the middle, the leaf may stand all the same: of an answer that nobody got.
                async with asyncio.timeout(self._patience_s):
                    await self._commit(group)
            except (Problem, SQLAlchemyError, OSError, TimeoutError):
                for waiting in group:
                    _fail(waiting.done)
            except BaseException:
                for waiting in group:
                    _fail(waiting.done)
                raise
            else:
                for waiting in group:
                    if not waiting.done.done():
                        waiting.done.set_result(None)

    async def _commit(self, group: list[_Waiting]) -> None:
        async with self._database.ledger_transaction() as connection:
            seq, previous = await take_sequence(connection)
            leaves = []
            for waiting in group:
                seq, salt = seq + 1, self._new_salt()
                digest = leaf_hash(
                    previous=previous,
                    seq=seq,
                    at_us=waiting.at_us,
                    receipt=waiting.receipt,
                    salt=salt,
                    entry=waiting.entry,
                )
                leaves.append(ChainedLeaf(seq, waiting.receipt, waiting.at_us, salt, waiting.entry, previous, digest))
                previous = digest
            await add_leaves(connection, leaves, [waiting.receiver for waiting in group])


def _fail(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_exception(
            Problem(
                "unavailable",
                "the ledger cannot be written, so nothing protected is handed out; open data is served as usual",
                headers={"Retry-After": "5"},
            )
        )
