"""Ed25519 keys in files: the log's own, and the one an agency cosigns with. And files that are replaced whole."""

import os
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from api.private_file import create_once, read_private

KEY_FILE = "ledger-key.pem"
_MOST_BYTES = 4096
_RAW_BYTES = 32
# An operator's secret is often its group's to read.
_OTHERS = 0o037


class KeyFileError(Exception):
    """A key cannot be read or made; the text says where and what to do, and holds no key."""


def load(path: Path) -> Ed25519PrivateKey:
    """Read a key: 32 raw bytes, or PKCS #8 in PEM without a password. Raises `KeyFileError`."""
    try:
        content = read_private(path, limit=_MOST_BYTES, shut_to=_OTHERS, follow=True)
        if len(content) == _RAW_BYTES:
            return Ed25519PrivateKey.from_private_bytes(content)
        key = load_pem_private_key(content, password=None)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: not an Ed25519 key (32 bytes, or PKCS #8 in PEM) in a file shut to others")
    return key


def load_or_create(path: Path) -> Ed25519PrivateKey:
    """Read a key, or make one (mode 0600). Processes that race get the same key. Raises `KeyFileError`."""
    try:
        create_once(path, _new)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}; check who owns the folder") from None
    return load(path)


def _new() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def replace(path: Path, content: str) -> None:
    """Put a file in the place of another, whole or not at all, and on the disk when this returns. Raises `OSError`."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
