"""The law as a document for lawyers, in Swedish: `document(law)` is Markdown made of the law's data and nothing else.

Committed as `law.md`, and served as a page. It says what the law files say; the prose here only tells how to read it.
"""

from collections.abc import Callable

from policies.assess import ATTESTATIONS_OF_MAY
from policies.document.calendar import calendar
from policies.document.fields import fields
from policies.document.lists import attested, left_out, no_secrecy, provisions, questions, secrecy, sources, terms
from policies.document.swedish import day
from policies.document.words import Words, anchored_code, heading, plain, table
from policies.model import Law

_ABOUT = """\
Samsyn svarar på frågan om en uppgift får lämnas från en myndighet till en annan, för ett visst ändamål, en viss dag.
Svaret bygger på de bestämmelser som återges här och på inga andra. Dokumentet skapas ur samma filer som systemet avgör
med: det som står här är det som tillämpas.

**Dokumentet är ingen rättslig rådgivning.** Bestämmelserna återges i sammanfattning, inte ordagrant. Varje utlämnande
prövas i det enskilda fallet av den myndighet som förfogar över uppgiften. Systemet prövar de villkor som går att pröva
utan bedömning: sektor, mottagare, ändamål, uppgiftsslag, ålder, dag och vilken sekretess som bryts. Allt som kräver en
avvägning eller något som systemet inte kan se avgörs av en person hos den utlämnande myndigheten, som antecknar det
som står under bestämmelsen. Systemet godkänner aldrig något på egen hand, inte heller när det finns en skyldighet."""

_READING = """\
- **Skaderekvisit.** *Rakt*: uppgiften är offentlig om det inte kan antas att någon skada eller något men uppstår.
  *Omvänt*: uppgiften är hemlig om det inte står klart att den kan lämnas utan skada eller men. *Absolut*: uppgiften är
  hemlig utan någon sådan prövning.
- **Flera lås.** Gäller flera sekretessbestämmelser för samma uppgift måste alla öppnas (7 kap. 3 § OSL).
- **Får och ska.** En *möjlighet* (får) låter den myndighet som förfogar över uppgiften lämna den. En
  *uppgiftsskyldighet* (ska) i lag eller förordning bryter sekretess genom 10 kap. 28 § OSL; den avvägning som
  skyldigheten själv rymmer gör den som lämnar uppgiften. En skyldighet utanför OSL är därför angiven som verkande genom
  10 kap., och når aldrig en uppgift där 10 kap. inte gäller.
- **Bryter och öppnar.** Raden *Bryter* återger bestämmelsens eget innehåll. Raden *Öppnar i Samsyn* är uträknad: de
  sekretessbestämmelser som bryts för en uppgift hos någon av dem som bestämmelsen vänder sig till. På samma sätt är
  raderna *Kan brytas av* uträknade. Att en bestämmelse nämns där betyder inte att den passar: mottagare, ändamål och
  övriga villkor står i bestämmelsen.
- **Allmänna utvägar** (samtycke, den egna verksamhetens behov, menprövning med flera) finns för nästan allt. De anges
  alltid, men ensamma leder de inte till svaret att ett beslut kan öppna.
- **Ålder** räknas i hela år på utlämnandedagen. Där åldern inte är känd i frågan ska den antecknas.
- **Öppna frågor** är rättsfrågor som ingen jurist har besvarat ännu. En sådan fråga stänger bestämmelsen i det läge
  frågan gäller, tills den är besvarad.
- **Bolag.** Kommunala och regionala bolag som 2 kap. 3 § OSL jämställer med myndigheter räknas som myndigheter i
  OSL:s bestämmelser och i de allmänna utvägarna, men inte som givare eller mottagare enligt andra författningar, om
  inte raden *Bolag* säger något annat.
- **Dagar.** En lydelse gäller från och med sin första dag. Äldre lydelser finns med bara där källan återger dem; före
  den första lydelsen är svaret att uppgiften hålls inne. Anger källan ingen dag räknas en bestämmelse i OSL från den
  30 juni 2009, lagens första dag; anger den bara ett år, från nästa års första dag; i andra författningar från den dag
  källan visar texten.
- **Beteckningar** som `osl-10-15a` är de namn som systemet svarar med. De följer hänvisningen: författning, kapitel,
  paragraf."""

_SHORT = (
    ("OSL", "offentlighets- och sekretesslagen (2009:400)"),
    ("SoL", "socialtjänstlagen (2025:400)"),
    ("LVM", "lagen (1988:870) om vård av missbrukare i vissa fall"),
    ("LUL", "lagen (1964:167) med särskilda bestämmelser om unga lagöverträdare"),
    ("LPT, LRV", "lagarna om psykiatrisk tvångsvård och om rättspsykiatrisk vård"),
    ("BDL", "brottsdatalagen (2018:1177)"),
    ("GDPR", "EU:s dataskyddsförordning"),
)


def document(law: Law) -> str:
    """The whole document as Markdown: head, contents, and every section with an anchor of its own."""
    words = Words(law)
    contents = (f"{number}. [{title}](#{anchor})" for number, (anchor, title, _) in enumerate(_SECTIONS, 1))
    parts = [
        heading(1, "lagen", "Lagen i Samsyn"),
        _ABOUT,
        _facts(law),
        heading(2, "innehall", "Innehåll"),
        "\n".join(contents),
    ]
    for number, (anchor, title, body) in enumerate(_SECTIONS, 1):
        parts += [heading(2, anchor, f"{number}. {title}"), body(words)]
    return "\n\n".join(parts) + "\n"


def _facts(law: Law) -> str:
    starts = [wording.valid_from for provision in law.provisions.values() for wording in provision.wordings]
    starts += [stage.valid_from for rule in law.secrecy.values() for stage in rule.wordings]
    rows = [
        ("Sekretessbestämmelser", str(len(law.secrecy))),
        ("Bestämmelser som bryter sekretess", str(len(law.provisions))),
        ("Senaste kodade lydelse gäller från", day(max(starts)) if starts else "ingen"),
    ]
    return table(("Lagversion", f"`{law.version}`"), rows)


def _reading(words: Words) -> str:
    law = words.law
    always = "\n".join(f"- {plain(law.attestations[name].sv)}" for name in ATTESTATIONS_OF_MAY)
    codes = [(anchored_code("sakerhet", code), plain(text.sv)) for code, text in law.confidences.items()]
    return "\n\n".join(
        [
            _READING,
            heading(3, "alltid", "Det som alltid antecknas vid en möjlighet"),
            "Utöver det som står under bestämmelsen:",
            always,
            heading(3, "sakerhet", "Hur säker är återgivningen?"),
            "Varje bestämmelse bär en kod för hur den är kontrollerad, och en för [källan](#kallor).",
            table(("Kod", "Betyder"), codes),
            heading(3, "forkortningar", "Förkortningar"),
            table(("Förkortning", "Författning"), _SHORT),
        ]
    )


_SECTIONS: tuple[tuple[str, str, Callable[[Words], str]], ...] = (
    ("lasa", "Så läses dokumentet", _reading),
    ("begrepp", "Sektorer, ändamål och uppgiftsslag", terms),
    ("sekretess", "Sekretessbestämmelser", secrecy),
    ("ingen-sekretess", "Uttryckliga svar: ingen sekretessbestämmelse", no_secrecy),
    ("bestammelser", "Bestämmelser som bryter sekretess", provisions),
    ("kalender", "Kalender: när rätten ändras", calendar),
    ("fragor", "Öppna frågor", questions),
    ("uppgifter", "Uppgifterna och deras sekretess", fields),
    ("utelamnat", "Det som inte är kodat", left_out),
    ("anteckningar", "Vad som ska kunna antecknas", attested),
    ("kallor", "Källor", sources),
)
