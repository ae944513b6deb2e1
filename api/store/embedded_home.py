"""Where an embedded cluster lives, whose it is, and the locks that hold its users together.

<data dir>/postgresql/
    cluster/          the PostgreSQL data directory; appears by one rename, complete and on disk
    cluster.partial/  an unfinished initdb; discarded at the next start
    socket            the socket's directory, or a link to a short one where the path is too long for a socket
    server.log        what the server says
    start.lock        held while somebody starts or stops the server
    users.lock        held shared by every samsyn process that uses the server
    server.lock       held by the server itself: every process of the cluster inherits it

INVARIANT: whether a server lives is told by `server.lock` alone. The kernel lets go of it when the last process of the
cluster is gone, however it went; a pid file says nothing after kill -9.
"""

import fcntl
import os
import pwd
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from api.store.embedded_errors import EmbeddedPostgresError

PORT = 5432  # only names the socket's file: nothing listens on the network
_SOCKET_PATH_LIMIT = 107  # bytes, sockaddr_un.sun_path without its closing zero
# A comma or a quote in a host would be read as syntax by the clients and by the server's own setting.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")
_UNPRIVILEGED_ACCOUNTS = ("samsyn", "nobody")
_MUTEX_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Account:
    """The system account the server runs as; `dropped` when the caller is root and must become it."""

    uid: int
    gid: int
    dropped: bool


@dataclass(frozen=True, slots=True)
class Home:
    """One embedded cluster's place on disk and the account that its server runs as."""

    data_dir: Path
    account: Account

    @property
    def path(self) -> Path:
        """The directory that holds everything of the embedded server."""
        return self.data_dir / "postgresql"

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data directory."""
        return self.path / "cluster"

    @property
    def partial(self) -> Path:
        """A data directory that initdb has not finished."""
        return self.path / "cluster.partial"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.path / "server.log"

    def open_file(self, name: str, flags: int = os.O_RDWR) -> int:
        """Open (or make) a file here and return its descriptor; root leaves it to the directory's owner."""
        fd = os.open(self.path / name, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        if self.account.dropped:
            owner = self.path.stat()
            os.fchown(fd, owner.st_uid, owner.st_gid)
        return fd

    def make_private(self, directory: Path) -> None:
        """Make a directory that only the server's account (and root) may enter."""
        directory.mkdir(mode=0o700)
        self._hand_over(directory)

    def _hand_over(self, directory: Path) -> None:
        if self.account.dropped:
            fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                os.fchown(fd, self.account.uid, self.account.gid)
            finally:
                os.close(fd)

    def socket_dir(self) -> Path:
        """The directory of the running server's socket."""
        place = self.path / "socket"
        return place.readlink() if place.is_symlink() else place

    def fresh_socket_dir(self) -> Path:
        """Make an empty socket directory for a server about to start.

        Where the natural place has a path too long (or too odd) for a socket, `mkdtemp` makes a private one that
        nobody could have made before us, and a link here tells other processes where it is.
        """
        self.discard_socket_dir()
        place = self.path / "socket"
        if _fits_a_socket(place):
            self.make_private(place)
            return place
        short = Path(tempfile.mkdtemp(prefix="samsyn-", dir=_short_base()))
        self._hand_over(short)
        place.symlink_to(short)
        return short

    def discard_socket_dir(self) -> None:
        """Remove the socket directory; only while no server of this cluster lives."""
        place = self.path / "socket"
        if place.is_symlink():
            target = place.readlink()
            # The link may outlive its target (a cleaned /tmp) and the name then be anybody's: nothing is removed there
            # but a socket's two files and the directory they leave empty, if it is the server's own.
            with suppress(OSError):
                found = target.lstat()
                if stat.S_ISDIR(found.st_mode) and found.st_uid == self.account.uid:
                    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
                        (target / name).unlink(missing_ok=True)
                    target.rmdir()
            place.unlink()
        elif place.exists():
            shutil.rmtree(place)


def open_home(data_dir: Path) -> Home:
    """Make what is missing of `<data_dir>/postgresql` and settle which account the server runs as.

    The account: the caller, or for root (which PostgreSQL refuses) whoever owns the cluster, else `samsyn` where
    the operator has made such a system account, else `nobody`.
    """
    data_dir = data_dir.expanduser().resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "postgresql"
    path.mkdir(mode=0o700, exist_ok=True)
    home = Home(data_dir, _account(path))
    if home.cluster.exists() and (owner := home.cluster.stat().st_uid) != home.account.uid:
        raise EmbeddedPostgresError(
            f"the database in {home.cluster} belongs to user id {owner}, and the server would run as"
            f" {home.account.uid}",
            "start as the user who made it, or choose another data directory (SAMSYN_DATA_DIR)",
        )
    return home


def _account(path: Path) -> Account:
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), dropped=False)
    for place in (path / "cluster", path):
        with suppress(FileNotFoundError):
            found = place.stat()
            if found.st_uid != 0:
                return Account(found.st_uid, found.st_gid, dropped=True)
    for name in _UNPRIVILEGED_ACCOUNTS:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid, dropped=True)
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root, and this system has no unprivileged account to run it as",
        "make a system account named samsyn, or start as an ordinary user",
    )


def _fits_a_socket(directory: Path) -> bool:
    path = f"{directory}/.s.PGSQL.{PORT}"
    return len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT and _PLAIN_PATH.fullmatch(path) is not None


def _short_base() -> Path:
    for base in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 -- only as the parent of a mkdtemp
        found = base.stat() if base.is_dir() else None
        # In a directory that others may write, only the sticky bit keeps them from swapping ours for theirs.
        shared = found is not None and found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
        if found and not shared and found.st_uid in {0, os.geteuid()} and _fits_a_socket(base / "samsyn-12345678"):
            return base
    raise EmbeddedPostgresError(
        "the data directory's path is too long for a socket, and there is no safe temporary directory",
        "choose a data directory with a shorter path (SAMSYN_DATA_DIR)",
    )


def try_lock(fd: int, operation: int) -> bool:
    """Take (or convert to) `fcntl.LOCK_SH` or `LOCK_EX` without waiting; false if somebody else is in the way."""
    try:
        fcntl.flock(fd, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def start_mutex(home: Home, progress: Callable[[str], None]) -> Iterator[None]:
    """Hold the right to start and to stop the server; one process at a time, waits for the others."""
    fd = home.open_file("start.lock")
    try:
        started, told = time.monotonic(), False
        while not try_lock(fd, fcntl.LOCK_EX):
            waited = time.monotonic() - started
            if waited > 1 and not told:
                progress("waiting for another samsyn process that starts or stops the database")
                told = True
            if waited > _MUTEX_PATIENCE_S:
                raise EmbeddedPostgresError(
                    f"another process has been starting or stopping the database in {home.path} for"
                    f" {_MUTEX_PATIENCE_S:.0f} s",
                    "end that process and start again",
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(fd)
