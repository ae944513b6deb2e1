"""The extract of the log for a person (*loggutdrag*) as a page to hand out: it stands by itself and loads nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from fastapi.responses import HTMLResponse

from api.pages.rendering import HEADERS, TEMPLATES

_SWEDEN = ZoneInfo("Europe/Stockholm")
_ALONE = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page says of the extract itself. `start` and `end` are the days it is limited to, if it is."""

    holder: str
    case_reference: str
    made_at: datetime
    receipt: str
    start: date | None = None
    end: date | None = None


def extract_page(rows: Sequence[Sequence[str]], columns: Sequence[str], facts: Facts) -> HTMLResponse:
    """The page, in Swedish: `rows` have a cell for each of `columns`, of which the first is a time."""
    html = TEMPLATES.get_template("extract.html").render(
        rows=rows,
        columns=columns,
        facts=facts,
        made_at=facts.made_at.astimezone(_SWEDEN).strftime("%Y-%m-%d %H:%M"),
        when=_when(facts.start, facts.end),
    )
    own = {"Cache-Control": "private, no-store", "Content-Security-Policy": _ALONE}
    return HTMLResponse(html, headers=HEADERS | own)


def _when(start: date | None, end: date | None) -> str:
    """The days in words; nothing where all time is meant."""
    begins = f"från och med {start}" if start is not None else ""
    ends = f"till och med {end}" if end is not None else ""
    return " ".join(filter(None, (begins, ends)))
