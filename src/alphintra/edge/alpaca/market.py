"""What can be traded and when: assets, the clock and the calendar of the exchange."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from alphintra.contracts.risk import GetLimits
from alphintra.edge.alpaca.desk import desk_of
from alphintra.edge.alpaca.errors import refused
from alphintra.edge.alpaca.reading import query_of
from alphintra.edge.alpaca.shapes import asset_class_of, asset_shape, exchange_of, json_response
from alphintra.edge.guards import Scope, gate_of
from alphintra.engine.sessions import calendar_of
from alphintra.kernel.errors import Kind

__all__ = ["CALENDAR", "NEW_YORK", "get_asset", "get_calendar", "get_clock", "list_assets", "local_midnight"]

NEW_YORK: Final = ZoneInfo("America/New_York")
CALENDAR: Final = calendar_of("SPY")  # every symbol without a slash trades by the same one


def local_midnight(day: date, *, days: int = 0) -> datetime:
    """Return when a day begins in New York, or the one so many days later. Raises TIME_FORMAT beyond all calendars."""
    try:
        return datetime.combine(day + timedelta(days=days), time(), NEW_YORK).astimezone(UTC)
    except OverflowError as error:
        raise refused("TIME_FORMAT", f"{day} is beyond all calendars", pointer="/date") from error


class AssetStatus(StrEnum):
    """Whether an asset can be traded."""

    ACTIVE = "active"
    INACTIVE = "inactive"


async def list_assets(request: Request) -> Response:
    """List what the catalogue has prices of; all of it is active."""
    desk = await desk_of(request, Scope.READ)
    query = query_of(request)
    if query.choice("status", AssetStatus) is AssetStatus.INACTIVE:
        return json_response([])
    asset_class, exchange = query.text("asset_class"), query.text("exchange")
    datasets, limits = await asyncio.gather(desk.datasets(), desk.caller.ask(GetLimits(account_id=desk.account_id)))
    return json_response(
        [
            asset_shape(symbol, datasets[symbol], may_short=limits.may_short)
            for symbol in sorted(datasets)
            if asset_class in {None, asset_class_of(symbol)} and exchange in {None, exchange_of(symbol)}
        ]
    )


async def get_asset(request: Request) -> Response:
    """Fetch an asset by symbol or id."""
    desk = await desk_of(request, Scope.READ)
    text = request.path_params["symbol"]
    symbol, datasets = await asyncio.gather(desk.known_symbol(text), desk.datasets())
    if symbol not in datasets:
        raise refused("ASSET_NOT_FOUND", f"asset not found for {text[:40]}", kind=Kind.NOT_FOUND)
    limits = await desk.caller.ask(GetLimits(account_id=desk.account_id))
    return json_response(asset_shape(symbol, datasets[symbol], may_short=limits.may_short))


async def get_clock(request: Request) -> Response:
    """Tell the time in New York, whether its exchange is open, and when it opens and closes next."""
    caller = await gate_of(request).admit(request, Scope.READ)
    at = caller.gate.clock.now()
    return json_response(
        {
            "timestamp": _local(at),
            "is_open": CALENDAR.is_open(at),
            "next_open": _local(CALENDAR.next_open(at)),
            "next_close": _local(CALENDAR.next_close(at)),
        }
    )


async def get_calendar(request: Request) -> Response:
    """List trading days with their hours in New York, from ``start`` to ``end``, both included."""
    await gate_of(request).admit(request, Scope.READ)
    query = query_of(request)
    first = max(query.day("start") or CALENDAR.first_day, CALENDAR.first_day)
    last = min(query.day("end") or CALENDAR.last_day, CALENDAR.last_day)
    return json_response(
        [
            {
                "date": session.day.isoformat(),
                "open": _hour(session.open, ":"),
                "close": _hour(session.close, ":"),
                "session_open": _hour(session.extended_open, ""),
                "session_close": _hour(session.extended_close, ""),
                "settlement_date": _settlement(session.day),
            }
            for session in CALENDAR.sessions(first, last)
        ]
    )


_NEXT_DAY_SINCE: Final = date(2024, 5, 28)
_TWO_DAYS_SINCE: Final = date(2017, 9, 5)


def _settlement(day: date) -> str | None:
    """Return when trades of a day settle in the United States; None before it was two days."""
    if day < _TWO_DAYS_SINCE:
        return None
    settled = day
    for _ in range(1 if day >= _NEXT_DAY_SINCE else 2):
        close = CALENDAR.session_on(settled)
        if close is None or settled >= date(CALENDAR.last_day.year, 12, 28):
            return None
        settled = CALENDAR.trading_day(close.close)
    return settled.isoformat()


def _local(at: datetime) -> str:
    return at.astimezone(NEW_YORK).isoformat()


def _hour(at: datetime, separator: str) -> str:
    return at.astimezone(UTC).astimezone(NEW_YORK).strftime(f"%H{separator}%M")
