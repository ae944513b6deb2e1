"""Mappings over GraphQL."""

from datetime import date

import strawberry
from strawberry.scalars import JSON

from api.graphql.binding import RootField, compiled, same_names
from api.individuals.graphql import Individual
from api.mappings.repository import MAPPINGS


@strawberry.type(description="A mapping of a scene (kartläggning)")
class Mapping:
    """A mapping; `policeWork` is null for those who may not have it, and the reason stands in the extensions."""

    id: strawberry.ID
    scene: strawberry.ID
    mapped_on: date
    mapped_by: str
    affected: JSON
    physical_place: str
    use: str
    substances: list[str]
    police_work: str | None
    partners: list[str]
    hotspots: JSON
    time_pattern: str | None
    interviews: str | None

    @strawberry.field(description="Persons tied to the mapping that the caller may know of")
    def individuals(self, limit: int = 20) -> list[Individual]:
        """Compiled."""
        compiled()


@strawberry.type
class MappingQuery:
    """Root fields about mappings."""

    @strawberry.field(description="One mapping, or null")
    def mapping(self, id: strawberry.ID) -> Mapping | None:  # noqa: A002 - GraphQL's own name
        """Compiled."""
        compiled()


ROOTS = (RootField("mapping", MAPPINGS, paged=False, filters=same_names("id")),)
