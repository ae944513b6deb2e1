import re
from datetime import UTC, date, datetime, timedelta

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from api.web.datatypes import DATE_PATTERN, Body, Flag, Out, Slug, StrictDate, StrictDateTime, Text, Whole, camel

LINE, LINES = Text(20), Text(20, lines=True)
TYPES = {"date": StrictDate, "time": StrictDateTime, "slug": Slug, "line": LINE, "lines": LINES}
ADAPTERS = {name: TypeAdapter(kind) for name, kind in TYPES.items()}
SCHEMAS = {
    name: jsonschema_rs.Draft202012Validator(adapter.json_schema(), validate_formats=True)
    for name, adapter in ADAPTERS.items()
}


def accepts(name, value):
    try:
        ADAPTERS[name].validate_python(value)
    except ValidationError:
        return False
    return True


_NEAR = st.one_of(
    st.from_regex(r"\A[12][0-9]{3}-[01][0-9]-[0-3][0-9]\Z"),
    st.from_regex(
        r"\A[12][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,7})?(Z|[+-][0-9]{2}:[0-9]{2})?\Z"
    ),
    st.dates(date(1890, 1, 1), date(2110, 1, 1)).map(str),
    st.datetimes(datetime(1890, 1, 1), datetime(2110, 1, 1)).map(lambda t: t.isoformat() + "+01:00"),  # noqa: DTZ001
    st.from_regex(r"\A[a-z0-9-]{0,70}\Z"),
    st.text(st.characters(codec="utf-8"), max_size=25),
    st.text(st.sampled_from("aÅ\t\n\r\0\x7f\x85\u202e\u2028 -"), max_size=25),
)


@settings(max_examples=600, print_blob=True)
@given(_NEAR)
def test_type_accepts_exactly_what_its_schema_allows(text):
    for name, schema in SCHEMAS.items():
        assert accepts(name, text) == schema.is_valid(text), (name, text)


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.integers()), st.binary()))
def test_only_texts_are_taken(value):
    for name in TYPES:
        assert not accepts(name, value)


@pytest.mark.parametrize(
    "value",
    [
        "2023-02-29",
        "1900-02-29",
        "2100-02-29",
        "1899-12-31",
        "2101-01-01",
        "2026-11-20T00:00:00Z",
        "20261120",
        "2026-W47-5",
        "2026-11-20\n",
        "２026-11-20",
        "0",
    ],
)
def test_other_dates_are_refused(value):
    assert not accepts("date", value)


def test_pattern_alone_knows_the_calendar():
    # A contract test may generate from the pattern and leave the format aside.
    written = {f"{year}-{month:02}-{day:02}" for year in range(1895, 2106) for month in range(14) for day in range(33)}
    calendar = {str(date(1900, 1, 1) + timedelta(days=n)) for n in range((date(2101, 1, 1) - date(1900, 1, 1)).days)}
    assert {text for text in written if re.search(DATE_PATTERN, text)} == calendar


@pytest.mark.parametrize("value", ["1900-01-01", "2000-02-29", "2024-02-29", "2100-12-31"])
def test_days_within_the_years_are_dates(value):
    assert ADAPTERS["date"].validate_python(value) == date.fromisoformat(value)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-20T08:30:00",
        "2026-11-20",
        "2026-11-20T08:30Z",
        "2026-11-20 08:30:00Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T08:30:60Z",
        "1732091400",
        "2026-11-20T8:30:00Z",
        "2026-11-20T08:30:00+24:00",
    ],
)
def test_other_times_are_refused(value):
    assert not accepts("time", value)


def test_time_is_utc_inside_and_out():
    adapter = ADAPTERS["time"]
    value = adapter.validate_python("2026-11-20T08:30:00.5+01:00")
    assert value == datetime(2026, 11, 20, 7, 30, 0, 500_000, UTC)
    assert adapter.dump_json(value) == b'"2026-11-20T07:30:00.500000Z"'


def test_text_is_kept_but_for_one_spelling_of_each_letter():
    assert ADAPTERS["line"].validate_python("  Va\u030arberg ") == "  Vårberg "


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x0b", "\x0c", "\x7f", "\x9b", "\u202e", "\u2066"])
def test_control_characters_are_refused(character):
    assert not accepts("line", f"a{character}")
    assert not accepts("lines", f"a{character}")


def test_line_breaks_only_where_lines_are_meant():
    assert accepts("lines", "a\n\tb")
    assert not accepts("line", "a\nb")
    assert not accepts("line", "a\r\nb")
    assert not accepts("line", "a\r")
    assert not accepts("line", "a\tb")


def test_line_ends_are_kept_in_one_spelling_whatever_the_sender_works_on():
    assert ADAPTERS["lines"].validate_python("a\r\nb\rc\n\r\nd") == "a\nb\nc\n\nd"


class Thing(Body):
    many: int = Field(default=0, ge=0)
    share: float = 0
    sure: bool = False
    within_500m: str = ""


@pytest.mark.parametrize(
    "content",
    [
        {"many": "1"},
        {"many": True},
        {"many": 1.5},
        {"share": "0,5"},
        {"share": "0.5"},
        {"share": True},
        {"share": float("nan")},
        {"sure": 1},
        {"sure": "true"},
        {"within500m": 5},
        {"within_500m": "x"},
        {"other": 1},
        {"many": None},
    ],
)
def test_body_takes_nothing_for_something_else(content):
    with pytest.raises(ValidationError):
        Thing.model_validate(content)


def test_names_are_camel_case_on_the_wire():
    assert Thing.model_validate({"within500m": "x", "share": 1}).within_500m == "x"
    assert [camel(name) for name in ("schools_within_500m", "id", "particularly_exposed_for_youth")] == [
        "schoolsWithin500m",
        "id",
        "particularlyExposedForYouth",
    ]

    class Answer(Out):
        born_on: StrictDate

    assert Answer(born_on="2001-02-03").model_dump_json() == '{"bornOn":"2001-02-03"}'


def test_query_values_are_read_strictly():
    whole, flag = TypeAdapter(Whole), TypeAdapter(Flag)
    assert [whole.validate_python(text) for text in ("0", "-5", "007", "3.0")] == [0, -5, 7, 3]
    assert [flag.validate_python(text) for text in ("true", "false")] == [True, False]
    for text in ("", " 1", "1_0", "1e3", "1.5", "٣", "9" * 30):
        with pytest.raises(ValidationError):
            whole.validate_python(text)
    for text in ("1", "yes", "True", "on", ""):
        with pytest.raises(ValidationError):
            flag.validate_python(text)
