"""Migrations and tables say the same, and what must never change in the database cannot."""

import asyncio
import sys
import warnings
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import SAWarning
from sqlalchemy.ext.asyncio import create_async_engine

from api.store.database import Database
from api.store.migrate import is_current
from migrations.metadata import differs, metadata
from tests.support import App, create_database

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_migrated_database_has_exactly_the_declared_tables(app: App):
    def compare(connection):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)
            return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": differs}), metadata)

    engine = create_async_engine(app.url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []
    await engine.dispose()


async def test_empty_database_is_not_current_and_becomes_so(server):
    url = await create_database(server.dsn())
    assert not await asyncio.to_thread(is_current, url)
    # Two programs that start at once: alembic keeps its context in globals, so threads would prove nothing.
    program = f"from api.store.migrate import upgrade; upgrade({url!r})"
    started = [await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=ROOT) for _ in range(2)]
    assert [await process.wait() for process in started] == [0, 0]
    assert await asyncio.to_thread(is_current, url)


@pytest.mark.parametrize("table", ["ledger_leaves", "ledger_parts", "ledger_nodes", "ledger_head", "situation_reports"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}"])
async def test_ledger_and_editions_cannot_be_taken_back(app: App, table: str, statement: str):
    if not (await app.rows(f"SELECT 1 FROM {table}")):
        await app.client("polismyndigheten").get("situation-reports", headers={"Purpose": "prevent-crime"})
    if statement.startswith("DELETE") and not (await app.rows(f"SELECT 1 FROM {table}")):
        pytest.skip("no row to delete; TRUNCATE shows the same for this table")
    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await app.execute(statement.format(table))


@pytest.mark.parametrize("mode", ["disable", "prefer"])
async def test_database_url_may_ask_for_tls_as_libpq_writes_it(app: App, mode: str):
    database = Database(f"{app.url}&sslmode={mode}")
    await database.open()
    assert await database.ready()
    async with database.transaction() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    await database.close()
