"""GraphQL takes nothing that REST refuses: headers, values of filters, and what is said twice."""

import uuid

import pytest
import pytest_asyncio

from tests.functional.disclosure_support import (
    NOBODYS,
    NOON,
    NOTES,
    POLICE,
    WHY,
    ask,
    grant,
    graphql,
    initiative,
    new_mapping,
    officer,
    own_initiative,
    post,
    record,
    state_of,
)
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLAIN = {"Accept": "application/json"}
DECIDE = "mutation($id: ID!, $d: DisclosureDecisionInput!) { decideDisclosure(id: $id, decision: $d) { id } }"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def noon(app: App):
    app.clock.at = moment(NOON)


async def test_step_over_graphql_needs_a_purpose_too(app: App):
    request = await ask(app)
    withdraw = "mutation($id: ID!) { withdrawDisclosureRequest(id: $id) { id } }"
    supplement = 'mutation($id: ID!) { askSupplement(id: $id, question: "När? (påhittat)") { id } }'
    for client, mutation in ((officer(app, headers=PLAIN), supplement), (app.client(POLICE, headers=PLAIN), withdraw)):
        told = await graphql(client, mutation, id=request)
        assert told["errors"][0]["extensions"]["problem"]["status"] == 400
    assert await state_of(app, request) == "submitted"


@pytest.mark.parametrize("name", ["disclosureRequests", "disclosureDecisions"])
@pytest.mark.parametrize("argument", ["role", "state"])
async def test_filter_over_graphql_takes_the_values_that_rest_takes(app: App, name, argument):
    await ask(app)
    told = await graphql(officer(app), f'{{ {name}({argument}: "bogus") {{ totalRecords }} }}')
    assert told["errors"]


async def test_attestation_said_twice_has_no_single_meaning(app: App):
    one = await record(app, await new_mapping(app))
    notes = [{"id": name, "text": text} for name, text in NOTES.items()]
    notes.append({"id": "concrete-risk-of-crime", "text": "Nej, ingen risk (påhittat)."})
    request = await ask(app)
    told = await graphql(officer(app), DECIDE, id=request, d=grant(one, attestations=notes))
    assert told["errors"]
    assert await state_of(app, request) == "submitted"


async def test_same_key_with_another_purpose_or_case_is_another_request(app: App):
    headers = WHY | {"Idempotency-Key": f'"{uuid.uuid4()}"'}
    assert (await post(app, headers=headers)).status_code == 201
    for changes in ({"Purpose": "investigate-crime"}, {"Case-Reference": "B9/2026"}):
        other = await post(app, headers=headers | changes)
        assert other.status_code == 422
        assert other.json()["type"].endswith("key-reused")


async def test_withdrawal_takes_no_body(app: App):
    request = await ask(app)
    client = app.client(POLICE, headers=WHY)
    for content in (b'{"reason": "x"}', b"\xff{"):
        answer = await client.post(
            f"disclosure-requests/{request}/withdrawal", content=content, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (400, 422)
    assert await state_of(app, request) == "submitted"


async def test_disclosure_on_own_initiative_stands_in_a_case(app: App):
    one = await record(app, await new_mapping(app))
    answer = await own_initiative(app, initiative(one), headers={"Purpose": "prevent-crime"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["where"] == "header.Case-Reference"


async def test_place_in_the_list_of_items_is_the_senders(app: App):
    """A repeated id does not shift the place of the one that is wrong."""
    one = await record(app, await new_mapping(app))
    answer = await own_initiative(app, initiative(one, one, NOBODYS))
    assert [fault["where"] for fault in answer.json()["errors"]] == ["body.items[2]"]
