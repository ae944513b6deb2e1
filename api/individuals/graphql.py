"""Individuals over GraphQL: reached through their mapping only."""

from datetime import date

import strawberry


@strawberry.type(description="A person tied to a mapping, as one agency recorded it")
class Individual:
    """Every field is null where it is withheld; a row nobody may know of is not there at all."""

    id: strawberry.ID | None
    mapping: strawberry.ID | None
    holder: str | None
    role: str | None
    name: str | None
    identity_number: str | None
    birth_date: date | None
    sex: str | None
    contact: str | None
    substances: list[str] | None
    circumstances: str | None
    observed_on: date | None
    basis: str | None
