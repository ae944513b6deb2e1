"""What the ledger notes of an answer: the rows that were shown, to each agency in its own words and no other's."""

import json
from typing import Any

import pytest

from tests.functional.individuals_support import HOLDER, RECIPIENT, WHY, alias_of, decide, new_mapping, read, record
from tests.support import App

pytestmark = pytest.mark.asyncio(loop_scope="session")

OTHER = "sodermalm-socialtjanst"


async def parts_of_last_leaf(app: App) -> dict[str, dict[str, Any]]:
    rows = await app.rows(
        "SELECT agency, role, entry, items FROM ledger_parts"
        " WHERE leaf_index = (SELECT max(leaf_index) FROM ledger_leaves)"
    )
    return {row["agency"]: row | {"entry": json.loads(row["entry"])} for row in rows}


def noted(part: dict[str, Any]) -> set[str]:
    return {str(item) for item in part["items"] or ()}


async def test_own_reading_notes_the_rows_that_were_read(fresh_app: App):
    mapping, elsewhere = await new_mapping(fresh_app), await new_mapping(fresh_app)
    mine = {await record(fresh_app, mapping) for _ in range(3)}
    await record(fresh_app, elsewhere)
    assert (await read(fresh_app, mapping, HOLDER)).json()["_meta"]["count"] == 3
    parts = await parts_of_last_leaf(fresh_app)
    assert set(parts) == {HOLDER}
    assert parts[HOLDER]["role"] == "receiver"
    assert noted(parts[HOLDER]) == mine
    assert {*parts[HOLDER]["entry"]["items"]["individual"][HOLDER]} == mine


async def test_page_notes_only_its_own_rows(fresh_app: App):
    mapping = await new_mapping(fresh_app)
    for _ in range(3):
        await record(fresh_app, mapping)
    page = (await read(fresh_app, mapping, HOLDER, "?limit=1&page=2")).json()
    parts = await parts_of_last_leaf(fresh_app)
    assert noted(parts[HOLDER]) == {page["items"][0]["id"]}


async def test_giver_gets_a_part_with_its_own_ids_and_receiver_one_with_aliases(fresh_app: App):
    mapping = await new_mapping(fresh_app)
    item = await record(fresh_app, mapping)
    decision = await decide(fresh_app, [item])
    assert (await read(fresh_app, mapping, RECIPIENT)).json()["_meta"]["count"] == 1
    parts = await parts_of_last_leaf(fresh_app)
    assert {agency: part["role"] for agency, part in parts.items()} == {RECIPIENT: "receiver", HOLDER: "giver"}
    assert noted(parts[RECIPIENT]) == {alias_of(RECIPIENT, item)}
    assert noted(parts[HOLDER]) == {item}
    given = parts[HOLDER]["entry"]
    assert given["recipient"] == RECIPIENT
    assert given["purpose"] == WHY["Purpose"]
    assert given["caseReference"] == WHY["Case-Reference"]
    (resource,) = given["resources"]
    assert {("name", "osl-10-18a", str(decision))} <= {tuple(released) for released in resource["released"]}
    assert alias_of(RECIPIENT, item) not in json.dumps(given)


async def test_giver_sees_nothing_of_another_giver(fresh_app: App):
    mapping = await new_mapping(fresh_app)
    items = {holder: await record(fresh_app, mapping, holder) for holder in (HOLDER, OTHER)}
    decisions = {holder: await decide(fresh_app, [item], holder=holder) for holder, item in items.items()}
    assert (await read(fresh_app, mapping, RECIPIENT)).json()["_meta"]["count"] == 2
    parts = await parts_of_last_leaf(fresh_app)
    assert set(parts) == {RECIPIENT, HOLDER, OTHER}
    for holder, other in ((HOLDER, OTHER), (OTHER, HOLDER)):
        told = json.dumps(parts[holder]["entry"])
        assert items[other] not in told
        assert str(decisions[other]) not in told
        assert other not in told
        assert noted(parts[holder]) == {items[holder]}


async def test_who_has_nothing_to_show_for_it_is_no_giver(fresh_app: App):
    mapping, elsewhere = await new_mapping(fresh_app), await new_mapping(fresh_app)
    await decide(fresh_app, [await record(fresh_app, elsewhere)])
    assert (await read(fresh_app, mapping, RECIPIENT)).json()["_meta"]["count"] == 0
    assert set(await parts_of_last_leaf(fresh_app)) == {RECIPIENT}


async def test_rows_of_nested_lists_are_noted_under_any_alias(fresh_app: App):
    mapping, second = await new_mapping(fresh_app), await new_mapping(fresh_app)
    mine = {await record(fresh_app, mapping), await record(fresh_app, second)}
    query = "{ scenes { items { m: mappings { id p: individuals { role } q: individuals { sex } } } } }"
    client = fresh_app.client(HOLDER, headers=WHY)
    answer = (await client.post("graphql", json={"query": query})).json()
    assert "errors" not in answer, answer
    assert noted((await parts_of_last_leaf(fresh_app))[HOLDER]) == mine


async def test_shared_fields_alone_leave_no_leaf_and_note_nobody(fresh_app: App):
    await new_mapping(fresh_app)
    before = await fresh_app.rows("SELECT count(*) FROM ledger_leaves")
    assert (await fresh_app.client(HOLDER).get("scenes")).status_code == 200
    assert await fresh_app.rows("SELECT count(*) FROM ledger_leaves") == before
