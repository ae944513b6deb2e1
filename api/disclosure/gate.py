"""THE GATE. Ask the law once, cut the selection to what is released, run one statement, log it, hand on bytes.

Every face (REST, GraphQL, files, pages) reads through `Gate.read` and nothing else.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache, partial
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from pydantic_core import from_json, to_json

from api.disclosure.asking import Asking
from api.disclosure.compile import Statement, compile_selection, gate_values, own_values, shape_of
from api.disclosure.noting import Live, Shown, giver_parts, receiver_part, shown_rows
from api.disclosure.selection import FieldWanted, Selection
from api.errors import Fault, Problem
from api.ledger.service import Ledger
from api.store.database import Database, DatabaseReading
from api.store.roles import Exposure
from policies.decide import Decision, decide
from policies.explain import disclosure, withheld_as_json
from policies.model import Facts, Holder, Kind, Law, LiveDecision, RowRule

_SWEDEN = ZoneInfo("Europe/Stockholm")

_LIVE_DECISIONS = """
SELECT d.id, d.holder, a.sector, a.equated, d.provision, d.purpose, d.fields, d.resource
  FROM disclosure_decisions d JOIN agencies a ON a.slug = d.holder JOIN agencies r ON r.slug = d.recipient
 WHERE d.recipient = $1 AND d.resource = ANY($2) AND d.revoked_at IS NULL AND d.valid_from <= $3 AND d.valid_until > $3
   AND (r.sector, r.equated) = ($4, $5)
 ORDER BY d.id
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate hands on.

    `items` is a JSON array of rows as PostgreSQL built it; `total` counts what the filters leave of the rows the
    caller may know of (`None` where it was not asked for).
    """

    items: bytes
    count: int
    total: int | None
    decisions: tuple[Decision, ...]
    receipt: str | None

    @property
    def shared(self) -> bool:
        """Whether the answer holds only what any registered agency may read."""
        return self.receipt is None

    def first(self) -> bytes | None:
        """The single row asked for, or `None` where there is none the caller may know of."""
        return self.items[1:-1].strip() if self.count else None

    def disclosure(self) -> bytes:
        """`_meta.disclosure` as JSON."""
        if self.receipt is None:
            return _disclosure(self.decisions)
        before, after = _disclosure_around_receipt(self.decisions)
        return before + json.dumps(self.receipt).encode() + after


def _disclosure_json(decisions: tuple[Decision, ...], receipt: str | None) -> bytes:
    shown = disclosure(decisions, receipt=receipt)
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()


@lru_cache(maxsize=1024)
def _disclosure(decisions: tuple[Decision, ...]) -> bytes:
    return _disclosure_json(decisions, None)


@lru_cache(maxsize=1024)
def _disclosure_around_receipt(decisions: tuple[Decision, ...]) -> tuple[bytes, bytes]:
    """What stands before the receipt and after it: all that differs between answers that rest on the same decisions."""
    before, _, after = _disclosure_json(decisions, "receipt of the answer").partition(b'"receipt of the answer"')
    return before, after


class Sealer(Protocol):
    """Opens what lies encrypted in the database."""

    def open(self, row_id: str, field: str, token: str) -> str:
        """The value of that field of that row. Raises `Problem` 503 where no key opens it."""
        ...


@dataclass(frozen=True, slots=True)
class _Question:
    """Everything that decisions and statements rest on, and no value of a filter or a row.

    INVARIANT: whatever `Facts` or a statement's text depends on stands here, for answers are remembered by it.
    """

    sector: str
    equated: bool
    holders: tuple[Holder, ...]
    purpose: str | None
    legal_basis: str | None
    case_reference: bool
    live: tuple[tuple[str, tuple[LiveDecision, ...]], ...]
    shapes: tuple[Selection, ...]
    keep_withheld: bool
    today: date


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A question decided and compiled: `refused` makes the refusal of a parameter, `plans` stand in shapes' order.

    `protected` answers are logged; `exposure` says as whom the database is asked: rows that belong to agencies are not
    even counted in the open role.
    """

    decisions: tuple[Decision, ...]
    protected: bool
    exposure: Exposure
    refused: Callable[[], Problem] | None
    plans: tuple[tuple[Statement, Mapping[str, Any]], ...]


class Gate:
    """Reads for callers. Beside the law, the clock, the database and the ledger it holds only what it has prepared."""

    def __init__(
        self, database: Database, ledger: Ledger, law: Law, clock: Callable[[], datetime], sealer: Sealer
    ) -> None:
        self._database, self._ledger, self._law, self._clock, self._sealer = database, ledger, law, clock, sealer
        self._prepared = lru_cache(maxsize=2048)(self._prepare)

    def today(self) -> date:
        """The calendar day in Sweden: law, age and deadlines turn at Swedish midnight."""
        return self._clock().astimezone(_SWEDEN).date()

    async def read(
        self, asking: Asking, selection: Selection, *, as_of: date | None = None, keep_withheld: bool = False
    ) -> Answer:
        """Answer a selection. `as_of` selects data (default today); the law is always today's.

        Raises `Problem` 403 for a filter or order on a withheld field, 503 where database or ledger is away.
        """
        return (await self.read_all(asking, [(selection, as_of)], keep_withheld=keep_withheld))[0]

    async def read_all(
        self, asking: Asking, wanted: Sequence[tuple[Selection, date | None]], *, keep_withheld: bool = False
    ) -> list[Answer]:
        """Answer several selections as one answer: one leaf, one receipt. `wanted` pairs each with its `as_of`."""
        now = self._clock()
        today = now.astimezone(_SWEDEN).date()
        selections = [selection for selection, _ in wanted]
        async with self._database.reading(agency=asking.agency.slug, now=now) as reading:
            live = await self._live_decisions(reading, asking, selections, now)
            prepared = self._prepared(
                _Question(
                    sector=asking.agency.sector,
                    equated=asking.agency.equated,
                    holders=asking.holders,
                    purpose=asking.purpose,
                    legal_basis=asking.legal_basis,
                    case_reference=asking.case_reference is not None,
                    live=live.decisions,
                    shapes=tuple(shape_of(selection) for selection in selections),
                    keep_withheld=keep_withheld,
                    today=today,
                )
            )
            rows = []
            # A refused question has no plans.
            for (selection, as_of), (statement, fixed) in zip(wanted, prepared.plans, strict=False):
                gate = gate_values(as_of=as_of or today, today=today, now=now, agency=asking.agency.slug)
                values = statement.values({**own_values(selection), **fixed, **gate})
                rows += await reading.fetch(statement.text, values, exposure=prepared.exposure)
        everything, protected = prepared.decisions, prepared.protected
        if prepared.refused is not None:
            receipt = await self._log(asking, selections, everything, "refusal", live, ()) if protected else None
            raise _with_receipt(prepared.refused(), receipt)
        items = [self._opened(selection, row["items"]) for selection, row in zip(selections, rows, strict=True)]
        shown = tuple(one for row in rows for one in shown_rows(row.get("shown")))
        # INVARIANT: the leaf is durable before the first byte leaves; append raises where it is not.
        receipt = await self._log(asking, selections, everything, "answer", live, shown) if protected else None
        return [
            Answer(opened, row["count"], row["total"] if selection.total else None, everything, receipt)
            for selection, row, opened in zip(selections, rows, items, strict=True)
        ]

    def _opened(self, selection: Selection, items: str) -> bytes:
        """The rows with what lies encrypted opened; as they are where nothing does."""
        if items == "[]" or not _asks_for_sealed(selection):
            return items.encode()
        rows = from_json(items)
        self._open_rows(selection, rows)
        return to_json(rows)

    def _open_rows(self, selection: Selection, rows: list[dict[str, Any]]) -> None:
        for wanted in selection.wanted:
            for row in rows:
                if not isinstance(wanted, FieldWanted):
                    self._open_rows(wanted.selection, row[wanted.key])
                elif wanted.literal is None and wanted.name in selection.resource.sealed and row.get(wanted.key):
                    row_id, token = row[wanted.key]
                    row[wanted.key] = self._sealer.open(row_id, wanted.name, token)

    def _prepare(self, question: _Question) -> _Prepared:
        """Decide and compile, once for each question and day."""
        live = dict(question.live)
        decided = [
            {id(node): decide(_facts(question, node, live), self._law, question.today) for node in shape.walk()}
            for shape in question.shapes
        ]
        everything = tuple(dict.fromkeys(decision for decisions in decided for decision in decisions.values()))
        pairs = list(zip(question.shapes, decided, strict=True))
        refusals = (_refused_filter(shape, decisions, self._law) for shape, decisions in pairs)
        refused = next(filter(None, refusals), None)
        protected = any(decision.protected for decision in everything)
        held = any(node.resource.held for shape in question.shapes for node in shape.walk())
        return _Prepared(
            decisions=everything,
            protected=protected,
            exposure="protected" if protected or held else "open",
            refused=refused,
            plans=()
            if refused is not None
            else tuple(
                compile_selection(shape, decisions, keep_withheld=question.keep_withheld) for shape, decisions in pairs
            ),
        )

    async def _live_decisions(
        self, reading: DatabaseReading, asking: Asking, selections: Sequence[Selection], now: datetime
    ) -> Live:
        """Decisions that name the caller. Asked for only where something protected is asked for under a purpose."""
        if asking.purpose is None:
            return Live()
        fields = self._law.fields
        resources = {
            node.resource.name
            for selection in selections
            for node in selection.walk()
            if node.resource.own is None
            and any(fields[node.resource.name, name].kind.level == "protected" for name in node.decided_names())
        }
        if not resources:
            return Live()
        agency = asking.agency
        # INVARIANT: the caller is judged as what the register says now, not as what it said when last looked at.
        values = [agency.slug, sorted(resources), now, agency.sector, agency.equated]
        rows = await reading.fetch(_LIVE_DECISIONS, values, exposure="protected")
        live: dict[str, tuple[LiveDecision, ...]] = {}
        for row in rows:
            found = LiveDecision(
                id=str(row["id"]),
                holder_sector=row["sector"],
                provision=row["provision"],
                purpose=row["purpose"],
                fields=frozenset(row["fields"]),
                holder_equated=row["equated"],
            )
            live[row["resource"]] = (*live.get(row["resource"], ()), found)
        return Live(tuple(live.items()), {str(row["id"]): row["holder"] for row in rows})

    async def _log(
        self,
        asking: Asking,
        selections: Sequence[Selection],
        decisions: tuple[Decision, ...],
        kind: str,
        live: Live,
        shown: Sequence[Shown],
    ) -> str:
        """One leaf: a part for the receiver, and one for each agency whose data was handed out."""
        filters = sorted({name for selection in selections for name, _ in selection.filters})
        receiver = receiver_part(asking, decisions, kind, filters, shown)
        givers = giver_parts(asking, decisions, live, shown) if kind == "answer" else ()
        return await self._ledger.append((receiver, *givers))


def _asks_for_sealed(selection: Selection) -> bool:
    return any(not node.resource.sealed.isdisjoint(node.field_names()) for node in selection.walk())


def _holders(question: _Question, node: Selection) -> tuple[Holder, ...]:
    if node.resource.own is not None:
        return (Holder(question.sector, own=True),)
    return question.holders if node.resource.holder is not None else ()


def _facts(question: _Question, node: Selection, live: Mapping[str, tuple[LiveDecision, ...]]) -> Facts:
    return Facts(
        caller_sector=question.sector,
        resource=node.resource.name,
        fields=node.decided_names(),
        holders=_holders(question, node),
        purpose=question.purpose,
        legal_basis=question.legal_basis,
        case_reference=question.case_reference,
        decisions=live.get(node.resource.name, ()),
        caller_equated=question.equated,
    )


def _refused_filter(selection: Selection, decisions: Mapping[int, Decision], law: Law) -> Callable[[], Problem] | None:
    """The refusal of the first parameter that may not be used, if any.

    Its kind must not be one that nobody may search by, and every row that could be seen must release its field.
    INVARIANT: a hidden field that still works in a filter is an oracle, so it is refused, never ignored.
    """
    for node in selection.walk():
        for parameter, field in _used(node):
            kind = law.fields[node.resource.name, field].kind
            if kind.search_ban:
                return partial(_banned, parameter, field, kind)
    for node in selection.walk():
        decision = decisions[id(node)]
        visible = {rule for name in node.field_names() for rule in decision.rules_for(name)}
        if not node.resource.held:
            visible = {RowRule("any")}
        for parameter, field in _used(node):
            rules = set(decision.rules_for(field))
            if not rules or not rules >= visible:
                return partial(_withheld_filter, parameter, field, decision)
    return None


def _used(node: Selection) -> Iterator[tuple[str, str]]:
    """The parameters that select and order rows, each with the field whose values it tells."""
    yield from ((name, field) for name, _ in node.filters for field in node.resource.filters[name].fields)
    yield from (("sort", field) for field, _ in node.sort)


def _banned(parameter: str, field: str, kind: Kind) -> Problem:
    """The search ban (*sökförbud*), whoever holds the data: it says nothing of any row."""
    rules = " and ".join(kind.search_ban)
    return Problem(
        "search-ban",
        f"`{field}` is {kind.title.en}, by which nobody may select or order persons ({rules})",
        faults=[Fault(f"query.{parameter}", f"a search ban under {rules}", "leave the parameter out")],
        extra={"searchBan": list(kind.search_ban)},
    )


def _withheld_filter(parameter: str, field: str, decision: Decision) -> Problem:
    entry = decision.refusal_of(field)
    citation = entry.citation if entry is not None and entry.citation else "6 kap. 5 § OSL"
    return Problem(
        "withheld-field",
        f"`{field}` is withheld ({citation}) and can therefore not be filtered on or sorted by",
        faults=[
            Fault(
                f"query.{parameter}",
                f"`{field}` is withheld under {citation}",
                "leave the parameter out, or ask for the field under a ground that opens it",
            )
        ],
        extra={"withheld": [withheld_as_json(entry)]} if entry is not None else None,
    )


def _with_receipt(problem: Problem, receipt: str | None) -> Problem:
    if receipt is not None:
        problem.extra["receipt"] = receipt
    return problem
