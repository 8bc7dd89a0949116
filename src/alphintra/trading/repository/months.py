"""Months of the tables that are cut by month: which are there, and making those to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.trading.domain.months import Cut
from alphintra.trading.repository.sessions import Reads

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Months"]


class Months(Reads):
    """Looks after the months through functions of the schema's owner: the service itself may make no table."""

    async def cuts(self) -> tuple[Cut, ...]:
        """Return the tables that are cut by month."""
        return tuple(
            Cut(table=row["whole"], kept_until=row["kept_until"], has_rest=row["has_rest"])
            for row in await self.rows("months.kept")
        )

    async def keep(self, at: datetime) -> tuple[tuple[str, str], ...]:
        """Make the months up to three after this time's; return each with what stood in its way, if anything did."""
        return tuple((row["part"], row["failure"]) for row in await self.rows("months.keep", at))
