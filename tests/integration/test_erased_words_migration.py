"""Migration 0008: words of requests can go, the version before goes on beside it, and what was erased stays so."""

import asyncio
import uuid

import asyncpg
import pytest
import pytest_asyncio
from alembic import command

from api.store.migrate import _config
from tests.support import create_database

pytestmark = pytest.mark.asyncio(loop_scope="session")
GONE, HELD = uuid.UUID(int=1), uuid.UUID(int=2)
# As the version before writes them.
REQUEST = """
INSERT INTO disclosure_requests (id, requester, holder, purpose, provision, duty, case_reference, question_sealed,
                                 kinds, why_sealed, state, asked_by, asked_by_client, created_at, decided_at,
                                 refusal_appeal)
VALUES (gen_random_uuid(), 'police', 'holder', 'prevent-crime', 'osl-10-18a', false, 'A1', 'x',
        '{person-identity}', 'x', $1, 'h', 'c', now() - interval '1 year', CASE WHEN $1 = 'refused' THEN now() END,
        CASE WHEN $1 = 'refused' THEN CAST('{}' AS jsonb) END)
"""
DECISION = """
INSERT INTO disclosure_decisions (id, holder, recipient, provision, purpose, resource, fields, attestations, decided_by,
                                  valid_from, valid_until)
VALUES ($1, 'holder', 'police', 'osl-10-18a', 'prevent-crime', 'individual', '{name}', '{"a": "b"}', 'h', now(),
        now() + interval '1 day')
"""


async def to(url: str, revision: str, *, down: bool = False) -> None:
    await asyncio.to_thread(command.downgrade if down else command.upgrade, _config(url), revision)


@pytest_asyncio.fixture(loop_scope="session")
async def place(server):
    """A database of the version before, with requests in several states, brought to this version's."""
    url = await create_database(server.dsn())
    await to(url, "0007")
    connection = await asyncpg.connect(url)
    await connection.executemany("INSERT INTO agencies VALUES ($1, $1, 'police')", [("holder",), ("police",)])
    await connection.executemany(REQUEST, [("submitted",), ("withdrawn",), ("refused",)])
    # The wall keeps nothing from the owner of the tables; rows about persons need a mapping, so their keys are let go.
    await connection.execute("ALTER TABLE individuals DROP CONSTRAINT fk_individuals_mapping_id")
    await connection.execute(
        "INSERT INTO individuals (id, mapping_id, holder, role, observed_on, basis, protected_identity, substances,"
        " recorded_by, created_at) VALUES ($1, $1, 'holder', 'sells', '2026-01-01', 'fact', false, '{}', 'h', now())",
        HELD,
    )
    await connection.execute(DECISION, uuid.UUID(int=9))
    named = [(uuid.UUID(int=9), GONE, "gone"), (uuid.UUID(int=9), HELD, "held")]
    await connection.executemany(
        "INSERT INTO disclosure_decision_items (decision_id, item_id, pseudonym) VALUES ($1, $2, $3)", named
    )
    await to(url, "0008")
    yield url, connection
    await connection.close()


async def test_pseudonym_of_a_row_that_was_erased_before_goes_and_the_others_stay(place):
    _, connection = place
    found = await connection.fetch("SELECT item_id, pseudonym FROM disclosure_decision_items ORDER BY item_id")
    assert [tuple(one) for one in found] == [(GONE, None), (HELD, "held")]


async def test_what_was_withdrawn_before_counts_from_the_migration_and_nothing_else_has_a_time(place):
    _, connection = place
    noted = "SELECT state, withdrawn_at > now() - interval '1 hour' AS now FROM disclosure_requests ORDER BY state"
    assert {one["state"]: one["now"] for one in await connection.fetch(noted)} == {
        "refused": None,
        "submitted": None,
        "withdrawn": True,
    }


async def test_version_before_goes_on_asking_and_withdrawing_beside_it(place):
    _, connection = place
    await connection.execute(REQUEST, "submitted")
    await connection.execute("UPDATE disclosure_requests SET state = 'withdrawn' WHERE state = 'submitted'")


@pytest.mark.parametrize("state", ["submitted", "supplement-requested"])
async def test_why_of_an_open_request_cannot_be_null(place, state):
    _, connection = place
    await connection.execute(REQUEST, state)
    with pytest.raises(asyncpg.CheckViolationError, match="ck_disclosure_requests_words"):
        await connection.execute("UPDATE disclosure_requests SET why_sealed = NULL WHERE state = $1", state)


async def test_way_back_is_open_until_a_why_is_erased_and_then_changes_nothing(place):
    url, connection = place
    await connection.execute("INSERT INTO retention_rules VALUES ('police', 'disclosures', 12)")
    await to(url, "0007", down=True)
    assert await connection.fetch("SELECT 1 FROM retention_rules") == []
    await to(url, "0008")
    await connection.execute(
        "UPDATE disclosure_requests SET why_sealed = NULL, question_sealed = NULL WHERE state = 'refused'"
    )
    with pytest.raises(Exception, match="why_sealed"):
        await to(url, "0007", down=True)
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == "0008"
    assert await connection.fetchval("SELECT count(*) FROM disclosure_requests WHERE withdrawn_at IS NOT NULL") == 1
