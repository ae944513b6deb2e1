"""What becomes of a request: what its parties see, and each step they take, once and never unlogged."""

import json
import uuid

import pytest
import pytest_asyncio

from api.requests.schemas import RequestDetail
from tests.functional.disclosure_support import (
    BODIES,
    CARE,
    HOLDER,
    NOON,
    POLICE,
    STEPS,
    WHY,
    ask,
    asked,
    decide,
    grant,
    graphql,
    new_mapping,
    officer,
    parts_about,
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


# --- the parties' view ----------------------------------------------------------------------------------------------


async def test_both_parties_see_the_request_whole(app: App):
    request = await ask(app)
    expected = {
        "id": request,
        "requester": POLICE,
        "holder": HOLDER,
        "purpose": "prevent-crime",
        "provision": "osl-10-18a",
        "duty": False,
        "caseReference": "A123.456/2026",
        "scene": None,
        "question": asked()["scope"]["question"],
        "kinds": ["person-identity", "person-circumstance"],
        "why": asked()["why"],
        "state": "submitted",
    }
    for agency in (POLICE, HOLDER):
        answer = await app.client(agency, headers=WHY).get(f"disclosure-requests/{request}")
        assert answer.headers["cache-control"] == "private, no-store"
        assert "etag" not in answer.headers
        assert {name: answer.json()[name] for name in expected} == expected
        said = RequestDetail.model_validate(answer.json()).model_dump(mode="json", exclude_none=True)
        assert set(said) == {name for name, value in answer.json().items() if value is not None}
        listed = (await app.client(agency, headers=WHY).get("disclosure-requests?limit=100")).json()["items"]
        assert next(one for one in listed if one["id"] == request)["question"] == expected["question"]


async def test_checklist_is_the_laws_own_and_the_same_for_both(app: App):
    request = await ask(app)
    views = [
        (await app.client(agency, headers=WHY).get(f"disclosure-requests/{request}")).json()["checklist"]
        for agency in (POLICE, HOLDER)
    ]
    assert views[0] == views[1]
    identity = views[0][0]
    assert identity["kind"] == "person-identity"
    assert identity["status"] == "available"
    assert identity["duty"] is False
    assert identity["conditions"] == [{"condition": "subject-age", "required": "under 21"}]
    assert [one["id"] for one in identity["attestations"]] == [
        "concrete-risk-of-crime", "not-unsuitable-for-interventions", "not-about-committed-crime",
        "data-protection-check", "receiver-secrecy",
    ]  # fmt: skip
    english = app.client(HOLDER, headers=WHY | {"Accept-Language": "en"})
    shown = (await english.get(f"disclosure-requests/{request}")).json()["checklist"]
    assert shown[0]["attestations"][0]["text"].startswith("Concrete circumstances")


async def test_checklist_goes_when_there_is_nothing_left_to_decide(app: App):
    request = await ask(app)
    await take(app, request, "withdrawal", POLICE)
    assert (await officer(app).get(f"disclosure-requests/{request}")).json()["checklist"] == []


async def test_list_is_filtered_by_state_and_side_and_paged_newest_first(fresh_app: App):
    app = fresh_app
    made = []
    for nth in range(5):
        app.clock.at = moment(f"2026-11-20T11:0{nth}:00Z")
        made.append(await ask(app))
    # The other way: the social services ask the police.
    back = await ask(
        app, HOLDER, headers=WHY | {"Purpose": "protect-child"}, holder=POLICE, provision="osl-10-27",
        kinds=["person-identity"],
    )  # fmt: skip
    await take(app, made[0], "withdrawal", POLICE)
    client = app.client(POLICE, headers=WHY)

    async def ids(query: str) -> list[str]:
        return [one["id"] for one in (await client.get(f"disclosure-requests{query}")).json()["items"]]

    assert await ids("?role=requester") == made[::-1]
    assert await ids("?role=holder") == [back]
    assert set(await ids("")) == {*made, back}
    assert await ids("?state=withdrawn") == [made[0]]
    assert await ids("?role=requester&state=submitted") == made[:0:-1]
    assert await ids("?role=requester&limit=2&page=2") == [made[2], made[1]]
    assert await ids("?role=requester&sort=createdAt") == made
    counted = (await client.get("disclosure-requests?role=requester&limit=2")).json()["_meta"]
    assert (counted["totalRecords"], counted["count"]) == (5, 2)
    assert (await client.get("disclosure-requests?state=forgotten")).status_code == 422
    assert (await client.get("disclosure-requests?individual=x")).status_code == 400


# --- steps ----------------------------------------------------------------------------------------------------------


async def test_supplement_is_asked_for_and_given_and_then_it_is_decided(app: App):
    request = await ask(app)
    first = await take(app, request, "supplement", HOLDER)
    assert first.status_code == 200
    assert first.json()["state"] == "supplement-requested"
    assert first.json()["supplementQuestion"] == BODIES["supplement"]["question"]
    # Neither decided nor asked again while the other is to answer.
    assert wrong(await take(app, request, "decision", HOLDER)) == ["request.state"]
    assert wrong(await take(app, request, "supplement", HOLDER)) == ["request.state"]
    given = await take(app, request, "supplement/answer", POLICE)
    assert given.json()["state"] == "submitted"
    assert given.json()["supplementAnswer"] == BODIES["supplement/answer"]["answer"]
    assert wrong(await take(app, request, "supplement/answer", POLICE)) == ["request.state"]
    # A second question takes the place of the first, and its answer with it.
    second = await take(app, request, "supplement", HOLDER)
    assert second.json()["supplementAnswer"] is None
    await take(app, request, "supplement/answer", POLICE)
    assert (await take(app, request, "decision", HOLDER)).json()["state"] == "refused"


async def test_duty_is_answered_and_never_parked(app: App):
    request = await ask(app, provision="lag-2025-170-4", kinds=["person-contact"])
    shown = (await officer(app).get(f"disclosure-requests/{request}")).json()
    assert shown["duty"] is True
    assert shown["checklist"][0]["duty"] is True
    parked = await take(app, request, "supplement", HOLDER)
    assert wrong(parked) == ["request.duty"]
    assert "never parked" in parked.json()["detail"]
    assert await state_of(app, request) == "submitted"
    assert (await take(app, request, "decision", HOLDER)).json()["state"] == "refused"


@pytest.mark.parametrize("parked", [False, True])
async def test_withdrawn_request_can_be_neither_decided_nor_taken_up_again(app: App, parked):
    request = await ask(app)
    if parked:
        await take(app, request, "supplement", HOLDER)
    answer = await take(app, request, "withdrawal", POLICE)
    assert answer.status_code == 200
    assert answer.json()["state"] == "withdrawn"
    for step in STEPS:
        agency = HOLDER if step in ("supplement", "decision") else POLICE
        assert wrong(await take(app, request, step, agency)) == ["request.state"], step
    assert await state_of(app, request) == "withdrawn"


async def test_decided_request_can_be_neither_withdrawn_nor_decided_again(app: App):
    mapping = await new_mapping(app)
    one = await record(app, mapping)
    for body in (BODIES["decision"], grant(one)):
        request = await ask(app)
        assert (await decide(app, request, body)).status_code == 201
        before = await state_of(app, request)
        for step in STEPS:
            agency = HOLDER if step in ("supplement", "decision") else POLICE
            assert wrong(await take(app, request, step, agency)) == ["request.state"], step
        assert wrong(await decide(app, request, grant(one))) == ["request.state"]
        assert await state_of(app, request) == before


async def test_refusal_says_reason_paragraph_and_appeal(app: App):
    request = await ask(app)
    answer = await take(app, request, "decision", HOLDER)
    assert answer.status_code == 201
    assert answer.headers["location"].endswith(f"/disclosure-requests/{request}")
    shown = (await app.client(POLICE, headers=WHY).get(f"disclosure-requests/{request}")).json()
    assert shown["state"] == "refused"
    assert shown["decision"] is None
    assert shown["refusalReason"] == BODIES["decision"]["reason"]
    assert shown["refusalCitation"] == "26 kap. 1 § OSL"
    assert shown["refusalAppeal"]["citation"] == "6 kap. 7 § andra stycket OSL"
    assert "kammarrätten" in shown["refusalAppeal"]["sv"]
    assert shown["decidedByRole"] == "beslutsfattare"


async def test_refusal_between_state_authorities_is_appealed_to_the_government(app: App):
    request = await ask(app, holder="kriminalvarden", provision="osl-10-15a", kinds=["person-identity"])
    shown = (await decide(app, request, BODIES["decision"], "kriminalvarden")).json()
    assert shown["refusalAppeal"]["citation"] == "6 kap. 7 § andra stycket och 8 § fjärde stycket OSL"
    assert "regeringen" in shown["refusalAppeal"]["sv"]


async def test_refusal_is_the_same_whether_or_not_there_is_anything(app: App):
    def told(answer):
        body = answer.json()
        return {name: value for name, value in body.items() if name not in ("id", "_links", "_meta")}

    mapping = await new_mapping(app)
    empty = await decide(app, await ask(app, holder="sodermalm-socialtjanst"), BODIES["decision"],
                         "sodermalm-socialtjanst")  # fmt: skip
    await record(app, mapping, "sodermalm-socialtjanst")
    held = await decide(app, await ask(app, holder="sodermalm-socialtjanst"), BODIES["decision"],
                        "sodermalm-socialtjanst")  # fmt: skip
    assert told(empty) == told(held)


# --- once, and never unlogged ---------------------------------------------------------------------------------------


async def test_same_key_asks_once_and_another_body_under_it_is_refused(app: App):
    headers = WHY | {"Idempotency-Key": f'"{uuid.uuid4()}"'}
    first, again = [await post(app, headers=headers) for _ in range(2)]
    assert first.json()["id"] == again.json()["id"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await post(app, headers=headers, body=asked(why="Annat (påhittat)."))).status_code == 422


@pytest.mark.parametrize("step", STEPS)
async def test_same_key_takes_a_step_once(app: App, step):
    request = await ask(app)
    if step == "supplement/answer":
        await take(app, request, "supplement", HOLDER)
    agency = HOLDER if step in ("supplement", "decision") else POLICE
    headers = WHY | {"Idempotency-Key": f'"{uuid.uuid4()}"'}
    first, again = [await take(app, request, step, agency, headers=headers) for _ in range(2)]
    assert first.status_code == again.status_code < 300
    assert again.headers["Idempotency-Replayed"] == "true"
    assert canonical(first.json()) == canonical(again.json())
    assert first.headers.get("location") == again.headers.get("location")


async def test_each_step_leaves_a_leaf_with_a_part_for_each_party(app: App):
    request = await ask(app)
    await take(app, request, "supplement", HOLDER)
    await take(app, request, "supplement/answer", POLICE)
    await take(app, request, "decision", HOLDER)
    parts = await parts_about(app, "request", request)
    kinds = ["disclosure-request", "supplement-request", "supplement-answer", "disclosure-refusal"]
    assert [(part["agency"], part["role"], part["entry"]["kind"]) for part in parts] == [
        (agency, role, kind) for kind in kinds for agency, role in ((POLICE, "receiver"), (HOLDER, "giver"))
    ]
    for agency, entry in ((part["agency"], part["entry"]) for part in parts):
        assert entry["purpose"] == "prevent-crime"
        assert entry["legalBasis"] == "osl-10-18a"
        assert entry["caseReference"] == "A123.456/2026"
        # Who acted stands with its own agency; the other one is told the role.
        acting = POLICE if entry["kind"] in ("disclosure-request", "supplement-answer") else HOLDER
        assert ("subject" in entry) == (agency == acting)
        assert "påhittat" not in json.dumps(entry, ensure_ascii=False)


@pytest.mark.parametrize("step", ["request", *STEPS])
async def test_without_the_ledger_nothing_is_asked_and_nothing_decided(fresh_app: App, step):
    app = fresh_app
    app.clock.at = moment(NOON)
    request = await ask(app)
    if step == "supplement/answer":
        await take(app, request, "supplement", HOLDER)
    before = await app.rows("SELECT * FROM disclosure_requests")
    await app.execute("ALTER TABLE ledger_leaves RENAME TO away")
    agency = HOLDER if step in ("supplement", "decision") else POLICE
    answer = await (post(app) if step == "request" else take(app, request, step, agency))
    assert answer.status_code == 503, answer.text
    await app.execute("ALTER TABLE away RENAME TO ledger_leaves")
    assert await app.rows("SELECT * FROM disclosure_requests") == before


# --- GraphQL --------------------------------------------------------------------------------------------------------


ASK = "mutation($r: DisclosureRequestInput!) { requestDisclosure(request: $r) { id location replayed } }"
READ = "query($id: ID!) { disclosureRequest(id: $id) { id holder question state } }"


async def test_request_is_made_and_read_over_graphql_too(app: App):
    police = app.client(POLICE, headers=WHY)
    made = (await graphql(police, ASK, r=asked()))["data"]["requestDisclosure"]
    assert made["location"].endswith(f"/disclosure-requests/{made['id']}")
    expected = {"id": made["id"], "holder": HOLDER, "question": asked()["scope"]["question"], "state": "submitted"}
    for agency in (POLICE, HOLDER):
        read = await graphql(app.client(agency, headers=WHY), READ, id=made["id"])
        assert read["data"]["disclosureRequest"] == expected
    assert (await graphql(app.client(CARE, headers=WHY), READ, id=made["id"]))["data"]["disclosureRequest"] is None
    query = '{ disclosureRequests(role: "requester", limit: 1) { items { id } totalRecords } }'
    listed = (await graphql(police, query))["data"]["disclosureRequests"]
    assert listed["items"] == [{"id": made["id"]}] or listed["totalRecords"] > 1


async def test_steps_over_graphql_keep_the_rules_of_rest(app: App):
    request = await ask(app)
    supplement = 'mutation($id: ID!) { askSupplement(id: $id, question: "När? (påhittat)") { id location } }'
    machine = await graphql(app.client(HOLDER, headers=WHY), supplement, id=request)
    assert machine["errors"][0]["extensions"]["problem"]["status"] == 403
    assert (await graphql(officer(app), supplement, id=request))["data"]["askSupplement"]["id"] == request
    answer = 'mutation($id: ID!) { answerSupplement(id: $id, answer: "I oktober (påhittat).") { id } }'
    assert "errors" not in await graphql(app.client(POLICE, headers=WHY), answer, id=request)
    withdraw = "mutation($id: ID!) { withdrawDisclosureRequest(id: $id) { id replayed } }"
    headers = WHY | {"Idempotency-Key": f'"{uuid.uuid4()}"'}
    for replayed in (False, True):
        taken = await graphql(app.client(POLICE, headers=headers), withdraw, id=request)
        assert taken["data"]["withdrawDisclosureRequest"] == {"id": request, "replayed": replayed}
    assert await state_of(app, request) == "withdrawn"
    lost = await graphql(app.client(POLICE, headers=WHY), withdraw, id=request)
    assert lost["errors"][0]["extensions"]["problem"]["status"] == 409
    odd = await graphql(app.client(POLICE, headers=WHY), withdraw, id="x")
    assert odd["errors"][0]["extensions"]["problem"]["status"] == 422
