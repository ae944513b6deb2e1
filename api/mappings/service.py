"""What can be done with mappings. Callers open the transaction; nothing here commits."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from unicodedata import normalize
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.asking import Asking
from api.disclosure.selection import FieldWanted, Selection, every_field
from api.errors import Fault, Problem, not_found
from api.mappings.repository import MAPPINGS, add_mapping, distances_to_scene
from api.mappings.schemas import AffectedIn, HotspotIn, MappingIn
from api.places.geometry import DEGREE_DECIMALS, in_sweden, looks_swapped, pg_point, to_metres
from api.protection.suppress import hide_small
from api.scenes.repository import find_scene
from api.scenes.service import require_sector

WRITING_SECTORS = frozenset({"police", "municipal-safety"})
_HOTSPOT_METRES = 2000

Filters = tuple[tuple[str, Any], ...]
Sort = tuple[tuple[str, bool], ...]


def require_writer(who: Asking) -> None:
    """Let only these sectors with the scope `write:mappings` write. Raises `Problem` 403."""
    who.caller.require("write:mappings")
    require_sector(who, WRITING_SECTORS, "mappings")


def mappings(filters: Filters, sort: Sort, offset: int, limit: int) -> Selection:
    """The selection of a list of mappings."""
    return Selection(MAPPINGS, every_field(MAPPINGS), filters, sort, offset, limit)


def one_mapping(mapping_id: UUID) -> Selection:
    """The selection of one mapping."""
    return Selection(MAPPINGS, every_field(MAPPINGS), (("id", mapping_id),), limit=1, total=False)


def mapping_known(mapping_id: UUID) -> Selection:
    """Whether there is such a mapping, as `scene_known`."""
    return Selection(MAPPINGS, (FieldWanted("id", "id"),), (("id", mapping_id),), limit=1, total=False)


def shown(affected: Sequence[AffectedIn]) -> list[dict[str, Any]]:
    """The groups as they may be served: counts of 1–4 hidden, zero and larger ones as they are."""
    return hide_small({**_group(entry), "count": entry.count} for entry in affected)


def _group(entry: AffectedIn) -> dict[str, Any]:
    return {"group": entry.group, "ageBand": entry.age_band, "sex": entry.sex}


async def create_mapping(
    connection: AsyncConnection,
    body: MappingIn,
    *,
    who: Asking,
    scene_id: UUID,
    mapping_id: UUID,
    now: datetime,
    today: date,
) -> None:
    """Store a mapping. Raises `Problem` 404 for the scene, 409 naming every contradiction; nothing is stored then."""
    scene = await find_scene(connection, scene_id)
    if scene is None:
        raise not_found("the scene")
    faults = [
        *_date_faults(body.mapped_on, scene.appeared_on, today),
        *_group_faults(body.affected),
        *_map_faults(body.hotspots),
    ]
    if body.hotspots and not faults:
        faults += await _distance_faults(connection, scene_id, body.hotspots)
    if faults:
        raise Problem("conflict", f"{faults[0].where}: {faults[0].what}", faults=faults)
    mapping = body.model_dump(exclude={"affected", "hotspots"})
    mapping |= {
        "id": mapping_id,
        "scene_id": scene_id,
        "mapped_by": who.agency.slug,
        "affected_counts": [{**_group(entry), "count": entry.count} for entry in body.affected],
        "affected": shown(body.affected),
        "hotspots": [_hotspot(hotspot) for hotspot in body.hotspots],
        "created_at": now,
    }
    await add_mapping(connection, mapping)


def _hotspot(hotspot: HotspotIn) -> dict[str, Any]:
    coordinates = [round(float(degrees), DEGREE_DECIMALS) for degrees in hotspot.position.coordinates]
    return {"name": hotspot.name, "position": {"type": "Point", "coordinates": coordinates}}


def _date_faults(mapped_on: date, appeared_on: date, today: date) -> Iterator[Fault]:
    if mapped_on > today:
        yield Fault("body.mappedOn", "lies in the future", "give the day the place was mapped")
    if mapped_on < appeared_on:
        yield Fault("body.mappedOn", "lies before the scene appeared", "check the date, or the scene's `appearedOn`")


def _group_faults(affected: Sequence[AffectedIn]) -> Iterator[Fault]:
    seen: dict[tuple[str, str, str], int] = {}
    for index, entry in enumerate(affected):
        first = seen.setdefault((_plain(entry.group), entry.age_band, entry.sex), index)
        if first != index:
            # INVARIANT: a group stands once, however it is spelled. Split in parts of 1–4 it would be hidden, its sum
            # would not.
            what = f"names the same group, age band and sex as affected[{first}]"
            yield Fault(f"body.affected[{index}]", what, "name each group once, with the sum")


def _plain(group: str) -> str:
    """A group's name without what the eye does not tell apart: case, spaces, composed or decomposed letters."""
    return " ".join(normalize("NFKC", group).casefold().split())


def _map_faults(hotspots: Sequence[HotspotIn]) -> Iterator[Fault]:
    for index, hotspot in enumerate(hotspots):
        where = f"body.hotspots[{index}].position.coordinates"
        lon, lat = hotspot.position.coordinates
        if looks_swapped(lon, lat):
            yield Fault(where, "lies outside Sweden; latitude came first", "send longitude first, then latitude")
        elif not in_sweden(lon, lat):
            yield Fault(where, "lies outside Sweden", "send longitude, latitude in degrees (CRS84)")


async def _distance_faults(connection: AsyncConnection, scene_id: UUID, hotspots: Sequence[HotspotIn]) -> list[Fault]:
    points = [pg_point(to_metres(*hotspot.position.coordinates)) for hotspot in hotspots]
    distances = await distances_to_scene(connection, scene_id, points)
    return [
        Fault(
            f"body.hotspots[{index}].position.coordinates",
            f"lies {metres / 1000:.1f} km from the scene; a hotspot lies inside it or next to it",
            "check the position and the scene",
        )
        for index, metres in enumerate(distances)
        if metres > _HOTSPOT_METRES
    ]
