"""What an endpoint is given: the service's parts, and who asks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request

from api.agencies.service import AgencyRegister
from api.disclosure.asking import Asking
from api.disclosure.gate import Gate
from api.errors import Fault, Problem
from api.identity.tokens import TokenVerifier
from api.ledger.cosigning import Cosigning
from api.ledger.parts import Part
from api.ledger.proving import Checkpoints
from api.ledger.service import Ledger
from api.protection.sealing import Sealer
from api.settings import Settings
from api.store.database import Database
from policies.catalogue import law as shipped_law
from policies.model import Law

_LAW = shipped_law()
PurposeHeader = Annotated[
    str | None,
    Header(
        alias="Purpose",
        description="Why the caller asks (ändamål). Needed for protected fields; must be among the token's purposes.",
        json_schema_extra={"enum": list(_LAW.purposes), "example": "prevent-crime"},
    ),
]
LegalBasisHeader = Annotated[
    str | None,
    Header(
        alias="Legal-Basis",
        description="Try this provision only.",
        json_schema_extra={"enum": list(_LAW.provisions), "example": "osl-10-15a"},
    ),
]
CaseReferenceHeader = Annotated[
    str | None,
    Header(
        alias="Case-Reference",
        description="The caller's own case number (diarienummer). Needed for individual-level data.",
        min_length=1,
        max_length=100,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./:_-]*$",
        json_schema_extra={"example": "A123.456/2026"},
    ),
]


@dataclass(frozen=True, slots=True)
class Services:
    """Every part of the service, made once in `app.create_app`. Time and ids come from here."""

    settings: Settings
    law: Law
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    database: Database
    ledger: Ledger
    checkpoints: Checkpoints
    cosigning: Cosigning
    gate: Gate
    sealer: Sealer
    agencies: AgencyRegister
    verifier: TokenVerifier


def services(request: Request) -> Services:
    """The parts of the service that a request runs in."""
    return request.app.state.services  # type: ignore[no-any-return]


async def _services(request: Request) -> Services:
    # FastAPI sends a dependency that is no coroutine through a thread, which costs more than most reads.
    return services(request)


async def asking(
    request: Request,
    purpose: PurposeHeader = None,
    legal_basis: LegalBasisHeader = None,
    case_reference: CaseReferenceHeader = None,
) -> Asking:
    """Authenticate the caller and read why it asks. Raises `Problem` 401, 403 or 422."""
    parts = services(request)
    caller = await parts.verifier.verify(request.headers.get("Authorization"))
    agency = await parts.agencies.find(caller.agency)
    if agency is None:
        raise Problem("forbidden", "the token's agency is not registered here; ask the county board to register it")
    _known("header.Purpose", purpose, parts.law.purposes)
    _known("header.Legal-Basis", legal_basis, parts.law.provisions)
    who = Asking(caller, agency, parts.agencies.holders_for(agency), purpose, legal_basis, case_reference)
    if purpose is not None and purpose not in caller.purposes:
        receipt = await parts.ledger.append([Part(agency.slug, "receiver", _refused_purpose(who, parts))])
        raise Problem(
            "purpose-not-allowed",
            f"the token does not hold the purpose `{purpose}`",
            faults=[
                Fault("header.Purpose", "not among the token's purposes", "ask the issuer for it, or leave it out")
            ],
            extra={"receipt": receipt},
        )
    if request.method in {"GET", "HEAD"}:
        caller.require("read")
    return who


def _known(where: str, value: str | None, allowed: object) -> None:
    names = list(allowed)  # type: ignore[call-overload]
    if value is not None and value not in names:
        raise Problem(
            "invalid",
            f"{where}: is not one of the allowed values",
            faults=[Fault(where, "is not one of the allowed values", f"one of {', '.join(names)}")],
        )


def _refused_purpose(who: Asking, parts: Services) -> dict[str, object]:
    """The leaf of a request that claimed a purpose its client may not claim."""
    return {
        "kind": "refusal",
        "agency": who.agency.slug,
        "client": who.caller.client_id,
        "subject": who.caller.subject,
        "purpose": who.purpose,
        "policyVersion": parts.law.version,
        "asOf": parts.gate.today().isoformat(),
        "resources": [{"reason": "purpose-not-allowed"}],
    }


AskingDependency = Annotated[Asking, Depends(asking)]
ServicesDependency = Annotated[Services, Depends(_services)]
