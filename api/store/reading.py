"""The read path: one pool for each exposure class, each connected in a database role of its own.

What a role may read is the database's to say (`api.store.roles`), so that a fault in the gate gets nothing out of it.
"""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import asyncpg

from api.store.roles import OPEN, PROTECTED, ROLE_OF, Exposure, RolesError
from api.store.urls import plain_dsn

# Sent as one prepared statement, what begins so does not go on to be something else (PostgreSQL refuses a second one).
_READS = re.compile(r"\s*(?:SELECT|WITH)\b")
_PATIENCE_S = 10
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
# Whatever an earlier statement did to the session is undone: its role and its settings are those it was opened with.
_AS_OPENED = "RESET ROLE; RESET ALL"
_MAY_LEAVE_ITS_ROLE = "SELECT has_function_privilege('pg_catalog.set_config(text,text,boolean)', 'EXECUTE')"
_WHERE = "SELECT current_database()::text, quote_ident(session_user)::text"
_log = logging.getLogger("samsyn.database")
_STEPPED_OVER = (
    "the second wall does not hold within one statement: everybody may call set_config, by which a SELECT becomes"
    " another agency, or the owner of the tables, before it reads. As a superuser, in the database %s, run:"
    " REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;"
    " GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO %s;"
    " and start the service again"
)


async def _as_it_is(_: asyncpg.Connection) -> None:
    """A connection is given back as it is: what the next read needs of it is set before that read, never trusted."""


def _asking_as(agency: str | None, now: datetime | None) -> str:
    """The session of a protected read. INVARIANT: without an agency, or without a moment, policies find nobody."""
    if agency is not None and _SLUG.fullmatch(agency) is None:
        raise ValueError("not an agency's slug")
    if now is not None and now.tzinfo is None:
        raise ValueError("a moment needs its zone")
    at = "" if now is None else now.isoformat()
    return f"{_AS_OPENED}; SET samsyn.agency = '{agency or ''}'; SET samsyn.now = '{at}'"


def require_roles(url: str) -> None:
    """Take each role once, before the service starts. Raises `RolesError`, `OSError` or an asyncpg error."""

    async def take() -> None:
        pools = ReadPools(plain_dsn(url), connections=1)
        await pools.connect()
        await pools.close()

    asyncio.run(take())


class ReadPools:
    """Connections for compiled reads, made by `open` and given back by `close`."""

    def __init__(self, dsn: str, *, connections: int) -> None:
        """`connections` at most for each exposure class."""
        self._dsn, self._connections = dsn, connections
        self._pools: dict[Exposure, asyncpg.Pool] = {}
        self._may_leave = True

    async def open(self) -> None:
        """Connect, and say in the log where a statement could step over the wall. Raises as `connect`."""
        await self.connect()
        if self._may_leave:
            async with self._pools["open"].acquire() as connection:
                database, user = await connection.fetchrow(_WHERE)
            _log.warning(_STEPPED_OVER, database, user)

    async def connect(self) -> None:
        """Connect. Raises `RolesError` where a role is missing, `OSError` or an asyncpg error where the server is."""
        try:
            for exposure, role in ROLE_OF.items():
                self._pools[exposure] = await self._pool(role)
            async with self._pools["open"].acquire() as connection:
                # Where the role may call set_config (the migration forbids it if it can), a statement could leave it.
                self._may_leave = await connection.fetchval(_MAY_LEAVE_ITS_ROLE)
        except BaseException:
            await self.close()
            raise

    async def _pool(self, role: str) -> asyncpg.Pool:
        # INVARIANT: the role is a setting the session starts with, so that RESET ROLE comes back to it, not to the
        # user who connects; and no connection is ever in both pools.
        settings = {"role": role, "default_transaction_read_only": "on", "timezone": "UTC", "jit": "off"}
        if role == PROTECTED:
            # Behind the wall a statement takes far longer to plan than to run: planned once on each connection.
            settings["plan_cache_mode"] = "force_generic_plan"
        try:
            return await asyncpg.create_pool(
                self._dsn,
                min_size=1,
                max_size=self._connections,
                command_timeout=30,
                reset=_as_it_is,
                server_settings=settings,
            )
        except (asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError) as error:
            raise RolesError(
                f"the read path cannot take its database role ({error}); run `samsyn migrate`, and where another user"
                f" than the service's migrates: GRANT {OPEN}, {PROTECTED} TO the service's user"
            ) from None

    async def close(self) -> None:
        """Give every connection back."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.close()

    @property
    def is_open(self) -> bool:
        """Whether there are connections to read by."""
        return bool(self._pools)

    def reading(self, agency: str | None, now: datetime | None) -> "Reading":
        """Reads for one caller at one moment, on connections that nobody else has until the block ends."""
        return Reading(self._pools, agency, now, trusted=not self._may_leave)

    async def answers(self, patience_s: float) -> bool:
        """Whether the server answers a trivial question in that time. Raises as `fetch`."""
        async with self._pools["open"].acquire(timeout=patience_s) as connection:
            return bool(await connection.fetchval("SELECT true", timeout=patience_s))


class Reading:
    """SELECTs of one caller, on at most one connection of each exposure class, given back when the block ends."""

    def __init__(
        self, pools: Mapping[Exposure, asyncpg.Pool], agency: str | None, now: datetime | None, *, trusted: bool
    ) -> None:
        """`trusted`: no statement can change the role or the settings of its session."""
        self._pools, self._agency, self._now, self._trusted = pools, agency, now, trusted
        self._taken: dict[Exposure, asyncpg.Connection] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for exposure, connection in self._taken.items():
            await self._pools[exposure].release(connection)

    async def fetch(self, statement: str, values: Sequence[Any], exposure: Exposure) -> list[asyncpg.Record]:
        """The rows of one SELECT. Raises an asyncpg error, `OSError`, `TimeoutError`; `ValueError` for what is none.

        INVARIANT: for whom a protected statement is sent is set on its connection before the first, and nobody else
        has that connection in between; nothing that an earlier caller's read left there is trusted.
        """
        if _READS.match(statement) is None:
            raise ValueError("not a SELECT")
        rows: list[asyncpg.Record] = await (await self._connection(exposure)).fetch(statement, *values)
        return rows

    async def _connection(self, exposure: Exposure) -> asyncpg.Connection:
        taken = self._taken.get(exposure)
        if taken is not None and self._trusted:
            return taken
        if taken is None:
            # asyncpg's own timeout would make a task of each acquiring.
            async with asyncio.timeout(_PATIENCE_S):
                taken = self._taken[exposure] = await self._pools[exposure].acquire()
        if exposure == "protected":
            await taken.execute(_asking_as(self._agency, self._now))
        elif not self._trusted:
            await taken.execute(_AS_OPENED)
        return taken
