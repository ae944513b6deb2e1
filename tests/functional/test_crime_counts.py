"""Crime counts: all of a delivery or none of it, the same again changes nothing, small counts are never shown."""

import io
from typing import Any

import pytest

from api.places.import_counts import read_crime_counts
from api.reports.counts.repository import store_crime_counts
from tests.support import App

pytestmark = pytest.mark.asyncio(loop_scope="session")


def row(count: int | None = 41, **changes: Any) -> dict[str, Any]:
    found = {"areaType": "local-police-area", "area": "Skärholmen", "month": "2026-09", "group": "narcotics"}
    return found | {"count": count} | changes


async def send(app: App, *rows: dict[str, Any], agency: str = "polismyndigheten", **claims: Any) -> Any:
    return await app.client(agency, **claims).post("crime-counts", json={"counts": list(rows)})


async def listed(app: App, **query: Any) -> list[dict[str, Any]]:
    answer = await app.client("skarholmen-trygghet").get("crime-counts", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_counts_are_stored_once_and_replaced_by_key(app: App):
    first = await send(app, row(41), row(17, group="violence"))
    assert first.json() == {"received": 2, "added": 2, "updated": 0, "unchanged": 0}
    again = await send(app, row(41), row(18, group="violence"))
    assert again.json() == {"received": 2, "added": 0, "updated": 1, "unchanged": 1}
    assert await listed(app, month="2026-09", group="violence") == [row(18, group="violence", withheld=False)]


async def test_counts_of_one_to_four_are_never_shown(app: App):
    await send(
        app, *(row(count, month=f"2026-0{count + 1}", group="theft") for count in range(6)), row(None, group="theft")
    )
    shown = {one["month"]: (one["count"], one["withheld"]) for one in await listed(app, group="theft")}
    assert shown == {
        "2026-01": (0, False),
        **{f"2026-0{month}": (None, True) for month in range(2, 6)},
        "2026-06": (5, False),
        "2026-09": (None, True),
    }


async def test_a_count_can_be_neither_filtered_nor_sorted_by(app: App):
    client = app.client("polismyndigheten")
    assert (await client.get("crime-counts", params={"count": 3})).status_code == 400
    assert (await client.get("crime-counts", params={"sort": "count"})).status_code == 422


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        (row(area="Ingenstans"), "body.counts[1].area"),
        (row(areaType="municipality", area="0190"), "body.counts[1].area"),
        (row(month="2099-01"), "body.counts[1].month"),
        (row(9, group="vandalism"), "body.counts[1]"),
    ],
)
async def test_one_row_that_contradicts_what_is_known_refuses_all(app: App, bad: dict[str, Any], where: str):
    before = await app.rows("SELECT * FROM crime_counts")
    answer = await send(app, row(7, group="vandalism"), bad)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["where"] == where
    assert await app.rows("SELECT * FROM crime_counts") == before


@pytest.mark.parametrize(
    "bad",
    [row("41"), row(-1), row(4.5), row(True), row(month="2026-13"), row(group="Narkotika"), row(areaType="county"),
     row(extra=1), {"area": "Skärholmen"}],
)  # fmt: skip
async def test_a_row_off_the_schema_is_refused(app: App, bad: dict[str, Any]):
    assert (await send(app, bad)).status_code == 422


async def test_only_the_police_with_the_scope_store_counts(app: App):
    assert (await send(app, row(), agency="lansstyrelsen-stockholm")).status_code == 403
    assert (await send(app, row(), scopes=["read"])).status_code == 403


async def test_an_import_stores_what_the_file_says_and_twice_the_same(app: App):
    lines = (
        "area_type,area,month,group,count",
        "municipality,0180,2025-11,narcotics,412",
        "municipality,0180,2025-12,narcotics,..",
    )
    rows = read_crime_counts(io.BytesIO("\n".join(lines).encode())).records
    for added, unchanged in ((2, 0), (0, 2)):
        async with app.database.transaction() as connection:
            stored = await store_crime_counts(connection, rows)
        assert (stored.added, stored.updated, stored.unchanged) == (added, 0, unchanged)
    shown = await listed(app, area="0180")
    assert [(one["month"], one["count"], one["withheld"]) for one in shown] == [
        ("2025-12", None, True),
        ("2025-11", 412, False),
    ]
