"""Takes cosignatures of agencies (witnesses, *vittnen*) that have seen the log grow, and evidence that it did not."""

import base64
import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from api.errors import Fault, Problem, conflict
from api.ledger import repository
from api.ledger.checkpoint import Checkpoint, Note, NoteError, Signature, VerifierKey, timestamp_of
from api.ledger.proving import Checkpoints
from api.store.database import Database

_WHERE = "body.checkpoint"
# Clocks differ a little; a cosignature of tomorrow would outlive every true one.
_AHEAD_S = 300
_log = logging.getLogger("samsyn.ledger")


class Cosigning:
    """Cosignatures, each checked against the agency's registered key and against this log's own root."""

    def __init__(self, database: Database, checkpoints: Checkpoints, clock: Callable[[], datetime]) -> None:
        self._database, self._checkpoints, self._clock = database, checkpoints, clock

    async def accept(self, agency: str, whole: str) -> tuple[Checkpoint, Signature]:
        """Keep the agency's cosignature in this note. Raises `Problem` 409 for any that does not belong here.

        One that is truly the agency's, over a root that this log does not have, is evidence that somebody is shown
        another log: the answer names both roots, and the operator's log keeps the note.
        """
        try:
            note = Note.parse(whole)
            said = Checkpoint.parse(note.text)
        except NoteError as error:
            raise conflict(_WHERE, str(error)) from None
        if said.origin != self._checkpoints.key.name:
            raise conflict(_WHERE, f"is of another log; this one is {self._checkpoints.key.name}")
        async with self._database.transaction() as connection:
            signature = await self._own(connection, agency, note)
            await self._check_root(connection, agency, note, said)
            signed_at = timestamp_of(signature)
            await repository.keep_cosignature(connection, agency, said.size, signed_at=signed_at, line=signature.line)
        return said, signature

    async def _own(self, connection: AsyncConnection, agency: str, note: Note) -> Signature:
        """The agency's signature in the note, which holds."""
        witnesses = await repository.read_witnesses(connection)
        key: VerifierKey | None = next((one.key for one in witnesses if one.agency == agency), None)
        if key is None:
            raise conflict(_WHERE, "your agency has no witness key here", "have it registered with `samsyn witness`")
        try:
            signature = note.signed_by(key)
        except NoteError as error:
            raise conflict(_WHERE, str(error)) from None
        if signature is None:
            raise conflict(_WHERE, "carries no cosignature of your agency's key", f"sign it with {key.text}")
        if timestamp_of(signature) > self._clock().timestamp() + _AHEAD_S:
            raise conflict(_WHERE, "is cosigned at a time that is yet to come", "set your clock")
        return signature

    async def _check_root(self, connection: AsyncConnection, agency: str, note: Note, said: Checkpoint) -> None:
        newest = await self._checkpoints.checkpoint(connection)
        own = newest if said.size >= newest.size else await self._checkpoints.checkpoint(connection, said.size)
        if own == said:
            return
        try:
            ours = note.signed_by(self._checkpoints.key) is not None
        except NoteError:
            ours = False
        _log.error(
            "EVIDENCE: %s has cosigned another log, signed with this log's key: %s. This log:\n%sThe note:\n%s",
            *(agency, "yes" if ours else "no", own.text, note.whole),
        )
        raise Problem(
            "conflict",
            f"{_WHERE}: this log has another root; keep your note, it is evidence that two logs go under one name",
            faults=[Fault(_WHERE, "is over a root that this log does not have", "tell the log's operator and others")],
            extra={"cosigned": _shown(said), "here": _shown(own)},
        )


def _shown(checkpoint: Checkpoint) -> dict[str, object]:
    return {"size": checkpoint.size, "root": base64.b64encode(checkpoint.root).decode()}
