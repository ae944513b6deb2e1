"""What is wrong with a request's content, in words: pydantic's errors become `Fault`s.

A fault names the place as the caller wrote it (`body.interventions[0].status`, `query.page`), says what is wrong
without the names of our types, and lists allowed values where there are any.

INVARIANT: of a body nothing is repeated that could be a text about a person, whatever the member is called: numbers
that are out of bounds, and what looks like a slip of a listed value. Nothing is repeated of a header, nor more than 60
characters of anything.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError

from api.errors import Fault, Problem

# Headers that cannot be read, as opposed to read but unknown: 400 rather than 422.
_SYNTAX_HEADERS = frozenset({"idempotency-key", "if-match", "if-none-match"})
_MAX_ECHO = 60
_MAX_FAULTS = 50
_PART = {"path", "query", "header", "cookie", "body"}
# Errors that tell more with the value beside them: of bounds, of closed lists, and of our own types (days, numbers).
_BOUNDS = ("greater_than", "less_than", "multiple_of")
_LISTS = ("literal_error", "enum")
_OURS = "samsyn"
# How the values of closed lists are written.
_LISTED = re.compile(r"[a-z][a-z0-9-]*")
_NAME = re.compile(r"[^\W\d][\w$.:-]*")


def shortened(text: str) -> str:
    """At most 60 characters of a text, on one line."""
    line = "".join(character if character.isprintable() else "�" for character in text[: _MAX_ECHO + 1])
    return line if len(line) <= _MAX_ECHO else line[: _MAX_ECHO - 1] + "…"


def member(name: str) -> str:
    """The name of a body's member as it may be repeated: what does not read as a name may be anything."""
    return shortened(name) if _NAME.fullmatch(name) else "…"


def _number(limit: Any) -> str:
    return str(int(limit)) if isinstance(limit, float) and limit.is_integer() else str(limit)


_Words = tuple[str, str | None]
_TEXTS: dict[str, Callable[[dict[str, Any]], _Words]] = {
    "samsyn": lambda c: (c["what"], c["hint"]),
    "missing": lambda _: ("is missing", "it is required"),
    "extra_forbidden": lambda _: ("is not a known member", "remove it, or check how it is spelled"),
    "literal_error": lambda c: ("is not one of the allowed values", f"allowed: {c['expected']}"),
    "enum": lambda c: ("is not one of the allowed values", f"allowed: {c['expected']}"),
    "union_tag_invalid": lambda c: ("is of an unknown kind", f"allowed: {c['expected_tags']}"),
    "union_tag_not_found": lambda c: ("does not say its kind", f"set {c['discriminator']}"),
    "greater_than": lambda c: ("is too small", f"more than {_number(c['gt'])}"),
    "greater_than_equal": lambda c: ("is too small", f"at least {_number(c['ge'])}"),
    "less_than": lambda c: ("is too large", f"less than {_number(c['lt'])}"),
    "less_than_equal": lambda c: ("is too large", f"at most {_number(c['le'])}"),
    "multiple_of": lambda c: ("is not a multiple", f"a multiple of {_number(c['multiple_of'])}"),
    "finite_number": lambda _: ("is not a finite number", None),
    "string_too_short": lambda c: ("is too short", f"at least {c['min_length']} characters"),
    "string_too_long": lambda c: ("is too long", f"at most {c['max_length']} characters"),
    "string_pattern_mismatch": lambda c: ("does not have the right form", f"pattern: {c['pattern']}"),
    "string_unicode": lambda _: ("is not valid Unicode text", None),
    "too_short": lambda c: ("has too few items", f"at least {c['min_length']}"),
    "too_long": lambda c: ("has too many items", f"at most {c['max_length']}"),
    "json_invalid": lambda _: ("is not JSON", None),
    "none_required": lambda _: ("must be null", None),
    "date_from_datetime_inexact": lambda _: ("is not a date", "write YYYY-MM-DD"),
    "uuid_parsing": lambda _: ("is not a UUID", "for example 7d444840-9dc0-41d1-b245-5ffdce74fad2"),
}
# Whole families of error types that say the same thing to a caller.
_FAMILIES: tuple[tuple[str, _Words], ...] = (
    ("string_", ("must be a text", None)),
    ("int_", ("must be a whole number", "digits only, no quotes and no decimals")),
    ("float_", ("must be a number", "digits with a decimal point, no quotes and no decimal comma")),
    ("decimal_", ("must be a number", "digits with a decimal point, no decimal comma")),
    ("bool_", ("must be true or false", None)),
    ("list_", ("must be a list", "write [ … ]")),
    ("tuple_", ("must be a list", "write [ … ]")),
    ("set_", ("must be a list", "write [ … ]")),
    ("model_", ("must be an object", "write { … }")),
    ("dict_", ("must be an object", "write { … }")),
    ("mapping_", ("must be an object", "write { … }")),
    ("datetime_", ("is not a time with a zone", "write it as 2026-11-20T08:30:00+01:00")),
    ("timezone_", ("is not a time with a zone", "write it as 2026-11-20T08:30:00+01:00")),
    ("date_", ("is not a date", "write YYYY-MM-DD")),
    ("uuid_", ("is not a UUID", None)),
    ("url_", ("is not a URL", None)),
)


def _words(error: dict[str, Any]) -> _Words:
    kind = error["type"]
    known = _TEXTS.get(kind)
    if known is not None:
        return known(error.get("ctx") or {})
    for prefix, words in _FAMILIES:
        if kind.startswith(prefix):
            return words
    # INVARIANT: an unknown kind says little: its own text may quote what was sent or name our types.
    return "is not acceptable", None


def _place(location: Sequence[int | str], body: Any, kind: str) -> str:
    """The location as the caller wrote it."""
    part, *rest = location or ("request",)
    place = str(part) if part in _PART else "request"
    current = body
    for index, step in enumerate(rest):
        if place.startswith("body"):
            inside = isinstance(current, dict) and step in current
            nth = isinstance(current, list) and isinstance(step, int) and step < len(current)
            last = index == len(rest) - 1
            # pydantic puts the names of union branches among the steps: those are ours, not the caller's.
            if not (inside or nth or (last and kind == "missing")):
                continue
            current = current[step] if inside or nth else None
        place += f"[{step}]" if isinstance(step, int) else f".{member(str(step))}"
    return place.lower() if place.startswith("header") else place


def _repeatable(kind: str, part: int | str, sent: Any) -> bool:
    """Whether an error may show the value that was sent there, by the error's kind and never by a field's name."""
    if not isinstance(sent, str):
        return kind.startswith(_BOUNDS) and isinstance(sent, int | float)
    if kind.startswith(_LISTS):
        return _LISTED.fullmatch(sent) is not None
    # In an address days and numbers are texts too.
    return part in {"path", "query"} and (kind == _OURS or kind.startswith(_BOUNDS))


def fault_of(error: dict[str, Any], body: Any = None) -> Fault:
    """One pydantic error (a member of `.errors()`) as a fault; `body` is the parsed content it stands in."""
    kind, location, sent = error["type"], error["loc"], error.get("input")
    what, hint = _words(error)
    part = location[0] if location else "request"
    if part not in {"header", "cookie"} and _repeatable(kind, part, sent):
        what = f"“{shortened(str(sent))}” {what}"
    return Fault(_place(location, body, kind), what, hint)


def problem_of(error: RequestValidationError) -> Problem:
    """The problem for a request that does not follow the schema: 422, or 400 where it cannot be read at all."""
    errors = list(error.errors())
    broken = next((one for one in errors if one["type"] == "json_invalid"), None)
    if broken is not None:
        what = f"not JSON at character {broken['loc'][-1]}"
        return Problem("unreadable", f"body: {what}", faults=[Fault("body", what, "send one JSON value in UTF-8")])
    faults = list(dict.fromkeys(fault_of(one, error.body) for one in errors))[:_MAX_FAULTS]
    headers = [one for one in errors if one["loc"][:1] == ("header",)]
    missing = {str(one["loc"][-1]).lower() for one in headers if one["type"] == "missing"}
    slug = "invalid"
    if missing:
        slug = "precondition-required" if missing == {"if-match"} else "missing-header"
    elif any(str(one["loc"][-1]).lower() in _SYNTAX_HEADERS for one in headers):
        slug = "unreadable"
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return Problem(slug, f"{first.where}: {first.what}{more}", faults=faults)
