"""Decisions from before keep what they open, and each of their rows gets one alias towards each recipient."""

import asyncio
import uuid

import asyncpg
import pytest
import pytest_asyncio

from api.store.migrate import upgrade
from tests.support import create_database

pytestmark = pytest.mark.asyncio(loop_scope="session")

ONE, TWO = uuid.UUID(int=101), uuid.UUID(int=102)
AGENCIES = ("holder", "second-holder", "police", "customs")
# Holder, recipient and rows of each decision.
DECISIONS = [
    ("holder", "police", [ONE, TWO]),
    ("holder", "police", [ONE]),
    ("holder", "customs", [ONE]),
    ("second-holder", "police", [ONE]),
]
# As the version before writes them.
OLD_DECISION = """
INSERT INTO disclosure_decisions (id, holder, recipient, provision, purpose, resource, fields, attestations, decided_by,
                                  valid_from, valid_until)
VALUES ($1, $2, $3, 'osl-10-18a', 'prevent-crime', 'individual', '{name}', '{}', 'h', now(), now() + interval '1 day')
"""
OLD_ITEM = "INSERT INTO disclosure_decision_items VALUES ($1, $2)"


async def decide(connection, nth, holder, recipient, items):
    await connection.execute(OLD_DECISION, uuid.UUID(int=nth), holder, recipient)
    await connection.executemany(OLD_ITEM, [(uuid.UUID(int=nth), item) for item in items])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def connection(server):
    """A database whose decisions are from before, brought to this version's."""
    url = await create_database(server.dsn())
    await asyncio.to_thread(upgrade, url, to="0003")
    opened = await asyncpg.connect(url)
    await opened.executemany("INSERT INTO agencies VALUES ($1, $1, 'police')", [(slug,) for slug in AGENCIES])
    for nth, decision in enumerate(DECISIONS):
        await decide(opened, nth, *decision)
    await asyncio.to_thread(upgrade, url, to="0004")
    yield opened
    await opened.close()


async def ask(connection, **changes):
    """A request as it stands when it is sent, but for some of its columns; its id."""
    said = {
        "id": "gen_random_uuid()", "requester": "'police'", "holder": "'holder'", "purpose": "'prevent-crime'",
        "provision": "'osl-10-18a'", "duty": "false", "case_reference": "'A1'", "question_sealed": "'x'",
        "kinds": "'{person-identity}'", "why_sealed": "'x'", "state": "'submitted'", "asked_by": "'h'",
        "asked_by_client": "'c'", "created_at": "now()",
    } | changes  # fmt: skip
    columns, values = ", ".join(said), ", ".join(said.values())
    return await connection.fetchval(f"INSERT INTO disclosure_requests ({columns}) VALUES ({values}) RETURNING id")


async def aliases(connection):
    rows = await connection.fetch(
        "SELECT d.holder, d.recipient, i.item_id, i.alias FROM disclosure_decision_items i"
        " JOIN disclosure_decisions d ON d.id = i.decision_id"
    )
    found = {}
    for row in rows:
        found.setdefault((row["holder"], row["recipient"], row["item_id"]), set()).add(row["alias"])
    return found


async def test_row_of_before_has_one_alias_towards_each_recipient_and_no_two_share_one(connection):
    found = await aliases(connection)
    assert len(found) == 4
    assert all(len(each) == 1 for each in found.values())
    assert len({alias for each in found.values() for alias in each}) == 4
    assert not {ONE, TWO} & {alias for each in found.values() for alias in each}


async def test_decision_of_before_is_on_own_initiative_and_says_nothing_that_nobody_wrote(connection):
    for row in await connection.fetch("SELECT * FROM disclosure_decisions"):
        assert row["request_id"] is row["age_below"] is row["decided_at"] is row["revoke_reason"] is None


async def test_old_version_can_go_on_writing_decisions_beside_it(connection):
    await decide(connection, 99, "holder", "customs", [TWO])
    assert all(await aliases(connection))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"holder": "'police'"}, "two_agencies"),
        ({"question_sealed": "NULL"}, "scope"),
        ({"decided_at": "now()"}, "decided"),
        ({"state": "'granted'"}, "decided"),
        ({"state": "'refused'", "decided_at": "now()"}, "appeal"),
        ({"refusal_appeal": "'{}'"}, "appeal"),
    ],
)
async def test_database_refuses_a_request_that_contradicts_itself(connection, changes, rule):
    with pytest.raises(asyncpg.CheckViolationError, match=f"ck_disclosure_requests_{rule}"):
        await ask(connection, **changes)


async def test_request_is_decided_once_whoever_writes(connection):
    request = await ask(connection)
    decided = "UPDATE disclosure_decisions SET request_id = $1 WHERE id = $2"
    await connection.execute(decided, request, uuid.UUID(int=0))
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute(decided, request, uuid.UUID(int=1))
    await connection.execute(decided, None, uuid.UUID(int=0))
