"""What stands in columns beside the entries of a leaf, held against the entries. Pure.

A leaf commits to entries alone; by the columns is decided who reads an entry and what an extract finds. So each must
say what the entry says. Of an erased part (*gallrad*) the entry is gone: the other parts of the leaf tell whose it is,
as far as they are left, and the agency's own entries tell of the erasure.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from api.ledger.leaves import microseconds

_UNREADABLE = (ValueError, TypeError, RecursionError)


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One part as it is stored: `salt`, `entry` and `items` are gone where it is erased."""

    slot: int
    agency: str
    role: str
    salt: bytes | None
    entry: str | None
    items: Sequence[UUID] | None
    commitment: bytes


def column_faults(parts: Sequence[StoredPart]) -> Iterator[str]:
    """What the columns of one leaf's parts say otherwise than the entries that are left."""
    agencies, told = [part.agency for part in parts], set[str]()
    for part in parts:
        where = f"the part in slot {part.slot}"
        if part.entry is None:
            if (part.salt, part.items) != (None, None):
                yield f"{where} is erased, and not all of it is gone"
            continue
        try:
            entry = _object(part.entry)
            items, others = _items(entry), _others(entry)
        except _UNREADABLE:
            yield f"the entry of {where} cannot be read"
            continue
        told |= others
        # Parts of givers have not always said whose they are.
        if entry.get("agency", part.agency) != part.agency:
            yield f"{where} stands under {part.agency}, and its entry is of another agency"
        if ("recipient" in entry) != (part.role == "giver"):
            yield f"{where} stands as that of a {part.role}, which its entry is not"
        if items != set(part.items or ()):
            yield f"{where} is found by other rows than those that its entry names"
    if len(set(agencies)) < len(agencies):
        yield "two of its parts stand under one agency"
    if not told <= set(agencies):
        yield "an agency that its entries name has no part of it"


def erased_before(noted: Iterable[tuple[str, int, str]]) -> dict[str, int]:
    """Before which time (microseconds) each agency's content may be gone, by the erasures that its own entries tell of.

    `noted`: agency, time of the leaf, entry. An erasure that was itself erased later needs no entry: the later one
    reached further. INVARIANT: none reaches beyond the time of its own leaf.
    """
    found: dict[str, int] = {}
    for agency, at_us, text in noted:
        try:
            entry = _object(text)
            before = microseconds(datetime.fromisoformat(entry["recordedBefore"]))
        except (*_UNREADABLE, KeyError):
            continue
        if (entry.get("kind"), entry.get("of"), entry.get("agency")) == ("erasure", "ledger", agency):
            found[agency] = max(found.get(agency, 0), min(before, at_us))
    return found


def _object(text: str) -> Mapping[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError("no object")
    return found


def _items(entry: Mapping[str, Any]) -> set[UUID]:
    """Every id of a row that an entry names: a giver's by resource, a receiver's by resource and holder."""
    return set(_flattened(entry.get("items", {})))


def _flattened(value: object) -> Iterator[UUID]:
    if isinstance(value, str):
        yield UUID(value)
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _flattened(inner)
    else:
        raise TypeError("no id")


def _others(entry: Mapping[str, Any]) -> set[str]:
    """The agencies that an entry says to have a part of the same leaf, as giver or receiver."""
    items = entry.get("items", {})
    named = [entry[name] for name in ("recipient", "holder") if name in entry]
    if not isinstance(items, dict) or not all(isinstance(one, str) for one in named):
        raise TypeError("no agency")
    return {*named, *(holder for rows in items.values() if isinstance(rows, dict) for holder in rows)}
