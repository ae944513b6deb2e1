"""The development issuer: one key for all who share a data directory, readable by its owner alone."""

import json
import multiprocessing
from pathlib import Path

import httpx
import pytest

from api.errors import Problem
from api.identity.development import KEY_FILE, DevelopmentIssuer, DevelopmentKeyError
from api.identity.jwks import JwksSource
from api.identity.tokens import TokenVerifier, sign

ISSUER, AUDIENCE = "https://dev.example", "https://api.example"


def load(directory: Path) -> DevelopmentIssuer:
    return DevelopmentIssuer.load_or_create(directory, issuer=ISSUER, audience=AUDIENCE)


def _kid_of(directory: Path, barrier, kids) -> None:
    barrier.wait()
    kids.put(load(directory).kid)


@pytest.mark.asyncio
async def test_its_token_is_accepted_by_the_verifier(tmp_path, clock):
    issuer = load(tmp_path)
    jwks = JwksSource.from_document(issuer.jwks(), clock=clock, development=True)
    verifier = TokenVerifier(jwks, issuer=ISSUER, audience=AUDIENCE, clock=clock)
    token = issuer.token("tullverket", ["prevent-crime"], ["read"], now=clock(), new_id=lambda: "id-1")
    caller = await verifier.verify(f"Bearer {token}")
    assert (caller.agency, caller.purposes, caller.scopes) == ("tullverket", {"prevent-crime"}, {"read"})
    assert not caller.is_person
    token = issuer.token("tullverket", [], [], subject="officer-7", role="officer", now=clock(), new_id=lambda: "id-2")
    caller = await verifier.verify(f"Bearer {token}")
    assert caller.is_person
    assert caller.role == "officer"


@pytest.mark.asyncio
@pytest.mark.parametrize(("expires_in", "reason"), [(600, "five minutes"), (-10, "expired"), (0, "expired")])
async def test_its_wrong_tokens_are_refused_like_any_other(tmp_path, clock, expires_in, reason):
    issuer = load(tmp_path)
    jwks = JwksSource.from_document(issuer.jwks(), clock=clock, development=True)
    verifier = TokenVerifier(jwks, issuer=ISSUER, audience=AUDIENCE, clock=clock)
    token = issuer.token("tullverket", [], [], expires_in, now=clock(), new_id=lambda: "id-1")
    with pytest.raises(Problem, match=reason):
        await verifier.verify(f"Bearer {token}")


@pytest.mark.asyncio
async def test_production_refuses_its_key_even_where_published(tmp_path, clock):
    issuer = load(tmp_path / "data")
    published = tmp_path / "jwks.json"
    published.write_text(json.dumps(issuer.jwks()))
    async with httpx.AsyncClient() as client:
        jwks = JwksSource.from_location(str(published), clock=clock, client=client)
    verifier = TokenVerifier(jwks, issuer=ISSUER, audience=AUDIENCE, clock=clock)
    token = issuer.token("tullverket", [], ["read"], now=clock(), new_id=lambda: "id-1")
    with pytest.raises(Problem, match="kid names no key"):
        await verifier.verify(f"Bearer {token}")


def test_key_is_kept_and_its_owner_alone_may_read_it(tmp_path):
    first = load(tmp_path / "new" / "directory")
    assert load(tmp_path / "new" / "directory").kid == first.kid
    assert load(tmp_path / "other").kid != first.kid
    path = tmp_path / "new" / "directory" / KEY_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == [KEY_FILE]


def test_published_document_holds_no_secret(tmp_path):
    issuer = load(tmp_path)
    secret = json.loads((tmp_path / KEY_FILE).read_text())["d"]
    assert secret not in json.dumps(issuer.jwks())
    assert set(issuer.jwks()["keys"][0]) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


def test_processes_that_race_get_one_key(tmp_path):
    context = multiprocessing.get_context("fork")
    for attempt in range(5):
        barrier, kids = context.Barrier(4), context.Queue()
        directory = tmp_path / str(attempt)
        processes = [context.Process(target=_kid_of, args=(directory, barrier, kids)) for _ in range(4)]
        for process in processes:
            process.start()
        found = {kids.get(timeout=20) for _ in processes}
        for process in processes:
            process.join()
        assert found == {load(directory).kid}
        assert [each.name for each in directory.iterdir()] == [KEY_FILE]


def test_key_that_others_may_read_is_refused(tmp_path):
    load(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o640)
    with pytest.raises(DevelopmentKeyError, match="owner alone"):
        load(tmp_path)


def test_linked_key_is_refused(tmp_path):
    load(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / KEY_FILE).symlink_to(tmp_path / "a" / KEY_FILE)
    with pytest.raises(DevelopmentKeyError):
        load(tmp_path / "b")


@pytest.mark.parametrize("change", [{"d": "AQ"}, {"x": "AQ"}, {"crv": "P-384"}, {"kty": "oct"}, {"d": None}, {"d": 5}])
def test_damaged_key_is_refused_with_advice_and_without_its_secret(tmp_path, change):
    load(tmp_path)
    path = tmp_path / KEY_FILE
    jwk = json.loads(path.read_text())
    path.write_text(json.dumps(jwk | change))
    with pytest.raises(DevelopmentKeyError, match="remove the file") as caught:
        load(tmp_path)
    assert jwk["d"] not in str(caught.value)
    path.write_text("{")
    with pytest.raises(DevelopmentKeyError, match="remove the file"):
        load(tmp_path)


@pytest.mark.parametrize("jwk", [{}, {"kty": "oct", "k": "x"}, {"kty": "EC", "crv": "P-384", "d": "x"}])
def test_signing_takes_no_other_key(jwk):
    with pytest.raises(ValueError, match="P-256"):
        sign({}, jwk, "kid")


def test_signing_takes_no_public_key(forge):
    with pytest.raises(ValueError, match="private"):
        sign({}, forge.key.public_jwk(), "kid")
