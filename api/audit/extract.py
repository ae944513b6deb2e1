"""The extract for a person (*loggutdrag*): what happened to that person's rows at one holder, and nothing of others.

What BDF 3:4 asks of a log: what, when, who read, who received; and beside it the purpose and the provision.
"""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from api.audit.schemas import Days
from policies.document.swedish import FIELDS
from policies.model import Law

RESOURCE = "individual"
COLUMNS = ("tid", "händelse", "uppgifter", "utförd av", "roll", "mottagare", "ändamål", "bestämmelse")
_SWEDEN = ZoneInfo("Europe/Stockholm")
_BETWEEN = ", "
_EVENTS = {
    ("answer", "giver"): "uppgift lämnad till annan myndighet",
    ("answer", "receiver"): "uppgift läst i den egna verksamheten",
    ("collection", "receiver"): "uppgift antecknad",
    ("erasure", "receiver"): "uppgift gallrad",
    ("extract", "receiver"): "loggutdrag framställt",
    ("disclosure-decision", "giver"): "beslut om utlämnande",
    ("disclosure-revocation", "giver"): "beslut om utlämnande återkallat",
}
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Event:
    """One line. `fields` are names of the law file; `provisions` pairs of id and citation."""

    at: str
    kind: str
    event: str
    fields: tuple[str, ...]
    subject: str | None
    subject_role: str | None
    recipient: str | None
    recipient_name: str | None
    purpose: str | None
    provisions: tuple[tuple[str, str], ...]


def decisions_in(rows: Iterable[Mapping[str, Any]]) -> set[UUID]:
    """The decisions that the entries rest on."""
    return {UUID(decision) for row in rows for _, _, decision in _released(row) if decision is not None}


def events(
    rows: Iterable[Mapping[str, Any]],
    named: Mapping[UUID, Collection[UUID]],
    agencies: Mapping[str, str],
    law: Law,
) -> Iterator[Event]:
    """A line for each entry. `named` are the decisions on record, each with those of the person's rows that it names.

    `agencies` are the names of those that received. An entry says what was opened of all rows that were shown; what a
    decision about others opened is left out.
    INVARIANT: no id of a row or of a decision is taken over.
    """
    for row in rows:
        shown = _shown(row)
        released = [
            (field, ground)
            for field, ground, decision in _released(row)
            if decision is None or UUID(decision) not in named or not shown.isdisjoint(named[UUID(decision)])
        ]
        fields = [field for field, _ in released] or row["fields"] or []
        grounds = [ground for _, ground in released] or ([row["legalBasis"]] if row["role"] == "giver" else [])
        # Of one's own reading nobody else received anything.
        recipient = row["recipient"] if row["role"] == "giver" else None
        cited = [rule for rule in dict.fromkeys(grounds) if rule in law.provisions]
        yield Event(
            at=row["at"],
            kind=row["kind"],
            event=_EVENTS.get((row["kind"], row["role"]), row["kind"]),
            fields=tuple(dict.fromkeys(fields)),
            subject=row["subject"],
            subject_role=row["subjectRole"],
            recipient=recipient,
            recipient_name=None if recipient is None else agencies.get(recipient, recipient),
            purpose=row["purpose"],
            provisions=tuple((rule, law.provisions[rule].citation) for rule in cited),
        )


def _shown(row: Mapping[str, Any]) -> set[UUID]:
    """The ids of the rows that a giver's entry is about."""
    return {UUID(one) for one in row["items"][RESOURCE]} if row["role"] == "giver" else set()


def _released(row: Mapping[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    """Field, ground and decision of what was shown of the holder's own rows."""
    for one in row["resources"] or ():
        if one.get("resource") != RESOURCE:
            continue
        for field, ground, *rest in one["released"]:
            if row["role"] == "giver":
                yield field, ground, rest[0]
            elif ground == "own-data":
                yield field, ground, None


def as_json(event: Event) -> dict[str, Any]:
    """A line as the interface shows it."""
    return {
        "at": event.at,
        "kind": event.kind,
        "event": event.event,
        "fields": list(event.fields),
        "subject": event.subject,
        "subjectRole": event.subject_role,
        "recipient": event.recipient,
        "recipientName": event.recipient_name,
        "purpose": event.purpose,
        "provisions": [{"id": identity, "citation": citation} for identity, citation in event.provisions],
    }


def as_table(found: Iterable[Event], law: Law) -> list[Sequence[str]]:
    """The lines in plain Swedish, cells in the order of `COLUMNS`; times are Swedish."""
    return [
        (
            datetime.fromisoformat(event.at).astimezone(_SWEDEN).strftime("%Y-%m-%d %H:%M:%S"),
            event.event,
            _BETWEEN.join(FIELDS[RESOURCE].get(field, field) for field in event.fields),
            event.subject or "",
            event.subject_role or "",
            event.recipient_name or "",
            _purpose(event.purpose, law),
            _BETWEEN.join(citation for _, citation in event.provisions),
        )
        for event in found
    ]


def _purpose(purpose: str | None, law: Law) -> str:
    known = law.purposes.get(purpose or "")
    return known.sv if known is not None else purpose or ""


def as_csv(table: Iterable[Sequence[str]]) -> str:
    """The table with a header (RFC 4180). A cell that a spreadsheet would reckon with is made a text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in table:
        writer.writerow(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row)
    return text.getvalue()


def file_name(days: Days) -> str:
    """What the table is saved as: a table has no room to say which days it is limited to."""
    limits = [day.isoformat() if day is not None else "" for day in days]
    return f"loggutdrag_{'--'.join(limits)}.csv" if any(limits) else "loggutdrag.csv"
