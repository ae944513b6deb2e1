"""Tokens forged by hand, without the library under test, and a clock that stands still until told."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from api.errors import Problem
from api.identity.jwks import JwksSource
from api.identity.tokens import TokenVerifier

ISSUER = "https://issuer.example"
AUDIENCE = "https://samsyn.example/samsyn/v1"
MISSING = object()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class SigningKey:
    """One key pair and how to sign with it."""

    kid: str = "key-1"
    curve: ec.EllipticCurve = field(default_factory=ec.SECP256R1)

    def __post_init__(self) -> None:
        self.private = ec.generate_private_key(self.curve)

    def public_jwk(self, **members: Any) -> dict[str, Any]:
        numbers = self.private.public_key().public_numbers()
        size = (self.curve.key_size + 7) // 8
        return {
            "kty": "EC",
            "crv": {"secp256r1": "P-256", "secp384r1": "P-384", "secp256k1": "secp256k1"}[self.curve.name],
            "x": b64(numbers.x.to_bytes(size)),
            "y": b64(numbers.y.to_bytes(size)),
            "kid": self.kid,
            "use": "sig",
        } | members

    def private_jwk(self) -> dict[str, Any]:
        return self.public_jwk(d=b64(self.private.private_numbers().private_value.to_bytes(32)))

    def raw_signature(self, data: bytes) -> bytes:
        size = (self.curve.key_size + 7) // 8
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(size) + s.to_bytes(size)


@dataclass
class Forge:
    """Makes one good token, or the same with a single thing wrong."""

    clock: Clock
    key: SigningKey = field(default_factory=SigningKey)

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(self.clock.now.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 300,
            "jti": "id-1",
            "sub": "police-system",
            "client_id": "police-system",
            "agency": "polismyndigheten",
            "purposes": ["prevent-crime", "statistics"],
            "scope": "read disclosure:request",
        } | changes
        return {name: value for name, value in claims.items() if value is not MISSING}

    def header(self, **changes: Any) -> dict[str, Any]:
        header = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid} | changes
        return {name: value for name, value in header.items() if value is not MISSING}

    def raw(self, header: bytes, payload: bytes, key: SigningKey | None = None) -> str:
        signing_input = f"{b64(header)}.{b64(payload)}"
        return f"{signing_input}.{b64((key or self.key).raw_signature(signing_input.encode()))}"

    def token(
        self,
        claims: dict[str, Any] | None = None,
        header: dict[str, Any] | None = None,
        key: SigningKey | None = None,
    ) -> str:
        header_json = json.dumps(header if header is not None else self.header())
        return self.raw(header_json.encode(), json.dumps(claims or self.claims()).encode(), key)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def forge(clock: Clock) -> Forge:
    return Forge(clock)


@pytest.fixture
def verifier(forge: Forge, clock: Clock) -> TokenVerifier:
    jwks = JwksSource.from_document({"keys": [forge.key.public_jwk()]}, clock=clock)
    return TokenVerifier(jwks, issuer=ISSUER, audience=AUDIENCE, clock=clock)


@contextmanager
def _expect_401(*fragments: str) -> Iterator[None]:
    with pytest.raises(Problem) as caught:
        yield
    problem = caught.value
    assert problem.kind.slug == "unauthenticated"
    assert problem.status_code == 401
    assert problem.headers is not None
    challenge = problem.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="samsyn"')
    assert all(32 <= ord(character) < 127 and character != "\\" for character in challenge)
    assert challenge.count('"') % 2 == 0
    for fragment in fragments:
        assert fragment in f"{problem.detail} {challenge}"


@pytest.fixture
def expect_401():
    """A context that passes only if a well-formed 401 with all the given fragments is raised."""
    return _expect_401


@pytest.fixture
def missing() -> object:
    return MISSING


@pytest.fixture
def new_key() -> type[SigningKey]:
    return SigningKey
