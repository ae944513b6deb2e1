"""Sealed columns, for differences in them and for values to ask with: what the service seals, sealed as it does."""

import uuid
from typing import Any

from api.individuals.pseudonyms import person_key
from api.protection.sealing import Sealer
from tests.functional.noninterference.rows import Row

# The column of each sealed field of a person, by the name in the contract.
FIELDS = {"identityNumber": "identity_number", "contact": "contact"}


def columns_of(sealer: Sealer, row: Row, person: dict[str, Any]) -> dict[str, Any]:
    """What of a person as an agency would send it stands sealed in the row, as JSON shows bytes."""
    number = person["identityNumber"]
    known = None if number is None else person_key(sealer.pseudonym_key, row["holder"], number)
    columns: dict[str, Any] = {"person_key": _bytes(known)}
    for field, column in FIELDS.items():
        value = person[field]
        columns[f"{column}_sealed"] = _bytes(None if value is None else sealer.seal(row["id"], field, value))
    return columns


def with_plain(sealer: Sealer, row: Row) -> Row:
    """The row of a person with its sealed texts beside it in plain, as one who knows the person would guess them."""
    if "contact_sealed" not in row:
        return row
    plain = {}
    for field, column in FIELDS.items():
        sealed = row[f"{column}_sealed"]
        plain[column] = None if sealed is None else sealer.open(row["id"], field, bytes.fromhex(sealed[2:]))
    return {**row, **plain}


def another_id(sealer: Sealer, row: Row, identity: uuid.UUID | str) -> Row:
    """The very image of a row under another id, to which its texts are then bound."""
    plain = with_plain(sealer, row)
    person = {field: plain[column] for field, column in FIELDS.items()}
    new = {**row, "id": str(identity)}
    return new | columns_of(sealer, new, person)


def _bytes(value: bytes | None) -> str | None:
    return None if value is None else f"\\x{value.hex()}"
