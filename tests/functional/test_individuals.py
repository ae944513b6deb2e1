"""Individuals: own rows come whole, others' only as a decision names them, and nothing else shows that they exist."""

import json
import re
import uuid
from datetime import date, timedelta

import pytest
import pytest_asyncio

from tests.functional.individuals_support import (
    FIELDS,
    HOLDER,
    KEYS,
    PERSON,
    WHY,
    alias_of,
    decide,
    leaves,
    new_mapping,
    read,
    record,
)
from tests.support import App, canonical, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Columns that say something about a person; `name` only as a column of individuals.
PERSONAL = re.compile(
    r"individuals\.(name|role|sex|substances|basis|observed_on)\b|identity_number|\bcontact|circumstances|person_key"
    r"|\bpseudonym\b"
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mapping(app: App):
    return await new_mapping(app)


@pytest.mark.parametrize("agency", [HOLDER, "polismyndigheten", "region-stockholm-vard", "tullverket"])
async def test_own_record_comes_whole(app: App, agency: str):
    mapping = await new_mapping(app)
    made = await record(app, mapping, agency)
    answer = await read(app, mapping, agency)
    assert answer.status_code == 200
    items = answer.json()["items"]
    expected = PERSON | {"id": made, "mapping": mapping, "holder": agency, "identityNumber": "191212121212"}
    expected |= {"pseudonym": None}
    assert items == [expected]
    assert answer.headers["cache-control"] == "private, no-store"
    one = (await app.client(agency, headers=WHY).get(f"mappings/{mapping}/individuals/{made}")).json()
    assert {name: one[name] for name in FIELDS} == expected


async def test_answer_to_a_record_repeats_nothing_about_the_person(app: App, mapping):
    client = app.client(HOLDER, headers=WHY)
    answer = await client.post(f"mappings/{mapping}/individuals", json=PERSON)
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"id", "_links"}
    location = f"http://test/samsyn/v1/mappings/{mapping}/individuals/{body['id']}"
    assert answer.headers["location"] == location
    assert body["_links"] == {"self": {"href": location, "rel": "self", "method": "GET"}}
    assert answer.headers["cache-control"] == "private, no-store"
    assert (await client.get(location)).json()["name"] == PERSON["name"]


async def test_who_records_is_kept_and_never_shown(app: App):
    mapping = await new_mapping(app)
    client = app.client(HOLDER, person=True)
    made = (await client.post(f"mappings/{mapping}/individuals", json=PERSON)).json()["id"]
    stored = await app.rows("SELECT recorded_by, holder FROM individuals WHERE id = $1", uuid.UUID(made))
    assert stored == [{"recorded_by": "handläggare-1", "holder": HOLDER}]
    assert "handläggare-1" not in (await read(app, mapping, HOLDER)).text


@pytest.mark.parametrize("headers", [{"Purpose": "prevent-crime"}, {"Case-Reference": "A1"}, {}])
async def test_without_purpose_and_case_even_own_rows_stay_withheld(app: App, headers):
    mapping = await new_mapping(app)
    await record(app, mapping, HOLDER)
    answer = await app.client(HOLDER, headers=headers).get(f"mappings/{mapping}/individuals")
    assert answer.status_code == 200
    body = answer.json()
    assert body["items"] == []
    assert body["_meta"]["totalRecords"] == 0
    disclosure = body["_meta"]["disclosure"]
    assert disclosure["released"] == []
    reason = "no-case-reference" if "Purpose" in headers else "no-purpose"
    assert {entry["reason"] for entry in disclosure["withheld"]} == {reason}
    assert disclosure["receipt"]


async def test_what_others_hold_is_withheld_with_the_paragraph(app: App):
    mapping = await new_mapping(app)
    await record(app, mapping, HOLDER)
    answer = await read(app, mapping, "polismyndigheten")
    assert answer.json()["items"] == []
    withheld = {(w["field"], w["holderSector"]): w for w in answer.json()["_meta"]["disclosure"]["withheld"]}
    of_name = withheld["name", "social-services"]
    assert of_name["secrecy"] == ["osl-26-1"]
    assert of_name["citation"] == "26 kap. 1 § OSL"
    assert of_name["reason"] == "no-decision"
    assert {"provision": "osl-10-18a", "lacks": ["decision"]} in of_name["couldOpen"]


def told(answer) -> tuple[int, dict[str, str], str]:
    headers = {name: value for name, value in answer.headers.items() if name not in {"traceparent", "date"}}
    if answer.headers.get("content-type") is None or not answer.content:
        return answer.status_code, headers, ""
    body = answer.json()
    body.pop("instance", None)
    return answer.status_code, headers, canonical(body)


async def everything_seen(app: App, mapping: str, one: str) -> list[tuple[int, dict[str, str], str]]:
    """What every sort of caller is told by every sort of read."""
    path = f"mappings/{mapping}/individuals"
    seen = []
    for agency in ("polismyndigheten", "region-stockholm-vard", "sodermalm-socialtjanst", "centrumagaren"):
        for headers in (WHY, {"Purpose": "care-and-support"}, {}):
            client = app.client(agency, headers=headers)
            queries = ("", "?page=2", "?limit=1&page=2", "?role=sells", "?role=buys", "?sort=-observedOn", "?sort=role")
            seen += [told(await client.get(path + query)) for query in queries]
            seen.append(told(await client.head(path)))
            seen.append(told(await client.get(path, headers={"If-None-Match": "*"})))
            seen.append(told(await client.get(path, headers={"If-None-Match": '"3f2a"'})))
            seen.append(told(await client.get(f"{path}/{one}")))
    return seen


async def test_answer_is_the_same_whether_or_not_another_agency_has_a_row(app: App):
    mapping = await new_mapping(app)
    await record(app, mapping, "polismyndigheten", role="buys")
    before = await everything_seen(app, mapping, str(uuid.uuid4()))
    for nth in range(25):
        role = ("sells", "buys")[nth % 2]
        one = await record(app, mapping, HOLDER, role=role, observedOn=f"2025-09-{nth + 1:02}")
    assert await everything_seen(app, mapping, one) == before
    statuses = {status for status, _, _ in before}
    assert statuses == {200, 403, 404}


async def test_own_pages_do_not_move_for_rows_of_others(app: App):
    mapping = await new_mapping(app)
    own = {await record(app, mapping, "polismyndigheten") for _ in range(5)}
    pages = "?limit=2&page={}"
    before = [canonical((await read(app, mapping, "polismyndigheten", pages.format(n))).json()) for n in (1, 2, 3)]
    for _ in range(5):
        await record(app, mapping, HOLDER)
    after = [canonical((await read(app, mapping, "polismyndigheten", pages.format(n))).json()) for n in (1, 2, 3)]
    assert after == before
    assert {item["id"] for page in after for item in json.loads(page)["items"]} == own
    assert json.loads(after[0])["_meta"]["totalRecords"] == 5


async def test_default_order_tells_nothing_but_the_random_key(app: App):
    mapping = await new_mapping(app)
    for nth in range(8):
        await record(app, mapping, HOLDER, observedOn=f"2025-09-{nth + 1:02}", name=f"Nr {nth} (fiktiv)")
    ids = [item["id"] for item in (await read(app, mapping, HOLDER)).json()["items"]]
    assert ids == sorted(ids)


async def test_own_rows_are_filtered_and_ordered(app: App):
    mapping = await new_mapping(app)
    sells = await record(app, mapping, HOLDER, role="sells", observedOn="2025-01-02")
    buys = await record(app, mapping, HOLDER, role="buys", observedOn="2025-01-01")

    async def ids(query: str) -> list[str]:
        return [item["id"] for item in (await read(app, mapping, HOLDER, query)).json()["items"]]

    assert await ids("?role=buys") == [buys]
    assert await ids("?sort=observedOn") == [buys, sells]
    assert await ids("?sort=-observedOn") == [sells, buys]


@pytest.mark.parametrize("query", ["?role=sells", "?sort=observedOn", "?sort=-role"])
@pytest.mark.parametrize("headers", [{}, {"Purpose": "prevent-crime"}])
async def test_withheld_field_cannot_be_filtered_on_or_ordered_by(app: App, mapping, query, headers):
    client = app.client(HOLDER, headers=headers)
    with app.database.recorder.recording() as statements:
        answer = await client.get(f"mappings/{mapping}/individuals{query}")
    assert answer.status_code == 403
    assert answer.json()["receipt"]
    assert not [statement for statement in statements if PERSONAL.search(statement)]


async def test_no_statement_names_a_personal_column_for_those_who_may_have_none(app: App):
    mapping = await new_mapping(app)
    one = await record(app, mapping, HOLDER)
    callers = [
        (HOLDER, {}),
        (HOLDER, {"Purpose": "prevent-crime"}),
        ("polismyndigheten", {}),
        ("centrumagaren", WHY),
        ("centrumagaren", {}),
    ]
    for agency, headers in callers:
        client = app.client(agency, headers=headers)
        with app.database.recorder.recording() as statements:
            for path in ("", "?page=2", "?role=sells", "?sort=observedOn", f"/{one}"):
                await client.get(f"mappings/{mapping}/individuals{path}")
            await client.get(f"mappings/{mapping}")
        assert any("individuals" in statement for statement in statements)
        assert not [statement for statement in statements if PERSONAL.search(statement)], (agency, headers)
    with app.database.recorder.recording() as statements:
        await read(app, mapping, HOLDER)
    assert [statement for statement in statements if PERSONAL.search(statement)]


async def test_every_read_leaves_exactly_one_leaf_even_a_refusal(app: App, mapping):
    one = await record(app, mapping, HOLDER)
    path = f"mappings/{mapping}/individuals"
    cases = [
        (HOLDER, WHY, path, "answer"),
        (HOLDER, {}, path, "answer"),
        ("centrumagaren", {}, path, "answer"),
        ("polismyndigheten", WHY, f"{path}/{one}", "answer"),
        ("polismyndigheten", {}, f"{path}/{one}", "answer"),
        (HOLDER, {}, f"{path}?role=sells", "refusal"),
        (HOLDER, {}, f"{path}?sort=role", "refusal"),
    ]
    for agency, headers, target, kind in cases:
        before = await leaves(app)
        answer = await app.client(agency, headers=headers).get(target)
        added = (await leaves(app))[len(before) :]
        assert [leaf["kind"] for leaf in added] == [kind], (agency, headers, target)
        assert added[0]["receipt"] in answer.text
        assert added[0]["agency"] == agency
    before = await leaves(app)
    client = app.client(HOLDER, headers=WHY, purposes=["statistics"])
    assert (await client.get(path)).status_code == 403
    await app.client(HOLDER, headers=WHY).head(path)
    assert [leaf["kind"] for leaf in (await leaves(app))[len(before) :]] == ["refusal", "answer"]


async def test_leaf_holds_no_value_of_a_row(app: App):
    mapping = await new_mapping(app)
    await record(app, mapping, HOLDER)
    await read(app, mapping, HOLDER)
    entry = json.dumps((await leaves(app))[-1], ensure_ascii=False)
    assert "name" in entry
    for value in ("Påhittad", "19121212", "070-174", "omständigheter"):
        assert value not in entry


async def test_without_ledger_protected_reads_stop_and_shared_ones_go_on(fresh_app: App):
    app = fresh_app
    mapping = await new_mapping(app)
    await record(app, mapping, HOLDER)
    await app.execute("ALTER TABLE ledger_leaves RENAME TO away")
    path = f"mappings/{mapping}/individuals"
    for agency, headers, target in (
        (HOLDER, WHY, path),
        (HOLDER, {}, path),
        (HOLDER, {}, f"{path}?role=sells"),
        (HOLDER, WHY, f"{path}/{uuid.uuid4()}"),
        ("polismyndigheten", WHY, f"mappings/{mapping}"),
    ):
        answer = await app.client(agency, headers=headers).get(target)
        assert answer.status_code == 503, target
        assert answer.headers["retry-after"]
        assert PERSON["name"] not in answer.text
    for target in ("scenes", f"mappings/{mapping}", "intervention-surveys"):
        assert (await app.client(HOLDER).get(target)).status_code == 200
    await app.execute("ALTER TABLE away RENAME TO ledger_leaves")
    assert (await read(app, mapping, HOLDER)).status_code == 200


# --- disclosure decisions -------------------------------------------------------------------------------------------


@pytest_asyncio.fixture(loop_scope="session")
async def decided(fresh_app: App):
    """A young person and a second one at the holder, on a day in autumn 2026, before any decision."""
    fresh_app.clock.at = moment("2026-10-20T10:00:00Z")
    mapping = await new_mapping(fresh_app)
    named, other = await record(fresh_app, mapping, HOLDER), await record(fresh_app, mapping, HOLDER, name="En annan")
    return fresh_app, mapping, named, other


async def test_decision_opens_exactly_its_fields_of_its_items(decided):
    app, mapping, named, other = decided
    decision = await decide(app, [named])
    answer = await read(app, mapping, "polismyndigheten")
    expected = {"name": PERSON["name"], "birthDate": PERSON["birthDate"]}
    alias = alias_of("polismyndigheten", named)
    keys = {"id": alias, "mapping": mapping, "holder": HOLDER, "protectedIdentity": False}
    assert answer.json()["items"] == [expected | keys]
    assert answer.json()["_meta"]["totalRecords"] == 1
    released = [entry for entry in answer.json()["_meta"]["disclosure"]["released"] if entry.get("decision")]
    assert {entry["field"] for entry in released} == KEYS | {"name", "birthDate"}
    assert {(entry["ground"], entry["decision"]) for entry in released} == {("osl-10-18a", str(decision))}
    client = app.client("polismyndigheten", headers=WHY)
    assert (await client.get(f"mappings/{mapping}/individuals/{alias}")).json()["name"] == PERSON["name"]
    for unknown in (named, other, alias_of("polismyndigheten", other)):
        assert (await client.get(f"mappings/{mapping}/individuals/{unknown}")).status_code == 404


async def test_decision_adds_to_own_rows_without_opening_more_of_either(decided):
    app, mapping, named, _ = decided
    own = await record(app, mapping, "polismyndigheten", name="Egen (fiktiv)")
    await decide(app, [named])
    items = {item["id"]: set(item) for item in (await read(app, mapping, "polismyndigheten")).json()["items"]}
    assert items == {alias_of("polismyndigheten", named): KEYS | {"name", "birthDate"}, own: FIELDS}


@pytest.mark.parametrize("query", ["?role=sells", "?sort=observedOn", "?sort=role"])
async def test_field_that_a_decision_leaves_shut_cannot_be_filtered_on_or_ordered_by(decided, query):
    app, mapping, named, _ = decided
    await record(app, mapping, "polismyndigheten")
    assert (await read(app, mapping, "polismyndigheten", query)).status_code == 200
    await decide(app, [named])
    assert (await read(app, mapping, "polismyndigheten", query)).status_code == 403


@pytest.mark.parametrize(
    ("agency", "headers"),
    [
        ("tullverket", WHY),
        ("region-stockholm-vard", WHY),
        ("sodermalm-socialtjanst", WHY),
        ("polismyndigheten", WHY | {"Purpose": "investigate-crime"}),
        ("polismyndigheten", WHY | {"Legal-Basis": "osl-10-27"}),
        ("polismyndigheten", {"Purpose": "prevent-crime"}),
        ("polismyndigheten", {"Case-Reference": "A1"}),
    ],
)
async def test_decision_opens_nothing_for_another_agency_or_purpose(decided, agency, headers):
    app, mapping, named, _ = decided
    await decide(app, [named])
    assert (await read(app, mapping, agency, **headers)).json()["items"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"revoked_at": moment("2026-10-20T09:59:59Z")},
        {"valid_until": moment("2026-10-20T10:00:00Z")},
        {"valid_from": moment("2026-10-20T10:00:01Z")},
        {"recipient": "tullverket"},
        {"holder": "sodermalm-socialtjanst"},
        {"provision": "osl-10-15a-no-such"},
        {"purpose": "protect-child"},
        {"fields": []},
    ],
)
async def test_decision_that_is_not_live_or_not_this_one_opens_nothing_personal(decided, changes):
    app, mapping, named, _ = decided
    await decide(app, [named], **changes)
    answer = await read(app, mapping, "polismyndigheten")
    assert PERSON["name"] not in answer.text
    assert all(set(item) <= KEYS for item in answer.json()["items"])


async def test_revocation_bites_on_the_very_next_read(decided):
    app, mapping, named, _ = decided
    decision = await decide(app, [named])
    assert (await read(app, mapping, "polismyndigheten")).json()["_meta"]["count"] == 1
    await app.execute("UPDATE disclosure_decisions SET revoked_at = $2 WHERE id = $1", decision, app.clock())
    assert (await read(app, mapping, "polismyndigheten")).json()["_meta"]["count"] == 0


async def test_decision_ends_at_its_moment(decided):
    app, mapping, named, _ = decided
    until = moment("2026-10-20T12:00:00Z")
    await decide(app, [named], valid_until=until)
    counts = []
    for at in (until - timedelta(seconds=1), until):
        app.clock.at = at
        counts.append((await read(app, mapping, "polismyndigheten")).json()["_meta"]["count"])
    assert counts == [1, 0]


async def test_person_vanishes_at_the_swedish_midnight_of_the_21st_birthday(decided):
    app, mapping, named, _ = decided
    # Born on 15 June 2008; summer time, so the day of 15 June 2029 begins at 22:00 UTC on the 14th.
    await decide(app, [named])
    counts = []
    for at in ("2029-06-14T21:59:59Z", "2029-06-14T22:00:00Z"):
        app.clock.at = moment(at)
        counts.append((await read(app, mapping, "polismyndigheten")).json()["_meta"]["totalRecords"])
    assert counts == [1, 0]


async def test_person_who_is_21_or_of_unknown_age_stays_withheld(decided):
    app, mapping, _, _ = decided
    adult = await record(app, mapping, HOLDER, birthDate="2005-10-20")
    unknown = await record(app, mapping, HOLDER, birthDate=None)
    young = await record(app, mapping, HOLDER, birthDate="2005-10-21")
    await decide(app, [adult, unknown, young])
    answer = await read(app, mapping, "polismyndigheten")
    assert [item["id"] for item in answer.json()["items"]] == [alias_of("polismyndigheten", young)]


@pytest.mark.parametrize(
    ("provision", "equated", "seen"),
    [
        ("lag-2025-170-6", False, 1),
        # Open question 3: whether a company under OSL 2:3 is a municipality in 2025:170 section 6.
        ("lag-2025-170-6", True, 0),
        ("osl-10-27", True, 1),
    ],
)
async def test_decision_of_a_company_carries_only_where_osl_equates_it(decided, provision, equated, seen):
    app, mapping, _, _ = decided
    holder = "botkyrka-trygghet"
    named = await record(app, mapping, holder)
    await app.execute("UPDATE agencies SET equated = $2 WHERE slug = $1", holder, equated)
    await decide(app, [named], holder=holder, provision=provision, fields=["contact", "substances"])
    assert len((await read(app, mapping, "polismyndigheten")).json()["items"]) == seen


@pytest.mark.parametrize(("provision", "seen"), [("osl-10-15a", 1), ("lag-2025-170-5", 0)])
async def test_company_receives_by_osl_and_by_no_other_act(decided, provision, seen):
    app, mapping, _, _ = decided
    recipient, holder = "tullverket", "kriminalvarden"
    named = await record(app, mapping, holder)
    await app.execute("UPDATE agencies SET equated = true WHERE slug = $1", recipient)
    # The register is remembered for a while, so a service that starts now is asked.
    app.services.agencies._read_at = None
    await decide(app, [named], holder=holder, recipient=recipient, provision=provision, fields=["role"])
    assert len((await read(app, mapping, recipient)).json()["items"]) == seen


async def test_row_recorded_after_the_decision_is_not_in_it(decided):
    app, mapping, named, _ = decided
    await decide(app, [named])
    await record(app, mapping, HOLDER)
    assert (await read(app, mapping, "polismyndigheten")).json()["_meta"]["totalRecords"] == 1


async def test_field_that_a_decision_leaves_shut_is_in_no_statement(decided):
    app, mapping, named, _ = decided
    # A recipient that holds nothing itself would be the sharpest case; customs holds rows of its own under `own`.
    await decide(app, [named], recipient="tullverket", fields=["name"])
    with app.database.recorder.recording() as statements:
        answer = await read(app, mapping, "tullverket")
    keys = {"id": alias_of("tullverket", named), "mapping": mapping, "holder": HOLDER, "protectedIdentity": False}
    assert answer.json()["items"] == [keys | {"name": PERSON["name"]}]
    sent = next(statement for statement in statements if "individuals.name" in statement)
    # What only own rows may show stands under its own CASE, never beside what the decision opens.
    parts = sent.split("CASE WHEN")
    assert any("identity_number" in part for part in parts)
    assert all("identity_number" not in part for part in parts if "disclosure_decisions" in part.split("THEN")[0])


# --- writing --------------------------------------------------------------------------------------------------------


async def test_private_actor_records_no_individual(app: App, mapping):
    assert (await app.client("centrumagaren").post(f"mappings/{mapping}/individuals", json=PERSON)).status_code == 403


async def test_every_authority_records_its_own(app: App, mapping):
    for agency in ("skarholmen-trygghet", "stockholm-utbildning", "kriminalvarden", "lansstyrelsen-stockholm"):
        made = await record(app, mapping, agency)
        stored = await app.rows("SELECT holder FROM individuals WHERE id = $1", uuid.UUID(made))
        assert stored == [{"holder": agency}]


async def test_scope_is_needed_to_record(app: App, mapping):
    client = app.client(HOLDER, scopes=["read", "write:surveys"])
    assert (await client.post(f"mappings/{mapping}/individuals", json=PERSON)).status_code == 403


async def test_unknown_mapping_is_not_found(app: App):
    path = f"mappings/{uuid.uuid4()}/individuals"
    client = app.client(HOLDER, headers=WHY)
    assert (await client.get(path)).status_code == 404
    assert (await client.get(f"{path}/{uuid.uuid4()}")).status_code == 404
    assert (await client.post(path, json=PERSON)).status_code == 404


async def test_individual_is_found_under_its_own_mapping_only(app: App, mapping):
    made = await record(app, mapping, HOLDER)
    elsewhere = await new_mapping(app)
    client = app.client(HOLDER, headers=WHY)
    assert (await client.get(f"mappings/{elsewhere}/individuals/{made}")).status_code == 404


@pytest.mark.parametrize(
    ("changes", "status", "where"),
    [
        ({"identityNumber": "19121212-1213"}, 409, "body.identityNumber"),
        ({"identityNumber": "191213121212"}, 409, "body.identityNumber"),
        ({"observedOn": "tomorrow"}, 409, "body.observedOn"),
        ({"birthDate": "tomorrow"}, 409, "body.birthDate"),
        ({"birthDate": "2025-10-03"}, 409, "body.observedOn"),
        ({"identityNumber": "121212-1212"}, 422, "body.identityNumber"),
        ({"identityNumber": 191212121212}, 422, "body.identityNumber"),
        ({"observedOn": None}, 422, "body.observedOn"),
        ({"observedOn": 0}, 422, "body.observedOn"),
        ({"role": "watches"}, 422, "body.role"),
        ({"basis": None}, 422, "body.basis"),
        ({"holder": "polismyndigheten"}, 422, "body.holder"),
        ({"name": "x" * 201}, 422, "body.name"),
    ],
)
async def test_bad_individual_is_refused_without_repeating_it_and_nothing_is_stored(
    app: App, mapping, changes, status, where
):
    tomorrow: date = app.services.gate.today() + timedelta(days=1)
    changes = {name: tomorrow.isoformat() if value == "tomorrow" else value for name, value in changes.items()}
    before = await app.rows("SELECT count(*) AS n FROM individuals")
    answer = await app.client(HOLDER).post(f"mappings/{mapping}/individuals", json=PERSON | changes)
    assert answer.status_code == status, answer.text
    assert where in [fault["where"] for fault in answer.json()["errors"]], answer.text
    for value in ("1912", "1213", "070-174", "Påhittad", "2025-10-03", "xxxx"):
        assert value not in answer.text
    assert await app.rows("SELECT count(*) AS n FROM individuals") == before


async def test_smallest_record_is_enough(app: App, mapping):
    smallest = {"role": "present", "observedOn": "2025-10-02", "basis": "fact"}
    answer = await app.client(HOLDER).post(f"mappings/{mapping}/individuals", json=smallest)
    assert answer.status_code == 201
    one = (await app.client(HOLDER, headers=WHY).get(answer.headers["location"])).json()
    assert (one["name"], one["identityNumber"], one["sex"], one["substances"]) == (None, None, "unknown", [])
