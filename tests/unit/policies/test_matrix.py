"""The matrix of any law has one row for every cell, and the row says what the engine says: laws nobody has enacted."""

import os
import secrets
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st

from policies.assess import assess, lawless, locks
from policies.boxes import bits, joined, packed, runs
from policies.explain import outcome
from policies.matrix import Band, bands_of, matrix
from policies.model import Condition, Question, SecrecyWording
from tests.unit.policies import generated_law as generated
from tests.unit.policies import tiny_law as tiny

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
print(f"SAMSYN_TEST_SEED={SEED}")
SOME = settings(
    max_examples=60,
    deadline=None,
    print_blob=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SEEN: Counter[str] = Counter()


def check(law, question, rows):
    """The one row of a question says what the engine says."""
    age = question.subject_age
    found = [
        row
        for row in rows
        if question.holder_sector in row.holders
        and question.recipient_sector in row.recipients
        and question.purpose in row.purposes
        and question.kind in row.kinds
        and any(band.first is None if age is None else band.holds(age) for band in row.bands)
        and row.in_force(question.as_of)
    ]
    assert len(found) == 1
    said = found[0].answer
    rules, answers = locks(question, law), [one for one in assess(question, law) if not one.provision.general]
    assert said.outcome == outcome(question, law, answers)
    assert said.secrecy == tuple(rule.id for rule in rules)
    assert (said.reason == "no-wording-in-force") is lawless(rules, law, question.as_of)
    silent = said.reason is not None or not rules
    alone = {one.provision.id for one in answers if one.available and not silent}
    assert set(said.provisions) == alone
    helping = {
        one.provision.id
        for one in answers
        if one.opens and all(lack.condition is Condition.SECRECY for lack in one.lacks)
    }
    opened_together = said.outcome == "needs-decision" and not alone
    assert set(said.together) == (helping if opened_together else set())
    SEEN[f"{said.outcome}{' ' + said.reason if said.reason else ''}"] += 1


def test_any_law_is_answered_cell_by_cell_as_the_engine_answers():
    @seed(SEED)
    @SOME
    @given(generated.laws(), st.data())
    def run(law, data):
        note(law)
        found = matrix(law)
        # What the table says of one cell of each row, and what it says of questions that lean towards an opening.
        for row in found.rows:
            day = row.valid_from or (row.until or date(2020, 1, 1)) - timedelta(days=1)
            one = Question(row.holders[0], row.recipients[-1], row.purposes[0], day, row.kinds[-1])
            check(law, replace(one, subject_age=row.bands[0].first), found.rows)
        for drawn in data.draw(st.lists(generated.questions(law), min_size=5, max_size=5)):
            kind = drawn.kind or found.axes.kinds[0]
            one = replace(drawn, kind=kind, secrecy=None, holder_equated=False, recipient_equated=False)
            check(law, one, found.rows)

    run()
    assert {"not-secret", "needs-decision", "withheld", "withheld no-wording-in-force"} <= set(SEEN), SEEN


def small_law():
    """A law with one rule of every sort that the table treats in a way of its own."""
    said, breaks = tiny.wording, tiny.breaks
    before, later = date(2019, 7, 1), date(2023, 1, 1)
    locks_of_care = frozenset({("care", "name"), ("care", "health"), ("school", "name")})
    rules = [
        tiny.secrecy("osl-25-1", applies=locks_of_care),
        tiny.secrecy(
            "osl-26-1",
            applies=frozenset({("school", "name"), ("guard", "health")}),
            wordings=(SecrecyWording(before, tiny.END, "straight"), SecrecyWording(tiny.END, later, "reverse")),
        ),
    ]
    provisions = [
        # A limit of age, of purpose and of kind, and a general exit, each closed on some days.
        tiny.provision(
            "osl-10-1",
            said(age_below=18, until=tiny.END, to_sectors=frozenset({"police", "guard"})),
            said(valid_from=tiny.END, age_from=15, purposes=frozenset({"count"})),
        ),
        tiny.provision("osl-10-2", said(kinds=frozenset({"health"}), from_sectors=frozenset({"care", "guard"}))),
        tiny.provision("osl-10-3", said(), general=True),
        # What opens single cells only.
        tiny.provision("osl-10-4", said(other_sector=True, valid_from=before, until=tiny.START)),
        tiny.provision(
            "osl-10-5",
            said(
                valid_from=later,
                open_questions=(tiny.asked(purposes=frozenset({"count"}), to_sectors=frozenset({"police"})),),
            ),
        ),
        # Two that open both locks of a school together, and neither alone; and one that breaks nothing.
        tiny.provision("osl-10-6", said(breaks=breaks(rules=frozenset({"osl-25-1"})), to_sectors=frozenset({"care"}))),
        tiny.provision("osl-10-7", said(breaks=breaks(rules=frozenset({"osl-26-1"})), to_sectors=frozenset({"care"}))),
        tiny.provision("osl-10-8", said(breaks=breaks(), to_sectors=frozenset({"care"}))),
    ]
    return tiny.law(provisions, rules)


def test_every_cell_of_a_small_law_is_answered_as_the_engine_answers():
    law = small_law()
    found = matrix(law)
    axes = found.axes
    assert [band.label for band in axes.bands] == ["0-14", "15-17", "18-", "unknown"]
    assert axes.dates == (date(2019, 7, 1), tiny.START, tiny.END, date(2023, 1, 1))
    days = [axes.dates[0] - timedelta(days=1), *axes.dates]
    for holder, kind, recipient, purpose, band, day in product(
        axes.sectors, axes.kinds, axes.sectors, axes.purposes, axes.bands, days
    ):
        check(law, Question(holder, recipient, purpose, day, kind, subject_age=band.first), found.rows)
    assert {row.valid_from for row in found.rows} == {None, *axes.dates}
    assert {row.until for row in found.rows} == {None, *axes.dates}


def test_rows_of_a_small_law_are_joined_in_a_fixed_order_and_sorted():
    found = matrix(small_law())
    axes = found.axes
    # Joined in another order they are more or fewer.
    assert len(found.rows) == 76
    starts = (None, *axes.dates)
    order = [
        (
            [axes.sectors.index(one) for one in row.holders],
            [axes.kinds.index(one) for one in row.kinds],
            [*range(starts.index(row.valid_from), starts.index(row.until) if row.until else len(starts))],
            [axes.sectors.index(one) for one in row.recipients],
            [axes.purposes.index(one) for one in row.purposes],
            [axes.bands.index(one) for one in row.bands],
        )
        for row in found.rows
    ]
    assert order == sorted(order)


def test_a_law_without_dates_or_rules_has_one_answer():
    found = matrix(tiny.law())
    (row,) = found.rows
    assert found.axes.dates == ()
    assert (row.valid_from, row.until, row.answer.outcome) == (None, None, "withheld")
    assert (row.holders, row.recipients, row.bands) == (tiny.SECTORS, tiny.SECTORS, found.axes.bands)
    assert row.in_force(date.min)


def test_bands_part_the_ages_and_leave_one_for_the_unknown():
    bands = bands_of([21, 18])
    assert [band.label for band in bands] == ["0-17", "18-20", "21-", "unknown"]
    for age in range(131):
        assert sum(band.holds(age) for band in bands) == 1
    assert bands_of([]) == bands_of([0]) == (Band(0), Band(None))
    assert bands_of([1, 0]) == (Band(0, 1), Band(1), Band(None))


def test_runs_are_the_pieces_of_a_mask():
    assert list(runs(0b1101100111)) == [0b111, 0b1100000, 0b1100000000]
    assert list(runs(0)) == []


@seed(SEED)
@settings(max_examples=200, deadline=None, database=None)
@given(
    st.dictionaries(
        st.sampled_from(list(product(range(3), range(3), range(4)))), st.sampled_from("abc"), min_size=1, max_size=36
    ),
    st.permutations(range(3)),
)
def test_boxes_hold_the_cells_that_went_into_them_and_no_others(cells, order):
    single = [(1 << x, 1 << y, 1 << z, value) for (x, y, z), value in cells.items()]
    boxes = packed(single, order, 2)
    unpacked = [((x, y, z), value) for xs, ys, zs, value in boxes for x in bits(xs) for y in bits(ys) for z in bits(zs)]
    assert sorted(unpacked) == sorted(cells.items())
    assert len(boxes) <= len(cells)
    # The ordered dimension has no gaps, and nothing is left that could be joined.
    assert all(len(list(runs(zs))) == 1 for _, _, zs, _ in boxes)
    assert all(len(joined(boxes, dimension, ordered=dimension == 2)) == len(boxes) for dimension in range(3))


def test_a_known_age_is_never_in_the_band_of_the_unknown():
    assert not any(Band(None).holds(age) for age in range(131))
