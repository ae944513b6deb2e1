"""Few boxes for many cells: a table over finite dimensions, its equal cells put together.

A box is a tuple of bit masks, one for each dimension, and last whatever stands in its cells. Bit *i* of a mask is the
*i*-th value of the dimension. Knows nothing of the law.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

Box = tuple[Any, ...]


def bits(mask: int) -> Iterator[int]:
    """The positions of a mask's bits, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def runs(mask: int) -> Iterator[int]:
    """The mask in pieces without a gap, lowest first."""
    while mask:
        beyond = mask + (mask & -mask)
        piece = mask & ~beyond
        yield piece
        mask ^= piece


def joined(boxes: Iterable[Box], dimension: int, *, ordered: bool = False) -> list[Box]:
    """Boxes that differ in one dimension only, as one; where that dimension is `ordered`, without a gap.

    INVARIANT: the boxes given share no cell, so those returned share none and cover the same.
    """
    found: dict[tuple[Hashable, ...], int] = {}
    for box in boxes:
        rest = box[:dimension] + box[dimension + 1 :]
        found[rest] = found.get(rest, 0) | box[dimension]
    return [
        (*rest[:dimension], piece, *rest[dimension:])
        for rest, mask in found.items()
        for piece in (runs(mask) if ordered else (mask,))
    ]


def packed(boxes: Iterable[Box], order: Sequence[int], ordered: int) -> list[Box]:
    """The boxes joined along each dimension in turn, until there are no fewer; `ordered` is the one of time."""
    some = list(boxes)
    while True:
        before = len(some)
        for dimension in order:
            some = joined(some, dimension, ordered=dimension == ordered)
        if len(some) == before:
            return some
