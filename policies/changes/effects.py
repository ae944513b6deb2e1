"""What a change of the law does: the cells of two matrices compared, and the differences said in few sentences.

Cells of a sector, kind or purpose that only one of the two knows are not compared: there is nothing to compare with.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from policies.boxes import Box, bits, packed
from policies.changes.phrases import Names, joined, period, phrase, same
from policies.matrix import Answer, Axes, Band, Cells, Matrix, Row, bands_of
from policies.model import Text

_TIME = 5
# Found by trying all on changed laws: what makes the fewest sentences.
_ORDER = (0, 1, 4, 2, _TIME, 3)


@dataclass(frozen=True, slots=True)
class _Step:
    """What differs between the two answers of a cell; equal steps are said once."""

    was: str
    now: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    together: tuple[str, ...]
    locked: tuple[str, ...]
    unlocked: tuple[str, ...]
    known: bool
    was_known: bool


@dataclass(frozen=True, slots=True)
class Effect(Cells):
    """Cells whose answers change alike."""

    step: _Step


def effects(old: Matrix, new: Matrix) -> tuple[Effect, ...]:
    """Every difference between the answers of two matrices, earliest first."""
    axes = _common(old.axes, new.axes)
    before, after = _boxes(old.rows, axes), _boxes(new.rows, axes)
    unchanged = set(before) & set(after)
    # INVARIANT: the rows of a matrix share no cell, so a row that both have overlaps no other row of either.
    changed = (
        (*overlap, _step(was[-1], now[-1]))
        for was in before
        if was not in unchanged
        for now in after
        if now not in unchanged and was[-1] != now[-1]
        if all(overlap := tuple(a & b for a, b in zip(was[:-1], now[:-1], strict=True)))
    )
    found = sorted(
        packed(changed, _ORDER, _TIME), key=lambda box: [tuple(bits(box[n])) for n in (_TIME, 0, 2, 1, 3, 4)]
    )
    return tuple(_effect(box, axes) for box in found)


def _common(old: Axes, new: Axes) -> Axes:
    limits = {band.first for axes in (old, new) for band in axes.bands if band.first is not None}
    return Axes(
        sectors=tuple(sector for sector in new.sectors if sector in old.sectors),
        kinds=tuple(kind for kind in new.kinds if kind in old.kinds),
        purposes=tuple(purpose for purpose in new.purposes if purpose in old.purposes),
        bands=bands_of(limits),
        dates=tuple(sorted({*old.dates, *new.dates})),
    )


def _boxes(rows: Iterable[Row], axes: Axes) -> list[Box]:
    def mask(values: Sequence[str], chosen: Sequence[str]) -> int:
        return sum(1 << place for place, value in enumerate(values) if value in chosen)

    days = (None, *axes.dates)
    boxes: list[Box] = []
    for row in rows:
        start, end = days.index(row.valid_from), days.index(row.until) if row.until else len(days)
        boxes.append(
            (
                mask(axes.sectors, row.holders),
                mask(axes.kinds, row.kinds),
                mask(axes.sectors, row.recipients),
                mask(axes.purposes, row.purposes),
                sum(
                    1 << place for place, band in enumerate(axes.bands) if any(_within(band, own) for own in row.bands)
                ),
                (1 << end) - (1 << start),
                row.answer,
            )
        )
    return boxes


def _within(band: Band, other: Band) -> bool:
    return band == other if band.first is None else other.holds(band.first)


def _step(was: Answer, now: Answer) -> _Step:
    def more(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(identity for identity in one if identity not in other)

    return _Step(
        was=was.outcome,
        now=now.outcome,
        gained=more(now.provisions, was.provisions),
        lost=more((*was.provisions, *was.together), (*now.provisions, *now.together)),
        together=now.together if now.together != was.together else (),
        locked=more(now.secrecy, was.secrecy),
        unlocked=more(was.secrecy, now.secrecy),
        known=now.reason is None,
        was_known=was.reason is None,
    )


def _effect(box: Box, axes: Axes) -> Effect:
    def named(values: Sequence[str], place: int) -> tuple[str, ...]:
        return tuple(values[bit] for bit in bits(box[place]))

    start, until = axes.period(box[_TIME])
    return Effect(
        holders=named(axes.sectors, 0),
        kinds=named(axes.kinds, 1),
        recipients=named(axes.sectors, 2),
        purposes=named(axes.purposes, 3),
        bands=tuple(axes.bands[bit] for bit in bits(box[4])),
        valid_from=start,
        until=until,
        step=box[-1],
    )


_WAS = {
    "not-secret": Text("var inte sekretessbelagt", "was not secret"),
    "needs-decision": Text("krävde beslut", "needed a decision"),
    "withheld": Text("var spärrat", "was withheld"),
}
_NOW = {
    "not-secret": Text("är inte längre sekretessbelagt", "is no longer secret"),
    "needs-decision": Text("kräver nu beslut", "now needs a decision"),
    "withheld": Text("är nu spärrat", "is now withheld"),
}


def in_words(effect: Effect, names: Names) -> Text:
    """One effect as a sentence: when, from whom to whom, why, what, about whom, and what has changed."""
    where = [
        phrase("{} → {}", "{} → {}", names.of_sectors(effect.holders), names.of_sectors(effect.recipients)),
        phrase("ändamål: {}", "purpose: {}", names.of_purposes(effect.purposes)),
        phrase("uppgift: {}", "kind: {}", names.of_kinds(effect.kinds)),
        *_ages(effect.bands),
    ]
    what = joined(_outcome(effect.step, names), "; ")
    return phrase("{}: {}: {}.", "{}: {}: {}.", period(effect.valid_from, effect.until), joined(where, "; "), what)


def _ages(bands: Sequence[Band]) -> Iterator[Text]:
    """The ages as spans, the unknown age last; nothing where it is every age."""
    known = [band for band in bands if band.first is not None]
    spans: list[Band] = []
    for band in known:
        if spans and spans[-1].below == band.first:
            spans[-1] = Band(spans[-1].first, band.below)
        else:
            spans.append(band)
    unknown = Band(None) in bands
    if unknown and spans == [Band(0)]:
        return
    said = [_span(span) for span in spans]
    if unknown:
        said.append(Text("okänd ålder", "unknown age"))
    yield joined(said, " / ")


def _span(span: Band) -> Text:
    if span.below is None:
        known = Text("känd ålder", "known age")
        return phrase("{} år eller äldre", "{} or older", same(str(span.first))) if span.first else known
    if not span.first:
        return phrase("under {} år", "under {}", same(str(span.below)))
    return phrase("{} till {} år", "{} to {}", same(str(span.first)), same(str(span.below - 1)))


def _outcome(step: _Step, names: Names) -> Iterator[Text]:
    grounds = [
        phrase(sv, en, names.cited(ids))
        for ids, sv, en in (
            (step.gained, "öppnas nu av {}", "is now opened by {}"),
            (step.together, "öppnas nu bara tillsammans av {}", "is now opened only together by {}"),
            (step.lost, "öppnas inte längre av {}", "is no longer opened by {}"),
            (step.locked, "låses nu av {}", "is now locked by {}"),
            (step.unlocked, "låses inte längre av {}", "is no longer locked by {}"),
        )
        if ids
    ]
    if step.known != step.was_known:
        grounds.append(
            Text("lagen för den tiden är nu känd", "the law of that time is now known")
            if step.known
            else Text("lagen för den tiden är inte längre känd", "the law of that time is no longer known")
        )
    if step.was == step.now:
        yield from grounds
        return
    turn = phrase("{}, {}", "{}, {}", _WAS[step.was], _NOW[step.now])
    if len(grounds) == 1 and step.gained:
        yield phrase("{} ({})", "{} ({})", turn, names.cited(step.gained))
    elif len(grounds) == 1 and step.lost:
        yield phrase("{} (inte längre {})", "{} (no longer {})", turn, names.cited(step.lost))
    else:
        yield turn
        yield from grounds
