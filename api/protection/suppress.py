"""Hides small counts (*röjandekontroll*): which cells of a table and whether its total may be published.

A hidden cell never says whether it is hidden for its own sake or to cover another. Pure; knows no subject.

What an observer is assumed to know: everything published, the threshold, and that covering cells are taken smallest
first. `tests/unit/protection` audits against an observer who can run this very code on every possible table.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DEFAULT_THRESHOLD = 4
# With a lower one, so few small counts are possible that hiding them would leave nothing to guess.
_LOWEST_THRESHOLD = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """One exact count under its key, unique in its table."""

    key: Hashable
    count: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A count as published; `count` is None where it is hidden."""

    count: int | None

    def as_json(self) -> dict[str, Any]:
        """`{"count": n, "hidden": false}` or `{"count": null, "hidden": true}`."""
        return {"count": self.count, "hidden": self.count is None}


HIDDEN = Shown(None)


@dataclass(frozen=True, slots=True)
class Protected:
    """A table as published, its cells in the order given; `total` is None where none was asked for."""

    cells: Mapping[Hashable, Shown]
    total: Shown | None

    @property
    def nothing_shown(self) -> bool:
        """Whether even the total is hidden, and therefore everything."""
        return self.total is not None and self.total.count is None


def protect(
    cells: Sequence[Cell],
    *,
    total: int | None,
    threshold: int = DEFAULT_THRESHOLD,
    keep_hidden: Collection[Hashable] = (),
) -> Protected:
    """Hide counts of 1 to `threshold`, and whatever else would give them away.

    With a published `total`, which the cells must add up to, further cells are hidden: the smallest first, then all
    of them with the empty ones, at last the total as well. `keep_hidden` are cells that an earlier edition hid.
    Raises `ValueError` for a negative count, a repeated key, a wrong total or a threshold under 3.
    """
    _check(cells, total, threshold)
    hidden = {c.key for c in cells if 1 <= c.count <= threshold or c.key in keep_hidden}
    if total is None:
        return _published(cells, hidden, None)
    if 1 <= total <= threshold:
        return _nothing(cells)
    # Ties are broken by place, which says nothing about a count.
    coverers = sorted((c for c in cells if c.count and c.key not in hidden), key=lambda c: c.count)
    while hidden and not _covered(cells, hidden, threshold):
        if coverers:
            hidden.add(coverers.pop(0).key)
        elif total < len(cells) + threshold - 2:
            # Nearly every count is 1, so the number of hidden cells would tell: hide the empty ones too. With a larger
            # total, a table this flat has no empty cell that the others could hide among.
            return _published(cells, {c.key for c in cells}, total)
        else:
            return _nothing(cells)
    return _published(cells, hidden, total)


def _check(cells: Sequence[Cell], total: int | None, threshold: int) -> None:
    if threshold < _LOWEST_THRESHOLD:
        raise ValueError("the threshold is too low to hide anything")
    if any(cell.count < 0 for cell in cells):
        raise ValueError("a count is negative")
    if len({cell.key for cell in cells}) != len(cells):
        raise ValueError("a key is repeated")
    if total is not None and total != sum(cell.count for cell in cells):
        raise ValueError("the cells do not add up to the total")


def _covered(cells: Sequence[Cell], hidden: Collection[Hashable], threshold: int) -> bool:
    """Whether each hidden cell could hold every count from 1 to `threshold`.

    INVARIANT: the observer knows the hidden cells' sum, that each is at least 1, and that none is larger than the
    smallest count still shown (else that one would have been taken instead). A tie could fall either way, so a
    bound one lower is used. Every count from 1 to `threshold` must be possible within these bounds.
    """
    others = len(hidden) - 1
    if others < 1:
        return False
    known_sum = sum(cell.count for cell in cells if cell.key in hidden)
    shown = [cell.count for cell in cells if cell.key not in hidden and cell.count]
    at_most = min(shown) - 1 if shown else known_sum
    return others + threshold <= known_sum <= others * at_most + 1


def _published(cells: Sequence[Cell], hidden: Collection[Hashable], total: int | None) -> Protected:
    return Protected(
        {cell.key: HIDDEN if cell.key in hidden else Shown(cell.count) for cell in cells},
        None if total is None else Shown(total),
    )


def _nothing(cells: Sequence[Cell]) -> Protected:
    return Protected({cell.key: HIDDEN for cell in cells}, HIDDEN)


def protect_linked(
    tables: Mapping[str, Sequence[Cell]],
    *,
    total: int,
    threshold: int = DEFAULT_THRESHOLD,
    keep_hidden: Mapping[str, Collection[Hashable]] | None = None,
) -> Mapping[str, Protected]:
    """Protect tables that break the same total down in different ways.

    INVARIANT: the total is hidden in all or in none, and with it every cell: a table left whole would add up to it.
    """
    kept = keep_hidden or {}
    answers = {
        name: protect(cells, total=total, threshold=threshold, keep_hidden=kept.get(name, ()))
        for name, cells in tables.items()
    }
    if any(answer.nothing_shown for answer in answers.values()):
        return {name: _nothing(cells) for name, cells in tables.items()}
    return answers


def hide_small(items: Iterable[Mapping[str, Any]], *, threshold: int = DEFAULT_THRESHOLD) -> list[dict[str, Any]]:
    """A plain list without a total: each item with its `count` hidden where it is 1 to `threshold`, and `hidden`."""
    return [{**item, **Shown(None if 1 <= item["count"] <= threshold else item["count"]).as_json()} for item in items]
