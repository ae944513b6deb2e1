"""What is answered about an agency's own part of the ledger."""

from datetime import date
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from fastapi import Depends, Query
from pydantic import Field

from api.law.schemas import Purpose
from api.web.datatypes import SLUG_PATTERN, Out, StrictDate, StrictDateTime
from api.web.documents import PageOf, Single
from api.web.query import check_order

_RECEIPT = "7d444840-9dc0-41d1-b245-5ffdce74fad2"
_HASH: dict[str, Any] = {"example": "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="}
_RESOURCES: list[Any] = [{"resource": "individual", "released": [["name", "osl-10-18a", _RECEIPT]]}]
Role = Literal["giver", "receiver"]
Filters = tuple[tuple[str, Any], ...]


class Days(NamedTuple):
    """The Swedish days that an answer is limited to, both of them in it; None where it is open."""

    start: date | None = None
    end: date | None = None

    def filters(self) -> Filters:
        """The days as filters of a selection."""
        return tuple((name, day) for name, day in (("from", self.start), ("to", self.end)) if day is not None)


def days_between(start: date | None, end: date | None, *, place: str = "query") -> Days:
    """The days from one to another. Raises `Problem` 422 where they end before they begin."""
    check_order(start, end, place=place)
    return Days(start, end)


async def _days(
    start: Annotated[
        StrictDate | None,
        Query(alias="from", description="From this Swedish day, not after `to` / Från denna dag, inte efter `to`"),
    ] = None,
    to: Annotated[StrictDate | None, Query(description="Through this Swedish day / Till och med denna dag")] = None,
) -> Days:
    return days_between(start, to)


DaysQuery = Annotated[Days, Depends(_days)]
"""Parameter type of what can be limited to days: `from` and `to`."""


async def _entry_filters(
    days: DaysQuery,
    role: Annotated[Role | None, Query(description="What the own agency was / Vad den egna myndigheten var")] = None,
    purpose: Annotated[Purpose | None, Query(description="What the answer was for / Svarets ändamål")] = None,
    individual: Annotated[
        UUID | None, Query(description="A row, as the own agency knows it / En rad, som den egna myndigheten ser den")
    ] = None,
    recipient: Annotated[
        str | None,
        Query(description="Who received: a slug / Mottagarens kortnamn", pattern=SLUG_PATTERN, max_length=64),
    ] = None,
) -> Filters:
    given = {"role": role, "purpose": purpose, "individual": individual, "recipient": recipient}
    return (*((name, value) for name, value in given.items() if value is not None), *days.filters())


EntryQuery = Annotated[Filters, Depends(_entry_filters)]
"""Parameter type of the list of entries: its filters."""


class LedgerEntryOut(Single):
    """One's own part of a leaf (*anteckning i liggaren*). A giver sees what was given of its own, no more.

    `subject` is who read or acted, as its own agency's token says. `items` are ids of rows as the own agency knows
    them. Where the part is `erased` (*gallrad*) only receipt, time and role are left.
    """

    receipt: UUID | None = Field(default=None, json_schema_extra={"example": _RECEIPT})
    at: StrictDateTime | None = Field(default=None, json_schema_extra={"example": "2026-11-20T11:00:00.123456+00:00"})
    role: Role | None = None
    kind: str | None = Field(default=None, json_schema_extra={"example": "answer"})
    recipient: str | None = Field(default=None, json_schema_extra={"example": "polismyndigheten"})
    client: str | None = Field(default=None, json_schema_extra={"example": "polismyndigheten-system"})
    subject: str | None = Field(default=None, json_schema_extra={"example": "handläggare-1"})
    subject_role: str | None = None
    purpose: str | None = Field(default=None, json_schema_extra={"example": "prevent-crime"})
    legal_basis: str | None = Field(default=None, json_schema_extra={"example": "osl-10-18a"})
    case_reference: str | None = Field(default=None, json_schema_extra={"example": "A123.456/2026"})
    policy_version: str | None = Field(default=None, json_schema_extra={"example": "3f2a9c1d5e6b7a80"})
    as_of: str | None = Field(default=None, json_schema_extra={"example": "2026-11-20", "format": "date"})
    request: UUID | None = None
    decision: UUID | None = None
    fields: list[str] | None = Field(default=None, json_schema_extra={"example": ["name"]})
    resources: list[dict[str, Any]] | None = Field(default=None, json_schema_extra={"example": _RESOURCES})
    items: dict[str, Any] | None = Field(default=None, json_schema_extra={"example": {"individual": [_RECEIPT]}})
    erased: bool | None = None


class LedgerEntryPage(PageOf):
    """A page of the own agency's entries, newest first."""

    items: list[LedgerEntryOut]


class ProvenLeaf(Out):
    """The leaf as everybody may see it."""

    index: int = Field(ge=0)
    receipt: UUID
    at_us: int = Field(ge=0, json_schema_extra={"example": 1795168800123456})
    content_root: str = Field(json_schema_extra=_HASH)


class PartProof(Out):
    """What `samsyn verify` needs: the part with its salt, its way up in the leaf, and the leaf's way up in the tree.

    `salt` and `entry` are null where the part is erased.
    """

    leaf: ProvenLeaf
    slot: int = Field(ge=0)
    salt: str | None = Field(json_schema_extra=_HASH)
    entry: str | None = Field(json_schema_extra={"example": '{"kind":"answer"}'})
    commitment: str = Field(json_schema_extra=_HASH)
    way_up: list[str] = Field(json_schema_extra={"example": [_HASH["example"]]})
    size: int = Field(ge=1)
    root: str = Field(json_schema_extra=_HASH)
    path: list[str] = Field(json_schema_extra={"example": [_HASH["example"]]})


class ReceiptOut(LedgerEntryOut):
    """A receipt (*kvitto*): the caller's own part of one answer, and the proof that the ledger holds it."""

    proof: PartProof | None = None


class CitedProvision(Out):
    """A provision by id and citation."""

    id: str = Field(json_schema_extra={"example": "osl-10-18a"})
    citation: str = Field(json_schema_extra={"example": "10 kap. 18 a § OSL"})


class ExtractEvent(Out):
    """What happened once: what, when, who read, who received, for which purpose and by which provision (BDF 3:4)."""

    at: StrictDateTime = Field(json_schema_extra={"example": "2026-11-20T11:00:00.123456+00:00"})
    kind: str = Field(json_schema_extra={"example": "answer"})
    event: str = Field(json_schema_extra={"example": "uppgift lämnad till annan myndighet"})
    fields: list[str] = Field(json_schema_extra={"example": ["name"]})
    subject: str | None = Field(json_schema_extra={"example": "handläggare-1"})
    subject_role: str | None = Field(json_schema_extra={"example": "utredare"})
    recipient: str | None = Field(json_schema_extra={"example": "polismyndigheten"})
    recipient_name: str | None = Field(json_schema_extra={"example": "Polismyndigheten"})
    purpose: str | None = Field(json_schema_extra={"example": "prevent-crime"})
    provisions: list[CitedProvision]


class ExtractOut(Single):
    """The extract for one person (*loggutdrag*): every event of that person's rows at the caller, newest first.

    `rows` is how many rows the caller has about the person now; `receipt` is the leaf of the extract itself. `from` and
    `to` are the days that it is limited to, null where it is not.
    """

    holder: str = Field(json_schema_extra={"example": "skarholmen-socialtjanst"})
    made_at: StrictDateTime = Field(json_schema_extra={"example": "2026-11-20T11:00:00+00:00"})
    receipt: UUID
    from_: StrictDate | None = Field(alias="from", json_schema_extra={"example": "2026-01-01"})
    to: StrictDate | None = Field(json_schema_extra={"example": "2026-12-31"})
    rows: int = Field(ge=0)
    events: list[ExtractEvent]
