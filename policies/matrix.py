"""The disclosure matrix: what the law answers for every holder, recipient, purpose, kind, age and day, in few rows.

The rows part the product of all six exactly: every question of `explain.explanation` that names a kind and says nothing
of OSL 2:3 (both parties are authorities themselves, or none at all) falls in one row, which gives its outcome.

`provisions` are the special provisions that open every lock by themselves, `together` those that do so only in
company. General exits (consent, the holder's own need, a harm assessment …) exist for nearly everything and are not
listed. Where nothing is secret there is nothing to open, and where the law of the day is not known (`reason`) nothing
can be relied on: such rows list no provision.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TypeVar

from policies.assess import assess_provision, lawless
from policies.boxes import Box, bits, packed, runs
from policies.explain import outcome
from policies.model import Assessment, Condition, Law, Provision, Question, Wording

_T = TypeVar("_T")
UNKNOWN_AGE = "unknown"
NO_WORDING = "no-wording-in-force"

# The place of each dimension in a box.
_HOLDER, _KIND, _RECIPIENT, _PURPOSE, _AGE, _TIME = range(6)
# Found by trying all: what makes the fewest rows of the law as it stands. Fixed, so that a change of a rule changes
# the rows that it concerns and no others.
_ORDER = (_KIND, _PURPOSE, _TIME, _AGE, _HOLDER, _RECIPIENT)
_READING = (_HOLDER, _KIND, _TIME, _RECIPIENT, _PURPOSE, _AGE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the law says about a cell: all that is equal in the cells of one row."""

    outcome: str
    secrecy: tuple[str, ...]
    provisions: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """Ages that the law treats alike, in whole years: from `first` to below `below`; `first` None is an unknown age."""

    first: int | None
    below: int | None = None

    @property
    def label(self) -> str:
        """`0-17`, `21-` or `unknown`."""
        if self.first is None:
            return UNKNOWN_AGE
        return f"{self.first}-{'' if self.below is None else self.below - 1}"

    def holds(self, age: int) -> bool:
        """Whether somebody of this age is in the band."""
        return self.first is not None and self.first <= age and (self.below is None or age < self.below)


@dataclass(frozen=True, slots=True)
class Axes:
    """The values of each dimension, in the order of the law files.

    `dates` are the days on which law changes: period *n* begins on the *n*-th, and period 0 is all time before.
    """

    sectors: tuple[str, ...]
    kinds: tuple[str, ...]
    purposes: tuple[str, ...]
    bands: tuple[Band, ...]
    dates: tuple[date, ...]

    def period(self, mask: int) -> tuple[date | None, date | None]:
        """First day and first day beyond of periods without a gap; None where there is no end in that direction."""
        days = (None, *self.dates, None)
        return days[next(bits(mask))], days[mask.bit_length()]


@dataclass(frozen=True, slots=True)
class Cells:
    """Every holder × kind × recipient × purpose × age named, from a day until before another."""

    holders: tuple[str, ...]
    kinds: tuple[str, ...]
    recipients: tuple[str, ...]
    purposes: tuple[str, ...]
    bands: tuple[Band, ...]
    valid_from: date | None
    until: date | None


@dataclass(frozen=True, slots=True)
class Row(Cells):
    """Cells with one answer."""

    answer: Answer

    def in_force(self, day: date) -> bool:
        """Whether the row is about that day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Matrix:
    """All rows, sorted for reading, and the axes that they part."""

    axes: Axes
    rows: tuple[Row, ...]


def axes_of(law: Law) -> Axes:
    """The dimensions of a law: its own sectors, kinds and purposes, its age limits and its dates."""
    wordings = [wording for provision in law.provisions.values() for wording in provision.wordings]
    limits = {age for wording in wordings for age in (wording.age_from, wording.age_below) if age is not None}
    stages = [stage for rule in law.secrecy.values() for stage in rule.wordings]
    periods = [*((w.valid_from, w.until) for w in wordings), *((s.valid_from, s.until) for s in stages)]
    return Axes(
        sectors=tuple(law.sectors),
        kinds=tuple(law.kinds),
        purposes=tuple(law.purposes),
        bands=bands_of(limits),
        dates=tuple(sorted({day for period in periods for day in period if day is not None})),
    )


def bands_of(limits: Iterable[int]) -> tuple[Band, ...]:
    """The bands between age limits, youngest first, and last the unknown age."""
    edges = [0, *sorted(set(limits) - {0}), None]
    return (*(Band(first, below) for first, below in pairwise(edges)), Band(None))


def matrix(law: Law) -> Matrix:
    """The whole matrix of a law. Takes seconds: keep it."""
    axes = axes_of(law)
    boxes: Iterable[Box] = (
        (1 << holder_place, 1 << kind_place, recipient, purposes, 1 << band, period, answer)
        for holder_place, holder in enumerate(axes.sectors)
        for kind_place, kind in enumerate(axes.kinds)
        for bands, periods, plane in _Item(law, axes, holder, kind).planes()
        for band in bits(bands)
        for period in runs(periods)
        for answer, recipient, purposes in plane
    )
    # INVARIANT: sorted by every dimension, so equal laws give equal files.
    ordered = sorted(packed(boxes, _ORDER, _TIME), key=lambda box: [tuple(bits(box[place])) for place in _READING])
    return Matrix(axes, tuple(_row(box, axes) for box in ordered))


def _row(box: Box, axes: Axes) -> Row:
    def named(place: int, values: Sequence[_T]) -> tuple[_T, ...]:
        return tuple(values[bit] for bit in bits(box[place]))

    start, until = axes.period(box[_TIME])
    return Row(
        holders=named(_HOLDER, axes.sectors),
        kinds=named(_KIND, axes.kinds),
        recipients=named(_RECIPIENT, axes.sectors),
        purposes=named(_PURPOSE, axes.purposes),
        bands=named(_AGE, axes.bands),
        valid_from=start,
        until=until,
        answer=box[-1],
    )


# One answer for one recipient and a mask of purposes.
_Plane = list[tuple[Answer, int, int]]
# An assessment, and the recipients × purposes that it holds for as bits of the plane.
_Reach = tuple[tuple[Assessment, int], ...]
_InForce = tuple[tuple[Provision, Wording], ...]


class _Item:
    """One kind at one holder: answers for the plane of all recipients × purposes, by age and period."""

    def __init__(self, law: Law, axes: Axes, holder: str, kind: str) -> None:
        self.law, self.axes, self.holder, self.kind = law, axes, holder, kind
        self.rules = law.secrecy_of(kind, holder)
        self.provisions = [rule for rule in law.provisions.values() if not rule.general]
        self.width = len(axes.purposes)
        # What no change of law since has touched need not be asked again.
        self.reaches: dict[object, _Reach] = {}

    def planes(self) -> Iterator[tuple[int, int, _Plane]]:
        """Masks of bands and of periods, and the answers of the plane in all of them."""
        # Days on which nothing that bears on this item has changed are alike; `date.min` is before all law.
        alike: dict[object, tuple[date, int, _InForce]] = {}
        for period, day in enumerate((date.min, *self.axes.dates)):
            in_force = tuple(self._in_force(day))
            wordings = tuple((rule.id, wording.valid_from) for rule, wording in in_force)
            state = (lawless(self.rules, self.law, day), self._stages(day), wordings)
            periods = alike[state][1] if state in alike else 0
            alike[state] = (day, periods | 1 << period, in_force)
        for day, periods, in_force in alike.values():
            for bands, reaches in self._by_band(in_force, day):
                yield bands, periods, self._plane(reaches, self.axes.bands[next(bits(bands))], day)

    def _in_force(self, day: date) -> Iterator[tuple[Provision, Wording]]:
        """The special provisions that speak of this holder on that day; none where there is no lock to open."""
        for rule in self.provisions if self.rules else ():
            wording = rule.in_force(day)
            if wording is not None and self.holder in wording.from_sectors:
                yield rule, wording

    def _stages(self, day: date) -> tuple[object, ...]:
        return tuple(rule.in_force(day) for rule in self.rules)

    def _by_band(self, in_force: _InForce, day: date) -> Iterator[tuple[int, _Reach]]:
        """What reaches where, with the mask of the bands for which that is so."""
        bands: dict[object, int] = {}
        found: dict[object, _Reach] = {}
        for place, band in enumerate(self.axes.bands):
            reaches = tuple(part for rule, wording in in_force for part in self._reach(rule, wording, band, day))
            same = tuple((answer.provision.id, answer.opens, cells) for answer, cells in reaches)
            bands[same] = bands.get(same, 0) | 1 << place
            found[same] = reaches
        return ((mask, found[same]) for same, mask in bands.items())

    def _question(self, recipient: str, purpose: str, band: Band, day: date) -> Question:
        return Question(self.holder, recipient, purpose, day, self.kind, subject_age=band.first)

    def _reach(self, provision: Provision, wording: Wording, band: Band, day: date) -> _Reach:
        """Where a provision's conditions hold, but for locks that it leaves shut."""
        key = (provision.id, wording.valid_from, band.first, self._stages(day))
        if key not in self.reaches:
            cells = [
                (recipient, purpose)
                for recipient in self.axes.sectors
                if recipient in wording.to_sectors
                for purpose in self.axes.purposes
                if wording.purposes is None or purpose in wording.purposes
            ]
            # An open question or the holder's own sector may close single cells; else what holds for one holds for all.
            single = wording.open_questions or wording.other_sector
            groups = [[cell] for cell in cells] if single else [cells] if cells else []
            found: dict[frozenset[str], tuple[Assessment, int]] = {}
            for group in groups:
                answer = assess_provision(provision, self._question(*group[0], band, day), self.rules)
                if all(lack.condition is Condition.SECRECY for lack in answer.lacks):
                    _, others = found.get(answer.opens, (answer, 0))
                    found[answer.opens] = answer, others | sum(self._bit(*cell) for cell in group)
            self.reaches[key] = tuple(found.values())
        return self.reaches[key]

    def _bit(self, recipient: str, purpose: str) -> int:
        return 1 << (self.axes.sectors.index(recipient) * self.width + self.axes.purposes.index(purpose))

    def _plane(self, reaches: _Reach, band: Band, day: date) -> _Plane:
        """Part the plane by what reaches where, and ask for the outcome of each part."""
        parts: dict[tuple[int, ...], int] = {(): (1 << (len(self.axes.sectors) * self.width)) - 1}
        for place, (_, mask) in enumerate(reaches):
            split: dict[tuple[int, ...], int] = {}
            for places, cells in parts.items():
                if cells & mask:
                    split[*places, place] = cells & mask
                if cells & ~mask:
                    split[places] = cells & ~mask
            parts = split
        alike: dict[Answer, int] = {}
        for places, cells in parts.items():
            found = self._answer([reaches[place][0] for place in places], cells, band, day)
            alike[found] = alike.get(found, 0) | cells
        row = (1 << self.width) - 1
        return [
            (found, 1 << place, purposes)
            for found, cells in alike.items()
            for place in range(len(self.axes.sectors))
            if (purposes := cells >> place * self.width & row)
        ]

    def _answer(self, answers: Sequence[Assessment], cells: int, band: Band, day: date) -> Answer:
        recipient, purpose = divmod(next(bits(cells)), self.width)
        question = self._question(self.axes.sectors[recipient], self.axes.purposes[purpose], band, day)
        secrecy = tuple(rule.id for rule in self.rules)
        if lawless(self.rules, self.law, day):
            return Answer(outcome(question, self.law, ()), secrecy, reason=NO_WORDING)
        result = outcome(question, self.law, answers)
        alone = tuple(answer.provision.id for answer in answers if answer.available)
        helping = tuple(answer.provision.id for answer in answers if answer.opens)
        return Answer(result, secrecy, alone, () if alone or result != "needs-decision" else helping)
