"""Migration 0003: a chain that holds becomes a tree, leaf by leaf; one that was changed stops the migration."""

import asyncio
import hashlib
import json
import secrets
import uuid

import asyncpg
import pytest
from alembic import command

from api.ledger.auditing import audit
from api.store import migrate
from api.store.database import Database
from tests.support import create_database

pytestmark = pytest.mark.asyncio(loop_scope="session")

# One batch of the migration, and a few.
MANY = 1003
OLD_INSERT = """
INSERT INTO ledger_leaves (seq, receipt, at_us, receiver, salt, entry, previous, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


def chain(length):
    """Leaves as the version before wrote them."""
    previous = hashlib.sha256(b"samsyn ledger v1").digest()
    for seq in range(1, length + 1):
        receipt, salt = uuid.uuid4(), secrets.token_bytes(16)
        at_us = 1_700_000_000_000_000 + seq
        entry = json.dumps({"agency": "polismyndigheten", "å": seq}, ensure_ascii=False)
        content = previous + seq.to_bytes(8) + at_us.to_bytes(8) + receipt.bytes + salt + entry.encode()
        linked = hashlib.sha256(b"samsyn leaf v1\0" + content).digest()
        yield seq, receipt, at_us, "polismyndigheten", salt, entry, previous, linked
        previous = linked


async def to(url: str, revision: str, *, down: bool = False) -> None:
    work = command.downgrade if down else command.upgrade
    await asyncio.to_thread(work, migrate._config(url), revision)


async def chained(server_dsn: str, leaves) -> tuple[str, asyncpg.Connection]:
    url = await create_database(server_dsn)
    await to(url, "0002")
    connection = await asyncpg.connect(url)
    written = list(leaves)
    if written:
        await connection.executemany(OLD_INSERT, written)
    return url, connection


async def audited(url: str):
    database = Database(url)
    try:
        return await audit(database, {}, "samsyn.example/ledger")
    finally:
        await database.close()


@pytest.mark.parametrize("length", [0, 1, MANY])
async def test_chain_becomes_a_tree_in_its_order(server, length):
    leaves = list(chain(length))
    url, connection = await chained(server.dsn(), leaves)
    try:
        await to(url, "0003")
        rows = await connection.fetch(
            "SELECT l.*, p.agency, p.role, p.entry, p.items FROM ledger_leaves l JOIN ledger_parts p USING (leaf_index)"
            " ORDER BY leaf_index"
        )
        assert [(row["leaf_index"] + 1, row["receipt"], row["at_us"], row["agency"], row["entry"]) for row in rows] == [
            (seq, receipt, at_us, agency, entry) for seq, receipt, at_us, agency, _, entry, *_ in leaves
        ]
        assert {(row["role"], row["items"]) for row in rows} <= {("receiver", None)}
        found = await audited(url)
        assert (found.faults, found.leaves, found.parts) == ([], length, length)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_leaves SET entry = '{}' WHERE seq = 7",
        "UPDATE ledger_leaves SET at_us = 1 WHERE seq = 7",
        "UPDATE ledger_leaves SET hash = previous WHERE seq = 7",
        "DELETE FROM ledger_leaves WHERE seq = 7",
        "DELETE FROM ledger_leaves WHERE seq < 8",
    ],
)
async def test_chain_that_was_changed_is_not_given_a_clean_face(server, change):
    url, connection = await chained(server.dsn(), chain(12))
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(change)
        before = await connection.fetch("SELECT * FROM ledger_leaves ORDER BY seq")
        with pytest.raises(RuntimeError, match=r"does not hold at leaf [17]; nothing is migrated"):
            await to(url, "0003")
        assert await connection.fetch("SELECT * FROM ledger_leaves ORDER BY seq") == before
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == "0002"
    finally:
        await connection.close()


async def test_old_version_beside_the_tree_can_write_no_leaf(server):
    # Its statements fail, so it answers every protected read with 503, and never without a leaf.
    url, connection = await chained(server.dsn(), chain(3))
    try:
        await to(url, "0003")
        (leaf,) = [leaf for leaf in chain(4) if leaf[0] == 4]
        for statement, values in (
            ("SELECT seq, hash FROM ledger_leaves ORDER BY seq DESC LIMIT 1", ()),
            (OLD_INSERT, leaf),
        ):
            with pytest.raises(asyncpg.UndefinedColumnError):
                await connection.execute(statement, *values)
    finally:
        await connection.close()


async def test_tree_is_guarded_and_becomes_a_chain_again(server):
    leaves = list(chain(5))
    url, connection = await chained(server.dsn(), leaves)
    try:
        await to(url, "0003")
        await connection.execute(
            "UPDATE ledger_parts SET salt = NULL, entry = NULL, erased_at = now() WHERE leaf_index = 2"
        )
        await connection.execute("INSERT INTO agencies (slug, name, sector) VALUES ('tullverket', 'T', 'customs')")
        await connection.execute("INSERT INTO ledger_witnesses VALUES ('tullverket', 'tull.example', '\\x00')")
        await to(url, "0002", down=True)
        rows = await connection.fetch("SELECT * FROM ledger_leaves ORDER BY seq")
        kept = [leaf[5] for leaf in leaves]
        assert [row["entry"] for row in rows] == [*kept[:2], "{}", *kept[3:]]
        assert [row["receipt"] for row in rows] == [leaf[1] for leaf in leaves]
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await connection.execute("DELETE FROM ledger_leaves")
        # The chain it made holds: the migration that checks it goes through.
        await to(url, "0003")
        assert (await audited(url)).faults == []
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await connection.execute("UPDATE ledger_leaves SET at_us = 0")
    finally:
        await connection.close()
