"""A leaf commits to each part by itself: one is checked without the others, and a changed one does not open it."""

import hashlib
import itertools
import json
import secrets
from dataclasses import replace
from uuid import UUID

import pytest

from api.ledger.leaves import Leaf, arranged, as_stored, canonical, commitment, opens

ENTRIES = [canonical({"agency": name, "kind": "answer"}) for name in ("polis", "vård", "skola", "tull", "kriminalvård")]
SALTS = [bytes([number]) * 32 for number in range(1, 6)]


def drawing():
    numbers = itertools.count()
    return lambda: hashlib.sha256(b"draw %d" % next(numbers)).digest()


def leaf_of(count):
    """A leaf of so many parts, and its content."""
    pairs = zip(SALTS, ENTRIES[:count], strict=False)
    content = arranged([commitment(salt, entry) for salt, entry in pairs], drawing())
    return Leaf(index=7, at_us=1_700_000_000_123_456, receipt=UUID(int=5), content_root=content.root), content


def test_leaf_is_spelt_as_published():
    # Reckoned here from the description alone, so that whoever verifies may do the same in another language.
    def sha(*parts):
        return hashlib.sha256(b"".join(parts)).digest()

    leaf, content = leaf_of(1)
    inside = sha(b"samsyn part v2\0", SALTS[0], ENTRIES[0].encode())
    assert content.values[content.slots[0]] == inside
    low = [sha(b"\0", value) for value in content.values]
    root = sha(b"\1", sha(b"\1", low[0], low[1]), sha(b"\1", low[2], low[3]))
    body = (1_700_000_000_123_456).to_bytes(8, "big") + bytes(15) + b"\5" + root
    assert leaf.hash == sha(b"\0", body)


@pytest.mark.parametrize("count", range(1, 6))
def test_every_part_opens_the_leaf_by_itself(count):
    leaf, content = leaf_of(count)
    for nth, slot in enumerate(content.slots):
        assert opens(leaf, slot=slot, salt=SALTS[nth], entry=ENTRIES[nth], way_up=content.way_up(slot))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_way_up_is_as_long_for_one_part_as_for_four(count):
    _, content = leaf_of(count)
    assert len(content.way_up(content.slots[0])) == 2
    assert len(content.padding) == 4 - count


def test_part_that_was_changed_does_not_open_the_leaf():
    leaf, content = leaf_of(3)
    slot, way_up = content.slots[1], content.way_up(content.slots[1])
    right = {"slot": slot, "salt": SALTS[1], "entry": ENTRIES[1], "way_up": way_up}
    assert opens(leaf, **right)
    changed = [
        {"entry": ENTRIES[0]},
        {"entry": json.dumps(json.loads(ENTRIES[1]))},
        {"salt": SALTS[0]},
        {"salt": b""},
        {"slot": slot ^ 1},
        {"slot": -1},
        {"slot": 4},
        {"way_up": way_up[::-1]},
        {"way_up": way_up[:1]},
        {"way_up": [*way_up, way_up[0]]},
    ]
    assert [change for change in changed if opens(leaf, **right | change)] == []
    assert not opens(replace(leaf, content_root=SALTS[0]), **right)


def test_bytes_cannot_move_between_salt_and_entry():
    # The salt has one length, so no two pairs are spelt alike.
    leaf, content = leaf_of(1)
    moved = {"salt": SALTS[0] + ENTRIES[0][:1].encode(), "entry": ENTRIES[0][1:]}
    assert commitment(**moved) == commitment(SALTS[0], ENTRIES[0])
    assert not opens(leaf, slot=content.slots[0], way_up=content.way_up(content.slots[0]), **moved)


def test_content_is_put_together_from_what_is_stored():
    for count in range(1, 6):
        _, content = leaf_of(count)
        parts = {slot: content.values[slot] for slot in content.slots}
        assert as_stored(parts, content.padding).values == content.values


@pytest.mark.parametrize(
    ("slots", "padding"), [([0], 2), ([0], 4), ([4], 3), ([-1], 3), ([], 0), ([0, 9], 2), ([0, 1], 1)], ids=str
)
def test_stored_content_that_cannot_be_is_refused(slots, padding):
    with pytest.raises(ValueError, match="do not make up"):
        as_stored(dict.fromkeys(slots, SALTS[0]), SALTS[:padding])


@pytest.mark.parametrize("count", range(1, 10))
def test_places_and_padding_come_from_chance_alone(count):
    commitments = [bytes([number]) * 32 for number in range(count)]
    content = arranged(commitments, drawing())
    assert [content.values[slot] for slot in content.slots] == commitments
    assert len(set(content.slots)) == count
    assert len(set(content.values)) == len(content.values) == max(4, 1 << (count - 1).bit_length())


def test_every_place_is_taken_about_equally_often():
    # 4 000 throws: one place that is never, or always, taken would be seen at once.
    seen = [arranged([b"x" * 32], lambda: secrets.token_bytes(32)).slots[0] for _ in range(4000)]
    assert all(800 < seen.count(slot) < 1200 for slot in range(4))


def test_spelling_of_an_entry_does_not_depend_on_the_order_of_its_members():
    assert canonical({"a": 1, "b": "å"}) == canonical({"b": "å", "a": 1}) == '{"a":1,"b":"å"}'
