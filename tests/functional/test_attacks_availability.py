"""What a caller, or a database in trouble, may not take from everybody else."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest
import uvicorn
from sqlalchemy import text
from uvicorn.server import ServerState

from api.ledger.parts import Part
from api.ledger.service import Ledger
from api.store.database import Database
from api.web.bounded_http import MAX_HEAD_BYTES, BoundedHttp
from tests.support import SCENE, App

pytestmark = pytest.mark.asyncio(loop_scope="session")

MAPPING = {"mappedOn": "2025-10-05", "physicalPlace": "Torg.", "use": "Genomgång."}


async def test_write_that_finds_no_free_connection_is_told_to_come_back(
    fresh_app: App, monkeypatch: pytest.MonkeyPatch
):
    pool: Any = fresh_app.database.engine.sync_engine.pool
    monkeypatch.setattr(pool, "_timeout", 0.2)
    client = fresh_app.client("polismyndigheten")
    async with AsyncExitStack() as stack:
        for _ in range(16):
            await stack.enter_async_context(fresh_app.database.transaction())
        refused = await client.post("scenes", json=SCENE)
        read = await client.get("scenes")
    assert refused.status_code == 503, refused.text
    assert refused.headers["retry-after"]
    assert read.status_code == 200
    assert (await client.post("scenes", json=SCENE)).status_code == 201


async def test_database_that_only_reads_refuses_writes_and_serves_shared_reads(fresh_app: App):
    scene = (await fresh_app.new_scene())["id"]
    name = (await fresh_app.rows("SELECT current_database() AS name"))[0]["name"]
    await fresh_app.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await fresh_app.database.engine.dispose()
    client = fresh_app.client("polismyndigheten")
    refused = await client.post(f"scenes/{scene}/mappings", json=MAPPING)
    assert refused.status_code == 503, refused.text
    protected = await client.get(f"scenes/{scene}/mappings", headers={"Purpose": "prevent-crime"})
    assert protected.status_code == 503
    assert (await client.get(f"scenes/{scene}/mappings")).status_code == 200


@pytest.mark.parametrize("tls", ["", "&sslmode=disable"])
async def test_commit_waits_for_the_disk_also_where_the_server_is_set_not_to(fresh_app: App, tls: str):
    name = (await fresh_app.rows("SELECT current_database() AS name"))[0]["name"]
    await fresh_app.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    assert await fresh_app.rows("SHOW synchronous_commit") == [{"synchronous_commit": "off"}]
    database = Database(fresh_app.url + tls)
    try:
        for transaction in (database.transaction, database.ledger_transaction):
            async with transaction() as connection:
                assert (await connection.execute(text("SHOW synchronous_commit"))).scalar_one() == "on"
    finally:
        await database.close()


async def test_ledger_that_hangs_refuses_within_its_patience_and_recovers(fresh_app: App):
    services = fresh_app.services
    ledger = Ledger(services.database, clock=services.clock, new_id=services.new_id, patience_s=0.3)
    blocker = await asyncpg.connect(fresh_app.url)
    try:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE ledger_leaves IN ACCESS EXCLUSIVE MODE")
            entries = [ledger.append([Part("polismyndigheten", "receiver", {"n": n})]) for n in range(3)]
            outcomes = await asyncio.wait_for(asyncio.gather(*entries, return_exceptions=True), 5)
        assert [getattr(outcome, "status_code", outcome) for outcome in outcomes] == [503] * 3
    finally:
        await blocker.close()
    assert await ledger.append([Part("polismyndigheten", "receiver", {"n": 4})])


async def test_error_that_nobody_foresaw_leaves_no_caller_waiting(fresh_app: App, monkeypatch: pytest.MonkeyPatch):
    services = fresh_app.services
    monkeypatch.setattr("api.ledger.service._GROUP", 1)
    ledger = Ledger(services.database, clock=services.clock, new_id=services.new_id)
    commit, calls = ledger._commit, []

    async def first_fails(group: Any) -> None:
        calls.append(group)
        if len(calls) == 1:
            raise RuntimeError("unforeseen")
        await commit(group)

    monkeypatch.setattr(ledger, "_commit", first_fails)
    entries = [ledger.append([Part("polismyndigheten", "receiver", {"n": n})]) for n in range(3)]
    outcomes = await asyncio.wait_for(asyncio.gather(*entries, return_exceptions=True), 30)
    assert [getattr(outcome, "status_code", outcome) for outcome in outcomes] == [503] * 3
    assert await ledger.append([Part("polismyndigheten", "receiver", {"n": 4})])


async def answer_to(*parts: bytes) -> bytes:
    """What a server with `BoundedHttp` says to these bytes; empty where it closes without a word."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(app, lifespan="off", log_level="critical")
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: BoundedHttp(config, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.005)
        return await asyncio.wait_for(reader.read(64), 5)
    except ConnectionError:
        return b""
    finally:
        writer.close()
        server.close()


START = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"
PIECES = MAX_HEAD_BYTES // 16_384 + 8


async def test_head_without_end_is_refused_before_it_fills_memory():
    for piece in (b"a" * 16_384, b"X-A: b\r\n" * 2048):
        said = await answer_to(START, *([piece] * PIECES))
        assert said == b"" or said.startswith(b"HTTP/1.1 431 "), said


async def test_trailers_and_chunk_extensions_without_end_are_cut_off():
    for first, piece in ((CHUNKED + b"1\r\na\r\n0\r\n", b"X-A: b\r\n" * 2048), (CHUNKED + b"1;", b"a" * 16_384)):
        assert await answer_to(first, *([piece] * PIECES)) == b""


async def test_long_body_in_small_pieces_is_no_head():
    piece = b"400\r\n" + b"a" * 1024 + b"\r\n"
    said = await answer_to(CHUNKED, *([piece * 32] * PIECES), b"0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 204 ")
    length = str(16_384 * PIECES).encode()
    said = await answer_to(START + b"Content-Length: " + length + b"\r\n\r\n", *([b"a" * 16_384] * PIECES))
    assert said.startswith(b"HTTP/1.1 204 ")
