"""What a signed token says (RFC 9068 §2.2 and design §7), read without trust in types. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.identity.caller import SCOPES, Caller

MAX_LIFETIME_S = 300  # REST API-profil SAK.12: an access token lives five minutes at most
_MAX_TEXT = 256
_MAX_TIME_S = 253_402_300_799  # the last second that `datetime` can hold
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class TokenError(ValueError):
    """The token is not accepted. The text is ours, plain ASCII without quotes, and holds nothing of the token."""


@dataclass(frozen=True, slots=True)
class Validity:
    """When a token counts: `start_s` ≤ now < `end_s`, in seconds since 1970."""

    start_s: int
    end_s: int

    def check(self, now: datetime) -> None:
        """Raise TokenError outside the interval."""
        now_s = now.timestamp()
        if now_s >= self.end_s:
            raise TokenError("the token has expired; fetch a new one")
        if now_s < self.start_s:
            raise TokenError("the token is not valid yet; check the clocks")


def read_claims(claims: Mapping[str, Any], *, issuer: str, audience: str, leeway_s: int) -> tuple[Caller, Validity]:
    """Give the caller and the token's validity, or raise TokenError naming the first claim that is wrong.

    `leeway_s` forgives an issuer whose clock runs ahead (iat, nbf); it never prolongs a token past its exp.
    """
    if claims.get("iss") != issuer:
        raise TokenError("iss is missing or names another issuer")
    _check_audience(claims.get("aud"), audience)
    if "cnf" in claims:
        # INVARIANT: a sender-constrained token counts only with its proof (RFC 9449 §7.2), and none is checked here.
        raise TokenError("the token is bound to a key (cnf) and cannot be sent as Bearer; request an unbound token")
    validity = _read_validity(claims, leeway_s)
    _text(claims, "jti")
    client_id, subject = _text(claims, "client_id"), _text(claims, "sub")
    agency = _text(claims, "agency")
    if _SLUG.fullmatch(agency) is None:
        raise TokenError("agency is not a slug")
    caller = Caller(
        agency=agency,
        client_id=client_id,
        subject=subject,
        role=_text(claims, "role") if "role" in claims else None,
        purposes=_read_purposes(claims.get("purposes", [])),
        scopes=_read_scopes(claims.get("scope", "")),
    )
    return caller, validity


def _check_audience(value: object, audience: str) -> None:
    audiences = value if isinstance(value, list) else [value]
    if audience not in audiences or not all(isinstance(each, str) for each in audiences):
        raise TokenError("aud is missing or names another service")


def _read_validity(claims: Mapping[str, Any], leeway_s: int) -> Validity:
    issued, expires = _time(claims, "iat"), _time(claims, "exp")
    if expires > issued + MAX_LIFETIME_S + leeway_s:
        raise TokenError("the token lives longer than five minutes")
    start = max(issued, _time(claims, "nbf")) if "nbf" in claims else issued
    return Validity(start - leeway_s, expires)


def _time(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int or not 0 < value <= _MAX_TIME_S:  # `type`, because True is an int too
        raise TokenError(f"{name} is missing or not a whole number of seconds")
    return value


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not _is_text(value):
        raise TokenError(f"{name} is missing or not a plain text")
    return str(value)


def _is_text(value: object) -> bool:
    """Text that can go into a log line and a database: short, printable (no lone surrogate, no NUL), not padded."""
    return isinstance(value, str) and 0 < len(value) <= _MAX_TEXT and value.isprintable() and value == value.strip()


def _read_purposes(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not all(_is_text(each) for each in value):
        raise TokenError("purposes is not a list of texts")
    return frozenset(value)


def _read_scopes(value: object) -> frozenset[str]:
    if not isinstance(value, str):
        raise TokenError("scope is not a text of scopes parted by spaces")
    return SCOPES.intersection(value.split(" "))  # one issuer serves many services: others' scopes are not ours
