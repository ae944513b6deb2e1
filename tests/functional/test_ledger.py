"""The ledger over HTTP: what it signs and proves, whom it believes, and what it will not sign over."""

import asyncio
import base64
import itertools
import json
import logging
import uuid

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.ledger import merkle, repository
from api.ledger.checkpoint import Checkpoint, Note, VerifierKey, cosign, sign
from api.ledger.leaves import Leaf
from api.ledger.parts import Part
from tests.functional.ledger_support import (
    POLICE,
    checkpoint,
    grow,
    head_of,
    part,
    past_the_triggers,
    put_back,
    witness,
)
from tests.support import App, open_app

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def get(app: App, path: str, agency: str = POLICE, *, status: int = 200, **query):
    answer = await app.client(agency).get(f"ledger/{path}", params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


def hashes(texts):
    return [base64.b64decode(text) for text in texts]


def leaf_of(shown) -> Leaf:
    return Leaf(shown["index"], shown["atUs"], uuid.UUID(shown["receipt"]), base64.b64decode(shown["contentRoot"]))


# --- what is shown ------------------------------------------------------------------------------------------------


async def test_checkpoint_is_public_text_signed_with_the_published_key(app: App):
    await grow(app, 3)
    answer = await app.client().get("ledger/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    found, note = await checkpoint(app)
    assert found.origin == note.signatures[0].name == "samsyn.example/ledger"
    assert found.size >= 3


async def test_roots_follow_from_the_leaves_at_every_size(app: App):
    await grow(app, 4)
    leaves = [leaf_of(one) for one in (await get(app, "leaves"))["items"]]
    for size in range(len(leaves) + 1):
        found, _ = await checkpoint(app, size=size)
        assert found.root == merkle.root_of([leaf.hash for leaf in leaves[:size]])


async def test_every_leaf_is_proven_in_every_tree_that_has_it(app: App):
    receipts = await grow(app, 5)
    leaves = [leaf_of(one) for one in (await get(app, "leaves"))["items"]]
    for leaf in leaves:
        for size in (leaf.index + 1, len(leaves)):
            proof = await get(app, "proofs/inclusion", leaf=leaf.index, size=size)
            root = (await checkpoint(app, size=size))[0].root
            path = hashes(proof["path"])
            assert merkle.includes(root=root, size=size, index=leaf.index, leaf=leaf.hash, proof=path)
    by_receipt = await get(app, "proofs/inclusion", "tullverket", receipt=receipts[0])
    assert leaf_of(by_receipt["leaf"]) == leaves[by_receipt["leaf"]["index"]]
    assert by_receipt["leaf"]["receipt"] == receipts[0]


async def test_growth_is_proven_between_any_two_checkpoints(app: App):
    await grow(app, 4)
    size = (await checkpoint(app))[0].size
    roots = [(await checkpoint(app, size=one))[0].root for one in range(size + 1)]
    for old in range(size + 1):
        proof = await get(app, "proofs/consistency", **{"from": old, "to": size})
        given = {"old": old, "new": size, "proof": hashes(proof["path"])}
        assert merkle.extends(old_root=roots[old], new_root=roots[size], **given)


async def test_what_does_not_exist_yet_is_not_found(app: App):
    size = (await checkpoint(app))[0].size
    assert (await app.client().get(f"ledger/checkpoint?size={size + 1}")).status_code == 404
    await get(app, "proofs/inclusion", status=404, leaf=size)
    await get(app, "proofs/inclusion", status=404, receipt=str(uuid.uuid4()))
    await get(app, "proofs/inclusion", status=404, leaf=0, size=0)
    await get(app, "proofs/consistency", status=404, **{"from": size + 1})
    await get(app, "proofs/consistency", status=422, **{"from": 2, "to": 1})
    await get(app, "leaves", status=422, **{"from": 2, "to": 1})


async def test_leaf_and_receipt_must_be_of_one_leaf(app: App):
    first, second = (await grow(app, 2))[-2:]
    index = (await get(app, "proofs/inclusion", receipt=first))["leaf"]["index"]
    assert (await get(app, "proofs/inclusion", receipt=second, status=200))["leaf"]["index"] == index + 1
    await get(app, "proofs/inclusion", receipt=second, leaf=index, status=404)


async def test_leaves_come_a_thousand_at_once_and_lead_on(fresh_app: App):
    async with fresh_app.database.transaction() as connection:
        ledger = fresh_app.services.ledger
        sealed = [ledger._sealed((part(n),)) for n in range(1003)]
        await repository.add_leaves(connection, await repository.take_head(connection), sealed)
    page = await get(fresh_app, "leaves")
    assert page["_meta"] == {"size": 1003, "count": 1000}
    follows = page["_links"]["next"]["href"]
    rest = (await fresh_app.client(POLICE).get(follows.partition("/v1/")[2])).json()
    assert [one["index"] for one in page["items"] + rest["items"]] == list(range(1003))
    assert "next" not in rest["_links"]
    some = await get(fresh_app, "leaves", **{"from": 5, "to": 8})
    assert [one["index"] for one in some["items"]] == [5, 6, 7]
    assert "next" not in some["_links"]


async def test_leaves_need_the_scope_to_audit_and_show_no_content(app: App):
    await grow(app, 1)
    answer = await app.client(POLICE, scopes=["read"]).get("ledger/leaves")
    assert answer.status_code == 403
    assert 'scope="audit:read"' in answer.headers["WWW-Authenticate"]
    page = await get(app, "leaves", "centrumagaren")
    assert {name for one in page["items"] for name in one} == {"index", "receipt", "atUs", "contentRoot"}


@pytest.mark.parametrize("query", [{}, {"leaf": 0}, {"leaf": 1, "size": 2}], ids=str)
async def test_leaves_are_not_told_one_by_one_without_the_scope_to_audit(app: App, query: dict[str, int]):
    receipts = await grow(app, 3)
    client = app.client("centrumagaren", scopes=["read"])
    proof = await client.get("ledger/proofs/inclusion", params={"receipt": receipts[0]})
    assert proof.status_code == 200
    itself = proof.json()["_links"]["self"]["href"]
    assert (await client.get(itself.partition("/v1/")[2])).json()["leaf"] == proof.json()["leaf"]
    assert (await client.get("ledger/proofs/inclusion", params=query)).status_code == 403


async def test_proofs_need_a_token(app: App):
    for path in ("leaves", "proofs/inclusion?leaf=0", "proofs/consistency?from=0"):
        assert (await app.client().get(f"ledger/{path}")).status_code == 401


async def test_empty_ledger_has_a_checkpoint_and_no_leaf_to_prove(fresh_app: App):
    found, _ = await checkpoint(fresh_app)
    assert (found.size, found.root) == (0, merkle.EMPTY)
    assert (await get(fresh_app, "leaves"))["items"] == []
    await get(fresh_app, "proofs/inclusion", status=404)
    assert (await get(fresh_app, "proofs/consistency", **{"from": 0}))["path"] == []


async def test_nothing_of_the_ledger_is_kept_by_caches(app: App):
    for path in ("ledger/checkpoint", "ledger/key", "ledger/leaves", "ledger/proofs/consistency?from=0"):
        answer = await app.client(POLICE).get(path)
        assert answer.headers["cache-control"] == "private, no-store"
        assert "etag" not in answer.headers


# --- a database that was put back or rewritten is not signed over --------------------------------------------------


async def refused(app: App, caplog, **query) -> str:
    caplog.clear()
    with caplog.at_level(logging.ERROR, logger="samsyn.ledger"):
        answer = await app.client().get("ledger/checkpoint", params=query)
    assert answer.status_code == 503, answer.text
    assert answer.headers["retry-after"]
    assert len(caplog.records) == 1
    return caplog.records[0].getMessage()


async def test_rolled_back_head_is_not_signed(fresh_app: App, caplog):
    await grow(fresh_app, 3)
    head = await head_of(fresh_app)
    await grow(fresh_app, 2)
    await checkpoint(fresh_app)
    await past_the_triggers(fresh_app, *put_back(3, head))
    assert "put back" in await refused(fresh_app, caplog)
    assert "put back" in await refused(fresh_app, caplog, size=2)


async def test_rolled_back_log_that_has_grown_again_is_not_signed(fresh_app: App, caplog):
    await grow(fresh_app, 3)
    head = await head_of(fresh_app)
    await grow(fresh_app, 2)
    await checkpoint(fresh_app)
    await past_the_triggers(fresh_app, *put_back(3, head))
    await grow(fresh_app, 4)
    assert "put back or rewritten" in await refused(fresh_app, caplog)
    # Not even what both histories have in common: nobody could tell it from the other log.
    assert "put back or rewritten" in await refused(fresh_app, caplog, size=3)


async def test_rolled_back_log_is_not_signed_by_a_new_process_either(fresh_app: App, tmp_path, caplog):
    await grow(fresh_app, 3)
    head = await head_of(fresh_app)
    await grow(fresh_app, 2)
    await checkpoint(fresh_app)
    await past_the_triggers(fresh_app, *put_back(3, head))
    await grow(fresh_app, 3)
    async with open_app(fresh_app.url, tmp_path) as restarted:
        assert "put back or rewritten" in await refused(restarted, caplog)


async def test_log_that_was_built_anew_whole_is_not_signed(fresh_app: App, caplog):
    await grow(fresh_app, 4)
    await checkpoint(fresh_app)
    await past_the_triggers(fresh_app, *put_back(0, merkle.Frontier()))
    await grow(fresh_app, 9)
    assert "put back or rewritten" in await refused(fresh_app, caplog)


async def test_changed_head_and_changed_node_are_not_signed(fresh_app: App, caplog):
    await grow(fresh_app, 4)
    await past_the_triggers(fresh_app, "UPDATE ledger_head SET frontier = ARRAY[decode(repeat('00', 32), 'hex')]")
    assert "not that of the nodes" in await refused(fresh_app, caplog)


async def test_missing_node_is_not_signed_over(fresh_app: App, caplog):
    await grow(fresh_app, 4)
    await past_the_triggers(fresh_app, "DELETE FROM ledger_nodes WHERE level = 2")
    assert "lacks" in await refused(fresh_app, caplog)
    await get(fresh_app, "proofs/consistency", status=503, **{"from": 2})


async def test_head_that_is_gone_stops_signing_and_protected_answers(fresh_app: App, caplog):
    await grow(fresh_app, 1)
    await past_the_triggers(fresh_app, "DELETE FROM ledger_head")
    assert "no head" in await refused(fresh_app, caplog)
    with pytest.raises(Exception, match="ledger cannot be written"):
        await grow(fresh_app, 1)


async def test_file_of_what_was_signed_is_believed_only_as_the_log_wrote_it(fresh_app: App, tmp_path, caplog):
    await grow(fresh_app, 2)
    await checkpoint(fresh_app)
    remembered = tmp_path / "ledger-key.pem.signed"
    whole = remembered.read_text()
    for changed in ("", "x", whole.replace("\n2\n", "\n1\n"), whole.replace("samsyn.example/ledger", "a.example/b")):
        remembered.write_text(changed)
        assert "ledger-key.pem.signed" in await refused(fresh_app, caplog)
    remembered.write_text(whole)
    await checkpoint(fresh_app)


async def test_nothing_is_signed_that_cannot_be_remembered(fresh_app: App, tmp_path, caplog):
    await grow(fresh_app, 2)
    (tmp_path / "ledger-key.pem.signed").mkdir()
    await refused(fresh_app, caplog)


async def test_larger_checkpoint_is_remembered_before_it_is_shown(fresh_app: App, tmp_path):
    remembered = tmp_path / "ledger-key.pem.signed"
    for _ in range(3):
        await grow(fresh_app, 2)
        _, note = await checkpoint(fresh_app)
        assert Note.parse(remembered.read_text()).text == note.text
    _, early = await checkpoint(fresh_app, size=1)
    assert Note.parse(remembered.read_text()).text == note.text
    assert early.text != note.text


async def test_two_processes_sign_one_growing_log(fresh_app: App, tmp_path):
    async with open_app(fresh_app.url, tmp_path) as other:
        for _ in range(3):
            await grow(fresh_app, 1)
            await checkpoint(fresh_app)
            await grow(other, 1)
            await checkpoint(other)
        answers = [client.get("ledger/checkpoint") for client in (fresh_app.client(), other.client()) for _ in range(8)]
        appends = [grow(app, 3) for app in (fresh_app, other)]
        *shown, _, _ = await asyncio.gather(*answers, *appends)
        assert {answer.status_code for answer in shown} == {200}
        found = sorted((Checkpoint.parse(Note.parse(one.text).text) for one in shown), key=lambda one: one.size)
        for old, new in itertools.pairwise(found):
            proof = await get(fresh_app, "proofs/consistency", **{"from": old.size, "to": new.size})
            given = {"old": old.size, "new": new.size, "proof": hashes(proof["path"])}
            assert merkle.extends(old_root=old.root, new_root=new.root, **given)


# --- cosignatures -------------------------------------------------------------------------------------------------


KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FOREIGN = Ed25519PrivateKey.from_private_bytes(bytes(32))
NAME = "polis.example/witness"


async def post(app: App, text: str, signatures, agency: str = POLICE, **claims):
    body = {"checkpoint": Note(text, tuple(signatures)).whole}
    return await app.client(agency, **claims).post("ledger/cosignatures", json=body)


def now(app: App) -> int:
    return int(app.clock().timestamp())


async def test_cosignature_is_shown_with_the_checkpoint_it_is_for(fresh_app: App):
    app = fresh_app
    await witness(app, KEY)
    await grow(app, 3)
    found, note = await checkpoint(app)
    signature = cosign(note.text, NAME, KEY, now(app))
    answer = await post(app, note.text, [*note.signatures, signature])
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"].endswith(f"/ledger/checkpoint?size={found.size}")
    await grow(app, 1)
    for size, expected in ((found.size, [signature]), (found.size - 1, []), (found.size + 1, [])):
        assert list((await checkpoint(app, size=size))[1].signatures[1:]) == expected
    keys = (await app.client().get("ledger/key")).json()["witnesses"]
    assert [(one["agency"], VerifierKey.parse(one["key"]).name) for one in keys] == [(POLICE, NAME)]


async def test_later_cosignature_of_a_size_takes_the_place_of_an_earlier_one_only(fresh_app: App):
    app = fresh_app
    await witness(app, KEY)
    await grow(app, 1)
    _, note = await checkpoint(app)
    for signed_at, kept in ((100, 100), (200, 200), (150, 200)):
        assert (await post(app, note.text, [cosign(note.text, NAME, KEY, signed_at)])).status_code == 201
        (line,) = (await checkpoint(app))[1].signatures[1:]
        assert line == cosign(note.text, NAME, KEY, kept)


async def test_cosignature_over_another_root_is_evidence(fresh_app: App, caplog):
    app = fresh_app
    await witness(app, KEY)
    await grow(app, 3)
    found, _ = await checkpoint(app)
    other = Checkpoint(found.origin, 2, bytes(32))
    # A log that shows two histories would sign both; the note that proves it is kept whole.
    log_itself = app.services.checkpoints._signer._key
    split = [sign(other.text, other.origin, log_itself), cosign(other.text, NAME, KEY, now(app))]
    with caplog.at_level(logging.ERROR, logger="samsyn.ledger"):
        answer = await post(app, other.text, split)
    assert answer.status_code == 409
    problem = answer.json()
    own = (await checkpoint(app, size=2))[0]
    assert problem["cosigned"] == {"size": 2, "root": base64.b64encode(bytes(32)).decode()}
    assert problem["here"] == {"size": 2, "root": base64.b64encode(own.root).decode()}
    (record,) = caplog.records
    said = record.getMessage()
    assert all(part in said for part in ("EVIDENCE", POLICE, own.text, Note(other.text, tuple(split)).whole, "yes"))
    assert (await checkpoint(app, size=2))[1].signatures[1:] == ()


async def test_cosignature_over_more_leaves_than_there_are_is_evidence(fresh_app: App, caplog):
    app = fresh_app
    await witness(app, KEY)
    await grow(app, 1)
    found, _ = await checkpoint(app)
    ahead = Checkpoint(found.origin, 7, bytes(32))
    answer = await post(app, ahead.text, [cosign(ahead.text, NAME, KEY, now(app))])
    assert answer.status_code == 409
    assert answer.json()["here"]["size"] == 1
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_forged_and_foreign_cosignatures_are_refused_without_noise(fresh_app: App, caplog):
    app = fresh_app
    await witness(app, KEY)
    await witness(app, FOREIGN, agency="tullverket", name="tull.example/witness")
    await grow(app, 2)
    found, note = await checkpoint(app)
    text, at = note.text, now(app)
    elsewhere = Checkpoint("other.example/log", found.size, found.root).text
    true = cosign(text, NAME, KEY, at)
    cases = {
        "foreign key under the name": (text, [cosign(text, NAME, FOREIGN, at)]),
        "key id borrowed": (text, [type(true)(NAME, true.key_id, cosign(text, NAME, FOREIGN, at).value)]),
        "another agency's": (text, [cosign(text, "tull.example/witness", FOREIGN, at)]),
        "log's line alone": (text, note.signatures),
        "of another log": (elsewhere, [cosign(elsewhere, NAME, KEY, at)]),
        "of tomorrow": (text, [cosign(text, NAME, KEY, at + 86_400)]),
        "time moved": (text, [type(true)(NAME, true.key_id, (at + 1).to_bytes(8) + true.value[8:])]),
        "moved to another text": (Checkpoint(found.origin, found.size, bytes(32)).text, [true]),
        "one true, one false": (text, [true, type(true)(NAME, true.key_id, true.value[:-1] + b"x")]),
    }
    for name, (said, signatures) in cases.items():
        answer = await post(app, said, signatures)
        assert answer.status_code == 409, (name, answer.text)
        assert "here" not in answer.json(), name
    assert (await checkpoint(app))[1].signatures[1:] == ()
    # Whoever holds no registered key could fill the log with such evidence.
    assert caplog.records == []


async def test_agency_without_a_key_private_actors_and_readers_cannot_cosign(app: App):
    await grow(app, 1)
    _, note = await checkpoint(app)
    signatures = [cosign(note.text, NAME, KEY, now(app))]
    assert (await post(app, note.text, signatures, "kriminalvarden")).status_code == 409
    assert (await post(app, note.text, signatures, "centrumagaren")).status_code == 403
    assert (await post(app, note.text, signatures, POLICE, scopes=["read"])).status_code == 403


async def test_body_that_is_no_note_is_refused(app: App):
    for text in ("", "x", "a\n1\nb\n", 7, None):
        answer = await app.client(POLICE).post("ledger/cosignatures", json={"checkpoint": text})
        assert answer.status_code == 422, text


async def test_cosignature_that_cannot_be_read_does_not_take_the_checkpoint_away(fresh_app: App, caplog):
    app = fresh_app
    await witness(app, KEY)
    await grow(app, 3)
    _, note = await checkpoint(app)
    assert (await post(app, note.text, [cosign(note.text, NAME, KEY, now(app))])).status_code == 201
    await past_the_triggers(app, "UPDATE ledger_cosignatures SET line = 'x'")
    assert (await checkpoint(app))[1].signatures[1:] == ()
    assert "cannot be read" in caplog.text


# --- writing --------------------------------------------------------------------------------------------------------


async def test_two_services_append_at_once_without_a_gap(fresh_app: App, tmp_path):
    async with open_app(fresh_app.url, tmp_path) as other:
        before = (await head_of(fresh_app)).size
        appends = [app.services.ledger.append([part(n)]) for n in range(100) for app in (fresh_app, other)]
        receipts = await asyncio.gather(*appends)
    rows = await fresh_app.rows("SELECT leaf_index, receipt FROM ledger_leaves ORDER BY leaf_index")
    assert [row["leaf_index"] for row in rows] == list(range(before + 200))
    assert {str(row["receipt"]) for row in rows} >= set(receipts)
    assert len(set(receipts)) == 200
    leaves = [leaf_of(one) for one in (await get(fresh_app, "leaves"))["items"]]
    assert (await checkpoint(fresh_app))[0].root == merkle.root_of([leaf.hash for leaf in leaves])


async def test_what_is_stored_is_what_the_leaf_commits_to(fresh_app: App):
    items = (uuid.uuid4(), uuid.uuid4())
    entry = {"kind": "answer", "agency": POLICE, "å": [1, None]}
    await fresh_app.services.ledger.append([Part(POLICE, "receiver", entry, items), part(1, "tullverket", "giver")])
    parts = await fresh_app.rows("SELECT * FROM ledger_parts ORDER BY role DESC")
    assert [(row["agency"], row["role"], row["items"]) for row in parts] == [
        (POLICE, "receiver", list(items)),
        ("tullverket", "giver", None),
    ]
    assert json.loads(parts[0]["entry"]) == entry
    (leaf,) = await fresh_app.rows("SELECT * FROM ledger_leaves")
    assert len(leaf["padding"]) == 2


async def test_leaf_of_nobody_is_not_written(app: App):
    with pytest.raises(ValueError, match="at least one part"):
        await app.services.ledger.append([])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_leaves SET at_us = at_us + 1",
        "UPDATE ledger_leaves SET content_root = decode(repeat('00', 32), 'hex')",
        "UPDATE ledger_nodes SET hash = decode(repeat('00', 32), 'hex')",
        "UPDATE ledger_parts SET entry = '{}'",
        "UPDATE ledger_parts SET agency = 'tullverket'",
        "UPDATE ledger_parts SET commitment = decode(repeat('00', 32), 'hex')",
        "UPDATE ledger_parts SET salt = NULL, entry = NULL, items = NULL, erased_at = now(), slot = slot + 4",
        "UPDATE ledger_parts SET salt = NULL, entry = NULL, items = NULL, erased_at = now(), agency = 'x'",
        "UPDATE ledger_head SET size = size - 1",
        "UPDATE ledger_head SET frontier = frontier",
        "DELETE FROM ledger_parts",
        "DELETE FROM ledger_nodes",
        "DELETE FROM ledger_head",
        "TRUNCATE ledger_parts",
        "TRUNCATE ledger_nodes",
        "TRUNCATE ledger_head",
    ],
)
async def test_database_itself_refuses_to_change_the_ledger(app: App, statement: str):
    await grow(app, 1)
    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await app.execute(statement)


async def test_content_of_a_part_can_be_erased_once_and_every_proof_holds(fresh_app: App):
    app = fresh_app
    await grow(app, 4)
    before, _ = await checkpoint(app)
    async with app.database.transaction() as connection:
        given = {"agency": POLICE, "before": app.clock()}
        assert await repository.count_parts_before(connection, **given) == 4
        assert await repository.erase_parts_before(connection, **given, at=app.clock(), at_most=3) == 3
        assert await repository.count_parts_before(connection, **given) == 1
    rows = await app.rows("SELECT agency, salt, entry, erased_at FROM ledger_parts ORDER BY leaf_index, role")
    erased = [row for row in rows if row["erased_at"]]
    assert [row["agency"] for row in erased] == [POLICE] * 3
    assert all(row["entry"] is None and row["salt"] is None for row in erased)
    assert (await checkpoint(app))[0] == before
    for statement in (
        "UPDATE ledger_parts SET entry = '{}', salt = '', erased_at = NULL WHERE entry IS NULL",
        "UPDATE ledger_parts SET erased_at = now() WHERE entry IS NULL",
    ):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await app.execute(statement)
