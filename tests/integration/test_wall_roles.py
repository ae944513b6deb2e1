"""The roles of the read path on servers that are not ours: made by whoever may, explained to whoever may not.

Roles belong to a whole server, so these tests have one of their own.
"""

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from alembic import command
from sqlalchemy.engine import make_url

from api.running import StartError, require_current
from api.store.database import Database
from api.store.embedded import EmbeddedServer, embedded_server
from api.store.migrate import _config, upgrade
from api.store.roles import GUARD, OPEN, PROTECTED, ROLE_OF, RolesError
from tests.functional.individuals_support import new_mapping, read, record
from tests.support import create_database, moment, open_app, seed

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOT = Path(__file__).parents[2]
NOW = moment("2026-11-21T12:00:00Z")
ROLES = [OPEN, PROTECTED, GUARD]


@pytest.fixture(scope="module")
def server_of_its_own(tmp_path_factory: pytest.TempPathFactory):
    with embedded_server(tmp_path_factory.mktemp("foreign")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def foreign(server_of_its_own: EmbeddedServer):
    """A server on which nobody has ever heard of Samsyn, nor will have."""
    yield server_of_its_own
    connection = await asyncpg.connect(server_of_its_own.dsn())
    for (name,) in await connection.fetch(
        "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> ALL($1)", ["postgres", "samsyn"]
    ):
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    for (name,) in await connection.fetch("SELECT rolname FROM pg_roles WHERE oid >= 16384"):
        await connection.execute(f'DROP ROLE "{name}"')
    await connection.close()


async def run(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def roles_there(server: EmbeddedServer) -> set[str]:
    connection = await asyncpg.connect(server.dsn())
    try:
        return {row[0] for row in await connection.fetch("SELECT rolname FROM pg_roles WHERE rolname = ANY($1)", ROLES)}
    finally:
        await connection.close()


async def owned_by(server: EmbeddedServer, user: str, rights: str = "") -> str:
    """A new user's own database, reached as that user."""
    await run(server.dsn(), f"CREATE ROLE {user} LOGIN {rights}", f"CREATE DATABASE {user} OWNER {user}")
    return make_url(server.dsn()).set(database=user, username=user).render_as_string(hide_password=False)


async def migrate(url: str) -> None:
    """In a process of its own: alembic keeps its context in globals, and a failure keeps its connection."""
    program = f"from api.store.migrate import upgrade; upgrade({url!r})"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, told = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{process.returncode}: {told.decode()}")


async def test_user_who_may_make_no_roles_is_told_the_lines_and_they_suffice(foreign: EmbeddedServer, tmp_path: Path):
    url = await owned_by(foreign, "ordinary")
    with pytest.raises(RuntimeError) as told:
        await migrate(url)
    assert "RolesError" in str(told.value)
    lines = [line.strip() for line in str(told.value).splitlines() if line.strip().endswith(";")]
    assert lines == [*(f"CREATE ROLE {role} NOLOGIN;" for role in ROLES), f'GRANT {", ".join(ROLES)} TO "ordinary";']
    await run(foreign.dsn(), *lines)
    await migrate(url)
    await asyncio.to_thread(require_current, url)
    await the_wall_stands(url)
    await seed(url)
    await the_service_works(url, tmp_path)
    # What an administrator may do besides, so that not every read must begin by undoing the one before.
    at_large = make_url(foreign.dsn()).set(database="ordinary").render_as_string(hide_password=False)
    set_config = "EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean)"
    await run(at_large, f"REVOKE {set_config} FROM PUBLIC", f"GRANT {set_config} TO ordinary")
    await the_service_works(url, tmp_path)


async def the_service_works(url: str, directory: Path) -> None:
    async with open_app(url, directory) as app:
        mapping = await new_mapping(app)
        made = await record(app, mapping, "polismyndigheten")
        answer = await read(app, mapping, "polismyndigheten")
        assert [row["id"] for row in answer.json()["items"]] == [made]
        assert (await read(app, mapping, "tullverket")).json()["items"] == []


async def the_wall_stands(url: str) -> None:
    """Also where set_config cannot be forbidden: whoever leaves the role is back in it for the next read."""
    await run(
        url,
        "INSERT INTO agencies (slug, name, sector) VALUES ('en', 'en', 'police'), ('annan', 'annan', 'customs')",
        "INSERT INTO municipalities (code, name) VALUES ('0180', 'Stockholm')",
        "INSERT INTO scenes VALUES ('00000000-0000-4000-8000-000000000001', 'Plats (fiktiv)', '0180', NULL, NULL, '{}',"
        " 'suburb', '{}', '2025-01-01', NULL, NULL, 'response', true, 1, 'en', now(), now())",
        "INSERT INTO mappings (id, scene_id, mapped_on, mapped_by, affected_counts, affected, physical_place, use,"
        " substances, partners, hotspots, created_at) VALUES ('00000000-0000-4000-8000-000000000002',"
        " '00000000-0000-4000-8000-000000000001', '2025-01-02', 'en', '[]', '[]', '', '', '{}', '{}', '[]', now())",
        "INSERT INTO individuals (id, mapping_id, holder, role, substances, observed_on, basis, recorded_by,"
        " created_at, protected_identity) VALUES ('00000000-0000-4000-8000-000000000003',"
        " '00000000-0000-4000-8000-000000000002', 'en', 'buys', '{}', '2025-01-02', 'fact', 'en', now(), false)",
    )
    database = Database(url, read_connections=1)
    await database.open()
    try:
        for exposure, role in ROLE_OF.items():
            for statement in ("SELECT set_config('role', 'none', false)", "SELECT current_user::text"):
                found = await database.fetch(statement, [], exposure=exposure, agency="en", now=NOW)
            assert found[0][0] == role
        for agency, seen in (("en", 1), ("annan", 0), (None, 0)):
            people = "SELECT id FROM visible_individuals"
            assert len(await database.fetch(people, [], exposure="protected", agency=agency, now=NOW)) == seen
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await database.fetch(people, [], agency=agency, now=NOW)
    finally:
        await database.close()


async def test_roles_are_made_by_whoever_may_kept_while_used_and_gone_after(foreign: EmbeddedServer):
    maker = await owned_by(foreign, "maker", "CREATEROLE")
    assert await roles_there(foreign) == set()
    await migrate(maker)
    await the_wall_stands(maker)
    other = await create_database(foreign.dsn())
    await migrate(other)
    await asyncio.to_thread(command.downgrade, _config(other), "0005")
    assert await roles_there(foreign) == set(ROLES)
    await the_wall_stands_still(maker)
    await asyncio.to_thread(command.downgrade, _config(maker), "0005")
    assert await roles_there(foreign) == set()
    with pytest.raises(StartError):
        await asyncio.to_thread(require_current, maker)
    await migrate(maker)
    assert await roles_there(foreign) == set(ROLES)


async def the_wall_stands_still(url: str) -> None:
    database = Database(url)
    await database.open()
    assert await database.fetch("SELECT slug FROM agencies WHERE slug = 'en'", []) != []
    await database.close()


async def test_two_databases_migrated_at_once_share_the_roles(foreign: EmbeddedServer):
    urls = [await create_database(foreign.dsn()) for _ in range(2)]
    await asyncio.gather(*(migrate(url) for url in urls))
    assert await roles_there(foreign) == set(ROLES)
    for url in urls:
        await asyncio.to_thread(require_current, url)


@pytest.mark.parametrize(
    "too_much",
    [
        f"ALTER ROLE {OPEN} BYPASSRLS",
        f"ALTER ROLE {PROTECTED} LOGIN",
        f"ALTER ROLE {GUARD} SUPERUSER",
        f"GRANT pg_read_all_data TO {PROTECTED}",
    ],
)
async def test_role_that_may_more_than_it_should_is_not_taken(foreign: EmbeddedServer, too_much: str):
    await run(foreign.dsn(), *(f"CREATE ROLE {role} NOLOGIN" for role in ROLES), too_much)
    url = await create_database(foreign.dsn())
    with pytest.raises(RolesError, match="must not have"):
        await asyncio.to_thread(upgrade, url)


async def test_service_whose_user_may_not_take_the_roles_does_not_start(foreign: EmbeddedServer):
    url = await create_database(foreign.dsn())
    await migrate(url)
    await run(url, "CREATE ROLE stranger LOGIN", "GRANT SELECT ON alembic_version TO stranger")
    as_stranger = make_url(url).set(username="stranger").render_as_string(hide_password=False)
    with pytest.raises(StartError, match=f"GRANT {OPEN}, {PROTECTED} TO"):
        await asyncio.to_thread(require_current, as_stranger)
