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

_PROVISION_KEYS = {"id", "citation", "title", "chapter", "general", "source", "confidence", "wording"}
_WORDING_KEYS = {
    "from", "until", "type", "from_sectors", "to_sectors", "purposes", "breaks", "kinds", "subject", "initiative",
    "attestations", "open_question",
}  # fmt: skip
_BREAKS_KEYS = {"everything", "rules", "chapters", "protects", "harm_tests", "excepts"}
_SECRECY_KEYS = {
    "id", "citation", "title", "chapter", "protects", "applies", "closed_to_chapters", "source", "confidence", "wording"
}  # fmt: skip


class LawError(Exception):
    """The law files do not hold together; the text names file, key and rule."""


class _File:
    """One TOML file under check: every accessor names the file and the key when something is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = f"{path.parent.name}/{path.name}"
        try:
            self.data = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise LawError(f"{self.name}: not readable as TOML: {error}") from None
        except OSError as error:
            raise LawError(f"{self.name}: cannot be read: {error.strerror}") from None

    def fail(self, key: str, rule: str) -> LawError:
        return LawError(f"{self.name}: `{key}`: {rule}")

    def keys(self, table: Mapping[str, Any], allowed: set[str], where: str) -> None:
        for key in table:
            if key not in allowed:
                raise self.fail(f"{where}{key}", f"unknown key; allowed are {', '.join(sorted(allowed))}")

    def get(self, table: Mapping[str, Any], key: str, kind: type, where: str = "") -> Any:
        if key not in table:
            raise self.fail(where + key, "is missing")
        value = table[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.fail(where + key, f"must be a {kind.__name__}, not `{value}`")
        return value

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
        universe = set(allowed)
        for value in values:
            if value not in universe:
                raise self.fail(where, f"unknown id `{value}`")
        if len(set(values)) != len(values):
            raise self.fail(where, "names the same id twice")
        return frozenset(values)

    def period(self, table: Mapping[str, Any], where: str) -> tuple[date, date | None]:
        start = self.get(table, "from", date, where)
        until = table.get("until")
        if until is not None:
            self.get(table, "until", date, where)
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
        sectors[sector] = Text(file.get(row, "sv", str, f"sectors.{sector}."), file.get(row, "en", str))
        if file.get(row, "authority", bool, f"sectors.{sector}."):
            authorities.add(sector)
    purposes = {
        purpose: file.text(file.data["purposes"], purpose, "purposes.")
        for purpose in file.get(file.data, "purposes", dict)
    }
    kinds = {}
    for kind, row in file.get(file.data, "kinds", dict).items():
        file.keys(row, {"sv", "en", "level"}, f"kinds.{kind}.")
        if row.get("level") not in {"shared", "protected"}:
            raise file.fail(f"kinds.{kind}.level", "must be shared or protected")
        kinds[kind] = Kind(kind, row["level"], Text(file.get(row, "sv", str), file.get(row, "en", str)))
    return sectors, frozenset(authorities), purposes, kinds


def _fields(directory: Path, kinds: Mapping[str, Kind], sectors: Mapping[str, Text]) -> dict[tuple[str, str], Field]:
    file = _File(directory / "fields.toml")
    fields: dict[tuple[str, str], Field] = {}
    for resource, table in file.data.items():
        individual = table.get("individual", False) is True
        for name, row in table.items():
            if name == "individual":
                continue
            where = f"{resource}.{name}."
            file.keys(row, {"kind", "holder", "sources", "key"}, where)
            kind = file.get(row, "kind", str, where)
            if kind not in kinds:
                raise file.fail(f"{where}kind", f"unknown kind `{kind}`")
            holder = row.get("holder", "row")
            if holder != "row" and holder not in sectors:
                raise file.fail(f"{where}holder", f"unknown sector `{holder}`")
            sources = tuple(row.get("sources", ()))
            fields[resource, name] = Field(
                resource, name, kinds[kind], holder, sources, individual, bool(row.get("key", False))
            )
    for field in fields.values():
        for source in field.sources:
            owner, _, name = source.partition(".")
            if (owner, name) not in fields:
                raise file.fail(f"{field.resource}.{field.name}.sources", f"unknown field `{source}`")
            # INVARIANT: a derived field is never easier to reach than what it is made from.
            if field.kind.level == "shared" and fields[owner, name].kind.level == "protected":
                raise file.fail(f"{field.resource}.{field.name}.sources", f"shared, but derived from `{source}`")
    return fields


def _continuous(file: _File, periods: list[tuple[date, date | None]]) -> None:
    """Wordings follow one another without overlap or gap; only the last may be open-ended."""
    for (_, until), (start, _) in pairwise(periods):
        if until is None or until > start:
            raise file.fail("wording.from", f"the wording from `{start}` overlaps the one before it")
        if until < start:
            raise file.fail("wording.from", f"no wording between `{until}` and `{start}`")


def _rules(file: _File, seen: Mapping[str, object], allowed: set[str]) -> str:
    file.keys(file.data, allowed, "")
    identity: str = file.get(file.data, "id", str)
    if identity in seen:
        raise file.fail("id", f"`{identity}` is used twice")
    if identity != file.path.stem:
        raise file.fail("id", f"`{identity}` does not follow the file's name")
    return identity


def _secrecy(directory: Path, sectors: Mapping[str, Text], kinds: Mapping[str, Kind]) -> dict[str, SecrecyRule]:
    rules: dict[str, SecrecyRule] = {}
    for path in sorted((directory / "secrecy").glob("*.toml")):
        file = _File(path)
        identity = _rules(file, rules, _SECRECY_KEYS)
        applies: set[tuple[str, str]] = set()
        for row in file.get(file.data, "applies", list):
            file.keys(row, {"sectors", "kinds"}, "applies.")
            for sector in file.known(row.get("sectors"), sectors, "applies.sectors"):
                applies |= {(sector, kind) for kind in file.known(row.get("kinds"), kinds, "applies.kinds")}
        wordings = []
        for row in file.get(file.data, "wording", list):
            file.keys(row, {"from", "until", "harm_test"}, "wording.")
            if row.get("harm_test") not in {"straight", "reverse", "absolute"}:
                raise file.fail("wording.harm_test", "must be straight, reverse or absolute")
            wordings.append(SecrecyWording(*file.period(row, "wording."), row["harm_test"]))
        _continuous(file, [(w.valid_from, w.until) for w in wordings])
        if file.data.get("protects") not in {"individual", "operation"}:
            raise file.fail("protects", "must be individual or operation")
        rules[identity] = SecrecyRule(
            id=identity,
            citation=file.get(file.data, "citation", str),
            title=file.text(file.data, "title"),
            chapter=file.get(file.data, "chapter", int),
            protects=file.data["protects"],
            applies=frozenset(applies),
            closed_to_chapters=frozenset(file.data.get("closed_to_chapters", ())),
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
        identity = _rules(file, seen, _PROVISION_KEYS)
        wordings = tuple(self._wording(file, row) for row in file.get(file.data, "wording", list))
        if not wordings:
            raise file.fail("wording", "a provision has at least one wording")
        _continuous(file, [(w.valid_from, w.until) for w in wordings])
        chapter = file.data.get("chapter")
        return Provision(
            id=identity,
            citation=file.get(file.data, "citation", str),
            title=file.text(file.data, "title"),
            chapter=chapter if chapter is None else file.get(file.data, "chapter", int),
            general=bool(file.data.get("general", False)),
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
        file.keys(row, _WORDING_KEYS, "wording.")
        if row.get("type") not in {"may", "shall"}:
            raise file.fail("wording.type", "must be may or shall")
        start, until = file.period(row, "wording.")
        subject = row.get("subject", {})
        file.keys(subject, {"age_below"}, "wording.subject.")
        age_below = subject.get("age_below")
        if age_below is not None and file.get(subject, "age_below", int, "wording.subject.") < 1:
            raise file.fail("wording.subject.age_below", "must be at least 1")
        initiative = file.known(row.get("initiative"), ("on-request", "own-initiative"), "wording.initiative")
        attested = row.get("attestations")
        file.known(attested, self.attestations, "wording.attestations")
        return Wording(
            valid_from=start,
            until=until,
            type=row["type"],
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
            open_questions=tuple(self._question(file, question) for question in row.get("open_question", ())),
        )

    def _breaks(self, file: _File, row: Mapping[str, Any]) -> Breaks:
        file.keys(row, _BREAKS_KEYS, "wording.breaks.")
        chapters: set[int] = set()
        for low, high in row.get("chapters", ()):
            chapters |= set(range(low, high + 1))
        return Breaks(
            everything=bool(row.get("everything", False)),
            rules=file.known(row.get("rules", []), self.rule_ids, "wording.breaks.rules"),
            chapters=frozenset(chapters),
            protects=file.known(row.get("protects", []), ("individual", "operation"), "wording.breaks.protects"),
            harm_tests=file.known(row.get("harm_tests", []), ("straight", "reverse"), "wording.breaks.harm_tests"),
            excepts=file.known(row.get("excepts", []), self.rule_ids, "wording.breaks.excepts"),
        )

    def _question(self, file: _File, row: Mapping[str, Any]) -> OpenQuestion:
        where = "wording.open_question."
        file.keys(row, {"number", "purposes", "secrecy", "from_sectors", "to_sectors", "text"}, where)
        return OpenQuestion(
            number=file.get(row, "number", int, where),
            purposes=file.known(row.get("purposes", []), self.purposes, where + "purposes"),
            secrecy=file.known(row.get("secrecy", []), self.rule_ids, where + "secrecy"),
            from_sectors=file.known(row.get("from_sectors", []), self.sectors, where + "from_sectors"),
            to_sectors=file.known(row.get("to_sectors", []), self.sectors, where + "to_sectors"),
            text=file.text(row, "text", where),
        )


def _no_secrecy(directory: Path, sectors: Mapping[str, Text], kinds: Mapping[str, Kind]) -> dict[tuple[str, str], Text]:
    file = _File(directory / "no_secrecy.toml")
    file.keys(file.data, {"none"}, "")
    answers: dict[tuple[str, str], Text] = {}
    for row in file.get(file.data, "none", list):
        file.keys(row, {"sectors", "kinds", "why"}, "none.")
        for sector in file.known(row.get("sectors"), sectors, "none.sectors"):
            for kind in file.known(row.get("kinds"), kinds, "none.kinds"):
                answers[sector, kind] = file.text(row, "why", "none.")
    return answers


def _complete(law: Law) -> None:
    """Every protected kind has an answer at every sector: a secrecy rule, or the explicit "none", never both."""
    for kind in law.kinds.values():
        for sector in law.sectors:
            ruled = any((sector, kind.id) in rule.applies for rule in law.secrecy.values())
            declared = (sector, kind.id) in law.no_secrecy
            if kind.level == "shared":
                if ruled or declared:
                    raise LawError(f"law: `{kind.id}` is shared, yet secrecy is declared for it at `{sector}`")
            elif ruled == declared:
                what = "both a secrecy rule and `none`" if ruled else "neither a secrecy rule nor an explicit `none`"
                raise LawError(f"law: `{kind.id}` at `{sector}` has {what}")


def load(directory: Path = LAW_DIRECTORY) -> Law:
    """Read and check the law files under `directory`. Raises `LawError` naming file, key and rule."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*.toml")):
        digest.update(path.relative_to(directory).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    sectors, authorities, purposes, kinds = _terms(directory)
    attestation_file = _File(directory / "attestations.toml")
    attestations = {key: attestation_file.text(attestation_file.data, key) for key in attestation_file.data}
    secrecy = _secrecy(directory, sectors, kinds)
    reference_file = _File(directory / "references.toml")
    references = reference_file.get(reference_file.data, "references", dict)
    for identity in references:
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
        version=digest.hexdigest()[:16],
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
