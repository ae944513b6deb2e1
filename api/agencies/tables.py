"""Registered agencies, one per board or self-standing branch (*självständig verksamhetsgren*, OSL 8:1-2)."""

from sqlmodel import Field

from api.store.base import Table


class Agency(Table, table=True):
    """One agency. `municipality` (4 digits) and `district` bound which scenes a local board works with.

    `equated`: a company that is an authority only because OSL 2:3 equates it with one.
    """

    __tablename__ = "agencies"

    slug: str = Field(primary_key=True)
    name: str
    sector: str = Field(index=True)
    municipality: str | None = None
    district: str | None = None
    equated: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
