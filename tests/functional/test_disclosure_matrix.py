"""The disclosure matrix over REST, CSV and GraphQL: the same rows to everybody, by the same filters."""

import csv
import io

import pytest

from policies.catalogue import law
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

LAW = law()
PATH = "disclosure-matrix"
YOUNG = {
    "holderSector": "social-services",
    "recipientSector": "police",
    "purpose": "prevent-crime",
    "kind": "person-circumstance",
    "age": 17,
    "asOf": "2026-11-20",
}


async def rows(app: App, **query):
    """Every row that the filters leave, page by page."""
    found, page = [], 1
    while True:
        answer = await app.client().get(PATH, params=query | {"limit": 100, "page": page})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found += body["items"]
        if "next" not in body["_links"]:
            assert len(found) == body["_meta"]["totalRecords"]
            return found
        page += 1


async def table(app: App, **query):
    """The same as CSV: one dict a row."""
    answer = await app.client(headers={"Accept": "text/csv"}).get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return answer, list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def test_needs_no_token_and_a_full_question_finds_one_row(app: App):
    (row,) = await rows(app, **YOUNG)
    assert row["outcome"] == "needs-decision"
    assert {"osl-10-15a", "osl-10-18a"} <= set(row["provisions"])
    assert row["secrecy"] == ["osl-26-1"]
    assert (row["until"], row["reason"], row["together"]) == (None, None, [])
    (older,) = await rows(app, **YOUNG | {"age": 21})
    assert "osl-10-18a" not in older["provisions"]


async def test_row_says_the_same_as_the_explanation(app: App):
    question = {name: YOUNG[name] for name in ("holderSector", "recipientSector", "purpose", "kind", "asOf")}
    told = (await app.client().post("explanations", json=question | {"subject": {"age": 17}})).json()
    (row,) = await rows(app, **YOUNG)
    available = {
        entry["id"] for entry in told["provisions"] if entry["status"] == "available" and not entry.get("general")
    }
    assert (row["outcome"], set(row["provisions"])) == (told["outcome"], available)


async def test_filtered_row_keeps_its_merged_cells(app: App):
    (row,) = await rows(app, **YOUNG | {"kind": "place"})
    assert row["outcome"] == "not-secret"
    assert row["recipientSectors"] == row["purposes"] == row["ages"] == ["*"]
    assert len(row["kinds"]) > 1


@pytest.mark.parametrize(
    ("name", "value", "column"),
    [
        ("holderSector", "school", "holderSectors"),
        ("recipientSector", "county-board", "recipientSectors"),
        ("purpose", "supervision", "purposes"),
        ("kind", "camera", "kinds"),
    ],
)
async def test_filter_leaves_rows_that_hold_the_value(app: App, name: str, value: str, column: str):
    found, everything = await rows(app, **{name: value}), await rows(app)
    assert found == [row for row in everything if value in row[column] or row[column] == ["*"]]
    assert 0 < len(found) < len(everything)


async def test_filters_by_age_outcome_and_provision(app: App):
    everything = await rows(app)
    assert await rows(app, age=19) == [row for row in everything if {"18-20", "*"} & set(row["ages"])]
    assert await rows(app, age=0) == [row for row in everything if {"0-17", "*"} & set(row["ages"])]
    for outcome in ("not-secret", "needs-decision", "withheld"):
        found = await rows(app, outcome=outcome)
        assert found == [row for row in everything if row["outcome"] == outcome]
        assert found
    by_rule = await rows(app, provision="osl-10-21")
    assert by_rule == [row for row in everything if "osl-10-21" in (*row["provisions"], *row["together"])]
    assert any("osl-10-21" in row["together"] for row in by_rule)


async def test_only_rows_of_the_day_asked_for_are_shown(app: App):
    for day in ("2009-06-29", "2025-11-30", "2025-12-01", "2030-01-01"):
        found = await rows(app, asOf=day)
        assert found
        assert all((row["from"] or "") <= day < (row["until"] or "9999") for row in found)
    before = await rows(app, asOf="2025-11-30", provision="osl-10-15a")
    after = await rows(app, asOf="2025-12-01", provision="osl-10-15a")
    assert (before == [], after == []) == (True, False)
    assert {row["reason"] for row in await rows(app, asOf="2009-06-29")} == {"no-wording-in-force"}


async def test_today_is_the_day_in_sweden_unless_another_is_asked_for(fresh_app: App):
    fresh_app.clock.at = moment("2025-11-30T23:30:00+01:00")
    assert await rows(fresh_app, provision="osl-10-15a") == []
    fresh_app.clock.at = moment("2025-12-01T00:30:00+01:00")
    assert await rows(fresh_app, provision="osl-10-15a")
    answer = await fresh_app.client().get(PATH)
    assert answer.json()["_meta"]["asOf"] == "2025-12-01"
    assert answer.json()["_meta"]["policyVersion"] == LAW.version


async def test_pages_link_to_each_other_and_keep_the_filters(app: App):
    answer = await app.client().get(PATH, params={"holderSector": "police", "limit": 5, "page": 2})
    body = answer.json()
    assert body["_meta"]["count"] == len(body["items"]) == 5
    assert {"self", "first", "last", "next", "prev"} == set(body["_links"])
    assert "holderSector=police" in body["_links"]["next"]["href"]
    beyond = (await app.client().get(PATH, params={"holderSector": "police", "page": 10_000})).json()
    assert beyond["items"] == []


async def test_csv_holds_every_row_that_the_filters_leave(app: App):
    for query in ({}, {"holderSector": "school", "asOf": "2025-12-01"}, YOUNG):
        answer, lines = await table(app, **query)
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
        assert answer.text.endswith("\r\n")
        assert answer.text.count("\r\n") == answer.text.count("\n") == len(lines) + 1
        shown = [
            {name: "|".join(value) if isinstance(value, list) else value or "" for name, value in row.items()}
            for row in await rows(app, **query)
        ]
        assert lines == shown


async def test_csv_is_not_cut_into_pages(app: App):
    _, whole = await table(app)
    assert len(whole) > 100
    assert (await table(app, limit=1, page=2))[1] == whole


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "application/json"),
        ("", "application/json"),
        ("text/*", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("application/json;q=0.1, text/csv;q=0.2", "text/csv"),
        ("text/csv;q=0, */*", "application/json"),
        ("text/html, text/csv;q=x, */*;q=0.1", "application/json"),
        ("TEXT/CSV;charset=utf-8", "text/csv"),
    ],
)
async def test_representation_follows_accept(app: App, accept: str, expected: str):
    answer = await app.client(headers={"Accept": accept}).get(PATH, params=YOUNG)
    assert answer.headers["Content-Type"].partition(";")[0] == expected


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "text/csv;q=0", "application/geo+json"])
async def test_representation_that_there_is_not_is_406_and_names_those_there_are(app: App, accept: str):
    answer = await app.client(headers={"Accept": accept}).get(PATH)
    assert answer.status_code == 406
    assert answer.json()["available"] == ["application/json", "text/csv"]


async def test_each_representation_has_its_own_etag_and_can_be_asked_about_again(app: App):
    tags = []
    for accept in ("application/json", "text/csv"):
        client = app.client(headers={"Accept": accept})
        first = await client.get(PATH, params=YOUNG)
        again = await client.get(PATH, params=YOUNG, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert first.headers["Cache-Control"] == "private, no-cache"
        assert "Accept" in first.headers["Vary"]
        tags.append(first.headers["ETag"])
    assert len(set(tags)) == 2


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("holderSector", "polis", "social-services"),
        ("recipientSector", "polis", "police"),
        ("purpose", "curiosity", "prevent-crime"),
        ("kind", "rumour", "person-health"),
        ("outcome", "maybe", "needs-decision"),
        ("provision", "osl-10-99", "osl-10-15a"),
        # A general exit opens no row, so it is no value to filter by.
        ("provision", "osl-10-1", "osl-10-15a"),
    ],
)
async def test_unknown_value_is_422_and_lists_the_allowed_ones(app: App, name: str, value: str, allowed: str):
    answer = await app.client().get(PATH, params={name: value})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["where"] == f"query.{name}"
    assert allowed in error["hint"]


@pytest.mark.parametrize(("name", "value"), [("age", "-1"), ("age", "131"), ("age", "17.5"), ("asOf", "2025-13-01")])
async def test_value_outside_its_range_is_422(app: App, name: str, value: str):
    answer = await app.client().get(PATH, params={name: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == f"query.{name}"


async def test_unknown_parameter_is_refused(app: App):
    assert (await app.client().get(PATH, params={"holder": "police"})).status_code == 400


async def graphql(app: App, arguments: str):
    query = f"{{ disclosureMatrix{arguments} }}"
    answer = await app.client("polismyndigheten").post("graphql", json={"query": query})
    assert answer.status_code == 200
    return answer.json()


async def test_graphql_answers_the_same_rows(app: App):
    body = await graphql(
        app,
        '(holderSector: "social-services", recipientSector: "police", purpose: "prevent-crime", '
        'kind: "person-circumstance", age: 17, asOf: "2026-11-20")',
    )
    assert body["data"]["disclosureMatrix"] == await rows(app, **YOUNG)
    body = await graphql(app, '(outcome: "withheld", provision: "osl-10-15a")')
    assert body["data"]["disclosureMatrix"] == []
    assert (await graphql(app, ""))["data"]["disclosureMatrix"] == await rows(app)


async def test_graphql_refuses_an_unknown_value_as_rest_does(app: App):
    body = await graphql(app, '(purpose: "curiosity")')
    problem = body["errors"][0]["extensions"]["problem"]
    assert problem["status"] == 422
    assert "prevent-crime" in problem["errors"][0]["hint"]
