"""Laws that nobody has enacted, and questions to them: strategies for tests that must hold of any law.

`laws()` builds whole `Law` values of a shape that the catalogue could have loaded; `questions`, `facts` and `days` ask
a law (a generated one, or ours) and lean towards what one of its provisions is about, so that something opens.
Everything is sorted before it is drawn from, since sets have no order that a seed could repeat; and every choice is one
draw from a closed list, since laws are long and draws are what they cost.
"""

import dataclasses
import hashlib
from datetime import date, timedelta
from functools import cache
from itertools import combinations, pairwise

from hypothesis import strategies as st

from policies.model import (
    Breaks,
    Facts,
    Field,
    Holder,
    Kind,
    Law,
    LiveDecision,
    OpenQuestion,
    Provision,
    Question,
    SecrecyRule,
    SecrecyWording,
    Text,
    Wording,
)

SECTORS = ("care", "company", "police", "school")
PURPOSES = ("count", "prevent", "protect")
KINDS = ("contact", "health", "identity", "place")
CHAPTERS = (10, 18, 25, 26)
RULES = ("osl-18-1", "osl-25-1", "osl-26-1", "osl-26-2")
REFERENCES = ("osl-24-8",)
RESOURCES = ("person", "spot")
# Few days, so that wordings of one rule begin and end where those of another do.
DAYS = tuple(date(2020, 1, 1) + timedelta(days=30 * nth) for nth in range(4))
SOME = Text("något", "something")

seldom = st.sampled_from([False] * 4 + [True])
usually = st.sampled_from([True] * 6 + [False])


@cache
def some_of(names, least=0, *, nothing=0):
    """A set out of a closed list, the smallest first; `nothing` is how many times more likely the empty set is."""
    sets = [frozenset(chosen) for size in range(least, len(names) + 1) for chosen in combinations(names, size)]
    return st.sampled_from([frozenset()] * (nothing * len(sets)) + sets)


@cache
def some_or_none_of(names):
    """`None`, which is no condition at all, or a set that is not empty."""
    sets = [frozenset(chosen) for size in range(1, len(names) + 1) for chosen in combinations(names, size)]
    return st.sampled_from([None] * len(sets) + sets)


@cache
def mostly(likely, other):
    """From the first list about six times out of seven, where it has anything."""
    likely, other = sorted(likely), sorted(other)
    return st.sampled_from(likely * (6 * len(other)) + other * max(1, len(likely)))


def _periods():
    """Every run of periods without a gap over the days, the last one open or closed."""
    for size in range(1, len(DAYS) + 1):
        for starts in combinations(DAYS, size):
            closed = tuple(pairwise(starts))
            yield (*closed, (starts[-1], None))
            if closed:
                yield closed


RUNS = [run for run in _periods() if len(run) <= 3]
# Mostly long ones: a law that is hardly ever in force says little.
LONG = [run for run in RUNS if run[0][0] == DAYS[0] and run[-1][1] is None]
periods = st.sampled_from([*(LONG * (2 * len(RUNS) // len(LONG))), *RUNS])
ages = st.sampled_from(
    [(None, None)] * 3 + [(None, 18), (None, 21), (18, None), (1, None), (None, 1), (15, 18), (17, 18), (18, 21)]
)


@st.composite
def secrecy_rules(draw, identity, protected):
    """A secrecy rule over some of the protected kinds at some sectors."""
    sectors, kinds = draw(some_of(SECTORS, 1)), draw(some_of(protected))
    tests = st.sampled_from(["straight", "reverse", "absolute"])
    return SecrecyRule(
        id=identity,
        citation=f"paragrafen {identity}",
        title=SOME,
        chapter=draw(st.sampled_from(CHAPTERS)),
        protects=draw(st.sampled_from(["individual", "operation"])),
        applies=frozenset((sector, kind) for sector in sectors for kind in kinds),
        closed_to_chapters=draw(some_of(CHAPTERS, nothing=2)),
        wordings=tuple(SecrecyWording(start, until, draw(tests)) for start, until in draw(periods)),
        source="S1",
        confidence="V",
        not_held=None if kinds else SOME,
    )


breaks = st.builds(
    Breaks,
    everything=st.booleans(),
    rules=some_of(RULES),
    chapters=some_of(CHAPTERS, nothing=1),
    protects=some_of(("individual", "operation"), nothing=1),
    harm_tests=some_of(("reverse", "straight"), nothing=1),
    excepts=some_of((*RULES, *REFERENCES), nothing=2),
)
open_questions = st.builds(
    OpenQuestion,
    number=st.integers(1, 8),
    purposes=some_of(PURPOSES),
    secrecy=some_of(RULES, nothing=1),
    from_sectors=some_of(SECTORS, nothing=1),
    to_sectors=some_of(SECTORS, nothing=1),
    equated=st.booleans(),
    text=st.just(SOME),
)


@st.composite
def wordings(draw, start, until):
    """What a generated provision says during a period."""
    age_from, age_below = draw(ages)
    return Wording(
        valid_from=start,
        until=until,
        type=draw(st.sampled_from(["may", "shall"])),
        from_sectors=draw(some_of(SECTORS, 2)),
        to_sectors=draw(some_of(SECTORS, 2)),
        purposes=draw(some_or_none_of(PURPOSES)),
        breaks=draw(breaks),
        kinds=draw(some_or_none_of(KINDS)),
        age_from=age_from,
        age_below=age_below,
        initiative=draw(some_of(("on-request", "own-initiative"), 1)),
        attestations=draw(st.sampled_from([(), ("noted",)])),
        open_questions=tuple(draw(open_questions) for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2])))),
        other_sector=draw(st.sampled_from([False, False, True])),
        equated_from=draw(some_of(SECTORS)),
    )


@st.composite
def provisions(draw, nth):
    """A provision of OSL or of another act, of one or several wordings."""
    chapter, in_osl = draw(
        st.sampled_from([(None, False), *((chapter, osl) for chapter in CHAPTERS for osl in (0, 1))])
    )
    return Provision(
        id=f"osl-{chapter}-{nth}a" if in_osl else f"act-{nth}",
        citation=f"{nth} §",
        title=SOME,
        chapter=chapter,
        general=draw(seldom),
        wordings=tuple(draw(wordings(start, until)) for start, until in draw(periods)),
        source="S1",
        confidence="V",
    )


@st.composite
def fields(draw, kinds):
    """Fields of two resources, of which either may be about persons."""
    made = {}
    holder = st.sampled_from(["row"] * len(SECTORS) + [*SECTORS])
    for resource in RESOURCES:
        individual = draw(st.booleans())
        for nth in range(draw(st.integers(1, 4))):
            kind = kinds[draw(st.sampled_from(KINDS))]
            made[resource, f"field{nth}"] = Field(
                resource, f"field{nth}", kind, draw(holder), (), individual, draw(seldom)
            )
    return made


@st.composite
def laws(draw):
    """A whole law. Its version is a digest of all it says: different laws never share what is remembered of them."""
    shared = draw(some_of(KINDS))
    kinds = {kind: Kind(kind, "shared" if kind in shared else "protected", SOME) for kind in KINDS}
    protected = tuple(kind for kind in KINDS if kind not in shared)
    rules = {name: draw(secrecy_rules(name, protected)) for name in sorted(draw(some_of(RULES)))}
    made = [draw(provisions(nth)) for nth in range(draw(st.integers(1, 4)))]
    locked = {pair for rule in rules.values() for pair in rule.applies}
    law = Law(
        version="",
        sectors=dict.fromkeys(SECTORS, SOME),
        authorities=draw(some_of(SECTORS, 1)),
        purposes=dict.fromkeys(PURPOSES, SOME),
        kinds=kinds,
        fields=draw(fields(kinds)),
        secrecy=rules,
        no_secrecy={(sector, kind): SOME for sector in SECTORS for kind in protected if (sector, kind) not in locked},
        provisions={provision.id: provision for provision in made},
        attestations={"noted": SOME},
    )
    return dataclasses.replace(law, version=f"generated-{hashlib.sha256(repr(law).encode()).hexdigest()[:32]}")


# --- asking a law ---------------------------------------------------------------------------------------------------


def boundaries(law):
    """Every day on which a wording of the law begins or ends, in order."""
    rules = [*law.secrecy.values(), *law.provisions.values()]
    return sorted(
        {day for rule in rules for said in rule.wordings for day in (said.valid_from, said.until) if day is not None}
    )


def days(law):
    """The days around each boundary, and some long before and long after all of them."""
    around = [day + timedelta(days=step) for day in boundaries(law) for step in (0, -1, 1)]
    return st.sampled_from([*around, around[0] - timedelta(days=400), around[-1] + timedelta(days=400)])


def _of_wording(law, wording):
    """Mostly a day on which a wording or the whole law has begun, else any day of `days`."""
    begun = st.sampled_from([wording.valid_from, boundaries(law)[-1]])
    return st.one_of(begun, begun, begun, days(law))


@st.composite
def _subjects(draw, law):
    """A provision and one of its wordings, for a question to be about; those with conditions of their own first."""
    known = sorted(law.provisions.values(), key=lambda provision: provision.id)
    rare = [one for one in known for said in one.wordings if said.age_from or said.age_below or said.kinds]
    provision = draw(st.sampled_from([*rare, *rare, *known]))
    return provision, draw(st.sampled_from(provision.wordings))


@st.composite
def questions(draw, law):
    """A question by kind, by secrecy rules, or by both."""
    _, wording = draw(_subjects(law))
    by_kind, by_rules = draw(st.sampled_from([(True, False), (False, True), (True, True)]))
    rules = draw(st.sets(st.sampled_from(sorted(law.secrecy)), min_size=1, max_size=3)) if law.secrecy else ()
    by_kind = by_kind or not rules
    limits = {age + step for age in (wording.age_from, wording.age_below) if age is not None for step in (-1, 0)}
    return Question(
        holder_sector=draw(mostly(wording.from_sectors, frozenset(law.sectors))),
        recipient_sector=draw(mostly(wording.to_sectors, frozenset(law.sectors))),
        purpose=draw(mostly(wording.purposes or frozenset(), frozenset(law.purposes))),
        as_of=draw(_of_wording(law, wording)),
        kind=draw(mostly(wording.kinds or frozenset(), frozenset(law.kinds))) if by_kind else None,
        secrecy=tuple(sorted(rules)) if by_rules and rules else None,
        subject_age=draw(st.sampled_from([None, None, *sorted(limits), 0, 16, 40, 130])),
        holder_equated=draw(seldom),
        recipient_equated=draw(seldom),
    )


@st.composite
def facts(draw, law, resource=None):
    """What a caller asks of a resource, with recorded decisions, as the gate would say it; and a day to ask on."""
    provision, wording = draw(_subjects(law))
    protected = frozenset(owner for (owner, _), field in law.fields.items() if field.kind.level == "protected")
    resource = resource or draw(mostly(protected, frozenset(owner for owner, _ in law.fields)))
    names = tuple(field.name for field in law.fields_of(resource))
    caller = draw(mostly(wording.to_sectors, frozenset(law.sectors)))
    purpose = draw(mostly(wording.purposes or frozenset(), frozenset(law.purposes))) if draw(usually) else None
    others = draw(st.sets(mostly(wording.from_sectors & law.authorities, law.authorities), max_size=3))
    own = (Holder(caller, own=True),) if caller in law.authorities else ()
    # A field with a holder of its own may be held by a sector that is no authority.
    holders = law.authorities | {field.holder for field in law.fields.values()} - {"row"}
    basis = mostly(frozenset({provision.id}), frozenset({*law.provisions, "osl-99-9"}))
    decisions = tuple(
        LiveDecision(
            id=f"decision-{nth}",
            holder_sector=draw(mostly(wording.from_sectors & holders, holders)),
            provision=draw(basis),
            purpose=draw(mostly(frozenset({purpose} - {None}), frozenset(law.purposes))),
            fields=frozenset(names) if draw(usually) else frozenset(draw(st.sets(st.sampled_from(names)))),
            holder_equated=draw(seldom),
        )
        for nth in range(draw(st.sampled_from([1, 0, 2, 3])))
    )
    asked = Facts(
        caller_sector=caller,
        resource=resource,
        fields=tuple(sorted(draw(st.sets(st.sampled_from(names), min_size=1)))),
        holders=own + tuple(Holder(sector, own=False) for sector in sorted(others)),
        purpose=purpose,
        legal_basis=draw(basis) if draw(seldom) else None,
        case_reference=draw(usually),
        decisions=decisions,
        caller_equated=draw(seldom),
    )
    return asked, draw(_of_wording(law, wording))
