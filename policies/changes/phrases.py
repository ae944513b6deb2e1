"""Short phrases in both languages at once, for what is said about a change of the law."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta

from policies.model import Law, Text

NOBODY = Text("ingen", "nobody")
# A list that lacks no more than this is said by what it lacks.
_FEW = 3


def same(text: str) -> Text:
    """What is written alike in both languages: a citation, a day, an id."""
    return Text(text, text)


def phrase(sv: str, en: str, *parts: Text) -> Text:
    """The two templates with each `{}` filled in its own language."""
    return Text(sv.format(*(part.sv for part in parts)), en.format(*(part.en for part in parts)))


def joined(parts: Iterable[Text], mark: str = ", ") -> Text:
    """The texts with a mark between them."""
    some = list(parts)
    return Text(mark.join(part.sv for part in some), mark.join(part.en for part in some))


def sentence(text: Text) -> Text:
    """The text with a full stop, unless it ends with one."""
    ends = (".", ".”", ".“")
    return Text(*(said if said.endswith(ends) else f"{said}." for said in (text.sv, text.en)))


def by_sectors(pairs: Collection[tuple[str, str]]) -> list[tuple[list[str], list[str]]]:
    """Pairs of sector and kind as few groups: sectors that have the same kinds, and those kinds."""
    kinds_of: dict[str, list[str]] = {}
    for sector, kind in sorted(pairs):
        kinds_of.setdefault(sector, []).append(kind)
    sectors_of: dict[tuple[str, ...], list[str]] = {}
    for sector, kinds in kinds_of.items():
        sectors_of.setdefault(tuple(kinds), []).append(sector)
    return [(sectors, list(kinds)) for kinds, sectors in sectors_of.items()]


def period(start: date | None, until: date | None) -> Text:
    """`Från 2025-12-01 till och med 2026-06-30`; `until` is the first day that is no longer in it."""
    last = until - timedelta(days=1) if until is not None else None
    if start is None:
        return Text("Alltid", "Always") if last is None else Text(f"Till och med {last}", f"Through {last}")
    if last is None:
        return Text(f"Från {start}", f"From {start}")
    return Text(f"Från {start} till och med {last}", f"From {start} through {last}")


class Names:
    """What ids of two laws are called: the later law's word wins, and an id that neither knows stands as it is."""

    def __init__(self, old: Law, new: Law) -> None:
        self.sectors = {**old.sectors, **new.sectors}
        self.authorities = new.authorities
        self.purposes = {**old.purposes, **new.purposes}
        self.kinds = {key: kind.title for law in (old, new) for key, kind in law.kinds.items()}
        self.attestations = {**old.attestations, **new.attestations}
        self.citations = {
            identity: same(citation)
            for law in (old, new)
            for identity, citation in (
                *law.references.items(),
                *((rule.id, rule.citation) for rule in law.secrecy.values()),
                *((rule.id, rule.citation) for rule in law.provisions.values()),
            )
        }

    def cited(self, ids: Iterable[str]) -> Text:
        """Rules by citation, in the order given."""
        return joined(self.citations.get(identity, same(identity)) for identity in ids)

    def attested(self, ids: Iterable[str]) -> Text:
        """What must be written down, in its own words."""
        return joined((phrase("”{}”", "“{}”", self.attestations.get(key, same(key))) for key in ids), " ")

    def of_sectors(self, ids: Collection[str]) -> Text:
        """Sectors by name; nearly all, and all authorities, by what is missing."""
        chosen, authorities = set(ids), set(self.authorities)
        everybody, all_authorities = Text("alla", "everybody"), Text("alla myndigheter", "all authorities")
        if chosen == set(self.sectors):
            return everybody
        if chosen and chosen == authorities:
            return all_authorities
        for circle, word in ((authorities, all_authorities), (set(self.sectors), everybody)):
            if chosen < circle and len(circle) - len(chosen) <= _FEW < len(chosen):
                return phrase("{} utom {}", "{} but {}", word, _listed(circle - chosen, self.sectors, ", "))
        return _listed(chosen, self.sectors, ", ")

    def of_purposes(self, ids: Collection[str]) -> Text:
        """Purposes by name."""
        return _nearly_all(ids, self.purposes)

    def of_kinds(self, ids: Collection[str]) -> Text:
        """Kinds by name."""
        return _nearly_all(ids, self.kinds)


def _listed(ids: Collection[str], titles: Mapping[str, Text], mark: str) -> Text:
    known = [titles[key] for key in titles if key in ids]
    return joined([*known, *(same(identity) for identity in sorted(set(ids) - set(titles)))], mark) if ids else NOBODY


def _nearly_all(ids: Collection[str], titles: Mapping[str, Text]) -> Text:
    chosen, every = set(ids), set(titles)
    if chosen == every:
        return Text("alla", "all")
    if chosen < every and len(every) - len(chosen) <= _FEW < len(chosen):
        return phrase("alla utom {}", "all but {}", _listed(every - chosen, titles, " / "))
    # The names themselves hold commas.
    return _listed(chosen, titles, " / ")
