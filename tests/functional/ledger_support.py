"""What the tests of the ledger share: leaves, heads, and a hand that reaches past the triggers."""

from datetime import datetime

import asyncpg

from api.disclosure.keeping import kept_part
from api.ledger import merkle, repository
from api.ledger.checkpoint import WITNESS, Checkpoint, Note, VerifierKey
from api.ledger.parts import Part
from tests.support import App

POLICE = "polismyndigheten"


def part(n, agency=POLICE, role="receiver"):
    to = {"recipient": POLICE} if role == "giver" else {}
    return Part(agency, role, {"kind": "answer", "agency": agency, "n": n} | to)


async def grow(app: App, count: int) -> list[str]:
    """So many leaves, each of two agencies; their receipts."""
    return [await app.services.ledger.append([part(n), part(n, "tullverket", "giver")]) for n in range(count)]


async def erase_content(app: App, agency: str, before: datetime) -> None:
    """What `samsyn erase` does to an agency's part of the ledger."""
    async with app.database.transaction() as connection:
        given = {"at": app.clock(), "at_most": 1000}
        count = await repository.erase_parts_before(connection, agency, before, **given)
        said = {"of": "ledger", "count": count, "recordedBefore": before.isoformat()}
        await app.services.ledger.append_within(connection, (kept_part(agency, "erasure", {}, **said),))


async def log_key(app: App) -> VerifierKey:
    return VerifierKey.parse((await app.client().get("ledger/key")).json()["key"])


async def checkpoint(app: App, **query) -> tuple[Checkpoint, Note]:
    """The checkpoint that the service shows, with its signature checked."""
    answer = await app.client().get("ledger/checkpoint", params=query)
    assert answer.status_code == 200, answer.text
    note = Note.parse(answer.text)
    assert note.signed_by(await log_key(app)) is not None
    return Checkpoint.parse(note.text), note


async def witness(app: App, key, *, agency: str = POLICE, name: str = "polis.example/witness") -> None:
    async with app.database.transaction() as connection:
        known = VerifierKey(name, WITNESS, key.public_key().public_bytes_raw())
        await repository.register_witness(connection, repository.Witness(agency, known))


async def head_of(app: App) -> merkle.Frontier:
    async with app.database.transaction() as connection:
        return await repository.read_head(connection)


async def past_the_triggers(app: App, *statements: str) -> None:
    """What somebody does who owns the database."""
    connection = await asyncpg.connect(app.url)
    try:
        await connection.execute("SET session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def put_back(size: int, head: merkle.Frontier) -> list[str]:
    """As it was with so many leaves, every table of it."""
    frontier = ", ".join(f"'\\x{one.hex()}'" for one in head.hashes)
    return [
        f"DELETE FROM ledger_leaves WHERE leaf_index >= {size}",
        f"DELETE FROM ledger_parts WHERE leaf_index >= {size}",
        f"DELETE FROM ledger_nodes WHERE (position + 1) << level > {size}",
        f"UPDATE ledger_head SET size = {size}, frontier = ARRAY[{frontier}]::bytea[]",
    ]
