"""Swedish words for the document for lawyers: days, lists, citations, and what fields and resources are called."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from itertools import groupby
from math import inf

_MONTHS = (
    "januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november",
    "december",
)  # fmt: skip

RESOURCES = {
    "agency": "Anslutna myndigheter",
    "scene": "Öppna drogscener",
    "school": "Skolor",
    "mapping": "Kartläggningar",
    "individual": "Personer i en kartläggning",
    "disclosure-request": "Begäranden om utlämnande",
    "disclosure-decision": "Utlämnandebeslut",
    "ledger-entry": "Egna anteckningar i liggaren",
    "intervention": "Insatskatalogen",
    "intervention-survey": "Insatsenkäter",
    "incident-batch": "Leveranser av händelser från kollektivtrafiken",
    "situation-report": "Lägesbilder",
    "indicator": "Indikatorer",
    "crime-count": "Brottsantal",
}

FIELDS = {
    "agency": {
        "slug": "kortnamn", "name": "namn", "sector": "sektor", "municipality": "kommun", "district": "stadsdel",
        "equated": "myndighet bara genom 2 kap. 3 § OSL",
    },
    "scene": {
        "id": "beteckning", "name": "namn", "municipality": "kommun", "district": "stadsdel",
        "localPoliceArea": "lokalpolisområde", "status": "status", "environment": "miljö", "setting": "läge",
        "symptoms": "kännetecken", "outline": "utbredning", "appearedOn": "uppstod", "closedOn": "upphörde",
        "saraStage": "steg i SARA", "fictional": "påhittad", "schoolsWithin500m": "skolor inom 500 m",
        "particularlyExposedForYouth": "särskilt utsatt plats för unga", "mappingOverdue": "kartläggning försenad",
    },
    "school": {
        "id": "beteckning", "name": "namn", "municipality": "kommun", "schoolForms": "skolformer",
        "primary": "grundskola", "position": "läge", "distance": "avstånd",
    },
    "mapping": {
        "id": "beteckning", "scene": "drogscen", "mappedOn": "kartlagd den", "mappedBy": "kartlagd av",
        "affected": "berörda, på gruppnivå", "physicalPlace": "den fysiska platsen", "use": "platsens användning",
        "substances": "preparat", "policeWork": "polisens arbete på platsen", "partners": "möjliga parter",
        "hotspots": "särskilt belastade punkter", "timePattern": "tidsmönster", "interviews": "intervjuer",
    },
    "individual": {
        "id": "beteckning", "mapping": "kartläggning", "holder": "myndighet som förfogar över uppgiften",
        "role": "roll", "name": "namn", "identityNumber": "identitetsnummer", "birthDate": "födelsedatum", "sex": "kön",
        "contact": "kontaktuppgift", "substances": "preparat", "circumstances": "omständigheter",
        "observedOn": "datum för iakttagelsen", "basis": "faktum eller bedömning",
        "protectedIdentity": "skyddad identitet", "pseudonym": "pseudonym hos mottagaren",
    },
    "disclosure-request": {
        "id": "beteckning", "requester": "myndighet som begär", "holder": "myndighet som begäran riktas till",
        "purpose": "ändamål", "provision": "bestämmelse", "duty": "uppgiftsskyldighet", "caseReference": "diarienummer",
        "scene": "drogscen", "question": "fråga", "kinds": "uppgiftsslag", "why": "skäl", "state": "läge",
        "createdAt": "inkommen", "supplementQuestion": "begärd komplettering",
        "supplementAskedAt": "komplettering begärd", "supplementAnswer": "komplettering",
        "supplementAnsweredAt": "komplettering inkommen", "decidedAt": "beslutad",
        "decidedByRole": "beslutsfattarens roll", "decision": "beslut", "refusalReason": "skäl för avslag",
        "refusalCitation": "paragraf för avslag", "refusalAppeal": "hur beslutet överklagas",
    },
    "disclosure-decision": {
        "id": "beteckning", "request": "begäran", "holder": "utlämnande myndighet", "recipient": "mottagare",
        "provision": "bestämmelse", "purpose": "ändamål", "caseReference": "diarienummer",
        "resource": "slag av uppgifter", "fields": "uppgifter", "items": "rader", "attestations": "anteckningar",
        "state": "läge", "validFrom": "gäller från", "validUntil": "gäller till", "decidedAt": "beslutad",
        "decidedByRole": "beslutsfattarens roll", "revokedAt": "återkallat",
        "revokedByRole": "roll hos den som återkallade", "revokeReason": "skäl för återkallelse",
    },
    "ledger-entry": {
        "receipt": "kvitto", "at": "tidpunkt", "role": "egen roll", "kind": "slag av händelse",
        "recipient": "mottagare", "client": "system",
        "subject": "vem som läste eller handlade", "subjectRole": "dennes roll", "purpose": "ändamål",
        "legalBasis": "åberopad bestämmelse", "caseReference": "diarienummer", "policyVersion": "lagfilernas version",
        "asOf": "lagens dag", "request": "begäran", "decision": "beslut", "fields": "uppgifter",
        "resources": "vad som lämnades och inte", "items": "rader", "erased": "gallrad",
    },
    "intervention": {
        "slug": "kortnamn", "name": "namn", "nameEn": "engelskt namn", "type": "slag", "source": "källa",
    },
    "intervention-survey": {
        "id": "beteckning", "scene": "drogscen", "period": "period", "agency": "myndighet", "answeredAt": "besvarad",
        "comment": "kommentar", "interventions": "insatser",
    },
    "incident-batch": {
        "id": "beteckning", "status": "status", "received": "mottagna", "accepted": "godtagna", "updated": "ändrade",
        "unchanged": "oförändrade", "rejected": "avvisade", "unlocated": "utan känd plats", "errors": "fel",
        "completedAt": "färdig",
    },
    "situation-report": {
        "id": "beteckning", "edition": "utgåva", "scene": "drogscen", "period": "period", "publishedAt": "publicerad",
        "publishedBy": "publicerad av", "what": "vad", "where": "var", "when": "när",
        "affected": "berörda, på gruppnivå", "hotspots": "särskilt belastade punkter",
        "physicalPlace": "den fysiska platsen", "use": "platsens användning", "substances": "preparat",
        "timePattern": "tidsmönster", "interventions": "insatser", "trend": "utveckling",
        "policeWork": "polisens arbete på platsen", "protection": "skydd av små tal",
    },
    "indicator": {
        "area": "område", "areaName": "områdets namn", "year": "år", "scenes": "drogscener", "remaining": "kvarstående",
        "closed": "upphörda", "new": "nya", "nearSchool": "nära skola", "municipalitiesAffected": "berörda kommuner",
        "municipalities": "kommuner", "stated": "uppgivet tal",
    },
    "crime-count": {
        "areaType": "slag av område", "area": "område", "month": "månad", "group": "brottsgrupp", "count": "antal",
        "withheld": "undanhållet antal",
    },
}  # fmt: skip


def day(when: date) -> str:
    """`1 december 2025`."""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def last_day(until: date | None) -> str:
    """The last day of a period; `until` is the first day that is no longer in it."""
    return day(until - timedelta(days=1)) if until else "tills vidare"


def period(start: date, until: date | None) -> str:
    """A period in words; `until` is the first day that is no longer in it."""
    return f"från och med {day(start)} {'till och med ' if until else ''}{last_day(until)}"


def listed(items: Iterable[str], word: str = "och") -> str:
    """`a, b och c`."""
    *first, last = list(items) or [""]
    return f"{', '.join(first)} {word} {last}" if first else last


def capital(text: str) -> str:
    """The text with a capital first letter; the rest as it stands."""
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=4096)
def natural(identity: str) -> tuple[tuple[float, str], ...]:
    """A sort key by which `osl-10-2a` comes before `osl-10-15`: numbers by size, letters after them by letter."""
    runs = ("".join(run) for _, run in groupby(identity, key=str.isdigit))
    return tuple((int(run), "") if run.isdigit() else (inf, run) for run in runs)


def short_citation(citation: str) -> str:
    """The citation with the statute in its short form: `4 § lagen (2025:170)`."""
    parts = split_citation(citation)
    return citation if parts is None else " ".join(filter(None, [parts[1], parts[2], parts[0]]))


def split_citation(citation: str) -> tuple[str, str, str] | None:
    """Statute, chapter (or nothing) and section of a plain citation, the statute in its short form.

    `10 kap. 2 § OSL` is `OSL`, `10 kap.`, `2 §`; `4 § lagen (2025:170) om …` is `lagen (2025:170)`, ``, `4 §`. None
    where a citation is of another form.
    """
    act, found, number = citation.partition("lagen (")
    if found:
        where, statute = act.strip(), f"lagen ({number.partition(')')[0]})"
    else:
        where, _, statute = citation.rpartition(" ")
    chapter, found, section = where.rpartition(" kap. ")
    if " kap. " in chapter or "§" not in section or " OSL " in where:
        return None
    return statute, f"{chapter} kap." if found else "", section
