"""Brings a database to the version this program needs. Runs synchronously, before the service opens its pools."""

import importlib.util
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url


def _config(url: str) -> Config:
    spec = importlib.util.find_spec("migrations")
    if spec is None or spec.origin is None:
        raise RuntimeError("the migrations are missing from this installation; install samsyn again")
    config = Config()
    config.set_main_option("script_location", str(Path(spec.origin).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = make_url(url).set(drivername="postgresql+asyncpg")
    return config


def upgrade(url: str) -> None:
    """Apply every migration that is not yet applied; safe to run from several processes at once."""
    command.upgrade(_config(url), "head")


def revise(url: str, message: str) -> None:
    """Write a new migration from the difference between tables and database; for developers."""
    command.revision(_config(url), message=message, autogenerate=True)
