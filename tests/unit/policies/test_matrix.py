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
from policies.model import Condition, Question
from tests.unit.policies import generated_law as generated

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


def test_bands_part_the_ages_and_leave_one_for_the_unknown():
    bands = bands_of([21, 18])
    assert [band.label for band in bands] == ["0-17", "18-20", "21-", "unknown"]
    for age in range(131):
        assert sum(band.holds(age) for band in bands) == 1
    assert bands_of([]) == (Band(0), Band(None))


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
