"""Files of places, clean and dirty: what becomes a record, what is reported, what refuses the whole file."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.places.geometry import to_metres
from api.places.importers import (
    READERS,
    ImportFileError,
    ImportResult,
    RowProblem,
    Station,
    merge_municipalities,
    merge_stations,
    mode_of_file,
    read_crime_counts,
    read_districts,
    read_municipalities,
    read_schools,
    read_stations,
    slugify,
)

SCHOOL_HEADER = (
    "school_unit_code,name,municipality_code,district,lat,lon,sweref99_n,sweref99_e,"
    "school_forms,school_years,is_grundskola,source,coord_status"
)
GOOD_SCHOOL = '80509560,Grimstaskolan,0114,,59.507203,17.907781,6600131,664561,fsk|gr,"1,2,3",1,register,ok'


def schools(*lines: str, header: str = SCHOOL_HEADER, encoding: str = "utf-8") -> ImportResult[Any]:
    return read_schools(io.BytesIO("\n".join([header, *lines, ""]).encode(encoding)))


def stations(text: str, mode: str | None = None) -> ImportResult[Station]:
    return read_stations(io.BytesIO(text.encode()), mode)


def refused(reader: Any, raw: bytes) -> str:
    with pytest.raises(ImportFileError) as caught:
        reader(io.BytesIO(raw))
    assert caught.value.hint
    return caught.value.what


def test_clean_row_becomes_a_whole_record() -> None:
    result = schools(GOOD_SCHOOL)
    (school,) = result.records
    assert result.problems == ()
    assert (school.source_id, school.municipality_code, school.district) == ("80509560", "0114", None)
    assert school.position == to_metres(17.907781, 59.507203)
    assert (school.school_forms, school.years, school.is_primary) == (("fsk", "gr"), (1, 2, 3), True)


@pytest.mark.parametrize(
    ("given_row", "field", "reason", "kept"),
    [
        (GOOD_SCHOOL.replace("ok", "outside-municipality"), "coord_status", "outside-municipality", True),
        (GOOD_SCHOOL.replace("59.507203,17.907781", "17.907781,59.507203"), "lat", "swapped", True),
        (GOOD_SCHOOL.replace("59.507203", "49.507203"), "lat", "outside Sweden", True),
        (GOOD_SCHOOL.replace("59.507203", "north"), "lat", "not a number", True),
        (GOOD_SCHOOL.replace("59.507203", '"59.507,203"'), "lat", "not a number", True),
        (GOOD_SCHOOL.replace("59.507203", ""), "lat", "empty", True),
        (GOOD_SCHOOL.replace("6600131", "6600231"), "sweref99_n", "from lat and lon", True),
        (GOOD_SCHOOL.replace("6600131", '"6,600,131"'), "sweref99_n", "not a number", True),
        (GOOD_SCHOOL.replace("80509560", "8.05E+07"), "school_unit_code", "spreadsheet", False),
        (GOOD_SCHOOL.replace("80509560", "8050956"), "school_unit_code", "eight digits", False),
        (GOOD_SCHOOL.replace("Grimstaskolan", ""), "name", "empty", False),
        (GOOD_SCHOOL.replace("Grimstaskolan", "Grim\0sta"), "name", "NUL", False),
        (GOOD_SCHOOL.replace("Grimstaskolan", "G" * 2001), "name", "longer", False),
        (GOOD_SCHOOL.replace("Grimstaskolan", '"Grimsta'), "", "quotation", False),
        (GOOD_SCHOOL.replace("Grimstaskolan", '"Grimsta"skolan'), "", "quotation", False),
        (GOOD_SCHOOL.replace("0114", "Upplands Väsby"), "municipality_code", "four digits", False),
        (GOOD_SCHOOL + ",more", "", "14 cells", False),
        ("80509560,Grimstaskolan", "", "2 cells", False),
        ("G" * 70_000, "", "longer", False),
    ],
)
def test_dirty_row_is_reported_and_costs_no_other_row(given_row: str, field: str, reason: str, *, kept: bool) -> None:
    before, after = GOOD_SCHOOL.replace("80509560", "10000001"), GOOD_SCHOOL.replace("80509560", "10000002")
    result = schools(before, given_row, after)
    (problem,) = result.problems
    assert (problem.row, problem.field, problem.kept) == (3, field, kept)
    assert reason in problem.reason
    ids = [school.source_id for school in result.records]
    assert ids == (["10000001", "80509560", "10000002"] if kept else ["10000001", "10000002"])
    if kept:
        assert result.records[1].position is None
        assert result.records[1].coord_status != "ok"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_bom_line_ends_delimiter_and_stray_spaces_change_nothing(line_end: str) -> None:
    expected = schools(GOOD_SCHOOL).records
    cells = [" " + cell + "  " for cell in next(csv.reader([GOOD_SCHOOL]))]
    lines = [SCHOOL_HEADER.upper().replace(",", " ; "), ";".join(cells), ";" * 12, ""]
    result = read_schools(io.BytesIO(line_end.join(lines).encode("utf-8-sig")))
    assert result.records == expected
    assert result.problems == ()


def test_decimal_comma_is_read_where_it_can_mean_one_thing_only() -> None:
    row = GOOD_SCHOOL.replace("59.507203", '"59,507203"').replace("6600131", '"6600131,4"')
    assert schools(row).records == schools(GOOD_SCHOOL).records


def test_latin_1_is_read_and_reported() -> None:
    result = schools(GOOD_SCHOOL.replace("Grimsta", "Åkerö"), encoding="iso-8859-1")
    assert result.records[0].name == "Åkeröskolan"
    assert result.problems == (RowProblem(0, "", "is not UTF-8; read as ISO-8859-1: check å, ä and ö", kept=True),)


def test_a_file_of_two_encodings_is_refused_rather_than_garbled() -> None:
    raw = f"{SCHOOL_HEADER}\n{GOOD_SCHOOL}\n".encode()
    raw += GOOD_SCHOOL.replace("Grimsta", "Åkerö").encode() + b"\n" + GOOD_SCHOOL.encode() + b"\xe5\n"
    assert "UTF-8 in one place" in refused(read_schools, raw)


def test_a_lost_leading_zero_is_put_back_and_reported() -> None:
    result = schools(GOOD_SCHOOL.replace("0114", "114"))
    assert result.records[0].municipality_code == "0114"
    assert [(problem.field, problem.kept) for problem in result.problems] == [("municipality_code", True)]


def test_position_in_metres_only_is_placed() -> None:
    (school,) = schools(GOOD_SCHOOL.replace("59.507203,17.907781", ",")).records
    assert (school.position, school.coord_status) == ((664561.0, 6600131.0), "ok")


def test_missing_code_gives_an_id_that_is_stable_and_tells_names_apart() -> None:
    rows = [GOOD_SCHOOL.replace("80509560", "").replace("Grimstaskolan", name) for name in ("Åsö skola", "Aso skola")]
    first, second = (school.source_id for school in schools(*rows).records)
    assert first != second
    assert [school.source_id for school in schools(*reversed(rows)).records] == [second, first]
    assert first.startswith("register-aso-skola-")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("fsk|gr,F-3,", ((0, 1, 2, 3), True)),
        ('gr,"9,7,8",', ((7, 8, 9), True)),
        ("gy,,", ((), False)),
        (",,", ((), None)),
        (",,0", ((), False)),
        ("gr,,1", ((), True)),
    ],
)
def test_school_is_primary_only_where_the_file_tells(cells: str, expected: tuple[Any, Any]) -> None:
    result = schools(f"12345678,A,0114,,59.5,17.9,,,{cells},x,ok")
    assert result.problems == ()
    assert (result.records[0].years, result.records[0].is_primary) == expected


def test_last_of_two_rows_with_the_same_id_wins_and_is_reported() -> None:
    result = schools(GOOD_SCHOOL, GOOD_SCHOOL.replace("Grimstaskolan", "Nya Grimstaskolan"))
    assert [school.name for school in result.records] == ["Nya Grimstaskolan"]
    assert result.problems == (RowProblem(3, "", "replaces row 2: same key", kept=True),)


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_wrong_columns_refuse_the_file_naming_them(reader: Any) -> None:
    assert "lacks the columns" in refused(reader, b"a,b\n1,2\n")
    assert "lacks the columns" in refused(reader, b'{"type": "FeatureCollection", "features": []}')
    assert "empty" in refused(reader, b"")


def test_missing_columns_are_named() -> None:
    what = refused(read_stations, b"site_gid,lat\n9091001000009192,59.3\n")
    assert what == "the file lacks the columns station or name"
    assert refused(read_schools, b"school_unit_code,name,lat\n") == "the file lacks the columns municipality_code, lon"
    assert "twice" in refused(read_municipalities, b"name,municipality_code,Name\n")


@pytest.mark.parametrize(
    "raw", ["a,b\n1,2".encode("utf-16"), "a,b\n1,2".encode("utf-16-le"), b"\x89PNG\r\n\x1a\n\0\0", b'{"type": ', b"[]"]
)
def test_a_file_that_is_no_table_is_refused(raw: bytes) -> None:
    refused(read_schools, raw)
    refused(read_municipalities, raw)


def test_an_unreadable_stream_is_refused_without_its_error() -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError("/secret/path")

    with pytest.raises(ImportFileError) as caught:
        read_schools(Broken())  # type: ignore[arg-type]
    assert "/secret" not in str(caught.value)


STATION_HEADER = "station,site_id,site_gid,lat,lon\n"


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ("Slussen,9192,9.091E+15,59.3203,18.0724", "site_gid", "spreadsheet"),
        ('Slussen,9192,"9,091001E+15",59.3203,18.0724', "site_gid", "spreadsheet"),
        ("Slussen,9192,9091001000009190,59.3203,18.0724", "site_gid", "does not belong to site 9192"),
        ("Slussen,,9192,59.3203,18.0724", "site_gid", "not an SL site id"),
        ("Slussen,,9021001000009192,59.3203,18.0724", "site_gid", "not an SL site id"),
        (",9192,9091001000009192,59.3203,18.0724", "station", "empty"),
    ],
)
def test_station_with_a_damaged_id_is_reported_and_left_out(row: str, field: str, reason: str) -> None:
    result = stations(STATION_HEADER + row)
    assert result.records == ()
    (problem,) = result.problems
    assert (problem.row, problem.field, problem.kept) == (2, field, False)
    assert reason in problem.reason


def test_ids_rounded_by_a_spreadsheet_refuse_the_file() -> None:
    rows = "".join(f"9091001000009{n:03d},A\n" for n in range(100, 200, 10))
    assert "rounded" in refused(read_stations, f"site_gid,name\n{rows}".encode())
    assert len(stations(f"site_gid,name\n{rows}9091001000009192,B\n").records) == 11


def test_mode_comes_from_the_row_then_the_caller_then_the_columns() -> None:
    with_mode = "stop_id,name,mode\n9091001000009192,Slussen,commuter-rail|metro\n9091001000009193,B,\n"
    first, second = stations(with_mode, "bus").records
    assert (first.modes, first.mode, second.modes) == (("metro", "commuter-rail"), "metro", ("bus",))
    metro = stations("station,site_gid,line_colour\nSlussen,9091001000009192,red\n")
    assert metro.records[0].mode == "metro"
    assert stations("station,site_gid\nSlussen,9091001000009192\n").records[0].mode is None
    assert stations(with_mode.replace("commuter-rail|", "zeppelin|")).problems[0].field == "mode"
    with pytest.raises(ImportFileError):
        stations(with_mode, "zeppelin")


def test_file_name_tells_the_mode() -> None:
    assert mode_of_file("/x/commuter_rail_stations.csv") == "commuter-rail"
    assert mode_of_file("metro_stations.csv") == "metro"
    assert mode_of_file("sl_sites.csv") is None
    assert mode_of_file("business.csv") is None


station_records = st.builds(
    Station,
    stop_id=st.sampled_from(["9091001000009192", "9091001000009193"]),
    name=st.sampled_from(["A", "B", "C"]),
    modes=st.sampled_from([(), ("metro",), ("commuter-rail",)]),
    position=st.none() | st.sampled_from([(1.0, 1.0), (2.0, 2.0)]),
    municipality_code=st.none() | st.sampled_from(["0180", "0183"]),
    source=st.none(),
)


@given(files=st.lists(st.lists(station_records, max_size=4), max_size=4))
def test_merging_never_erases_a_position_and_the_latest_one_wins(files: list[list[Station]]) -> None:
    merged: tuple[Station, ...] = ()
    for file in files:
        merged = merge_stations(merged, file)
    given_stations = [station for file in files for station in file]
    assert {station.stop_id for station in merged} == {station.stop_id for station in given_stations}
    for station in merged:
        same = [other for other in given_stations if other.stop_id == station.stop_id]
        placed = [other for other in same if other.position is not None]
        assert station.position == (placed[-1].position if placed else None)
        assert station.name == (placed or same)[-1].name
        assert set(station.modes) == {mode for other in same for mode in other.modes}


def test_two_rows_of_one_station_are_joined_and_reported() -> None:
    result = stations(
        STATION_HEADER + "Slussen,9192,9091001000009192,59.3203,18.0724\nSlussen,9192,9091001000009192,,\n"
    )
    assert result.records[0].position == to_metres(18.0724, 59.3203)
    assert len(result.problems) == 1


SQUARE = [[17.8, 59.2], [17.8, 59.3], [17.9, 59.3], [17.9, 59.2], [17.8, 59.2]]
HOLE = [[17.84, 59.24], [17.86, 59.24], [17.86, 59.26], [17.84, 59.26], [17.84, 59.24]]


def features(*pairs: tuple[Any, Any]) -> io.BytesIO:
    collection = [{"type": "Feature", "properties": properties, "geometry": geometry} for properties, geometry in pairs]
    return io.BytesIO(json.dumps({"type": "FeatureCollection", "features": collection}).encode())


def test_geojson_borders_are_normalised() -> None:
    properties = {"municipality_code": "0114", "name": "A"}
    (area,) = read_municipalities(features((properties, {"type": "Polygon", "coordinates": [SQUARE, HOLE]}))).records
    assert area.geometry == {"type": "Polygon", "coordinates": [SQUARE[::-1], HOLE[::-1]]}
    multi = {"type": "MultiPolygon", "coordinates": [[SQUARE]]}
    (area,) = read_municipalities(features((properties, multi))).records
    assert area.geometry == {"type": "MultiPolygon", "coordinates": [[SQUARE[::-1]]]}


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Polygon", "coordinates": [[[59.2, 17.8], [59.3, 17.8], [59.3, 17.9], [59.2, 17.8]]]},
        {"type": "Polygon", "coordinates": [[SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3], SQUARE[0]]]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Point", "coordinates": [17.8, 59.2]},
        "nonsense",
    ],
)
def test_impossible_border_is_reported_and_the_area_kept_without_it(geometry: Any) -> None:
    result = read_districts(features(({"municipality_code": 180, "name": "Järva"}, geometry)))
    assert [(area.name, area.municipality_code, area.geometry) for area in result.records] == [("Järva", "0180", None)]
    assert [problem.kept for problem in result.problems] == [True, True]


def test_feature_without_properties_is_reported() -> None:
    result = read_municipalities(features((None, None), ({"municipality_code": "0114", "name": "A"}, None)))
    assert [area.code for area in result.records] == ["0114"]
    assert [(problem.row, problem.kept) for problem in result.problems] == [(1, False)]


def test_later_file_fills_gaps_and_erases_nothing() -> None:
    named = read_municipalities(
        io.BytesIO(b"municipality_code,name,police_area,local_police_area\n0114,A,Nord,Sollentuna\n")
    )
    drawn = read_municipalities(
        features(({"municipality_code": "0114", "name": "A"}, {"type": "Polygon", "coordinates": [SQUARE]}))
    )
    for first, second in ((named, drawn), (drawn, named)):
        (area,) = merge_municipalities(first.records, second.records)
        assert (area.local_police_area, area.geometry is not None) == ("Sollentuna", True)


def test_shared_police_area_is_left_out_and_reported() -> None:
    result = read_districts(io.BytesIO(b"district,municipality_code,local_police_area\nA,0180,Globen / Farsta\n"))
    assert result.records[0].local_police_area is None
    assert result.problems[0].field == "local_police_area"


COUNT_HEADER = "area_type,area,month,group,count\n"


@pytest.mark.parametrize(
    ("cell", "count"), [("0", 0), ("412", 412), ("..", None), ("XX", None), ("xx", None), ("", None)]
)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_withheld_count_is_not_zero(cell: str, count: int | None, delimiter: str) -> None:
    text = f"{COUNT_HEADER}local-police-area,Skärholmen,2023-11,narcotics,{cell}\n".replace(",", delimiter)
    result = read_crime_counts(io.BytesIO(text.encode()))
    (record,) = result.records
    assert result.problems == ()
    assert (record.count, record.withheld) == (count, count is None)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("county,01,2023-11,narcotics,4", "area_type"),
        ("municipality,Stockholm,2023-11,narcotics,4", "area"),
        ("municipality,0180,2023-13,narcotics,4", "month"),
        ("municipality,0180,2023-1,narcotics,4", "month"),
        ("municipality,0180,nov 2023,narcotics,4", "month"),
        ("municipality,0180,2023-11,Narkotika brott,4", "group"),
        ("municipality,0180,2023-11,narcotics,-4", "count"),
        ("municipality,0180,2023-11,narcotics,4.5", "count"),
        ('municipality,0180,2023-11,narcotics,"4,5"', "count"),
        ("municipality,0180,2023-11,narcotics,cirka 4", "count"),
        ("municipality,0180,2023-11,narcotics,٤", "count"),
    ],
)
def test_wrong_count_row_is_reported_and_left_out(row: str, field: str) -> None:
    result = read_crime_counts(io.BytesIO((COUNT_HEADER + row).encode()))
    assert result.records == ()
    assert [(problem.row, problem.field, problem.kept) for problem in result.problems] == [(2, field, False)]


def test_corrected_count_replaces_the_earlier_row() -> None:
    row = "municipality,0180,2023-11,narcotics,"
    result = read_crime_counts(io.BytesIO(f"{COUNT_HEADER}{row}4\n{row}5\n".encode()))
    assert [record.count for record in result.records] == [5]
    assert len(result.problems) == 1


def test_slug_is_plain() -> None:
    assert slugify("Enskede-Årsta-Vantör") == "enskede-arsta-vantor"
    assert slugify(" Upplands  Väsby ") == "upplands-vasby"


HEADERS = {
    "schools": SCHOOL_HEADER,
    "stations": "station,site_id,site_gid,lat,lon,mode,municipality_code",
    "municipalities": "municipality_code,name,police_area,local_police_area",
    "districts": "district,municipality_code,local_police_area",
    "crime-counts": COUNT_HEADER.strip(),
}
cells = st.sampled_from(
    [
        "",
        "0180",
        "180",
        "9091001000009192",
        "9.09E+15",
        "59.3",
        "59,3",
        "18.07",
        "..",
        "2023-11",
        "metro",
        '"',
        "\0",
        "å",
        "-",
        "1e999",
    ]
) | st.text(max_size=8)


@settings(max_examples=300)
@given(
    kind=st.sampled_from(sorted(READERS)),
    rows=st.lists(st.lists(cells, max_size=14), max_size=6),
    delimiter=st.sampled_from([",", ";"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "iso-8859-1", "utf-16"]),
)
def test_every_line_becomes_a_record_or_a_problem(
    kind: str, rows: list[list[str]], delimiter: str, encoding: str
) -> None:
    lines = [HEADERS[kind].replace(",", delimiter), *(delimiter.join(row) for row in rows)]
    raw = "\n".join(lines).encode(encoding, "replace")
    try:
        result = READERS[kind](io.BytesIO(raw))
    except ImportFileError:
        return
    blank = delimiter + " \t\r\n"
    told = [line for line in io.StringIO(raw.decode(encoding), newline="") if line.strip(blank + "\ufeff")][1:]
    lost = {problem.row for problem in result.problems if not problem.kept}
    replaced = sum("replaces row" in problem.reason for problem in result.problems)
    assert len(result.records) + len(lost) + replaced == len(told)


@settings(max_examples=200)
@given(kind=st.sampled_from(sorted(READERS)), raw=st.binary(max_size=200), with_header=st.booleans())
def test_no_bytes_raise_anything_but_a_file_error(kind: str, raw: bytes, *, with_header: bool) -> None:
    start = (HEADERS[kind] + "\n").encode() if with_header else b""
    try:
        result = READERS[kind](io.BytesIO(start + raw))
    except ImportFileError:
        return
    assert result.kind == kind


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(
    properties=json_values,
    geometry=json_values,
    coordinates=json_values,
    kind=st.sampled_from(["Polygon", "MultiPolygon"]),
)
def test_no_geojson_raises_anything_but_a_file_error(
    properties: Any, geometry: Any, coordinates: Any, kind: str
) -> None:
    known = {"municipality_code": "0180", "name": "A"}
    for reader in (read_municipalities, read_districts):
        result = reader(
            features((properties, geometry), (known, geometry), (known, {"type": kind, "coordinates": coordinates}))
        )
        assert len(result.records) == 1


@pytest.mark.parametrize("shift", range(4))
def test_encoding_is_told_over_the_whole_file(shift: int) -> None:
    filler = "".join(f"{n:08d},Skola,0114,,59.5,17.9,,,,,,x,ok\n" for n in range(5000))
    swedish = GOOD_SCHOOL.replace("Grimsta", "Å" * 200)
    for lines in ((swedish, filler), (filler, swedish)):
        text = "\n".join([SCHOOL_HEADER, "x" * shift, *lines])
        as_utf8, as_latin_1 = (read_schools(io.BytesIO(text.encode(code))) for code in ("utf-8", "iso-8859-1"))
        assert as_utf8.records == as_latin_1.records
        assert len(as_utf8.records) == 5001
        assert [problem.row for problem in as_latin_1.problems if problem.kept] == [0]
        assert not any(problem.kept for problem in as_utf8.problems)
