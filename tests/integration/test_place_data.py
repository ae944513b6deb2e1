"""The readers against the open data beside the project, as it is, dirt and all."""

import itertools
import math
from collections import Counter
from pathlib import Path

import pytest
import shapely

from api.demo import DATA, demo_scenes
from api.places.geometry import to_metres
from api.places.importers import (
    ImportResult,
    School,
    Station,
    merge_districts,
    merge_municipalities,
    merge_stations,
    mode_of_file,
    read_districts,
    read_municipalities,
    read_schools,
    read_stations,
)

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the open data folder ../shared/data is not here")


def schools(name: str) -> ImportResult[School]:
    with (SHARED / name).open("rb") as file:
        return read_schools(file)


def stations(name: str) -> ImportResult[Station]:
    with (SHARED / name).open("rb") as file:
        return read_stations(file, mode_of_file(name))


def test_register_keeps_the_13_misplaced_schools_without_position() -> None:
    result = schools("schools_stockholm.csv")
    assert len(result.records) == 526
    assert Counter(school.coord_status for school in result.records) == {"ok": 513, "outside-municipality": 13}
    assert all((school.position is None) == (school.coord_status != "ok") for school in result.records)
    assert len(result.problems) == 13
    assert {(problem.field, problem.kept) for problem in result.problems} == {("coord_status", True)}
    assert all(school.is_primary and school.years for school in result.records)


def test_schools_of_all_three_files_have_ids_of_their_own() -> None:
    names = ("schools_stockholm.csv", "schools_stockholm_supplement.csv", "schools_stockholm_other_units.csv")
    results = [schools(name) for name in names]
    assert [len(result.records) for result in results] == [526, 60, 83]
    ids = [school.source_id for result in results for school in result.records]
    assert len(set(ids)) == len(ids)
    assert Counter(school.is_primary for result in results[1:] for school in result.records) == {None: 85, False: 58}
    assert [len(result.problems) for result in results[1:]] == [0, 0]


def test_a_station_whose_two_ids_disagree_is_left_out() -> None:
    result = stations("commuter_rail_stations.csv")
    assert len(result.records) == 46
    (problem,) = result.problems
    assert (problem.field, problem.kept) == ("site_gid", False)
    assert "does not belong to site 1079" in problem.reason


def test_files_of_stations_merge_in_any_order_without_losing_a_position() -> None:
    names = ("metro_stations.csv", "commuter_rail_stations.csv", "sl_sites.csv")
    files = {name: stations(name).records for name in names}
    placed = {station.stop_id for name in names[:2] for station in files[name]}
    for order in itertools.permutations(names):
        merged: tuple[Station, ...] = ()
        for name in order:
            merged = merge_stations(merged, files[name])
        assert {station.stop_id for station in merged if station.position is not None} == placed
        assert len(merged) == len({station.stop_id for file in files.values() for station in file})
        sundbyberg = next(station for station in merged if station.stop_id == "9091001000009325")
        assert sundbyberg.modes == ("metro", "commuter-rail")


def test_areas_read_from_tables_and_maps_are_the_same_areas() -> None:
    with (SHARED / "municipalities.csv").open("rb") as table, (SHARED / "municipalities.geojson").open("rb") as drawn:
        named, mapped = read_municipalities(table), read_municipalities(drawn)
    assert [problem.field for problem in named.problems] == ["police_area", "local_police_area"]
    assert mapped.problems == ()
    both = merge_municipalities(named.records, mapped.records)
    assert len(both) == 26
    assert all(area.geometry for area in both)
    assert {area.code for area in both if area.local_police_area is None} == {"0180"}
    with (SHARED / "districts.csv").open("rb") as table, (SHARED / "districts.geojson").open("rb") as drawn:
        districts = merge_districts(read_districts(table).records, read_districts(drawn).records)
    assert len(districts) == 11
    assert all(area.geometry for area in districts)


def test_demo_municipalities_and_districts_are_those_of_the_open_data() -> None:
    for name, reader in (("municipalities", read_municipalities), ("districts", read_districts)):
        with (SHARED / f"{name}.csv").open("rb") as shared, (DATA / f"{name}.csv").open("rb") as demo:
            assert set(reader(demo).records) == set(reader(shared).records)  # type: ignore[operator]


def test_demo_scenes_lie_in_the_district_or_municipality_they_name() -> None:
    with (SHARED / "districts.geojson").open("rb") as file:
        districts = {area.name: shapely.geometry.shape(area.geometry) for area in read_districts(file).records}
    with (SHARED / "municipalities.geojson").open("rb") as file:
        municipalities = {
            area.code: shapely.geometry.shape(area.geometry) for area in read_municipalities(file).records
        }
    for scene in demo_scenes():
        area = districts[scene.district] if scene.district else municipalities[scene.municipality_code]
        assert area.contains(shapely.geometry.shape(scene.outline())), scene.name


def test_demo_stations_lie_where_the_open_data_has_them() -> None:
    known = {
        station.stop_id: station
        for name in ("commuter_rail_stations.csv", "metro_stations.csv")
        for station in stations(name).records
    }
    with (DATA / "stations.csv").open("rb") as file:
        for station in read_stations(file).records:
            # The two sources behind the open data lie up to 585 m apart; the demo's positions follow the better one.
            assert station.position
            assert math.dist(station.position, known[station.stop_id].position or (0, 0)) < 400, station.name
    assert math.dist(to_metres(18.0734, 59.3143), known["9091001000009191"].position or (0, 0)) < 50
