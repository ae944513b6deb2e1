"""What tests about one's own part of the ledger share: two agencies, a person, and answers between them."""

from typing import Any

from tests.functional.individuals_support import HOLDER, PERSON, RECIPIENT, WHY, decide, new_mapping, read, record
from tests.support import App

STRANGER = "botkyrka-trygghet"
OTHER_HOLDER = "sodermalm-socialtjanst"
SUPERVISION = {"Purpose": "supervision", "Case-Reference": "T1/2026"}

__all__ = [
    "HOLDER", "OTHER_HOLDER", "PERSON", "RECIPIENT", "STRANGER", "SUPERVISION", "WHY", "Shared", "decide", "entries",
    "extract", "new_mapping", "one", "read", "receipt_of", "record", "shared",
]  # fmt: skip


class Shared:
    """A person of the holder's, disclosed to the recipient under a decision, and one answer about it."""

    def __init__(self, mapping: str, item: str, decision: str, receipt: str, alias: str) -> None:
        self.mapping, self.item, self.decision, self.receipt, self.alias = mapping, item, decision, receipt, alias


async def shared(app: App, **changes: Any) -> Shared:
    mapping = await new_mapping(app)
    item = await record(app, mapping, **changes)
    decision = await decide(app, [item])
    answer = (await read(app, mapping, RECIPIENT)).json()
    assert [one["name"] for one in answer["items"]] == [PERSON["name"]]
    return Shared(mapping, item, str(decision), receipt_of(answer), answer["items"][0]["id"])


def receipt_of(body: dict[str, Any]) -> str:
    return body["_meta"]["disclosure"]["receipt"]


async def entries(app: App, agency: str, status: int = 200, headers: dict[str, str] | None = None, **query: Any) -> Any:
    client = app.client(agency, headers=SUPERVISION if headers is None else headers)
    answer = await client.get("ledger/entries", params={"limit": 100} | query)
    assert answer.status_code == status, answer.text
    return answer.json()["items"] if status == 200 else answer.json()


async def one(app: App, agency: str, receipt: str, headers: dict[str, str] | None = None, **claims: Any) -> Any:
    return await app.client(agency, headers=SUPERVISION if headers is None else headers, **claims).get(
        f"receipts/{receipt}"
    )


async def extract(
    app: App, agency: str, individual: str, accept: str = "application/json", headers: Any = None, **query: Any
) -> Any:
    sent = {"Accept": accept} | (SUPERVISION if headers is None else headers)
    return await app.client(agency, headers=sent, person=True).get(
        "ledger/extracts", params={"individual": individual} | query
    )
