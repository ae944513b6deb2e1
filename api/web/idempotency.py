"""The same request once: a write under an Idempotency-Key is made one time, and its first answer is given again.

once(…)        a POST that makes one thing: 201, or the first answer with `Idempotency-Replayed: true`
write_once(…)  the write alone, for faces that answer in their own way

What is kept   key, keyed fingerprint, status, Location, in the transaction of the write: both are there or neither. The
               body is added once it is made. After seven days all of it is forgotten.
What is not    refusals (a corrected request may reuse its key), and bodies with protected fields.

INVARIANT: a kept body holds only what any registered agency may read. Everything else is read anew for each replay,
through the gate, so that it is decided by today's law, purpose and decisions and leaves its own receipt.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Header, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.disclosure.asking import Asking
from api.errors import Fault, Problem
from api.store.idempotency import (
    KeptAnswer,
    KeyOwner,
    find_answer,
    forget_old,
    keep_answer,
    keep_body,
    take_key,
)
from api.web.conditional import SHARED_CACHE, respond
from api.web.context import Services
from api.web.idempotency_key import HEADER, PATTERN, parse

RETENTION: Final = timedelta(days=7)
REPLAYED: Final = "Idempotency-Replayed"
REPLAYED_HEADER: Final[dict[str, Any]] = {
    REPLAYED: {
        "description": "true where this is the first answer again / true när det är det första svaret igen",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
"""The header as an OpenAPI `headers` object, for the responses of operations that use `once`."""

_CREATED = 201
_WHERE = f"header.{HEADER.lower()}"

Write = Callable[[AsyncConnection, UUID], Awaitable[None]]
AnswerOf = Callable[[UUID], Awaitable[Response]]


def _optional_key(
    key: Annotated[
        str | None,
        Header(
            alias=HEADER,
            pattern=PATTERN,
            # Honoured, and told in the operation's description; a contract test that generates requests from the
            # schema would reuse one key for many bodies, which is rightly refused.
            include_in_schema=False,
            description="The sender's own name of this request, in double quotes; the same name gives the same answer "
            "/ Avsändarens eget namn på begäran, inom citattecken",
        ),
    ] = None,
) -> str | None:
    return None if key is None else parse(key)


OptionalIdempotencyKey = Annotated[str | None, Depends(_optional_key)]
"""Parameter type of an endpoint that takes the header without requiring it; the bare key, or `None`."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a write came to: the id of what was made, and whether an earlier request under the key made it.

    `first` is what was kept then.
    """

    id: UUID
    replayed: bool = False
    first: KeptAnswer | None = None


def fingerprint(method: str, path: str, value: Any, beside: Sequence[str] = ()) -> bytes:
    """SHA-256 of method, path and the body as a JSON value: spaces and the order of members do not matter.

    `beside` the body is what headers say of the thing that is made: with another purpose it is another one.
    """
    body = json.dumps([value, *beside] if beside else value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(f"{method}\n{path}\n{body}".encode()).digest()


async def write_once(
    parts: Services, who: Asking, key: str | None, mark: bytes, *, collection: str, write: Write
) -> Written:
    """Run `write` in a transaction, unless the key has been used; `write` gets the id of what it is to make.

    `mark` is the request's `fingerprint`, `collection` the path under the API root that the id is appended to.
    Without a key the write is simply made. Raises `Problem` 422 `key-reused`, 409 `still-running`, or what `write`
    raises; nothing is stored or kept then.
    """
    new_id, now = parts.new_id(), parts.clock()
    oldest = now - RETENTION
    keyed = parts.sealer.mark(mark)
    async with parts.database.transaction() as connection:
        if key is not None:
            owner = KeyOwner(who.agency.slug, who.caller.client_id, key)
            if not await take_key(connection, owner):
                raise _still_running()
            first = await find_answer(connection, owner, since=oldest)
            if first is not None:
                # Without a key: kept by the version before, for as long as such answers are remembered.
                if first.fingerprint not in (keyed, mark):
                    raise _reused()
                return Written(UUID(first.location.rpartition("/")[2]), replayed=True, first=first)
        await write(connection, new_id)
        if key is not None:
            await forget_old(connection, before=oldest)
            location = f"{parts.settings.api_url}{collection}/{new_id}"
            await keep_answer(connection, owner, KeptAnswer(keyed, _CREATED, location), at=now)
    return Written(new_id)


async def once(
    request: Request,
    parts: Services,
    who: Asking,
    key: str | None,
    *,
    collection: str,
    write: Write,
    answer: AnswerOf,
    beside: Sequence[str] = (),
) -> Response:
    """Make one thing and answer 201, or give the first answer again.

    `answer` makes the response for an id after the commit; it reads through the gate. Scope and sector are checked
    before this is called, the content in `write`, so that a replay is not judged by a later day. `beside` as in
    `fingerprint`. See `write_once`.
    """
    mark = fingerprint(request.method, request.url.path, await request.json(), beside)
    written = await write_once(parts, who, key, mark, collection=collection, write=write)
    if written.first is not None and written.first.body:
        first = written.first
        headers = {"Location": first.location, REPLAYED: "true"}
        return respond(request, first.body, shared=True, status_code=first.status, headers=headers)
    response = await answer(written.id)
    if key is not None and response.headers.get("cache-control") == SHARED_CACHE:
        owner = KeyOwner(who.agency.slug, who.caller.client_id, key)
        # The write stands whether or not this succeeds; a replay then reads anew.
        with suppress(Problem):
            async with parts.database.transaction() as connection:
                await keep_body(connection, owner, response.headers["location"], bytes(response.body))
    if written.replayed:
        response.headers[REPLAYED] = "true"
    return response


def _still_running() -> Problem:
    what = "names a request that is still running"
    return Problem(
        "still-running",
        f"{_WHERE} {what}; send the same request again in a moment",
        faults=[Fault(_WHERE, what, "wait, then send the same request again")],
        headers={"Retry-After": "1"},
    )


def _reused() -> Problem:
    what = "was used with another body or on another path"
    return Problem(
        "key-reused",
        f"{_WHERE} {what}; use a new key for a new request",
        faults=[Fault(_WHERE, what, "use a new key for a new request")],
    )
