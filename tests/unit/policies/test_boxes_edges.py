"""Boxes of bits, by example; that they hold what went into them is proven in `test_matrix.py`."""

import pytest

from policies.boxes import bits, joined, packed, runs


@pytest.mark.parametrize(("mask", "places"), [(0, []), (1, [0]), (0b101001, [0, 3, 5]), (1 << 70, [70])])
def test_bits_are_the_places_lowest_first(mask, places):
    assert list(bits(mask)) == places


@pytest.mark.parametrize(
    ("mask", "pieces"),
    [(0, []), (0b1, [0b1]), (0b111, [0b111]), (0b101, [0b1, 0b100]), (0b110011, [0b11, 0b110000])],
)
def test_runs_have_no_gap(mask, pieces):
    assert list(runs(mask)) == pieces


def test_boxes_are_joined_where_the_rest_is_alike():
    boxes = [(1, 1, 1, "a"), (4, 1, 1, "a"), (2, 1, 1, "b"), (1, 2, 1, "a")]
    assert joined(boxes, 0) == [(5, 1, 1, "a"), (2, 1, 1, "b"), (1, 2, 1, "a")]
    assert joined(boxes, 0, ordered=True) == [(1, 1, 1, "a"), (4, 1, 1, "a"), (2, 1, 1, "b"), (1, 2, 1, "a")]
    assert joined(boxes, 1) == [(1, 3, 1, "a"), (4, 1, 1, "a"), (2, 1, 1, "b")]
    assert joined(boxes, 2) == boxes
    assert joined([(1, 1, 1, "a"), (1, 1, 2, "a")], 2) == [(1, 1, 3, "a")]
    with pytest.raises(TypeError):
        joined(boxes, 0, True)


def test_boxes_are_packed_until_there_are_no_fewer():
    cells = [(1 << x, 1 << y, "a") for x in range(3) for y in range(3)]
    assert packed(cells, (0, 1), 1) == packed(iter(cells), (1, 0), 1) == [(7, 7, "a")]
    without_middle = [cell for cell in cells if cell[:2] != (2, 2)]
    assert packed(without_middle, (0, 1), 1) == [(7, 1, "a"), (7, 4, "a"), (5, 2, "a")]
    assert packed(without_middle, (0, 1), 0) == [(7, 5, "a"), (1, 2, "a"), (4, 2, "a")]
    assert packed([], (0, 1), 1) == []


def test_a_second_turn_joins_what_the_first_made_alike():
    # Only once the second dimension is joined are the two alike in it, and the first comes before it in the order.
    boxes = [(1, 1, "a"), (1, 2, "a"), (2, 3, "a")]
    assert packed(boxes, (0, 1), 9) == [(3, 3, "a")]


def test_what_a_gap_parts_is_packed_too():
    assert packed([(1, 0b101, "a"), (2, 0b1, "a")], (0, 1), 1) == [(3, 0b1, "a"), (1, 0b100, "a")]
