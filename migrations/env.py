"""Runs migrations over the URL that `api.store.migrate` hands in."""

import asyncio

from alembic import context
from sqlalchemy import text
from sqlalchemy.engine import Connection

from api.store.urls import engine_for
from migrations.metadata import differs, metadata

# Any constant will do: two processes that start at once must not migrate at once.
_MIGRATION_LOCK = 0x4D_49_47_52


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=metadata, transaction_per_migration=False, compare_type=differs
    )
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        context.run_migrations()


async def _run() -> None:
    engine = engine_for(context.config.attributes["url"])
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)
        await connection.commit()
    await engine.dispose()


asyncio.run(_run())
