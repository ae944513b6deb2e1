"""Situation reports: frozen when published, counted in Swedish time, small counts hidden, police work guarded."""

import asyncio
import json
import uuid
from itertools import count
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from tests.support import SCENE, STOP, App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOW = "2026-11-21T12:00:00+01:00"
MAPPING = {
    "mappedOn": "2026-09-10",
    "affected": [
        {"group": "passersby", "ageBand": "18-20", "sex": "female", "count": 12},
        {"group": "passersby", "ageBand": "15-17", "sex": "male", "count": 3},
    ],
    "physicalPlace": "Torg (påhittat)",
    "use": "Genomgång",
    "substances": ["cannabis"],
    "policeWork": "HEMLIGT: spaning fredagar",
    "hotspots": [{"name": "Trappan", "position": {"type": "Point", "coordinates": [17.9334, 59.2947]}}],
    "timePattern": "Kvällar",
}


class County:
    """One scene, its publishers and its incidents."""

    def __init__(self, app: App, scene: dict[str, Any]) -> None:
        self.app, self.scene, self._numbers = app, scene, count()
        self.police = app.client("polismyndigheten")
        self.transport = app.client("trafikforvaltningen")

    async def incidents(self, times: int, at: str = "2026-08-12T12:00:00Z", **changes: Any) -> list[dict[str, Any]]:
        rows = [
            {"incidentId": f"i-{next(self._numbers)}", "occurredAt": at, "stopId": STOP, "category": "disorder",
             "mode": "metro", "line": "13", "severity": 2, "revision": 1} | changes
            for _ in range(times)
        ]  # fmt: skip
        await self.feed(rows)
        return rows

    async def feed(self, rows: list[dict[str, Any]]) -> None:
        answer = await self.transport.post("incident-batches", json=rows)
        assert answer.status_code in (200, 201), answer.text
        assert answer.json()["rejected"] == 0, answer.text

    async def publish(self, period: str = "2026-Q3", *, by: Any = None, expect: int = 201) -> dict[str, Any]:
        body = {"scene": self.scene["id"], "period": period}
        answer = await (by or self.police).post("situation-reports", json=body)
        assert answer.status_code == expect, answer.text
        return answer.json()

    async def listed(self, **query: Any) -> list[dict[str, Any]]:
        answer = await self.police.get("situation-reports", params={"scene": self.scene["id"]} | query)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]


@pytest_asyncio.fixture(loop_scope="session")
async def dated_app(fresh_app: App) -> App:
    """On a day of its own, with the station inside the scene that `SCENE` describes."""
    fresh_app.clock.at = moment(NOW)
    await fresh_app.execute("UPDATE stations SET position = '(667053.4,6576545.8)' WHERE stop_id = $1", STOP)
    return fresh_app


@pytest_asyncio.fixture(loop_scope="session")
async def county(dated_app: App) -> County:
    return County(dated_app, await dated_app.new_scene())


def shown(report: dict[str, Any]) -> dict[str, int]:
    """The visible category counts above zero."""
    return {row["category"]: row["count"] for row in report["what"]["incidents"] if row["count"]}


def cells(report: dict[str, Any]) -> dict[tuple[int, str], int]:
    return {(row["weekday"], row["hourBand"]): row["count"] for row in report["when"]["cells"] if row["count"]}


async def test_an_edition_says_what_where_and_when(county: County):
    await county.incidents(6)
    await county.incidents(7, "2026-08-14T20:30:00Z", category="theft")
    report = await county.publish()
    assert report["edition"] == 1
    assert report["publishedBy"] == "polismyndigheten"
    assert shown(report) == {"disorder": 6, "theft": 7}
    assert report["what"]["total"] == {"count": 13, "hidden": False} == report["when"]["total"]
    assert cells(report) == {(3, "12-18"): 6, (5, "18-24"): 7}
    assert len(report["when"]["cells"]) == 28
    assert (report["when"]["from"], report["when"]["through"]) == ("2026-07-01", "2026-09-30")
    assert report["when"]["provisional"] is False
    where = report["where"]
    assert where["municipality"] == "0180"
    assert where["outline"] == county.scene["outline"]
    assert where["schoolsWithin500m"] == 1
    assert [(one["stopId"], one["name"]) for one in where["stations"]] == [(STOP, "Bredäng")]
    assert report["protection"] == {
        "threshold": 4,
        "thresholdPersons": 4,
        "method": "suppression-with-complements",
        "policyDate": "2026-01-01",
    }


async def test_weekdays_hours_and_periods_are_those_of_swedish_time(county: County):
    # 00:30 on Wednesday 1 July, summer time: still June in UTC, and Tuesday.
    await county.incidents(5, "2026-06-30T22:30:00Z")
    # 23:30 on Wednesday 30 September; and 00:30 on 1 October, which is another quarter.
    await county.incidents(6, "2026-09-30T21:30:00Z")
    await county.incidents(9, "2026-09-30T22:30:00Z")
    assert cells(await county.publish("2026-Q3")) == {(3, "00-06"): 5, (3, "18-24"): 6}
    # The clock goes back on 25 October: 02:30 comes twice, both of them on Sunday before six.
    await county.incidents(5, "2026-10-25T00:30:00Z")
    await county.incidents(6, "2026-10-25T01:30:00Z")
    # 00:30 on Saturday, winter time.
    await county.incidents(7, "2026-10-30T23:30:00Z")
    winter = await county.publish("2026-Q4")
    assert cells(winter) == {(4, "00-06"): 9, (7, "00-06"): 11, (6, "00-06"): 7}


async def test_only_incidents_that_belong_to_the_scene_count_and_each_once(county: County):
    rows = await county.incidents(12)
    await county.feed([row | {"revision": 2, "withdrawn": True} for row in rows[:6]])
    await county.incidents(8, stopId="9091001000009999")
    # The scene has had another outline since: the same station is tied to both.
    outline = {"outline": SCENE["outline"]}
    current = await county.police.get(f"scenes/{county.scene['id']}")
    changed = await county.police.patch(
        f"scenes/{county.scene['id']}", json=outline, headers={"If-Match": current.headers["etag"]}
    )
    assert changed.status_code == 200, changed.text
    tied = await county.app.rows("SELECT outline_id FROM outline_stations WHERE stop_id = $1", STOP)
    assert len(tied) == 2
    assert (await county.publish())["what"]["total"]["count"] == 6


async def test_an_incident_counts_by_the_outline_of_its_day(county: County):
    far = {"type": "Polygon", "coordinates": [[[lon - 0.05, lat] for lon, lat in SCENE["outline"]["coordinates"][0]]]}
    await county.incidents(6, "2026-08-12T12:00:00Z")
    await county.incidents(9, "2026-09-12T12:00:00Z")
    await county.app.execute("UPDATE scene_outlines SET until = '2026-09-01'")
    await county.app.execute(
        "INSERT INTO scene_outlines SELECT $1, scene_id, outline, $2, '2026-09-01', NULL, 0 FROM scene_outlines",
        uuid.uuid4(),
        json.dumps(far),
    )
    report = await county.publish()
    assert report["what"]["total"]["count"] == 6
    assert report["where"]["outline"] == far


async def test_small_counts_are_hidden_in_both_breakdowns_with_what_covers_them(county: County):
    await county.incidents(2, category="narcotics")
    await county.incidents(20, "2026-08-14T20:30:00Z")
    await county.incidents(30, "2026-08-15T20:30:00Z", category="theft")
    report = await county.publish()
    assert report["what"]["total"] == {"count": 52, "hidden": False}
    assert shown(report) == {"theft": 30}
    hidden = {row["category"] for row in report["what"]["incidents"] if row["hidden"]}
    assert hidden == {"narcotics", "disorder"}
    for row in [*report["what"]["incidents"], *report["when"]["cells"]]:
        assert (row["count"] is None) == row["hidden"]
        assert row["hidden"] or row["count"] == 0 or row["count"] > 4
    stored = await county.app.rows("SELECT what, when_ FROM situation_reports")
    assert '"count": 2,' not in stored[0]["what"] + stored[0]["when_"]


async def test_a_small_total_hides_every_count_of_the_edition(county: County):
    await county.incidents(3)
    report = await county.publish()
    assert report["what"]["total"] == {"count": None, "hidden": True} == report["trend"]["total"]
    assert all(row["hidden"] for row in [*report["what"]["incidents"], *report["when"]["cells"]])


async def test_nothing_happened_is_said(county: County):
    report = await county.publish()
    assert report["what"]["total"] == {"count": 0, "hidden": False}
    assert not any(row["hidden"] for row in report["when"]["cells"])


async def test_the_trend_compares_with_the_same_period_of_the_year_before(county: County):
    await county.incidents(12)
    await county.incidents(20, "2025-08-12T12:00:00Z")
    assert (await county.publish())["trend"] == {
        "previousPeriod": "2025-Q3",
        "total": {"count": 12, "hidden": False},
        "previousTotal": {"count": 20, "hidden": False},
        "change": -8,
    }


async def test_the_trend_hides_a_small_total_and_the_change_with_it(county: County):
    await county.incidents(12)
    await county.incidents(3, "2025-08-12T12:00:00Z")
    trend = (await county.publish())["trend"]
    assert trend["previousTotal"] == {"count": None, "hidden": True}
    assert trend["change"] is None


async def test_the_trend_does_not_compare_with_a_time_before_the_scene(dated_app: App):
    county = County(dated_app, await dated_app.new_scene(appearedOn="2026-03-01"))
    await county.incidents(12)
    trend = (await county.publish())["trend"]
    assert trend["previousTotal"] is None
    assert trend["change"] is None


async def test_a_correction_is_a_new_edition_and_the_old_one_stays(county: County):
    rows = await county.incidents(9)
    first = await county.publish()
    await county.feed([row | {"revision": 2, "withdrawn": True} for row in rows[:1]])
    second = await county.publish()
    assert (second["edition"], second["what"]["total"]["count"]) == (2, 8)
    kept = (await county.police.get(f"situation-reports/{first['id']}")).json()
    assert (kept["edition"], kept["what"]) == (1, first["what"])
    assert [report["edition"] for report in await county.listed()] == [2]
    assert [report["edition"] for report in await county.listed(edition="all")] == [2, 1]
    for statement in ("UPDATE situation_reports SET use = 'x'", "DELETE FROM situation_reports"):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await county.app.execute(statement)


async def test_an_edition_is_never_computed_again(county: County):
    await county.incidents(9)
    first = await county.publish()
    await county.incidents(9)
    read = await county.police.get(f"situation-reports/{first['id']}")
    assert read.json()["what"] == first["what"]
    with county.app.database.recorder.recording() as statements:
        await county.police.get("situation-reports", params={"scene": first["scene"]})
    assert not [one for one in statements if "FROM incidents" in one]


async def test_what_one_edition_hid_no_later_one_shows(county: County):
    await county.incidents(2, category="theft")
    await county.incidents(60)
    first = await county.publish()
    await county.incidents(40, category="theft")
    second = await county.publish()
    for before, after in zip(first["what"]["incidents"], second["what"]["incidents"], strict=True):
        assert after["hidden"] or not before["hidden"]
    assert any(row["hidden"] for row in first["what"]["incidents"])


async def test_editions_published_at_once_get_numbers_of_their_own(county: County):
    await county.incidents(9)
    reports = await asyncio.gather(*(county.publish() for _ in range(5)))
    assert sorted(report["edition"] for report in reports) == [1, 2, 3, 4, 5]


async def test_a_scene_is_reported_by_one_granularity_within_a_year(county: County):
    await county.publish("2026-Q3")
    problem = await county.publish("2026-08", expect=409)
    assert "2026-Q3" in problem["errors"][0]["what"]
    assert (await county.publish("2026", expect=409))["errors"][0]["where"] == "body.period"
    await county.publish("2026-Q2")
    assert len(await county.listed(edition="all")) == 2


async def test_a_running_period_is_provisional_and_not_published_again_for_a_handful(county: County):
    await county.incidents(20, "2026-11-10T12:00:00Z")
    first = await county.publish("2026-Q4")
    assert (first["when"]["provisional"], first["when"]["through"]) == (True, "2026-11-21")
    await county.incidents(2, "2026-11-12T12:00:00Z")
    assert "provisional" in (await county.publish("2026-Q4", expect=409))["detail"]
    await county.incidents(18, "2026-11-13T12:00:00Z")
    assert (await county.publish("2026-Q4"))["what"]["total"]["count"] == 40


@pytest.mark.parametrize("period", ["2027", "2026-12", "2027-Q1", "2021"])
async def test_a_period_that_cannot_be_reported_on_is_a_conflict(county: County, period: str):
    problem = await county.publish(period, expect=409)
    assert problem["errors"][0]["where"] == "body.period"


@pytest.mark.parametrize(
    "body",
    [
        {"scene": "x", "period": "2026-Q3"},
        {"scene": str(uuid.uuid4()), "period": "2026-Q5"},
        {"scene": str(uuid.uuid4()), "period": 2026},
        {"scene": str(uuid.uuid4())},
        {"scene": str(uuid.uuid4()), "period": "2026", "edition": 3},
    ],
)
async def test_a_body_off_the_schema_is_refused(app: App, body: dict[str, Any]):
    assert (await app.client("polismyndigheten").post("situation-reports", json=body)).status_code == 422


async def test_an_unknown_scene_is_a_conflict_in_a_body_and_not_found_in_a_query(app: App):
    police, unknown = app.client("polismyndigheten"), str(uuid.uuid4())
    posted = await police.post("situation-reports", json={"scene": unknown, "period": "2026-Q3"})
    assert (posted.status_code, posted.json()["errors"][0]["where"]) == (409, "body.scene")
    assert (await police.get("situation-reports", params={"scene": unknown})).status_code == 404
    assert (await police.get(f"situation-reports/{unknown}")).status_code == 404


async def test_only_county_board_police_and_the_scenes_own_board_publish(county: County):
    await county.incidents(9)
    for agency in ("skarholmen-trygghet", "lansstyrelsen-stockholm", "polismyndigheten"):
        await county.publish(by=county.app.client(agency))
    others = (
        "sodermalm-trygghet",
        "botkyrka-trygghet",
        "skarholmen-socialtjanst",
        "trafikforvaltningen",
        "centrumagaren",
    )
    for agency in others:
        await county.publish(by=county.app.client(agency), expect=403)
    await county.publish(by=county.app.client("polismyndigheten", scopes=["read"]), expect=403)
    assert len(await county.listed(edition="all")) == 3


async def test_the_mapping_and_the_survey_of_the_period_stand_in_the_edition(county: County):
    path = f"scenes/{county.scene['id']}/mappings"
    for day, use in (("2026-09-10", "Genomgång"), ("2026-06-01", "För tidig"), ("2026-10-02", "För sen")):
        answer = await county.police.post(path, json=MAPPING | {"mappedOn": day, "use": use})
        assert answer.status_code == 201, answer.text
    board = county.app.client("skarholmen-trygghet")
    methods = (await board.get("interventions")).json()["items"]
    ended, ongoing = methods[0]["slug"], methods[1]["slug"]

    async def answer_survey(period: str, *given: dict[str, Any]) -> None:
        sent = {"scene": county.scene["id"], "period": period, "interventions": list(given)}
        headers = {"Idempotency-Key": f'"{uuid.uuid4()}"'}
        answer = await board.post("intervention-surveys", json=sent, headers=headers)
        assert answer.status_code == 201, answer.text
        county.app.clock.at = moment("2026-11-21T12:01:00+01:00")

    await answer_survey("2026-Q3", {"intervention": ended, "status": "ongoing", "startedOn": "2026-02-01"})
    await answer_survey(
        "2026",
        {"intervention": ended, "status": "ended", "startedOn": "2026-02-01", "endedOn": "2026-08-01"},
        {"intervention": ongoing, "status": "ongoing", "startedOn": "2026-03-01", "partners": ["Ägaren"]},
    )
    await answer_survey("2026-Q4", {"intervention": methods[2]["slug"], "status": "ongoing"})
    report = await county.publish()
    assert report["use"] == "Genomgång"
    assert report["hotspots"] == MAPPING["hotspots"]
    assert [(one["count"], one["hidden"]) for one in report["affected"]] == [(12, False), (None, True)]
    assert [(one["intervention"], one["agency"]) for one in report["interventions"]] == [
        (ongoing, "skarholmen-trygghet")
    ]
    assert report["interventions"][0]["partners"] == ["Ägaren"]


async def test_police_work_goes_to_the_police_for_a_purpose_and_to_nobody_else(county: County):
    await county.police.post(f"scenes/{county.scene['id']}/mappings", json=MAPPING)
    path = f"situation-reports/{(await county.publish())['id']}"
    purpose = {"Purpose": "prevent-crime"}

    whole = await county.police.get(path, headers=purpose)
    assert whole.json()["policeWork"] == MAPPING["policeWork"]
    assert whole.json()["_meta"]["disclosure"]["receipt"]
    assert "no-store" in whole.headers["cache-control"]
    assert "etag" not in whole.headers

    without = await county.police.get(path)
    assert [(one["field"], one["reason"]) for one in without.json()["_meta"]["disclosure"]["withheld"]] == [
        ("policeWork", "no-purpose")
    ]
    assert "receipt" not in without.json()["_meta"]["disclosure"]
    again = await county.police.get(path, headers={"If-None-Match": without.headers["etag"]})
    assert again.status_code == 304

    for agency in ("skarholmen-trygghet", "lansstyrelsen-stockholm", "skarholmen-socialtjanst"):
        with county.app.database.recorder.recording() as statements:
            other = await county.app.client(agency, headers=purpose).get(path)
        assert "policeWork" not in other.json()
        assert "HEMLIGT" not in other.text
        withheld = other.json()["_meta"]["disclosure"]["withheld"][0]
        assert (withheld["field"], withheld["secrecy"], withheld["holderSector"]) == (
            "policeWork",
            ["osl-18-1"],
            "police",
        )
        assert other.json()["_meta"]["disclosure"]["receipt"]
        assert not [one for one in statements if "police_work" in one]


async def test_a_withheld_field_cannot_be_sorted_by(county: County):
    await county.publish()
    board = county.app.client("skarholmen-trygghet", headers={"Purpose": "prevent-crime"})
    refused = await board.get("situation-reports", params={"sort": "policeWork"})
    assert refused.status_code == 403
    assert "18 kap. 1 §" in refused.json()["detail"]


async def test_reports_are_found_by_place_and_period(county: County):
    report = await county.publish()
    reader = county.app.client("region-stockholm-vard")
    for query, found in (
        ({"district": "Skärholmen"}, 1),
        ({"district": "Södermalm"}, 0),
        ({"municipality": "0180"}, 1),
        ({"municipality": "0127"}, 0),
        ({"county": "01"}, 1),
        ({"county": "01", "period": "2026-Q3"}, 1),
        ({"period": "2026"}, 0),
        ({"scene": report["scene"], "period": "2026-Q3", "edition": "all"}, 1),
    ):
        answer = await reader.get("situation-reports", params=query)
        assert answer.status_code == 200
        assert answer.json()["_meta"]["totalRecords"] == found == len(answer.json()["items"]), query
    for query in ({"county": "02"}, {"period": "2026-Q5"}, {"edition": "first"}):
        assert (await reader.get("situation-reports", params=query)).status_code == 422
    assert (await reader.get("situation-reports", params={"policeWork": "x"})).status_code == 400


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("application/*;q=0.1, text/html", 200),
        ("text/csv", 406),
        ("application/geo+json, application/pdf;q=0.5", 406),
        ("application/json;q=0, */*", 406),
    ],
)
async def test_what_has_no_representation_is_refused_with_what_there_is(app: App, accept: str, status: int):
    answer = await app.client("polismyndigheten").get("situation-reports", headers={"Accept": accept})
    assert answer.status_code == status
    if status == 406:
        assert answer.json()["available"] == ["application/json"]


async def test_a_refused_edition_leaves_nothing_behind(county: County):
    await county.publish("2027", expect=409)
    await county.publish(by=county.app.client("sodermalm-trygghet"), expect=403)
    assert await county.app.rows("SELECT id FROM situation_reports") == []
