"""Names without a name: what the same person is called, over time, towards one recipient and nobody else.

For follow-up statistics: a recipient can count persons and see one return. Two recipients who lay their data side by
side learn nothing, nor does one who lays data of two holders side by side. Whoever has the key can link them all.
"""

import base64
import hmac
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES = 32
# 125 bits, so that no two persons ever share one, in letters and digits that are read alike in any case.
_CHARACTERS = 25


def person_key(key: bytes, holder: str, identity_number: str) -> bytes:
    """What ties a holder's rows about one person together without saying who it is: 32 bytes.

    `key` is the pseudonym key; twelve digits without a hyphen.
    """
    return _mac(_derived(key, b"person"), holder.encode(), identity_number.encode())


def pseudonym(key: bytes, recipient: str, holder: str, person: bytes | UUID) -> str:
    """The person's name towards one recipient, of data from one holder.

    `person` is the row's person key, or the row's own id where the holder knows no identity number: then another row
    about the same person has another pseudonym.
    """
    who = b"row:" + person.bytes if isinstance(person, UUID) else b"person:" + person
    digest = _mac(_derived(key, b"recipient", recipient.encode()), holder.encode(), who)
    return base64.b32encode(digest).decode().lower()[:_CHARACTERS]


def _derived(key: bytes, *purpose: bytes) -> bytes:
    """A key of its own for each purpose (RFC 5869)."""
    info = b"samsyn pseudonyms v1\0" + _framed(purpose)
    return HKDF(SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(key)


def _mac(key: bytes, *parts: bytes) -> bytes:
    return hmac.new(key, _framed(parts), sha256).digest()


def _framed(parts: tuple[bytes, ...]) -> bytes:
    """Parts with their lengths before them, so that no two lists of parts spell alike."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
