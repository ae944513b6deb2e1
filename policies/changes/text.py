"""What a change of the law files changed: every rule and list that differs, and then what that does to outcomes.

`changes(old, new, language)` tells it in whole sentences. Comments, and the order in which a file names things, decide
nothing and are not told.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.changes.effects import effects, in_words
from policies.changes.phrases import Names, by_sectors, joined, phrase, same, sentence
from policies.changes.rules import rule_changes
from policies.explain import Language
from policies.matrix import Matrix, matrix
from policies.model import Field, Kind, Law, LeftOut, Text

_SHARED = {"shared": Text("delas", "shared"), "protected": Text("skyddas", "protected")}


@dataclass(frozen=True, slots=True)
class Changes:
    """Sentences in one language: about the law files, and about the outcomes that follow."""

    rules: tuple[str, ...]
    outcomes: tuple[str, ...]


def changes(old: Law, new: Law, language: Language) -> Changes:
    """Everything that differs between two laws. Takes seconds: both matrices are made."""
    if old.version == new.version:
        return Changes((), ())
    names = Names(old, new)
    rules = (*list_changes(old, new, names), *rule_changes(old, new, names))
    return Changes(_in(rules, language), outcomes(matrix(old), matrix(new), names, language))


def outcomes(old: Matrix, new: Matrix, names: Names, language: Language) -> tuple[str, ...]:
    """What differs between two matrices, earliest first."""
    return _in((in_words(effect, names) for effect in effects(old, new)), language)


def _in(texts: Iterable[Text], language: Language) -> tuple[str, ...]:
    return tuple(text.sv if language == "sv" else text.en for text in texts)


def list_changes(old: Law, new: Law, names: Names) -> Iterator[Text]:
    """Sentences on the closed lists and on the fields: what came, went or is called otherwise."""
    titled: tuple[tuple[Text, str], ...] = (
        (Text("sektorn", "the sector"), "sectors"),
        (Text("ändamålet", "the purpose"), "purposes"),
        (Text("anteckningen", "the attestation"), "attestations"),
        (Text("källan", "the source"), "sources"),
        (Text("säkerhetsgraden", "the confidence"), "confidences"),
    )
    for what, attribute in titled:
        yield from _entries(what, getattr(old, attribute), getattr(new, attribute), lambda title: title)
    yield from _entries(Text("uppgiftsslaget", "the kind"), old.kinds, new.kinds, _kind)
    yield from _entries(Text("den åberopade regeln", "the cited rule"), old.references, new.references, same)
    yield from _entries(Text("den utelämnade regeln", "the rule left out"), _left_out(old), _left_out(new), _why)
    for sv, en, circle in (
        ("{} räknas nu som myndighet", "{} now counts as an authority", new.authorities - old.authorities),
        (
            "{} räknas inte längre som myndighet",
            "{} no longer counts as an authority",
            old.authorities - new.authorities,
        ),
        (
            "{} räknas nu som statlig myndighet",
            "{} now counts as an authority under the government",
            new.state_authorities - old.state_authorities,
        ),
        (
            "{} räknas inte längre som statlig myndighet",
            "{} no longer counts as an authority under the government",
            old.state_authorities - new.state_authorities,
        ),
    ):
        for sector in sorted(circle):
            yield sentence(phrase(f"Ändras: {sv}", f"Changed: {en}", names.of_sectors((sector,))))
    yield from _no_secrecy(old, new, names)
    yield from _fields(old, new)


def _entries(
    what: Text, old: Mapping[Any, Any], new: Mapping[Any, Any], shown: Callable[[Any], Text]
) -> Iterator[Text]:
    """Sentences on the entries of one list that came, went or changed."""
    for key in dict.fromkeys((*new, *old)):
        called = phrase("{} `{}`", "{} `{}`", what, same(str(key)))
        if key not in old:
            yield sentence(phrase("Tillkommer: {}: {}", "Added: {}: {}", called, shown(new[key])))
        elif key not in new:
            yield sentence(phrase("Utgår: {}: {}", "Removed: {}: {}", called, shown(old[key])))
        elif old[key] != new[key]:
            both = (shown(new[key]), shown(old[key]))
            yield sentence(phrase("Ändras: {}: nu {}; förut {}", "Changed: {}: now {}; before {}", called, *both))


def _kind(kind: Kind) -> Text:
    said = phrase("{} ({})", "{} ({})", kind.title, _SHARED[kind.level])
    if not kind.search_ban:
        return said
    rules = same("; ".join(kind.search_ban))
    return phrase("{}, sökförbud enligt {}", "{}, search ban under {}", said, rules)


def _left_out(law: Law) -> dict[str, LeftOut]:
    return {entry.citation: entry for entry in law.left_out}


def _why(entry: LeftOut) -> Text:
    if entry.planned is None:
        return entry.why
    return phrase("{} (väntas {})", "{} (planned for {})", entry.why, same(str(entry.planned)))


def _no_secrecy(old: Law, new: Law, names: Names) -> Iterator[Text]:
    """The explicit answers "no secrecy rule" that came, went, or have another reason."""
    for sv, en, one, other in (
        ("Tillkommer", "Added", new.no_secrecy, old.no_secrecy),
        ("Utgår", "Removed", old.no_secrecy, new.no_secrecy),
    ):
        reasons: dict[Text, set[tuple[str, str]]] = {}
        for pair, why in one.items():
            if other.get(pair) != why:
                reasons.setdefault(why, set()).add(pair)
        for why, pairs in reasons.items():
            for sectors, kinds in by_sectors(pairs):
                yield sentence(
                    phrase(
                        sv + ": svaret ”ingen sekretessregel” för {} hos {}: {}",
                        en + ": the answer “no secrecy rule” for {} at {}: {}",
                        names.of_kinds(kinds),
                        names.of_sectors(sectors),
                        why,
                    )
                )


def _fields(old: Law, new: Law) -> Iterator[Text]:
    one, other = ({f"{field.resource}.{field.name}": field for field in law.fields.values()} for law in (old, new))
    yield from _entries(Text("fältet", "the field"), one, other, _field)


def _field(field: Field) -> Text:
    holder = Text("den som raden anger", "whom the row names") if field.holder == "row" else same(field.holder)
    said = [
        phrase("slag {}", "kind {}", same(field.kind.id)),
        phrase("hålls av {}", "held by {}", holder),
        *([phrase("härleds ur {}", "derived from {}", same(", ".join(field.sources)))] if field.sources else []),
        *([Text("gäller en person", "about a person")] if field.individual else []),
        *([Text("följer med raden", "goes with the row")] if field.key else []),
    ]
    return joined(said)
