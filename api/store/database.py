"""The two ways to the database: pools of plain connections for compiled reads, an engine for writes.

Reads and writes never share a connection: reads come in database roles of their own, which see no more than a caller of
their exposure class may (`api.store.reading`); writes come as the owner of the tables.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.errors import Problem
from api.store.reading import Reading, ReadPools
from api.store.recorder import StatementRecorder
from api.store.roles import Exposure
from api.store.urls import engine_for, plain_dsn

_GONE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # What the driver says where a connection is cut in the middle of an answer.
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InsufficientResourcesError,
    # A standby, or a server whose disk filled: it reads on and takes no write.
    asyncpg.ReadOnlySQLTransactionError,
)


def unavailable() -> Problem:
    """The database cannot answer now. Whether a write that was about to be committed is there, nobody can tell."""
    return Problem(
        "unavailable",
        "the database does not answer; try again in a few seconds, a write under the same key or batch id",
        headers={"Retry-After": "5"},
    )


class Database:
    """Connections to one PostgreSQL, made by `open` and given back by `close`."""

    def __init__(self, url: str, *, read_connections: int = 8) -> None:
        """`read_connections`: how many each exposure class has at most."""
        self._reads = ReadPools(plain_dsn(url), connections=read_connections)
        self.recorder = StatementRecorder()
        self.engine = engine_for(url, pool_size=8, max_overflow=8)
        self._ledger_engine = engine_for(url, pool_size=1, max_overflow=1)
        for engine in (self.engine, self._ledger_engine):
            event.listen(engine.sync_engine, "before_cursor_execute", self._note)

    def _note(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self.recorder.note(statement)

    async def open(self) -> None:
        """Open the read pools. Raises `RolesError`; `OSError` or an asyncpg error where the server is out of reach."""
        await self._reads.open()

    async def close(self) -> None:
        """Give every connection back."""
        await self._reads.close()
        await self.engine.dispose()
        await self._ledger_engine.dispose()

    async def fetch(
        self,
        statement: str,
        values: Sequence[Any],
        *,
        exposure: Exposure = "open",
        agency: str | None = None,
        now: datetime | None = None,
    ) -> list[asyncpg.Record]:
        """One compiled read by itself; as `DatabaseReading.fetch`."""
        async with self.reading(agency=agency, now=now) as reading:
            return await reading.fetch(statement, values, exposure=exposure)

    @asynccontextmanager
    async def reading(self, *, agency: str | None, now: datetime | None) -> AsyncIterator["DatabaseReading"]:
        """Compiled reads for one caller, all in one place. Raises `Problem` 503 where the database is away.

        What the database shows of what is protected depends on the asking `agency` and the decisions that live at
        `now`.
        """
        if not self._reads.is_open:
            raise unavailable()
        try:
            async with self._reads.reading(agency, now) as reading:
                yield DatabaseReading(reading, self.recorder)
        except (*_GONE, TimeoutError):
            raise unavailable() from None

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """One write transaction: committed when the block ends, undone when it raises.

        INVARIANT: the answer that acknowledges a write is made after this block, hence after the commit.
        """
        return self._transaction(self.engine)

    def ledger_transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """As `transaction`, on connections of the ledger's own: no feed can keep a protected answer waiting for one."""
        return self._transaction(self._ledger_engine)

    @asynccontextmanager
    async def _transaction(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        try:
            async with engine.begin() as connection:
                yield connection
        except (*_GONE, NoConnectionFreeError):
            raise unavailable() from None
        except DBAPIError as error:
            if error.connection_invalidated or isinstance(error.orig.__cause__ if error.orig else None, _GONE):
                raise unavailable() from None
            raise

    async def ready(self) -> bool:
        """Whether the database answers a trivial question within two seconds."""
        if not self._reads.is_open:
            return False
        try:
            return await self._reads.answers(2)
        except (*_GONE, TimeoutError):
            return False


class DatabaseReading:
    """The reads of one caller at one moment, noted as they are sent."""

    def __init__(self, reading: Reading, recorder: StatementRecorder) -> None:
        self._reading, self._recorder = reading, recorder

    async def fetch(
        self, statement: str, values: Sequence[Any], *, exposure: Exposure = "open"
    ) -> list[asyncpg.Record]:
        """The rows of one compiled read. Raises as `Reading.fetch`, which `Database.reading` makes a `Problem` of."""
        self._recorder.note(statement)
        return await self._reading.fetch(statement, values, exposure)
