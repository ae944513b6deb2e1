"""Publishing situation reports. The caller opens the transaction; nothing here commits."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.asking import AgencyRef, Asking
from api.errors import Problem, conflict
from api.protection.suppress import Shown
from api.protection.threshold import Threshold, threshold_on
from api.reports import building, editions
from api.reports.editions import Edition
from api.reports.periods import SWEDEN, Period
from api.reports.repository import (
    add_report,
    count_incidents,
    editions_around,
    interventions_under_way,
    mapping_by,
    neighbours,
    outline_on,
    stations_near,
    take_turn,
)
from api.scenes.repository import lock_scene
from api.scenes.service import require_sector

PUBLISHING_SECTORS = frozenset({"county-board", "police", "municipal-safety"})


async def publish(
    connection: AsyncConnection, *, scene: UUID, period: str, who: Asking, report_id: UUID, now: datetime
) -> None:
    """Compute and store the next edition of a scene's report. Raises `Problem` 403 or 409; nothing is stored then."""
    require_sector(who, PUBLISHING_SECTORS, "situation reports")
    await _publish(connection, scene, Period.parse(period), who=who, report_id=report_id, now=now)


async def _publish(
    connection: AsyncConnection, scene_id: UUID, period: Period, *, who: Asking, report_id: UUID, now: datetime
) -> None:
    today = now.astimezone(SWEDEN).date()
    if period.start > today:
        raise conflict("body.period", f"`{period.label}` has not begun", "publish a period that has begun or ended")
    await take_turn(connection)
    scene = await lock_scene(connection, scene_id)
    if scene is None:
        raise conflict("body.scene", "no such scene", "give the id of a scene of GET /scenes")
    _require_board_of(who.agency, scene)
    through = min(period.until - timedelta(days=1), today)
    outline = await outline_on(connection, scene.id, through)
    if outline is None or (scene.closed_on is not None and scene.closed_on <= period.start):
        raise conflict("body.period", f"the scene was not open in `{period.label}`", "publish a period it was open in")
    earlier = await editions_around(connection, scene.id, period.year)
    editions.check_granularity(earlier, period)
    threshold = threshold_on(today)
    provisional = period.until > today
    tables = await _tables(connection, scene.id, period, earlier, threshold, now)
    own, others = await neighbours(connection, scene.id, period.start, period.until)
    previous: Shown | None = Shown(None)
    if editions.can_be_subtracted(own, others, period):
        tables = building.hidden_tables([])
    else:
        previous = await _year_before(connection, scene, period, earlier, threshold)
    mapping = await mapping_by(connection, scene.id, through)
    newest = editions.latest_of(earlier, period)
    await add_report(
        connection,
        {
            "id": report_id,
            "scene_id": scene.id,
            "period": period.label,
            "edition": newest.number + 1 if newest else 1,
            "published_at": now,
            "published_by": who.agency.slug,
            "what": building.what(scene, tables),
            "where_": building.where(scene, outline, await stations_near(connection, outline.id)),
            "when_": building.when(tables, period.start, through, provisional=provisional),
            "affected": mapping.affected if mapping else [],
            "hotspots": mapping.hotspots if mapping else [],
            "physical_place": mapping.physical_place if mapping else None,
            "use": mapping.use if mapping else None,
            "substances": mapping.substances if mapping else [],
            "time_pattern": mapping.time_pattern if mapping else None,
            "interventions": await interventions_under_way(connection, scene.id, period.overlapping()),
            "trend": building.trend(tables.total, period.year_before().label, previous, provisional=provisional),
            "police_work": mapping.police_work if mapping else None,
            "protection": building.protection(threshold),
        },
    )


def _require_board_of(agency: AgencyRef, scene: Any) -> None:
    """Of the municipal-safety agencies only the scene's own may publish. Raises `Problem` 403."""
    if agency.sector != "municipal-safety":
        return
    if agency.municipality != scene.municipality or agency.district not in (None, scene.district):
        raise Problem(
            "forbidden",
            f"`{agency.slug}` is not the board of this scene; its own board, the police or the county board publish it",
        )


async def _tables(
    connection: AsyncConnection,
    scene_id: UUID,
    period: Period,
    earlier: list[Edition],
    threshold: Threshold,
    now: datetime,
) -> building.Tables:
    first, after = period.instants()
    counts = await count_incidents(connection, scene_id, first, min(after, now))
    kept = editions.keep_hidden(earlier, period, building.exact_cells(counts), threshold.events)
    return building.protected_tables(counts, threshold, kept)


async def _year_before(
    connection: AsyncConnection, scene: Any, period: Period, earlier: list[Edition], threshold: Threshold
) -> Shown | None:
    """The total of the same period of the year before, as it is or would be published; None: nothing to compare."""
    before = period.year_before()
    if scene.appeared_on >= before.until:
        return None
    if not editions.may_show_year_before(earlier, period):
        return Shown(None)
    published = editions.latest_of(earlier, before)
    if published is not None:
        return Shown(published.total)
    counts = await count_incidents(connection, scene.id, *before.instants())
    return building.protected_tables(counts, threshold, {}).total
