"""Calendar periods: Swedish midnights, no overlap within a granularity, every overlap across them."""

from datetime import UTC, date, datetime

import pytest

from api.reports.periods import Period

ALL_OF_2026 = ["2026", *(f"2026-Q{q}" for q in range(1, 5)), *(f"2026-{m:02}" for m in range(1, 13))]


@pytest.mark.parametrize(
    ("label", "start", "until"),
    [
        ("2026", date(2026, 1, 1), date(2027, 1, 1)),
        ("2026-Q4", date(2026, 10, 1), date(2027, 1, 1)),
        ("2024-02", date(2024, 2, 1), date(2024, 3, 1)),
        ("2026-12", date(2026, 12, 1), date(2027, 1, 1)),
    ],
)
def test_a_period_runs_from_its_first_day_to_the_first_day_after_it(label, start, until):
    period = Period.parse(label)
    assert (period.start, period.until, period.label) == (start, until, label)


def test_a_period_turns_at_swedish_midnight_in_winter_and_in_summer():
    first, after = Period.parse("2026-Q2").instants()
    assert first.astimezone(UTC) == datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert after.astimezone(UTC) == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert Period.parse("2026").instants()[0].astimezone(UTC) == datetime(2025, 12, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize("label", ALL_OF_2026)
def test_overlapping_labels_are_exactly_those_that_share_a_day(label):
    months = {
        "2026": range(1, 13),
        **{f"2026-Q{q}": range(3 * q - 2, 3 * q + 1) for q in range(1, 5)},
        **{f"2026-{m:02}": [m] for m in range(1, 13)},
    }
    expected = {other for other in ALL_OF_2026 if set(months[other]) & set(months[label])}
    assert set(Period.parse(label).overlapping()) == expected


@pytest.mark.parametrize(("label", "before"), [("2026", "2025"), ("2026-Q3", "2025-Q3"), ("2024-02", "2023-02")])
def test_the_year_before_keeps_the_part_of_the_year(label, before):
    assert Period.parse(label).year_before() == Period.parse(before)
