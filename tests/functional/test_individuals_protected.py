"""Protected identity (OSL 21:3): where the person was leads no other agency to the row, and is shown to none.

Unless the decision names the field `mapping`. Whatever else a decision opens stays open, without the place.
"""

import json

import pytest
import pytest_asyncio

from tests.functional.individuals_support import (
    FIELDS,
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
from tests.support import App, canonical, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

NESTED = '{{ mapping(id: "{}") {{ individuals(limit: 50) {{ id name mapping protectedIdentity }} }} }}'
BASIS = {"provision": "osl-10-15a", "fields": ["name", "role", "observedOn"]}
NAMING = {"provision": "osl-10-15a", "fields": ["mapping", "name"]}


@pytest_asyncio.fixture(loop_scope="session")
async def place(fresh_app: App):
    """A person with protected identity and one without, at one place, on a day in autumn 2026."""
    fresh_app.clock.at = moment("2026-10-20T10:00:00Z")
    mapping = await new_mapping(fresh_app)
    shielded = await record(fresh_app, mapping, protectedIdentity=True, name="Skyddad (fiktiv)")
    plain = await record(fresh_app, mapping, name="Oskyddad (fiktiv)")
    return fresh_app, mapping, shielded, plain


async def nested(app: App, mapping: str, agency: str = RECIPIENT) -> list[dict]:
    answer = await app.client(agency, headers=WHY).post("graphql", json={"query": NESTED.format(mapping)})
    assert "errors" not in answer.json(), answer.text
    return answer.json()["data"]["mapping"]["individuals"]


async def by_place(app: App, mapping: str, item: str, agency: str = RECIPIENT) -> list[str]:
    """What every way that begins at the place shows of whom: names, and counts."""
    seen = []
    client = app.client(agency, headers=WHY)
    scene = (await client.get(f"mappings/{mapping}")).json()["scene"]
    for query in ("", "?limit=1", "?page=2", "?sort=observedOn", "?sort=-role", "?role=sells"):
        answer = await read(app, mapping, agency, query)
        seen.append(canonical(answer.json()))
    for identity in (alias_of(agency, item), item):
        answer = await client.get(f"mappings/{mapping}/individuals/{identity}")
        seen.append(f"{answer.status_code}")
    seen.append(json.dumps(await nested(app, mapping, agency)))
    query = f'{{ scene(id: "{scene}") {{ mappings {{ individuals {{ name }} }} }} }}'
    seen.append((await client.post("graphql", json={"query": query})).text.split('"extensions"')[0])
    return seen


async def test_no_way_that_begins_at_the_place_reaches_the_row(place):
    app, mapping, shielded, plain = place
    await decide(app, [plain], **BASIS)
    before = await by_place(app, mapping, shielded)
    await decide(app, [shielded], **BASIS)
    after = await by_place(app, mapping, shielded)
    # A second decision shows in what was released on which ground; of the rows, nothing does.
    assert [_rows_of(text) for text in after] == [_rows_of(text) for text in before]
    assert not [text for text in after if "Skyddad (fiktiv)" in text]
    assert (await read(app, mapping, RECIPIENT)).json()["_meta"]["totalRecords"] == 1


def _rows_of(text: str) -> str:
    body = json.loads(text) if text.startswith("{") and text.endswith("}") else text
    if isinstance(body, dict) and "_meta" in body:
        body["_meta"].pop("disclosure")
    return json.dumps(body)


async def test_decision_that_names_no_place_shows_the_row_without_it(place):
    app, mapping, shielded, _ = place
    decision = await decide(app, [shielded], **BASIS)
    answer = await disclosed(app, decision)
    (row,) = answer.json()["items"]
    assert row == {
        "id": alias_of(RECIPIENT, shielded),
        "mapping": None,
        "holder": HOLDER,
        "protectedIdentity": True,
        "name": "Skyddad (fiktiv)",
        "role": "sells",
        "observedOn": PERSON["observedOn"],
    }
    assert mapping not in answer.text


async def test_decision_that_names_the_place_opens_every_way_to_it(place):
    app, mapping, shielded, _ = place
    decision = await decide(app, [shielded], **NAMING)
    alias = alias_of(RECIPIENT, shielded)
    for answer in (await disclosed(app, decision), await read(app, mapping, RECIPIENT)):
        (row,) = answer.json()["items"]
        assert (row["id"], row["mapping"], row["protectedIdentity"]) == (alias, mapping, True)
    one = await app.client(RECIPIENT, headers=WHY).get(f"mappings/{mapping}/individuals/{alias}")
    assert one.json()["mapping"] == mapping
    assert [row["id"] for row in await nested(app, mapping)] == [alias]


@pytest.mark.parametrize(
    "changes",
    [
        {"revoked_at": moment("2026-10-20T09:59:59Z")},
        {"valid_until": moment("2026-10-20T10:00:00Z")},
        {"valid_from": moment("2026-10-20T10:00:01Z")},
        {"recipient": "tullverket"},
        {"holder": "sodermalm-socialtjanst"},
        {"purpose": "investigate-crime", "provision": "osl-10-23"},
        # The person is 18, and 10:20 is about those who are younger.
        {"provision": "osl-10-20"},
        {"provision": "osl-10-15a-no-such"},
    ],
)
async def test_place_named_by_a_decision_that_does_not_open_the_row_here_stays_shut(place, changes):
    app, mapping, shielded, _ = place
    decision = await decide(app, [shielded], **BASIS)
    await decide(app, [shielded], **NAMING | changes)
    assert (await read(app, mapping, RECIPIENT)).json()["items"] == []
    (row,) = (await disclosed(app, decision)).json()["items"]
    assert row["mapping"] is None


async def test_place_shuts_at_the_midnight_on_which_the_decision_that_names_it_ends_for_the_persons_age(place):
    app, mapping, shielded, _ = place
    decision = await decide(app, [shielded], **BASIS)
    await decide(app, [shielded], **NAMING | {"provision": "osl-10-18a"})
    seen = []
    # Born on 15 June 2008: 21 from the Swedish midnight that begins 15 June 2029.
    for at in ("2029-06-14T21:59:59Z", "2029-06-14T22:00:00Z"):
        app.clock.at = moment(at)
        (row,) = (await disclosed(app, decision)).json()["items"]
        seen.append((row["mapping"], (await read(app, mapping, RECIPIENT)).json()["_meta"]["totalRecords"]))
    assert seen == [(mapping, 1), (None, 0)]


async def test_place_named_to_one_recipient_is_shut_to_another(place):
    app, mapping, shielded, _ = place
    await decide(app, [shielded], **NAMING)
    await decide(app, [shielded], **BASIS, recipient="tullverket")
    assert (await read(app, mapping, "tullverket")).json()["items"] == []
    assert await nested(app, mapping, "tullverket") == []


async def test_holder_sees_its_own_row_at_its_place(place):
    app, mapping, shielded, plain = place
    rows = {row["id"]: row for row in (await read(app, mapping, HOLDER)).json()["items"]}
    assert set(rows) == {shielded, plain}
    assert set(rows[shielded]) == FIELDS
    assert (rows[shielded]["mapping"], rows[shielded]["protectedIdentity"]) == (mapping, True)
    assert {row["id"] for row in await nested(app, mapping, HOLDER)} == {shielded, plain}
    assert (await app.client(HOLDER, headers=WHY).get(f"mappings/{mapping}/individuals/{shielded}")).status_code == 200


async def test_row_without_protection_goes_with_its_place_as_before(place):
    app, mapping, _, plain = place
    await decide(app, [plain], **BASIS)
    (row,) = (await read(app, mapping, RECIPIENT)).json()["items"]
    assert (row["mapping"], row["protectedIdentity"]) == (mapping, False)


async def test_row_asked_for_by_its_place_and_its_decision_together_is_as_shut(place):
    app, mapping, shielded, _ = place
    await decide(app, [shielded], **BASIS)
    path = f"mappings/{mapping}/individuals/{alias_of(RECIPIENT, shielded)}"
    answer = await app.client(RECIPIENT, headers=WHY).get(path)
    assert answer.status_code == 404
    assert "Skyddad" not in answer.text


async def test_leaf_of_an_answer_at_the_place_names_no_row_that_was_not_shown(place):
    app, mapping, shielded, _ = place
    await decide(app, [shielded], **BASIS)
    await read(app, mapping, RECIPIENT)
    entry = json.dumps((await leaves(app))[-1])
    assert alias_of(RECIPIENT, shielded) not in entry
    assert shielded not in entry


async def test_protection_is_false_unless_said_and_nothing_else_than_true_or_false(place):
    app, mapping, *_ = place
    path = f"mappings/{mapping}/individuals"
    client = app.client(HOLDER, headers=WHY)
    body = {name: value for name, value in PERSON.items() if name != "protectedIdentity"}
    made = (await client.post(path, json=body)).json()["id"]
    assert (await client.get(f"{path}/{made}")).json()["protectedIdentity"] is False
    for wrong in (1, "true", None, []):
        assert (await client.post(path, json=body | {"protectedIdentity": wrong})).status_code == 422
