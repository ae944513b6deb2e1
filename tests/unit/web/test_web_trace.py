import re

import pytest

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
OWN = "0102030405060708090a0b0c0d0e0f10"


def parts(answer):
    match = re.fullmatch("00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})", answer.header("traceparent"))
    return match.groups()


@pytest.mark.parametrize("version", ["00", "01", "cc"])
def test_trace_of_the_caller_is_continued_under_a_new_span(ask, version):
    trace, span, flags = parts(ask("GET", "/scenes", headers=[("traceparent", f"{version}-{TRACE}-{SPAN}-03")]))
    assert (trace, flags) == (TRACE, "01")
    assert span != SPAN


def test_later_version_may_be_longer(ask):
    assert parts(ask("GET", "/scenes", headers=[("traceparent", f"01-{TRACE}-{SPAN}-00-what")]))[0] == TRACE


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "nonsense",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-0g",
        f"01-{TRACE}-{SPAN}-00what",
    ],
)
def test_malformed_trace_is_replaced_by_an_own(ask, sent):
    assert parts(ask("GET", "/scenes", headers=[("traceparent", sent)]))[0] == OWN


def test_two_traces_are_none(ask):
    header = ("traceparent", f"00-{TRACE}-{SPAN}-01")
    assert parts(ask("GET", "/scenes", headers=[header, header]))[0] == OWN


@pytest.mark.parametrize("target", ["/scenes", "/nowhere", "/crash", "/scenes?%ff", "/page", "/half"])
def test_every_answer_carries_trace_security_headers_and_a_cache_rule(ask, target):
    answer = ask("GET", target)
    assert parts(answer)
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("referrer-policy") == "no-referrer"
    assert "max-age" in answer.header("strict-transport-security")
    assert "frame-ancestors 'none'" in answer.header("content-security-policy")
    assert answer.header("cache-control") in {"private, no-store", "private, no-cache"}


def test_cache_rule_of_the_answer_is_kept_and_silence_means_no_store(ask):
    assert ask("GET", "/scenes").header("cache-control") == "private, no-cache"
    assert ask("GET", "/ignores-body").header("cache-control") == "private, no-store"


def test_page_may_load_its_own_parts_and_nothing_else(ask):
    policy = ask("GET", "/page").header("content-security-policy")
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert "http" not in policy
