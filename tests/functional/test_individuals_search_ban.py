"""Nobody selects or orders persons by health or addiction, one's own data included (BDL 2:14; 2018:218 3:3)."""

import json

import pytest
import pytest_asyncio

from policies.catalogue import law
from tests.functional.individuals_support import HOLDER, RECIPIENT, WHY, decide, leaves, new_mapping, record
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

BAN = law().kinds["person-health"].search_ban
QUERIES = ["?substances=cannabis", "?sort=substances", "?sort=-substances", "?sort=role,substances",
           "?role=sells&substances=heroin"]  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def place(app: App):
    app.clock.at = moment("2026-10-20T10:00:00Z")
    mapping = await new_mapping(app)
    row = await record(app, mapping)
    decision = await decide(app, [row], provision="osl-10-15a", fields=["substances", "name", "role", "observedOn"])
    return mapping, decision


@pytest.mark.parametrize("agency", [HOLDER, RECIPIENT, "tullverket", "centrumagaren"])
@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("headers", [WHY, {}])
async def test_selection_by_addiction_is_refused_with_the_paragraphs(app: App, place, agency, query, headers):
    mapping, decision = place
    client = app.client(agency, headers=headers)
    for path in (f"mappings/{mapping}/individuals", f"disclosure-decisions/{decision}/individuals"):
        with app.database.recorder.recording() as statements:
            answer = await client.get(path + query)
        assert answer.status_code == 403
        problem = answer.json()
        assert problem["type"] == "urn:samsyn:problem:search-ban"
        assert problem["searchBan"] == list(BAN)
        assert all(rule in problem["detail"] for rule in BAN)
        assert not [statement for statement in statements if "substances" in statement]


async def test_refusal_is_the_same_for_every_caller_and_every_value(app: App, place):
    mapping, _ = place
    told = set()
    for agency in (HOLDER, RECIPIENT, "tullverket"):
        for value in ("cannabis", "heroin", "x", "%25"):
            answer = await app.client(agency, headers=WHY).get(f"mappings/{mapping}/individuals?substances={value}")
            body = answer.json()
            told.add(json.dumps({key: value for key, value in body.items() if key != "receipt"}))
    assert len(told) == 1


async def test_refusal_is_noted(app: App, place):
    mapping, _ = place
    answer = await app.client(HOLDER, headers=WHY).get(f"mappings/{mapping}/individuals?substances=cannabis")
    last = (await leaves(app))[-1]
    assert (last["kind"], last["receipt"]) == ("refusal", answer.json()["receipt"])
    assert "cannabis" not in json.dumps(last)


@pytest.mark.parametrize("asked", ['substances: "cannabis"', 'sort: "substances"', 'sort: "-substances"'])
async def test_selection_by_addiction_is_refused_over_graphql(app: App, place, asked):
    _, decision = place
    query = f'{{ disclosedIndividuals(decision: "{decision}", {asked}) {{ totalRecords items {{ id }} }} }}'
    answer = await app.client(RECIPIENT, headers=WHY).post("graphql", json={"query": query})
    assert answer.json()["data"] is None
    problem = answer.json()["errors"][0]["extensions"]["problem"]
    assert (problem["status"], problem["searchBan"]) == (403, list(BAN))


async def test_what_is_only_read_is_not_refused(app: App, place):
    _, decision = place
    answer = await app.client(RECIPIENT, headers=WHY).get(f"disclosure-decisions/{decision}/individuals?role=sells")
    assert [row["substances"] for row in answer.json()["items"]] == [["cannabis"]]


def _banned() -> list[tuple[str, str]]:
    from tests.architecture.test_gate import RESOURCES

    used = [
        (name, field)
        for name, resource in RESOURCES.items()
        for field in {*resource.sorts, *(one for wanted in resource.filters.values() for one in wanted.fields)}
    ]
    return [(name, field) for name, field in used if law().fields[name, field].kind.search_ban]


async def test_every_filter_and_order_on_a_banned_kind_is_known_here():
    # Of another resource, the tests above would have to be written too.
    assert _banned() == [("individual", "substances")]
