"""Personnummer and samordningsnummer: a slip of the keyboard is noticed."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from api.individuals.service import wrong_identity_number


def with_check_digit(eleven: str) -> str:
    """The number of twelve digits, its last one computed the way the Tax Agency describes it."""
    total = 0
    for nth, digit in enumerate(eleven[2:]):
        product = int(digit) * (2 if nth % 2 == 0 else 1)
        total += sum(int(part) for part in str(product))
    return eleven + str(-total % 10)


NUMBERS = st.builds(
    lambda day, serial, coordination: with_check_digit(f"{day:%Y%m}{day.day + 60 * coordination:02}{serial:03}"),
    st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31)),
    st.integers(0, 999),
    st.booleans(),
)


@given(NUMBERS)
def test_every_number_with_its_check_digit_is_taken(number: str):
    assert wrong_identity_number(number) is None
    assert wrong_identity_number(f"{number[:8]}-{number[8:]}") is None


@given(NUMBERS, st.integers(2, 11), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(number: str, place: int, added: int):
    wrong = number[:place] + str((int(number[place]) + added) % 10) + number[place + 1 :]
    assert wrong_identity_number(wrong) is not None


@given(NUMBERS, st.integers(8, 10))
def test_two_digits_that_changed_places_are_noticed(number: str, place: int):
    first, second = number[place], number[place + 1]
    # The check digit cannot tell 09 from 90.
    assume(first != second and {first, second} != {"0", "9"})
    assert wrong_identity_number(number[:place] + second + first + number[place + 2 :]) is not None


@pytest.mark.parametrize(
    ("eleven", "taken"),
    [
        ("19121212121", True),
        ("19120260121", True),
        ("19120292121", False),
        ("19120230121", False),
        ("19121312121", False),
        ("19120060121", True),
        ("19120000121", False),
        ("00001212121", False),
        ("20240229121", True),
        ("20230229121", False),
        ("20240289121", True),
        ("20240295121", False),
    ],
)
def test_number_begins_with_a_day_of_the_calendar(eleven: str, taken: bool):
    assert (wrong_identity_number(with_check_digit(eleven)) is None) == taken
