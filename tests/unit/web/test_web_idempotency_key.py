import pytest

from api.errors import Problem
from api.web.idempotency_key import parse

SURVEY = {"scene": "a"}


def test_missing_key_is_named(ask):
    answer = ask("POST", "/scenes", json_body=SURVEY)
    assert (answer.status, answer.json()["type"]) == (400, "urn:samsyn:problem:missing-header")
    assert answer.faults()[0]["where"] == "header.idempotency-key"


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "bare",
        '"',
        '""',
        '"open',
        'open"',
        '"a"b',
        '"a" ; x=1',
        "'a'",
        '"å"',
        '"a\tb"',
        '"a\\b"',
        '"a\\"',
        f'"{"x" * 256}"',
        '"a", "b"',
    ],
)
def test_malformed_key_is_refused(ask, sent):
    answer = ask("POST", "/scenes", json_body=SURVEY, headers=[("Idempotency-Key", sent)])
    assert (answer.status, answer.json()["type"]) == (400, "urn:samsyn:problem:unreadable")
    with pytest.raises(Problem) as refused:
        parse(sent)
    assert refused.value.status_code == 400


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ('"a"', "a"),
        ('"8e03978e-40d5"', "8e03978e-40d5"),
        ('"a b,c"', "a b,c"),
        (r'"a\"b\\"', 'a"b\\'),
        (f'"{"x" * 255}"', "x" * 255),
    ],
)
def test_quoted_key_is_read_without_quotes(ask, sent, key):
    answer = ask("POST", "/scenes", json_body=SURVEY, headers=[("Idempotency-Key", sent)])
    assert (answer.status, answer.json()["key"]) == (201, key)
    assert parse(sent) == key


def test_parse_refuses_no_header():
    with pytest.raises(Problem, match="missing"):
        parse(None)
