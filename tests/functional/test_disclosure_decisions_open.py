"""What a decision opens, to whom and for how long: what it names and no more."""

import uuid

import pytest
import pytest_asyncio

from api.requests.decisions.schemas import DecisionOut
from tests.functional.disclosure_support import (
    CARE,
    HOLDER,
    NOBODYS,
    NOON,
    NOTES,
    OWNER,
    POLICE,
    SEVENTEEN,
    WHY,
    ask,
    decide,
    grant,
    granted,
    initiative,
    lacks,
    new_mapping,
    notes_for,
    officer,
    own_initiative,
    record,
    revoke,
    shown,
    shown_under,
    wrong,
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


CONSENT = notes_for("osl-10-1")


# --- what a decision opens ------------------------------------------------------------------------------------------


async def test_grant_opens_the_fields_and_rows_it_names_and_no_more(app: App):
    mapping = await new_mapping(app)
    named, other = await record(app, mapping), await record(app, mapping)
    answer = await decide(app, await ask(app), grant(named))
    assert answer.status_code == 201, answer.text
    decision = answer.json()["decision"]
    assert answer.headers["location"].endswith(f"/disclosure-decisions/{decision}")
    (seen,) = await shown(app, mapping)
    assert (seen["name"], seen["birthDate"], seen["role"]) == ("Påhittad Person (fiktiv)", SEVENTEEN, "sells")
    assert not {"identityNumber", "contact", "substances", "circumstances", "observedOn"} & set(seen)
    assert seen["id"] not in (named, other)
    # A row recorded afterwards, of the same person even, is not in it.
    await record(app, mapping)
    assert len(await shown(app, mapping)) == 1
    assert await shown(app, mapping, "tullverket") == []
    assert await shown(app, mapping, POLICE, **(WHY | {"Purpose": "protect-child"})) == []


async def test_all_of_a_kind_is_a_grant_and_less_is_one_in_part_with_reason_paragraph_and_appeal(app: App, mapping):
    one = await record(app, mapping)
    whole = {"fields": ["name", "identityNumber", "birthDate", "sex"]}
    request = await ask(app, kinds=["person-identity"])
    answer = (await decide(app, request, grant(one, **whole, reason="Behövs inte (påhittat)."))).json()
    assert (answer["state"], answer["refusalCitation"], answer["refusalReason"]) == ("granted", None, None)
    request = await ask(app, kinds=["person-identity", "person-circumstance"])
    answer = (await decide(app, request, grant(one, **whole, reason="Resten hålls inne (påhittat)."))).json()
    assert answer["state"] == "partly-granted"
    assert answer["refusalReason"] == "Resten hålls inne (påhittat)."
    assert answer["refusalCitation"] == "26 kap. 1 § OSL"
    assert answer["refusalAppeal"]["citation"] == "6 kap. 7 § andra stycket OSL"


async def test_recipient_knows_rows_by_aliases_of_its_own_and_never_by_their_ids(app: App):
    mapping = await new_mapping(app)
    one, two = await record(app, mapping), await record(app, mapping)
    first = await granted(app, one, two)
    second = await granted(app, one)
    customs = (await own_initiative(app, initiative(one, recipient="tullverket"))).json()["id"]
    aliases = {}
    for decision, recipient in ((first, POLICE), (second, POLICE), (customs, "tullverket")):
        own = (await officer(app).get(f"disclosure-decisions/{decision}")).json()
        theirs = await app.client(recipient, headers=WHY).get(f"disclosure-decisions/{decision}")
        aliases[decision] = {item["id"]: item["alias"] for item in own["items"]}
        assert theirs.json()["items"] == [{"id": alias} for alias in sorted(aliases[decision].values())]
        listed = await app.client(recipient, headers=WHY).get("disclosure-decisions?limit=100")
        rows = await app.client(recipient, headers=WHY).get(f"mappings/{mapping}/individuals")
        for internal in (one, two):
            assert internal not in theirs.text + listed.text + rows.text
        assert {row["id"] for row in rows.json()["items"]} >= set(aliases[decision].values())
    # The same row has the same alias towards the same recipient, and another towards another one.
    assert aliases[first][one] == aliases[second][one]
    assert aliases[first][one] != aliases[customs][one]
    assert set(aliases[first]) == {one, two}


async def test_officers_own_words_are_the_holders_alone(app: App, mapping):
    decision = await granted(app, await record(app, mapping))
    own = (await officer(app).get(f"disclosure-decisions/{decision}")).json()
    said = DecisionOut.model_validate(own).model_dump(mode="json", exclude_none=True)
    assert set(said) == {name for name, value in own.items() if value is not None}
    assert {note["id"]: note["text"] for note in own["attestations"]} == NOTES
    theirs = await app.client(POLICE, headers=WHY).get(f"disclosure-decisions/{decision}")
    assert theirs.json()["attestations"] == [{"id": name} for name in sorted(NOTES)]
    assert "påhittat" not in theirs.text
    assert theirs.json()["decidedByRole"] == "beslutsfattare"
    assert "handläggare-1" not in theirs.text


async def test_third_agency_sees_no_trace_of_a_decision(app: App, mapping):
    decision = await granted(app, await record(app, mapping))
    for agency in ("sodermalm-socialtjanst", CARE, OWNER):
        client = app.client(agency, headers=WHY)
        assert decision not in (await client.get("disclosure-decisions?limit=100")).text
        seen = await client.get(f"disclosure-decisions/{decision}")
        nobodys = await client.get(f"disclosure-decisions/{NOBODYS}")
        assert seen.status_code == nobodys.status_code == 404
        assert canonical(seen.json()).replace(decision, NOBODYS) == canonical(nobodys.json())
    for agency in ("sodermalm-socialtjanst", CARE):
        others, nobodys = await revoke(app, decision, agency), await revoke(app, NOBODYS, agency)
        assert others.status_code == nobodys.status_code == 404
        assert others.text.replace(decision, NOBODYS) == nobodys.text


async def test_decision_keeps_what_the_second_wall_and_an_auditor_need(app: App, mapping):
    one = await record(app, mapping)
    decision = await granted(app, one)
    (row,) = await app.rows("SELECT * FROM disclosure_decisions WHERE id = $1", uuid.UUID(decision))
    kept = {name: row[name] for name in ("age_below", "age_from", "decided_by", "decided_by_role", "case_reference")}
    assert kept == {"age_below": 21, "age_from": None, "decided_by": "handläggare-1",
                    "decided_by_role": "beslutsfattare", "case_reference": WHY["Case-Reference"]}  # fmt: skip
    assert row["decided_at"] == row["valid_from"] == moment(NOON)
    assert row["request_id"] is not None
    (item,) = await app.rows("SELECT * FROM disclosure_decision_items WHERE decision_id = $1", row["id"])
    assert item["item_id"] == uuid.UUID(one)
    assert item["alias"] != item["item_id"]
    assert len(item["pseudonym"]) == 25


async def test_pseudonym_is_the_same_for_a_person_and_another_towards_another_recipient(app: App):
    mapping = await new_mapping(app)
    one, same = await record(app, mapping), await record(app, mapping)
    other = await record(app, mapping, identityNumber=None)
    await granted(app, one, other)
    await granted(app, same)
    await own_initiative(app, initiative(one, recipient="tullverket"))
    rows = await app.rows(
        "SELECT i.item_id, d.recipient, i.pseudonym FROM disclosure_decision_items i"
        " JOIN disclosure_decisions d ON d.id = i.decision_id WHERE i.item_id = ANY($1)",
        [uuid.UUID(item) for item in (one, same, other)],
    )
    known = {(str(row["item_id"]), row["recipient"]): row["pseudonym"] for row in rows}
    assert known[one, POLICE] == known[same, POLICE]
    assert len({known[one, POLICE], known[other, POLICE], known[one, "tullverket"]}) == 3


async def test_protected_identity_is_found_by_nothing_that_its_provision_does_not_open(app: App):
    mapping = await new_mapping(app)
    one = await record(app, mapping, protectedIdentity=True)
    where = ("name", "observedOn", "mapping")
    answer = await own_initiative(app, initiative(one, fields=list(where)))
    assert lacks(answer) == [
        ("body.items[0].observedOn", "secrecy", "21 kap. 3 § OSL"),
        ("body.items[0].mapping", "secrecy", "21 kap. 3 § OSL"),
    ]
    decision = (await own_initiative(app, initiative(one, fields=["name"]))).json()["id"]
    assert await shown(app, mapping) == []
    (seen,) = await shown_under(app, decision)
    assert seen["name"] == "Påhittad Person (fiktiv)"
    assert seen.get("mapping") is None
    # With consent the place can be told too, where it is said.
    open_all = initiative(one, provision="osl-10-1", fields=list(where), attestations=CONSENT)
    assert (await own_initiative(app, open_all)).status_code == 201
    assert [row["mapping"] for row in await shown(app, mapping)] == [mapping]


# --- how a decision ends --------------------------------------------------------------------------------------------


async def test_revocation_bites_on_the_very_next_read(app: App):
    mapping = await new_mapping(app)
    decision = await granted(app, await record(app, mapping))
    assert len(await shown(app, mapping)) == 1
    answer = await revoke(app, decision, query="?reason=Fel+person")
    assert answer.status_code == 200
    assert answer.json()["state"] == "revoked"
    assert await shown(app, mapping) == []
    assert await shown_under(app, decision) == []
    for agency in (POLICE, HOLDER):
        one = (await app.client(agency, headers=WHY).get(f"disclosure-decisions/{decision}")).json()
        assert (one["state"], one["revokeReason"], one["revokedByRole"]) == ("revoked", "Fel person", "beslutsfattare")
    assert wrong(await revoke(app, decision)) == ["decision.state"]


async def test_recipient_cannot_revoke_and_no_purpose_or_reason_holds_a_revocation_up(app: App, mapping):
    decision = await granted(app, await record(app, mapping))
    assert (await revoke(app, decision, POLICE)).status_code == 403
    assert (await app.client(HOLDER, headers=WHY).delete(f"disclosure-decisions/{decision}")).status_code == 403
    assert (await revoke(app, decision, headers={"Accept": "application/json"})).status_code == 200


async def test_decision_expires_by_the_clock_and_can_then_not_be_revoked(app: App, clock):
    mapping = await new_mapping(app)
    decision = await granted(app, await record(app, mapping), validUntil="2026-11-21")

    async def state():
        return (await officer(app).get(f"disclosure-decisions/{decision}")).json()["state"]

    clock.at = moment("2026-11-21T22:59:59Z")
    assert len(await shown(app, mapping)) == 1
    assert await state() == "live"
    clock.at = moment("2026-11-21T23:00:00Z")
    assert await shown(app, mapping) == []
    assert await state() == "expired"
    assert wrong(await revoke(app, decision)) == ["decision.state"]


async def test_row_vanishes_at_swedish_midnight_of_the_21st_birthday(app: App, clock):
    mapping = await new_mapping(app)
    ripe = await record(app, mapping, birthDate="2006-01-15", name="Fyller 21 (fiktiv)")
    young = await record(app, mapping, name="Fyller inte (fiktiv)")
    await granted(app, ripe, young, validUntil="2027-06-30")

    async def names():
        return sorted(row["name"] for row in await shown(app, mapping))

    clock.at = moment("2027-01-14T22:59:59Z")
    assert await names() == ["Fyller 21 (fiktiv)", "Fyller inte (fiktiv)"]
    clock.at = moment("2027-01-14T23:00:00Z")
    assert await names() == ["Fyller inte (fiktiv)"]


async def test_recipient_that_turns_private_is_shown_nothing_more(fresh_app: App):
    app = fresh_app
    app.clock.at = moment(NOON)
    mapping = await new_mapping(app)
    decision = await granted(app, await record(app, mapping))
    request = await ask(app)
    await app.execute("UPDATE agencies SET sector = 'private' WHERE slug = $1", POLICE)
    app.services.agencies._read_at = None
    assert await shown(app, mapping) == []
    assert await shown_under(app, decision) == []
    # What it asked for before can be refused, and not granted.
    one = await record(app, mapping)
    assert ("body.provision", "to-sector", "10 kap. 18 a § OSL") in lacks(await decide(app, request, grant(one)))
    refused = await decide(app, request, {"outcome": "refused", "reason": "Inte längre myndighet (påhittat)."})
    assert refused.json()["refusalAppeal"]["citation"] == "6 kap. 7 och 8 §§ OSL"


async def test_lists_of_decisions_are_filtered_by_side_and_state(fresh_app: App):
    app = fresh_app
    app.clock.at = moment(NOON)
    mapping = await new_mapping(app)
    one, polices = await record(app, mapping), await record(app, mapping, POLICE)
    live, revoked = await granted(app, one), await granted(app, one)
    expired = await granted(app, one, validUntil="2026-11-20T11:00:01Z")
    back = initiative(
        polices, recipient=HOLDER, provision="osl-10-27", fields=["name"], attestations=notes_for("osl-10-27")
    )
    made = (await own_initiative(app, back, POLICE)).json()["id"]
    await revoke(app, revoked)
    app.clock.at = moment("2026-11-20T11:00:01Z")
    client = app.client(POLICE, headers=WHY)

    async def ids(query: str) -> set[str]:
        return {row["id"] for row in (await client.get(f"disclosure-decisions{query}")).json()["items"]}

    assert await ids("?role=recipient") == {live, revoked, expired}
    assert await ids("?role=holder") == {made}
    assert await ids("?role=recipient&state=live") == {live}
    assert await ids("?state=revoked") == {revoked}
    assert await ids("?state=expired") == {expired}
    assert await ids("") == {live, revoked, expired, made}
