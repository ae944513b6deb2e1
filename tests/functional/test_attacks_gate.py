"""What a hostile question may not do to the statement that answers it."""

import uuid
from datetime import timedelta

import pytest

from tests.support import App

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRET = "Spaning (fiktivt)"
DAYS = ("2025-01-05", "2025-02-05", "2025-03-05")
DECISION = """
INSERT INTO disclosure_decisions (id, holder, recipient, provision, purpose, resource, fields, attestations,
                                  decided_by, valid_from, valid_until)
VALUES ($1, 'polismyndigheten', 'skarholmen-trygghet', 'osl-10-27', 'place-based-prevention', $2, '{policeWork}', '{}',
        'handläggare-1', $3, $4)
"""


async def scene_with_mappings(app: App) -> tuple[str, list[str]]:
    scene = (await app.new_scene())["id"]
    mappings = []
    for day in DAYS:
        body = {"mappedOn": day, "physicalPlace": "Torg.", "use": "Genomgång.", "policeWork": SECRET}
        answer = await app.client("polismyndigheten").post(f"scenes/{scene}/mappings", json=body)
        assert answer.status_code == 201, answer.text
        mappings.append(answer.json()["id"])
    return scene, mappings


async def ask(app: App, query: str, agency: str = "polismyndigheten", **claims):
    return await app.client(agency, **claims).post("graphql", json={"query": query})


async def decide(app: App, resource: str, item: str) -> None:
    decision, now = uuid.uuid4(), app.clock()
    await app.execute(DECISION, decision, resource, now - timedelta(days=1), now + timedelta(days=1))
    await app.execute("INSERT INTO disclosure_decision_items VALUES ($1, $2)", decision, uuid.UUID(item))


@pytest.mark.parametrize("alias", ["chosen", "document", "items", "total", "limit", "n0_limit", "select", "oid"])
async def test_alias_can_have_any_name(app: App, alias: str):
    scene, _ = await scene_with_mappings(app)
    query = f'{{ scene(id: "{scene}") {{ {alias}: name mappings {{ {alias}: mappedOn }} }} }}'
    answer = await ask(app, query)
    assert answer.status_code == 200, answer.text
    shown = answer.json()["data"]["scene"]
    assert shown[alias] == "Provplatsen (fiktiv)"
    assert [row[alias] for row in shown["mappings"]] == sorted(DAYS, reverse=True)


async def test_limit_of_one_nested_list_is_not_taken_from_another_that_spells_alike(app: App):
    scene, _ = await scene_with_mappings(app)
    wide, narrow = "x_y: mappings(limit: 20) { mappedOn }", "x: mappings(limit: 1) { y: individuals(limit: 2) { id } }"
    for order in (f"{wide} {narrow}", f"{narrow} {wide}"):
        answer = await ask(app, f'{{ scene(id: "{scene}") {{ {order} }} }}')
        shown = answer.json()["data"]["scene"]
        assert (len(shown["x_y"]), len(shown["x"])) == (3, 1), order


async def test_decision_on_police_work_opens_the_named_mapping_only(app: App):
    scene, mappings = await scene_with_mappings(app)
    await decide(app, "mapping", mappings[1])
    client = app.client("skarholmen-trygghet", headers={"Purpose": "place-based-prevention"})
    listed = await client.get(f"scenes/{scene}/mappings")
    assert listed.status_code == 200, listed.text
    assert {row["id"]: row.get("policeWork") for row in listed.json()["items"]} == {
        mappings[0]: None,
        mappings[1]: SECRET,
        mappings[2]: None,
    }
    assert (await client.get(f"mappings/{mappings[1]}")).json()["policeWork"] == SECRET
    assert "policeWork" not in (await client.get(f"mappings/{mappings[0]}")).json()
    for refused in ("policeWork=Spaning", "sort=policeWork"):
        assert (await client.get(f"scenes/{scene}/mappings?{refused}")).status_code == 403
    query = {"query": f'{{ scene(id: "{scene}") {{ mappings {{ policeWork }} }} }}'}
    nested = (await client.post("graphql", json=query)).json()["data"]["scene"]["mappings"]
    assert [row["policeWork"] for row in nested] == [None, SECRET, None]


async def test_query_needs_the_scope_to_read_whatever_method_carries_it(app: App):
    for query in ("{ scenes { totalRecords } }", "{ __typename }", "{ provisions }"):
        answer = await ask(app, query, scopes=["write:surveys"])
        assert answer.status_code == 403, query
        assert 'scope="read"' in answer.headers["www-authenticate"]
    assert (await ask(app, "{ scenes { totalRecords } }", scopes=["read"])).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "{" + "scenes { totalRecords } " * 21 + "}",
        "{ scenes { items {" + "name " * 21 + "} } }",
        "{ ...F } fragment F on Query {" + "scenes { totalRecords } " * 21 + "}",
        "{ scenes { totalRecords } } fragment Unused on Query {" + "scenes { totalRecords } " * 21 + "}",
        "{" + " ".join(f"...F{n}" for n in range(21)) + "}"
        + " ".join(f"fragment F{n} on Query {{ scenes {{ totalRecords }} }}" for n in range(21)),
    ],
)  # fmt: skip
async def test_one_field_cannot_be_repeated_until_validation_is_slow(app: App, query: str):
    body = (await ask(app, query)).json()
    assert "more than 20 times" in body["errors"][0]["message"]
    assert "data" not in body


async def test_same_field_in_many_places_is_not_a_repetition(app: App):
    query = "{" + " ".join(f"a{n}: scenes(limit: 1) {{ items {{ id name }} }}" for n in range(40)) + "}"
    assert "errors" not in (await ask(app, query)).json()


@pytest.mark.parametrize("other", ["Sellers", " sellers", "sellers ", "SELLERS", "\uff53ellers"])
async def test_group_of_affected_cannot_be_split_by_spelling(app: App, other: str):
    scene = (await app.new_scene())["id"]
    affected = [{"group": "sellers", "count": 3}, {"group": other, "count": 3}]
    body = {"mappedOn": "2025-10-05", "physicalPlace": "Torg.", "use": "Genomgång.", "affected": affected}
    answer = await app.client("polismyndigheten").post(f"scenes/{scene}/mappings", json=body)
    assert answer.status_code == 409, answer.text
    assert answer.json()["errors"][0]["where"] == "body.affected[1]"
