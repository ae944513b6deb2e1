"""Scenes over GraphQL."""

from datetime import date

import strawberry
from strawberry.scalars import JSON

from api.graphql.binding import Page, RootField, compiled, same_names
from api.mappings.graphql import Mapping
from api.scenes.repository import SCENES


@strawberry.type(description="An open drug scene (öppen drogscen)")
class Scene:
    """A scene; the fields are those of REST."""

    id: strawberry.ID
    name: str
    municipality: str
    district: str | None
    local_police_area: str | None
    status: str
    environment: list[str]
    setting: str
    symptoms: list[str]
    outline: JSON
    appeared_on: date
    closed_on: date | None
    sara_stage: str
    fictional: bool
    schools_within_500m: int = strawberry.field(name="schoolsWithin500m")
    particularly_exposed_for_youth: bool
    mapping_overdue: bool

    @strawberry.field(description="Mappings of the scene, newest first")
    def mappings(self, limit: int = 20) -> list[Mapping]:
        """Compiled."""
        compiled()


@strawberry.type(description="A page of scenes")
class ScenePage(Page):
    """A page of scenes."""

    items: list[Scene]


@strawberry.type
class SceneQuery:
    """Root fields about scenes."""

    @strawberry.field(description="Scenes / Öppna drogscener")
    def scenes(
        self,
        municipality: str | None = None,
        district: str | None = None,
        status: str | None = None,
        near_school: bool | None = None,
        mapping_overdue: bool | None = None,
        as_of: date | None = None,
        sort: str | None = None,
        page: int = 1,
        limit: int = 20,
    ) -> ScenePage:
        """Compiled."""
        compiled()

    @strawberry.field(description="One scene, or null")
    def scene(self, id: strawberry.ID, as_of: date | None = None) -> Scene | None:  # noqa: A002 - GraphQL's own name
        """Compiled."""
        compiled()


ROOTS = (
    RootField(
        "scenes",
        SCENES,
        paged=True,
        filters=same_names("municipality", "district", "status", "nearSchool", "mappingOverdue"),
    ),
    RootField("scene", SCENES, paged=False, filters=same_names("id")),
)
