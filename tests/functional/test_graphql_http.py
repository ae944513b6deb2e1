"""GraphQL over HTTP: what the specification's own audits ask for, and what an attacker would send."""

import asyncio
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvicorn

from tests.support import App

pytestmark = pytest.mark.asyncio(loop_scope="session")

AUDITS = Path(__file__).parents[1] / "graphql_audits"
RESPONSE_TYPE = "application/graphql-response+json"
POLICE_WORK = "Spaning från takvåningen (fiktivt)"
MAPPING = {
    "mappedOn": "2025-10-05",
    "physicalPlace": "Torg (fiktivt).",
    "use": "Genomgång (fiktivt).",
    "substances": ["cannabis"],
    "policeWork": POLICE_WORK,
}
# What a caller must never read: names of our code, of its libraries, of tables and of statements.
INTERNALS = ("Traceback", ".py", "sqlalchemy", "asyncpg", "strawberry", "SELECT ", "police_work", "0x", "site-packages")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(app: App) -> dict[str, Any]:
    """A scene with one mapping."""
    made = await app.new_scene()
    answer = await app.client("skarholmen-trygghet").post(f"scenes/{made['id']}/mappings", json=MAPPING)
    assert answer.status_code == 201, answer.text
    return made | {"mapping": answer.json()["id"]}


async def ask(
    app: App, query: str, agency: str = "polismyndigheten", purpose: str | None = None, **members: Any
) -> Any:
    headers = {"Accept": RESPONSE_TYPE} | ({"Purpose": purpose} if purpose else {})
    return await app.client(agency, headers=headers).post("graphql", json={"query": query} | members)


def refused(answer: Any, *words: str) -> None:
    """The request was refused before anything ran, in words that help and tell nothing else."""
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert "data" not in body
    assert body.get("errors") or body["detail"]
    for word in words:
        assert word in answer.text
    no_internals(answer)


def failed(answer: Any, *words: str) -> None:
    """The request ran and came to nothing, in words that help and tell nothing else."""
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] is None
    for word in words:
        assert word in answer.json()["errors"][0]["message"]
    no_internals(answer)


def no_internals(answer: Any) -> None:
    assert answer.status_code < 500, answer.text
    for internal in INTERNALS:
        assert internal not in answer.text


async def run_node(*command: str, cwd: Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(180):
        said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


@pytest.mark.skipif(not shutil.which("node") or not shutil.which("npm"), reason="needs Node with npm (Debian: npm)")
async def test_every_audit_of_graphql_over_http_passes(app: App, scene: Any, tmp_path: Path):
    for name in ("package.json", "package-lock.json", "audit.mjs"):
        shutil.copy(AUDITS / name, tmp_path)
    status, said = await run_node("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=tmp_path)
    if status:
        pytest.skip(f"the audits cannot be fetched here: {said.strip().splitlines()[-1:]}")
    server = uvicorn.Server(uvicorn.Config(app.app, port=0, lifespan="off", log_level="critical"))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/samsyn/v1/graphql"
    status, said = await run_node("node", "audit.mjs", url, app.token("polismyndigheten"), cwd=tmp_path)
    server.should_exit = True
    await running
    assert status == 0, said
    results = [json.loads(line) for line in said.splitlines()]
    assert len(results) == 61
    assert [result for result in results if result["status"] != "ok"] == []


def nested(depth: int) -> str:
    return "{ __schema { types { fields " + "{ type { fields " * depth + "{ name }" + " } }" * depth + " } } }"


def tower(width: int) -> str:
    """Fragments that each spread the next many times: followed to the end, width to the power of nine."""
    floors = [f"fragment f{n} on Query {{ {f'...f{n + 1} ' * width} }}" for n in range(9)]
    return "{ ...f0 } " + " ".join(floors)


ATTACKS = {
    "nested 30 deep": (nested(30), "nested deeper"),
    "nested deeper than a parser's stack": ("{ a" * 990 + " }" * 990, "nested"),
    "500 aliases": ("{ " + " ".join(f"a{n}: __typename" for n in range(500)) + " }", "aliases"),
    "51 aliases": ("{ " + " ".join(f"a{n}: scenes {{ count }}" for n in range(51)) + " }", "aliases"),
    "tokens: names": ("{ " + "name " * 5000 + "}", "token"),
    "braces without end": ("{" * 50_000, "Expected"),
    "tokens: directives": ("{ scenes " + "@skip(if: false) " * 600 + "{ count } }", "token"),
    "list in a list": ("{ scenes(municipality: " + "[" * 5000 + ") { count } }", "nested"),
    "fields: the same one a thousand times": ("{ scenes { " + "count " * 1100 + "} }", "one place"),
    "fragments: a tower that ends nowhere": (tower(100), "spreads"),
    "fragments: a tower of fields": (tower(60) + " fragment f9 on Query { scenes { count } }", "one place"),
    "fragment of itself": ("{ ...a } fragment a on Query { ...a }", "spread"),
    "fragments of each other": (
        "{ mapping(id: 1) { ...d } } fragment d on Mapping { ...e } fragment e on Mapping { ...d }",
        "spread",
    ),
    "alias longer than a column's name": (f"{{ scenes {{ items {{ {'a' * 64}: name }} }} }}", "63"),
    "unknown field": ("{ scenes { items { passwords } } }", "passwords"),
    "unknown argument": ("{ scenes(where: 1) { count } }", "where"),
    "field of a table": ("{ scenes { items { created_by } } }", "created_by"),
    "fragment on another type": ("{ scenes { items { ... on Mapping { policeWork } } } }", "Mapping"),
    "nothing": ("", ""),
    "no operation": ("fragment a on Scene { name }", "a"),
    "two operations, none named": ("query a { __typename } query b { __typename }", "operationName"),
    "subscription": ("subscription { scenes { count } }", ""),
    "NUL in the text": ('{ scenes(municipality: "\0") { count } }', ""),
    "broken text": ('{ scenes(municipality: "', ""),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_query_that_asks_for_too_much_is_refused_at_once(app: App, attack: str):
    query, word = ATTACKS[attack]
    begun = time.monotonic()
    answer = await asyncio.wait_for(ask(app, query), 20)
    assert time.monotonic() - begun < 5
    refused(answer, word)


@pytest.mark.parametrize("attack", ["nested deeper than a parser's stack", "fragments: a tower that ends nowhere"])
async def test_query_in_the_address_is_refused_as_well(app: App, attack: str):
    client = app.client("polismyndigheten", headers={"Accept": RESPONSE_TYPE})
    refused(await asyncio.wait_for(client.get("graphql", params={"query": ATTACKS[attack][0]}), 20))


async def test_fifty_aliases_and_a_name_of_63_characters_are_not_too_much(app: App, scene: Any):
    longest = "a" * 63
    aliases = " ".join(f"a{n}: totalRecords" for n in range(49))
    answer = await ask(app, f"{{ scenes {{ {aliases} items {{ {longest}: name }} }} }}")
    assert answer.json()["data"]["scenes"]["items"][0][longest] == scene["name"]


async def test_aliases_that_agree_in_their_first_62_characters_stay_apart(app: App, scene: Any):
    one, two = "a" * 62 + "b", "a" * 62 + "c"
    answer = await ask(app, f'{{ scene(id: "{scene["id"]}") {{ {one}: name {two}: setting }} }}')
    assert answer.json()["data"]["scene"] == {one: scene["name"], two: scene["setting"]}


async def test_query_of_a_megabyte_is_refused(app: App):
    refused(await ask(app, "{ __typename } #" + "x" * 900_000), "longer than")
    answer = await ask(app, "{ __typename } #" + "x" * 1_100_000)
    assert answer.status_code == 413
    no_internals(answer)


@pytest.mark.parametrize(
    "raw",
    [
        b'[{"query": "{ __typename }"}, {"query": "{ __typename }"}]',
        b"[]",
        b'"{ __typename }"',
        b"null",
        b'{"query": "{ __typename }", "query": "mutation { __typename }"}',
        b'{"query": "{ __typename }", "variables": {"a": 1, "a": 2}}',
        b'{"query": "{ __typename }", "persistedQuery": "1"}',
        b'{"query": ["{ __typename }"]}',
        b'{"query": {"text": "{ __typename }"}}',
        b'{"variables": {}}',
        b'{"query": "{ __typename }", "operationName": 1}',
        b'{"query": "{ __typename }", "variables": []}',
        b'{"query": "{ __typename }", "variables": "{}"}',
        b'{"query": "{ __typename }", "extensions": [1]}',
        b'{"query": "{ __typename }"',
        b'{"query": "{ __typename \xff }"}',
        b'{"query": "{ __typename }"} trailing',
        b"\xef\xbb\xbf" + b'{"query": "{ __typename }"}',
        b'{"query": "{ __typename }", "variables": {"a": NaN}}',
        b'{"query": "{ __typename }", "variables": ' + b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"}",
        b"",
    ],
)
async def test_body_that_is_no_single_request_is_refused_with_a_problem(app: App, raw: bytes):
    client = app.client("polismyndigheten", headers={"Content-Type": "application/json"})
    answer = await client.post("graphql", content=raw)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["where"].startswith("body")
    no_internals(answer)


@pytest.mark.parametrize("variables", [{"id": {"a": 1}}, {"id": [1, 2]}, {"id": True}, {"id": None}, {}])
async def test_variable_of_another_type_is_refused(app: App, variables: dict[str, Any]):
    refused(await ask(app, "query ($id: ID!) { scene(id: $id) { name } }", variables=variables), "$id")


@pytest.mark.parametrize(
    ("declared", "value"),
    [("$limit: Int!", "20"), ("$limit: Int!", 2**40), ("$limit: Int!", 1.5), ("$limit: Int!", True)],
)
async def test_number_of_another_type_is_refused(app: App, declared: str, value: Any):
    query = f"query ({declared}) {{ scenes(limit: $limit) {{ count }} }}"
    refused(await ask(app, query, variables={"limit": value}), "$limit")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ("page: 0", "page"),
        ("page: -1", "page"),
        ("page: 2000000000", "page"),
        ("limit: 0", "limit"),
        ("limit: 10000", "limit"),
        ("limit: -5", "limit"),
        ('sort: "policeWork"', "sort"),
        ('sort: "name; DROP TABLE scenes"', "sort"),
        ('municipality: "\\u0000"', "municipality"),
        (f'district: "{"x" * 5000}"', "district"),
    ],
)
async def test_argument_out_of_its_range_reads_nothing(app: App, arguments: str, word: str):
    with app.database.recorder.recording() as statements:
        answer = await ask(app, f"{{ scenes({arguments}) {{ count items {{ id }} }} }}")
    failed(answer, word)
    assert statements == []


@pytest.mark.parametrize("limit", [0, 101, -1])
async def test_nested_list_has_the_same_bounds(app: App, scene: Any, limit: int):
    failed(await ask(app, f'{{ scene(id: "{scene["id"]}") {{ mappings(limit: {limit}) {{ id }} }} }}'), "limit")


@pytest.mark.parametrize("given", ["varberg", "", "0", "'; DROP TABLE scenes; --", "\\u0000"])
async def test_id_that_is_none_is_told_and_not_looked_for(app: App, given: str):
    failed(await ask(app, f'{{ scene(id: "{given}") {{ name }} }}'), "id")


async def test_mutation_by_get_is_not_allowed_and_stores_nothing(app: App, scene: Any):
    mutation = (
        'mutation b { createIncidentBatch(incidents: [{incidentId: "g", occurredAt: "2026-10-01T07:40:00Z", '
        'stopId: "1", category: "theft", mode: "bus", severity: 1, revision: 1}]) { id } }'
    )
    client = app.client("trafikforvaltningen", headers={"Accept": RESPONSE_TYPE})
    among_others = {"query": f"query a {{ __typename }} {mutation}", "operationName": "b"}
    for parameters in ({"query": mutation}, among_others):
        answer = await client.get("graphql", params=parameters)
        assert answer.status_code == 405, answer.text
        assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))
        assert answer.headers["content-type"] == "application/problem+json"
    assert await app.rows("SELECT 1 FROM incident_batches") == []


DEEP = "{ scenes { items { name mappings { id policeWork substances } } } }"


@pytest.mark.parametrize(
    ("agency", "purpose"),
    [
        ("region-stockholm-vard", "care-and-support"),
        ("skarholmen-socialtjanst", "care-and-support"),
        ("centrumagaren", "place-based-prevention"),
        ("region-stockholm-vard", None),
    ],
)
async def test_police_work_is_null_for_others_with_the_reason_and_never_in_the_sql(
    app: App, scene: Any, agency: str, purpose: str | None
):
    with app.database.recorder.recording() as statements:
        answer = await ask(app, DEEP, agency, purpose)
    mappings = [mapping for item in answer.json()["data"]["scenes"]["items"] for mapping in item["mappings"]]
    assert {"id": scene["mapping"], "policeWork": None, "substances": ["cannabis"]} in mappings
    assert POLICE_WORK not in answer.text
    withheld = answer.json()["extensions"]["disclosure"]["withheld"]
    assert [entry["field"] for entry in withheld] == ["mapping.policeWork"]
    assert withheld[0]["holderSector"] == "police"
    assert withheld[0]["secrecy"]
    assert withheld[0]["reason"]
    reads = [statement for statement in statements if "mappings" in statement]
    assert reads
    assert not any("police_work" in statement for statement in statements)


async def test_police_read_their_own_work_through_any_path_of_the_query(app: App, scene: Any):
    queries = (
        f'{{ mapping(id: "{scene["mapping"]}") {{ x: policeWork }} }}',
        f'{{ mapping(id: "{scene["mapping"]}") {{ ...a }} }} fragment a on Mapping {{ x: policeWork }}',
        f'{{ mapping(id: "{scene["mapping"]}") {{ ... on Mapping {{ ... {{ x: policeWork }} }} }} }}',
    )
    for query in queries:
        answer = await ask(app, query, purpose="prevent-crime")
        assert answer.json()["data"]["mapping"] == {"x": POLICE_WORK}
        assert answer.json()["extensions"]["disclosure"]["receipt"]
        other = await ask(app, query, "region-stockholm-vard", "care-and-support")
        assert other.json()["data"]["mapping"] == {"x": None}


async def test_protected_answer_and_refused_purpose_are_kept_by_nobody_and_logged(app: App, scene: Any):
    before = (await app.rows("SELECT count(*) AS n FROM ledger_leaves"))[0]["n"]
    answer = await ask(app, DEEP, purpose="prevent-crime")
    assert answer.headers["cache-control"] == "private, no-store"
    client = app.client("polismyndigheten", purposes=[], headers={"Purpose": "prevent-crime"})
    answer = await client.post("graphql", json={"query": DEEP})
    assert answer.status_code == 403
    assert POLICE_WORK not in answer.text
    assert (await app.rows("SELECT count(*) AS n FROM ledger_leaves"))[0]["n"] == before + 2


async def test_introspection_and_data_come_in_one_answer_in_the_order_asked(app: App, scene: Any):
    query = f"""query q($all: Boolean = true) {{
        kind: __typename
        first: scene(id: "{scene["id"]}") {{ type: __typename name }}
        __type(name: "Mapping") {{ name fields {{ name }} }}
        scenes(limit: 1) {{ totalRecords items {{ id }} __typename }}
        none: scene(id: "00000000-0000-4000-8000-000000000000") {{ name }}
        __schema {{ queryType {{ name }} mutationType {{ name }} }}
        skipped: scenes @skip(if: $all) {{ count }}
    }}"""
    answer = (await ask(app, query)).json()
    assert list(answer["data"]) == ["kind", "first", "__type", "scenes", "none", "__schema"]
    assert answer["data"]["kind"] == "Query"
    assert answer["data"]["first"] == {"type": "Scene", "name": scene["name"]}
    assert {"name": "policeWork"} in answer["data"]["__type"]["fields"]
    assert answer["data"]["scenes"]["__typename"] == "ScenePage"
    assert answer["data"]["none"] is None
    assert answer["data"]["__schema"] == {"queryType": {"name": "Query"}, "mutationType": {"name": "Mutation"}}
    assert "errors" not in answer


async def test_same_field_twice_under_one_key_is_read_once_and_merged(app: App, scene: Any):
    query = f'{{ scene(id: "{scene["id"]}") {{ name }} scene(id: "{scene["id"]}") {{ setting }} }}'
    with app.database.recorder.recording() as statements:
        answer = await ask(app, query)
    assert answer.json()["data"]["scene"] == {"name": scene["name"], "setting": scene["setting"]}
    assert sum("scenes.name" in statement for statement in statements) == 1


async def test_crash_in_a_resolver_is_told_by_its_number_alone(app: App, monkeypatch: pytest.MonkeyPatch, caplog):
    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("19121212-1212 SELECT police_work")

    monkeypatch.setattr("api.law.graphql.provision_as_json", crash)
    answer = await ask(app, "{ provisions }")
    no_internals(answer)
    assert "19121212-1212" not in answer.text
    error_id = answer.json()["errors"][0]["extensions"]["problem"]["errorId"]
    assert error_id in caplog.text
    assert "19121212-1212" not in caplog.text


async def test_nobody_without_a_token_learns_the_schema(app: App):
    answer = await app.client().post("graphql", json={"query": "{ __schema { types { name } } }"})
    assert answer.status_code == 401
    assert "Scene" not in answer.text
