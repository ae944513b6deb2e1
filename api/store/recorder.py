"""A record of every SQL statement, for tests that count statements and look for forbidden columns."""

from collections.abc import Iterator
from contextlib import contextmanager


class StatementRecorder:
    """Collects statement texts while `recording()` is open; costs one `if` otherwise."""

    def __init__(self) -> None:
        self._open: list[list[str]] = []

    def note(self, statement: str) -> None:
        """Called by the store for each statement that is sent."""
        for record in self._open:
            record.append(statement)

    @contextmanager
    def recording(self) -> Iterator[list[str]]:
        """The statements sent while the block runs, parameters left out."""
        record: list[str] = []
        self._open.append(record)
        try:
            yield record
        finally:
            self._open.remove(record)
