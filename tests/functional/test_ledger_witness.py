"""An agency that cosigns sees the log grow, remembers it before it says so, and never vouches for two histories."""

import asyncio
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.ledger import keys, merkle
from api.ledger.checkpoint import LOG, Note, VerifierKey
from api.ledger.witness import NotGrownError, State, Witness, WitnessError
from tests.functional.ledger_support import (
    POLICE,
    checkpoint,
    grow,
    head_of,
    log_key,
    past_the_triggers,
    put_back,
    witness,
)
from tests.support import App

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


class Asked:
    """The service as the witness sees it: answers that were fetched for it beforehand, and what it posts."""

    def __init__(self, answers, *, broken=()):
        self.answers, self.broken, self.posted = answers, broken, []

    def get(self, path):
        if path in self.broken:
            raise WitnessError("the service is away")
        return self.answers[path]

    def post(self, path, body):
        if path in self.broken:
            raise WitnessError("the service is away")
        self.posted.append((path, body))
        return ""


async def asked(app: App, old: int | None = None, **changes) -> Asked:
    """What the service answers now, to one who has seen it with `old` leaves."""
    answers = {path: (await app.client().get(path)).text for path in ("ledger/key", "ledger/checkpoint")}
    if old is not None:
        size = (await head_of(app)).size
        path = f"ledger/proofs/consistency?from={old}&to={size}"
        answers[path] = (await app.client(POLICE).get(path)).text
    return Asked(answers | changes)


def at_work(service, tmp_path, **more) -> Witness:
    return Witness(service, KEY, tmp_path / "seen.json", lambda: 1_700_000_000, **more)


async def test_witness_cosigns_a_log_that_grows(fresh_app: App, tmp_path):
    app = fresh_app
    await witness(app, KEY)
    old = None
    for count in (0, 3, 0, 4):
        await grow(app, count)
        service = await asked(app, old)
        seen = at_work(service, tmp_path).cosign()
        assert seen == (await checkpoint(app))[0]
        ((path, body),) = service.posted
        assert (await app.client(POLICE).post(path, json=body)).status_code == 201
        assert len((await checkpoint(app))[1].signatures) == 2
        old = seen.size


async def refused(app: App, tmp_path, *, old: int, match: str) -> str:
    remembered = (tmp_path / "seen.json").read_text()
    service = await asked(app, old) if (await head_of(app)).size >= old else await asked(app)
    with pytest.raises(NotGrownError, match=match) as error:
        at_work(service, tmp_path).cosign()
    assert service.posted == []
    assert (tmp_path / "seen.json").read_text() == remembered
    return str(error.value)


def forgetful(app: App, tmp_path) -> None:
    """The log's owner makes it forget what it has signed, so that it signs over anything."""
    app.services.checkpoints._signer._last = None
    (tmp_path / "ledger-key.pem.signed").unlink(missing_ok=True)


async def test_log_that_was_put_back_is_not_cosigned_and_both_notes_are_the_evidence(fresh_app: App, tmp_path):
    app = fresh_app
    await witness(app, KEY)
    await grow(app, 3)
    head = await head_of(app)
    await grow(app, 3)
    at_work(await asked(app), tmp_path).cosign()
    before = (await checkpoint(app))[1]
    await past_the_triggers(app, *put_back(3, head))
    forgetful(app, tmp_path)
    after = (await checkpoint(app))[1]
    evidence = await refused(app, tmp_path, old=6, match="shrunk from 6 to 3")
    assert Note(before.text, before.signatures[:1]).whole in evidence
    assert after.whole in evidence


async def test_rewritten_log_is_not_cosigned_whether_it_has_grown_or_not(fresh_app: App, tmp_path):
    app = fresh_app
    await witness(app, KEY)
    await grow(app, 6)
    at_work(await asked(app), tmp_path).cosign()
    await past_the_triggers(app, *put_back(0, merkle.Frontier()))
    forgetful(app, tmp_path)
    await grow(app, 6)
    await refused(app, tmp_path, old=6, match="does not begin with")
    await grow(app, 3)
    await refused(app, tmp_path, old=6, match="does not begin with")


async def test_another_key_of_the_log_is_not_taken(fresh_app: App, tmp_path):
    app = fresh_app
    await witness(app, KEY)
    await grow(app, 2)
    service = await asked(app)
    shown = json.loads(service.answers["ledger/key"])
    other = VerifierKey("samsyn.example/ledger", LOG, KEY.public_key().public_bytes_raw())
    with pytest.raises(NotGrownError, match="another key"):
        at_work(service, tmp_path, log_key=other).cosign()
    at_work(service, tmp_path, log_key=await log_key(app)).cosign()
    forged = await asked(app, 2, **{"ledger/key": json.dumps(shown | {"key": other.text})})
    with pytest.raises(NotGrownError, match="another key"):
        at_work(forged, tmp_path).cosign()
    assert forged.posted == []


async def test_forged_checkpoint_and_missing_proof_are_no_reason_to_sign(fresh_app: App, tmp_path):
    app = fresh_app
    await witness(app, KEY)
    await grow(app, 2)
    at_work(await asked(app), tmp_path).cosign()
    await grow(app, 2)
    true = await asked(app, 2)
    proof = "ledger/proofs/consistency?from=2&to=4"
    forged = true.answers["ledger/checkpoint"].replace("\n4\n", "\n5\n")
    own = Note(Note.parse(forged).text, ()).text
    cases = [
        ({"ledger/checkpoint": forged}, WitnessError),
        ({"ledger/checkpoint": own}, WitnessError),
        ({"ledger/checkpoint": ""}, WitnessError),
        ({"ledger/key": "{}"}, WitnessError),
        ({"ledger/key": "x"}, WitnessError),
        ({proof: "{}"}, WitnessError),
        ({proof: '{"path": ["x"]}'}, WitnessError),
        ({proof: '{"path": []}'}, NotGrownError),
    ]
    for changes, expected in cases:
        service = Asked(true.answers | changes)
        with pytest.raises(expected):
            at_work(service, tmp_path).cosign()
        assert service.posted == [], changes
    assert State.read(tmp_path / "seen.json").note.text.split("\n")[1] == "2"


async def test_what_was_seen_is_on_the_disk_before_it_is_cosigned(fresh_app: App, tmp_path):
    app = fresh_app
    await witness(app, KEY)
    await grow(app, 2)
    service = await asked(app)
    service.broken = ("ledger/cosignatures",)
    with pytest.raises(WitnessError, match="away"):
        at_work(service, tmp_path).cosign()
    assert State.read(tmp_path / "seen.json").note.text == (await checkpoint(app))[1].text


async def test_nothing_is_cosigned_that_cannot_be_remembered(fresh_app: App, tmp_path):
    app = fresh_app
    await witness(app, KEY)
    await grow(app, 2)
    for broken in ("", "{", "[]", '{"logKey": "x", "checkpoint": null}', '{"checkpoint": null}'):
        (tmp_path / "seen.json").write_text(broken)
        service = await asked(app)
        with pytest.raises(WitnessError, match="nothing is cosigned"):
            at_work(service, tmp_path).cosign()
        assert service.posted == []
    service = await asked(app)
    with pytest.raises(WitnessError, match="nothing is cosigned"):
        Witness(service, KEY, tmp_path / "none" / "seen.json", lambda: 1).cosign()
    assert service.posted == []


async def test_key_that_is_not_registered_cosigns_nothing(fresh_app: App, tmp_path):
    await grow(fresh_app, 1)
    with pytest.raises(WitnessError, match="not registered"):
        at_work(await asked(fresh_app), tmp_path).cosign()


# --- keys in files --------------------------------------------------------------------------------------------------


async def test_keys_are_made_once_and_shut_to_others(tmp_path):
    path = tmp_path / "key.pem"
    made = await asyncio.gather(*(asyncio.to_thread(keys.load_or_create, path) for _ in range(8)))
    assert len({one.private_bytes_raw() for one in made}) == 1
    assert path.stat().st_mode & 0o777 == 0o600


async def test_raw_and_pem_keys_are_read_and_nothing_else(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(bytes(range(32)))
    path.chmod(0o640)
    assert keys.load(path).private_bytes_raw() == bytes(range(32))
    for mode in (0o644, 0o660, 0o604):
        path.chmod(mode)
        with pytest.raises(keys.KeyFileError):
            keys.load(path)
    path.chmod(0o600)
    for content in (b"", bytes(31), bytes(33), b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"):
        path.write_bytes(content)
        with pytest.raises(keys.KeyFileError) as error:
            keys.load(path)
        assert content.decode("latin-1") not in str(error.value) or not content
    with pytest.raises(keys.KeyFileError):
        keys.load(tmp_path / "none")


async def test_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "state"
    for content in ("one", "two"):
        keys.replace(path, content)
        assert path.read_text() == content
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        keys.replace(tmp_path / "folder", "x")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder", "state"]
