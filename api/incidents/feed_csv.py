"""CSV batches: a header row with the fields' names, comma or semicolon, UTF-8 with or without a byte order mark."""

import csv
import re
from collections.abc import Callable, Iterator
from typing import IO, Any

from api.errors import Problem
from api.incidents.feed_row import MAX_ROW_BYTES, RowFault, unreadable
from api.incidents.schemas import IncidentRow
from api.web.faults import shortened

_COLUMNS = {field.alias or name: field.is_required() for name, field in IncidentRow.model_fields.items()}
_WHOLE = re.compile(r"-?[0-9]{1,18}\Z", re.ASCII)


def csv_rows(file: IO[bytes]) -> Iterator[Any]:
    """The rows as values of `IncidentRow`'s fields, or as `RowFault`; lines without a cell are no rows.

    Raises `Problem` 400 where columns are missing, unknown or doubled, and where quotes do not match: from there on
    nobody knows where a row ends.
    """
    lines = _Lines(file)
    first = next(lines, None)
    if first is None:
        raise unreadable("body", "is empty", f"begin with a header row: {','.join(_COLUMNS)}")
    delimiter = ";" if ";" in first else ","
    reader = csv.reader(lines.again(first), delimiter=delimiter, strict=True)
    header = _next(reader, lines)
    _check_header(header or [])
    number = 0
    while (cells := _next(reader, lines)) is not None:
        if not cells:
            continue
        number += 1
        if len(cells) != len(header or []):
            yield RowFault(None, f"has {len(cells)} cells where the header has {len(header or [])}")
            continue
        yield {name: _OF_COLUMN.get(name, str)(cell) for name, cell in zip(header or [], cells, strict=True) if cell}


class _Lines:
    """The lines of a file as text. Raises `Problem` 400 for a row that is longer than a row can be."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._kept: list[str] = []
        self._of_row = 0
        self._first = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._kept:
            return self._kept.pop()
        line = self._file.readline(MAX_ROW_BYTES)
        self._of_row += len(line)
        if self._of_row >= MAX_ROW_BYTES:
            raise unreadable("body", f"holds a row longer than {MAX_ROW_BYTES} bytes", "check line ends and quotes")
        if not line:
            raise StopIteration
        text = line.decode("utf-8-sig" if self._first else "utf-8")
        self._first = False
        return text

    def again(self, line: str) -> "_Lines":
        """Give a line back."""
        self._kept.append(line)
        return self

    def row_ended(self) -> None:
        """Begin to count a new row."""
        self._of_row = 0


def _next(reader: Any, lines: _Lines) -> list[str] | None:
    try:
        cells: list[str] | None = next(reader, None)
    except csv.Error:
        raise unreadable(
            "body",
            f"is not CSV at line {reader.line_num}: quotes, line ends or the length of a cell are wrong",
            'put cells with quotes, separators or line ends in "…", and double the quotes within',
        ) from None
    lines.row_ended()
    return cells


def _check_header(header: list[str]) -> None:
    hint = f"the first row names the columns: {','.join(_COLUMNS)}"
    for name in header:
        if name not in _COLUMNS:
            raise _header_fault(f"has the unknown column “{shortened(name)}”", hint)
        if header.count(name) > 1:
            raise _header_fault(f"has the column {name} more than once", hint)
    missing = [name for name, required in _COLUMNS.items() if required and name not in header]
    if missing:
        raise _header_fault(f"lacks the columns {', '.join(missing)}", hint)


def _header_fault(what: str, hint: str) -> Problem:
    return unreadable("header row", what, hint)


def _whole(cell: str) -> int | str:
    # What is no whole number stays a text, for the row's own check to refuse.
    return int(cell) if _WHOLE.match(cell) else cell


def _flag(cell: str) -> bool | str:
    return cell == "true" if cell in {"true", "false"} else cell


_OF_COLUMN: dict[str, Callable[[str], Any]] = {"severity": _whole, "revision": _whole, "withdrawn": _flag}
