"""Wherever the disk turns out to be full, at a statement or at the commit: 503, nothing shown, nothing stored by half.

The database says here that it has no space left (53100) at each table in turn; tests/integration/test_full_disk.py
has a real disk that is full.
"""

from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from tests.functional.disclosure_support import (
    HOLDER,
    PERSON,
    POLICE,
    WHY,
    ask,
    asked,
    grant,
    granted,
    initiative,
    new_mapping,
    officer,
    record,
)
from tests.support import App

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNTIL = {"validUntil": "2026-12-31"}
LEDGER = ("ledger_leaves", "ledger_parts", "ledger_nodes", "ledger_head")
ASKED, DECIDED = "disclosure_requests", ("disclosure_decisions", "disclosure_decision_items")
KEYS = "idempotent_answers"
TABLES = (*LEDGER, ASKED, *DECIDED, KEYS, "individuals")
MOMENTS = {"at the statement": "IMMEDIATE", "at the commit": "DEFERRED"}
KEY = {"Idempotency-Key": '"00000000-0000-4000-8000-0000000000f1"'}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mapping(app: App):
    await app.execute(
        """CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"""
    )
    return await new_mapping(app)


@asynccontextmanager
async def no_space(app: App, table: str, moment: str, when: str = "true"):
    """Whatever is written to a table finds the disk full."""
    await app.execute(
        f"""CREATE CONSTRAINT TRIGGER no_space AFTER INSERT OR UPDATE ON {table}
            DEFERRABLE INITIALLY {moment} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION no_space()"""
    )
    try:
        yield
    finally:
        await app.execute(f"DROP TRIGGER no_space ON {table}")


async def stored(app: App):
    """Everything that a step can write."""
    every = " UNION ALL ".join(f"SELECT '{name}' AS name, t::text AS said FROM {name} t" for name in TABLES)
    return sorted((row["name"], row["said"]) for row in await app.rows(every))


class Step:
    """One step that is to be taken, ready to be sent, and the tables that it writes to."""

    def __init__(self, client, method, path, body=None, *tables, headers=None):
        self.client, self.method, self.path, self.body, self.tables = client, method, path, body, tables
        self.headers = headers

    async def send(self):
        return await self.client.request(self.method, self.path, json=self.body, headers=self.headers)


async def to_ask(app: App, mapping: str) -> Step:
    client = app.client(POLICE, headers=WHY)
    return Step(client, "POST", "disclosure-requests", asked(), ASKED, KEYS, headers=KEY)


async def to_grant(app: App, mapping: str) -> Step:
    request, item = await ask(app), await record(app, mapping)
    body = grant(item, **UNTIL)
    path = f"disclosure-requests/{request}/decision"
    return Step(officer(app), "POST", path, body, ASKED, *DECIDED, KEYS, headers=KEY)


async def to_refuse(app: App, mapping: str) -> Step:
    body = {"outcome": "refused", "reason": "Sekretess (påhittat)."}
    path = f"disclosure-requests/{await ask(app)}/decision"
    return Step(officer(app), "POST", path, body, ASKED, KEYS, headers=KEY)


async def to_disclose(app: App, mapping: str) -> Step:
    body = initiative(await record(app, mapping), **UNTIL)
    return Step(officer(app), "POST", "disclosure-decisions", body, *DECIDED, KEYS, headers=KEY)


async def to_revoke(app: App, mapping: str) -> Step:
    decision = await granted(app, await record(app, mapping), **UNTIL)
    return Step(officer(app), "DELETE", f"disclosure-decisions/{decision}", None, DECIDED[0])


async def to_record(app: App, mapping: str) -> Step:
    return Step(app.client(HOLDER), "POST", f"mappings/{mapping}/individuals", PERSON, "individuals")


async def to_read(app: App, mapping: str) -> Step:
    decision = await granted(app, await record(app, mapping), **UNTIL)
    return Step(app.client(POLICE, headers=WHY), "GET", f"disclosure-decisions/{decision}/individuals")


STEPS = [to_ask, to_grant, to_refuse, to_disclose, to_revoke, to_record, to_read]


@pytest.mark.parametrize("prepare", STEPS)
async def test_full_disk_shows_nothing_and_stores_nothing_by_half(app: App, mapping: str, prepare):
    await app.execute(f"DELETE FROM {KEYS}")
    step = await prepare(app, mapping)
    before = await stored(app)
    for table in (*step.tables, *LEDGER):
        for moment in MOMENTS.values():
            async with no_space(app, table, moment):
                answer = await step.send()
            assert answer.status_code == 503, (table, moment, answer.text)
            assert answer.headers["retry-after"]
            assert PERSON["name"] not in answer.text
            assert await stored(app) == before, (table, moment)
    assert (await app.client(POLICE).get("scenes")).status_code == 200
    answer = await step.send()
    assert answer.status_code in {200, 201}, answer.text
    assert "idempotency-replayed" not in answer.headers
    assert await stored(app) != before


@pytest.mark.parametrize("prepare", [to_ask, to_grant, to_refuse, to_disclose])
async def test_step_that_was_taken_is_told_once_there_is_space_for_the_answer(app: App, mapping: str, prepare):
    await app.execute(f"DELETE FROM {KEYS}")
    step = await prepare(app, mapping)
    (head,) = await app.rows("SELECT size FROM ledger_head")
    # There is space for the step and its leaf, and none for the leaf of the answer that tells of it.
    async with no_space(app, "ledger_leaves", "IMMEDIATE", f"NEW.leaf_index > {head['size']}"):
        answer = await step.send()
    assert answer.status_code == 503, answer.text
    (after,) = await app.rows("SELECT size FROM ledger_head")
    assert after["size"] == head["size"] + 1
    answer = await step.send()
    assert answer.status_code == 201, answer.text
    assert answer.headers["idempotency-replayed"] == "true"
