import logging

import pytest
from fastapi import FastAPI, HTTPException

from api.errors import PROBLEMS
from api.web import problems
from tests.unit.web.web_frame import ask_app

FIELDS = {"type", "title", "titleSv", "status", "detail", "instance"}


def assert_problem(answer, status, slug):
    assert answer.status == status, answer.body
    assert answer.header("content-type") == "application/problem+json"
    problem = answer.json()
    assert set(problem) >= FIELDS
    assert problem["status"] == status
    assert problem["type"] == f"urn:samsyn:problem:{slug}"
    return problem


@pytest.mark.parametrize(
    ("method", "target", "status", "slug"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("DELETE", "/scenes", 405, "method-not-allowed"),
        ("GET", "/scenes?page=0", 422, "invalid"),
        ("GET", "/scenes?pgae=1", 400, "unknown-parameter"),
        ("GET", "/crash", 500, "internal"),
        ("GET", "/secret", 400, "missing-header"),
    ],
)
def test_every_refusal_is_a_whole_problem(ask, method, target, status, slug):
    problem = assert_problem(ask(method, target), status, slug)
    assert problem["instance"] == "/samsyn/v1" + target.partition("?")[0]
    assert problem["titleSv"] == PROBLEMS[slug].title_sv


def test_problem_raised_by_an_endpoint_keeps_its_headers(ask):
    answer = ask("GET", "/refuse")
    assert_problem(answer, 401, "unauthenticated")
    assert answer.header("www-authenticate") == "Bearer"
    assert answer.header("cache-control") == "private, no-store"


def test_unexpected_error_shows_and_logs_an_id_and_nothing_it_held(ask, caplog):
    with caplog.at_level(logging.DEBUG):
        answer = ask("GET", "/crash")
    assert answer.broken_off is None
    assert assert_problem(answer, 500, "internal")["errorId"] == "error-1"
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    text = errors[0].getMessage()
    assert "error-1" in text
    assert "KeyError" in text
    assert "ValueError" in text
    assert "web_frame.py:" in text
    assert errors[0].exc_info is None
    for shown in (text, answer.body.decode()):
        assert "19121212" not in shown
    assert b"web_frame" not in answer.body


def test_answer_that_breaks_in_the_middle_is_broken_off_and_says_nothing(ask, caplog):
    answer = ask("GET", "/half")
    assert answer.body == b"first"
    assert answer.broken_off is not None
    assert answer.broken_off.__cause__ is None
    assert "19121212" not in str(answer.broken_off)
    assert "19121212" not in caplog.text
    assert "error-1" in caplog.text


@pytest.mark.parametrize(
    ("body", "where", "what", "hint"),
    [
        (
            {"scene": "a", "interventions": [{"status": "planed"}]},
            "body.interventions[0].status",
            "“planed” is not one",
            "'planned'",
        ),
        ({"scene": "a", "interventions": [{}]}, "body.interventions[0].status", "is missing", "required"),
        ({"scene": "a", "share": "0,5"}, "body.share", "must be a number", "comma"),
        ({"scene": "a", "agreed": 1}, "body.agreed", "must be true or false", None),
        (
            {"scene": "a", "interventions": [{"status": "ended", "times": True}]},
            "body.interventions[0].times",
            "whole number",
            "digits",
        ),
        (
            {"scene": "a", "interventions": [{"status": "ended", "startedOn": 0}]},
            "body.interventions[0].startedOn",
            "must be a text",
            "YYYY-MM-DD",
        ),
        ({"scene": "a", "interventions": {}}, "body.interventions", "must be a list", None),
        ({"scene": "a", "Scene": "b"}, "body.Scene", "is not a known member", "remove"),
        ({"scene": "A b"}, "body.scene", "right form", "pattern"),
        (
            {"scene": "a", "interventions": [{"status": "ended", "started_on": "2026-01-01"}]},
            "body.interventions[0].started_on",
            "is not a known",
            None,
        ),
        ([], "body", "must be an object", None),
    ],
)
def test_validation_fault_names_the_place_as_the_caller_wrote_it(ask, body, where, what, hint):
    answer = ask("POST", "/surveys", json_body=body)
    assert_problem(answer, 422, "invalid")
    (fault,) = answer.faults()
    assert fault["where"] == where
    assert what in fault["what"]
    if hint:
        assert hint in fault["hint"]
    text = answer.body.decode()
    for name_of_ours in ("Survey", "Step", "dict", "pydantic", "Literal", "instance of", "class"):
        assert name_of_ours not in text


@pytest.mark.parametrize(
    "member",
    [
        {"birthDate": "1912-13-12"},
        {"identityNumber": "19121212-1212"},
        {"name": "Kalle Ankeborg\u0007"},
        {"anythingElse": "Kalle Ankeborg"},
        {"Kalle Ankeborg": 1},
        {"scene": "Kalle Ankeborg"},
        {"scene": 191212121212},
        {"comment": "Kalle Ankeborg\u0007"},
        {"interventions": [{"status": "Kalle Ankeborg"}]},
        {"interventions": [{"status": "19121212"}]},
        {"interventions": [{"status": "ended", "startedOn": "1912-13-12"}]},
    ],
    ids=str,
)
def test_what_may_be_about_a_person_is_not_repeated(ask, member):
    answer = ask("POST", "/surveys", json_body={"scene": "a"} | member)
    assert_problem(answer, 422, "invalid")
    for part in (b"Kalle", b"Ankeborg", b"1912"):
        assert part not in answer.body


def test_number_out_of_bounds_and_slip_of_a_listed_value_are_repeated(ask):
    answer = ask("POST", "/surveys", json_body={"scene": "a", "interventions": [{"status": "planed"}]})
    assert "“planed” is not one" in answer.faults()[0]["what"]
    assert "“0” is too small" in ask("GET", "/scenes?page=0").faults()[0]["what"]


def test_what_was_sent_is_repeated_at_most_sixty_characters_long(ask):
    answer = ask("POST", "/surveys", json_body={"scene": "a", "k" * 500: 1, "interventions": [{"status": "x" * 500}]})
    assert_problem(answer, 422, "invalid")
    assert b"x" * 61 not in answer.body
    assert b"k" * 61 not in answer.body
    assert b"x" * 50 in answer.body


def test_header_values_are_not_repeated(ask):
    answer = ask("GET", "/secret", headers=[("Purpose", "curiosity")])
    assert_problem(answer, 422, "invalid")
    assert answer.faults()[0]["where"] == "header.purpose"
    assert "'prevent-crime'" in answer.faults()[0]["hint"]
    assert b"curiosity" not in answer.body


def test_many_faults_are_cut_off(ask):
    answer = ask("POST", "/surveys", body=b'{"scene":"a","interventions":[' + b",".join([b"{}"] * 300) + b"]}")
    assert_problem(answer, 422, "invalid")
    assert len(answer.faults()) == 50


def test_outside_the_api_refusals_are_problems_too(app):
    answer = ask_app(app, "GET", "/nowhere")
    assert_problem(answer, 404, "not-found")
    assert_problem(ask_app(app, "POST", "/health/live"), 405, "method-not-allowed")


def test_instance_is_quoted(ask):
    assert ask("GET", "/a%22b%0d%0a<").json()["instance"] == "/samsyn/v1/a%22b%0D%0A%3C"


@pytest.mark.parametrize("status", [402, 418, 599])
def test_status_outside_the_catalogue_is_a_plain_problem(status):
    app = FastAPI(openapi_url=None)

    @app.get("/odd")
    def odd() -> None:
        raise HTTPException(status, detail="of no concern to callers")

    problems.install(app, new_id=lambda: "id")
    answer = ask_app(app, "GET", "/odd")
    assert answer.header("content-type") == "application/problem+json"
    assert set(answer.json()) == FIELDS
    assert (answer.status, answer.json()["type"], answer.json()["status"]) == (status, "about:blank", status)
    assert b"concern" not in answer.body
