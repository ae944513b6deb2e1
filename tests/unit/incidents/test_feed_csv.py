"""CSV as spreadsheets write it, and CSV that nobody can read."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.errors import Problem
from api.incidents.feed_csv import csv_rows
from api.incidents.feed_row import RowFault

COLUMNS = ["incidentId", "occurredAt", "stopId", "category", "mode", "line", "severity", "revision", "withdrawn"]
_CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=6) | st.sampled_from(
    ['"', ",", ";", "\n", "\r\n", '""', "1", "-3", "true", "false", "1,0", "٣", ""]
)


def read(text: str | bytes) -> list:
    return list(csv_rows(io.BytesIO(text.encode() if isinstance(text, str) else text)))


def expected(name: str, cell: str):
    if name in {"severity", "revision"} and cell.isascii() and cell.removeprefix("-").isdigit():
        return int(cell)
    return {"true": True, "false": False}.get(cell, cell) if name == "withdrawn" else cell


@settings(max_examples=300, deadline=None, print_blob=True)
@given(
    st.permutations(COLUMNS),
    st.lists(st.lists(_CELLS, min_size=9, max_size=9), max_size=4),
    st.sampled_from(",;"),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_cells_come_back_as_written_whatever_the_order_of_columns(columns, rows, delimiter, end, mark):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
    writer.writerows([columns, *rows])
    found = read((b"\xef\xbb\xbf" if mark else b"") + out.getvalue().encode())
    assert found == [
        {name: expected(name, cell) for name, cell in zip(columns, row, strict=True) if cell} for row in rows
    ]


@pytest.mark.parametrize("dropped", ["line", "withdrawn"])
def test_optional_columns_may_be_missing(dropped):
    columns = [name for name in COLUMNS if name != dropped]
    assert read(",".join(columns) + "\n" + ",".join("x" * 8)) == [dict.fromkeys(columns, "x")]


@pytest.mark.parametrize("cells", [1, 8, 10])
def test_row_of_another_length_faults_alone(cells):
    text = f"{','.join(COLUMNS)}\n{','.join('x' * cells)}\n{','.join('x' * 9)}\n"
    found = read(text)
    assert isinstance(found[0], RowFault)
    assert f"has {cells} cells" in found[0].reason
    assert isinstance(found[1], dict)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("\n", "lacks the columns"),
        ("a,b\n", "unknown column “a”"),
        (",".join([*COLUMNS, "mode"]), "mode more than once"),
        (",".join(COLUMNS[1:]), "lacks the columns incidentId"),
        ("\t".join(COLUMNS), "unknown column"),
        (",".join(COLUMNS) + '\n"a"b,,,,,,,,', "line 2"),
        (",".join(COLUMNS) + '\n,,,,,,,,\n"a,,,,,,,,\n', "line 3"),
        (",".join(COLUMNS) + "\n" + "x" * 140_000, "line 2"),
        (",".join(COLUMNS) + "\n" + "x," * 600_000, "longer than"),
        (",".join(COLUMNS) + "\n" + '"\n",' * 300_000, "longer than"),
    ],
)
def test_unreadable_file_says_where(text, words):
    with pytest.raises(Problem, match=words) as raised:
        read(text)
    assert raised.value.status_code == 400
    assert len(raised.value.detail) < 300


def test_length_is_counted_anew_for_each_row():
    row = ",".join(["x" * 100_000] * 9)
    assert len(read(f"{','.join(COLUMNS)}\n{row}\n{row}\n{row}\n")) == 3
