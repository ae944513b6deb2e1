"""Pseudonyms: stable towards one recipient, and of no use to two who lay them side by side."""

import os
import secrets
import uuid
from itertools import combinations, product

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from api.individuals.pseudonyms import person_key, pseudonym

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
print(f"SAMSYN_TEST_SEED={SEED}")

KEY = bytes(range(32))
NUMBER = "191212121212"
HOLDERS = ("skarholmen-socialtjanst", "sodermalm-socialtjanst")
RECIPIENTS = ("polismyndigheten", "tullverket", "lansstyrelsen-stockholm")
names = st.text(min_size=1, max_size=12)


def of(recipient: str, holder: str, number: str = NUMBER, key: bytes = KEY) -> str:
    return pseudonym(key, recipient, holder, person_key(key, holder, number))


def test_same_person_has_the_same_pseudonym_towards_one_recipient_for_ever():
    # Written down: another value would be another name for every person in every recipient's statistics.
    assert of("polismyndigheten", HOLDERS[0]) == "fepl4xobguadpr4fxmoi76f4y"


def test_two_recipients_and_two_holders_never_share_one():
    found = {of(recipient, holder) for recipient, holder in product(RECIPIENTS, HOLDERS)}
    assert len(found) == len(RECIPIENTS) * len(HOLDERS)


def test_person_key_of_two_holders_differs_so_their_rows_cannot_be_joined():
    assert person_key(KEY, HOLDERS[0], NUMBER) != person_key(KEY, HOLDERS[1], NUMBER)


def test_another_key_gives_other_pseudonyms():
    assert of(RECIPIENTS[0], HOLDERS[0]) != of(RECIPIENTS[0], HOLDERS[0], key=bytes(32))


def test_row_without_an_identity_number_has_a_pseudonym_of_its_own():
    one, other = uuid.UUID(int=1), uuid.UUID(int=2)
    said = {pseudonym(KEY, recipient, HOLDERS[0], row) for recipient in RECIPIENTS for row in (one, other)}
    assert len(said) == 2 * len(RECIPIENTS)
    assert pseudonym(KEY, RECIPIENTS[0], HOLDERS[0], one) == pseudonym(KEY, RECIPIENTS[0], HOLDERS[0], one)


def test_row_cannot_be_taken_for_a_person():
    row = uuid.UUID(int=7)
    assert pseudonym(KEY, "a", "b", row) != pseudonym(KEY, "a", "b", row.bytes)


def test_pseudonym_says_nothing_of_the_number():
    assert NUMBER not in of(RECIPIENTS[0], HOLDERS[0])
    near = [of(RECIPIENTS[0], HOLDERS[0], f"19121212121{last}") for last in range(10)]
    for one, other in combinations(near, 2):
        assert sum(a == b for a, b in zip(one, other, strict=True)) < len(one) // 2


@seed(SEED)
@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(st.tuples(names, names, names), min_size=2, max_size=12, unique=True))
def test_no_two_of_recipient_holder_and_person_spell_alike(triples):
    found = {of(recipient, holder, number) for recipient, holder, number in triples}
    assert len(found) == len(triples)
