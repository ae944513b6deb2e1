"""What the ledger notes where an agency records or erases rows of its own (BDF 3:4), or makes an extract of its log."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal
from uuid import UUID

from api.disclosure.asking import Asking
from api.ledger.parts import Part

Kept = Literal["collection", "erasure", "extract"]


def keeping_part(
    asking: Asking,
    kind: Kept,
    resource: str,
    ids: Sequence[UUID],
    *,
    policy_version: str,
    today: date,
) -> Part:
    """The only part of such a leaf: what the agency did with which of its own rows, and never a value of them."""
    return kept_part(
        asking.agency.slug,
        kind,
        {resource: ids},
        client=asking.caller.client_id,
        subject=asking.caller.subject,
        role=asking.caller.role,
        purpose=asking.purpose,
        caseReference=asking.case_reference,
        policyVersion=policy_version,
        asOf=today.isoformat(),
    )


def kept_part(agency: str, kind: Kept, ids: Mapping[str, Sequence[UUID]], **said: Any) -> Part:
    """As `keeping_part`, for what no caller asks for: `said` goes into the entry as it is."""
    by_resource = {resource: {agency: [str(one) for one in own]} for resource, own in ids.items()}
    entry = {"kind": kind, "agency": agency, "items": by_resource} | said
    return Part(agency, "receiver", entry, tuple(one for own in ids.values() for one in own))
