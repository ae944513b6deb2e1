"""What can be wrong with a grant beside the law's own conditions: rows, attestations, time, and what was asked for."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from api.errors import Fault
from api.individuals.repository import HeldItem
from api.requests.repository import RequestRow
from api.requests.service import Desk
from policies.grants import LOCATING_FIELDS, GrantCheck, unattested
from policies.model import Field, Law

_SWEDEN = ZoneInfo("Europe/Stockholm")
# Made for follow-up: nobody asks for it by its kind.
_NOT_ASKED_FOR = frozenset({"pseudonym"})


def foreign(items: Sequence[UUID], held: Mapping[UUID, HeldItem]) -> Iterator[Fault]:
    """INVARIANT: one answer for rows of others and for rows that do not exist."""
    for nth, item in enumerate(items):
        if item not in held:
            yield Fault(f"body.items[{nth}]", "is no row of your agency's", "name rows that your agency recorded")


def lacking_attestations(check: GrantCheck, given: Mapping[str, str], law: Law) -> Iterator[Fault]:
    """What the law demands and nobody wrote down, and what was written down under no name that the law has."""
    for name in unattested(check.attestations, given):
        yield Fault(f"body.attestations.{name}", "is not attested to", f"attest to it: {law.attestations[name].en}")
    for name in given:
        if name not in law.attestations:
            yield Fault(f"body.attestations.{name}", "is no attestation", "take the ids of the checklist")


def untimely(until: datetime, desk: Desk, most_days: int) -> Iterator[Fault]:
    """INVARIANT: a decision is made for a stated time. What is to go on is looked at again, by a person."""
    if until <= desk.now:
        yield Fault("body.validUntil", "has passed", "give a day or an instant to come")
    elif until > end_of(desk.today + timedelta(days=most_days)):
        what = f"is more than {most_days} days away"
        yield Fault("body.validUntil", what, "decide again when the time has passed")


def end_of(until: date | datetime) -> datetime:
    """When a decision ends: the instant itself, or the midnight in Sweden that ends the day."""
    if isinstance(until, datetime):
        return until
    return datetime.combine(until + timedelta(days=1), time(), _SWEDEN).astimezone(UTC)


def unasked(request: RequestRow, names: Sequence[str], law: Law) -> Iterator[Fault]:
    """Fields of kinds that were not asked for; what goes with every row (its key) nobody has to ask for.

    But the place: to name it is to show it of a person with protected identity too.
    """
    for name in dict.fromkeys(names):
        field = law.fields["individual", name]
        goes_with_row = field.key and name not in LOCATING_FIELDS
        if not goes_with_row and field.kind.id not in request.kinds and name not in _NOT_ASKED_FOR:
            what = f"is of the kind {field.kind.id}, which was not asked for"
            yield Fault(f"body.fields.{name}", what, "disclose it on own initiative, if a provision allows that")


def not_given(kinds: Sequence[str], names: Sequence[str], law: Law) -> tuple[str, ...]:
    """The kinds that were asked for and of which not every field is given."""
    asked: list[Field] = [field for field in law.fields_of("individual") if field.kind.id in kinds and not field.key]
    rest = {field.kind.id for field in asked if field.name not in {*names, *_NOT_ASKED_FOR}}
    return tuple(kind for kind in kinds if kind in rest)
