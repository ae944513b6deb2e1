"""The Idempotency-Key header: a quoted structured string (RFC 8941 §3.3.3) of 1–255 characters.

Only its form is decided here; what was answered under a key is kept by the service.
"""

import re
from typing import Annotated

from fastapi import Depends, Header

from api.errors import Fault, Problem

HEADER = "Idempotency-Key"
PATTERN = r'^"(?:[ !#-\[\]-~]|\\["\\]){1,255}"$'
_PATTERN = re.compile(PATTERN.removesuffix("$") + r"\Z")
_ESCAPED = re.compile(r'\\(["\\])')
_HINT = 'send a text of your own in double quotes, 1–255 ASCII characters, as "8e03978e-40d5-43dd-bc93-6894a57f9324"'


def parse(header: str | None) -> str:
    """Return the key without quotes and escapes; raises a 400 problem where it is missing or malformed."""
    where = f"header.{HEADER.lower()}"
    if header is None:
        raise Problem("missing-header", f"{where} is missing", faults=[Fault(where, "is missing", _HINT)])
    if not _PATTERN.match(header):
        what = "is not a quoted text"
        raise Problem("unreadable", f"{where} {what}", faults=[Fault(where, what, _HINT)])
    return _ESCAPED.sub(r"\1", header[1:-1])


def _idempotency_key(
    key: Annotated[
        str,
        Header(
            alias=HEADER,
            pattern=PATTERN,
            description="The sender's own name of this request, in double quotes; the same name gives the same answer "
            "/ Avsändarens eget namn på begäran, inom citattecken",
            json_schema_extra={"example": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'},
        ),
    ],
) -> str:
    return parse(key)


IdempotencyKey = Annotated[str, Depends(_idempotency_key)]
"""Parameter type of an endpoint that requires the header; the bare key."""
