"""The demo's figures, recomputed from its rows: they must be those of the papers."""

import itertools
from collections import Counter
from datetime import date

import pytest
import shapely

from api.demo import DATA, DemoScene, demo_outline, demo_scenes
from api.places.geometry import distance_m, parse_outline, to_metres
from api.places.importers import (
    READERS,
    ImportResult,
    read_districts,
    read_municipalities,
    read_schools,
    read_stations,
)

SCENES = demo_scenes()
NAMED = {
    "Vårberg": "Skärholmen",
    "Skärholmen": "Skärholmen",
    "Bredäng": "Skärholmen",
    "Sätra": "Skärholmen",
    "Västra Södermalm": "Södermalm",
    "Centrala Södermalm": "Södermalm",
    "Mariakvarteren": "Södermalm",
}
NEAR_M = 500
FAR_M = 600


def load(kind: str) -> ImportResult:
    with (DATA / f"{kind}.csv").open("rb") as file:
        return READERS[kind](file)


SCHOOLS = load("schools").records
STATIONS = load("stations").records


def ring(scene: DemoScene) -> tuple[tuple[float, float], ...]:
    return parse_outline(scene.outline()).metres


def nearest_primary_school(scene: DemoScene) -> float:
    return min(distance_m(ring(scene), school.position) for school in SCHOOLS if school.is_primary and school.position)


def active_on(day: date) -> list[DemoScene]:
    return [s for s in SCENES if s.appeared_on <= day and (s.closed_on is None or s.closed_on > day)]


def test_every_file_is_read_without_a_problem() -> None:
    for kind in ("schools", "stations", "municipalities", "districts"):
        assert load(kind).problems == (), kind


def test_63_scenes_in_2023_and_53_in_8_municipalities_in_february_2024() -> None:
    before = Counter(scene.municipality_code for scene in active_on(date(2022, 12, 31)))
    after = Counter(scene.municipality_code for scene in active_on(date(2024, 2, 20)))
    spread = {
        "0180": 31,
        "0181": 11,
        "0127": 5,
        "0136": 4,
        "0126": 3,
        "0184": 3,
        "0123": 2,
        "0183": 2,
        "0163": 1,
        "0182": 1,
    }
    assert before == spread
    assert before.total() == len(SCENES) == 63
    assert after == {"0180": 26, "0181": 10, "0127": 4, "0126": 3, "0136": 3, "0184": 3, "0123": 2, "0183": 2}
    assert (after.total(), len(after)) == (53, 8)


def test_ten_closed_and_none_new_in_2023() -> None:
    closed = [scene for scene in SCENES if scene.closed_on is not None]
    assert len(closed) == 10
    assert {scene.closed_on.year for scene in closed if scene.closed_on} == {2023}
    assert len({scene.closed_on.month for scene in closed if scene.closed_on}) >= 9
    assert max(scene.closed_on for scene in closed if scene.closed_on).month == 12
    assert all(date(2017, 1, 1) <= scene.appeared_on < date(2023, 1, 1) for scene in SCENES)
    assert all(scene.fictional for scene in closed)


def test_24_of_the_31_scenes_in_the_city_have_a_primary_school_within_500_m() -> None:
    in_the_city = [scene for scene in SCENES if scene.municipality_code == "0180"]
    distances = {scene.name: nearest_primary_school(scene) for scene in in_the_city}
    near = {name for name, metres in distances.items() if metres <= NEAR_M}
    assert (len(distances), len(near)) == (31, 24)
    assert all(metres >= FAR_M for name, metres in distances.items() if name not in near)
    assert set(NAMED) <= near


def test_other_kinds_of_school_would_change_the_figure() -> None:
    without = [s for s in SCENES if s.municipality_code == "0180" and nearest_primary_school(s) > NEAR_M]
    others = [school for school in SCHOOLS if not school.is_primary]
    assert any(distance_m(ring(scene), school.position) <= NEAR_M for scene in without for school in others)


def test_scenes_elsewhere_are_of_both_kinds_and_some_have_several_schools() -> None:
    elsewhere = [nearest_primary_school(scene) for scene in SCENES if scene.municipality_code != "0180"]
    assert any(metres <= NEAR_M for metres in elsewhere)
    assert any(metres >= FAR_M for metres in elsewhere)
    assert not any(NEAR_M < metres < FAR_M for metres in elsewhere)
    primary = [school.position for school in SCHOOLS if school.is_primary]
    assert any(sum(distance_m(ring(scene), place) <= NEAR_M for place in primary) > 1 for scene in SCENES)


def test_only_the_named_places_are_real_and_everything_else_says_so() -> None:
    assert {scene.name: scene.district for scene in SCENES if not scene.fictional} == NAMED
    assert all(
        scene.name.startswith("Fiktiv scen ") and scene.source == "fictional" for scene in SCENES if scene.fictional
    )
    assert all("2024" in scene.source for scene in SCENES if not scene.fictional)
    assert len({scene.name for scene in SCENES}) == len(SCENES)
    assert all(school.name.endswith("(fiktiv)") and school.source == "fictional" for school in SCHOOLS)
    assert all(school.source_id.startswith("demo-school-") for school in SCHOOLS)


def test_fictional_scenes_lie_800_m_from_every_other() -> None:
    for one, other in itertools.combinations(SCENES, 2):
        apart = shapely.Point(to_metres(one.lon, one.lat)).distance(shapely.Point(to_metres(other.lon, other.lat)))
        if one.fictional or other.fictional:
            assert apart >= 800, (one.name, other.name)
        assert apart > one.radius_m + other.radius_m, (one.name, other.name)


def test_scenes_at_a_station_lie_within_150_m_of_one() -> None:
    for scene in SCENES:
        if "station" in scene.environment:
            assert min(distance_m(ring(scene), station.position) for station in STATIONS) <= 150, scene.name


def test_rows_use_known_words_and_areas() -> None:
    with (DATA / "districts.csv").open("rb") as file:
        districts = {area.name: area for area in read_districts(file).records}
    with (DATA / "municipalities.csv").open("rb") as file:
        municipalities = {area.code: area for area in read_municipalities(file).records}
    assert (len(districts), len(municipalities)) == (11, 26)
    for scene in SCENES:
        assert set(scene.environment) <= {"park", "station", "residential", "square"}
        assert scene.setting in {"suburb", "city", "vulnerable-area"}
        assert 60 <= scene.radius_m <= 150
        area = districts[scene.district] if scene.district else municipalities[scene.municipality_code]
        assert (scene.district is not None) == (scene.municipality_code == "0180")
        assert area.local_police_area in {scene.local_police_area, None}
    for place in (*SCHOOLS, *STATIONS):
        assert place.municipality_code in municipalities
    assert {school.district for school in SCHOOLS} <= {None, *districts}
    assert {scene.district for scene in SCENES} == {None, *districts}


def test_district_slugs_are_those_of_the_agencies() -> None:
    with (DATA / "districts.csv").open("rb") as file:
        slugs = {area.slug for area in read_districts(file).records}
    text = (DATA / "districts.csv").read_text(encoding="utf-8")
    assert {line.split(",")[1] for line in text.splitlines()[1:]} == slugs
    assert {"skarholmen", "sodermalm", "enskede-arsta-vantor"} <= slugs


def test_stations_carry_text_ids_and_positions() -> None:
    assert len(STATIONS) >= 40
    assert {mode for station in STATIONS for mode in station.modes} == {"metro", "commuter-rail"}
    assert all(len(station.stop_id) == 16 and station.position for station in STATIONS)
    bredang = next(station for station in STATIONS if station.name == "Bredäng")
    assert bredang.stop_id == "9091001000009289"


@pytest.mark.parametrize("radius", [60, 150])
def test_demo_outline_is_a_regular_polygon_of_16_corners(radius: int) -> None:
    outline = parse_outline(demo_outline(59.2757, 17.8895, radius))
    assert len(outline.degrees) == 17
    centre = shapely.Point(to_metres(17.8895, 59.2757))
    assert all(abs(centre.distance(shapely.Point(corner)) - radius) < 0.01 for corner in outline.metres)
    assert demo_outline(59.2757, 17.8895, radius) == outline.as_geojson()


def test_readers_of_single_kinds_are_those_of_the_command_line() -> None:
    assert READERS["schools"] is read_schools
    assert READERS["stations"] is read_stations
