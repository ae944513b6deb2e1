"""Incident batches over GraphQL. A feed of any size belongs to REST; here a batch is as large as a request may be."""

import hashlib
import io
import json
from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from api.graphql.binding import Page, RootField, as_body, compiled, same_names
from api.incidents import service
from api.incidents.feed import Delivery
from api.incidents.repository import INCIDENT_BATCHES


@strawberry.type(description="What became of one delivery of incidents")
class IncidentBatch:
    """A batch; only its sender sees it."""

    id: strawberry.ID
    status: str
    received: int
    accepted: int
    updated: int
    unchanged: int
    rejected: int
    unlocated: int
    errors: JSON
    completed_at: datetime


@strawberry.type(description="A page of batches")
class IncidentBatchPage(Page):
    """A page of batches."""

    items: list[IncidentBatch]


@strawberry.type
class IncidentQuery:
    """Root fields about incident batches."""

    @strawberry.field(description="The caller's own batches, newest first")
    def incident_batches(self, page: int = 1, limit: int = 20) -> IncidentBatchPage:
        """Compiled."""
        compiled()

    @strawberry.field(description="One of the caller's own batches, or null")
    def incident_batch(self, batch_id: str) -> IncidentBatch | None:
        """Compiled."""
        compiled()


@strawberry.input(description="An incident row, as over REST")
class IncidentInput:
    """Unknown values reject the row, not the batch."""

    incident_id: str
    occurred_at: str
    stop_id: str
    category: str
    mode: str
    line: str | None = None
    severity: int
    revision: int
    withdrawn: bool | None = None


@strawberry.type(description="A stored batch; query it for its counts and rejected rows")
class StoredBatch:
    """Where the batch is found, and how many rows were rejected is in `incidentBatch(batchId:)`."""

    id: strawberry.ID
    location: str


@strawberry.type
class IncidentMutation:
    """Writes about incidents."""

    @strawberry.mutation(description="Send a batch of incidents; rows are recognised by incidentId and revision")
    async def create_incident_batch(self, info: strawberry.Info, incidents: list[IncidentInput]) -> StoredBatch:
        """As POST /incident-batches."""
        context = info.context
        service.require_sender(context.who)
        parts = context.parts
        body = "\n".join(json.dumps(as_body(row)) for row in incidents).encode()
        delivery = Delivery(io.BytesIO(body), hashlib.sha256(body).hexdigest(), "application/x-ndjson")
        batch_id = str(parts.new_id())
        async with parts.database.transaction() as connection:
            await service.take_batch(connection, delivery, who=context.who, batch_id=batch_id, clock=parts.clock)
        location = f"{parts.settings.api_url}/incident-batches/{batch_id}"
        return StoredBatch(id=strawberry.ID(batch_id), location=location)


def _own(arguments: object) -> tuple[tuple[str, object], ...]:
    return (("id", arguments["batchId"]),)  # type: ignore[index]


ROOTS = (
    RootField("incidentBatches", INCIDENT_BATCHES, paged=True, filters=same_names()),
    RootField("incidentBatch", INCIDENT_BATCHES, paged=False, filters=_own),
)
