"""Rows from before are sealed where they lie, lose nothing and leave no plain text; an old version reads none."""

import asyncio
import uuid
from contextlib import asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio

from api.individuals.pseudonyms import person_key
from api.protection.keys import DataKeyError, key_source
from api.protection.sealing import Sealer
from api.settings import Settings
from api.store.migrate import upgrade
from tests.support import create_database

pytestmark = pytest.mark.asyncio(loop_scope="session")

NUMBER, CONTACT = "191212121212", "070-174 06 05 (fiktivt)"
# Enough that the table has many pages, and the program many batches.
MANY = 1_300
FILL = f"""
INSERT INTO municipalities (code, name) VALUES ('0180', 'Stockholm');
INSERT INTO agencies (slug, name, sector) VALUES ('a-holder', 'A', 'social-services');
INSERT INTO scenes (id, name, municipality, local_police_area, environment, setting, symptoms, appeared_on, sara_stage,
                    fictional, version, created_by, created_at, updated_at)
VALUES ('{uuid.UUID(int=1)}', 'P', '0180', 'P', '{{}}', 'suburb', '{{}}', '2022-01-01', 'scan', true, 1, 'a-holder',
        now(), now());
INSERT INTO mappings (id, scene_id, mapped_on, mapped_by, affected, affected_counts, physical_place, use, substances,
                      partners, hotspots, created_at)
VALUES ('{uuid.UUID(int=2)}', '{uuid.UUID(int=1)}', '2025-01-01', 'a-holder', '[]', '[]', 'p', 'u', '{{}}', '{{}}',
        '[]', now());
INSERT INTO individuals (id, mapping_id, holder, role, name, identity_number, birth_date, contact, substances,
                         observed_on, basis, recorded_by, created_at)
SELECT gen_random_uuid(), '{uuid.UUID(int=2)}', 'a-holder', 'sells', 'Nr ' || n, CASE n % 3 WHEN 0 THEN '{NUMBER}' END,
       '2008-01-01', CASE n % 2 WHEN 0 THEN '{CONTACT}' END, '{{}}', '2025-01-01', 'fact', 'h', now()
  FROM generate_series(1, {MANY}) AS n;
"""
OLD_INSERT = f"""
INSERT INTO individuals (id, mapping_id, holder, role, name, identity_number, birth_date, sex, contact, substances,
                         circumstances, observed_on, basis, recorded_by, created_at)
VALUES (gen_random_uuid(), '{uuid.UUID(int=2)}', 'a-holder', 'sells', NULL, NULL, NULL, NULL, NULL, '{{}}', NULL,
        '2025-01-01', 'fact', 'h', now())
"""
OLD_LEAF = """
INSERT INTO ledger_leaves (seq, receipt, at_us, receiver, salt, entry, previous, hash)
VALUES (1, gen_random_uuid(), 1, 'a', '', '{}', '', '')
"""


@asynccontextmanager
async def connected(url: str):
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def before(server):
    """A database as the version before left it, with persons in it."""
    url = await create_database(server.dsn())
    await asyncio.to_thread(upgrade, url, to="0004")
    async with connected(url) as connection:
        await connection.execute(FILL)
    return url


async def test_without_the_keys_nothing_is_migrated_and_nothing_lost(before, tmp_path):
    chosen = Settings(data_keys=tmp_path / "none")
    with pytest.raises(DataKeyError):
        await asyncio.to_thread(upgrade, before, chosen)
    async with connected(before) as connection:
        assert await connection.fetchval("SELECT count(*) FROM individuals WHERE identity_number = $1", NUMBER) > 0
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == "0004"


async def test_rows_are_sealed_and_no_page_of_the_table_holds_what_they_said(before, tmp_path):
    settings = Settings(data_dir=tmp_path)
    await asyncio.to_thread(upgrade, before, settings)
    keys = key_source(settings)
    sealer = Sealer(keys)
    async with connected(before) as connection:
        rows = await connection.fetch("SELECT * FROM individuals")
        assert len(rows) == MANY
        for row in rows:
            number = int(row["name"].removeprefix("Nr "))
            expected = (NUMBER if number % 3 == 0 else None, CONTACT if number % 2 == 0 else None)
            assert _opened(sealer, row, "identityNumber", "identity_number_sealed") == expected[0]
            assert _opened(sealer, row, "contact", "contact_sealed") == expected[1]
            known = None if expected[0] is None else person_key(keys().pseudonym, "a-holder", NUMBER)
            assert row["person_key"] == known
            assert row["protected_identity"] is False
        await connection.execute("CHECKPOINT")
        file = await connection.fetchval("SELECT pg_read_binary_file(pg_relation_filepath('individuals'))")
        assert b"Nr 7" in file, "the file read is not the table's"
        assert NUMBER.encode() not in file
        assert b"070-174" not in file
        assert not {"identity_number", "contact"} & set(rows[0].keys())


def _opened(sealer: Sealer, row, field: str, column: str):
    return None if row[column] is None else sealer.open(str(row["id"]), field, row[column])


@pytest.mark.parametrize(
    "statement",
    [
        OLD_INSERT,
        "SELECT individuals.identity_number FROM individuals",
        OLD_LEAF,
    ],
    ids=["records nobody", "reads no number", "writes no leaf, so hands nothing out"],
)
async def test_old_version_beside_it(before, statement):
    async with connected(before) as connection:
        with pytest.raises(asyncpg.UndefinedColumnError):
            await connection.execute(statement)
