"""Secrecy rules and provisions as Markdown that a lawyer reads: one entry a rule, one table a wording.

INVARIANT: every attribute that decides anything stands in the entry, so that no rule changes without its text.
"""

from collections.abc import Iterable
from itertools import pairwise

from policies.assess import breaks_rule
from policies.document.swedish import capital, day, listed, natural, period
from policies.document.words import EVERYTHING, HARM_TESTS, NEW_LINE, PROTECTS, Words, heading, plain, spans, table
from policies.model import Law, OpenQuestion, Provision, SecrecyRule, Wording

_TYPES = {"may": "får lämnas (möjlighet)", "shall": "ska lämnas (uppgiftsskyldighet)"}
_INITIATIVES = {"on-request": "på begäran", "own-initiative": "på eget initiativ"}
# What needs no row of its own.
_WITHIN_TOO, _MAIN_RULE = "även inom samma sektor", "enligt huvudregeln"
_SAID_BY_SILENCE = {_WITHIN_TOO, _MAIN_RULE, "alla uppgiftsslag", "ingen åldersgräns", "inget undantag", "inga"}
# A list of what is opened is turned round where so few are left out.
_FEW = 4


def by_group(law: Law) -> tuple[list[Provision], list[Provision], list[Provision]]:
    """General exits, possibilities and duties, each with OSL first and then in the order of their citations."""
    ordered = sorted(law.provisions.values(), key=lambda one: (not one.id.startswith("osl-"), natural(one.id)))
    special = [provision for provision in ordered if not provision.general]
    return (
        [provision for provision in ordered if provision.general],
        [provision for provision in special if provision.wordings[-1].type == "may"],
        [provision for provision in special if provision.wordings[-1].type == "shall"],
    )


def reaches(provision: Provision, wording: Wording, rule: SecrecyRule) -> bool:
    """Whether a wording breaks a rule some day, at a holder and for a kind that the rule locks.

    Of a rule that locks nothing in Samsyn the holder is not known: there what the wording breaks is the whole answer.
    """
    held = not rule.applies or any(
        sector in wording.from_sectors and (wording.kinds is None or kind in wording.kinds)
        for sector, kind in rule.applies
    )
    return held and any(
        breaks_rule(wording.breaks, provision.chapter, rule, stage.valid_from)
        for stage in rule.wordings
        if (stage.until is None or wording.valid_from < stage.until)
        and (wording.until is None or stage.valid_from < wording.until)
    )


def _concerns(asked: OpenQuestion, rule: SecrecyRule) -> bool:
    sectors = {sector for sector, _ in rule.applies}
    return (not asked.secrecy or rule.id in asked.secrecy) and (
        not asked.from_sectors or not sectors or bool(sectors & asked.from_sectors)
    )


def _openers(rule: SecrecyRule, words: Words, chosen: Iterable[Provision]) -> str:
    marks: dict[str, str] = {}
    for provision in chosen:
        reaching = [wording for wording in provision.wordings if reaches(provision, wording, rule)]
        if reaching:
            questions = (asked for wording in reaching for asked in wording.open_questions if _concerns(asked, rule))
            numbers = sorted({asked.number for asked in questions})
            marks[provision.id] = f" (öppen fråga {listed(map(str, numbers))})" if numbers else ""
    return words.cited(marks, marks) or "ingen"


def harm_tests(rule: SecrecyRule) -> str:
    """The harm test of every period."""
    return "; ".join(
        f"{HARM_TESTS[stage.harm_test]} {period(stage.valid_from, stage.until)}" for stage in rule.wordings
    )


def _covers(rule: SecrecyRule, words: Words) -> str:
    sectors_of: dict[frozenset[str], set[str]] = {}
    for sector in words.law.sectors:
        kinds = frozenset(kind for owner, kind in rule.applies if owner == sector)
        if kinds:
            sectors_of.setdefault(kinds, set()).add(sector)
    return NEW_LINE.join(
        f"{capital(words.sectors(frozenset(sectors)))}: {words.kinds(kinds)}" for kinds, sectors in sectors_of.items()
    )


def secrecy_entry(rule: SecrecyRule, words: Words) -> str:
    """One secrecy rule: what it protects and where, and what can break it."""
    general, possibilities, duties = by_group(words.law)
    rows = [("Skaderekvisit", capital(harm_tests(rule)))]
    if rule.applies:
        rows.append(("Gäller hos och för", _covers(rule, words)))
    if rule.not_held:
        rows.append(("Låser inget i Samsyn", plain(rule.not_held.sv)))
    if rule.closed_to_chapters:
        closed = f"{spans(rule.closed_to_chapters)} kap. OSL gäller inte. Ingen bestämmelse där bryter sekretessen"
        rows.append(("Stängd", f"{closed}, och ingen uppgiftsskyldighet som verkar genom de kapitlen."))
    rows += [
        ("Kan brytas av möjligheter", _openers(rule, words, possibilities)),
        ("Kan brytas av skyldigheter", _openers(rule, words, duties)),
        ("Allmänna utvägar", _openers(rule, words, general)),
    ]
    if rule.note:
        rows.append(("Anmärkning", plain(rule.note.sv)))
    title = heading(4, rule.id, f"{capital(plain(rule.citation))} – {plain(rule.title.sv)}")
    small = words.small_print(rule, f"{rule.chapter} kap. OSL")
    return "\n\n".join([title, small, table(("Skyddar", PROTECTS[rule.protects]), rows)])


def _age_limits(wording: Wording) -> str:
    limits = [f"minst {wording.age_from} år"] if wording.age_from is not None else []
    if wording.age_below is not None:
        limits.append(f"under {wording.age_below} år")
    return " men ".join(limits) or "ingen åldersgräns"


def conditions(wording: Wording, words: Words) -> dict[str, str]:
    """Every condition of a wording by its Swedish name, in the order of reading."""
    attested = [f"– {plain(words.law.attestations[identity].sv)}" for identity in wording.attestations]
    initiatives = (name for key, name in _INITIATIVES.items() if key in wording.initiative)
    questions = [
        f"{words.question(asked)} stänger bestämmelsen {words.closes(asked)}: {plain(asked.text.sv)}"
        for asked in wording.open_questions
    ]
    companies = words.sectors(wording.equated_from)
    return {
        "Uppgiften": _TYPES[wording.type],
        "Från": words.sectors(wording.from_sectors),
        "Till": words.sectors(wording.to_sectors, "eller"),
        "Mellan": "bara mellan olika sektorer" if wording.other_sector else _WITHIN_TOO,
        "Bolag": f"omfattas också hos {companies}" if companies else _MAIN_RULE,
        "Ändamål": words.purposes(wording.purposes),
        "Uppgiftsslag": words.kinds(wording.kinds),
        "Ålder": _age_limits(wording),
        "Initiativ": listed(initiatives, "eller"),
        "Bryter": words.breaks(wording.breaks),
        "Bryter inte": words.cited(wording.breaks.excepts) or "inget undantag",
        "Ska antecknas": NEW_LINE.join(attested) or "inget utöver det som gäller varje utlämnande",
        "Öppna frågor": NEW_LINE.join(questions) or "inga",
    }


def _opens(provision: Provision, wording: Wording, words: Words) -> str:
    shut_by = [words.question(asked) for asked in wording.open_questions if words.closes(asked) == EVERYTHING]
    if shut_by:
        return f"ingenting, så länge {listed(shut_by)} är öppen"
    held = [rule for rule in words.law.secrecy.values() if rule.applies]
    opened = {rule.id for rule in held if reaches(provision, wording, rule)}
    shut = {rule.id for rule in held} - opened
    if opened and len(shut) < min(_FEW, len(opened)):
        return f"alla som låser uppgifter i Samsyn{', utom ' if shut else ''}{words.cited(shut)}"
    return words.cited(opened) or "ingen sekretess"


def _wording_table(provision: Provision, wording: Wording, words: Words) -> str:
    rows: list[tuple[str, str]] = []
    for name, value in conditions(wording, words).items():
        if name == "Ska antecknas":
            rows.append(("Öppnar i Samsyn", _opens(provision, wording, words)))
        if value not in _SAID_BY_SILENCE:
            rows.append((name, value))
    return table(("Gäller", period(wording.valid_from, wording.until)), rows)


def provision_entry(provision: Provision, words: Words) -> str:
    """One provision with all its wordings, the newest first."""
    chapter = f"verkar genom {provision.chapter} kap. OSL" if provision.chapter else "verkar utanför OSL:s kapitel"
    parts = [
        heading(4, provision.id, f"{capital(plain(provision.citation))} – {plain(provision.title.sv)}"),
        words.small_print(provision, chapter),
    ]
    if provision.note:
        parts.append(f"Anmärkning: {plain(provision.note.sv)}")
    parts += [_wording_table(provision, wording, words) for wording in reversed(provision.wordings)]
    parts += [
        f"Ändrat den {day(after.valid_from)}: {differences(before, after, words)}."
        for before, after in reversed(list(pairwise(provision.wordings)))
    ]
    return "\n\n".join(parts)


def _moved(role: str, before: frozenset[str], after: frozenset[str], words: Words) -> str:
    came, went = (words.titles(ids, words.law.sectors) for ids in (after - before, before - after))
    moves = filter(None, [came and f"tillkommer {came}", went and f"utgår {went}"])
    return f"som {role} {' och '.join(moves)}"


def differences(before: Wording, after: Wording, words: Words) -> str:
    """What a new wording changes of the one before it."""
    said = []
    earlier, later = conditions(before, words), conditions(after, words)
    for name, value in later.items():
        if value == earlier[name]:
            continue
        if name == "Från":
            said.append(_moved("givare", before.from_sectors, after.from_sectors, words))
        elif name == "Till":
            said.append(_moved("mottagare", before.to_sectors, after.to_sectors, words))
        else:
            now, then = (text.replace(NEW_LINE, " ") for text in (value, earlier[name]))
            said.append(f"{name}: {now} (förut: {then})")
    return "; ".join(said) or "de kodade villkoren är desamma som förut"
