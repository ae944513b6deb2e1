"""The demo is the seeds: the papers' figures come out of rows; what is not a named place says that it is fictional."""

import pytest
import pytest_asyncio

from api.demo.loading import load_demo
from api.settings import Settings
from api.store.database import Database
from api.store.migrate import upgrade
from tests.support import create_database, open_app

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(server, tmp_path_factory):
    import asyncio

    url = await create_database(server.dsn())
    await asyncio.to_thread(upgrade, url)
    directory = tmp_path_factory.mktemp("demo")
    database = Database(url)
    steps: list[str] = []
    await load_demo(database, Settings(data_dir=directory), steps.append)
    await load_demo(database, Settings(data_dir=directory), steps.append)
    await database.close()
    assert steps[-1] == "the demo is loaded already"
    async with open_app(url, directory) as opened:
        yield opened


async def _indicator(demo, area: str, year: int) -> dict:
    answer = await demo.client("lansstyrelsen-stockholm").get(f"indicators?area={area}&year={year}")
    assert answer.status_code == 200, answer.text
    (item,) = answer.json()["items"]
    return item


async def test_county_goes_from_63_to_53_with_ten_closed_and_none_new(demo):
    year = await _indicator(demo, "01", 2023)
    assert (year["scenes"], year["remaining"], year["closed"], year["new"]) == (63, 53, 10, 0)
    after = await _indicator(demo, "01", 2024)
    assert (after["scenes"], after["municipalitiesAffected"], after["municipalities"]) == (53, 8, 26)


async def test_city_has_31_scenes_of_which_24_near_a_school(demo):
    city = await _indicator(demo, "0180", 2023)
    assert (city["scenes"], city["nearSchool"]) == (31, 24)


async def test_every_stated_figure_names_its_paper_and_agrees_with_the_rows(demo):
    client = demo.client("lansstyrelsen-stockholm")
    items = (await client.get("indicators?limit=100&page=1")).json()
    stated = 0
    pages = -(-items["_meta"]["totalRecords"] // 100)
    for page in range(1, pages + 1):
        for item in (await client.get(f"indicators?limit=100&page={page}")).json()["items"]:
            for figure in item["stated"]:
                assert item[figure["measure"]] == figure["value"], (item["area"], item["year"], figure)
                assert figure["source"]
                stated += 1
    assert stated >= 6


async def test_figures_follow_the_rows(demo):
    await demo.execute("UPDATE scenes SET closed_on = NULL, ending = NULL WHERE name = 'Fiktiv scen Nacka 1'")
    changed = await demo.rows("SELECT count(*) AS n FROM scenes WHERE closed_on IS NULL")
    year = await _indicator(demo, "01", 2023)
    try:
        assert year["remaining"] == changed[0]["n"]
    finally:
        await demo.execute(
            "UPDATE scenes SET closed_on = '2023-12-14', ending = 'closed' WHERE name = 'Fiktiv scen Nacka 1'"
        )


async def test_all_but_the_named_places_are_marked_fictional(demo):
    rows = await demo.rows("SELECT name FROM scenes WHERE NOT fictional ORDER BY name")
    assert {row["name"] for row in rows} == {
        "Bredäng",
        "Centrala Södermalm",
        "Mariakvarteren",
        "Skärholmen",
        "Sätra",
        "Vårberg",
        "Västra Södermalm",
    }
    names = await demo.rows("SELECT name FROM scenes WHERE fictional")
    assert all("iktiv" in row["name"] for row in names)
    people = await demo.rows("SELECT name FROM individuals")
    assert people
    assert all("Fiktiv" in row["name"] for row in people)


async def test_police_and_health_care_see_the_same_report_with_other_fields_and_a_reason(demo):
    reports = (await demo.client("polismyndigheten").get("situation-reports?period=2026-Q3")).json()
    report = reports["items"][0]["id"]
    police = (
        await demo.client("polismyndigheten").get(f"situation-reports/{report}", headers={"Purpose": "prevent-crime"})
    ).json()
    care = (
        await demo.client("region-stockholm-vard").get(
            f"situation-reports/{report}", headers={"Purpose": "care-and-support"}
        )
    ).json()
    assert police["policeWork"]
    assert "policeWork" not in care
    (withheld,) = care["_meta"]["disclosure"]["withheld"]
    assert withheld["field"] == "policeWork"
    assert withheld["secrecy"] == ["osl-18-1"]
    assert withheld["citation"] == "18 kap. 1 § OSL"
    assert withheld["couldOpen"]
    assert police["_meta"]["disclosure"]["receipt"]
    shared = set(care) - {"_meta", "_links"}
    assert {key: police[key] for key in shared} == {key: care[key] for key in shared}


async def test_station_incidents_reach_the_scene_within_the_radius_only(demo):
    ties = await demo.rows("SELECT max(distance_m) AS far, count(*) AS n FROM outline_stations")
    assert ties[0]["n"] > 10
    assert ties[0]["far"] <= 150
