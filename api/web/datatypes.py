"""The types that cross the wire: strict on the way in, and with a JSON schema that says exactly what is accepted.

INVARIANT: what a type's JSON schema allows, the type accepts, and the other way round. Contract tests generate
requests from the schema and demand acceptance, so a rule that a schema cannot say (the calendar, the register, the
map) is no part of a type: it is a 409 in the service.

Enumerations are `Literal[...]` and arrays `list[...]`: strict validation refuses a text for an `Enum` member.
"""

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

YEARS = "1900–2100"

# Dates outside these years are slips of the keyboard, and overflow what clients can hold.
_YEAR = r"(?:19[0-9]{2}|20[0-9]{2}|2100)"
# The day is checked against the month by the pattern itself, so that pattern and format accept the same texts.
_MONTH_DAY = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_LEAP_DAY = r"(?:19(?:0[48]|[2468][048]|[13579][26])|20(?:[02468][048]|[13579][26]))-02-29"
_DAY = rf"(?:{_YEAR}-{_MONTH_DAY}|{_LEAP_DAY})"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
_ZONE = r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"

DATE_PATTERN = rf"^{_DAY}$"
DATE_TIME_PATTERN = rf"^{_DAY}T{_TIME}{_ZONE}$"
SLUG_PATTERN = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"
# C0 and C1 controls, DEL, and the marks that turn the reading direction: a name must read as it is stored.
_FURTHER = r"\x7f-\x9f\u202a-\u202e\u2066-\u2069"
LINE_PATTERN = rf"^[^\x00-\x08\x0b-\x1f{_FURTHER}\t\n]*$"
LINES_PATTERN = rf"^[^\x00-\x08\x0b\x0c\x0e-\x1f{_FURTHER}]*$"
_LINE_END = re.compile(r"\r\n?")

_DATE = re.compile(DATE_PATTERN.removesuffix("$") + r"\Z")
_DATE_TIME = re.compile(DATE_TIME_PATTERN.removesuffix("$") + r"\Z")
_WHOLE = re.compile(r"-?[0-9]{1,18}(?:\.0{1,9})?\Z", re.ASCII)
_MAX_SLUG = 64


def refusal(what: str, hint: str | None = None) -> PydanticCustomError:
    """Build an error whose words reach the caller as they are: never put what was sent into them."""
    return PydanticCustomError("samsyn", "{what}", {"what": what, "hint": hint})


def camel(name: str) -> str:
    """`schools_within_500m` → `schoolsWithin500m` (no capital after a digit, unlike pydantic's own)."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def _date(value: Any) -> date:
    # INVARIANT: only texts. pydantic would take 0 as 1970-01-01.
    if type(value) is date:
        return value
    if not isinstance(value, str):
        raise refusal("a date must be a text", "write YYYY-MM-DD")
    if not _DATE.match(value):
        raise refusal("is not a date", f"write YYYY-MM-DD, within {YEARS}")
    return date.fromisoformat(value)


def _date_time(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if not isinstance(value, str):
        raise refusal("a time must be a text", "write it with a zone, as 2026-11-20T08:30:00+01:00")
    if not _DATE_TIME.match(value):
        raise refusal("is not a time with a zone", f"write it as 2026-11-20T08:30:00+01:00, within {YEARS}")
    return datetime.fromisoformat(value).astimezone(UTC)


def _whole(value: Any) -> Any:
    # The texts of a whole number in JSON Schema's sense; pydantic would also take " 1" and "1_000".
    if isinstance(value, str):
        if not _WHOLE.match(value):
            raise refusal("must be a whole number", "digits only")
        return int(value.partition(".")[0])
    return value


def _flag(value: Any) -> Any:
    if isinstance(value, str):
        if value not in {"true", "false"}:
            raise refusal("must be true or false")
        return value == "true"
    return value


def _utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _nfc(value: str) -> str:
    # One spelling of å, so that equal names compare equal. The length limit holds for what was sent: columns that
    # store a `Text` carry no limit of their own, since a few characters grow when normalised.
    return unicodedata.normalize("NFC", value)


def _lines(value: str) -> str:
    # Windows ends a line with two characters, and an officer's text is often pasted from there.
    return _nfc(_LINE_END.sub("\n", value))


StrictDate = Annotated[
    date,
    BeforeValidator(_date),
    WithJsonSchema({"type": "string", "format": "date", "pattern": DATE_PATTERN, "example": "2026-11-20"}),
]
"""A day within 1900–2100, from the text YYYY-MM-DD only."""

StrictDateTime = Annotated[
    datetime,
    BeforeValidator(_date_time),
    PlainSerializer(_utc, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "pattern": DATE_TIME_PATTERN, "example": "2026-11-20T08:30:00Z"}
    ),
]
"""An instant within 1900–2100, from an RFC 3339 text with any zone; UTC inside, written with Z."""

Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number in a query or path, written in digits."""

Flag = Annotated[bool, BeforeValidator(_flag)]
"""A truth value in a query: `true` or `false`."""

Slug = Annotated[
    str,
    StringConstraints(pattern=SLUG_PATTERN, min_length=1, max_length=_MAX_SLUG, strict=True),
    Field(json_schema_extra={"example": "varberg"}),
]
"""A stable name: a–z, 0–9 and single hyphens, at most 64 characters."""


def Text(max_length: int, *, min_length: int = 1, lines: bool = False) -> Any:  # noqa: N802 - it stands where a type stands
    r"""Type of a text of `min_length`–`max_length` characters, kept as sent but in Unicode NFC.

    Control characters and direction marks are refused; with `lines`, tabs and line ends are allowed, and every line
    end (`\r\n`, `\r`) becomes `\n`.
    """
    return Annotated[
        str,
        StringConstraints(
            pattern=LINES_PATTERN if lines else LINE_PATTERN,
            min_length=min_length,
            max_length=max_length,
            strict=True,
        ),
        AfterValidator(_lines if lines else _nfc),
    ]


class Body(BaseModel):
    """Base of what callers send: camelCase, no unknown member, no number as text, no true as 1."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        alias_generator=camel,
        validate_by_alias=True,
        validate_by_name=False,
        allow_inf_nan=False,
        frozen=True,
    )


class Out(BaseModel):
    """Base of what is answered: camelCase on the wire, field names in code."""

    model_config = ConfigDict(
        alias_generator=camel,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        frozen=True,
    )
