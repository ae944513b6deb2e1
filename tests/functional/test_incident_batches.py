"""The incident feed end to end: what is counted, what is refused, what two senders at once may do to each other."""

import asyncio
import csv
import io
import json
import random
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn

from api.app import utc_now
from api.incidents.schemas import MAX_ERRORS
from tests.support import STOP, UNLOCATED_STOP, App

pytestmark = pytest.mark.asyncio(loop_scope="session")

SENDER = "trafikforvaltningen"
COUNTS = ("received", "accepted", "updated", "unchanged", "rejected", "unlocated")
_BASE = {
    "incidentId": "A-1",
    "occurredAt": "2026-10-01T07:40:00+02:00",
    "stopId": STOP,
    "category": "disorder",
    "mode": "metro",
    "line": "13",
    "severity": 2,
    "revision": 1,
}


def row(incident: str = "A-1", **changes: Any) -> dict[str, Any]:
    return _BASE | {"incidentId": incident} | changes


def as_csv(rows: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, [*_BASE, "withdrawn"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows({k: str(v).lower() if isinstance(v, bool) else v for k, v in r.items()} for r in rows)
    return out.getvalue().encode()


def as_ndjson(rows: list[Any]) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in rows)


def counts(answer: Any) -> dict[str, int]:
    body = answer.json()
    found = {name: body[name] for name in COUNTS}
    assert found["received"] == found["accepted"] + found["updated"] + found["unchanged"] + found["rejected"]
    return {name: count for name, count in found.items() if count}


async def send(app: App, body: Any, media_type: str = "application/json", agency: str = SENDER) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await app.client(agency).post("incident-batches", content=content, headers={"content-type": media_type})


async def put(app: App, batch: str, body: Any, media_type: str = "application/json") -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = f"incident-batches/{batch}"
    return await app.client(SENDER).put(path, content=content, headers={"content-type": media_type})


async def stored(app: App) -> tuple[int, int]:
    found = await app.rows(
        "SELECT (SELECT count(*) FROM incidents) AS incidents, (SELECT count(*) FROM incident_batches) AS batches"
    )
    return found[0]["incidents"], found[0]["batches"]


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def empty(app: App):
    app.clock.at = None
    await app.execute("TRUNCATE incidents, incident_batches")


@pytest_asyncio.fixture(loop_scope="session")
async def port(app: App):
    """The app behind a real socket, for what only a connection can do."""
    served = uvicorn.Server(uvicorn.Config(app.app, port=0, lifespan="off", log_level="critical"))
    running = asyncio.create_task(served.serve())
    while not served.started:  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.01)
    yield served.servers[0].sockets[0].getsockname()[1]
    served.should_exit = True
    await running


async def test_three_formats_give_the_same_answer(app: App):
    rows = [
        row("A-1"),
        row("A-2", line=None),
        row("A-3", stopId=UNLOCATED_STOP, withdrawn=True),
        row("A-4", severity=9),
    ]
    forms = {
        "application/json": json.dumps(rows).encode(),
        "application/x-ndjson": as_ndjson(rows),
        "text/csv": as_csv(rows),
        "text/csv; charset=utf-8": b"\xef\xbb\xbf" + as_csv(rows, ";"),
        "application/json; charset=UTF-8": json.dumps({"incidents": rows}).encode(),
    }
    held = []
    for media_type, body in forms.items():
        await app.execute("TRUNCATE incidents")
        answer = await send(app, body, media_type)
        assert answer.status_code == 201, answer.text
        assert counts(answer) == {"received": 4, "accepted": 3, "rejected": 1, "unlocated": 1}, media_type
        assert [(one["row"], one["field"]) for one in answer.json()["errors"]] == [(4, "severity")]
        kept = await app.rows("SELECT * FROM incidents ORDER BY incident_id")
        held.append([{name: value for name, value in one.items() if name != "batch_id"} for one in kept])
    assert all(one == held[0] for one in held)
    assert held[0][1]["line"] is None
    assert [one["withdrawn"] for one in held[0]] == [False, False, True]


async def test_answer_has_location_and_reads_the_same_again(app: App):
    answer = await send(app, [row()])
    body = answer.json()
    assert answer.headers["location"] == f"http://test/samsyn/v1/incident-batches/{body['id']}"
    assert body["status"] == "completed"
    assert body["completedAt"].endswith(("Z", "+00:00"))
    again = await app.client(SENDER).get(f"incident-batches/{body['id']}")
    assert again.status_code == 200
    assert {k: v for k, v in again.json().items() if k[0] != "_"} == {k: v for k, v in body.items() if k[0] != "_"}


async def test_resent_rows_are_recognised(app: App):
    rows = [row("A-1"), row("A-2", stopId=UNLOCATED_STOP)]
    await send(app, rows)
    assert counts(await send(app, rows)) == {"received": 2, "unchanged": 2, "unlocated": 1}
    same_instant = row("A-1", occurredAt="2026-10-01T05:40:00Z")
    assert counts(await send(app, [same_instant])) == {"received": 1, "unchanged": 1}


async def test_higher_revision_replaces_and_lower_is_superseded(app: App):
    await send(app, [row(revision=5, severity=1)])
    assert counts(await send(app, [row(revision=6, severity=4)])) == {"received": 1, "updated": 1}
    assert counts(await send(app, [row(revision=2, severity=3)])) == {"received": 1, "unchanged": 1}
    assert (await app.rows("SELECT revision, severity FROM incidents")) == [{"revision": 6, "severity": 4}]


async def test_same_revision_with_other_content_is_rejected(app: App):
    await send(app, [row(line=None)])
    for changes in ({"severity": 3}, {"withdrawn": True}, {"line": "14"}, {"occurredAt": "2026-10-01T07:40:01+02:00"}):
        answer = await send(app, [row(**{"line": None} | changes)])
        assert counts(answer) == {"received": 1, "rejected": 1}
        (error,) = answer.json()["errors"]
        assert (error["row"], error["field"]) == (1, "revision")
        assert "same revision with other content" in error["reason"]
    assert counts(await send(app, [row(line=None)])) == {"received": 1, "unchanged": 1}


async def test_one_incident_many_times_in_a_batch_is_applied_in_order_of_revision(app: App):
    rows = [
        row(revision=3, severity=3),
        row(revision=1, severity=1),
        row(revision=3, severity=3),
        row(revision=3, severity=4),
        row(revision=2, stopId="9091001000000000"),
        row("B", revision=7, category="nonsense"),
        row(revision=2, severity=2),
    ]
    answer = await send(app, rows)
    assert counts(answer) == {"received": 7, "accepted": 1, "updated": 2, "unchanged": 1, "rejected": 3}
    assert [(e["row"], e["field"]) for e in answer.json()["errors"]] == [
        (4, "revision"),
        (5, "stopId"),
        (6, "category"),
    ]
    assert (await app.rows("SELECT revision, severity FROM incidents")) == [{"revision": 3, "severity": 3}]


async def test_any_split_of_rows_into_batches_leaves_the_same_incidents(app: App):
    seed = random.SystemRandom().randrange(10**9)
    print("seed", seed)
    chance = random.Random(seed)
    rows = [
        row(f"I-{i}", revision=r, severity=(i + r) % 4 + 1, withdrawn=r == 4) for i in range(6) for r in range(1, 5)
    ]
    for _ in range(5):
        await app.execute("TRUNCATE incidents, incident_batches")
        chance.shuffle(rows)
        left = list(rows) + chance.sample(rows, 8)
        total: dict[str, int] = {}
        while left:
            size = chance.randint(1, len(left))
            for name, count in counts(await send(app, left[:size])).items():
                total[name] = total.get(name, 0) + count
            left = left[size:]
        assert total["received"] == 32
        assert total["accepted"] == 6
        assert "rejected" not in total
        kept = await app.rows("SELECT incident_id, revision, severity, withdrawn FROM incidents")
        expected = {(f"I-{i}", 4, (i + 4) % 4 + 1, True) for i in range(6)}
        assert {tuple(one.values()) for one in kept} == expected


async def test_unknown_stop_is_rejected_and_stop_without_position_is_kept(app: App):
    answer = await send(app, [row("A", stopId="9091001000001111"), row("B", stopId=UNLOCATED_STOP), row("C")])
    assert counts(answer) == {"received": 3, "accepted": 2, "rejected": 1, "unlocated": 1}
    assert [(e["row"], e["field"]) for e in answer.json()["errors"]] == [(1, "stopId")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"occurredAt": 0}, "occurredAt"),
        ({"occurredAt": "0"}, "occurredAt"),
        ({"occurredAt": "2026-10-01"}, "occurredAt"),
        ({"occurredAt": "2026-10-01T07:40:00"}, "occurredAt"),
        ({"occurredAt": "2026-10-01T7:40:00Z"}, "occurredAt"),
        ({"occurredAt": "2026-02-30T07:40:00Z"}, "occurredAt"),
        ({"stopId": 9091001000009289}, "stopId"),
        ({"stopId": 9.09e15}, "stopId"),
        ({"stopId": "9,09E+15"}, "stopId"),
        ({"stopId": "909100100000928"}, "stopId"),
        ({"stopId": "٩٠٩١٠٠١٠٠٠٠٠٩٢٨٩"}, "stopId"),
        ({"severity": "2"}, "severity"),
        ({"severity": 2.5}, "severity"),
        ({"severity": True}, "severity"),
        ({"severity": 0}, "severity"),
        ({"severity": 5}, "severity"),
        ({"revision": -1}, "revision"),
        ({"revision": 2**31}, "revision"),
        ({"revision": 10**30}, "revision"),
        ({"category": "Disorder"}, "category"),
        ({"mode": "ferry"}, "mode"),
        ({"mode": None}, "mode"),
        ({"line": 13}, "line"),
        ({"line": "1\x003"}, "line"),
        ({"line": "\ud800"}, "line"),
        ({"incidentId": ""}, "incidentId"),
        ({"incidentId": "x" * 101}, "incidentId"),
        ({"incidentId": 7}, "incidentId"),
        ({"withdrawn": "yes"}, "withdrawn"),
        ({"withdrawn": None}, "withdrawn"),
        ({"withdrawn": 1}, "withdrawn"),
        ({"severity": float("nan")}, "severity"),
        ({"nickname": "x"}, "nickname"),
        ({"Severity": 2}, "Severity"),
        ({"line": {"a": [1]}}, "line"),
    ],
)
async def test_bad_row_is_rejected_alone_with_its_field(app: App, changes: dict[str, Any], field: str):
    bad = row("BAD") | changes
    for media_type, body in (
        ("application/json", json.dumps([row("A"), bad, row("B")]).encode()),
        ("application/x-ndjson", as_ndjson([row("A"), bad, row("B")])),
    ):
        await app.execute("TRUNCATE incidents")
        answer = await send(app, body, media_type)
        assert answer.status_code == 201, answer.text
        assert counts(answer) == {"received": 3, "accepted": 2, "rejected": 1}
        (error,) = answer.json()["errors"]
        assert (error["row"], error["field"]) == (2, field)
        assert len(error["reason"]) > 5


@pytest.mark.parametrize(
    "bad",
    ["17", "null", "[]", '"x"', "{}", '{"severity": 1e400}', '{"severity":1,"severity":1}', "[" * 500 + "]" * 500],
)
async def test_item_that_is_no_row_is_rejected_alone(app: App, bad: str):
    good = json.dumps(row())
    answer = await send(app, f"[{bad},{good}]".encode())
    assert counts(answer) == {"received": 2, "accepted": 1, "rejected": 1}
    assert answer.json()["errors"][0]["row"] == 1


async def test_line_that_is_not_json_is_rejected_alone(app: App):
    good = json.dumps(row()).encode()
    lines = b'{"incidentId": "A"\r\n' + b"[" * 100_000 + b"\n\n" + good + b"\r\n\n" + b"x" * 2_000_000 + b"\n" + good
    answer = await send(app, lines, "application/x-ndjson")
    assert counts(answer) == {"received": 5, "accepted": 1, "unchanged": 1, "rejected": 3}
    assert [(e["row"], e["field"]) for e in answer.json()["errors"]] == [(1, None), (2, None), (4, None)]


async def test_future_is_told_by_the_clock(app: App):
    now = utc_now().replace(microsecond=0)
    rows = [row("A", occurredAt=now.isoformat()), row("B", occurredAt=(now + timedelta(seconds=1)).isoformat())]
    app.clock.at = now
    answer = await send(app, rows)
    assert counts(answer) == {"received": 2, "accepted": 1, "rejected": 1}
    assert answer.json()["errors"][0]["field"] == "occurredAt"
    assert "future" in answer.json()["errors"][0]["reason"]


async def test_csv_row_faults_are_rejected_alone(app: App):
    head = "incidentId,occurredAt,stopId,category,mode,line,severity,revision,withdrawn\n"
    good = "2026-10-01T07:40:00Z,9091001000009289,disorder,metro,13"
    body = (
        f"A,{good},2,1,\n"
        f"B,{good},2\n"
        f'C,{good},"2,0",1,\n'
        f"D,{good},2,1,SANT\n"
        "E,2026-10-01T07:40:00Z,9.09E+15,disorder,metro,13,2,1,\n"
        f"F\x00,{good},2,1,\n"
        "G,0,9091001000009289,disorder,metro,13,2,1,\n"
        "\n"
        f"H,{good},2,1,true\n"
        ",,,,,,,,\n"
        f"I,{good},,1,\n"
        f'"J, ""quoted"" å",{good},2,0,false\n'
    )
    answer = await send(app, (head + body).encode(), "text/csv")
    assert counts(answer) == {"received": 11, "accepted": 3, "rejected": 8}
    faults = {e["row"]: e["field"] for e in answer.json()["errors"]}
    assert faults == {
        2: None,
        3: "severity",
        4: "withdrawn",
        5: "stopId",
        6: "incidentId",
        7: "occurredAt",
        9: "incidentId",
        10: "severity",
    }
    assert {one["incident_id"] for one in await app.rows("SELECT incident_id FROM incidents")} == {
        "A",
        "H",
        'J, "quoted" å',
    }


_HEAD = "incidentId,occurredAt,stopId,category,mode,line,severity,revision"
_LINE = "A,2026-10-01T07:40:00Z,9091001000009289,disorder,metro,13,2,1"
_GOOD = json.dumps(row())


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json", b""),
        ("application/json", b"tru"),
        ("application/json", f"[{_GOOD}".encode()),
        ("application/json", f"[{_GOOD},".encode()),
        ("application/json", f"[{_GOOD},]".encode()),
        ("application/json", f"[{_GOOD}] x".encode()),
        ("application/json", f"[{_GOOD} {_GOOD}]".encode()),
        ("application/json", f"[{_GOOD[:-5]}".encode()),
        ("application/json", f"[{_GOOD},{{'a': 1}}]".encode()),
        ("application/json", f"[{_GOOD},{{]}}]".encode()),
        ("application/json", f"[{_GOOD}]\x00".encode()),
        ("application/json", b"\xef\xbb\xbf" + f"[{_GOOD}]".encode()),
        ("application/json", f'{{"incidents":[{_GOOD}],"incidents":[]}}'.encode()),
        ("application/json", f'{{"incidents":[{_GOOD}]'.encode()),
        ("application/json", f'[{_GOOD},"{"x" * 2_000_000}"]'.encode()),
        ("application/json", f'[{_GOOD},"\xff"]'.encode("latin-1")),
        ("application/json", f"[{_GOOD}".encode() + b"\xc3"),
        ("application/x-ndjson", f"{_GOOD}\n".encode() + b'{"incidentId": "\xe5"}\n'),
        ("application/x-ndjson", b"\xef\xbb\xbf" + _GOOD.encode()),
        ("text/csv", b""),
        ("text/csv", f"{_LINE}\n".encode()),
        ("text/csv", f"{_HEAD.replace('severity', 'sev')}\n{_LINE}\n".encode()),
        ("text/csv", f"{_HEAD},nickname\n{_LINE},x\n".encode()),
        ("text/csv", f"{_HEAD},line\n{_LINE},x\n".encode()),
        ("text/csv", f"{_HEAD.replace(',severity', '')}\n{_LINE}\n".encode()),
        ("text/csv", f'{_HEAD}\n{_LINE}\n"A"x{_LINE[1:]}\n'.encode()),
        ("text/csv", f'{_HEAD}\n{_LINE}\n"A{_LINE[1:]}\n{_LINE}\n'.encode()),
        ("text/csv", f"{_HEAD}\n{_LINE}\nA\r{_LINE[1:]}\n".encode()),
        ("text/csv", f"{_HEAD}\n{_LINE}\n{'x' * 200_000}{_LINE}\n".encode()),
        ("text/csv", f"{_HEAD}\n{_LINE}\n{',' * 2_000_000}\n".encode()),
        ("text/csv", f"{_HEAD}\n{_LINE}\n".encode() + b'"\n",' * 500_000),
        ("text/csv", f"{_HEAD}\n{_LINE}\nÅ{_LINE}\n".encode("latin-1")),
    ],
)
async def test_unreadable_body_is_refused_whole(app: App, media_type: str, body: bytes):
    answer = await send(app, body, media_type)
    assert answer.status_code == 400, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.text) < 1500
    assert await stored(app) == (0, 0)


@pytest.mark.parametrize(
    "body", ["5", '"x"', "null", "true", "{}", '{"rows":[]}', '{"incidents":{}}', '{"incidents":[],"x":1}']
)
async def test_json_of_another_shape_is_refused_whole(app: App, body: str):
    answer = await send(app, body.encode())
    assert answer.status_code == 422, answer.text
    assert await stored(app) == (0, 0)


@pytest.mark.parametrize("media_type", ["application/xml", "text/plain", "application/json; charset=latin-1", "json"])
async def test_other_media_types_are_refused(app: App, media_type: str):
    answer = await send(app, [row()], media_type)
    assert answer.status_code == 415
    assert "text/csv" in answer.headers["accept-post"]
    missing = await app.client(SENDER).post("incident-batches", content=b"[]")
    assert missing.status_code == 415
    packed = await app.client(SENDER).post(
        "incident-batches", content=b"[]", headers={"content-type": "application/json", "content-encoding": "gzip"}
    )
    assert packed.status_code == 415


async def test_empty_batch_is_a_batch(app: App):
    for media_type, body in (("application/json", b" [ ] "), ("application/x-ndjson", b"\n")):
        assert counts(await send(app, body, media_type)) == {}
    assert counts(await send(app, f"{_HEAD}\n".encode(), "text/csv")) == {}


async def test_put_again_answers_the_first_result(app: App):
    first = await put(app, "2026-11-20", [row(), row("B", severity=7)])
    assert (first.status_code, counts(first)) == (201, {"received": 2, "accepted": 1, "rejected": 1})
    assert first.headers["location"].endswith("/incident-batches/2026-11-20")
    await send(app, [row(revision=2)])
    again = await put(app, "2026-11-20", [row(), row("B", severity=7)])
    assert again.status_code == 200
    assert counts(again) == {"received": 2, "accepted": 1, "rejected": 1}
    assert again.json()["completedAt"] == first.json()["completedAt"]
    other = await put(app, "2026-11-20", [row()])
    assert other.status_code == 409
    assert "new id" in other.text
    unreadable = await put(app, "2026-11-20", b"[")
    assert unreadable.status_code == 409


async def test_refused_body_leaves_its_id_free(app: App):
    assert (await put(app, "x", b"[")).status_code == 400
    assert (await put(app, "x", [row()])).status_code == 201


@pytest.mark.parametrize("batch", ["a b", "å", "x" * 101, ".hidden", "a%2Fb", "a:b"])
async def test_bad_batch_ids_are_refused(app: App, batch: str):
    answer = await put(app, batch, [row()])
    assert answer.status_code in {404, 422}
    assert await stored(app) == (0, 0)


async def test_batch_of_another_agency_is_as_unknown(app: App):
    await put(app, "mine", [row()])
    for agency in ("polismyndigheten", "skarholmen-trygghet", "centrumagaren"):
        client = app.client(agency)
        other, unknown = await client.get("incident-batches/mine"), await client.get("incident-batches/none")
        assert other.status_code == unknown.status_code == 404
        assert other.json()["detail"] == unknown.json()["detail"]
        page = (await client.get("incident-batches")).json()
        assert page["items"] == []
        assert page["_meta"]["totalRecords"] == 0


async def test_same_id_at_two_senders_is_two_batches(app: App):
    await app.execute("INSERT INTO agencies (slug, name, sector) VALUES ('annan-trafik', 'x', 'public-transport')")
    await asyncio.sleep(2.1)
    assert (await put(app, "same", [row(severity=1)])).status_code == 201
    headers = {"content-type": "application/json"}
    client = app.client("annan-trafik")
    other = await client.put("incident-batches/same", json=[row(severity=4)], headers=headers)
    assert (other.status_code, counts(other)) == (201, {"received": 1, "accepted": 1})
    assert (await stored(app))[0] == 2


async def test_list_has_own_batches_latest_first_without_errors(app: App):
    for day in range(1, 4):
        app.clock.at = utc_now() - timedelta(minutes=4 - day)
        await put(app, f"day-{day}", [row(revision=day, severity=9)])
    app.clock.at = None
    page = (await app.client(SENDER).get("incident-batches?limit=2")).json()
    assert [one["id"] for one in page["items"]] == ["day-3", "day-2"]
    assert page["_meta"]["totalRecords"] == 3
    assert all("errors" not in one for one in page["items"])


@pytest.mark.parametrize(
    ("agency", "claims", "status"),
    [
        ("polismyndigheten", {}, 403),
        ("centrumagaren", {}, 403),
        (SENDER, {"scopes": ["read"]}, 403),
        (None, {}, 401),
    ],
)
async def test_who_may_not_send_is_refused_before_the_body_is_read(app: App, agency: str, claims: Any, status: int):
    asked = False

    async def body():
        nonlocal asked
        asked = True
        yield b"["

    for method, path in (("POST", "incident-batches"), ("PUT", "incident-batches/x")):
        client = app.client(agency, **claims)
        answer = await client.request(method, path, content=body(), headers={"content-type": "text/csv"})
        assert answer.status_code == status
    assert not asked
    assert await stored(app) == (0, 0)


async def test_unknown_query_parameter_is_refused(app: App):
    answer = await app.client(SENDER).post("incident-batches?dryRun=true", json=[row()])
    assert answer.status_code == 400
    assert await stored(app) == (0, 0)


async def test_errors_are_capped_and_counts_exact(app: App):
    rows = [row(f"B-{i}", severity=9) if i % 2 else row(f"B-{i}", stopId="9091001000001111") for i in range(3000)]
    answer = await send(app, rows)
    assert counts(answer) == {"received": 3000, "rejected": 3000}
    assert [one["row"] for one in answer.json()["errors"]] == list(range(1, MAX_ERRORS + 1))


async def test_batch_larger_than_a_chunk_is_whole(app: App):
    rows = [row(f"C-{i}") for i in range(6001)]
    assert counts(await send(app, as_ndjson(rows), "application/x-ndjson")) == {"received": 6001, "accepted": 6001}
    broken = as_ndjson([row(f"D-{i}") for i in range(6001)]).replace(b"\n", b",")
    answer = await send(app, b"[" + broken + b",}]")
    assert answer.status_code == 400
    assert await stored(app) == (6001, 1)


async def test_writers_at_once_leave_the_highest_revision(app: App):
    async def one(revision: int, order: int) -> Any:
        rows = [row(f"W-{i}", revision=revision, severity=revision % 4 + 1) for i in range(300)]
        return await send(app, rows[::order])

    answers = await asyncio.gather(*(one(r, 1 if r % 2 else -1) for r in range(1, 9)))
    assert {answer.status_code for answer in answers} == {201}
    totals = [counts(answer) for answer in answers]
    assert sum(total.get("accepted", 0) for total in totals) == 300
    assert all("rejected" not in total for total in totals)
    assert await app.rows("SELECT DISTINCT revision, severity FROM incidents") == [{"revision": 8, "severity": 1}]


async def test_same_id_put_at_once_is_stored_once(app: App):
    answers = await asyncio.gather(*(put(app, "raced", [row()]) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert {json.dumps(counts(answer)) for answer in answers} == {json.dumps({"received": 1, "accepted": 1})}
    assert await stored(app) == (1, 1)


async def test_same_id_put_at_once_with_other_bodies_is_given_to_one(app: App):
    answers = await asyncio.gather(*(put(app, "raced", [row(f"R-{i}")]) for i in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert await stored(app) == (1, 1)


async def test_body_above_the_feed_limit_is_refused(app: App):
    async def endless():
        while True:
            yield b" " * 1_000_000

    limit = app.services.settings.feed_limit_bytes
    client = app.client(SENDER)
    headers = {"content-type": "application/json"}
    declared = await client.post(
        "incident-batches", content=b"[]", headers=headers | {"content-length": str(limit + 1)}
    )
    assert declared.status_code == 413
    streamed = await client.post("incident-batches", content=endless(), headers=headers)
    assert streamed.status_code == 413
    assert streamed.headers["content-type"] == "application/problem+json"
    assert await stored(app) == (0, 0)


async def test_client_that_goes_away_leaves_nothing(app: App, port: int):
    for media_type, framing in (
        ("application/x-ndjson", "Content-Length: 100000"),
        ("text/csv", "Content-Length: 100000"),
        ("application/x-ndjson", "Transfer-Encoding: chunked"),
    ):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        body = f"{_HEAD}\n{_LINE}\n".encode() if media_type == "text/csv" else f"{_GOOD}\n".encode()
        if "chunked" in framing:
            body = b"%x\r\n%b\r\n" % (len(body), body)
        head = (
            f"PUT /samsyn/v1/incident-batches/gone HTTP/1.1\r\nHost: x\r\nContent-Type: {media_type}\r\n"
            f"Authorization: Bearer {app.token(SENDER)}\r\n{framing}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        await asyncio.sleep(0.3)
        writer.close()
        await writer.wait_closed()
    await asyncio.sleep(0.5)
    assert await stored(app) == (0, 0)
    assert (await put(app, "gone", [row()])).status_code == 201
    # No transaction is left open behind the connections.
    idle = await app.rows("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")
    assert idle[0]["count"] == 0


async def test_other_requests_are_answered_while_a_batch_is_taken(app: App):
    rows = as_ndjson([row(f"S-{i}") for i in range(30_000)])
    batch = asyncio.create_task(send(app, rows, "application/x-ndjson"))
    client, slowest, loop = app.client(SENDER), 0.0, asyncio.get_running_loop()
    while not batch.done():
        before = loop.time()
        assert (await client.get("incident-batches")).status_code == 200
        slowest = max(slowest, loop.time() - before)
    assert counts(batch.result()) == {"received": 30_000, "accepted": 30_000}
    assert slowest < 2


async def test_more_rows_than_a_batch_may_have_are_refused(app: App, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("api.incidents.service.MAX_ROWS", 5000)
    answer = await send(app, b"1\n" * 5001, "application/x-ndjson")
    assert answer.status_code == 413
    assert await stored(app) == (0, 0)
    assert counts(await send(app, b"1\n" * 5000, "application/x-ndjson")) == {"received": 5000, "rejected": 5000}


async def test_sender_of_a_large_body_sees_why_it_is_refused(app: App, port: int):
    url = f"http://127.0.0.1:{port}/samsyn/v1/incident-batches"
    body = b"\xff" + b" " * 20_000_000
    async with httpx.AsyncClient() as client:
        for agency, status in (("polismyndigheten", 403), (SENDER, 400)):
            headers = {"authorization": f"Bearer {app.token(agency)}", "content-type": "text/csv"}
            answer = await client.post(url, content=body, headers=headers)
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"
