import pytest

from api.web.conditional import etag_of

TAG = etag_of(b'{"id":"varberg"}', "application/json")


def test_shared_answer_may_be_asked_about_again(ask):
    answer = ask("GET", "/scenes/varberg")
    assert (answer.status, answer.header("etag")) == (200, TAG)
    assert answer.header("cache-control") == "private, no-cache"
    assert set(answer.header("vary").split(", ")) == {"Authorization", "Accept", "Purpose", "Accept-Language"}
    assert answer.header("content-length") == str(len(answer.body))


def test_protected_answer_has_no_tag_and_is_never_304(ask):
    for asked in ("*", TAG, etag_of(b"{}", "application/json")):
        answer = ask("GET", "/secret", headers=[("Purpose", "prevent-crime"), ("If-None-Match", asked)])
        assert (answer.status, answer.header("etag"), answer.header("cache-control")) == (
            200,
            None,
            "private, no-store",
        )


def test_other_representation_has_another_tag():
    assert len({etag_of(b"1", "application/json"), etag_of(b"1", "text/csv"), etag_of(b"2", "text/csv")}) == 3


@pytest.mark.parametrize("asked", [TAG, f"W/{TAG}", f'"x", {TAG}', f'"a,b" ,W/{TAG} , "c"', "*", " * "])
def test_known_state_is_304_with_the_headers_that_a_cache_needs(ask, asked):
    answer = ask("GET", "/scenes/varberg", headers=[("If-None-Match", asked)])
    assert (answer.status, answer.body) == (304, b"")
    assert answer.header("etag") == TAG
    assert answer.header("cache-control") == "private, no-cache"
    assert answer.header("vary")
    assert answer.header("content-type") is None


def test_if_none_match_may_come_in_two_headers(ask):
    assert ask("GET", "/scenes/varberg", headers=[("If-None-Match", '"x"'), ("If-None-Match", TAG)]).status == 304


@pytest.mark.parametrize(
    "asked", ['"x"', TAG.strip('"'), f"{TAG} {TAG}", f"w/{TAG}", "", ",", f"*, {TAG}", '"' + "x" * 100]
)
def test_other_state_is_answered_in_full(ask, asked):
    assert ask("GET", "/scenes/varberg", headers=[("If-None-Match", asked)]).status == 200


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (None, 428),
        ('"other"', 412),
        (f"W/{TAG}", 412),
        (f'"other", {TAG}', 200),
        (TAG, 200),
        ("*", 200),
        ("unquoted", 412),
        ("", 412),
        (f"{TAG} x", 412),
    ],
)
def test_change_needs_the_state_it_was_made_on(ask, asked, status):
    headers = [] if asked is None else [("If-Match", asked)]
    answer = ask("PATCH", "/scenes/varberg", headers=headers, json_body={"scene": "a"})
    assert answer.status == status
