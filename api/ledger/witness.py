"""What an agency does as a witness (*vittne*): looks at the log, sees that it has only grown, and says so.

INVARIANT: what was seen is on the disk before anything is cosigned, so that no witness ever vouches for two histories,
not even when it is cut off. It runs at the agency, with the agency's key, and believes the service in nothing.
"""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.ledger import keys
from api.ledger.checkpoint import LOG, WITNESS, Checkpoint, Note, NoteError, VerifierKey, cosign
from api.ledger.merkle import extends


class WitnessError(Exception):
    """Nothing could be cosigned: the service is away, or answers what cannot be read. No verdict on the log."""


class NotGrownError(Exception):
    """The log is not the one that was seen before; the text says how, and holds both notes: the evidence."""


class Service(Protocol):
    """The log's service; `path` is below its base address. Both raise `WitnessError`."""

    def get(self, path: str) -> str:
        """The body of what stands there."""

    def post(self, path: str, body: dict[str, Any]) -> str:
        """Send JSON; the body of the answer."""


@dataclass(frozen=True, slots=True)
class State:
    """What a witness remembers: the log's key, and the newest note it has checked."""

    log_key: VerifierKey
    note: Note | None = None

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """What is remembered in a file; `None` where there is none yet. Raises `WitnessError` where it is broken."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            note = stored["checkpoint"]
            return cls(VerifierKey.parse(stored["logKey"]), None if note is None else Note.parse(note))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WitnessError(f"{path}: cannot be read ({error}); without it nothing is cosigned") from None

    def write(self, path: Path) -> None:
        """Remember, whole or not at all. Raises `WitnessError`."""
        content = {"logKey": self.log_key.text, "checkpoint": self.note.whole if self.note is not None else None}
        try:
            keys.replace(path, json.dumps(content, ensure_ascii=False) + "\n")
        except OSError as error:
            raise WitnessError(f"{path}: {error.strerror}; nothing is cosigned that is not remembered") from None


@dataclass(frozen=True, slots=True)
class Witness:
    """An agency's key, what it remembers, and a clock that gives POSIX seconds.

    `log_key` is the log's key as it came by another way than this service; without it, the first key that is seen is
    taken and remembered.
    """

    service: Service
    key: Ed25519PrivateKey
    state: Path
    clock: Callable[[], int]
    log_key: VerifierKey | None = None

    def cosign(self) -> Checkpoint:
        """Look, check, remember, cosign. Raises `NotGrownError` with the evidence, or `WitnessError`."""
        shown = _json(self.service.get("ledger/key"))
        before = State.read(self.state)
        log_key, name = self._log_key(shown, before), self._own_name(shown)
        note, checkpoint = self._newest(log_key)
        if before is not None and before.note is not None:
            self._check_growth(before.note, note, checkpoint)
        State(log_key, note).write(self.state)
        signed = Note(note.text, (*note.signatures[:1], cosign(note.text, name, self.key, self.clock())))
        self.service.post("ledger/cosignatures", {"checkpoint": signed.whole})
        return checkpoint

    def _log_key(self, shown: Any, before: State | None) -> VerifierKey:
        try:
            key = VerifierKey.parse(shown["key"])
        except (NoteError, KeyError, TypeError):
            raise WitnessError("the service shows no key of its log") from None
        known = [one for one in (self.log_key, before.log_key if before is not None else None) if one is not None]
        if key.kind != LOG or any(one != key for one in known):
            raise NotGrownError(f"the log has another key than it had: {key.text}, and was {known[0].text}")
        return key

    def _own_name(self, shown: Any) -> str:
        public = self.key.public_key().public_bytes_raw()
        witnesses = shown.get("witnesses", []) if isinstance(shown, dict) else []
        for one in witnesses:
            try:
                known = VerifierKey.parse(one["key"])
            except (NoteError, KeyError, TypeError):
                continue
            if known.kind == WITNESS and known.public == public:
                return known.name
        raise WitnessError("this key is not registered as a witness's; the log's operator runs `samsyn witness`")

    def _newest(self, log_key: VerifierKey) -> tuple[Note, Checkpoint]:
        try:
            note = Note.parse(self.service.get("ledger/checkpoint"))
            checkpoint = Checkpoint.parse(note.text)
            signature = note.signed_by(log_key)
        except NoteError as error:
            raise WitnessError(f"the checkpoint: {error}") from None
        if signature is None or checkpoint.origin != log_key.name:
            raise WitnessError("the checkpoint is not signed with the log's key")
        return Note(note.text, (signature,)), checkpoint

    def _check_growth(self, before: Note, now: Note, new: Checkpoint) -> None:
        old = Checkpoint.parse(before.text)
        evidence = f"\nwas:\n{before.whole}\nis:\n{now.whole}"
        if new.size < old.size:
            raise NotGrownError(f"the log has shrunk from {old.size} to {new.size} leaves{evidence}")
        proof: list[bytes] = []
        if 0 < old.size < new.size:
            shown = _json(self.service.get(f"ledger/proofs/consistency?from={old.size}&to={new.size}"))
            try:
                proof = [base64.b64decode(one, validate=True) for one in shown["path"]]
            except (binascii.Error, ValueError, KeyError, TypeError):
                raise WitnessError("the service shows no proof that the log has grown") from None
        if not extends(old_root=old.root, old=old.size, new_root=new.root, new=new.size, proof=proof):
            raise NotGrownError(
                f"the log of {new.size} leaves does not begin with the one of {old.size} leaves that was seen{evidence}"
            )


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise WitnessError("the service answers what is no JSON") from None
