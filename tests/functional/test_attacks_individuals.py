"""What was found by attack: ways round what is sealed, nameless or hidden about individuals."""

import asyncio
import itertools
import json
import uuid
from hashlib import sha256

import pytest

from tests.functional.disclosure_support import (
    NOON,
    POLICE,
    WHY,
    ask,
    decide,
    grant,
    initiative,
    new_mapping,
    notes_for,
    own_initiative,
    record,
)
from tests.functional.individuals_support import HOLDER, PERSON
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

RECIPIENTS = (POLICE, "tullverket")
SAME = {"identityNumber": PERSON["identityNumber"]}


def _luhn(nine: str) -> str:
    doubled = (int(digit) * (2 - nth % 2) for nth, digit in enumerate(nine))
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)


async def test_kept_fingerprint_gives_no_identity_number_away(app: App):
    mapping = await new_mapping(app)
    sent = {name: value for name, value in PERSON.items() if name != "contact"} | {
        "birthDate": "1912-12-12",
        "identityNumber": "191212121212",
    }
    answer = await app.client(HOLDER, headers={"Idempotency-Key": '"nyckel-1"'}).post(
        f"mappings/{mapping}/individuals", json=sent
    )
    assert answer.status_code == 201, answer.text
    # From here on only what the database holds in plain text is used.
    (row,) = await app.rows(
        "SELECT role, name, birth_date, sex, substances, circumstances, observed_on, basis, protected_identity"
        " FROM individuals WHERE mapping_id = $1",
        uuid.UUID(mapping),
    )
    (kept,) = await app.rows("SELECT fingerprint FROM idempotent_answers")
    known = {
        "role": row["role"],
        "name": row["name"],
        "birthDate": row["birth_date"].isoformat(),
        "sex": row["sex"],
        "substances": row["substances"],
        "circumstances": row["circumstances"],
        "observedOn": row["observed_on"].isoformat(),
        "basis": row["basis"],
        "protectedIdentity": row["protected_identity"],
    }
    day = row["birth_date"].strftime("%Y%m%d")
    path = f"POST\n/samsyn/v1/mappings/{mapping}/individuals\n"
    found = []
    for nth, hyphen in itertools.product(range(1000), ("", "-")):
        serial = f"{nth:03}"
        number = f"{day}{hyphen}{serial}{_luhn(day[2:] + serial)}"
        body = json.dumps(known | {"identityNumber": number}, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        if sha256(f"{path}{body}".encode()).digest() == kept["fingerprint"]:
            found.append(number)
    assert found == [], "2,000 guesses find the sealed number"


async def _told(app: App, agency: str) -> list[str]:
    """The aliases in the order in which the recipient's part of the decision's leaf tells them."""
    answer = await app.client(agency, headers={"Purpose": "prevent-crime"}).get(
        "ledger/entries?role=receiver&limit=100"
    )
    (entry,) = [one for one in answer.json()["items"] if one["kind"] == "disclosure-decision"]
    return entry["items"]["individual"][HOLDER]


async def test_leaf_of_a_decision_tells_each_recipient_aliases_in_an_order_of_its_own(fresh_app: App):
    fresh_app.clock.at = moment(NOON)
    mapping = await new_mapping(fresh_app)
    rows = [await record(fresh_app, mapping, name=f"Nr {nth} (fiktiv)") for nth in range(12)]
    for recipient in RECIPIENTS:
        notes = notes_for("osl-10-15a")
        body = initiative(*rows, recipient=recipient, provision="osl-10-15a", fields=["role"], attestations=notes)
        answer = await own_initiative(fresh_app, body)
        assert answer.status_code == 201, answer.text
    for recipient in RECIPIENTS:
        told = await _told(fresh_app, recipient)
        assert told == sorted(told), "the aliases stand in the order in which the officer named the rows"


async def test_scene_of_the_request_does_not_tell_where_a_protected_person_is(fresh_app: App):
    app = fresh_app
    app.clock.at = moment(NOON)
    mapping = await new_mapping(app)
    scene = (await app.client(POLICE).get(f"mappings/{mapping}")).json()["scene"]
    shielded = await record(app, mapping, protectedIdentity=True, **SAME)
    # 10 kap. 18 a § does not open 21 kap. 3 §, so the place cannot be granted.
    request = await ask(app, scope={"scene": scene, "question": "Vilka är kända på platsen? (påhittat)"})
    named = await decide(app, request, grant(shielded, fields=["name", "mapping"]))
    assert named.status_code == 409, named.text
    # Where it is not named, the recipient reads it from decision, request and scene, unless that is refused as well.
    answer = await decide(app, request, grant(shielded, fields=["name"]))
    if answer.status_code == 201:
        client = app.client(POLICE, headers=WHY)
        decision = (await client.get(f"disclosure-decisions/{answer.json()['decision']}")).json()
        shown = (await client.get(f"disclosure-decisions/{decision['id']}/individuals")).json()["items"]
        where = (await client.get(f"disclosure-requests/{decision['request']}")).json()["scene"]
        assert not (shown and shown[0]["mapping"] is None and where == scene), "the place is told by the request"


async def test_other_rows_of_a_protected_person_hide_the_place_too(fresh_app: App):
    app = fresh_app
    app.clock.at = moment(NOON)
    mapping = await new_mapping(app)
    before = await record(app, mapping)
    body = initiative(before, provision="osl-10-15a", fields=["name"], attestations=notes_for("osl-10-15a"))
    made = await own_initiative(app, body)
    assert made.status_code == 201, made.text
    # The holder learns that the person has protected identity, and says so of the same identity number.
    await record(app, mapping, protectedIdentity=True, **SAME)
    client = app.client(POLICE, headers=WHY)
    shown = (await client.get(f"disclosure-decisions/{made.json()['id']}/individuals")).json()["items"]
    assert [row["mapping"] for row in shown] in ([], [None])
    assert (await client.get(f"mappings/{mapping}/individuals")).json()["items"] == []


async def test_decision_that_tells_the_place_ends_when_the_person_is_protected(fresh_app: App):
    app = fresh_app
    app.clock.at = moment(NOON)
    mapping = await new_mapping(app)
    before = await record(app, mapping)
    made = {}
    # 10 kap. 15 a § opens 21 kap. 3 § too; 18 a § does not.
    for provision, fields in (("osl-10-18a", ["name", "mapping"]), ("osl-10-18a", ["name"]),
                              ("osl-10-15a", ["name", "mapping"])):  # fmt: skip
        body = initiative(before, provision=provision, fields=fields, attestations=notes_for(provision))
        answer = await own_initiative(app, body)
        assert answer.status_code == 201, answer.text
        made[answer.json()["id"]] = provision == "osl-10-18a" and "mapping" in fields
    await record(app, mapping, protectedIdentity=True, **SAME)
    client = app.client(POLICE, headers=WHY)
    for decision, ends in made.items():
        seen = (await client.get(f"disclosure-decisions/{decision}")).json()
        assert (seen["state"] == "revoked") is ends
        shown = (await client.get(f"disclosure-decisions/{decision}/individuals")).json()["items"]
        assert len(shown) == (0 if ends else 1)
    # The revocation is in the log of both, as any other.
    told = (await client.get("ledger/entries?role=receiver&limit=100")).json()["items"]
    assert [one["kind"] for one in told].count("disclosure-revocation") == 1


async def test_row_recorded_after_a_protected_one_is_protected_whatever_it_says(fresh_app: App):
    app = fresh_app
    mapping = await new_mapping(app)
    await record(app, mapping, protectedIdentity=True, **SAME)
    later = await record(app, mapping, protectedIdentity=False, **SAME)
    another = await record(app, mapping, protectedIdentity=False, identityNumber=None)
    own = await app.rows("SELECT id FROM individuals WHERE protected_identity")
    assert str(later) in {str(row["id"]) for row in own}
    assert str(another) not in {str(row["id"]) for row in own}


async def test_protection_holds_for_two_who_record_the_same_person_at_once(fresh_app: App):
    app = fresh_app
    mapping = await new_mapping(app)
    for _ in range(5):
        await asyncio.gather(*(record(app, mapping, protectedIdentity=nth % 2 == 0, **SAME) for nth in range(6)))
        left = await app.rows("SELECT count(*) AS number FROM individuals WHERE NOT protected_identity")
        assert left[0]["number"] == 0
        await app.execute("DELETE FROM individuals")


async def test_another_agency_s_rows_of_the_same_person_stay_as_they_are(fresh_app: App):
    app = fresh_app
    mapping = await new_mapping(app)
    await record(app, mapping)
    await record(app, mapping, POLICE, protectedIdentity=True, **SAME)
    rows = await app.rows("SELECT holder, protected_identity FROM individuals")
    assert {row["holder"]: row["protected_identity"] for row in rows} == {HOLDER: False, POLICE: True}
