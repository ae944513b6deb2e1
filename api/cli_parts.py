"""What the commands share: settings, one clear line for what went wrong, and a database for the time of a command."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from api.settings import Settings

if TYPE_CHECKING:
    from api.store.database import Database

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)

DataDir = Annotated[
    Path | None, typer.Option(help="Where the embedded database and development keys live; default .samsyn")
]


def fail(text: str) -> NoReturn:
    """Say what is wrong and what to do, and end with status 1."""
    ERR.print(f"samsyn: {text}", style="red", markup=False)
    raise typer.Exit(1)


def settings_of(data_dir: Path | None = None, **changes: object) -> Settings:
    """The settings from the environment; what the command line says wins."""
    given = changes | ({"data_dir": data_dir} if data_dir is not None else {})
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        fail("; ".join(f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors()))


def progress(text: str) -> None:
    """Say what is going on, beside the command's answer."""
    ERR.print(f"  {text}", style="dim", markup=False)


def run(work: object) -> None:
    """Run a command's work, and turn what a user can mend into one clear line."""
    from api.ledger.keys import KeyFileError
    from api.protection.keys import DataKeyError
    from api.running import StartError
    from api.store.embedded import EmbeddedPostgresError
    from api.store.roles import RolesError
    from policies.catalogue import LawError

    try:
        work()  # type: ignore[operator]
    except (StartError, EmbeddedPostgresError, LawError, DataKeyError, KeyFileError, RolesError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def run_over_database(settings: Settings, work: "Callable[[Database], Awaitable[None]]") -> None:
    """As `run`, over a database that is at the version this program needs."""
    from api.errors import Problem
    from api.running import database_url, require_current
    from api.store.database import Database

    async def connected(url: str) -> None:
        database = Database(url)
        try:
            await work(database)
        except Problem as problem:
            fail(str(problem.detail))
        finally:
            await database.close()

    def whole() -> None:
        with database_url(settings, progress) as url:
            require_current(url)
            asyncio.run(connected(url))

    run(whole)
