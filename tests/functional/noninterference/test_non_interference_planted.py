"""The test can fail: each leak planted here is caught by the very comparison that finds none in the service."""

import dataclasses
from contextvars import ContextVar

import pytest
import pytest_asyncio
from sqlalchemy import bindparam, select, text, true
from sqlalchemy.types import Uuid

from api.audit import service as audit_service
from api.audit.repository import LEDGER_ENTRIES
from api.disclosure import compile as compile_module
from api.disclosure import gate as gate_module
from api.disclosure.gate import Gate
from api.errors import conflict
from api.individuals import service as individuals_service
from api.individuals.tables import Individual
from api.ledger import repository as ledger_rows
from api.store import idempotency
from api.store.base import table_of
from api.web import conditional, paging
from tests.functional.noninterference.run import SEED, InterferenceError, Tally, run
from tests.functional.noninterference.world import prepare
from tests.wall import take_down

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Most are caught within thirty cases; so many that a run in which one gets away is not to be waited for.
ENOUGH = 600
_PEOPLE = table_of(Individual)
_COUNT = "SELECT count(*) FROM individuals"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def prepared(server, template, tmp_path_factory):
    """The gate alone: over the second wall few of these leaks would show (`test_broken_gate.py`)."""
    directory = tmp_path_factory.mktemp("non-interference")
    ready = await prepare(server.dsn(), template, directory)
    await take_down(ready)
    return server.dsn(), ready, directory


@pytest.fixture
def plant(monkeypatch):
    """Statements are remembered by their shape, so a leak in them shows only where they are made anew."""
    compile_module._statement.cache_clear()
    yield monkeypatch.setattr
    monkeypatch.undo()
    compile_module._statement.cache_clear()


async def caught(prepared) -> str:
    print(f"SAMSYN_TEST_SEED={SEED}")
    tally = Tally()
    with pytest.raises(InterferenceError) as found:
        await run(*prepared, seed=SEED, cases=ENOUGH, tally=tally)
    print(sum(tally.statuses.values()), "questions until it was caught:", found.value)
    return str(found.value)


async def test_a_row_condition_that_is_always_true_is_caught(prepared, plant):
    plant(compile_module, "_row_condition", lambda *_, **__: true())
    told = await caught(prepared)
    assert "individuals" in told or "disclosure_" in told


@pytest.mark.long
async def test_parts_of_the_ledger_that_are_everybodys_are_caught(prepared, plant):
    plant(audit_service, "LEDGER_ENTRIES", dataclasses.replace(LEDGER_ENTRIES, own=true()))
    told = await caught(prepared)
    assert "/ledger/e" in told or "/receipts/" in told


@pytest.mark.long
async def test_a_decision_that_lives_for_ever_is_caught(prepared, plant):
    forever = gate_module._LIVE_DECISIONS.replace("d.revoked_at IS NULL AND", "")
    assert forever != gate_module._LIVE_DECISIONS
    plant(gate_module, "_LIVE_DECISIONS", forever)
    condition, items = compile_module._row_condition, compile_module._ITEMS

    def named(resource, rule, **how):
        if rule.scope != "decision":
            return condition(resource, rule, **how)
        decision = bindparam(compile_module._decision_parameter(rule), type_=Uuid())
        found = select(items.c.item_id).where(items.c.item_id == resource.key, items.c.decision_id == decision)
        return found.correlate(*compile_module._tables(resource)).exists()

    # That there was a decision its parties know: what it opened is the secret.
    plant(compile_module, "_row_condition", named)
    assert "individuals" in await caught(prepared)


async def test_a_total_over_all_rows_is_caught(prepared, plant):
    asked = Gate.read_all

    async def leaky(self, *args, **kwargs):
        everything = (await self._database.fetch(_COUNT, []))[0][0]
        answers = await asked(self, *args, **kwargs)
        return [
            dataclasses.replace(answer, total=everything) if answer.receipt and answer.total is not None else answer
            for answer in answers
        ]

    plant(Gate, "read_all", leaky)
    assert "individuals" in await caught(prepared)


async def test_an_entity_tag_over_all_rows_is_caught(prepared, plant):
    asked, tag = Gate.read_all, conditional._LastTags.tag
    everything = ContextVar("everything", default=0)

    async def counting(self, *args, **kwargs):
        everything.set((await self._database.fetch(_COUNT, []))[0][0])
        return await asked(self, *args, **kwargs)

    def tagged(self, request, body, media_type):
        return f'"{everything.get()}-{tag(self, request, body, media_type)[1:]}'

    plant(Gate, "read_all", counting)
    plant(conditional._LastTags, "tag", tagged)
    assert "etag: " in await caught(prepared)


async def test_a_refusal_that_tells_of_a_hidden_row_is_caught(prepared, plant):
    add = individuals_service.add_individual

    async def unique(connection, individual):
        name = individual["name"]
        known = select(_PEOPLE.c.id).where(_PEOPLE.c.name == name, _PEOPLE.c.mapping_id == individual["mapping_id"])
        if name is not None and (await connection.execute(known)).first() is not None:
            raise conflict("body.name", "somebody has recorded this person already")
        await add(connection, individual)

    plant(individuals_service, "add_individual", unique)
    assert "asks POST" in await caught(prepared)


@pytest.mark.long
async def test_a_leaf_that_tells_whose_answer_it_is_of_is_caught(prepared, plant):
    read = ledger_rows.read_leaves

    async def telling(connection, start, end):
        parties = await connection.execute(text("SELECT leaf_index, agency FROM ledger_parts WHERE role = 'receiver'"))
        agency = dict(tuple(row) for row in parties)
        leaves = await read(connection, start, end)
        return [dataclasses.replace(leaf, at_us=leaf.at_us + sum(agency[leaf.index].encode())) for leaf in leaves]

    plant(ledger_rows, "read_leaves", telling)
    assert "/ledger/leaves" in await caught(prepared)


@pytest.mark.long
async def test_a_filter_on_a_withheld_field_is_caught(prepared, plant):
    plant(gate_module, "_refused_filter", lambda _selection, _decisions, _law: None)
    told = await caught(prepared)
    assert "policeWork" in told or "role" in told or "sort" in told


@pytest.mark.long
async def test_a_key_that_is_everybodys_is_caught(prepared, plant):
    plant(idempotency, "_of", lambda owner: idempotency._ANSWERS.c.key == owner.key)
    assert "idempotent_answers" in await caught(prepared)


@pytest.mark.long
async def test_a_link_past_what_the_caller_may_know_of_is_caught(prepared, plant):
    header, asked = paging._pages, Gate.read_all
    everything = ContextVar("everything", default=0)

    async def counting(self, *args, **kwargs):
        everything.set((await self._database.fetch(_COUNT, []))[0][0])
        return await asked(self, *args, **kwargs)

    plant(Gate, "read_all", counting)
    plant(paging, "_pages", lambda page, total: header(page, total + everything.get()))
    assert 'rel="last"' in await caught(prepared)
