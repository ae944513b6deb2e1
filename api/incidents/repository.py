"""Incident batches as rows and as the resource that the gate reads; the staging and merging of incidents."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, bindparam, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from api.agencies.tables import Agency
from api.disclosure.resource import AGENCY, Filter, Resource
from api.incidents.tables import IncidentBatch
from api.store.base import table_of

_AGENCIES = table_of(Agency)
_BATCHES = table_of(IncidentBatch)

INCIDENT_BATCHES = Resource(
    name="incident-batch",
    source=_BATCHES,
    key=_BATCHES.c.id,
    # INVARIANT: a batch is its sender's alone; to every other agency it does not exist.
    base=_BATCHES.c.agency == AGENCY,
    fields={
        "id": _BATCHES.c.id,
        "status": _BATCHES.c.status,
        "received": _BATCHES.c.received,
        "accepted": _BATCHES.c.accepted,
        "updated": _BATCHES.c.updated,
        "unchanged": _BATCHES.c.unchanged,
        "rejected": _BATCHES.c.rejected,
        "unlocated": _BATCHES.c.unlocated,
        "errors": _BATCHES.c.errors,
        "completedAt": _BATCHES.c.completed_at,
    },
    order=(_BATCHES.c.completed_at.desc(), _BATCHES.c.id),
    filters={"id": Filter(("id",), _BATCHES.c.id == bindparam("id", type_=Text()), lambda value: {"id": value})},
)

# A row ready to be staged: its number, then the columns in this order.
Staged = tuple[Any, ...]
_STAGED = (
    "row",
    "incident_id",
    "revision",
    "occurred_at",
    "stop_id",
    "category",
    "mode",
    "line",
    "severity",
    "withdrawn",
)
_STAGING = "staged_incidents"
_STAGE = f"""
CREATE TEMPORARY TABLE {_STAGING} (
    row integer, incident_id text, revision integer, occurred_at timestamptz, stop_id text, category text, mode text,
    line text, severity integer, withdrawn boolean) ON COMMIT DROP
"""
# A row with an unknown stop is out before the others are compared. Of the rows left, the first of each revision stands
# for it; revisions are taken in their order, after the one on record.
# INVARIANT: content of one revision never changes, so that whoever has read it has read the same.
_MERGE = f"""
WITH located AS (
    SELECT r.*, s.stop_id IS NOT NULL AS known, s.position IS NULL AS unlocated,
           ROW(r.occurred_at, r.stop_id, r.category, r.mode, r.line, r.severity, r.withdrawn) AS content
      FROM {_STAGING} r LEFT JOIN stations s ON s.stop_id = r.stop_id
), ranked AS (
    SELECT l.*, row_number() OVER revision AS nth, first_value(l.content) OVER revision AS first_content,
           min(l.revision) OVER (PARTITION BY l.known, l.incident_id) AS lowest
      FROM located l
    WINDOW revision AS (PARTITION BY l.known, l.incident_id, l.revision ORDER BY l.row)
), held AS (
    SELECT i.incident_id, i.revision,
           ROW(i.occurred_at, i.stop_id, i.category, i.mode, i.line, i.severity, i.withdrawn) AS content
      FROM incidents i WHERE i.agency = :agency
), judged AS MATERIALIZED (
    SELECT k.row, k.incident_id, k.revision, k.occurred_at, k.stop_id, k.category, k.mode, k.line, k.severity,
           k.withdrawn, k.unlocated,
           CASE WHEN NOT k.known THEN 'unknown-stop'
                WHEN k.revision < h.revision THEN 'unchanged'
                WHEN k.revision = h.revision THEN
                     CASE WHEN k.content = h.content THEN 'unchanged' ELSE 'contradiction' END
                WHEN k.nth > 1 THEN
                     CASE WHEN k.content = k.first_content THEN 'unchanged' ELSE 'contradiction' END
                WHEN h.incident_id IS NULL AND k.revision = k.lowest THEN 'accepted'
                ELSE 'updated' END AS verdict
      FROM ranked k LEFT JOIN held h ON h.incident_id = k.incident_id
), stored AS (
    INSERT INTO incidents (agency, incident_id, revision, occurred_at, stop_id, category, mode, line, severity,
                           withdrawn, batch_id)
    SELECT DISTINCT ON (incident_id) :agency, incident_id, revision, occurred_at, stop_id, category, mode, line,
           severity, withdrawn, :batch
      FROM judged WHERE verdict IN ('accepted', 'updated') ORDER BY incident_id, revision DESC
    ON CONFLICT (agency, incident_id) DO UPDATE SET
        revision = excluded.revision, occurred_at = excluded.occurred_at, stop_id = excluded.stop_id,
        category = excluded.category, mode = excluded.mode, line = excluded.line, severity = excluded.severity,
        withdrawn = excluded.withdrawn, batch_id = excluded.batch_id
)
SELECT verdict, count(*) AS rows, count(*) FILTER (WHERE unlocated) AS unlocated,
       (array_agg(row ORDER BY row) FILTER (WHERE verdict IN ('unknown-stop', 'contradiction')))
           [1 : CAST(:named AS integer)] AS named
  FROM judged GROUP BY verdict
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many staged rows met one fate, how many of them at a stop without position, and the first ones' numbers."""

    rows: int = 0
    unlocated: int = 0
    named: tuple[int, ...] = ()


async def find_batch(connection: AsyncConnection, agency: str, batch_id: str) -> Any | None:
    """The batch's digest as a row, or `None`."""
    found = select(_BATCHES.c.digest).where(_BATCHES.c.agency == agency, _BATCHES.c.id == batch_id)
    return (await connection.execute(found)).first()


async def lock_sender(connection: AsyncConnection, agency: str) -> None:
    """Let one batch of an agency at a time be merged, until the transaction ends."""
    await connection.execute(select(_AGENCIES.c.slug).where(_AGENCIES.c.slug == agency).with_for_update(key_share=True))


async def open_staging(connection: AsyncConnection) -> None:
    """Make the table that this transaction stages rows in; it goes with the transaction."""
    await connection.execute(text(_STAGE))


async def stage(connection: AsyncConnection, rows: Iterable[Staged]) -> None:
    """Add rows to the staging table."""
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    await driver.copy_records_to_table(_STAGING, records=rows, columns=_STAGED)


async def merge_staged(connection: AsyncConnection, agency: str, batch_id: str, *, named: int) -> dict[str, Verdict]:
    """Judge every staged row against what is on record and store what is new, under `lock_sender`.

    The verdicts are accepted, updated, unchanged, unknown-stop and contradiction (same revision, other content);
    the last two carry the numbers of their first `named` rows.
    """
    await connection.execute(text(f"ANALYZE {_STAGING}"))
    judged = await connection.execute(text(_MERGE), {"agency": agency, "batch": batch_id, "named": named})
    return {row.verdict: Verdict(row.rows, row.unlocated, tuple(row.named or ())) for row in judged}


async def add_batch(connection: AsyncConnection, batch: Mapping[str, Any]) -> None:
    """Store what became of a batch."""
    await connection.execute(insert(_BATCHES), [dict(batch)])
