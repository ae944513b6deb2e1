"""From when on something has been kept too long."""

from calendar import monthrange
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

_SWEDEN = ZoneInfo("Europe/Stockholm")
_YEAR = 12


def day_in_sweden(now: datetime) -> date:
    """The calendar day."""
    return now.astimezone(_SWEDEN).date()


def kept_since(today: date, months: int) -> datetime:
    """The Swedish midnight that begins the day `months` before today: what is from before it goes.

    A day that the month lacks is its last one: a month before 31 March is 28 or 29 February.
    """
    year, month = divmod(today.year * _YEAR + today.month - 1 - months, _YEAR)
    day = min(today.day, monthrange(year, month + 1)[1])
    return datetime.combine(date(year, month + 1, day), time(), _SWEDEN).astimezone(UTC)
