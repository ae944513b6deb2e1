"""One row's check: its fields, and that it has happened."""

from datetime import datetime
from typing import Any

from pydantic import ValidationError

from api.incidents.feed_row import RowFault
from api.incidents.repository import Staged
from api.incidents.schemas import IncidentRow
from api.web.faults import fault_of


def check_row(value: Any, number: int, now: datetime) -> Staged | RowFault:
    """The row ready to be staged, its number first, or why it is rejected. `now` is aware of its zone."""
    if isinstance(value, RowFault):
        return value
    if not isinstance(value, dict):
        return RowFault(None, "must be an object; write { … }")
    try:
        row = IncidentRow.model_validate(value)
    except ValidationError as refused:
        return _fault(refused, value)
    if row.occurred_at > now:
        return RowFault("occurredAt", "lies in the future; send an incident when it has happened")
    return (
        number,
        row.incident_id,
        row.revision,
        row.occurred_at,
        row.stop_id,
        row.category,
        row.mode,
        row.line,
        row.severity,
        row.withdrawn,
    )


def _fault(refused: ValidationError, value: dict[str, Any]) -> RowFault:
    """The first thing that is wrong, and how many more there are."""
    errors = refused.errors(include_url=False)
    fault = fault_of({**errors[0], "loc": ("body", *errors[0]["loc"])}, value)
    reason = fault.what if fault.hint is None else f"{fault.what}; {fault.hint}"
    more = f" (and {len(errors) - 1} more in this row)" if len(errors) > 1 else ""
    return RowFault(fault.where.removeprefix("body").removeprefix(".") or None, reason + more)
