"""Thresholds have dates; without one nothing is published."""

from datetime import date

import pytest

from api.protection.threshold import THRESHOLDS, threshold_on


def test_the_newest_threshold_that_has_begun_holds():
    for threshold in THRESHOLDS:
        assert threshold_on(threshold.valid_from) == threshold


def test_no_threshold_no_publishing():
    with pytest.raises(LookupError):
        threshold_on(date(1999, 1, 1))
