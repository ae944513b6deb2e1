"""What earlier editions of a scene say together with a new one. Pure.

Four ways in which two published tables can give away what each hides, and what is done about each:

overlapping periods      a year less its quarters: a scene keeps one granularity within a calendar year
a period still running   the edition of today less that of yesterday: small differences are hidden, or it must wait
a corrected edition      a cell hidden once stays hidden in every later edition of its period
a neighbouring scene     over some of the same stations: the later edition shows no counts at all

The difference between two editions of a period that had ended is a correction, and is not hidden.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from api.errors import conflict
from api.protection.suppress import Cell
from api.reports.building import published_cells
from api.reports.periods import Period


@dataclass(frozen=True, slots=True)
class Edition:
    """What an edition already published says."""

    period: Period
    number: int
    what: Mapping[str, Any]
    when: Mapping[str, Any]
    trend: Mapping[str, Any]

    @property
    def total(self) -> int | None:
        """Its total, None where it is hidden."""
        return self.what["total"]["count"]  # type: ignore[no-any-return]


Windows = frozenset[tuple[str, date, date]]
"""Stations with the days on which their incidents count: from the first, up to the second."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another scene that is reported on in the same year: its periods, and its stations within the wanted one."""

    periods: tuple[str, ...]
    windows: Windows


def can_be_subtracted(own: Windows, neighbours: Iterable[Neighbour], wanted: Period) -> bool:
    """Whether another scene's edition, over some of the same stations, could be set against this one.

    Scenes that count the same incidents tell the same thing twice. Where they share some and not all, or are reported
    by another granularity, the difference of two published totals would be a count that nobody published.
    """
    stops = {stop for stop, _, _ in own}
    for other in neighbours:
        if stops.isdisjoint(stop for stop, _, _ in other.windows):
            continue
        granularities = {Period.parse(label).granularity for label in other.periods}
        if granularities != {wanted.granularity} or (wanted.label in other.periods and other.windows != own):
            return True
    return False


def check_granularity(editions: Iterable[Edition], wanted: Period) -> None:
    """Raise `Problem` 409 where an edition of another granularity covers or shows days of the wanted period."""
    for other in editions:
        if other.period.granularity == wanted.granularity:
            continue
        if other.period.year == wanted.year:
            what = f"{wanted.year} is already reported by {other.period.granularity} for this scene"
            raise conflict(
                "body.period",
                f"{what} (`{other.period.label}`); a {wanted.granularity} beside it could reveal what is hidden",
                f"publish a {other.period.granularity} of {wanted.year}",
            )
        if other.period.year == wanted.year + 1 and (other.trend["previousTotal"] or {}).get("count") is not None:
            raise conflict(
                "body.period",
                f"`{other.period.label}` already shows a total of {wanted.year} by {other.period.granularity}",
                f"publish a {other.period.granularity} of {wanted.year}",
            )


def may_show_year_before(editions: Iterable[Edition], wanted: Period) -> bool:
    """Whether the total of the year before may stand in the trend: not beside editions of another granularity."""
    return not any(
        edition.period.year == wanted.year - 1 and edition.period.granularity != wanted.granularity
        for edition in editions
    )


def latest_of(editions: Iterable[Edition], period: Period) -> Edition | None:
    """The newest edition of a period."""
    same = [edition for edition in editions if edition.period == period]
    return max(same, key=lambda edition: edition.number, default=None)


def keep_hidden(
    editions: Iterable[Edition], wanted: Period, exact: Mapping[str, list[Cell]], threshold: int
) -> dict[str, set[Any]]:
    """The cells that a new edition of a period must hide because of what earlier ones of it show or hide.

    Raises `Problem` 409 where so few incidents came since a provisional edition that even the totals would tell.
    """
    kept: dict[str, set[Any]] = {name: set() for name in exact}
    now = sum(cell.count for cell in next(iter(exact.values())))
    for edition in editions:
        # With its total hidden, an edition gives away nothing that a later one could be compared with.
        if edition.period != wanted or edition.total is None:
            continue
        provisional = edition.when["provisional"]
        if provisional and 1 <= abs(now - edition.total) <= threshold:
            raise conflict(
                "body.period",
                f"too little has changed since the provisional edition {edition.number} of `{wanted.label}`: "
                "the difference would reveal a count that is hidden",
                f"edition {edition.number} stands until more than {threshold} incidents have come or gone",
            )
        for name, published in published_cells(edition.what, edition.when).items():
            for cell in exact[name]:
                shown = published[cell.key]
                if shown is None or (provisional and 1 <= abs(cell.count - shown) <= threshold):
                    kept[name].add(cell.key)
    return kept
