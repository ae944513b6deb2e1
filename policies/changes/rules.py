"""What changed in the rules, in words: provisions and secrecy rules that came and went, and of each every attribute.

INVARIANT: no attribute of a rule changes without a sentence that names the rule and the attribute. What decides
nothing (comments, the order of a file) is no change of the law and has no sentence.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from typing import Any

from policies.changes.phrases import Names, by_sectors, joined, phrase, same, sentence
from policies.model import Law, OpenQuestion, Provision, SecrecyRule, Text, Wording

_Shown = Callable[[Names, Any], Text]

_YES, _NO = Text("ja", "yes"), Text("nej", "no")
_NONE = Text("ingen", "none")
_ALL = Text("alla", "all")
_FOREVER = Text("tills vidare", "until further notice")
_TYPES = {
    "may": Text("får lämnas (möjlighet)", "may be disclosed"),
    "shall": Text("ska lämnas (uppgiftsskyldighet)", "shall be disclosed (a duty)"),
}
_INITIATIVES = {
    "on-request": Text("på begäran", "on request"),
    "own-initiative": Text("på eget initiativ", "on its own initiative"),
}
_PROTECTS = {
    "individual": Text("den enskilde", "the individual"),
    "operation": Text("verksamheten", "the operation"),
}
_HARM_TESTS = {
    "straight": Text("rakt skaderekvisit", "a straight harm test"),
    "reverse": Text("omvänt skaderekvisit", "a reverse harm test"),
    "absolute": Text("absolut sekretess", "absolute secrecy"),
}


def _plain(_: Names, value: Any) -> Text:
    return _NONE if value is None else same(str(value))


def _text(_: Names, value: Text | None) -> Text:
    return _NONE if value is None else value


def _flag(_: Names, value: bool) -> Text:
    return _YES if value else _NO


def _last_day(_: Names, until: date | None) -> Text:
    return _FOREVER if until is None else same(str(until - timedelta(days=1)))


def _of(titles: Mapping[str, Text]) -> _Shown:
    """Shows one id, or several, by these titles."""

    def shown(_: Names, value: str | Iterable[str]) -> Text:
        return titles[value] if isinstance(value, str) else joined(titles[key] for key in titles if key in set(value))

    return shown


def _numbers(_: Names, values: Iterable[int]) -> Text:
    return joined(same(str(value)) for value in sorted(values))


def _cited(names: Names, ids: Iterable[str]) -> Text:
    return names.cited(sorted(ids))


def _sectors(names: Names, ids: frozenset[str]) -> Text:
    return names.of_sectors(ids) if ids else _ALL


def _purposes(names: Names, ids: frozenset[str] | None) -> Text:
    return names.of_purposes(ids) if ids else _ALL


def _kinds(names: Names, ids: frozenset[str] | None) -> Text:
    return _ALL if ids is None else names.of_kinds(ids)


@dataclass(frozen=True, slots=True)
class _Value:
    """An attribute with one value: said as what it is now and what it was."""

    attribute: str
    label: Text
    shown: _Shown = _plain

    def said(self, names: Names, old: Any, new: Any) -> Iterator[Text]:
        """A phrase where the two differ."""
        was, now = getattr(old, self.attribute), getattr(new, self.attribute)
        if was != now:
            shown = (self.shown(names, now), self.shown(names, was))
            yield phrase("{}: nu {}; förut {}", "{}: now {}; before {}", self.label, *shown)


@dataclass(frozen=True, slots=True)
class _Many:
    """An attribute with several values: said as what came and what went."""

    attribute: str
    gained: Text
    lost: Text
    shown: _Shown

    def said(self, names: Names, old: Any, new: Any) -> Iterator[Text]:
        """Phrases where the two differ."""
        was, now = getattr(old, self.attribute), getattr(new, self.attribute)
        for words, more, fewer in ((self.gained, now, was), (self.lost, was, now)):
            extra = [value for value in more if value not in fewer]
            if extra:
                yield phrase(words.sv, words.en, self.shown(names, extra))
        if was != now and set(was) == set(now):
            yield phrase(self.gained.sv + " (i annan ordning)", self.gained.en + " (reordered)", self.shown(names, now))


@dataclass(frozen=True, slots=True)
class _Limit:
    """A list that may be missing, which then means everything (`None`)."""

    many: _Many
    label: Text

    def said(self, names: Names, old: Any, new: Any) -> Iterator[Text]:
        """Phrases where the two differ."""
        values = [getattr(one, self.many.attribute) for one in (old, new)]
        one = self.many if None not in values else _Value(self.many.attribute, self.label, self.many.shown)
        return one.said(names, old, new)


_Attribute = _Value | _Many | _Limit

_OF_RULE: tuple[_Attribute, ...] = (
    _Value("citation", Text("hänvisning", "citation")),
    _Value("title", Text("rubrik", "title"), _text),
    _Value("chapter", Text("kapitel", "chapter")),
    _Value("source", Text("källa", "source")),
    _Value("confidence", Text("säkerhet", "confidence")),
    _Value("note", Text("anmärkning", "note"), _text),
)
_OF_PROVISION: tuple[_Attribute, ...] = (
    *_OF_RULE,
    _Value("general", Text("allmän utväg", "general exit"), _flag),
)
_PERIOD: tuple[_Attribute, ...] = (
    _Value("valid_from", Text("gäller från", "in force from")),
    _Value("until", Text("gäller till och med", "in force through"), _last_day),
)
_OF_WORDING: tuple[_Attribute, ...] = (
    _Value("type", Text("slag", "type"), _of(_TYPES)),
    _Many("from_sectors", Text("lämnas nu även av {}", "now also from {}"),
          Text("lämnas inte längre av {}", "no longer from {}"), _sectors),
    _Many("to_sectors", Text("lämnas nu även till {}", "now also to {}"),
          Text("lämnas inte längre till {}", "no longer to {}"), _sectors),
    _Limit(_Many("purposes", Text("gäller nu även ändamålet {}", "now also for the purpose {}"),
                 Text("gäller inte längre ändamålet {}", "no longer for the purpose {}"), _purposes),
           Text("ändamål", "purposes")),
    _Limit(_Many("kinds", Text("gäller nu även uppgiftsslaget {}", "now also for the kind {}"),
                 Text("gäller inte längre uppgiftsslaget {}", "no longer for the kind {}"), _kinds),
           Text("uppgiftsslag", "kinds")),
    _Value("other_sector", Text("bara mellan olika sektorer", "only between different sectors"), _flag),
    _Many("equated_from", Text("binder nu även bolag inom {}", "now also binds companies of {}"),
          Text("binder inte längre bolag inom {}", "no longer binds companies of {}"), _sectors),
    _Value("age_from", Text("lägsta ålder", "lowest age")),
    _Value("age_below", Text("ålder under", "age below")),
    _Many("initiative", Text("lämnas nu även {}", "now also {}"), Text("lämnas inte längre {}", "no longer {}"),
          _of(_INITIATIVES)),
    _Many("attestations", Text("ska nu antecknas: {}", "must now be written down: {}"),
          Text("behöver inte längre antecknas: {}", "need no longer be written down: {}"), Names.attested),
)  # fmt: skip
_OF_BREAKS: tuple[_Attribute, ...] = (
    _Value("everything", Text("bryter all sekretess", "breaks all secrecy"), _flag),
    _Many("rules", Text("bryter nu även {}", "now also breaks {}"),
          Text("bryter inte längre {}", "no longer breaks {}"), _cited),
    _Many("chapters", Text("bryter nu även sekretess i kapitel {}", "now also breaks secrecy of chapter {}"),
          Text("bryter inte längre sekretess i kapitel {}", "no longer breaks secrecy of chapter {}"), _numbers),
    _Many("protects", Text("bryter nu även sekretess till skydd för {}", "now also breaks secrecy that protects {}"),
          Text("bryter inte längre sekretess till skydd för {}", "no longer breaks secrecy that protects {}"),
          _of(_PROTECTS)),
    _Many("harm_tests", Text("bryter nu även sekretess med {}", "now also breaks secrecy with {}"),
          Text("bryter inte längre sekretess med {}", "no longer breaks secrecy with {}"), _of(_HARM_TESTS)),
    _Many("excepts", Text("undantar nu även {}", "now also excepts {}"),
          Text("undantar inte längre {}", "no longer excepts {}"), _cited),
)  # fmt: skip
_OF_QUESTION: tuple[_Attribute, ...] = (
    _Value("purposes", Text("ändamål", "purposes"), _purposes),
    _Value("secrecy", Text("sekretess", "secrecy"), lambda names, ids: _cited(names, ids) if ids else _ALL),
    _Value("from_sectors", Text("från", "from"), _sectors),
    _Value("to_sectors", Text("till", "to"), _sectors),
    _Value("equated", Text("bara myndigheter genom 2 kap. 3 § OSL", "only authorities through OSL 2:3"), _flag),
    _Value("text", Text("lydelse", "text"), _text),
)
_OF_SECRECY: tuple[_Attribute, ...] = (
    *_OF_RULE,
    _Value("protects", Text("skyddar", "protects"), _of(_PROTECTS)),
    _Many("closed_to_chapters", Text("bryts inte längre av kapitel {}", "no longer broken by chapter {}"),
          Text("kan nu brytas av kapitel {}", "can now be broken by chapter {}"), _numbers),
    _Value("not_held", Text("varför Samsyn inte håller sådana uppgifter", "why Samsyn holds no such data"), _text),
)  # fmt: skip
_OF_STAGE: tuple[_Attribute, ...] = (_Value("harm_test", Text("skaderekvisit", "harm test"), _of(_HARM_TESTS)),)


def rule_changes(old: Law, new: Law, names: Names) -> Iterator[Text]:
    """Sentences on every provision and secrecy rule that came, went or changed, in the order of the law files."""
    for what, one, other in (
        (Text("sekretessbestämmelsen", "the secrecy rule"), old.secrecy, new.secrecy),
        (Text("bestämmelsen", "the provision"), old.provisions, new.provisions),
    ):
        for identity in dict.fromkeys((*other, *one)):
            was, now = one.get(identity), other.get(identity)
            rule: Any = now or was
            called = phrase("{} {} ({})", "{} {} ({})", what, same(rule.citation), same(identity))
            if was is None:
                yield sentence(phrase("Tillkommer: {}, ”{}”", "Added: {}, “{}”", called, rule.title))
            elif now is None:
                yield sentence(phrase("Utgår: {}, ”{}”", "Removed: {}, “{}”", called, rule.title))
            else:
                for said in _of_one(names, was, now):
                    yield sentence(phrase("Ändras: {}: {}", "Changed: {}: {}", called, said))


def _of_one(names: Names, was: Any, now: Any) -> Iterator[Text]:
    if isinstance(now, Provision):
        yield from _said(_OF_PROVISION, names, was, now)
        yield from _wordings(names, was.wordings, now.wordings, _provision_wording)
    else:
        yield from _said(_OF_SECRECY, names, was, now)
        yield from _applies(names, was, now)
        yield from _wordings(names, was.wordings, now.wordings, lambda *both: _said(_OF_STAGE, *both))


def _said(attributes: Iterable[_Attribute], names: Names, was: Any, now: Any) -> Iterator[Text]:
    for attribute in attributes:
        yield from attribute.said(names, was, now)


def _applies(names: Names, was: SecrecyRule, now: SecrecyRule) -> Iterator[Text]:
    """Which kinds at which sectors came under the rule, and which left it."""
    for sv, en, extra in (
        ("gäller nu även {} hos {}", "now also covers {} at {}", now.applies - was.applies),
        ("gäller inte längre {} hos {}", "no longer covers {} at {}", was.applies - now.applies),
    ):
        for sectors, kinds in by_sectors(extra):
            yield phrase(sv, en, names.of_kinds(kinds), names.of_sectors(sectors))


_Differ = Callable[[Names, Any, Any], Iterator[Text]]


def _wordings(names: Names, old: tuple[Any, ...], new: tuple[Any, ...], differ: _Differ) -> Iterator[Text]:
    """Wordings are the same where they begin on the same day; of the others, the first is the first that is left."""
    starts = {wording.valid_from for wording in old} & {wording.valid_from for wording in new}
    left = [wording for wording in old if wording.valid_from not in starts]
    pairs: dict[date, Any] = {wording.valid_from: wording for wording in old if wording.valid_from in starts}
    previous = None
    for wording in new:
        was = pairs.get(wording.valid_from) or (left.pop(0) if left else None)
        called = phrase("lydelsen från {}", "the wording from {}", same(str((was or wording).valid_from)))
        if was is None:
            yield phrase("tillkommer: {}", "added: {}", called)
            # A new wording of a rule that has others is told by what it changes in the one before it.
            said: Iterator[Text] = iter(()) if previous is None else differ(names, previous, wording)
        else:
            said = chain(_said(_PERIOD, names, was, wording), differ(names, was, wording))
        for one in said:
            yield phrase("{}: {}", "{}: {}", called, one)
        previous = wording
    for wording in left:
        yield phrase("utgår: lydelsen från {}", "removed: the wording from {}", same(str(wording.valid_from)))


def _provision_wording(names: Names, was: Wording, now: Wording) -> Iterator[Text]:
    yield from _said(_OF_WORDING, names, was, now)
    yield from _said(_OF_BREAKS, names, was.breaks, now.breaks)
    before, after = _numbered(was.open_questions), _numbered(now.open_questions)
    for key in dict.fromkeys((*after, *before)):
        old, new = before.get(key), after.get(key)
        number = same(str(key[0]))
        if old is None and new is not None:
            yield phrase("stängs nu av fråga {}: {}", "now closed by question {}: {}", number, new.text)
        elif new is None and old is not None:
            yield phrase("stängs inte längre av fråga {}: {}", "no longer closed by question {}: {}", number, old.text)
        else:
            for said in _said(_OF_QUESTION, names, old, new):
                yield phrase("fråga {}: {}", "question {}: {}", number, said)


def _numbered(questions: tuple[OpenQuestion, ...]) -> dict[tuple[int, int], OpenQuestion]:
    """Questions by number; the same number may stand for several combinations."""
    found: dict[tuple[int, int], OpenQuestion] = {}
    for asked in questions:
        found[asked.number, sum(number == asked.number for number, _ in found)] = asked
    return found
