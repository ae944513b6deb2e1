"""Swedish words for days, lists and citations."""

from datetime import date

import pytest

from policies.document.swedish import capital, day, last_day, listed, natural, period, short_citation, split_citation


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (date(2025, 12, 1), "1 december 2025"),
        (date(2025, 1, 31), "31 januari 2025"),
        (date(2025, 2, 2), "2 februari 2025"),
        (date(2025, 11, 30), "30 november 2025"),
    ],
)
def test_a_day_is_written_out(when, said):
    assert day(when) == said


def test_a_period_ends_the_day_before_it_is_no_longer_in_force():
    assert last_day(date(2025, 1, 1)) == "31 december 2024"
    assert last_day(None) == "tills vidare"
    assert period(date(2024, 1, 1), date(2025, 3, 1)) == "från och med 1 januari 2024 till och med 28 februari 2025"
    assert period(date(2024, 1, 1), None) == "från och med 1 januari 2024 tills vidare"


@pytest.mark.parametrize(
    ("items", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a och b"), (["a", "b", "c"], "a, b och c")]
)
def test_the_last_of_a_list_is_set_apart(items, said):
    assert listed(iter(items)) == said
    assert listed(items, "eller") == said.replace(" och ", " eller ")


def test_only_the_first_letter_becomes_capital():
    assert [capital(text) for text in ("", "å", "lagen om OSL", "10 kap.")] == ["", "Å", "Lagen om OSL", "10 kap."]


def test_numbers_are_sorted_by_size_and_before_letters():
    ids = ["osl-2-1", "osl-10-2", "osl-10-2-1", "osl-10-2a", "osl-10-15", "osl-10-15a", "osl-10-15b", "sol-1-1"]
    assert sorted(sorted(ids), key=natural) == ids
    assert sorted(["b1", "a10", "a9", "1a", "10", "9"], key=natural) == ["1a", "9", "10", "a9", "a10", "b1"]


@pytest.mark.parametrize(
    ("citation", "parts", "short"),
    [
        ("10 kap. 2 § OSL", ("OSL", "10 kap.", "2 §"), "10 kap. 2 § OSL"),
        ("10 kap. 3 och 4 §§ OSL", ("OSL", "10 kap.", "3 och 4 §§"), "10 kap. 3 och 4 §§ OSL"),
        ("6 § första stycket LVM", ("LVM", "", "6 § första stycket"), "6 § första stycket LVM"),
        ("4 § lagen (2025:170) om skyldighet", ("lagen (2025:170)", "", "4 §"), "4 § lagen (2025:170)"),
        ("2 kap. 8 § lagen (2018:1693) om", ("lagen (2018:1693)", "2 kap.", "8 §"), "2 kap. 8 § lagen (2018:1693)"),
        ("35 kap. 1 § OSL och 8 § lagen (2018:1693)", None, "35 kap. 1 § OSL och 8 § lagen (2018:1693)"),
        ("35 kap. 1 § LVM och 2 kap. 8 § lagen (1:2)", None, "35 kap. 1 § LVM och 2 kap. 8 § lagen (1:2)"),
        ("1 kap. 2 kap. 3 § OSL", None, "1 kap. 2 kap. 3 § OSL"),
        ("6 § OSL och LVM", None, "6 § OSL och LVM"),
        ("skaderekvisitet i bestämmelsen", None, "skaderekvisitet i bestämmelsen"),
    ],
)  # fmt: skip
def test_a_plain_citation_is_split_and_another_is_left_whole(citation, parts, short):
    assert split_citation(citation) == parts
    assert short_citation(citation) == short
