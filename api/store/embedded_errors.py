"""What can go wrong with the embedded PostgreSQL, told to the operator who has to do something about it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HINTS = {
    errno.ENOSPC: "free some space on that disk and start again",
    errno.EDQUOT: "the disk quota is used up: free some space and start again",
    errno.EROFS: "the file system is read-only: choose another data directory (SAMSYN_DATA_DIR)",
    errno.EACCES: "choose a data directory that you may write to (SAMSYN_DATA_DIR), or start as the user who owns it",
    errno.EPERM: "choose a data directory that you may write to (SAMSYN_DATA_DIR), or start as the user who owns it",
    errno.ENOTDIR: "a file stands where a directory is needed: choose another data directory (SAMSYN_DATA_DIR)",
    errno.EEXIST: "a file stands where a directory is needed: choose another data directory (SAMSYN_DATA_DIR)",
}


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot do what was asked: `what` happened, and `hint`, what to do about it."""

    def __init__(self, what: str, hint: str) -> None:
        self.what = what
        self.hint = hint
        super().__init__(f"{what}\n  What to do: {hint}")


@contextmanager
def os_errors_explained(data_dir: Path) -> Iterator[None]:
    """Turn an `OSError` of the operating system (disk, permission) into `EmbeddedPostgresError`."""
    try:
        yield
    except OSError as error:
        place = error.filename or data_dir
        raise EmbeddedPostgresError(
            f"embedded PostgreSQL in {data_dir}: {error.strerror or type(error).__name__}: {place}",
            _HINTS.get(error.errno or 0, "see the message above; another data directory is set with SAMSYN_DATA_DIR"),
        ) from error
