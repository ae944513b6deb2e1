"""The log's signature, and what it has signed: in memory, and in a file beside the key that is replaced whole.

INVARIANT: nothing is signed but what begins with all that was signed before. Two checkpoints of this log that no single
log can have would be the proof that it was rewritten; a database that was put back or changed is not signed over.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.ledger import keys
from api.ledger.checkpoint import LOG, Checkpoint, Note, NoteError, Signature, VerifierKey, note, sign
from api.ledger.merkle import extends
from api.settings import Settings

_SIGNED = ".signed"


class SigningRefusedError(Exception):
    """The log's key signs nothing now; the text says why, for whoever operates the log."""


class NotRememberedError(SigningRefusedError):
    """What is signed cannot be remembered now: a full disk, a folder that is shut. It says nothing against the log."""


class Signer:
    """The log's key under its origin. Processes that share the file share what was signed (`remembered`)."""

    def __init__(self, key: Ed25519PrivateKey, origin: str, remembered: Path) -> None:
        self._key, self.origin = key, origin
        self._file = remembered
        self._last: Checkpoint | None = None
        self.public = VerifierKey(origin, LOG, key.public_key().public_bytes_raw())

    def signed_before(self) -> tuple[Checkpoint, ...]:
        """The largest checkpoints that this process, and any other with this key, remember. None, one or two.

        Raises `SigningRefusedError` where the file is not what this log wrote.
        """
        known = (self._last, self._read())
        return tuple(dict.fromkeys(one for one in known if one is not None))

    def sign(self, checkpoint: Checkpoint, proofs: Mapping[Checkpoint, Sequence[bytes]]) -> Signature | None:
        """Sign a checkpoint that begins with, or is the beginning of, each checkpoint in `proofs`, and so proven.

        `None` where those are not all that is remembered: more was signed meanwhile, so prove it against that too.
        Raises `SigningRefusedError` where a proof fails, `NotRememberedError` where it cannot be remembered.
        """
        for before, proof in proofs.items():
            self._check(before, checkpoint, proof)
        signature = sign(checkpoint.text, self.origin, self._key)
        if any(checkpoint.size <= before.size for before in proofs):
            return signature if set(self.signed_before()) == set(proofs) else None
        with self._alone():
            if set(self.signed_before()) != set(proofs):
                return None
            try:
                # INVARIANT: a larger checkpoint is on the disk before its signature leaves.
                keys.replace(self._file, note(checkpoint, [signature]).whole)
            except OSError as error:
                raise NotRememberedError(f"{self._file}: {error.strerror}; it must remember what is signed") from None
            self._last = checkpoint
        return signature

    def _check(self, before: Checkpoint, checkpoint: Checkpoint, proof: Sequence[bytes]) -> None:
        old, new = sorted((before, checkpoint), key=lambda one: one.size)
        same_log = before.origin == checkpoint.origin == self.origin
        grown = extends(old_root=old.root, old=old.size, new_root=new.root, new=new.size, proof=proof)
        if not same_log or not grown:
            raise SigningRefusedError(
                f"the log with {checkpoint.size} leaves does not belong to the one with {before.size} leaves that was "
                "signed: the database was put back or rewritten. Restore it, or begin a new log with a new key"
            )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time decides what is the largest."""
        try:
            lock = os.open(self._file.with_name(self._file.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise NotRememberedError(f"{self._file.parent}: {error.strerror}; the log's key needs a folder") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _read(self) -> Checkpoint | None:
        try:
            found = Note.parse(self._file.read_text(encoding="utf-8"))
            checkpoint = Checkpoint.parse(found.text) if found.signed_by(self.public) is not None else None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NotRememberedError(f"{self._file}: {error.strerror}") from None
        except (NoteError, UnicodeDecodeError):
            raise SigningRefusedError(
                f"{self._file} is not what this log signed; put the file back, or begin a new log with a new key"
            ) from None
        if checkpoint is None or checkpoint.origin != self.origin:
            raise SigningRefusedError(f"{self._file} is of another log or key; each log has a key of its own")
        return checkpoint


def signer_of(settings: Settings) -> Signer:
    """The log's signer: the key that is set, or in development one made once in the data directory.

    Raises `KeyFileError`.
    """
    path = settings.ledger_key
    if path is None:
        path = settings.data_dir / keys.KEY_FILE
        key = keys.load_or_create(path)
    else:
        key = keys.load(path)
    return Signer(key, settings.ledger_origin, settings.ledger_signed or path.with_name(path.name + _SIGNED))
