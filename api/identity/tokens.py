"""Access tokens: verification of what arrives and, for the development issuer, signing.

The JOSE library is used for two things only: the ES256 check and the ES256 signature, with keys built from JWK members.
Everything that picks an algorithm, a key or a meaning is decided here: python-jose 3.5.0 takes a public key in DER as
an HMAC secret (CVE-2026-85394), an absent `aud`, an unknown `crit` and `algorithms=None`.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from jose import jwk as jose_jwk
from jose import jws as jose_jws

from api.errors import Problem
from api.identity.caller import Caller
from api.identity.claims import TokenError, Validity, read_claims
from api.identity.jwks import JwksSource, JwksUnavailableError
from api.identity.strict import read_base64url, read_json_object

MAX_TOKEN_BYTES = 16_384
_CACHE_SIZE = 4_096
_SIGNATURE_BYTES = 64
_ALGORITHM = "ES256"
_TYPES = frozenset({"at+jwt", "application/at+jwt"})


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token whose signature and claims held, with the key that signed it: what must still hold next time."""

    caller: Caller
    validity: Validity
    kid: str
    public_jwk: dict[str, str]


class TokenVerifier:
    """Turns an `Authorization` header into a `Caller`. One per service; for one event loop.

    Verified tokens are remembered (at most 4 096, the least recently used go first) under their SHA-256.
    INVARIANT: a remembered token is still held against the clock and the issuer's current keys each time.
    """

    def __init__(
        self, jwks: JwksSource, *, issuer: str, audience: str, clock: Callable[[], datetime], leeway_s: int = 5
    ) -> None:
        self._jwks = jwks
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._leeway_s = leeway_s
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()

    async def verify(self, authorization: str | None) -> Caller:
        """Give the caller, or raise `Problem`: 401 with the challenge of RFC 6750 §3, 503 while no key is known."""
        token = _bearer_token(authorization)
        try:
            return await self._verify(token)
        except TokenError as error:
            raise _refused(f"The access token is not accepted: {error}", str(error)) from None
        except JwksUnavailableError:
            raise Problem(
                "unavailable",
                "The keys of the token issuer cannot be read at the moment; try again in half a minute",
                headers={"Retry-After": "30"},
            ) from None

    async def _verify(self, token: str) -> Caller:
        if not token.isascii() or len(token) > MAX_TOKEN_BYTES:
            raise TokenError("the token is too large or not plain ASCII")
        digest = hashlib.sha256(token.encode("ascii")).digest()
        verified = self._verified.get(digest)
        if verified is None or await self._jwks.key(verified.kid) != verified.public_jwk:
            self._verified.pop(digest, None)
            verified = await self._verify_anew(token)
        verified.validity.check(self._clock())
        self._remember(digest, verified)
        return verified.caller

    async def _verify_anew(self, token: str) -> _Verified:
        signing_input, kid, payload, signature = _take_apart(token)
        public_jwk = await self._jwks.key(kid)
        if public_jwk is None:
            raise TokenError("kid names no key of the issuer")
        key = _public_key(public_jwk["x"], public_jwk["y"])
        if len(signature) != _SIGNATURE_BYTES or key.verify(signing_input, signature) is not True:
            raise TokenError("the signature does not hold")
        try:
            claims = read_json_object(payload)
        except ValueError:
            raise TokenError("the claims are not one plain JSON object") from None
        caller, validity = read_claims(claims, issuer=self._issuer, audience=self._audience, leeway_s=self._leeway_s)
        return _Verified(caller, validity, kid, public_jwk)

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        self._verified[digest] = verified
        self._verified.move_to_end(digest)
        if len(self._verified) > _CACHE_SIZE:
            self._verified.popitem(last=False)


def sign(claims: Mapping[str, Any], private_jwk: Mapping[str, str], kid: str) -> str:
    """Sign `claims` as an ES256 access token. For the development issuer only; `private_jwk` is EC, P-256."""
    if private_jwk.get("kty") != "EC" or private_jwk.get("crv") != "P-256" or "d" not in private_jwk:
        raise ValueError("signing needs a private JWK of kty EC, crv P-256")
    token: str = jose_jws.sign(
        dict(claims), dict(private_jwk), headers={"typ": "at+jwt", "kid": kid}, algorithm=_ALGORITHM
    )
    return token


def _bearer_token(authorization: str | None) -> str:
    """Take the token out of the header. No token, or a scheme not known here, is answered without an error code."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() == "dpop":
        raise _refused("The scheme DPoP is not accepted yet; send an unbound token as Authorization: Bearer", None)
    if scheme.lower() != "bearer":
        raise _refused("Send an access token as Authorization: Bearer <token>", None)
    return token.strip(" ")


def _refused(detail: str, reason: str | None) -> Problem:
    """Refuse (401). `reason` goes into the challenge and must be ASCII without quotes and backslashes."""
    challenge = 'Bearer realm="samsyn"'
    if reason is not None:
        challenge += f', error="invalid_token", error_description="{reason}"'
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": challenge})


def _take_apart(token: str) -> tuple[bytes, str, bytes, bytes]:
    """Give signing input, kid, payload and signature of a compact JWS, or raise TokenError.

    INVARIANT: the header chooses nothing but which of the issuer's keys is tried; jku, jwk, x5u and x5c are never read.
    """
    parts = token.split(".")
    if len(parts) == 5:  # noqa: PLR2004 - the parts of a compact JWE (RFC 7516 §3.1)
        raise TokenError("encrypted tokens (JWE) are not accepted")
    if len(parts) != 3:  # noqa: PLR2004 - the parts of a compact JWS (RFC 7515 §3.1)
        raise TokenError("the token is not a compact JWS of three parts")
    try:
        header = read_json_object(read_base64url(parts[0]))
        payload, signature = read_base64url(parts[1]), read_base64url(parts[2])
    except ValueError:
        raise TokenError("the token is not base64url around plain JSON") from None
    if header.get("alg") != _ALGORITHM:
        raise TokenError("alg must be ES256")
    typ, kid = header.get("typ"), header.get("kid")
    if not isinstance(typ, str) or typ.lower() not in _TYPES:
        raise TokenError("typ must be at+jwt")
    if "crit" in header:
        raise TokenError("crit is not accepted")
    if not isinstance(kid, str):
        raise TokenError("kid is missing")
    return f"{parts[0]}.{parts[1]}".encode("ascii"), kid, payload, signature


@lru_cache(maxsize=64)
def _public_key(x: str, y: str) -> Any:
    """Build the library's key from a point that `jwks` has checked. INVARIANT: a JWK, never PEM or DER bytes."""
    return jose_jwk.construct({"kty": "EC", "crv": "P-256", "x": x, "y": y}, _ALGORITHM)
