"""The gate broken on purpose: the database still gives nothing out that the asking agency may not have.

Each fault is planted twice: over a database as it is, and over one whose second wall is taken down, where the same
fault must leak. Else the first would prove nothing.
"""

import dataclasses
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import true

from api.disclosure import compile as compile_module
from api.disclosure import gate as gate_module
from api.disclosure.resource import Resource
from api.individuals.repository import INDIVIDUALS
from api.individuals.tables import Individual
from api.requests.decisions.repository import DECISIONS
from api.requests.repository import REQUESTS
from api.store.base import table_of
from api.store.database import DatabaseReading
from policies.model import RowRule
from tests.functional.individuals_support import HOLDER, RECIPIENT, WHY, decide, disclosed, new_mapping, read, record
from tests.support import App, copy_database, moment, open_app
from tests.wall import take_down

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOW = moment("2026-11-21T12:00:00Z")
THIRD = "tullverket"
HIDDEN = "Okänd Hemlig (fiktiv)"
NAMED = "Namngiven Person (fiktiv)"
CIRCUMSTANCES = "Omständigheter som inget beslut nämner (påhittat)."
SPANING = "Spaning (fiktivt)"


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["standing", "taken down"])
async def house(request, server, template: str, tmp_path_factory):
    """The service with its second wall, and without it; whether a planted fault must leak."""
    url = await copy_database(server.dsn(), template)
    fallen = request.param != "standing"
    if fallen:
        await take_down(url)
    async with open_app(url, tmp_path_factory.mktemp("keys")) as app:
        app.clock.at = NOW
        yield app, fallen


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mapping(house) -> str:
    """A mapping with what the police do there, and two persons of one holder, of whom a decision names one."""
    app, _ = house
    made = await new_mapping(app)
    await app.execute("UPDATE mappings SET police_work = $1", SPANING)
    named = await record(app, made, name=NAMED, circumstances=CIRCUMSTANCES)
    await record(app, made, name=HIDDEN)
    await decide(app, [named], fields=["name"])
    return made


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch):
    """Statements are remembered by their shape: a fault shows only where they are made anew."""

    def planted(owner: Any, name: str, fault: Any) -> None:
        monkeypatch.setattr(owner, name, fault)

    compile_module._statement.cache_clear()
    yield planted
    monkeypatch.undo()
    compile_module._statement.cache_clear()


@pytest.fixture(autouse=True)
def anew(house):
    """What the gate has prepared is forgotten before and after each fault."""
    app, _ = house
    app.services.gate._prepared.cache_clear()
    yield
    app.services.gate._prepared.cache_clear()


def every_row(plant) -> None:
    plant(
        compile_module, "_conditions", lambda shape: [shape.resource.filters[name].predicate for name in shape.filters]
    )


def every_field(plant) -> None:
    """Each field is released for each row, whatever was decided."""
    shape_of = compile_module._shape

    def all_released(selection, decisions, values, path, *, keep_withheld):
        node = shape_of(selection, decisions, values, path, keep_withheld=keep_withheld)
        fields = tuple((name, key, literal, (RowRule("any"),)) for name, key, literal, _ in node.fields)
        ways = tuple((name, (RowRule("any"),)) for name, _ in node.ways)
        return dataclasses.replace(node, fields=fields, visible=(RowRule("any"),), ways=ways)

    plant(compile_module, "_shape", all_released)


async def told(app: App, mapping: str, agency: str = RECIPIENT) -> str:
    """Everything that an agency is answered about the persons of a mapping and the mapping itself."""
    answers = [await read(app, mapping, agency)]
    answers.append(await app.client(agency, headers=WHY).get(f"mappings/{mapping}"))
    query = f'{{ mapping(id: "{mapping}") {{ policeWork individuals {{ name circumstances }} }} }}'
    answers.append(await app.client(agency, headers=WHY).post("graphql", json={"query": query}))
    return "\n".join(answer.text for answer in answers)


async def test_gate_as_it_is_needs_no_wall(house, mapping: str):
    app, _ = house
    answered = await told(app, mapping)
    assert HIDDEN not in answered
    assert CIRCUMSTANCES not in answered
    assert SPANING not in await told(app, mapping, THIRD)


async def test_gate_without_row_conditions_gets_no_row_of_others(house, mapping: str, plant):
    app, leaks = house
    every_row(plant)
    for agency in (RECIPIENT, THIRD, "region-stockholm-vard"):
        answered = await told(app, mapping, agency)
        assert (HIDDEN in answered) is leaks, agency
        assert NAMED in answered or agency != RECIPIENT


async def test_gate_whose_row_conditions_are_always_true_gets_no_row_of_others(house, mapping: str, plant):
    app, leaks = house
    plant(compile_module, "_row_condition", lambda *_, **__: true())
    # Some decision must name the caller, or the gate finds nothing to release.
    assert (HIDDEN in await told(app, mapping)) is leaks


async def test_gate_that_selects_every_column_gets_none_that_no_decision_names(house, mapping: str, plant):
    app, leaks = house
    every_field(plant)
    answered = await told(app, mapping)
    assert NAMED in answered
    assert (CIRCUMSTANCES in answered) is leaks
    assert (HIDDEN in answered) is leaks
    assert (SPANING in await told(app, mapping, THIRD)) is leaks


def moved(monkeypatch: pytest.MonkeyPatch, resource: Resource, **changes: Any) -> None:
    """A resource that says something else of itself."""
    for name, value in changes.items():
        monkeypatch.setitem(vars(resource), name, value)


async def test_gate_that_reads_the_table_itself_is_refused(house, mapping: str, plant, monkeypatch):
    app, leaks = house
    every_row(plant)
    behind = table_of(Individual)
    wanted = INDIVIDUALS.filters["mapping"]
    on_table = dataclasses.replace(wanted, predicate=behind.c.mapping_id == wanted.predicate.right, through=None)
    moved(
        monkeypatch,
        INDIVIDUALS,
        source=behind,
        key=behind.c.id,
        holder=behind.c.holder,
        order=(behind.c.id,),
        fields=dict.fromkeys(INDIVIDUALS.fields, behind.c.name) | {"id": behind.c.id},
        filters={"mapping": on_table},
        sealed=frozenset(),
    )
    answer = await read(app, mapping, RECIPIENT)
    assert (HIDDEN in answer.text) is leaks
    assert answer.status_code == (200 if leaks else 500)


async def test_gate_that_asks_as_another_agency_gets_no_row_of_that_agency(house, mapping: str, plant):
    app, leaks = house
    values = gate_module.gate_values
    plant(gate_module, "gate_values", lambda **given: values(**given | {"agency": HOLDER}))
    answered = await told(app, mapping)
    assert (HIDDEN in answered) is leaks
    assert (CIRCUMSTANCES in answered) is leaks


async def test_gate_that_takes_everything_for_open_is_refused(house, mapping: str, plant):
    app, leaks = house
    fetch = DatabaseReading.fetch

    async def openly(self, statement, values, **_):
        return await fetch(self, statement, values)

    plant(DatabaseReading, "fetch", openly)
    answer = await read(app, mapping, RECIPIENT)
    assert answer.status_code == (200 if leaks else 500)
    assert NAMED not in answer.text or leaks


async def test_gate_that_never_looks_whether_a_decision_lives_gets_nothing_by_a_dead_one(house, plant):
    app, leaks = house
    alive = " AND d.revoked_at IS NULL"
    for_ever = (
        gate_module._LIVE_DECISIONS.partition(alive)[0] + " AND ($3::timestamptz, $4::text, $5::boolean) IS NOT NULL"
    )
    plant(gate_module, "_LIVE_DECISIONS", for_ever)
    plant(compile_module, "_row_condition", lambda *_, **__: true())
    for ending in ("revoked_at = valid_from", f"valid_until = '{NOW.isoformat()}'"):
        place = await new_mapping(app)
        item = await record(app, place, name="Återkallad Person (fiktiv)")
        decision = await decide(app, [item], fields=["name"])
        assert "Återkallad" in (await read(app, place, RECIPIENT)).text
        await app.execute(f"UPDATE disclosure_decisions SET {ending} WHERE id = $1", decision)
        assert ("Återkallad" in (await read(app, place, RECIPIENT)).text) is leaks, ending


async def test_gate_that_forgets_ages_gets_nobody_whose_birthday_it_is(house, plant):
    app, leaks = house
    place = await new_mapping(app)
    item = await record(app, place, name="Snart Myndig (fiktiv)", birthDate="2005-11-22")
    decision = await decide(app, [item], fields=["name"])
    await app.execute("UPDATE disclosure_decisions SET age_below = 21 WHERE id = $1", decision)
    plant(compile_module, "_ages", lambda *_: ())
    assert "Snart Myndig" in (await read(app, place, RECIPIENT)).text
    app.clock.at = moment("2026-11-22T00:00:00+01:00")
    try:
        assert ("Snart Myndig" in (await read(app, place, RECIPIENT)).text) is leaks
    finally:
        app.clock.at = NOW


async def test_gate_that_forgets_protected_identity_does_not_find_the_person_at_the_place(house, plant):
    app, leaks = house
    place = await new_mapping(app)
    item = await record(app, place, name="Skyddad Person (fiktiv)", protectedIdentity=True)
    decision = await decide(app, [item], fields=["name"])
    every_row(plant)
    plant(compile_module, "_row_condition", lambda *_, **__: true())
    assert ("Skyddad" in (await read(app, place, RECIPIENT)).text) is leaks
    for agency, there in ((RECIPIENT, leaks), (HOLDER, True)):
        answer = await disclosed(app, decision, agency)
        assert (place in answer.text) is there or agency == HOLDER, answer.text


@pytest.mark.parametrize("resource", [REQUESTS, DECISIONS], ids=lambda resource: resource.name)
async def test_gate_that_takes_everybody_for_a_party_shows_requests_and_decisions_to_nobody_else(
    house, mapping: str, plant, monkeypatch, resource: Resource
):
    app, leaks = house
    asked = app.client(RECIPIENT, headers=WHY, person=True)
    body = {
        "holder": HOLDER,
        "provision": "osl-10-18a",
        "scope": {"question": "Vem är känd på platsen? (påhittat)"},
        "kinds": ["person-identity"],
        "why": "Förebyggande samtal (påhittat).",
    }
    assert (await asked.post("disclosure-requests", json=body)).status_code == 201
    moved(monkeypatch, resource, own=true())
    for agency, there in ((RECIPIENT, True), (HOLDER, True), (THIRD, leaks)):
        listed = await app.client(agency, headers=WHY).get(f"{resource.name}s")
        assert listed.status_code == 200, listed.text
        assert bool(listed.json()["items"]) is there, agency
        assert bool(listed.json()["_meta"]["totalRecords"]) is there, agency
