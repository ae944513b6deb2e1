"""Every table of the service on one screen, for migrations and for tests that compare them with the database."""

from api.agencies import tables as agencies
from api.incidents import tables as incidents
from api.individuals import tables as individuals
from api.interventions import tables as interventions
from api.ledger import tables as ledger
from api.mappings import tables as mappings
from api.places import tables as places
from api.reports import tables as reports
from api.requests import tables as requests
from api.scenes import tables as scenes
from api.store import idempotency_table
from api.store.base import metadata

SUBJECTS = (
    agencies, places, scenes, mappings, individuals, requests, interventions, incidents, reports, ledger,
    idempotency_table,
)  # fmt: skip

__all__ = ["SUBJECTS", "metadata"]
