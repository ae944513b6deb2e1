"""`samsyn verify` over the database: whatever its owner does to the ledger past the triggers is found and named."""

import base64
import json
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.ledger import merkle, verifier
from api.ledger.auditing import Audit, audit
from api.ledger.checkpoint import WITNESS, Note, VerifierKey, cosign
from api.ledger.service import Ledger
from tests.functional.ledger_support import (
    POLICE,
    checkpoint,
    erase_content,
    grow,
    head_of,
    log_key,
    part,
    past_the_triggers,
    put_back,
    witness,
)
from tests.support import App

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FOREIGN = Ed25519PrivateKey.from_private_bytes(bytes(32))
NAME = "polis.example/witness"
ZEROS = "decode(repeat('00', 32), 'hex')"


async def audited(app: App) -> Audit:
    remembered = {f"kept at {one.size}": one for one in app.services.checkpoints._signer.signed_before()}
    return await audit(app.database, remembered, "samsyn.example/ledger")


async def faults_after(app: App, *statements: str) -> list[str]:
    await past_the_triggers(app, *statements)
    return (await audited(app)).faults


async def cosigned(app: App, key: Ed25519PrivateKey = KEY) -> None:
    _, note = await checkpoint(app)
    line = cosign(note.text, NAME, key, 1_700_000_000)
    body = {"checkpoint": Note(note.text, (line,)).whole}
    assert (await app.client(POLICE).post("ledger/cosignatures", json=body)).status_code == 201


async def test_untouched_ledger_holds_whole(fresh_app: App):
    await grow(fresh_app, 3)
    before = fresh_app.clock()
    await grow(fresh_app, 6)
    await checkpoint(fresh_app)
    await witness(fresh_app, KEY)
    await cosigned(fresh_app)
    for agency in (POLICE, "tullverket"):
        await erase_content(fresh_app, agency, before)
    await grow(fresh_app, 2)
    found = await audited(fresh_app)
    assert found.faults == []
    assert (found.leaves, found.parts, found.erased, found.cosignatures) == (13, 24, 6, 1)
    assert found.root == (await checkpoint(fresh_app))[0].root


async def test_empty_ledger_holds(fresh_app: App):
    found = await audited(fresh_app)
    assert (found.faults, found.root) == ([], merkle.EMPTY)


CHANGES = {
    "UPDATE ledger_leaves SET at_us = at_us + 1 WHERE leaf_index = 5": "leaf 5 has been changed since it was written",
    "UPDATE ledger_leaves SET receipt = gen_random_uuid() WHERE leaf_index = 5": "leaf 5 has been changed since",
    f"UPDATE ledger_leaves SET content_root = {ZEROS} WHERE leaf_index = 5": "leaf 5 has been changed since",
    "UPDATE ledger_parts SET entry = replace(entry, 'answer', 'refusal') WHERE leaf_index = 5 AND role = 'giver'":
        "leaf 5: the entry of the part in slot",
    f"UPDATE ledger_parts SET salt = {ZEROS} WHERE leaf_index = 5": "leaf 5: the entry of the part in slot",
    f"UPDATE ledger_parts SET commitment = {ZEROS} WHERE leaf_index = 5": "leaf 5: its parts are not those",
    "DELETE FROM ledger_parts WHERE leaf_index = 5 AND role = 'giver'": "leaf 5: a part or padding has been added",
    "UPDATE ledger_leaves SET padding = padding[1:1] WHERE leaf_index = 5": "leaf 5: a part or padding has been added",
    "INSERT INTO ledger_parts SELECT leaf_index, slot + 4, agency, role, salt, entry, items, commitment, erased_at "
    "FROM ledger_parts WHERE leaf_index = 5": "leaf 5: a part or padding has been added",
    "INSERT INTO ledger_parts SELECT 99, slot, agency, role, salt, entry, items, commitment, erased_at "
    "FROM ledger_parts WHERE leaf_index = 5": "2 parts belong to no leaf",
    f"UPDATE ledger_nodes SET hash = {ZEROS} WHERE level = 0 AND position = 5": "leaf 5 has been changed since",
    f"UPDATE ledger_nodes SET hash = {ZEROS} WHERE level = 1 AND position = 2": "the node at level 1, position 2",
    "DELETE FROM ledger_nodes WHERE level = 0 AND position = 5": "the hash of leaf 5 is missing",
    f"INSERT INTO ledger_nodes VALUES (1, 77, {ZEROS})": "1 nodes belong to no leaf",
    "DELETE FROM ledger_leaves WHERE leaf_index = 5": "leaf 5 is missing",
    "DELETE FROM ledger_leaves WHERE leaf_index >= 5": "leaves 5 to 9 have been removed: the head counts 10",
    "UPDATE ledger_head SET size = 8": "the head counts 8 leaves, and there are 10",
    f"UPDATE ledger_head SET frontier = ARRAY[{ZEROS}]": "the head is not that of the leaves",
    "DELETE FROM ledger_head": "the head is missing",
}  # fmt: skip


@pytest.mark.parametrize(("statement", "fault"), CHANGES.items(), ids=lambda text: text[:50])
async def test_change_is_found_and_named(fresh_app: App, statement: str, fault: str):
    await grow(fresh_app, 10)
    faults = await faults_after(fresh_app, statement)
    assert any(one.startswith(fault) for one in faults), faults


async def test_reordered_pair_is_named(fresh_app: App):
    await grow(fresh_app, 10)
    swap = [
        f"UPDATE {table} SET leaf_index = {after} WHERE leaf_index = {before}"
        for table in ("ledger_leaves", "ledger_parts")
        for before, after in ((3, 99), (6, 3), (99, 6))
    ]
    assert await faults_after(fresh_app, *swap) == [
        "leaves 3 and 6 have changed places since they were written",
        "the head is not that of the leaves",
    ]


async def test_log_that_was_rewritten_whole_is_given_away_by_what_was_signed(fresh_app: App):
    # Every table fits every other: only what others have kept can tell.
    await grow(fresh_app, 6)
    await checkpoint(fresh_app)
    await past_the_triggers(fresh_app, *put_back(0, merkle.Frontier()))
    await grow(fresh_app, 9)
    (fault,) = (await audited(fresh_app)).faults
    assert fault == "of leaves 0 to 5 some were changed, moved or exchanged since kept at 6 was signed"


async def test_log_that_was_put_back_is_given_away_by_a_cosignature_alone(fresh_app: App):
    await witness(fresh_app, KEY)
    await grow(fresh_app, 3)
    head = await head_of(fresh_app)
    await grow(fresh_app, 3)
    await cosigned(fresh_app)
    await past_the_triggers(fresh_app, *put_back(3, head))
    found = await audit(fresh_app.database, {}, "samsyn.example/ledger")
    assert found.faults == [f"leaves 3 to 5 have been removed: {POLICE} has cosigned 6 leaves"]
    await grow(fresh_app, 3)
    found = await audit(fresh_app.database, {}, "samsyn.example/ledger")
    assert found.faults == [f"{POLICE} has cosigned another log of 6 leaves than this one"]


async def test_time_that_no_leaf_can_have_is_a_changed_leaf_and_no_breakdown(fresh_app: App):
    await grow(fresh_app, 3)
    faults = await faults_after(fresh_app, "UPDATE ledger_leaves SET at_us = -1 WHERE leaf_index = 1")
    assert "leaf 1 has a time that no leaf can have" in faults
    assert "leaf 1 has been changed since it was written" in faults


async def test_receipt_that_two_leaves_bear_is_named(fresh_app: App):
    (first,) = await grow(fresh_app, 1)
    await fresh_app.execute("ALTER TABLE ledger_leaves DROP CONSTRAINT uq_ledger_leaves_receipt")
    again = Ledger(fresh_app.database, clock=fresh_app.clock, new_id=lambda: uuid.UUID(first))
    await again.append([part(7)])
    assert (await audited(fresh_app)).faults == [f"leaf 1 bears the receipt {first} of a leaf before it"]


async def test_leaf_before_the_first_is_counted(fresh_app: App):
    await grow(fresh_app, 3)
    faults = await faults_after(
        fresh_app,
        "INSERT INTO ledger_leaves SELECT leaf_index - 9, gen_random_uuid(), at_us, content_root, padding"
        " FROM ledger_leaves",
    )
    assert faults == ["3 leaves have an index below 0"]


async def test_key_of_a_witness_that_is_given_is_believed_and_not_the_databases(fresh_app: App):
    await witness(fresh_app, KEY)
    await grow(fresh_app, 3)
    await cosigned(fresh_app)
    line = (await fresh_app.rows("SELECT line FROM ledger_cosignatures"))[0]["line"]
    await grow(fresh_app, 1)
    rewritten = cosign((await checkpoint(fresh_app, size=2))[1].text, NAME, KEY, 1)
    # Somebody who rewrites the log takes the witness's key away, so that its line says nothing any more.
    await witness(fresh_app, FOREIGN)
    await past_the_triggers(fresh_app, f"UPDATE ledger_cosignatures SET line = '{rewritten.line}'")
    given = [VerifierKey(NAME, WITNESS, KEY.public_key().public_bytes_raw())]
    found = await audit(fresh_app.database, {}, "samsyn.example/ledger")
    assert (found.faults, found.cosignatures, found.passed_over) == ([], 0, 1)
    found = await audit(fresh_app.database, {}, "samsyn.example/ledger", given)
    assert found.faults == [f"{POLICE} has cosigned another log of 3 leaves than this one"]
    await past_the_triggers(fresh_app, f"UPDATE ledger_cosignatures SET line = '{line}'")
    found = await audit(fresh_app.database, {}, "samsyn.example/ledger", given)
    assert (found.faults, found.cosigned, found.passed_over) == ([], {NAME: 3}, 0)


async def test_line_under_the_name_of_a_given_key_by_another_key_is_passed_over(fresh_app: App):
    await witness(fresh_app, FOREIGN)
    await grow(fresh_app, 3)
    await cosigned(fresh_app, FOREIGN)
    given = [VerifierKey(NAME, WITNESS, KEY.public_key().public_bytes_raw())]
    found = await audit(fresh_app.database, {}, "samsyn.example/ledger", given)
    assert (found.faults, found.cosigned, found.passed_over) == ([], {}, 1)


async def test_cosignature_of_a_key_that_was_replaced_is_passed_over(fresh_app: App):
    await witness(fresh_app, KEY)
    await grow(fresh_app, 3)
    await cosigned(fresh_app)
    await witness(fresh_app, FOREIGN)
    found = await audited(fresh_app)
    assert (found.faults, found.cosignatures, found.passed_over) == ([], 0, 1)


async def test_audit_of_a_log_that_grows_meanwhile_is_of_one_moment(fresh_app: App, monkeypatch):
    from api.ledger import repository

    await grow(fresh_app, 5)
    read = repository.stored_leaves

    async def slowly(*args, **kwargs):
        await grow(fresh_app, 1)
        return await read(*args, **kwargs)

    monkeypatch.setattr(repository, "stored_leaves", slowly)
    found = await audited(fresh_app)
    assert (found.leaves, found.faults) == (5, [])


# --- the separate program, over what the service shows ---------------------------------------------------------------


async def copy_of(app: App) -> str:
    """The leaves as an agency would keep them."""
    page = (await app.client(POLICE).get("ledger/leaves")).json()
    return "".join(json.dumps(one) + "\n" for one in page["items"])


async def run(app: App, folder, *arguments: str) -> tuple[int, list[str]]:
    said: list[str] = []
    key = (await log_key(app)).text
    status = verifier.main(["--key", key, *arguments], say=said.append)
    return status, [line.replace(f"{folder}/", "") for line in said if line.startswith("WRONG")]


async def test_program_verifies_what_the_service_showed_and_finds_what_it_did_later(fresh_app: App, tmp_path):
    await grow(fresh_app, 6)
    for name, content in (("then", await copy_of(fresh_app)), ("note", (await checkpoint(fresh_app))[1].whole)):
        (tmp_path / name).write_text(content)
    await grow(fresh_app, 3)
    (tmp_path / "now").write_text(await copy_of(fresh_app))
    files = (("leaves", "now"), ("leaves", "then"), ("checkpoint", "note"))
    given = [f"--{what}={tmp_path / name}" for what, name in files]
    assert await run(fresh_app, tmp_path, *given) == (verifier.HOLDS, [])
    await past_the_triggers(fresh_app, "UPDATE ledger_leaves SET at_us = 7 WHERE leaf_index = 4")
    (tmp_path / "now").write_text(await copy_of(fresh_app))
    status, wrong = await run(fresh_app, tmp_path, *given)
    assert status == verifier.FAULTY
    assert "WRONG: leaf 4 has been changed since then" in wrong


async def test_history_shown_to_one_agency_only_is_proven_by_two_notes(fresh_app: App, tmp_path):
    await grow(fresh_app, 6)
    (tmp_path / "police").write_text((await checkpoint(fresh_app))[1].whole)
    # Somebody with database and key makes the log forget what it has signed, and shows another one to the school.
    await past_the_triggers(fresh_app, *put_back(0, merkle.Frontier()))
    fresh_app.services.checkpoints._signer._last = None
    (tmp_path / "ledger-key.pem.signed").unlink()
    await grow(fresh_app, 6)
    (tmp_path / "school").write_text((await checkpoint(fresh_app))[1].whole)
    given = [f"--checkpoint={tmp_path / name}" for name in ("police", "school")]
    status, wrong = await run(fresh_app, tmp_path, *given)
    assert status == verifier.FAULTY
    assert wrong == ["WRONG: police and school are of two logs: both are signed over 6 leaves, with two roots"]


async def test_program_takes_what_the_service_says_of_a_leaf_as_it_is(fresh_app: App):
    await grow(fresh_app, 1)
    (one,) = (await fresh_app.client(POLICE).get("ledger/leaves")).json()["items"]
    (stored,) = await fresh_app.rows("SELECT * FROM ledger_leaves")
    assert base64.b64decode(one["contentRoot"]) == stored["content_root"]
    assert (one["atUs"], one["receipt"]) == (stored["at_us"], str(stored["receipt"]))
