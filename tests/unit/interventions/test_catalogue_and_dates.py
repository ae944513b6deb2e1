"""The method catalogue is whole, and the dates of an intervention agree with its status."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.interventions.catalogue import catalogue
from api.interventions.schemas import PERIOD_PATTERN, GivenIn
from api.interventions.service import date_faults, period_start
from api.web.datatypes import SLUG_PATTERN

TODAY = date(2026, 11, 20)


def test_catalogue_has_the_methods_of_the_folder():
    kinds = [method["type"] for method in catalogue()]
    assert (kinds.count("situational"), kinds.count("social")) == (15, 10)


def test_catalogue_names_each_method_once_and_cleanly():
    for column in ("slug", "name", "name_en"):
        values = [method[column] for method in catalogue()]
        assert len(set(values)) == len(values)
    for method in catalogue():
        assert re.fullmatch(SLUG_PATTERN, method["slug"])
        assert len(method["slug"]) <= 64
        # No letter of another alphabet, no soft hyphen, no doubled space: the seeds are dirty.
        assert re.fullmatch(r"[A-Za-zÅÄÖåäö0-9 ,-]+", method["name"])
        assert "  " not in method["name"]
        assert method["name"] == method["name"].strip()
        assert method["source"]


@pytest.mark.parametrize(
    ("period", "first"),
    [
        ("2026", date(2026, 1, 1)),
        ("2026-Q1", date(2026, 1, 1)),
        ("2026-Q3", date(2026, 7, 1)),
        ("2026-Q4", date(2026, 10, 1)),
        ("2026-01", date(2026, 1, 1)),
        ("2026-12", date(2026, 12, 1)),
    ],
)
def test_period_begins_on_the_first_day_of_year_quarter_or_month(period, first):
    assert period_start(period) == first


@given(st.from_regex(PERIOD_PATTERN.removesuffix("$") + r"\Z"))
def test_every_period_of_the_schema_has_a_first_day(period: str):
    assert period_start(period).isoformat().startswith(period[:4])


def given_with(status: str, started: date | None, ended: date | None) -> GivenIn:
    dates = {"startedOn": started and started.isoformat(), "endedOn": ended and ended.isoformat()}
    return GivenIn.model_validate({"intervention": "mumin", "status": status} | dates)


DAYS = st.none() | st.integers(-3, 3).map(lambda days: TODAY + timedelta(days=days))


@given(st.sampled_from(["planned", "ongoing", "ended"]), DAYS, DAYS)
def test_dates_are_accepted_exactly_where_they_agree_with_the_status(status, started, ended):
    accepted = not list(date_faults(given_with(status, started, ended), "body", TODAY))
    in_order = started is None or ended is None or started <= ended
    begun = started is None or started <= TODAY
    agrees = {
        "planned": ended is None or ended >= TODAY,
        "ongoing": begun and (ended is None or ended >= TODAY),
        "ended": begun and ended is not None and ended <= TODAY,
    }
    assert accepted == (in_order and agrees[status])
