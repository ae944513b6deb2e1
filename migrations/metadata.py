"""Every table of the service on one screen, for migrations and for tests that compare them with the database."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.types import NullType
from sqlmodel.sql.sqltypes import AutoString

from api.agencies import tables as agencies
from api.incidents import tables as incidents
from api.individuals import tables as individuals
from api.interventions import tables as interventions
from api.ledger import tables as ledger
from api.mappings import tables as mappings
from api.places import tables as places
from api.reports import tables as reports
from api.requests import tables as requests
from api.retention import tables as retention
from api.scenes import tables as scenes
from api.store import idempotency_table
from api.store.base import metadata

SUBJECTS = (
    agencies, places, scenes, mappings, individuals, requests, interventions, incidents, reports, ledger,
    retention, idempotency_table,
)  # fmt: skip


def differs(_context: Any, _inspected: Any, _declared: Any, found: Any, wanted: Any) -> bool | None:
    """Whether a column's type has changed, for alembic: texts are `text`, whatever SQLModel calls them.

    PostgreSQL's geometric types are unknown to reflection and compared by nobody.
    """
    if isinstance(wanted, AutoString | String) or isinstance(found, NullType):
        return not isinstance(found, String | NullType)
    return None


__all__ = ["SUBJECTS", "differs", "metadata"]
