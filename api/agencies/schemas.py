"""What is answered about agencies."""

from pydantic import Field

from api.web.datatypes import Out
from api.web.documents import PageOf


class AgencyOut(Out):
    """A registered agency (*myndighet*), one per board or self-standing branch.

    `equated`: a municipal or regional company that is an authority only through OSL 2:3.
    """

    slug: str = Field(json_schema_extra={"example": "skarholmen-trygghet"})
    name: str = Field(json_schema_extra={"example": "Skärholmens stadsdelsnämnd, trygghet"})
    sector: str = Field(json_schema_extra={"example": "municipal-safety"})
    municipality: str | None
    district: str | None
    equated: bool


class AgencyPage(PageOf):
    """A page of agencies."""

    items: list[AgencyOut]
