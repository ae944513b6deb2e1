"""No read without a decision: SQL stands in store/, disclosure/ and */repository.py only, and services never commit."""

import re

import pytest

from tests.architecture.source_tree import Module, modules

SERVICE = [module for module in modules() if module.name.split(".")[0] in {"api", "policies"}]

# What a module outside may take from SQLAlchemy: the type of a connection that it hands on, nothing that makes SQL.
TYPES = {("sqlalchemy.ext.asyncio", "AsyncConnection")}
# Columns and indexes are declared in tables.py; no statement is made there.
DECLARES = {"ARRAY", "BigInteger", "CheckConstraint", "Column", "DateTime", "Index", "LargeBinary", "Text", "JSONB",
            "UniqueConstraint", "Uuid"}  # fmt: skip
DRIVERS = {"sqlalchemy", "asyncpg", "alembic", "psycopg", "psycopg2"}
EXCEPTIONS = {
    ("api.ledger.service", "sqlalchemy.exc.SQLAlchemyError"): "no log, no data: any failure of the ledger is a 503",
    ("api.running", "asyncpg."): "the errors of a server that cannot be reached, told before the service starts",
}

LOOKS_LIKE_SQL = re.compile(
    r"""\b(?:
        select\b[\s\S]+\bfrom\s+[a-z_"{(] | select\s+[a-z_]+\( | insert\s+into\s+[a-z_"{] | delete\s+from\s+[a-z_"{]
      | update\s+[a-z_"{.}]+(?:\s+[a-z]+)?\s+set\s+[a-z_"{] | truncate\s+(?:table\s+)?[a-z_"]+\s*(?:;|$)
      | (?:create|alter|drop)\s+(?:unlogged\s+|temp(?:orary)?\s+)?(?:table|index|role|database|schema|view)\s+[a-z_"{]
      | with\s+\w+\s+as\s+(?:materialized\s+)?\(
    )""",
    re.IGNORECASE | re.VERBOSE,
)
# Ways to send a statement on a connection or pool; `fetch` and `fetch_row` are our own reading path.
SENDS = {"exec_driver_sql", "execute", "executemany", "fetch", "fetch_row", "fetchmany", "fetchrow", "fetchval",
         "copy_records_to_table", "copy_to_table", "stream", "stream_scalars", "scalars"}  # fmt: skip
SENDS_EXCEPTIONS = {
    ("api.agencies.service", "fetch"): "the register tells who asks, so it is read before any decision can be made",
    ("api.incidents.endpoints", "stream"): "the stream of a request's body, not of rows",
    ("api.identity.jwks", "stream"): "the stream of the issuer's keys over HTTP, not of rows",
}


def may_hold_sql(module: Module) -> bool:
    return module.room in {"store", "disclosure", "migrations"} or module.path.endswith("/repository.py")


OUTSIDE = [module for module in SERVICE if not may_hold_sql(module)]


def test_there_is_an_inside_and_an_outside():
    assert any(module.path.endswith("/repository.py") for module in modules())
    assert len(OUTSIDE) > 50


def test_sql_is_made_only_where_it_may_stand():
    broken, used = [], set()
    for module in OUTSIDE:
        for target, name, line in module.imports():
            if target.split(".")[0] not in DRIVERS or (target, name) in TYPES:
                continue
            if module.path.endswith("/tables.py") and name in DECLARES:
                continue
            if (module.name, f"{target}.{name}") in EXCEPTIONS:
                used.add((module.name, f"{target}.{name}"))
                continue
            broken.append(f"{module.path}:{line} imports {target}.{name}")
    assert not broken, "\n".join(broken)
    assert used == set(EXCEPTIONS), "take what is no longer needed off the list"


def test_no_text_outside_looks_like_sql():
    broken = [
        f"{module.path}:{line}: {text.strip()[:80]!r}"
        for module in OUTSIDE
        for text, line in module.texts()
        if LOOKS_LIKE_SQL.search(text)
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT name FROM scenes",
        "select\n  count(*)\n from individuals",
        "INSERT INTO scenes VALUES ($1)",
        "UPDATE scenes SET name = $1",
        "UPDATE scene_outlines o SET school_count = 1",
        "DELETE FROM outline_stations",
        "WITH judged AS MATERIALIZED (SELECT 1)",
        "CREATE TEMP TABLE staging (row integer)",
        "TRUNCATE incidents",
        "SELECT * FROM {}",
    ],
)
def test_sql_is_recognised(text: str):
    assert LOOKS_LIKE_SQL.search(text)


@pytest.mark.parametrize(
    "text", ["select a scene from the list", "Update the mapping", "with the scope read", "create_app"]
)
def test_plain_words_are_no_sql(text: str):
    # The first is a known false alarm; it would have to be worded otherwise in code.
    assert bool(LOOKS_LIKE_SQL.search(text)) == text.startswith("select")


def test_every_text_that_repositories_send_would_be_recognised():
    # The rule above is only as good as its pattern: the statements that do exist must all match it.
    sent = [
        (module.path, text)
        for module in modules()
        if module.path.endswith("/repository.py")
        for text, _ in module.texts()
        if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE)\b", text)
    ]
    assert sent
    assert [path for path, text in sent if not LOOKS_LIKE_SQL.search(text)] == []


def test_statements_are_sent_only_where_they_may_stand():
    broken, used = [], set()
    for module in OUTSIDE:
        for name, call in module.calls():
            if name not in SENDS or not hasattr(call.func, "attr"):
                continue
            if (module.name, name) in SENDS_EXCEPTIONS:
                used.add((module.name, name))
                continue
            broken.append(f"{module.path}:{call.lineno} calls .{name}()")
    assert not broken, "\n".join(broken)
    assert used == set(SENDS_EXCEPTIONS), "take what is no longer needed off the list"


def test_nobody_but_the_store_begins_or_commits():
    for module in SERVICE:
        if module.room == "store":
            continue
        for name, call in module.calls():
            assert name not in {"begin", "begin_nested", "commit", "rollback", "autocommit"}, (
                f"{module.path}:{call.lineno} calls .{name}()"
            )


def test_services_and_repositories_never_open_a_transaction():
    # One request, one transaction: it is opened by whoever answers the request. The ledger's leaf has its own.
    for module in SERVICE:
        if module.room in {"service", "repository", "part", "schemas", "tables", "disclosure", "policies"}:
            for name, call in module.calls():
                assert name != "transaction", f"{module.path}:{call.lineno} opens a transaction"


def test_transactions_are_opened_where_a_request_is_answered():
    rooms = {module.room for module in SERVICE for name, _ in module.calls() if name == "transaction"}
    assert "face" in rooms, "the rule above would hold of nothing"
    assert rooms <= {"face", "web", "ledger", "top", "demo"}
