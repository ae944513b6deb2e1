"""What makes two requests the same, and two keys the same."""

import json

from hypothesis import given
from hypothesis import strategies as st

from api.store.idempotency import KeyOwner
from api.web.idempotency import fingerprint

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=6)


@given(JSON)
def test_spelling_of_a_body_does_not_matter(value):
    again = json.loads(json.dumps(value, indent=3, ensure_ascii=True))
    assert fingerprint("POST", "/a", again) == fingerprint("POST", "/a", value)


@given(JSON, JSON)
def test_other_values_are_other_requests(one, other):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (fingerprint("POST", "/a", one) == fingerprint("POST", "/a", other)) == same


def test_method_and_path_belong_to_the_request():
    marks = {fingerprint(method, path, {}) for method in ("POST", "PUT") for path in ("/a", "/b")}
    assert len(marks) == 4


@given(st.tuples(NAMES, NAMES, NAMES), st.tuples(NAMES, NAMES, NAMES))
def test_each_owner_of_a_key_has_a_lock_of_its_own(one, other):
    assert (KeyOwner(*one).lock() == KeyOwner(*other).lock()) == (one == other)
    assert -(2**63) <= KeyOwner(*one).lock() < 2**63


def test_lock_does_not_run_agency_client_and_key_together():
    assert KeyOwner("a", "bc", "d").lock() != KeyOwner("ab", "c", "d").lock()
