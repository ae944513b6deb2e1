"""Which rules make two laws answer differently: the fewest that, taken from the one, give the other its answer.

INVARIANT: a law made here has a version of its own, for decisions are remembered by it.
"""

import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from policies.model import Law

_TABLES = ("provisions", "secrecy", "fields", "sectors")
K = TypeVar("K", bound=Hashable)
_Named = tuple[str, Any]


def blamed(old: Law, new: Law, keys: Iterable[K], answer: Callable[[Law], Mapping[K, Any]]) -> dict[K, tuple[str, ...]]:
    """For each key the ids of the rules, fields and sectors that alone turn the old law's answer into the new law's.

    Of two changes that each suffice, one is named. Where nothing turns it, none is.
    """
    every = _changed(old, new)
    known: dict[frozenset[_Named], Mapping[K, Any]] = {}

    def with_new(names: frozenset[_Named]) -> Mapping[K, Any]:
        if names not in known:
            known[names] = answer(_mixed(old, new, names))
        return known[names]

    found: dict[K, tuple[str, ...]] = {}
    for key in keys:
        needed, wanted = frozenset(every), with_new(frozenset(every)).get(key)
        for name in every:
            fewer = needed - {name}
            if with_new(fewer).get(key) == wanted:
                needed = fewer
        found[key] = tuple(_spelled(name) for name in every if name in needed)
    return found


def _changed(old: Law, new: Law) -> list[_Named]:
    """Every entry that differs, secrecy rules and provisions last, so that they rather than a list keep the blame."""
    return [
        (table, key)
        for table in reversed(_TABLES)
        for key in dict.fromkeys((*getattr(new, table), *getattr(old, table)))
        if getattr(old, table).get(key) != getattr(new, table).get(key)
    ]


def _spelled(name: _Named) -> str:
    _, key = name
    return ".".join(key) if isinstance(key, tuple) else str(key)


def _mixed(old: Law, new: Law, names: frozenset[_Named]) -> Law:
    """The old law with these entries as the new law has them, or without them where it has none."""
    digest = hashlib.sha256(repr(sorted(names, key=repr)).encode()).hexdigest()
    mixed: dict[str, Any] = {}
    for table in _TABLES:
        entries = dict(getattr(old, table))
        for owner, key in names:
            if owner == table:
                entries.pop(key, None)
                if key in getattr(new, table):
                    entries[key] = getattr(new, table)[key]
        mixed[table] = entries
    # A kind is known where either law knows it: what it means stands in the field and in the rules.
    kinds = {**old.kinds, **new.kinds}
    return replace(old, version=f"{old.version}>{new.version}:{digest}", kinds=kinds, **mixed)


def frozen(law: Law, day: date) -> Law:
    """The law with the wordings of one day in force for ever; a rule without one that day never has any."""
    always: Any = {"valid_from": date.min, "until": None}
    tables: dict[str, Any] = {
        table: {
            key: replace(rule, wordings=() if said is None else (replace(said, **always),))
            for key, rule in getattr(law, table).items()
            for said in (rule.in_force(day),)
        }
        for table in ("provisions", "secrecy")
    }
    return replace(law, version=f"{law.version}@{day}", **tables)


def replaced(law: Law, identity: str, after: date, through: date) -> tuple[date, ...]:
    """The days of a period on which a wording of the rule begins or ends, in order: `after` itself is not in it."""
    first, last = sorted((after, through))
    rule: Any = law.provisions.get(identity) or law.secrecy[identity]
    days = {day for said in rule.wordings for day in (said.valid_from, said.until) if day is not None}
    return tuple(sorted(day for day in days if first < day <= last))
