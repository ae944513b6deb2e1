"""Processes of the embedded cluster: start one, find the server, stop it. Never a signal to somebody else's process."""

import errno
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.store.embedded_binaries import PROGRAM
from api.store.embedded_errors import EmbeddedPostgresError
from api.store.embedded_home import Account, Home, try_lock

# Nothing of the caller's environment: no PATH, no PG* variable, no locale decides what the database becomes.
CLEAN_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}
_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait: for an answer from a live server, after each signal, and for orphans to leave by themselves."""

    answer: float = 10.0
    fast: float = 20.0
    immediate: float = 10.0
    kill: float = 10.0
    orphans: float = 5.0


def server_process_arguments(account: Account, pass_fds: tuple[int, ...]) -> dict[str, Any]:
    """Keyword arguments of `subprocess` that run a program as the server's account, out of the terminal's reach."""
    arguments: dict[str, Any] = {
        "env": CLEAN_ENVIRONMENT,
        "cwd": "/",
        "stdin": subprocess.DEVNULL,
        "start_new_session": True,
        "pass_fds": pass_fds,
    }
    if account.dropped:
        arguments |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    return arguments


@contextmanager
def server_path(account: Account, directory: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A name for `directory` that works for the server, and the descriptors it must inherit for that.

    The account that root drops to may not be able to walk there (a home directory of mode 0700). It need not: a
    descriptor that root opened leads to the directory without walking, and no parent folder has to be opened.
    """
    if not account.dropped:
        yield str(directory), ()
        return
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield f"/proc/self/fd/{fd}", (fd,)
    finally:
        os.close(fd)


def stop_server(home: Home, child: subprocess.Popen[bytes] | None = None, patience: Patience | None = None) -> None:
    """Stop the server and return when the last process of the cluster is gone; nothing to do if there is none.

    Fast shutdown first, immediate when that takes too long, SIGKILL last: PostgreSQL recovers from each.
    """
    patience = patience or Patience()
    fd = home.open_file("server.lock")
    try:
        for number, limit in ((signal.SIGINT, patience.fast), (signal.SIGQUIT, patience.immediate)):
            if _signal_and_wait(home, fd, child, number=number, limit=limit, orphans=patience.orphans):
                return
        started = time.monotonic()
        while not try_lock(fd, fcntl.LOCK_EX):
            for pid in _holders(fd):
                _send(pid, fd, signal.SIGKILL)
            if time.monotonic() - started > patience.kill:
                raise EmbeddedPostgresError(
                    f"the server of {home.path} does not stop, and its processes cannot be ended from here",
                    "it may run in another container or hang on a disk: end its processes there",
                )
            _wait(child)
    finally:
        os.close(fd)
        if child is not None:
            with suppress(subprocess.TimeoutExpired):
                child.wait(timeout=1)


def recovers(lock: int) -> bool:
    """Whether the cluster whose lock file this is has a startup process: the one that replays the log."""
    for pid in _holders(lock):
        with suppress(OSError):
            if b": startup" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return True
    return False


def _signal_and_wait(
    home: Home,
    lock: int,
    child: subprocess.Popen[bytes] | None,
    *,
    number: signal.Signals,
    limit: float,
    orphans: float,
) -> bool:
    started, sent = time.monotonic(), False
    while not try_lock(lock, fcntl.LOCK_EX):
        waited = time.monotonic() - started
        if waited > (limit if sent else min(limit, orphans)):
            return False
        if not sent:
            if child is not None and child.poll() is None:
                child.send_signal(number)  # our own child, not yet waited for: its id cannot be anybody else's
                sent = True
            else:
                sent = _signal_postmaster(home, lock, number)
        _wait(child)
    return True


def _wait(child: subprocess.Popen[bytes] | None) -> None:
    if child is not None:
        child.poll()
    time.sleep(_POLL_S)


def _signal_postmaster(home: Home, lock: int, number: signal.Signals) -> bool:
    """Signal the process that `postmaster.pid` names, if it is the live server of this cluster."""
    with suppress(OSError, ValueError, IndexError):
        pid = int((home.cluster / "postmaster.pid").read_text().splitlines()[0])
        return pid > 0 and _send(pid, lock, number)
    return False


def _send(pid: int, lock: int, number: signal.Signals) -> bool:
    """Signal `pid` if it runs our server's program and holds our lock file open.

    INVARIANT: checked after the pid descriptor is open and signalled through it, so an id that was reused in between
    reaches nobody. Where this Python or its kernel has none, the checks come directly before the signal.
    """
    with suppress(OSError), ExitStack() as stack:
        process = _pidfd(pid)
        if process is not None:
            stack.callback(os.close, process)
        if _is_server(pid) and _holds(pid, lock):
            if process is not None:
                signal.pidfd_send_signal(process, number)
            else:
                os.kill(pid, number)
            return True
    return False


def _pidfd(pid: int) -> int | None:
    if not hasattr(os, "pidfd_open") or not hasattr(signal, "pidfd_send_signal"):
        return None  # a portable build of Python against old headers
    try:
        return os.pidfd_open(pid)
    except OSError as error:
        if error.errno == errno.ENOSYS:
            return None
        raise


def _is_server(pid: int) -> bool:
    program = str(Path(f"/proc/{pid}/exe").readlink()).removesuffix(" (deleted)")  # an upgraded wheel
    return program.endswith((f"/{PROGRAM}", f"/{PROGRAM.replace('postgres', 'initdb')}"))


def _holds(pid: int, lock: int) -> bool:
    own = os.fstat(lock)
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            if os.path.samestat(entry.stat(), own):
                return True
    return False


def _holders(lock: int) -> list[int]:
    """Server processes that hold the lock file open: what a killed postmaster or launcher left behind."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if _is_server(int(entry.name)) and _holds(int(entry.name), lock):
                    found.append(int(entry.name))
    return found
