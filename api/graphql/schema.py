"""The schema: every subject's root fields and mutations on one screen."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from api.graphql.binding import RootField
from api.law.graphql import LawQuery
from api.mappings.graphql import ROOTS as MAPPINGS
from api.mappings.graphql import MappingQuery
from api.scenes.graphql import ROOTS as SCENES
from api.scenes.graphql import SceneQuery


@strawberry.type(description="What can be read")
class Query(SceneQuery, MappingQuery, LawQuery):
    """Every root field."""


SCHEMA = strawberry.Schema(query=Query, config=StrawberryConfig(auto_camel_case=True))
CORE = SCHEMA._schema  # noqa: SLF001 - graphql-core's own schema, which validation and planning need
ROOTS: dict[str, RootField] = {root.name: root for root in (*SCENES, *MAPPINGS)}


def sdl() -> str:
    """The schema as it is committed to `openapi/schema.graphql`."""
    return SCHEMA.as_str() + "\n"
