"""Interventions and survey answers as rows, and as the resources that the gate reads."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Text, bindparam, func, insert, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import Uuid

from api.disclosure.resource import Filter, Resource
from api.interventions.tables import Intervention, Survey, SurveyIntervention
from api.store.base import table_of

_INTERVENTIONS = table_of(Intervention)
_SURVEYS = table_of(Survey)
_GIVEN = table_of(SurveyIntervention)

INTERVENTIONS = Resource(
    name="intervention",
    source=_INTERVENTIONS,
    key=_INTERVENTIONS.c.slug,
    fields={
        "slug": _INTERVENTIONS.c.slug,
        "name": _INTERVENTIONS.c.name,
        "nameEn": _INTERVENTIONS.c.name_en,
        "type": _INTERVENTIONS.c.type,
        "source": _INTERVENTIONS.c.source,
    },
    order=(_INTERVENTIONS.c.slug,),
    sorts={
        "slug": _INTERVENTIONS.c.slug,
        "name": _INTERVENTIONS.c.name,
        "nameEn": _INTERVENTIONS.c.name_en,
        "type": _INTERVENTIONS.c.type,
    },
    filters={
        "type": Filter(
            ("type",), _INTERVENTIONS.c.type == bindparam("type", type_=Text()), lambda value: {"type": value}
        ),
    },
)


def _object(members: Mapping[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    parts: list[ColumnElement[Any]] = []
    for name, column in members.items():
        parts += [literal_column(f"'{name}'"), column]
    return func.json_build_object(*parts)


_GIVEN_AS_JSON = _object(
    {
        "intervention": _GIVEN.c.intervention,
        "status": _GIVEN.c.status,
        "startedOn": _GIVEN.c.started_on,
        "endedOn": _GIVEN.c.ended_on,
        "times": _GIVEN.c.times,
        "partners": _GIVEN.c.partners,
        "assessment": _GIVEN.c.assessment,
    }
)
_EMPTY: ColumnElement[Any] = literal_column("'[]'::json")

SURVEYS = Resource(
    name="intervention-survey",
    source=_SURVEYS,
    key=_SURVEYS.c.id,
    fields={
        "id": _SURVEYS.c.id,
        "scene": _SURVEYS.c.scene_id,
        "period": _SURVEYS.c.period,
        "agency": _SURVEYS.c.agency,
        "answeredAt": _SURVEYS.c.answered_at,
        "comment": _SURVEYS.c.comment,
        "interventions": select(
            func.coalesce(func.json_agg(aggregate_order_by(_GIVEN_AS_JSON, _GIVEN.c.position)), _EMPTY)
        )
        .where(_GIVEN.c.survey_id == _SURVEYS.c.id)
        .correlate(_SURVEYS)
        .scalar_subquery(),
    },
    order=(_SURVEYS.c.answered_at.desc(), _SURVEYS.c.id),
    sorts={
        "answeredAt": _SURVEYS.c.answered_at,
        "period": _SURVEYS.c.period,
        "agency": _SURVEYS.c.agency,
        "scene": _SURVEYS.c.scene_id,
    },
    filters={
        "id": Filter(("id",), _SURVEYS.c.id == bindparam("id", type_=Uuid()), lambda value: {"id": value}),
        "scene": Filter(
            ("scene",), _SURVEYS.c.scene_id == bindparam("scene", type_=Uuid()), lambda value: {"scene": value}
        ),
        "period": Filter(
            ("period",), _SURVEYS.c.period == bindparam("period", type_=Text()), lambda value: {"period": value}
        ),
        "agency": Filter(
            ("agency",), _SURVEYS.c.agency == bindparam("of_agency", type_=Text()), lambda value: {"of_agency": value}
        ),
    },
)


async def store_interventions(connection: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add interventions, or bring those that exist up to date."""
    statement = upsert(_INTERVENTIONS).values([dict(row) for row in rows])
    changed = {name: statement.excluded[name] for name in ("name", "name_en", "type", "source")}
    await connection.execute(statement.on_conflict_do_update(index_elements=["slug"], set_=changed))


async def known_interventions(connection: AsyncConnection, slugs: Iterable[str]) -> frozenset[str]:
    """Those of the slugs that name an intervention."""
    found = await connection.execute(select(_INTERVENTIONS.c.slug).where(_INTERVENTIONS.c.slug.in_(sorted(set(slugs)))))
    return frozenset(found.scalars())


async def add_survey(
    connection: AsyncConnection, survey: Mapping[str, Any], given: Iterable[Mapping[str, Any]]
) -> None:
    """Store a survey answer with its interventions, in the order given."""
    await connection.execute(insert(_SURVEYS), [dict(survey)])
    rows = [dict(row) | {"survey_id": survey["id"], "position": position} for position, row in enumerate(given)]
    if rows:
        await connection.execute(insert(_GIVEN), rows)
