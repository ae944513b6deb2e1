"""What is sent and answered about individuals."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from api.mappings.schemas import Prose, Sex, Substances
from api.web.datatypes import Body, Out, StrictDate, Text
from api.web.documents import PageOf, Single
from api.web.paging import Link

# Texts as `Text` checks them, spelled so that a type checker sees a `str`.
Line = Annotated[str, *Text(200).__metadata__]
Lines = Annotated[str, *Text(500, lines=True).__metadata__]
Role = Literal["sells", "buys", "both", "present"]
Basis = Literal["fact", "assessment"]
IDENTITY_PATTERN = r"^[0-9]{8}-?[0-9]{4}$"

# The number that Swedish forms are filled in with for show; it is nobody's.
_EXAMPLE: dict[str, Any] = {
    "role": "present",
    "name": "Exempel Exempelsson (fiktiv)",
    "identityNumber": "19121212-1212",
    "birthDate": "1912-12-12",
    "sex": "unknown",
    "contact": "070-174 06 05 (fiktivt)",
    "substances": ["cannabis"],
    "circumstances": "Uppgiften är påhittad.",
    "observedOn": "2026-10-02",
    "basis": "assessment",
    "protectedIdentity": False,
}
_ID_EXAMPLE = "7d444840-9dc0-41d1-b245-5ffdce74fad2"
_SELF_EXAMPLE: dict[str, Any] = {
    "href": f"https://samsyn.example/samsyn/v1/mappings/{_ID_EXAMPLE}/individuals/{_ID_EXAMPLE}",
    "rel": "self",
    "method": "GET",
}


class IndividualIn(Body):
    """A person tied to a mapping, as the calling agency knows it. That agency becomes the holder."""

    model_config = {"json_schema_extra": {"example": _EXAMPLE}}

    role: Role
    name: Line | None = None
    identity_number: (
        Annotated[
            str,
            Field(
                pattern=IDENTITY_PATTERN,
                description="Personnummer or samordningsnummer, twelve digits; kept without the hyphen",
                json_schema_extra={"example": "19121212-1212"},
            ),
        ]
        | None
    ) = None
    birth_date: StrictDate | None = None
    sex: Sex = "unknown"
    contact: Lines | None = None
    substances: Substances = []
    circumstances: Prose | None = None
    observed_on: StrictDate
    basis: Basis
    protected_identity: Annotated[
        bool,
        Field(
            description="Other agencies see where the person was only where a decision names `mapping` (OSL 21:3) "
            "/ Skyddad identitet: platsen visas för andra bara om beslutet anger den"
        ),
    ] = False


class IndividualCreated(Out):
    """What is answered about a new individual: where it is, and nothing about the person."""

    model_config = {"json_schema_extra": {"example": {"id": _ID_EXAMPLE, "_links": {"self": _SELF_EXAMPLE}}}}

    id: UUID
    links_: dict[str, Link] = Field(alias="_links")


class IndividualErased(Out):
    """What is answered about an individual that is no more: the receipt of its erasure in the ledger."""

    model_config = {"json_schema_extra": {"example": {"id": _ID_EXAMPLE, "receipt": _ID_EXAMPLE}}}

    id: UUID
    receipt: UUID


class IndividualOut(Single):
    """An individual. A field that is withheld is left out; a row nobody may know of is not there at all."""

    id: Annotated[
        UUID | None, Field(description="Of others' rows an alias for this caller alone / Andras rader: ett alias")
    ] = None
    mapping: UUID | None = None
    holder: str | None = Field(default=None, json_schema_extra={"example": "skarholmen-socialtjanst"})
    role: Role | None = None
    name: str | None = None
    identity_number: str | None = None
    birth_date: StrictDate | None = None
    sex: Sex | None = None
    contact: str | None = None
    substances: list[str] | None = None
    circumstances: str | None = None
    observed_on: StrictDate | None = None
    basis: Basis | None = None
    protected_identity: bool | None = None
    pseudonym: Annotated[
        str | None,
        Field(
            description="What this caller may know the person as over time; null of own rows and of what no decision "
            "named / Pseudonym hos mottagaren",
            json_schema_extra={"example": "k3vq5w2rxy7m4ab6dcefghijn"},
        ),
    ] = None


class IndividualPage(PageOf):
    """A page of individuals: those the caller may know of. `totalRecords` counts them only."""

    items: list[IndividualOut]
