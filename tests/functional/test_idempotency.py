"""The same request once: one row, the same answer again, and nothing in the record that a later law would withhold."""

import asyncio
import json
import uuid
from datetime import timedelta

import asyncpg
import pytest

from api.store.idempotency import KeyOwner, forget_old
from api.web import idempotency
from tests.support import App, moment, open_app

pytestmark = pytest.mark.asyncio(loop_scope="session")

AGENCY = "skarholmen-trygghet"
MAPPING = {
    "mappedOn": "2025-10-05",
    "physicalPlace": "Torg.",
    "use": "Genomgång.",
    "policeWork": "Spaning från takvåningen (fiktivt)",
}
PERSON = {"role": "present", "name": "Påhittad Person (fiktiv)", "observedOn": "2025-10-02", "basis": "fact"}
WHY = {"Purpose": "prevent-crime"}


def new_key() -> str:
    return str(uuid.uuid4())


def quoted(key: str) -> dict[str, str]:
    return {"Idempotency-Key": f'"{key}"'}


async def survey_for(app: App) -> dict:
    scene = await app.new_scene()
    given = {"intervention": "mumin", "status": "ongoing", "startedOn": "2025-01-01"}
    return {"scene": scene["id"], "period": "2025", "interventions": [given]}


async def post(app: App, body, key: str, *, agency: str = AGENCY, path: str = "intervention-surveys", **headers: str):
    return await app.client(agency, headers=headers).post(path, json=body, headers=quoted(key))


async def stored(app: App, table: str = "surveys") -> int:
    return (await app.rows(f"SELECT count(*) AS n FROM {table}"))[0]["n"]


async def kept(app: App, key: str) -> list[dict]:
    return await app.rows("SELECT * FROM idempotent_answers WHERE key = $1", key)


async def test_same_request_is_answered_again_and_stored_once(app: App):
    body, key, before = await survey_for(app), new_key(), await stored(app)
    first, second, third = [await post(app, body, key) for _ in range(3)]
    assert first.status_code == 201, first.text
    assert "idempotency-replayed" not in first.headers
    for again in (second, third):
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotency-replayed"] == "true"
        for name in ("location", "content-type", "cache-control", "vary"):
            assert again.headers[name] == first.headers[name]
    assert await stored(app) == before + 1
    assert (await app.client("polismyndigheten").get(first.headers["location"])).status_code == 200


async def test_answer_stays_the_first_one_on_a_later_day(fresh_app: App):
    app = fresh_app
    app.clock.at = moment("2026-10-20T10:00:00Z")
    body, key = await survey_for(app), new_key()
    first = await post(app, body, key)
    app.clock.at += timedelta(days=6, hours=23)
    again = await post(app, body, key)
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"


async def test_spaces_and_order_of_members_make_no_other_request(app: App):
    body, key = await survey_for(app), new_key()
    first = await post(app, body, key)
    other_spelling = json.dumps(dict(reversed(body.items())), indent=4)
    headers = quoted(key) | {"Content-Type": "application/json"}
    again = await app.client(AGENCY).post("intervention-surveys", content=other_spelling, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"


async def test_same_key_with_another_body_is_refused_and_stores_nothing(app: App):
    body, key = await survey_for(app), new_key()
    first = await post(app, body, key)
    before = await stored(app)
    answer = await post(app, body | {"comment": "ändrad"}, key)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:samsyn:problem:key-reused"
    assert answer.json()["errors"][0]["where"] == "header.idempotency-key"
    assert await stored(app) == before
    assert (await post(app, body, key)).content == first.content


async def test_same_key_on_another_path_is_refused(app: App):
    body, key = await survey_for(app), new_key()
    await post(app, body, key)
    answer = await post(app, MAPPING, key, path=f"scenes/{body['scene']}/mappings")
    assert answer.status_code == 422
    assert await app.rows("SELECT 1 FROM mappings WHERE scene_id = $1", uuid.UUID(body["scene"])) == []


async def test_equal_keys_of_two_agencies_are_two_keys(app: App):
    body, key = await survey_for(app), new_key()
    one = await post(app, body, key)
    other = await post(app, body, key, agency="skarholmen-socialtjanst")
    assert (one.status_code, other.status_code) == (201, 201)
    assert one.json()["id"] != other.json()["id"]
    assert other.json()["agency"] == "skarholmen-socialtjanst"
    assert "idempotency-replayed" not in other.headers


@pytest.mark.parametrize(
    "wrong", [{"scene": str(uuid.uuid4())}, {"period": "2099"}, {"period": "soon"}, {"colour": "red"}]
)
async def test_refused_request_may_be_corrected_under_its_key(app: App, wrong):
    body, key = await survey_for(app), new_key()
    refused = await post(app, body | wrong, key)
    assert refused.status_code in {409, 422}
    assert await kept(app, key) == []
    assert (await post(app, body, key)).status_code == 201


async def test_replay_needs_the_right_to_write(app: App):
    body, key = await survey_for(app), new_key()
    await post(app, body, key)
    client = app.client(AGENCY, scopes=["read"])
    assert (await client.post("intervention-surveys", json=body, headers=quoted(key))).status_code == 403


async def test_key_whose_request_still_runs_is_told_to_wait(app: App):
    body, key, before = await survey_for(app), new_key(), await stored(app)
    running = await asyncpg.connect(app.url)
    try:
        async with running.transaction():
            owner = KeyOwner(AGENCY, f"{AGENCY}-development", key)
            await running.execute("SELECT pg_advisory_xact_lock($1)", owner.lock())
            answer = await post(app, body, key)
            assert answer.status_code == 409
            assert answer.json()["type"] == "urn:samsyn:problem:still-running"
            assert int(answer.headers["retry-after"]) >= 1
            assert (await post(app, body, new_key())).status_code == 201
    finally:
        await running.close()
    assert await stored(app) == before + 1
    assert (await post(app, body, key)).status_code == 201


async def test_writers_at_once_store_exactly_one_row_over_two_instances(app: App):
    # Instances share the keys that lie outside the database.
    async with open_app(app.url, app.services.settings.data_dir) as other:
        for _ in range(5):
            body, key, before = await survey_for(app), new_key(), await stored(app)
            clients = [instance.client(AGENCY) for instance in (app, other) for _ in range(4)]
            answers = await asyncio.gather(
                *(client.post("intervention-surveys", json=body, headers=quoted(key)) for client in clients)
            )
            assert {answer.status_code for answer in answers} <= {201, 409}, [answer.text for answer in answers]
            made = [answer for answer in answers if answer.status_code == 201]
            assert len({answer.content for answer in made}) == 1
            assert sum("idempotency-replayed" not in answer.headers for answer in made) == 1
            assert await stored(app) == before + 1
            late = await post(other, body, key)
            assert (late.status_code, late.content) == (201, made[0].content)


async def test_write_whose_record_fails_is_undone(app: App, monkeypatch):
    body, key, before = await survey_for(app), new_key(), await stored(app)

    async def failing(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "keep_answer", failing)
        assert (await post(app, body, key)).status_code == 500
    assert await stored(app) == before
    assert await kept(app, key) == []
    assert (await post(app, body, key)).status_code == 201


async def test_crash_between_commit_and_answer_is_made_good_by_the_retry(app: App, monkeypatch):
    body, key, before = await survey_for(app), new_key(), await stored(app)

    async def crash(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("api.interventions.endpoints.created", crash)
        assert (await post(app, body, key)).status_code == 500
    assert await stored(app) == before + 1
    again = await post(app, body, key)
    assert again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    read = (await app.client(AGENCY).get(again.headers["location"])).json()
    assert {name: read[name] for name in again.json()} == again.json()
    assert await stored(app) == before + 1


async def test_key_is_forgotten_after_seven_days(fresh_app: App):
    app = fresh_app
    app.clock.at = moment("2026-10-20T10:00:00Z")
    body, key, old = await survey_for(app), new_key(), new_key()
    first = await post(app, body, key)
    await post(app, body, old)
    app.clock.at += timedelta(days=7, seconds=1)
    again = await post(app, body, key)
    assert again.status_code == 201
    assert "idempotency-replayed" not in again.headers
    assert again.json()["id"] != first.json()["id"]
    assert await kept(app, old) == []
    assert len(await kept(app, key)) == 1
    assert (await post(app, body, key)).content == again.content


async def test_forgetting_takes_the_oldest_and_no_more_than_asked(fresh_app: App):
    app = fresh_app
    start = moment("2026-10-20T10:00:00Z")
    body, keys = await survey_for(app), [new_key() for _ in range(4)]
    for nth, key in enumerate(keys):
        app.clock.at = start + timedelta(hours=nth)
        assert (await post(app, body, key)).status_code == 201
    async with app.database.transaction() as connection:
        assert await forget_old(connection, before=start + timedelta(hours=3), at_most=2) == 2
    assert [len(await kept(app, key)) for key in keys] == [0, 0, 1, 1]
    async with app.database.transaction() as connection:
        assert await forget_old(connection, before=start + timedelta(hours=3)) == 1
    assert [len(await kept(app, key)) for key in keys] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    "header", [{}, {"Idempotency-Key": "bare"}, {"Idempotency-Key": '""'}, {"Idempotency-Key": '"å"'.encode()}]
)
async def test_survey_without_a_readable_key_is_refused(app: App, header):
    body, before = await survey_for(app), await stored(app)
    answer = await app.client(AGENCY).post("intervention-surveys", json=body, headers=header)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["where"] == "header.idempotency-key"
    assert await stored(app) == before


async def test_mapping_takes_a_key_and_needs_none(app: App):
    scene = await app.new_scene()
    path, key, client = f"scenes/{scene['id']}/mappings", new_key(), app.client(AGENCY)
    first, again = [await post(app, MAPPING, key, path=path) for _ in range(2)]
    assert (first.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert (await client.post(path, json=MAPPING)).json()["id"] != first.json()["id"]
    assert (await client.post(path, json=MAPPING, headers={"Idempotency-Key": "bare"})).status_code == 400
    assert (await client.get(path)).json()["_meta"]["totalRecords"] == 2


async def test_protected_answer_is_not_kept_but_decided_anew_for_each_replay(app: App):
    scene = await app.new_scene()
    path, key = f"scenes/{scene['id']}/mappings", new_key()
    police = {"agency": "polismyndigheten", "path": path}
    first = await post(app, MAPPING, key, **police, **WHY)
    assert first.json()["policeWork"] == MAPPING["policeWork"]
    assert (await kept(app, key))[0]["body"] == b""
    again = await post(app, MAPPING, key, **police, **WHY)
    assert again.json()["policeWork"] == MAPPING["policeWork"]
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["cache-control"] == "private, no-store"
    receipts = [answer.json()["_meta"]["disclosure"]["receipt"] for answer in (first, again)]
    assert len(set(receipts)) == 2
    leaves = await app.rows("SELECT receipt FROM ledger_leaves")
    assert {str(leaf["receipt"]) for leaf in leaves} >= set(receipts)
    without = await post(app, MAPPING, key, **police)
    assert (without.status_code, without.json()["id"]) == (201, first.json()["id"])
    assert "policeWork" not in without.json()
    assert "takvåningen" not in without.text


async def test_individual_is_recorded_once_and_nothing_about_the_person_is_kept(app: App):
    scene = await app.new_scene()
    mapping = (await app.client(AGENCY).post(f"scenes/{scene['id']}/mappings", json=MAPPING)).json()["id"]
    path, key, before = f"mappings/{mapping}/individuals", new_key(), await stored(app, "individuals")
    holder = {"agency": "skarholmen-socialtjanst", "path": path}
    first, again = [await post(app, PERSON, key, **holder) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["location"]) == (first.content, first.headers["location"])
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["cache-control"] == "private, no-store"
    assert await stored(app, "individuals") == before + 1
    record = (await kept(app, key))[0]
    assert record["body"] == b""
    assert record["location"] == first.headers["location"]
    assert (await post(app, PERSON | {"name": "En annan"}, key, **holder)).status_code == 422
