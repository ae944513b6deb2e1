"""What is sent and answered about incident batches."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from api.web.datatypes import Body, Out, StrictDateTime, Text, refusal
from api.web.documents import PageOf, Single

Category = Literal[
    "disorder",
    "violence-passenger",
    "violence-staff",
    "narcotics",
    "intoxication",
    "deviant-behaviour",
    "vandalism",
    "theft",
    "accident",
    "illness",
    "other",
]
Mode = Literal["metro", "commuter-rail", "bus", "tram", "boat"]
# The sender's own name of a batch. It cannot begin with a dot: `.` and `..` are no segments of a URL.
BATCH_ID_PATTERN = r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$"
MAX_ERRORS = 1000

_STOP_ID = re.compile(r"[0-9]{16}\Z", re.ASCII)
_ROUNDED = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+\Z", re.ASCII)
_MAX_REVISION = 2_147_483_647
_EXAMPLE: dict[str, Any] = {
    "incidentId": "TF-2026-0001",
    "occurredAt": "2026-11-20T07:40:00Z",
    "stopId": "9091001000009289",
    "category": "disorder",
    "mode": "metro",
    "line": "13",
    "severity": 2,
    "revision": 1,
    "withdrawn": False,
}


def _stop_id(value: Any) -> str:
    # INVARIANT: never from a number. Sixteen digits lie beyond what a double holds, so a number may name another stop.
    if isinstance(value, int | float):
        raise refusal("must be a text: as a number it has lost precision, or may have", 'send "9091001000009289"')
    if not isinstance(value, str):
        raise refusal("must be a text", "16 digits in quotes")
    if _STOP_ID.match(value):
        return value
    if _ROUNDED.match(value):
        raise refusal("has been rounded, as spreadsheets do, and has lost precision", "keep the column as text")
    raise refusal("is no stop id", "the 16 digits of the SL site id")


StopId = Annotated[
    str,
    BeforeValidator(_stop_id),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{16}$", "example": _EXAMPLE["stopId"]}),
]

IncidentId = Annotated[str, *Text(100).__metadata__]
Line = Annotated[str, *Text(40).__metadata__]


class IncidentRow(Body):
    """One incident (*händelse*) at one revision. A higher revision replaces a lower one of the same `incidentId`."""

    model_config = {"json_schema_extra": {"example": _EXAMPLE}}

    incident_id: IncidentId
    occurred_at: StrictDateTime
    stop_id: StopId
    category: Category
    mode: Mode
    line: Line | None = None
    severity: Annotated[int, Field(ge=1, le=4)]
    revision: Annotated[int, Field(ge=0, le=_MAX_REVISION)]
    withdrawn: bool = Field(default=False, description="Kept, but no longer counted / Återtagen")


class RowError(Out):
    """Why one row was rejected. `row` counts data rows from 1; `field` is empty where the whole row is at fault."""

    row: int = Field(ge=1)
    field: str | None = Field(json_schema_extra={"example": "stopId"})
    reason: str = Field(json_schema_extra={"example": "names a stop that is not in the register"})


class BatchSummary(Single):
    """What became of a batch: received = accepted + updated + unchanged + rejected.

    `unlocated` counts rows that were not rejected and name a stop whose position nobody knows: kept, tied to no
    scene.
    """

    id: str = Field(json_schema_extra={"example": "2026-11-20"})
    status: Literal["completed"]
    received: int = Field(ge=0)
    accepted: int = Field(ge=0)
    updated: int = Field(ge=0)
    unchanged: int = Field(ge=0)
    rejected: int = Field(ge=0)
    unlocated: int = Field(ge=0)
    completed_at: StrictDateTime


class BatchOut(BatchSummary):
    """A batch with its rejected rows: one entry for each, in their order, of the first 1000."""

    errors: Annotated[list[RowError], Field(max_length=MAX_ERRORS)]


class BatchPage(PageOf):
    """A page of batches, latest first; without their errors."""

    items: list[BatchSummary]


_COLUMNS = ",".join(_EXAMPLE)
_CSV_EXAMPLE = f"{_COLUMNS}\nTF-2026-0001,2026-11-20T07:40:00Z,9091001000009289,disorder,metro,13,2,1,false\n"
_NDJSON_EXAMPLE = (
    '{"incidentId":"TF-2026-0001","occurredAt":"2026-11-20T07:40:00Z","stopId":"9091001000009289",'
    '"category":"disorder","mode":"metro","line":"13","severity":2,"revision":1}'
)


def _csv_pattern() -> str:
    """What is always taken as CSV: the header in its usual order, then rows whose quotes match."""
    forms = []
    for delimiter in ",;":
        cell = rf'(?:"(?:[^"]|"")*"|[^"{delimiter}\r\n]*)'
        forms.append(rf"{_COLUMNS.replace(',', delimiter)}(?:\r?\n{cell}(?:{delimiter}{cell})*)*")
    return f"^(?:{'|'.join(forms)})$"


def request_body() -> dict[str, Any]:
    """The OpenAPI request body of a batch in its three media types.

    An item need not be an `IncidentRow` for the batch to be taken: one that is not is rejected alone, with its reason.
    """
    row = IncidentRow.model_json_schema(by_alias=True)
    rows = {"type": "array", "items": {"anyOf": [row, {"description": "Anything else is rejected, alone"}]}}
    wrapped = {
        "type": "object",
        "properties": {"incidents": rows},
        "required": ["incidents"],
        "additionalProperties": False,
    }
    return {
        "required": True,
        "description": "Incident rows / Händelserader, UTF-8",
        "content": {
            "application/json": {"schema": {"anyOf": [rows, wrapped], "example": [_EXAMPLE]}},
            "application/x-ndjson": {
                "schema": {
                    "type": "string",
                    # The example stands in the text: as a value, contract tests would have to know how to write it.
                    "description": "One row as a JSON object on each line; a line that is not JSON is a rejected row. "
                    f"Example: {_NDJSON_EXAMPLE}",
                }
            },
            "text/csv": {
                "schema": {
                    "type": "string",
                    "description": "A header row with the fields' names, then a row for each incident; comma or "
                    "semicolon; an empty cell is a field left out. Columns may stand in any order, and `line` and "
                    "`withdrawn` may be missing",
                    "pattern": _csv_pattern(),
                    "example": _CSV_EXAMPLE,
                }
            },
        },
    }
