"""Every small slip in the law files that the specification must notice.

A mutant is one file of `policies/law/` with one slip in it: a sector too many, an exception forgotten, a date a day
off, may for shall. Left alone are texts for people (titles, notes, reasons) and the codes of sources, by which nothing
is decided, and what is written down about rules that are not encoded. No key besides those may be left alone: a test
holds that every other key of the files has slips. An attestation too many is not slipped in either: the cases say what
an officer must write down at least.
"""

import re
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from policies.catalogue import LAW_DIRECTORY, load
from policies.model import Law

Tree = dict[str, Any]
Place = tuple[str | int, ...]
# What was changed, in words, and the file's tables afterwards; no tables where the file is gone.
Slip = tuple[str, Tree | None]

GONE = object()
DAY = timedelta(days=1)
HARM_TESTS = ("straight", "reverse", "absolute")
PROTECTS = ("individual", "operation")
INITIATIVES = ("on-request", "own-initiative")
ORDINALS = {"första": "andra", "andra": "tredje", "tredje": "första"}
QUESTION_LIMITS = ("purposes", "secrecy", "from_sectors", "to_sectors")

_read = lru_cache(maxsize=None)(tomllib.loads)


def tables(name: str) -> Tree:
    """The tables of one law file. Shared: to be copied before a change."""
    return _read((LAW_DIRECTORY / name).read_text("utf-8"))


TERMS = tables("terms.toml")
SECTORS = tuple(TERMS["sectors"])
AUTHORITIES = tuple(sector for sector, row in TERMS["sectors"].items() if row["authority"])
PURPOSES = tuple(TERMS["purposes"])
PROTECTED = tuple(kind for kind, row in TERMS["kinds"].items() if row["level"] == "protected")
CONFIDENCES = tuple(tables("sources.toml")["confidences"])
RULES = tuple(sorted(path.stem for path in (LAW_DIRECTORY / "secrecy").glob("*.toml")))
PROVISIONS = tuple(sorted(path.stem for path in (LAW_DIRECTORY / "provisions").glob("*.toml")))


@dataclass(frozen=True, eq=False)
class Mutant:
    """One file of the law with one slip in it."""

    file: str
    slip: str
    tables: Tree | None

    def __str__(self) -> str:
        return f"{self.file}: {self.slip}"


def mutants() -> Iterator[Mutant]:
    """All of them, in the order of the files."""
    for folder, ids, slips in (("provisions", PROVISIONS, _provision), ("secrecy", RULES, _secrecy)):
        for identity in ids:
            file = f"{folder}/{identity}.toml"
            yield from (Mutant(file, *slip) for slip in slips(tables(file)))
            yield Mutant(file, "the file is gone", None)
    for file, slips in (
        ("terms.toml", _terms),
        ("fields.toml", _fields),
        ("no_secrecy.toml", _no_secrecy),
        ("attestations.toml", _texts),
        ("references.toml", _references),
    ):
        yield from (Mutant(file, *slip) for slip in slips(tables(file)))


class Mutated:
    """A copy of the law directory in which one file at a time is another."""

    def __init__(self, directory: Path) -> None:
        shutil.copytree(LAW_DIRECTORY, directory, dirs_exist_ok=True)
        self.directory = directory

    def load(self, mutant: Mutant) -> Law:
        """The law with that slip. Raises `LawError` where the catalogue sees it by itself."""
        path = self.directory / mutant.file
        before = path.read_text("utf-8")
        path.unlink()
        if mutant.tables is not None:
            path.write_text("".join(f"{_key(key)} = {_toml(value)}\n" for key, value in mutant.tables.items()), "utf-8")
        try:
            # Nearly all the time of loading is the parsing of files that have not changed.
            with patch("policies.lawfile.tomllib", SimpleNamespace(loads=_read)):
                return load(self.directory)
        finally:
            path.write_text(before, "utf-8")


def _key(key: str) -> str:
    return f'"{key}"'


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | date():
            return str(value)
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        case list():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return "{" + ", ".join(f"{_key(key)} = {_toml(inner)}" for key, inner in value.items()) + "}"


def _at(tree: Tree, place: Place) -> Any:
    value: Any = tree
    for key in place:
        value = value[key]
    return value


def changed(tree: Tree, *changes: tuple[Place, Any]) -> Tree:
    """The tables with other values at those places; `GONE` takes the key away. What is not on the way is shared."""
    for place, value in changes:
        tree = _changed(tree, place, value)
    return tree


def _changed(tree: Any, place: Place, value: Any) -> Any:
    first, *rest = place
    copied = tree.copy()
    if rest:
        copied[first] = _changed(tree[first], tuple(rest), value)
    elif value is GONE:
        del copied[first]
    else:
        copied[first] = value
    return copied


def _of_list(tree: Tree, place: Place, present: Sequence[str], others: Sequence[str], where: str) -> Iterator[Slip]:
    """Each name of a list forgotten, each other name slipped in; the list holds `present` in words or by itself."""
    for name in present:
        rest = [one for one in present if one != name]
        yield f"{where} without `{name}`", changed(tree, (place, rest))
    for name in others:
        if name not in present:
            yield f"{where} with `{name}` too", changed(tree, (place, [*present, name]))


def _toggled(tree: Tree, place: Place, where: str) -> Slip:
    flag = not _at(tree, place[:-1]).get(place[-1], False)
    return f"{where} is {str(flag).lower()}", changed(tree, (place, flag))


def _swapped(tree: Tree, place: Place, words: Sequence[str], where: str) -> Iterator[Slip]:
    for word in words:
        if word != _at(tree, place):
            yield f"{where} is {word}", changed(tree, (place, word))


def _citation(tree: Tree) -> Iterator[Slip]:
    """Each number of the citation is another."""
    citation = tree["citation"]
    for number in re.finditer(r"\d+", citation):
        other = f"{citation[: number.start()]}{int(number[0]) + 1}{citation[number.end() :]}"
        yield f"citation is {other}", changed(tree, (("citation",), other))
    for word, other in ORDINALS.items():
        if word in citation:
            yield f"citation has {other}", changed(tree, (("citation",), citation.replace(word, other)))


def _chapter(tree: Tree) -> Iterator[Slip]:
    chapter = tree.get("chapter")
    if chapter is None:
        yield "chapter is 10", changed(tree, (("chapter",), 10))
    else:
        yield "chapter is gone", changed(tree, (("chapter",), GONE))
        yield from ((f"chapter is {near}", changed(tree, (("chapter",), near))) for near in (chapter - 1, chapter + 1))


def _periods(tree: Tree) -> Iterator[Slip]:
    """Days off by one, alone and together with the neighbouring wording; ends forgotten; wordings forgotten."""
    wordings = tree["wording"]
    for number, wording in enumerate(wordings):
        place: Place = ("wording", number)
        for key in ("from", "until"):
            if key not in wording:
                continue
            day = wording[key]
            yield f"`{key} = {day}` is gone", changed(tree, ((*place, key), GONE))
            for shifted in (day - DAY, day + DAY):
                where = f"`{key} = {day}` is {shifted}"
                yield where, changed(tree, ((*place, key), shifted))
                if key == "until" and number + 1 < len(wordings):
                    following = (("wording", number + 1, "from"), shifted)
                    yield f"{where}, and so for the next wording", changed(tree, ((*place, key), shifted), following)
        rest = wordings[:number] + wordings[number + 1 :]
        yield f"the wording from {wording['from']} is gone", changed(tree, (("wording",), rest))
    for number, (first, second) in enumerate(pairwise(wordings)):
        merged = [*wordings[:number], second | {"from": first["from"]}, *wordings[number + 2 :]]
        yield f"the wording from {second['from']} holds since {first['from']}", changed(tree, (("wording",), merged))


def _provision(tree: Tree) -> Iterator[Slip]:
    yield _toggled(tree, ("general",), "general")
    yield from _citation(tree)
    yield from _chapter(tree)
    yield from _swapped(tree, ("confidence",), CONFIDENCES, "confidence")
    yield from _periods(tree)
    for name in tree.get("attestations", {}):
        yield f"attestation `{name}` is stated nowhere", changed(tree, (("attestations", name), GONE))
    for number, wording in enumerate(tree["wording"]):
        since = f"wording from {wording['from']}"
        yield from _wording(tree, ("wording", number), wording, since)


def _wording(tree: Tree, place: Place, wording: Tree, since: str) -> Iterator[Slip]:
    def here(key: str) -> Place:
        return (*place, key)

    yield from _swapped(tree, here("type"), ("may", "shall"), f"{since}: type")
    for key in ("from_sectors", "to_sectors"):
        named = wording[key]
        present = {"authorities": AUTHORITIES, "anyone": SECTORS}[named] if isinstance(named, str) else named
        yield from _of_list(tree, here(key), present, SECTORS, f"{since}: {key}")
    purposes = PURPOSES if wording["purposes"] == "any" else wording["purposes"]
    yield from _of_list(tree, here("purposes"), purposes, PURPOSES, f"{since}: purposes")
    if "kinds" in wording:
        yield from _of_list(tree, here("kinds"), wording["kinds"], PROTECTED, f"{since}: kinds")
        yield f"{since}: kinds are gone", changed(tree, (here("kinds"), GONE))
    else:
        for kind in PROTECTED:
            rest = [other for other in PROTECTED if other != kind]
            yield f"{since}: limited to other kinds than `{kind}`", changed(tree, (here("kinds"), rest))
    yield from _of_list(tree, here("initiative"), wording["initiative"], INITIATIVES, f"{since}: initiative")
    yield from _of_list(tree, here("attestations"), wording["attestations"], (), f"{since}: attestations")
    yield _toggled(tree, here("other_sector"), f"{since}: only another sector")
    named = wording.get("equated_from_sectors", [])
    yield from _of_list(tree, here("equated_from_sectors"), named, SECTORS, f"{since}: equated_from_sectors")
    yield from _breaks(tree, here("breaks"), wording["breaks"], since)
    yield from _ages(tree, here("subject"), wording.get("subject", {}), since)
    yield from _questions(tree, here("open_question"), wording.get("open_question", []), since)


def _breaks(tree: Tree, place: Place, breaks: Tree, since: str) -> Iterator[Slip]:
    """What is broken anyway, and what no wording of that chapter can break, need not be slipped in besides."""
    wide = {key for key in ("everything", "chapters", "protects", "harm_tests") if breaks.get(key)}
    shut = [rule for rule in RULES if not _broken(breaks, rule) and _open_to(tree, rule)]
    yield _toggled(tree, (*place, "everything"), f"{since}: breaks everything")
    yield from _of_list(tree, (*place, "rules"), breaks.get("rules", []), shut, f"{since}: breaks rules")
    excepted = RULES if wide else ()
    yield from _of_list(tree, (*place, "excepts"), breaks.get("excepts", []), excepted, f"{since}: excepts")
    for key, trait, words in (("protects", _protects, PROTECTS), ("harm_tests", _harm_tests, HARM_TESTS)):
        others = [word for word in words if any(word in trait(rule) for rule in shut)]
        yield from _of_list(tree, (*place, key), breaks.get(key, []), others, f"{since}: breaks {key}")
    for number, (first, last) in enumerate(breaks.get("chapters", [])):
        spans = breaks["chapters"]
        without = spans[:number] + spans[number + 1 :]
        yield f"{since}: chapters {first}-{last} are not broken", changed(tree, ((*place, "chapters"), without))
        for near in ([first - 1, last], [first + 1, last], [first, last - 1], [first, last + 1]):
            where = f"{since}: chapters {first}-{last} are {near[0]}-{near[1]}"
            yield where, changed(tree, ((*place, "chapters", number), near))


def _protects(rule: str) -> set[str]:
    return {tables(f"secrecy/{rule}.toml")["protects"]}


def _harm_tests(rule: str) -> set[str]:
    return {wording["harm_test"] for wording in tables(f"secrecy/{rule}.toml")["wording"]}


def _broken(breaks: Tree, rule: str) -> bool:
    """Whether a rule is broken without being named, on every day."""
    chapter = tables(f"secrecy/{rule}.toml")["chapter"]
    return (
        breaks.get("everything", False)
        or any(first <= chapter <= last for first, last in breaks.get("chapters", []))
        or _protects(rule) <= set(breaks.get("protects", []))
        or _harm_tests(rule) <= set(breaks.get("harm_tests", []))
    )


def _open_to(tree: Tree, rule: str) -> bool:
    return tree.get("chapter") not in tables(f"secrecy/{rule}.toml").get("closed_to_chapters", [])


def _ages(tree: Tree, place: Place, subject: Tree, since: str) -> Iterator[Slip]:
    for key, age in subject.items():
        rest = {name: value for name, value in subject.items() if name != key}
        yield f"{since}: no {key}", changed(tree, (place, rest))
        for near in (age - 1, age + 1):
            yield f"{since}: {key} is {near}", changed(tree, ((*place, key), near))
        other = {"age_below": "age_from", "age_from": "age_below"}[key]
        yield f"{since}: {other} for {key}", changed(tree, (place, rest | {other: age}))
    if not subject:
        for key in ("age_below", "age_from"):
            yield f"{since}: {key} is 18", changed(tree, (place, {key: 18}))


def _questions(tree: Tree, place: Place, questions: list[Tree], since: str) -> Iterator[Slip]:
    for index, asked in enumerate(questions):
        where = f"{since}: question {asked['number']}"
        rest = questions[:index] + questions[index + 1 :]
        yield f"{where} is gone", changed(tree, (place, rest or GONE))
        yield f"{where} has another number", changed(tree, ((*place, index, "number"), asked["number"] + 1))
        yield _toggled(tree, (*place, index, "equated"), f"{where}, equated")
        for key in QUESTION_LIMITS:
            named = asked.get(key, [])
            if named:
                yield f"{where}: {key} are gone", changed(tree, ((*place, index, key), GONE))
            universe = {"purposes": PURPOSES, "secrecy": RULES}.get(key, SECTORS)
            yield from _of_list(tree, (*place, index, key), named, universe, f"{where}: {key}")


def _secrecy(tree: Tree) -> Iterator[Slip]:
    yield from _swapped(tree, ("protects",), PROTECTS, "protects")
    yield from _swapped(tree, ("confidence",), CONFIDENCES, "confidence")
    yield from _citation(tree)
    yield from _chapter(tree)
    yield from _periods(tree)
    for number, wording in enumerate(tree["wording"]):
        place = ("wording", number, "harm_test")
        yield from _swapped(tree, place, HARM_TESTS, f"wording from {wording['from']}: harm test")
    closed = tree.get("closed_to_chapters", [])
    for chapter in closed:
        rest = [one for one in closed if one != chapter]
        yield f"open to chapter {chapter}", changed(tree, (("closed_to_chapters",), rest))
    for chapter in (10, 12, 26):
        if chapter not in closed:
            yield f"closed to chapter {chapter}", changed(tree, (("closed_to_chapters",), [*closed, chapter]))
    yield from _applies(tree)


def _applies(tree: Tree) -> Iterator[Slip]:
    """Each kind at each sector forgotten or slipped in, and each line of the list forgotten."""
    rows = tree.get("applies", [])
    covered = {(sector, kind) for row in rows for sector in row["sectors"] for kind in row["kinds"]}
    bare = {key: value for key, value in tree.items() if key != "not_held"}
    for sector in SECTORS:
        for kind in PROTECTED:
            pairs = covered ^ {(sector, kind)}
            cells = [{"sectors": [one], "kinds": [what]} for one, what in sorted(pairs)]
            what = "without" if (sector, kind) in covered else "with"
            yield f"applies {what} `{kind}` at `{sector}`", bare | {"applies": cells}
    for number, row in enumerate(rows):
        rest = rows[:number] + rows[number + 1 :]
        yield f"applies without {row['sectors']} × {row['kinds']}", changed(tree, (("applies",), rest))


def _no_secrecy(tree: Tree) -> Iterator[Slip]:
    for number, row in enumerate(tree["none"]):
        rest = tree["none"][:number] + tree["none"][number + 1 :]
        where = f"answer {number + 1}"
        yield f"{where} is gone", changed(tree, (("none",), rest))
        yield from _of_list(tree, ("none", number, "sectors"), row["sectors"], SECTORS, f"{where}: sectors")
        yield from _of_list(tree, ("none", number, "kinds"), row["kinds"], PROTECTED, f"{where}: kinds")


def _terms(tree: Tree) -> Iterator[Slip]:
    for table in ("sectors", "purposes", "kinds"):
        for name in tree[table]:
            yield f"{table} without `{name}`", changed(tree, ((table, name), GONE))
    for sector in tree["sectors"]:
        yield _toggled(tree, ("sectors", sector, "authority"), f"`{sector}`, authority")
    for kind in tree["kinds"]:
        yield from _swapped(tree, ("kinds", kind, "level"), ("shared", "protected"), f"level of `{kind}`")
        yield from _bans(tree, ("kinds", kind, "search_ban"), f"search ban of `{kind}`")


def _bans(tree: Tree, place: Place, where: str) -> Iterator[Slip]:
    """Each rule forgotten, its numbers others, and one that is not there."""
    bans = _at(tree, place[:-1]).get("search_ban", [])
    yield from _of_list(tree, place, bans, ("1 kap. 1 § lag",), where)
    for nth, ban in enumerate(bans):
        for slip, other in _citation({"citation": ban}):
            if other is not None:
                yield f"{where}: {slip}", changed(tree, ((*place, nth), other["citation"]))


def _fields(tree: Tree) -> Iterator[Slip]:
    """Kinds, holders, keys and lineage. Of a shared field nothing but that it is shared, and its lineage, decides."""
    shared = [kind for kind in TERMS["kinds"] if kind not in PROTECTED]
    for resource, table in tree.items():
        rows = {name: row for name, row in table.items() if name != "individual"}
        yield f"{resource} is gone", changed(tree, ((resource,), GONE))
        if any(row["kind"] in PROTECTED for row in rows.values()):
            yield _toggled(tree, (resource, "individual"), f"{resource}, individual")
        for name, row in rows.items():
            where, place = f"{resource}.{name}", (resource, name)
            yield f"{where} is gone", changed(tree, (place, GONE))
            yield from _of_list(tree, (*place, "sources"), row.get("sources", []), (), f"{where}: sources")
            if row["kind"] in shared:
                yield f"{where}: kind is {PROTECTED[0]}", changed(tree, ((*place, "kind"), PROTECTED[0]))
                continue
            yield _toggled(tree, (*place, "key"), f"{where}, key")
            yield from _swapped(tree, (*place, "kind"), (*PROTECTED, shared[0]), f"{where}: kind")
            for holder in ("row", *SECTORS):
                if holder != row.get("holder", "row"):
                    yield f"{where}: holder is {holder}", changed(tree, ((*place, "holder"), holder))


def _texts(tree: Tree) -> Iterator[Slip]:
    for name in tree:
        yield f"`{name}` is gone", changed(tree, ((name,), GONE))


def _references(tree: Tree) -> Iterator[Slip]:
    for name in tree["references"]:
        yield f"`{name}` is gone", changed(tree, (("references", name), GONE))
        for slip, other in _citation({"citation": tree["references"][name]}):
            if other is not None:
                yield f"{name}: {slip}", changed(tree, (("references", name), other["citation"]))
