"""What is handed to the ledger: the parts of one leaf, one for each agency that it concerns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Part:
    """What one agency may know of a leaf. `entry` is JSON; `items` are ids of rows as that agency knows them."""

    agency: str
    role: Literal["receiver", "giver"]
    entry: Mapping[str, Any]
    items: tuple[UUID, ...] = ()
