"""What can be done with scenes. Callers open the transaction; nothing here commits."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.asking import Asking
from api.disclosure.selection import FieldWanted, Selection, every_field
from api.errors import Fault, Problem, conflict, invalid, not_found
from api.places.geometry import GeometryError, Outline, parse_outline
from api.places.repository import SCHOOLS, district_exists, municipality_exists
from api.scenes.repository import (
    SCENES,
    add_scene,
    change_scene,
    lock_scene,
    refresh_neighbours,
    replace_outline,
)
from api.scenes.schemas import SceneIn, ScenePatch

WRITING_SECTORS = frozenset({"police", "municipal-safety"})


def require_sector(who: Asking, sectors: frozenset[str], what: str) -> None:
    """Let only agencies of these sectors write. Raises `Problem` 403."""
    if who.agency.sector not in sectors:
        raise Problem(
            "forbidden",
            f"{what} may be written by {', '.join(sorted(sectors))}; `{who.agency.slug}` is {who.agency.sector}",
        )


def scenes(
    filters: tuple[tuple[str, Any], ...], sort: tuple[tuple[str, bool], ...], offset: int, limit: int
) -> Selection:
    """The selection of a list of scenes."""
    return Selection(SCENES, every_field(SCENES), filters, sort, offset, limit)


def one_scene(scene_id: UUID) -> Selection:
    """The selection of one scene."""
    return Selection(SCENES, every_field(SCENES), (("id", scene_id),), limit=1, total=False)


def scene_known(scene_id: UUID) -> Selection:
    """Whether there is such a scene: its id alone, which every agency may have and no receipt is needed for."""
    return Selection(SCENES, (FieldWanted("id", "id"),), (("id", scene_id),), limit=1, total=False)


def schools_near(scene_id: UUID, within: int, offset: int, limit: int) -> Selection:
    """The selection of schools within so many metres of a scene's outline."""
    return Selection(SCHOOLS, every_field(SCHOOLS), (("near", (scene_id, within)),), (), offset, limit)


def read_outline(value: Any, where: str) -> Outline:
    """Check an outline. Raises `Problem` 422 for its shape and 409 for what the map contradicts."""
    try:
        return parse_outline(value, where)
    except GeometryError as error:
        refuse = invalid if error.kind == "schema" else conflict
        raise refuse(error.where, error.what, error.hint) from None


def require_writer(who: Asking) -> None:
    """Let only these sectors with the scope `write:scenes` write. Raises `Problem` 403."""
    who.caller.require("write:scenes")
    require_sector(who, WRITING_SECTORS, "scenes")


async def create_scene(
    connection: AsyncConnection, body: SceneIn, *, who: Asking, scene_id: UUID, outline_id: UUID, now: datetime,
    today: date, radius_m: int,
) -> None:  # fmt: skip
    """Store a scene. Raises `Problem` 403, 409 or 422; nothing is stored then."""
    outline = read_outline(body.outline, "body.outline")
    await _check_place(connection, body.municipality, body.district)
    _check_dates(body.status, body.appeared_on, body.closed_on, today)
    scene = body.model_dump(exclude={"outline", "status"})
    scene |= {
        "id": scene_id,
        "ending": None if body.status == "active" else body.status,
        "fictional": False,
        "version": 1,
        "created_by": who.agency.slug,
        "created_at": now,
        "updated_at": now,
    }
    await add_scene(connection, scene, _outline_row(outline, outline_id, scene_id, body.appeared_on))
    await refresh_neighbours(connection, radius_m=radius_m, scene_id=scene_id)


def _outline_row(outline: Outline, outline_id: UUID, scene_id: UUID, day: date) -> dict[str, Any]:
    return {
        "id": outline_id,
        "scene_id": scene_id,
        "outline": outline.as_pg_polygon(),
        "geojson": outline.as_geojson(),
        "valid_from": day,
        "until": None,
        "school_count": 0,
    }


async def lock_for_change(connection: AsyncConnection, scene_id: UUID) -> Any:
    """The scene, locked against other changes until the transaction ends. Raises `Problem` 404."""
    row = await lock_scene(connection, scene_id)
    if row is None:
        raise not_found("the scene")
    return row


async def patch_scene(
    connection: AsyncConnection, row: Any, body: ScenePatch, outline: Outline | None, *, outline_id: UUID,
    now: datetime, today: date, radius_m: int,
) -> None:  # fmt: skip
    """Change a locked scene. Raises `Problem` 409; nothing is changed then."""
    sent: Mapping[str, Any] = body.model_dump(exclude_unset=True)
    changes = {name: value for name, value in sent.items() if name not in {"status", "outline"}}
    status = sent.get("status", row.ending or "active")
    closed_on = sent.get("closed_on", row.closed_on)
    if {"status", "closed_on"} & set(sent):
        _check_dates(status, row.appeared_on, closed_on, today)
        changes |= {"ending": None if status == "active" else status, "closed_on": closed_on}
    if "district" in sent:
        await _check_place(connection, row.municipality, sent["district"])
    if outline is not None:
        await replace_outline(connection, _outline_row(outline, outline_id, row.id, today), today)
        await refresh_neighbours(connection, radius_m=radius_m, scene_id=row.id)
    await change_scene(connection, row.id, changes | {"updated_at": now})


async def _check_place(connection: AsyncConnection, municipality: str, district: str | None) -> None:
    if not await municipality_exists(connection, municipality):
        raise conflict(
            "body.municipality", f"`{municipality}` is no municipality of the county", "give its four-digit code"
        )
    if district is not None and not await district_exists(connection, district, municipality):
        raise conflict(
            "body.district",
            f"no such district in `{municipality}`",
            "give the district board's name as GET /agencies spells it, or leave it out",
        )


def _check_dates(status: str, appeared_on: date, closed_on: date | None, today: date) -> None:
    faults = []
    if appeared_on > today:
        faults.append(Fault("body.appearedOn", "lies in the future", "give the day the scene was first observed"))
    if closed_on is not None and closed_on > today:
        faults.append(Fault("body.closedOn", "lies in the future", "close the scene on the day it has ended"))
    if closed_on is not None and closed_on < appeared_on:
        faults.append(Fault("body.closedOn", "lies before `appearedOn`", "check both dates"))
    if (status == "active") != (closed_on is None):
        faults.append(
            Fault("body.status", f"`{status}` does not go with `closedOn`", "an ended scene has the day it ended")
        )
    if faults:
        raise Problem("conflict", f"{faults[0].where}: {faults[0].what}", faults=faults)
