"""What is recorded and what is erased is noted in the ledger, or it does not happen; an agency erases its own alone."""

import asyncio
import json
import uuid
from datetime import date

import pytest
import pytest_asyncio

from api.app import ledger_of
from api.keeping import due, erase_due, in_words
from api.ledger.auditing import audit
from api.retention.dates import kept_since
from api.retention.repository import all_rules, set_rule
from tests.functional.individuals_support import (
    HOLDER,
    PERSON,
    RECIPIENT,
    WHY,
    alias_of,
    decide,
    disclosed,
    leaves,
    new_mapping,
    read,
    record,
)
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALL = "SELECT id FROM individuals ORDER BY id"


@pytest_asyncio.fixture(loop_scope="session")
async def place(fresh_app: App):
    """A row of the holder's that the police have been given, on a day in autumn 2026."""
    fresh_app.clock.at = moment("2026-10-20T10:00:00Z")
    mapping = await new_mapping(fresh_app)
    row = await record(fresh_app, mapping)
    return fresh_app, mapping, row


async def erase(app: App, mapping: str, identity: str, agency: str = HOLDER, **claims):
    return await app.client(agency, headers=WHY, **claims).delete(f"mappings/{mapping}/individuals/{identity}")


# --- collection -----------------------------------------------------------------------------------------------------


async def test_record_leaves_exactly_one_leaf_of_what_was_collected_and_no_value_of_it(place):
    app, mapping, _ = place
    before = await leaves(app)
    made = (await app.client(HOLDER, headers=WHY).post(f"mappings/{mapping}/individuals", json=PERSON)).json()["id"]
    (leaf,) = (await leaves(app))[len(before) :]
    said = {"kind": "collection", "agency": HOLDER, "subject": f"{HOLDER}-development"}
    said |= {"purpose": "prevent-crime", "caseReference": "A123.456/2026", "asOf": "2026-10-20"}
    assert {name: leaf[name] for name in said} == said
    assert leaf["items"] == {"individual": {HOLDER: [made]}}
    assert "Påhittad" not in json.dumps(leaf, ensure_ascii=False)
    part = await app.rows("SELECT agency, role, items FROM ledger_parts ORDER BY leaf_index DESC LIMIT 1")
    assert part == [{"agency": HOLDER, "role": "receiver", "items": [uuid.UUID(made)]}]


async def test_record_that_is_refused_leaves_no_leaf(place):
    app, mapping, _ = place
    before = await leaves(app)
    for changes in ({"identityNumber": "19121212-1213"}, {"role": "watches"}):
        answer = await app.client(HOLDER).post(f"mappings/{mapping}/individuals", json=PERSON | changes)
        assert answer.status_code in (409, 422)
    assert (await app.client("centrumagaren").post(f"mappings/{mapping}/individuals", json=PERSON)).status_code == 403
    assert await leaves(app) == before


async def test_record_sent_twice_under_one_key_is_collected_once(place):
    app, mapping, _ = place
    before = await leaves(app)
    client = app.client(HOLDER, headers={"Idempotency-Key": '"once"'})
    for _ in range(2):
        assert (await client.post(f"mappings/{mapping}/individuals", json=PERSON)).status_code == 201
    assert len(await leaves(app)) == len(before) + 1


async def test_what_the_ledger_cannot_note_is_neither_stored_nor_erased(place):
    app, mapping, row = place
    before = await app.rows(ALL)
    await app.execute("ALTER TABLE ledger_leaves RENAME TO away")
    client = app.client(HOLDER, headers={"Idempotency-Key": '"later"'})
    answer = await client.post(f"mappings/{mapping}/individuals", json=PERSON)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert (await erase(app, mapping, row)).status_code == 503
    assert await app.rows(ALL) == before
    await app.execute("ALTER TABLE away RENAME TO ledger_leaves")
    # The key was not used up by the failure.
    assert (await client.post(f"mappings/{mapping}/individuals", json=PERSON)).status_code == 201


# --- erasure by the holder ------------------------------------------------------------------------------------------


async def test_holder_erases_its_row_and_every_decision_then_opens_nothing_of_it(place):
    app, mapping, row = place
    decision = await decide(app, [row])
    assert (await disclosed(app, decision)).json()["_meta"]["totalRecords"] == 1
    before = await leaves(app)
    answer = await erase(app, mapping, row)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"
    (leaf,) = (await leaves(app))[len(before) :]
    assert answer.json() == {"id": row, "receipt": leaf["receipt"]}
    assert (leaf["kind"], leaf["items"]) == ("erasure", {"individual": {HOLDER: [row]}})
    assert await app.rows("SELECT 1 FROM individuals WHERE id = $1", uuid.UUID(row)) == []
    assert (await disclosed(app, decision)).json()["items"] == []
    assert (await read(app, mapping, RECIPIENT)).json()["items"] == []
    assert (await read(app, mapping, HOLDER)).json()["items"] == []


async def test_nobody_erases_what_is_not_its_own_and_everything_else_is_told_alike(place):
    app, mapping, row = place
    await decide(app, [row])
    elsewhere = await new_mapping(app)
    before, noted = await app.rows(ALL), await leaves(app)
    cases = [
        (RECIPIENT, mapping, row),
        (RECIPIENT, mapping, alias_of(RECIPIENT, row)),
        ("sodermalm-socialtjanst", mapping, row),
        ("sodermalm-socialtjanst", mapping, str(uuid.uuid4())),
        (HOLDER, elsewhere, row),
        (HOLDER, str(uuid.uuid4()), row),
        (HOLDER, mapping, alias_of(RECIPIENT, row)),
    ]
    told = set()
    for agency, where, identity in cases:
        answer = await erase(app, where, identity, agency)
        assert answer.status_code == 404
        body = answer.json()
        body.pop("instance")
        told.add(json.dumps(body))
    assert len(told) == 1
    assert await app.rows(ALL) == before
    assert await leaves(app) == noted


async def test_erasing_needs_the_scope_and_an_authority(place):
    app, mapping, row = place
    assert (await erase(app, mapping, row, scopes=["read", "write:surveys"])).status_code == 403
    assert (await erase(app, mapping, row, "centrumagaren")).status_code == 403
    assert (await app.client().delete(f"mappings/{mapping}/individuals/{row}")).status_code == 401
    assert len(await app.rows(ALL)) == 1


@pytest.mark.parametrize("headers", [{"Purpose": "prevent-crime"}, {"Case-Reference": "A1"}, {}])
async def test_without_purpose_and_case_erasing_tells_nothing_of_own_rows_either(place, headers):
    app, mapping, row = place
    client = app.client(HOLDER, headers=headers)
    told = []
    for identity in (row, str(uuid.uuid4())):
        answer = await client.delete(f"mappings/{mapping}/individuals/{identity}")
        told.append((answer.status_code, answer.json()["detail"]))
    assert told[0] == told[1]
    assert told[0][0] == 400
    assert len(await app.rows(ALL)) == 1


async def test_of_two_who_erase_at_once_one_finds_it_gone(place):
    app, mapping, row = place
    answers = await asyncio.gather(*(erase(app, mapping, row) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404]
    assert sum(leaf["kind"] == "erasure" for leaf in await leaves(app)) == 1


# --- retention ------------------------------------------------------------------------------------------------------


async def rules(app: App, *given: tuple[str, str, int]) -> None:
    async with app.database.transaction() as connection:
        for rule in given:
            await set_rule(connection, *rule)


async def erase_all(app: App) -> list[str]:
    now = app.clock()
    ledger = ledger_of(app.database, clock=app.clock)
    return list(in_words(await erase_due(app.database, ledger, app.services.gate.today(), now)))


async def test_rows_go_when_their_agencys_rule_says_and_nobody_elses(place):
    app, mapping, row = place
    others = await record(app, mapping, RECIPIENT)
    await rules(app, (HOLDER, "individuals", 12))
    app.clock.at = moment("2027-10-19T21:59:59Z")
    young = await record(app, mapping)
    assert await due(app.database, app.services.gate.today()) == []
    assert await erase_all(app) == []
    # Recorded on 20 October 2026: kept through 20 October 2027, gone when the 21st begins in Sweden.
    app.clock.at = moment("2027-10-20T22:00:00Z")
    (found,) = await due(app.database, app.services.gate.today())
    assert (found.agency, found.subject, found.count) == (HOLDER, "individuals", 1)
    assert len(await app.rows(ALL)) == 3
    before = await leaves(app)
    assert await erase_all(app) == [f"{HOLDER}: 1 individuals from before 2026-10-21"]
    assert {str(one["id"]) for one in await app.rows(ALL)} == {others, young}
    (leaf,) = (await leaves(app))[len(before) :]
    assert (leaf["kind"], leaf["agency"], leaf["count"]) == ("erasure", HOLDER, 1)
    assert leaf["items"] == {"individual": {HOLDER: [row]}}


async def test_ledger_content_goes_and_the_tree_verifies(place):
    app, mapping, row = place
    await decide(app, [row])
    await read(app, mapping, RECIPIENT)
    await read(app, mapping, HOLDER)
    await rules(app, (HOLDER, "ledger", 6), (RECIPIENT, "individuals", 6))
    app.clock.at = moment("2027-06-01T10:00:00Z")
    await read(app, mapping, HOLDER)
    parts = "SELECT agency, entry IS NULL AS gone FROM ledger_parts ORDER BY leaf_index"
    lines = await erase_all(app)
    assert [line.split(" from")[0] for line in lines] == [f"{HOLDER}: 3 entries in the ledger"]
    found = [(one["agency"], one["gone"]) for one in await app.rows(parts)]
    # The agency's own part as a giver is gone, the recipient's of the same leaf is not.
    assert sorted(found[:4]) == sorted([(HOLDER, True), (RECIPIENT, False), (HOLDER, True), (HOLDER, True)])
    assert found[4:] == [(HOLDER, False), (HOLDER, False)]
    audited = await audit(app.database, {}, app.services.settings.ledger_origin)
    assert (audited.faults, audited.erased) == ([], 3)
    assert await erase_all(app) == []


async def test_many_rows_go_in_batches_each_with_its_leaf(place, monkeypatch):
    app, mapping, _ = place
    for _ in range(4):
        await record(app, mapping)
    await rules(app, (HOLDER, "individuals", 1))
    monkeypatch.setattr("api.keeping._BATCH", 2)
    app.clock.at = moment("2027-10-20T10:00:00Z")
    before = await leaves(app)
    assert await erase_all(app) == [f"{HOLDER}: 5 individuals from before 2027-09-20"]
    assert [leaf["count"] for leaf in (await leaves(app))[len(before) :]] == [2, 2, 1]
    assert await app.rows(ALL) == []


async def test_what_the_ledger_cannot_note_is_kept(place):
    app, *_ = place
    await rules(app, (HOLDER, "individuals", 1), (HOLDER, "ledger", 1))
    app.clock.at = moment("2027-10-20T10:00:00Z")
    await app.execute("ALTER TABLE ledger_leaves RENAME TO away")
    with pytest.raises(Exception, match="ledger"):
        await erase_all(app)
    await app.execute("ALTER TABLE away RENAME TO ledger_leaves")
    assert len(await app.rows(ALL)) == 1
    assert await app.rows("SELECT 1 FROM ledger_parts WHERE entry IS NULL") == []


async def test_rule_is_put_in_the_place_of_the_one_before_and_taken_away(place):
    app, *_ = place
    await rules(app, (HOLDER, "individuals", 12), (HOLDER, "individuals", 24), (HOLDER, "ledger", 3))
    await rules(app, (HOLDER, "ledger", 0))
    async with app.database.transaction() as connection:
        assert await all_rules(connection) == [(HOLDER, "individuals", 24)]


@pytest.mark.parametrize(
    ("today", "months", "since"),
    [
        (date(2027, 3, 31), 1, "2027-02-27T23:00:00Z"),
        (date(2028, 3, 31), 1, "2028-02-28T23:00:00Z"),
        (date(2026, 11, 21), 12, "2025-11-20T23:00:00Z"),
        (date(2026, 7, 1), 12, "2025-06-30T22:00:00Z"),
        (date(2026, 1, 15), 1, "2025-12-14T23:00:00Z"),
        (date(2026, 12, 31), 12, "2025-12-30T23:00:00Z"),
        (date(2028, 2, 29), 12, "2027-02-27T23:00:00Z"),
    ],
)
async def test_months_are_counted_by_the_calendar_from_swedish_midnight(today, months, since):
    assert kept_since(today, months) == moment(since)
