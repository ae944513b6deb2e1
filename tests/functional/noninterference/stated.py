"""What every table is to a caller X: the one place where somebody must say so before a new table passes the test.

public    the law and the contracts say it to anybody: may never differ
shared    any registered agency's token reads it: may differ only in the `hidden` columns
own       a row is its owner's, and others' only as the law says: rows of others may differ, come and go
log       what the service keeps for itself: rows of others may differ, come and go

`hidden` names the columns of a shared table that some callers, or all of them, never get.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Stated:
    rows: Literal["public", "shared", "own", "log"]
    why: str
    hidden: frozenset[str] = frozenset()


def _shared(why: str, *hidden: str) -> Stated:
    return Stated("shared", why, frozenset(hidden))


TABLES: dict[str, Stated] = {
    "agencies": _shared("GET /agencies"),
    "municipalities": _shared("places"),
    "districts": _shared("places"),
    "schools": _shared("places"),
    "stations": _shared("places"),
    "interventions": _shared("the method catalogue"),
    "stated_figures": _shared("figures that papers state"),
    "scenes": _shared(
        "any agency's; who registered one, and when, is shown nowhere", "created_by", "created_at", "updated_at"
    ),
    "scene_outlines": _shared("part of the scene"),
    "outline_stations": _shared("follows from outlines and stations"),
    # `created_at` is not hidden: of two mappings of one day it says which one an edition is made from.
    "mappings": _shared("police work is the police's; exact counts are nobody's", "police_work", "affected_counts"),
    "situation_reports": _shared("editions are shared but for police work", "police_work"),
    "surveys": _shared("answers are shared; the officer who gave them is shown nowhere", "answered_by"),
    "survey_interventions": _shared("part of the answer"),
    # The police send them and know them. To everybody else a count of 1-4 and one kept back look the same.
    "crime_counts": _shared("small counts are the police's", "count"),
    "individuals": Stated("own", "existence itself is secret to all but the holder and whom a decision names"),
    "disclosure_decisions": Stated("own", "between holder and recipient, while it lives and for its purpose"),
    "disclosure_decision_items": Stated("own", "as the decision"),
    "incident_batches": Stated("own", "a batch is its sender's alone"),
    "incidents": Stated("own", "its sender's; others get protected counts in editions"),
    "ledger_leaves": Stated("log", "who asked for what is between the asker and the auditor"),
    "idempotent_answers": Stated("log", "a key is one client's"),
}
