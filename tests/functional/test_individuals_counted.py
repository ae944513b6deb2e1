"""Over GraphQL rows are counted, and are there, alike whether their ids or nothing of them is asked for; and noted."""

from typing import Any

import pytest

from tests.functional.individuals_support import HOLDER, RECIPIENT, WHY, decide, leaves, new_mapping, record
from tests.support import App

pytestmark = pytest.mark.asyncio(loop_scope="session")

STRANGER = "botkyrka-trygghet"
NOTHING = "__typename"


async def asked(app: App, agency: str, query: str, headers: dict[str, str] | None = None) -> Any:
    answer = await app.client(agency, headers=WHY if headers is None else headers).post(
        "graphql", json={"query": query}
    )
    assert "errors" not in answer.json(), answer.text
    return answer.json()["data"]


@pytest.mark.parametrize(
    "items", ["", "items { __typename }", "items { id }", "a: items { id } b: items { __typename }"]
)
async def test_total_is_the_same_whatever_is_asked_of_the_items(app: App, items: str):
    decision = await decide(app, [await record(app, await new_mapping(app))], provision="osl-10-15a")
    query = f'{{ disclosedIndividuals(decision: "{decision}") {{ totalRecords count {items} }} }}'
    told = (await asked(app, RECIPIENT, query))["disclosedIndividuals"]
    assert (told["totalRecords"], told["count"]) == (1, 1)
    assert len(told.get("items", [1])) == 1


async def test_row_of_which_nothing_is_left_to_show_is_still_there(app: App):
    decision = await decide(app, [await record(app, await new_mapping(app))], provision="osl-10-15a")
    query = f'{{ disclosedIndividuals(decision: "{decision}") {{ totalRecords items {{ id @skip(if: true) }} }} }}'
    assert (await asked(app, RECIPIENT, query))["disclosedIndividuals"] == {"totalRecords": 1, "items": [{}]}


async def test_own_rows_stand_in_a_nested_list_of_type_names(app: App):
    mapping = await new_mapping(app)
    await record(app, mapping)
    query = f'{{ mapping(id: "{mapping}") {{ individuals {{ __typename }} }} }}'
    assert await asked(app, HOLDER, query) == {"mapping": {"individuals": [{"__typename": "Individual"}]}}


@pytest.mark.parametrize("inner", [NOTHING, "id"])
async def test_row_that_cannot_be_known_of_is_not_counted_by_asking_for_nothing(app: App, inner: str):
    mapping = await new_mapping(app)
    item = await record(app, mapping)
    shielded = await record(app, mapping, protectedIdentity=True)
    decision = await decide(app, [item, shielded], provision="osl-10-15a")
    listed = f'{{ disclosedIndividuals(decision: "{decision}") {{ totalRecords items {{ {inner} }} }} }}'
    nested = f'{{ mapping(id: "{mapping}") {{ individuals {{ {inner} }} }} }}'
    for agency, headers in (
        (STRANGER, WHY),
        (HOLDER, {}),
        (HOLDER, {"Purpose": WHY["Purpose"]}),
        (RECIPIENT, {}),
        (RECIPIENT, WHY | {"Purpose": "place-based-prevention"}),
    ):
        told = await asked(app, agency, listed, headers)
        assert told["disclosedIndividuals"] == {"totalRecords": 0, "items": []}, (agency, headers)
        assert (await asked(app, agency, nested, headers))["mapping"]["individuals"] == [], (agency, headers)
    # The place leads to one of the two only; the decision to both.
    assert len((await asked(app, RECIPIENT, nested))["mapping"]["individuals"]) == 1
    assert (await asked(app, RECIPIENT, listed))["disclosedIndividuals"]["totalRecords"] == 2


async def test_row_is_noted_as_shown_though_nothing_of_it_was_asked_for(fresh_app: App):
    mapping = await new_mapping(fresh_app)
    item = await record(fresh_app, mapping)
    before = len(await leaves(fresh_app))
    await asked(fresh_app, HOLDER, f'{{ mapping(id: "{mapping}") {{ individuals {{ __typename }} }} }}')
    (leaf,) = (await leaves(fresh_app))[before:]
    assert leaf["items"]["individual"] == {HOLDER: [item]}


@pytest.mark.parametrize("root", ["disclosureRequests", "disclosureDecisions", "ledgerEntries"])
async def test_what_belongs_to_parties_is_counted_alike(app: App, root: str):
    await decide(app, [await record(app, await new_mapping(app))])
    first = "receipt" if root == "ledgerEntries" else "id"
    totals = [
        (await asked(app, HOLDER, f"{{ {root}(limit: 1) {{ totalRecords {items} }} }}"))[root]["totalRecords"]
        for items in ("", f"items {{ {first} }}", f"items {{ {NOTHING} }}")
    ]
    if root == "ledgerEntries":
        # Each of these reads is an entry of the next.
        totals = [total - nth for nth, total in enumerate(totals)]
    assert len(set(totals)) == 1, totals
    assert root == "disclosureRequests" or totals[0] > 0
