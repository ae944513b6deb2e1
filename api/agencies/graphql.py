"""Agencies over GraphQL."""

import strawberry

from api.agencies.repository import AGENCIES
from api.graphql.binding import Page, RootField, compiled, same_names


@strawberry.type(description="A registered agency (myndighet)")
class Agency:
    """An agency, one per board or self-standing branch."""

    slug: strawberry.ID
    name: str
    sector: str
    municipality: str | None
    district: str | None
    equated: bool


@strawberry.type(description="A page of agencies")
class AgencyPage(Page):
    """A page of agencies."""

    items: list[Agency]


@strawberry.type
class AgencyQuery:
    """Root fields about agencies."""

    @strawberry.field(description="The registered agencies and their sectors")
    def agencies(self, sort: str | None = None, page: int = 1, limit: int = 20) -> AgencyPage:
        """Compiled."""
        compiled()


ROOTS = (RootField("agencies", AGENCIES, paged=True, filters=same_names()),)
