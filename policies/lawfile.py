"""One law file under check: reading TOML so that every error names file, key and rule."""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from policies.model import Text

# OSL has 44 chapters.
_LAST_CHAPTER = 44


class LawError(Exception):
    """The law files do not hold together; the text names file, key and rule."""


class LawFile:
    """One TOML file under check: every accessor names the file and the key when something is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = f"{path.parent.name}/{path.name}"
        try:
            self.data = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise LawError(f"{self.name}: cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError) as error:
            # ValueError: not TOML, not UTF-8, or a number or date that does not exist.
            raise LawError(f"{self.name}: not readable as TOML: {error}") from None

    def fail(self, key: str, rule: str) -> LawError:
        """What is raised for a key and the rule it breaks."""
        return LawError(f"{self.name}: `{key}`: {rule}")

    def keys(self, table: object, allowed: set[str], where: str) -> None:
        """Refuse a key that is not among the allowed ones."""
        if not isinstance(table, dict):
            raise self.fail(where.rstrip(".") or "the file", "must be a table")
        for key in table:
            if key not in allowed:
                raise self.fail(f"{where}{key}", f"unknown key; allowed are {', '.join(sorted(allowed))}")

    def get(self, table: Mapping[str, Any], key: str, kind: type, where: str = "") -> Any:
        """The value of a key that must be there, of exactly this type and not an empty text."""
        if key not in table:
            raise self.fail(where + key, "is missing")
        value = table[key]
        # INVARIANT: exactly the type. True is no number, and a point in time is no calendar day.
        if type(value) is not kind:
            raise self.fail(where + key, f"must be a {kind.__name__}, not `{value}`")
        if kind is str and not str(value).strip():
            raise self.fail(where + key, "is empty")
        return value

    def flag(self, table: Mapping[str, Any], key: str, where: str = "") -> bool:
        """True or false, false where it is not given."""
        return key in table and bool(self.get(table, key, bool, where))

    def one_of(self, table: Mapping[str, Any], key: str, allowed: Iterable[str], where: str = "") -> str:
        """One word out of a closed list."""
        value: str = self.get(table, key, str, where)
        if value not in allowed:
            raise self.fail(where + key, f"must be one of {', '.join(allowed)}, not `{value}`")
        return value

    def tables(self, table: Mapping[str, Any], key: str, allowed: set[str], where: str = "") -> list[dict[str, Any]]:
        """A list of at least one table, none with an unknown key."""
        rows: list[dict[str, Any]] = self.get(table, key, list, where)
        if not rows:
            raise self.fail(where + key, "is empty")
        for row in rows:
            self.keys(row, allowed, f"{where}{key}.")
        return rows

    def text(self, table: Mapping[str, Any], key: str, where: str = "") -> Text:
        """A text in Swedish and English."""
        value = self.get(table, key, dict, where)
        self.keys(value, {"sv", "en"}, f"{where}{key}.")
        return Text(
            self.get(value, "sv", str, f"{where}{key}."),
            self.get(value, "en", str, f"{where}{key}."),
        )

    def known(self, values: object, allowed: Iterable[str], where: str) -> frozenset[str]:
        """A list of names out of a closed list, none twice."""
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self.fail(where, "must be a list of names")
        universe = frozenset(allowed)
        for value in values:
            if value not in universe:
                raise self.fail(where, f"unknown id `{value}`")
        if len(set(values)) != len(values):
            raise self.fail(where, "names the same id twice")
        return frozenset(values)

    def strings(self, table: Mapping[str, Any], key: str, where: str = "") -> tuple[str, ...]:
        """A list of texts; empty where there is none."""
        values = table.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self.fail(f"{where}{key}", "must be a list of names")
        return tuple(values)

    def texts(self, table: Mapping[str, Any], key: str) -> dict[str, Text]:
        """A table of texts by their names; empty where the key is not there."""
        if key not in table:
            return {}
        rows = self.get(table, key, dict)
        return {name: self.text(rows, name, f"{key}.") for name in rows}

    def period(self, table: Mapping[str, Any], where: str) -> tuple[date, date | None]:
        """`from` and `until`; the latter is the first day no longer in force, `None` where it is open."""
        start = self.get(table, "from", date, where)
        if "until" not in table:
            return start, None
        until = self.get(table, "until", date, where)
        if until <= start:
            raise self.fail(f"{where}until", f"`{until}` is not after `{start}`")
        return start, until


def check_continuous(file: LawFile, periods: list[tuple[date, date | None]]) -> None:
    """Wordings follow one another without overlap or gap; only the last may be open-ended."""
    for (_, until), (start, _) in pairwise(periods):
        if until is None or until > start:
            raise file.fail("wording.from", f"the wording from `{start}` overlaps the one before it")
        if until < start:
            raise file.fail("wording.from", f"no wording between `{until}` and `{start}`")


def identity_of(file: LawFile, seen: Mapping[str, object], allowed: set[str]) -> str:
    """The rule's id, which is the file's name and follows the citation."""
    file.keys(file.data, allowed, "")
    identity: str = file.get(file.data, "id", str)
    if identity in seen:
        raise file.fail("id", f"`{identity}` is used twice")
    if identity != file.path.stem:
        raise file.fail("id", f"`{identity}` does not follow the file's name")
    statute, _, rest = identity.partition("-")
    # INVARIANT: chapters decide what is broken and what is closed, so that of the act is the one its id names.
    if statute == "osl" and str(file.get(file.data, "chapter", int)) != rest.partition("-")[0]:
        raise file.fail("chapter", f"`{file.data['chapter']}` is not the chapter that `{identity}` names")
    return identity


def note_of(file: LawFile) -> Text | None:
    """What a reader of the rule should know beside it, if anything."""
    return file.text(file.data, "note") if "note" in file.data else None


def chapters_of(file: LawFile, values: object, where: str) -> frozenset[int]:
    """A list of chapters of OSL."""
    if not isinstance(values, list) or not all(type(value) is int and 1 <= value <= _LAST_CHAPTER for value in values):
        raise file.fail(where, f"must be a list of chapters, 1 to {_LAST_CHAPTER}")
    return frozenset(values)


def source_of(file: LawFile, sources: Iterable[str]) -> str:
    """Where a rule was read: codes of `sources.toml`, set apart by a comma and a space."""
    named: str = file.get(file.data, "source", str)
    for code in named.split(", "):
        if code not in sources:
            raise file.fail("source", f"unknown source `{code}`")
    return named
