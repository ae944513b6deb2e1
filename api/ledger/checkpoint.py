"""Checkpoints as signed text: C2SP signed-note, tlog-checkpoint, tlog-cosignature. Standard library and Ed25519 only.

    samsyn.example/ledger                       origin: which log, and the name of its key
    20852163                                    how many leaves
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=        the root over them
                                                a blank line; then who says so:
    — samsyn.example/ledger Az3grlgt…           the log
    — witness.example/w1 jWbPPwAA…              a witness (*vittne*), which has seen the log grow to this

Sources: c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature (cosignature/v1).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from api.ledger.merkle import EMPTY, HASH_BYTES

Kind = Literal[1, 4]
LOG: Kind = 1
WITNESS: Kind = 4
MOST_SIGNATURES = 100
MOST_CHARACTERS = 100_000
_KEY_ID = 4
_PUBLIC = 32
_SIGNATURE = 64
_TIMESTAMP = 8
_LATEST = 2**63 - 1
_NAME = re.compile(r"[^\s+\x00-\x1f]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_LINE = re.compile(r"— (\S+) (\S+)")


class NoteError(ValueError):
    """A text is no note, no checkpoint or no key; the text of the error says what is wrong."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and whose it is. As text: `name+keyid+base64(kind || public key)`."""

    name: str
    kind: Kind
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a key's text. Raises `NoteError`, also where name and key do not belong together."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        raw = _decoded(encoded, "the key")
        if not _NAME.fullmatch(name) or len(raw) != 1 + _PUBLIC or raw[0] not in (LOG, WITNESS):
            raise NoteError("not a verifier key: name+keyid+base64, of Ed25519, for notes (01) or cosignatures (04)")
        key = cls(name, LOG if raw[0] == LOG else WITNESS, raw[1:])
        if key.key_id.hex() != key_id:
            raise NoteError("the verifier key's id does not belong to its name and key")
        return key

    @property
    def key_id(self) -> bytes:
        """Four bytes that, with the name, say which key a signature line is of."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:_KEY_ID]

    @property
    def text(self) -> str:
        """The key as its holder hands it out."""
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed of a log: origin, number of leaves, root over them."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a note's text. Raises `NoteError`; lines after the third, which this log never writes, are refused."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not _NAME.fullmatch(lines[0]) or not _SIZE.fullmatch(lines[1]):  # noqa: PLR2004 - three lines, each ended
            raise NoteError("not a checkpoint: origin, number of leaves and root, a line each")
        root = _decoded(lines[2], "the root")
        if len(root) != HASH_BYTES or int(lines[1]) > _LATEST or (lines[1] == "0" and root != EMPTY):
            raise NoteError("not a checkpoint: a root is 32 bytes, and that of no leaves is known")
        return cls(lines[0], int(lines[1]), root)

    @property
    def text(self) -> str:
        """The note's text, which is what is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """One line below a note: whose it claims to be, and what it holds behind the key's id."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line, without its end."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.value).decode()}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the signatures below it, none of them checked yet."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, whole: str) -> Self:
        """Take a note apart. Raises `NoteError` for what is none, and for more signatures than anybody needs."""
        text, blank, below = whole.rpartition("\n\n")
        lines = below.split("\n")
        if not blank or len(whole) > MOST_CHARACTERS or lines.pop() != "" or not 0 < len(lines) <= MOST_SIGNATURES:
            raise NoteError("not a note: a text, a blank line, and a line for each signature")
        if any(character < " " and character != "\n" for character in whole):
            raise NoteError("not a note: it holds control characters")
        return cls(text + "\n", tuple(signature_of(line) for line in lines))

    @property
    def whole(self) -> str:
        """The note as it travels."""
        return self.text + "\n" + "".join(f"{signature.line}\n" for signature in self.signatures)

    def signed_by(self, key: VerifierKey) -> Signature | None:
        """The line that holds for this key, or `None` where no line is of it. Raises `NoteError` where one is false."""
        found = None
        for signature in self.signatures:
            if (signature.name, signature.key_id) == (key.name, key.key_id):
                if not holds(key, self.text, signature):
                    raise NoteError(f"the signature of {key.name} is false")
                found = signature
        return found


def sign(text: str, name: str, key: Ed25519PrivateKey) -> Signature:
    """The log's signature over a note's text."""
    public = VerifierKey(name, LOG, key.public_key().public_bytes_raw())
    return Signature(name, public.key_id, key.sign(text.encode()))


def cosign(text: str, name: str, key: Ed25519PrivateKey, timestamp: int) -> Signature:
    """A witness's signature: as of this time (POSIX), the largest checkpoint it has seen of a log that only grew."""
    public = VerifierKey(name, WITNESS, key.public_key().public_bytes_raw())
    return Signature(name, public.key_id, timestamp.to_bytes(_TIMESTAMP) + key.sign(_cosigned(text, timestamp)))


def timestamp_of(signature: Signature) -> int:
    """When a witness says that it signed (POSIX)."""
    return int.from_bytes(signature.value[:_TIMESTAMP])


def holds(key: VerifierKey, text: str, signature: Signature) -> bool:
    """Whether a signature is this key's over this text."""
    value, signed = signature.value, text.encode()
    if key.kind == WITNESS:
        timestamp, value = timestamp_of(signature), value[_TIMESTAMP:]
        if timestamp > _LATEST:
            return False
        signed = _cosigned(text, timestamp)
    if len(value) != _SIGNATURE:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(value, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def note(checkpoint: Checkpoint, signatures: Sequence[Signature]) -> Note:
    """A checkpoint with its signatures."""
    return Note(checkpoint.text, tuple(signatures))


def _cosigned(text: str, timestamp: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def signature_of(line: str) -> Signature:
    """Read one line below a note. Raises `NoteError`."""
    found = _LINE.fullmatch(line)
    raw = _decoded(found[2], "a signature") if found else b""
    if found is None or not _NAME.fullmatch(found[1]) or len(raw) <= _KEY_ID:
        raise NoteError("not a signature line: — name base64")
    return Signature(found[1], raw[:_KEY_ID], raw[_KEY_ID:])


def _decoded(text: str, what: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError(f"{what} is not base64") from None
    # One spelling only: base64 leaves bits over that say nothing.
    if base64.b64encode(raw).decode() != text:
        raise NoteError(f"{what} is not base64 as it is written")
    return raw
