"""What an operator does to data at rest: puts sealed texts under the newest key, and erases what is due.

Safe while the service runs, and to run again wherever it was cut off: each batch is a transaction of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.keeping import kept_part
from api.errors import Problem
from api.individuals.repository import INDIVIDUALS, count_recorded_before, remove_recorded_before
from api.ledger.repository import count_parts_before, erase_parts_before
from api.ledger.service import Ledger
from api.protection.sealing import Sealer
from api.requests.decisions.repository import DECISIONS, count_decisions_ended_before, erase_decision_words
from api.requests.repository import REQUESTS, count_requests_ended_before, erase_request_texts
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
    """What a rule of retention makes go: what is of this subject and from before this moment."""

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
            found.append(Due(agency, subject, before, await _COUNTED[subject](connection, agency, before)))
    return [one for one in found if one.count]


async def _count_disclosures(connection: AsyncConnection, agency: str, before: datetime) -> int:
    requests = await count_requests_ended_before(connection, agency, before)
    return requests + await count_decisions_ended_before(connection, agency, before)


_COUNTED = {
    "individuals": count_recorded_before,
    "ledger": count_parts_before,
    "disclosures": _count_disclosures,
}


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
    since = "endedBefore" if one.subject == "disclosures" else "recordedBefore"
    said = {"asOf": today.isoformat(), "subject": "samsyn erase", since: one.before.isoformat()}
    async with database.transaction() as connection:
        count, items = await _erase_some(connection, one, now)
        if count:
            part = kept_part(one.agency, "erasure", items, of=one.subject, count=count, **said)
            await ledger.append_within(connection, (part,))
    return count


async def _erase_some(connection: AsyncConnection, one: Due, now: datetime) -> tuple[int, dict[str, list[UUID]]]:
    """How many went, and their ids by resource; a part of the ledger has none."""
    if one.subject == "ledger":
        return await erase_parts_before(connection, one.agency, one.before, at=now, at_most=_BATCH), {}
    if one.subject == "individuals":
        items = {INDIVIDUALS.name: await remove_recorded_before(connection, one.agency, one.before, at_most=_BATCH)}
    else:
        items = {
            REQUESTS.name: await erase_request_texts(connection, one.agency, one.before, at_most=_BATCH),
            DECISIONS.name: await erase_decision_words(connection, one.agency, one.before, at_most=_BATCH),
        }
    return sum(map(len, items.values())), {resource: ids for resource, ids in items.items() if ids}


def in_words(found: list[Due]) -> Iterator[str]:
    """A line for each."""
    what = {
        "individuals": "individuals",
        "ledger": "entries in the ledger",
        "disclosures": "requests and decisions, their texts,",
    }
    for one in found:
        yield f"{one.agency}: {one.count} {what[one.subject]} from before {day_in_sweden(one.before).isoformat()}"
