"""The threshold under which a count is hidden, as a dated parameter."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Threshold:
    """Counts from 1 up to these are hidden in what is published from `valid_from` on: of persons, and of events."""

    valid_from: date
    persons: int
    events: int


THRESHOLDS = (Threshold(date(2026, 1, 1), persons=4, events=4),)


def threshold_on(day: date) -> Threshold:
    """The threshold in force on a day. Raises `LookupError` before the first: then nothing may be published."""
    return max((t for t in THRESHOLDS if t.valid_from <= day), key=lambda t: t.valid_from, default=None) or _none(day)


def _none(day: date) -> Threshold:
    raise LookupError(f"no threshold is in force on {day}")
