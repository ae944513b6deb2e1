"""The forms of an extract: what a cell may hold, whoever wrote it, and what a line says of an entry."""

import csv
import io
import uuid
from datetime import date
from typing import Any

import pytest

from api.audit.extract import COLUMNS, Event, as_csv, as_json, as_table, decisions_in, events, file_name
from api.audit.schemas import Days
from policies.catalogue import law

LAW = law()
AT = "2026-07-01T22:30:00.5+00:00"
MINE, OTHERS = str(uuid.uuid4()), str(uuid.uuid4())


def entry(**changes: Any) -> dict[str, Any]:
    """A giver's entry as the gate shows it."""
    return {
        "at": AT, "role": "giver", "kind": "answer", "recipient": "polisen", "subject": "handläggare",
        "subjectRole": None, "purpose": "prevent-crime", "legalBasis": None, "fields": None,
        "items": {"individual": [MINE]},
        "resources": [{"resource": "individual", "released": []}],
    } | changes  # fmt: skip


def released(*some: tuple[str, str, str | None]) -> list[dict[str, Any]]:
    return [{"resource": "individual", "released": [list(one) for one in some]}]


def line(row: dict[str, Any], named: dict[uuid.UUID, set[uuid.UUID]] | None = None) -> Event:
    (event,) = events([row], named or {}, {"polisen": "Polismyndigheten"}, LAW)
    return event


def table(**changes: Any) -> list[Any]:
    return list(as_table([line(entry(**changes))], LAW))


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
def test_cell_that_a_spreadsheet_would_reckon_with_is_made_a_text(begins: str):
    made = as_csv(table(subject=f"{begins}HYPERLINK()", subjectRole="a=b"))
    (header, row) = list(csv.reader(io.StringIO(made, newline=""), strict=True))
    assert tuple(header) == COLUMNS
    assert row[3] == f"'{begins}HYPERLINK()"
    assert row[4] == "a=b"


def test_times_of_the_table_are_swedish():
    assert table()[0][0] == "2026-07-02 00:30:00"


def test_names_are_in_plain_swedish_and_what_has_no_name_stands_as_it_is():
    decision = str(uuid.uuid4())
    some = released(("name", "osl-10-18a", decision), ("shoeSize", "osl-99", decision))
    row = table(resources=some, purpose="unheard-of", recipient="okand")[0]
    assert row[1:] == (
        "uppgift lämnad till annan myndighet", "namn, shoeSize", "handläggare", "", "okand", "unheard-of",
        "10 kap. 18 a § OSL",
    )  # fmt: skip


def test_what_a_decision_about_others_opened_is_left_out_and_what_is_off_record_is_not():
    about_me, about_others, gone = (str(uuid.uuid4()) for _ in range(3))
    some = released(
        ("name", "osl-10-18a", about_me), ("contact", "osl-10-15a", about_others), ("sex", "osl-10-27", gone)
    )
    row = entry(resources=some, items={"individual": [MINE, OTHERS]})
    assert decisions_in([row]) == {uuid.UUID(one) for one in (about_me, about_others, gone)}
    named = {uuid.UUID(about_me): {uuid.UUID(MINE)}, uuid.UUID(about_others): set()}
    event = line(row, named)
    assert event.fields == ("name", "sex")
    assert [identity for identity, _ in event.provisions] == ["osl-10-18a", "osl-10-27"]


def test_decision_about_another_row_of_the_person_opened_nothing_here():
    decision, elsewhere = uuid.uuid4(), uuid.uuid4()
    row = entry(resources=released(("name", "osl-10-18a", str(decision))))
    assert line(row, {decision: {elsewhere}}).fields == ()


def test_own_reading_tells_the_own_fields_and_no_recipient():
    some = released(("name", "own-data", None), ("contact", "osl-10-18a", str(uuid.uuid4())))
    event = line(entry(role="receiver", recipient="socialtjansten", resources=some, items={"individual": {}}))
    assert (event.event, event.fields, event.recipient, event.provisions) == (
        "uppgift läst i den egna verksamheten", ("name",), None, (),
    )  # fmt: skip


def test_only_what_is_told_of_persons_is_told():
    some = [{"resource": "mapping", "released": [["policeWork", "osl-10-15a", str(uuid.uuid4())]]}]
    assert line(entry(resources=some)).fields == ()


def test_decision_is_told_with_the_fields_and_the_provision_it_names():
    event = line(entry(kind="disclosure-decision", fields=["name"], legalBasis="osl-10-18a", resources=None))
    assert as_json(event) == {
        "at": AT, "kind": "disclosure-decision", "event": "beslut om utlämnande", "fields": ["name"],
        "subject": "handläggare", "subjectRole": None, "recipient": "polisen", "recipientName": "Polismyndigheten",
        "purpose": "prevent-crime", "provisions": [{"id": "osl-10-18a", "citation": "10 kap. 18 a § OSL"}],
    }  # fmt: skip


def test_kind_without_a_word_of_its_own_is_told_as_it_is_called():
    assert line(entry(kind="something-new", resources=None)).event == "something-new"


@pytest.mark.parametrize(
    ("days", "name"),
    [
        (Days(), "loggutdrag.csv"),
        (Days(date(2026, 1, 1), date(2026, 1, 2)), "loggutdrag_2026-01-01--2026-01-02.csv"),
        (Days(date(2026, 1, 1)), "loggutdrag_2026-01-01--.csv"),
        (Days(end=date(2026, 1, 2)), "loggutdrag_--2026-01-02.csv"),
    ],
)
def test_table_is_saved_under_a_name_that_says_its_days(days: Days, name: str):
    assert file_name(days) == name
