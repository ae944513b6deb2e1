"""Commands of the operator on receipts: decide one again, and reckon what a change of the law does to the last ones.

They read entries of the ledger, which hold no value of a row, and print none.
"""

from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import typer

from api.cli_parts import ERR, DataDir, fail, run_over_database, settings_of

if TYPE_CHECKING:
    from api.store.database import Database

Language = Literal["sv", "en"]
Said = Annotated[Language, typer.Option(help="Of the sentences")]


def replay(
    receipt: Annotated[str, typer.Argument(help="The id of an answer's receipt")],
    language: Said = "sv",
    data_dir: DataDir = None,
) -> None:
    """Decide a receipt again: by the law of its day, and by what holds today; name what makes another answer."""
    from api.audit.replaying import CannotReplayError, replay_receipt
    from api.law.revision import law_of_version
    from api.world import utc_now
    from policies.catalogue import law
    from policies.replay_words import in_words

    try:
        wanted = UUID(receipt)
    except ValueError:
        fail("a receipt is a UUID, such as 7d444840-9dc0-41d1-b245-5ffdce74fad2")
    now = utc_now()

    async def work(database: "Database") -> None:
        try:
            async with database.transaction() as connection:
                done = await replay_receipt(
                    connection,
                    wanted,
                    law(),
                    today=now.astimezone(ZoneInfo("Europe/Stockholm")).date(),
                    now=now,
                    law_of_version=law_of_version,
                )
        except CannotReplayError as error:
            fail(str(error))
        then, since = in_words(done, law(), language)
        # Words that a script can look for, whatever the language of the sentences.
        for name, differ, sentences in (("then", done.then, then), ("today", done.since, since)):
            typer.echo(f"{name}: {'differs' if differ else 'same'}")
            for sentence in sentences:
                typer.echo(f"- {sentence}")

    run_over_database(settings_of(data_dir), work)


def impact(
    revision: Annotated[str, typer.Argument(metavar="REV", help="A revision of this repository: the law files before")],
    last: Annotated[int, typer.Option(min=1, help="How many receipts, newest first")] = 1000,
    language: Said = "sv",
    data_dir: DataDir = None,
) -> None:
    """Say for how many of the last receipts today's law files give another answer than those of a revision."""
    from api.audit.replaying import impact_on_last
    from api.law.revision import RevisionError, law_at
    from policies.catalogue import law
    from policies.impact import in_words

    try:
        before = law_at(revision)
    except RevisionError as error:
        fail(str(error))

    async def work(database: "Database") -> None:
        async with database.transaction() as connection:
            found = await impact_on_last(connection, last, before, law())
        for sentence in in_words(found.impact, law(), language):
            typer.echo(f"- {sentence}")
        if found.undecided:
            ERR.print(f"{found.undecided} entries hold nothing that the law decided field by field", style="dim")

    run_over_database(settings_of(data_dir), work)
