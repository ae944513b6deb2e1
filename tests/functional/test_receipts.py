"""A receipt is its parties' own: each reads its own part, can prove it, and learns nothing of the others."""

import base64
import json
import uuid
from pathlib import Path

import pytest

from api.ledger import merkle, verifier
from api.ledger.checkpoint import Checkpoint, Note
from api.ledger.leaves import Leaf, commitment, opens
from api.ledger.repository import erase_parts_before
from tests.functional.audit_support import (
    HOLDER,
    OTHER_HOLDER,
    PERSON,
    RECIPIENT,
    STRANGER,
    SUPERVISION,
    WHY,
    decide,
    new_mapping,
    one,
    read,
    receipt_of,
    record,
    shared,
)  # fmt: skip
from tests.support import App

pytestmark = pytest.mark.asyncio(loop_scope="session")


def told(answer, receipt):
    """What a refusal says, without the ids that every refusal has of its own."""
    body = answer.json()
    body.get("disclosure", {}).pop("receipt", None)
    return (
        json.dumps(body).replace(receipt, "…"),
        answer.headers.get("content-type"),
        answer.headers.get("cache-control"),
    )


def leaf_of(proof) -> Leaf:
    shown = proof["leaf"]
    return Leaf(shown["index"], shown["atUs"], uuid.UUID(shown["receipt"]), base64.b64decode(shown["contentRoot"]))


def raw(texts):
    return [base64.b64decode(text) for text in texts]


# --- attacks --------------------------------------------------------------------------------------------------------


async def test_receipt_between_others_is_answered_like_one_that_does_not_exist(app: App):
    answer = await shared(app)
    nothing = str(uuid.uuid4())
    for agency in (STRANGER, OTHER_HOLDER, "centrumagaren", "lansstyrelsen-stockholm"):
        real, missing = await one(app, agency, answer.receipt), await one(app, agency, nothing)
        assert real.status_code == missing.status_code == 404
        assert told(real, answer.receipt) == told(missing, nothing)


async def test_forged_receipt_id_is_refused_or_not_found(app: App):
    assert (await one(app, HOLDER, "1 OR 1=1")).status_code == 422
    assert (await one(app, HOLDER, str(uuid.UUID(int=0)))).status_code == 404


async def test_giver_sees_nothing_of_another_holder_in_the_same_answer(app: App):
    mapping = await new_mapping(app)
    items = {holder: await record(app, mapping, holder) for holder in (HOLDER, OTHER_HOLDER)}
    decisions = {holder: str(await decide(app, [item], holder=holder)) for holder, item in items.items()}
    receipt = receipt_of((await read(app, mapping, RECIPIENT)).json())
    for holder, other in ((HOLDER, OTHER_HOLDER), (OTHER_HOLDER, HOLDER)):
        answer = await one(app, holder, receipt)
        assert answer.status_code == 200, answer.text
        assert answer.json()["items"] == {"individual": [items[holder]]}
        for secret in (items[other], decisions[other], other):
            assert secret not in answer.text


async def test_proof_is_of_one_length_however_many_parts_an_answer_has(app: App):
    mapping = await new_mapping(app)
    lengths = set()
    for holder in (HOLDER, OTHER_HOLDER, "kriminalvarden"):
        receipt = receipt_of((await read(app, mapping, RECIPIENT)).json())
        lengths.add(len((await one(app, RECIPIENT, receipt)).json()["proof"]["wayUp"]))
        await decide(app, [await record(app, mapping, holder)], holder=holder)
    assert lengths == {2}


async def test_without_a_purpose_nothing_of_a_receipt_is_told_and_the_reason_is(app: App):
    answer = await shared(app)
    nothing = str(uuid.uuid4())
    refused, missing = await one(app, HOLDER, answer.receipt, headers={}), await one(app, HOLDER, nothing, headers={})
    assert refused.status_code == missing.status_code == 403
    assert {entry["reason"] for entry in refused.json()["withheld"]} == {"no-purpose"}
    assert told(refused, answer.receipt) == told(missing, nothing)


async def test_purpose_that_the_token_does_not_hold_opens_no_receipt(app: App):
    answer = await shared(app)
    refused = await one(app, HOLDER, answer.receipt, purposes=["statistics"])
    assert refused.status_code == 403
    assert "proof" not in refused.text


async def test_receipt_needs_a_token_and_the_scope_to_read(app: App):
    answer = await shared(app)
    assert (await app.client().get(f"receipts/{answer.receipt}")).status_code == 401
    assert (await one(app, HOLDER, answer.receipt, scopes=["audit:read"])).status_code == 403


async def test_receipts_over_graphql_are_as_closed_as_over_rest(app: App):
    answer = await shared(app)
    query = {"query": f'{{ receipt(id: "{answer.receipt}") {{ receipt kind role recipient subject items }} }}'}
    seen = {}
    for agency in (HOLDER, RECIPIENT, STRANGER):
        body = (await app.client(agency, headers=SUPERVISION, scopes=["read"]).post("graphql", json=query)).json()
        assert "errors" not in body, body
        seen[agency] = body["data"]["receipt"]
    assert seen[STRANGER] is None
    assert seen[HOLDER]["items"] == {"individual": [answer.item]}
    assert seen[RECIPIENT]["items"] == {"individual": {HOLDER: [answer.alias]}}
    undeclared = (await app.client(HOLDER).post("graphql", json=query)).json()
    assert undeclared["data"] is None
    assert undeclared["errors"][0]["extensions"]["problem"]["status"] == 403


# --- what each party is told ----------------------------------------------------------------------------------------


async def test_giver_and_receiver_read_their_own_part(app: App):
    answer = await shared(app)
    given, received = [(await one(app, agency, answer.receipt)).json() for agency in (HOLDER, RECIPIENT)]
    for body in (given, received):
        assert body["receipt"] == answer.receipt
        assert (body["kind"], body["recipient"], body["purpose"]) == ("answer", RECIPIENT, WHY["Purpose"])
        assert (body["caseReference"], body["client"]) == (WHY["Case-Reference"], f"{RECIPIENT}-development")
        assert body["erased"] is False
    assert (given["role"], received["role"]) == ("giver", "receiver")
    assert given["items"] == {"individual": [answer.item]}
    assert received["items"] == {"individual": {HOLDER: [answer.alias]}}
    released = [tuple(entry) for entry in given["resources"][0]["released"]]
    assert ("name", "osl-10-18a", answer.decision) in released
    assert answer.item not in json.dumps(received), "the receiver never learns the id that the giver knows"
    assert answer.alias not in json.dumps(given)


async def test_no_value_of_a_row_stands_in_a_receipt(app: App):
    answer = await shared(app)
    for agency in (HOLDER, RECIPIENT):
        text = (await one(app, agency, answer.receipt)).text
        for value in (PERSON["name"], PERSON["birthDate"], PERSON["contact"], "191212121212"):
            assert value not in text


async def test_receipt_is_never_cached_and_reading_it_leaves_a_receipt_of_its_own(app: App):
    shown = await one(app, HOLDER, (await shared(app)).receipt)
    assert shown.headers["cache-control"] == "private, no-store"
    assert "etag" not in shown.headers
    again = await one(app, HOLDER, receipt_of(shown.json()))
    assert again.json()["resources"][0]["resource"] == "ledger-entry"


async def test_refusals_have_receipts_too(app: App):
    mapping = await new_mapping(app)
    wrong = await app.client(RECIPIENT, headers=WHY, purposes=["statistics"]).get(f"mappings/{mapping}/individuals")
    await decide(app, [await record(app, mapping)])
    hidden = await read(app, mapping, RECIPIENT, "?role=sells")
    for refused in (wrong, hidden):
        assert refused.status_code == 403, refused.text
        body = (await one(app, RECIPIENT, refused.json()["receipt"])).json()
        assert (body["kind"], body["role"], body["items"]) == ("refusal", "receiver", body["items"])
        assert not body["items"]


async def test_private_actor_reads_its_own_receipts(app: App):
    await new_mapping(app)
    owner = app.client("centrumagaren", headers={"Purpose": "prevent-crime"})
    reports = (await owner.get("situation-reports")).json()
    shown = await one(app, "centrumagaren", receipt_of(reports), headers={"Purpose": "prevent-crime"})
    assert shown.status_code == 200, shown.text
    assert shown.json()["role"] == "receiver"
    assert opens_own(shown.json()["proof"])


# --- the proof ------------------------------------------------------------------------------------------------------


def opens_own(proof) -> bool:
    return opens(
        leaf_of(proof),
        slot=proof["slot"],
        salt=base64.b64decode(proof["salt"]),
        entry=proof["entry"],
        way_up=raw(proof["wayUp"]),
    )


async def test_each_party_proves_its_part_against_the_signed_checkpoint(app: App):
    answer = await shared(app)
    for agency in (HOLDER, RECIPIENT):
        body = (await one(app, agency, answer.receipt)).json()
        proof = body["proof"]
        assert opens_own(proof)
        assert base64.b64decode(proof["commitment"]) == commitment(base64.b64decode(proof["salt"]), proof["entry"])
        note = Note.parse((await app.client().get(body["_links"]["checkpoint"]["href"])).text)
        found = Checkpoint.parse(note.text)
        assert (found.size, found.root) == (proof["size"], base64.b64decode(proof["root"]))
        leaf, path = leaf_of(proof), raw(proof["path"])
        assert merkle.includes(root=found.root, size=found.size, index=leaf.index, leaf=leaf.hash, proof=path)
        entry = json.loads(proof["entry"])
        assert {name: entry[name] for name in ("kind", "purpose", "caseReference", "resources", "items")} == {
            name: body[name] for name in ("kind", "purpose", "caseReference", "resources", "items")
        }


async def test_samsyn_verify_accepts_a_receipt_as_it_is_given_and_finds_a_changed_one(app: App, tmp_path: Path):
    answer = await shared(app)
    body = (await one(app, RECIPIENT, answer.receipt)).json()
    note = (await app.client().get(body["_links"]["checkpoint"]["href"])).text
    key = (await app.client().get("ledger/key")).json()["key"]
    (tmp_path / "note").write_text(note, encoding="utf-8")
    arguments = ["--checkpoint", str(tmp_path / "note"), "--key", key, "--parts", str(tmp_path / "parts")]
    changed = body | {"proof": body["proof"] | {"entry": body["proof"]["entry"].replace("osl-10-18a", "osl-10-18b")}}
    for parts, status in ((body, verifier.HOLDS), (changed, verifier.FAULTY)):
        (tmp_path / "parts").write_text(json.dumps(parts), encoding="utf-8")
        lines: list[str] = []
        assert verifier.main(arguments, say=lines.append) == status, lines


async def test_a_changed_entry_or_salt_opens_no_leaf(app: App):
    proof = (await one(app, HOLDER, (await shared(app)).receipt)).json()["proof"]
    salt = base64.b64decode(proof["salt"])
    assert not opens_own(proof | {"entry": proof["entry"].replace("osl-10-18a", "osl-10-18b")})
    assert not opens_own(proof | {"salt": base64.b64encode(bytes([salt[0] ^ 1]) + salt[1:]).decode()})
    assert not opens_own(proof | {"slot": (proof["slot"] + 1) % 4})


async def test_erased_part_keeps_its_proof_and_nothing_else(fresh_app: App):
    answer = await shared(fresh_app)
    before = (await one(fresh_app, HOLDER, answer.receipt)).json()
    now = fresh_app.clock()
    async with fresh_app.database.transaction() as connection:
        assert await erase_parts_before(connection, HOLDER, now, at=now, at_most=100)
    after = (await one(fresh_app, HOLDER, answer.receipt)).json()
    left = {"receipt", "at", "role", "erased", "proof", "_meta", "_links"}
    assert {name for name, value in after.items() if value is not None} == left
    assert after["erased"] is True
    assert (after["proof"]["salt"], after["proof"]["entry"]) == (None, None)
    for name in ("leaf", "slot", "commitment", "wayUp"):
        assert after["proof"][name] == before["proof"][name]
    assert merkle.includes(
        root=leaf_of(after["proof"]).content_root,
        size=4,
        index=after["proof"]["slot"],
        leaf=merkle.leaf_hash(base64.b64decode(after["proof"]["commitment"])),
        proof=raw(after["proof"]["wayUp"]),
    )
    # The other party's part is its own to keep.
    theirs = (await one(fresh_app, RECIPIENT, answer.receipt)).json()
    assert theirs["erased"] is False
    assert opens_own(theirs["proof"])


async def test_ledger_that_cannot_be_written_shows_no_receipt(app: App, monkeypatch: pytest.MonkeyPatch):
    from api.errors import Problem

    answer = await shared(app)

    async def broken(_parts):
        raise Problem("unavailable", "the ledger cannot be written")

    monkeypatch.setattr(app.services.ledger, "append", broken)
    refused = await one(app, HOLDER, answer.receipt)
    assert refused.status_code == 503
    assert answer.item not in refused.text
