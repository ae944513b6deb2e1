"""The entries of the ledger: each agency its own, filtered by what it sees, and no way to feel those of others."""

import uuid
from datetime import timedelta

import pytest

from api.keeping import erase_due
from api.retention.repository import set_rule
from tests.functional.audit_support import (
    HOLDER,
    OTHER_HOLDER,
    RECIPIENT,
    STRANGER,
    SUPERVISION,
    WHY,
    decide,
    entries,
    new_mapping,
    one,
    read,
    receipt_of,
    record,
    shared,
)
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")


def receipts(rows):
    return [row["receipt"] for row in rows]


# --- attacks --------------------------------------------------------------------------------------------------------


async def test_entries_are_the_own_agencys_and_no_others(app: App):
    answer = await shared(app)
    for agency in (STRANGER, OTHER_HOLDER):
        assert answer.receipt not in receipts(await entries(app, agency))
    for agency, role in ((HOLDER, "giver"), (RECIPIENT, "receiver")):
        (row,) = [row for row in await entries(app, agency) if row["receipt"] == answer.receipt]
        assert row["role"] == role


async def test_filter_by_an_individual_tells_nothing_to_whom_the_row_does_not_concern(app: App):
    answer = await shared(app)
    nothing = str(uuid.uuid4())
    # The giver's own id means nothing to the receiver, the receiver's nothing to the giver, and neither to a stranger.
    for agency, known in ((RECIPIENT, answer.item), (HOLDER, answer.alias), (STRANGER, answer.item)):
        assert await entries(app, agency, individual=known) == await entries(app, agency, individual=nothing) == []
    assert answer.receipt in receipts(await entries(app, HOLDER, individual=answer.item))
    assert answer.receipt in receipts(await entries(app, RECIPIENT, individual=answer.alias))


async def test_count_is_no_oracle_for_entries_of_others(app: App):
    await shared(app)
    client = app.client(STRANGER, headers=SUPERVISION)

    async def counted(**query):
        return (await client.get("ledger/entries", params=query)).json()["_meta"]["totalRecords"]

    before = await counted(recipient=RECIPIENT)
    answer = await shared(app)
    assert await counted(recipient=RECIPIENT) == before == 0
    for query in ({"individual": answer.item}, {"purpose": WHY["Purpose"]}, {"role": "giver"}):
        assert await counted(**query) == 0


async def test_without_a_purpose_no_entry_is_told_and_no_filter_works(app: App):
    answer = await shared(app)
    client = app.client(HOLDER)
    plain = (await client.get("ledger/entries")).json()
    assert (plain["items"], plain["_meta"]["totalRecords"]) == ([], 0)
    assert {entry["reason"] for entry in plain["_meta"]["disclosure"]["withheld"]} == {"no-purpose"}
    for query in ({"individual": answer.item}, {"role": "giver"}, {"from": "2026-01-01"}, {"purpose": "prevent-crime"}):
        refused = await client.get("ledger/entries", params=query)
        assert refused.status_code == 403, query
        assert answer.receipt not in refused.text


async def test_entries_need_the_scope_to_audit_on_every_face(app: App):
    scopes = ["read", "write:mappings", "agency:admin"]
    client = app.client(HOLDER, headers=SUPERVISION, scopes=scopes)
    refused = await client.get("ledger/entries")
    assert refused.status_code == 403
    assert 'scope="audit:read"' in refused.headers["WWW-Authenticate"]
    for query in ("{ ledgerEntries { totalRecords } }", "{ scenes { count } e: ledgerEntries { items { receipt } } }"):
        body = (await client.post("graphql", json={"query": query})).json()
        assert body["data"] is None, query
        assert body["errors"][0]["extensions"]["problem"]["status"] == 403
    assert (await app.client().get("ledger/entries")).status_code == 401


async def test_scope_to_audit_is_all_it_takes(app: App):
    # No administrator: the officer who answers the data subject does it.
    client = app.client(HOLDER, headers=SUPERVISION, scopes=["read", "audit:read"], person=True)
    assert (await client.get("ledger/entries")).status_code == 200


@pytest.mark.parametrize(
    "query", ["agency=polismyndigheten", "sort=at", "holder=x", "receipt=7d444840-9dc0-41d1-b245-5ffdce74fad2"]
)
async def test_there_is_no_other_filter(app: App, query: str):
    answer = await app.client(HOLDER, headers=SUPERVISION).get(f"ledger/entries?{query}")
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "query", ["role=auditor", "purpose=curiosity", "individual=1", "from=yesterday", "recipient=A%20B"]
)
async def test_value_that_no_entry_can_have_is_refused(app: App, query: str):
    answer = await app.client(HOLDER, headers=SUPERVISION).get(f"ledger/entries?{query}")
    assert answer.status_code == 422, answer.text


# --- what is told ---------------------------------------------------------------------------------------------------


async def test_newest_comes_first_and_pages_fit_together(fresh_app: App):
    mapping = await new_mapping(fresh_app)
    # One instant for all: the order is the ledger's own, whatever the clock says.
    fresh_app.clock.at = moment("2026-11-20T10:00:00Z")
    made = [receipt_of((await read(fresh_app, mapping, RECIPIENT)).json()) for _ in range(5)]
    client = fresh_app.client(RECIPIENT, headers=SUPERVISION)
    query = {"purpose": WHY["Purpose"], "limit": 2}
    pages = [(await client.get("ledger/entries", params=query | {"page": page})).json() for page in (1, 2, 3, 4)]
    assert [row["receipt"] for page in pages for row in page["items"]] == made[::-1]
    assert {page["_meta"]["totalRecords"] for page in pages} == {5}


async def test_filters_narrow_by_role_recipient_and_purpose(app: App):
    answer = await shared(app)
    other = await decide(app, [answer.item], recipient="kriminalvarden", purpose="execute-sentence")
    assert other
    for query, there in (
        ({"role": "giver"}, True),
        ({"role": "receiver"}, False),
        ({"recipient": RECIPIENT}, True),
        ({"recipient": HOLDER}, False),
        ({"purpose": WHY["Purpose"]}, True),
        ({"purpose": "statistics"}, False),
        ({"role": "giver", "recipient": RECIPIENT, "individual": answer.item}, True),
        ({"role": "receiver", "individual": answer.item}, False),
    ):
        rows = await entries(app, HOLDER, **query)
        assert (answer.receipt in receipts(rows)) == there, query
        assert all(row["role"] == query.get("role", row["role"]) for row in rows)
        assert all(row["recipient"] == query.get("recipient", row["recipient"]) for row in rows)
        assert all(row["purpose"] == query.get("purpose", row["purpose"]) for row in rows)


async def test_days_are_swedish_and_the_last_one_is_whole(fresh_app: App):
    mapping = await new_mapping(fresh_app)
    made = {}
    # The clocks go back on 25 October 2026: that day has 25 hours.
    for name, at in (
        ("before", "2026-10-24T21:59:59.999999Z"),
        ("first", "2026-10-24T22:00:00Z"),
        ("last", "2026-10-25T22:59:59.999999Z"),
        ("after", "2026-10-25T23:00:00Z"),
    ):
        fresh_app.clock.at = moment(at)
        made[name] = receipt_of((await read(fresh_app, mapping, RECIPIENT)).json())
    day = "2026-10-25"

    async def found(**query):
        rows = receipts(await entries(fresh_app, RECIPIENT, purpose=WHY["Purpose"], **query))
        return {name for name, receipt in made.items() if receipt in rows}

    assert await found(**{"from": day, "to": day}) == {"first", "last"}
    assert await found(**{"from": day}) == {"first", "last", "after"}
    assert await found(to=day) == {"before", "first", "last"}
    assert await found(**{"from": "2026-10-26"}) == {"after"}
    (row,) = await entries(fresh_app, RECIPIENT, to="2026-10-24", purpose=WHY["Purpose"])
    assert row["at"] == "2026-10-24T21:59:59.999999+00:00"


async def test_entries_are_the_same_over_graphql(app: App):
    answer = await shared(app)
    rest = await entries(app, HOLDER, role="giver", individual=answer.item, **{"from": "2020-01-01"})
    names = " ".join(name for name in rest[0])
    query = (
        f'{{ ledgerEntries(role: "giver", individual: "{answer.item}", from: "2020-01-01") {{ items {{ {names} }} }} }}'
    )
    body = (await app.client(HOLDER, headers=SUPERVISION).post("graphql", json={"query": query})).json()
    assert "errors" not in body, body
    assert body["data"]["ledgerEntries"]["items"] == rest


async def test_what_an_agency_records_itself_is_among_its_entries(app: App):
    mapping = await new_mapping(app)
    item = await record(app, mapping, OTHER_HOLDER)
    (row,) = await entries(app, OTHER_HOLDER, individual=item)
    assert (row["kind"], row["role"]) == ("collection", "receiver")
    assert row["items"] == {"individual": {OTHER_HOLDER: [item]}}


async def test_reading_entries_is_an_entry(app: App):
    await entries(app, STRANGER)
    first = (await entries(app, STRANGER))[0]
    assert (first["kind"], first["purpose"]) == ("answer", SUPERVISION["Purpose"])
    assert first["resources"][0]["resource"] == "ledger-entry"


# --- retention ------------------------------------------------------------------------------------------------------


async def test_content_past_its_time_is_gone_and_the_rest_of_the_ledger_stands(fresh_app: App):
    answer = await shared(fresh_app)
    services = fresh_app.services
    async with fresh_app.database.transaction() as connection:
        await set_rule(connection, HOLDER, "ledger", 12)
    fresh_app.clock.at = fresh_app.clock() + timedelta(days=366)
    (gone,) = await erase_due(fresh_app.database, services.ledger, services.gate.today(), fresh_app.clock())
    assert (gone.agency, gone.subject) == (HOLDER, "ledger")
    rows = await entries(fresh_app, HOLDER)
    erased = [row for row in rows if row["erased"]]
    assert answer.receipt in receipts(erased)
    for row in erased:
        assert {name for name, value in row.items() if value is not None} == {"receipt", "at", "role", "erased"}
    # It is found by no filter that its content would have answered, and by those that its shell answers.
    assert await entries(fresh_app, HOLDER, individual=answer.item) == []
    assert answer.receipt not in receipts(await entries(fresh_app, HOLDER, purpose=WHY["Purpose"]))
    assert answer.receipt in receipts(await entries(fresh_app, HOLDER, role="giver"))
    assert [row["kind"] for row in rows if not row["erased"]][-1] == "erasure"
    # The other party's part is kept by its own rule.
    (theirs,) = [row for row in await entries(fresh_app, RECIPIENT) if row["receipt"] == answer.receipt]
    assert theirs["erased"] is False
    assert (await one(fresh_app, HOLDER, answer.receipt)).json()["proof"]["entry"] is None
