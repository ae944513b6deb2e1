"""The register of agencies, remembered for a minute so that a token costs no question to the database."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from api.agencies.repository import REGISTER
from api.disclosure.asking import AgencyRef
from api.store.database import Database
from policies.model import Holder, Law

_REMEMBERED = timedelta(seconds=60)
_MISS_AFTER = timedelta(seconds=2)


class AgencyRegister:
    """Which agencies exist, their sectors, and which sectors may hold rows about individuals."""

    def __init__(self, database: Database, law: Law, clock: Callable[[], datetime]) -> None:
        self._database, self._law, self._clock = database, law, clock
        self._agencies: dict[str, AgencyRef] = {}
        self._holders: dict[str, tuple[Holder, ...]] = {}
        self._read_at: datetime | None = None
        self._reading = asyncio.Lock()

    async def find(self, slug: str) -> AgencyRef | None:
        """The agency with this slug. An unknown one is looked for again, at most every other second."""
        age = None if self._read_at is None else self._clock() - self._read_at
        if age is None or age > _REMEMBERED or (slug not in self._agencies and age > _MISS_AFTER):
            await self._read()
        return self._agencies.get(slug)

    def holders_for(self, agency: AgencyRef) -> tuple[Holder, ...]:
        """The holders that an answer to this agency speaks of: itself, then every sector with another agency.

        Only authorities hold individual-level data (2018:218 3:9), so private actors are never among them.
        """
        return self._holders[agency.slug]

    async def _read(self) -> None:
        async with self._reading:
            rows = await self._database.fetch(REGISTER, [])
            agencies = {row["slug"]: AgencyRef(*row) for row in rows}
            self._holders = {agency.slug: self._holders_of(agency, agencies) for agency in agencies.values()}
            self._agencies, self._read_at = agencies, self._clock()

    def _holders_of(self, asking: AgencyRef, agencies: dict[str, AgencyRef]) -> tuple[Holder, ...]:
        own = (Holder(asking.sector, own=True),) if asking.sector in self._law.authorities else ()
        others = {agency.sector for agency in agencies.values() if agency.slug != asking.slug}
        return own + tuple(
            Holder(sector, own=False) for sector in self._law.sectors if sector in others & self._law.authorities
        )
