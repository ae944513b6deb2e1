"""Rows of `idempotent_answers`: which answer a key was given, kept in the transaction of the write it belongs to."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from api.store.base import table_of
from api.store.idempotency_table import IdempotentAnswer

_ANSWERS = table_of(IdempotentAnswer)
# Few at a time: each keyed write tidies a little after those before it, and none waits for it.
_FORGET_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """A key belongs to one client of one agency; another client's equal key is another key."""

    agency: str
    client_id: str
    key: str

    def lock(self) -> int:
        """The number of the advisory lock, in 64 bits. Two keys that share one could only make each other wait."""
        parts = [part.encode() for part in (self.agency, self.client_id, self.key)]
        framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return int.from_bytes(blake2b(framed, digest_size=8, person=b"samsyn-idem").digest(), "big", signed=True)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The first answer to a key. `body` is empty where it may not be kept, or was not kept yet."""

    fingerprint: bytes
    status: int
    location: str
    body: bytes = b""


async def take_key(connection: AsyncConnection, owner: KeyOwner) -> bool:
    """Hold the key until the transaction ends; false where another transaction holds it now."""
    lock = select(func.pg_try_advisory_xact_lock(owner.lock()))
    return bool((await connection.execute(lock)).scalar_one())


async def find_answer(connection: AsyncConnection, owner: KeyOwner, *, since: datetime) -> KeptAnswer | None:
    """The answer kept for the key, unless it is older than `since`."""
    columns = (_ANSWERS.c.fingerprint, _ANSWERS.c.status, _ANSWERS.c.location, _ANSWERS.c.body)
    found = select(*columns).where(_of(owner), _ANSWERS.c.answered_at >= since)
    row = (await connection.execute(found)).first()
    return KeptAnswer(*row) if row is not None else None


async def keep_answer(connection: AsyncConnection, owner: KeyOwner, answer: KeptAnswer, *, at: datetime) -> None:
    """Keep an answer, in place of one that was too old to be found. The key must be held."""
    values = {
        "fingerprint": answer.fingerprint,
        "status": answer.status,
        "location": answer.location,
        "body": answer.body,
        "answered_at": at,
    }
    named = {"agency": owner.agency, "client_id": owner.client_id, "key": owner.key}
    kept = insert(_ANSWERS).values(**named, **values)
    await connection.execute(kept.on_conflict_do_update(index_elements=list(named), set_=values))


async def keep_body(connection: AsyncConnection, owner: KeyOwner, location: str, body: bytes) -> None:
    """Add the body to an answer kept without one. Losing it harms nothing, so nobody waits for the disk."""
    await connection.execute(text("SET LOCAL synchronous_commit TO off"))
    same = (_of(owner), _ANSWERS.c.location == location, _ANSWERS.c.body == b"")
    await connection.execute(update(_ANSWERS).where(*same).values(body=body))


async def forget_old(connection: AsyncConnection, *, before: datetime, at_most: int = _FORGET_AT_ONCE) -> int:
    """Forget answers given before a moment, oldest first, past those another transaction is forgetting; how many."""
    named = (_ANSWERS.c.agency, _ANSWERS.c.client_id, _ANSWERS.c.key)
    old = (
        select(*named)
        .where(_ANSWERS.c.answered_at < before)
        .order_by(_ANSWERS.c.answered_at)
        .limit(at_most)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    same = (_ANSWERS.c.agency == old.c.agency, _ANSWERS.c.client_id == old.c.client_id, _ANSWERS.c.key == old.c.key)
    return (await connection.execute(delete(_ANSWERS).where(*same))).rowcount


def _of(owner: KeyOwner) -> ColumnElement[bool]:
    return (
        (_ANSWERS.c.agency == owner.agency) & (_ANSWERS.c.client_id == owner.client_id) & (_ANSWERS.c.key == owner.key)
    )
