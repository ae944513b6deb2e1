"""What can be done with disclosure decisions. Callers open the transaction; nothing here commits.

INVARIANT: what is stored here the law of the day allows, for every field of every row, and it carries every attestation
that the law demands. Software checks the hard conditions; a person with a role attests to the rest.
INVARIANT: a row that is not the holder's own is refused in the same words as one that does not exist.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.selection import Selection, every_field
from api.disclosure.stepping import Between, Leaf, step_leaf
from api.errors import Fault, Problem, conflict, not_found
from api.individuals.pseudonyms import pseudonym
from api.individuals.repository import HeldItem, held_items
from api.requests.decisions.checks import end_of, foreign, lacking_attestations, not_given, unasked, untimely
from api.requests.decisions.repository import (
    DECISIONS,
    DecisionRow,
    add_decision,
    aliases_of,
    change_decision,
    known_aliases,
    lock_decision,
    lock_live_decisions,
    tells_place,
)
from api.requests.decisions.schemas import GrantIn, OwnInitiativeIn, RefusalIn
from api.requests.repository import Party, RequestRow, change_request, parties
from api.requests.service import Desk, Filters, Sort, lock, refuse, step, unknown_agency, unknown_provision, way_between
from api.requests.states import decision_state
from policies.appeals import appeal_of, refusal_citation
from policies.grants import GrantCheck, Item, Way, check_grant, locked_by_protection
from policies.model import Law

_NOW_PROTECTED = "Skyddad identitet, 21 kap. 3 § OSL"


@dataclass(frozen=True, slots=True)
class Granting:
    """What a grant needs beside the desk: new ids, and how many days a decision may live."""

    desk: Desk
    new_id: Callable[[], UUID]
    most_days: int


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be handed out, in the words of either body, and between whom; `items` in its places, some twice."""

    way: Way
    holder: Party
    recipient: Party
    items: tuple[UUID, ...]
    fields: tuple[str, ...]
    valid_until: date | datetime
    attestations: Mapping[str, str]


def decisions(filters: Filters, sort: Sort, offset: int, limit: int) -> Selection:
    """The selection of a list of decisions."""
    return Selection(DECISIONS, every_field(DECISIONS), filters, sort, offset, limit)


def one_decision(decision_id: UUID) -> Selection:
    """The selection of one decision."""
    return Selection(DECISIONS, every_field(DECISIONS), (("id", decision_id),), limit=1, total=False)


async def decide_request(
    connection: AsyncConnection, request_id: UUID, body: GrantIn | RefusalIn, granting: Granting, decision_id: UUID
) -> Leaf:
    """Grant a request, all or part of it, or refuse it. Raises `Problem` 404, 403, or 409 naming every obstacle."""
    desk = granting.desk
    request = await lock(connection, request_id, desk, "holder")
    known = await parties(connection, [request.holder, request.requester])
    holder, requester = known[request.holder], known[request.requester]
    if isinstance(body, RefusalIn):
        state = step(request, "refuse", "holder")
        changes = _refusal(request, request.kinds, body.reason, holder, requester, desk)
        await change_request(connection, request_id, changes | _decided(state, desk))
        return desk.leaf("disclosure-refusal", request, {"citation": changes["refusal_citation"]})
    rest = not_given(request.kinds, body.fields, desk.law)
    state = step(request, "grant-in-part" if rest else "grant", "holder")
    provision = body.provision or request.provision
    wanted = _Wanted(
        way=way_between(holder, requester, provision, request.purpose, desk.today),
        holder=holder,
        recipient=requester,
        items=tuple(body.items),
        fields=tuple(dict.fromkeys(body.fields)),
        valid_until=body.valid_until,
        attestations=body.attestations,
    )
    changes = _refusal(request, rest, body.reason, holder, requester, desk) if rest else {}
    leaf = await _grant(
        connection, wanted, granting, decision_id, [*unasked(request, body.fields, desk.law)], request=request
    )
    await change_request(connection, request_id, changes | _decided(state, desk))
    return leaf


async def decide_on_own_initiative(
    connection: AsyncConnection, body: OwnInitiativeIn, granting: Granting, decision_id: UUID
) -> Leaf:
    """Disclose what nobody has asked for. Raises `Problem` 409 naming every obstacle; nothing is stored then."""
    desk = granting.desk
    own = desk.who.agency.slug
    known = await parties(connection, [own, body.recipient])
    if body.recipient == own:
        raise conflict("body.recipient", "is your own agency", "your own rows need no decision")
    if body.recipient not in known:
        refuse([unknown_agency("body.recipient")], ())
    way = way_between(known[own], known[body.recipient], body.provision, body.purpose, desk.today)
    wanted = _Wanted(
        way=replace(way, initiative="own-initiative"),
        holder=known[own],
        recipient=known[body.recipient],
        items=tuple(body.items),
        fields=tuple(dict.fromkeys(body.fields)),
        valid_until=body.valid_until,
        attestations=body.attestations,
    )
    return await _grant(connection, wanted, granting, decision_id, [])


async def revoke(connection: AsyncConnection, decision_id: UUID, reason: str | None, desk: Desk) -> Leaf:
    """End a decision now. Raises `Problem` 404 for all but its parties, 403 for the recipient, 409 if it has ended."""
    agency = desk.who.agency.slug
    decision = await lock_decision(connection, decision_id, agency=agency)
    if decision is None:
        raise not_found("the disclosure decision")
    if decision.holder != agency:
        raise Problem("forbidden", "a decision is revoked by the agency that made it")
    state = decision_state(revoked_at=decision.revoked_at, valid_until=decision.valid_until, now=desk.now)
    if state != "live":
        raise conflict("decision.state", f"the decision is {state} already")
    return await _end(connection, decision, reason, desk)


async def end_what_locates(connection: AsyncConnection, items: Sequence[UUID], desk: Desk) -> list[Leaf]:
    """End the own agency's decisions that tell where persons are whose identity has become protected; their leaves.

    They were made before OSL 21:3 was one of the locks. Those whose provision opens it stand.
    """
    leaves = []
    for decision in await lock_live_decisions(connection, items, holder=desk.who.agency.slug, now=desk.now):
        if decision.provision not in desk.law.provisions:
            continue  # it opens nothing
        known = await parties(connection, [decision.holder, decision.recipient])
        holder, recipient = known[decision.holder], known[decision.recipient]
        way = way_between(holder, recipient, decision.provision, decision.purpose, desk.today)
        fields = [desk.law.fields["individual", name] for name in decision.fields]
        told = await tells_place(connection, decision.id)
        if locked_by_protection(way, fields, desk.law, place_told=told):
            leaves.append(await _end(connection, decision, _NOW_PROTECTED, desk))
    return leaves


async def _end(connection: AsyncConnection, decision: DecisionRow, reason: str | None, desk: Desk) -> Leaf:
    caller = desk.who.caller
    changes = {
        "revoked_at": desk.now,
        "revoked_by": caller.subject,
        "revoked_by_role": caller.role,
        "revoke_reason": reason,
    }
    await change_decision(connection, decision.id, changes)
    return step_leaf(
        desk.who,
        "disclosure-revocation",
        Between(decision.holder, decision.recipient),
        {"decision": str(decision.id), "purpose": decision.purpose, "legalBasis": decision.provision},
        policy_version=desk.law.version,
        today=desk.today,
        aliases=await aliases_of(connection, decision.id),
    )


async def _grant(
    connection: AsyncConnection,
    wanted: _Wanted,
    granting: Granting,
    decision_id: UUID,
    faults: list[Fault],
    *,
    request: RequestRow | None = None,
) -> Leaf:
    """Store a decision that nothing stands in the way of, and name its rows towards the recipient."""
    desk = granting.desk
    if wanted.way.provision not in desk.law.provisions:
        refuse([*faults, unknown_provision()], ())
    held = await held_items(connection, wanted.holder.slug, wanted.items)
    check = _check(wanted, held, desk.law, place_told=request is not None and request.scene_id is not None)
    until = end_of(wanted.valid_until)
    faults += foreign(wanted.items, held)
    faults += lacking_attestations(check, wanted.attestations, desk.law)
    faults += untimely(until, desk, granting.most_days)
    refuse(faults, check.obstacles)
    aliases = await known_aliases(connection, wanted.holder.slug, wanted.recipient.slug, wanted.items)
    aliases = {item: aliases.get(item) or granting.new_id() for item in wanted.items}
    caller = desk.who.caller
    decision = {
        "id": decision_id,
        "request_id": None if request is None else request.id,
        "holder": wanted.holder.slug,
        "recipient": wanted.recipient.slug,
        "provision": wanted.way.provision,
        "purpose": wanted.way.purpose,
        "case_reference": desk.who.case_reference,
        "resource": "individual",
        "fields": list(wanted.fields),
        "attestations": dict(wanted.attestations),
        "decided_by": caller.subject,
        "decided_by_client": caller.client_id,
        "decided_by_role": caller.role,
        "decided_at": desk.now,
        "valid_from": desk.now,
        "valid_until": until,
        "age_below": check.wording.age_below if check.wording else None,
        "age_from": check.wording.age_from if check.wording else None,
    }
    items = [
        {"item_id": item, "alias": aliases[item], "pseudonym": _pseudonym(held[item], wanted, desk)} for item in aliases
    ]
    await add_decision(connection, decision, items)
    said = {
        "decision": str(decision_id),
        "request": None if request is None else str(request.id),
        "initiative": wanted.way.initiative,
        "purpose": wanted.way.purpose,
        "legalBasis": wanted.way.provision,
        "caseReference": desk.who.case_reference if request is None else request.case_reference,
        "fields": list(wanted.fields),
        "attestations": sorted(wanted.attestations),
        "validUntil": until.isoformat(),
    }
    return step_leaf(
        desk.who,
        "disclosure-decision",
        Between(wanted.holder.slug, wanted.recipient.slug),
        said,
        policy_version=desk.law.version,
        today=desk.today,
        aliases=aliases,
    )


def _check(wanted: _Wanted, held: Mapping[UUID, HeldItem], law: Law, *, place_told: bool) -> GrantCheck:
    """What the law says of the fields and of those rows that are the holder's; of others it is not asked."""
    items = {
        f"items[{nth}]": Item(held[item].birth_date, held[item].protected_identity)
        for nth, item in enumerate(wanted.items)
        if item in held
    }
    fields = [law.fields["individual", name] for name in wanted.fields]
    return check_grant(wanted.way, fields, items, law, place_told=place_told)


def _pseudonym(item: HeldItem, wanted: _Wanted, desk: Desk) -> str:
    person = item.person_key or item.id
    return pseudonym(desk.sealer.pseudonym_key, wanted.recipient.slug, wanted.holder.slug, person)


def _refusal(
    request: RequestRow, kinds: Sequence[str], reason: str | None, holder: Party, requester: Party, desk: Desk
) -> dict[str, Any]:
    appeal = appeal_of(holder.sector, requester.sector, desk.law)
    sealed = None if reason is None else desk.sealer.seal(str(request.id), "refusalReason", reason)
    return {
        "refusal_reason_sealed": sealed,
        "refusal_citation": refusal_citation(kinds, holder.sector, desk.law),
        "refusal_appeal": {"citation": appeal.citation, "sv": appeal.text.sv, "en": appeal.text.en},
    }


def _decided(state: str, desk: Desk) -> dict[str, Any]:
    caller = desk.who.caller
    return {
        "state": state,
        "decided_at": desk.now,
        "decided_by": caller.subject,
        "decided_by_role": caller.role,
    }
