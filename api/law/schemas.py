"""What is sent and answered about the law."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.web.datatypes import Body, Out, StrictDate
from api.web.paging import Links, Meta
from policies.catalogue import law

_LAW = law()
# The closed lists of `policies/law/terms.toml`, so that the contract itself names every allowed value.
Sector = Literal[tuple(_LAW.sectors)]
Purpose = Literal[tuple(_LAW.purposes)]
KindName = Literal[tuple(_LAW.kinds)]
SecrecyId = Literal[tuple(_LAW.secrecy)]
_OLDEST_SUBJECT = 130


class Subject(Body):
    """What the question says about the person: age in whole years on the day of disclosure."""

    age: Annotated[int, Field(ge=0, le=_OLDEST_SUBJECT)] | None = None


class ExplanationIn(Body):
    """*May this be shared?* Names a kind of information, or secrecy rules directly."""

    model_config = {
        "json_schema_extra": {
            "example": {
                "holderSector": "social-services",
                "recipientSector": "police",
                "purpose": "prevent-crime",
                "kind": "person-circumstance",
                "subject": {"age": 17},
                "asOf": "2026-11-20",
            },
            "oneOf": [
                {"required": ["kind"], "properties": {"kind": {"type": "string"}, "secrecy": {"type": "null"}}},
                {"required": ["secrecy"], "properties": {"secrecy": {"type": "array"}, "kind": {"type": "null"}}},
            ],
        }
    }

    holder_sector: Sector
    recipient_sector: Sector
    purpose: Purpose
    kind: KindName | None = None
    secrecy: Annotated[list[SecrecyId], Field(min_length=1, max_length=20)] | None = None
    subject: Subject | None = None
    as_of: StrictDate | None = None


class LackOut(Out):
    """A condition that fails: what the provision requires and what the question holds."""

    condition: Literal[
        "in-force",
        "from-sector",
        "to-sector",
        "purpose",
        "secrecy",
        "kind",
        "subject-age",
        "open-question",
        "other",
    ]
    required: str
    actual: str


class AttestationOut(Out):
    """What the officer who decides must be able to write down."""

    id: str
    text: str


class AssessmentOut(Out):
    """How one provision answers the question."""

    id: str = Field(json_schema_extra={"example": "osl-10-18a"})
    citation: str = Field(json_schema_extra={"example": "10 kap. 18 a § OSL"})
    title: str
    type: Literal["may", "shall"]
    status: Literal["available", "inapplicable"]
    lacks: list[LackOut]
    attestations: list[AttestationOut]
    general: bool = False


class CoversOut(Out):
    """Which kinds a secrecy rule covers at one sector."""

    holder_sector: str
    kinds: list[str]


class SecrecyOut(Out):
    """A secrecy rule (*sekretessbestämmelse*)."""

    id: str = Field(json_schema_extra={"example": "osl-26-1"})
    citation: str = Field(json_schema_extra={"example": "26 kap. 1 § OSL"})
    title: str
    protects: Literal["individual", "operation"]
    harm_test: Literal["straight", "reverse", "absolute"] | None
    in_force_from: StrictDate
    covers: list[CoversOut]


class ExplanationOut(Out):
    """The answer: outcome, the secrecy that locks, and every encoded provision, available ones first."""

    outcome: Literal["not-secret", "needs-decision", "withheld"]
    text: str
    reason: str | None = None
    policy_version: str
    as_of: StrictDate
    secrecy: list[SecrecyOut]
    provisions: list[AssessmentOut]


class WordingOut(Out):
    """What a provision says during one period; `purposes`, `kinds` and age null mean no such condition."""

    from_: StrictDate = Field(alias="from")
    until: StrictDate | None
    type: Literal["may", "shall"]
    from_sectors: list[str]
    to_sectors: list[str]
    purposes: list[str] | None
    breaks: list[str]
    excepts: list[str]
    kinds: list[str] | None
    subject_age_below: int | None
    initiative: list[str]
    attestations: list[AttestationOut]
    open_questions: list[dict[str, Any]]


class ProvisionOut(Out):
    """A provision (*sekretessbrytande bestämmelse* or *uppgiftsskyldighet*) with all its wordings."""

    id: str = Field(json_schema_extra={"example": "osl-10-15a"})
    citation: str = Field(json_schema_extra={"example": "10 kap. 15 a § OSL"})
    title: str
    general: bool
    source: str
    confidence: str
    wordings: list[WordingOut]


class LawMeta(Meta):
    """`_meta` of a list of rules."""

    policy_version: str


class ProvisionPage(Out):
    """A page of provisions."""

    items: list[ProvisionOut]
    meta_: LawMeta = Field(alias="_meta")
    links_: Links = Field(alias="_links")


class SecrecyPage(Out):
    """A page of secrecy rules."""

    items: list[SecrecyOut]
    meta_: LawMeta = Field(alias="_meta")
    links_: Links = Field(alias="_links")
