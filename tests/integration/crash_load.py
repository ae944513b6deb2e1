"""What many agencies do at once while something is killed, and what each of them was answered."""

import asyncio
import contextlib
import json
import re
import uuid
from dataclasses import dataclass, field

import httpx

from api.ledger.checkpoint import Checkpoint, Note
from api.ledger.witness import NotGrownError, WitnessError
from tests.functional.disclosure_support import HOLDER, POLICE, WHY, asked, grant, initiative
from tests.integration.crash_house import PATIENCE_S, UNTIL
from tests.support import STOP

BATCH_ROWS = 60
_PAUSE_S = 0.05
CARE = "region-stockholm-vard"
GIVEN = [
    {"intervention": "increase-presence", "status": "ongoing", "startedOn": "2024-03-01", "times": 24},
    {"intervention": "mumin", "status": "ended", "startedOn": "2024-01-01", "endedOn": "2024-02-01"},
]
REFUSED = {"outcome": "refused", "reason": "Sekretess gäller (påhittat)."}


@dataclass
class Sent:
    """A step between agencies under a key of its own; `made` is what it came to, where it was acknowledged."""

    agency: str
    path: str
    body: dict
    made: tuple[str, str | None] | None = None


@dataclass
class Record:
    """What was sent, and what of it was acknowledged; `shown` are rows of others, by receipt, as they were shown."""

    surveys: dict[str, dict] = field(default_factory=dict)
    survey_answers: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, bytes] = field(default_factory=dict)
    batch_answers: set[str] = field(default_factory=set)
    posted: dict[str, int] = field(default_factory=dict)
    steps: dict[str, Sent] = field(default_factory=dict)
    revoking: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    shown: dict[str, set[str]] = field(default_factory=dict)
    receipts: list[str] = field(default_factory=list)
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)
    cosigned: int = 0
    refused: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)

    async def note(self, answer):
        """Whoever is told to come back waits a moment; any other refusal is a surprise."""
        self.refused.append(f"{answer.request.method} {answer.url.path}")
        if answer.status_code != 503:
            self.unexpected.append(f"{answer.request.method} {answer.url.path}: {answer.status_code} {answer.text}")
        await asyncio.sleep(_PAUSE_S)

    def keep(self, text):
        """Remember a checkpoint; two of one size with two roots are two."""
        one = Checkpoint.parse(Note.parse(text).text)
        self.checkpoints[f"signed over {one.size}, root {one.root.hex()[:16]}"] = one

    def made(self, path):
        """What was acknowledged of the steps that were sent to such a path."""
        return {sent.made for sent in self.steps.values() if sent.made is not None and re.fullmatch(path, sent.path)}

    def was_refused(self, what):
        """Whether anything that begins with such a method and path was told to come back."""
        return any(re.match(what, one) for one in self.refused)

    @property
    def warm(self):
        """Whether everybody has had an answer."""
        return all(
            (self.survey_answers, self.batch_answers, self.receipts, self.checkpoints, self.cosigned, self.revoked)
        ) and any(self.shown.values())


def receipt_in(body):
    return body["_meta"]["disclosure"]["receipt"]


async def take_step(record, client, agency, path, body):
    """Take a step once; its answer, or nothing where it was refused."""
    key = f'"{uuid.uuid4()}"'
    record.steps[key] = Sent(agency, path, body)
    answer = await client.post(path, json=body, headers={"Idempotency-Key": key})
    if answer.status_code != 201:
        await record.note(answer)
        return None
    made = answer.json()
    record.steps[key].made = (made["id"], made.get("decision"))
    record.receipts.append(receipt_in(made))
    return made


async def see(record, client, decision):
    """What the recipient is shown under a decision; nothing where that cannot be told now."""
    answer = await client.get(f"disclosure-decisions/{decision}/individuals")
    if answer.status_code != 200:
        await record.note(answer)
        return None
    body = answer.json()
    record.receipts.append(receipt_in(body))
    record.shown[receipt_in(body)] = {row["id"] for row in body["items"]}
    return len(body["items"])


async def revoke(record, client, decision):
    record.revoking.add(decision)
    answer = await client.delete(f"disclosure-decisions/{decision}")
    if answer.status_code != 200:
        await record.note(answer)
        return False
    record.revoked.add(decision)
    return True


async def disclose(house, record, stop, begin):
    """Disclose, read and revoke again and again. `begin` gives a decision's id, or nothing where there is none."""
    async with house.client(POLICE, WHY) as police, house.client(HOLDER, WHY, person=True) as officer:
        while not stop.is_set():
            decision = await begin(record, police, officer, house.persons)
            if decision is None:
                continue
            seen = await see(record, police, decision)
            if seen not in {None, len(house.persons)}:
                record.unexpected.append(f"{seen} rows shown under a decision on {len(house.persons)}")
            if await revoke(record, officer, decision) and await see(record, police, decision):
                record.unexpected.append("rows shown under a decision that was revoked")


async def on_request(record, police, officer, persons):
    request = await take_step(record, police, POLICE, "disclosure-requests", asked())
    if request is None:
        return None
    granting = grant(*persons, validUntil=UNTIL)
    made = await take_step(record, officer, HOLDER, f"disclosure-requests/{request['id']}/decision", granting)
    return None if made is None else made["decision"]


async def on_own_initiative(record, _, officer, persons):
    body = initiative(*persons, validUntil=UNTIL)
    made = await take_step(record, officer, HOLDER, "disclosure-decisions", body)
    return None if made is None else made["id"]


async def refuse(house, record, stop):
    async with house.client(POLICE, WHY) as police, house.client(HOLDER, WHY, person=True) as officer:
        while not stop.is_set():
            request = await take_step(record, police, POLICE, "disclosure-requests", asked())
            if request is not None:
                path = f"disclosure-requests/{request['id']}/decision"
                await take_step(record, officer, HOLDER, path, REFUSED)


async def post_surveys(house, record, stop):
    async with house.client("skarholmen-trygghet") as client:
        while not stop.is_set():
            key = f'"{uuid.uuid4()}"'
            record.surveys[key] = {
                "scene": house.scene, "period": "2025", "comment": f"Svar {key[1:-1]}", "interventions": GIVEN,
            }  # fmt: skip
            answer = await client.post(
                "intervention-surveys", json=record.surveys[key], headers={"Idempotency-Key": key}
            )
            if answer.status_code == 201:
                record.survey_answers[key] = answer.content
            else:
                await record.note(answer)


def rows(name):
    given = {"occurredAt": "2026-10-01T07:40:00+02:00", "stopId": STOP, "category": "disorder", "mode": "metro",
             "line": "13", "severity": 2, "revision": 1}  # fmt: skip
    return "\n".join(json.dumps(given | {"incidentId": f"{name}-{number}"}) for number in range(BATCH_ROWS)).encode()


async def send_batches(house, record, stop, *, own_id):
    sent = {"Content-Type": "application/x-ndjson"}
    async with house.client("trafikforvaltningen") as client:
        while not stop.is_set():
            name = uuid.uuid4().hex
            if own_id:
                record.batches[name] = rows(name)
                answer = await client.put(f"incident-batches/{name}", content=record.batches[name], headers=sent)
            else:
                answer = await client.post("incident-batches", content=rows(name), headers=sent)
            if answer.status_code != 201:
                await record.note(answer)
            elif own_id:
                record.batch_answers.add(name)
            else:
                record.posted[answer.json()["id"]] = answer.json()["accepted"]


async def read_protected(house, record, stop, agency, purpose, path, status):
    async with house.client(agency, {"Purpose": purpose}) as client:
        while not stop.is_set():
            answer = await client.get(path)
            if answer.status_code == status:
                body = answer.json()
                record.receipts.append(body["receipt"] if status == 403 else receipt_in(body))
            else:
                await record.note(answer)


async def read_checkpoints(house, record, stop):
    """Whoever keeps a checkpoint must be able to find the log again that was signed, whatever it went through."""
    async with house.client("kriminalvarden") as client:
        while not stop.is_set():
            answer = await client.get("ledger/checkpoint")
            if answer.status_code == 200:
                record.keep(answer.text)
            else:
                await record.note(answer)


async def watch(house, record, stop):
    """An agency that cosigns: it says so where the log is not the one that it has seen before."""

    def cosign():
        with house.witness() as witness:
            return witness.cosign()

    while not stop.is_set():
        try:
            await asyncio.to_thread(cosign)
        except NotGrownError as error:
            record.unexpected.append(str(error))
        except WitnessError as error:
            status = re.search(r": (\d{3}) ", str(error))
            if status is not None and status[1] != "503":
                record.unexpected.append(str(error))
            await asyncio.sleep(_PAUSE_S)
        else:
            record.cosigned += 1


async def load_until_killed(house, record, kill, seconds, *, warm):
    """Write, decide and read from many sides, and kill after so many seconds.

    `warm`: counted from when everybody has had an answer.
    """
    stop = asyncio.Event()
    mapping = f"mappings/{house.mapping}"
    oracle = f"scenes/{house.scene}/mappings?policeWork=synlig"
    workers = [
        *(post_surveys(house, record, stop) for _ in range(2)),
        *(send_batches(house, record, stop, own_id=own_id) for own_id in (True, False)),
        read_checkpoints(house, record, stop),
        watch(house, record, stop),
        read_protected(house, record, stop, POLICE, "prevent-crime", mapping, 200),
        read_protected(house, record, stop, CARE, "care-and-support", mapping, 200),
        read_protected(house, record, stop, CARE, "care-and-support", oracle, 403),
        *(disclose(house, record, stop, on_request) for _ in range(2)),
        disclose(house, record, stop, on_own_initiative),
        refuse(house, record, stop),
    ]

    async def until_gone(worker):
        with contextlib.suppress(httpx.TransportError):
            await worker

    running = [asyncio.create_task(until_gone(worker)) for worker in workers]
    async with asyncio.timeout(3 * PATIENCE_S):
        while warm and not record.warm:
            assert not record.unexpected, record.unexpected[:3]
            await asyncio.sleep(0.01)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(kill)
    # Where only the database died the service goes on and must refuse; it is given a moment to show it.
    await asyncio.sleep(0.3)
    stop.set()
    await asyncio.gather(*running)
