"""The two ways to the database: a pool of plain connections for compiled reads, an engine for writes.

Reads and writes never share a connection, so that the read path can later get a role of its own with column grants.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.errors import Problem
from api.store.recorder import StatementRecorder
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


async def _as_it_was(_: asyncpg.Connection) -> None:
    """A connection of the read pool is given back as it was taken.

    INVARIANT: a compiled read is one SELECT that changes nothing of its session, so there is nothing to reset, and no
    second way to the server for each read.
    """


class Database:
    """Connections to one PostgreSQL, made by `open` and given back by `close`."""

    def __init__(self, url: str, *, read_connections: int = 8) -> None:
        self._read_dsn = plain_dsn(url)
        self._read_connections = read_connections
        self._pool: asyncpg.Pool | None = None
        self.recorder = StatementRecorder()
        self.engine = engine_for(url, pool_size=8, max_overflow=8)
        self._ledger_engine = engine_for(url, pool_size=1, max_overflow=1)
        for engine in (self.engine, self._ledger_engine):
            event.listen(engine.sync_engine, "before_cursor_execute", self._note)

    def _note(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self.recorder.note(statement)

    async def open(self) -> None:
        """Open the read pool. Raises `OSError` or an asyncpg error where the server cannot be reached."""
        self._pool = await asyncpg.create_pool(
            self._read_dsn,
            min_size=1,
            max_size=self._read_connections,
            command_timeout=30,
            reset=_as_it_was,
            server_settings={"default_transaction_read_only": "on", "timezone": "UTC", "jit": "off"},
        )

    async def close(self) -> None:
        """Give every connection back."""
        if self._pool is not None:
            await self._pool.close()
        await self.engine.dispose()
        await self._ledger_engine.dispose()

    async def fetch_row(self, statement: str, values: Sequence[Any]) -> asyncpg.Record:
        """One compiled read that has exactly one row. Raises `Problem` 503 where the database is away."""
        return (await self._read(statement, values))[0]

    async def fetch(self, statement: str, values: Sequence[Any]) -> list[asyncpg.Record]:
        """One compiled read of several rows. Raises `Problem` 503 where the database is away."""
        return await self._read(statement, values)

    async def _read(self, statement: str, values: Sequence[Any]) -> list[asyncpg.Record]:
        if self._pool is None:
            raise unavailable()
        self.recorder.note(statement)
        try:
            async with self._pool.acquire(timeout=10) as connection:
                rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
                return rows
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
        if self._pool is None:
            return False
        try:
            async with self._pool.acquire(timeout=2) as connection:
                return bool(await connection.fetchval("SELECT true", timeout=2))
        except (*_GONE, TimeoutError):
            return False
