"""What an account holds and how it came about: lots, what closed them, round trips, breaks."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from alphintra.contracts.books import BookingBreaksView, LotClosesView, LotsView, TradesView
from alphintra.contracts.trading import ListBookingBreaks, ListLotCloses, ListLots, ListTrades
from alphintra.contracts.unclaimed import (
    ListUnclaimedReports,
    ReplayReports,
    ReportsReplayedView,
    UnclaimedReportsView,
)
from alphintra.edge.routing import Admin, PageLimit, Reader, Routes
from alphintra.kernel.errors import AlphintraError

__all__ = ["routes", "utc"]

routes = Routes("accounts")


@routes.get("/accounts/{account_id}/lots")
async def list_lots(caller: Reader, account_id: UUID, symbol: str | None = None, limit: PageLimit = 1000) -> LotsView:
    """List open lots, oldest first; of one symbol where given."""
    return await caller.ask(ListLots(account_id=account_id, symbol=symbol, limit=limit))


@routes.get("/accounts/{account_id}/lot-closes")
async def list_lot_closes(
    caller: Reader,
    account_id: UUID,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: PageLimit = 1000,
) -> LotClosesView:
    """List what was closed of the lots, first in, first out, with the profit of each part: what the tax asks for."""
    command = ListLotCloses(account_id=account_id, start=utc(start, "start"), end=utc(end, "end"), limit=limit)
    return await caller.ask(command)


@routes.get("/accounts/{account_id}/trades")
async def list_trades(
    caller: Reader, account_id: UUID, book_id: UUID | None = None, limit: PageLimit = 100
) -> TradesView:
    """List round trips from flat to flat, newest first; of one deployment's book where given."""
    return await caller.ask(ListTrades(account_id=account_id, book_id=book_id, limit=limit))


@routes.get("/accounts/{account_id}/booking-breaks")
async def list_booking_breaks(caller: Reader, account_id: UUID, limit: PageLimit = 100) -> BookingBreaksView:
    """List reports of executions with something wrong about them, newest first."""
    return await caller.ask(ListBookingBreaks(account_id=account_id, limit=limit))


@routes.get("/unclaimed-reports")
async def list_unclaimed_reports(
    caller: Admin, status: Literal["waiting", "all"] = "waiting", limit: PageLimit = 100
) -> UnclaimedReportsView:
    """List reports of venues on orders that are not in the books, newest first; those that wait, unless all."""
    return await caller.ask(ListUnclaimedReports(is_waiting=status == "waiting", limit=limit))


@routes.post("/unclaimed-reports/replay")
async def replay_reports(caller: Admin) -> ReportsReplayedView:
    """Take up every report whose order is known meanwhile; the platform does so by itself every ten seconds."""
    return await caller.ask(ReplayReports())


def utc(moment: datetime | None, name: str) -> datetime | None:
    """Return an instant that names its zone. Raises TIME_NO_ZONE."""
    if moment is not None and moment.tzinfo is None:
        message = f"{name} names no zone: write it as in 2026-01-31T00:00:00Z"
        raise AlphintraError("TIME_NO_ZONE", message, pointer=f"/{name}")
    return moment
