"""The ledger as each agency may read it: its own parts as the gate shows them, and what a proof of one is made from."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Text,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from api.disclosure.resource import AGENCY, Filter, Resource
from api.ledger.leaves import Leaf as LeafShown
from api.ledger.leaves import microseconds
from api.ledger.tables import Leaf, LeafPart
from api.store.base import table_of

_LEAVES, _PARTS = table_of(Leaf), table_of(LeafPart)
_AGENCIES = table("agencies", column("slug"), column("name"))
_INDIVIDUALS = table("individuals", column("id", Uuid()), column("holder"), column("person_key"))
_ITEMS = table("disclosure_decision_items", column("decision_id", Uuid()), column("item_id", Uuid()))
_DECISIONS = table(
    "disclosure_decisions",
    column("id", Uuid()),
    column("valid_until", DateTime(timezone=True)),
    column("revoked_at", DateTime(timezone=True)),
)
_SWEDEN = ZoneInfo("Europe/Stockholm")
_ENTRY = cast(_PARTS.c.entry, JSONB)


def _said(name: str) -> ColumnElement[Any]:
    """A text of the entry. Names are ours, never a caller's."""
    return _ENTRY.op("->>", return_type=Text())(literal_column(f"'{name}'", Text()))


def _part_of_entry(name: str) -> ColumnElement[Any]:
    return _ENTRY.op("->", return_type=JSONB())(literal_column(f"'{name}'", Text()))


def _day_begins(day: date) -> int:
    """The Swedish midnight that begins a day, in microseconds since 1970."""
    return microseconds(datetime.combine(day, time(), _SWEDEN))


_AT: ColumnElement[Any] = literal_column("timestamptz 'epoch'") + _LEAVES.c.at_us * literal_column(
    "interval '1 microsecond'"
)
_RECIPIENT = func.coalesce(_said("recipient"), _said("agency"))
_SHOWN_ITEMS = case((_PARTS.c["items"].is_not(None), _part_of_entry("items")))
_OWN_ITEMS = _SHOWN_ITEMS.op("->", return_type=JSONB())(literal_column("'individual'", Text())).op(
    "->", return_type=JSONB()
)(AGENCY)
# As one text: for a list of ids the driver would ask the server what such a list is, which the read path may not.
_IDS = func.string_to_array(bindparam("ids", type_=Text()), ",")
_AMONG = _PARTS.c["items"].bool_op("&&")(cast(_IDS, ARRAY(Uuid())))

LEDGER_ENTRIES = Resource(
    name="ledger-entry",
    source=_PARTS.join(_LEAVES, _PARTS.c.leaf_index == _LEAVES.c.leaf_index),
    key=_PARTS.c.leaf_index,
    own=_PARTS.c.agency == AGENCY,
    fields={
        "receipt": _LEAVES.c.receipt,
        "at": _AT,
        "role": _PARTS.c.role,
        "kind": _said("kind"),
        "recipient": _RECIPIENT,
        "client": _said("client"),
        "subject": _said("subject"),
        "subjectRole": _said("role"),
        "purpose": _said("purpose"),
        "legalBasis": _said("legalBasis"),
        "caseReference": _said("caseReference"),
        "policyVersion": _said("policyVersion"),
        "asOf": _said("asOf"),
        "request": _said("request"),
        "decision": _said("decision"),
        "fields": _part_of_entry("fields"),
        "resources": _part_of_entry("resources"),
        "items": _SHOWN_ITEMS,
        "erased": _PARTS.c.erased_at.is_not(None),
    },
    # The log's own order, newest first. An agency has one part of a leaf, so the leaf's place is the key.
    order=(_PARTS.c.leaf_index.desc(),),
    filters={
        "receipt": Filter(
            ("receipt",), _LEAVES.c.receipt == bindparam("receipt", type_=Uuid()), lambda v: {"receipt": v}
        ),
        "role": Filter(("role",), _PARTS.c.role == bindparam("role", type_=Text()), lambda v: {"role": v}),
        "from": Filter(
            ("at",), _LEAVES.c.at_us >= bindparam("from", type_=BigInteger()), lambda v: {"from": _day_begins(v)}
        ),
        # Through that day. Days differ in length, so the next one is asked when it begins.
        "to": Filter(
            ("at",),
            _LEAVES.c.at_us < bindparam("before", type_=BigInteger()),
            lambda v: {"before": _day_begins(date.fromordinal(v.toordinal() + 1))},
        ),
        "purpose": Filter(
            ("purpose",), _said("purpose") == bindparam("purpose", type_=Text()), lambda v: {"purpose": v}
        ),
        "recipient": Filter(
            ("recipient",), _RECIPIENT == bindparam("recipient", type_=Text()), lambda v: {"recipient": v}
        ),
        "individual": Filter(("items",), _AMONG, lambda v: {"ids": str(v)}),
        # Rows that the agency itself holds: given out by it, or read, recorded or erased at it. What it was given by
        # others bears ids of theirs, and is another's to account for.
        "held": Filter(
            ("items", "role"),
            _AMONG & ((_PARTS.c.role == "giver") | func.jsonb_exists_any(_OWN_ITEMS, _IDS)),
            lambda v: {"ids": ",".join(map(str, v))},
        ),
    },
)


class OwnPart(NamedTuple):
    """An agency's part of a leaf as it is stored, with the whole leaf's commitments by slot and its random values."""

    leaf: LeafShown
    slot: int
    salt: bytes | None
    entry: str | None
    commitments: dict[int, bytes]
    padding: Sequence[bytes]


async def own_part(connection: AsyncConnection, receipt: UUID, agency: str) -> OwnPart | None:
    """What the proof of an agency's own part is made from, if it has one under this receipt."""
    of_leaf = select(_LEAVES).where(_LEAVES.c.receipt == receipt)
    leaf = (await connection.execute(of_leaf)).first()
    if leaf is None:
        return None
    of_parts = select(_PARTS).where(_PARTS.c.leaf_index == leaf.leaf_index).order_by(_PARTS.c.slot)
    parts = (await connection.execute(of_parts)).all()
    own = next((part for part in parts if part.agency == agency), None)
    if own is None:
        return None
    return OwnPart(
        leaf=LeafShown(leaf.leaf_index, leaf.at_us, leaf.receipt, leaf.content_root),
        slot=own.slot,
        salt=own.salt,
        entry=own.entry,
        commitments={part.slot: part.commitment for part in parts},
        padding=leaf.padding,
    )


async def rows_of_same_person(connection: AsyncConnection, holder: str, individual: UUID) -> list[UUID]:
    """The holder's own rows about the person of one of its rows, that row among them; none where it has no such row.

    Only ids, which the holder knows, and only of its own.
    """
    known = select(_INDIVIDUALS.c.person_key).where(_INDIVIDUALS.c.id == individual, _INDIVIDUALS.c.holder == holder)
    same = (_INDIVIDUALS.c.id == individual) | (_INDIVIDUALS.c.person_key == known.scalar_subquery())
    rows = await connection.execute(select(_INDIVIDUALS.c.id).where(_INDIVIDUALS.c.holder == holder, same))
    return sorted(rows.scalars())


async def names_of(connection: AsyncConnection, agencies: Iterable[str]) -> dict[str, str]:
    """What registered agencies are called."""
    wanted = select(_AGENCIES.c.slug, _AGENCIES.c.name).where(_AGENCIES.c.slug.in_(set(agencies)))
    return {row.slug: row.name for row in await connection.execute(wanted)}


async def rows_named_by(
    connection: AsyncConnection, decisions: Iterable[UUID], individuals: Iterable[UUID]
) -> dict[UUID, set[UUID]]:
    """Each of the decisions that is still on record, with those of the rows that it names."""
    of_decision = (_ITEMS.c.decision_id == _DECISIONS.c.id) & _ITEMS.c.item_id.in_(list(individuals))
    wanted = (
        select(_DECISIONS.c.id, _ITEMS.c.item_id)
        .select_from(_DECISIONS.outerjoin(_ITEMS, of_decision))
        .where(_DECISIONS.c.id.in_(list(decisions)))
    )
    found: dict[UUID, set[UUID]] = {}
    for decision, item in await connection.execute(wanted):
        found.setdefault(decision, set()).update([item] if item is not None else ())
    return found


async def receiver_entry(connection: AsyncConnection, receipt: UUID) -> tuple[bool, str | None]:
    """Whether there is such a receipt, and the receiver's entry, unless it is erased."""
    wanted = (
        select(_PARTS.c.entry)
        .join(_LEAVES, _PARTS.c.leaf_index == _LEAVES.c.leaf_index)
        .where(_LEAVES.c.receipt == receipt, _PARTS.c.role == "receiver")
    )
    row = (await connection.execute(wanted)).first()
    return row is not None, None if row is None else row.entry


async def last_receiver_entries(connection: AsyncConnection, last: int) -> list[str]:
    """The entries of the last receivers' parts that are not erased, newest first."""
    wanted = (
        select(_PARTS.c.entry)
        .where(_PARTS.c.role == "receiver", _PARTS.c.entry.is_not(None))
        .order_by(_PARTS.c.leaf_index.desc())
        .limit(last)
    )
    return list((await connection.execute(wanted)).scalars())


async def ends_of_decisions(
    connection: AsyncConnection, decisions: Iterable[UUID]
) -> dict[UUID, tuple[datetime, datetime | None]]:
    """Until when each decision is valid, and when it was revoked, if it was; one that is gone is not in the answer."""
    wanted = select(_DECISIONS).where(_DECISIONS.c.id.in_(list(decisions)))
    return {row.id: (row.valid_until, row.revoked_at) for row in await connection.execute(wanted)}
