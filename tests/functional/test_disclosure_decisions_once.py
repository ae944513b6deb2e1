"""Decisions are made once, by one officer, and never unlogged; over GraphQL too."""

import asyncio
import json
import uuid

import pytest
import pytest_asyncio

from tests.functional.disclosure_support import (
    HOLDER,
    NOBODYS,
    NOON,
    NOTES,
    POLICE,
    WHY,
    ask,
    counted,
    decide,
    grant,
    granted,
    graphql,
    initiative,
    new_mapping,
    officer,
    own_initiative,
    parts_about,
    record,
    revoke,
    shown,
)
from tests.support import App, canonical, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def noon(app: App):
    app.clock.at = moment(NOON)


@pytest.fixture
def clock(app: App):
    """The clock of the module, to be set and set back."""
    yield app.clock
    app.clock.at = moment(NOON)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mapping(app: App):
    return await new_mapping(app)


# --- two at once, once, and never unlogged --------------------------------------------------------------------------


@pytest.mark.parametrize("second", ["grant", "refusal", "withdrawal"])
async def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told(app: App, mapping, second):
    one = await record(app, mapping)
    for _ in range(5):
        request = await ask(app)
        path = f"disclosure-requests/{request}"
        other = {
            "grant": lambda: decide(app, request, grant(one)),  # noqa: B023 - asked within the round
            "refusal": lambda: decide(app, request, {"outcome": "refused", "reason": "Nej (påhittat)."}),  # noqa: B023
            "withdrawal": lambda: app.client(POLICE, headers=WHY).post(f"{path}/withdrawal"),  # noqa: B023
        }[second]
        answers = await asyncio.gather(decide(app, request, grant(one)), other())
        assert sorted(answer.status_code for answer in answers) in ([200, 409], [201, 409])
        stored = await app.rows("SELECT id FROM disclosure_decisions WHERE request_id = $1", uuid.UUID(request))
        assert len(stored) == (answers[0].status_code == 201 or (second == "grant" and answers[1].status_code == 201))


async def test_of_two_who_revoke_at_once_one_is_told_that_it_is_done(app: App, mapping):
    decision = await granted(app, await record(app, mapping))
    answers = await asyncio.gather(revoke(app, decision), revoke(app, decision))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_row_named_by_two_decisions_at_once_has_one_alias(app: App, mapping):
    for _ in range(5):
        one = await record(app, mapping)
        answers = await asyncio.gather(*(own_initiative(app, initiative(one)) for _ in range(4)))
        assert {answer.status_code for answer in answers} == {201}
        aliases = {answer.json()["items"][0]["alias"] for answer in answers}
        assert len(aliases) == 1


@pytest.mark.parametrize("body", ["grant", "refusal", "own"])
async def test_same_key_decides_once(app: App, mapping, body):
    one, request = await record(app, mapping), await ask(app)
    headers = WHY | {"Idempotency-Key": f'"{uuid.uuid4()}"'}

    async def make():
        if body == "own":
            return await own_initiative(app, initiative(one), headers=headers)
        sent = grant(one) if body == "grant" else {"outcome": "refused", "reason": "Nej (påhittat)."}
        return await decide(app, request, sent, headers=headers)

    before = await counted(app)
    first, again = await make(), await make()
    assert first.status_code == again.status_code == 201
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.headers["location"] == again.headers["location"]
    assert canonical(first.json()) == canonical(again.json())
    made, named = await counted(app)
    assert (made - before[0], named - before[1]) == ((0, 0) if body == "refusal" else (1, 1))


async def test_decision_and_revocation_leave_a_leaf_with_a_part_for_each_party(app: App, mapping):
    one = await record(app, mapping)
    decision = await granted(app, one)
    alias = (await officer(app).get(f"disclosure-decisions/{decision}")).json()["items"][0]["alias"]
    await revoke(app, decision)
    parts = await parts_about(app, "decision", decision)
    assert [(part["agency"], part["role"], part["entry"]["kind"]) for part in parts] == [
        (POLICE, "receiver", "disclosure-decision"),
        (HOLDER, "giver", "disclosure-decision"),
        (POLICE, "receiver", "disclosure-revocation"),
        (HOLDER, "giver", "disclosure-revocation"),
    ]
    for part in parts:
        known, hidden = (alias, one) if part["role"] == "receiver" else (one, alias)
        text = json.dumps(part["entry"], ensure_ascii=False)
        assert known in text
        assert hidden not in text
        assert [str(item) for item in part["items"]] == [known]
        assert part["entry"]["legalBasis"] == "osl-10-18a"
        assert "påhittat" not in text
        assert "Påhittad" not in text
    assert parts[0]["entry"]["attestations"] == sorted(NOTES)
    assert parts[0]["entry"]["fields"] == ["name", "birthDate", "role"]


@pytest.mark.parametrize("step", ["grant", "own initiative", "revocation"])
async def test_without_the_ledger_nothing_is_granted_and_nothing_revoked(fresh_app: App, step):
    app = fresh_app
    app.clock.at = moment(NOON)
    mapping = await new_mapping(app)
    one = await record(app, mapping)
    decision, request = await granted(app, one), await ask(app)
    tables = ("disclosure_requests", "disclosure_decisions", "disclosure_decision_items")
    before = [await app.rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables]
    await app.execute("ALTER TABLE ledger_leaves RENAME TO away")
    answer = {
        "grant": lambda: decide(app, request, grant(one)),
        "own initiative": lambda: own_initiative(app, initiative(one)),
        "revocation": lambda: revoke(app, decision),
    }[step]
    assert (await answer()).status_code == 503
    await app.execute("ALTER TABLE away RENAME TO ledger_leaves")
    assert [await app.rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables] == before


# --- GraphQL --------------------------------------------------------------------------------------------------------


def noted(body):
    """A body of REST as an input object."""
    return body | {"attestations": [{"id": name, "text": text} for name, text in body["attestations"].items()]}


DECIDE = "mutation($id: ID!, $d: DisclosureDecisionInput!) { decideDisclosure(id: $id, decision: $d) { id location } }"
OWN = "mutation($d: OwnInitiativeInput!) { discloseOnOwnInitiative(decision: $d) { id location } }"
REVOKE = 'mutation($id: ID!) { revokeDisclosure(id: $id, reason: "Fel person") { id } }'
READ = "query($id: ID!) { disclosureDecision(id: $id) { id request state items attestations } }"


async def test_decisions_over_graphql_keep_the_rules_of_rest(app: App):
    mapping = await new_mapping(app)
    one, request = await record(app, mapping), await ask(app)
    machine = await graphql(app.client(HOLDER, headers=WHY), DECIDE, id=request, d=noted(grant(one)))
    assert machine["errors"][0]["extensions"]["problem"]["status"] == 403
    short = await graphql(officer(app), DECIDE, id=request, d=noted(grant(one, attestations={})))
    assert short["errors"][0]["extensions"]["problem"]["status"] == 409
    made = (await graphql(officer(app), DECIDE, id=request, d=noted(grant(one))))["data"]["decideDisclosure"]
    assert made["location"].endswith(f"/disclosure-decisions/{made['id']}")
    assert len(await shown(app, mapping)) == 1
    theirs = (await graphql(app.client(POLICE, headers=WHY), READ, id=made["id"]))["data"]["disclosureDecision"]
    assert (theirs["id"], theirs["request"], theirs["state"]) == (made["id"], request, "live")
    assert one not in json.dumps(theirs)
    assert "text" not in theirs["attestations"][0]
    assert "errors" not in await graphql(officer(app), REVOKE, id=made["id"])
    assert await shown(app, mapping) == []
    again = await graphql(officer(app), REVOKE, id=made["id"])
    assert again["errors"][0]["extensions"]["problem"]["status"] == 409


async def test_refusal_over_graphql_names_the_request(app: App):
    request = await ask(app)
    refused = {"outcome": "refused", "reason": "Nej (påhittat)."}
    made = (await graphql(officer(app), DECIDE, id=request, d=refused))["data"]["decideDisclosure"]
    assert made["id"] == request
    assert made["location"].endswith(f"/disclosure-requests/{request}")


async def test_own_initiative_over_graphql(app: App, mapping):
    one = await record(app, mapping)
    made = (await graphql(officer(app), OWN, d=noted(initiative(one))))["data"]["discloseOnOwnInitiative"]
    listed = await graphql(
        app.client(POLICE, headers=WHY), '{ disclosureDecisions(role: "recipient", limit: 100) { items { id } } }'
    )
    assert made["id"] in [row["id"] for row in listed["data"]["disclosureDecisions"]["items"]]
    foreign = await graphql(officer(app), OWN, d=noted(initiative(NOBODYS)))
    assert foreign["errors"][0]["extensions"]["problem"]["errors"][0]["where"] == "body.items[0]"
