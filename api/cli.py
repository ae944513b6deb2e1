"""The command line, by which scripts and operators drive Samsyn (design §9)."""

import asyncio
import os
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import ValidationError

from api.cli_audit import impact, replay
from api.cli_keys import erase, retention, rotate_keys
from api.cli_ledger import cosign, verify, witness, witness_key
from api.cli_parts import ERR as _ERR
from api.cli_parts import OUT as _OUT
from api.cli_parts import DataDir
from api.cli_parts import fail as _fail
from api.cli_parts import progress as _progress
from api.cli_parts import run as _run
from api.cli_parts import settings_of as _settings

if TYPE_CHECKING:
    from api.contract import Stale

app = typer.Typer(
    name="samsyn",
    help="Lawful sharing between the agencies that work against open drug scenes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
Root = Annotated[Path, typer.Option(help="The project's folder")]
Language = Literal["sv", "en"]
KINDS = ("schools", "stations", "municipalities", "districts", "crime-counts")


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
    from api.serving import serve as serve_forever

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
    equated: Annotated[bool, typer.Option(help="A company that is an authority only through OSL 2:3")] = False,
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
    if equated and sector not in law().authorities:
        _fail("a company that OSL 2:3 equates with an authority has the sector of its activity, not `private`")
    row = {
        "slug": slug,
        "name": name,
        "sector": sector,
        "municipality": municipality,
        "district": district,
        "equated": equated,
    }

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
def matrix(
    write: Annotated[bool, typer.Option("--write", help="Bring the committed table up to date")] = False,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail where the table is stale")] = False,
    diff: Annotated[str | None, typer.Option(metavar="REV", help="Say what the law files changed since then")] = None,
    language: Annotated[Language, typer.Option(help="Of the sentences")] = "sv",
    directory: Root = Path(),
) -> None:
    """Print the disclosure matrix as CSV: what the law answers, for whom, why and since when; `*` is all of them."""
    from api.contract import MATRIX, stale_files
    from api.law.matrix import golden
    from policies.catalogue import law

    if write + check + (diff is not None) > 1:
        _fail("choose one of --write, --check and --diff")
    if diff is not None:
        _run(lambda: _changes_since(diff, language))
    elif write or check:
        _run(lambda: _bring_up_to_date(stale_files(directory, MATRIX), MATRIX, check=check, language=language))
    else:
        _run(lambda: typer.echo(golden(law()), nl=False))


def _changes_since(revision: str, language: Language) -> None:
    from api.law.revision import RevisionError, law_at
    from policies.catalogue import law
    from policies.changes.text import changes

    try:
        said = changes(law_at(revision), law(), language)
    except RevisionError as error:
        _fail(str(error))
    rules, effects = ("Lagen:", "Utfallen:") if language == "sv" else ("The law:", "The outcomes:")
    nothing = "inget är ändrat" if language == "sv" else "nothing is changed"
    for heading, sentences in ((rules, said.rules), (effects, said.outcomes)):
        typer.echo(heading)
        for sentence in sentences or (nothing,):
            typer.echo(f"- {sentence}")


@app.command()
def contracts(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail where a file is stale")] = False,
    directory: Root = Path(),
) -> None:
    """Write what is generated and committed: the contracts in `openapi/`, and what is made from the law."""
    from api.contract import stale_files

    _run(lambda: _bring_up_to_date(stale_files(directory), "contracts", check=check, language="sv"))


def _bring_up_to_date(stale: "Iterable[Stale]", what: str, *, check: bool, language: Language) -> None:
    from api.contract import MATRIX, matrix_in_words

    found = list(stale)
    names = ", ".join(one.name for one in found)
    for one in found:
        if not check:
            one.write()
            continue
        for line in one.difference():
            typer.echo(line)
        for sentence in matrix_in_words(one, language) if one.name == MATRIX else ():
            typer.echo(f"- {sentence}")
    if check and found:
        _fail(f"{names}: not what the code and the law make; run `samsyn contracts` and commit the result")
    _OUT.print(f"{what}: up to date" if not found else f"written: {names}", markup=False)


app.command()(verify)
app.command()(witness)
app.command(name="witness-key")(witness_key)
app.command()(cosign)
app.command()(replay)
app.command()(impact)
app.command(name="rotate-keys")(rotate_keys)
app.command()(retention)
app.command()(erase)


def main() -> None:
    """Entry point of the `samsyn` command."""
    app()
