"""The token issuer's public keys (JWKS, RFC 7517): cached, refreshed on an unknown key id, never on every forged one.

Only keys that can check an ES256 signature get in: public EC keys on P-256 whose point lies on the curve.
"""

import asyncio
import json
import logging
import stat
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers

from api.identity.strict import read_base64url, read_json_object

DEVELOPMENT_KID = "development-"  # how the key id of every development key begins
LOAD_TIMEOUT_S = 5.0
MAX_DOCUMENT_BYTES = 262_144
_COORDINATE_BYTES = 32
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_log = logging.getLogger(__name__)


class JwksUnavailableError(Exception):
    """No keys were ever loaded, or the last ones are too old to be trusted."""


class JwksError(ValueError):
    """A JWKS, or a key in it, cannot be used. The text is ours and holds nothing of the document."""


@dataclass(frozen=True, slots=True)
class CacheRules:
    """How old keys may grow, in seconds."""

    ttl_s: float = 600  # after this they are fetched again before use
    retry_s: float = 30  # never fetched more often than this, whatever is asked
    stale_s: float = 3600  # while fetching fails, the last keys stay in use this long


class JwksSource:
    """The current keys of one issuer, by key id. For one event loop.

    `load` gives the JWKS document as bytes; anything it raises counts as a failed refresh. `development` lets in keys
    of the development issuer, and http to this machine.
    """

    def __init__(
        self,
        load: Callable[[], Awaitable[bytes]],
        *,
        clock: Callable[[], datetime],
        rules: CacheRules | None = None,
        development: bool = False,
    ) -> None:
        self._load = load
        self._clock = clock
        self._rules = rules or CacheRules()
        self._development = development
        self._keys: dict[str, dict[str, str]] = {}
        self._loaded_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._refreshing: asyncio.Task[None] | None = None

    @classmethod
    def from_location(
        cls,
        location: str,
        *,
        clock: Callable[[], datetime],
        client: httpx.AsyncClient,
        rules: CacheRules | None = None,
        development: bool = False,
    ) -> Self:
        """Read keys from an https URL through `client`, or from a file path. Another scheme: ValueError.

        A file is read again as often as `retry_s` allows, so that a changed file counts soon.
        """
        rules = rules or CacheRules()
        if "://" not in location:
            path = Path(location)
            rules = replace(rules, ttl_s=min(rules.ttl_s, rules.retry_s))
            return cls(lambda: asyncio.to_thread(_read_file, path), clock=clock, rules=rules, development=development)
        url = httpx.URL(location)
        secure = url.scheme == "https" or (development and url.scheme == "http" and url.host in _LOOPBACK)
        if not secure or not url.host or url.userinfo:
            raise ValueError("a JWKS location is an https URL without user and password, or a file path")
        return cls(lambda: _fetch(client, url), clock=clock, rules=rules, development=development)

    @classmethod
    def from_document(
        cls, document: Mapping[str, Any], *, clock: Callable[[], datetime], development: bool = False
    ) -> Self:
        """Hold the keys of a document that never changes (the development issuer's own)."""
        data = json.dumps(document).encode()

        async def load() -> bytes:
            return data

        return cls(load, clock=clock, development=development)

    async def key(self, kid: str) -> dict[str, str] | None:
        """Give the public JWK (kty, crv, x, y) named `kid`, or None where the issuer has none.

        Raises JwksUnavailableError while no trustworthy set is at hand.
        """
        if kid not in self._keys or not self._younger_than(self._rules.ttl_s):
            await self._refresh()
        if not self._younger_than(self._rules.ttl_s + self._rules.stale_s):
            raise JwksUnavailableError
        return self._keys.get(kid)

    def _younger_than(self, seconds: float) -> bool:
        return _within(self._loaded_at, self._clock(), seconds)

    async def _refresh(self) -> None:
        """Fetch once for all who wait, and not at all within `retry_s` of the last attempt, failed or not."""
        if self._refreshing is None:
            now = self._clock()
            if _within(self._tried_at, now, self._rules.retry_s):
                return
            self._tried_at = now
            self._refreshing = asyncio.create_task(self._replace_keys())
            self._refreshing.add_done_callback(self._refreshed)
        # A caller who hangs up must not take the fetch away from those who wait for it too.
        await asyncio.shield(self._refreshing)

    def _refreshed(self, _: asyncio.Task[None]) -> None:
        self._refreshing = None

    async def _replace_keys(self) -> None:
        try:
            async with asyncio.timeout(LOAD_TIMEOUT_S):
                data = await self._load()
            self._keys = usable_keys(data, development=self._development)
            self._loaded_at = self._clock()
        except Exception as failure:  # noqa: BLE001 - whatever a loader raises, the last keys stay; key() bounds how long
            reason = str(failure) if isinstance(failure, JwksError) else type(failure).__name__
            _log.warning("JWKS not refreshed (%s); the last keys were loaded at %s", reason, self._loaded_at)


def _within(start: datetime | None, now: datetime, seconds: float) -> bool:
    """Whether `now` lies within `seconds` after `start`; a clock set back counts as outside, so nothing is stuck."""
    return start is not None and 0 <= (now - start).total_seconds() < seconds


def usable_keys(data: bytes, *, development: bool) -> dict[str, dict[str, str]]:
    """Read a JWKS document and give its ES256 verification keys by key id; every other key is logged and left out.

    Raises JwksError where the document is no JWKS. An empty set is a set: the issuer has withdrawn its keys.
    """
    try:
        entries = read_json_object(data).get("keys")
    except ValueError:
        raise JwksError("the document is not plain JSON") from None
    if not isinstance(entries, list):
        raise JwksError("the document has no list of keys")
    keys: dict[str, dict[str, str]] = {}
    ambiguous: set[str] = set()
    for position, entry in enumerate(entries):
        try:
            kid, key = _usable_key(entry, development=development)
        except JwksError as reason:
            _log.warning("JWKS key at position %d ignored: %s", position, reason)
            continue
        if keys.setdefault(kid, key) != key:
            ambiguous.add(kid)
    if ambiguous:
        _log.warning("JWKS keys ignored: %d key ids name different keys", len(ambiguous))
    return {kid: key for kid, key in keys.items() if kid not in ambiguous}


def _usable_key(entry: object, *, development: bool) -> tuple[str, dict[str, str]]:
    """Give key id and the four members that matter, or raise JwksError."""
    if not isinstance(entry, dict):
        raise JwksError("not an object")
    if "d" in entry or "k" in entry:
        raise JwksError("it holds a secret, which nobody may publish; withdraw it")
    if entry.get("kty") != "EC" or entry.get("crv") != "P-256" or entry.get("alg", "ES256") != "ES256":
        raise JwksError("not a P-256 key for ES256")
    operations = entry.get("key_ops", ["verify"])
    if entry.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise JwksError("not a key for signatures")
    kid = entry.get("kid")
    if not isinstance(kid, str) or not kid:
        raise JwksError("it has no key id")
    if kid.startswith(DEVELOPMENT_KID) and not development:
        raise JwksError("a development key, which production refuses")
    x, y = entry.get("x"), entry.get("y")
    try:
        point = EllipticCurvePublicNumbers(_coordinate(x), _coordinate(y), SECP256R1())
        point.public_key()
    except ValueError:
        raise JwksError("not a point on the curve") from None
    return kid, {"kty": "EC", "crv": "P-256", "x": str(x), "y": str(y)}


def _coordinate(text: object) -> int:
    data = read_base64url(text) if isinstance(text, str) else b""
    if len(data) != _COORDINATE_BYTES:
        raise ValueError("a coordinate has 32 bytes")
    return int.from_bytes(data)


def _read_file(path: Path) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe or a device could block for ever
        raise JwksError("the location is not a regular file")
    with path.open("rb") as file:
        return _bounded(file.read(MAX_DOCUMENT_BYTES + 1))


async def _fetch(client: httpx.AsyncClient, url: httpx.URL) -> bytes:
    """Fetch without following redirects, and uncompressed, so that the bound on bytes is a bound on memory."""
    headers = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"}
    async with client.stream("GET", url, headers=headers, follow_redirects=False) as response:
        if response.status_code != httpx.codes.OK:
            raise JwksError(f"the issuer answered {response.status_code}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise JwksError("the issuer sent a compressed document")
        data = b""
        async for chunk in response.aiter_bytes():
            data = _bounded(data + chunk)
        return data


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_DOCUMENT_BYTES:
        raise JwksError("the document is too large")
    return data
