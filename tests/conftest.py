"""Fixtures: one embedded PostgreSQL for the whole run, and a fresh copy of a seeded database for each module."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_asyncio

from api.store.embedded import EmbeddedServer, embedded_server
from api.store.migrate import upgrade
from tests.support import App, copy_database, create_database, open_app, seed


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A real PostgreSQL from the wheel, gone with the run."""
    with embedded_server(tmp_path_factory.mktemp("samsyn")) as running:
        yield running


@pytest.fixture(scope="session")
def template(server: EmbeddedServer) -> str:
    """The URL of a migrated and seeded database to copy; nobody stays connected to it."""

    async def prepare() -> str:
        url = await create_database(server.dsn())
        await asyncio.to_thread(upgrade, url)
        await seed(url)
        return url

    # A loop of its own in a thread of its own: the session's loop belongs to the tests.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, prepare()).result()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(server: EmbeddedServer, template: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    """The service over a database of this module's own."""
    url = await copy_database(server.dsn(), template)
    async with open_app(url, tmp_path_factory.mktemp("keys")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def fresh_app(server: EmbeddedServer, template: str, tmp_path: Path) -> AsyncIterator[App]:
    """The service over a database of this test's own."""
    url = await copy_database(server.dsn(), template)
    async with open_app(url, tmp_path) as opened:
        yield opened
