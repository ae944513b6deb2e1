import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.paging import MAX_LIMIT, MAX_PAGE, Page, check_url_base, link_header, links, meta, meta_and_links

BASE = "https://samsyn.example/samsyn/v1/scenes"


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "limit=0",
        "limit=101",
        "limit=10000",
        "page=99999999999999999999",
        f"page={MAX_PAGE + 1}",
        "page=1,5",
        "page=1.5",
        "page=",
        "page=%D9%A1",
        "page=1_0",
        "page=%201",
        "page=0x1",
    ],
)
def test_page_outside_the_bounds_is_refused(ask, query):
    answer = ask("GET", f"/scenes?{query}")
    assert answer.status == 422
    assert answer.faults()[0]["where"] == f"query.{query.partition('=')[0]}"


@pytest.mark.parametrize(("query", "expected"), [("", [0, 20]), ("page=3&limit=7", [14, 7]), ("page=2.0", [20, 20])])
def test_page_gives_offset_and_limit(ask, query, expected):
    assert ask("GET", f"/scenes?{query}").json() == expected


def test_greatest_offset_fits_a_bigint():
    assert Page(MAX_PAGE, MAX_LIMIT).offset + MAX_LIMIT < 2**63


@pytest.mark.parametrize(
    ("page", "total", "expected"),
    [
        (Page(1), 0, {"self": 1, "first": 1, "last": 1}),
        (Page(1), 20, {"self": 1, "first": 1, "last": 1}),
        (Page(1), 21, {"self": 1, "first": 1, "last": 2, "next": 2}),
        (Page(2), 63, {"self": 2, "first": 1, "last": 4, "next": 3, "prev": 1}),
        (Page(4), 63, {"self": 4, "first": 1, "last": 4, "prev": 3}),
        (Page(9), 63, {"self": 9, "first": 1, "last": 4, "prev": 4}),
        (Page(5), 0, {"self": 5, "first": 1, "last": 1, "prev": 1}),
    ],
)
def test_links_lead_to_pages_that_exist(page, total, expected):
    found = links(BASE, [], page, total)
    assert {rel: link["href"] for rel, link in found.items()} == {
        rel: f"{BASE}?page={number}&limit=20" for rel, number in expected.items()
    }
    assert all((link["rel"], link["method"]) == (rel, "GET") for rel, link in found.items())


_TEXT = st.text(st.characters(codec="utf-8"), max_size=8)


@given(
    st.lists(st.tuples(_TEXT, _TEXT), max_size=5),
    st.integers(1, MAX_PAGE),
    st.integers(1, MAX_LIMIT),
    st.integers(0, 10_000),
)
def test_every_face_of_the_links_says_the_same_and_keeps_the_other_parameters(query, number, limit, total):
    from urllib.parse import parse_qsl, urlsplit

    page = Page(number, limit)
    found = links(BASE, query, page, total)
    rendered = json.loads(b"{" + meta_and_links(BASE, query, page, total=total, count=0, disclosure=b'{"a":1}') + b"}")
    assert rendered == {"_meta": meta(page, total=total, count=0, disclosure={"a": 1}), "_links": found}
    kept = [(name, value) for name, value in query if name not in {"page", "limit"}]
    for link in found.values():
        pairs = parse_qsl(urlsplit(link["href"]).query, keep_blank_values=True)
        assert pairs[:-2] == [pair for pair in kept if pair != ("", "")] or pairs[:-2] == kept
        assert [name for name, _ in pairs[-2:]] == ["page", "limit"]
    header = link_header(BASE, query, page, total)
    assert header.isascii()
    assert header == ", ".join(f'<{link["href"]}>; rel="{rel}"' for rel, link in found.items())


def test_address_that_could_break_out_of_json_is_refused():
    check_url_base("https://samsyn.example/samsyn/v1")
    for bad in ('https://x/"', "https://x/\\", "https://x/?a", "https://x/<", "https://x/å"):
        with pytest.raises(ValueError, match="plain URL"):
            check_url_base(bad)
