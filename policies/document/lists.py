"""The sections that list: terms, rules with their overviews, answers of no secrecy, questions, what is left out."""

from policies.assess import ATTESTATIONS_OF_MAY
from policies.document.rules import by_group, provision_entry, secrecy_entry
from policies.document.swedish import capital, day, last_day, natural, short_citation
from policies.document.words import HARM_TESTS, PROTECTS, Words, anchored_code, heading, plain, table
from policies.model import OpenQuestion, Provision, SecrecyRule


def terms(words: Words) -> str:
    """Sectors, purposes and kinds."""
    law = words.law
    sectors = [
        (capital(plain(text.sv)), "ja" if sector in law.authorities else "nej", f"`{sector}`")
        for sector, text in law.sectors.items()
    ]
    purposes = [(capital(plain(text.sv)), f"`{purpose}`") for purpose, text in law.purposes.items()]
    kinds = [
        (
            capital(plain(kind.title.sv)),
            "delas" if kind.level == "shared" else "skyddas",
            plain("; ".join(kind.search_ban)),
            f"`{kind.id}`",
        )
        for kind in law.kinds.values()
    ]
    return "\n\n".join(
        [
            heading(3, "sektorer", "Sektorer"),
            (
                "Varje myndighet, och varje självständig verksamhetsgren inom en myndighet, hör till en sektor. "
                "Sekretess gäller mellan dem (8 kap. 1 och 2 §§ OSL)."
            ),
            table(("Sektor", "Myndighet", "Beteckning"), sectors),
            heading(3, "andamal", "Ändamål"),
            (
                "Den som vill ha en skyddad uppgift anger för vilket ändamål. Att ett ändamål anges bevisar ingenting, "
                "men gör den som anger det ansvarig för det."
            ),
            table(("Ändamål", "Beteckning"), purposes),
            heading(3, "uppgiftsslag", "Uppgiftsslag"),
            (
                "Varje uppgift är av ett enda slag. De slag som delas når alla anslutna myndigheter. För de slag som "
                "skyddas krävs ett ändamål, och varje utlämnande till en annan myndighet kräver ett beslut. Där ett "
                "sökförbud anges får ingen välja ut eller ordna personer efter sådana uppgifter, inte ens bland sina "
                "egna."
            ),
            table(("Uppgiftsslag", "Delas eller skyddas", "Sökförbud", "Beteckning"), kinds),
        ]
    )


def secrecy(words: Words) -> str:
    """Every secrecy rule: an overview, those that lock something in Samsyn, and the others."""
    rules = sorted(words.law.secrecy.values(), key=lambda rule: natural(rule.id))
    overview = [
        (
            words.linked(rule.id, rule.citation),
            plain(rule.title.sv),
            PROTECTS[rule.protects],
            HARM_TESTS[rule.wordings[-1].harm_test].split()[0],
            day(rule.wordings[0].valid_from),
            last_day(rule.wordings[-1].until),
        )
        for rule in rules
    ]
    return "\n\n".join(
        [
            table(("Bestämmelse", "Avser", "Skyddar", "Skaderekvisit", "Från och med", "Till och med"), overview),
            heading(3, "sekretess-hallen", "Bestämmelser som låser uppgifter i Samsyn"),
            *(secrecy_entry(rule, words) for rule in rules if not rule.not_held),
            heading(3, "sekretess-ej-hallen", "Bestämmelser som inte låser någon uppgift i Samsyn"),
            (
                "De finns med därför att man kan fråga om dem, och därför att andra bestämmelser bryter eller undantar "
                "dem. Vem som håller sådana uppgifter är inte kodat: raderna *Kan brytas av* visar varje bestämmelse "
                "vars innehåll bryter dem, vem den än vänder sig till."
            ),
            *(secrecy_entry(rule, words) for rule in rules if rule.not_held),
        ]
    )


def no_secrecy(words: Words) -> str:
    """The explicit answers that no rule is encoded, with the reason."""
    kinds_of: dict[tuple[str, str], set[str]] = {}
    for (sector, kind), why in words.law.no_secrecy.items():
        kinds_of.setdefault((why.sv, sector), set()).add(kind)
    sectors_of: dict[tuple[str, frozenset[str]], set[str]] = {}
    for (reason, sector), kinds in kinds_of.items():
        sectors_of.setdefault((reason, frozenset(kinds)), set()).add(sector)
    rows = [
        (capital(words.sectors(frozenset(sectors))), words.kinds(kinds), plain(reason))
        for (reason, kinds), sectors in sectors_of.items()
    ]
    return "\n\n".join(
        [
            (
                "För varje sektor och varje skyddat uppgiftsslag finns ett svar: en eller flera sekretessbestämmelser, "
                "eller det uttryckliga svaret att ingen är kodad. Det svaret öppnar ingenting av sig självt: en annan "
                "myndighets skyddade uppgift lämnas bara efter beslut av den som håller den."
            ),
            table(("Hos", "Uppgiftsslag", "Varför ingen sekretessbestämmelse"), rows),
        ]
    )


def provisions(words: Words) -> str:
    """Every provision that can break secrecy: an overview, then general exits, possibilities and duties."""
    general, possibilities, duties = by_group(words.law)
    groups = (
        ("utvagar", "Allmänna utvägar", general),
        ("mojligheter", "Möjligheter: uppgiften får lämnas", possibilities),
        ("skyldigheter", "Skyldigheter: uppgiften ska lämnas", duties),
    )
    parts = [
        heading(3, "overblick", "Överblick"),
        "Givare och mottagare är de i den senaste lydelsen. Sista kolumnen är den äldsta kodade lydelsens första dag.",
        table(
            ("Bestämmelse", "Avser", "Får eller ska", "Från", "Till", "Kodad från"),
            [_overview(provision, words) for _, _, group in groups for provision in group],
        ),
    ]
    for anchor, title, group in groups:
        parts += [heading(3, anchor, title), *(provision_entry(provision, words) for provision in group)]
    return "\n\n".join(parts)


def _overview(provision: Provision, words: Words) -> tuple[str, ...]:
    latest = provision.wordings[-1]
    return (
        words.linked(provision.id, capital(short_citation(provision.citation))),
        plain(provision.title.sv),
        "ska" if latest.type == "shall" else "får",
        capital(words.sectors(latest.from_sectors)),
        capital(words.sectors(latest.to_sectors, "eller")),
        day(provision.wordings[0].valid_from),
    )


def questions(words: Words) -> str:
    """Every open question, and what it closes."""
    asked: dict[int, list[tuple[Provision, OpenQuestion]]] = {}
    for provision in sorted(words.law.provisions.values(), key=lambda one: natural(one.id)):
        for wording in provision.wordings:
            for question in wording.open_questions:
                asked.setdefault(question.number, []).append((provision, question))
    parts = [
        (
            "En öppen fråga stänger den bestämmelse den gäller, i det läge som anges, så länge den inte är besvarad. "
            "Frågor som inte stänger någonting står under [det som inte är kodat](#utelamnat)."
        )
    ]
    for number, entries in sorted(asked.items()):
        texts = dict.fromkeys(plain(question.text.sv) for _, question in entries)
        closed = dict.fromkeys(
            f"- Stänger {words.linked(provision.id, short_citation(provision.citation))} {words.closes(question)}."
            for provision, question in entries
        )
        parts += [heading(3, f"fraga-{number}", f"Fråga {number}"), *texts, "\n".join(closed)]
    return "\n\n".join(parts)


def left_out(words: Words) -> str:
    """What is not encoded, and law to come."""
    entries = words.law.left_out
    future = sorted((entry.planned, plain(entry.citation), plain(entry.why.sv)) for entry in entries if entry.planned)
    return "\n\n".join(
        [
            "Det som en läsare kan sakna, och varför det inte är kodat. Inget av det påverkar något svar.",
            table(("Vad", "Varför"), [(plain(e.citation), plain(e.why.sv)) for e in entries if e.planned is None]),
            heading(3, "kommande", "Kommande rätt"),
            "Gäller inte, och tillämpas inte före sin dag.",
            table(("Planerad dag", "Vad", "Läge"), [(day(when), what, why) for when, what, why in future]),
        ]
    )


# Attestations that no provision names: they follow from its type or its conditions.
_FOLLOWING = {
    **dict.fromkeys(ATTESTATIONS_OF_MAY, "varje möjlighet"),
    "subject-age-verified": "bestämmelser med åldersgräns, när åldern inte är känd i frågan",
    "kind-is-covered": "bestämmelser för vissa uppgiftsslag, när frågan inte anger uppgiftsslag",
}


def attested(words: Words) -> str:
    """Every attestation, and the provisions that demand it."""
    law = words.law
    demanded: dict[str, list[str]] = {name: [] for name in law.attestations}
    for provision in law.provisions.values():
        for name in {name for wording in provision.wordings for name in wording.attestations}:
            demanded[name].append(provision.id)
    rows = []
    for name, text in law.attestations.items():
        where = filter(None, [_FOLLOWING.get(name), words.cited(demanded[name])])
        rows.append((plain(text.sv), "; ".join(where) or "ingen kodad bestämmelse"))
    return "\n\n".join(
        [
            "Allt som en tjänsteman kan behöva anteckna vid ett beslut, och vid vilka bestämmelser.",
            table(("Ska kunna antecknas", "Krävs vid"), rows),
        ]
    )


def sources(words: Words) -> str:
    """What each source code means, and the rules that do not rest on a text that was read."""
    law = words.law
    rules: list[SecrecyRule | Provision] = [*law.secrecy.values(), *law.provisions.values()]
    unsure = [
        (words.linked(rule.id, f"{rule.citation} – {rule.title.sv}"), plain(law.confidences[rule.confidence].sv))
        for rule in sorted(rules, key=lambda rule: natural(rule.id))
        if rule.confidence != "V"
    ]
    codes = [(anchored_code("kalla", code), plain(text.sv)) for code, text in law.sources.items()]
    return "\n\n".join(
        [
            (
                "Varje bestämmelse anger var dess text är läst. Källorna visar rätten per olika dagar: kontrollera mot "
                "gällande rätt före användning."
            ),
            table(("Källa", "Vad den är, och vilken rätt den visar"), codes),
            heading(3, "osakra", "Bestämmelser vars återgivning inte är säker"),
            table(("Bestämmelse", "Säkerhet"), unsure or [("ingen", "")]),
        ]
    )
