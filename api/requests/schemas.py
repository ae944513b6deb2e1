"""What is sent and answered about requests for disclosure."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from api.interventions.schemas import SceneReference
from api.requests.states import State
from api.web.datatypes import Body, Out, Slug, StrictDateTime, Text, refusal
from api.web.documents import PageOf, Single
from policies.grants import says_something


def _words(text: str) -> str:
    if not says_something(text):
        raise refusal("has no word in it", "say it in words")
    return text


# Texts as `Text` checks them, spelled so that a type checker sees a `str`.
Prose = Annotated[str, *Text(4000, lines=True).__metadata__]
Words = Annotated[Prose, AfterValidator(_words)]
Question = Annotated[str, *Text(2000, lines=True).__metadata__, AfterValidator(_words)]
Kind = Literal["person-identity", "person-contact", "person-whereabouts", "person-circumstance", "person-health"]
Kinds = Annotated[list[Kind], Field(min_length=1, max_length=20, description="Kinds of information / Uppgiftsslag")]
ProvisionId = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9-]{1,40}$", strict=True),
    Field(description="Id of GET /provisions", json_schema_extra={"example": "osl-10-18a"}),
]

ID_EXAMPLE = "7d444840-9dc0-41d1-b245-5ffdce74fad2"
_SCOPE_EXAMPLE: dict[str, Any] = {"scene": ID_EXAMPLE, "question": "Vilka under 21 år är kända på platsen? (påhittat)"}
_EXAMPLE: dict[str, Any] = {
    "holder": "skarholmen-socialtjanst",
    "provision": "osl-10-18a",
    "scope": _SCOPE_EXAMPLE,
    "kinds": ["person-identity", "person-circumstance"],
    "why": "Underlag för förebyggande samtal (påhittat).",
}
_APPEAL_EXAMPLE: dict[str, Any] = {
    "citation": "6 kap. 7 § andra stycket OSL",
    "sv": "Den myndighet som begärde uppgiften får överklaga beslutet till kammarrätten.",
    "en": "The authority that asked for the item may appeal the decision to kammarrätten.",
}


class ScopeIn(Body):
    """What is asked about: a scene, a question in the requester's own words, or both. Never a row."""

    model_config = {"json_schema_extra": {"example": _SCOPE_EXAMPLE}}

    scene: SceneReference | None = None
    question: Question | None = None


class RequestIn(Body):
    """A request to the agency that may hold something. Nothing of it is compared with what that agency holds."""

    model_config = {"json_schema_extra": {"example": _EXAMPLE}}

    holder: Slug
    provision: ProvisionId
    scope: ScopeIn
    kinds: Kinds
    why: Words


class SupplementIn(Body):
    """What the holder needs to know before it can decide."""

    model_config = {"json_schema_extra": {"example": {"question": "Vilken period gäller frågan?"}}}

    question: Question


class SupplementAnswerIn(Body):
    """The requester's answer."""

    model_config = {"json_schema_extra": {"example": {"answer": "Oktober 2026."}}}

    answer: Words


class AttestationText(Out):
    """What the officer who decides must be able to write down."""

    id: str = Field(json_schema_extra={"example": "concrete-risk-of-crime"})
    text: str


class ChecklistLack(Out):
    """A hard condition that fails."""

    condition: str = Field(json_schema_extra={"example": "secrecy"})
    required: str
    actual: str


class ChecklistCondition(Out):
    """A hard condition that is checked for each row when it is named."""

    condition: str = Field(json_schema_extra={"example": "subject-age"})
    required: str = Field(json_schema_extra={"example": "under 21"})


class ChecklistEntry(Out):
    """What the law of today says of one kind of information: no row has been looked at."""

    kind: str = Field(json_schema_extra={"example": "person-identity"})
    status: Literal["available", "inapplicable"]
    duty: bool = Field(description="A duty to disclose: it is answered, never parked / En uppgiftsskyldighet")
    secrecy: list[str] = Field(json_schema_extra={"example": ["osl-26-1"]})
    citation: str = Field(json_schema_extra={"example": "10 kap. 18 a § OSL"})
    lacks: list[ChecklistLack]
    conditions: list[ChecklistCondition]
    attestations: list[AttestationText]


class AppealText(Out):
    """Where and how the refusal is appealed."""

    model_config = {"json_schema_extra": {"example": _APPEAL_EXAMPLE}}

    citation: str
    sv: str
    en: str


class RequestOut(Single):
    """A request, as its requester and its holder see it; nobody else knows of it.

    A text is null where the agency that wrote it has erased it (*gallrad*) after the request had ended.
    """

    id: UUID | None = None
    requester: str | None = Field(default=None, json_schema_extra={"example": "polismyndigheten"})
    holder: str | None = Field(default=None, json_schema_extra={"example": "skarholmen-socialtjanst"})
    purpose: str | None = Field(default=None, json_schema_extra={"example": "prevent-crime"})
    provision: str | None = Field(default=None, json_schema_extra={"example": "osl-10-18a"})
    duty: bool | None = None
    case_reference: str | None = Field(default=None, json_schema_extra={"example": "A123.456/2026"})
    scene: UUID | None = None
    question: str | None = None
    kinds: list[str] | None = Field(default=None, json_schema_extra={"example": ["person-identity"]})
    why: str | None = None
    state: State | None = None
    created_at: StrictDateTime | None = None
    supplement_question: str | None = None
    supplement_asked_at: StrictDateTime | None = None
    supplement_answer: str | None = None
    supplement_answered_at: StrictDateTime | None = None
    decided_at: StrictDateTime | None = None
    decided_by_role: str | None = None
    decision: UUID | None = Field(default=None, description="Id of the decision that grants it / Beslutets id")
    refusal_reason: str | None = None
    refusal_citation: str | None = Field(default=None, json_schema_extra={"example": "26 kap. 1 § OSL"})
    refusal_appeal: AppealText | None = None


class RequestDetail(RequestOut):
    """A request with what the law says of it today, as long as it can be decided."""

    checklist: list[ChecklistEntry]


class RequestPage(PageOf):
    """A page of requests: those that the caller's agency has sent, or been sent."""

    items: list[RequestOut]
