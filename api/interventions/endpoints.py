"""Interventions and the intervention survey over REST."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.disclosure.selection import parse_sort
from api.interventions import service
from api.interventions.repository import INTERVENTIONS, SURVEYS
from api.interventions.schemas import (
    PERIOD_PATTERN,
    InterventionPage,
    InterventionType,
    SurveyIn,
    SurveyOut,
    SurveyPage,
)
from api.web.context import AskingDependency, ServicesDependency
from api.web.datatypes import SLUG_PATTERN
from api.web.documents import answers
from api.web.idempotency import REPLAYED_HEADER, once
from api.web.idempotency_key import IdempotencyKey
from api.web.paging import PageQuery
from api.web.reading import answer_list, answer_one
from api.web.route import strict_router
from api.web.sorting import sort_query
from api.web.writing import created

router: APIRouter = strict_router(tags=["interventions"])

SurveyId = Annotated[UUID, Path(alias="surveyId", description="The survey answer's id / Enkätsvarets id")]
_CREATED: dict[int | str, dict[str, Any]] = answers(SurveyOut, status=201)
_CREATED[201]["headers"] = REPLAYED_HEADER


@router.get(
    "/interventions", responses=answers(InterventionPage), summary="List interventions / Lista insatser och metoder"
)
async def list_interventions(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    page: PageQuery,
    kind: Annotated[
        InterventionType | None, Query(alias="type", description="Situational or social / Situationell eller social")
    ] = None,
    sort: Annotated[str | None, sort_query(INTERVENTIONS)] = None,
) -> Response:
    """The method catalogue of the regional folder: what a survey answer can name."""
    filters = () if kind is None else (("type", kind),)
    selection = service.interventions(filters, parse_sort(INTERVENTIONS, sort), page.offset, page.limit)
    return await answer_list(request, parts, who, selection, page)


@router.get(
    "/intervention-surveys", responses=answers(SurveyPage), summary="List survey answers / Lista svar på insatsenkäten"
)
async def list_surveys(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    page: PageQuery,
    scene: Annotated[UUID | None, Query(description="The scene's id / Platsens id")] = None,
    period: Annotated[
        str | None, Query(description="Exactly this period, as it was answered", pattern=PERIOD_PATTERN)
    ] = None,
    agency: Annotated[
        str | None, Query(description="Slug of the answering agency", pattern=SLUG_PATTERN, max_length=64)
    ] = None,
    sort: Annotated[str | None, sort_query(SURVEYS)] = None,
) -> Response:
    """Answers to the intervention survey (*insatsenkät*), newest first. Shared with every registered agency."""
    given = {"scene": scene, "period": period, "agency": agency}
    filters = tuple((name, value) for name, value in given.items() if value is not None)
    selection = service.surveys(filters, parse_sort(SURVEYS, sort), page.offset, page.limit)
    return await answer_list(request, parts, who, selection, page)


@router.get(
    "/intervention-surveys/{surveyId}",
    responses=answers(SurveyOut),
    summary="Read a survey answer / Läs ett svar på insatsenkäten",
)
async def read_survey(
    request: Request, parts: ServicesDependency, who: AskingDependency, survey_id: SurveyId
) -> Response:
    """One answer to the intervention survey."""
    return await answer_one(request, parts, who, service.one_survey(survey_id), what="the survey answer")


@router.post(
    "/intervention-surveys",
    status_code=201,
    responses=_CREATED,
    summary="Answer the intervention survey / Besvara insatsenkäten",
)
async def create_survey(
    request: Request, parts: ServicesDependency, who: AskingDependency, key: IdempotencyKey, body: SurveyIn
) -> Response:
    """Answer for a scene and a period. Municipal safety and social services, with the scope `write:surveys`.

    The same key with the same content gives the first answer again, with `Idempotency-Replayed: true`.
    """
    service.require_writer(who)

    async def write(connection: AsyncConnection, survey_id: UUID) -> None:
        now, today = parts.clock(), parts.gate.today()
        await service.create_survey(connection, body, who=who, survey_id=survey_id, now=now, today=today)

    async def answer(survey_id: UUID) -> Response:
        path = f"/intervention-surveys/{survey_id}"
        return await created(request, parts, who, service.one_survey(survey_id), path, "the survey answer")

    return await once(request, parts, who, key, collection="/intervention-surveys", write=write, answer=answer)
