"""JSON and NDJSON batches, one row at a time.

`json_rows` finds where each item of the array ends without parsing the rest, so that a batch of any size takes the
memory of a row; each item is then read by `strict_json`, like every other body.
"""

import json
import re
from collections.abc import Iterator
from typing import IO, Any

from api.errors import Problem, invalid
from api.incidents.feed_row import MAX_ROW_BYTES, RowFault, fault_of_row, unreadable
from api.web.body import strict_json
from api.web.faults import shortened

_WINDOW = 262_144
_BOM = b"\xef\xbb\xbf"
_SPACE = re.compile(rb"[ \t\n\r]*")
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# An object without nesting, which every good row is: its end is found in one step.
_FLAT = re.compile(rb'\{(?:[^"{}\[\]]*+' + _STRING + rb')*+[^"{}\[\]]*+\}', re.DOTALL)
# Last a lone quote: a string that does not end within the window.
_TOKEN = re.compile(_STRING + rb'|[\[\]{},"]', re.DOTALL)
_NAME = re.compile(_STRING, re.DOTALL)
# Tells only whether a row is JSON at all: numbers are left as they stand.
_LENIENT = json.JSONDecoder(parse_int=str, parse_float=str)
_MEMBER = "incidents"


def json_rows(file: IO[bytes]) -> Iterator[Any]:
    """The items of `[…]` or `{"incidents": […]}`, each a value or a `RowFault`.

    Raises `Problem` 400 for what is not JSON, wherever in the body, and 422 for JSON of another shape.
    """
    window = _Window(file)
    first = window.peek()
    if window.starts_with(_BOM):
        raise unreadable("body", "starts with a byte order mark", "send UTF-8 without one")
    if first == b"[":
        yield from _items(window)
    elif first == b"{":
        window.at += 1
        _check_member(window, seen=False)
        if window.peek() != b"[":
            raise invalid(f"body.{_MEMBER}", "must be a list", "write [ … ]")
        yield from _items(window)
        if window.peek() == b",":
            window.at += 1
            _check_member(window, seen=True)
        window.expect(b"}")
    else:
        strict_json(window.rest(MAX_ROW_BYTES))
        raise invalid("body", "must be a list of rows", f'write [ … ] or {{"{_MEMBER}": [ … ]}}')
    if window.peek() is not None:
        raise unreadable("body", f"goes on after the rows, at byte {window.offset}", "send one JSON value")


def ndjson_rows(file: IO[bytes]) -> Iterator[Any]:
    """The lines, each a value or a `RowFault`; empty lines are no rows. Raises `Problem` 400 for a byte order mark."""
    if file.read(len(_BOM)) == _BOM:
        raise unreadable("body", "starts with a byte order mark", "send UTF-8 without one")
    file.seek(0)
    while line := file.readline(MAX_ROW_BYTES):
        if len(line) == MAX_ROW_BYTES and not line.endswith(b"\n"):
            while (rest := file.readline(MAX_ROW_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield RowFault(None, f"is longer than {MAX_ROW_BYTES} bytes")
            continue
        text = line.strip(b" \t\r\n")
        if not text:
            continue
        try:
            yield strict_json(text)
        except Problem as problem:
            yield fault_of_row(problem)


class _Window:
    """The part of a file that is being looked at; `at` is the next byte in it that is not yet used."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._before = 0
        self.data = b""
        self.at = 0

    @property
    def offset(self) -> int:
        """Where in the file the next byte stands, from 1."""
        return self._before + self.at + 1

    def more(self) -> bool:
        """Read on, dropping what is used; False at the end of the file."""
        chunk = self._file.read(_WINDOW)
        self._before += self.at
        self.data, self.at = self.data[self.at :] + chunk, 0
        return bool(chunk)

    def peek(self) -> bytes | None:
        """The next byte that is not white space, or `None` at the end; the space before it is used up."""
        while True:
            match = _SPACE.match(self.data, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self.data):
                return self.data[self.at : self.at + 1]
            if not self.more():
                return None

    def starts_with(self, mark: bytes) -> bool:
        return self.data.startswith(mark, self.at)

    def expect(self, byte: bytes) -> None:
        """Use up one byte. Raises `Problem` 400 where another stands there."""
        found = self.peek()
        if found is None:
            raise unreadable("body", "ends too early", "send the whole batch")
        if found != byte:
            raise unreadable("body", f"is not JSON at byte {self.offset}", f"expected {byte.decode()}")
        self.at += 1

    def rest(self, limit: int) -> bytes:
        """Everything that is left, of which no more than `limit` bytes are of interest."""
        while len(self.data) - self.at <= limit and self.more():
            pass
        return self.data[self.at :]


def _check_member(window: _Window, *, seen: bool) -> None:
    """Use up `"incidents":`. Raises `Problem` for any other member, and for the same one again."""
    if window.peek() == b"}" and not seen:
        raise invalid(f"body.{_MEMBER}", "is missing", "it is required")
    while (name := _NAME.match(window.data, window.at)) is None:
        if window.peek() not in {b'"', None}:
            raise unreadable("body", f"is not JSON at byte {window.offset}", "expected the name of a member")
        if len(window.data) - window.at > MAX_ROW_BYTES or not window.more():
            raise unreadable("body", "ends in the middle of a name", "send the whole batch")
    found = strict_json(name[0])
    if found != _MEMBER:
        raise invalid(f"body.{shortened(found)}", "is not a known member", "remove it, or check how it is spelled")
    if seen:
        raise unreadable("body", f"names “{_MEMBER}” more than once", "name each member once")
    window.at = name.end()
    window.expect(b":")


def _items(window: _Window) -> Iterator[Any]:
    window.expect(b"[")
    number = 0
    if window.peek() == b"]":
        window.at += 1
        return
    while True:
        number += 1
        window.peek()
        yield _value(_item(window, number), number)
        if window.peek() != b",":
            break
        window.at += 1
    window.expect(b"]")


def _item(window: _Window, number: int) -> bytes:
    while True:
        end = _end_of_item(window.data, window.at)
        if end is not None:
            raw = window.data[window.at : end]
            window.at = end
            return raw
        if len(window.data) - window.at > MAX_ROW_BYTES:
            raise unreadable(f"row {number}", f"is longer than {MAX_ROW_BYTES} bytes", "check quotes and brackets")
        if not window.more():
            raise unreadable("body", f"ends in the middle of row {number}", "send the whole batch")


def _end_of_item(data: bytes, at: int) -> int | None:
    """Where the item that begins at `at` ends, or `None` if not within the data. Its depth is the sender's."""
    flat = _FLAT.match(data, at)
    if flat is not None:
        return flat.end()
    depth = 0
    for token in _TOKEN.finditer(data, at):
        text = token[0]
        if text in {b"{", b"["}:
            depth += 1
        elif text in {b"}", b"]"}:
            depth -= 1
            if depth <= 0:
                return token.end() if depth == 0 else token.start()
        elif text == b"," and depth == 0:
            return token.start()
        elif text == b'"':
            return None
    return None


def _value(raw: bytes, number: int) -> Any:
    """One item as a value, or as a `RowFault` where it is JSON that has no single meaning. Raises `Problem` 400."""
    try:
        return strict_json(raw)
    except Problem as problem:
        fault = fault_of_row(problem)
    try:
        text = raw.decode()
        _, end = _LENIENT.raw_decode(text)
        whole = not text[end:].strip(" \t\r\n")
    except json.JSONDecodeError:
        whole = False
    except RecursionError:
        whole = True
    if not whole:
        raise unreadable(f"row {number}", fault.reason.partition(";")[0], "send one JSON value")
    return fault
