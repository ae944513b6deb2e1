"""Indicators are counted from rows, and the demo's rows give every figure as the papers state it."""

import csv
import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest
import pytest_asyncio

from api.demo import DATA, demo_scenes
from api.places.geometry import parse_outline
from api.places.importers import READERS
from api.places.service import store_places
from api.reports.indicators.service import load_stated_figures
from api.scenes.repository import add_scene, refresh_neighbours
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

STATED_FIGURES = DATA / "stated_figures.csv"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(app: App) -> App:
    """The demo's places, scenes and stated figures, loaded as any other rows."""
    await app.execute("DELETE FROM schools")
    app.clock.at = moment("2026-11-21T12:00:00+01:00")
    written = datetime(2026, 11, 1, tzinfo=UTC)
    async with app.database.transaction() as connection:
        for kind in ("municipalities", "districts", "schools"):
            with (DATA / f"{kind}.csv").open("rb") as file:
                await store_places(connection, READERS[kind](file))
        for scene in demo_scenes():
            outline, scene_id = parse_outline(scene.outline()), uuid.uuid4()
            row = {
                "id": scene_id, "name": scene.name, "municipality": scene.municipality_code,
                "district": scene.district, "environment": list(scene.environment), "setting": scene.setting,
                "symptoms": [], "appeared_on": scene.appeared_on, "closed_on": scene.closed_on,
                "ending": "closed" if scene.closed_on else None, "sara_stage": "scanning", "fictional": True,
                "version": 1, "created_by": "polismyndigheten", "created_at": written, "updated_at": written,
            }  # fmt: skip
            first = {
                "id": uuid.uuid4(), "scene_id": scene_id, "outline": outline.as_pg_polygon(),
                "geojson": outline.as_geojson(), "valid_from": scene.appeared_on, "school_count": 0,
            }  # fmt: skip
            await add_scene(connection, row, first)
        await refresh_neighbours(connection, radius_m=150)
        assert await load_stated_figures(connection, STATED_FIGURES) > 0
    return app


async def indicators(app: App, **query: Any) -> list[dict[str, Any]]:
    answer = await app.client("lansstyrelsen-stockholm").get("indicators", params=query | {"limit": 100})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_the_rows_give_every_figure_as_the_papers_state_it(demo: App):
    with STATED_FIGURES.open(encoding="utf-8", newline="") as file:
        figures = list(csv.DictReader(file))
    for figure in figures:
        (found,) = await indicators(demo, area=figure["area"], year=figure["year"])
        assert found[figure["measure"]] == int(figure["value"]), figure
        assert {"measure": figure["measure"], "value": int(figure["value"]), "source": figure["source"]} in found[
            "stated"
        ]


async def test_the_countys_scenes_fell_from_63_to_53(demo: App):
    (year_2023,) = await indicators(demo, area="01", year=2023)
    (year_2024,) = await indicators(demo, area="01", year=2024)
    assert [year_2023[name] for name in ("scenes", "closed", "new", "remaining", "municipalities")] == [
        63,
        10,
        0,
        53,
        26,
    ]
    assert [year_2024[name] for name in ("scenes", "municipalitiesAffected")] == [53, 8]
    assert year_2024["areaName"] == "Stockholms län"
    (city,) = await indicators(demo, area="0180", year=2023)
    assert (city["scenes"], city["nearSchool"], city["municipalitiesAffected"]) == (31, 24, None)


async def test_the_county_is_the_sum_of_its_municipalities_every_year(demo: App):
    for year in range(2021, 2027):
        county, *municipalities = await indicators(demo, county="01", year=year)
        assert (county["area"], len(municipalities)) == ("01", 26)
        for measure in ("scenes", "remaining", "closed", "new", "nearSchool"):
            assert county[measure] == sum(one[measure] for one in municipalities), (year, measure)
        assert county["scenes"] - county["closed"] == county["remaining"]
        assert county["municipalitiesAffected"] == sum(1 for one in municipalities if one["remaining"])


async def test_years_run_from_2021_to_this_year_and_no_further(demo: App):
    assert [one["year"] for one in await indicators(demo, area="01")] == list(range(2021, 2027))
    assert await indicators(demo, year=2027) == []


async def test_a_change_of_a_row_changes_the_figure(demo: App):
    await demo.execute("UPDATE scenes SET closed_on = '2026-06-01', ending = 'merged' WHERE name = 'Vårberg'")
    try:
        (now,) = await indicators(demo, area="01", year=2026)
        assert (now["scenes"], now["closed"], now["remaining"]) == (53, 0, 52)
    finally:
        await demo.execute("UPDATE scenes SET closed_on = NULL, ending = NULL WHERE name = 'Vårberg'")


async def test_a_running_year_is_counted_as_of_today(demo: App):
    demo.clock.at = moment("2023-03-01T12:00:00+01:00")
    try:
        (then,) = await indicators(demo, area="01", year=2023)
        closed_by_then = sum(1 for one in demo_scenes() if one.closed_on and one.closed_on <= date(2023, 3, 1))
        assert (then["closed"], then["remaining"]) == (closed_by_then, 63 - closed_by_then)
        assert await indicators(demo, year=2024) == []
    finally:
        demo.clock.at = moment("2026-11-21T12:00:00+01:00")


async def test_indicators_are_shared_and_may_be_kept(demo: App):
    reader = demo.client("centrumagaren")
    first = await reader.get("indicators", params={"area": "01", "year": 2023})
    assert first.json()["_meta"]["disclosure"]["withheld"] == []
    again = await reader.get(
        "indicators", params={"area": "01", "year": 2023}, headers={"If-None-Match": first.headers["etag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize("query", [{"area": "02"}, {"area": "1480"}, {"year": 2020}, {"year": "x"}, {"county": "0180"}])
async def test_an_area_or_year_outside_the_catalogue_is_refused(app: App, query: dict[str, Any]):
    assert (await app.client("polismyndigheten").get("indicators", params=query)).status_code == 422
