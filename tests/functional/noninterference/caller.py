"""X: who asks in one case, under which purpose; and what X could possibly see of what is secret to others.

What X could see is said here without asking the code under test. Where the two could differ, more is held to be
visible than is: what stays, X may not see under any reading of the law.
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from api.identity.caller import SCOPES
from api.protection.sealing import Sealer
from policies.catalogue import law
from tests.functional.noninterference.rows import Rows
from tests.support import App

Row = Mapping[str, Any]
_HOLD_MOST = ("police", "social-services", "municipal-safety", "public-transport")


@dataclass(frozen=True)
class Caller:
    """`agency` is None for one who holds no valid token of a registered agency: such a caller sees no row at all."""

    agency: str | None
    sector: str | None
    purpose: str | None
    case: str | None
    legal_basis: str | None
    headers: tuple[tuple[str, str], ...]
    now: datetime
    sealer: Sealer

    def __str__(self) -> str:
        shown = [f"{name}: {value}" for name, value in self.headers if name != "Authorization"]
        return f"{self.agency or 'nobody'} {shown}"

    @property
    def client(self) -> str:
        return f"{self.agency}-development"

    @property
    def sees_persons(self) -> bool:
        """Whether anything about individuals can be open: else not even X's own rows are."""
        return self.agency is not None and self.purpose is not None and self.case is not None

    @property
    def sees_police_work(self) -> bool:
        return self.sector == "police" and self.purpose is not None

    def narrowed(self, name: str) -> "Caller":
        """The same caller, not saying one of the things that could open something."""
        return replace(self, headers=tuple(header for header in self.headers if header[0] != name))

    def is_party(self, row: Row) -> bool:
        """Whether a request or a decision is X's own: such a one X knows of, whatever has become of it."""
        return self.agency is not None and self.agency in map(row.get, ("holder", "recipient", "requester"))

    def lives(self, decision: Row) -> bool:
        """Whether a decision could open something to X here."""
        if self.agency is None:
            return False
        return (
            decision["recipient"] == self.agency
            and decision["purpose"] == self.purpose
            and decision["revoked_at"] is None
            and datetime.fromisoformat(decision["valid_from"]) <= self.now
            and datetime.fromisoformat(decision["valid_until"]) > self.now
            and (decision["resource"] != "individual" or self.sees_persons)
        )

    def opened(self, rows: Rows, resource: str) -> dict[str, frozenset[str]]:
        """The ids that decisions could open to X, each with the fields that some decision names for it."""
        fields: dict[str, frozenset[str]] = {}
        for decision in rows["disclosure_decisions"].values():
            if decision["resource"] == resource and decision["recipient"] == self.agency and self.lives(decision):
                for item in rows["disclosure_decision_items"].values():
                    if item["decision_id"] == decision["id"]:
                        known = fields.get(item["item_id"], frozenset())
                        fields[item["item_id"]] = known | frozenset(decision["fields"])
        return fields


def some_caller(rng: random.Random, app: App, rows: Rows, among: Collection[str] = ()) -> Caller:
    """A random X: mostly a registered agency that says why it asks, sometimes less, sometimes nobody.

    `among` narrows the choice to these agencies, where it names any.
    """
    agencies = rows["agencies"]
    if among:
        agency = rng.choice(sorted(among))
        sector = agencies[agency,]["sector"]
    else:
        sector = rng.choice([*sorted({agency["sector"] for agency in agencies.values()}), *_HOLD_MOST])
        agency = rng.choice(sorted(slug for (slug,), row in agencies.items() if row["sector"] == sector))
    purpose = rng.choice(_purposes_for(rows, agency)) if rng.random() < 0.8 else None
    held = {purpose} if purpose and rng.random() < 0.9 else set()
    held |= {name for name in law().purposes if rng.random() < 0.5 and name != purpose}
    scopes = SCOPES if rng.random() < 0.9 else frozenset(rng.sample(sorted(SCOPES), 5))
    case = "A123.456/2026" if rng.random() < 0.8 else None
    basis = rng.choice(sorted(law().provisions)) if rng.random() < 0.2 else None
    said = (("Purpose", purpose), ("Case-Reference", case), ("Legal-Basis", basis))
    headers = [(name, value) for name, value in said if value is not None]
    known = rng.random() > 0.06
    if known:
        token = app.token(agency, purposes=sorted(held), scopes=sorted(scopes), person=rng.random() < 0.3)
        headers.append(("Authorization", f"Bearer {token}"))
    elif rng.random() < 0.5:
        headers.append(("Authorization", f"Bearer {app.token('okand-myndighet')}"))
    return Caller(
        agency if known else None,
        sector if known else None,
        purpose if purpose in held else None,
        case,
        basis,
        tuple(headers),
        app.clock(),
        app.services.sealer,
    )


def _purposes_for(rows: Rows, agency: str) -> list[str]:
    """Every purpose, and those for which the agency holds a decision as often as all the others together."""
    decided = [row["purpose"] for row in rows["disclosure_decisions"].values() if row["recipient"] == agency]
    return list(law().purposes) + sorted(decided)
