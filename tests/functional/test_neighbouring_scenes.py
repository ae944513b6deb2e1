"""Two scenes over some of the same stations: setting one report against the other tells no hidden count."""

from typing import Any

import pytest

from tests.support import SCENE, STOP, App

pytestmark = pytest.mark.asyncio(loop_scope="session")

ELSEWHERE = "9091001000001111"
WIDER = {
    "type": "Polygon",
    "coordinates": [
        [[17.932, 59.2942], [17.9345, 59.2942], [17.9345, 59.2999], [17.932, 59.2999], [17.932, 59.2942]],
    ],
}


async def _feed(app: App, stop: str, number: int) -> None:
    rows = [
        {"incidentId": f"{stop}-{n}", "occurredAt": "2026-08-12T12:00:00Z", "stopId": stop, "category": "disorder",
         "mode": "metro", "severity": 2, "revision": 1}
        for n in range(number)
    ]  # fmt: skip
    answer = await app.client("trafikforvaltningen").post("incident-batches", json=rows)
    assert answer.json()["accepted"] == number, answer.text


async def _publish(app: App, scene: dict[str, Any], period: str = "2026-Q3") -> dict[str, Any]:
    body = {"scene": scene["id"], "period": period}
    answer = await app.client("polismyndigheten").post("situation-reports", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def _counts(report: dict[str, Any]) -> list[int | None]:
    rows = [*report["what"]["incidents"], *report["when"]["cells"], report["what"]["total"], report["when"]["total"]]
    return [row["count"] for row in rows]


async def two_stations(app: App) -> None:
    """A second station 500 metres north of the first, with two incidents of its own."""
    await app.execute(
        "INSERT INTO stations (stop_id, name, mode, position, source) "
        "SELECT $1, 'Annan station', 'metro', position + point(0, 500), 'test' FROM stations WHERE stop_id = $2",
        ELSEWHERE,
        STOP,
    )
    await _feed(app, STOP, 20)
    await _feed(app, ELSEWHERE, 2)


async def test_wider_scene_shows_no_counts_where_a_narrower_one_is_published(fresh_app: App):
    await two_stations(fresh_app)
    narrow, wide = await fresh_app.new_scene(), await fresh_app.new_scene(outline=WIDER)
    assert (await _publish(fresh_app, narrow))["what"]["total"]["count"] == 20
    report = await _publish(fresh_app, wide)
    assert len(report["where"]["stations"]) == 2
    assert set(_counts(report)) == {None}
    assert report["trend"]["total"]["count"] is None


async def test_order_of_publishing_does_not_matter(fresh_app: App):
    await two_stations(fresh_app)
    narrow, wide = await fresh_app.new_scene(), await fresh_app.new_scene(outline=WIDER)
    assert (await _publish(fresh_app, wide))["what"]["total"]["count"] == 22
    assert set(_counts(await _publish(fresh_app, narrow))) == {None}


async def test_scenes_over_the_same_stations_tell_the_same(fresh_app: App):
    await two_stations(fresh_app)
    first, second = await fresh_app.new_scene(), await fresh_app.new_scene(name="Samma plats (fiktiv)")
    assert _counts(await _publish(fresh_app, first)) == _counts(await _publish(fresh_app, second))


async def test_twin_scene_by_another_granularity_shows_no_counts(fresh_app: App):
    await two_stations(fresh_app)
    first, twin = await fresh_app.new_scene(), await fresh_app.new_scene(name="Tvillingplatsen (fiktiv)")
    await _publish(fresh_app, first, "2026-Q3")
    assert set(_counts(await _publish(fresh_app, twin, "2026-08"))) == {None}


async def test_scenes_apart_do_not_hide_each_other(fresh_app: App):
    await two_stations(fresh_app)
    north = [[lon, lat + 0.0045] for lon, lat in SCENE["outline"]["coordinates"][0]]
    here, there = (
        await fresh_app.new_scene(),
        await fresh_app.new_scene(outline={"type": "Polygon", "coordinates": [north]}),
    )
    await fresh_app.execute("UPDATE incidents SET stop_id = $1 WHERE incident_id LIKE '%-1_'", ELSEWHERE)
    assert (await _publish(fresh_app, here))["what"]["total"]["count"] == 10
    report = await _publish(fresh_app, there)
    assert [one["stopId"] for one in report["where"]["stations"]] == [ELSEWHERE]
    assert report["what"]["total"]["count"] == 12
