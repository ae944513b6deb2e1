"""What the log shows of itself to anybody: signed checkpoints, leaves without content, and proofs about both."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.errors import Problem, not_found
from api.ledger import merkle, repository
from api.ledger.checkpoint import Checkpoint, Note, NoteError, Signature, VerifierKey, note, signature_of
from api.ledger.leaves import Leaf
from api.ledger.repository import HeadMissingError, Witness
from api.ledger.signing import NotRememberedError, Signer, SigningRefusedError
from api.store.database import Database

LEAVES_AT_ONCE = 1000
_TRIES = 5
_log = logging.getLogger("samsyn.ledger")


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That a leaf is in the tree of `size` leaves with this root: `path` from the leaf up (RFC 9162 §2.1.3)."""

    leaf: Leaf
    size: int
    root: bytes
    path: list[bytes]


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the tree of `new` leaves begins with that of `old` (RFC 9162 §2.1.4)."""

    old: int
    old_root: bytes
    new: int
    new_root: bytes
    path: list[bytes]


class Checkpoints:
    """The log's heads and proofs, from the nodes that stand in the database."""

    def __init__(self, database: Database, signer: Signer) -> None:
        self._database, self._signer = database, signer

    @property
    def key(self) -> VerifierKey:
        """The log's public key."""
        return self._signer.public

    async def note(self, size: int | None = None) -> Note:
        """The signed checkpoint of the newest head, or of an earlier size, with the cosignatures known for it.

        Raises `Problem` 404 for a size that the log does not have yet, 503 where nothing is signed over: the database
        does not belong to what was signed before, or what is signed cannot be remembered (a full disk).
        """
        try:
            for _ in range(_TRIES):
                # Read before the head: a head that is smaller than this was put back, not overtaken.
                before = self._signer.signed_before()
                checkpoint, proofs, cosigned = await self._prove(size, before)
                signature = await asyncio.to_thread(self._signer.sign, checkpoint, proofs)
                if signature is not None:
                    return note(checkpoint, [signature, *cosigned])
        except NotRememberedError as error:
            _log.error("nothing new is signed: %s", error)
            raise _not_remembered() from None
        except SigningRefusedError as error:
            _refuse(str(error))
        raise Problem("unavailable", "the log is being signed by others; try again", headers={"Retry-After": "1"})

    async def checkpoint(self, connection: AsyncConnection, size: int | None = None) -> Checkpoint:
        """The head, or what it was at an earlier size; nothing is signed. Raises `Problem` 404, and 503 as `note`."""
        head = await _head(connection)
        if size is not None and size > head.size:
            raise not_found("a checkpoint of so many leaves")
        wanted = head.size if size is None else size
        ranges = [(0, wanted)]
        nodes = await repository.read_nodes(connection, merkle.needed(ranges))
        (root,) = _path(ranges, nodes)
        if wanted == head.size and root != head.root:
            _refuse("the head is not that of the nodes: the database was changed")
        return Checkpoint(self._signer.origin, wanted, root)

    async def inclusion(self, *, receipt: UUID | None, index: int | None, size: int | None) -> Inclusion:
        """The proof for one leaf. Without receipt and index: the last leaf of the tree. Raises `Problem` 404."""
        async with self._database.transaction() as connection:
            checkpoint = await self.checkpoint(connection, size)
            if receipt is None and index is None:
                index = checkpoint.size - 1
            leaf = await repository.find_leaf(connection, receipt=receipt, index=index)
            if leaf is None or leaf.index >= checkpoint.size:
                raise not_found("the leaf")
            ranges = merkle.inclusion_ranges(leaf.index, checkpoint.size)
            nodes = await repository.read_nodes(connection, merkle.needed(ranges))
        return Inclusion(leaf, checkpoint.size, checkpoint.root, _path(ranges, nodes))

    async def consistency(self, old: int, new: int | None) -> Consistency:
        """The proof that the log only grew from `old` to `new` leaves (default: all). Raises `Problem` 404."""
        async with self._database.transaction() as connection:
            end = await self.checkpoint(connection, new)
            if old > end.size:
                raise not_found("a proof from more leaves to fewer")
            start = await self.checkpoint(connection, old)
            path = await self._consistency(connection, old, end.size)
        return Consistency(old, start.root, end.size, end.root, path)

    async def leaves(self, start: int, end: int | None) -> tuple[list[Leaf], int]:
        """At most `LEAVES_AT_ONCE` leaves from `start` to before `end`, and how many there are in all."""
        async with self._database.transaction() as connection:
            size = (await _head(connection)).size
            last = min(size, start + LEAVES_AT_ONCE, size if end is None else end)
            return await repository.read_leaves(connection, start, last), size

    async def witnesses(self) -> list[Witness]:
        """The agencies that cosign, with their keys."""
        async with self._database.transaction() as connection:
            return await repository.read_witnesses(connection)

    async def _prove(
        self, size: int | None, before: Sequence[Checkpoint]
    ) -> tuple[Checkpoint, dict[Checkpoint, list[bytes]], list[Signature]]:
        """A checkpoint, how it belongs to each that was signed before, and who has cosigned it."""
        async with self._database.transaction() as connection:
            checkpoint = await self.checkpoint(connection, size)
            if size is None and any(checkpoint.size < one.size for one in before):
                _refuse(f"the log has {checkpoint.size} leaves, and more were signed: the database was put back")
            proofs = {}
            for one in before:
                old, new = sorted((one.size, checkpoint.size))
                proofs[one] = await self._consistency(connection, old, new)
            cosigned = await repository.read_cosignatures(connection, checkpoint.size)
            return checkpoint, proofs, list(_readable(cosigned, checkpoint.size))

    async def _consistency(self, connection: AsyncConnection, old: int, new: int) -> list[bytes]:
        ranges = merkle.consistency_ranges(old, new)
        return _path(ranges, await repository.read_nodes(connection, merkle.needed(ranges)))


def _readable(lines: Sequence[str], size: int) -> Iterator[Signature]:
    """The signatures of stored lines. One that was spoilt takes from nobody what the others say."""
    for line in lines:
        try:
            yield signature_of(line)
        except NoteError:
            _log.error("a stored cosignature over %d leaves cannot be read and is left out; run `samsyn verify`", size)


async def _head(connection: AsyncConnection) -> merkle.Frontier:
    try:
        return await repository.read_head(connection)
    except HeadMissingError:
        _refuse("the ledger has no head: the database was changed")


def _path(ranges: Sequence[merkle.Range], nodes: Mapping[merkle.Node, bytes]) -> list[bytes]:
    try:
        return merkle.path(ranges, nodes)
    except KeyError as missing:
        _refuse(f"the database lacks {missing.args[0]}: it was put back or changed")


def _not_remembered() -> Problem:
    return Problem(
        "unavailable",
        "the log signs nothing new now, for it cannot remember what it signs; its operator is told",
        headers={"Retry-After": "5"},
    )


def _refuse(why: str) -> NoReturn:
    """Tell the operator why, and callers that it is so."""
    _log.error("no checkpoint is signed: %s", why)
    raise Problem(
        "unavailable",
        "the log signs no checkpoint: its database does not belong to what was signed before; its operator is told",
        headers={"Retry-After": "60"},
    )
