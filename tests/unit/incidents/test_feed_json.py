"""The scanner finds the items of any array, whatever the window it looks through; and nothing that is not JSON."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.errors import Problem
from api.incidents import feed_json
from api.incidents.feed_json import json_rows, ndjson_rows
from api.incidents.feed_row import RowFault

_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
_NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False, width=32)
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS | st.sampled_from(['"', "\\", '\\"', "[", "}", ",", "\\\\"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)


def read(text: str | bytes) -> list:
    return list(json_rows(io.BytesIO(text.encode() if isinstance(text, str) else text)))


@pytest.fixture
def windowed(monkeypatch):
    def of(size: int) -> None:
        monkeypatch.setattr(feed_json, "_WINDOW", size)

    return of


@settings(max_examples=300, deadline=None, print_blob=True)
@given(
    st.lists(_VALUES, max_size=5),
    st.sampled_from([None, 1, 4]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 9),
)
def test_items_are_those_of_a_whole_parse(items, indent, ascii_only, wrapped, window):
    text = json.dumps({"incidents": items} if wrapped else items, indent=indent, ensure_ascii=ascii_only)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed_json, "_WINDOW", window)
        assert read(f"\n {text}\t ") == items


@settings(max_examples=400, deadline=None, print_blob=True)
@given(st.lists(_VALUES, max_size=3), st.booleans(), st.data())
def test_damaged_text_is_read_only_if_json_reads_it(items, wrapped, data):
    text = json.dumps({"incidents": items} if wrapped else items)
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 2))
    text = (
        text[:at]
        + data.draw(st.sampled_from(["", "", ",", "]", "}", "[", "{", '"', ":", "\\", "1", "x"]))
        + text[at + cut :]
    )
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
        refused = True
    else:
        refused = not (isinstance(whole, list) or (isinstance(whole, dict) and list(whole) == ["incidents"]))
        refused = refused or (isinstance(whole, dict) and not isinstance(whole["incidents"], list))
    if refused:
        with pytest.raises(Problem) as raised:
            read(text)
        assert raised.value.status_code in {400, 422}
        return
    expected = whole["incidents"] if isinstance(whole, dict) else whole
    try:
        found = read(text)
    except Problem as problem:
        # Two members of one name: json takes the last, we take neither.
        assert "more than once" in problem.detail  # noqa: PT017 - most texts raise nothing
        return
    assert len(found) == len(expected)
    assert all(isinstance(one, RowFault) or one == other for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ('{"a":1,"a":2}', "more than once"),
        ('{"a":NaN}', "finite"),
        ('{"a":-1e999}', "finite"),
        ('{"a":"\\u0000"}', "NUL"),
        ('{"a":"\\ud800"}', "surrogate"),
        ('{"a":' + "9" * 5000 + "}", "64 bits"),
        ("[" * 65 + "]" * 65, "deeper"),
        ("[" * 50_000 + "]" * 50_000, "deeper"),
    ],
)
def test_json_without_a_single_meaning_faults_its_row_alone(item, words):
    found = read(f'[{{"b":1}},{item},{{"b":2}}]')
    assert [found[0], found[2]] == [{"b": 1}, {"b": 2}]
    assert isinstance(found[1], RowFault)
    assert words in found[1].reason


def test_fault_names_the_member():
    (found,) = read('[{"severity":NaN}]')
    assert found.field == "severity"


def test_rows_before_a_break_are_not_mistaken_for_the_whole(windowed):
    windowed(16)
    rows = json_rows(io.BytesIO(b'[{"a":1},{"a":2},{"a":'))
    assert next(rows) == {"a": 1}
    assert next(rows) == {"a": 2}
    with pytest.raises(Problem, match="ends in the middle of row 3"):
        next(rows)


def test_place_of_a_fault_is_the_byte_in_the_file(windowed):
    windowed(8)
    with pytest.raises(Problem, match="byte 22;"):
        read('[{"a":1},   {"a":2}  ;]')


def test_empty_lines_are_no_rows_and_the_last_line_needs_no_end():
    found = list(ndjson_rows(io.BytesIO(b'\n{"a":1}\r\n  \n\n{"a":2}')))
    assert found == [{"a": 1}, {"a": 2}]


def test_memory_is_that_of_a_row_not_of_the_body():
    class Endless(io.RawIOBase):
        sent = 0

        def read(self, size: int = -1) -> bytes:
            assert size > 0
            self.sent += size
            return b"[" + b"1," * (size // 2) if self.sent == size else b"1," * (size // 2)

    rows = json_rows(Endless())
    for _ in range(1_000_000):
        assert next(rows) == 1
