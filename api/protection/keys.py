"""The keys that lie outside the database: those that seal texts, and the one that pseudonyms are made with.

The file has a key on each line, 32 bytes in base64; the first is the newest, and every one of them opens. One more
line, `pseudonym` and a key, stays for ever: another one would give every person another pseudonym. `#` begins a remark.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.fernet import Fernet

from api.private_file import create_once, read_private
from api.settings import Settings

KEY_FILE = "data-keys"
_PSEUDONYM = "pseudonym"
_KEY_BYTES = 32
_MOST_BYTES = 65_536
_OTHERS = 0o037


class DataKeyError(Exception):
    """The keys cannot be read or made; the text says where and what to do, and holds no key."""


@dataclass(frozen=True, slots=True)
class DataKeys:
    """`sealing`: 32 bytes each, newest first, at least one. `pseudonym`: 32 bytes, the same for ever."""

    sealing: tuple[bytes, ...] = field(repr=False)
    pseudonym: bytes = field(repr=False)


def key_source(settings: Settings) -> Callable[[], DataKeys]:
    """What reads the keys that the settings name, again at each call; in development they are made where missing.

    The call raises `DataKeyError`.
    """
    named = settings.data_keys

    def read() -> DataKeys:
        path = settings.data_dir / KEY_FILE if named is None else named
        try:
            if named is None:
                create_once(path, _new_file)
            # An operator's secret is often a link, and its group's to read.
            content = read_private(path, limit=_MOST_BYTES, shut_to=_OTHERS, follow=True)
            return _parsed(content)
        except OSError as error:
            raise DataKeyError(f"{path}: {error.strerror}; it holds the keys of the sealed texts") from None
        except ValueError as error:
            raise DataKeyError(f"{path}: {error}; restore it from where the keys are kept") from None

    return read


def _parsed(content: bytes) -> DataKeys:
    """The keys of a file. Raises `ValueError` with the number of the line, and nothing of it."""
    sealing: list[bytes] = []
    pseudonym: bytes | None = None
    for number, raw in enumerate(content.decode("ascii", "replace").splitlines(), 1):
        line = raw.partition("#")[0].split()
        if not line:
            continue
        if len(line) == 1:
            sealing.append(_key(line[0], number))
        elif len(line) == 2 and line[0] == _PSEUDONYM and pseudonym is None:  # noqa: PLR2004 - a word and a key
            pseudonym = _key(line[1], number)
        else:
            raise ValueError(f"line {number} is neither a key nor the one line `{_PSEUDONYM} KEY`")
    if not sealing or pseudonym is None:
        raise ValueError(f"needs a line with a key, and the line `{_PSEUDONYM} KEY`")
    if len({*sealing, pseudonym}) != len(sealing) + 1:
        raise ValueError("holds a key twice")
    return DataKeys(tuple(sealing), pseudonym)


def _key(text: str, number: int) -> bytes:
    try:
        key = base64.b64decode(text.translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise ValueError(f"line {number} is not 32 bytes in base64")
    return key


def _new_file() -> bytes:
    remark = b"# Made for development. Whoever has it can read what lies sealed in the database.\n"
    return remark + Fernet.generate_key() + b"\n" + _PSEUDONYM.encode() + b" " + Fernet.generate_key() + b"\n"
