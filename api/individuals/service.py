"""What can be done with individuals. Callers open the transaction; nothing here commits.

INVARIANT: no problem raised here repeats what was sent about the person.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.asking import Asking
from api.disclosure.selection import Selection, every_field
from api.errors import Fault, Problem, not_found
from api.individuals.pseudonyms import person_key
from api.individuals.repository import INDIVIDUALS, add_individual, protect_person, remove_individual
from api.individuals.schemas import IndividualIn
from api.mappings.repository import mapping_exists
from api.protection.sealing import Sealer

# A samordningsnummer has 60 added to its day; with an unknown birth date, month and day may be 0.
_COORDINATION = 60
_LUHN_DIGITS = slice(2, None)

Filters = tuple[tuple[str, Any], ...]
Sort = tuple[tuple[str, bool], ...]


def individuals(mapping_id: UUID, filters: Filters, sort: Sort, offset: int, limit: int) -> Selection:
    """The selection of the individuals of a mapping."""
    all_filters = (("mapping", mapping_id), *filters)
    return Selection(INDIVIDUALS, every_field(INDIVIDUALS), all_filters, sort, offset, limit)


def disclosed_individuals(decision_id: UUID, filters: Filters, sort: Sort, offset: int, limit: int) -> Selection:
    """The selection of what one decision discloses to the caller, wherever the persons were."""
    all_filters = (("decision", decision_id), *filters)
    return Selection(INDIVIDUALS, every_field(INDIVIDUALS), all_filters, sort, offset, limit)


def one_individual(mapping_id: UUID, individual_id: UUID) -> Selection:
    """The selection of one individual of a mapping."""
    filters = (("mapping", mapping_id), ("id", individual_id))
    return Selection(INDIVIDUALS, every_field(INDIVIDUALS), filters, limit=1, total=False)


def require_authority(who: Asking, authorities: frozenset[str]) -> None:
    """Let only authorities hold data on individuals (2018:218 3:9). Raises `Problem` 403."""
    if who.agency.sector not in authorities:
        raise Problem(
            "forbidden",
            f"individuals may be recorded by authorities only; `{who.agency.slug}` is {who.agency.sector}",
        )


async def create_individual(
    connection: AsyncConnection,
    body: IndividualIn,
    *,
    who: Asking,
    mapping_id: UUID,
    individual_id: UUID,
    sealer: Sealer,
    now: datetime,
    today: date,
) -> list[UUID]:
    """Store an individual, sealed. Raises `Problem` 404 for the mapping, 409 naming every contradiction.

    Protected identity is the person's, not the row's: whoever one row of the holder says has it, all rows under the
    same identity number say has it. Returns the rows that did not say so before.
    """
    if not await mapping_exists(connection, mapping_id):
        raise not_found("the mapping")
    faults = [*_faults(body, today)]
    if faults:
        raise Problem("conflict", f"{faults[0].where}: {faults[0].what}", faults=faults)
    holder = who.agency.slug
    number = None if body.identity_number is None else body.identity_number.replace("-", "")

    def sealed(field: str, value: str | None) -> bytes | None:
        return None if value is None else sealer.seal(str(individual_id), field, value)

    person = None if number is None else person_key(sealer.pseudonym_key, holder, number)
    protected, newly = body.protected_identity, list[UUID]()
    if person is not None:
        protected, newly = await protect_person(connection, holder, person, told=body.protected_identity)
    individual = body.model_dump(exclude={"identity_number", "contact"}) | {
        "id": individual_id,
        "mapping_id": mapping_id,
        "holder": holder,
        "identity_number_sealed": sealed("identityNumber", number),
        "contact_sealed": sealed("contact", body.contact),
        "person_key": person,
        "protected_identity": protected,
        "recorded_by": who.caller.subject,
        "created_at": now,
    }
    await add_individual(connection, individual)
    return newly


async def erase_individual(connection: AsyncConnection, *, who: Asking, mapping_id: UUID, individual_id: UUID) -> None:
    """Erase a row of the caller's agency. Raises `Problem` 404 in the same words for any other id."""
    holder = who.agency.slug
    if not await remove_individual(connection, holder=holder, mapping_id=mapping_id, individual_id=individual_id):
        raise not_found("the individual")


def _faults(body: IndividualIn, today: date) -> Iterator[Fault]:
    if body.identity_number is not None and (wrong := wrong_identity_number(body.identity_number)) is not None:
        yield Fault("body.identityNumber", wrong, "check the number, or leave it out")
    if body.birth_date is not None and body.birth_date > today:
        yield Fault("body.birthDate", "lies in the future", "check the date, or leave it out")
    if body.observed_on > today:
        yield Fault("body.observedOn", "lies in the future", "give the day of the observation")
    if body.birth_date is not None and body.observed_on < body.birth_date:
        yield Fault("body.observedOn", "lies before `birthDate`", "check both dates")


def wrong_identity_number(number: str) -> str | None:
    """What is wrong with a personnummer or samordningsnummer of twelve digits, if anything.

    It is not compared with the birth date: a number may carry another day than that of the birth.
    """
    digits = number.replace("-", "")
    if not _is_day(int(digits[:4]), int(digits[4:6]), int(digits[6:8])):
        return "does not begin with a day of the calendar"
    return None if _luhn(digits[_LUHN_DIGITS]) else "has a wrong check digit"


def _is_day(year: int, month: int, day: int) -> bool:
    if day >= _COORDINATION:
        day -= _COORDINATION
        month, day = month or 1, day or 1
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _luhn(digits: str) -> bool:
    """Whether the last digit checks the others (modulus 10, every other digit doubled)."""
    doubled = (int(digit) * (2 - nth % 2) for nth, digit in enumerate(digits))
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0
