"""Attacks on the access token, each one change away from a token that is accepted."""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.errors import Problem
from api.identity.jwks import JwksSource
from api.identity.tokens import MAX_TOKEN_BYTES, TokenVerifier

pytestmark = pytest.mark.asyncio
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def test_good_token_gives_its_caller(verifier, forge):
    caller = await verifier.verify(f"Bearer {forge.token()}")
    assert caller.agency == "polismyndigheten"
    assert caller.client_id == caller.subject == "police-system"
    assert caller.role is None
    assert not caller.is_person
    assert caller.purposes == {"prevent-crime", "statistics"}
    assert caller.scopes == {"read", "disclosure:request"}


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
async def test_scheme_is_case_insensitive(verifier, forge, scheme):
    assert (await verifier.verify(scheme + forge.token())).agency == "polismyndigheten"


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/at+JWT"])
async def test_both_spellings_of_typ_are_accepted(verifier, forge, typ):
    assert await verifier.verify("Bearer " + forge.token(header=forge.header(typ=typ)))


async def test_audience_may_be_one_of_several(verifier, forge):
    assert await verifier.verify("Bearer " + forge.token(forge.claims(aud=["other", forge.claims()["aud"]])))


async def test_optional_claims_absent_means_none(verifier, forge, missing):
    caller = await verifier.verify("Bearer " + forge.token(forge.claims(purposes=missing, scope=missing)))
    assert caller.purposes == caller.scopes == frozenset()


async def test_unknown_scopes_are_ignored(verifier, forge):
    caller = await verifier.verify("Bearer " + forge.token(forge.claims(scope="openid  read everything READ")))
    assert caller.scopes == {"read"}


@pytest.mark.parametrize("header", [None, "", "Basic dTpw", "Token abc", "bearer:abc", "Bearer\tabc"])
async def test_no_token_is_challenged_without_error_code(verifier, header):
    with pytest.raises(Problem) as caught:
        await verifier.verify(header)
    assert caught.value.status_code == 401
    assert caught.value.headers == {"WWW-Authenticate": 'Bearer realm="samsyn"'}


async def test_dpop_is_refused_in_clear_text(verifier, forge, expect_401):
    for scheme in ("DPoP", "dpop"):
        with expect_401("DPoP is not accepted yet"):
            await verifier.verify(f"{scheme} {forge.token()}")


@pytest.mark.parametrize("cnf", [{"jkt": "abc"}, {}, None])
async def test_sender_constrained_token_is_refused_as_bearer(verifier, forge, expect_401, cnf):
    with expect_401("bound to a key", 'error="invalid_token"'):
        await verifier.verify("Bearer " + forge.token(forge.claims(cnf=cnf)))


async def test_unsigned_token_is_refused(verifier, forge, expect_401):
    payload = b64(json.dumps(forge.claims()).encode())
    for alg in ("none", "None", "NONE", "", None):
        header = b64(json.dumps(forge.header(alg=alg)).encode())
        for signature in ("", b64(bytes(64))):
            with expect_401("alg must be ES256"):
                await verifier.verify(f"Bearer {header}.{payload}.{signature}")
    signed_header = forge.token().split(".")[0]
    with expect_401("signature"):
        await verifier.verify(f"Bearer {signed_header}.{payload}.")


async def test_public_key_as_hmac_secret_is_refused(verifier, forge, expect_401):
    public = forge.key.private.public_key()
    encodings = serialization.Encoding
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    jwk = forge.key.public_jwk()
    secrets = [
        public.public_bytes(encodings.PEM, info),
        public.public_bytes(encodings.PEM, info).strip(),
        public.public_bytes(encodings.DER, info),
        public.public_bytes(encodings.X962, serialization.PublicFormat.UncompressedPoint),
        json.dumps(jwk).encode(),
        json.dumps({name: jwk[name] for name in ("kty", "crv", "x", "y")}).encode(),
        jwk["x"].encode(),
        b"",
    ]
    for alg in ("HS256", "HS384", "HS512", "hs256"):
        for secret in secrets:
            head = b64(json.dumps(forge.header(alg=alg)).encode())
            signing_input = f"{head}.{b64(json.dumps(forge.claims()).encode())}"
            digest = hashlib.new("sha" + alg[-3:])
            mac = hmac.new(secret, signing_input.encode(), digest.name).digest()
            with expect_401("alg must be ES256"):
                await verifier.verify(f"Bearer {signing_input}.{b64(mac)}")


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES384", "ES512", "es256", "EdDSA", ["ES256"], {"ES256": 1}, 256])
async def test_any_other_algorithm_is_refused(verifier, forge, expect_401, alg):
    with expect_401("alg must be ES256"):
        await verifier.verify("Bearer " + forge.token(header=forge.header(alg=alg)))


@pytest.mark.parametrize("typ", ["JWT", "jwt", "", "at+jwt ", "dpop+jwt", "application/jwt", 1, None, ["at+jwt"]])
async def test_token_of_another_type_is_refused(verifier, forge, expect_401, typ):
    with expect_401("typ must be at+jwt"):
        await verifier.verify("Bearer " + forge.token(header=forge.header(typ=typ)))


@pytest.mark.parametrize("name", ["alg", "typ", "kid"])
async def test_header_without_a_required_member_is_refused(verifier, forge, expect_401, missing, name):
    with expect_401('error="invalid_token"'):
        await verifier.verify("Bearer " + forge.token(header=forge.header(**{name: missing})))


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], None, "x", ["http://example.invalid/UNDEFINED"]])
async def test_crit_is_refused(verifier, forge, expect_401, crit):
    with expect_401("crit"):
        await verifier.verify("Bearer " + forge.token(header=forge.header(crit=crit)))


async def test_key_in_the_token_is_never_used(verifier, forge, new_key, expect_401):
    attacker = new_key(forge.key.kid)
    embedded = {"jwk": attacker.public_jwk(), "jku": "https://attacker.invalid/jwks", "x5u": "https://a.invalid"}
    with expect_401("signature does not hold"):
        await verifier.verify("Bearer " + forge.token(header=forge.header(**embedded), key=attacker))


async def test_wrong_key_is_refused(verifier, forge, new_key, expect_401):
    with expect_401("signature does not hold"):
        await verifier.verify("Bearer " + forge.token(key=new_key(forge.key.kid)))


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP256K1()])
async def test_key_on_another_curve_is_refused(clock, forge, new_key, expect_401, curve):
    other = new_key("other", curve)
    jwks = JwksSource.from_document({"keys": [forge.key.public_jwk(), other.public_jwk()]}, clock=clock)
    verifier = TokenVerifier(jwks, issuer=forge.claims()["iss"], audience=forge.claims()["aud"], clock=clock)
    assert await verifier.verify("Bearer " + forge.token())
    with expect_401("kid names no key"):
        await verifier.verify("Bearer " + forge.token(header=forge.header(kid="other"), key=other))


@pytest.mark.parametrize("kid", ["unknown", "", "key-1 ", "../key-1", "key-1\x00", "\ud800", 1, None, ["key-1"], {}])
async def test_unknown_key_id_is_refused(verifier, forge, expect_401, kid):
    with expect_401("kid"):
        await verifier.verify("Bearer " + forge.token(header=forge.header(kid=kid)))


async def test_tampered_payload_is_refused(verifier, forge, expect_401):
    head, _, signature = forge.token().split(".")
    payload = b64(json.dumps(forge.claims(agency="kriminalvarden")).encode())
    with expect_401("signature does not hold"):
        await verifier.verify(f"Bearer {head}.{payload}.{signature}")


async def test_tampered_header_is_refused(verifier, forge, expect_401):
    _, payload, signature = forge.token().split(".")
    head = b64(json.dumps(forge.header(typ="AT+JWT")).encode())
    with expect_401("signature does not hold"):
        await verifier.verify(f"Bearer {head}.{payload}.{signature}")


async def test_empty_and_out_of_range_signatures_are_refused(verifier, forge, expect_401):
    signing_input, signature = forge.token().rsplit(".", 1)
    good = base64.urlsafe_b64decode(signature + "==")
    r, s = good[:32], good[32:]
    order = P256_ORDER.to_bytes(32)
    for raw in (bytes(64), r + bytes(32), bytes(32) + s, order + s, r + order, order * 2, b"\xff" * 64, s + r):
        with expect_401("signature does not hold"):
            await verifier.verify(f"Bearer {signing_input}.{b64(raw)}")


async def test_signature_of_wrong_length_is_refused(verifier, forge, expect_401):
    signing_input, signature = forge.token().rsplit(".", 1)
    good = base64.urlsafe_b64decode(signature + "==")
    der = forge.key.private.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256()))
    padded = good[:32].rjust(33, b"\0") + good[32:].rjust(33, b"\0")
    for raw in (b"", good[:63], good + b"\0", b"\0" + good, good * 2, good[:32], padded, der):
        with expect_401("signature does not hold"):
            await verifier.verify(f"Bearer {signing_input}.{b64(raw)}")


async def test_one_signature_has_one_spelling(verifier, forge, expect_401):
    token = forge.token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(token[-1])
    assert last % 16 == 0  # 64 bytes leave four spare bits in the last character
    spellings = [token[:-1] + alphabet[last + spare] for spare in range(1, 16)]
    spellings += [token + "==", token + "=", token + "\n", token[:-1] + "!" + token[-1], token + "."]
    for spelling in spellings:
        with expect_401('error="invalid_token"'):
            await verifier.verify(f"Bearer {spelling}")


async def test_mirrored_signature_names_the_same_caller(verifier, forge):
    """ES256 lets both (r, s) and (r, n - s) stand, and half of all issuers' signatures are the latter."""
    token = forge.token()
    signing_input, signature = token.rsplit(".", 1)
    raw = base64.urlsafe_b64decode(signature + "==")
    mirrored = raw[:32] + (P256_ORDER - int.from_bytes(raw[32:])).to_bytes(32)
    assert await verifier.verify(f"Bearer {signing_input}.{b64(mirrored)}") == await verifier.verify(f"Bearer {token}")


@pytest.mark.parametrize("issuer", ["https://evil.example", "https://issuer.example/", "", None, 1, []])
async def test_foreign_issuer_is_refused(verifier, forge, expect_401, issuer):
    with expect_401("iss"):
        await verifier.verify("Bearer " + forge.token(forge.claims(iss=issuer)))


@pytest.mark.parametrize("audience", ["https://other.example", "", None, [], ["x"], {}, 1, True, [None], "prefix"])
async def test_foreign_audience_is_refused(verifier, forge, expect_401, audience):
    with expect_401("aud"):
        await verifier.verify("Bearer " + forge.token(forge.claims(aud=audience)))


async def test_audience_list_of_other_types_is_refused(verifier, forge, expect_401):
    for extra in (1, None, [forge.claims()["aud"]], {}):
        with expect_401("aud"):
            await verifier.verify("Bearer " + forge.token(forge.claims(aud=[forge.claims()["aud"], extra])))
    with expect_401("aud"):
        await verifier.verify("Bearer " + forge.token(forge.claims(aud=forge.claims()["aud"] + "/scenes")))


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "jti", "sub", "client_id", "agency"])
async def test_missing_required_claim_is_refused(verifier, forge, expect_401, missing, name):
    with expect_401(name, 'error="invalid_token"'):
        await verifier.verify("Bearer " + forge.token(forge.claims(**{name: missing})))


@pytest.mark.parametrize("name", ["jti", "sub", "client_id", "agency", "role"])
@pytest.mark.parametrize("value", ["", " ", " x", None, 1, True, [], {}, "a\x00b", "a\nb", "\ud800", "x" * 257])
async def test_text_claim_that_is_no_plain_text_is_refused(verifier, forge, expect_401, name, value):
    with expect_401(name):
        await verifier.verify("Bearer " + forge.token(forge.claims(**{name: value})))


@pytest.mark.parametrize("agency", ["Polismyndigheten", "skärholmen", "a b", "-a", "a--b", "a/b", "a'b", "a_b"])
async def test_agency_that_is_no_slug_is_refused(verifier, forge, expect_401, agency):
    with expect_401("agency is not a slug"):
        await verifier.verify("Bearer " + forge.token(forge.claims(agency=agency)))


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("kind", [float, str, bool, lambda s: [s], lambda s: -s, lambda s: s * 10**30, lambda _: None])
async def test_time_that_is_no_whole_number_is_refused(verifier, forge, expect_401, name, kind):
    with expect_401(name):
        await verifier.verify("Bearer " + forge.token(forge.claims(**{name: kind(forge.claims()["iat"])})))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1" * 5000, "01", "1.0", "1e3"])
async def test_number_that_json_or_python_cannot_hold_is_refused(verifier, forge, expect_401, number):
    claims = json.dumps(forge.claims(exp="EXP")).replace('"EXP"', number)
    with expect_401('error="invalid_token"'):
        await verifier.verify("Bearer " + forge.raw(json.dumps(forge.header()).encode(), claims.encode()))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1" * 5000, "01"])
async def test_claim_nobody_reads_must_be_json_too(verifier, forge, expect_401, number):
    claims = json.dumps(forge.claims(unread="UNREAD")).replace('"UNREAD"', number)
    with expect_401("claims are not one plain JSON object"):
        await verifier.verify("Bearer " + forge.raw(json.dumps(forge.header()).encode(), claims.encode()))


async def test_expired_token_is_refused_in_its_last_second(verifier, forge, clock, expect_401):
    token = forge.token()
    clock.forward(299)
    assert await verifier.verify(f"Bearer {token}")
    clock.forward(1)
    with expect_401("expired"):
        await verifier.verify(f"Bearer {token}")


async def test_unremembered_expired_token_is_refused(verifier, forge, clock, expect_401):
    token = forge.token()
    clock.forward(300)
    with expect_401("expired"):
        await verifier.verify(f"Bearer {token}")


async def test_remembered_token_is_refused_after_expiry_and_before_its_start(verifier, forge, clock, expect_401):
    token = forge.token()
    for _ in range(2):
        assert await verifier.verify(f"Bearer {token}")
    clock.forward(-60)
    with expect_401("not valid yet"):
        await verifier.verify(f"Bearer {token}")
    clock.forward(60 + 301)
    with expect_401("expired"):
        await verifier.verify(f"Bearer {token}")


async def test_token_living_longer_than_five_minutes_is_refused(verifier, forge, expect_401):
    now = forge.claims()["iat"]
    for lifetime in (306, 600, 10**9):
        with expect_401("longer than five minutes"):
            await verifier.verify("Bearer " + forge.token(forge.claims(exp=now + lifetime)))
    with expect_401("longer than five minutes"):
        await verifier.verify("Bearer " + forge.token(forge.claims(iat=now - 550, exp=now + 50)))


@pytest.mark.parametrize("name", ["iat", "nbf"])
async def test_token_from_the_future_is_refused_beyond_the_leeway(verifier, forge, expect_401, name):
    now = forge.claims()["iat"]
    assert await verifier.verify("Bearer " + forge.token(forge.claims(**{name: now + 5})))
    with expect_401("not valid yet"):
        await verifier.verify("Bearer " + forge.token(forge.claims(**{name: now + 6})))


@pytest.mark.parametrize("purposes", ["prevent-crime", None, 1, {}, [1], ["a", None], [["a"]], [""], ["a\x00"]])
async def test_purposes_that_are_no_list_of_texts_are_refused(verifier, forge, expect_401, purposes):
    with expect_401("purposes"):
        await verifier.verify("Bearer " + forge.token(forge.claims(purposes=purposes)))


@pytest.mark.parametrize("scope", [["read"], None, 1, {}, True])
async def test_scope_that_is_no_text_is_refused(verifier, forge, expect_401, scope):
    with expect_401("scope"):
        await verifier.verify("Bearer " + forge.token(forge.claims(scope=scope)))


async def test_duplicate_keys_are_refused(verifier, forge, expect_401):
    header, claims = json.dumps(forge.header()), json.dumps(forge.claims())
    assert await verifier.verify("Bearer " + forge.raw(header.encode(), claims.encode()))
    for changed in (header[:-1] + ', "alg": "ES256"}', '{"alg": "none", ' + header[1:]):
        with expect_401("plain JSON"):
            await verifier.verify("Bearer " + forge.raw(changed.encode(), claims.encode()))
    for changed in (claims[:-1] + ', "agency": "tullverket"}', claims[:-1] + ', "x": {"a": 1, "a": 1}}'):
        with expect_401("plain JSON"):
            await verifier.verify("Bearer " + forge.raw(header.encode(), changed.encode()))


async def test_signed_payload_that_is_no_claims_set_is_refused(verifier, forge, expect_401):
    header = json.dumps(forge.header()).encode()
    for payload in (b"", b"[]", b"null", b"1", b'"x"', b"{", b"\xff", b"\xef\xbb\xbf{}", b"[" * 6000, b'{"a":' * 2000):
        with expect_401("claims are not one plain JSON object"):
            await verifier.verify("Bearer " + forge.raw(header, payload))
    for odd in (b"", b"[]", b"null", b"\xff{}", b"{" * 3000, b'{"a":' * 2000 + b"1" + b"}" * 2000):
        with expect_401('error="invalid_token"'):
            await verifier.verify("Bearer " + forge.raw(odd, b"{}"))


async def test_oversized_token_is_refused_and_the_largest_is_not(verifier, forge, expect_401):
    def of_size(size: int) -> str:
        return forge.token(forge.claims(pad="x" * size))

    padding = next(n for n in range(11_600, 12_400) if len(of_size(n)) > MAX_TOKEN_BYTES)
    assert len(of_size(padding - 1)) <= MAX_TOKEN_BYTES
    assert await verifier.verify("Bearer " + of_size(padding - 1))
    with expect_401("too large"):
        await verifier.verify("Bearer " + of_size(padding))
    with expect_401("too large"):
        await verifier.verify("Bearer " + "A" * 50_000_000)


async def test_encrypted_token_is_refused(verifier, expect_401):
    header = b64(b'{"alg":"dir","enc":"A256GCM","zip":"DEF","kid":"key-1","typ":"at+jwt"}')
    with expect_401("JWE"):
        await verifier.verify(f"Bearer {header}..{b64(bytes(12))}.{b64(bytes(99))}.{b64(bytes(16))}")


async def test_wrong_number_of_parts_is_refused(verifier, forge, expect_401):
    token = forge.token()
    head, payload, signature = token.split(".")
    for wrong in ("", head, f"{head}.{payload}", f"{token}.{signature}", "." * 4, f"{token}, Bearer {token}", "." * 99):
        with expect_401('error="invalid_token"'):
            await verifier.verify(f"Bearer {wrong}")


async def test_refusal_never_echoes_the_token(verifier, forge):
    marked = forge.token(forge.claims(iss="https://marker.example", agency="marker"))
    unknown = forge.token(header=forge.header(kid="marker"))
    for token in (marked, unknown, "marker.marker.marker"):
        with pytest.raises(Problem) as caught:
            await verifier.verify(f"Bearer {token}")
        told = json.dumps(caught.value.as_json("/x")) + str(caught.value.headers)
        assert "marker" not in told
        assert token not in told
        assert caught.value.__cause__ is None


async def test_remembered_tokens_are_bounded(verifier, forge, monkeypatch):
    monkeypatch.setattr("api.identity.tokens._CACHE_SIZE", 3)
    verify_anew, anew = verifier._verify_anew, []
    monkeypatch.setattr(verifier, "_verify_anew", lambda token: anew.append(token) or verify_anew(token))
    first = forge.token(forge.claims(jti="first"))
    for number in range(5):
        await verifier.verify("Bearer " + forge.token(forge.claims(jti=str(number))))
        await verifier.verify(f"Bearer {first}")
    assert len(verifier._verified) == 3
    assert anew.count(first) == 1  # always used last, so always kept
    assert len(anew) == 6


async def test_refused_token_is_not_remembered(verifier, forge, expect_401):
    with expect_401():
        await verifier.verify("Bearer " + forge.token(forge.claims(aud="other")))
    assert not verifier._verified


async def test_remembered_token_needs_no_second_signature_check(verifier, forge, monkeypatch):
    token = forge.token()
    caller = await verifier.verify(f"Bearer {token}")

    def fail(*_: object) -> None:
        raise AssertionError("verified anew")

    monkeypatch.setattr(verifier, "_verify_anew", fail)
    assert await verifier.verify(f"Bearer {token}") == caller


async def test_verified_by_the_real_clock(forge):
    """The injected clock is in UTC seconds, the unit of exp and iat."""
    forge.clock.now = datetime.fromtimestamp(time.time(), UTC)
    jwks = JwksSource.from_document({"keys": [forge.key.public_jwk()]}, clock=lambda: datetime.now(UTC))
    claims = forge.claims()
    real = TokenVerifier(jwks, issuer=claims["iss"], audience=claims["aud"], clock=lambda: datetime.now(UTC))
    assert await real.verify("Bearer " + forge.token(claims))
