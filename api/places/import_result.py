"""What reading a file of places gives: records, and every row that was wrong.

ImportResult.records    frozen dataclasses, one per key, in the file's order
            .problems   RowProblem(row, field, reason, kept): nothing is swallowed
ImportFileError         the file as a whole cannot be read; nothing else is raised
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RecordT = TypeVar("RecordT")
FilledT = TypeVar("FilledT", bound="DataclassInstance")


class ImportFileError(Exception):
    """A file cannot be read at all: `what` is wrong and, as `hint`, what to do."""

    def __init__(self, what: str, hint: str) -> None:
        self.what = what
        self.hint = hint
        super().__init__(f"{what}: {hint}")


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing wrong in one row.

    `row` is the line number in a CSV file (the header is 1), the feature's number from 1 in GeoJSON, and 0 for the
    file as a whole. `field` is the column, "" for the whole row. `kept` tells whether the row still made a record.
    """

    row: int
    field: str
    reason: str
    kept: bool = False


@dataclass(frozen=True, slots=True)
class ImportResult(Generic[RecordT]):
    """All records of one kind in a file, and all its problems, both in the file's order."""

    kind: str
    records: tuple[RecordT, ...]
    problems: tuple[RowProblem, ...]


class CellError(Exception):
    """A cell that makes its row unusable; becomes a `RowProblem` that is not kept."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}")


class Row:
    """One row under reading: its cells by column, and what is doubtful in it though the row is kept."""

    def __init__(self, number: int, cells: dict[str, str], geometry: Any = None) -> None:
        self.number = number
        self.geometry = geometry
        self.notes: list[tuple[str, str]] = []
        self._cells = cells

    def get(self, *names: str) -> str:
        """The first of the named cells that is there and not empty, else ""."""
        return next((self._cells[name] for name in names if self._cells.get(name)), "")

    def require(self, *names: str) -> str:
        """As `get`; raises `CellError` where all are empty."""
        if not (cell := self.get(*names)):
            raise CellError(names[0], "is empty")
        return cell

    def has(self, name: str) -> bool:
        """Tell whether the file has this column."""
        return name in self._cells

    def note(self, field: str, reason: str) -> None:
        """Report something doubtful in a row that is kept."""
        self.notes.append((field, reason))


def collect(
    kind: str,
    rows: Iterable[Row],
    problems: list[RowProblem],
    *,
    build: Callable[[Row], RecordT],
    key: Callable[[RecordT], Hashable],
    join: Callable[[RecordT, RecordT], RecordT] = lambda _earlier, later: later,
) -> ImportResult[RecordT]:
    """Build one record per row; of rows with the same key the last wins (as `join` has it) and is reported.

    `problems` is the list that `rows` itself reports to; what is wrong in a row is added in the same order.
    """
    records: dict[Hashable, RecordT] = {}
    seen: dict[Hashable, int] = {}
    for row in rows:
        try:
            record = build(row)
        except CellError as error:
            problems.append(RowProblem(row.number, error.field, error.reason))
            continue
        problems.extend(RowProblem(row.number, field, reason, kept=True) for field, reason in row.notes)
        identity = key(record)
        if identity in seen:
            problems.append(RowProblem(row.number, "", f"replaces row {seen[identity]}: same key", kept=True))
            record = join(records[identity], record)
        seen[identity] = row.number
        records[identity] = record
    return ImportResult(kind, tuple(records.values()), tuple(problems))


def fill(earlier: FilledT, later: FilledT) -> FilledT:
    """The later of two records of one kind, with what it does not know (None) taken from the earlier."""
    gaps = {field.name: getattr(earlier, field.name) for field in fields(later) if getattr(later, field.name) is None}
    return replace(later, **gaps)


def merge(
    known: Iterable[RecordT],
    new: Iterable[RecordT],
    key: Callable[[RecordT], Hashable],
    join: Callable[[RecordT, RecordT], RecordT],
) -> tuple[RecordT, ...]:
    """Put a later file's records over an earlier one's, joining those with the same key."""
    merged = {key(record): record for record in known}
    for record in new:
        identity = key(record)
        merged[identity] = join(merged[identity], record) if identity in merged else record
    return tuple(merged.values())
