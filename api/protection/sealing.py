"""Texts that lie encrypted in the database, under keys that are not in it (Fernet: AES-128-CBC and HMAC-SHA256).

INVARIANT: a sealed text belongs to one field of one row. What is encrypted is `[row id, field, value]`, and a text
that says another row or field is never handed out: whoever may write to the database cannot move a value to a row
that he may read.
"""

import base64
import hmac
import json
import logging
from collections.abc import Callable
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from api.errors import Problem
from api.protection.keys import DataKeyError, DataKeys

_log = logging.getLogger("samsyn.sealing")


class Sealer:
    """Seals with the newest key, opens with any. Keys that were added to the file since are found when needed."""

    def __init__(self, source: Callable[[], DataKeys]) -> None:
        """`source` reads the keys. Raises `DataKeyError` where it cannot."""
        self._source = source
        self._keys = source()
        self._newest, self._any = _ciphers(self._keys)

    @property
    def pseudonym_key(self) -> bytes:
        """The key that pseudonyms are derived from: 32 bytes, untouched by a rotation."""
        return self._keys.pseudonym

    def mark(self, content: bytes) -> bytes:
        """A digest that is the same for the same content and tells nothing to whoever has no key: 32 bytes.

        INVARIANT: what is kept in the database of a request that held sealed texts cannot be found by guessing them.
        """
        return hmac.digest(self._keys.pseudonym, b"samsyn request v1\0" + content, sha256)

    def seal(self, row_id: str, field: str, value: str) -> bytes:
        """The value as a Fernet token (base64, ASCII), bound to its row and field."""
        return self._newest.encrypt(_framed(row_id, field, value))

    def open(self, row_id: str, field: str, token: bytes | str) -> str:
        """The value of that field of that row. Raises `Problem` 503 where no key opens it, or it is another's."""
        try:
            held = json.loads(self._decrypted(token))
        except InvalidToken:
            raise _unreadable("no key opens it, or it has been changed") from None
        if held[:2] != [row_id, field]:
            raise _unreadable("it belongs to another row or field")
        value: str = held[2]
        return value

    def rotate(self, token: bytes) -> bytes:
        """The same content under the newest key. Raises `Problem` 503 where no key opens it."""
        try:
            self._decrypted(token)
            return self._any.rotate(token)
        except InvalidToken:
            raise _unreadable("no key opens it, or it has been changed") from None

    def is_newest(self, token: bytes) -> bool:
        """Whether the newest key made it."""
        try:
            self._newest.decrypt(token)
        except InvalidToken:
            return False
        return True

    def _decrypted(self, token: bytes | str) -> bytes:
        token = token.encode() if isinstance(token, str) else token
        try:
            return self._any.decrypt(token)
        except InvalidToken:
            # Another process may seal under a key that was added after this one began.
            if not self._found_new_keys():
                raise
            return self._any.decrypt(token)

    def _found_new_keys(self) -> bool:
        try:
            found = self._source()
        except DataKeyError:
            return False
        if set(found.sealing) <= set(self._keys.sealing):
            return False
        # INVARIANT: what this process can open it goes on opening, and its pseudonyms stay what they are.
        older = tuple(key for key in self._keys.sealing if key not in found.sealing)
        self._keys = DataKeys((*found.sealing, *older), self._keys.pseudonym)
        self._newest, self._any = _ciphers(self._keys)
        return True


def _ciphers(keys: DataKeys) -> tuple[Fernet, MultiFernet]:
    ciphers = [Fernet(base64.urlsafe_b64encode(key)) for key in keys.sealing]
    return ciphers[0], MultiFernet(ciphers)


def _framed(row_id: str, field: str, value: str) -> bytes:
    return json.dumps([row_id, field, value], ensure_ascii=False, separators=(",", ":")).encode()


def _unreadable(why: str) -> Problem:
    """What the caller is told (nothing), and what the operator is (the reason, and no content)."""
    _log.error("a sealed text cannot be opened: %s; see `samsyn rotate-keys` in the README", why)
    return Problem(
        "unavailable",
        "something protected cannot be read now; nothing of it is handed out",
        headers={"Retry-After": "60"},
    )
