"""What is sent and answered about the law."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import Field

from api.web.datatypes import Body, Out, StrictDate, Whole
from api.web.paging import Links, Meta
from policies.catalogue import law

_LAW = law()
# The closed lists of `policies/law/terms.toml`, so that the contract itself names every allowed value.
Sector = Literal[tuple(_LAW.sectors)]
Purpose = Literal[tuple(_LAW.purposes)]
KindName = Literal[tuple(_LAW.kinds)]
SecrecyId = Literal[tuple(_LAW.secrecy)]
SpecialProvisionId = Literal[tuple(key for key, provision in _LAW.provisions.items() if not provision.general)]
Outcome = Literal["not-secret", "needs-decision", "withheld"]
_OLDEST_SUBJECT = 130
Age = Annotated[int, Field(ge=0, le=_OLDEST_SUBJECT)]


class Subject(Body):
    """What the question says about the person: age in whole years on the day of disclosure."""

    age: Age | None = None


class ExplanationIn(Body):
    """*May this be shared?* Names a kind of information, or secrecy rules directly.

    `holderEquated`, `recipientEquated`: that party is an authority only because OSL 2:3 equates it with one (a company
    that a municipality or region decides over).
    """

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
    holder_equated: bool = False
    recipient_equated: bool = False


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

    outcome: Outcome
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
    other_sector_only: bool
    equated_from_sectors: list[str]
    purposes: list[str] | None
    breaks: list[str]
    excepts: list[str]
    kinds: list[str] | None
    subject_age_from: int | None
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


class MatrixFilter(Body):
    """Which rows of the disclosure matrix are asked for; what is left out may be anything, `asOf` is then today."""

    holder_sector: Sector | None = None
    recipient_sector: Sector | None = None
    purpose: Purpose | None = None
    kind: KindName | None = None
    age: Age | None = None
    outcome: Outcome | None = None
    provision: SpecialProvisionId | None = None
    as_of: StrictDate | None = None


async def _matrix_filter(
    holder_sector: Annotated[Sector | None, Query(alias="holderSector", description="Who holds the item")] = None,
    recipient_sector: Annotated[
        Sector | None, Query(alias="recipientSector", description="Who is to have the item")
    ] = None,
    purpose: Annotated[Purpose | None, Query(description="What for")] = None,
    kind: Annotated[KindName | None, Query(description="Kind of information")] = None,
    age: Annotated[
        Whole | None, Query(ge=0, le=_OLDEST_SUBJECT, description="Age in whole years; without it, rows for any age")
    ] = None,
    outcome: Annotated[Outcome | None, Query(description="What the law answers")] = None,
    provision: Annotated[
        SpecialProvisionId | None, Query(description="Rows in which this provision opens, alone or with others")
    ] = None,
    as_of: Annotated[
        StrictDate | None, Query(alias="asOf", description="The law of this day; today unless given")
    ] = None,
) -> MatrixFilter:
    return MatrixFilter.model_construct(
        holder_sector=holder_sector,
        recipient_sector=recipient_sector,
        purpose=purpose,
        kind=kind,
        age=age,
        outcome=outcome,
        provision=provision,
        as_of=as_of,
    )


MatrixQuery = Annotated[MatrixFilter, Depends(_matrix_filter)]
"""Parameter type of the endpoint that answers the matrix."""


class MatrixRowOut(Out):
    """Cells with one answer: every combination of what the lists name; `*` is every value.

    `ages` are whole years, and `unknown` where none is given; `until` is the first day beyond. `provisions` open every
    lock by themselves, `together` only in company; general exits are not listed.
    """

    holder_sectors: list[str] = Field(json_schema_extra={"example": ["social-services"]})
    kinds: list[str] = Field(json_schema_extra={"example": ["person-identity", "person-circumstance"]})
    secrecy: list[str] = Field(json_schema_extra={"example": ["osl-26-1"]})
    recipient_sectors: list[str] = Field(json_schema_extra={"example": ["police"]})
    purposes: list[str] = Field(json_schema_extra={"example": ["prevent-crime"]})
    ages: list[str] = Field(json_schema_extra={"example": ["18-20"]})
    from_: StrictDate | None = Field(alias="from", json_schema_extra={"example": "2025-12-01"})
    until: StrictDate | None
    outcome: Outcome = Field(json_schema_extra={"example": "needs-decision"})
    reason: Literal["no-wording-in-force"] | None
    provisions: list[str] = Field(json_schema_extra={"example": ["osl-10-15a", "osl-10-18a"]})
    together: list[str] = Field(json_schema_extra={"example": []})


class MatrixMeta(LawMeta):
    """`_meta` of the matrix: the law asked, and on which day."""

    as_of: StrictDate


class MatrixPage(Out):
    """A page of the disclosure matrix."""

    items: list[MatrixRowOut]
    meta_: MatrixMeta = Field(alias="_meta")
    links_: Links = Field(alias="_links")
