"""Counts a ledger again from its leaves and says what does not hold. Pure, standard library only.

Each fault is one sentence that names a leaf, a checkpoint or a part. Nothing is believed but signatures and hashes.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from api.ledger import merkle
from api.ledger.checkpoint import Checkpoint
from api.ledger.leaves import Leaf, opens

# Of each sort of fault, so many are named; a log that is another one altogether has as many as it has leaves.
_NAMED = 20


@dataclass(frozen=True, slots=True)
class OwnPart:
    """A part that somebody was handed, and where it came from (`shown_in`). `entry` is its canonical text.

    `size` and `proof`: the way from its leaf up to the root of a checkpoint of that size, where it came with one.
    """

    shown_in: str
    leaf: Leaf
    slot: int
    salt: bytes
    entry: str
    way_up: tuple[bytes, ...]
    size: int | None = None
    proof: tuple[bytes, ...] = ()

    def fault(self) -> str | None:
        """What is wrong with it by itself."""
        if opens(self.leaf, slot=self.slot, salt=self.salt, entry=self.entry, way_up=self.way_up):
            return None
        return f"the part in {self.shown_in} does not open what leaf {self.leaf.index} committed to"


class Recount:
    """Takes the leaves in the order they stand; remembers the roots at the sizes that will be asked for."""

    def __init__(self, sizes: Sequence[int] = (), parts: Sequence[OwnPart] = ()) -> None:
        self.head = merkle.Frontier()
        self.roots = dict.fromkeys(sizes, merkle.EMPTY)
        self._places: list[tuple[int, int]] = []
        self._receipts: set[bytes] = set()
        self._wrong_leaves: list[str] = []
        self._parts: dict[UUID, list[OwnPart]] = {}
        self._wrong_parts: list[str] = []
        for part in parts:
            self._parts.setdefault(part.leaf.receipt, []).append(part)

    @property
    def in_order(self) -> bool:
        """Whether every leaf so far has stood in its place."""
        return not self._places

    def take(self, leaf: Leaf) -> list[tuple[merkle.Node, bytes]]:
        """Count one more leaf; the nodes that it makes."""
        if leaf.index != self.head.size:
            self._places.append((self.head.size, leaf.index))
        elif leaf.receipt.bytes in self._receipts:
            self._wrong_leaves.append(f"leaf {leaf.index} bears the receipt {leaf.receipt} of a leaf before it")
        self._receipts.add(leaf.receipt.bytes)
        if leaf.at_us < 0:
            self._wrong_leaves.append(f"leaf {leaf.index} has a time that no leaf can have")
        for part in self._parts.pop(leaf.receipt, ()):
            if part.leaf != leaf:
                self._wrong_parts.append(f"leaf {leaf.index} has been changed: it is told otherwise in {part.shown_in}")
            elif (fault := part.fault()) is not None:
                self._wrong_parts.append(fault)
        self.head, made = self.head.append(leaf.hash)
        if self.head.size in self.roots:
            self.roots[self.head.size] = self.head.root
        return made

    def faults(self) -> Iterator[str]:
        """What is wrong with the leaves themselves and with the parts that were given, once all leaves are taken."""
        yield from _named(list(_misplaced(dict(self._places))))
        yield from _named(self._wrong_leaves)
        yield from _named(self._wrong_parts)
        lost = [part for parts in self._parts.values() for part in parts]
        yield from _named([f"the receipt {one.leaf.receipt} of {one.shown_in} stands in no leaf" for one in lost])


def checkpoint_faults(recount: Recount, checkpoints: Mapping[str, Checkpoint]) -> Iterator[str]:
    """What is wrong between the leaves and checkpoints that were signed; each is named by where it was shown."""
    yield from two_histories(checkpoints)
    ordered = sorted(checkpoints.items(), key=lambda one: one[1].size)
    size = recount.head.size
    here = [(name, one) for name, one in ordered if one.size <= size]
    holds = {name: recount.roots[one.size] == one.root for name, one in here}
    for name, one in ordered:
        if one.size > size:
            yield f"leaves {size} to {one.size - 1} have been removed: {name} was signed over {one.size} leaves"
    broken = next(((name, one) for name, one in here if not holds[name]), None)
    if broken is None:
        return
    name, first = broken
    later = next((other for other, one in here if holds[other] and one.size >= first.size), None)
    if later is not None:
        yield f"{name} and {later} are of two logs: the leaves lead to the one and never to the other"
        return
    start = max((one.size for other, one in here if holds[other]), default=0)
    if first.size - start == 1:
        yield f"leaf {start} has been changed since {name} was signed"
    else:
        yield f"of leaves {start} to {first.size - 1} some were changed, moved or exchanged since {name} was signed"


def two_histories(checkpoints: Mapping[str, Checkpoint]) -> Iterator[str]:
    """Checkpoints of one size with two roots: no single log has both, so somebody was shown another one."""
    seen: dict[int, tuple[str, bytes]] = {}
    for name, one in checkpoints.items():
        other, root = seen.setdefault(one.size, (name, one.root))
        if root != one.root:
            yield f"{other} and {name} are of two logs: both are signed over {one.size} leaves, with two roots"


def part_faults(parts: Sequence[OwnPart], checkpoints: Mapping[str, Checkpoint]) -> Iterator[str]:
    """What is wrong with parts, without the leaves: by themselves, and in the checkpoint of their proof's size."""
    by_size = {one.size: (name, one.root) for name, one in checkpoints.items()}
    for part in parts:
        size, leaf = part.size, part.leaf
        if (fault := part.fault()) is not None:
            yield fault
        if size is None or size not in by_size:
            continue
        name, root = by_size[size]
        if not merkle.includes(root=root, size=size, index=leaf.index, leaf=leaf.hash, proof=part.proof):
            yield f"leaf {leaf.index}, as {part.shown_in} tells it, is not in the log that {name} was signed over"


def untold(parts: Sequence[OwnPart], checkpoints: Mapping[str, Checkpoint]) -> Iterator[str]:
    """What nobody can tell without the leaves, a sentence each: whether checkpoints, and parts, are of one log."""
    # Every log has begun with no leaf.
    ordered = sorted(((name, one.size) for name, one in checkpoints.items() if one.size), key=lambda one: one[1])
    for (one, size), (other, later) in itertools.pairwise(ordered):
        if size != later:
            yield f"{one} ({size} leaves) and {other} ({later} leaves) may be of two logs: only the leaves tell"
    sizes = {one.size for one in checkpoints.values()}
    for part in parts:
        if part.size not in sizes:
            yield f"{part.shown_in}: needs the leaves, or a proof and a checkpoint of the same size"


class Comparison:
    """What differs between two copies of the leaves, the later of which has grown."""

    def __init__(self, name: str) -> None:
        self._name, self._now, self._then = name, dict[int, bytes](), dict[int, bytes]()
        self._more = 0

    def take(self, index: int, now: Leaf | None, then: Leaf) -> None:
        """Leaf `index` now, if there is one, and as it was told then."""
        if now is None:
            self._more += 1
        elif now != then:
            self._now[index], self._then[index] = now.hash, then.hash

    def faults(self, size: int) -> Iterator[str]:
        """What is wrong, once all leaves are taken."""
        at = {told: index for index, told in self._then.items()}
        moved = {index: at[told] for index, told in self._now.items() if told in at and at[told] != index}
        yield from _named([f"{fault} since {self._name}" for fault in _exchanged(moved)])
        changed = [index for index in self._now if index not in moved]
        yield from _named([f"leaf {index} has been changed since {self._name}" for index in changed])
        if self._more:
            yield f"leaves {size} to {size + self._more - 1} have been removed: they stand in {self._name}"


def _misplaced(places: Mapping[int, int]) -> Iterator[str]:
    """What stands in the wrong place: `places` maps each such place to the index that stands there."""
    pairs = {place: index for place, index in places.items() if places.get(index) == place}
    yield from _exchanged(pairs)
    rest = [(place, index) for place, index in places.items() if place not in pairs]
    if rest:
        place, index = rest[0]
        what = f"leaf {place} is missing" if index > place else f"leaf {index} comes again"
        yield f"{what}: in its place, the {place + 1}th, stands leaf {index}"


def _exchanged(moved: Mapping[int, int]) -> Iterator[str]:
    for place, index in moved.items():
        if moved.get(index) == place:
            if place < index:
                yield f"leaves {place} and {index} have changed places"
        else:
            yield f"leaf {index} has been moved to the place of leaf {place}"


def _named(faults: Sequence[str]) -> Iterator[str]:
    yield from faults[:_NAMED]
    if len(faults) > _NAMED:
        yield f"and {len(faults) - _NAMED} more of the same sort"
