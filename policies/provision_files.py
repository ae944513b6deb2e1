"""Reads the files of `law/provisions/` against the closed lists that they may refer to."""

from collections.abc import Iterable, Mapping
from typing import Any

from policies.lawfile import LawFile, chapters_of, check_continuous, identity_of, note_of, source_of
from policies.model import Breaks, Kind, OpenQuestion, Provision, Text, Wording

_PROVISION_KEYS = {
    "id", "citation", "title", "chapter", "general", "source", "confidence", "note", "wording", "attestations",
}  # fmt: skip
_WORDING_KEYS = {
    "from", "until", "type", "from_sectors", "to_sectors", "purposes", "breaks", "kinds", "subject", "initiative",
    "attestations", "open_question", "other_sector", "equated_from_sectors",
}  # fmt: skip
_BREAKS_KEYS = {"everything", "rules", "chapters", "protects", "harm_tests", "excepts"}
_QUESTION_KEYS = {"number", "purposes", "secrecy", "from_sectors", "to_sectors", "equated", "text"}

# Nobody of whom a rule speaks is older than this.
_OLDEST = 130


def attestations_of(files: Iterable[LawFile], common: Mapping[str, Text]) -> dict[str, Text]:
    """The common attestations, and those that one provision's file states for itself."""
    texts = dict(common)
    for file in files:
        for name, text in file.texts(file.data, "attestations").items():
            if name in texts:
                raise file.fail(f"attestations.{name}", "is stated in another file too")
            texts[name] = text
    return texts


class ProvisionReader:
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
        sources: Mapping[str, Text],
        confidences: Mapping[str, Text],
    ) -> None:
        self.sectors, self.authorities, self.purposes, self.kinds = sectors, authorities, purposes, kinds
        self.rule_ids, self.attestations = rule_ids, attestations
        self.sources, self.confidences = sources, confidences

    def read(self, file: LawFile, seen: Mapping[str, object]) -> Provision:
        """One provision. Raises `LawError` for what does not hold together."""
        identity = identity_of(file, seen, _PROVISION_KEYS)
        wordings = tuple(self._wording(file, row) for row in file.tables(file.data, "wording", _WORDING_KEYS))
        check_continuous(file, [(w.valid_from, w.until) for w in wordings])
        return Provision(
            id=identity,
            citation=file.get(file.data, "citation", str),
            title=file.text(file.data, "title"),
            chapter=file.get(file.data, "chapter", int) if "chapter" in file.data else None,
            general=file.flag(file.data, "general"),
            wordings=wordings,
            source=source_of(file, self.sources),
            confidence=file.one_of(file.data, "confidence", self.confidences),
            note=note_of(file),
        )

    def _sectors(self, file: LawFile, row: Mapping[str, Any], key: str, where: str) -> frozenset[str]:
        """A list of sectors, or one of the words `authorities` and `anyone`."""
        value = row.get(key)
        if value == "authorities":
            return self.authorities
        if value == "anyone":
            return frozenset(self.sectors)
        return file.known(value, self.sectors, where + key)

    def _wording(self, file: LawFile, row: Mapping[str, Any]) -> Wording:
        kind_of_rule: Any = file.one_of(row, "type", ("may", "shall"), "wording.")
        start, until = file.period(row, "wording.")
        subject = row.get("subject", {})
        file.keys(subject, {"age_from", "age_below"}, "wording.subject.")
        age_from, age_below = (self._age(file, subject, key) for key in ("age_from", "age_below"))
        if age_from is not None and age_below is not None and age_from >= age_below:
            raise file.fail("wording.subject.age_below", f"`{age_below}` is not above `age_from`, so nobody fits")
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
            age_from=age_from,
            age_below=age_below,
            initiative=initiative,
            attestations=tuple(attested or ()),
            open_questions=self._questions(file, row),
            other_sector=file.flag(row, "other_sector", "wording."),
            equated_from=file.known(row.get("equated_from_sectors", []), self.sectors, "wording.equated_from_sectors"),
        )

    def _age(self, file: LawFile, subject: Mapping[str, Any], key: str) -> int | None:
        if key not in subject:
            return None
        age: int = file.get(subject, key, int, "wording.subject.")
        if not 1 <= age <= _OLDEST:
            raise file.fail(f"wording.subject.{key}", f"must be 1 to {_OLDEST}")
        return age

    def _breaks(self, file: LawFile, row: Mapping[str, Any]) -> Breaks:
        file.keys(row, _BREAKS_KEYS, "wording.breaks.")
        spans = row.get("chapters", [])
        if not isinstance(spans, list):
            raise file.fail("wording.breaks.chapters", "must be a list of spans [first, last]")
        chapters: set[int] = set()
        for span in spans:
            ends = chapters_of(file, span, "wording.breaks.chapters")
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

    def _questions(self, file: LawFile, wording: Mapping[str, Any]) -> tuple[OpenQuestion, ...]:
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
                equated=file.flag(row, "equated", where),
                text=file.text(row, "text", where),
            )
            for row in file.tables(wording, "open_question", _QUESTION_KEYS, "wording.")
        )
