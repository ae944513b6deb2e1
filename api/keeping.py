"""What an operator does to data at rest: puts sealed texts under the newest key, and erases what is due.

Safe while the service runs, and to run again wherever it was cut off: each batch is a transaction of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from api.disclosure.keeping import kept_part
from api.errors import Problem
from api.individuals.repository import INDIVIDUALS, count_recorded_before, remove_recorded_before
from api.ledger.repository import count_parts_before, erase_parts_before
from api.ledger.service import Ledger
from api.protection.sealing import Sealer
from api.retention.dates import day_in_sweden, kept_since
from api.retention.repository import all_rules
from api.store.database import Database
from api.store.sealed import key_of, put_sealed, sealed_tables, some_sealed
from migrations.metadata import metadata

_BATCH = 500


@dataclass(slots=True)
class Rotated:
    """How many texts were put under the newest key, and how many no key opens: those stay as they are."""

    changed: int = 0
    shut: int = 0


async def rotate_keys(database: Database, sealer: Sealer) -> Rotated:
    """Put everything sealed under the newest key."""
    done = Rotated()
    for table, names in sealed_tables(metadata):
        after = None
        while True:
            async with database.transaction() as connection:
                rows = await some_sealed(connection, table, names, after=after, at_most=_BATCH)
                for row in rows:
                    new = dict(_rotated(sealer, {name: row[name] for name in names}, done))
                    if new:
                        await put_sealed(connection, table, row, new)
            if not rows:
                break
            after = key_of(table, rows[-1])
    return done


def _rotated(sealer: Sealer, tokens: Mapping[str, bytes | None], done: Rotated) -> Iterator[tuple[str, bytes]]:
    for name, token in tokens.items():
        if token is not None and not sealer.is_newest(token):
            try:
                yield name, sealer.rotate(token)
            except Problem:
                done.shut += 1
            else:
                done.changed += 1


@dataclass(frozen=True, slots=True)
class Due:
    """What a rule of retention makes go: rows of this subject from before this moment."""

    agency: str
    subject: str
    before: datetime
    count: int


async def due(database: Database, today: date) -> list[Due]:
    """What every agency's rules make go today; rules without anything due are left out."""
    async with database.transaction() as connection:
        found = []
        for agency, subject, months in await all_rules(connection):
            before = kept_since(today, months)
            counted = count_recorded_before if subject == "individuals" else count_parts_before
            found.append(Due(agency, subject, before, await counted(connection, agency, before)))
    return [one for one in found if one.count]


async def erase_due(database: Database, ledger: Ledger, today: date, now: datetime) -> list[Due]:
    """Erase what is due; what went, by agency and subject.

    INVARIANT: an erasure and its leaf, which concerns that agency alone, are made together. What the ledger cannot
    note stays, and `Problem` 503 is raised.
    """
    erased = []
    for one in await due(database, today):
        count = 0
        while went := await _erase_batch(database, ledger, one, today, now):
            count += went
        erased.append(Due(one.agency, one.subject, one.before, count))
    return erased


async def _erase_batch(database: Database, ledger: Ledger, one: Due, today: date, now: datetime) -> int:
    said = {"asOf": today.isoformat(), "subject": "samsyn erase", "recordedBefore": one.before.isoformat()}
    async with database.transaction() as connection:
        if one.subject == "individuals":
            ids = await remove_recorded_before(connection, one.agency, one.before, at_most=_BATCH)
            count, items = len(ids), {INDIVIDUALS.name: ids}
        else:
            count, items = await erase_parts_before(connection, one.agency, one.before, at=now, at_most=_BATCH), {}
        if count:
            part = kept_part(one.agency, "erasure", items, of=one.subject, count=count, **said)
            await ledger.append_within(connection, (part,))
    return count


def in_words(found: list[Due]) -> Iterator[str]:
    """A line for each."""
    what = {"individuals": "individuals", "ledger": "entries in the ledger"}
    for one in found:
        yield f"{one.agency}: {one.count} {what[one.subject]} from before {day_in_sweden(one.before).isoformat()}"
