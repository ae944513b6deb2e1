"""What tests of requests and decisions share: rows of several holders, and steps with sensible defaults."""

import json
from typing import Any

from policies.catalogue import law
from tests.support import App

LAW = law()
HOLDER, POLICE = "skarholmen-socialtjanst", "polismyndigheten"
CARE, OWNER = "region-stockholm-vard", "centrumagaren"
SHIELDED = "191010101010"
WHY = {"Purpose": "prevent-crime", "Case-Reference": "A123.456/2026"}
SEVENTEEN, TWENTY_TWO = "2009-05-04", "2004-05-04"
PERSON = {
    "role": "sells",
    "name": "Påhittad Person (fiktiv)",
    "identityNumber": "19121212-1212",
    "birthDate": SEVENTEEN,
    "sex": "female",
    "contact": "070-174 06 05 (fiktivt)",
    "substances": ["cannabis"],
    "circumstances": "Påhittade omständigheter.",
    "observedOn": "2025-10-02",
    "basis": "assessment",
}
NOTES = {
    "concrete-risk-of-crime": "Upprepade iakttagelser (påhittat).",
    "not-unsuitable-for-interventions": "Ingen pågående insats (påhittat).",
    "not-about-committed-crime": "Gäller framtida risk (påhittat).",
    "data-protection-check": "Nödvändigt och proportionerligt (påhittat).",
    "receiver-secrecy": "35 kap. 1 § OSL hos mottagaren (påhittat).",
}
NOBODYS = "00000000-0000-4000-8000-000000000001"
# The clock of these tests: noon of a day on which the law of the project is known.
NOON = "2026-11-20T11:00:00Z"


async def new_mapping(app: App) -> str:
    scene = await app.new_scene()
    body = {"mappedOn": "2025-10-05", "physicalPlace": "Torg.", "use": "Genomgång."}
    answer = await app.client(POLICE).post(f"scenes/{scene['id']}/mappings", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def record(app: App, mapping: str, agency: str = HOLDER, **changes: Any) -> str:
    # Protected identity is the person's, so it is another person's than that of the other rows.
    number = {"identityNumber": SHIELDED} if changes.get("protectedIdentity") else {}
    answer = await app.client(agency).post(f"mappings/{mapping}/individuals", json=PERSON | number | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def officer(app: App, agency: str = HOLDER, **claims: Any) -> Any:
    """A person with a role at an agency."""
    return app.client(agency, headers=claims.pop("headers", WHY), person=True, **claims)


def asked(**changes: Any) -> dict[str, Any]:
    body = {
        "holder": HOLDER,
        "provision": "osl-10-18a",
        "scope": {"question": "Vilka unga under 21 är kända på platsen? (påhittat)"},
        "kinds": ["person-identity", "person-circumstance"],
        "why": "Förebyggande samtal (påhittat).",
    }
    return body | changes


async def ask(app: App, agency: str = POLICE, *, headers: dict[str, str] | None = None, **changes: Any) -> str:
    answer = await app.client(agency, headers=headers or WHY).post("disclosure-requests", json=asked(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def grant(*items: str, **changes: Any) -> dict[str, Any]:
    body = {
        "outcome": "granted",
        "items": list(items),
        "fields": ["name", "birthDate", "role"],
        "validUntil": "2026-12-31",
        "attestations": NOTES,
    }
    return body | changes


def initiative(*items: str, **changes: Any) -> dict[str, Any]:
    body = {name: value for name, value in grant(*items).items() if name != "outcome"}
    return body | {"recipient": POLICE, "provision": "osl-10-18a", "purpose": "prevent-crime"} | changes


async def decide(app: App, request: str, body: dict[str, Any], agency: str = HOLDER, **claims: Any) -> Any:
    return await officer(app, agency, **claims).post(f"disclosure-requests/{request}/decision", json=body)


async def granted(app: App, *items: str, **changes: Any) -> str:
    """The id of a decision that the police asked for and got."""
    answer = await decide(app, await ask(app), grant(*items, **changes))
    assert answer.status_code == 201, answer.text
    return answer.json()["decision"]


async def shown(app: App, mapping: str, agency: str = POLICE, **headers: str) -> list[dict[str, Any]]:
    """The persons of a mapping that an agency is shown of what others hold."""
    answer = await app.client(agency, headers=headers or WHY).get(f"mappings/{mapping}/individuals")
    assert answer.status_code == 200, answer.text
    return [row for row in answer.json()["items"] if row["holder"] != agency]


def notes_for(provision: str) -> dict[str, str]:
    """Whatever the wording of today can demand, attested to."""
    wording = LAW.provisions[provision].wordings[-1]
    return dict.fromkeys((*wording.attestations, "data-protection-check", "receiver-secrecy"), "Ja (påhittat).")


def lacks(answer: Any) -> list[tuple[str, str, str]]:
    """Where the law stands against something, the condition and the paragraph."""
    assert answer.status_code == 409, answer.text
    return [(one["where"], one["condition"], one["citation"]) for one in answer.json().get("lacks", [])]


def wrong(answer: Any) -> list[str]:
    """The places that a refusal names."""
    assert answer.status_code == 409, answer.text
    return [fault["where"] for fault in answer.json()["errors"]]


async def own_initiative(app: App, body: dict[str, Any], agency: str = HOLDER, **claims: Any) -> Any:
    return await officer(app, agency, **claims).post("disclosure-decisions", json=body)


async def revoke(app: App, decision: str, agency: str = HOLDER, query: str = "", **claims: Any) -> Any:
    return await officer(app, agency, **claims).delete(f"disclosure-decisions/{decision}{query}")


async def shown_under(app: App, decision: str, agency: str = POLICE) -> list[dict[str, Any]]:
    """The persons that a decision shows to an agency."""
    answer = await app.client(agency, headers=WHY).get(f"disclosure-decisions/{decision}/individuals")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def counted(app: App) -> tuple[int, int]:
    """How many decisions are stored, and how many rows they name."""
    (row,) = await app.rows(
        "SELECT (SELECT count(*) FROM disclosure_decisions) AS made, (SELECT count(*) FROM disclosure_decision_items)"
        " AS named"
    )
    return row["made"], row["named"]


async def parts_about(app: App, what: str, identity: str) -> list[dict[str, Any]]:
    """The parts of leaves whose entry names a request or a decision, in their order, each leaf's by agency."""
    rows = await app.rows("SELECT agency, role, entry, items FROM ledger_parts ORDER BY leaf_index, agency")
    told = [dict(row) | {"entry": json.loads(row["entry"])} for row in rows if row["entry"]]
    return [part for part in told if part["entry"].get(what) == identity]


async def graphql(client: Any, query: str, **variables: Any) -> dict[str, Any]:
    answer = await client.post("graphql", json={"query": query, "variables": variables})
    assert answer.status_code == 200, answer.text
    return answer.json()


STEPS = ("supplement", "supplement/answer", "withdrawal", "decision")
BODIES = {
    "supplement": {"question": "Vilken period? (påhittat)"},
    "supplement/answer": {"answer": "Oktober (påhittat)."},
    "withdrawal": None,
    "decision": {"outcome": "refused", "reason": "Sekretess (påhittat)."},
}


async def post(app: App, agency: str = POLICE, body: Any = None, headers: Any = None, **claims: Any) -> Any:
    client = app.client(agency, headers=WHY if headers is None else headers, **claims)
    return await client.post("disclosure-requests", json=asked() if body is None else body)


async def take(app: App, request: str, step: str, agency: str, **claims: Any) -> Any:
    client = officer(app, agency, **claims)
    return await client.post(f"disclosure-requests/{request}/{step}", json=BODIES[step])


async def state_of(app: App, request: str) -> str:
    return (await officer(app).get(f"disclosure-requests/{request}")).json()["state"]
