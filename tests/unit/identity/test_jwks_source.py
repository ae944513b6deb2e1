"""The issuer's keys: what gets in, how often they are fetched, and how long they are trusted."""

import asyncio
import gzip
import json
import logging
import os

import httpx
import pytest

from api.errors import Problem
from api.identity.jwks import MAX_DOCUMENT_BYTES, JwksError, JwksSource, JwksUnavailableError, usable_keys
from api.identity.tokens import TokenVerifier

pytestmark = pytest.mark.asyncio
URL = "https://issuer.example/jwks"


class Issuer:
    """A JWKS endpoint that counts, and can be told to fail."""

    def __init__(self, *keys):
        self.keys = list(keys)
        self.fetches = 0
        self.failure = None
        self.answer = None

    async def load(self) -> bytes:
        self.fetches += 1
        await asyncio.sleep(0)
        if self.failure:
            raise self.failure
        return self.answer or json.dumps({"keys": self.keys}).encode()


@pytest.fixture
def issuer(forge):
    return Issuer(forge.key.public_jwk())


@pytest.fixture
def source(issuer, clock):
    return JwksSource(issuer.load, clock=clock)


async def test_key_is_fetched_once_and_kept_for_its_time(source, issuer, clock):
    for _ in range(100):
        assert await source.key("key-1") is not None
    clock.forward(599)
    await source.key("key-1")
    assert issuer.fetches == 1
    clock.forward(1)
    await source.key("key-1")
    assert issuer.fetches == 2


async def test_forged_key_ids_do_not_become_fetches(source, issuer, clock):
    await source.key("key-1")
    for number in range(1000):
        assert await source.key(f"forged-{number}") is None
    assert issuer.fetches == 1
    for second in range(300):
        clock.forward(1)
        assert await source.key(f"late-{second}") is None
    assert issuer.fetches == 1 + 300 // 30


async def test_forged_tokens_do_not_become_fetches(verifier, forge, issuer):
    for number in range(50):
        with pytest.raises(Problem):
            await verifier.verify("Bearer " + forge.token(header=forge.header(kid=f"forged-{number}")))
    assert issuer.fetches == 1


async def test_new_key_is_found_after_the_pause(source, issuer, clock, new_key):
    await source.key("key-1")
    issuer.keys.append(new_key("key-2").public_jwk())
    assert await source.key("key-2") is None
    clock.forward(30)
    assert await source.key("key-2") is not None
    assert issuer.fetches == 2


async def test_concurrent_callers_share_one_fetch(source, issuer):
    found = await asyncio.gather(*(source.key("key-1") for _ in range(200)))
    assert all(found)
    assert issuer.fetches == 1


async def test_caller_who_hangs_up_does_not_cancel_the_fetch(clock, forge):
    released = asyncio.Event()

    async def load() -> bytes:
        await released.wait()
        return json.dumps({"keys": [forge.key.public_jwk()]}).encode()

    source = JwksSource(load, clock=clock)
    first, second = (asyncio.create_task(source.key("key-1")) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    released.set()
    assert await second is not None


async def test_removed_key_counts_no_longer_than_its_time(source, issuer, clock):
    await source.key("key-1")
    issuer.keys.clear()
    clock.forward(600)
    assert await source.key("key-1") is None


@pytest.fixture
def verifier(source, clock, forge):
    claims = forge.claims()
    return TokenVerifier(source, issuer=claims["iss"], audience=claims["aud"], clock=clock)


@pytest.mark.parametrize("replaced", [False, True])
async def test_remembered_token_dies_with_its_key(verifier, issuer, forge, expect_401, replaced):
    await verifier.verify("Bearer " + forge.token())
    forge.clock.forward(400)
    token = forge.token()
    assert await verifier.verify(f"Bearer {token}")
    issuer.keys[:] = [type(forge.key)("key-1").public_jwk()] if replaced else []
    forge.clock.forward(200)
    with expect_401("signature does not hold" if replaced else "kid names no key"):
        await verifier.verify(f"Bearer {token}")


@pytest.mark.parametrize(
    "failure", [OSError("secret"), httpx.ConnectError("secret"), RuntimeError("secret"), TimeoutError(), KeyError("x")]
)
async def test_failed_refresh_keeps_old_keys_for_a_bounded_time(source, issuer, clock, caplog, failure):
    await source.key("key-1")
    issuer.failure = failure
    clock.forward(600)
    with caplog.at_level(logging.WARNING):
        assert await source.key("key-1") is not None
    assert "JWKS not refreshed" in caplog.text
    assert "secret" not in caplog.text
    clock.forward(3599)
    assert await source.key("key-1") is not None
    clock.forward(1)
    with pytest.raises(JwksUnavailableError):
        await source.key("key-1")
    issuer.failure = None
    clock.forward(30)
    assert await source.key("key-1") is not None


async def test_failing_issuer_is_not_hammered(source, issuer):
    issuer.failure = OSError()
    for _ in range(100):
        with pytest.raises(JwksUnavailableError):
            await source.key("key-1")
    assert issuer.fetches == 1


async def test_unreachable_keys_give_503_not_401(verifier, issuer, forge):
    issuer.failure = OSError()
    with pytest.raises(Problem) as caught:
        await verifier.verify("Bearer " + forge.token())
    assert caught.value.status_code == 503
    assert caught.value.headers == {"Retry-After": "30"}


async def test_stalling_issuer_is_given_up(clock, monkeypatch):
    monkeypatch.setattr("api.identity.jwks.LOAD_TIMEOUT_S", 0.01)

    async def stall() -> bytes:
        await asyncio.sleep(60)
        return b""

    with pytest.raises(JwksUnavailableError):
        await asyncio.wait_for(JwksSource(stall, clock=clock).key("key-1"), 5)


@pytest.mark.parametrize(
    "answer", [b"x", b"[]", b"{}", b'{"keys": {}}', b'{"keys": [], "keys": []}', b"\xff", b"[" * 9999]
)
async def test_unreadable_document_does_not_replace_keys(source, issuer, clock, answer):
    await source.key("key-1")
    issuer.answer = answer
    clock.forward(600)
    assert await source.key("key-1") is not None
    with pytest.raises(JwksError):
        usable_keys(answer, development=False)


async def test_clock_set_back_does_not_lock_the_source(source, issuer, clock):
    await source.key("key-1")
    clock.forward(-86400)
    assert await source.key("key-1") is not None
    assert issuer.fetches == 2


def _flip(text: str) -> str:
    return ("B" if text[0] == "A" else "A") + text[1:]


async def test_only_keys_that_can_check_es256_get_in(forge, new_key, caplog):
    good = forge.key.public_jwk()
    private = forge.key.private_jwk() | {"kid": "private"}
    bad = [
        private,
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "rsa"},
        good | {"kid": "enc", "use": "enc"},
        good | {"kid": "alg", "alg": "ES384"},
        good | {"kid": "ops", "key_ops": ["sign"]},
        good | {"kid": "ops-type", "key_ops": 5},
        good | {"kid": "curve", "crv": "P-384"},
        good | {"kid": "off-curve", "x": _flip(good["x"])},
        good | {"kid": "zero", "x": "A" * 43, "y": "A" * 43},
        good | {"kid": "short", "x": good["x"][:40]},
        good | {"kid": "padded", "x": good["x"] + "="},
        good | {"kid": "type", "x": 5},
        good | {"kid": "no-y", "y": None},
        good | {"kid": 7},
        good | {"kid": ""},
        {name: value for name, value in good.items() if name != "kid"},
        new_key("twice").public_jwk(),
        new_key("twice").public_jwk(),
        None,
        [],
        "key",
    ]
    with caplog.at_level(logging.WARNING):
        keys = usable_keys(json.dumps({"keys": [*bad, good, good]}).encode(), development=False)
    assert keys == {"key-1": {name: good[name] for name in ("kty", "crv", "x", "y")}}
    assert len(caplog.records) == len(bad) - 1  # the two that share a key id are told of once
    assert private["d"] not in caplog.text
    assert "c2VjcmV0" not in caplog.text


async def test_development_key_is_refused_outside_development(new_key):
    document = json.dumps({"keys": [new_key("development-abc").public_jwk()]}).encode()
    assert usable_keys(document, development=False) == {}
    assert set(usable_keys(document, development=True)) == {"development-abc"}


async def test_file_is_read_again_when_it_changes(tmp_path, clock, forge, new_key):
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [forge.key.public_jwk()]}))
    async with httpx.AsyncClient() as client:
        source = JwksSource.from_location(str(path), clock=clock, client=client)
    assert await source.key("key-1") is not None
    path.write_text(json.dumps({"keys": [new_key("key-2").public_jwk()]}))
    assert await source.key("key-2") is None
    clock.forward(30)
    assert await source.key("key-2") is not None
    assert await source.key("key-1") is None
    path.unlink()
    clock.forward(30)
    assert await source.key("key-2") is not None
    path.write_text('{"keys": []}')
    clock.forward(30)
    assert await source.key("key-2") is None


async def test_file_that_is_missing_too_large_or_a_pipe_is_unavailable(tmp_path, clock):
    (tmp_path / "large").write_bytes(b" " * (MAX_DOCUMENT_BYTES + 1))
    os.mkfifo(tmp_path / "pipe")
    async with httpx.AsyncClient() as client:
        for name in ("missing", "large", "pipe", ""):
            source = JwksSource.from_location(str(tmp_path / name), clock=clock, client=client)
            with pytest.raises(JwksUnavailableError):
                await asyncio.wait_for(source.key("key-1"), 5)


@pytest.mark.parametrize(
    "location",
    [
        "http://issuer.example/jwks",
        "http://127.0.0.1/jwks",
        "ftp://x/y",
        "file:///etc/x",
        "https://",
        "https://a:b@x/y",
    ],
)
async def test_location_must_be_https_or_a_file(clock, location):
    async with httpx.AsyncClient() as client:
        with pytest.raises(ValueError, match="https URL"):
            JwksSource.from_location(location, clock=clock, client=client)


async def test_plain_http_is_for_this_machine_in_development_only(clock):
    async with httpx.AsyncClient() as client:
        for host in ("127.0.0.1:9", "localhost", "[::1]:9"):
            JwksSource.from_location(f"http://{host}/jwks", clock=clock, client=client, development=True)
        for host in ("issuer.example", "127.0.0.1.evil.example", "10.0.0.1"):
            with pytest.raises(ValueError, match="https URL"):
                JwksSource.from_location(f"http://{host}/jwks", clock=clock, client=client, development=True)


def _answering(handler):
    return httpx.AsyncClient(transport=httpx.MockTransport(handler), follow_redirects=True)


async def test_keys_come_over_http(clock, forge):
    requests = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"keys": [forge.key.public_jwk()]})

    async with _answering(handler) as client:
        source = JwksSource.from_location(URL, clock=clock, client=client)
        assert await source.key("key-1") is not None
    assert str(requests[0].url) == URL
    assert requests[0].headers["Accept-Encoding"] == "identity"


async def test_redirect_error_and_flood_are_not_followed(clock, forge):
    body = json.dumps({"keys": [forge.key.public_jwk()]})
    sent = []

    async def flood():
        for _ in range(1000):
            sent.append(65_536)
            yield b" " * 65_536

    answers = {
        "redirect": lambda: httpx.Response(302, headers={"Location": "http://issuer.example/other"}),
        "error": lambda: httpx.Response(500, text=body),
        "compressed": lambda: httpx.Response(
            200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(gzip.compress(body.encode()))
        ),
        "flood": lambda: httpx.Response(200, content=flood()),
    }
    for name, answer in answers.items():
        requests = []

        def handler(request: httpx.Request, answer=answer, requests=requests) -> httpx.Response:
            requests.append(request)
            return httpx.Response(200, text=body) if request.url.path == "/other" else answer()

        async with _answering(handler) as client:
            source = JwksSource.from_location(URL, clock=clock, client=client)
            with pytest.raises(JwksUnavailableError):
                await source.key("key-1")
        assert len(requests) == 1, name
    assert sum(sent) <= MAX_DOCUMENT_BYTES + 2 * 65_536
