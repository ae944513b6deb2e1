"""What every table is to a caller X: the one place where somebody must say so before a new table passes the test.

public    the law and the contracts say it to anybody: may never differ
shared    any registered agency's token reads it: may differ only in the `hidden` columns
own       a row is its owner's, and others' only as the law says: rows of others may differ, come and go
log       what the service keeps for itself: rows of others may differ, come and go

`hidden` names the columns of a shared table that some callers, or all of them, never get; `random` those that no two
writes leave alike.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Stated:
    rows: Literal["public", "shared", "own", "log"]
    why: str
    hidden: frozenset[str] = frozenset()
    # Columns that are drawn at random for each write, so that even the same write leaves them otherwise.
    random: frozenset[str] = frozenset()


def _shared(why: str, *hidden: str) -> Stated:
    return Stated("shared", why, frozenset(hidden))


_TEXTS = frozenset(
    f"{text}_sealed" for text in ("question", "why", "supplement_question", "supplement_answer", "refusal_reason")
)
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
    "individuals": Stated(
        "own",
        "existence itself is secret to all but the holder and whom a decision names",
        random=frozenset({"identity_number_sealed", "contact_sealed"}),
    ),
    "retention_rules": Stated("log", "the operator sets them, and no read shows them"),
    "disclosure_requests": Stated("own", "between requester and holder", random=_TEXTS),
    "disclosure_decisions": Stated("own", "between holder and recipient"),
    "disclosure_decision_items": Stated("own", "as the decision"),
    "incident_batches": Stated("own", "a batch is its sender's alone"),
    "incidents": Stated("own", "its sender's; others get protected counts in editions"),
    "ledger_leaves": Stated("log", "that there was an answer, and when, is everybody's; whose it was, its parties'"),
    "ledger_parts": Stated("log", "each is one agency's, and no other sees that there is one"),
    "ledger_nodes": Stated("log", "hashes over leaves"),
    "ledger_head": Stated("log", "how many leaves there are, and hashes over them"),
    "ledger_witnesses": Stated("public", "GET /ledger/key"),
    "ledger_cosignatures": Stated("public", "part of GET /ledger/checkpoint"),
    "idempotent_answers": Stated("log", "a key is one client's"),
}

# What everybody may see of the log: how many answers there were, when, and hashes over random salts. Where as many were
# given in both worlds it must look alike but for the hashes, whoever was given them and whatever they were.
LOG_FACES = ("checkpoint", "key", "leaves", "proofs", "cosignatures")
