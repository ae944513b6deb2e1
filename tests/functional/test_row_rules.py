"""Row rules in SQL and in a plain reading: who sees which fields of which individual, and from which midnight.

    SAMSYN_TEST_SEED=n uv run pytest tests/functional/test_row_rules.py -m long -n 0 -s

asks in 20 000 worlds instead of sixty; SAMSYN_TEST_CASES says in how many.
"""

import dataclasses
import json
import os
import secrets
import uuid
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import permutations, product
from typing import NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st

from api.disclosure.compile import compile_selection, gate_values
from api.disclosure.selection import FieldWanted, Selection
from api.individuals.repository import INDIVIDUALS
from policies import reference
from policies.assess import assess_provision, locks
from policies.catalogue import law
from policies.decide import decide
from policies.model import Facts, Holder, LiveDecision, Question
from tests.support import AGENCIES, App, moment
from tests.unit.policies.generated_law import boundaries

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
print(f"SAMSYN_TEST_SEED={SEED}")
WORLDS = 60
MANY = int(os.environ.get("SAMSYN_TEST_CASES", "20000"))

LAW = law()
SECTOR = {slug: sector for slug, sector, _, _ in AGENCIES}
HOLDING = [slug for slug, sector in SECTOR.items() if sector in LAW.authorities]
FIELDS = tuple(field.name for field in LAW.fields_of("individual"))
SWEDEN = ZoneInfo("Europe/Stockholm")
# Summer and winter time, both days on which the clock is moved, and 28 and 29 February of common and leap years.
TODAYS = [date(2026, 6, 15), date(2026, 11, 20), date(2026, 10, 25), date(2027, 3, 28), date(2027, 2, 28),
          date(2027, 3, 1), date(2028, 2, 28), date(2028, 2, 29), date(2027, 1, 1), date(2027, 8, 30)]  # fmt: skip
HOURS = [time(0, 0, 0), time(23, 59, 59), time(12, 0, 0), time(0, 59, 59)]
AGES = sorted(
    {age for rule in LAW.provisions.values() for said in rule.wordings for age in (said.age_from, said.age_below)}
    - {None}
)
LEAP_DAY = date(2008, 2, 29)
mostly = st.sampled_from([True, True, True, True, False])
# When a decision begins and ends, seen from now, and whether it was revoked: it lives, or it does not.
SECOND = timedelta(seconds=1)
LIVES = [(-SECOND, SECOND, False), (timedelta(), SECOND, False)]
DEAD = [(-SECOND, timedelta(), False), (SECOND, 2 * SECOND, False), (-SECOND, SECOND, True)]
# Keys and ids are the same in every world, so that statements of one shape are compiled once.
KEYS = sorted(uuid.uuid5(uuid.NAMESPACE_OID, f"row {nth}") for nth in range(8))
IDS = [uuid.uuid5(uuid.NAMESPACE_OID, f"decision {nth}") for nth in range(4)]
OBSERVED = date(2025, 10, 2)
_COLUMNS = ("id", "mapping_id", "holder", "role", "name", "birth_date", "sex", "substances", "circumstances",
            "observed_on", "basis", "recorded_by", "created_at", "protected_identity")  # fmt: skip
PEOPLE = f"INSERT INTO individuals ({', '.join(_COLUMNS)}) VALUES ({', '.join(f'${nth + 1}' for nth in range(14))})"
ITEMS = "INSERT INTO disclosure_decision_items (decision_id, item_id, alias, pseudonym) VALUES ($1, $2, $3, $4)"


# --- the service ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Person:
    """One row; what it says of the person is made from its number."""

    holder: str
    born: date | None

    def stored(self, key, mapping):
        return (key, mapping, self.holder, "sells", f"Påhittad {key}", self.born, "unknown", ["cannabis"], None,
                OBSERVED, "fact", "handläggare-1", moment("2025-10-05T10:00:00Z"), False)  # fmt: skip

    def shown(self, key, mapping, caller):
        own = self.holder == caller
        return {
            "id": str(key if own else alias(caller, key)), "mapping": mapping, "holder": self.holder, "role": "sells",
            "name": f"Påhittad {key}", "identityNumber": None, "birthDate": self.born and self.born.isoformat(),
            "sex": "unknown", "contact": None, "substances": ["cannabis"], "circumstances": None,
            "observedOn": OBSERVED.isoformat(), "basis": "fact", "protectedIdentity": False,
            "pseudonym": None if own else f"pseudonym {caller}",
        }  # fmt: skip


def alias(recipient, key):
    """What a row is called towards one recipient."""
    return uuid.uuid5(key, recipient)


def named_to(recipient, identity, keys):
    """The rows that a decision names, as they are stored."""
    return [(identity, key, alias(recipient, key), f"pseudonym {recipient}") for key in keys]


@dataclasses.dataclass(frozen=True)
class Recorded:
    """A disclosure decision as it lies in the table: by whom, to whom, on what, from when, until when."""

    holder: str
    recipient: str
    provision: str
    purpose: str
    fields: frozenset[str]
    items: frozenset[int]
    begins: timedelta
    ends: timedelta
    revoked: bool

    def lives(self):
        """From its first moment up to, not including, its last, unless it was revoked."""
        return self.begins <= timedelta() < self.ends and not self.revoked


class Way(NamedTuple):
    """A provision that can carry a decision between two sectors for a purpose."""

    holder: str
    recipient: str
    provision: str
    purpose: str


@dataclasses.dataclass(frozen=True)
class World:
    """All that lies in the database, the moment in Sweden, and who asks for what."""

    now: datetime
    people: tuple[Person, ...]
    decisions: tuple[Recorded, ...]
    equated: frozenset[str]
    callers: tuple[tuple[str, str | None, str | None, bool], ...]

    @property
    def today(self):
        return self.now.date()

    @property
    def utc(self):
        return self.now.astimezone(UTC)


@st.composite
def births(draw, today):
    """Birth dates within two days of a birthday that matters, on leap days, of anybody, or unknown."""
    try:
        near = today.replace(year=today.year - draw(st.sampled_from(AGES)))
    except ValueError:
        near = date(today.year - 18, 3, 1)
    around = near + timedelta(days=draw(st.integers(-2, 2)))
    return draw(st.sampled_from([around, around, around, LEAP_DAY, date(1975, 1, 31), date(2015, 12, 31), None]))


def ways(today):
    """Every way in which a decision can carry something about a person that day, between two of our agencies."""
    return _ways(max(day for day in boundaries(LAW) if day <= today))


@cache
def _ways(today):
    kinds = sorted({field.kind.id for field in LAW.fields_of("individual")})
    found = set()
    for provision in LAW.provisions.values():
        said = provision.in_force(today)
        purposes = () if said is None else LAW.purposes if said.purposes is None else said.purposes
        for holder, recipient, purpose in product(*_sectors_of(said), sorted(purposes)):
            asked = (Question(holder, recipient, purpose, today, kind=kind) for kind in kinds)
            if any(assess_provision(provision, question, locks(question, LAW)).available for question in asked):
                found.add(Way(holder, recipient, provision.id, purpose))
    return sorted((way for way in found if any(_pairs(way))), key=lambda way: (way.provision, way))


def _sectors_of(said):
    ours = set(SECTOR.values())
    return (sorted(ours & said.from_sectors), sorted(ours & said.to_sectors)) if said is not None else ((), ())


def _pairs(way):
    """The agencies of ours that are such a holder and such a recipient."""
    for (holder, its_sector), (recipient, to_sector) in permutations(SECTOR.items(), 2):
        if (its_sector, to_sector) == (way.holder, way.recipient) and holder in HOLDING:
            yield holder, recipient


@st.composite
def recorded(draw, people, way):
    """A decision of one of these holders: mostly in the way the world is about, else on anything to anybody."""
    holders = sorted({person.holder for person in people})
    pairs = [pair for pair in _pairs(way) if pair[0] in holders]
    if pairs and draw(mostly):
        (holder, recipient), provision, purpose = draw(st.sampled_from(pairs)), way.provision, way.purpose
    else:
        holder = draw(st.sampled_from(holders))
        recipient = draw(st.sampled_from([slug for slug in SECTOR if slug != holder]))
        provision = draw(st.sampled_from([way.provision, *sorted(LAW.provisions)]))
        purpose = draw(st.sampled_from([way.purpose, *sorted(LAW.purposes)]))
    own = frozenset(nth for nth, person in enumerate(people) if person.holder == holder)
    begins, ends, revoked = draw(st.sampled_from(LIVES * 6 + DEAD))
    return Recorded(
        holder=holder,
        recipient=recipient,
        provision=provision,
        purpose=purpose,
        fields=frozenset(FIELDS) if draw(mostly) else draw(st.sets(st.sampled_from(FIELDS)).map(frozenset)),
        # All of its own rows, all but one, or those of others too, which it cannot disclose.
        items=draw(st.sampled_from([own, own - {min(own)}, own - {min(own)}, frozenset(range(len(people)))])),
        begins=begins,
        ends=ends,
        revoked=revoked,
    )


@st.composite
def worlds(draw):
    """A world about one way to disclose, more often than not by a provision with an age."""
    today = draw(st.sampled_from(TODAYS))
    now = datetime.combine(today, draw(st.sampled_from(HOURS)), SWEDEN)
    said = {name: LAW.provisions[name].in_force(today) for name in LAW.provisions}
    from_age = [way for way in ways(today) if said[way.provision].age_from]
    below_age = [way for way in ways(today) if said[way.provision].age_below]
    way = draw(st.one_of(*(st.sampled_from(some) for some in (below_age, from_age, ways(today)) if some)))
    fitting = sorted({holder for holder, _ in _pairs(way)})
    held = st.builds(Person, st.sampled_from(fitting * len(HOLDING) + HOLDING), births(today))
    people = tuple(draw(st.lists(held, min_size=3, max_size=8)))
    decisions = tuple(draw(st.lists(recorded(people, way), min_size=1, max_size=4)))
    first = decisions[0]
    basis = draw(st.sampled_from([None, None, first.provision, "osl-10-27"]))
    # Whom the first decision names, perhaps under one basis or without a case; another holder; and whoever else.
    callers = [
        (first.recipient, first.purpose, basis, draw(mostly)),
        (people[-1].holder, decisions[-1].purpose, None, True),
        (draw(st.sampled_from(sorted(SECTOR))), draw(st.sampled_from([None, *sorted(LAW.purposes)])), None, True),
        *((one.recipient, one.purpose, None, True) for one in decisions[1:2]),
    ]
    companies = frozenset() if draw(mostly) else draw(st.sets(st.sampled_from(sorted(SECTOR))).map(frozenset))
    return World(now, people, decisions, companies, tuple(dict.fromkeys(callers)))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mapping(app: App):
    scene = await app.new_scene()
    body = {"mappedOn": "2025-10-05", "physicalPlace": "Torg.", "use": "Genomgång."}
    answer = await app.client("polismyndigheten").post(f"scenes/{scene['id']}/mappings", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def store(connection, world, mapping):
    """Lay the world into the database, past the service, in place of the one before."""
    async with connection.transaction():
        for table in ("disclosure_decision_items", "disclosure_decisions", "individuals"):
            await connection.execute(f"DELETE FROM {table}")
        await connection.execute("UPDATE agencies SET equated = slug = ANY($1)", sorted(world.equated))
        await connection.executemany(
            PEOPLE,
            [person.stored(key, mapping) for key, person in zip(KEYS, world.people, strict=False)],
        )
        for identity, one in zip(IDS, world.decisions, strict=False):
            await connection.execute(
                "INSERT INTO disclosure_decisions (id, holder, recipient, provision, purpose, resource, fields,"
                " attestations, decided_by, valid_from, valid_until, revoked_at)"
                " VALUES ($1, $2, $3, $4, $5, 'individual', $6, '{}', 'handläggare-1', $7, $8, $9)",
                identity,
                *(one.holder, one.recipient, one.provision, one.purpose, sorted(one.fields)),
                *(world.utc + one.begins, world.utc + one.ends, world.utc if one.revoked else None),
            )
            await connection.executemany(ITEMS, named_to(one.recipient, identity, [KEYS[nth] for nth in one.items]))


def facts_of(world, caller, purpose, basis, case):
    """What the law is asked, as the design has it: own data, then every other authority's, under live decisions."""
    others = {SECTOR[slug] for slug in HOLDING if slug != caller}
    own = (Holder(SECTOR[caller], own=True),) if caller in HOLDING else ()
    live = [
        LiveDecision(
            str(identity), SECTOR[one.holder], one.provision, one.purpose, one.fields, one.holder in world.equated
        )
        for identity, one in zip(IDS, world.decisions, strict=False)
        if one.recipient == caller and one.lives()
    ]
    return Facts(
        caller_sector=SECTOR[caller],
        resource="individual",
        fields=FIELDS,
        holders=own + tuple(Holder(sector, own=False) for sector in sorted(others)),
        purpose=purpose,
        legal_basis=basis,
        case_reference=case,
        decisions=tuple(live),
        caller_equated=caller in world.equated,
    )


def rows_shown(world, mapping, facts, caller):
    """The rows that the caller should be given, by their ids towards it, with the fields that a plain reading shows."""
    rows = {}
    decided = reference.decide(facts, LAW, world.today)
    for nth, (key, person) in enumerate(zip(KEYS, world.people, strict=False)):
        named_by = frozenset(
            str(identity)
            for identity, one in zip(IDS, world.decisions, strict=False)
            if one.holder == person.holder and nth in one.items
        )
        row = reference.Row(SECTOR[person.holder], person.holder == caller, person.born, named_by)
        if fields := reference.shown_by(decided, facts, LAW, world.today, row):
            whole = person.shown(key, mapping, caller)
            rows[whole["id"]] = {name: whole[name] for name in fields}
    return {shown_as: rows[shown_as] for shown_as in sorted(rows)}


async def check(app: App, mapping: str, world: World):
    """Ask the service as every caller of the world, for the list and for one row."""
    note(world)
    connection = await asyncpg.connect(app.url)
    try:
        await store(connection, world, uuid.UUID(mapping))
    finally:
        await connection.close()
    app.clock.at = world.utc
    # The register of agencies is remembered for a while.
    app.services.agencies._read_at = None
    for caller, purpose, basis, case in world.callers:
        expected = rows_shown(world, mapping, facts_of(world, caller, purpose, basis, case), caller)
        asked = {"Purpose": purpose, "Legal-Basis": basis, "Case-Reference": "A1" if case else None}
        client = app.client(caller, headers={name: value for name, value in asked.items() if value is not None})
        app.clients.remove(client)
        async with client:
            answer = await client.get(f"mappings/{mapping}/individuals?limit=100")
            assert answer.status_code == 200, answer.text
            body = answer.json()
            assert body["items"] == list(expected.values()), (caller, purpose, basis, case)
            assert body["_meta"]["totalRecords"] == len(expected)
            # A row asked for by its key, or by what it is called towards the caller, is the same row, or none at all.
            for shown_as in map(str, (KEYS[0], alias(caller, KEYS[0]))):
                one = await client.get(f"mappings/{mapping}/individuals/{shown_as}")
                if shown_as in expected:
                    assert one.status_code == 200
                    shown = {name: value for name, value in one.json().items() if not name.startswith("_")}
                    assert shown == expected[shown_as]
                else:
                    assert one.status_code == 404


def many(examples):
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    return settings(max_examples=examples, deadline=None, print_blob=True, database=None, suppress_health_check=checks)


@seed(SEED)
@many(WORLDS)
@given(world=worlds())
async def test_every_caller_sees_of_every_row_what_a_plain_reading_shows(app: App, mapping, world):
    await check(app, mapping, world)


@pytest.mark.long
@seed(SEED)
@many(MANY)
@given(world=worlds())
async def test_every_caller_sees_of_every_row_what_a_plain_reading_shows_at_length(app: App, mapping, world):
    await check(app, mapping, world)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-06-14T21:59:59Z", "2026-06-14"),
        ("2026-06-14T22:00:00Z", "2026-06-15"),
        ("2026-11-19T22:59:59Z", "2026-11-19"),
        ("2026-11-19T23:00:00Z", "2026-11-20"),
        # The clock goes back at 03:00 on 25 October 2026 and forward at 02:00 on 28 March 2027.
        ("2026-10-24T22:00:00Z", "2026-10-25"),
        ("2026-10-25T22:59:59Z", "2026-10-25"),
        ("2027-03-27T23:00:00Z", "2027-03-28"),
        ("2027-03-28T21:59:59Z", "2027-03-28"),
    ],
)
async def test_the_day_turns_at_swedish_midnight_in_summer_and_winter(app: App, at, day):
    app.clock.at = moment(at)
    assert app.services.gate.today() == date.fromisoformat(day)


# --- the statement itself -------------------------------------------------------------------------------------------

BORN = [date(2003, 12, 25) + timedelta(days=nth) for nth in range(1500)]


def law_with_ages(age_from, age_below):
    """Our law with other ages in 10:18 a."""
    provision = LAW.provisions["osl-10-18a"]
    stages = tuple(dataclasses.replace(stage, age_from=age_from, age_below=age_below) for stage in provision.wordings)
    changed = {"osl-10-18a": dataclasses.replace(provision, wordings=stages)}
    return dataclasses.replace(LAW, version=f"ages {age_from} {age_below}", provisions={**LAW.provisions, **changed})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def generations(app: App, mapping):
    """One person for every day of four years and more, and one of unknown birth date, all named by one decision."""
    people = {uuid.uuid5(uuid.NAMESPACE_OID, str(born)): born for born in [*BORN, None]}
    decision = uuid.uuid5(uuid.NAMESPACE_OID, "generations")
    connection = await asyncpg.connect(app.url)
    try:
        await connection.executemany(
            PEOPLE,
            [Person("skarholmen-socialtjanst", born).stored(key, uuid.UUID(mapping)) for key, born in people.items()],
        )
        await connection.execute(
            "INSERT INTO disclosure_decisions (id, holder, recipient, provision, purpose, resource, fields,"
            " attestations, decided_by, valid_from, valid_until) VALUES ($1, 'skarholmen-socialtjanst', 'tullverket',"
            " 'osl-10-18a', 'prevent-crime', 'individual', '{birthDate}', '{}', 'handläggare-1', $2, $3)",
            decision, moment("2020-01-01T00:00:00Z"), moment("2040-01-01T00:00:00Z"),
        )  # fmt: skip
        await connection.executemany(ITEMS, named_to("tullverket", decision, people))
    finally:
        await connection.close()
    return decision


def days_to_prove():
    """The first and last days of a year's months, and those about 29 February of two common years and a leap year."""
    turns = [date(2026 + month // 12, month % 12 + 1, 1) for month in range(12)]
    leaps = [date(year, 3, 1) for year in (2027, 2028, 2029)]
    return sorted({day + timedelta(days=step) for day in [*turns, *leaps, *leaps] for step in (-2, -1, 0)})


@pytest.mark.parametrize(("age_from", "age_below"), [(None, 21), (21, None), (18, 21), (20, 24), (1, 130)])
async def test_ages_of_a_row_rule_are_reckoned_as_on_the_fingers(app: App, generations, age_from, age_below):
    changed = law_with_ages(age_from, age_below)
    live = LiveDecision(str(generations), "social-services", "osl-10-18a", "prevent-crime", frozenset({"birthDate"}))
    facts = Facts("customs", "individual", ("birthDate",), (Holder("social-services", own=False),), "prevent-crime",
                  case_reference=True, decisions=(live,))  # fmt: skip
    selection = Selection(INDIVIDUALS, (FieldWanted("birthDate", "born"),), limit=len(BORN) + 1)
    for day in days_to_prove():
        decision = decide(facts, changed, day)
        assert [(entry.rows.age_from, entry.rows.age_below) for entry in decision.released] == [(age_from, age_below)]
        statement, fixed = compile_selection(selection, {id(selection): decision}, keep_withheld=False)
        now = datetime.combine(day, time(12), UTC)
        gate = gate_values(as_of=day, today=day, now=now, agency="tullverket")
        page = {"limit": selection.limit, "offset": 0}
        values = statement.values({**fixed, **gate, **page})
        (row,) = await app.database.fetch(statement.text, values, exposure="protected", agency="tullverket", now=now)
        seen = {item["born"] for item in json.loads(row["items"])}
        expected = {
            born.isoformat()
            for born in BORN
            if (age_from is None or reference.has_turned(born, age_from, day))
            and (age_below is None or reference.is_younger(born, age_below, day))
        }
        assert seen == expected, f"{day}: {sorted(seen ^ expected)}"
