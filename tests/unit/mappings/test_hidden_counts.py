"""What is served of counts of persons."""

from hypothesis import given
from hypothesis import strategies as st

from api.mappings.schemas import AffectedIn
from api.mappings.service import shown


@given(st.lists(st.integers(0, 10_000) | st.integers(0, 6), max_size=20))
def test_one_to_four_are_hidden_and_all_else_is_shown(counts: list[int]):
    entries = [AffectedIn.model_validate({"group": f"g{nth}", "count": count}) for nth, count in enumerate(counts)]
    served = shown(entries)
    assert [entry["group"] for entry in served] == [f"g{nth}" for nth in range(len(counts))]
    for entry, count in zip(served, counts, strict=True):
        assert entry["hidden"] == (1 <= count <= 4)
        assert entry["count"] == (None if entry["hidden"] else count)
