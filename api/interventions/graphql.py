"""Interventions and survey answers over GraphQL."""

from datetime import datetime
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncConnection
from strawberry.scalars import JSON

from api.graphql.binding import Created, Page, RootField, as_body, compiled, created_once, same_names
from api.interventions import service
from api.interventions.repository import INTERVENTIONS, SURVEYS
from api.interventions.schemas import SurveyIn


@strawberry.type(description="A method of the regional folder: situational or social")
class Intervention:
    """An entry of the method catalogue."""

    slug: strawberry.ID
    name: str
    name_en: str
    type: str
    source: str


@strawberry.type(description="A page of interventions")
class InterventionPage(Page):
    """A page of interventions."""

    items: list[Intervention]


@strawberry.type(description="An answer to the intervention survey (insatsenkät)")
class InterventionSurvey:
    """A survey answer; `interventions` as over REST."""

    id: strawberry.ID
    scene: strawberry.ID
    period: str
    agency: str
    answered_at: datetime
    comment: str | None
    interventions: JSON


@strawberry.type(description="A page of survey answers")
class InterventionSurveyPage(Page):
    """A page of survey answers."""

    items: list[InterventionSurvey]


@strawberry.type
class InterventionQuery:
    """Root fields about interventions."""

    @strawberry.field(description="The method catalogue")
    def interventions(
        self,
        type: str | None = None,  # noqa: A002 - as REST
        sort: str | None = None,
        page: int = 1,
        limit: int = 20,
    ) -> InterventionPage:
        """Compiled."""
        compiled()

    @strawberry.field(description="Answers to the intervention survey, newest first")
    def intervention_surveys(
        self,
        scene: strawberry.ID | None = None,
        period: str | None = None,
        agency: str | None = None,
        sort: str | None = None,
        page: int = 1,
        limit: int = 20,
    ) -> InterventionSurveyPage:
        """Compiled."""
        compiled()

    @strawberry.field(description="One answer, or null")
    def intervention_survey(self, id: strawberry.ID) -> InterventionSurvey | None:  # noqa: A002 - GraphQL's own name
        """Compiled."""
        compiled()


@strawberry.input(description="One intervention in a survey answer; days as YYYY-MM-DD")
class GivenInput:
    """As a member of `interventions` over REST."""

    intervention: str
    status: str
    started_on: str | None = None
    ended_on: str | None = None
    times: int | None = None
    partners: list[str] | None = None
    assessment: str | None = None


@strawberry.input(description="An answer to the intervention survey")
class SurveyInput:
    """As the body of POST /intervention-surveys."""

    scene: strawberry.ID
    period: str
    comment: str | None = None
    interventions: list[GivenInput]


@strawberry.type
class InterventionMutation:
    """Writes about interventions."""

    @strawberry.mutation(description="Answer the intervention survey. Needs the header Idempotency-Key")
    async def create_intervention_survey(self, info: strawberry.Info, survey: SurveyInput) -> Created:
        """As POST /intervention-surveys."""
        context = info.context
        service.require_writer(context.who)
        sent = as_body(survey)
        body = context.checked(SurveyIn, sent)

        async def write(connection: AsyncConnection, survey_id: UUID) -> None:
            parts = context.parts
            await service.create_survey(
                connection, body, who=context.who, survey_id=survey_id, now=parts.clock(), today=parts.gate.today()
            )

        return await created_once(context, "/intervention-surveys", sent, write, key_required=True)


ROOTS = (
    RootField("interventions", INTERVENTIONS, paged=True, filters=same_names("type")),
    RootField("interventionSurveys", SURVEYS, paged=True, filters=same_names("scene", "period", "agency")),
    RootField("interventionSurvey", SURVEYS, paged=False, filters=same_names("id")),
)
