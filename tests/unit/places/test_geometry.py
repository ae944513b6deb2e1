"""Outlines and positions: what is accepted, what is refused and with which words."""

import json
import math
import threading
from typing import Any

import jsonschema_rs
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from api.places.geometry import (
    MAX_POSITIONS,
    OUTLINE_SCHEMA,
    GeometryError,
    counter_clockwise,
    distance_m,
    in_sweden,
    looks_swapped,
    parse_outline,
    pg_point,
    to_degrees,
    to_metres,
)

SQUARE = [[17.8890, 59.2750], [17.8910, 59.2750], [17.8910, 59.2760], [17.8890, 59.2760], [17.8890, 59.2750]]

inside_lon = st.integers(140_000_000, 185_000_000).map(lambda n: n / 1e7)
inside_lat = st.integers(560_000_000, 655_000_000).map(lambda n: n / 1e7)


def polygon(ring: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [ring]}


def refused(value: Any, where: str = "outline") -> GeometryError:
    with pytest.raises(GeometryError) as caught:
        parse_outline(value, where)
    return caught.value


@st.composite
def star_rings(draw: st.DrawFn) -> list[list[float]]:
    """A closed ring that goes once round its centre, so it cannot cross itself; either direction."""
    lon, lat = draw(inside_lon), draw(inside_lat)
    count = draw(st.integers(3, 12))
    radii = draw(st.lists(st.floats(30, 900), min_size=count, max_size=count))
    turn = draw(st.floats(0, 6))
    east, north = to_metres(lon, lat)
    ring = [
        list(
            to_degrees(
                east + r * math.cos(turn + i * math.tau / count), north + r * math.sin(turn + i * math.tau / count)
            )
        )
        for i, r in enumerate(radii)
    ]
    ring.append(ring[0])
    return ring[::-1] if draw(st.booleans()) else ring


@given(lon=inside_lon, lat=inside_lat)
def test_seven_decimals_come_back_unchanged_through_metres(lon: float, lat: float) -> None:
    assert to_degrees(*to_metres(lon, lat)) == (lon, lat)


@given(lon=inside_lon, lat=inside_lat)
def test_metres_come_back_within_what_seven_decimals_can_say(lon: float, lat: float) -> None:
    east, north = to_metres(lon, lat)
    again = to_metres(*to_degrees(east, north))
    assert math.dist((east, north), again) <= 0.007


def test_positions_agree_with_the_national_projection() -> None:
    # The central meridian lies at easting 500 000; elsewhere the register's own pair for one school, to its metre.
    assert to_metres(15.0, 59.0)[0] == 500_000.0
    assert math.dist(to_metres(17.907781, 59.507203), (664561, 6600131)) < 1


def test_conversion_answers_the_same_in_every_thread() -> None:
    answers: list[tuple[float, float]] = []
    threads = [threading.Thread(target=lambda: answers.append(to_metres(18.06, 59.33))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [to_metres(18.06, 59.33)] * 8


@given(ring=star_rings())
def test_accepted_outline_is_valid_closed_and_counter_clockwise(ring: list[list[float]]) -> None:
    outline = parse_outline(polygon(ring))
    for kept in (outline.degrees, outline.metres):
        assert kept[0] == kept[-1]
        assert shapely.LinearRing(kept).is_ccw
    assert shapely.Polygon(outline.metres).is_valid
    assert set(outline.degrees) == {tuple(position) for position in ring}
    assert outline.degrees[0] == tuple(ring[0])


@given(ring=star_rings())
def test_normalised_outline_is_its_own_normal_form(ring: list[list[float]]) -> None:
    outline = parse_outline(polygon(ring))
    assert parse_outline(json.loads(json.dumps(outline.as_geojson()))) == outline


@given(ring=star_rings())
def test_swapped_order_is_always_refused_and_named(ring: list[list[float]]) -> None:
    error = refused(polygon([[lat, lon] for lon, lat in ring]))
    assert error.kind == "fact"
    assert error.where == "outline.coordinates[0][0]"
    assert "latitude came first" in error.what


@given(lon=inside_lon, lat=inside_lat)
def test_no_place_in_sweden_looks_swapped(lon: float, lat: float) -> None:
    assert in_sweden(lon, lat)
    assert not looks_swapped(lon, lat)
    assert looks_swapped(lat, lon)


@given(
    lon=inside_lon,
    lat=inside_lat,
    width=st.floats(0.0005, 0.02),
    height=st.floats(0.0005, 0.02),
    lean=st.floats(-0.3, 0.3),
    start=st.integers(0, 3),
)
def test_bow_ties_are_always_refused_at_their_crossing(  # every argument is one drawn number
    lon: float, lat: float, width: float, height: float, lean: float, start: int
) -> None:
    corners = [[lon, lat], [lon + width, lat + height], [lon + width, lat + lean * height], [lon, lat + height]]
    corners = corners[start:] + corners[:start]
    error = refused(polygon([*corners, corners[0]]))
    assert error.kind == "fact"
    assert "crosses itself at [" in error.what
    x, y = (float(part) for part in error.what.rsplit("[", 1)[1].rstrip("]").split(","))
    assert lon - 1e-5 <= x <= lon + width + 1e-5
    assert lat - abs(lean) * height - 1e-5 <= y <= lat + height + 1e-5


@given(ring=star_rings(), shift=st.integers(0, 11), east=st.floats(-3000, 3000), north=st.floats(-3000, 3000))
def test_distance_does_not_depend_on_where_the_ring_starts_or_turns(
    ring: list[list[float]], shift: int, east: float, north: float
) -> None:
    metres = parse_outline(polygon(ring)).metres
    point = (metres[0][0] + east, metres[0][1] + north)
    open_ring = metres[:-1]
    shift %= len(open_ring)
    turned = open_ring[shift:] + open_ring[:shift]
    expected = distance_m(metres, point)
    assert distance_m((*turned, turned[0]), point) == pytest.approx(expected, abs=1e-6)
    assert distance_m(metres[::-1], point) == pytest.approx(expected, abs=1e-6)


def test_distance_is_zero_inside_and_metres_outside() -> None:
    ring = ((0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0), (0.0, 0.0))
    assert distance_m(ring, (50.0, 50.0)) == 0
    assert distance_m(ring, (100.0, 50.0)) == 0
    assert distance_m(ring, (130.0, 140.0)) == 50


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-200, 200)
    | st.floats(-200, 200)
    | st.sampled_from(["Polygon", "Feature", "59,27", 10**400]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["type", "coordinates", "crs", "geometry"]), inner, max_size=3)
    ),
    max_leaves=25,
)


@st.composite
def nearly_right(draw: st.DrawFn) -> Any:
    """An outline with one place of it replaced by junk."""
    value = polygon([list(position) for position in SQUARE])
    match draw(st.integers(0, 6)):
        case 0:
            value["type"] = draw(junk)
        case 1:
            value["coordinates"] = draw(junk)
        case 2:
            value["coordinates"][0] = draw(junk)
        case 3:
            value["coordinates"][0][draw(st.integers(0, 4))] = draw(junk)
        case 4:
            value["coordinates"][0][draw(st.integers(0, 4))][draw(st.integers(0, 1))] = draw(junk)
        case 5:
            value[draw(st.sampled_from(["crs", "bbox", "Type"]))] = draw(junk)
        case _:
            value["coordinates"].append(draw(junk))
    return value


@settings(max_examples=300)
@given(value=junk | nearly_right())
def test_schema_refusals_are_exactly_those_of_the_published_schema(value: Any) -> None:
    try:
        parse_outline(value)
        kind = None
    except GeometryError as error:
        kind = error.kind
    by_schema = not jsonschema_rs.Draft202012Validator(OUTLINE_SCHEMA).is_valid(value)
    assert (kind == "schema") == by_schema


@pytest.mark.parametrize(
    ("value", "where", "what"),
    [
        ({"type": "Feature", "geometry": polygon(SQUARE)}, "outline", "Feature"),
        ({"type": "MultiPolygon", "coordinates": [[SQUARE]]}, "outline.type", "not"),
        (polygon(SQUARE) | {"crs": {}}, "outline.crs", "not known"),
        ({"type": "Polygon", "coordinates": [SQUARE, SQUARE]}, "outline.coordinates[1]", "hole"),
        (polygon(SQUARE[:3]), "outline.coordinates[0]", "3 positions"),
        (polygon(SQUARE * 201), "outline.coordinates[0]", f"{MAX_POSITIONS}"),
        (polygon([[*SQUARE[0], 12.0], *SQUARE[1:]]), "outline.coordinates[0][0]", "third number"),
        (polygon([["17,889", 59.275], *SQUARE[1:]]), "outline.coordinates[0][0][0]", "not a number"),
        (polygon([[math.nan, 59.275], *SQUARE[1:]]), "outline.coordinates[0][0][0]", "not within"),
        (polygon([[math.inf, 59.275], *SQUARE[1:]]), "outline.coordinates[0][0][0]", "not within"),
        (polygon([[True, 59.275], *SQUARE[1:]]), "outline.coordinates[0][0][0]", "not a number"),
        (polygon([[664561, 6600131], *SQUARE[1:]]), "outline.coordinates[0][0][0]", "not within"),
    ],
)
def test_wrong_shape_is_refused_as_schema_naming_the_place(value: Any, where: str, what: str) -> None:
    error = refused(value)
    assert (error.kind, error.where) == ("schema", where)
    assert what in error.what
    assert error.hint


@pytest.mark.parametrize(
    ("ring", "where", "what"),
    [
        ([*SQUARE[:4], [17.889, 59.2751]], "outline.coordinates[0]", "not closed"),
        ([[2.35, 48.85], [2.36, 48.85], [2.36, 48.86], [2.35, 48.85]], "outline.coordinates[0][0]", "outside Sweden"),
        ([[24.1, 56.9], [24.11, 56.9], [24.11, 56.91], [24.1, 56.9]], "outline.coordinates[0][0]", "outside Sweden"),
        ([SQUARE[0], SQUARE[0], SQUARE[1], SQUARE[0]], "outline.coordinates[0]", "fewer than three"),
        ([[17.0, 59.0], [17.01, 59.0], [17.02, 59.0], [17.0, 59.0]], "outline.coordinates[0]", "no area"),
        ([[17.0, 59.0], [17.1, 59.0], [17.1, 59.1], [17.0, 59.1], [17.0, 59.0]], "outline.coordinates[0]", "km²"),
        (
            [[17.0, 59.0], [17.01, 59.01], [17.02, 59.0], [17.02, 59.02], [17.01, 59.01], [17.0, 59.02], [17.0, 59.0]],
            "outline.coordinates[0]",
            "itself at [17.01",
        ),
    ],
)
def test_contradicting_the_map_is_refused_as_fact(ring: list[list[float]], where: str, what: str) -> None:
    error = refused(polygon(ring))
    assert (error.kind, error.where) == ("fact", where)
    assert what in error.what
    assert error.hint


def test_a_single_position_outside_is_named() -> None:
    error = refused(polygon([*SQUARE[:2], [59.276, 17.891], *SQUARE[3:]]), "body.outline")
    assert error.where == "body.outline.coordinates[0][2]"


def test_repeated_neighbours_are_dropped() -> None:
    assert parse_outline(polygon([SQUARE[0], *SQUARE])) == parse_outline(polygon(SQUARE))


def test_postgres_text_has_every_corner_once_in_metres() -> None:
    outline = parse_outline(polygon(SQUARE))
    text = outline.as_pg_polygon()
    assert text.startswith("((")
    assert text.count("(") == 1 + 4
    assert [float(number) for number in text.strip("()").replace("),(", ",").split(",")] == [
        number for position in outline.metres[:-1] for number in position
    ]
    assert pg_point((674079.2566, 6580798.0)) == "(674079.257,6580798.000)"


def test_box_centre_and_area_belong_to_the_outline() -> None:
    outline = parse_outline(polygon(SQUARE))
    west, south, east, north = outline.bbox_metres
    assert outline.bbox_degrees == (17.889, 59.275, 17.891, 59.276)
    assert outline.area_m2 == pytest.approx((east - west) * (north - south), rel=0.1)
    assert distance_m(outline.metres, outline.centre_metres) == 0


@given(ring=star_rings())
def test_direction_does_not_change_the_positions(ring: list[list[float]]) -> None:
    given_ring = tuple((x, y) for x, y in ring)
    assume(given_ring[0] == given_ring[-1])
    turned = counter_clockwise(given_ring)
    assert turned in {given_ring, given_ring[::-1]}
    assert counter_clockwise(given_ring[::-1]) == turned
