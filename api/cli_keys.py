"""Commands about data at rest: the keys it is sealed with, and how long it is kept."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli_parts import OUT, DataDir, fail, run_over_database, settings_of

if TYPE_CHECKING:
    from api.store.database import Database

Months = Annotated[int | None, typer.Option(min=0, max=1200, help="Months; 0 ends the rule")]


def _say(text: str) -> None:
    OUT.print(text, markup=False)


def rotate_keys(data_dir: DataDir = None) -> None:
    """Put every sealed text under the newest key. Can be run beside the service, and again where it was cut off."""
    from api.keeping import rotate_keys as rotate
    from api.protection.keys import key_source
    from api.protection.sealing import Sealer

    settings = settings_of(data_dir)

    async def work(database: "Database") -> None:
        done = await rotate(database, Sealer(key_source(settings)))
        _say(f"{done.changed} sealed texts put under the newest key")
        if done.shut:
            fail(f"{done.shut} sealed texts are opened by no key in the file; restore the keys they were made with")

    run_over_database(settings, work)


def retention(
    agency: Annotated[str, typer.Argument(help="Slug of a registered agency")],
    individuals: Months = None,
    ledger: Months = None,
    disclosures: Months = None,
    data_dir: DataDir = None,
) -> None:
    """Set how long an agency's rows, its part of the ledger and its texts in ended disclosures are kept; or show it."""
    from api.retention.repository import agency_known, all_rules, set_rule

    given = {"individuals": individuals, "ledger": ledger, "disclosures": disclosures}

    async def work(database: "Database") -> None:
        async with database.transaction() as connection:
            if not await agency_known(connection, agency):
                fail("no such agency is registered; see `samsyn agency`")
            for subject, months in given.items():
                if months is not None:
                    await set_rule(connection, agency, subject, months)
            rules = {subject: months for owner, subject, months in await all_rules(connection) if owner == agency}
        for subject in given:
            _say(f"{agency}, {subject}: " + (f"{rules[subject]} months" if subject in rules else "kept, no rule"))

    run_over_database(settings_of(data_dir), work)


def erase(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is due and erase nothing")] = False,
    data_dir: DataDir = None,
) -> None:
    """Erase what the rules of retention say is due; the ledger notes it, and its tree verifies as before."""
    from api.keeping import due, erase_due, in_words
    from api.retention.dates import day_in_sweden
    from api.world import ledger_of, utc_now

    async def work(database: "Database") -> None:
        now = utc_now()
        today = day_in_sweden(now)
        found = await due(database, today) if dry_run else await erase_due(database, ledger_of(database), today, now)
        for line in in_words(found):
            _say(line)
        _say("nothing is due" if not found else "due, nothing erased" if dry_run else "erased")

    run_over_database(settings_of(data_dir), work)
