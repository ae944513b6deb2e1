"""The disclosure matrix as the service hands it out: made once, filtered, as JSON members and as CSV.

A cell that holds every value of its dimension is written `*`; else its values follow the order of the law files, in
CSV with `|` between them.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from threading import Lock
from typing import Any

from api.law.schemas import MatrixFilter
from policies.matrix import Answer, Axes, Band, Matrix, Row, bands_of, matrix
from policies.model import Law

EVERY = "*"
# Lists between the places where a list cell stands in CSV: `a|b`.
_BETWEEN = "|"
COLUMNS = (
    "holderSectors", "kinds", "secrecy", "recipientSectors", "purposes", "ages", "from", "until", "outcome", "reason",
    "provisions", "together",
)  # fmt: skip
_MAKING = Lock()


class _Version:
    """Lets a law stand in a cache key by its version, which is a digest of all its files."""

    def __init__(self, law: Law) -> None:
        self.law = law

    def __hash__(self) -> int:
        return hash(self.law.version)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Version) and other.law.version == self.law.version


@lru_cache(maxsize=2)
def _made(version: _Version) -> Matrix:
    return matrix(version.law)


def matrix_of(law: Law) -> Matrix:
    """The matrix of a law, made on first use and kept. That takes seconds: never call it on the event loop."""
    with _MAKING:
        return _made(_Version(law))


def filtered(whole: Matrix, asked: MatrixFilter, today: date) -> list[Row]:
    """The rows about the day asked for (today unless given) that hold what is asked for, cells as they are."""
    day = asked.as_of or today
    return [row for row in whole.rows if row.in_force(day) and _fits(row, asked)]


def _fits(row: Row, asked: MatrixFilter) -> bool:
    answer = row.answer
    return (
        (asked.holder_sector is None or asked.holder_sector in row.holders)
        and (asked.recipient_sector is None or asked.recipient_sector in row.recipients)
        and (asked.purpose is None or asked.purpose in row.purposes)
        and (asked.kind is None or asked.kind in row.kinds)
        and (asked.age is None or any(band.holds(asked.age) for band in row.bands))
        and (asked.outcome is None or asked.outcome == answer.outcome)
        and (asked.provision is None or asked.provision in (*answer.provisions, *answer.together))
    )


def row_as_json(row: Row, axes: Axes) -> dict[str, Any]:
    """One row as the interface shows it; `from` and `until` are null where there is no end in that direction."""
    answer = row.answer
    return {
        "holderSectors": _cell(row.holders, axes.sectors),
        "kinds": _cell(row.kinds, axes.kinds),
        "secrecy": list(answer.secrecy),
        "recipientSectors": _cell(row.recipients, axes.sectors),
        "purposes": _cell(row.purposes, axes.purposes),
        "ages": _cell([band.label for band in row.bands], axes.bands),
        "from": row.valid_from.isoformat() if row.valid_from else None,
        "until": row.until.isoformat() if row.until else None,
        "outcome": answer.outcome,
        "reason": answer.reason,
        "provisions": list(answer.provisions),
        "together": list(answer.together),
    }


def _cell(values: Sequence[str], every: Sequence[Any]) -> list[str]:
    return [EVERY] if len(values) == len(every) else list(values)


def as_csv(rows: Iterable[Row], axes: Axes, *, line_end: str) -> str:
    """The rows as a table with a header (RFC 4180 asks for CR LF; a file under version control has LF)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow(COLUMNS)
    for row in rows:
        shown = row_as_json(row, axes)
        writer.writerow(_flat(shown[column]) for column in COLUMNS)
    return text.getvalue()


def _flat(value: Any) -> str:
    return _BETWEEN.join(value) if isinstance(value, list) else value or ""


def from_csv(text: str, axes: Axes) -> Matrix:
    """A matrix back from its table; `*` is every value that `axes` or the table know.

    Raises ValueError for a table of another kind.
    """
    found = list(csv.reader(io.StringIO(text)))
    if not found or tuple(found[0]) != COLUMNS:
        raise ValueError("not a table of the matrix")
    tables = [dict(zip(COLUMNS, cells, strict=True)) for cells in found[1:]]
    labels = {label for table in tables for label in table["ages"].split(_BETWEEN)} - {EVERY}
    limits = {band.first for band in (*axes.bands, *map(_band, labels)) if band.first is not None}
    own = Axes(
        sectors=_known(tables, ("holderSectors", "recipientSectors"), axes.sectors),
        kinds=_known(tables, ("kinds",), axes.kinds),
        purposes=_known(tables, ("purposes",), axes.purposes),
        bands=bands_of(limits),
        dates=tuple(sorted({day for table in tables for day in _period(table) if day is not None})),
    )
    return Matrix(own, tuple(_row(table, own) for table in tables))


def _known(tables: list[dict[str, str]], columns: tuple[str, ...], values: tuple[str, ...]) -> tuple[str, ...]:
    """The values that the law knows, then those that only the table names."""
    named = (value for table in tables for column in columns for value in table[column].split(_BETWEEN))
    return tuple(dict.fromkeys((*values, *(value for value in named if value != EVERY))))


def _band(label: str) -> Band:
    first, dash, last = label.partition("-")
    if not dash:
        return Band(None)
    return Band(int(first), int(last) + 1 if last else None)


def _period(table: dict[str, str]) -> tuple[date | None, date | None]:
    start, until = (date.fromisoformat(table[end]) if table[end] else None for end in ("from", "until"))
    return start, until


def _row(table: dict[str, str], axes: Axes) -> Row:
    def listed(column: str) -> tuple[str, ...]:
        return tuple(filter(None, table[column].split(_BETWEEN)))

    def cell(column: str, every: tuple[str, ...]) -> tuple[str, ...]:
        return every if table[column] == EVERY else listed(column)

    start, until = _period(table)
    return Row(
        holders=cell("holderSectors", axes.sectors),
        kinds=cell("kinds", axes.kinds),
        recipients=cell("recipientSectors", axes.sectors),
        purposes=cell("purposes", axes.purposes),
        bands=axes.bands if table["ages"] == EVERY else tuple(map(_band, listed("ages"))),
        valid_from=start,
        until=until,
        answer=Answer(
            outcome=table["outcome"],
            secrecy=listed("secrecy"),
            provisions=listed("provisions"),
            together=listed("together"),
            reason=table["reason"] or None,
        ),
    )


def golden(law: Law) -> bytes:
    """The whole table as it is committed: `policies/matrix.golden.csv`."""
    whole = matrix_of(law)
    return as_csv(whole.rows, whole.axes, line_end="\n").encode()
