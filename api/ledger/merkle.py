"""The Merkle tree of RFC 9162, §2.1: hashes, heads that grow, proofs and their checks. Pure, standard library only.

A tree is told by its perfect subtrees (`Node`: level 0 is a leaf), which never change once they are full. Whatever is
proven is put together from them, so that a proof costs a few look-ups and never a walk over the leaves.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

HASH_BYTES = 32
EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


class Node(NamedTuple):
    """A perfect subtree: of 2**level leaves, the first of which is `position << level`."""

    level: int
    position: int


Range = tuple[int, int]
"""Leaves from the first to before the second, one subtree of some tree."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf: SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def nodes_of(start: int, end: int) -> tuple[Node, ...]:
    """The perfect subtrees that make up the leaves from `start` to before `end`, left to right.

    `start` is where a subtree of a tree begins, so every one of them is a node of that tree.
    """
    nodes, at = [], start
    for level in reversed(range((end - start).bit_length())):
        if (end - start) >> level & 1:
            nodes.append(Node(level, at >> level))
            at += 1 << level
    return tuple(nodes)


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees that stand side by side, given left to right."""
    if not hashes:
        return EMPTY
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree head that can grow: the size, and the hashes of the perfect subtrees, left to right."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        """The tree's root."""
        return fold(self.hashes)

    def append(self, leaf: bytes) -> tuple[Self, list[tuple[Node, bytes]]]:
        """The head with one more leaf hash, and the nodes that this leaf makes perfect, the leaf itself first."""
        hashes, node, made = list(self.hashes), Node(0, self.size), [(Node(0, self.size), leaf)]
        while node.position & 1:
            leaf = node_hash(hashes.pop(), leaf)
            node = Node(node.level + 1, node.position >> 1)
            made.append((node, leaf))
        return type(self)(self.size + 1, (*hashes, leaf)), made


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes that are all at hand."""
    head = Frontier()
    for leaf in leaves:
        head, _ = head.append(leaf)
    return head.root


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Whose roots prove that leaf `index` is in the tree of `size` leaves (§2.1.3.1), from the leaf up."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    ranges, start, end = [], 0, size
    while end - start > 1:
        middle = _middle(start, end)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """Whose roots prove that the tree of `new` leaves begins with that of `old` (§2.1.4.1). Nothing for none or all."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves does not begin with {old}")
    if old in (0, new):
        return []
    ranges, start, end = [], 0, new
    while old != end:
        middle = _middle(start, end)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    # What the old tree consists of whole is known to whoever checks: it is the root they hold.
    if start:
        ranges.append((start, end))
    return ranges[::-1]


def needed(ranges: Sequence[Range]) -> list[Node]:
    """The nodes from which the roots of some ranges follow."""
    return [node for start, end in ranges for node in nodes_of(start, end)]


def path(ranges: Sequence[Range], nodes: Mapping[Node, bytes]) -> list[bytes]:
    """The roots of some ranges: a proof. Raises `KeyError` for a node that is not there."""
    return [fold([nodes[node] for node in nodes_of(start, end)]) for start, end in ranges]


def includes(*, root: bytes, size: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree with this root has this leaf hash at `index` (§2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(root, leaf, *proof):
        return False
    first, last, reached = index, size - 1, leaf
    for beside in proof:
        if last == 0:
            return False
        if first & 1 or first == last:
            reached = node_hash(beside, reached)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            reached = node_hash(reached, beside)
        first, last = first >> 1, last >> 1
    return last == 0 and reached == root


def extends(*, old_root: bytes, old: int, new_root: bytes, new: int, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the new tree begins with the old one (§2.1.4.2).

    Every tree extends the empty one, and itself, by an empty proof; an old root other than theirs is refused.
    """
    if not 0 <= old <= new or not _are_hashes(old_root, new_root, *proof):
        return False
    if old in (0, new):
        return not proof and old_root == (new_root if old == new else EMPTY) and (new > 0 or new_root == EMPTY)
    # A whole perfect subtree is known to whoever checks, so the proof leaves it out.
    hashes = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not proof:
        return False
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    was = now = hashes[0]
    for beside in hashes[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            was, now = node_hash(beside, was), node_hash(beside, now)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            now = node_hash(now, beside)
        first, last = first >> 1, last >> 1
    return last == 0 and was == old_root and now == new_root


def _middle(start: int, end: int) -> int:
    """Where a subtree is split: its left side is the largest power of two smaller than it."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _are_hashes(*hashes: bytes) -> bool:
    return all(len(one) == HASH_BYTES for one in hashes)
