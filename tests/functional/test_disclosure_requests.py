"""Requests for disclosure: they name a holder and never a row, and nobody but the two parties knows of them."""

import json
import uuid

import pytest
import pytest_asyncio

from tests.functional.disclosure_support import (
    BODIES,
    CARE,
    HOLDER,
    NOBODYS,
    NOON,
    OWNER,
    POLICE,
    STEPS,
    WHY,
    ask,
    asked,
    decide,
    lacks,
    new_mapping,
    officer,
    post,
    record,
    state_of,
    take,
    wrong,
)
from tests.support import App, canonical, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def noon(app: App):
    app.clock.at = moment(NOON)


# --- what a request may not tell ------------------------------------------------------------------------------------


async def test_request_is_answered_alike_whether_or_not_the_holder_has_anything(app: App):
    def told(answer):
        body = json.loads(canonical(answer.json()).replace(answer.json()["id"], "id"))
        return answer.status_code, set(answer.headers) - {"content-length"}, body

    mapping = await new_mapping(app)
    before = await post(app)
    for _ in range(3):
        await record(app, mapping)
    after = await post(app)
    assert before.status_code == 201
    assert told(before) == told(after)


async def test_nothing_of_a_request_is_compared_with_rows_about_persons(app: App):
    mapping = await new_mapping(app)
    known = await record(app, mapping)
    scene = (await app.rows("SELECT scene_id FROM mappings WHERE id = $1", uuid.UUID(mapping)))[0]["scene_id"]
    scope = {"scene": str(scene), "question": f"Vad vet ni om 191212121212 och om raden {known}?"}
    with app.database.recorder.recording() as statements:
        answer = await post(app, body=asked(scope=scope))
    assert answer.status_code == 201, answer.text
    assert statements
    assert not [statement for statement in statements if "individuals" in statement]


async def test_third_agency_sees_no_trace_of_a_request(app: App):
    request = await ask(app)
    for agency in ("sodermalm-socialtjanst", CARE, OWNER, "lansstyrelsen-stockholm"):
        client = app.client(agency, headers=WHY)
        assert request not in (await client.get("disclosure-requests?limit=100")).text
        seen = await client.get(f"disclosure-requests/{request}")
        nobodys = await client.get(f"disclosure-requests/{NOBODYS}")
        assert seen.status_code == nobodys.status_code == 404
        assert canonical(seen.json()).replace(request, NOBODYS) == canonical(nobodys.json())


@pytest.mark.parametrize("step", STEPS)
async def test_step_with_a_request_of_others_is_refused_like_one_that_does_not_exist(app: App, step: str):
    request = await ask(app)
    for agency in ("sodermalm-socialtjanst", CARE):
        others = await take(app, request, step, agency)
        nobodys = await take(app, NOBODYS, step, agency)
        assert others.status_code == nobodys.status_code == 404
        assert others.text.replace(request, NOBODYS) == nobodys.text
    assert await state_of(app, request) == "submitted"


@pytest.mark.parametrize("headers", [{}, {"Case-Reference": "A1"}])
async def test_without_a_purpose_not_even_the_own_inbox_is_open(app: App, headers):
    request = await ask(app)
    for agency in (POLICE, HOLDER):
        client = app.client(agency, headers=headers)
        body = (await client.get("disclosure-requests")).json()
        assert body["items"] == []
        assert body["_meta"]["totalRecords"] == 0
        assert {entry["reason"] for entry in body["_meta"]["disclosure"]["withheld"]} == {"no-purpose"}
        assert (await client.get(f"disclosure-requests/{request}")).status_code == 404
        assert (await client.get("disclosure-requests?state=submitted")).status_code == 403


async def test_words_about_persons_lie_sealed_and_the_ledger_has_none_of_them(fresh_app: App):
    app = fresh_app
    app.clock.at = moment(NOON)
    words = ("Frågan gäller Påhittad Person", "Skälet är hemligt", "Vilken period gäller frågan", "Svaret är oktober",
             "Avslaget har detta skäl")  # fmt: skip
    request = await ask(app, scope={"question": words[0]}, why=words[1])
    path = f"disclosure-requests/{request}"
    assert (await officer(app).post(f"{path}/supplement", json={"question": words[2]})).status_code == 200
    client = app.client(POLICE, headers=WHY)
    assert (await client.post(f"{path}/supplement/answer", json={"answer": words[3]})).status_code == 200
    assert (await decide(app, request, {"outcome": "refused", "reason": words[4]})).status_code == 201
    shown = (await client.get(path)).json()
    named = ("question", "why", "supplementQuestion", "supplementAnswer", "refusalReason")
    assert tuple(shown[name] for name in named) == words
    tables = await app.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for table in tables:
        text = await app.rows(f"SELECT string_agg(t::text, ' ') AS everything FROM {table['tablename']} t")
        for word in words:
            assert word not in (text[0]["everything"] or ""), table
            # Nor as the bytes that a binary column is written in.
            assert word.encode().hex() not in (text[0]["everything"] or ""), table


# --- what the law says to a request ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "purpose", "expected"),
    [
        # Health care cannot tell the police under the general rule.
        ({"holder": CARE, "provision": "osl-10-15a", "kinds": ["person-health"]}, "prevent-crime",
         [("body.kinds.person-health", "secrecy", "25 kap. 1 § OSL")]),
        # Nor does the rule about the young fit another purpose, or another holder.
        ({}, "statistics", [("body.provision", "purpose", "10 kap. 18 a § OSL")]),
        ({"holder": "stockholm-utbildning"}, "prevent-crime",
         [("body.provision", "from-sector", "10 kap. 18 a § OSL"),
          ("body.kinds.person-identity", "secrecy", "23 kap. 2 § tredje stycket OSL"),
          ("body.kinds.person-circumstance", "secrecy", "23 kap. 2 § andra stycket OSL")]),
        # Nobody asks for a report of concern, it is made.
        ({"provision": "sol-19-1"}, "protect-child",
         [("body.provision", "to-sector", "19 kap. 1 § SoL"), ("body.provision", "other", "19 kap. 1 § SoL")]),
        # Contact details are a duty, and nothing else of the same provision.
        ({"provision": "lag-2025-170-4", "kinds": ["person-contact", "person-identity"]}, "prevent-crime",
         [("body.kinds.person-identity", "kind",
           "4 § lagen (2025:170) om skyldighet att lämna uppgifter till de brottsbekämpande myndigheterna")]),
        # A committed crime below the floor is an open question, and closed.
        ({"provision": "osl-10-15a"}, "investigate-crime",
         [("body.kinds.person-identity", "open-question", "10 kap. 15 a § OSL"),
          ("body.kinds.person-circumstance", "open-question", "10 kap. 15 a § OSL")]),
    ],
)  # fmt: skip
async def test_request_that_the_law_cannot_open_is_told_what_lacks(app: App, changes, purpose, expected):
    answer = await post(app, body=asked(**changes), headers=WHY | {"Purpose": purpose})
    assert sorted(lacks(answer)) == sorted(expected)
    assert all(lack["required"] for lack in answer.json()["lacks"])


async def test_provision_before_its_time_is_no_ground(app: App):
    app.clock.at = moment("2025-11-30T22:59:59Z")
    try:
        answer = await post(app, body=asked(provision="osl-10-15a"))
        assert lacks(answer) == [("body.provision", "in-force", "10 kap. 15 a § OSL")]
        # In Sweden it is the first of December.
        app.clock.at = moment("2025-11-30T23:00:00Z")
        assert (await post(app, body=asked(provision="osl-10-15a"))).status_code == 201
    finally:
        app.clock.at = moment(NOON)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"provision": "osl-99-1"}, "body.provision"),
        ({"holder": "okand-myndighet"}, "body.holder"),
        ({"holder": POLICE}, "body.holder"),
        ({"scope": {}}, "body.scope"),
        ({"scope": {"scene": NOBODYS}}, "body.scope.scene"),
    ],
)
async def test_what_all_agencies_know_to_be_wrong_is_refused(app: App, changes, where):
    assert wrong(await post(app, body=asked(**changes))) == [where]


@pytest.mark.parametrize(
    "changes",
    [{"kinds": []}, {"kinds": ["criminal-record"]}, {"why": ""}, {"items": [NOBODYS]}, {"provision": "OSL 10:15 a"},
     {"scope": {"individual": NOBODYS}}, {"holder": "Polisen"}],
)  # fmt: skip
async def test_request_follows_the_schema_which_has_no_place_for_a_row(app: App, changes):
    assert (await post(app, body=asked(**changes))).status_code == 422


async def test_text_that_was_written_on_windows_is_taken_and_keeps_its_lines(app: App):
    request = await ask(app, scope={"question": "En rad.\r\nEn till."}, why="Skäl:\r\n- ett\r\n")
    shown = (await app.client(POLICE, headers=WHY).get(f"disclosure-requests/{request}")).json()
    assert (shown["question"], shown["why"]) == ("En rad.\nEn till.", "Skäl:\n- ett\n")


async def test_general_exit_can_be_asked_for(app: App):
    body = asked(holder=CARE, provision="osl-10-1", kinds=["person-health"])
    assert (await post(app, body=body)).status_code == 201


# --- who may ask ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["Purpose", "Case-Reference"])
async def test_request_says_what_it_is_for_and_in_which_case(app: App, missing):
    answer = await post(app, headers={name: value for name, value in WHY.items() if name != missing})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["where"] == f"header.{missing}"


async def test_request_needs_scope_purpose_and_an_authority(app: App):
    assert (await post(app, scopes=["read", "disclosure:decide"])).status_code == 403
    assert (await post(app, purposes=["statistics"])).json()["type"] == "urn:samsyn:problem:purpose-not-allowed"
    private = await post(app, OWNER)
    assert private.status_code == 403
    assert "private" in private.json()["detail"]
    assert (await app.client(headers=WHY).post("disclosure-requests", json=asked())).status_code == 401


@pytest.mark.parametrize(
    ("step", "scope"),
    [("supplement", "disclosure:decide"), ("supplement/answer", "disclosure:request"),
     ("withdrawal", "disclosure:request"), ("decision", "disclosure:decide")],
)  # fmt: skip
async def test_each_step_needs_its_scope(app: App, step, scope):
    request = await ask(app)
    every = {"read", "disclosure:request", "disclosure:decide", "write:mappings"}
    for agency in (POLICE, HOLDER):
        answer = await take(app, request, step, agency, scopes=every - {scope})
        assert answer.status_code == 403
        assert f'scope="{scope}"' in answer.headers["WWW-Authenticate"]
    assert await state_of(app, request) == "submitted"


@pytest.mark.parametrize(
    ("step", "others"), [("supplement", POLICE), ("supplement/answer", HOLDER), ("withdrawal", HOLDER),
                         ("decision", POLICE)],
)  # fmt: skip
async def test_step_of_one_party_is_not_the_others(app: App, step, others):
    request = await ask(app)
    if step == "supplement/answer":
        await take(app, request, "supplement", HOLDER)
    before = await state_of(app, request)
    assert (await take(app, request, step, others)).status_code == 403
    assert await state_of(app, request) == before


async def test_machine_neither_decides_nor_asks_for_a_supplement(app: App):
    request = await ask(app)
    for step in ("decision", "supplement"):
        client = app.client(HOLDER, headers=WHY)
        answer = await client.post(f"disclosure-requests/{request}/{step}", json=BODIES[step])
        assert answer.status_code == 403
        assert "for persons with a role" in answer.json()["detail"]
    assert await state_of(app, request) == "submitted"
