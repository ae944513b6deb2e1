"""One's own part of the ledger over GraphQL."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from api.audit.repository import LEDGER_ENTRIES
from api.audit.schemas import days_between
from api.graphql.binding import Filters, Page, RootField, compiled, same_names

_FROM = strawberry.argument(name="from")


@strawberry.type(description="One's own part of a leaf of the ledger")
class LedgerEntry:
    """Every field is null where no purpose is declared; of an erased part only receipt, time and role are left."""

    receipt: strawberry.ID | None
    at: datetime | None
    role: str | None
    kind: str | None
    recipient: str | None
    client: str | None
    subject: str | None
    subject_role: str | None
    purpose: str | None
    legal_basis: str | None
    case_reference: str | None
    policy_version: str | None
    as_of: date | None
    request: strawberry.ID | None
    decision: strawberry.ID | None
    fields: list[str] | None
    resources: JSON | None
    items: JSON | None
    erased: bool | None


@strawberry.type(description="A page of the own agency's entries")
class LedgerEntryPage(Page):
    """A page of entries."""

    items: list[LedgerEntry]


@strawberry.type
class LedgerQuery:
    """Root fields about the ledger."""

    @strawberry.field(description="What the ledger holds of the own agency, newest first. Needs a purpose")
    def ledger_entries(
        self,
        role: str | None = None,
        from_: Annotated[date | None, _FROM] = None,
        to: date | None = None,
        purpose: str | None = None,
        individual: strawberry.ID | None = None,
        recipient: str | None = None,
        page: int = 1,
        limit: int = 20,
    ) -> LedgerEntryPage:
        """Compiled. The scope `audit:read`."""
        compiled()

    @strawberry.field(description="The own part of one answer, or null. Its proof is read over REST")
    def receipt(self, id: strawberry.ID) -> LedgerEntry | None:  # noqa: A002 - GraphQL's own name
        """Compiled."""
        compiled()


_PLAIN = same_names("role", "purpose", "individual", "recipient")


def _filters(arguments: Mapping[str, Any]) -> Filters:
    days = days_between(arguments.get("from"), arguments.get("to"), place="arguments")
    return (*_PLAIN(arguments), *days.filters())


def _by_id(arguments: Mapping[str, Any]) -> Filters:
    return (("receipt", arguments["id"]),)


ROOTS = (
    RootField(
        "ledgerEntries",
        LEDGER_ENTRIES,
        paged=True,
        filters=_filters,
        scope="audit:read",
    ),
    RootField("receipt", LEDGER_ENTRIES, paged=False, filters=_by_id),
)
