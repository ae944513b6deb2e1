"""Loads `law/` once and checks it whole. A law that cannot be trusted is no law: the service then refuses to start.

Errors name file, key and rule. The files are TOML: `terms.toml` (sectors, purposes, kinds), `fields.toml`,
`attestations.toml`, `references.toml` (rules that are cited but lock nothing Samsyn holds), `no_secrecy.toml`
(the explicit answer "no secrecy rule"), and one file a rule in `secrecy/` and `provisions/`.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

from policies.model import (
    Breaks,
    Field,
    Kind,
    Law,
    OpenQuestion,
    Provision,
    SecrecyRule,
    SecrecyWording,
    Text,
    Wording,
)

LAW_DIRECTORY = Path(__file__).parent / "law"

_FILES = ("terms.toml", "fields.toml", "attestations.toml", "references.toml", "no_secrecy.toml")
_FOLDERS = ("secrecy", "provisions")
_PROVISION_KEYS = {"id", "citation", "title", "chapter", "general", "source", "confidence", "wording"}
_WORDING_KEYS = {
    "from", "until", "type", "from_sectors", "to_sectors", "purposes", "breaks", "kinds", "subject", "initiative",
    "attestations", "open_question",
}  # fmt: skip
_BREAKS_KEYS = {"everything", "rules", "chapters", "protects", "harm_tests", "excepts"}
_QUESTION_KEYS = {"number", "purposes", "secrecy", "from_sectors", "to_sectors", "text"}
_SECRECY_KEYS = {
    "id", "citation", "title", "chapter", "protects", "applies", "closed_to_chapters", "source", "confidence", "wording"
}  # fmt: skip

# OSL has 44 chapters; nobody of whom a rule speaks is older than this.
_LAST_CHAPTER = 44
_OLDEST = 130


class LawError(Exception):
    """The law files do not hold together; the text names file, key and rule."""


class _File:
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
        return LawError(f"{self.name}: `{key}`: {rule}")

    def keys(self, table: object, allowed: set[str], where: str) -> None:
        if not isinstance(table, dict):
            raise self.fail(where.rstrip(".") or "the file", "must be a table")
        for key in table:
            if key not in allowed:
                raise self.fail(f"{where}{key}", f"unknown key; allowed are {', '.join(sorted(allowed))}")

    def get(self, table: Mapping[str, Any], key: str, kind: type, where: str = "") -> Any:
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
        value = self.get(table, key, dict, where)
        self.keys(value, {"sv", "en"}, f"{where}{key}.")
        return Text(
            self.get(value, "sv", str, f"{where}{key}."),
            self.get(value, "en", str, f"{where}{key}."),
        )

    def known(self, values: object, allowed: Iterable[str], where: str) -> frozenset[str]:
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self.fail(where, "must be a list of names")
        universe = frozenset(allowed)
        for value in values:
            if value not in universe:
                raise self.fail(where, f"unknown id `{value}`")
        if len(set(values)) != len(values):
            raise self.fail(where, "names the same id twice")
        return frozenset(values)

    def period(self, table: Mapping[str, Any], where: str) -> tuple[date, date | None]:
        start = self.get(table, "from", date, where)
        if "until" not in table:
            return start, None
        until = self.get(table, "until", date, where)
        if until <= start:
            raise self.fail(f"{where}until", f"`{until}` is not after `{start}`")
        return start, until


def _terms(directory: Path) -> tuple[dict[str, Text], frozenset[str], dict[str, Text], dict[str, Kind]]:
    file = _File(directory / "terms.toml")
    file.keys(file.data, {"sectors", "purposes", "kinds"}, "")
    sectors: dict[str, Text] = {}
    authorities = set()
    for sector, row in file.get(file.data, "sectors", dict).items():
        file.keys(row, {"sv", "en", "authority"}, f"sectors.{sector}.")
        where = f"sectors.{sector}."
        sectors[sector] = Text(file.get(row, "sv", str, where), file.get(row, "en", str, where))
        if file.get(row, "authority", bool, where):
            authorities.add(sector)
    purposes = {
        purpose: file.text(file.data["purposes"], purpose, "purposes.")
        for purpose in file.get(file.data, "purposes", dict)
    }
    kinds = {}
    for kind, row in file.get(file.data, "kinds", dict).items():
        where = f"kinds.{kind}."
        file.keys(row, {"sv", "en", "level"}, where)
        level: Any = file.one_of(row, "level", ("shared", "protected"), where)
        kinds[kind] = Kind(kind, level, Text(file.get(row, "sv", str, where), file.get(row, "en", str, where)))
    return sectors, frozenset(authorities), purposes, kinds


def _fields(directory: Path, kinds: Mapping[str, Kind], sectors: Mapping[str, Text]) -> dict[tuple[str, str], Field]:
    file = _File(directory / "fields.toml")
    fields: dict[tuple[str, str], Field] = {}
    for resource in file.data:
        table = file.get(file.data, resource, dict)
        individual = file.flag(table, "individual", f"{resource}.")
        for name, row in table.items():
            if name == "individual":
                continue
            where = f"{resource}.{name}."
            file.keys(row, {"kind", "holder", "sources", "key"}, where)
            kind = file.get(row, "kind", str, where)
            if kind not in kinds:
                raise file.fail(f"{where}kind", f"unknown kind `{kind}`")
            holder = file.get(row, "holder", str, where) if "holder" in row else "row"
            if holder != "row" and holder not in sectors:
                raise file.fail(f"{where}holder", f"unknown sector `{holder}`")
            sources = row.get("sources", [])
            if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
                raise file.fail(f"{where}sources", "must be a list of names")
            fields[resource, name] = Field(
                resource, name, kinds[kind], holder, tuple(sources), individual, file.flag(row, "key", where)
            )
    for field in fields.values():
        _derived(file, field, fields)
    return fields


def _derived(file: _File, field: Field, fields: Mapping[tuple[str, str], Field]) -> None:
    """INVARIANT: a derived field is never easier to reach than what it is made from (its lineage)."""
    where = f"{field.resource}.{field.name}.sources"
    for name in field.sources:
        owner, _, rest = name.partition(".")
        source = fields.get((owner, rest))
        if source is None:
            raise file.fail(where, f"unknown field `{name}`")
        if source.kind.level == "shared":
            continue
        if field.kind.level == "shared":
            raise file.fail(where, f"shared, but derived from `{name}`")
        if (field.kind, field.holder) != (source.kind, source.holder) or source.individual > field.individual:
            raise file.fail(where, f"must have the kind and the holder of `{name}`, which it is derived from")


def _continuous(file: _File, periods: list[tuple[date, date | None]]) -> None:
    """Wordings follow one another without overlap or gap; only the last may be open-ended."""
    for (_, until), (start, _) in pairwise(periods):
        if until is None or until > start:
            raise file.fail("wording.from", f"the wording from `{start}` overlaps the one before it")
        if until < start:
            raise file.fail("wording.from", f"no wording between `{until}` and `{start}`")


def _identity(file: _File, seen: Mapping[str, object], allowed: set[str]) -> str:
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


def _chapters(file: _File, values: object, where: str) -> frozenset[int]:
    if not isinstance(values, list) or not all(type(value) is int and 1 <= value <= _LAST_CHAPTER for value in values):
        raise file.fail(where, f"must be a list of chapters, 1 to {_LAST_CHAPTER}")
    return frozenset(values)


def _secrecy(directory: Path, sectors: Mapping[str, Text], kinds: Mapping[str, Kind]) -> dict[str, SecrecyRule]:
    rules: dict[str, SecrecyRule] = {}
    for path in sorted((directory / "secrecy").glob("*.toml")):
        file = _File(path)
        identity = _identity(file, rules, _SECRECY_KEYS)
        applies: set[tuple[str, str]] = set()
        for row in file.tables(file.data, "applies", {"sectors", "kinds"}):
            for sector in file.known(row.get("sectors"), sectors, "applies.sectors"):
                applies |= {(sector, kind) for kind in file.known(row.get("kinds"), kinds, "applies.kinds")}
        wordings = []
        for row in file.tables(file.data, "wording", {"from", "until", "harm_test"}):
            harm_test: Any = file.one_of(row, "harm_test", ("straight", "reverse", "absolute"), "wording.")
            wordings.append(SecrecyWording(*file.period(row, "wording."), harm_test))
        _continuous(file, [(w.valid_from, w.until) for w in wordings])
        protects: Any = file.one_of(file.data, "protects", ("individual", "operation"))
        file.get(file.data, "source", str)
        file.get(file.data, "confidence", str)
        rules[identity] = SecrecyRule(
            id=identity,
            citation=file.get(file.data, "citation", str),
            title=file.text(file.data, "title"),
            chapter=file.get(file.data, "chapter", int),
            protects=protects,
            applies=frozenset(applies),
            closed_to_chapters=_chapters(file, file.data.get("closed_to_chapters", []), "closed_to_chapters"),
            wordings=tuple(wordings),
        )
    return rules


class _ProvisionReader:
    """Reads provision files against the closed lists they may refer to."""

    def __init__(
        self,
        *,
        sectors: Mapping[str, Text],
        authorities: frozenset[str],
        purposes: Mapping[str, Text],
        kinds: Mapping[str, Kind],
        rule_ids: frozenset[str],
        attestations: Mapping[str, Text],
    ) -> None:
        self.sectors, self.authorities, self.purposes, self.kinds = sectors, authorities, purposes, kinds
        self.rule_ids, self.attestations = rule_ids, attestations

    def read(self, file: _File, seen: Mapping[str, object]) -> Provision:
        identity = _identity(file, seen, _PROVISION_KEYS)
        wordings = tuple(self._wording(file, row) for row in file.tables(file.data, "wording", _WORDING_KEYS))
        _continuous(file, [(w.valid_from, w.until) for w in wordings])
        return Provision(
            id=identity,
            citation=file.get(file.data, "citation", str),
            title=file.text(file.data, "title"),
            chapter=file.get(file.data, "chapter", int) if "chapter" in file.data else None,
            general=file.flag(file.data, "general"),
            wordings=wordings,
            source=file.get(file.data, "source", str),
            confidence=file.get(file.data, "confidence", str),
        )

    def _sectors(self, file: _File, row: Mapping[str, Any], key: str, where: str) -> frozenset[str]:
        """A list of sectors, or one of the words `authorities` and `anyone`."""
        value = row.get(key)
        if value == "authorities":
            return self.authorities
        if value == "anyone":
            return frozenset(self.sectors)
        return file.known(value, self.sectors, where + key)

    def _wording(self, file: _File, row: Mapping[str, Any]) -> Wording:
        kind_of_rule: Any = file.one_of(row, "type", ("may", "shall"), "wording.")
        start, until = file.period(row, "wording.")
        subject = row.get("subject", {})
        file.keys(subject, {"age_below"}, "wording.subject.")
        age_below = file.get(subject, "age_below", int, "wording.subject.") if subject else None
        if age_below is not None and not 1 <= age_below <= _OLDEST:
            raise file.fail("wording.subject.age_below", f"must be 1 to {_OLDEST}")
        initiative = file.known(row.get("initiative"), ("on-request", "own-initiative"), "wording.initiative")
        attested = row.get("attestations")
        file.known(attested, self.attestations, "wording.attestations")
        return Wording(
            valid_from=start,
            until=until,
            type=kind_of_rule,
            from_sectors=self._sectors(file, row, "from_sectors", "wording."),
            to_sectors=self._sectors(file, row, "to_sectors", "wording."),
            purposes=None
            if row.get("purposes") == "any"
            else file.known(row.get("purposes"), self.purposes, "wording.purposes"),
            breaks=self._breaks(file, file.get(row, "breaks", dict, "wording.")),
            kinds=None if "kinds" not in row else file.known(row["kinds"], self.kinds, "wording.kinds"),
            age_below=age_below,
            initiative=initiative,
            attestations=tuple(attested or ()),
            open_questions=self._questions(file, row),
        )

    def _breaks(self, file: _File, row: Mapping[str, Any]) -> Breaks:
        file.keys(row, _BREAKS_KEYS, "wording.breaks.")
        spans = row.get("chapters", [])
        if not isinstance(spans, list):
            raise file.fail("wording.breaks.chapters", "must be a list of spans [first, last]")
        chapters: set[int] = set()
        for span in spans:
            ends = _chapters(file, span, "wording.breaks.chapters")
            if len(span) != 2 or span[0] > span[1]:  # noqa: PLR2004 - first and last
                raise file.fail("wording.breaks.chapters", f"`{span}` is no span [first, last]")
            chapters |= set(range(min(ends), max(ends) + 1))
        return Breaks(
            everything=file.flag(row, "everything", "wording.breaks."),
            rules=file.known(row.get("rules", []), self.rule_ids, "wording.breaks.rules"),
            chapters=frozenset(chapters),
            protects=file.known(row.get("protects", []), ("individual", "operation"), "wording.breaks.protects"),
            harm_tests=file.known(row.get("harm_tests", []), ("straight", "reverse"), "wording.breaks.harm_tests"),
            excepts=file.known(row.get("excepts", []), self.rule_ids, "wording.breaks.excepts"),
        )

    def _questions(self, file: _File, wording: Mapping[str, Any]) -> tuple[OpenQuestion, ...]:
        if "open_question" not in wording:
            return ()
        where = "wording.open_question."
        return tuple(
            OpenQuestion(
                number=file.get(row, "number", int, where),
                purposes=file.known(row.get("purposes", []), self.purposes, where + "purposes"),
                secrecy=file.known(row.get("secrecy", []), self.rule_ids, where + "secrecy"),
                from_sectors=file.known(row.get("from_sectors", []), self.sectors, where + "from_sectors"),
                to_sectors=file.known(row.get("to_sectors", []), self.sectors, where + "to_sectors"),
                text=file.text(row, "text", where),
            )
            for row in file.tables(wording, "open_question", _QUESTION_KEYS, "wording.")
        )


def _no_secrecy(directory: Path, sectors: Mapping[str, Text], kinds: Mapping[str, Kind]) -> dict[tuple[str, str], Text]:
    file = _File(directory / "no_secrecy.toml")
    file.keys(file.data, {"none"}, "")
    answers: dict[tuple[str, str], Text] = {}
    for row in file.tables(file.data, "none", {"sectors", "kinds", "why"}):
        why = file.text(row, "why", "none.")
        for sector in sorted(file.known(row.get("sectors"), sectors, "none.sectors")):
            for kind in sorted(file.known(row.get("kinds"), kinds, "none.kinds")):
                if (sector, kind) in answers:
                    raise file.fail("none", f"`{kind}` at `{sector}` is answered twice")
                answers[sector, kind] = why
    return answers


def _complete(law: Law) -> None:
    """Every protected kind has an answer at every sector: a secrecy rule, or the explicit "none", never both."""
    for kind in law.kinds.values():
        for sector in law.sectors:
            rules = [rule.id for rule in law.secrecy_of(kind.id, sector)]
            declared = (sector, kind.id) in law.no_secrecy
            if kind.level == "shared" and (rules or declared):
                where = f"secrecy/{rules[0]}.toml: `applies.kinds`" if rules else "law/no_secrecy.toml: `none.kinds`"
                raise LawError(f"{where}: `{kind.id}` is shared, yet secrecy is declared for it at `{sector}`")
            if kind.level == "protected" and bool(rules) == declared:
                what = f"both {', '.join(rules)} and" if rules else "neither a secrecy rule nor an explicit"
                raise LawError(f"law/no_secrecy.toml: `none.kinds`: `{kind.id}` at `{sector}` has {what} `none`")


def _version(directory: Path) -> str:
    """A digest of every law file, names and bytes; refuses a file that no part of the law is read from."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*.toml")):
        name = path.relative_to(directory).as_posix()
        folder, _, file = name.rpartition("/")
        if (folder or file) not in {*_FILES, *_FOLDERS}:
            raise LawError(f"{name}: is no file of the law; allowed are {', '.join((*_FILES, *_FOLDERS))}")
        try:
            content = path.read_bytes()
        except OSError as error:
            raise LawError(f"{name}: cannot be read: {error.strerror}") from None
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:16]


def load(directory: Path = LAW_DIRECTORY) -> Law:
    """Read and check the law files under `directory`. Raises `LawError` naming file, key and rule."""
    version = _version(directory)
    sectors, authorities, purposes, kinds = _terms(directory)
    attestation_file = _File(directory / "attestations.toml")
    attestations = {key: attestation_file.text(attestation_file.data, key) for key in attestation_file.data}
    secrecy = _secrecy(directory, sectors, kinds)
    reference_file = _File(directory / "references.toml")
    references = reference_file.get(reference_file.data, "references", dict)
    for identity in references:
        reference_file.get(references, identity, str, "references.")
        if identity in secrecy:
            raise reference_file.fail(identity, "is a secrecy rule with a file of its own")
    reader = _ProvisionReader(
        sectors=sectors,
        authorities=authorities,
        purposes=purposes,
        kinds=kinds,
        rule_ids=frozenset(secrecy) | frozenset(references),
        attestations=attestations,
    )
    provisions: dict[str, Provision] = {}
    for path in sorted((directory / "provisions").glob("*.toml")):
        provision = reader.read(_File(path), provisions)
        provisions[provision.id] = provision
    law = Law(
        version=version,
        sectors=MappingProxyType(sectors),
        authorities=authorities,
        purposes=MappingProxyType(purposes),
        kinds=MappingProxyType(kinds),
        fields=MappingProxyType(_fields(directory, kinds, sectors)),
        secrecy=MappingProxyType(secrecy),
        no_secrecy=MappingProxyType(_no_secrecy(directory, sectors, kinds)),
        provisions=MappingProxyType(provisions),
        attestations=MappingProxyType(attestations),
    )
    _complete(law)
    return law


@lru_cache(maxsize=1)
def law() -> Law:
    """The law as shipped, loaded once a process."""
    return load()
