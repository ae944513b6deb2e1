import pytest
from fastapi import FastAPI

from api.web.route import strict_router, unguarded


@pytest.mark.parametrize(
    ("target", "where"),
    [
        ("/scenes?municipality=%ff", "query"),
        ("/scenes?municipality=%C3%28", "query"),
        ("/scenes?municipality=%ED%A0%80", "query"),
        ("/scenes?municipality=\xff", "query"),
        ("/scenes?municipality=%zz", "query"),
        ("/scenes?municipality=%0", "query"),
        ("/scenes?municipality=100%", "query"),
        ("/scenes?municipality=%00", "query"),
        ("/scenes?%00=1", "query"),
        ("/scenes/a%00b", "path"),
        ("/scenes/%ff", "path"),
        ("/scenes/%c0%ae", "path"),
        ("/scenes/%g0", "path"),
        ("/nowhere/%ff", "path"),
    ],
)
def test_broken_encoding_is_unreadable(ask, target, where):
    answer = ask("GET", target)
    assert answer.status == 400
    assert answer.json()["type"] == "urn:samsyn:problem:unreadable"
    assert answer.faults()[0]["where"] == where


@pytest.mark.parametrize(
    "target", ["/scenes?municipality=%C3%A5", "/scenes?municipality=a+b", "/scenes?", "/scenes?page=2&limit=5"]
)
def test_plain_query_is_read(ask, target):
    assert ask("GET", target).status == 200


@pytest.mark.parametrize("name", ["pgae", "Page", "page[]", "", "asOf"])
def test_unknown_parameter_is_refused_and_the_known_ones_named(ask, name):
    answer = ask("GET", f"/scenes?{name}=1")
    assert answer.status == 400
    assert answer.json()["type"] == "urn:samsyn:problem:unknown-parameter"
    assert answer.faults()[0]["hint"] == "allowed: environment, limit, municipality, page"


def test_parameter_without_a_value_is_still_unknown(ask):
    assert ask("GET", "/scenes?nonsense").status == 400


def test_unknown_parameter_on_a_write_is_refused(ask):
    answer = ask("POST", "/surveys?dryRun=true", json_body={"scene": "a"})
    assert (answer.status, answer.faults()[0]["hint"]) == (400, "this path takes no query parameters")


def test_repeated_single_parameter_is_refused_and_a_list_is_not(ask):
    answer = ask("GET", "/scenes?page=1&page=2")
    assert (answer.status, answer.faults()[0]["where"]) == (400, "query.page")
    assert ask("GET", "/scenes?page=1&p%61ge=2").status == 400
    assert ask("GET", "/scenes?environment=park&environment=station").status == 200


def test_parameter_of_a_dependency_of_the_inclusion_is_known(ask):
    assert ask("GET", "/included?via=x").status == 200
    assert ask("GET", "/included?vai=x").status == 400


@pytest.mark.parametrize(
    "name", ["Authorization", "Purpose", "Legal-Basis", "Case-Reference", "Idempotency-Key", "If-Match"]
)
def test_header_sent_twice_is_refused(ask, name):
    answer = ask("GET", "/nowhere", headers=[(name, "a"), (name.upper(), "b")])
    assert (answer.status, answer.faults()[0]["where"]) == (400, f"header.{name.lower()}")
    assert b'"a"' not in answer.body


def test_header_that_is_too_large_is_431(ask):
    assert ask("GET", "/scenes", headers=[("x-long", "a" * 9000)]).status == 431
    assert ask("GET", "/scenes", headers=[(f"x-{i}", "a" * 8000) for i in range(20)]).status == 431
    # An oversized token is the token check's to refuse.
    assert ask("GET", "/scenes", headers=[("authorization", "a" * 30_000)]).status == 200
    assert ask("GET", "/scenes", headers=[("authorization", "a" * 70_000)]).status == 431


def test_route_outside_the_frame_is_found(api):
    assert unguarded(api) == ["GET /half", "GET /ignores-body", "POST /feed"]
    clean = FastAPI(openapi_url=None)
    router = strict_router()
    router.add_api_route("/x", lambda: None)
    clean.include_router(router)
    assert unguarded(clean) == []
