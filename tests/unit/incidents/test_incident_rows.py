"""What one row must hold, and that a schema's word is kept by the check."""

import json
from datetime import UTC, datetime, timedelta

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.incidents.feed_row import RowFault
from api.incidents.rows import check_row
from api.incidents.schemas import IncidentRow, request_body

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
GOOD = {
    "incidentId": "A",
    "occurredAt": "2026-11-20T13:00:00+01:00",
    "stopId": "9091001000009289",
    "category": "theft",
    "mode": "bus",
    "severity": 1,
    "revision": 0,
}
_SCHEMA = jsonschema_rs.Draft202012Validator(IncidentRow.model_json_schema(by_alias=True))


def test_row_of_this_very_moment_is_good_and_one_second_later_is_not():
    assert check_row(GOOD, 1, NOW)[0] == 1
    assert check_row(GOOD, 1, NOW - timedelta(seconds=1)).field == "occurredAt"


def test_time_is_kept_as_an_instant():
    assert check_row(GOOD, 1, NOW)[3] == NOW


@settings(max_examples=400, deadline=None, print_blob=True)
@given(
    st.sampled_from([*GOOD, "line", "withdrawn", "other"]),
    st.none()
    | st.booleans()
    | st.integers(-3, 6)
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["9" * 16, "9" * 17, "x" * 41, "x" * 101, "2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "bus"]),
)
def test_check_accepts_what_the_schema_accepts_and_nothing_else(name, value):
    row = GOOD | {name: value}
    assert isinstance(check_row(row, 1, NOW), RowFault) is not _SCHEMA.is_valid(row)


@pytest.mark.parametrize("name", GOOD)
def test_missing_field_is_named(name):
    fault = check_row({key: value for key, value in GOOD.items() if key != name}, 1, NOW)
    assert (fault.field, "is missing" in fault.reason) == (name, True)


def test_first_fault_is_named_and_the_others_counted():
    fault = check_row(GOOD | {"severity": 9, "mode": "x", "line": 3}, 1, NOW)
    assert fault.field == "mode"
    assert "2 more" in fault.reason


@pytest.mark.parametrize(
    "stop", [9091001000009289, 9.091001000009289e15, "9.09E+15", "9,091E+15", "9.091001000009289e+15"]
)
def test_stop_that_was_once_a_number_is_told_that_digits_are_lost(stop):
    assert "lost precision" in check_row(GOOD | {"stopId": stop}, 1, NOW).reason


def test_reason_never_repeats_more_than_a_glimpse_of_what_was_sent():
    fault = check_row(GOOD | {"category": "x" * 500, "y" * 500: 1}, 1, NOW)
    assert len(fault.reason) < 400
    assert len(check_row(GOOD | {"y" * 500: 1}, 1, NOW).field) <= 60


def test_every_example_of_the_contract_follows_its_schema():
    content = request_body()["content"]
    for media_type in ("application/json", "text/csv"):
        schema = content[media_type]["schema"]
        jsonschema_rs.validate(schema, schema["example"])
    line = content["application/x-ndjson"]["schema"]["description"].partition("Example: ")[2]
    assert _SCHEMA.is_valid(json.loads(line))
