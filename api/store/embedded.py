"""The embedded PostgreSQL: a real server from the wheel's own programs, shared by all samsyn processes of a data dir.

embedded_server(data_dir) -> EmbeddedServer     context manager; the last process to leave stops the server
EmbeddedPostgresError                           what went wrong and what to do about it

INVARIANT: between entering and leaving, a shared lock on `users.lock` says that this process uses the server; the
kernel lets go of it however the process ends. After kill -9 the server may go on; the next start finds it by the lock
that it holds itself (`embedded_home`), and the last to leave stops it.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from api.store.embedded_binaries import binaries
from api.store.embedded_cluster import SUPERUSER, check_version, ensure_database, ensure_running
from api.store.embedded_errors import EmbeddedPostgresError, os_errors_explained
from api.store.embedded_home import PORT, Home, open_home, start_mutex, try_lock
from api.store.embedded_process import Patience, stop_server

__all__ = ["EmbeddedPostgresError", "EmbeddedServer", "embedded_server"]

_NAME_LIMIT_BYTES = 63  # PostgreSQL cuts longer identifiers silently

# Servers that we started and others still use: they stay our children, to be waited for when they end.
_left_running: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server: its unix socket's directory, the database, its superuser, the port in the socket's name."""

    socket_dir: Path
    database: str
    user: str
    port: int

    def dsn(self) -> str:
        """Connection string for libpq and asyncpg: `postgresql://user@/database?host=…&port=…`."""
        return f"postgresql://{self._tail()}"

    def url(self) -> str:
        """The same for SQLAlchemy: `postgresql+asyncpg://user@/database?host=…&port=…`."""
        return f"postgresql+asyncpg://{self._tail()}"

    def _tail(self) -> str:
        return f"{self.user}@/{quote(self.database, safe='')}?host={quote(str(self.socket_dir))}&port={self.port}"


def _silent(_: str) -> None:
    """Tell nobody."""


@contextmanager
def embedded_server(
    data_dir: Path,
    *,
    database: str = "samsyn",
    progress: Callable[[str], None] = _silent,
    patience: Patience | None = None,
) -> Iterator[EmbeddedServer]:
    """Join or start the PostgreSQL server of `data_dir` and make `database` if it is not there.

    Everything lies in `<data_dir>/postgresql`. `progress` gets one short sentence per step. Raises
    `EmbeddedPostgresError`; blocks while it waits, so an event loop enters it from a thread or before it runs.
    """
    patience = patience or Patience()
    if sys.platform != "linux":
        raise EmbeddedPostgresError(
            "the embedded PostgreSQL needs Linux", "set DATABASE_URL to a PostgreSQL 15 or newer of your own"
        )
    if not 0 < len(database.encode()) <= _NAME_LIMIT_BYTES or "\0" in database:
        raise EmbeddedPostgresError(
            f"{database!r} cannot be the name of a database", f"use 1 to {_NAME_LIMIT_BYTES} bytes"
        )
    with os_errors_explained(data_dir):
        home = open_home(data_dir)
        bin_dir = binaries(home.account)
        check_version(home, bin_dir)
        users = home.open_file("users.lock")
    child: subprocess.Popen[bytes] | None = None
    joining = False
    try:
        with os_errors_explained(data_dir), start_mutex(home, progress):
            joining = try_lock(users, fcntl.LOCK_SH)
            child = ensure_running(home, bin_dir, users, progress, patience)
            ensure_database(home, bin_dir, database)
            server = EmbeddedServer(home.socket_dir(), database, SUPERUSER, PORT)
        yield server
    finally:
        try:
            if joining:
                with os_errors_explained(data_dir):
                    _leave(home, users, child, progress, patience)
        finally:
            os.close(users)


def _leave(
    home: Home,
    users: int,
    child: subprocess.Popen[bytes] | None,
    progress: Callable[[str], None],
    patience: Patience,
) -> None:
    with start_mutex(home, progress):
        # Our own descriptor is converted, not closed and taken anew: a copy of it in a process that this one is just
        # forking must not look like another user.
        if try_lock(users, fcntl.LOCK_EX):
            stop_server(home, child, patience)
            home.discard_socket_dir()
        elif child is not None:
            _left_running.append(child)
