"""What a change of the law does, cell by cell and word for word: tables of a few cells."""

import dataclasses
import random
from datetime import date, timedelta
from itertools import product

import pytest

from policies.boxes import bits, packed
from policies.changes.effects import effects, in_words
from policies.changes.phrases import Names
from policies.changes.text import outcomes
from policies.matrix import Answer, Axes, Band, Matrix, Row, bands_of
from tests.unit.policies import tiny_law as tiny
from tests.unit.policies.tiny_law import END, START

LATER = date(2023, 1, 1)
BANDS = bands_of({18})
AXES = Axes(("police", "care"), ("place", "name"), ("prevent", "count"), BANDS, (START, END))
NAMES = Names(tiny.law([tiny.provision("osl-10-1")], [tiny.secrecy()]), tiny.law())
SHUT = Answer("withheld", ("osl-25-1",))
OPEN = Answer("needs-decision", ("osl-25-1",), ("osl-10-1",))
FREE = Answer("not-secret", ())
DARK = Answer("withheld", ("osl-25-1",), reason="no-wording-in-force")


def table(*rows, axes=AXES):
    return Matrix(axes, rows)


def row(answer, axes=AXES, **cells):
    whole = {
        "holders": axes.sectors, "kinds": axes.kinds, "recipients": axes.sectors, "purposes": axes.purposes,
        "bands": axes.bands, "valid_from": None, "until": None,
    }  # fmt: skip
    return Row(**(whole | cells), answer=answer)


def said_of(was, now, language="sv"):
    """What is said where every cell has changed alike."""
    (effect,) = effects(table(row(was)), table(row(now)))
    text = getattr(in_words(effect, NAMES), language)
    start = {
        "sv": "Alltid: police sv, care sv → police sv, care sv; ändamål: alla; uppgift: plats / namn: ",
        "en": "Always: police en, care en → police en, care en; purpose: all; kind: place / name: ",
    }[language]
    assert text.startswith(start)
    return text.removeprefix(start)


def test_tables_that_are_alike_have_no_effects():
    assert effects(table(row(SHUT)), table(row(SHUT))) == ()
    parted = table(row(SHUT, until=START), row(SHUT, valid_from=START))
    assert effects(table(row(SHUT)), parted) == effects(parted, table(row(SHUT))) == ()


@pytest.mark.parametrize(
    ("was", "now", "sv", "en"),
    [
        (SHUT, OPEN, "var spärrat, kräver nu beslut (cite osl-10-1).",
         "was withheld, now needs a decision (cite osl-10-1)."),
        (OPEN, SHUT, "krävde beslut, är nu spärrat (inte längre cite osl-10-1).",
         "needed a decision, is now withheld (no longer cite osl-10-1)."),
        (SHUT, FREE, "var spärrat, är inte längre sekretessbelagt; låses inte längre av cite osl-25-1.",
         "was withheld, is no longer secret; is no longer locked by cite osl-25-1."),
        (FREE, SHUT, "var inte sekretessbelagt, är nu spärrat; låses nu av cite osl-25-1.",
         "was not secret, is now withheld; is now locked by cite osl-25-1."),
        (FREE, OPEN, ("var inte sekretessbelagt, kräver nu beslut; öppnas nu av cite osl-10-1; låses nu av "
         "cite osl-25-1."),
         "was not secret, now needs a decision; is now opened by cite osl-10-1; is now locked by cite osl-25-1."),
        (OPEN, FREE, ("krävde beslut, är inte längre sekretessbelagt; öppnas inte längre av cite osl-10-1; låses inte "
         "längre av cite osl-25-1."),
         ("needed a decision, is no longer secret; is no longer opened by cite osl-10-1; is no longer locked by "
         "cite osl-25-1.")),
        (DARK, SHUT, "lagen för den tiden är nu känd.", "the law of that time is now known."),
        (SHUT, DARK, "lagen för den tiden är inte längre känd.", "the law of that time is no longer known."),
        (DARK, OPEN, "var spärrat, kräver nu beslut; öppnas nu av cite osl-10-1; lagen för den tiden är nu känd.",
         "was withheld, now needs a decision; is now opened by cite osl-10-1; the law of that time is now known."),
        (OPEN, dataclasses.replace(OPEN, provisions=("osl-10-1", "x")), "öppnas nu av x.", "is now opened by x."),
        (dataclasses.replace(OPEN, provisions=("osl-10-1", "x")), OPEN, "öppnas inte längre av x.",
         "is no longer opened by x."),
        (SHUT, Answer("needs-decision", ("osl-25-1",), (), ("a", "b")),
         "var spärrat, kräver nu beslut; öppnas nu bara tillsammans av a, b.",
         "was withheld, now needs a decision; is now opened only together by a, b."),
        (Answer("needs-decision", ("osl-25-1",), (), ("a", "b")), SHUT,
         "krävde beslut, är nu spärrat (inte längre a, b).",
         "needed a decision, is now withheld (no longer a, b)."),
        (Answer("needs-decision", ("osl-25-1",), (), ("a", "b")),
         Answer("needs-decision", ("osl-25-1",), ("b",)),
         "öppnas nu av b; öppnas inte längre av a.", "is now opened by b; is no longer opened by a."),
        (OPEN, Answer("needs-decision", ("osl-25-1",), (), ("osl-10-1", "b")),
         "öppnas nu bara tillsammans av cite osl-10-1, b.", "is now opened only together by cite osl-10-1, b."),
        (FREE, Answer("not-secret", ("x",)), "låses nu av x.", "is now locked by x."),
        (Answer("needs-decision", ("osl-25-1",), (), ("b", "c")),
         Answer("needs-decision", ("osl-25-1",), (), ("a", "c")),
         "öppnas nu bara tillsammans av a, c; öppnas inte längre av b.",
         "is now opened only together by a, c; is no longer opened by b."),
        (Answer("needs-decision", ("osl-25-1",), (), ("a", "b")),
         Answer("needs-decision", ("osl-25-1", "x"), (), ("a", "b")), "låses nu av x.", "is now locked by x."),
    ],
)  # fmt: skip
def test_every_turn_has_words_of_its_own(was, now, sv, en):
    assert said_of(was, now) == sv
    assert said_of(was, now, "en") == en


def test_only_the_cells_that_differ_are_told_and_the_earliest_first():
    old = table(row(SHUT))
    changed = {"holders": ("care",), "purposes": ("count",)}
    new = table(
        row(SHUT, holders=("police",)),
        row(SHUT, holders=("care",), purposes=("prevent",)),
        row(OPEN, valid_from=END, **changed),
        row(FREE, valid_from=START, until=END, bands=(BANDS[0], BANDS[2]), **changed),
        row(SHUT, valid_from=START, until=END, bands=(BANDS[1],), **changed),
        row(SHUT, until=START, **changed),
    )
    found = effects(old, new)
    assert [(one.holders, one.purposes, one.valid_from, one.until, one.bands) for one in found] == [
        (("care",), ("count",), START, END, (BANDS[0], BANDS[2])),
        (("care",), ("count",), END, None, BANDS),
    ]
    assert all((one.kinds, one.recipients) == (AXES.kinds, AXES.sectors) for one in found)
    assert [in_words(one, NAMES).sv.partition(": ")[0] for one in found] == [
        "Från 2020-01-01 till och med 2021-12-31", "Från 2022-01-01",
    ]  # fmt: skip
    assert outcomes(old, new, NAMES, "sv") == tuple(in_words(one, NAMES).sv for one in found)


def test_effects_of_one_day_stand_by_holder_recipient_kind_purpose_and_age():
    def cell(answer, holder, recipient, kind, purpose, band):
        return row(
            answer, holders=(holder,), recipients=(recipient,), kinds=(kind,), purposes=(purpose,), bands=(band,)
        )

    cells = [
        (holder, recipient, kind, purpose, band)
        for holder in AXES.sectors
        for recipient in AXES.sectors
        for kind in AXES.kinds
        for purpose in AXES.purposes
        for band in BANDS
    ]
    # Each cell opens by a provision of its own, so that no two can be put together.
    old = table(*(cell(SHUT, *one) for one in reversed(cells)))
    new = table(*(cell(dataclasses.replace(OPEN, provisions=(f"p{n}",)), *one) for n, one in enumerate(cells)))
    assert [
        (one.holders[0], one.recipients[0], one.kinds[0], one.purposes[0], one.bands[0]) for one in effects(old, new)
    ] == cells


def test_cells_that_change_alike_are_joined_in_a_fixed_order():
    # These cells are joined otherwise in any order in which one dimension stands for another.
    draw = random.Random(3)
    starts, ends = (None, *AXES.dates), (*AXES.dates, None)
    values = (AXES.sectors, AXES.kinds, AXES.sectors, AXES.purposes, BANDS, starts)
    cells = [(places, draw.random() < 0.5) for places in product(*(range(len(some)) for some in values))]

    def one(places, answer):
        holder, kind, recipient, purpose, band, period = places
        return row(
            answer, holders=(AXES.sectors[holder],), kinds=(AXES.kinds[kind],), recipients=(AXES.sectors[recipient],),
            purposes=(AXES.purposes[purpose],), bands=(BANDS[band],), valid_from=starts[period], until=ends[period],
        )  # fmt: skip

    old = table(*(one(places, SHUT) for places, _ in cells))
    new = table(*(one(places, OPEN if opened else SHUT) for places, opened in cells))
    single = [(*(1 << place for place in places), "opened") for places, opened in cells if opened]
    expected = {
        (*(tuple(some[bit] for bit in bits(mask)) for some, mask in zip(values[:5], box[:5], strict=True)),
         starts[min(bits(box[5]))], ends[max(bits(box[5]))])
        for box in packed(single, (0, 1, 4, 2, 5, 3), 5)
    }  # fmt: skip
    assert {
        (found.holders, found.kinds, found.recipients, found.purposes, found.bands, found.valid_from, found.until)
        for found in effects(old, new)
    } == expected


def test_what_only_one_table_knows_is_not_compared():
    wider = Axes(("police", "bank", "care"), ("name", "drone"), ("tax", "count"), BANDS, ())
    (effect,) = effects(table(row(SHUT)), table(row(OPEN, wider), axes=wider))
    assert (effect.holders, effect.recipients) == (("police", "care"), ("police", "care"))
    assert (effect.kinds, effect.purposes) == (("name",), ("count",))
    assert (effect.valid_from, effect.until) == (None, None)
    only_bank = table(row(OPEN, wider, holders=("bank",)), row(SHUT, wider, holders=("police", "care")), axes=wider)
    assert effects(table(row(SHUT)), only_bank) == ()


def test_ages_and_days_that_only_one_table_parts_are_parted_in_both():
    axes = Axes(AXES.sectors, AXES.kinds, AXES.purposes, bands_of({15, 21}), (LATER,))
    young, middle, old, unknown = axes.bands
    new = table(
        row(OPEN, axes, bands=(young, unknown), valid_from=LATER),
        row(SHUT, axes, bands=(young, unknown), until=LATER),
        row(SHUT, axes, bands=(middle, old)),
        axes=axes,
    )
    (effect,) = effects(table(row(SHUT)), new)
    assert effect.bands == (Band(0, 15), Band(None))
    assert (effect.valid_from, effect.until) == (LATER, None)
    (effect,) = effects(
        table(row(SHUT, bands=BANDS[:1]), row(OPEN, bands=BANDS[1:])), table(row(SHUT, axes), axes=axes)
    )
    assert effect.bands == (Band(18, 21), Band(21), Band(None))


@pytest.mark.parametrize(
    ("limits", "chosen", "said"),
    [
        ({18}, (0, 1, 2), None),
        ({18}, (0, 1), "känd ålder"),
        ({18}, (2,), "okänd ålder"),
        ({18}, (0,), "under 18 år"),
        ({18}, (1,), "18 år eller äldre"),
        ({18}, (1, 2), "18 år eller äldre / okänd ålder"),
        ({15, 18, 21}, (1,), "15 till 17 år"),
        ({15, 18, 21}, (1, 2), "15 till 20 år"),
        ({15, 18, 21}, (0, 1, 2), "under 21 år"),
        ({15, 18, 21}, (0, 2), "under 15 år / 18 till 20 år"),
        ({15, 18, 21}, (0, 2, 3), "under 15 år / 18 år eller äldre"),
        ({15, 18, 21}, (1, 3, 4), "15 till 17 år / 21 år eller äldre / okänd ålder"),
        ({15, 18, 21}, (0, 1, 3, 4), "under 18 år / 21 år eller äldre / okänd ålder"),
    ],
)
def test_ages_are_said_as_spans_and_every_age_is_not_said(limits, chosen, said):
    bands = bands_of(limits)
    axes = dataclasses.replace(AXES, bands=bands)
    picked = tuple(bands[place] for place in chosen)
    rest = tuple(band for band in bands if band not in picked)
    rows = [row(OPEN, axes, bands=picked), *([row(SHUT, axes, bands=rest)] if rest else [])]
    (effect,) = effects(table(row(SHUT, axes), axes=axes), table(*rows, axes=axes))
    where = in_words(effect, NAMES).sv.removesuffix(": var spärrat, kräver nu beslut (cite osl-10-1).")
    assert where.endswith(f"; {said}" if said else "; uppgift: plats / namn")


def test_an_effect_ends_on_the_day_before_the_next():
    new = table(row(OPEN, until=START), row(SHUT, valid_from=START))
    (effect,) = effects(table(row(SHUT)), new)
    assert effect.until == START
    assert in_words(effect, NAMES).en.startswith(f"Through {START - timedelta(days=1)}: ")
