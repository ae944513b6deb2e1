"""The demo's places: files in `data/` (see its README for fact and invention) and the scenes read from them.

`schools.csv`, `stations.csv`, `municipalities.csv` and `districts.csv` are read by `api.places.importers` like any
other file; `scenes.csv` is the demo's own.
"""

import csv
import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from api.places.geometry import to_degrees, to_metres

DATA = Path(__file__).parent / "data"

_CORNERS = 16


@dataclass(frozen=True, slots=True)
class DemoScene:
    """One row of `scenes.csv`: a scene (*öppen drogscen*), fictional or named in the seeds.

    `lat` and `lon` are the centre in degrees (CRS84); `radius_m` metres; `district` is None outside Stockholm;
    `closed_on` is None for a scene that is still there. `source` names the paper, or `fictional`.
    """

    name: str
    fictional: bool
    municipality_code: str
    district: str | None
    local_police_area: str
    environment: tuple[str, ...]
    setting: str
    lat: float
    lon: float
    radius_m: int
    appeared_on: date
    closed_on: date | None
    source: str

    def outline(self) -> dict[str, Any]:
        """The scene's outline as a GeoJSON Polygon in CRS84."""
        return demo_outline(self.lat, self.lon, self.radius_m)


def demo_outline(lat: float, lon: float, radius_m: float) -> dict[str, Any]:
    """A regular polygon of 16 corners round a centre in degrees, as a GeoJSON Polygon in CRS84.

    The corners lie `radius_m` metres (SWEREF 99 TM) from the centre; closed and counter-clockwise.
    """
    east, north = to_metres(lon, lat)
    turns = [corner * math.tau / _CORNERS for corner in range(_CORNERS)]
    ring = [list(to_degrees(east + radius_m * math.cos(turn), north + radius_m * math.sin(turn))) for turn in turns]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def demo_scenes() -> tuple[DemoScene, ...]:
    """The demo's 63 scenes, in the file's order."""
    with (DATA / "scenes.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_scene(row) for row in csv.DictReader(file))


def _scene(row: dict[str, str]) -> DemoScene:
    return DemoScene(
        name=row["name"],
        fictional=row["fictional"] == "1",
        municipality_code=row["municipality_code"],
        district=row["district"] or None,
        local_police_area=row["local_police_area"],
        environment=tuple(row["environment"].split("|")),
        setting=row["setting"],
        lat=float(row["lat"]),
        lon=float(row["lon"]),
        radius_m=int(row["radius_m"]),
        appeared_on=date.fromisoformat(row["appeared_on"]),
        closed_on=date.fromisoformat(row["closed_on"]) if row["closed_on"] else None,
        source=row["source"],
    )
