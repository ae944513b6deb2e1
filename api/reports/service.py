"""What can be read of situation reports."""

from typing import Any
from uuid import UUID

from api.disclosure.selection import Selection, every_field
from api.reports.repository import REPORTS


def reports(
    filters: tuple[tuple[str, Any], ...], sort: tuple[tuple[str, bool], ...], offset: int, limit: int
) -> Selection:
    """The selection of a list of editions."""
    return Selection(REPORTS, every_field(REPORTS), filters, sort, offset, limit)


def one_report(report_id: UUID) -> Selection:
    """The selection of one edition."""
    return Selection(REPORTS, every_field(REPORTS), (("id", report_id),), limit=1, total=False)
