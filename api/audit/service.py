"""Selections of an agency's own entries, and the extract for a person."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from api.audit.repository import LEDGER_ENTRIES
from api.audit.schemas import Filters
from api.disclosure.selection import Selection, every_field
from api.errors import conflict

MOST = 10_000
"""Entries in one extract; more are asked for in several, by days."""


def entries(filters: Filters, offset: int, limit: int) -> Selection:
    """The selection of a list of entries."""
    return Selection(LEDGER_ENTRIES, every_field(LEDGER_ENTRIES), filters, (), offset, limit)


def one_receipt(receipt: UUID) -> Selection:
    """The selection of the caller's own part of one leaf."""
    return Selection(LEDGER_ENTRIES, every_field(LEDGER_ENTRIES), (("receipt", receipt),), limit=1, total=False)


def of_person(ids: Sequence[UUID], filters: Filters) -> Selection:
    """The selection of what happened to these rows of the caller's own."""
    return Selection(LEDGER_ENTRIES, every_field(LEDGER_ENTRIES), (("held", tuple(ids)), *filters), limit=MOST)


def rows_of(items: bytes, total: int | None) -> list[dict[str, Any]]:
    """The entries of an answer. Raises `Problem` 409 where they do not all stand in it."""
    rows: list[dict[str, Any]] = json.loads(items)
    if total is not None and total > len(rows):
        raise conflict("query.individual", f"more than {MOST} entries", "ask in several, with `from` and `to`")
    return rows
