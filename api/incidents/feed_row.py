"""What the readers of the three media types have in common."""

from dataclasses import dataclass

from api.errors import Fault, Problem

# No row comes near this; what does is a missing line end, quote or bracket.
MAX_ROW_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why a row is rejected; `field` is `None` where the row as a whole is at fault."""

    field: str | None
    reason: str


def fault_of_row(problem: Problem) -> RowFault:
    """What `strict_json` says of one row, as a fault of that row."""
    fault = problem.faults[0]
    place = fault.where.removeprefix("body").removeprefix(".")
    return RowFault(place or None, fault.what if fault.hint is None else f"{fault.what}; {fault.hint}")


def unreadable(where: str, what: str, hint: str) -> Problem:
    """Refuse a body that cannot be read (400): nothing of it is stored."""
    return Problem("unreadable", f"{where} {what}; nothing was stored", faults=[Fault(where, what, hint)])
