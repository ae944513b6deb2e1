"""Individuals as rows and as the resource that the gate reads."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, bindparam, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from api.disclosure.resource import Filter, Resource
from api.individuals.tables import Individual
from api.store.base import table_of

_INDIVIDUALS = table_of(Individual)


def of_mapping(mapping_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """The condition that ties individuals to a mapping."""
    return _INDIVIDUALS.c.mapping_id == mapping_id


INDIVIDUALS = Resource(
    name="individual",
    source=_INDIVIDUALS,
    key=_INDIVIDUALS.c.id,
    holder=_INDIVIDUALS.c.holder,
    birth_date=_INDIVIDUALS.c.birth_date,
    fields={
        "id": _INDIVIDUALS.c.id,
        "mapping": _INDIVIDUALS.c.mapping_id,
        "holder": _INDIVIDUALS.c.holder,
        "role": _INDIVIDUALS.c.role,
        "name": _INDIVIDUALS.c.name,
        "identityNumber": _INDIVIDUALS.c.identity_number,
        "birthDate": _INDIVIDUALS.c.birth_date,
        "sex": _INDIVIDUALS.c.sex,
        "contact": _INDIVIDUALS.c.contact,
        "substances": _INDIVIDUALS.c.substances,
        "circumstances": _INDIVIDUALS.c.circumstances,
        "observedOn": _INDIVIDUALS.c.observed_on,
        "basis": _INDIVIDUALS.c.basis,
    },
    # INVARIANT: the default order is the random key alone. Any other column could be withheld for some of the rows,
    # and an order tells what it is made from.
    order=(_INDIVIDUALS.c.id,),
    sorts={"observedOn": _INDIVIDUALS.c.observed_on, "role": _INDIVIDUALS.c.role},
    filters={
        # INVARIANT: these two name no field because the key goes with every row that is visible at all (fields.toml:
        # `key`); of the other rows they tell nothing, since filters only narrow what is visible.
        "id": Filter((), _INDIVIDUALS.c.id == bindparam("id", type_=Uuid()), lambda v: {"id": v}),
        "mapping": Filter((), of_mapping(bindparam("mapping", type_=Uuid())), lambda v: {"mapping": v}),
        "role": Filter(("role",), _INDIVIDUALS.c.role == bindparam("role", type_=Text()), lambda v: {"role": v}),
    },
)


async def add_individual(connection: AsyncConnection, individual: Mapping[str, Any]) -> None:
    """Store an individual."""
    await connection.execute(insert(_INDIVIDUALS), [dict(individual)])
