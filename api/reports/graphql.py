"""Situation reports and indicators over GraphQL."""

from datetime import datetime
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncConnection
from strawberry.scalars import JSON

from api.graphql.binding import Created, Page, RootField, as_body, compiled, created_once, same_names
from api.reports.indicators.repository import INDICATORS
from api.reports.publishing import publish
from api.reports.repository import REPORTS
from api.reports.schemas import ReportIn


@strawberry.type(description="A published edition of a situation report (lägesbild)")
class SituationReport:
    """An edition; `policeWork` is null for those who may not have it."""

    id: strawberry.ID
    edition: int
    scene: strawberry.ID
    period: str
    published_at: datetime
    published_by: str
    what: JSON
    where: JSON
    when: JSON
    affected: JSON
    hotspots: JSON
    physical_place: str | None
    use: str | None
    substances: list[str]
    time_pattern: str | None
    interventions: JSON
    trend: JSON
    police_work: str | None
    protection: JSON


@strawberry.type(description="A page of situation reports")
class SituationReportPage(Page):
    """A page of editions."""

    items: list[SituationReport]


@strawberry.type(description="Scenes of an area and year, counted from rows, beside what papers state")
class Indicator:
    """One area and year."""

    area: str
    area_name: str
    year: int
    scenes: int
    remaining: int
    closed: int
    new: int
    near_school: int
    municipalities_affected: int | None
    municipalities: int
    stated: JSON


@strawberry.type(description="A page of indicators")
class IndicatorPage(Page):
    """A page of indicators."""

    items: list[Indicator]


@strawberry.type
class ReportQuery:
    """Root fields about reports."""

    @strawberry.field(description="Newest editions of published situation reports")
    def situation_reports(
        self,
        scene: strawberry.ID | None = None,
        district: str | None = None,
        municipality: str | None = None,
        county: str | None = None,
        period: str | None = None,
        all_editions: bool = False,
        sort: str | None = None,
        page: int = 1,
        limit: int = 20,
    ) -> SituationReportPage:
        """Compiled."""
        compiled()

    @strawberry.field(description="One edition, or null")
    def situation_report(self, id: strawberry.ID) -> SituationReport | None:  # noqa: A002 - GraphQL's own name
        """Compiled."""
        compiled()

    @strawberry.field(description="Scenes per area and year")
    def indicators(
        self,
        area: str | None = None,
        year: int | None = None,
        county: str | None = None,
        sort: str | None = None,
        page: int = 1,
        limit: int = 20,
    ) -> IndicatorPage:
        """Compiled."""
        compiled()


@strawberry.input(description="Which scene and calendar period: 2026, 2026-Q3 or 2026-10")
class ReportInput:
    """As the body of POST /situation-reports."""

    scene: strawberry.ID
    period: str


@strawberry.type
class ReportMutation:
    """Writes about reports."""

    @strawberry.mutation(description="Publish a frozen edition")
    async def publish_situation_report(self, info: strawberry.Info, report: ReportInput) -> Created:
        """As POST /situation-reports."""
        context = info.context
        context.who.caller.require("publish:reports")
        sent = as_body(report)
        body = context.checked(ReportIn, sent)

        async def write(connection: AsyncConnection, report_id: UUID) -> None:
            now = context.parts.clock()
            await publish(
                connection, scene=body.scene, period=body.period, who=context.who, report_id=report_id, now=now
            )

        return await created_once(context, "/situation-reports", sent, write)


def _editions(arguments: object) -> tuple[tuple[str, object], ...]:
    chosen = same_names("scene", "district", "municipality", "county", "period")(arguments)  # type: ignore[arg-type]
    return chosen if arguments.get("allEditions") else (*chosen, ("latest", True))  # type: ignore[attr-defined]


ROOTS = (
    RootField("situationReports", REPORTS, paged=True, filters=_editions),
    RootField("situationReport", REPORTS, paged=False, filters=same_names("id")),
    RootField("indicators", INDICATORS, paged=True, filters=same_names("area", "year", "county")),
)
