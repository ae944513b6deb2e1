"""What can be done with interventions and the intervention survey. Callers open the transaction."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.asking import Asking
from api.disclosure.selection import Selection, every_field
from api.errors import Fault, Problem
from api.interventions.catalogue import catalogue
from api.interventions.repository import (
    INTERVENTIONS,
    SURVEYS,
    add_survey,
    known_interventions,
    store_interventions,
)
from api.interventions.schemas import GivenIn, SurveyIn
from api.scenes.repository import scene_exists
from api.scenes.service import require_sector

WRITING_SECTORS = frozenset({"municipal-safety", "social-services"})
# Plans are made for the year to come; a period that begins later is a slip of the keyboard.
_PLANNED_AHEAD = timedelta(days=366)
_MONTHS_OF_A_QUARTER = 3

Filters = tuple[tuple[str, Any], ...]
Sort = tuple[tuple[str, bool], ...]


async def load_catalogue(connection: AsyncConnection) -> None:
    """Bring the table of interventions to the catalogue of this program; the same however often it is done."""
    await store_interventions(connection, catalogue())


def require_writer(who: Asking) -> None:
    """Let only these sectors with the scope `write:surveys` write. Raises `Problem` 403."""
    who.caller.require("write:surveys")
    require_sector(who, WRITING_SECTORS, "survey answers")


def interventions(filters: Filters, sort: Sort, offset: int, limit: int) -> Selection:
    """The selection of a list of interventions."""
    return Selection(INTERVENTIONS, every_field(INTERVENTIONS), filters, sort, offset, limit)


def surveys(filters: Filters, sort: Sort, offset: int, limit: int) -> Selection:
    """The selection of a list of survey answers."""
    return Selection(SURVEYS, every_field(SURVEYS), filters, sort, offset, limit)


def one_survey(survey_id: UUID) -> Selection:
    """The selection of one survey answer."""
    return Selection(SURVEYS, every_field(SURVEYS), (("id", survey_id),), limit=1, total=False)


def period_start(period: str) -> date:
    """First day of `2026`, `2026-Q3` or `2026-10`."""
    year, _, part = period.partition("-")
    if part.startswith("Q"):
        return date(int(year), (int(part[1]) - 1) * _MONTHS_OF_A_QUARTER + 1, 1)
    return date(int(year), int(part or 1), 1)


async def create_survey(
    connection: AsyncConnection, body: SurveyIn, *, who: Asking, survey_id: UUID, now: datetime, today: date
) -> None:
    """Store a survey answer. Raises `Problem` 409 naming every contradiction; nothing is stored then."""
    faults = []
    if not await scene_exists(connection, body.scene):
        faults.append(Fault("body.scene", "no such scene", "give the id of a scene in GET /scenes"))
    if period_start(body.period) > today + _PLANNED_AHEAD:
        faults.append(Fault("body.period", "lies too far in the future", "give the period that the answer is about"))
    known = await known_interventions(connection, (given.intervention for given in body.interventions))
    seen: dict[tuple[str, date | None], int] = {}
    for index, given in enumerate(body.interventions):
        where = f"body.interventions[{index}]"
        if given.intervention not in known:
            faults.append(Fault(f"{where}.intervention", "no such intervention", "give a slug of GET /interventions"))
        faults += date_faults(given, where, today)
        first = seen.setdefault((given.intervention, given.started_on), index)
        if first != index:
            what = f"is the same intervention with the same `startedOn` as interventions[{first}]"
            faults.append(Fault(where, what, "name it once, with the number of times"))
    if faults:
        raise Problem("conflict", f"{faults[0].where}: {faults[0].what}", faults=faults)
    survey = {
        "id": survey_id,
        "scene_id": body.scene,
        "agency": who.agency.slug,
        "period": body.period,
        "comment": body.comment,
        "answered_at": now,
        "answered_by": who.caller.subject,
    }
    await add_survey(connection, survey, [given.model_dump() for given in body.interventions])


def date_faults(given: GivenIn, where: str, today: date) -> Iterator[Fault]:
    """What is wrong with an intervention's dates on that day."""
    started, ended, status = given.started_on, given.ended_on, given.status
    if status != "planned" and started is not None and started > today:
        yield Fault(f"{where}.startedOn", f"lies in the future, but the status is `{status}`", "use `planned`")
    if status == "ended" and ended is None:
        yield Fault(f"{where}.endedOn", "is missing, but the status is `ended`", "give the day it ended")
    if status == "ended" and ended is not None and ended > today:
        yield Fault(f"{where}.endedOn", "lies in the future, but the status is `ended`", "use `ongoing`")
    if status != "ended" and ended is not None and ended < today:
        yield Fault(f"{where}.endedOn", f"lies in the past, but the status is `{status}`", "use `ended`")
    if started is not None and ended is not None and ended < started:
        yield Fault(f"{where}.endedOn", "lies before `startedOn`", "check both dates")
