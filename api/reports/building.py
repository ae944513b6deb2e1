"""From rows to the columns of a published edition. Pure: what small counts need is done here, once, at publishing."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from api.incidents.schemas import Category
from api.protection.suppress import Cell, Protected, Shown, protect_linked
from api.protection.threshold import Threshold

CATEGORIES: tuple[str, ...] = get_args(Category)
HOUR_BANDS = ("00-06", "06-12", "12-18", "18-24")
METHOD = "suppression-with-complements"

_CATEGORY, _TIME = "category", "time"
_TIME_KEYS = tuple((weekday, band) for weekday in range(1, 8) for band in HOUR_BANDS)

Keys = Mapping[str, Collection[Any]]


@dataclass(frozen=True, slots=True)
class IncidentCount:
    """Incidents of one category on one ISO weekday (1-7) in one hour band (index into `HOUR_BANDS`), Swedish time."""

    category: str
    weekday: int
    band: int
    count: int


@dataclass(frozen=True, slots=True)
class Tables:
    """The two breakdowns of a period's incidents, as published. They share their total."""

    categories: Protected
    times: Protected

    @property
    def total(self) -> Shown:
        """The total as published."""
        assert self.categories.total is not None, "tables of an edition always have a total"  # noqa: S101
        return self.categories.total


def exact_cells(counts: Sequence[IncidentCount]) -> dict[str, list[Cell]]:
    """The two breakdowns with every cell of the fixed catalogue, empty ones too: absence would say something."""
    categories: Counter[str] = Counter()
    times: Counter[tuple[int, str]] = Counter()
    for row in counts:
        categories[row.category] += row.count
        times[row.weekday, HOUR_BANDS[row.band]] += row.count
    return {
        _CATEGORY: [Cell(name, categories[name]) for name in CATEGORIES],
        _TIME: [Cell(key, times[key]) for key in _TIME_KEYS],
    }


def protected_tables(counts: Sequence[IncidentCount], threshold: Threshold, keep_hidden: Keys) -> Tables:
    """Both breakdowns protected together."""
    total = sum(row.count for row in counts)
    answer = protect_linked(exact_cells(counts), total=total, threshold=threshold.events, keep_hidden=keep_hidden)
    return Tables(answer[_CATEGORY], answer[_TIME])


def hidden_tables(counts: Sequence[IncidentCount]) -> Tables:
    """Both breakdowns with every cell and the total hidden."""
    hidden = {
        name: Protected({cell.key: Shown(None) for cell in cells}, Shown(None))
        for name, cells in exact_cells(counts).items()
    }
    return Tables(hidden[_CATEGORY], hidden[_TIME])


def published_cells(what: Mapping[str, Any], when: Mapping[str, Any]) -> dict[str, dict[Any, int | None]]:
    """The breakdowns of an edition as it was published."""
    return {
        _CATEGORY: {cell["category"]: cell["count"] for cell in what["incidents"]},
        _TIME: {(cell["weekday"], cell["hourBand"]): cell["count"] for cell in when["cells"]},
    }


def what(scene: Any, tables: Tables) -> dict[str, Any]:
    """What happens at the place."""
    return {
        "symptoms": list(scene.symptoms),
        "setting": scene.setting,
        "incidents": [{"category": key, **shown.as_json()} for key, shown in tables.categories.cells.items()],
        "total": tables.total.as_json(),
    }


def where(scene: Any, outline: Any, stations: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Where the place is, as it was on the last day reported on."""
    return {
        "name": scene.name,
        "municipality": scene.municipality,
        "district": scene.district,
        "outline": outline.geojson,
        "environment": list(scene.environment),
        "stations": [dict(station) for station in stations],
        "schoolsWithin500m": outline.school_count,
        "fictional": scene.fictional,
    }


def when(tables: Tables, start: date, through: date, *, provisional: bool) -> dict[str, Any]:
    """When it happens: ISO weekday and hour band in Swedish local time, over the days from `from` to `through`."""
    return {
        "from": start.isoformat(),
        "through": through.isoformat(),
        "provisional": provisional,
        "cells": [
            {"weekday": weekday, "hourBand": band, **tables.times.cells[weekday, band].as_json()}
            for weekday, band in _TIME_KEYS
        ],
        "total": tables.total.as_json(),
    }


def trend(total: Shown, previous_label: str, previous: Shown | None, *, provisional: bool) -> dict[str, Any]:
    """Against the same period of the year before.

    `previous` is None where there is nothing to compare with. `change` stands only where both totals do, and both
    periods are whole.
    """
    change = None
    if previous is not None and total.count is not None and previous.count is not None and not provisional:
        change = total.count - previous.count
    return {
        "previousPeriod": previous_label,
        "total": total.as_json(),
        "previousTotal": None if previous is None else previous.as_json(),
        "change": change,
    }


def protection(threshold: Threshold) -> dict[str, Any]:
    """How small counts were hidden, and by which dated parameters."""
    return {
        "threshold": threshold.events,
        "thresholdPersons": threshold.persons,
        "method": METHOD,
        "policyDate": threshold.valid_from.isoformat(),
    }
