"""Files with secrets: made once for all processes that share them, and read only where others cannot."""

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path


def create_once(path: Path, make: Callable[[], bytes]) -> None:
    """Make the file (mode 0600) unless it is there; of processes that race, one succeeds. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return
    # Written whole under another name first; the link to `path` succeeds for one process only.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mkstemp: mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return  # another process was first
    finally:
        Path(temporary).unlink()


def read_private(path: Path, *, limit: int, shut_to: int = 0o077, follow: bool = False) -> bytes:
    """At most `limit` bytes of a file of the owner's own.

    `shut_to` are the mode bits that must not be set; `follow` takes a link too. Raises `OSError`, and `ValueError`
    where others may read it.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    with os.fdopen(os.open(path, flags), "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode) or mode & shut_to:
            raise ValueError("not a file that its owner alone may read")
        return file.read(limit)
