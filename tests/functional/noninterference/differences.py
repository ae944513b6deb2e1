"""Secret differences: what a database may hold otherwise without X being able to tell.

Each kind takes the rows of a world and gives the changes that make it another world which, to X, is the same one. A
change that changes nothing names a row that is worth asking about.
"""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from api.requests.repository import REQUESTS
from api.web.idempotency import RETENTION
from migrations.metadata import metadata
from policies.assess import assess
from policies.catalogue import law
from policies.model import Question
from tests.functional.noninterference import persons
from tests.functional.noninterference.caller import Caller
from tests.functional.noninterference.pools import snake
from tests.functional.noninterference.rows import Change, Row, Rows, key_of
from tests.functional.noninterference.world import PEOPLE, QUIET_MONTH, QUIET_STOP, person, sealed
from tests.support import STOP, UNLOCATED_STOP

Draw = Callable[[random.Random, Caller, Rows], list[Change]]
TEXTS = [None, "Spaning fredagar (fiktivt)", "Razzia (fiktivt)", "Kamera (fiktivt)", "a"]
# Ages matter to provisions at 18 and 21; within a band, all of it turned long ago and none of it turns soon.
_BANDS = ((1950, 2000), (2006, 2007), (2009, 2014))
_PROVISIONS = sorted(law().provisions)


@dataclass(frozen=True)
class Kind:
    """`varies`: the tables whose rows come, go or change, or `table.column` where only that column does."""

    name: str
    varies: tuple[str, ...]
    draw: Draw


KINDS: list[Kind] = []


def _varies(*varies: str) -> Callable[[Draw], Draw]:
    def note(draw: Draw) -> Draw:
        KINDS.append(Kind(draw.__name__, varies, draw))
        return draw

    return note


def _some(rng: random.Random, rows: list[Row], most: int = 3) -> list[Row]:
    return rng.sample(rows, min(len(rows), rng.randint(1, most)))


def _id(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _alter(rng: random.Random, table: str, row: Row, values: dict[str, Any]) -> Change:
    """One to all of these columns take the new values."""
    chosen = rng.sample(sorted(values), rng.randint(1, len(values))) if len(values) > 1 else list(values)
    return Change(table, row, {**row, **{name: values[name] for name in chosen}})


def _moment(x: Caller, rng: random.Random) -> str:
    return (x.now - timedelta(seconds=rng.randint(1, 10**7))).isoformat()


# --- individuals ----------------------------------------------------------------------------------------------------


def _hidden_people(x: Caller, rows: Rows) -> list[Row]:
    seen = x.opened(rows, "individual") if x.sees_persons else {}
    people = rows["individuals"].values()
    return [row for row in people if not (x.sees_persons and (row["holder"] == x.agency or row["id"] in seen))]


def _columns_of_a_person(rng: random.Random, x: Caller, row: Row) -> dict[str, Any]:
    made = person(rng)
    plain = {snake(name): value for name, value in made.items() if name not in persons.FIELDS}
    return plain | persons.columns_of(x.sealer, row, made)


def _another_holder(rng: random.Random, x: Caller) -> str:
    return rng.choice([slug for slug in PEOPLE if not (x.sees_persons and slug == x.agency)])


@_varies("individuals")
def person_appears(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    """New rows of others, now and then a page full of them; some are the very image of a row that X holds itself."""
    mapping, people = rng.choice(list(rows["mappings"].values())), list(rows["individuals"].values())
    changes = []
    for _ in range(rng.choice([1, 2, 3, 25])):
        image = {**rng.choice(people), "holder": _another_holder(rng, x)}
        new = persons.another_id(x.sealer, image, _id(rng))
        if rng.random() < 0.7:
            new |= {"mapping_id": mapping["id"], **_columns_of_a_person(rng, x, new)}
        changes.append(Change("individuals", None, new))
    return changes


@_varies("individuals")
def person_vanishes(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    return [Change("individuals", row, None) for row in _some(rng, _hidden_people(x, rows), 5)]


@_varies("individuals")
def person_is_another(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    changes = []
    for row in _some(rng, _hidden_people(x, rows)):
        values = _columns_of_a_person(rng, x, row) | {"recorded_by": "någon", "created_at": _moment(x, rng)}
        values |= {"holder": _another_holder(rng, x), "mapping_id": rng.choice(list(rows["mappings"].values()))["id"]}
        changes.append(_alter(rng, "individuals", row, values))
    return changes


@_varies("individuals")
def rest_of_a_disclosed_person_is_another(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    """A decision opens some fields of a row; the others, and whatever is shown to nobody, may hold anything."""
    changes = []
    for identity, fields in x.opened(rows, "individual").items():
        row = rows["individuals"].get((identity,))
        if row is None or row["holder"] == x.agency:
            continue
        open_columns = {f"{snake(field)}_sealed" if field in persons.FIELDS else snake(field) for field in fields}
        # It goes with the row, so that the recipient handles it with care.
        open_columns.add("protected_identity")
        values = _columns_of_a_person(rng, x, row) | {"birth_date": _of_the_same_age(rng, row["birth_date"])}
        values |= {"recorded_by": "någon annan", "created_at": _moment(x, rng)}
        if row["protected_identity"] and "mapping" not in fields:
            values["mapping_id"] = rng.choice(list(rows["mappings"].values()))["id"]
        changes.append(_alter(rng, "individuals", row, {k: v for k, v in values.items() if k not in open_columns}))
    return changes


def _of_the_same_age(rng: random.Random, born: str | None) -> str | None:
    """Another birth date to which every provision gives the same answer; the age may decide about the row."""
    for first, last in _BANDS:
        if born is not None and first <= int(born[:4]) <= last:
            return f"{rng.randint(first, last)}-{rng.randint(1, 9):02}-{rng.randint(1, 28):02}"
    return born


@_varies("individuals")
def who_recorded_a_person_is_another(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    new = {"recorded_by": "handläggare-2", "created_at": _moment(x, rng)}
    return [_alter(rng, "individuals", row, new) for row in _some(rng, list(rows["individuals"].values()), 9)]


# --- police work, and columns that nobody is shown ------------------------------------------------------------------


def _police_work(rng: random.Random, x: Caller, rows: Rows, table: str, resource: str) -> list[Change]:
    seen = x.opened(rows, resource)
    hidden = [row for row in rows[table].values() if not x.sees_police_work and row["id"] not in seen]
    return [_alter(rng, table, row, {"police_work": rng.choice(TEXTS)}) for row in _some(rng, hidden, 4)]


@_varies("mappings.police_work")
def police_work_of_a_mapping_is_another(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    return _police_work(rng, x, rows, "mappings", "mapping")


@_varies("situation_reports.police_work")
def police_work_of_an_edition_is_another(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    return _police_work(rng, x, rows, "situation_reports", "situation-report")


@_varies("mappings.affected_counts")
def exact_counts_behind_hidden_ones_are_others(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    changes = []
    for row in _some(rng, list(rows["mappings"].values())):
        counts = [{**exact, "count": rng.randint(1, 4)} if 1 <= exact["count"] <= 4 else exact
                  for exact in row["affected_counts"]]  # fmt: skip
        changes.append(Change("mappings", row, {**row, "affected_counts": counts}))
    return changes


@_varies("crime_counts.count")
def small_crime_count_is_another(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    """To all but the police, who sent it, a count of 1-4 looks like another, and like one kept back."""
    small = [row for row in rows["crime_counts"].values() if row["count"] in (None, 1, 2, 3, 4)]
    if x.sector == "police":
        return []
    return [_alter(rng, "crime_counts", row, {"count": rng.choice([None, 1, 2, 3, 4])}) for row in _some(rng, small, 5)]


@_varies("scenes.created_by", "scenes.created_at", "scenes.updated_at")
def who_registered_a_scene_is_another(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    new = {"created_by": rng.choice(PEOPLE), "created_at": _moment(x, rng), "updated_at": _moment(x, rng)}
    return [_alter(rng, "scenes", row, new) for row in _some(rng, list(rows["scenes"].values()))]


@_varies("surveys.answered_by")
def who_answered_a_survey_is_another(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    return [_alter(rng, "surveys", row, {"answered_by": "någon"}) for row in _some(rng, list(rows["surveys"].values()))]


# --- decisions ------------------------------------------------------------------------------------------------------


def some_decision(rng: random.Random, rows: Rows, x: Caller, **changes: Any) -> tuple[Row, list[Row]]:
    """A decision of some holder, to X or another, and its items: mostly rows that the holder has."""
    holder = rng.choice(PEOPLE)
    recipient = rng.choice([x.agency or PEOPLE[0], *PEOPLE])
    resource = rng.choice(["individual"] * 5 + ["mapping", "situation-report"])
    decision = (
        dict.fromkeys(metadata.tables["disclosure_decisions"].columns.keys())
        | {
            "id": _id(rng),
            "holder": holder,
            "recipient": recipient,
            "purpose": x.purpose if x.purpose and rng.random() < 0.5 else rng.choice(sorted(law().purposes)),
            "resource": resource,
            "attestations": {"receiver-secrecy": rng.choice(["Ja (påhittat)", "Påhittat"])},
            "decided_by": "handläggare-1",
            "decided_at": (x.now - timedelta(days=30)).isoformat(),
            "valid_from": (x.now - timedelta(days=30)).isoformat(),
            "valid_until": (x.now + timedelta(days=3000)).isoformat(),
            "revoked_at": None,
        }
        | changes
    )
    fits = rng.random() < 0.8
    decision["provision"] = _fitting(rng, rows, decision, x) if fits else rng.choice(_PROVISIONS)
    names = [field.name for field in law().fields_of(decision["resource"]) if field.kind.level == "protected"]
    decision["fields"] = rng.sample(names, rng.randint(0, len(names)))
    table = {"individual": "individuals", "mapping": "mappings", "situation-report": "situation_reports"}[resource]
    own = [row["id"] for row in rows[table].values() if row.get("holder", holder) == holder or rng.random() < 0.1]
    items = rng.sample(own, min(len(own), rng.randint(0, 8)))
    return decision, [_item(decision, item) for item in [*items, _id(rng)]]


def _item(decision: Row, item: str) -> Row:
    """A row named by a decision, under its one alias towards that recipient."""
    alias = uuid.uuid5(uuid.UUID(item), f"{decision['holder']} {decision['recipient']}")
    return {"decision_id": decision["id"], "item_id": item, "alias": str(alias), "pseudonym": f"p{alias.hex[:8]}"}


def _fitting(rng: random.Random, rows: Rows, decision: Row, x: Caller) -> str:
    """A provision that today's law lets such a decision rest on, if any: most others would open nothing."""
    holder, recipient = (rows["agencies"][decision[side],]["sector"] for side in ("holder", "recipient"))
    kind = "police-operation" if decision["resource"] != "individual" else "person-circumstance"
    answers = assess(Question(holder, recipient, decision["purpose"], x.now.date(), kind), law())
    return rng.choice([answer.provision.id for answer in answers if answer.available] or _PROVISIONS)


def as_changes(decision: Row, items: list[Row]) -> list[Change]:
    made = [Change("disclosure_decision_items", None, item) for item in items]
    return [Change("disclosure_decisions", None, decision), *made]


def dead(rng: random.Random, x: Caller) -> dict[str, Any]:
    """What alone keeps a decision to X from opening anything to X here and now; that there is one, X knows."""
    another = [name for name in sorted(law().purposes) if name != x.purpose]
    dead = rng.choice([
        {"revoked_at": x.now.isoformat()},
        {"valid_until": x.now.isoformat(), "valid_from": (x.now - timedelta(days=9)).isoformat()},
        {"valid_from": (x.now + timedelta(seconds=1)).isoformat()},
        {"purpose": rng.choice(another)},
    ])  # fmt: skip
    return ({"purpose": x.purpose} if x.purpose else {}) | dead


@_varies("disclosure_decisions", "disclosure_decision_items")
def decision_appears(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    """Between others."""
    made = []
    for _ in range(rng.randint(1, 3)):
        recipient = rng.choice([slug for slug in PEOPLE if slug != x.agency])
        holder = rng.choice([slug for slug in PEOPLE if slug not in (x.agency, recipient)])
        made += as_changes(*some_decision(rng, rows, x, holder=holder, recipient=recipient))
    return made


def _hidden_decisions(x: Caller, rows: Rows) -> list[Row]:
    return [row for row in rows["disclosure_decisions"].values() if not x.is_party(row)]


@_varies("disclosure_decisions", "disclosure_decision_items")
def decision_vanishes(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    gone = _some(rng, _hidden_decisions(x, rows))
    ids = {row["id"] for row in gone}
    items = [row for row in rows["disclosure_decision_items"].values() if row["decision_id"] in ids]
    return [Change("disclosure_decision_items", row, None) for row in items] + [
        Change("disclosure_decisions", row, None) for row in gone
    ]


@_varies("disclosure_decisions")
def decision_is_another(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    changes = []
    for row in _some(rng, _hidden_decisions(x, rows)):
        values = {"fields": ["name", "role"], "provision": "osl-10-27", "attestations": {"a": "b"}, "decided_by": "b"}
        changes.append(_alter(rng, "disclosure_decisions", row, values))
    return changes


@_varies("disclosure_decisions")
def what_a_decision_keeps_from_its_parties_is_another(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    """Who decided, and to the recipient what was written down; to nobody the wording's ages, but they bite."""
    changes = []
    for row in _some(rng, list(rows["disclosure_decisions"].values())):
        values = {"decided_by": "någon", "decided_by_client": "någon", "revoked_by": "någon"}
        if row["holder"] != x.agency:
            values["attestations"] = {name: f"Påhittat {rng.randint(1, 9)}" for name in row["attestations"]}
        changes.append(_alter(rng, "disclosure_decisions", row, values))
    return changes


@_varies("disclosure_decision_items")
def items_of_a_decision_are_others(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    """Items of decisions that X has no part in; and of those to X, which of the holder's rows an alias stands for."""
    changes = []
    people = list(rows["individuals"].values())
    hidden = {row["id"]: row for row in _hidden_decisions(x, rows)}
    for row in _some(rng, list(hidden.values())):
        new = _item(row, rng.choice(people)["id"])
        if key_of("disclosure_decision_items", new) not in rows["disclosure_decision_items"]:
            changes.append(Change("disclosure_decision_items", None, new))
    items = [row for row in rows["disclosure_decision_items"].values() if row["decision_id"] in hidden]
    changes += [Change("disclosure_decision_items", row, None) for row in _some(rng, items)]
    to_x = {row["id"] for row in rows["disclosure_decisions"].values()
            if row["recipient"] == x.agency and row["resource"] == "individual"}  # fmt: skip
    nowhere = [row for row in rows["disclosure_decision_items"].values()
               if row["decision_id"] in to_x and (row["item_id"],) not in rows["individuals"]]  # fmt: skip
    for row in _some(rng, nowhere):
        # Another key is another row.
        changes.append(Change("disclosure_decision_items", row, None))
        changes.append(Change("disclosure_decision_items", None, {**row, "item_id": _id(rng)}))
    return changes


# --- the ledger -----------------------------------------------------------------------------------------------------


@_varies("ledger_parts")
def part_of_another_is_another(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    """What others were given or gave: another entry about other rows, of another agency, or none any more."""
    others = [row for row in rows["ledger_parts"].values() if row["agency"] != x.agency]
    agencies = [slug for slug in PEOPLE if slug != x.agency]
    changes = []
    for row in _some(rng, others, 6):
        if rng.random() < 0.3:
            new = {"salt": None, "entry": None, "items": None, "erased_at": row["erased_at"] or _moment(x, rng)}
        else:
            image = rng.choice(list(rows["ledger_parts"].values()))
            new = {name: image[name] for name in ("salt", "entry", "items", "erased_at")}
            new |= {"agency": rng.choice(agencies), "role": rng.choice(["giver", "receiver"])}
        changes.append(Change("ledger_parts", row, {**row, **new}))
    return changes


# --- retention ------------------------------------------------------------------------------------------------------


@_varies("retention_rules")
def rule_of_retention_is_another(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    """Of any agency: rules are the operator's to keep, and no read shows them."""
    new = {"agency": rng.choice(PEOPLE), "subject": rng.choice(["individuals", "ledger"]), "months": rng.randint(1, 99)}
    return [Change("retention_rules", rows["retention_rules"].get(key_of("retention_rules", new)), new)]


# --- requests -------------------------------------------------------------------------------------------------------


def _hidden_requests(x: Caller, rows: Rows) -> list[Row]:
    return [row for row in rows["disclosure_requests"].values() if not x.is_party(row)]


@_varies("disclosure_requests")
def request_appears(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    """Between others, now and then a page full of them; some are the very image of one that X sent or was sent."""
    changes = []
    for _ in range(rng.choice([1, 2, 25])):
        requester, holder = rng.sample([slug for slug in PEOPLE if slug != x.agency], 2)
        image = rng.choice(list(rows["disclosure_requests"].values()))
        new = {**image, "id": _id(rng), "requester": requester, "holder": holder}
        texts = {f"{snake(name)}_sealed": name for name in REQUESTS.sealed}
        new |= {column: sealed(new["id"], name, "Påhittat") for column, name in texts.items() if new[column]}
        changes.append(Change("disclosure_requests", None, new))
    return changes


@_varies("disclosure_requests")
def request_vanishes(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    return [Change("disclosure_requests", row, None) for row in _some(rng, _hidden_requests(x, rows))]


@_varies("disclosure_requests")
def request_is_another(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    changes = []
    for row in _some(rng, _hidden_requests(x, rows)):
        values = {"purpose": rng.choice(sorted(law().purposes)), "provision": rng.choice(_PROVISIONS)}
        values |= {"case_reference": "B9", "kinds": ["person-health"], "created_at": _moment(x, rng), "duty": True}
        changes.append(_alter(rng, "disclosure_requests", row, values))
    return changes


@_varies("disclosure_requests")
def who_asked_and_who_answered_is_another(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    new = {"asked_by": "någon", "asked_by_client": "någon", "asked_by_role": "någon", "decided_by": "någon"}
    return [_alter(rng, "disclosure_requests", row, new)
            for row in _some(rng, list(rows["disclosure_requests"].values()))]  # fmt: skip


# --- what others have sent ------------------------------------------------------------------------------------------


@_varies("incident_batches")
def batch_of_another_differs(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    """Batches come, under ids that X may use too, and go, and say otherwise."""
    others = [row for row in rows["incident_batches"].values() if row["agency"] != x.agency]
    ids = [row["id"] for row in rows["incident_batches"].values()]
    changes = [Change("incident_batches", row, None) for row in others if rng.random() < 0.2]
    gone = {change.key for change in changes}
    for row in _some(rng, others):
        known = rng.choice([*ids, "2026-11-20"]) if rng.random() < 0.4 else _id(rng)
        new = {**row, "id": known, "received": 7, "completed_at": _moment(x, rng)}
        if key_of("incident_batches", new) in rows["incident_batches"]:
            if row["id"] != new["id"] or key_of("incident_batches", row) in gone:
                continue
            changes.append(Change("incident_batches", row, new))
        else:
            changes.append(Change("incident_batches", None, new))
    return changes


@_varies("incidents")
def incident_of_another_differs(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    """What no edition counts: incidents withdrawn, or at a stop that lies nowhere, and columns that nobody gets."""
    changes = []
    others = [row for row in rows["incidents"].values() if row["agency"] != x.agency and row["stop_id"] != QUIET_STOP]
    for row in _some(rng, others, 5):
        values = {"severity": rng.randint(1, 4), "line": "99", "mode": "bus", "revision": 9, "batch_id": "b"}
        changes.append(_alter(rng, "incidents", row, values))
    for row in _some(rng, others):
        new = {**row, "incident_id": f"secret-{rng.getrandbits(32)}", "batch_id": "secret"}
        new |= {"withdrawn": True, "stop_id": STOP} if rng.random() < 0.5 else {"stop_id": UNLOCATED_STOP}
        changes.append(Change("incidents", None, new))
    return changes


@_varies("incidents")
def few_incidents_at_the_quiet_scene_are_others(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    """One to four incidents are told from each other by nothing that is published: not how many, of what, or when."""
    there = [row for row in rows["incidents"].values() if row["stop_id"] == QUIET_STOP and not row["withdrawn"]]
    hidden = {row["agency"] for row in there} - {x.agency}
    if not 1 <= len(there) <= 4 or not hidden or any(not row["occurred_at"].startswith(QUIET_MONTH) for row in there):
        return []
    mine = [row for row in there if row["agency"] == x.agency]
    others = [row for row in there if row["agency"] != x.agency]
    changes = [Change("incidents", row, None) for row in others]
    for number in range(rng.randint(0 if mine else 1, 4 - len(mine))):
        at = f"{QUIET_MONTH}-{rng.randint(2, 26):02}T{rng.randint(0, 23):02}:00:00+00:00"
        new = {**others[0], "incident_id": f"quiet-{number}", "occurred_at": at}
        new["category"] = rng.choice(["theft", "other"])
        changes.append(Change("incidents", rows["incidents"].get(key_of("incidents", new)), new))
    replaced = {change.key for change in changes if change.after is not None}
    changes = [change for change in changes if change.after is not None or change.key not in replaced]
    # An edition of that month is where it would show.
    told = [row for row in rows["situation_reports"].values() if row["period"] == QUIET_MONTH]
    return changes + [Change("situation_reports", row, row) for row in told]


@_varies("idempotent_answers")
def key_of_another_is_taken(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    """Keys of other agencies and clients, X's very own among them, and keys that X used too long ago to be known."""
    changes = []
    kept = list(rows["idempotent_answers"].values())
    for row in _some(rng, kept, 5):
        new = {**row, "agency": rng.choice([slug for slug in PEOPLE if slug != x.agency]), "client_id": "another"}
        new |= {"key": f"{rng.getrandbits(64)}"} if rng.random() < 0.6 else {}
        if rng.random() < 0.3 and x.agency is not None:
            new |= {"agency": x.agency, "client_id": "another client of the same agency"}
        elif rng.random() < 0.3 and x.agency is not None:
            old = x.now - RETENTION - timedelta(seconds=rng.randint(1, 10**6))
            new |= {"agency": x.agency, "client_id": x.client, "answered_at": old.isoformat()}
        if key_of("idempotent_answers", new) not in rows["idempotent_answers"]:
            changes.append(Change("idempotent_answers", None, new))
    others = [row for row in kept if (row["agency"], row["client_id"]) != (x.agency, x.client)]
    gone = [Change("idempotent_answers", row, None) for row in others if rng.random() < 0.1]
    return changes + gone


@_varies()
def everything_differs_for_nobody(rng: random.Random, x: Caller, rows: Rows) -> list[Change]:
    """Who holds no valid token of a registered agency sees no row: then what is shared may differ too."""
    if x.agency is not None:
        return []
    table, text = rng.choice([("scenes", "name"), ("mappings", "use"), ("surveys", "comment"), ("schools", "name")])
    return [_alter(rng, table, row, {text: "Annat"}) for row in _some(rng, list(rows[table].values()))]
