"""A recipient sees a row of another under an alias of its own: useless to anybody else, and telling of nothing."""

import json
import uuid

import pytest
import pytest_asyncio

from tests.functional.individuals_support import (
    HOLDER,
    PERSON,
    RECIPIENT,
    WHY,
    alias_of,
    decide,
    disclosed,
    new_mapping,
    read,
    record,
)
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

OTHER = "tullverket"
BASIS = {"provision": "osl-10-15a", "fields": ["name", "observedOn", "pseudonym"]}


@pytest_asyncio.fixture(loop_scope="session")
async def shared(fresh_app: App):
    """Twelve rows of one holder that two recipients have been given, and one that nobody has."""
    fresh_app.clock.at = moment("2026-10-20T10:00:00Z")
    mapping = await new_mapping(fresh_app)
    rows = [await record(fresh_app, mapping, name=f"Nr {nth} (fiktiv)") for nth in range(12)]
    decisions = {one: await decide(fresh_app, rows, recipient=one, **BASIS) for one in (RECIPIENT, OTHER)}
    hidden = await record(fresh_app, mapping, name="Dold (fiktiv)")
    return fresh_app, mapping, rows, decisions, hidden


async def items(app: App, mapping: str, agency: str, query: str = "?limit=100") -> list[dict]:
    answer = await read(app, mapping, agency, query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_recipient_sees_its_own_aliases_and_no_internal_id(shared):
    app, mapping, rows, decisions, hidden = shared
    for agency in (RECIPIENT, OTHER):
        ids = {row["id"] for row in await items(app, mapping, agency)}
        assert ids == {alias_of(agency, row) for row in rows}
        for answer in (await read(app, mapping, agency), await disclosed(app, decisions[agency], agency)):
            assert not [row for row in [*rows, hidden] if row in answer.text]


async def test_alias_of_one_recipient_is_nothing_to_another(shared):
    app, mapping, rows, *_ = shared
    client = app.client(OTHER, headers=WHY)
    unknown = await client.get(f"mappings/{mapping}/individuals/{uuid.uuid4()}")
    for guessed in (alias_of(RECIPIENT, rows[0]), rows[0]):
        answer = await client.get(f"mappings/{mapping}/individuals/{guessed}")
        assert answer.status_code == 404
        assert _told(answer) == _told(unknown)
    assert (await client.get(f"mappings/{mapping}/individuals/{alias_of(OTHER, rows[0])}")).status_code == 200


async def test_internal_id_is_nothing_to_a_recipient_and_an_alias_nothing_to_the_holder(shared):
    app, mapping, rows, _, hidden = shared
    recipient, holder = (app.client(agency, headers=WHY) for agency in (RECIPIENT, HOLDER))
    for guessed in (rows[0], hidden, alias_of(RECIPIENT, hidden)):
        assert (await recipient.get(f"mappings/{mapping}/individuals/{guessed}")).status_code == 404
    assert (await holder.get(f"mappings/{mapping}/individuals/{rows[0]}")).status_code == 200
    assert (await holder.get(f"mappings/{mapping}/individuals/{alias_of(RECIPIENT, rows[0])}")).status_code == 404


def _told(answer) -> str:
    body = answer.json()
    body.pop("instance")
    body["disclosure"].pop("receipt")
    return json.dumps(body)


async def test_order_of_two_recipients_says_nothing_about_which_rows_are_the_same(shared):
    app, mapping, *_ = shared
    orders = {}
    for agency in (HOLDER, RECIPIENT, OTHER):
        rows = await items(app, mapping, agency)
        assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
        orders[agency] = [row["name"] for row in rows if row["name"] != "Dold (fiktiv)"]
    assert len({tuple(order) for order in orders.values()}) == len(orders)


async def test_equal_values_are_ordered_by_what_is_shown(shared):
    app, mapping, *_ = shared
    for agency in (RECIPIENT, OTHER):
        # All were seen on one day, so the alias alone orders them, in pages as in the whole.
        whole = [row["id"] for row in await items(app, mapping, agency, "?sort=observedOn&limit=100")]
        assert whole == sorted(whole)
        pages = [await items(app, mapping, agency, f"?limit=5&page={page}") for page in (1, 2, 3)]
        assert [row["id"] for page in pages for row in page] == whole


async def test_second_decision_shows_the_row_under_the_same_alias_and_once(shared):
    app, mapping, rows, *_ = shared
    await decide(app, rows[:1], provision="osl-10-18a", fields=["role"])
    found = [row for row in await items(app, mapping, RECIPIENT) if row["id"] == alias_of(RECIPIENT, rows[0])]
    assert len(found) == 1
    assert {"name", "role"} <= set(found[0])


async def test_recipient_that_holds_rows_itself_sees_those_under_their_own_ids(shared):
    app, mapping, rows, *_ = shared
    own = await record(app, mapping, RECIPIENT, name="Egen (fiktiv)")
    ids = {row["id"] for row in await items(app, mapping, RECIPIENT)}
    assert ids == {own} | {alias_of(RECIPIENT, row) for row in rows}


# --- what a decision discloses --------------------------------------------------------------------------------------


async def test_decision_lists_what_it_discloses_and_nothing_else(shared):
    app, mapping, rows, decisions, _ = shared
    elsewhere = await new_mapping(app)
    far = await record(app, elsewhere, name="Någon annanstans (fiktiv)")
    second = await decide(app, [far, rows[0]], provision="osl-10-18a", fields=["name"])
    await record(app, mapping, RECIPIENT)
    first = (await disclosed(app, decisions[RECIPIENT], query="?limit=100")).json()
    assert {row["id"] for row in first["items"]} == {alias_of(RECIPIENT, row) for row in rows}
    assert first["_meta"]["totalRecords"] == len(rows)
    answer = (await disclosed(app, second)).json()
    assert {row["id"] for row in answer["items"]} == {alias_of(RECIPIENT, row) for row in (far, rows[0])}
    assert {row["mapping"] for row in answer["items"]} == {mapping, elsewhere}


async def test_decision_of_another_purpose_lists_nothing_even_of_rows_that_are_known(shared):
    app, _, rows, *_ = shared
    other = await decide(app, rows[:1], provision="osl-10-23", purpose="investigate-crime", fields=["name"])
    assert (await disclosed(app, other)).json()["_meta"]["totalRecords"] == 0
    asked = WHY | {"Purpose": "investigate-crime"}
    assert (await disclosed(app, other, **asked)).json()["_meta"]["totalRecords"] == 1


@pytest.mark.parametrize("headers", [{"Purpose": "prevent-crime"}, {"Case-Reference": "A1"}, {"X": "y"}])
async def test_decision_lists_nothing_without_purpose_and_case(shared, headers):
    app, _, _, decisions, _ = shared
    answer = await disclosed(app, decisions[RECIPIENT], **headers)
    assert answer.status_code == 200
    assert answer.json()["items"] == []


async def test_decision_that_is_anothers_is_empty_in_the_same_words_as_none(shared):
    app, _, rows, decisions, _ = shared
    dead = [
        await decide(app, rows, **BASIS, revoked_at=moment("2026-10-20T09:59:59Z")),
        await decide(app, rows, **BASIS, valid_until=moment("2026-10-20T10:00:00Z")),
        await decide(app, rows, **BASIS, valid_from=moment("2026-10-20T10:00:01Z")),
        await decide(app, rows, **BASIS, recipient="kriminalvarden"),
        decisions[OTHER],
    ]
    unknown = uuid.uuid4()

    async def told(decision: object, query: str) -> str:
        answer = await disclosed(app, decision, query=query)
        assert answer.status_code in (200, 403)
        return answer.text.replace(str(decision), "").replace(_receipt(answer), "")

    for query in ("", "?page=2", "?limit=1", "?sort=observedOn", "?role=sells", "?sort=role"):
        assert {await told(one, query) for one in dead} == {await told(unknown, query)}, query


def _receipt(answer) -> str:
    body = answer.json()
    return body["receipt"] if "receipt" in body else body["_meta"]["disclosure"]["receipt"]


async def test_holder_reads_its_own_rows_under_no_decision_of_its_own(shared):
    app, _, _, decisions, _ = shared
    assert (await disclosed(app, decisions[RECIPIENT], HOLDER)).json()["items"] == []


async def test_decision_lists_over_graphql_what_it_lists_over_rest(shared):
    app, _, rows, decisions, _ = shared
    query = (
        f'{{ disclosedIndividuals(decision: "{decisions[RECIPIENT]}", limit: 5, page: 2, sort: "-observedOn")'
        " { totalRecords count items { id name birthDate protectedIdentity } } }"
    )
    answer = await app.client(RECIPIENT, headers=WHY).post("graphql", json={"query": query})
    page = answer.json()["data"]["disclosedIndividuals"]
    rest = (await disclosed(app, decisions[RECIPIENT], query="?limit=5&page=2&sort=-observedOn")).json()
    assert (page["totalRecords"], page["count"]) == (len(rows), 5)
    assert [row["id"] for row in page["items"]] == [row["id"] for row in rest["items"]]
    assert all(row["birthDate"] is None and row["protectedIdentity"] is False for row in page["items"])


# --- pseudonyms -----------------------------------------------------------------------------------------------------


async def test_pseudonym_is_the_recipients_and_own_rows_have_none(shared):
    app, mapping, *_ = shared
    own = await record(app, mapping, RECIPIENT)
    for row in await items(app, mapping, RECIPIENT):
        assert row["pseudonym"] == (None if row["id"] == own else f"pseudonym {RECIPIENT}")
    assert {row["pseudonym"] for row in await items(app, mapping, OTHER)} == {f"pseudonym {OTHER}"}
    assert {row["pseudonym"] for row in await items(app, mapping, HOLDER)} == {None}


async def test_pseudonym_is_withheld_where_the_decision_does_not_name_it(fresh_app: App):
    fresh_app.clock.at = moment("2026-10-20T10:00:00Z")
    mapping = await new_mapping(fresh_app)
    row = await record(fresh_app, mapping)
    await decide(fresh_app, [row], fields=["name"])
    (shown,) = await items(fresh_app, mapping, RECIPIENT)
    assert "pseudonym" not in shown
    assert shown["name"] == PERSON["name"]
