"""Rules of retention as rows."""

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.agencies.tables import Agency
from api.retention.tables import RetentionRule
from api.store.base import table_of

_RULES, _AGENCIES = table_of(RetentionRule), table_of(Agency)


async def agency_known(connection: AsyncConnection, agency: str) -> bool:
    """Whether such an agency is registered."""
    return (await connection.execute(select(_AGENCIES.c.slug).where(_AGENCIES.c.slug == agency))).first() is not None


async def all_rules(connection: AsyncConnection) -> list[tuple[str, str, int]]:
    """Every rule as agency, subject, months, in that order."""
    rows = await connection.execute(select(_RULES).order_by(_RULES.c.agency, _RULES.c.subject))
    return [(row.agency, row.subject, row.months) for row in rows]


async def set_rule(connection: AsyncConnection, agency: str, subject: str, months: int) -> None:
    """Put a rule in the place of the one before; with 0 months there is none any more."""
    if months == 0:
        await connection.execute(delete(_RULES).where(_RULES.c.agency == agency, _RULES.c.subject == subject))
        return
    rule = insert(_RULES).values(agency=agency, subject=subject, months=months)
    await connection.execute(rule.on_conflict_do_update(index_elements=["agency", "subject"], set_={"months": months}))
