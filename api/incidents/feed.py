"""A batch as it arrives: spooled to a file, then read row by row in its media type.

Memory is bounded by one row and one window of the file, whatever the size of the batch.
"""

from codecs import getincrementaldecoder
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import Message
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from api.errors import Fault, Problem
from api.incidents.feed_csv import csv_rows
from api.incidents.feed_json import json_rows, ndjson_rows
from api.incidents.feed_row import unreadable

READERS: Mapping[str, Callable[[IO[bytes]], Iterator[Any]]] = {
    "application/json": json_rows,
    "application/x-ndjson": ndjson_rows,
    "text/csv": csv_rows,
}
_IN_MEMORY = 1_048_576


@dataclass(frozen=True, slots=True)
class Delivery:
    """A body received whole: UTF-8 for certain, and the SHA-256 of its bytes in hexadecimal."""

    file: IO[bytes]
    digest: str
    media_type: str

    def rows(self) -> Iterator[Any]:
        """The rows as JSON values, or as `RowFault` where one cannot be read. Raises `Problem` 400, 422.

        The file is read from its start; it blocks, so leave it to a thread.
        """
        self.file.seek(0)
        return READERS[self.media_type](self.file)


def media_type_of(headers: Mapping[str, str], method: str) -> str:
    """The media type of a batch. Raises `Problem` 415 for any that is not read here."""
    sent = headers.get("content-type")
    message = Message()
    message["content-type"] = sent or ""
    # get_content_type answers text/plain for a type it cannot read, so a malformed one does not pass.
    media_type = message.get_content_type()
    charset = str(message.get_param("charset", "utf-8")).lower()
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if sent is None or media_type not in READERS or charset not in {"utf-8", "utf8"}:
        what = "is missing" if sent is None else "is not a type this path reads"
        raise _unsupported("header.content-type", what, f"send {', '.join(READERS)}, in UTF-8", method)
    if encoding != "identity":
        raise _unsupported("header.content-encoding", "is not read here", "send the body uncompressed", method)
    return media_type


def _unsupported(where: str, what: str, hint: str, method: str) -> Problem:
    accepted = {"Accept-Post": ", ".join(READERS)} if method == "POST" else None
    return Problem(
        "unsupported-media-type", f"{where} {what}; {hint}", faults=[Fault(where, what, hint)], headers=accepted
    )


@asynccontextmanager
async def received(chunks: AsyncIterable[bytes], media_type: str) -> AsyncIterator[Delivery]:
    """Take in a whole body, which is gone again when the block ends.

    Raises `Problem` 400 for what is not UTF-8, 503 where there is no room for it.
    """
    digest = sha256()
    decoder = getincrementaldecoder("utf-8")()
    taken, broken = 0, None
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        async for chunk in chunks:
            if broken is not None:
                # Read on to the end: a sender cut off in the middle would see a broken connection, not the answer.
                continue
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                broken = taken - pending + error.start
                continue
            digest.update(chunk)
            _write(file, chunk)
            taken += len(chunk)
        pending = len(decoder.getstate()[0])
        if broken is None and pending:
            broken = taken - pending
        if broken is not None:
            raise unreadable("body", f"is not UTF-8 at byte {broken}", "send UTF-8")
        yield Delivery(file, digest.hexdigest(), media_type)


def _write(file: IO[bytes], chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError:
        raise Problem(
            "unavailable",
            "there is no room to receive the batch; nothing was stored, try again later",
            headers={"Retry-After": "60"},
        ) from None
