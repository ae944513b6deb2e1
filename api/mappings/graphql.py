"""Mappings over GraphQL."""

from datetime import date
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncConnection
from strawberry.scalars import JSON

from api.errors import not_found
from api.graphql.binding import Created, RootField, as_body, compiled, created_once, same_names
from api.individuals.graphql import Individual
from api.mappings import service
from api.mappings.repository import MAPPINGS
from api.mappings.schemas import MappingIn


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


@strawberry.input(description="A GeoJSON Point in CRS84")
class PositionInput:
    """Longitude, latitude."""

    type: str = "Point"
    coordinates: list[float]


@strawberry.input(description="A sharply bounded spot inside the scene")
class HotspotInput:
    """As over REST."""

    name: str
    position: PositionInput


@strawberry.input(description="How many persons of a group are affected")
class AffectedInput:
    """As over REST."""

    group: str
    age_band: str | None = None
    sex: str | None = None
    count: int


@strawberry.input(description="A mapping; the day as YYYY-MM-DD")
class MappingInput:
    """As the body of POST /scenes/{sceneId}/mappings."""

    mapped_on: str
    affected: list[AffectedInput] | None = None
    physical_place: str
    use: str
    substances: list[str] | None = None
    police_work: str | None = None
    partners: list[str] | None = None
    hotspots: list[HotspotInput] | None = None
    time_pattern: str | None = None
    interviews: str | None = None


@strawberry.type
class MappingMutation:
    """Writes about mappings."""

    @strawberry.mutation(description="Register a mapping of a scene")
    async def create_mapping(self, info: strawberry.Info, scene: strawberry.ID, mapping: MappingInput) -> Created:
        """As POST /scenes/{sceneId}/mappings; the header Idempotency-Key is heeded."""
        context = info.context
        service.require_writer(context.who)
        sent = as_body(mapping)
        body = context.checked(MappingIn, sent)
        try:
            scene_id = UUID(scene)
        except ValueError:
            raise not_found("the scene") from None

        async def write(connection: AsyncConnection, mapping_id: UUID) -> None:
            parts = context.parts
            await service.create_mapping(
                connection,
                body,
                who=context.who,
                scene_id=scene_id,
                mapping_id=mapping_id,
                now=parts.clock(),
                today=parts.gate.today(),
            )

        return await created_once(context, "/mappings", sent | {"scene": str(scene_id)}, write)


ROOTS = (RootField("mapping", MAPPINGS, paged=False, filters=same_names("id")),)
