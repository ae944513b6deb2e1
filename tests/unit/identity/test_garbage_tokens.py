"""Whatever a stranger puts into the header, the answer is a 401 problem and never another exception."""

import asyncio
import base64
import json
import os
import secrets
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from api.errors import Problem
from api.identity.caller import Caller

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
_OPTIONS = settings(
    max_examples=300,
    deadline=None,
    print_blob=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_claim = st.sampled_from(
    ["iss", "aud", "exp", "iat", "nbf", "jti", "sub", "client_id", "agency", "purposes", "scope", "role", "cnf"]
)
_member = st.sampled_from(["alg", "typ", "kid", "crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc"])


def _outcome(verifier, header):
    """The caller, or None for a 401; anything else that is raised or answered fails the test."""
    try:
        return asyncio.run(verifier.verify(header))
    except Problem as problem:
        refusal = problem
    assert refusal.status_code == 401
    assert refusal.headers["WWW-Authenticate"].isascii()
    return None


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture(autouse=True)
def _show_seed():
    print(f"SAMSYN_TEST_SEED={SEED}")


@seed(SEED)
@_OPTIONS
@given(
    header=st.text() | st.text().map("Bearer {}".format) | st.text("ABCabc.-_=09", max_size=80).map("Bearer {}".format)
)
def test_any_text_is_refused(verifier, header):
    assert _outcome(verifier, header) is None


@seed(SEED)
@_OPTIONS
@given(parts=st.lists(st.binary(max_size=60) | _json.map(lambda value: json.dumps(value).encode()), max_size=6))
def test_any_parts_are_refused(verifier, parts):
    assert _outcome(verifier, "Bearer " + ".".join(_b64(part) for part in parts)) is None


@seed(SEED)
@_OPTIONS
@given(members=st.dictionaries(_member, _json, min_size=1, max_size=4))
def test_any_header_behind_a_good_signature_gives_401_or_the_same_caller(verifier, forge, members):
    token = forge.token(header=forge.header(**members))
    good = _outcome(verifier, "Bearer " + forge.token())
    assert _outcome(verifier, f"Bearer {token}") in (None, good)
    if {"alg", "typ", "kid", "crit"} & members.keys():
        assert _outcome(verifier, f"Bearer {token}") is None


@seed(SEED)
@_OPTIONS
@given(changes=st.dictionaries(_claim, _json, min_size=1, max_size=4))
def test_any_claims_behind_a_good_signature_give_401_or_a_well_typed_caller(verifier, forge, changes):
    caller = _outcome(verifier, "Bearer " + forge.token(forge.claims(**changes)))
    if caller is not None:
        assert isinstance(caller, Caller)
        assert not {"iss", "aud", "cnf"} & changes.keys()
        for text in (caller.agency, caller.client_id, caller.subject, *caller.purposes, caller.role or "x"):
            assert text
            assert text.encode()
            assert "\x00" not in text


@seed(SEED)
@_OPTIONS
@given(data=st.data())
def test_any_single_changed_character_is_refused(verifier, forge, data):
    token = forge.token()
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda character: character != token[place]))
    assert _outcome(verifier, f"Bearer {token[:place]}{other}{token[place + 1 :]}") is None


def test_the_untouched_token_is_accepted(verifier, forge):
    """Without this the tests above would pass on a verifier that refuses everything."""
    forge.clock.now = datetime(2026, 1, 1, tzinfo=UTC)
    assert _outcome(verifier, "Bearer " + forge.token()) is not None
