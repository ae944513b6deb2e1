"""Mappings: shared but for the police's work on the place, which nobody else reads, filters on or orders by."""

import uuid
from datetime import timedelta

import pytest

from tests.support import App

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRET = "Spaning från takvåningen 100% av nätterna (fiktivt)"
MAPPING = {
    "mappedOn": "2025-10-05",
    "affected": [
        {"group": "passersby", "ageBand": "18-20", "sex": "female", "count": 12},
        {"group": "children on their way to school", "ageBand": "under-15", "sex": "unknown", "count": 3},
        {"group": "residents", "count": 0},
    ],
    "physicalPlace": "Torg med två entréer.",
    "use": "Genomgång till kollektivtrafiken.",
    "substances": ["cannabis", "tramadol"],
    "policeWork": SECRET,
    "partners": ["Trafikförvaltningen"],
    "hotspots": [{"name": "Trappan", "position": {"type": "Point", "coordinates": [17.9334, 59.2947]}}],
    "timePattern": "Vardagar 16–21.",
    "interviews": "Åtta samtal.",
}
SMALLEST = {"mappedOn": "2025-10-05", "physicalPlace": "Torg.", "use": "Genomgång."}
WHY = {"Purpose": "prevent-crime"}


async def new_mapping(app: App, agency: str = "skarholmen-trygghet", **changes):
    scene = await app.new_scene()
    answer = await app.client(agency).post(f"scenes/{scene['id']}/mappings", json=MAPPING | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def leaves(app: App) -> int:
    return (await app.rows("SELECT count(*) AS n FROM ledger_leaves"))[0]["n"]


async def test_mapping_is_read_as_it_was_posted_with_small_counts_hidden(app: App):
    mapping = await new_mapping(app)
    read = (await app.client("polismyndigheten", headers=WHY).get(f"mappings/{mapping['id']}")).json()
    assert {name: read[name] for name in MAPPING if name != "affected"} == {
        name: value for name, value in MAPPING.items() if name != "affected"
    }
    assert read["affected"] == [
        {"group": "passersby", "ageBand": "18-20", "sex": "female", "count": 12, "hidden": False},
        {
            "group": "children on their way to school",
            "ageBand": "under-15",
            "sex": "unknown",
            "count": None,
            "hidden": True,
        },
        {"group": "residents", "ageBand": "unknown", "sex": "unknown", "count": 0, "hidden": False},
    ]
    assert read["mappedBy"] == "skarholmen-trygghet"
    exact = await app.rows("SELECT affected_counts FROM mappings WHERE id = $1", uuid.UUID(mapping["id"]))
    assert '"count": 3' in exact[0]["affected_counts"]


async def test_smallest_mapping_is_enough(app: App):
    scene = await app.new_scene()
    answer = await app.client("polismyndigheten").post(f"scenes/{scene['id']}/mappings", json=SMALLEST)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["affected"], body["hotspots"], body["substances"], body["interviews"]) == ([], [], [], None)
    assert answer.headers["location"] == f"http://test/samsyn/v1/mappings/{body['id']}"


async def test_who_types_police_work_without_being_police_does_not_get_it_back(app: App):
    scene = await app.new_scene()
    for headers in ({}, WHY):
        client = app.client("skarholmen-trygghet", headers=headers)
        answer = await client.post(f"scenes/{scene['id']}/mappings", json=MAPPING)
        assert answer.status_code == 201
        assert "policeWork" not in answer.json()
        assert "takvåningen" not in answer.text
        withheld = answer.json()["_meta"]["disclosure"]["withheld"]
        assert [entry["field"] for entry in withheld] == ["policeWork"]
        assert withheld[0]["secrecy"]


async def test_police_read_police_work_only_with_a_purpose(app: App):
    mapping = await new_mapping(app)
    path = f"mappings/{mapping['id']}"
    without = await app.client("polismyndigheten").get(path)
    assert "policeWork" not in without.json()
    assert without.json()["_meta"]["disclosure"]["withheld"][0]["reason"] == "no-purpose"
    assert "etag" in without.headers
    given = await app.client("polismyndigheten", headers=WHY).get(path)
    assert given.json()["policeWork"] == SECRET
    assert given.json()["_meta"]["disclosure"]["receipt"]
    assert given.headers["cache-control"] == "private, no-store"
    assert "etag" not in given.headers


async def test_withheld_police_work_is_told_alike_whether_or_not_there_is_any(app: App):
    scene = await app.new_scene()
    client = app.client("polismyndigheten")
    told = []
    for work in (SECRET, None):
        posted = await client.post(f"scenes/{scene['id']}/mappings", json=MAPPING | {"policeWork": work})
        read = await app.client("region-stockholm-vard").get(f"mappings/{posted.json()['id']}")
        told.append({name: value for name, value in read.json().items() if name not in {"id", "_links"}})
    assert told[0] == told[1]


@pytest.mark.parametrize("query", ["policeWork=takv", "policeWork=finns-inte", "sort=policeWork", "sort=-policeWork"])
@pytest.mark.parametrize(
    ("agency", "headers"),
    [
        ("polismyndigheten", {}),
        ("skarholmen-trygghet", {}),
        ("skarholmen-trygghet", WHY),
        ("skarholmen-socialtjanst", WHY | {"Case-Reference": "A1"}),
        ("centrumagaren", WHY),
    ],
)
async def test_withheld_field_cannot_be_filtered_on_or_ordered_by(app: App, agency, headers, query):
    mapping = await new_mapping(app)
    with app.database.recorder.recording() as statements:
        answer = await app.client(agency, headers=headers).get(f"scenes/{mapping['scene']}/mappings?{query}")
    assert answer.status_code == 403, answer.text
    assert answer.json()["type"] == "urn:samsyn:problem:withheld-field"
    assert answer.json()["withheld"][0]["field"] == "policeWork"
    assert not [statement for statement in statements if "police_work" in statement]


async def test_police_filter_on_police_work_takes_wildcards_as_they_stand(app: App):
    scene = await app.new_scene()
    client = app.client("polismyndigheten", headers=WHY)
    for work in (SECRET, "Synlig närvaro", None):
        body = MAPPING | {"policeWork": work}
        assert (await client.post(f"scenes/{scene['id']}/mappings", json=body)).status_code == 201

    async def found(text: str) -> list[str]:
        answer = await client.get(f"scenes/{scene['id']}/mappings", params={"policeWork": text})
        assert answer.status_code == 200, answer.text
        assert answer.json()["_meta"]["totalRecords"] == len(answer.json()["items"])
        return [item["policeWork"] for item in answer.json()["items"]]

    assert await found("takvåningen") == [SECRET]
    assert await found("TAKVÅNINGEN") == [SECRET]
    assert await found("100%") == [SECRET]
    assert await found("S%n") == []
    assert await found("_") == []
    assert await found("\\") == []


async def test_police_work_is_in_no_statement_for_those_who_may_not_have_it(app: App):
    mapping = await new_mapping(app)
    callers = [("polismyndigheten", {}), ("skarholmen-trygghet", WHY), ("tullverket", WHY), ("centrumagaren", {})]
    for agency, headers in callers:
        client = app.client(agency, headers=headers)
        with app.database.recorder.recording() as statements:
            for path in (f"mappings/{mapping['id']}", f"scenes/{mapping['scene']}/mappings?sort=-mappedOn&page=2"):
                assert (await client.get(path)).status_code == 200
        assert statements
        assert not [statement for statement in statements if "police_work" in statement], agency


async def test_exact_counts_are_in_no_read(app: App):
    mapping = await new_mapping(app)
    client = app.client("polismyndigheten", headers=WHY)
    with app.database.recorder.recording() as statements:
        await client.get(f"mappings/{mapping['id']}")
        await client.get(f"scenes/{mapping['scene']}/mappings")
    assert any("mappings.affected" in statement for statement in statements)
    assert not [statement for statement in statements if "affected_counts" in statement]


async def test_protected_read_leaves_one_leaf_and_shared_read_none(app: App):
    mapping = await new_mapping(app)
    path, listed = f"mappings/{mapping['id']}", f"scenes/{mapping['scene']}/mappings"
    for agency, headers, target, added in (
        ("polismyndigheten", WHY, path, 1),
        ("polismyndigheten", WHY, listed, 1),
        ("polismyndigheten", WHY, f"{listed}?policeWork=x", 1),
        ("skarholmen-trygghet", WHY, f"{listed}?policeWork=x", 1),
        ("skarholmen-trygghet", WHY, path, 1),
        ("skarholmen-trygghet", {}, path, 0),
        ("polismyndigheten", {}, listed, 0),
    ):
        before = await leaves(app)
        await app.client(agency, headers=headers).get(target)
        assert await leaves(app) == before + added, (agency, headers, target)


async def test_mappings_of_a_scene_come_newest_first_and_of_no_other_scene(app: App):
    mapping = await new_mapping(app)
    await new_mapping(app)
    client = app.client("skarholmen-trygghet")
    for day in ("2023-10-01", "2024-10-01"):
        answer = await client.post(f"scenes/{mapping['scene']}/mappings", json=SMALLEST | {"mappedOn": day})
        assert answer.status_code == 201
    path = f"scenes/{mapping['scene']}/mappings"
    listed = (await client.get(path)).json()
    assert [item["mappedOn"] for item in listed["items"]] == ["2025-10-05", "2024-10-01", "2023-10-01"]
    assert listed["_meta"]["totalRecords"] == 3
    ascending = (await client.get(f"{path}?sort=mappedOn&limit=2")).json()
    assert [item["mappedOn"] for item in ascending["items"]] == ["2023-10-01", "2024-10-01"]
    assert ascending["_links"]["next"]


async def test_unknown_scene_or_mapping_is_not_found(app: App):
    client = app.client("polismyndigheten")
    missing = uuid.uuid4()
    assert (await client.get(f"scenes/{missing}/mappings")).status_code == 404
    assert (await client.get(f"mappings/{missing}")).status_code == 404
    assert (await client.post(f"scenes/{missing}/mappings", json=MAPPING)).status_code == 404


@pytest.mark.parametrize("agency", ["skarholmen-socialtjanst", "trafikforvaltningen", "centrumagaren"])
async def test_only_police_and_municipal_safety_map(app: App, agency: str):
    scene = await app.new_scene()
    assert (await app.client(agency).post(f"scenes/{scene['id']}/mappings", json=MAPPING)).status_code == 403


async def test_scope_is_needed_to_map(app: App):
    scene = await app.new_scene()
    client = app.client("polismyndigheten", scopes=["read", "write:scenes"])
    assert (await client.post(f"scenes/{scene['id']}/mappings", json=MAPPING)).status_code == 403


def _at(*coordinates):
    return {"hotspots": [{"name": "x", "position": {"type": "Point", "coordinates": list(coordinates)}}]}


TWICE = [{"group": "sellers", "count": 3}, {"group": "sellers", "ageBand": "unknown", "count": 4}]


@pytest.mark.parametrize(
    ("changes", "status", "where"),
    [
        ({"mappedOn": "tomorrow"}, 409, "body.mappedOn"),
        ({"mappedOn": "2022-04-30"}, 409, "body.mappedOn"),
        (_at(59.2947, 17.9334), 409, "body.hotspots[0].position.coordinates"),
        (_at(5.3, 60.39), 409, "body.hotspots[0].position.coordinates"),
        (_at(17.9734, 59.2947), 409, "body.hotspots[0].position.coordinates"),
        ({"affected": TWICE}, 409, "body.affected[1]"),
        (_at(17.9334), 422, "body.hotspots[0].position.coordinates"),
        (_at(17.9334, 59.2947, 12), 422, "body.hotspots[0].position.coordinates"),
        (_at(17.9334, "59,2947"), 422, "body.hotspots[0].position.coordinates[1]"),
        (_at(667053, 6576930), 422, "body.hotspots[0].position.coordinates[0]"),
        ({"mappedOn": 0}, 422, "body.mappedOn"),
        ({"mappedOn": None}, 422, "body.mappedOn"),
        ({"use": ""}, 422, "body.use"),
        ({"affected": [{"group": "sellers", "count": -1}]}, 422, "body.affected[0].count"),
        ({"affected": [{"group": "sellers", "count": 10_001}]}, 422, "body.affected[0].count"),
        ({"affected": [{"group": "sellers", "count": True}]}, 422, "body.affected[0].count"),
        ({"affected": [{"group": "sellers"}]}, 422, "body.affected[0].count"),
        ({"affected": [{"group": "sellers", "count": 5, "ageBand": "21"}]}, 422, "body.affected[0].ageBand"),
        ({"substances": ["x" * 61]}, 422, "body.substances[0]"),
        ({"physicalPlace": "x" * 4001}, 422, "body.physicalPlace"),
        ({"mappedBy": "polismyndigheten"}, 422, "body.mappedBy"),
    ],
)
async def test_bad_mapping_is_refused_with_its_place_and_nothing_is_stored(app: App, changes, status, where):
    scene = await app.new_scene()
    if changes.get("mappedOn") == "tomorrow":
        changes = {"mappedOn": (app.services.gate.today() + timedelta(days=1)).isoformat()}
    before = await app.rows("SELECT count(*) AS n FROM mappings")
    answer = await app.client("polismyndigheten").post(f"scenes/{scene['id']}/mappings", json=MAPPING | changes)
    assert answer.status_code == status, answer.text
    assert where in [fault["where"] for fault in answer.json()["errors"]], answer.text
    assert await app.rows("SELECT count(*) AS n FROM mappings") == before


async def test_hotspot_within_two_kilometres_of_the_outline_is_taken(app: App):
    scene = await app.new_scene()
    # 17.9345 is the outline's eastern edge; a degree of longitude is about 56.9 km here.
    for lon, status in ((17.9345 + 1.9 / 56.9, 201), (17.9345 + 2.1 / 56.9, 409)):
        body = MAPPING | _at(lon, 59.2947)
        answer = await app.client("polismyndigheten").post(f"scenes/{scene['id']}/mappings", json=body)
        assert answer.status_code == status, answer.text
