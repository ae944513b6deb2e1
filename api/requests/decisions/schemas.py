"""What is sent and answered about disclosure decisions."""

from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from api.interventions.schemas import SceneReference
from api.requests.schemas import ID_EXAMPLE, Prose, ProvisionId, Words
from api.requests.states import DecisionState
from api.web.datatypes import SLUG_PATTERN, Body, Out, Slug, StrictDate, StrictDateTime, Text, refusal
from api.web.documents import PageOf, Single
from api.web.paging import Link
from policies.catalogue import law

_LAW = law()
FIELD_NAMES = tuple(field.name for field in _LAW.fields_of("individual"))
Purpose = Literal[
    "prevent-crime", "investigate-crime", "protect-child", "care-and-support", "place-based-prevention",
    "correct-misuse", "statistics", "supervision", "execute-sentence",
]  # fmt: skip
PURPOSES: tuple[str, ...] = get_args(Purpose)


def _field(value: str) -> str:
    if value not in FIELD_NAMES:
        raise refusal("is not a field of an individual", f"one of {', '.join(FIELD_NAMES)}")
    return value


# An id has the same spelling whatever it is of.
ItemReference = SceneReference
FieldName = Annotated[
    str,
    StringConstraints(strict=True),
    AfterValidator(_field),
    WithJsonSchema({"type": "string", "enum": list(FIELD_NAMES)}),
]
Items = Annotated[list[ItemReference], Field(min_length=1, max_length=100, description="Ids of rows of the holder's")]
Fields = Annotated[list[FieldName], Field(min_length=1, max_length=50, description="What is handed out of each row")]
Until = Annotated[
    StrictDate | StrictDateTime,
    Field(description="When it ends: an instant, or a day, to the end of it in Sweden / När beslutet slutar gälla"),
]
AttestationId = Annotated[str, StringConstraints(pattern=SLUG_PATTERN, max_length=64, strict=True)]
Attestations = Annotated[
    dict[AttestationId, Prose],
    Field(
        max_length=40,
        description="What the officer attests to, by id of the checklist, in the officer's words",
        json_schema_extra={"additionalProperties": False},
    ),
]

Reason = Annotated[str, *Text(200).__metadata__]

_ATTESTED = {
    "concrete-risk-of-crime": "Upprepade iakttagelser i oktober (påhittat).",
    "not-unsuitable-for-interventions": "Ingen pågående insats störs (påhittat).",
    "not-about-committed-crime": "Gäller bara risk framåt (påhittat).",
    "data-protection-check": "Nödvändigt och proportionerligt (påhittat).",
    "receiver-secrecy": "35 kap. 1 § OSL gäller hos mottagaren (påhittat).",
}
_GRANT_EXAMPLE: dict[str, Any] = {
    "outcome": "granted",
    "items": [ID_EXAMPLE],
    "fields": ["name", "birthDate"],
    "validUntil": "2026-12-31",
    "attestations": _ATTESTED,
}
_OWN_EXAMPLE: dict[str, Any] = {
    "recipient": "polismyndigheten",
    "provision": "osl-10-18a",
    "purpose": "prevent-crime",
    "items": [ID_EXAMPLE],
    "fields": ["name", "birthDate"],
    "validUntil": "2026-12-31",
    "attestations": _ATTESTED,
}
_SELF_EXAMPLE: dict[str, Any] = {
    "href": f"https://samsyn.example/samsyn/v1/disclosure-decisions/{ID_EXAMPLE}",
    "rel": "self",
    "method": "GET",
}


class GrantIn(Body):
    """Rows of the holder's own and fields of them, for a stated time, with everything that must be attested to.

    `provision` is the request's unless another is named. `reason` says why the rest is refused, where not all is given.
    """

    model_config = {"json_schema_extra": {"example": _GRANT_EXAMPLE}}

    outcome: Literal["granted"]
    items: Items
    fields: Fields
    valid_until: Until
    attestations: Attestations = {}
    provision: ProvisionId | None = None
    reason: Words | None = None


class RefusalIn(Body):
    """Nothing is given. Paragraph and appeal are added from the law, the same whether or not there is anything."""

    model_config = {"json_schema_extra": {"example": {"outcome": "refused", "reason": "Sekretess gäller (påhittat)."}}}

    outcome: Literal["refused"]
    reason: Words


class OwnInitiativeIn(Body):
    """A disclosure that nobody has asked for. `purpose` is the recipient's."""

    model_config = {"json_schema_extra": {"example": _OWN_EXAMPLE}}

    recipient: Slug
    provision: ProvisionId
    purpose: Purpose
    items: Items
    fields: Fields
    valid_until: Until
    attestations: Attestations = {}


class RevocationIn(Body):
    """Why a decision is revoked, where it is said; GraphQL's counterpart of the query parameter."""

    reason: Reason | None = None


class ItemOut(Out):
    """A row that the decision names. Holder: its id, and the alias by which the recipient knows it; recipient: that."""

    id: UUID
    alias: UUID | None = None


class AttestationOut(Out):
    """What was attested to; the officer's own words for the holder alone, null where they are erased (*gallrad*)."""

    id: str = Field(json_schema_extra={"example": "concrete-risk-of-crime"})
    text: str | None = None


class DecisionOut(Single):
    """A decision, as its holder and its recipient see it; nobody else knows of it.

    `revokeReason` is null, too, where the holder has erased it (*gallrad*) after the decision had ended.
    """

    id: UUID | None = None
    request: UUID | None = Field(default=None, description="Null where it was made on the holder's own initiative")
    holder: str | None = Field(default=None, json_schema_extra={"example": "skarholmen-socialtjanst"})
    recipient: str | None = Field(default=None, json_schema_extra={"example": "polismyndigheten"})
    provision: str | None = Field(default=None, json_schema_extra={"example": "osl-10-18a"})
    purpose: str | None = Field(default=None, json_schema_extra={"example": "prevent-crime"})
    case_reference: str | None = Field(default=None, json_schema_extra={"example": "A123.456/2026"})
    resource: str | None = Field(default=None, json_schema_extra={"example": "individual"})
    fields: list[str] | None = Field(default=None, json_schema_extra={"example": ["name", "birthDate"]})
    items: list[ItemOut] | None = None
    attestations: list[AttestationOut] | None = None
    state: DecisionState | None = None
    valid_from: StrictDateTime | None = None
    valid_until: StrictDateTime | None = None
    decided_at: StrictDateTime | None = None
    decided_by_role: str | None = None
    revoked_at: StrictDateTime | None = None
    revoked_by_role: str | None = None
    revoke_reason: str | None = None


class DecisionPage(PageOf):
    """A page of decisions: those that the caller's agency has made, or that name it."""

    items: list[DecisionOut]


class DecisionRevoked(Out):
    """What is answered about a revocation."""

    model_config = {"json_schema_extra": {"example": {"id": ID_EXAMPLE, "state": "revoked",
                                                      "revokedAt": "2026-11-20T08:30:00Z",
                                                      "_links": {"self": _SELF_EXAMPLE}}}}  # fmt: skip

    id: UUID
    state: Literal["revoked"]
    revoked_at: StrictDateTime
    links_: dict[str, Link] = Field(alias="_links")
