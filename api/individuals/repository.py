"""Individuals as rows and as the resource that the gate reads.

What an agency is shown as the id of another's row is an alias: drawn at random for that recipient and that row when a
decision names it. So two recipients cannot find out that they were given the same row, and nobody but its holder knows
the id under which it lies here.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Text,
    any_,
    bindparam,
    case,
    cast,
    column,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    table,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from api.disclosure.resource import AGENCY, Filter, Resource
from api.individuals.tables import Individual
from api.store.base import table_of

_INDIVIDUALS = table_of(Individual)
_ITEMS = table(
    "disclosure_decision_items", column("decision_id", Uuid()), column("item_id", Uuid()), column("pseudonym", Text())
)
_READ = (
    "id", "mapping_id", "holder", "role", "name", "birth_date", "sex", "substances", "circumstances", "observed_on",
    "basis", "identity_number_sealed", "contact_sealed", "protected_identity",
)  # fmt: skip
# What the read path sees of the table: the asking agency's own rows, and of others' what a live decision names, null
# for each column that it does not name (migration 0006).
_VISIBLE = table(
    "visible_individuals",
    *(column(name, _INDIVIDUALS.c[name].type) for name in _READ),
    column("alias", Uuid()),
    column("pseudonym", Text()),
)


def of_mapping(mapping_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """The condition that ties individuals to a mapping."""
    return _VISIBLE.c.mapping_id == mapping_id


def _sealed(sealed: ColumnElement[Any]) -> ColumnElement[Any]:
    """A sealed text as the gate opens it: the id it is bound to, and the token (base64, so ASCII)."""
    return case((sealed.is_not(None), func.json_build_array(_VISIBLE.c.id, func.encode(sealed, "escape"))))


_SHOWN_ID = case((_VISIBLE.c.holder == AGENCY, _VISIBLE.c.id), else_=_VISIBLE.c.alias)
_COVERED = (
    exists(_ITEMS.c.item_id)
    .where(_ITEMS.c.item_id == _VISIBLE.c.id, _ITEMS.c.decision_id == bindparam("decision", type_=Uuid()))
    .correlate(_VISIBLE)
)


def _of_age(from_age: int | None, below_age: int | None) -> ColumnElement[bool]:
    """Whether the row's person is of an age. PostgreSQL is asked, for the birth date itself may be withheld."""
    ages = (cast(literal_column("NULL" if age is None else str(int(age))), Integer()) for age in (from_age, below_age))
    return func.individual_is_of_age(_VISIBLE.c.id, *ages, type_=Boolean())


INDIVIDUALS = Resource(
    name="individual",
    source=_VISIBLE,
    key=_VISIBLE.c.id,
    holder=_VISIBLE.c.holder,
    of_age=_of_age,
    fields={
        "id": _SHOWN_ID,
        "mapping": _VISIBLE.c.mapping_id,
        "holder": _VISIBLE.c.holder,
        "role": _VISIBLE.c.role,
        "name": _VISIBLE.c.name,
        "identityNumber": _sealed(_VISIBLE.c.identity_number_sealed),
        "birthDate": _VISIBLE.c.birth_date,
        "sex": _VISIBLE.c.sex,
        "contact": _sealed(_VISIBLE.c.contact_sealed),
        "substances": _VISIBLE.c.substances,
        "circumstances": _VISIBLE.c.circumstances,
        "observedOn": _VISIBLE.c.observed_on,
        "basis": _VISIBLE.c.basis,
        "protectedIdentity": _VISIBLE.c.protected_identity,
        "pseudonym": _VISIBLE.c.pseudonym,
    },
    # INVARIANT: the default order is the random id alone, as it is shown. Any other column could be withheld for some
    # of the rows, and an order tells what it is made from; by the internal id, two recipients' lists would go in step.
    order=(_SHOWN_ID,),
    # Nobody selects persons by `substances` (the kind has a search ban): it is here to be refused with the paragraph.
    sorts={
        "observedOn": _VISIBLE.c.observed_on,
        "role": _VISIBLE.c.role,
        "substances": _VISIBLE.c.substances,
    },
    filters={
        # INVARIANT: these name no field because the key goes with every row that is visible at all (fields.toml:
        # `key`); of the other rows they tell nothing, since filters only narrow what is visible. Where a row does not
        # show its mapping, `through` keeps it from being found by it.
        "id": Filter((), _SHOWN_ID == bindparam("id", type_=Uuid()), lambda v: {"id": v}),
        "mapping": Filter(
            (), of_mapping(bindparam("mapping", type_=Uuid())), lambda v: {"mapping": v}, through="mapping"
        ),
        "decision": Filter((), _COVERED, lambda v: {"decision": v}, decision="decision"),
        "role": Filter(("role",), _VISIBLE.c.role == bindparam("role", type_=Text()), lambda v: {"role": v}),
        "substances": Filter(
            ("substances",),
            bindparam("substances", type_=Text()) == any_(_VISIBLE.c.substances),
            lambda v: {"substances": v},
        ),
    },
    sealed=frozenset({"identityNumber", "contact"}),
    expressly={"mapping": _VISIBLE.c.protected_identity},
)


class HeldItem(NamedTuple):
    """What a decision needs to know of a row that it is to name; `person_key` as in `pseudonyms.py`."""

    id: UUID
    person_key: bytes | None
    birth_date: date | None
    protected_identity: bool


async def held_items(connection: AsyncConnection, holder: str, ids: Iterable[UUID]) -> dict[UUID, HeldItem]:
    """Those of the rows that are the holder's own; of others nothing, as if they did not exist.

    They are kept from being erased until the transaction ends.
    """
    wanted = (
        select(*(_INDIVIDUALS.c[name] for name in HeldItem._fields))
        .where(_INDIVIDUALS.c.holder == holder, _INDIVIDUALS.c.id.in_(list(ids)))
        .order_by(_INDIVIDUALS.c.id)
        .with_for_update(read=True)
    )
    return {row.id: HeldItem(*row) for row in await connection.execute(wanted)}


async def add_individual(connection: AsyncConnection, individual: Mapping[str, Any]) -> None:
    """Store an individual."""
    await connection.execute(insert(_INDIVIDUALS), [dict(individual)])


async def protect_person(
    connection: AsyncConnection, holder: str, person: bytes, *, told: bool
) -> tuple[bool, list[UUID]]:
    """Whether a person has protected identity, as `told` now or by a row of the holder; and the rows made to say so.

    INVARIANT: all rows of a holder about one person say the same, also where two officers record at once: until the
    transaction ends nobody else records that person. Rows are waited for until decisions about them are made.
    """
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(person.hex(), 0))))
    about = (_INDIVIDUALS.c.holder == holder, _INDIVIDUALS.c.person_key == person)
    columns = (_INDIVIDUALS.c.id, _INDIVIDUALS.c.protected_identity)
    known = (await connection.execute(select(*columns).where(*about).order_by(columns[0]).with_for_update())).all()
    if not told and not any(row.protected_identity for row in known):
        return False, []
    newly = [row.id for row in known if not row.protected_identity]
    if newly:
        marked = update(_INDIVIDUALS).where(*about, _INDIVIDUALS.c.id.in_(newly)).values(protected_identity=True)
        await connection.execute(marked)
    return True, newly


async def remove_individual(connection: AsyncConnection, *, holder: str, mapping_id: UUID, individual_id: UUID) -> bool:
    """Erase a row of the holder's own; false where it has none such."""
    own = (_INDIVIDUALS.c.holder == holder, _INDIVIDUALS.c.mapping_id == mapping_id, _INDIVIDUALS.c.id == individual_id)
    if (await connection.execute(delete(_INDIVIDUALS).where(*own))).rowcount == 0:
        return False
    await _forget_pseudonyms(connection, [individual_id])
    return True


async def count_recorded_before(connection: AsyncConnection, holder: str, before: datetime) -> int:
    """How many rows of the holder were recorded before a moment."""
    old = select(func.count()).select_from(_INDIVIDUALS).where(*_recorded_before(holder, before))
    return int((await connection.execute(old)).scalar_one())


async def remove_recorded_before(
    connection: AsyncConnection, holder: str, before: datetime, *, at_most: int
) -> list[UUID]:
    """Erase rows of the holder that were recorded before a moment, past those another transaction holds; their ids."""
    old = (
        select(_INDIVIDUALS.c.id)
        .where(*_recorded_before(holder, before))
        .limit(at_most)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    gone = delete(_INDIVIDUALS).where(_INDIVIDUALS.c.id == old.c.id).returning(_INDIVIDUALS.c.id)
    ids = list((await connection.execute(gone)).scalars())
    await _forget_pseudonyms(connection, ids)
    return ids


async def _forget_pseudonyms(connection: AsyncConnection, erased: Sequence[UUID]) -> None:
    """Take from every decision what it says of the persons of erased rows; that it named the rows stays.

    INVARIANT: this is a statement of its own behind the erasure, which has waited for grants of these rows: so it sees
    what they wrote.
    """
    if erased:
        named = (_ITEMS.c.item_id.in_(list(erased)), _ITEMS.c.pseudonym.is_not(None))
        await connection.execute(update(_ITEMS).where(*named).values(pseudonym=None))


def _recorded_before(holder: str, before: datetime) -> tuple[ColumnElement[bool], ...]:
    return _INDIVIDUALS.c.holder == holder, _INDIVIDUALS.c.created_at < before
