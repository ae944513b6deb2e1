"""Identity numbers and contact details lie encrypted: the database alone gives none away, and moves none elsewhere."""

import asyncio
import base64
import json
import uuid

import pytest
import pytest_asyncio

from api.keeping import rotate_keys
from api.protection.keys import KEY_FILE, key_source
from api.protection.sealing import Sealer
from api.settings import Settings
from api.store import sealed
from migrations.metadata import metadata
from tests.functional.individuals_support import HOLDER, PERSON, WHY, decide, new_mapping, read, record
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRETS = ("191212121212", "19121212-1212", "070-174 06 05", "1741213")
OTHER_KEY = base64.b64encode(bytes(range(32))).decode()


@pytest_asyncio.fixture(loop_scope="session")
async def two(fresh_app: App):
    """Two rows of one holder with different contents, and their mapping."""
    mapping = await new_mapping(fresh_app)
    first = await record(fresh_app, mapping)
    second = await record(fresh_app, mapping, identityNumber=None, contact="annan 1741213 (fiktivt)")
    return fresh_app, mapping, first, second


async def one(app: App, mapping: str, identity: str):
    return await app.client(HOLDER, headers=WHY).get(f"mappings/{mapping}/individuals/{identity}")


async def everything(app: App) -> str:
    """What a dump of the database would hold: every row of every table as text, bytes both in hex and as they are."""
    found = []
    for table in await app.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"):
        for row in await app.rows(f'SELECT * FROM "{table["tablename"]}"'):
            for value in row.values():
                found.append(value.decode("latin-1") if isinstance(value, bytes) else str(value))
                if isinstance(value, bytes):
                    found.append(value.hex())
    return "\n".join(found)


def variants(secret: str) -> list[str]:
    raw = secret.encode()
    return [secret, raw.hex(), base64.b64encode(raw).decode()[:12], base64.urlsafe_b64encode(raw).decode()[:12]]


async def test_no_table_holds_a_number_or_a_contact_in_plain_text(two):
    app, mapping, first, _ = two
    await decide(app, [first], fields=["identityNumber", "contact"], provision="osl-10-15a")
    # Reads and refusals leave leaves, keys leave answers: they are in the dump as well.
    app.clock.at = moment("2026-10-20T10:00:00Z")
    headers = {"Idempotency-Key": '"k"'}
    made = await app.client(HOLDER, headers=headers).post(f"mappings/{mapping}/individuals", json=PERSON)
    assert made.status_code == 201
    for agency in (HOLDER, "polismyndigheten", "tullverket"):
        await read(app, mapping, agency)
    dump = await everything(app)
    assert "Påhittad Person" in dump, "the walk over the tables sees no row"
    for secret in SECRETS:
        for spelling in variants(secret):
            assert spelling not in dump, secret


async def test_no_file_of_the_table_holds_a_number_after_the_migration_that_sealed_it(two):
    app, *_ = two
    await app.execute("CHECKPOINT")
    for table in ("individuals", "idempotent_answers", "ledger_parts"):
        content = (await app.rows(f"SELECT pg_read_binary_file(pg_relation_filepath('{table}')) AS file"))[0]["file"]
        assert all(secret.encode() not in content for secret in SECRETS), table


async def test_text_moved_to_another_row_is_never_shown(two):
    app, mapping, first, second = two
    await app.execute(
        "UPDATE individuals SET identity_number_sealed ="
        " (SELECT identity_number_sealed FROM individuals WHERE id = $1) WHERE id = $2",
        uuid.UUID(first), uuid.UUID(second),
    )  # fmt: skip
    for answer in (await one(app, mapping, second), await read(app, mapping, HOLDER)):
        assert answer.status_code == 503
        assert all(secret not in answer.text for secret in SECRETS)
        assert first not in answer.text
    assert (await one(app, mapping, first)).json()["identityNumber"] == "191212121212"


async def test_text_moved_to_another_field_of_the_row_is_never_shown(two):
    app, mapping, first, _ = two
    await app.execute("UPDATE individuals SET contact_sealed = identity_number_sealed WHERE id = $1", uuid.UUID(first))
    assert (await one(app, mapping, first)).status_code == 503


async def test_row_given_to_another_holder_takes_no_text_with_it_that_its_recipients_could_not_have(two):
    # One who may write to the database makes a row of the police's own out of it: the text is still the row's.
    app, mapping, first, _ = two
    copy = uuid.uuid4()
    await app.execute(
        "INSERT INTO individuals SELECT (jsonb_populate_record(i, jsonb_build_object('id', $1::text, 'holder',"
        " 'polismyndigheten'))).* FROM individuals i WHERE id = $2",
        str(copy), uuid.UUID(first),
    )  # fmt: skip
    answer = await app.client("polismyndigheten", headers=WHY).get(f"mappings/{mapping}/individuals/{copy}")
    assert answer.status_code == 503
    assert all(secret not in answer.text for secret in SECRETS)


@pytest.mark.parametrize("token", [b"", b"\x00\xff\xfe", b"not a token", b"gAAAAABn", b"'; DROP TABLE individuals; --"])
async def test_damaged_text_costs_that_answer_and_no_other(two, token):
    app, mapping, first, second = two
    await app.execute("UPDATE individuals SET contact_sealed = $2 WHERE id = $1", uuid.UUID(first), token)
    answer = await one(app, mapping, first)
    assert answer.status_code == 503
    assert answer.json()["detail"] == "something protected cannot be read now; nothing of it is handed out"
    assert (await one(app, mapping, second)).json()["contact"] == "annan 1741213 (fiktivt)"


async def test_answer_that_cannot_be_opened_leaves_no_leaf_of_an_answer(two):
    app, mapping, first, _ = two
    await app.execute("UPDATE individuals SET contact_sealed = 'x' WHERE id = $1", uuid.UUID(first))
    count = "SELECT count(*) AS n FROM ledger_leaves"
    before = await app.rows(count)
    assert (await one(app, mapping, first)).status_code == 503
    assert await app.rows(count) == before


async def test_field_that_is_not_asked_for_is_not_opened(two):
    app, mapping, first, _ = two
    await app.execute("UPDATE individuals SET contact_sealed = 'x' WHERE id = $1", uuid.UUID(first))
    query = f'{{ mapping(id: "{mapping}") {{ individuals {{ name identityNumber }} }} }}'
    answer = await app.client(HOLDER, headers=WHY).post("graphql", json={"query": query})
    numbers = {row["identityNumber"] for row in answer.json()["data"]["mapping"]["individuals"]}
    assert numbers == {None, "191212121212"}


async def test_nested_texts_are_opened_under_whatever_key_they_are_asked_for(two):
    app, mapping, *_ = two
    query = f'{{ mapping(id: "{mapping}") {{ people: individuals {{ a: contact b: contact sex }} }} }}'
    answer = await app.client(HOLDER, headers=WHY).post("graphql", json={"query": query})
    rows = answer.json()["data"]["mapping"]["people"]
    assert {row["a"] for row in rows} == {PERSON["contact"], "annan 1741213 (fiktivt)"}
    assert all(row["a"] == row["b"] for row in rows)


async def test_without_its_key_the_row_is_shut_and_the_rest_of_the_service_open(two, tmp_path):
    app, mapping, first, _ = two
    stranger = Sealer(key_source(Settings(data_dir=tmp_path / "elsewhere")))
    app.services.gate._sealer = stranger
    assert (await one(app, mapping, first)).status_code == 503
    assert (await app.client(HOLDER).get("scenes")).status_code == 200


# --- rotation -------------------------------------------------------------------------------------------------------


def keys_of(app: App):
    return app.services.settings.data_dir / KEY_FILE


def put_new_key_first(app: App) -> str:
    """What an operator does; answers the old key's line."""
    _, old, pseudonym = keys_of(app).read_text().splitlines()
    keys_of(app).write_text(f"{OTHER_KEY}\n{old}\n{pseudonym}\n")
    return old


async def tokens(app: App) -> list[bytes]:
    rows = await app.rows("SELECT identity_number_sealed, contact_sealed FROM individuals ORDER BY id")
    return [token for row in rows for token in row.values() if token is not None]


async def test_rotation_puts_every_text_under_the_newest_key_and_can_be_run_again(two):
    app, mapping, first, _ = two
    old = put_new_key_first(app)
    newest = Sealer(key_source(app.services.settings))
    assert not any(newest.is_newest(token) for token in await tokens(app))
    done = await rotate_keys(app.database, newest)
    assert (done.changed, done.shut) == (3, 0)
    assert all(newest.is_newest(token) for token in await tokens(app))
    again = await rotate_keys(app.database, newest)
    assert (again.changed, again.shut) == (0, 0)
    # The old key is taken away for good, and the service starts anew.
    keys_of(app).write_text(keys_of(app).read_text().replace(f"{old}\n", ""))
    app.services.gate._sealer = Sealer(key_source(app.services.settings))
    assert (await one(app, mapping, first)).json()["identityNumber"] == "191212121212"


async def test_rotation_keeps_person_keys_so_that_pseudonyms_last(two):
    app, *_ = two
    query = "SELECT id, person_key FROM individuals ORDER BY id"
    before = await app.rows(query)
    put_new_key_first(app)
    await rotate_keys(app.database, Sealer(key_source(app.services.settings)))
    assert await app.rows(query) == before
    assert sum(row["person_key"] is not None for row in before) == 1


async def test_rotation_is_not_seen_by_those_who_read_and_record_meanwhile(two, monkeypatch):
    app, mapping, *_ = two
    for nth in range(12):
        await record(app, mapping, contact=f"nr {nth} (fiktivt)")
    monkeypatch.setattr("api.keeping._BATCH", 2)
    put_new_key_first(app)
    rotating = asyncio.create_task(rotate_keys(app.database, Sealer(key_source(app.services.settings))))
    statuses = set()
    while not rotating.done():
        # The service has not been started anew: it finds the new key by itself when it meets it.
        answer = await read(app, mapping, HOLDER, "?limit=100")
        statuses.add(answer.status_code)
        assert len(answer.json()["items"]) >= 14
        await record(app, mapping)
    assert statuses == {200}
    assert (await rotating).shut == 0
    whole = (await read(app, mapping, HOLDER, "?limit=100")).json()["items"]
    assert {row["contact"] for row in whole} >= {f"nr {nth} (fiktivt)" for nth in range(12)}


async def test_rotation_says_what_no_key_opens_and_goes_on_past_it(two):
    app, _, first, _ = two
    await app.execute("UPDATE individuals SET contact_sealed = 'x' WHERE id = $1", uuid.UUID(first))
    put_new_key_first(app)
    done = await rotate_keys(app.database, Sealer(key_source(app.services.settings)))
    assert (done.changed, done.shut) == (2, 1)


async def test_rotation_reaches_every_sealed_column_there_is():
    named = {(table.name, name) for table, names in sealed.sealed_tables(metadata) for name in names}
    assert named >= {("individuals", "identity_number_sealed"), ("individuals", "contact_sealed")}
    secret = {(t.name, c.name) for t in metadata.sorted_tables for c in t.columns if "sealed" in c.name}
    assert named == secret


async def test_example_in_the_contract_is_opened_like_any_other(two):
    # The gate writes JSON anew where it opens something: nothing else of the row may change on the way.
    app, mapping, first, _ = two
    row = (await one(app, mapping, first)).json()
    assert {name: row[name] for name in PERSON} == PERSON | {"identityNumber": "191212121212"}
    assert json.dumps(row["substances"]) == '["cannabis"]'
