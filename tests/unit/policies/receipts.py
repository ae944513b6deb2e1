"""Entries of the ledger as the gate writes them, for tests that decide them again."""

import json

from api.disclosure.asking import AgencyRef, Asking
from api.disclosure.noting import receiver_part
from api.identity.caller import Caller
from policies.decide import decide


def entry_of(some_facts, law, day, *, kind="answer", agency="polisen"):
    """The receiver's part of one answer about these facts, through JSON and back as the ledger keeps it."""
    first = some_facts[0]
    caller = Caller(agency, "klient", "klient", None, frozenset(), frozenset())
    asking = Asking(
        caller,
        AgencyRef(agency, first.caller_sector, equated=first.caller_equated),
        first.holders,
        first.purpose,
        first.legal_basis,
        "A1" if first.case_reference else None,
    )
    decisions = [decide(facts, law, day) for facts in some_facts]
    return json.loads(json.dumps(receiver_part(asking, decisions, kind, [], []).entry))
