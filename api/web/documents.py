"""What every answer carries beside its fields, as schemas for the contract. Bodies themselves are built as bytes."""

from typing import Any

from pydantic import Field

from api.web.datatypes import Out
from api.web.paging import Link, Links, Meta


class CouldOpen(Out):
    """A provision that might open a withheld field, and what it lacks."""

    provision: str = Field(json_schema_extra={"example": "osl-10-18a"})
    lacks: list[str] = Field(json_schema_extra={"example": ["decision"]})


class ReleasedField(Out):
    """A field that is handed out, and the ground that opens it."""

    field: str = Field(json_schema_extra={"example": "name"})
    ground: str = Field(json_schema_extra={"example": "no-secrecy"})
    citation: str = Field(json_schema_extra={"example": "6 kap. 5 § OSL"})
    holder_sector: str | None = None
    decision: str | None = None


class WithheldField(Out):
    """A field that is kept back: the secrecy that locks it, why, and what could open it.

    The list is the same whether or not a value, or a row, exists.
    """

    field: str = Field(json_schema_extra={"example": "policeWork"})
    holder_sector: str | None = Field(json_schema_extra={"example": "police"})
    secrecy: list[str] = Field(json_schema_extra={"example": ["osl-18-1"]})
    citation: str = Field(json_schema_extra={"example": "18 kap. 1 § OSL"})
    reason: str = Field(json_schema_extra={"example": "no-decision"})
    could_open: list[CouldOpen]


class Disclosure(Out):
    """What was released on which ground and what was withheld under which paragraph."""

    policy_version: str = Field(json_schema_extra={"example": "3f2a9c1d5e6b7a80"})
    as_of: str = Field(json_schema_extra={"example": "2026-11-20", "format": "date"})
    purpose: str | None = None
    receipt: str | None = None
    released: list[ReleasedField]
    withheld: list[WithheldField]


class SingleMeta(Out):
    """`_meta` of a single resource."""

    disclosure: Disclosure


class PageMeta(Meta):
    """`_meta` of a page."""

    disclosure: Disclosure


class Single(Out):
    """Base of a single resource's answer: `_meta` and `_links` beside its fields."""

    meta_: SingleMeta | None = Field(default=None, alias="_meta")
    links_: dict[str, Link] | None = Field(default=None, alias="_links")


class PageOf(Out):
    """Base of a page's answer; the subclass adds `items`."""

    meta_: PageMeta = Field(alias="_meta")
    links_: Links = Field(alias="_links")


def answers(model: type[Out], *, status: int = 200, description: str = "The answer / Svaret") -> dict[int | str, Any]:
    """The `responses` of an operation that answers with this model, whose body is built as bytes."""
    return {status: {"model": model, "description": description}}
