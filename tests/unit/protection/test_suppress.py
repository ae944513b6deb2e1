"""No hidden count can be worked out from what is published, not even by one who runs the same code."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.protection.suppress import Cell, hide_small, protect, protect_linked
from tests.unit.protection.audit import who_knows_the_threshold, who_runs_the_code

SMALL = {1, 2, 3, 4}


def publish(counts, threshold=4, keep_hidden=()):
    cells = [Cell(place, count) for place, count in enumerate(counts)]
    answer = protect(cells, total=sum(counts), threshold=threshold, keep_hidden=keep_hidden)
    return tuple(shown.count for shown in answer.cells.values()), answer.total.count


tables = st.lists(st.integers(0, 8), min_size=1, max_size=5)


@settings(max_examples=300, deadline=None, print_blob=True)
@given(tables)
@example([2])
@example([1, 1])
@example([1, 1, 0])
@example([3, 9, 9])
@example([1, 1, 1, 1, 1])
@example([4, 4, 4, 4])
def test_every_hidden_cell_can_hold_every_small_count(counts):
    published, total = publish(counts)
    if None not in published:
        return
    # Empty cells are hidden only where all are, so only then can a hidden count be zero.
    low = 0 if set(published) == {None} else 1
    possible = who_knows_the_threshold(published, total, 4, low=low)
    for place, count in enumerate(published):
        if count is None:
            assert possible[place] >= SMALL, (counts, published, total, possible)
            assert counts[place] in possible[place] or total is None


@settings(max_examples=300, deadline=None, print_blob=True)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=28), st.integers(3, 9))
def test_what_is_shown_is_exact_and_never_small(counts, threshold):
    published, total = publish(counts, threshold)
    for exact, shown in zip(counts, published, strict=True):
        assert shown in (exact, None)
        assert shown is None or shown == 0 or shown > threshold
    assert total in (sum(counts), None)
    if total is None:
        assert set(published) == {None}
    assert published.count(None) != 1 or total is None


@pytest.mark.parametrize("threshold", [3, 4, 5])
@pytest.mark.parametrize(("cells", "largest_total"), [(1, 30), (2, 30), (3, 24), (4, 22), (5, 13)])
def test_one_who_runs_the_code_on_every_table_learns_no_hidden_count(cells, largest_total, threshold):
    small = set(range(threshold + 1))
    publications = who_runs_the_code(lambda counts: publish(counts, threshold), cells, largest_total)
    for (published, total), behind in publications.items():
        for shown, possible in zip(published, behind, strict=True):
            if shown is None:
                # Which cells cover is chosen by size, which may rule out one small count, never two.
                assert len(possible & small) >= threshold - 1, (published, total, possible)


@pytest.mark.parametrize("counts", [(0, 0), (7, 9), (5, 0, 6), (0,), (5,)])
def test_a_table_without_small_counts_is_shown_whole(counts):
    assert publish(counts) == (counts, sum(counts))


@pytest.mark.parametrize("counts", [(1,), (0, 3), (2, 2, 0), (4, 0, 0)])
def test_a_small_total_hides_everything(counts):
    assert publish(counts) == ((None,) * len(counts), None)


def test_a_single_small_count_is_covered_by_the_smallest_that_covers_it():
    assert publish((2, 30, 7, 0, 50)) == ((None, 30, None, 0, 50), 89)


def test_two_small_counts_that_sum_to_two_are_not_left_alone():
    published, total = publish((1, 1, 9, 20))
    assert published == (None, None, None, 20)
    assert total == 31


def test_empty_cells_are_hidden_only_with_all_others():
    published, total = publish((1, 1, 1, 1, 1, 0, 0, 0))
    assert set(published) == {None}
    assert total == 5


def test_a_flat_table_without_room_for_an_empty_cell_hides_its_total_too():
    assert publish((1, 2, 2)) == ((None, None, None), None)


def test_a_cell_hidden_once_stays_hidden_and_is_covered():
    published, total = publish((20, 30, 7), keep_hidden={0})
    assert published[0] is None
    assert published.count(None) >= 2
    assert total == 57


def test_hidden_cells_look_alike_whatever_they_are_hidden_for():
    answer = protect([Cell("a", 2), Cell("b", 6), Cell("c", 40)], total=48)
    assert answer.cells["a"].as_json() == answer.cells["b"].as_json() == {"count": None, "hidden": True}
    assert answer.cells["c"].as_json() == {"count": 40, "hidden": False}


def test_without_a_total_only_small_counts_are_hidden():
    answer = protect([Cell("a", 2), Cell("b", 6), Cell("c", 0)], total=None)
    assert [shown.count for shown in answer.cells.values()] == [None, 6, 0]
    assert answer.total is None


counts_of_28 = st.lists(st.integers(0, 3), min_size=28, max_size=28)


@settings(max_examples=200, deadline=None, print_blob=True)
@given(counts_of_28, st.integers(1, 11))
def test_linked_tables_hide_their_total_together_or_not_at_all(times, parts):
    total = sum(times)
    split = [total // parts + (1 if place < total % parts else 0) for place in range(parts)]
    cells = {
        "time": [Cell(place, count) for place, count in enumerate(times)],
        "category": [Cell(place, count) for place, count in enumerate(split)],
    }
    answer = protect_linked(cells, total=total)
    assert answer["time"].total == answer["category"].total
    if answer["time"].nothing_shown:
        assert all(shown.count is None for table in answer.values() for shown in table.cells.values())


def test_a_plain_list_keeps_its_members_and_hides_small_counts():
    shown = hide_small([{"group": "a", "count": 3}, {"group": "b", "count": 5}, {"group": "c", "count": 0}])
    assert shown == [
        {"group": "a", "count": None, "hidden": True},
        {"group": "b", "count": 5, "hidden": False},
        {"group": "c", "count": 0, "hidden": False},
    ]


@pytest.mark.parametrize(
    ("cells", "total"),
    [([Cell("a", -1)], -1), ([Cell("a", 5), Cell("a", 6)], 11), ([Cell("a", 5)], 6)],
)
def test_a_table_that_does_not_hold_together_is_refused(cells, total):
    with pytest.raises(ValueError, match=r"count|key|total"):
        protect(cells, total=total)


def test_a_threshold_too_low_to_hide_anything_is_refused():
    with pytest.raises(ValueError, match="threshold"):
        publish((1, 1), threshold=2)
