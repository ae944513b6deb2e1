"""What commands stand on: a database at the right version, a socket that listens, and an orderly end.

INVARIANT: nothing here imports the service itself (`api.serving` does): most commands need only the database.
"""

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import asyncpg

from api.settings import Settings
from api.store.embedded import embedded_server
from api.store.migrate import is_current, upgrade
from api.store.reading import require_roles
from api.store.roles import RolesError


class StartError(Exception):
    """The service cannot start; the text says what is wrong and what to do."""


@contextmanager
def database_url(settings: Settings, progress: Callable[[str], None]) -> Iterator[str]:
    """The URL of the database that the settings name: an outside server, or the embedded one while the block lasts."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    if settings.environment == "production":
        raise StartError("production needs DATABASE_URL: the embedded database is for development")
    with embedded_server(settings.data_dir, progress=progress) as server:
        yield server.dsn()


@contextmanager
def migrated(settings: Settings, progress: Callable[[str], None]) -> Iterator[str]:
    """As `database_url`, brought to the version this program needs."""
    with database_url(settings, progress) as url:
        progress("migrating the database")
        upgrade(url, settings)
        yield url


def require_current(url: str) -> None:
    """Refuse to serve over a database that lacks migrations, or whose roles cannot be taken. Raises `StartError`."""
    try:
        current = is_current(url)
        if current:
            require_roles(url)
    except RolesError as error:
        raise StartError(str(error)) from None
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise StartError(f"the database cannot be reached ({type(error).__name__}); check DATABASE_URL") from None
    if not current:
        raise StartError("the database is not at the version this program needs; run `samsyn migrate` first")


def exit_on_sigterm() -> None:
    """Let SIGTERM unwind the program like Ctrl-C does, so that everything that was started is stopped."""

    def leave(_signal: int, _frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens already, so that a taken port is told before anything else is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StartError(f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port") from None
    return listener


def seen_at(settings: Settings, host: str, listener: socket.socket) -> Settings:
    """The settings with the address that callers see: the one that is set, else where the socket listens."""
    if "public_url" in settings.model_fields_set:
        return settings
    shown = f"[{host}]" if ":" in host else host
    return settings.model_copy(update={"public_url": f"http://{shown}:{listener.getsockname()[1]}"})
