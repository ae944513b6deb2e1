"""The demo's texts: how places, interventions and persons are described. All of it is invented and says so."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """What a mapping says of a place."""

    physical_place: str
    use: str
    substances: list[str]
    police_work: str
    partners: list[str]
    hotspot: str
    time_pattern: str
    interviews: str
    affected: list[dict[str, Any]]


def _affected(passersby: int, pupils: int, staff: int) -> list[dict[str, Any]]:
    return [
        {"group": "förbipasserande (fiktivt)", "ageBand": "30-49", "sex": "female", "count": passersby},
        {"group": "elever på skolväg (fiktivt)", "ageBand": "under-15", "sex": "unknown", "count": pupils},
        {"group": "butikspersonal (fiktivt)", "ageBand": "21-29", "sex": "unknown", "count": staff},
    ]


MAPPINGS = (
    Place(
        "Torg vid tunnelbanan med två gångtunnlar; skymda trappor och trasig belysning (fiktiv beskrivning).",
        "Genomgång till kollektivtrafiken, handel dagtid, tomt efter stängning (fiktiv beskrivning).",
        ["cannabis", "tramadol"],
        "Synlig närvaro torsdag till lördag och riktade insatser vid trappan (fiktiv uppgift).",
        ["fastighetsägare", "Trafikförvaltningen", "fältassistenter"],
        "Trappan vid norra entrén (fiktiv)",
        "Vardagar 15–21, helger från 14.",
        "Åtta samtal med butiksägare och boende (fiktivt).",
        _affected(24, 9, 3),
    ),
    Place(
        "Park med bänkar, buskage och en undanskymd gångväg (fiktiv beskrivning).",
        "Rekreation dagtid; samlingsplats för äldre brukare kvällstid (fiktiv beskrivning).",
        ["heroin", "bensodiazepiner"],
        "Uppsökande patrull tillsammans med socialtjänsten två kvällar i veckan (fiktiv uppgift).",
        ["Region Stockholm", "uppsökarteam", "parkförvaltning"],
        "Gångvägen bakom utegymmet (fiktiv)",
        "Eftermiddagar och kvällar, mest april–oktober.",
        "Fem samtal med besökare och personal (fiktivt).",
        _affected(40, 2, 6),
    ),
    Place(
        "Bostadsgård med loftgångar och genomgående portar (fiktiv beskrivning).",
        "Boendes vardag; försäljning i portar med utsikt över infarten (fiktiv beskrivning).",
        ["cannabis", "kokain"],
        "Trapphusvandringar enligt Trygga trappan, spaning vid infarten (fiktiv uppgift).",
        ["bostadsbolag", "skola", "fritidsgård"],
        "Porten mot parkeringen (fiktiv)",
        "Kvällar efter 18, även vardagar.",
        "Tolv samtal med boende (fiktivt).",
        _affected(15, 12, 0),
    ),
)

COMMENTS = (
    "Fiktivt enkätsvar: samverkan fungerar, belysningen väntar på åtgärd.",
    "Fiktivt enkätsvar: färre otrygga möten dagtid, kvällarna kvarstår.",
)

PERSONS: tuple[dict[str, Any], ...] = (
    {
        "role": "sells",
        "name": "Fiktiv Person Ett",
        "birthDate": "2009-03-14",
        "sex": "male",
        "contact": "070-000 00 01 (fiktivt)",
        "substances": ["cannabis"],
        "circumstances": "Syns på platsen med äldre bekanta (fiktivt).",
        "observedOn": "2026-08-20",
        "basis": "assessment",
    },
    {
        "role": "buys",
        "name": "Fiktiv Person Två",
        "birthDate": "1988-11-02",
        "sex": "female",
        "substances": ["heroin"],
        "circumstances": "Vistas i parken dagligen (fiktivt).",
        "observedOn": "2026-08-11",
        "basis": "fact",
    },
    {
        "role": "both",
        "name": "Fiktiv Person Tre",
        "birthDate": "2004-06-30",
        "sex": "male",
        "substances": ["cannabis", "tramadol"],
        "circumstances": "Säljer för eget bruk (fiktivt).",
        "observedOn": "2026-08-25",
        "basis": "assessment",
    },
)
