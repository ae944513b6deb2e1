"""Writes leaves, many in one commit. No log, no data: a leaf that cannot be written is an answer that is not given."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from api.errors import Problem
from api.ledger.leaves import SALT_BYTES, arranged, canonical, commitment, microseconds
from api.ledger.parts import Part
from api.ledger.repository import HeadMissingError, Sealed, add_leaves, take_head
from api.store.database import Database

_GROUP = 256
# A leaf is written in milliseconds. Whatever keeps it longer (a lock, a disk, a pool), callers are not kept waiting.
_PATIENCE_S = 10.0


@dataclass(slots=True)
class _Waiting:
    leaf: Sealed
    done: asyncio.Future[None]


class Ledger:
    """The log of disclosures. Leaves that arrive while a commit runs share the next one.

    `new_salt` gives 32 random bytes: each part's salt, the padding among the parts, and the order they stand in.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
        new_salt: Callable[[], bytes] = lambda: secrets.token_bytes(SALT_BYTES),
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self._database, self._clock, self._new_id, self._new_salt = database, clock, new_id, new_salt
        self._patience_s = patience_s
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def append(self, parts: Sequence[Part]) -> str:
        """Make a leaf of these parts durable and return its receipt id. Raises `Problem` 503 where that cannot be.

        INVARIANT: when this returns, the leaf is committed; when it raises, the caller must not answer.
        """
        waiting = _Waiting(self._sealed(tuple(parts)), asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        # A caller that goes away must not cancel the commit that others wait for.
        await asyncio.shield(waiting.done)
        return str(waiting.leaf.receipt)

    async def append_within(self, connection: AsyncConnection, parts: Sequence[Part]) -> str:
        """Make a leaf part of a write's own transaction, as its last step; its receipt id. Raises `Problem` 503.

        INVARIANT: the leaf and what it tells of are committed together or not at all. The tree's head stays locked
        until the commit, so other leaves wait for it: for answers, which are many, there is `append`.
        """
        leaf = self._sealed(tuple(parts))
        try:
            async with asyncio.timeout(self._patience_s):
                await add_leaves(connection, await take_head(connection), [leaf])
        except (SQLAlchemyError, HeadMissingError, OSError, TimeoutError):
            raise _unwritable() from None
        return str(leaf.receipt)

    def _sealed(self, parts: tuple[Part, ...]) -> Sealed:
        if not parts:
            raise ValueError("a leaf is of somebody: it has at least one part")
        receipt, at_us = self._new_id(), microseconds(self._clock())
        salts = tuple(self._new_salt() for _ in parts)
        entries = tuple(canonical(part.entry) for part in parts)
        commitments = [commitment(salt, entry) for salt, entry in zip(salts, entries, strict=True)]
        return Sealed(receipt, at_us, parts, salts, entries, arranged(commitments, self._new_salt))

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:_GROUP], self._waiting[_GROUP:]
            try:
                # Cut off in the middle, the leaf may stand all the same: of an answer that nobody got.
                async with asyncio.timeout(self._patience_s):
                    await self._commit([waiting.leaf for waiting in group])
            except (Problem, SQLAlchemyError, HeadMissingError, OSError, TimeoutError):
                for waiting in group:
                    _fail(waiting.done)
            except BaseException:
                # This writer ends here, and nobody would take up those that came meanwhile.
                left, self._waiting = self._waiting, []
                for waiting in (*group, *left):
                    _fail(waiting.done)
                raise
            else:
                for waiting in group:
                    if not waiting.done.done():
                        waiting.done.set_result(None)

    async def _commit(self, group: Sequence[Sealed]) -> None:
        async with self._database.ledger_transaction() as connection:
            # INVARIANT: one sequencer at a time, over all instances, so that places follow on each other without a gap.
            await add_leaves(connection, await take_head(connection), group)


def _fail(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_exception(_unwritable())


def _unwritable() -> Problem:
    return Problem(
        "unavailable",
        "the ledger cannot be written, so nothing protected is handed out; open data is served as usual",
        headers={"Retry-After": "5"},
    )
