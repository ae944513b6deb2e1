"""A provision limited to some kinds opens no key of another kind: what is left shut is no way to a row."""

import uuid

import pytest
import pytest_asyncio

from tests.functional.disclosure_support import (
    CARE,
    NOON,
    POLICE,
    WHY,
    ask,
    decide,
    grant,
    graphql,
    new_mapping,
    notes_for,
    record,
    shown_under,
)
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

NESTED = "query($id: ID!) { scene(id: $id) { mappings { individuals { contact } } } }"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def noon(app: App):
    app.clock.at = moment(NOON)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def contact_only(app: App):
    """A patient's contact details, given to the police as lag 2025:170 § 4 demands; the place is not in it."""
    mapping = await new_mapping(app)
    one = await record(app, mapping, CARE)
    request = await ask(app, holder=CARE, provision="lag-2025-170-4", kinds=["person-contact"])
    body = grant(one, fields=["contact"], attestations=notes_for("lag-2025-170-4"))
    answer = await decide(app, request, body, CARE)
    assert answer.status_code == 201, answer.text
    return mapping, answer.json()["decision"]


async def test_place_that_the_provision_does_not_open_is_withheld(app: App, contact_only):
    (seen,) = await shown_under(app, contact_only[1])
    assert seen == {"contact": "070-174 06 05 (fiktivt)"}


async def test_withheld_place_is_no_way_to_the_row(app: App, contact_only):
    mapping, decision = contact_only
    client = app.client(POLICE, headers=WHY)
    listed = (await client.get(f"mappings/{mapping}/individuals")).json()
    assert listed["items"] == []
    assert listed["_meta"]["totalRecords"] == 0
    (alias,) = (await client.get(f"disclosure-decisions/{decision}")).json()["items"]
    assert (await client.get(f"mappings/{mapping}/individuals/{alias['id']}")).status_code == 404


async def test_withheld_place_is_no_way_to_the_row_in_a_nested_query(app: App, contact_only):
    (row,) = await app.rows("SELECT scene_id FROM mappings WHERE id = $1", uuid.UUID(contact_only[0]))
    told = await graphql(app.client(POLICE, headers=WHY), NESTED, id=str(row["scene_id"]))
    assert told["data"]["scene"]["mappings"] == [{"individuals": []}]
