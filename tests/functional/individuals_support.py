"""What tests about individuals share: a fictional person, ways to record and read one, decisions past the service."""

import json
import uuid

from tests.support import App, moment

HOLDER = "skarholmen-socialtjanst"
RECIPIENT = "polismyndigheten"
PERSON = {
    "role": "sells",
    "name": "Påhittad Person (fiktiv)",
    "identityNumber": "19121212-1212",
    "birthDate": "2008-06-15",
    "sex": "female",
    "contact": "070-174 06 05 (fiktivt)",
    "substances": ["cannabis"],
    "circumstances": "Påhittade omständigheter.",
    "observedOn": "2025-10-02",
    "basis": "assessment",
    "protectedIdentity": False,
}
SHIELDED = "191010101010"
WHY = {"Purpose": "prevent-crime", "Case-Reference": "A123.456/2026"}
# What goes with every row that may be known of at all.
KEYS = {"id", "mapping", "holder", "protectedIdentity"}
FIELDS = KEYS | set(PERSON) | {"pseudonym"}


async def new_mapping(app: App) -> str:
    scene = await app.new_scene()
    body = {"mappedOn": "2025-10-05", "physicalPlace": "Torg.", "use": "Genomgång."}
    answer = await app.client("polismyndigheten").post(f"scenes/{scene['id']}/mappings", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def record(app: App, mapping: str, agency: str = HOLDER, **changes) -> str:
    # Protected identity is the person's, so it is another person's than that of the other rows.
    number = {"identityNumber": SHIELDED} if changes.get("protectedIdentity") else {}
    answer = await app.client(agency).post(f"mappings/{mapping}/individuals", json=PERSON | number | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def read(app: App, mapping: str, agency: str, query: str = "", **headers: str):
    return await app.client(agency, headers=headers or WHY).get(f"mappings/{mapping}/individuals{query}")


async def disclosed(app: App, decision: object, agency: str = RECIPIENT, query: str = "", **headers: str):
    client = app.client(agency, headers=headers or WHY)
    return await client.get(f"disclosure-decisions/{decision}/individuals{query}")


async def leaves(app: App) -> list[dict]:
    """What each leaf tells the agency that acted, in order."""
    rows = await app.rows(
        "SELECT p.entry, l.receipt FROM ledger_leaves l JOIN ledger_parts p USING (leaf_index)"
        " WHERE p.role = 'receiver' ORDER BY leaf_index"
    )
    return [json.loads(row["entry"]) | {"receipt": str(row["receipt"])} for row in rows]


def alias_of(recipient: str, item: object) -> str:
    """The alias under which `decide` discloses a row: one for each recipient, as the service draws them."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{recipient} {item}"))


async def decide(app: App, items: list[str], **changes) -> uuid.UUID:
    """Record a live decision as the holder's officer would."""
    decision = {
        "holder": HOLDER,
        "recipient": RECIPIENT,
        "provision": "osl-10-18a",
        "purpose": "prevent-crime",
        "fields": ["name", "birthDate"],
        "valid_from": moment("2026-01-01T00:00:00Z"),
        "valid_until": moment("2031-01-01T00:00:00Z"),
        "revoked_at": None,
    } | changes
    identity = uuid.uuid4()
    await app.execute(
        "INSERT INTO disclosure_decisions (id, holder, recipient, provision, purpose, resource, fields, attestations,"
        " decided_by, valid_from, valid_until, revoked_at)"
        " VALUES ($1, $2, $3, $4, $5, 'individual', $6, '{}', 'handläggare-1', $7, $8, $9)",
        identity,
        *decision.values(),
    )
    for item in items:
        await app.execute(
            "INSERT INTO disclosure_decision_items (decision_id, item_id, alias, pseudonym) VALUES ($1, $2, $3, $4)",
            identity,
            uuid.UUID(item),
            uuid.UUID(alias_of(decision["recipient"], item)),
            f"pseudonym {decision['recipient']}",
        )
    return identity
