"""What a caller may do follows from scopes and, for deciding, from being a person."""

import pytest

from api.errors import Problem
from api.identity.caller import SCOPES, Caller


def caller(scopes, *, subject="client", role=None):
    return Caller("polismyndigheten", "client", subject, role, frozenset(), frozenset(scopes))


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_missing_scope_is_refused_by_name(scope):
    with pytest.raises(Problem) as caught:
        caller(SCOPES - {scope}, subject="officer-7", role="officer").require(scope)
    problem = caught.value
    assert problem.status_code == 403
    assert problem.kind.slug == "forbidden"
    assert scope in problem.detail
    assert problem.faults[0].hint
    assert problem.headers is not None
    assert f'error="insufficient_scope", scope="{scope}"' in problem.headers["WWW-Authenticate"]


@pytest.mark.parametrize("scope", sorted(SCOPES - {"disclosure:decide"}))
def test_machine_with_the_scope_may_do_all_but_decide(scope):
    caller({scope}).require(scope)


@pytest.mark.parametrize(
    ("subject", "role", "allowed"),
    [("client", None, False), ("client", "officer", False), ("officer-7", None, False), ("officer-7", "officer", True)],
)
def test_only_a_person_with_a_role_decides(subject, role, allowed):
    decider = caller({"disclosure:decide"}, subject=subject, role=role)
    if allowed:
        decider.require("disclosure:decide")
        return
    with pytest.raises(Problem) as caught:
        decider.require("disclosure:decide")
    assert caught.value.status_code == 403
    assert "person" in caught.value.detail


def test_unknown_scope_opens_for_nobody():
    with pytest.raises(Problem):
        caller(SCOPES).require("write:everything")


def test_caller_cannot_be_changed():
    with pytest.raises(AttributeError):
        caller({"read"}).agency = "tullverket"
