"""What is taken from the world and handed on: the time, random salts, and the ledger that needs them."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

from api.ledger.leaves import SALT_BYTES
from api.ledger.service import Ledger
from api.store.database import Database


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def new_salt() -> bytes:
    """Random bytes: what hides the content of a leaf from one who guesses it."""
    return secrets.token_bytes(SALT_BYTES)


def ledger_of(
    database: Database,
    *,
    clock: Callable[[], datetime] = utc_now,
    new_id: Callable[[], UUID] = uuid4,
    new_salt: Callable[[], bytes] = new_salt,
) -> Ledger:
    """The ledger over one database, for the service and for commands that note what they do."""
    return Ledger(database, clock=clock, new_id=new_id, new_salt=new_salt)
