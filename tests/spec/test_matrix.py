"""The disclosure matrix: the committed table is the law's own, misses no question, and answers each as the law does."""

import os
import random
import secrets
from datetime import date, timedelta
from pathlib import Path

import pytest

from api.law.matrix import from_csv, golden, matrix_of
from policies.assess import assess
from policies.boxes import bits
from policies.catalogue import LAW_DIRECTORY, law
from policies.explain import explanation
from policies.matrix import Answer, axes_of
from policies.model import Condition, Question

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
print(f"SAMSYN_TEST_SEED={SEED}")

LAW = law()
GOLDEN: Path = LAW_DIRECTORY.parent / "matrix.golden.csv"
AXES = axes_of(LAW)
LATEST = AXES.dates[-1] + timedelta(days=400)
# Each date on which law changes, the day before it, and days long before and long after all of them.
DAYS = [day - timedelta(days=step) for day in AXES.dates for step in (0, 1)] + [date(1900, 1, 1), LATEST]
# The first and the last age of each band, and no age at all.
AGES = [None, *(age for band in AXES.bands if band.first is not None for age in (band.first, (band.below or 131) - 1))]


def band_of(age):
    return next(band for band in AXES.bands if (band.first is None if age is None else band.holds(age)))


def row_of(question):
    """The one row that a question falls in."""
    found = [
        row
        for row in matrix_of(LAW).rows
        if question.holder_sector in row.holders
        and question.kind in row.kinds
        and question.recipient_sector in row.recipients
        and question.purpose in row.purposes
        and band_of(question.subject_age) in row.bands
        and row.in_force(question.as_of)
    ]
    assert len(found) == 1, question
    return found[0]


def by_the_law(question):
    """What the row of a question must say, from the answer that an officer is given."""
    told = explanation(question, LAW, "sv")
    lists_any = bool(told["secrecy"]) and "reason" not in told
    special = [entry for entry in told["provisions"] if lists_any and not entry.get("general")]
    alone = {entry["id"] for entry in special if entry["status"] == "available"}
    helping = {
        entry["id"]
        for entry in special
        if [lack["condition"] for lack in entry["lacks"]] == ["secrecy"] and entry["lacks"][0]["actual"]
    }
    together = helping if told["outcome"] == "needs-decision" and not alone else set()
    return told["outcome"], told.get("reason"), {rule["id"] for rule in told["secrecy"]}, alone, together


def in_the_row(answer: Answer):
    return answer.outcome, answer.reason, set(answer.secrecy), set(answer.provisions), set(answer.together)


def cell(draw: random.Random, day: date) -> Question:
    sector = list(LAW.sectors)
    return Question(
        holder_sector=draw.choice(sector),
        recipient_sector=draw.choice(sector),
        purpose=draw.choice(list(LAW.purposes)),
        as_of=day,
        kind=draw.choice(list(LAW.kinds)),
        subject_age=draw.choice(AGES),
    )


def test_committed_matrix_is_that_of_the_law():
    assert GOLDEN.read_bytes() == golden(LAW), (
        "the law has changed: run `samsyn matrix --write` and read the difference"
    )


def test_every_cell_lies_in_exactly_one_row():
    periods = len(AXES.dates) + 1
    whole = (1 << len(AXES.sectors) * len(AXES.purposes)) - 1
    covered = {
        (holder, kind, band, period): 0
        for holder in AXES.sectors
        for kind in AXES.kinds
        for band in AXES.bands
        for period in range(periods)
    }
    starts = [None, *AXES.dates]
    for row in matrix_of(LAW).rows:
        plane = sum(
            1 << AXES.sectors.index(recipient) * len(AXES.purposes) + AXES.purposes.index(purpose)
            for recipient in row.recipients
            for purpose in row.purposes
        )
        end = AXES.dates.index(row.until) + 1 if row.until else periods
        for holder in row.holders:
            for kind in row.kinds:
                for band in row.bands:
                    for period in range(starts.index(row.valid_from), end):
                        assert covered[holder, kind, band, period] & plane == 0, row
                        covered[holder, kind, band, period] |= plane
    assert set(covered.values()) == {whole}


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_random_cells_are_answered_as_the_law_answers(day: date):
    draw = random.Random(f"{SEED}-{day}")
    for _ in range(40):
        question = cell(draw, day)
        assert in_the_row(row_of(question).answer) == by_the_law(question), question


def test_one_cell_of_every_row_is_answered_as_the_law_answers():
    draw = random.Random(SEED)
    for row in matrix_of(LAW).rows:
        band = draw.choice(row.bands)
        question = Question(
            holder_sector=draw.choice(row.holders),
            recipient_sector=draw.choice(row.recipients),
            purpose=draw.choice(row.purposes),
            # Either end of the row's period; where it has none, long before or after all changes.
            as_of=draw.choice([row.valid_from or DAYS[-2], row.until - timedelta(days=1) if row.until else LATEST]),
            kind=draw.choice(row.kinds),
            subject_age=band.first,
        )
        assert row_of(question) == row
        assert in_the_row(row.answer) == by_the_law(question), question
    # Else the comparison above would say nothing of provisions that open only in company.
    assert any(row.answer.together for row in matrix_of(LAW).rows)


def test_ages_of_one_band_are_treated_alike_by_every_provision():
    limits = sorted({band.first for band in AXES.bands if band.first})
    assert limits == sorted(
        {age for rule in LAW.provisions.values() for said in rule.wordings for age in (said.age_from, said.age_below)}
        - {None}
    )
    draw = random.Random(SEED)
    for _ in range(50):
        question = cell(draw, draw.choice(DAYS))
        for band in AXES.bands[:-1]:
            ends = (band.first, (band.below or 131) - 1)
            lacks = [
                [
                    [lack.condition for lack in answer.lacks]
                    for answer in assess(Question(**_fields(question) | {"subject_age": age}), LAW)
                ]
                for age in ends
            ]
            assert lacks[0] == lacks[1]


def _fields(question):
    return {name: getattr(question, name) for name in Question.__dataclass_fields__}


def test_general_exits_are_listed_nowhere():
    listed = {name for row in matrix_of(LAW).rows for name in (*row.answer.provisions, *row.answer.together)}
    assert listed
    assert not [name for name in listed if LAW.provisions[name].general]


def test_every_provision_that_opens_every_lock_of_something_by_itself_is_listed():
    """Else it is closed by an open question, opens only one of several locks, or breaks nothing that anybody holds."""
    listed = {name for row in matrix_of(LAW).rows for name in (*row.answer.provisions, *row.answer.together)}
    opening = {
        provision.id
        for provision in LAW.provisions.values()
        for said in provision.wordings
        for holder in said.from_sectors
        for kind in LAW.kinds
        if LAW.secrecy_of(kind, holder) and not provision.general
        for question in [
            Question(
                holder,
                min(said.to_sectors),
                min(said.purposes or LAW.purposes),
                said.valid_from,
                kind,
                subject_age=said.age_from,
            )
        ]
        for answer in assess(question, LAW)
        if answer.provision is provision
        and not [lack for lack in answer.lacks if lack.condition is not Condition.OTHER]
    }
    assert opening <= listed


def test_rows_that_differ_in_one_dimension_only_have_been_put_together():
    dimensions = ("holders", "kinds", "recipients", "purposes", "bands")
    for dimension in dimensions:
        rest = [
            (
                *(getattr(row, other) for other in dimensions if other != dimension),
                row.valid_from,
                row.until,
                row.answer,
            )
            for row in matrix_of(LAW).rows
        ]
        assert len(set(rest)) == len(rest), dimension


def test_table_is_short_enough_to_be_paged_through():
    assert len(matrix_of(LAW).rows) < 2000


def test_rows_are_sorted_by_holder_kind_and_first_day():
    order = [
        (
            [AXES.sectors.index(holder) for holder in row.holders],
            [AXES.kinds.index(kind) for kind in row.kinds],
            row.valid_from or date.min,
        )
        for row in matrix_of(LAW).rows
    ]
    assert order == sorted(order)


def test_matrix_is_read_back_from_its_table_as_it_was():
    again = from_csv(golden(LAW).decode(), AXES)
    assert again.rows == matrix_of(LAW).rows
    # A day on which nothing changes that the table shows leaves no trace in it.
    assert set(again.axes.dates) < set(AXES.dates)
    assert (again.axes.sectors, again.axes.kinds, again.axes.purposes, again.axes.bands) == (
        AXES.sectors,
        AXES.kinds,
        AXES.purposes,
        AXES.bands,
    )


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "holderSectors\npolice\n"])
def test_another_table_is_not_read_as_the_matrix(text: str):
    with pytest.raises(ValueError, match="not a table"):
        from_csv(text, AXES)


# The law's own turning points, as a lawyer would look them up.
@pytest.mark.parametrize(
    ("day", "age", "outcome", "provisions"),
    [
        (date(2012, 12, 31), 17, "withheld", set()),
        (date(2013, 1, 1), 20, "needs-decision", {"osl-10-18a"}),
        (date(2013, 1, 1), 21, "withheld", set()),
    ],
)
def test_social_services_tell_the_police_of_young_people_at_risk(day, age, outcome, provisions):
    question = Question("social-services", "police", "prevent-crime", day, "person-circumstance", subject_age=age)
    row = row_of(question)
    assert (row.answer.outcome, set(row.answer.provisions)) == (outcome, provisions)


def test_the_day_before_the_new_rule_health_data_of_a_municipality_had_no_such_ground():
    for day, listed in ((date(2025, 11, 30), False), (date(2025, 12, 1), True)):
        question = Question("municipal-safety", "police", "prevent-crime", day, "person-health")
        assert ("osl-10-15a" in row_of(question).answer.provisions) is listed


def test_positions_of_a_mask_are_those_of_its_bits():
    assert list(bits(0b101001)) == [0, 3, 5]
