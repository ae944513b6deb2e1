"""What is said of persons in requests and decisions goes when its time is out, each agency's words by its own rule."""

import asyncio
import json
import uuid

import pytest
import pytest_asyncio
from sqlalchemy import text

from api.app import ledger_of
from api.individuals.repository import held_items
from api.keeping import due, erase_due, in_words
from api.ledger.auditing import audit
from api.retention.repository import set_rule
from tests.functional.disclosure_support import (
    BODIES,
    HOLDER,
    NOON,
    NOTES,
    POLICE,
    WHY,
    ask,
    decide,
    grant,
    granted,
    graphql,
    initiative,
    new_mapping,
    own_initiative,
    record,
    revoke,
    shown_under,
    take,
)
from tests.functional.individuals_support import leaves
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")
# A year after the last day of the decisions of these tests, and after the day on which requests are decided on.
A_YEAR_ON = "2028-01-02T11:00:00Z"
ASKED, ANSWERED = ("question", "why", "supplementAnswer"), ("supplementQuestion", "refusalReason")


@pytest_asyncio.fixture(loop_scope="session")
async def place(fresh_app: App):
    """A row of the holder's, at noon of a day in 2026."""
    fresh_app.clock.at = moment(NOON)
    mapping = await new_mapping(fresh_app)
    return fresh_app, mapping, await record(fresh_app, mapping)


async def talked_over(app: App) -> str:
    """A request with a question and an answer on the way, not yet decided on."""
    request = await ask(app)
    assert (await take(app, request, "supplement", HOLDER)).status_code == 200
    assert (await take(app, request, "supplement/answer", POLICE)).status_code == 200
    return request


async def given(app: App, row: str, **changes) -> tuple[str, str]:
    """A request with everything said that can be said, and the decision that grants a part of it."""
    request = await talked_over(app)
    answer = await decide(app, request, grant(row, reason="Resten är sekretess (påhittat).", **changes))
    assert answer.status_code == 201, answer.text
    return request, answer.json()["decision"]


async def rules(app: App, *agencies: str, months: int = 12) -> None:
    async with app.database.transaction() as connection:
        for agency in agencies:
            await set_rule(connection, agency, "disclosures", months)


async def erase_all(app: App, at: str) -> list[str]:
    app.clock.at = moment(at)
    ledger = ledger_of(app.database, clock=app.clock)
    return list(in_words(await erase_due(app.database, ledger, app.services.gate.today(), app.clock())))


async def request_of(app: App, request: str, agency: str = POLICE) -> dict:
    answer = await app.client(agency, headers=WHY).get(f"disclosure-requests/{request}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def decision_of(app: App, decision: str, agency: str = HOLDER) -> dict:
    answer = await app.client(agency, headers=WHY).get(f"disclosure-decisions/{decision}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def words(body: dict) -> set[str]:
    """The texts that are there."""
    return {name for name in (*ASKED, *ANSWERED) if body[name] is not None}


def attested(decision: dict) -> dict[str, str | None]:
    return {one["id"]: one.get("text") for one in decision["attestations"]}


async def pseudonyms(app: App, row: str) -> list[str | None]:
    sql = "SELECT pseudonym FROM disclosure_decision_items WHERE item_id = $1"
    return [one["pseudonym"] for one in await app.rows(sql, uuid.UUID(row))]


# --- pseudonyms -----------------------------------------------------------------------------------------------------


async def test_row_erased_by_its_holder_leaves_its_pseudonym_in_no_decision(place):
    app, mapping, row = place
    other = await record(app, mapping)
    decision = await granted(app, row, other, fields=["name", "birthDate", "role", "pseudonym"])
    assert None not in await pseudonyms(app, row)
    gone = await app.client(HOLDER, headers=WHY).delete(f"mappings/{mapping}/individuals/{row}")
    assert gone.status_code == 200
    assert await pseudonyms(app, row) == [None]
    # The decision still says that it named two, and the other one is shown as before.
    assert len((await decision_of(app, decision))["items"]) == 2
    (left,) = await shown_under(app, decision)
    assert [left["pseudonym"]] == await pseudonyms(app, other)


async def test_row_erased_by_a_rule_leaves_its_pseudonym_in_no_decision(place):
    app, mapping, row = place
    await granted(app, row)
    kept = await record(app, mapping, POLICE)
    await own_initiative(app, initiative(kept, recipient=HOLDER), POLICE)
    before = await pseudonyms(app, kept)
    async with app.database.transaction() as connection:
        await set_rule(connection, HOLDER, "individuals", 12)
    assert len(await erase_all(app, A_YEAR_ON)) == 1
    assert await pseudonyms(app, row) == [None]
    assert await pseudonyms(app, kept) == before


async def test_erasing_what_is_not_ones_own_takes_no_pseudonym(place):
    app, mapping, row = place
    await granted(app, row)
    for agency, where in ((POLICE, mapping), (HOLDER, await new_mapping(app))):
        answer = await app.client(agency, headers=WHY).delete(f"mappings/{where}/individuals/{row}")
        assert answer.status_code == 404
    assert None not in await pseudonyms(app, row)


async def test_row_erased_while_a_grant_of_it_is_under_way_leaves_the_pseudonym_in_neither(place):
    app, mapping, row = place
    decision = uuid.UUID(await granted(app, await record(app, mapping)))
    item = {"decision": decision, "item": uuid.UUID(row), "alias": uuid.uuid4()}
    add = text("INSERT INTO disclosure_decision_items VALUES (:decision, :item, :alias, 'under way')")
    async with app.database.transaction() as connection:
        await held_items(connection, HOLDER, [uuid.UUID(row)])
        erasing = asyncio.create_task(app.client(HOLDER, headers=WHY).delete(f"mappings/{mapping}/individuals/{row}"))
        while not await app.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'DELETE'"):
            assert not erasing.done()
        await connection.execute(add, item)
    assert (await erasing).status_code == 200
    assert await pseudonyms(app, row) == [None]


# --- whose words, and when ------------------------------------------------------------------------------------------


async def test_each_partys_words_go_by_its_own_rule_and_the_other_partys_stay(place):
    app, _, row = place
    request, decision = await given(app, row)
    await rules(app, POLICE)
    assert words(await request_of(app, request)) == {*ASKED, *ANSWERED}
    assert await erase_all(app, A_YEAR_ON) == [
        f"{POLICE}: 1 requests and decisions, their texts, from before 2027-01-02"
    ]
    assert words(await request_of(app, request)) == {*ANSWERED}
    assert attested(await decision_of(app, decision)) == NOTES
    await rules(app, HOLDER)
    assert await erase_all(app, A_YEAR_ON) == [
        f"{HOLDER}: 2 requests and decisions, their texts, from before 2027-01-02"
    ]
    assert words(await request_of(app, request)) == set()
    assert attested(await decision_of(app, decision)) == dict.fromkeys(NOTES)
    assert await erase_all(app, A_YEAR_ON) == []


async def test_holders_rule_alone_leaves_what_the_requester_wrote(place):
    app, _, row = place
    request, _ = await given(app, row)
    await rules(app, HOLDER)
    await erase_all(app, A_YEAR_ON)
    assert words(await request_of(app, request)) == {*ASKED}


async def test_without_a_rule_nothing_goes(place):
    app, _, row = place
    request, decision = await given(app, row)
    await rules(app, "sodermalm-socialtjanst")
    assert await erase_all(app, "2126-01-02T11:00:00Z") == []
    assert words(await request_of(app, request)) == {*ASKED, *ANSWERED}
    assert attested(await decision_of(app, decision)) == NOTES


@pytest.mark.parametrize("parked", [False, True])
async def test_open_request_keeps_its_words_however_old_it_is(place, parked):
    app, *_ = place
    request = await ask(app)
    if parked:
        await take(app, request, "supplement", HOLDER)
    await rules(app, HOLDER, POLICE, months=1)
    assert await erase_all(app, "2126-01-02T11:00:00Z") == []
    assert {"question", "why"} <= words(await request_of(app, request))


async def test_database_keeps_the_words_of_an_open_request_whoever_writes(place):
    app, *_ = place
    await ask(app)
    with pytest.raises(Exception, match="ck_disclosure_requests_words"):
        await app.execute("UPDATE disclosure_requests SET why_sealed = NULL")


async def test_decision_that_lives_and_the_request_it_answers_keep_their_words(place):
    app, _, row = place
    request, decision = await given(app, row)
    await rules(app, HOLDER, POLICE, months=1)
    # Requested and decided on in November; the decision lives through 31 December in Sweden, and words a month longer.
    assert await erase_all(app, "2026-12-31T22:59:59Z") == []
    assert await erase_all(app, "2027-02-01T22:59:59Z") == []
    assert words(await request_of(app, request)) == {*ASKED, *ANSWERED}
    assert attested(await decision_of(app, decision)) == NOTES
    assert len(await erase_all(app, "2027-02-01T23:00:00Z")) == 2
    assert words(await request_of(app, request)) == set()


async def test_words_of_a_revoked_decision_go_from_its_revocation_and_the_reason_with_them(place):
    app, _, row = place
    request, decision = await given(app, row)
    assert (await revoke(app, decision, query="?reason=Uppgiften+var+fel")).status_code == 200
    await rules(app, HOLDER, POLICE, months=1)
    assert await erase_all(app, "2026-12-20T22:59:59Z") == []
    assert (await decision_of(app, decision))["revokeReason"] == "Uppgiften var fel"
    await erase_all(app, "2026-12-20T23:00:00Z")
    assert (await decision_of(app, decision))["revokeReason"] is None
    assert words(await request_of(app, request)) == set()


@pytest.mark.parametrize("end", ["withdrawal", "decision"])
async def test_words_of_a_request_without_a_decision_go_from_its_end_and_not_from_its_beginning(place, end):
    app, *_ = place
    request = await talked_over(app)
    app.clock.at = moment("2027-06-10T10:00:00Z")
    taken = await take(app, request, end, POLICE if end == "withdrawal" else HOLDER)
    assert taken.status_code in (200, 201), taken.text
    await rules(app, HOLDER, POLICE, months=1)
    assert await erase_all(app, "2027-07-10T21:59:59Z") == []
    await erase_all(app, "2027-07-10T22:00:00Z")
    told = await request_of(app, request)
    assert words(told) == set()
    assert told["state"] == ("withdrawn" if end == "withdrawal" else "refused")


async def test_words_of_a_decision_on_own_initiative_go_and_the_recipients_rule_takes_none(place):
    app, _, row = place
    decision = (await own_initiative(app, initiative(row))).json()["id"]
    await rules(app, POLICE)
    assert await erase_all(app, A_YEAR_ON) == []
    await rules(app, HOLDER)
    await erase_all(app, A_YEAR_ON)
    assert attested(await decision_of(app, decision)) == dict.fromkeys(NOTES)


# --- what stays, and what is noted ----------------------------------------------------------------------------------


async def test_everything_but_words_stays_as_it_was(place):
    app, _, row = place
    request, decision = await given(app, row)
    app.clock.at = moment(A_YEAR_ON)
    sides = (HOLDER, POLICE)
    read = [(request_of, request), (decision_of, decision)]
    before = [await one(app, identity, side) for one, identity in read for side in sides]
    await rules(app, *sides)
    await erase_all(app, A_YEAR_ON)
    after = [await one(app, identity, side) for one, identity in read for side in sides]
    for was, now in zip(before, after, strict=True):
        for body in (was, now):
            body.pop("_meta")
            for name in {*ASKED, *ANSWERED} & set(body):
                body[name] = None
            if "attestations" in body:
                body["attestations"] = sorted(attested(body))
        assert now == was


async def test_erased_why_is_null_over_graphql_too(place):
    app, _, row = place
    request, decision = await given(app, row)
    await rules(app, HOLDER, POLICE)
    await erase_all(app, A_YEAR_ON)
    query = "query($r: ID!, $d: ID!) { disclosureRequest(id: $r) { id why question refusalReason kinds }"
    query += " disclosureDecision(id: $d) { attestations revokeReason fields } }"
    answer = await graphql(app.client(HOLDER, headers=WHY), query, r=request, d=decision)
    assert "errors" not in answer
    told = answer["data"]["disclosureRequest"]
    assert (told["why"], told["question"], told["refusalReason"]) == (None, None, None)
    assert (told["id"], len(told["kinds"])) == (request, 2)
    assert attested(answer["data"]["disclosureDecision"]) == dict.fromkeys(NOTES)


async def test_each_erasure_leaves_one_leaf_of_its_agencys_with_ids_and_nothing_that_was_said(place):
    app, _, row = place
    request, decision = await given(app, row)
    await rules(app, HOLDER, POLICE)
    before = await leaves(app)
    await erase_all(app, A_YEAR_ON)
    made = {leaf["agency"]: leaf for leaf in (await leaves(app))[len(before) :]}
    assert set(made) == {HOLDER, POLICE}
    of_request = {"disclosure-request": [request]}
    assert made[POLICE]["items"] == {name: {POLICE: ids} for name, ids in of_request.items()}
    both = of_request | {"disclosure-decision": [decision]}
    assert made[HOLDER]["items"] == {name: {HOLDER: ids} for name, ids in both.items()}
    for leaf in made.values():
        assert (leaf["kind"], leaf["of"], leaf["endedBefore"]) == (
            "erasure",
            "disclosures",
            "2027-01-01T23:00:00+00:00",
        )
        assert set(leaf) == {"kind", "agency", "items", "of", "count", "asOf", "subject", "endedBefore", "receipt"}
        assert "åhitta" not in json.dumps(leaf, ensure_ascii=False)
    concerned = await app.rows("SELECT agency FROM ledger_parts WHERE leaf_index >= $1", len(before))
    assert sorted(one["agency"] for one in concerned) == sorted([HOLDER, POLICE])
    entries = (await app.client(POLICE, headers=WHY, scopes=["read", "audit:read"]).get("ledger/entries")).json()
    newest = next(one for one in entries["items"] if one["kind"] == "erasure")
    assert newest["items"]["disclosure-request"] == {POLICE: [request]}
    assert (await audit(app.database, {}, app.services.settings.ledger_origin)).faults == []


async def test_no_copy_of_the_words_is_left_in_any_column(place):
    app, _, row = place
    mark = "Sägenomspunnen"
    request = await ask(app, scope={"question": mark}, why=mark)
    notes = dict.fromkeys(NOTES, mark)
    answer = await decide(app, request, grant(row, attestations=notes, reason=mark))
    await revoke(app, answer.json()["decision"], query=f"?reason={mark}")
    await rules(app, HOLDER, POLICE)
    await erase_all(app, A_YEAR_ON)
    tables = await app.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()")
    found = []
    for table in (one["table_name"] for one in tables):
        rows = await app.rows(f'SELECT t::text AS "row" FROM "{table}" t')
        found += [table for one in rows if mark in one["row"]]
    assert found == []
    (sealed,) = await app.rows("SELECT * FROM disclosure_requests")
    assert [name for name, value in dict(sealed).items() if name.endswith("_sealed") and value is not None] == []


# --- batches --------------------------------------------------------------------------------------------------------


async def refused(app: App, times: int) -> None:
    for _ in range(times):
        assert (await decide(app, await ask(app), BODIES["decision"])).status_code in (200, 201)


async def test_many_go_in_batches_each_with_its_leaf(place, monkeypatch):
    app, *_ = place
    await refused(app, 5)
    await rules(app, POLICE)
    monkeypatch.setattr("api.keeping._BATCH", 2)
    before = await leaves(app)
    await erase_all(app, A_YEAR_ON)
    made = (await leaves(app))[len(before) :]
    assert [leaf["count"] for leaf in made] == [2, 2, 1]
    ids = [one for leaf in made for one in leaf["items"]["disclosure-request"][POLICE]]
    assert len(set(ids)) == 5


class KilledError(Exception):
    """The end of the process, as far as a transaction can tell."""


async def test_what_is_cut_off_between_batches_has_its_leaf_and_the_rest_goes_the_next_time(place, monkeypatch):
    app, *_ = place
    await refused(app, 5)
    await rules(app, POLICE)
    monkeypatch.setattr("api.keeping._BATCH", 2)
    app.clock.at = moment(A_YEAR_ON)
    ledger = ledger_of(app.database, clock=app.clock)
    append, calls = ledger.append_within, []

    async def cut_off(connection, parts):
        calls.append(parts)
        if len(calls) == 2:
            raise KilledError
        return await append(connection, parts)

    monkeypatch.setattr(ledger, "append_within", cut_off)
    before = len(await leaves(app))
    today = app.services.gate.today()
    with pytest.raises(KilledError):
        await erase_due(app.database, ledger, today, app.clock())
    # What was under way when it was cut off is as if it had not been begun.
    left = "SELECT count(*) AS left FROM disclosure_requests WHERE why_sealed IS NOT NULL"
    assert await app.rows(left) == [{"left": 3}]
    assert [leaf["count"] for leaf in (await leaves(app))[before:]] == [2]
    assert [one.count for one in await due(app.database, today)] == [3]
    await erase_due(app.database, ledger, today, app.clock())
    assert await app.rows(left) == [{"left": 0}]
    assert [leaf["count"] for leaf in (await leaves(app))[before:]] == [2, 2, 1]


async def test_words_whose_going_the_ledger_cannot_note_stay(place):
    app, _, row = place
    request, decision = await given(app, row)
    await rules(app, HOLDER, POLICE)
    await app.execute("ALTER TABLE ledger_leaves RENAME TO away")
    with pytest.raises(Exception, match="ledger"):
        await erase_all(app, A_YEAR_ON)
    await app.execute("ALTER TABLE away RENAME TO ledger_leaves")
    assert words(await request_of(app, request)) == {*ASKED, *ANSWERED}
    assert attested(await decision_of(app, decision)) == NOTES


async def test_request_that_another_transaction_holds_is_passed_by_and_goes_the_next_time(place):
    app, *_ = place
    await refused(app, 2)
    await rules(app, POLICE)
    (held, _) = await app.rows("SELECT id FROM disclosure_requests ORDER BY id")
    async with app.database.transaction() as connection:
        await connection.execute(text("SELECT 1 FROM disclosure_requests WHERE id = :id FOR UPDATE"), dict(held))
        await erase_all(app, A_YEAR_ON)
    assert await app.rows("SELECT id FROM disclosure_requests WHERE why_sealed IS NOT NULL") == [held]
    await erase_all(app, A_YEAR_ON)
    assert await app.rows("SELECT id FROM disclosure_requests WHERE why_sealed IS NOT NULL") == []


async def test_dry_run_counts_and_erases_nothing(place):
    app, _, row = place
    request, _ = await given(app, row)
    await rules(app, HOLDER, POLICE)
    app.clock.at = moment(A_YEAR_ON)
    found = await due(app.database, app.services.gate.today())
    assert [(one.agency, one.subject, one.count) for one in found] == [
        (POLICE, "disclosures", 1),
        (HOLDER, "disclosures", 2),
    ]
    assert words(await request_of(app, request)) == {*ASKED, *ANSWERED}
