"""The hash chain over leaves. Pure: a verifier needs nothing but this file.

Each leaf's hash covers the leaf before it, its place, time and receipt, a salt, and the entry's very bytes, so that a
changed, removed or reordered leaf shows.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

GENESIS = hashlib.sha256(b"samsyn ledger v1").digest()
_DOMAIN = b"samsyn leaf v1\0"


@dataclass(frozen=True, slots=True)
class ChainedLeaf:
    """A leaf as stored: `seq` from 1 without gaps, `at_us` microseconds since 1970, `entry` canonical JSON."""

    seq: int
    receipt: UUID
    at_us: int
    salt: bytes
    entry: str
    previous: bytes
    hash: bytes


def canonical(entry: Mapping[str, Any]) -> str:
    """The one spelling of an entry that is hashed: sorted keys, no spaces, UTF-8."""
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def leaf_hash(*, previous: bytes, seq: int, at_us: int, receipt: UUID, salt: bytes, entry: str) -> bytes:
    """SHA-256 over the leaf and the one before it. Fixed-length parts come first, so no two leaves spell alike."""
    content = previous + seq.to_bytes(8) + at_us.to_bytes(8) + receipt.bytes + salt + entry.encode()
    return hashlib.sha256(_DOMAIN + content).digest()


def first_fault(leaves: Iterable[ChainedLeaf]) -> str | None:
    """What is wrong with a run of leaves read from the beginning, or `None` where the chain holds."""
    previous, expected = GENESIS, 1
    for leaf in leaves:
        if leaf.seq != expected:
            return f"leaf {expected} is missing; {leaf.seq} stands in its place"
        if leaf.previous != previous:
            return f"leaf {leaf.seq} does not follow the leaf before it"
        computed = leaf_hash(
            previous=previous,
            seq=leaf.seq,
            at_us=leaf.at_us,
            receipt=leaf.receipt,
            salt=leaf.salt,
            entry=leaf.entry,
        )
        if computed != leaf.hash:
            return f"leaf {leaf.seq} has been changed"
        previous, expected = leaf.hash, expected + 1
    return None
