"""Agencies as rows and as a readable resource."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.agencies.tables import Agency
from api.disclosure.resource import Resource
from api.store.base import table_of

_AGENCIES = table_of(Agency)

AGENCIES = Resource(
    name="agency",
    source=_AGENCIES,
    key=_AGENCIES.c.slug,
    fields={
        "slug": _AGENCIES.c.slug,
        "name": _AGENCIES.c.name,
        "sector": _AGENCIES.c.sector,
        "municipality": _AGENCIES.c.municipality,
        "district": _AGENCIES.c.district,
        "equated": _AGENCIES.c.equated,
    },
    order=(_AGENCIES.c.slug,),
    sorts={"slug": _AGENCIES.c.slug, "name": _AGENCIES.c.name},
)

REGISTER = "SELECT slug, sector, municipality, district, equated FROM agencies"


async def register(connection: AsyncConnection, agencies: Iterable[Mapping[str, Any]]) -> None:
    """Add agencies, or bring those that exist up to date. `equated` (OSL 2:3) is false where it is not said."""
    rows = [{"equated": False, **agency} for agency in agencies]
    if rows:
        statement = insert(_AGENCIES).values(rows)
        changed = {name: statement.excluded[name] for name in ("name", "sector", "municipality", "district", "equated")}
        await connection.execute(statement.on_conflict_do_update(index_elements=["slug"], set_=changed))
