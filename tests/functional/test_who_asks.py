"""Who asks, over HTTP: every wrong token is a 401 problem, every claim beyond the token a 403, and nothing leaks."""

import base64
import json

import pytest

from tests.support import SCENE, App

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _part(value: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _with_header(token: str, **changes) -> str:
    header, payload, signature = token.split(".")
    read = json.loads(base64.urlsafe_b64decode(header + "=="))
    return f"{_part(read | changes)}.{payload}.{signature}"


def _with_claims(token: str, **changes) -> str:
    header, payload, signature = token.split(".")
    read = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{header}.{_part(read | changes)}.{signature}"


FORGERIES = {
    "none at all": lambda _: None,
    "empty": lambda _: "Bearer ",
    "basic": lambda _: "Basic dXNlcjpwYXNz",
    "unsigned": lambda token: "Bearer " + _with_header(token, alg="none").rsplit(".", 1)[0] + ".",
    "HS256": lambda token: "Bearer " + _with_header(token, alg="HS256"),
    "unknown key": lambda token: "Bearer " + _with_header(token, kid="somebody-else"),
    "critical extension": lambda token: "Bearer " + _with_header(token, crit=["x"]),
    "another agency": lambda token: "Bearer " + _with_claims(token, agency="polismyndigheten"),
    "more purposes": lambda token: "Bearer " + _with_claims(token, purposes=["supervision"]),
    "JWE": lambda _: "Bearer a.b.c.d.e",
    "oversized": lambda token: "Bearer " + token + "A" * 20_000,
    "DPoP scheme": lambda token: "DPoP " + token,
}


@pytest.mark.parametrize("forgery", FORGERIES, ids=str)
@pytest.mark.parametrize("path", ["scenes", "agencies", "situation-reports", "indicators", "incident-batches"])
async def test_forged_token_is_401_with_a_problem(app: App, forgery: str, path: str):
    sent = FORGERIES[forgery](app.token("skarholmen-trygghet"))
    headers = {} if sent is None else {"Authorization": sent}
    answer = await app.client().get(path, headers=headers)
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "eyJ" not in answer.text


async def test_expired_token_is_401(fresh_app: App):
    from datetime import timedelta

    client = fresh_app.client("polismyndigheten")
    assert (await client.get("scenes")).status_code == 200
    fresh_app.clock.at = fresh_app.clock() + timedelta(minutes=6)
    assert (await client.get("scenes")).status_code == 401


async def test_unregistered_agency_is_refused(app: App):
    answer = await app.client("okand-myndighet").get("scenes")
    assert answer.status_code == 403


async def test_purpose_outside_the_token_is_refused_and_logged(app: App):
    before = await app.rows("SELECT count(*) AS n FROM ledger_leaves")
    client = app.client("skarholmen-trygghet", purposes=["place-based-prevention"])
    answer = await client.get("scenes", headers={"Purpose": "investigate-crime"})
    assert answer.status_code == 403
    assert answer.json()["receipt"]
    after = await app.rows("SELECT count(*) AS n FROM ledger_leaves")
    assert after[0]["n"] == before[0]["n"] + 1


async def test_token_without_purposes_claims_none(app: App):
    answer = await app.client("polismyndigheten", purposes=[]).get("scenes", headers={"Purpose": "prevent-crime"})
    assert answer.status_code == 403


@pytest.mark.parametrize(("header", "value"), [("Purpose", "curiosity"), ("Legal-Basis", "osl-99-9")])
async def test_unknown_ground_is_422_and_lists_what_is_known(app: App, header: str, value: str):
    answer = await app.client("polismyndigheten").get("scenes", headers={header: value})
    assert answer.status_code == 422
    assert "osl-10-15a" in answer.text or "prevent-crime" in answer.text


async def test_token_without_read_reads_nothing(app: App):
    answer = await app.client("polismyndigheten", scopes=["write:scenes"]).get("scenes")
    assert answer.status_code == 403


async def test_the_law_needs_no_token(app: App):
    client = app.client()
    for path in ("provisions", "provisions/osl-10-18a", "secrecy-rules", "api-info", "openapi.json", "docs"):
        assert (await client.get(path)).status_code == 200, path
    question = {
        "holderSector": "police",
        "recipientSector": "school",
        "purpose": "protect-child",
        "kind": "person-identity",
    }
    assert (await client.post("explanations", json=question)).status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        b'{"name": "a", "name": "b"}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name": "a\\u0000b"}',
        b'{"name": NaN}',
        b'{"name": 1e999}',
        b"[" * 5000,
        b"{",
        b"",
        b"\xef\xbb\xbf{}",
    ],
    ids=repr,
)
async def test_unreadable_body_is_a_problem_and_stores_nothing(app: App, content: bytes):
    before = await app.rows("SELECT count(*) AS n FROM scenes")
    client = app.client("polismyndigheten")
    answer = await client.post("scenes", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await app.rows("SELECT count(*) AS n FROM scenes") == before


async def test_fifty_megabytes_are_refused_before_they_are_read(app: App):
    async def flood():
        for _ in range(50):
            yield b" " * 1_000_000

    answer = await app.client("polismyndigheten").post(
        "scenes", content=flood(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


async def test_unused_method_is_405_with_every_allowed_one(app: App):
    answer = await app.client("polismyndigheten").delete("scenes")
    assert answer.status_code == 405
    assert {"GET", "POST"} <= {method.strip() for method in answer.headers["allow"].split(",")}


async def test_stop_id_is_sixteen_digits_of_text_never_a_number(app: App):
    row = {"incidentId": "n", "occurredAt": "2026-10-01T10:00:00Z", "stopId": 9091001000009289, "category": "other"}
    row |= {"mode": "metro", "severity": 1, "revision": 1}
    client = app.client("trafikforvaltningen")
    answer = await client.post("incident-batches", json=[row])
    assert answer.status_code == 201
    assert answer.json()["rejected"] == 1
    assert answer.json()["errors"][0]["field"] == "stopId"


async def test_created_scene_answers_with_location_and_examples_hold(app: App):
    answer = await app.client("polismyndigheten").post("scenes", json=SCENE)
    assert answer.status_code == 201
    assert answer.headers["location"].endswith(f"/scenes/{answer.json()['id']}")
    assert answer.headers["traceparent"].startswith("00-")
