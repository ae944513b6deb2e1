"""The command line, by which scripts and operators drive Samsyn (design §9)."""

import asyncio
import os
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from api.settings import Settings

app = typer.Typer(
    name="samsyn",
    help="Lawful sharing between the agencies that work against open drug scenes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_OUT = Console(highlight=False, soft_wrap=True)
_ERR = Console(stderr=True, highlight=False, soft_wrap=True)

DataDir = Annotated[
    Path | None, typer.Option(help="Where the embedded database and development keys live; default .samsyn")
]
KINDS = ("schools", "stations", "municipalities", "districts", "crime-counts")


def _fail(text: str) -> NoReturn:
    _ERR.print(f"samsyn: {text}", style="red", markup=False)
    raise typer.Exit(1)


def _settings(data_dir: Path | None = None, **changes: object) -> Settings:
    """The settings from the environment; what the command line says wins."""
    given = changes | ({"data_dir": data_dir} if data_dir is not None else {})
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        _fail("; ".join(f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors()))


def _progress(text: str) -> None:
    _ERR.print(f"  {text}", style="dim", markup=False)


@app.command()
def demo(
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    data_dir: DataDir = None,
) -> None:
    """Start everything on an embedded PostgreSQL, load the demo, serve, and show the three jobs as curl lines."""
    from api.demo.run import run_demo

    _run(lambda: run_demo(data_dir, port, _OUT, _progress))


@app.command()
def serve(
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    data_dir: DataDir = None,
) -> None:
    """Serve over DATABASE_URL, or in development over the embedded PostgreSQL. Migrate first with `samsyn migrate`."""
    from api.running import database_url, exit_on_sigterm, listening, require_current, seen_at
    from api.running import serve as serve_forever

    chosen = _settings(data_dir)

    def work() -> None:
        exit_on_sigterm()
        listener = listening(host, port)
        settings = seen_at(chosen, host, listener)
        with database_url(settings, _progress) as url:
            require_current(url)
            serve_forever(settings, url, listener, ready=lambda: _progress(f"serving {settings.api_url}"))

    _run(work)


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to the version this program needs, and load the reference data that ships with it."""
    from api.interventions.service import load_catalogue
    from api.running import migrated
    from api.store.database import Database

    settings = _settings(data_dir)

    async def load(url: str) -> None:
        database = Database(url)
        async with database.transaction() as connection:
            await load_catalogue(connection)
        await database.close()

    def work() -> None:
        with migrated(settings, _progress) as url:
            asyncio.run(load(url))
        _OUT.print("the database is up to date")

    _run(work)


@app.command()
def token(
    agency: Annotated[str, typer.Argument(help="Slug of a registered agency, such as polismyndigheten")],
    purpose: Annotated[list[str] | None, typer.Option(help="A purpose the client may claim; repeatable")] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope; repeatable. Default: read and every write scope")
    ] = None,
    expires_in: Annotated[int, typer.Option(min=1, max=300, help="Seconds, five minutes at most")] = 300,
    person: Annotated[str | None, typer.Option(help="Ask as this person rather than as a machine")] = None,
    role: Annotated[str | None, typer.Option(help="The person's role")] = None,
    data_dir: DataDir = None,
) -> None:
    """Print one access token from the development issuer. Refused outside development."""
    from api.identity.caller import PERSON_SCOPES, SCOPES
    from api.identity.development import DevelopmentIssuer, DevelopmentKeyError
    from policies.catalogue import law

    settings = _settings(data_dir)
    if settings.environment != "development":
        _fail("the development issuer signs nothing in production; get the token from your issuer")
    purposes, scopes = purpose or [], scope or sorted(SCOPES - PERSON_SCOPES)
    _all_known("purpose", purposes, law().purposes)
    _all_known("scope", scopes, SCOPES)
    try:
        issuer = DevelopmentIssuer.load_or_create(settings.data_dir, issuer=settings.issuer, audience=settings.audience)
    except DevelopmentKeyError as error:
        _fail(str(error))
    signed = issuer.token(
        agency,
        purposes,
        scopes,
        expires_in,
        subject=person,
        role=role,
        now=datetime.now(UTC),
        new_id=lambda: str(uuid.uuid4()),
    )
    typer.echo(signed)


def _all_known(what: str, given: list[str], known: object) -> None:
    names = sorted(known)  # type: ignore[call-overload]
    for value in given:
        if value not in names:
            _fail(f"unknown {what} `{value[:60]}`; known are {', '.join(names)}")


@app.command(name="import")
def import_(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(KINDS)}")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    data_dir: DataDir = None,
) -> None:
    """Import a file of places or counts. Dirty rows are reported with number, field and reason."""
    from api.importing import import_file
    from api.places.importers import ImportFileError
    from api.running import migrated

    if kind not in KINDS:
        _fail(f"unknown kind `{kind[:60]}`; known are {', '.join(KINDS)}")
    settings = _settings(data_dir)

    def work() -> None:
        with migrated(settings, _progress) as url:
            try:
                stored, problems = asyncio.run(import_file(url, kind, file, settings))
            except ImportFileError as error:
                _fail(str(error))
        for problem in problems:
            place = f"row {problem.row}" if problem.row else "file"
            kept = "kept" if problem.kept else "not stored"
            _ERR.print(f"  {place}, {problem.field}: {problem.reason} ({kept})", markup=False)
        _OUT.print(f"{stored} {kind} stored, {len(problems)} reported")

    _run(work)


@app.command()
def agency(
    slug: Annotated[str, typer.Argument(help="Such as skarholmen-trygghet; the `agency` claim of its tokens")],
    name: Annotated[str, typer.Argument()],
    sector: Annotated[str, typer.Argument()],
    municipality: Annotated[str | None, typer.Option(help="Four digits, for a local board")] = None,
    district: Annotated[str | None, typer.Option(help="The district board's area, where there is one")] = None,
    data_dir: DataDir = None,
) -> None:
    """Register an agency, or bring its entry up to date. One per board or self-standing branch (OSL 8:1-2)."""
    import re

    from api.agencies.repository import register
    from api.running import migrated
    from api.store.database import Database
    from api.web.datatypes import SLUG_PATTERN
    from policies.catalogue import law

    _all_known("sector", [sector], law().sectors)
    if re.fullmatch(SLUG_PATTERN, slug) is None:
        _fail("a slug is a-z, 0-9 and single hyphens")
    if municipality is not None and re.fullmatch("[0-9]{4}", municipality) is None:
        _fail("a municipality is given by its four-digit code")
    settings = _settings(data_dir)
    row = {"slug": slug, "name": name, "sector": sector, "municipality": municipality, "district": district}

    async def store(url: str) -> None:
        database = Database(url)
        async with database.transaction() as connection:
            await register(connection, [row])
        await database.close()

    def work() -> None:
        with migrated(settings, _progress) as url:
            asyncio.run(store(url))
        _OUT.print(f"{slug} is registered", markup=False)

    _run(work)


@app.command()
def explain() -> None:
    """Answer *may this be shared?*: a question as JSON on standard input, the answer as JSON on standard output."""
    import json
    import sys
    from zoneinfo import ZoneInfo

    from api.errors import Problem
    from api.law.schemas import ExplanationIn
    from api.law.service import explain as answer
    from api.law.service import language_of
    from api.web.body import strict_json
    from policies.catalogue import law

    try:
        body = ExplanationIn.model_validate(strict_json(sys.stdin.buffer.read()))
        today = datetime.now(ZoneInfo("Europe/Stockholm")).date()
        shown = answer(body, law(), today=today, language=language_of(os.environ.get("LANG", "sv").replace("_", "-")))
    except ValidationError as error:
        _fail("; ".join(f"{'.'.join(map(str, e['loc'])) or 'question'}: {e['msg']}" for e in error.errors()))
    except Problem as problem:
        _fail(problem.detail)
    typer.echo(json.dumps(shown, ensure_ascii=False, indent=1))


@app.command()
def contracts(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail where a file is stale")] = False,
    directory: Annotated[Path, typer.Option(help="Where the contracts are kept")] = Path("openapi"),
) -> None:
    """Write `openapi/openapi.json` and `openapi/schema.graphql` from the code."""
    from api.contract import contract_files

    stale = []
    for name, content in contract_files().items():
        path = directory / name
        if path.exists() and path.read_bytes() == content:
            continue
        stale.append(name)
        if not check:
            directory.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    if check and stale:
        _fail(f"{', '.join(stale)}: not what the code publishes; run `samsyn contracts` and commit the result")
    _OUT.print("contracts are up to date" if not stale else f"written: {', '.join(stale)}")


def _run(work: object) -> None:
    """Run a command's work, and turn what a user can mend into one clear line."""
    from api.running import StartError
    from api.store.embedded import EmbeddedPostgresError
    from policies.catalogue import LawError

    try:
        work()  # type: ignore[operator]
    except (StartError, EmbeddedPostgresError, LawError) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def main() -> None:
    """Entry point of the `samsyn` command."""
    app()
