"""Individuals over GraphQL: reached through their mapping, or through the decision that discloses them."""

from datetime import date

import strawberry

from api.graphql.binding import Page, RootField, compiled, same_names
from api.individuals.repository import INDIVIDUALS


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
    protected_identity: bool | None
    pseudonym: str | None


@strawberry.type(description="A page of individuals")
class IndividualPage(Page):
    """A page of individuals: those the caller may know of."""

    items: list[Individual]


@strawberry.type
class IndividualQuery:
    """Root fields about individuals."""

    @strawberry.field(description="What a live disclosure decision opens to the caller, whatever the place")
    def disclosed_individuals(
        self,
        decision: strawberry.ID,
        role: str | None = None,
        substances: str | None = None,
        sort: str | None = None,
        page: int = 1,
        limit: int = 20,
    ) -> IndividualPage:
        """Compiled. `substances` is always refused: nobody selects persons by health or addiction."""
        compiled()


ROOTS = (
    RootField("disclosedIndividuals", INDIVIDUALS, paged=True, filters=same_names("decision", "role", "substances")),
)
