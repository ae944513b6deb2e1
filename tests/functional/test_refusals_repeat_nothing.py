"""No refusal repeats a text that was sent about a person, on any face and under any name."""

import json
from typing import Any

import pytest

from tests.functional.disclosure_support import HOLDER, POLICE, WHY, asked, initiative, new_mapping, officer
from tests.functional.individuals_support import PERSON
from tests.support import App

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRET = "Hemlig Person 19121212-1212"
ASK = "mutation($request: DisclosureRequestInput!) { requestDisclosure(request: $request) { id } }"
OWN = "mutation($decision: OwnInitiativeInput!) { discloseOnOwnInitiative(decision: $decision) { id } }"
# What no text may hold, so that a text is refused for its form.
BELL = f"{SECRET}\a"


def told_nothing(answer: Any) -> None:
    for part in (SECRET, "Hemlig", "19121212"):
        assert part not in answer.text, answer.text
        assert json.dumps(part)[1:-1] not in answer.text


async def graphql(client: Any, query: str, **variables: Any) -> Any:
    answer = await client.post("graphql", json={"query": query, "variables": variables})
    assert answer.json()["errors"], answer.text
    return answer


@pytest.mark.parametrize(
    "body",
    [
        asked(extra=1, why=SECRET),
        asked(extra=1, scope={"question": SECRET}),
        asked(scope=SECRET),
        asked(why=[SECRET]),
        asked(kinds=[SECRET, 1]),
        asked(kinds=SECRET),
        asked(holder=SECRET),
        asked(why=BELL),
        asked() | {SECRET: 1},
        SECRET,
        [SECRET],
    ],
)
async def test_graphql_repeats_no_variable(app: App, body: Any):
    told_nothing(await graphql(app.client(POLICE, headers=WHY), ASK, request=body))


async def test_graphql_repeats_no_attestation(app: App):
    decision = {"attestations": [{"id": "data-protection-check", "text": SECRET}], "extra": 1}
    told_nothing(await graphql(officer(app), OWN, decision=decision))


@pytest.mark.parametrize(
    "request_",
    [
        f'"{SECRET}"',
        f'{{why: "{SECRET}"}}',
        f'{{why: ["{SECRET}"], scope: {{question: {{a: "{SECRET}"}}}}}}',
        f'{{why: "" "{SECRET}"}}',
        f'{{why: "\\q{SECRET}"}}',
        f'{{why: "{SECRET}',
        "{why: Hemlig}",
        f'{{why "{SECRET}"}}',
    ],
)
async def test_graphql_repeats_nothing_of_a_query_with_the_values_in_it(app: App, request_: str):
    query = f"mutation {{ requestDisclosure(request: {request_}) {{ id }} }}"
    told_nothing(await graphql(app.client(POLICE, headers=WHY), query))


async def test_graphql_repeats_no_default_and_no_scalar(app: App):
    client = app.client(POLICE, headers=WHY)
    told_nothing(await graphql(client, ASK.replace("!)", f'! = {{why: "{SECRET}"}})')))
    told_nothing(await graphql(client, f'{{ ledgerEntries(from: "{SECRET}") {{ count }} }}'))
    told_nothing(await graphql(client, "query($d: Date) { ledgerEntries(from: $d) { count } }", d=SECRET))
    told_nothing(await graphql(client, f'{{ scenes(sort: "{SECRET}") {{ count }} }}'))


async def test_graphql_says_where_and_what_belongs_there(app: App):
    body = asked(scope={"question": [SECRET]}, kinds=[1])
    answer = await graphql(app.client(POLICE, headers=WHY), ASK, request=body)
    assert [error["message"] for error in answer.json()["errors"]] == [
        "Variable '$request' has an invalid value at .scope.question: expected String",
        "Variable '$request' has an invalid value at .kinds[0]: expected String!",
    ]
    answer = await graphql(app.client(POLICE, headers=WHY), ASK, request=asked(extra=1))
    (error,) = answer.json()["errors"]
    assert error["message"].endswith(
        "expected DisclosureRequestInput! "
        "{holder: String!, provision: String!, scope: ScopeInput!, kinds: [String!]!, why: String!}"
    )
    assert error["locations"] == [{"line": 1, "column": 10}]


async def test_graphql_tells_a_few_faults_of_many(app: App):
    # A list of wrong members would else cost minutes of the service's time.
    answer = await graphql(app.client(POLICE, headers=WHY), ASK, request=asked(kinds=[1] * 20_000))
    assert len(answer.json()["errors"]) == 20


@pytest.mark.parametrize(
    "body",
    [
        asked(why=BELL),
        asked(scope={"question": BELL}),
        asked(holder=SECRET),
        asked(provision=SECRET),
        asked(kinds=[SECRET]),
        asked(scope={"scene": SECRET}),
        asked(scope=[SECRET]),
        asked() | {SECRET: SECRET},
        asked() | {"why": {SECRET: SECRET}},
        [SECRET],
    ],
)
async def test_rest_repeats_nothing_of_a_request(app: App, body: Any):
    answer = await app.client(POLICE, headers=WHY).post("disclosure-requests", json=body)
    assert answer.status_code == 422, answer.text
    told_nothing(answer)


@pytest.mark.parametrize(
    "changes",
    [
        {"attestations": {"data-protection-check": BELL}},
        {"attestations": {SECRET: "x"}},
        {"attestations": SECRET},
        {"validUntil": SECRET},
        {"fields": [SECRET]},
        {"items": [SECRET]},
        {"purpose": SECRET},
        {"recipient": SECRET},
    ],
)
async def test_rest_repeats_nothing_of_a_decision(app: App, changes: dict[str, Any]):
    answer = await officer(app).post("disclosure-decisions", json=initiative("x") | changes)
    assert answer.status_code == 422, answer.text
    told_nothing(answer)


@pytest.mark.parametrize("name", [*PERSON, "shoeSize"])
async def test_rest_repeats_nothing_of_a_person(app: App, name: str):
    mapping = await new_mapping(app)
    for sent in (BELL, [BELL], {"a": BELL}):
        answer = await app.client(HOLDER).post(f"mappings/{mapping}/individuals", json=PERSON | {name: sent})
        assert answer.status_code == 422, answer.text
        told_nothing(answer)


async def test_json_with_two_meanings_is_refused_without_what_it_means(app: App):
    client = app.client(POLICE, headers=WHY | {"Content-Type": "application/json"})
    for raw in (f'{{"{SECRET}": 1, "{SECRET}": 2}}', f'{{"{SECRET}": NaN}}', f'{{"why": "{SECRET}" "x"}}'):
        answer = await client.post("disclosure-requests", content=raw.encode())
        assert answer.status_code == 400, answer.text
        told_nothing(answer)


async def test_header_is_not_repeated(app: App):
    answer = await app.client(POLICE, headers={"Purpose": "Hemlig Person"}).get("disclosure-requests")
    assert answer.status_code == 422
    told_nothing(answer)
