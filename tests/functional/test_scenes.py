"""Scenes over REST: written by those who may, read by all who work with a scene, near schools by metres."""

import copy

import pytest

from tests.support import SCENE, App

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_every_agency_reads_scenes_with_the_ground_of_each_field(app: App):
    scene = await app.new_scene()
    for agency in ("region-stockholm-vard", "centrumagaren", "trafikforvaltningen"):
        answer = await app.client(agency).get(f"scenes/{scene['id']}")
        assert answer.status_code == 200
        body = answer.json()
        released = {entry["field"] for entry in body["_meta"]["disclosure"]["released"]}
        assert released == set(body) - {"_meta", "_links"}
        assert "receipt" not in body["_meta"]["disclosure"]
        assert answer.headers["cache-control"] == "private, no-cache"


async def test_schools_count_by_metres_from_the_outline(app: App):
    scene = await app.new_scene()
    assert scene["schoolsWithin500m"] == 1
    assert scene["particularlyExposedForYouth"] is True
    client = app.client("polismyndigheten")
    near = (await client.get(f"scenes/{scene['id']}/schools?within=500")).json()["items"]
    assert [school["id"] for school in near] == ["school-near"]
    distance = near[0]["distance"]
    assert 0 < distance < 500
    closer = await client.get(f"scenes/{scene['id']}/schools?within={int(distance)}")
    assert closer.json()["items"] == []


async def test_near_school_filter_splits_all_scenes(app: App):
    await app.new_scene()
    far = copy.deepcopy(SCENE["outline"])
    far["coordinates"][0] = [[lon - 0.05, lat] for lon, lat in far["coordinates"][0]]
    await app.new_scene(outline=far)
    client = app.client("polismyndigheten")
    everything = (await client.get("scenes?limit=100")).json()["_meta"]["totalRecords"]
    near = (await client.get("scenes?nearSchool=true")).json()["_meta"]["totalRecords"]
    away = (await client.get("scenes?nearSchool=false")).json()["_meta"]["totalRecords"]
    assert near + away == everything
    assert near
    assert away


@pytest.mark.parametrize("agency", ["trafikforvaltningen", "skarholmen-socialtjanst", "centrumagaren"])
async def test_only_police_and_municipal_safety_write_scenes(app: App, agency: str):
    answer = await app.client(agency).post("scenes", json=SCENE)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


async def test_scope_is_needed_to_write(app: App):
    answer = await app.client("polismyndigheten", scopes=["read"]).post("scenes", json=SCENE)
    assert answer.status_code == 403


def _with(**changes):
    return SCENE | changes


def _outline(*positions):
    return {"type": "Polygon", "coordinates": [[list(position) for position in positions]]}


SWAPPED = _outline((59.2942, 17.932), (59.2942, 17.9345), (59.2955, 17.9345), (59.2942, 17.932))
BOW_TIE = _outline((17.93, 59.29), (17.94, 59.30), (17.94, 59.29), (17.93, 59.30), (17.93, 59.29))
NORWAY = _outline((5.3, 60.39), (5.31, 60.39), (5.31, 60.4), (5.3, 60.39))


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        (_with(municipality="0199"), 409, "body.municipality"),
        (_with(district="Atlantis"), 409, "body.district"),
        (_with(outline=SWAPPED), 409, "body.outline"),
        (_with(outline=BOW_TIE), 409, "body.outline"),
        (_with(outline=NORWAY), 409, "body.outline"),
        (_with(outline="POLYGON((0 0))"), 422, "body.outline"),
        (_with(appearedOn="2099-01-01"), 409, "body.appearedOn"),
        (_with(appearedOn=0), 422, "body.appearedOn"),
        (_with(appearedOn="0"), 422, "body.appearedOn"),
        (_with(status="closed"), 409, "body.status"),
        (_with(status="closed", closedOn="2021-01-01"), 409, "body.closedOn"),
        (_with(colour="red"), 422, "body.colour"),
        (_with(environment=["moon"]), 422, "body.environment[0]"),
        ({key: value for key, value in SCENE.items() if key != "name"}, 422, "body.name"),
    ],
)
async def test_bad_scene_is_refused_with_its_place_and_nothing_is_stored(app: App, body, status, where):
    before = await app.rows("SELECT count(*) AS n FROM scenes")
    answer = await app.client("polismyndigheten").post("scenes", json=body)
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert problem["status"] == status
    assert any(fault["where"].startswith(where) for fault in problem["errors"]), problem
    assert await app.rows("SELECT count(*) AS n FROM scenes") == before


async def test_change_needs_the_tag_of_the_state_last_read(app: App):
    scene = await app.new_scene()
    client = app.client("polismyndigheten")
    path = f"scenes/{scene['id']}"
    assert (await client.patch(path, json={"saraStage": "analysis"})).status_code == 428
    tag = (await client.get(path)).headers["etag"]
    changed = await client.patch(path, json={"saraStage": "analysis"}, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert changed.json()["saraStage"] == "analysis"
    stale = await client.patch(path, json={"saraStage": "response"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    assert (await client.get(path, headers={"If-None-Match": changed.headers["etag"]})).status_code == 304


async def test_outline_keeps_its_history(app: App):
    scene = await app.new_scene()
    client = app.client("polismyndigheten")
    path = f"scenes/{scene['id']}"
    smaller = _outline((17.932, 59.2942), (17.933, 59.2942), (17.933, 59.295), (17.932, 59.2942))
    tag = (await client.get(path)).headers["etag"]
    assert (await client.patch(path, json={"outline": smaller}, headers={"If-Match": tag})).status_code == 200
    now = (await client.get(path)).json()["outline"]
    then = (await client.get(f"{path}?asOf=2023-01-01")).json()["outline"]
    assert now != then
    assert then == scene["outline"]


async def test_scene_is_not_there_before_it_appeared(app: App):
    scene = await app.new_scene()
    answer = await app.client("polismyndigheten").get(f"scenes/{scene['id']}?asOf=2022-04-30")
    assert answer.status_code == 404


async def test_page_outside_the_range_is_empty_and_counts(app: App):
    await app.new_scene()
    answer = await app.client("polismyndigheten").get("scenes?page=9999")
    assert answer.status_code == 200
    body = answer.json()
    assert body["items"] == []
    assert body["_meta"]["totalRecords"] >= 1
    assert body["_meta"]["count"] == 0


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("page=0", 422), ("limit=10000", 422), ("limit=0", 422), ("colour=red", 400), ("sort=secret", 422),
        ("nearSchool=maybe", 422), ("bbox=1,2,3", 422), ("bbox=20,59,17,60", 409), ("municipality=%ff", 400),
        ("district=%00", 400), ("page=1&page=2", 400), ("asOf=0", 422),
    ],
)  # fmt: skip
async def test_bad_query_is_refused_with_its_place(app: App, query: str, status: int):
    answer = await app.client("polismyndigheten").get(f"scenes?{query}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["what"]
