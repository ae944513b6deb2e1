"""What a leaf is made of, byte for byte. Pure, standard library only: a verifier needs this, the tree and the notes.

    leaf       = SHA-256(0x00 || at_us (8 bytes) || receipt (16) || content root (32))
    content    = a tree of commitments and random values, a power of two of them, at least four, in random order
    commitment = SHA-256("samsyn part v2" 0x00 || salt (32) || entry)

Whoever is shown one part, with its salt and the way up, can check it against the leaf and learns nothing of the others,
not even how many there are within the same power of two. Where a part is erased its salt and entry are gone, its
commitment stays, and so every proof holds.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from api.ledger import merkle

SALT_BYTES = 32
FEWEST_SLOTS = 4
_PART = b"samsyn part v2\0"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf as everybody may see it: place from 0, microseconds since 1970, the receipt's id, the content's root."""

    index: int
    at_us: int
    receipt: UUID
    content_root: bytes

    @property
    def hash(self) -> bytes:
        """The leaf's hash in the tree; its place is no part of it, the tree says that."""
        # Signed: no time before 1970 is ever written, but one that was put there must be counted to be named.
        return merkle.leaf_hash(self.at_us.to_bytes(8, signed=True) + self.receipt.bytes + self.content_root)


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970: no float ever stands between a time and its hash."""
    elapsed = moment - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds


def canonical(entry: Mapping[str, Any]) -> str:
    """The one spelling of an entry that is committed to: sorted keys, no spaces, UTF-8."""
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def commitment(salt: bytes, entry: str) -> bytes:
    """What a leaf holds of a part. The salt keeps one who guesses the entry from seeing that the guess is right."""
    return hashlib.sha256(_PART + salt + entry.encode()).digest()


@dataclass(frozen=True, slots=True)
class Content:
    """The commitments of a leaf among random values: `slots` says where each part stands, in the order they came."""

    values: tuple[bytes, ...]
    slots: tuple[int, ...]

    @property
    def root(self) -> bytes:
        """The content's root."""
        return merkle.root_of([merkle.leaf_hash(value) for value in self.values])

    @property
    def padding(self) -> tuple[bytes, ...]:
        """The random values, in the order they stand."""
        return tuple(value for slot, value in enumerate(self.values) if slot not in self.slots)

    def way_up(self, slot: int) -> list[bytes]:
        """The proof that a slot's value is in the content, from the slot up."""
        head = merkle.Frontier()
        nodes: dict[merkle.Node, bytes] = {}
        for value in self.values:
            head, made = head.append(merkle.leaf_hash(value))
            nodes.update(made)
        return merkle.path(merkle.inclusion_ranges(slot, len(self.values)), nodes)


def arranged(commitments: Sequence[bytes], draw: Callable[[], bytes]) -> Content:
    """Put commitments among random values in random order. `draw` gives 32 random bytes each time."""
    width = FEWEST_SLOTS
    while width < len(commitments):
        width *= 2
    order = [at for _, at in sorted((draw(), at) for at in range(width))]
    values = [b""] * width
    for slot, value in zip(order, commitments, strict=False):
        values[slot] = value
    return Content(tuple(value or draw() for value in values), tuple(order[: len(commitments)]))


def as_stored(parts: Mapping[int, bytes], padding: Sequence[bytes]) -> Content:
    """The content of stored commitments by slot, and the stored random values. Raises `ValueError` where they clash."""
    width = len(parts) + len(padding)
    rest = iter(padding)
    values = tuple(parts[slot] if slot in parts else next(rest, b"") for slot in range(width))
    if width < FEWEST_SLOTS or width & (width - 1) or not all(values):
        raise ValueError("parts and padding do not make up a content")
    return Content(values, tuple(parts))


def opens(leaf: Leaf, *, slot: int, salt: bytes, entry: str, way_up: Sequence[bytes]) -> bool:
    """Whether a part, with its salt and its way up, is what the leaf committed to."""
    if len(salt) != SALT_BYTES:
        return False
    value = merkle.leaf_hash(commitment(salt, entry))
    return merkle.includes(root=leaf.content_root, size=1 << len(way_up), index=slot, leaf=value, proof=way_up)
