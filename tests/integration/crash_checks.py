"""What must hold after any crash: nothing acknowledged is lost, nothing is there by half, and the ledger is whole."""

import asyncio
import json
import random
from collections import Counter
from uuid import UUID

import httpx

from api.ledger import verifier
from api.ledger.auditing import audit
from api.store.database import Database
from tests.functional.disclosure_support import HOLDER, POLICE, WHY
from tests.integration.crash_house import PATIENCE_S
from tests.integration.crash_load import BATCH_ROWS, GIVEN, see

GRANTED = {"granted", "partly-granted"}
# What a leaf tells of, by the name under which it tells that.
_ABOUT = {"disclosure-decision": "decision", "disclosure-revocation": "decision"}


async def check(house, dsn, record):
    await acknowledged_writes_are_there(house, dsn, record)
    leaves = await leaves_of(house, dsn)
    answers_have_their_leaves(record, leaves)
    await steps_and_leaves_belong_together(house, dsn, record, leaves)
    await ledger_verifies(house, dsn, record)


async def acknowledged_writes_are_there(house, dsn, record):
    stored = {str(row["id"]) for row in await house.fetch(dsn, "SELECT id FROM surveys")}
    for key, answer in record.survey_answers.items():
        assert json.loads(answer)["id"] in stored, f"lost: {key}"
    batches = {
        row["id"]: row
        for row in await house.fetch(
            dsn,
            """SELECT b.id, b.accepted, b.received, coalesce(i.rows, 0) AS rows
                 FROM incident_batches b
                 LEFT JOIN (SELECT agency, batch_id, count(*) AS rows FROM incidents GROUP BY 1, 2) i
                   ON (i.agency, i.batch_id) = (b.agency, b.id)""",
        )
    }
    assert record.batch_answers | set(record.posted) <= set(batches), "an acknowledged batch is lost"
    for batch in batches.values():
        assert batch["rows"] == batch["accepted"] == batch["received"] == BATCH_ROWS, f"half a batch: {batch}"
    assert all(accepted == BATCH_ROWS for accepted in record.posted.values())
    orphans = await house.fetch(
        dsn,
        """SELECT i.incident_id FROM incidents i
            WHERE NOT EXISTS (SELECT FROM incident_batches b WHERE (b.agency, b.id) = (i.agency, i.batch_id))""",
    )
    assert not orphans


async def leaves_of(house, dsn):
    """Each leaf's parts, by receipt: (agency, role, what it tells, rows it names)."""
    found = {}
    for row in await house.fetch(
        dsn,
        """SELECT l.receipt, p.agency, p.role, p.entry, p.items
             FROM ledger_leaves l JOIN ledger_parts p USING (leaf_index) ORDER BY leaf_index, slot""",
    ):
        part = (row["agency"], row["role"], json.loads(row["entry"]), {str(item) for item in row["items"] or ()})
        found.setdefault(str(row["receipt"]), []).append(part)
    return found


def answers_have_their_leaves(record, leaves):
    """What was shown to somebody stands in a leaf, told to the one who got it and to the one whose it is."""
    assert set(record.receipts) <= set(leaves), "a protected answer left without its leaf"
    assert len(record.receipts) == len(set(record.receipts)), "two answers share a receipt"
    for receipt, items in record.shown.items():
        told = {(agency, role): named for agency, role, _, named in leaves[receipt]}
        assert told[POLICE, "receiver"] == items, "a leaf names other rows than were shown"
        assert bool(items) == ((HOLDER, "giver") in told), "the holder is not told what was shown of its rows"


async def steps_and_leaves_belong_together(house, dsn, record, leaves):
    """No request, decision, revocation or recorded person without its one leaf, and no such leaf without that."""
    requests = {
        str(row["id"]): row["state"] for row in await house.fetch(dsn, "SELECT id, state FROM disclosure_requests")
    }
    decisions = {
        str(row["id"]): row
        for row in await house.fetch(
            dsn,
            """SELECT d.id, d.request_id, d.revoked_at, count(i.*) AS items
                 FROM disclosure_decisions d LEFT JOIN disclosure_decision_items i ON i.decision_id = d.id
                GROUP BY d.id""",
        )
    }
    stored = Counter(("disclosure-request", request) for request in requests)
    stored += Counter(("disclosure-refusal", request) for request, state in requests.items() if state == "refused")
    stored += Counter(("disclosure-decision", decision) for decision in decisions)
    stored += Counter(("disclosure-revocation", one) for one, row in decisions.items() if row["revoked_at"] is not None)
    persons = await house.fetch(dsn, "SELECT id FROM individuals")
    stored += Counter(("collection", str(row["id"])) for row in persons)
    told = Counter()
    for parts in leaves.values():
        for _, role, entry, items in parts:
            kind = entry["kind"]
            if kind in {"answer", "refusal"}:
                under = {released[-1] for one in entry["resources"] for released in one["released"] if released[-1]}
                assert under <= set(decisions), "an answer was given under a decision that is not there"
            elif kind == "collection":
                told.update((kind, one) for one in items)
            elif role == "receiver":
                told[kind, entry[_ABOUT.get(kind, "request")]] += 1
    assert told == stored, (told - stored, stored - told)
    granted = {request for request, state in requests.items() if state in GRANTED}
    assert granted == {str(row["request_id"]) for row in decisions.values() if row["request_id"] is not None}
    assert {row["items"] for row in decisions.values()} <= {len(house.persons)}, "a decision on half of its rows"
    assert {made for made, _ in record.made("disclosure-requests")} <= set(requests)
    assert {made for made, _ in record.made("disclosure-decisions")} <= set(decisions)
    for request, decision in record.made("disclosure-requests/.*/decision"):
        assert decision in decisions if decision else requests[request] == "refused", "a decision is lost"
    revoked = {one for one, row in decisions.items() if row["revoked_at"] is not None}
    assert record.revoked <= revoked <= record.revoking | house.revoked, "a revocation is lost, or nobody's"
    house.revoked |= revoked


async def ledger_verifies(house, dsn, record):
    """As `samsyn verify`, with every checkpoint that anybody was ever shown."""
    house.checkpoints |= record.checkpoints
    signed = {f"what this log signed ({one.size} leaves)": one for one in house.signer.signed_before()}
    database = Database(dsn)
    found = await audit(database, signed | house.checkpoints, house.signer.origin)
    await database.close()
    assert found.faults == []


async def insist(send):
    """Send until it is not 503: connections that died with the database are found out one by one."""
    for _ in range(PATIENCE_S * 10):
        answer = await send()
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            return answer
        await asyncio.sleep(0.1)
    raise AssertionError(answer.text)


async def send_again(house, record):
    """Everything once more, acknowledged or not: the first answer for what was, one row for what was not."""
    async with house.client("skarholmen-trygghet") as client:
        for key, body in record.surveys.items():
            answer = await insist(
                lambda key=key, body=body: client.post(
                    "intervention-surveys", json=body, headers={"Idempotency-Key": key}
                )
            )
            assert answer.status_code == 201, answer.text
            if key in record.survey_answers:
                assert answer.headers["Idempotency-Replayed"] == "true"
                assert answer.content == record.survey_answers[key]
            record.survey_answers[key] = answer.content
    async with house.client("trafikforvaltningen") as client:
        for name, body in record.batches.items():
            sent = {"Content-Type": "application/x-ndjson"}
            answer = await insist(
                lambda name=name, body=body, sent=sent: client.put(
                    f"incident-batches/{name}", content=body, headers=sent
                )
            )
            assert answer.status_code in ({200} if name in record.batch_answers else {200, 201}), answer.text
            assert answer.json()["accepted"] == BATCH_ROWS
            record.batch_answers.add(name)
    await take_steps_again(house, record)


async def take_steps_again(house, record):
    """Each step again under its key, each revocation again; then nothing is shown under what was revoked."""
    async with house.client(POLICE, WHY) as police, house.client(HOLDER, WHY, person=True) as officer:
        of = {POLICE: police, HOLDER: officer}
        for key, sent in record.steps.items():
            answer = await insist(
                lambda key=key, sent=sent: of[sent.agency].post(
                    sent.path, json=sent.body, headers={"Idempotency-Key": key}
                )
            )
            assert answer.status_code == 201, answer.text
            body = answer.json()
            made = (body["id"], body.get("decision"))
            record.receipts.append(body["_meta"]["disclosure"]["receipt"])
            if sent.made is not None:
                assert answer.headers["Idempotency-Replayed"] == "true"
                # A request that has been decided since is shown as it stands now.
                assert made[0] == sent.made[0]
                assert sent.made[1] in {None, made[1]}
            record.steps[key].made = made
        record.revoking |= {made for made, _ in record.made("disclosure-decisions")}
        record.revoking |= {made for _, made in record.made("disclosure-requests/.*/decision") if made is not None}
        for decision in record.revoking:
            answer = await insist(lambda decision=decision: officer.delete(f"disclosure-decisions/{decision}"))
            assert answer.status_code in ({409} if decision in record.revoked else {200, 409}), answer.text
            record.revoked.add(decision)
        for decision in random.Random(0).sample(sorted(record.revoked), min(3, len(record.revoked))):
            assert await see(record, police, decision) == 0, "rows shown under a decision that was revoked"
    assert record.unexpected == []


async def no_survey_is_there_twice(house, dsn, record):
    comments = [row["comment"] for row in await house.fetch(dsn, "SELECT comment FROM surveys")]
    assert len(comments) == len(set(comments))
    assert {body["comment"] for body in record.surveys.values()} <= set(comments)
    given = await house.fetch(
        dsn, "SELECT count(*) AS n FROM surveys s LEFT JOIN survey_interventions i ON i.survey_id = s.id GROUP BY s.id"
    )
    assert {row["n"] for row in given} <= {len(GIVEN)}


def anybody_can_see_it(house, record, chance):
    """Over HTTP, trusting only the log's key: receipts prove, and every checkpoint that was shown is of this log."""
    with house.witness() as witness:
        witness.cosign()
    wanted = chance.sample(sorted(record.shown), min(3, len(record.shown)))
    folder = house.data_dir.parent
    with house.asking(POLICE, {"Purpose": "supervision", "Case-Reference": "T1/2026"}) as client:
        proofs = [client.get(f"receipts/{UUID(receipt)}") for receipt in wanted]
    assert [answer.status_code for answer in proofs] == [200] * len(wanted), proofs[0].text
    (folder / "receipts.jsonl").write_text("".join(answer.text + "\n" for answer in proofs))
    said = []
    status = verifier.main(
        ["--url", house.service.api.rstrip("/"), "--token", house.token(POLICE), "--key", house.signer.public.text,
         "--parts", str(folder / "receipts.jsonl")],
        say=said.append,
    )  # fmt: skip
    assert status == verifier.HOLDS, said
