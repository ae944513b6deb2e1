"""Editions are checked against those before them, so that none gives away what another hides."""

import pytest

from api.errors import Problem
from api.protection.suppress import Cell, Shown
from api.protection.threshold import THRESHOLDS
from api.reports import editions
from api.reports.building import CATEGORIES, HOUR_BANDS, IncidentCount, exact_cells, protected_tables, trend
from api.reports.building import what as what_of
from api.reports.building import when as when_of
from api.reports.editions import Edition
from api.reports.periods import Period

THRESHOLD = THRESHOLDS[0]


class Scene:
    symptoms = ()
    setting = "city"


def counted(**categories):
    """Incidents by category, all on Mondays before noon."""
    return [IncidentCount(name.replace("_", "-"), 1, 1, count) for name, count in categories.items()]


def edition(label, counts, *, number=1, provisional=False, previous=None):
    period = Period.parse(label)
    tables = protected_tables(counts, THRESHOLD, {})
    return Edition(
        period,
        number,
        what_of(Scene, tables),
        when_of(tables, period.start, period.until, provisional=provisional),
        trend(tables.total, period.year_before().label, previous, provisional=provisional),
    )


@pytest.mark.parametrize(("published", "wanted"), [("2026", "2026-Q3"), ("2026-Q1", "2026-12"), ("2026-05", "2026")])
def test_a_scene_keeps_one_granularity_within_a_year(published, wanted):
    with pytest.raises(Problem) as refused:
        editions.check_granularity([edition(published, counted(theft=9))], Period.parse(wanted))
    assert refused.value.status_code == 409
    assert published in refused.value.detail


def test_another_year_or_the_same_granularity_does_not_bind():
    published = [edition("2026-Q1", counted(theft=9)), edition("2025", counted(theft=9))]
    editions.check_granularity(published, Period.parse("2026-Q2"))
    editions.check_granularity(published, Period.parse("2027"))


def test_a_total_shown_in_the_next_years_trend_binds_the_year_before():
    shown = edition("2026-Q3", counted(theft=9), previous=Shown(20))
    hidden = edition("2026-Q3", counted(theft=9), previous=Shown(None))
    editions.check_granularity([hidden], Period.parse("2025"))
    with pytest.raises(Problem):
        editions.check_granularity([shown], Period.parse("2025"))
    assert not editions.may_show_year_before([edition("2025", counted(theft=9))], Period.parse("2026-Q3"))


def test_a_cell_hidden_once_stays_hidden():
    first = edition("2026-Q3", counted(theft=2, disorder=7, vandalism=40))
    hidden = {cell["category"] for cell in first.what["incidents"] if cell["hidden"]}
    later = exact_cells(counted(theft=9, disorder=7, vandalism=40))
    assert editions.keep_hidden([first], Period.parse("2026-Q3"), later, 4)["category"] == hidden
    assert {"theft", "disorder"} <= hidden


def test_an_edition_whose_total_is_hidden_binds_nothing():
    first = edition("2026-Q3", counted(theft=3))
    later = exact_cells(counted(theft=30))
    assert editions.keep_hidden([first], Period.parse("2026-Q3"), later, 4) == {"category": set(), "time": set()}


def test_what_came_since_a_provisional_edition_is_hidden_where_it_is_little():
    first = edition("2026-Q3", counted(theft=20, disorder=30), provisional=True)
    later = exact_cells(counted(theft=22, disorder=50))
    assert editions.keep_hidden([first], Period.parse("2026-Q3"), later, 4)["category"] == {"theft"}


@pytest.mark.parametrize("theft", [19, 21, 24])
def test_a_running_period_waits_until_more_has_come(theft):
    first = edition("2026-Q3", counted(theft=20), provisional=True)
    with pytest.raises(Problem) as refused:
        editions.keep_hidden([first], Period.parse("2026-Q3"), exact_cells(counted(theft=theft)), 4)
    assert refused.value.status_code == 409


def test_a_small_correction_of_an_ended_period_goes_out():
    first = edition("2026-Q3", counted(theft=20))
    kept = editions.keep_hidden([first], Period.parse("2026-Q3"), exact_cells(counted(theft=19)), 4)
    assert not any(kept.values())


def test_both_breakdowns_hold_every_cell_of_the_catalogue_and_the_same_total():
    cells = exact_cells(counted(theft=9, narcotics=8))
    assert [cell.key for cell in cells["category"]] == list(CATEGORIES)
    assert len(cells["time"]) == 7 * len(HOUR_BANDS)
    assert sum(cell.count for cell in cells["category"]) == sum(cell.count for cell in cells["time"]) == 17
    assert Cell((1, "06-12"), 17) in cells["time"]


@pytest.mark.parametrize(
    ("total", "previous", "provisional", "change"),
    [(30, Shown(20), False, 10), (30, Shown(None), False, None), (None, Shown(20), False, None),
     (30, None, False, None), (30, Shown(20), True, None)],
)  # fmt: skip
def test_change_stands_only_between_two_shown_totals_of_whole_periods(total, previous, provisional, change):
    assert trend(Shown(total), "2025-Q3", previous, provisional=provisional)["change"] == change
