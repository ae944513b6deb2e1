"""The method catalogue and the intervention survey: posted once, read by all, refused where it contradicts itself."""

import copy
import uuid
from datetime import timedelta

import pytest

from api.interventions.catalogue import catalogue
from api.interventions.service import load_catalogue
from tests.support import App

pytestmark = pytest.mark.asyncio(loop_scope="session")

GIVEN = {
    "intervention": "increase-presence",
    "status": "ongoing",
    "startedOn": "2024-03-01",
    "times": 24,
    "partners": ["Nattvandrarna (fiktiv)"],
    "assessment": "Lugnare på torget.\nFärre klagomål.",
}


def key() -> dict[str, str]:
    return {"Idempotency-Key": f'"{uuid.uuid4()}"'}


def survey(scene_id: str, *given, **changes):
    return {"scene": scene_id, "period": "2025", "interventions": list(given)} | changes


def days_from_today(app: App, days: int) -> str:
    return (app.services.gate.today() + timedelta(days=days)).isoformat()


@pytest.fixture(scope="module")
def municipality(app: App):
    return app.client("skarholmen-trygghet")


async def test_catalogue_lists_every_method_of_the_folder_once(app: App):
    client = app.client("centrumagaren")
    listed = (await client.get("interventions?limit=100")).json()["items"]
    assert [item["slug"] for item in listed] == sorted(method["slug"] for method in catalogue())
    situational = (await client.get("interventions?type=situational")).json()
    social = (await client.get("interventions?type=social")).json()
    assert (situational["_meta"]["totalRecords"], social["_meta"]["totalRecords"]) == (15, 10)
    assert {item["type"] for item in social["items"]} == {"social"}


async def test_loading_the_catalogue_again_mends_rows_and_adds_none(app: App):
    before = await app.rows("SELECT * FROM interventions ORDER BY slug")
    await app.execute("UPDATE interventions SET name = 'fel' WHERE slug = 'mumin'")
    for _ in range(2):
        async with app.database.transaction() as connection:
            await load_catalogue(connection)
    assert await app.rows("SELECT * FROM interventions ORDER BY slug") == before


async def test_interventions_are_paged_and_sorted(app: App):
    client = app.client("polismyndigheten")
    names = [
        item["name"]
        for page in (1, 2, 3)
        for item in (await client.get(f"interventions?sort=-slug&limit=10&page={page}")).json()["items"]
    ]
    slugs = sorted(catalogue(), key=lambda method: method["slug"], reverse=True)
    assert names == [method["name"] for method in slugs]


@pytest.mark.parametrize("query", ["type=other", "type=", "sort=source", "sort=-secret"])
async def test_unknown_type_or_order_of_interventions_is_refused(app: App, query: str):
    assert (await app.client("polismyndigheten").get(f"interventions?{query}")).status_code == 422


async def test_survey_answer_is_read_as_it_was_posted(app: App, municipality):
    scene = await app.new_scene()
    planned = {"intervention": "mumin", "status": "planned", "startedOn": days_from_today(app, 90)}
    ended = {
        "intervention": "safety-inspections",
        "status": "ended",
        "startedOn": "2024-01-01",
        "endedOn": "2024-01-01",
    }
    posted = survey(scene["id"], planned, GIVEN, ended, comment="Två rader.\nDen andra.")
    answer = await municipality.post("intervention-surveys", json=posted, headers=key())
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert answer.headers["location"] == f"http://test/samsyn/v1/intervention-surveys/{body['id']}"
    assert body["_links"]["self"]["href"] == answer.headers["location"]
    empty = {"startedOn": None, "endedOn": None, "times": None, "partners": [], "assessment": None}
    assert body["interventions"] == [empty | given for given in (planned, GIVEN, ended)]
    assert (body["scene"], body["period"], body["comment"]) == (scene["id"], "2025", "Två rader.\nDen andra.")
    assert body["agency"] == "skarholmen-trygghet"
    read = await app.client("trafikforvaltningen").get(f"intervention-surveys/{body['id']}")
    assert {name: read.json()[name] for name in body} == body
    assert "etag" in read.headers


async def test_answer_without_interventions_is_an_answer(app: App, municipality):
    scene = await app.new_scene()
    answer = await municipality.post("intervention-surveys", json=survey(scene["id"]), headers=key())
    assert answer.status_code == 201
    assert answer.json()["interventions"] == []


async def test_survey_answers_are_filtered_and_sorted(app: App, municipality):
    scene, other = await app.new_scene(), await app.new_scene()
    social = app.client("skarholmen-socialtjanst")
    for client, where, period in (
        (municipality, scene, "2025"),
        (social, scene, "2025-Q3"),
        (municipality, scene, "2025-10"),
        (municipality, other, "2025"),
    ):
        answer = await client.post("intervention-surveys", json=survey(where["id"], period=period), headers=key())
        assert answer.status_code == 201, answer.text

    async def periods(query: str) -> list[str]:
        answer = await social.get(f"intervention-surveys?{query}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["_meta"]["totalRecords"] == len(answer.json()["items"])
        return [item["period"] for item in answer.json()["items"]]

    of_scene = f"scene={scene['id']}"
    assert await periods(of_scene) == ["2025-10", "2025-Q3", "2025"]
    assert await periods(f"{of_scene}&sort=period") == ["2025", "2025-10", "2025-Q3"]
    assert await periods(f"{of_scene}&sort=-agency,period") == ["2025", "2025-10", "2025-Q3"]
    assert await periods(f"{of_scene}&period=2025") == ["2025"]
    assert await periods(f"{of_scene}&agency=skarholmen-socialtjanst") == ["2025-Q3"]
    assert await periods(f"scene={uuid.uuid4()}") == []


async def test_unknown_survey_answer_is_not_found(app: App):
    assert (await app.client("polismyndigheten").get(f"intervention-surveys/{uuid.uuid4()}")).status_code == 404


@pytest.mark.parametrize("query", ["period=2025-13", "period=2025-Q5", "scene=varberg", "agency=Å", "sort=comment"])
async def test_bad_survey_query_is_refused(app: App, query: str):
    assert (await app.client("polismyndigheten").get(f"intervention-surveys?{query}")).status_code == 422


@pytest.mark.parametrize(
    "agency", ["polismyndigheten", "trafikforvaltningen", "region-stockholm-vard", "centrumagaren"]
)
async def test_only_municipal_safety_and_social_services_answer(app: App, agency: str):
    scene = await app.new_scene()
    answer = await app.client(agency).post("intervention-surveys", json=survey(scene["id"]), headers=key())
    assert answer.status_code == 403


async def test_scope_is_needed_to_answer(app: App):
    scene = await app.new_scene()
    client = app.client("skarholmen-trygghet", scopes=["read", "write:mappings"])
    answer = await client.post("intervention-surveys", json=survey(scene["id"]), headers=key())
    assert answer.status_code == 403


def _given(**changes):
    return GIVEN | changes


def _given_of(index: int, member: str = "") -> str:
    return f"body.interventions[{index}]{member}"


CONTRADICTIONS = [
    (lambda _: [_given(intervention="magic")], _given_of(0, ".intervention")),
    (
        lambda app: [_given(), _given(intervention="mumin", startedOn=days_from_today(app, 1))],
        _given_of(1, ".startedOn"),
    ),
    (
        lambda app: [_given(status="ended", startedOn=days_from_today(app, 1), endedOn=days_from_today(app, 2))],
        _given_of(0, ".startedOn"),
    ),
    (lambda _: [_given(status="ended")], _given_of(0, ".endedOn")),
    (lambda app: [_given(status="ended", endedOn=days_from_today(app, 1))], _given_of(0, ".endedOn")),
    (lambda _: [_given(status="ended", endedOn="2024-02-29")], _given_of(0, ".endedOn")),
    (lambda app: [_given(status="planned", endedOn=days_from_today(app, -1))], _given_of(0, ".endedOn")),
    (lambda app: [_given(endedOn=days_from_today(app, -1))], _given_of(0, ".endedOn")),
    (lambda _: [_given(), _given(intervention="mumin"), _given(times=1)], _given_of(2)),
    (lambda _: [_given(startedOn=None), _given(startedOn=None)], _given_of(1)),
]


@pytest.mark.parametrize(("given", "where"), CONTRADICTIONS)
async def test_contradiction_is_refused_with_its_place_and_nothing_is_stored(app: App, municipality, given, where):
    scene = await app.new_scene()
    before = await app.rows("SELECT count(*) AS n FROM surveys")
    body = survey(scene["id"], *given(app))
    answer = await municipality.post("intervention-surveys", json=body, headers=key())
    assert answer.status_code == 409, answer.text
    assert where in [fault["where"] for fault in answer.json()["errors"]]
    assert await app.rows("SELECT count(*) AS n FROM surveys") == before


async def test_every_contradiction_is_named_at_once(app: App, municipality):
    body = survey(str(uuid.uuid4()), _given(intervention="magic", status="ended"), period="2099-Q1")
    answer = await municipality.post("intervention-surveys", json=body, headers=key())
    assert answer.status_code == 409
    assert [fault["where"] for fault in answer.json()["errors"]] == [
        "body.scene",
        "body.period",
        "body.interventions[0].intervention",
        "body.interventions[0].endedOn",
    ]


async def test_planned_intervention_and_next_year_are_no_contradiction(app: App, municipality):
    scene = await app.new_scene()
    soon = _given(status="planned", startedOn=days_from_today(app, 300), endedOn=days_from_today(app, 400))
    until = _given(intervention="mumin", endedOn=days_from_today(app, 0), startedOn=days_from_today(app, 0))
    body = survey(scene["id"], soon, until, period=str(app.services.gate.today().year + 1))
    answer = await municipality.post("intervention-surveys", json=body, headers=key())
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"scene": "varberg"}, "body.scene"),
        ({"scene": 1}, "body.scene"),
        ({"period": "2025-1"}, "body.period"),
        ({"period": "1999"}, "body.period"),
        ({"period": 2025}, "body.period"),
        ({"interventions": None}, "body.interventions"),
        ({"interventions": [GIVEN | {"status": "done"}]}, "body.interventions[0].status"),
        ({"interventions": [GIVEN | {"startedOn": 0}]}, "body.interventions[0].startedOn"),
        ({"interventions": [GIVEN | {"startedOn": "2025-02-29"}]}, "body.interventions[0].startedOn"),
        ({"interventions": [GIVEN | {"times": -1}]}, "body.interventions[0].times"),
        ({"interventions": [GIVEN | {"times": "3"}]}, "body.interventions[0].times"),
        ({"interventions": [GIVEN | {"partners": [""]}]}, "body.interventions[0].partners[0]"),
        ({"interventions": [GIVEN | {"colour": "red"}]}, "body.interventions[0].colour"),
        ({"interventions": [GIVEN] * 101}, "body.interventions"),
        ({"comment": "x" * 4001}, "body.comment"),
    ],
)
async def test_content_beside_the_schema_is_refused_with_its_place(app: App, municipality, change, where):
    body = survey(str(uuid.uuid4()), copy.deepcopy(GIVEN)) | change
    answer = await municipality.post("intervention-surveys", json=body, headers=key())
    assert answer.status_code == 422, answer.text
    assert where in [fault["where"] for fault in answer.json()["errors"]]
