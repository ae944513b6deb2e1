"""The contract promises what the service does: headers that are needed, bodies and sizes that are taken, answers."""

import re
import uuid
from typing import Any

import pytest

from api.contract import contract_files
from api.web.api_info import API_VERSION
from api.web.body import strict_json
from api.web.openapi import NEEDED_HEADERS
from api.web.profile import operations
from tests.functional.disclosure_support import HOLDER, POLICE, WHY, initiative, officer
from tests.support import App

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONTRACT: dict[str, Any] = strict_json(contract_files()["openapi.json"])
CLOSED = [one for one in operations(CONTRACT) if one[2]["security"] != [] and one[0] != "/graphql"]
SIZES = [
    (path, parameter["name"])
    for path, method, operation in operations(CONTRACT)
    if path.startswith("/ledger/") and method == "get"
    for parameter in operation["parameters"]
    if parameter["schema"].get("type") == "integer" and parameter["name"] not in {"page", "limit"}
]


def needed(operation: dict[str, Any]) -> set[str]:
    """The headers about why and in which case that the contract requires."""
    return {one["name"] for one in operation["parameters"] if one["required"] and one["name"] in WHY}


async def test_version_of_the_contract_is_the_services():
    assert CONTRACT["info"]["version"] == API_VERSION


@pytest.mark.parametrize(("path", "method", "operation"), CLOSED, ids=[f"{how} {where}" for where, how, _ in CLOSED])
async def test_header_is_required_exactly_where_nothing_is_done_without_it(
    app: App, path: str, method: str, operation: dict[str, Any]
):
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    query = {
        one["name"]: str(uuid.uuid4())
        for one in operation["parameters"]
        if one["in"] == "query" and one["required"] and one["schema"].get("format") == "uuid"
    }
    missed = set()
    for name in WHY:
        headers = {key: value for key, value in WHY.items() if key != name} | {"Idempotency-Key": f'"{uuid.uuid4()}"'}
        for agency in (POLICE, HOLDER):
            answer = await officer(app, agency, headers=headers).request(
                method.upper(), re.sub(r"\{[^}]+\}", str(uuid.uuid4()), path).lstrip("/"), params=query, json=body
            )
            if answer.status_code == 400:
                missed |= {fault["where"].removeprefix("header.") for fault in answer.json()["errors"]} & WHY.keys()
    assert needed(operation) == missed


async def test_every_operation_that_is_said_to_need_a_header_is_there():
    named = {operation["operationId"]: needed(operation) for _, _, operation in operations(CONTRACT)}
    assert {name: set(headers) for name, headers in NEEDED_HEADERS.items()} == {
        name: headers for name, headers in named.items() if headers
    }


async def test_answer_about_an_unknown_person_is_in_the_contract(app: App):
    answer = await officer(app).get(f"ledger/extracts?individual={uuid.uuid4()}")
    assert str(answer.status_code) in CONTRACT["paths"]["/ledger/extracts"]["get"]["responses"]


@pytest.mark.parametrize("name", ["#", "x" * 65])
async def test_attestation_under_a_name_of_another_form_is_refused_by_contract_and_service(app: App, name: str):
    import jsonschema_rs

    body = initiative(str(uuid.uuid4()), attestations={name: "x"})
    assert (await officer(app).post("disclosure-decisions", json=body)).status_code == 422
    for schema in ("GrantIn", "OwnInitiativeIn"):
        said = CONTRACT["components"]["schemas"][schema]["properties"]["attestations"]
        assert not jsonschema_rs.is_valid(said, {name: "x"})
        assert jsonschema_rs.is_valid(said, {"data-protection-check": "x"})


@pytest.mark.parametrize(("path", "name"), SIZES)
async def test_largest_size_of_the_contract_is_read_and_the_next_is_not(app: App, path: str, name: str):
    described = CONTRACT["paths"][path]["get"]["parameters"]
    most = next(one["schema"]["maximum"] for one in described if one["name"] == name)
    others = {one["name"]: 0 for one in described if one["in"] == "query" and one["required"]}
    client = app.client(HOLDER, headers=WHY)
    answer = await client.get(path.lstrip("/"), params=others | {name: most})
    assert answer.status_code in {200, 404}, answer.text
    assert (await client.get(path.lstrip("/"), params=others | {name: most + 1})).status_code == 422
