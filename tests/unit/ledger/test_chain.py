"""The chain: whatever is done to a stored run of leaves shows."""

from dataclasses import replace
from uuid import UUID

import pytest

from api.ledger.chain import GENESIS, ChainedLeaf, canonical, first_fault, leaf_hash


def run(length: int) -> list[ChainedLeaf]:
    leaves, previous = [], GENESIS
    for seq in range(1, length + 1):
        given = {"receipt": UUID(int=seq), "at_us": seq * 10, "salt": bytes([seq]) * 16}
        entry = canonical({"agency": "polismyndigheten", "number": seq})
        digest = leaf_hash(previous=previous, seq=seq, entry=entry, **given)
        leaves.append(ChainedLeaf(seq=seq, entry=entry, previous=previous, hash=digest, **given))
        previous = digest
    return leaves


@pytest.mark.parametrize("length", [0, 1, 5])
def test_untouched_run_holds(length):
    assert first_fault(run(length)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"entry": canonical({"agency": "tullverket", "number": 3})},
        {"at_us": 31},
        {"salt": b"x" * 16},
        {"receipt": UUID(int=99)},
        {"hash": b"0" * 32},
        {"previous": b"0" * 32},
    ],
    ids=str,
)
def test_changed_leaf_shows(change):
    leaves = run(5)
    leaves[2] = replace(leaves[2], **change)
    assert first_fault(leaves) is not None


def test_removed_leaf_shows():
    leaves = run(5)
    del leaves[2]
    assert "3 is missing" in (first_fault(leaves) or "")


def test_reordered_pair_shows():
    leaves = run(5)
    leaves[1], leaves[2] = leaves[2], leaves[1]
    assert first_fault(leaves) is not None


def test_entry_rewritten_with_its_own_hash_shows_in_the_next_leaf():
    leaves = run(5)
    entry = canonical({"agency": "tullverket", "number": 3})
    old = leaves[2]
    given = {"seq": old.seq, "at_us": old.at_us, "receipt": old.receipt, "salt": old.salt}
    leaves[2] = replace(old, entry=entry, hash=leaf_hash(previous=old.previous, entry=entry, **given))
    assert first_fault(leaves) == "leaf 4 does not follow the leaf before it"


def test_spelling_of_an_entry_does_not_depend_on_the_order_of_its_members():
    assert canonical({"a": 1, "b": "å"}) == canonical({"b": "å", "a": 1}) == '{"a":1,"b":"å"}'
