"""What the system shows, resource by resource, and which secrecy holds for it at each holder."""

from policies.document.swedish import FIELDS, RESOURCES, capital, listed
from policies.document.words import Words, heading, plain, table
from policies.model import Field

_BY_ROW = "enligt tabellen nedan"


def fields(words: Words) -> str:
    """The section: the fields of each resource, and the secrecy of its kinds where each row names its holder."""
    resources = dict.fromkeys(resource for resource, _ in words.law.fields)
    return "\n\n".join(
        [
            (
                "Vad systemet kan visa och vilken sekretess som gäller för det. Namnet inom parentes är det som "
                "används i gränssnitten. En härledd uppgift lämnas bara om allt den är härledd ur kan lämnas."
            ),
            *(_resource(resource, words) for resource in resources),
        ]
    )


def _field_name(resource: str, name: str) -> str:
    return FIELDS.get(resource, {}).get(name, name)


def _source_name(source: str) -> str:
    resource, _, name = source.partition(".")
    return f"{RESOURCES.get(resource, resource).lower()}: {_field_name(resource, name)}"


def _resource(resource: str, words: Words) -> str:
    shown = words.law.fields_of(resource)
    persons = all(field.individual for field in shown)
    parts = [heading(3, f"uppgifter-{resource}", f"{plain(RESOURCES.get(resource, resource))} (`{resource}`)")]
    if persons:
        parts.append("Varje rad rör en person. Den som vill läsa den uppger ett ärende.")
    parts.append(
        table(
            ("Uppgift", "Uppgiftsslag", "Sekretess", "Anmärkning"),
            [
                (
                    f"{capital(plain(_field_name(resource, field.name)))} (`{field.name}`)",
                    words.kinds([field.kind.id]),
                    _secrecy_of(field, words),
                    _remarks(field, persons=persons),
                )
                for field in shown
            ],
        )
    )
    kinds = list(dict.fromkeys(f.kind.id for f in shown if f.kind.level == "protected" and f.holder == "row"))
    if kinds:
        parts += ["Sekretess hos den som håller raden, för varje uppgiftsslag:", _by_holder(kinds, words)]
    return "\n\n".join(parts)


def _remarks(field: Field, *, persons: bool) -> str:
    said = []
    if field.sources:
        said.append(f"härledd ur {plain(listed(_source_name(source) for source in field.sources))}")
    if field.key:
        said.append("följer med raden")
    if field.individual and not persons:
        said.append("rör en person")
    return "; ".join(said)


def _locks(sector: str, kind: str, words: Words) -> str:
    rules = words.law.secrecy_of(kind, sector)
    return words.cited(rule.id for rule in rules) or "[ingen kodad](#ingen-sekretess)"


def _secrecy_of(field: Field, words: Words) -> str:
    if field.holder == "row":
        return "ingen" if field.kind.level == "shared" else _BY_ROW
    holder = f"hålls av {plain(words.law.sectors[field.holder].sv)}"
    locks = "ingen" if field.kind.level == "shared" else _locks(field.holder, field.kind.id, words)
    return f"{locks}; {holder}"


def _by_holder(kinds: list[str], words: Words) -> str:
    """One row for the authorities whose answers are the same, one column a kind."""
    sectors_of: dict[tuple[str, ...], set[str]] = {}
    for sector in words.law.sectors:
        if sector in words.law.authorities:
            sectors_of.setdefault(tuple(_locks(sector, kind, words) for kind in kinds), set()).add(sector)
    head = ("Hos", *(capital(words.kinds([kind])) for kind in kinds))
    rows = [(capital(words.sectors(frozenset(sectors))), *locks) for locks, sectors in sectors_of.items()]
    return table(head, rows)
