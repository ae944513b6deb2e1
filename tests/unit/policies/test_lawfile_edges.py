"""Each check of a law file on both sides of its edge, with the words of its error."""

from datetime import date
from pathlib import Path

import pytest

from policies.lawfile import (
    LawError,
    LawFile,
    chapters_of,
    check_continuous,
    identity_of,
    note_of,
    source_of,
)
from policies.model import Text

FIRST, SECOND, THIRD = date(2020, 1, 1), date(2021, 1, 1), date(2022, 1, 1)


@pytest.fixture
def made(tmp_path: Path):
    def make(text: str = "", name: str = "osl-10-1") -> LawFile:
        path = tmp_path / "provisions" / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        return LawFile(path)

    return make


def refused(check, *arguments) -> str:
    with pytest.raises(LawError) as told:
        check(*arguments)
    return str(told.value).removeprefix("provisions/osl-10-1.toml: ")


# Reading.


def test_a_file_is_named_by_its_folder_and_name(made):
    file = made('a = "å"')
    assert file.name == "provisions/osl-10-1.toml"
    assert file.data == {"a": "å"}
    assert str(file.fail("a", "is wrong")) == "provisions/osl-10-1.toml: `a`: is wrong"


@pytest.mark.parametrize("text", ["a = ", "a = 2025-02-30", "a = 1\na = 2"])
def test_what_is_not_toml_is_refused(made, text):
    assert refused(made, text).startswith("not readable as TOML: ")


def test_what_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "osl-10-1.toml"
    path.write_bytes('a = "å"'.encode("latin-1"))
    with pytest.raises(LawError, match="not readable as TOML"):
        LawFile(path)


def test_a_file_nested_too_deeply_is_refused(made):
    assert refused(made, "a = " + "[" * 5000 + "]" * 5000).startswith("not readable as TOML: ")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(LawError, match=r"x\.toml: cannot be read: No such file or directory"):
        LawFile(tmp_path / "x.toml")


# Tables and values.


def test_unknown_keys_are_refused_by_name_and_known_ones_are_not(made):
    file = made()
    file.keys({}, {"a"}, "")
    file.keys({"a": 1, "b": 2}, {"a", "b"}, "")
    told = refused(file.keys, {"b": 1, "z": 2}, {"b", "a"}, "wording.")
    assert told == "`wording.z`: unknown key; allowed are a, b"
    assert refused(file.keys, [], {"a"}, "wording.breaks.") == "`wording.breaks`: must be a table"
    assert refused(file.keys, "a", {"a"}, "") == "`the file`: must be a table"


@pytest.mark.parametrize(
    ("value", "kind", "told"),
    [
        ("x", str, None),
        ("", str, "`in.a`: is empty"),
        (" \n", str, "`in.a`: is empty"),
        (0, int, None),
        (False, bool, None),
        ([], list, None),
        ({}, dict, None),
        (True, int, "`in.a`: must be a int, not `True`"),
        (1, bool, "`in.a`: must be a bool, not `1`"),
        (1, str, "`in.a`: must be a str, not `1`"),
        ("1", int, "`in.a`: must be a int, not `1`"),
    ],
)
def test_a_value_is_of_exactly_its_type_and_no_empty_text(made, value, kind, told):
    file = made()
    if told is None:
        assert file.get({"a": value}, "a", kind, "in.") is value
    else:
        assert refused(file.get, {"a": value}, "a", kind, "in.") == told
    assert refused(file.get, {"b": value}, "a", kind, "in.") == "`in.a`: is missing"
    assert refused(file.get, {}, "a", kind) == "`a`: is missing"


def test_a_point_in_time_is_no_day(made):
    file = made("a = 2025-12-01T00:00:00\nb = 2025-12-01")
    assert refused(file.get, file.data, "a", date) == "`a`: must be a date, not `2025-12-01 00:00:00`"
    assert file.get(file.data, "b", date) == date(2025, 12, 1)


def test_a_flag_is_false_where_it_is_not_given(made):
    file = made()
    assert file.flag({"a": True}, "a") is True
    assert file.flag({"a": False}, "a") is False
    assert file.flag({"b": True}, "a") is False
    assert refused(file.flag, {"a": "true"}, "a", "in.") == "`in.a`: must be a bool, not `true`"


def test_a_word_is_one_of_a_closed_list(made):
    file = made()
    assert file.one_of({"a": "may"}, "a", ("may", "shall")) == "may"
    assert (
        refused(file.one_of, {"a": "must"}, "a", ("may", "shall"), "in.")
        == "`in.a`: must be one of may, shall, not `must`"
    )
    assert refused(file.one_of, {}, "a", ("may", "shall")) == "`a`: is missing"


def test_tables_are_at_least_one_and_hold_known_keys(made):
    file = made()
    assert file.tables({"a": [{"b": 1}, {}]}, "a", {"b"}) == [{"b": 1}, {}]
    assert refused(file.tables, {"a": []}, "a", {"b"}, "in.") == "`in.a`: is empty"
    assert refused(file.tables, {"a": {}}, "a", {"b"}, "in.") == "`in.a`: must be a list, not `{}`"
    assert (
        refused(file.tables, {"a": [{"b": 1}, {"c": 1}]}, "a", {"b"}, "in.") == "`in.a.c`: unknown key; allowed are b"
    )
    assert refused(file.tables, {"a": [1]}, "a", {"b"}, "in.") == "`in.a`: must be a table"


def test_a_text_is_in_both_languages(made):
    file = made()
    assert file.text({"a": {"sv": "ja", "en": "yes"}}, "a") == Text("ja", "yes")
    assert refused(file.text, {"a": {"sv": "ja"}}, "a", "in.") == "`in.a.en`: is missing"
    assert refused(file.text, {"a": {"sv": "", "en": "yes"}}, "a", "in.") == "`in.a.sv`: is empty"
    told = refused(file.text, {"a": {"sv": "ja", "en": "yes", "fi": "kyllä"}}, "a", "in.")
    assert told == "`in.a.fi`: unknown key; allowed are en, sv"
    assert refused(file.text, {"a": "ja"}, "a", "in.") == "`in.a`: must be a dict, not `ja`"


def test_names_are_of_a_closed_list_and_none_twice(made):
    file = made()
    assert file.known(["b", "a"], ("a", "b", "c"), "in") == {"a", "b"}
    assert file.known([], (), "in") == frozenset()
    assert file.known(["a"], iter(("a",)), "in") == {"a"}
    for value in ("a", None, 1, {"a": 1}, ["a", 1]):
        assert refused(file.known, value, ("a",), "in") == "`in`: must be a list of names"
    assert refused(file.known, ["a", "z"], ("a",), "in") == "`in`: unknown id `z`"
    assert refused(file.known, ["a", "b", "a"], ("a", "b"), "in") == "`in`: names the same id twice"


def test_texts_are_by_name_and_none_where_the_key_is_not_there(made):
    file = made()
    assert file.texts({}, "a") == {}
    assert file.texts({"a": {}}, "a") == {}
    said = {"sv": "ja", "en": "yes"}
    assert file.texts({"a": {"x": said, "y": said}}, "a") == {"x": Text("ja", "yes"), "y": Text("ja", "yes")}
    assert refused(file.texts, {"a": {"x": {}}}, "a") == "`a.x.sv`: is missing"


# Periods.


def test_a_period_is_open_or_ends_after_it_begins(made):
    file = made()
    assert file.period({"from": FIRST}, "in.") == (FIRST, None)
    assert file.period({"from": FIRST, "until": date(2020, 1, 2)}, "in.") == (FIRST, date(2020, 1, 2))
    for until in (FIRST, date(2019, 12, 31)):
        told = refused(file.period, {"from": FIRST, "until": until}, "in.")
        assert told == f"`in.until`: `{until}` is not after `2020-01-01`"
    assert refused(file.period, {"until": FIRST}, "in.") == "`in.from`: is missing"


def test_wordings_follow_one_another(made):
    file = made()
    check_continuous(file, [])
    check_continuous(file, [(FIRST, None)])
    check_continuous(file, [(FIRST, SECOND), (SECOND, THIRD), (THIRD, None)])
    check_continuous(file, [(FIRST, SECOND), (SECOND, THIRD)])
    overlaps = "`wording.from`: the wording from `2021-01-01` overlaps the one before it"
    assert refused(check_continuous, file, [(FIRST, date(2021, 1, 2)), (SECOND, None)]) == overlaps
    assert refused(check_continuous, file, [(FIRST, None), (SECOND, None)]) == overlaps
    gap = "`wording.from`: no wording between `2020-12-31` and `2021-01-01`"
    assert refused(check_continuous, file, [(FIRST, date(2020, 12, 31)), (SECOND, None)]) == gap
    late = [(FIRST, SECOND), (SECOND, None), (THIRD, None)]
    assert refused(check_continuous, file, late).endswith("the wording from `2022-01-01` overlaps the one before it")


# What a rule says of itself.

KEYS = {"id", "chapter", "note", "source"}


def test_an_id_is_the_files_name_and_is_used_once(made):
    file = made('id = "osl-10-1"\nchapter = 10')
    assert identity_of(file, {}, KEYS) == "osl-10-1"
    assert identity_of(file, {"osl-10-2": 1, "z": 1}, KEYS) == "osl-10-1"
    assert refused(identity_of, file, {"osl-10-1": 1}, KEYS) == "`id`: `osl-10-1` is used twice"
    told = refused(identity_of, file, {}, {"id", "note"})
    assert told == "`chapter`: unknown key; allowed are id, note"
    for other in ("osl-10-2", "osl-10-0"):
        wrong = made(f'id = "{other}"\nchapter = 10')
        assert refused(identity_of, wrong, {}, KEYS) == f"`id`: `{other}` does not follow the file's name"


@pytest.mark.parametrize("chapter", [9, 11, 1])
def test_the_chapter_of_a_rule_of_osl_is_the_one_its_id_names(made, chapter):
    file = made(f'id = "osl-10-1"\nchapter = {chapter}')
    assert refused(identity_of, file, {}, KEYS) == f"`chapter`: `{chapter}` is not the chapter that `osl-10-1` names"


def test_a_rule_of_osl_has_a_chapter_and_another_act_needs_none(made):
    assert refused(identity_of, made('id = "osl-10-1"'), {}, KEYS) == "`chapter`: is missing"
    for name in ("sol-10-1", "postlagen-5-1", "harm-assessment"):
        for text in ("", "\nchapter = 3"):
            assert identity_of(made(f'id = "{name}"{text}', name), {}, KEYS) == name


def test_a_note_is_a_text_or_nothing(made):
    assert note_of(made()) is None
    assert note_of(made('note = { sv = "ja", en = "yes" }')) == Text("ja", "yes")
    assert refused(note_of, made('note = "ja"')) == "`note`: must be a dict, not `ja`"


def test_chapters_are_those_of_osl(made):
    file = made()
    assert chapters_of(file, [1, 2, 44], "in") == {1, 2, 44}
    assert chapters_of(file, [], "in") == frozenset()
    for wrong in (0, -1, 45, True, "10", 1.0):
        assert refused(chapters_of, file, [10, wrong], "in") == "`in`: must be a list of chapters, 1 to 44"
    for wrong in (10, "10", None, {10: 1}):
        assert refused(chapters_of, file, wrong, "in") == "`in`: must be a list of chapters, 1 to 44"


def test_sources_are_known_codes(made):
    known = ("S1", "S2")
    assert source_of(made('source = "S2"'), known) == "S2"
    assert source_of(made('source = "S1, S2"'), known) == "S1, S2"
    assert refused(source_of, made('source = "S1, S3"'), known) == "`source`: unknown source `S3`"
    assert refused(source_of, made('source = "S1,S2"'), known) == "`source`: unknown source `S1,S2`"
    assert refused(source_of, made(""), known) == "`source`: is missing"
