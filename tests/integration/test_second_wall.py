"""The database roles of the read path see what is stated and no more, whatever statement they are sent."""

import asyncio
import uuid
from collections import Counter
from datetime import timedelta

import asyncpg
import pytest
import pytest_asyncio

from api.errors import Problem
from api.store.database import Database
from api.store.reading import ReadPools, require_roles
from api.store.roles import GUARD, OPEN, PROTECTED, ROLE_OF, STATED
from tests.functional.individuals_support import HOLDER, RECIPIENT, decide, new_mapping, record
from tests.support import App, copy_database, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROLES = (OPEN, PROTECTED, GUARD)
NOW = moment("2026-11-21T12:00:00Z")
THIRD = "tullverket"
WALLED = ("disclosure_decisions", "disclosure_decision_items", "disclosure_requests", "ledger_leaves", "ledger_parts")
PEOPLE = "SELECT id, holder, name, birth_date FROM visible_individuals"
_COLUMNS = """
SELECT c.relname AS name, a.attname AS column, c.relkind = 'v' AS view
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
   AND a.attnum > 0 AND NOT a.attisdropped
"""


# --- what is stated, and what the database grants -------------------------------------------------------------------


async def columns(app: App) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in await app.rows(_COLUMNS):
        found.setdefault(row["name"], set()).add(row["column"])
    return found


async def unstated(app: App) -> set[str]:
    """Columns that nobody has stated, or that are stated twice, and what is stated and does not exist."""
    there = {f"{name}.{column}" for name, own in (await columns(app)).items() for column in own}
    said = Counter(f"{name}.{column}" for name, stated in STATED.items() for column in stated.columns())
    return (there ^ set(said)) | {column for column, times in said.items() if times > 1}


async def test_every_column_of_every_table_is_stated_once(app: App):
    assert await unstated(app) == set(), "state it in api/store/roles.py, and grant what is read in a migration"
    for name, stated in STATED.items():
        assert stated.read_by(GUARD) <= set(stated.columns()), name


async def test_new_table_or_column_is_read_by_nobody_until_it_is_stated(fresh_app: App):
    await fresh_app.execute("CREATE TABLE novelties (id uuid); ALTER TABLE scenes ADD COLUMN novelty text")
    assert await unstated(fresh_app) == {"novelties.id", "scenes.novelty"}
    for exposure in ROLE_OF:
        for statement in ("SELECT id FROM novelties", "SELECT novelty FROM scenes"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await fresh_app.database.fetch(statement, [], exposure=exposure, agency=HOLDER, now=NOW)


@pytest.mark.parametrize("role", ROLES)
async def test_role_reads_exactly_the_columns_that_are_stated(app: App, role: str):
    granted = await app.rows(
        f'SELECT name, "column" FROM ({_COLUMNS}) AS c'
        " WHERE has_column_privilege($1, 'public.' || quote_ident(name), \"column\", 'SELECT') AND NOT (view AND $2)",
        role,
        role == GUARD,
    )
    found: dict[str, set[str]] = {}
    for row in granted:
        found.setdefault(row["name"], set()).add(row["column"])
    assert found == {name: set(stated.read_by(role)) for name, stated in STATED.items() if stated.read_by(role)}


@pytest.mark.parametrize("role", ROLES)
async def test_role_writes_nothing_makes_nothing_and_is_nobody_else(app: App, role: str):
    writes = await app.rows(
        f"SELECT DISTINCT name, p AS privilege FROM ({_COLUMNS}) AS c,"
        " unnest(ARRAY['INSERT', 'UPDATE', 'REFERENCES']) p"
        " WHERE NOT view AND has_column_privilege($1, 'public.' || quote_ident(name), \"column\", p)"
        f" UNION ALL SELECT DISTINCT name, p FROM ({_COLUMNS}) AS c, unnest(ARRAY['DELETE', 'TRUNCATE', 'TRIGGER']) p"
        " WHERE NOT view AND has_table_privilege($1, 'public.' || quote_ident(name), p)",
        role,
    )
    assert writes == []
    (found,) = await app.rows(
        "SELECT rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb,"
        " has_schema_privilege(rolname, 'public', 'CREATE') AS makes,"
        " EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) AS is_another FROM pg_roles r WHERE rolname = $1",
        role,
    )
    assert set(found.values()) == {False}


async def test_tables_of_persons_decisions_and_the_log_have_policies_for_reading_alone(app: App):
    walled = {row["relname"] for row in await app.rows("SELECT relname FROM pg_class WHERE relrowsecurity")}
    assert walled == {"individuals", *WALLED}
    policies = await app.rows("SELECT tablename, permissive, cmd, roles::text[] AS roles FROM pg_policies")
    assert {row["tablename"] for row in policies} == walled
    for row in policies:
        assert row["cmd"] == "SELECT"
        assert set(row["roles"]) <= {PROTECTED, GUARD}
    owners = await app.rows("SELECT viewname FROM pg_views WHERE schemaname = 'public' AND viewowner <> $1", GUARD)
    assert owners == []


@pytest.mark.parametrize("exposure", ROLE_OF)
async def test_pool_is_no_superuser_in_effect_and_policies_hold_for_it(app: App, exposure: str):
    (found,) = await app.database.fetch(
        "SELECT current_user::text AS is, session_user::text AS came_as, current_setting('is_superuser') AS super,"
        " current_setting('row_security') AS policies, row_security_active('individuals') AS held,"
        " current_setting('transaction_read_only') AS reads_only",
        [],
        exposure=exposure,
        agency=HOLDER,
        now=NOW,
    )
    assert dict(found) | {"came_as": None} == {
        "is": ROLE_OF[exposure], "came_as": None, "super": "off", "policies": "on", "held": True, "reads_only": "on",
    }  # fmt: skip
    # The tests' server is reached as its superuser, whom no policy holds: what is proven here is not proven by luck.
    (came_as,) = await app.rows("SELECT rolsuper FROM pg_roles WHERE rolname = $1", found["came_as"])
    assert came_as["rolsuper"]


# --- whose rows -------------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def people(app: App) -> dict[str, str]:
    """A row of the holder that a decision names to the recipient, one that none names, and one of the recipient."""
    app.clock.at = NOW
    mapping = await new_mapping(app)
    named, kept, own = [await record(app, mapping, agency) for agency in (HOLDER, HOLDER, RECIPIENT)]
    await decide(app, [named], fields=["name"])
    return {"named": named, "kept": kept, "own": own}


async def seen(database: Database, agency: str | None, now=NOW, statement: str = PEOPLE) -> dict[str, tuple]:
    rows = await database.fetch(statement, [], exposure="protected", agency=agency, now=now)
    return {str(row["id"]): tuple(row)[1:] for row in rows}


async def test_own_rows_come_whole_and_others_as_far_as_a_decision_names(app: App, people: dict[str, str]):
    found = await seen(app.database, RECIPIENT)
    assert set(found) == {people["named"], people["own"]}
    assert [bool(value) for value in found[people["named"]]] == [True, True, False]
    assert all(found[people["own"]])
    assert set(await seen(app.database, HOLDER)) == {people["named"], people["kept"]}
    assert await seen(app.database, THIRD) == {}


async def test_without_an_agency_nobody_is_found(app: App, people: dict[str, str]):
    assert await seen(app.database, None) == {}
    for table in WALLED:
        (counted,) = await app.database.fetch(f"SELECT count(*) FROM {table}", [], exposure="protected")
        assert counted[0] == 0


async def test_without_a_moment_nothing_of_others_is_found(app: App, people: dict[str, str]):
    assert set(await seen(app.database, RECIPIENT, None)) == {people["own"]}


@pytest.mark.parametrize(
    "agency", ["x'; RESET ROLE; --", "polismyndigheten'", "a b", "POLISMYNDIGHETEN", "å", "-", "a\n", ""]
)
async def test_agency_that_is_no_slug_is_never_sent(app: App, people: dict[str, str], agency: str):
    with pytest.raises(ValueError, match="slug"):
        await seen(app.database, agency)


async def test_moment_without_zone_is_never_sent(app: App):
    with pytest.raises(ValueError, match="zone"):
        await seen(app.database, HOLDER, NOW.replace(tzinfo=None))


async def test_decision_ends_with_the_moment_and_not_before(fresh_app: App):
    app = fresh_app
    app.clock.at = NOW
    item = await record(app, await new_mapping(app))
    begins, ends, tick = NOW - timedelta(days=1), NOW + timedelta(days=1), timedelta(microseconds=1)
    decision = await decide(app, [item], valid_from=begins, valid_until=ends)
    for moment_, there in ((begins - tick, False), (begins, True), (ends - tick, True), (ends, False)):
        assert bool(await seen(app.database, RECIPIENT, moment_)) is there, moment_
    await app.execute("UPDATE disclosure_decisions SET revoked_at = $1 WHERE id = $2", NOW, decision)
    assert await seen(app.database, RECIPIENT) == {}


async def test_decision_opens_rows_of_the_agency_that_made_it_only(fresh_app: App):
    app = fresh_app
    app.clock.at = NOW
    item = await record(app, await new_mapping(app), HOLDER)
    await decide(app, [item], holder="sodermalm-socialtjanst")
    assert await seen(app.database, RECIPIENT) == {}


@pytest.mark.parametrize(
    ("born", "limits", "there"),
    [
        ("2005-11-22", (None, 21), True),  # 21 tomorrow
        ("2005-11-21", (None, 21), False),  # 21 today
        ("2008-11-21", (18, None), True),  # 18 today
        ("2008-11-22", (18, None), False),  # 18 tomorrow
        (None, (None, 21), False),
        (None, (18, None), False),
        (None, (None, None), True),
    ],
)
async def test_row_leaves_with_the_age_that_the_decision_rests_on(app: App, born, limits, there: bool):
    app.clock.at = NOW
    item = await record(app, await new_mapping(app), birthDate=born)
    decision = await decide(app, [item])
    await app.execute("UPDATE disclosure_decisions SET age_from = $2, age_below = $3 WHERE id = $1", decision, *limits)
    assert (item in await seen(app.database, RECIPIENT)) is there


async def test_age_turns_at_swedish_midnight(app: App):
    item = await record(app, await new_mapping(app), birthDate="2005-11-22")
    decision = await decide(app, [item])
    await app.execute("UPDATE disclosure_decisions SET age_below = 21 WHERE id = $1", decision)
    midnight = moment("2026-11-22T00:00:00+01:00")
    assert item in await seen(app.database, RECIPIENT, midnight - timedelta(microseconds=1))
    assert item not in await seen(app.database, RECIPIENT, midnight)


async def test_place_of_a_protected_person_must_be_named_expressly(app: App):
    mapping = await new_mapping(app)
    item = await record(app, mapping, protectedIdentity=True)
    await decide(app, [item], fields=["name"])
    places = "SELECT id, mapping_id::text FROM visible_individuals"
    assert (await seen(app.database, RECIPIENT, statement=places))[item] == (None,)
    assert (await seen(app.database, HOLDER, statement=places))[item] == (mapping,)
    await decide(app, [item], fields=["mapping"])
    assert (await seen(app.database, RECIPIENT, statement=places))[item] == (mapping,)


async def test_age_is_told_of_rows_that_may_be_seen_only(app: App, people: dict[str, str]):
    ask = "SELECT individual_is_of_age($1, NULL, 130), individual_is_of_age($1, 18, NULL)"
    for agency, item, told in (
        (RECIPIENT, people["named"], (True, True)),
        (RECIPIENT, people["kept"], (False, False)),
        (THIRD, people["named"], (False, False)),
        (None, people["named"], (False, False)),
    ):
        (row,) = await app.database.fetch(ask, [uuid.UUID(item)], exposure="protected", agency=agency, now=NOW)
        assert tuple(row) == told, (agency, item)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.database.fetch(ask, [uuid.UUID(people["named"])], agency=HOLDER, now=NOW)


async def test_grant_given_by_mistake_still_shows_no_row(fresh_app: App):
    await record(fresh_app, await new_mapping(fresh_app))
    await fresh_app.execute(f"GRANT SELECT ON individuals TO {OPEN}, {PROTECTED}")
    for exposure in ROLE_OF:
        counted = await fresh_app.database.fetch(
            "SELECT count(*) FROM individuals", [], exposure=exposure, agency=HOLDER, now=NOW
        )
        assert counted[0][0] == 0


async def test_condition_that_could_tell_of_hidden_rows_is_asked_after_they_are_gone(app: App, people: dict[str, str]):
    # Division by zero for any row that is not the asker's: were it tried on a hidden row, the error would tell of it.
    probe = f"SELECT id FROM visible_individuals WHERE 1 / (CASE WHEN holder = '{THIRD}' THEN 1 ELSE 0 END) = 1"
    assert await seen(app.database, THIRD, statement=probe) == {}


# --- the connection ---------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture(loop_scope="session")
async def one_connection(app: App):
    """A database whose pools have one connection each, so that every read comes after another on the same."""
    database = Database(app.url, read_connections=1)
    await database.open()
    yield database
    await database.close()


async def test_nothing_of_who_asked_is_left_for_the_next_read(one_connection: Database, people: dict[str, str]):
    for _ in range(3):
        assert set(await seen(one_connection, HOLDER)) >= {people["kept"]}
        assert await seen(one_connection, None) == {}
        assert set(await seen(one_connection, HOLDER, None)) >= {people["kept"]}
        assert people["kept"] not in await seen(one_connection, RECIPIENT)
        assert await seen(one_connection, THIRD) == {}


async def test_read_that_fails_or_is_cut_off_leaves_nothing_either(one_connection: Database, people: dict[str, str]):
    with pytest.raises(asyncpg.DivisionByZeroError):
        await seen(one_connection, HOLDER, statement="SELECT 1 / 0 AS id")
    assert await seen(one_connection, None) == {}
    asked = asyncio.create_task(seen(one_connection, HOLDER, statement="SELECT pg_sleep(60)::text AS id"))
    await asyncio.sleep(0.3)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await seen(one_connection, None) == {}
    assert await seen(one_connection, THIRD) == {}


# Leaves its role and reads before it ends: where this can be sent, nothing that follows it is of help.
IN_ONE_STATEMENT = (
    "SELECT w.word FROM (SELECT set_config('role', 'none', true) AS now OFFSET 0) s, LATERAL ts_stat("
    "CASE s.now WHEN 'none' THEN 'SELECT to_tsvector(''simple'', name) FROM individuals' END) w"
)
LEAVING = [
    "SELECT set_config('role', session_user::text, false)::text AS id",
    "SELECT set_config('role', 'none', false) AS id",
    "SELECT set_config('samsyn.agency', 'skarholmen-socialtjanst', false) AS id",
    "SELECT set_config('row_security', 'off', false) AS id",
    IN_ONE_STATEMENT,
]


@pytest.mark.parametrize("exposure", ROLE_OF)
@pytest.mark.parametrize("statement", LEAVING)
async def test_statement_cannot_change_its_session(app: App, exposure: str, statement: str):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.database.fetch(statement, [], exposure=exposure, agency=THIRD, now=NOW)


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE NONE",
        "RESET ROLE",
        "DISCARD ALL",
        "SET SESSION AUTHORIZATION DEFAULT",
        "/* */ SET ROLE NONE",
        "DO $$ BEGIN SET ROLE NONE; END $$",
        "SELECTED",
        "SELECT 1; SET ROLE NONE",
        "SELECT 1 INTO novelties",
        "WITH n AS (DELETE FROM individuals RETURNING id) SELECT id FROM n",
        "SELECT query_to_xml('SET ROLE NONE', true, true, '')::text",
        "UPDATE pg_settings SET setting = 'none' WHERE name = 'role'",
    ],
)
@pytest.mark.parametrize("exposure", ROLE_OF)
async def test_what_is_not_one_select_is_refused(one_connection: Database, exposure: str, statement: str):
    with pytest.raises((ValueError, asyncpg.PostgresError, Problem)):
        await one_connection.fetch(statement, [], exposure=exposure, agency=THIRD, now=NOW)
    (row,) = await one_connection.fetch("SELECT current_user::text", [], exposure=exposure, agency=THIRD, now=NOW)
    assert row[0] == ROLE_OF[exposure]


@pytest.mark.parametrize("exposure", ROLE_OF)
@pytest.mark.parametrize("statement", LEAVING)
async def test_where_a_statement_may_change_its_session_the_next_read_is_not_helped(
    server, template: str, exposure: str, statement: str
):
    """On a server whose administrator is not the one who migrates, set_config cannot be forbidden."""
    url = await copy_database(server.dsn(), template)
    await _run(url, "GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO PUBLIC")
    database = Database(url, read_connections=1)
    await database.open()
    try:
        await database.fetch(statement, [], exposure=exposure, agency=THIRD, now=NOW)
        (row,) = await database.fetch(
            "SELECT current_user::text, current_setting('row_security'), current_setting('samsyn.agency', true)",
            [], exposure=exposure, agency=THIRD, now=NOW,
        )  # fmt: skip
        expected = THIRD if exposure == "protected" else ""
        assert tuple(row)[:2] == (ROLE_OF[exposure], "on")
        assert (row[2] or "") == expected
        assert await seen(database, THIRD) == {}
    finally:
        await database.close()


async def test_wall_that_a_statement_can_step_over_is_told_when_the_service_starts(server, template: str, caplog):
    url = await copy_database(server.dsn(), template)
    revoke = "REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC"
    for statement, warnings in ((revoke.replace("REVOKE", "GRANT").replace("FROM", "TO"), 1), (revoke, 0)):
        caplog.clear()
        await _run(url, statement)
        await asyncio.to_thread(require_roles, url)
        database = Database(url, read_connections=1)
        await database.open()
        await database.close()
        said = [record.getMessage() for record in caplog.records if record.name == "samsyn.database"]
        assert len(said) == warnings
        assert all(f"{revoke};" in one for one in said)


async def _run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_pools_never_share_a_connection(app: App):
    pools = ReadPools(app.url, connections=2)
    await pools.open()
    found: dict[str, set[int]] = {exposure: set() for exposure in ROLE_OF}
    try:
        for _ in range(20):
            async with pools.reading(HOLDER, NOW) as reading:
                for exposure in ROLE_OF:
                    found[exposure].add((await reading.fetch("SELECT pg_backend_pid()", [], exposure))[0][0])
    finally:
        await pools.close()
    assert not found["open"] & found["protected"]
