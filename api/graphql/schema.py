"""The schema: every subject's root fields and mutations on one screen."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from api.agencies import graphql as agencies
from api.audit import graphql as audit
from api.graphql.binding import RootField
from api.incidents import graphql as incidents
from api.individuals import graphql as individuals
from api.interventions import graphql as interventions
from api.law.graphql import LawQuery
from api.mappings import graphql as mappings
from api.reports import graphql as reports
from api.requests import graphql as requests
from api.requests.decisions import graphql as decisions
from api.scenes import graphql as scenes


@strawberry.type(description="What can be read")
class Query(
    agencies.AgencyQuery,
    scenes.SceneQuery,
    mappings.MappingQuery,
    individuals.IndividualQuery,
    requests.DisclosureRequestQuery,
    decisions.DisclosureDecisionQuery,
    interventions.InterventionQuery,
    incidents.IncidentQuery,
    reports.ReportQuery,
    audit.LedgerQuery,
    LawQuery,
):
    """Every root field."""


@strawberry.type(description="What can be written")
class Mutation(
    mappings.MappingMutation,
    requests.DisclosureRequestMutation,
    decisions.DisclosureDecisionMutation,
    interventions.InterventionMutation,
    incidents.IncidentMutation,
    reports.ReportMutation,
):
    """Every mutation."""


SCHEMA = strawberry.Schema(query=Query, mutation=Mutation, config=StrawberryConfig(auto_camel_case=True))
CORE = SCHEMA._schema  # noqa: SLF001 - graphql-core's own schema, which validation and planning need
ROOTS: dict[str, RootField] = {
    root.name: root
    for subject in (
        agencies,
        scenes,
        mappings,
        individuals,
        requests,
        decisions,
        interventions,
        incidents,
        reports,
        audit,
    )
    for root in subject.ROOTS
}


def sdl() -> str:
    """The schema as it is committed to `openapi/schema.graphql`."""
    return SCHEMA.as_str() + "\n"
