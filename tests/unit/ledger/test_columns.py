"""What columns say beside entries is what the entries say; what is erased is covered by what the agency's log tells."""

import dataclasses
import json
from datetime import datetime
from uuid import UUID

import pytest

from api.ledger.columns import StoredPart, column_faults, erased_before
from api.ledger.leaves import canonical, microseconds

ROW, ALIAS, OTHER = (UUID(int=n) for n in (1, 2, 3))
GIVEN = {"kind": "answer", "agency": "giver", "recipient": "receiver", "items": {"individual": [str(ROW)]}}
RECEIVED = {"kind": "answer", "agency": "receiver", "items": {"individual": {"giver": [str(ALIAS)]}}}


def stored(slot, agency, role, entry, items, **changes):
    part = StoredPart(slot, agency, role, bytes(32), canonical(entry), items, bytes(32))
    return dataclasses.replace(part, **changes)


GIVER = stored(0, "giver", "giver", GIVEN, [ROW])
RECEIVER = stored(2, "receiver", "receiver", RECEIVED, [ALIAS])
GONE = {"salt": None, "entry": None, "items": None}


def faults(*parts):
    return list(column_faults(parts))


def test_columns_that_say_what_the_entries_say_are_no_fault():
    erased = dataclasses.replace(GIVER, **GONE)
    alone = stored(1, "giver", "receiver", {"kind": "extract", "agency": "giver", "items": {}}, None)
    step = stored(1, "receiver", "receiver", {"kind": "withdrawal", "agency": "receiver", "holder": "giver"}, None)
    for parts in ((GIVER, RECEIVER), (erased, RECEIVER), (alone,), (erased,)):
        assert faults(*parts) == []
    assert faults(step, stored(0, "giver", "giver", GIVEN, [ROW])) == []


def test_part_of_a_giver_that_does_not_say_whose_it_is_is_held_against_its_role_and_rows():
    entry = {name: value for name, value in GIVEN.items() if name != "agency"}
    old = stored(0, "giver", "giver", entry, [ROW])
    assert faults(old, RECEIVER) == []
    assert faults(dataclasses.replace(old, role="receiver"), RECEIVER) != []
    assert faults(dataclasses.replace(old, items=[OTHER]), RECEIVER) != []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"agency": "another"}, "its entry is of another agency"),
        ({"role": "receiver"}, "stands as that of a receiver"),
        ({"items": None}, "is found by other rows"),
        ({"items": [OTHER]}, "is found by other rows"),
        ({"items": [ROW, OTHER]}, "is found by other rows"),
        ({"salt": None, "entry": None}, "not all of it is gone"),
        ({"entry": None, "items": None}, "not all of it is gone"),
        ({"agency": "receiver"}, "two of its parts stand under one agency"),
        # Nothing is left of it but whose it is said to be, and the receiver knows better.
        ({"agency": "another"} | GONE, "an agency that its entries name has no part"),
    ],
)
def test_column_that_says_otherwise_is_named(change, fault):
    assert any(fault in one for one in faults(dataclasses.replace(GIVER, **change), RECEIVER))


@pytest.mark.parametrize(
    "entry",
    ["", "[]", "7", '{"items":7}', '{"items":["x"]}', '{"items":{"individual":{"giver":[null]}}}', '{"holder":[]}',
     '{"items":' + "[" * 100_000, '{"items":' + "[" * 500 + "7" + "]" * 500 + "}", '{"items":["' + str(ROW) + '"]}'],
    ids=lambda entry: entry[:20],
)  # fmt: skip
def test_entry_that_cannot_be_read_is_named_and_stops_nothing(entry):
    found = faults(dataclasses.replace(GIVER, entry=entry), dataclasses.replace(RECEIVER, role="giver"))
    assert "the entry of the part in slot 0 cannot be read" in found
    assert any("slot 2 stands as that of a giver" in one for one in found)


# --- erasure --------------------------------------------------------------------------------------------------------

NOON = "2026-11-21T12:00:00+00:00"
AT = microseconds(datetime.fromisoformat(NOON))
DAY = 86_400_000_000


def told(before=NOON, agency="giver", at=AT + DAY, **changes):
    entry = {"kind": "erasure", "of": "ledger", "agency": agency, "recordedBefore": before} | changes
    return agency, at, json.dumps(entry)


def test_largest_erasure_that_an_agency_tells_of_covers_what_is_older():
    earlier = "2026-10-21T12:00:00+00:00"
    assert erased_before([told(earlier), told(), told(earlier), told(earlier, "receiver")]) == {
        "giver": AT,
        "receiver": microseconds(datetime.fromisoformat(earlier)),
    }


def test_erasure_covers_nothing_that_came_after_it():
    assert erased_before([told("9999-12-31T00:00:00+00:00")]) == {"giver": AT + DAY}


@pytest.mark.parametrize(
    "changes",
    [{"kind": "extract"}, {"of": "individuals"}, {"recordedBefore": "2026-11-21T12:00:00"}, {"recordedBefore": 7},
     {"recordedBefore": "x"}],
    ids=str,
)  # fmt: skip
def test_what_is_no_erasure_of_the_ledger_covers_nothing(changes):
    assert erased_before([told(**changes)]) == {}


def test_entry_of_another_agency_and_one_that_cannot_be_read_cover_nothing():
    _, at, entry = told()
    assert erased_before([("receiver", at, entry), ("giver", at, "["), ("giver", at, "{}"), ("giver", at, "[]")]) == {}
