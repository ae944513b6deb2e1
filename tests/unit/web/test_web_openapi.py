import copy
import json
import os
import subprocess
import sys
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from api.web.api_info import ApiInfo
from api.web.openapi import SERVER, operation_id, shape
from api.web.profile import RULES, operations, resolved, violations


@pytest.fixture
def described(api: FastAPI) -> dict[str, Any]:
    return shape(api.openapi())


def test_document_breaks_no_rule_of_the_profile(described):
    assert violations(described) == []


def test_what_fastapi_makes_breaks_many_so_the_rules_can_fail(api):
    broken = {line.split()[0] for line in violations(api.openapi())}
    assert broken >= {
        "DOK.03",
        "DOK.06",
        "DOK.09",
        "DOK.15",
        "DOK.21",
        "FEL.02",
        "UFN.01",
        "ARP.03",
        "SPA.02",
        "SPA.04",
    }


def _breaches() -> dict[str, Any]:
    def first(doc):
        return doc["paths"]["/scenes"]["get"]

    def drop_location(doc):
        doc["paths"]["/scenes"]["post"]["responses"]["201"]["headers"].pop("Location")

    return {
        "DOK.03": lambda d: d["info"]["contact"].pop("email"),
        "DOK.06": lambda d: d["info"].update(description="English alone, and the begränsning"),
        "DOK.09": lambda d: d["info"].update(description="och som and the"),
        "DOK.15": lambda d: d["components"]["schemas"]["Survey"].pop("example"),
        "DOK.19": lambda d: first(d).pop("description"),
        "DOK.20": lambda d: first(d)["responses"]["200"].pop("description"),
        "DOK.21": lambda d: first(d).update(security=[{"basic": []}]),
        "DOT.02": lambda d: d["components"]["schemas"]["Step"]["properties"]["startedOn"].pop("example"),
        "FEL.01": lambda d: d["components"]["schemas"]["Problem"]["properties"].pop("instance"),
        "FEL.02": lambda d: first(d)["responses"].update(
            {"400": {"description": "x", "content": {"application/json": {}}}}
        ),
        "VER.06": lambda d: d["paths"].pop("/api-info"),
        "UFN.01": lambda d: d["servers"][0].update(url="http://samsyn.example:8000/v1"),
        "UFN.07": lambda d: d["paths"].update({"/Bad_Path": {}}),
        "UFN.09": lambda d: d["paths"].update({"/x/{scene_id}": {}}),
        "FNS.01": lambda d: first(d)["parameters"].append({"in": "query", "name": "as_of", "schema": {}}),
        "FNS.07": lambda d: first(d)["parameters"].__setitem__(
            slice(None), [p for p in first(d)["parameters"] if p["name"] != "limit"]
        ),
        "ARP.03": drop_location,
        "SAK.09": lambda d: d["components"]["securitySchemes"].update(b={"type": "http", "scheme": "basic"}),
        "SPA.02": lambda d: first(d).update(parameters=[]),
        "SPA.04": lambda d: first(d)["responses"]["200"].pop("headers"),
    }


@pytest.mark.parametrize("rule_id", sorted(RULES))
def test_every_rule_finds_its_own_breach(described, rule_id):
    broken = copy.deepcopy(described)
    _breaches()[rule_id](broken)
    assert rule_id in {line.split()[0] for line in violations(broken)}


def test_shape_is_deterministic_and_leaves_its_argument(api):
    before = json.dumps(api.openapi())
    assert json.dumps(shape(api.openapi())) == json.dumps(shape(api.openapi()))
    assert json.dumps(api.openapi()) == before


def test_document_does_not_depend_on_the_order_of_sets():
    code = (
        "import json; from fastapi import FastAPI; from api.web.openapi import operation_id, shape\n"
        "app = FastAPI(version='1.0.0', generate_unique_id_function=operation_id)\n"
        "@app.api_route('/x', methods=['GET', 'POST', 'PUT', 'DELETE', 'PATCH'])\n"
        "def x(q: str = 'a') -> dict:\n  'Text.'\n  return {}\n"
        "print(json.dumps(shape(app.openapi())))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1
    assert list(json.loads(seen.pop())["paths"]["/x"]) == ["get", "post", "put", "patch", "delete"]


def test_public_operations_need_no_token_and_all_others_do(described):
    security = {path: op["security"] for path, method, op in operations(described) if method == "get"}
    assert security["/api-info"] == []
    assert security["/scenes"] == [{"bearer": []}]
    assert "x-public" not in json.dumps(described)
    assert described["servers"] == [{"url": SERVER}]
    assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


@pytest.mark.parametrize("status", ["400", "401", "403", "405", "406", "409", "413", "415", "422", "431", "500", "503"])
def test_refusals_of_a_write_are_documented(described, status):
    response = resolved(described, described["paths"]["/scenes"]["post"]["responses"][status])
    assert list(response["content"]) == ["application/problem+json"]
    assert response["content"]["application/problem+json"]["example"]["status"] == int(status)


def test_statuses_follow_what_an_operation_takes(described):
    api_info = described["paths"]["/api-info"]["get"]["responses"]
    assert {"401", "403", "404", "409", "415", "422"}.isdisjoint(api_info)
    change = described["paths"]["/scenes/{sceneId}"]["patch"]["responses"]
    assert {"404", "409", "412", "415", "428"} <= set(change)
    assert "428" not in described["paths"]["/scenes"]["post"]["responses"]


def test_bounds_behind_a_validator_are_said_in_the_words_of_json_schema(described):
    page = next(p for p in described["paths"]["/scenes"]["get"]["parameters"] if p["name"] == "page")["schema"]
    assert (page["minimum"], page["maximum"], page["default"]) == (1, 10_000_000, 1)
    assert {"ge", "le", "gt", "lt"}.isdisjoint(page)


def test_every_documented_example_follows_its_schema(described):
    schemas = described["components"]["schemas"]
    checked = 0
    for _, _, operation in operations(described):
        holders = [operation.get("requestBody", {}), *operation["responses"].values()]
        for holder in holders:
            for content in resolved(described, holder).get("content", {}).values():
                schema = {**content["schema"], "components": {"schemas": schemas}}
                jsonschema_rs.validate(schema, content["example"])
                checked += 1
    assert checked > 30


def test_real_problem_follows_the_documented_schema(ask, described):
    schema = {"$ref": "#/components/schemas/Problem", "components": described["components"]}
    for target in ("/scenes?page=0", "/nowhere", "/crash", "/scenes?x=1"):
        jsonschema_rs.validate(schema, ask("GET", target).json())


def test_operation_without_description_and_untellable_example_are_named():
    from typing import Annotated

    from pydantic import Field

    app = FastAPI(version="1.0.0")

    class Odd(BaseModel):
        code: Annotated[str, Field(pattern="^[A-Z]{3}$")]

    @app.get("/bare")
    def bare() -> Odd: ...

    with pytest.raises(
        ValueError, match=r"GET /bare needs a summary and a description.*pattern \^\[A-Z\]\{3\}\$ needs an example"
    ):
        shape(app.openapi())


def test_components_are_tidy_and_titles_gone(described):
    assert all(name.isalnum() and name[0].isupper() for name in described["components"]["schemas"])
    assert "title" not in described["components"]["schemas"]["Survey"]["properties"]["scene"]
    assert "title" in described["components"]["schemas"]["Problem"]["properties"]


def test_operation_ids_are_camel_case():
    app = FastAPI(version="1.0.0", generate_unique_id_function=operation_id)

    @app.get("/x")
    def list_all_scenes() -> None: ...

    assert app.openapi()["paths"]["/x"]["get"]["operationId"] == "listAllScenes"


def test_api_info_answers_what_the_profile_asks_for(ask):
    answer = ask("GET", "/api-info")
    assert answer.status == 200
    info = answer.json()
    assert set(info) == {"apiName", "apiVersion", "apiReleased", "apiDocumentation", "apiStatus"}
    assert (info["apiVersion"], info["apiStatus"], info["apiReleased"]) == ("1.0.0", "active", "2026-11-20")
    ApiInfo.model_validate(info)
    assert ask("GET", "/api-info?x=1").status == 400
