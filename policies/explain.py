"""Decision and assessments as data that people and programs read: the shapes of design §7, in Swedish and English."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

from policies.assess import assess, breaks_rule, lawless, locks, reachable
from policies.decide import Decision
from policies.grants import KindCheck
from policies.model import Assessment, Law, Provision, Question, Released, SecrecyRule, Text, Withheld, Wording

Language = Literal["sv", "en"]


def _in(text: Text, language: Language) -> str:
    return text.sv if language == "sv" else text.en


def released_as_json(entry: Released) -> dict[str, Any]:
    """One entry of `released`: field, ground, citation; holder and decision where there is one."""
    shown: dict[str, Any] = {"field": entry.field, "ground": entry.ground, "citation": entry.citation}
    if entry.holder_sector is not None:
        shown["holderSector"] = entry.holder_sector
    if entry.decision is not None:
        shown["decision"] = entry.decision
    return shown


def withheld_as_json(entry: Withheld) -> dict[str, Any]:
    """One entry of `withheld`: field, holder sector, secrecy rules, citation, reason, what could open it."""
    return {
        "field": entry.field,
        "holderSector": entry.holder_sector,
        "secrecy": list(entry.secrecy),
        "citation": entry.citation,
        "reason": entry.reason,
        "couldOpen": [{"provision": opener.provision, "lacks": list(opener.lacks)} for opener in entry.could_open],
    }


def disclosure(decisions: Iterable[Decision], *, receipt: str | None) -> dict[str, Any]:
    """`_meta.disclosure` for one answer, which may rest on the decisions of several resources.

    Fields of nested resources carry the resource's name before a point where more than one resource is shown.
    """
    made = list(decisions)
    first = made[0]
    shown: dict[str, Any] = {"policyVersion": first.policy_version, "asOf": first.as_of.isoformat()}
    if first.facts.purpose is not None:
        shown["purpose"] = first.facts.purpose
    if receipt is not None:
        shown["receipt"] = receipt
    released, withheld = [], []
    for decision in made:
        prefix = "" if decision.facts.resource == first.facts.resource else f"{decision.facts.resource}."
        for opened in decision.released:
            entry = released_as_json(opened)
            released.append(entry | {"field": prefix + entry["field"]})
        for shut in decision.withheld:
            entry = withheld_as_json(shut)
            withheld.append(entry | {"field": prefix + entry["field"]})
    return shown | {"released": released, "withheld": withheld}


def _attestation(identity: str, law: Law, language: Language) -> dict[str, str]:
    return {"id": identity, "text": _in(law.attestations[identity], language)}


def _assessment_as_json(answer: Assessment, law: Law, language: Language) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": answer.provision.id,
        "citation": answer.provision.citation,
        "title": _in(answer.provision.title, language),
        "type": (answer.wording or answer.provision.wordings[-1]).type,
        "status": "available" if answer.available else "inapplicable",
        "lacks": [
            {"condition": lack.condition.value, "required": lack.required, "actual": lack.actual}
            for lack in answer.lacks
        ],
        "attestations": [_attestation(identity, law, language) for identity in answer.attestations],
    }
    return shown | {"general": True} if answer.provision.general else shown


def checklist_as_json(checks: Iterable[KindCheck], law: Law, language: Language) -> list[dict[str, Any]]:
    """What an officer goes through before deciding: for each kind the hard conditions, and what must be attested to.

    `conditions` are checked for each row when it is named.
    """
    return [
        {
            "kind": check.kind,
            "status": "available" if check.available else "inapplicable",
            "duty": check.wording is not None and check.wording.type == "shall",
            "secrecy": [rule.id for rule in check.secrecy],
            "citation": check.citation,
            "lacks": [
                {"condition": lack.condition.value, "required": lack.required, "actual": lack.actual}
                for lack in check.lacks
            ],
            "conditions": [
                {"condition": condition.value, "required": required} for condition, required in check.of_each_row
            ],
            "attestations": [_attestation(identity, law, language) for identity in check.attestations],
        }
        for check in checks
    ]


_OUTCOMES: dict[str, Text] = {
    "not-secret": Text(
        "Ingen sekretessbestämmelse är kodad för uppgiftsslaget hos den som förfogar över uppgiften. En myndighet "
        "lämnar uppgiften på begäran: till en annan myndighet enligt 6 kap. 5 § OSL, till en enskild enligt 6 kap. "
        "4 § OSL.",
        "No secrecy rule is encoded for this kind at this holder. An authority gives the item on request: to another "
        "authority under OSL 6:5, to an individual under OSL 6:4.",
    ),
    "needs-decision": Text(
        "Det finns bestämmelser som kan bryta sekretessen. Den myndighet som förfogar över uppgiften beslutar i "
        "det enskilda fallet och antecknar det som anges under varje bestämmelse.",
        "There are provisions that can break the secrecy. The agency that holds the item decides case by case and "
        "writes down what stands under each provision.",
    ),
    "withheld": Text(
        "Ingen särskild bestämmelse öppnar. Bara de allmänna utvägarna (samtycke, egen verksamhet, menprövning) "
        "återstår, där de passar.",
        "No special provision opens. Only the general exits (consent, the holder's own need, a harm assessment) "
        "remain, where they fit.",
    ),
}


def outcome(question: Question, law: Law, answers: Iterable[Assessment]) -> str:
    """`not-secret`, `needs-decision` or `withheld`."""
    rules = locks(question, law)
    # INVARIANT: silence of a law that is not known that day opens nothing.
    if lawless(rules, law, question.as_of):
        return "withheld"
    if not rules:
        return "not-secret"
    return "needs-decision" if reachable(answers, rules) else "withheld"


def explanation(question: Question, law: Law, language: Language) -> dict[str, Any]:
    """The answer to *may I share this?*: every encoded provision, available ones first, and what each lacks."""
    answers = assess(question, law)
    rules = locks(question, law)
    result = outcome(question, law, answers)
    shown: dict[str, Any] = {
        "outcome": result,
        "text": _in(_OUTCOMES[result], language),
        "policyVersion": law.version,
        "asOf": question.as_of.isoformat(),
        "secrecy": [secrecy_as_json(rule, language, question.as_of) for rule in rules],
        "provisions": [_assessment_as_json(answer, law, language) for answer in answers],
    }
    if lawless(rules, law, question.as_of):
        shown["reason"] = "no-wording-in-force"
    return shown


def secrecy_as_json(rule: SecrecyRule, language: Language, day: date) -> dict[str, Any]:
    """A secrecy rule as the interface shows it; `harmTest` is that of the day, or null where none is in force."""
    wording = rule.in_force(day)
    return {
        "id": rule.id,
        "citation": rule.citation,
        "title": _in(rule.title, language),
        "protects": rule.protects,
        "harmTest": wording.harm_test if wording else None,
        "inForceFrom": rule.wordings[0].valid_from.isoformat(),
        "covers": [
            {"holderSector": sector, "kinds": sorted(kind for owner, kind in rule.applies if owner == sector)}
            for sector in sorted({owner for owner, _ in rule.applies})
        ],
    }


def _wording_as_json(provision: Provision, wording: Wording, law: Law, language: Language) -> dict[str, Any]:
    return {
        "from": wording.valid_from.isoformat(),
        "until": wording.until.isoformat() if wording.until else None,
        "type": wording.type,
        "fromSectors": sorted(wording.from_sectors),
        "toSectors": sorted(wording.to_sectors),
        "otherSectorOnly": wording.other_sector,
        "equatedFromSectors": sorted(wording.equated_from),
        "purposes": sorted(wording.purposes) if wording.purposes is not None else None,
        "breaks": sorted(
            rule.id
            for rule in law.secrecy.values()
            if any(breaks_rule(wording.breaks, provision.chapter, rule, stage.valid_from) for stage in rule.wordings)
        ),
        "excepts": sorted(wording.breaks.excepts),
        "kinds": sorted(wording.kinds) if wording.kinds is not None else None,
        "subjectAgeFrom": wording.age_from,
        "subjectAgeBelow": wording.age_below,
        "initiative": sorted(wording.initiative),
        "attestations": [_attestation(identity, law, language) for identity in wording.attestations],
        "openQuestions": [
            {"number": asked.number, "text": _in(asked.text, language)} for asked in wording.open_questions
        ],
    }


def provision_as_json(provision: Provision, law: Law, language: Language) -> dict[str, Any]:
    """A provision with all its wordings as the interface shows it."""
    return {
        "id": provision.id,
        "citation": provision.citation,
        "title": _in(provision.title, language),
        "general": provision.general,
        "source": provision.source,
        "confidence": provision.confidence,
        "wordings": [_wording_as_json(provision, wording, law, language) for wording in provision.wordings],
    }
