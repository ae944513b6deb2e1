"""Brings a database to the version this program needs. Runs synchronously, before the service opens its pools."""

import asyncio
import importlib.util
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from api.settings import Settings
from api.store.urls import plain_dsn


def _config(url: str) -> Config:
    spec = importlib.util.find_spec("migrations")
    if spec is None or spec.origin is None:
        raise RuntimeError("the migrations are missing from this installation; install samsyn again")
    config = Config()
    config.set_main_option("script_location", str(Path(spec.origin).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    return config


def upgrade(url: str, settings: Settings | None = None, *, to: str = "head") -> None:
    """Apply every migration that is not yet applied; safe to run from several processes at once.

    `settings` say where the keys are that a migration may have to seal with; unset: those of the environment.
    """
    config = _config(url)
    config.attributes["settings"] = settings
    command.upgrade(config, to)


def is_current(url: str) -> bool:
    """Whether every migration of this program is applied. Raises `OSError` where the server cannot be reached."""
    head = ScriptDirectory.from_config(_config(url)).get_current_head()

    async def applied() -> str | None:
        connection = await asyncpg.connect(plain_dsn(url), timeout=10)
        try:
            if not await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
                return None
            return await connection.fetchval("SELECT version_num FROM alembic_version")  # type: ignore[no-any-return]
        finally:
            await connection.close()

    return asyncio.run(applied()) == head


def revise(url: str, message: str) -> None:
    """Write a new migration from the difference between tables and database; for developers."""
    command.revision(_config(url), message=message, autogenerate=True)
