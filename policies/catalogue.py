"""Loads `law/` once and checks it whole. A law that cannot be trusted is no law: the service then refuses to start.

Errors name file, key and rule. The files are TOML: `terms.toml` (sectors, purposes, kinds), `fields.toml`,
`attestations.toml`, `references.toml` (rules that are cited but lock nothing Samsyn holds), `no_secrecy.toml`
(the explicit answer "no secrecy rule"), `sources.toml` (what the codes of source and confidence mean), `left_out.toml`
(what is not encoded, and why), and one file a rule in `secrecy/` and `provisions/`.
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from policies.lawfile import LawError, LawFile, chapters_of, check_continuous, identity_of, note_of, source_of
from policies.model import (
    Field,
    Kind,
    Law,
    LeftOut,
    Provision,
    SecrecyRule,
    SecrecyWording,
    Text,
)
from policies.provision_files import ProvisionReader, attestations_of

__all__ = ["LAW_DIRECTORY", "LawError", "law", "load"]

LAW_DIRECTORY = Path(__file__).parent / "law"

_FILES = (
    "terms.toml", "fields.toml", "attestations.toml", "references.toml", "no_secrecy.toml", "sources.toml",
    "left_out.toml",
)  # fmt: skip
_FOLDERS = ("secrecy", "provisions")
_SECRECY_KEYS = {
    "id", "citation", "title", "chapter", "protects", "applies", "not_held", "closed_to_chapters", "source",
    "confidence", "note", "wording",
}  # fmt: skip


class _Terms(NamedTuple):
    sectors: dict[str, Text]
    authorities: frozenset[str]
    state: frozenset[str]
    purposes: dict[str, Text]
    kinds: dict[str, Kind]


def _terms(directory: Path) -> _Terms:
    file = LawFile(directory / "terms.toml")
    file.keys(file.data, {"sectors", "purposes", "kinds"}, "")
    sectors: dict[str, Text] = {}
    authorities, state = set(), set()
    for sector, row in file.get(file.data, "sectors", dict).items():
        file.keys(row, {"sv", "en", "authority", "state"}, f"sectors.{sector}.")
        where = f"sectors.{sector}."
        sectors[sector] = Text(file.get(row, "sv", str, where), file.get(row, "en", str, where))
        if file.get(row, "authority", bool, where):
            authorities.add(sector)
        if file.flag(row, "state", where):
            state.add(sector)
            if sector not in authorities:
                raise file.fail(f"{where}state", "must be an authority to be one under the government")
    purposes = {
        purpose: file.text(file.data["purposes"], purpose, "purposes.")
        for purpose in file.get(file.data, "purposes", dict)
    }
    kinds = {}
    for kind, row in file.get(file.data, "kinds", dict).items():
        where = f"kinds.{kind}."
        file.keys(row, {"sv", "en", "level", "search_ban"}, where)
        level: Any = file.one_of(row, "level", ("shared", "protected"), where)
        ban = file.strings(row, "search_ban", where)
        if ban and level == "shared":
            raise file.fail(f"{where}search_ban", "is for data about persons, and this kind is shared")
        title = Text(file.get(row, "sv", str, where), file.get(row, "en", str, where))
        kinds[kind] = Kind(kind, level, title, ban)
    return _Terms(sectors, frozenset(authorities), frozenset(state), purposes, kinds)


def _fields(directory: Path, kinds: Mapping[str, Kind], sectors: Mapping[str, Text]) -> dict[tuple[str, str], Field]:
    file = LawFile(directory / "fields.toml")
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
            sources = file.strings(row, "sources", where)
            fields[resource, name] = Field(
                resource, name, kinds[kind], holder, sources, individual, file.flag(row, "key", where)
            )
    for field in fields.values():
        _derived(file, field, fields)
    return fields


def _derived(file: LawFile, field: Field, fields: Mapping[tuple[str, str], Field]) -> None:
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


def _secrecy(
    directory: Path,
    *,
    sectors: Mapping[str, Text],
    kinds: Mapping[str, Kind],
    sources: Mapping[str, Text],
    confidences: Mapping[str, Text],
) -> dict[str, SecrecyRule]:
    rules: dict[str, SecrecyRule] = {}
    for path in sorted((directory / "secrecy").glob("*.toml")):
        file = LawFile(path)
        identity = identity_of(file, rules, _SECRECY_KEYS)
        applies: set[tuple[str, str]] = set()
        not_held = file.text(file.data, "not_held") if "not_held" in file.data else None
        if (not_held is None) == ("applies" not in file.data):
            raise file.fail("applies", "either kinds that the rule covers, or `not_held` with the reason why none")
        for row in [] if not_held else file.tables(file.data, "applies", {"sectors", "kinds"}):
            for sector in file.known(row.get("sectors"), sectors, "applies.sectors"):
                applies |= {(sector, kind) for kind in file.known(row.get("kinds"), kinds, "applies.kinds")}
        wordings = []
        for row in file.tables(file.data, "wording", {"from", "until", "harm_test"}):
            harm_test: Any = file.one_of(row, "harm_test", ("straight", "reverse", "absolute"), "wording.")
            wordings.append(SecrecyWording(*file.period(row, "wording."), harm_test))
        check_continuous(file, [(w.valid_from, w.until) for w in wordings])
        protects: Any = file.one_of(file.data, "protects", ("individual", "operation"))
        rules[identity] = SecrecyRule(
            id=identity,
            citation=file.get(file.data, "citation", str),
            title=file.text(file.data, "title"),
            chapter=file.get(file.data, "chapter", int),
            protects=protects,
            applies=frozenset(applies),
            closed_to_chapters=chapters_of(file, file.data.get("closed_to_chapters", []), "closed_to_chapters"),
            wordings=tuple(wordings),
            source=source_of(file, sources),
            confidence=file.one_of(file.data, "confidence", confidences),
            not_held=not_held,
            note=note_of(file),
        )
    return rules


def _no_secrecy(directory: Path, sectors: Mapping[str, Text], kinds: Mapping[str, Kind]) -> dict[tuple[str, str], Text]:
    file = LawFile(directory / "no_secrecy.toml")
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


def _left_out(directory: Path) -> tuple[LeftOut, ...]:
    file = LawFile(directory / "left_out.toml")
    file.keys(file.data, {"left_out"}, "")
    return tuple(
        LeftOut(
            citation=file.get(row, "citation", str, "left_out."),
            why=file.text(row, "why", "left_out."),
            planned=file.get(row, "planned", date, "left_out.") if "planned" in row else None,
        )
        for row in file.tables(file.data, "left_out", {"citation", "why", "planned"})
    )


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
    sectors, authorities, state, purposes, kinds = _terms(directory)
    source_file = LawFile(directory / "sources.toml")
    source_file.keys(source_file.data, {"sources", "confidences"}, "")
    sources, confidences = (source_file.texts(source_file.data, key) for key in ("sources", "confidences"))
    secrecy = _secrecy(directory, sectors=sectors, kinds=kinds, sources=sources, confidences=confidences)
    reference_file = LawFile(directory / "references.toml")
    references = reference_file.get(reference_file.data, "references", dict)
    for identity in references:
        reference_file.get(references, identity, str, "references.")
        if identity in secrecy:
            raise reference_file.fail(identity, "is a secrecy rule with a file of its own")
    attestation_file = LawFile(directory / "attestations.toml")
    common = {key: attestation_file.text(attestation_file.data, key) for key in attestation_file.data}
    files = [LawFile(path) for path in sorted((directory / "provisions").glob("*.toml"))]
    attestations = attestations_of(files, common)
    reader = ProvisionReader(
        sectors=sectors,
        authorities=authorities,
        purposes=purposes,
        kinds=kinds,
        rule_ids=frozenset(secrecy) | frozenset(references),
        attestations=attestations,
        sources=sources,
        confidences=confidences,
    )
    provisions: dict[str, Provision] = {}
    for file in files:
        provision = reader.read(file, provisions)
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
        sources=MappingProxyType(sources),
        confidences=MappingProxyType(confidences),
        references=MappingProxyType(dict(references)),
        left_out=_left_out(directory),
        state_authorities=state,
    )
    _complete(law)
    return law


@cache
def law() -> Law:
    """The law as shipped, loaded once a process."""
    return load()
