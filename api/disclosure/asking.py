"""Who asks, for which agency and why: everything about the caller that a decision or a receipt needs."""

from dataclasses import dataclass

from api.identity.caller import Caller
from policies.model import Holder


@dataclass(frozen=True, slots=True)
class AgencyRef:
    """A registered agency as the gate knows it. The sector comes from the register, never from the token.

    `equated`: an authority only through OSL 2:3, which acts outside OSL do not reach.
    """

    slug: str
    sector: str
    municipality: str | None = None
    district: str | None = None
    equated: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """One authenticated request. `holders` are the sectors whose agencies may hold rows about individuals."""

    caller: Caller
    agency: AgencyRef
    holders: tuple[Holder, ...]
    purpose: str | None = None
    legal_basis: str | None = None
    case_reference: str | None = None
