import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import Problem
from api.web.body import MAX_DEPTH, strict_json
from tests.unit.web.web_frame import FEED_LIMIT, LIMIT


@pytest.mark.parametrize(
    ("raw", "where", "what"),
    [
        (b'{"a": 1, "a": 2}', "body", "“a” more than once"),
        (b'{"x": [{"a": 1, "\\u0061": 2}]}', "body.x[0]", "“a” more than once"),
        (b'{"a": "\xff"}', "body", "not UTF-8 at byte 7"),
        ('{"å": 1}'.encode("latin-1"), "body", "not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "body", "not UTF-8"),
        ('{"a": 1}'.encode("utf-16-le"), "body", "not JSON"),
        (b'\xef\xbb\xbf{"a": 1}', "body", "byte order mark"),
        (b'{"a": NaN}', "body.a", "not a finite number"),
        (b'{"a": [1, -Infinity]}', "body.a[1]", "not a finite number"),
        (b'{"a": 1e999}', "body.a", "not a finite number"),
        (b'{"a": 9223372036854775808}', "body.a", "beyond 64 bits"),
        (b'{"a": -9223372036854775809}', "body.a", "beyond 64 bits"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "body.a", "beyond 64 bits"),
        (b'{"a": "\\ud800"}', "body.a", "half a surrogate pair"),
        (b'{"a": ["\\udc00\\ud800"]}', "body.a[0]", "half a surrogate pair"),
        (b'{"\\ud800": 1}', "body", "the name of a member holds half"),
        (b'{"a": "\\u0000"}', "body.a", "NUL"),
        (b'{"b": {"\\u0000": 1}}', "body.b", "the name of a member holds a NUL"),
        (b'"\\u0000"', "body", "NUL"),
        (b'{"a": 1', "body", "line 1, column 8"),
        (b'{"a": 1,}', "body", "line 1, column 9"),
        (b"{'a': 1}", "body", "line 1, column 2"),
        (b'{"a":\n 1,\n "b" 2}', "body", "line 3, column 6"),
        (b'{"a": 1} {"a": 1}', "body", "goes on after"),
        (b'{"a": 1}\x00', "body", "goes on after"),
        (b'{"a": 01}', "body", "not JSON"),
        (b'{"a": 1,5}', "body", "not JSON"),
        (b'{"a": "\n"}', "body", "not JSON"),
        (b"\x0c{}", "body", "not JSON"),
        (b" ", "body", "not JSON"),
    ],
)
def test_json_with_more_than_one_meaning_is_refused_with_its_place(ask, raw, where, what):
    with pytest.raises(Problem) as refused:
        strict_json(raw)
    (fault,) = refused.value.faults
    assert (fault.where, refused.value.status_code) == (where, 400)
    assert what in fault.what
    assert fault.hint
    if len(raw) < LIMIT:
        answer = ask("POST", "/surveys", body=raw)
        assert answer.status == 400
        assert answer.json()["type"] == "urn:samsyn:problem:unreadable"
        assert answer.faults()[0]["where"] == where


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 100_000])
def test_deep_nesting_is_refused(opening, depth):
    closing = b"]" if opening == b"[" else b"}"
    with pytest.raises(Problem, match="deeper than 64") as refused:
        strict_json(opening * depth + b"1" + closing * depth)
    assert len(refused.value.faults[0].where) <= 200


def test_nesting_up_to_the_limit_is_read():
    raw = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert json.dumps(strict_json(raw)).encode() == raw


@pytest.mark.parametrize(
    ("raw", "accepted"),
    [
        (b"[" + b"[]," * 300_000 + b"[]]", True),
        (b"[" + b"1," * 500_000 + b"1]", True),
        (b"[" * 1_000_000, False),
        (b'{"a":' * 300_000, False),
    ],
    ids=["many empty lists", "many numbers", "deep lists", "deep objects"],
)
def test_megabyte_of_hostile_json_is_decided_without_running_out_of_stack(raw, accepted):
    if accepted:
        strict_json(raw)
    else:
        with pytest.raises(Problem):
            strict_json(raw)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_characters="\0", codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(_VALUES, st.booleans())
def test_plain_json_is_read_as_it_was_written(value, ascii_only):
    assert strict_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


def test_integral_number_is_an_integer_however_it_is_written():
    assert [type(one) for one in strict_json(b"[4.0, 4, 4e2, 4.5, -0.0, 1e300]")] == [int, int, int, float, int, float]


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/xml",
        "application/jsonx",
        "application/json; charset=latin-1",
        "",
        "json",
        "multipart/form-data",
        "(none)",
    ],
)
def test_other_media_type_is_415(ask, media_type):
    answer = ask("POST", "/surveys", body=b'{"scene": "a"}', headers=[("content-type", media_type)])
    assert answer.status == 415
    assert "application/json" in answer.json()["detail"]
    assert answer.header("accept-post") == "application/json"


@pytest.mark.parametrize(
    "media_type", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_media_type_is_read(ask, media_type):
    assert ask("POST", "/surveys", body=b'{"scene": "a"}', headers=[("content-type", media_type)]).status == 200


def test_missing_body_is_named(ask):
    answer = ask("POST", "/surveys")
    assert (answer.status, answer.faults()[0]["where"]) == (422, "body")


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
@pytest.mark.parametrize("path", ["/surveys", "/scenes", "/nowhere"])
def test_declared_length_above_the_limit_is_refused_before_reading(ask, method, path):
    def never():
        yield b""
        raise AssertionError("read more than it had to")

    answer = ask(method, path, body=[b"x" * 10], headers=[("content-length", str(50_000_000))])
    assert answer.status == 413
    assert str(LIMIT) in answer.json()["detail"]
    assert answer.header("connection") == "close"


def test_stream_above_the_limit_is_refused_and_the_rest_thrown_away(ask):
    taken = 0

    def chunks():
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b"x" * 1000

    answer = ask("POST", "/surveys", body=chunks())
    assert answer.status == 413
    assert answer.json()["type"] == "urn:samsyn:problem:too-large"
    assert taken == 100


def test_feed_streams_up_to_its_own_limit_and_no_further(ask):
    whole = ask("POST", "/feed", body=[b"x" * 1000] * (FEED_LIMIT // 1000))
    assert (whole.status, whole.json()) == (200, {"chunks": FEED_LIMIT // 1000})
    assert ask("POST", "/feed", body=[b"x" * 1000] * (FEED_LIMIT // 1000 + 1)).status == 413


def test_body_of_exactly_the_limit_is_read(ask):
    start, end = b'{"scene": "a", "comment": "', b'"}'
    body = b'{"scene": "a"}'.ljust(LIMIT)
    assert (len(start + end) < LIMIT, ask("POST", "/surveys", body=body).status) == (True, 200)
    assert ask("POST", "/surveys", body=body + b" ").status == 413


def test_body_on_get_is_ignored(ask):
    assert ask("GET", "/ignores-body", body=b'{"broken').status == 200
    assert ask("GET", "/scenes", body=b'{"broken').status == 200
