"""The development issuer: one key in the data directory, and tokens signed with it for the demo and for tests.

INVARIANT: its key id begins with `development-`, which a `JwksSource` outside development refuses even if published.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateNumbers,
    EllipticCurvePublicNumbers,
    generate_private_key,
)

from api.identity.jwks import DEVELOPMENT_KID
from api.identity.strict import read_base64url, read_json_object, write_base64url
from api.identity.tokens import sign
from api.private_file import create_once, read_private

KEY_FILE = "development-key.json"
_MAX_KEY_BYTES = 4_096


class DevelopmentKeyError(Exception):
    """The development key cannot be read or written; the text says where and what to do."""


class DevelopmentIssuer:
    """Signs access tokens that live `expires_in` seconds; whoever may read its key file can be any agency.

    It signs what it is asked to, a ten-minute token too, so that refusals can be tried out; verification is the guard.
    """

    def __init__(self, private_jwk: Mapping[str, str], *, issuer: str, audience: str) -> None:
        self._private_jwk = dict(private_jwk)
        self._issuer = issuer
        self._audience = audience
        self._public_jwk = {name: private_jwk[name] for name in ("kty", "crv", "x", "y")}
        self.kid = DEVELOPMENT_KID + _thumbprint(self._public_jwk)

    @classmethod
    def load_or_create(cls, directory: Path, *, issuer: str, audience: str) -> Self:
        """Read the key in `directory`, or make one (ES256, file mode 0600). Processes that race get the same key.

        `issuer` and `audience` become iss and aud. Raises DevelopmentKeyError.
        """
        path = directory / KEY_FILE
        try:
            create_once(path, lambda: json.dumps(_new_private_jwk()).encode())
            private_jwk = _read(path)
        except OSError as error:
            raise DevelopmentKeyError(f"{path}: {error.strerror}; check who owns the data directory") from error
        except ValueError as error:
            raise DevelopmentKeyError(f"{path}: {error}; remove the file and a new key is made") from error
        return cls(private_jwk, issuer=issuer, audience=audience)

    def jwks(self) -> dict[str, Any]:
        """The public JWKS document."""
        return {"keys": [{**self._public_jwk, "kid": self.kid, "alg": "ES256", "use": "sig"}]}

    def token(
        self,
        agency: str,
        purposes: Iterable[str],
        scopes: Iterable[str],
        expires_in: int = 300,
        *,
        subject: str | None = None,
        role: str | None = None,
        now: datetime,
        new_id: Callable[[], str],
    ) -> str:
        """Sign a token for `agency`, valid `expires_in` seconds from `now`; without a `subject`, for a machine."""
        client_id = f"{agency}-development"
        issued_at = int(now.timestamp())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "iat": issued_at,
            "exp": issued_at + expires_in,
            "jti": new_id(),
            "client_id": client_id,
            "sub": subject or client_id,
            "agency": agency,
            "purposes": list(purposes),
            "scope": " ".join(scopes),
        }
        if role is not None:
            claims["role"] = role
        return sign(claims, self._private_jwk, self.kid)


def _thumbprint(public_jwk: Mapping[str, str]) -> str:
    """The JWK thumbprint (RFC 7638)."""
    members = {name: public_jwk[name] for name in ("crv", "kty", "x", "y")}
    return write_base64url(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def _read(path: Path) -> dict[str, str]:
    """Read the private JWK; ValueError where others may read it too or it is not a P-256 key pair."""
    jwk = read_json_object(read_private(path, limit=_MAX_KEY_BYTES))
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise ValueError("not a P-256 key")
    numbers = [_number(jwk.get(name)) for name in ("x", "y", "d")]
    public = EllipticCurvePublicNumbers(numbers[0], numbers[1], SECP256R1())
    EllipticCurvePrivateNumbers(numbers[2], public).private_key()  # ValueError unless the two halves belong together
    return {name: str(jwk[name]) for name in ("kty", "crv", "x", "y", "d")}


def _number(text: object) -> int:
    return int.from_bytes(read_base64url(text)) if isinstance(text, str) else 0


def _new_private_jwk() -> dict[str, str]:
    numbers = generate_private_key(SECP256R1()).private_numbers()
    public = numbers.public_numbers
    coordinates = {"x": public.x, "y": public.y, "d": numbers.private_value}
    return {"kty": "EC", "crv": "P-256"} | {
        name: write_base64url(value.to_bytes(32)) for name, value in coordinates.items()
    }
