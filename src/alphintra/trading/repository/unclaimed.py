"""Reports on orders that are not known: rows that wait."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from alphintra.trading.repository.sessions import Changes, Reads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.infrastructure.postgres import Record

__all__ = ["KeptReport", "UnclaimedChanges", "UnclaimedReads"]


class KeptReport(NamedTuple):
    """A report as it is kept: the event whole, as it was published."""

    event_id: UUID
    order_id: UUID
    kind: str
    report: str
    occurred_at: datetime


class UnclaimedChanges(Changes):
    """Changes of kept reports inside one transaction."""

    async def keep_reports(self, reports: Sequence[KeptReport], *, at: datetime) -> None:
        """Keep reports until their orders are known."""
        await self.session.execute("unclaimed_reports.insert", *zip(*reports, strict=True), at)

    async def claim_reports(self, *, are_executions: bool, count_max: int, at: datetime) -> tuple[str, ...]:
        """Take up the reports whose order is known, oldest first, and return them; they are held."""
        rows = await self.session.rows("unclaimed_reports.claim", at, count_max, are_executions)
        return tuple(row["report"] for row in rows)


class UnclaimedReads(Reads):
    """Reads of kept reports."""

    async def unclaimed(self, *, is_waiting: bool, limit: int) -> Sequence[Record]:
        """Read reports on orders that were not known, newest first."""
        return await self.rows("unclaimed_reports.list", is_waiting, limit)

    async def unclaimed_count(self) -> int:
        """Return how many reports wait for their order."""
        return int((await self.rows("unclaimed_reports.waiting"))[0]["waiting"])
