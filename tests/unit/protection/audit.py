"""Observers of a published table. None uses the code under test: each enumerates what could lie behind."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any


def compositions(total: int, parts: int, low: int) -> Iterator[tuple[int, ...]]:
    """Every way to write a total as so many counts of at least `low`, in order."""
    if parts == 0:
        if total == 0:
            yield ()
        return
    for first in range(low, total - low * (parts - 1) + 1):
        for rest in compositions(total - first, parts - 1, low):
            yield (first, *rest)


def who_knows_the_threshold(
    published: Sequence[int | None], total: int | None, threshold: int, *, low: int
) -> list[set[int]]:
    """What each cell can hold for one who knows that some hidden count is 1 to `threshold`, and none is under `low`.

    With the total hidden, that too is known to be more than the shown counts and, for the search, at most 12 more.
    """
    hidden = [place for place, count in enumerate(published) if count is None]
    shown = sum(count for count in published if count is not None)
    sums = range(len(hidden) * low, 13) if total is None else [total - shown]
    values: list[set[int]] = [set() if count is None else {count} for count in published]
    for known_sum in sums:
        for solution in compositions(known_sum, len(hidden), low):
            if any(1 <= count <= threshold for count in solution):
                for place, count in zip(hidden, solution, strict=True):
                    values[place].add(count)
    return values


def who_runs_the_code(publish: Any, cells: int, largest_total: int) -> Mapping[Any, list[set[int]]]:
    """Every publication that a table of so many cells can get, with what each cell holds in some table behind it."""
    behind: dict[Any, list[set[int]]] = {}
    for counts in product(range(largest_total + 1), repeat=cells):
        if sum(counts) <= largest_total:
            seen = behind.setdefault(publish(counts), [set() for _ in counts])
            for place, count in enumerate(counts):
                seen[place].add(count)
    return behind
