"""Readers for what a stranger sends, stricter than the standard library: one meaning per byte string, or ValueError."""

import base64
import json
from collections.abc import Sequence
from typing import Any, NoReturn


def read_base64url(text: str) -> bytes:
    """Decode unpadded base64url (RFC 7515 §2). Padding, other characters and spare bits that are not zero: ValueError.

    The library's decoder skips foreign characters and spare bits, which would give one signed token many spellings;
    only the one spelling that comes back when the bytes are encoded again is taken.
    """
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if write_base64url(data) != text:
        raise ValueError("not canonical base64url")
    return data


def write_base64url(data: bytes) -> str:
    """Encode as unpadded base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def read_json_object(data: bytes) -> dict[str, Any]:
    """Read one JSON object in UTF-8. A duplicate key, NaN, Infinity or absurd nesting: ValueError."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if isinstance(value, dict):
        return value
    raise ValueError("not a JSON object")


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that says two things under one name: readers disagree on which counts."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate key")
    return value


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("not a JSON number")
