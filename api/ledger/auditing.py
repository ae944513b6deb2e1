"""Verifies the ledger where it is stored: every leaf, part, node and cosignature, and the head, counted again.

The same code that an agency runs over its copy (`recount`), and beside it what only the database has: what it says of
parts beside their entries, and whether what is erased was erased by a rule.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from api.ledger import repository
from api.ledger.checkpoint import Checkpoint, NoteError, VerifierKey, holds, signature_of
from api.ledger.columns import column_faults, erased_before
from api.ledger.leaves import SALT_BYTES, as_stored, commitment
from api.ledger.merkle import Node
from api.ledger.recount import Recount, checkpoint_faults
from api.ledger.repository import HeadMissingError, StoredLeaf
from api.store.database import Database

_AT_ONCE = 1000
_NAMED = 20


@dataclass(slots=True)
class Audit:
    """What was counted, and every fault, a sentence each.

    `passed_over`: cosignatures of keys that are not known. `cosigned`: how many leaves each known key has cosigned.
    """

    leaves: int = 0
    parts: int = 0
    erased: int = 0
    cosignatures: int = 0
    passed_over: int = 0
    cosigned: dict[str, int] = field(default_factory=dict)
    root: bytes = b""
    faults: list[str] = field(default_factory=list)


async def audit(
    database: Database, checkpoints: Mapping[str, Checkpoint], origin: str, witnesses: Sequence[VerifierKey] = ()
) -> Audit:
    """Count the stored ledger again. `checkpoints` were signed, by whomever they were shown to or kept.

    `witnesses` are keys known from elsewhere: under their names the database's own are not believed.
    """
    async with database.transaction() as connection:
        await repository.one_view(connection)
        stored = [one.key for one in await repository.read_witnesses(connection)]
        lines = await repository.all_cosignatures(connection)
        sizes = [one.size for one in checkpoints.values()] + [size for _, size, _ in lines]
        found, recount = Audit(), Recount(sizes)
        nodes = await _leaves(connection, recount, found)
        found.faults += recount.faults()
        found.faults += checkpoint_faults(recount, checkpoints)
        # Where leaves stand in the wrong place, every node behind them is another; that is said above.
        found.faults += _named(nodes if recount.in_order else ())
        await _rest(connection, recount, found)
    given = {key.name for key in witnesses}
    keys = [*witnesses, *(key for key in stored if key.name not in given)]
    found.faults += _cosignature_faults(recount, lines, keys, origin, found)
    found.leaves, found.root = recount.head.size, recount.head.root
    return found


async def _leaves(connection: AsyncConnection, recount: Recount, found: Audit) -> Sequence[str]:
    """Count every leaf; what is wrong with the nodes."""
    mismatched: dict[Node, tuple[bytes, bytes | None]] = {}
    wrong: list[str] = []
    covered = erased_before(await repository.noted_erasures(connection))
    after = -1
    while leaves := await repository.stored_leaves(connection, after, _AT_ONCE):
        after = leaves[-1].leaf.index
        made: dict[Node, bytes] = {}
        for one in leaves:
            wrong += [f"leaf {one.leaf.index}: {fault}" for fault in _content_faults(one, covered, found)]
            made.update(recount.take(one.leaf))
        stored = await repository.read_nodes(connection, list(made))
        mismatched |= {node: (made[node], stored.get(node)) for node in made if stored.get(node) != made[node]}
    found.faults += _named(wrong)
    return list(_node_faults(mismatched))


def _content_faults(one: StoredLeaf, covered: Mapping[str, int], found: Audit) -> Iterator[str]:
    found.parts += len(one.parts)
    try:
        content = as_stored({part.slot: part.commitment for part in one.parts}, one.padding)
    except ValueError:
        yield "a part or padding has been added or removed"
    else:
        if content.root != one.leaf.content_root:
            yield "its parts are not those that it committed to"
    for part in one.parts:
        if part.salt is None or part.entry is None:
            found.erased += 1
            if one.leaf.at_us >= covered.get(part.agency, 0):
                yield f"the part in slot {part.slot} is erased, and no entry of {part.agency} tells of it"
        elif len(part.salt) != SALT_BYTES or commitment(part.salt, part.entry) != part.commitment:
            yield f"the entry of the part in slot {part.slot} has been changed"
    yield from column_faults(one.parts)


def _node_faults(mismatched: Mapping[Node, tuple[bytes, bytes | None]]) -> Iterator[str]:
    """Which leaves have another hash than when they were written; nodes above them follow and are not named."""
    leaves = {node.position: pair for node, pair in mismatched.items() if node.level == 0}
    written = {then: index for index, (_, then) in leaves.items() if then is not None}
    for index, (now, then) in leaves.items():
        other = written.get(now)
        if then is None:
            yield f"the hash of leaf {index} is missing"
        elif other is None:
            yield f"leaf {index} has been changed since it was written"
        elif index < other and leaves[other][0] == then:
            yield f"leaves {index} and {other} have changed places since they were written"
        elif leaves[other][0] != then:
            yield f"leaf {other} has been moved to the place of leaf {index} since it was written"
    touched = {Node(level, index >> level) for index in leaves for level in range(64)}
    for node in mismatched.keys() - touched:
        yield f"the node at level {node.level}, position {node.position} is not what its leaves make"


async def _rest(connection: AsyncConnection, recount: Recount, found: Audit) -> None:
    """The head, and that nothing is stored beside what was counted."""
    size = recount.head.size
    leaves, parts, nodes = await repository.stored_counts(connection)
    if leaves != size:
        found.faults.append(f"{leaves - size} leaves have an index below 0")
    try:
        head = await repository.read_head(connection)
    except HeadMissingError:
        found.faults.append("the head is missing")
    else:
        if head.size > size:
            found.faults.append(f"leaves {size} to {head.size - 1} have been removed: the head counts {head.size}")
        elif head.size < size:
            found.faults.append(f"the head counts {head.size} leaves, and there are {size}")
        elif head != recount.head:
            found.faults.append("the head is not that of the leaves")
    if parts != found.parts:
        found.faults.append(f"{parts - found.parts} parts belong to no leaf")
    whole = 2 * size - size.bit_count()
    if nodes > whole:
        found.faults.append(f"{nodes - whole} nodes belong to no leaf")


def _cosignature_faults(
    recount: Recount, lines: Sequence[tuple[str, int, str]], keys: Sequence[VerifierKey], origin: str, found: Audit
) -> Iterator[str]:
    """What agencies have cosigned must be this log. A line of a key that is not known says nothing, and is counted."""
    known = {(key.name, key.key_id): key for key in keys}
    for agency, size, line in lines:
        try:
            signature = signature_of(line)
        except NoteError:
            yield f"the cosignature of {agency} over {size} leaves cannot be read"
            continue
        key = known.get((signature.name, signature.key_id))
        if key is None:
            found.passed_over += 1
            continue
        found.cosignatures += 1
        if size > recount.head.size:
            yield f"leaves {recount.head.size} to {size - 1} have been removed: {agency} has cosigned {size} leaves"
        elif not holds(key, Checkpoint(origin, size, recount.roots[size]).text, signature):
            yield f"{agency} has cosigned another log of {size} leaves than this one"
        else:
            found.cosigned[key.name] = max(size, found.cosigned.get(key.name, 0))


def _named(faults: Sequence[str]) -> Iterator[str]:
    yield from faults[:_NAMED]
    if len(faults) > _NAMED:
        yield f"and {len(faults) - _NAMED} more of the same sort"
