"""Calendar periods in Sweden: a year, a quarter or a month. No sliding windows: those allow differencing."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

SWEDEN = ZoneInfo("Europe/Stockholm")
Granularity = Literal["year", "quarter", "month"]


@dataclass(frozen=True, slots=True)
class Period:
    """One calendar period, from `start` up to, not including, `until`; `label` is `2026`, `2026-Q3` or `2026-10`."""

    label: str
    granularity: Granularity
    start: date
    until: date

    @classmethod
    def parse(cls, label: str) -> "Period":
        """Read a label. Raises `ValueError` for any other text."""
        year, _, part = label.partition("-")
        number = int(year)
        if not part:
            return cls(label, "year", date(number, 1, 1), date(number + 1, 1, 1))
        if part.startswith("Q"):
            first = (int(part[1:]) - 1) * 3 + 1
            return cls(label, "quarter", date(number, first, 1), _month_after(number, first + 2))
        return cls(label, "month", date(number, int(part), 1), _month_after(number, int(part)))

    @property
    def year(self) -> int:
        """The calendar year it lies in."""
        return self.start.year

    def year_before(self) -> "Period":
        """The same period of the year before."""
        return Period.parse(f"{self.year - 1}{self.label[4:]}")

    def instants(self) -> tuple[datetime, datetime]:
        """Its first instant and the first one after it: midnights in Sweden, whatever the clock does between."""
        first, after = (datetime.combine(day, time(), SWEDEN) for day in (self.start, self.until))
        return first, after

    def overlapping(self) -> tuple[str, ...]:
        """The labels of every period that shares a day with this one, itself among them."""
        labels = [
            str(self.year),
            *(f"{self.year}-Q{quarter}" for quarter in range(1, 5)),
            *(f"{self.year}-{month:02}" for month in range(1, 13)),
        ]
        others = map(Period.parse, labels)
        return tuple(other.label for other in others if other.start < self.until and self.start < other.until)


def _month_after(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1)
