"""Registered agencies, one per board or self-standing branch (*självständig verksamhetsgren*, OSL 8:1-2)."""

from sqlmodel import Field

from api.store.base import Table


class Agency(Table, table=True):
    """One agency. `municipality` (4 digits) and `district` bound which scenes a local board works with."""

    __tablename__ = "agencies"

    slug: str = Field(primary_key=True)
    name: str
    sector: str = Field(index=True)
    municipality: str | None = None
    district: str | None = None
