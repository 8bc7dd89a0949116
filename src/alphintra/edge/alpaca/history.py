"""What the account was worth over time, in Alpaca's terms."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alphintra.contracts.books import PortfolioHistoryView
from alphintra.contracts.trading import GetPortfolioHistory, GetSummary
from alphintra.edge.alpaca.desk import Desk, desk_of
from alphintra.edge.alpaca.errors import refused
from alphintra.edge.alpaca.market import CALENDAR, NEW_YORK, local_midnight
from alphintra.edge.alpaca.reading import Fields, query_of
from alphintra.edge.alpaca.shapes import json_response
from alphintra.edge.guards import Scope
from alphintra.kernel.errors import AlphintraError

__all__ = ["get_portfolio_history"]

POINTS_MAX: Final = 10_000
INTRADAY_MAX: Final = timedelta(days=31)
MINUTES_BELOW: Final = timedelta(days=7)
QUARTERS_BELOW: Final = timedelta(days=30)
DEFAULT_PERIOD: Final = "1M"
DAILY: Final = "1D"
TIMEFRAMES: Final = ("1Min", "5Min", "15Min", "1H", DAILY)
_PERIOD: Final = re.compile(r"([1-9][0-9]{0,3})([DWMAY])")
_MONTHS: Final = 12
_INSTANT: Final = timedelta(microseconds=1)


class Reporting(StrEnum):
    """Of which hours intervals shorter than a day are shown."""

    MARKET = "market_hours"
    EXTENDED = "extended_hours"
    CONTINUOUS = "continuous"


class Reset(StrEnum):
    """Where profit begins anew within intervals shorter than a day."""

    PER_DAY = "per_day"
    NO_RESET = "no_reset"


async def get_portfolio_history(request: Request) -> Response:
    """Fetch equity and profit at the end of each interval; without an end, up to the account's newest price."""
    desk = await desk_of(request, Scope.READ)
    query = query_of(request)
    reporting, reset = _reporting(query), query.choice("pnl_reset", Reset) or Reset.PER_DAY
    if (query.text("cashflow_types") or "NONE").upper() != "NONE":
        message = "cash flows are not shown beside the worth: read them from account/activities"
        raise refused("CASHFLOW_UNAVAILABLE", message, pointer="/cashflow_types")
    start, end = await _span(desk, query)
    timeframe = _timeframe(query, end - start)
    command = GetPortfolioHistory(
        account_id=desk.account_id, timeframe=timeframe, start=start, end=end, limit=POINTS_MAX
    )
    history = await desk.caller.ask(command)
    is_daily = timeframe == DAILY
    profits = _profits(history, reset=Reset.NO_RESET if is_daily else reset)
    is_shown = _is_shown(Reporting.CONTINUOUS if is_daily else reporting)
    rows = [row for row in zip(history.timestamps, history.equity, profits, strict=True) if is_shown(row[0])]
    return json_response(
        {
            "timestamp": [int(at.timestamp()) for at, _, _ in rows],
            "equity": [float(equity) for _, equity, _ in rows],
            "profit_loss": [float(profit) for _, _, (profit, _) in rows],
            "profit_loss_pct": [None if ratio is None else float(ratio) for _, _, (_, ratio) in rows],
            "base_value": float(history.base_value),
            "timeframe": timeframe,
            "cashflow": {},
        }
    )


def _reporting(query: Fields) -> Reporting:
    named, is_extended = query.choice("intraday_reporting", Reporting), query.flag("extended_hours")
    return named or (Reporting.EXTENDED if is_extended else Reporting.MARKET)


async def _span(desk: Desk, query: Fields) -> tuple[datetime, datetime]:
    """Return the first instant shown and the one after the last. Raises FIELD_*, TIME_* or RANGE."""
    start, end, period = query.moment("start"), query.moment("end"), query.text("period")
    day = query.day("date_end")
    if day is not None:
        if end is not None:
            raise refused("FIELD_FORBIDDEN", "give end or date_end, not both", pointer="/date_end")
        end = local_midnight(day, days=1)
    if start is not None and end is not None and period is not None:
        message = "only two of start, end and period can be given at the same time"
        raise refused("FIELD_FORBIDDEN", message, pointer="/period")
    if start is not None and end is None and period is not None:
        end = _moved(start, period, sign=1)
    if end is None:
        end = await _newest(desk) + _INSTANT
    if start is None:
        start = _moved(end, period or DEFAULT_PERIOD, sign=-1)
    if end < start:
        raise refused("RANGE", "end is before start", pointer="/end")
    return start, end


async def _newest(desk: Desk) -> datetime:
    """Return when the account was last valued: its feed may be a replay of other times than these."""
    marked_at = (await desk.caller.ask(GetSummary(account_id=desk.account_id))).marked_at
    return desk.caller.gate.clock.now() if marked_at is None else marked_at


def _moved(at: datetime, period: str, *, sign: int) -> datetime:
    """Return the midnight in New York a period begins at that ends with an instant, or the other way round.

    Days are trading days; ``1D`` is the day itself. Raises FIELD_FORMAT or FIELD_RANGE.
    """
    found = _PERIOD.fullmatch(period.upper())
    if found is None:
        message = f"invalid period {period[:20]!r}: write a number and D, W, M or A, such as 1M"
        raise refused("FIELD_FORMAT", message, pointer="/period")
    count, unit = int(found[1]), found[2]
    try:
        # An end is left out itself: midnight ends the day before.
        day = (at if sign > 0 else at - _INSTANT).astimezone(NEW_YORK).date()
        match unit:
            case "D":
                moved = _trading_day(day, sign * (count - 1))
                return local_midnight(moved, days=1 if sign > 0 else 0)
            case "W":
                return local_midnight(day + sign * timedelta(weeks=count))
            case "M":
                return local_midnight(_months_on(day, sign * count))
            case _:
                return local_midnight(_months_on(day, sign * count * _MONTHS))
    except (ValueError, OverflowError, IndexError, AlphintraError) as error:
        message = f"period {period[:20]!r} reaches beyond the calendar"
        raise refused("FIELD_RANGE", message, pointer="/period") from error


def _trading_day(day: date, count: int) -> date:
    """Return the trading day so many after a day, or before it; zero is the day itself."""
    if count == 0:
        return day
    reach = timedelta(days=abs(count) * 2 + 14)
    if count > 0:
        return CALENDAR.sessions(day + timedelta(days=1), day + reach)[count - 1].day
    return CALENDAR.sessions(day - reach, day - timedelta(days=1))[count].day


def _months_on(day: date, months: int) -> date:
    """Return the same day of another month, or its last one where it is shorter."""
    number = day.year * _MONTHS + day.month - 1 + months
    year, month = divmod(number, _MONTHS)
    following = date(year + (month == _MONTHS - 1), (month + 1) % _MONTHS + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


def _timeframe(query: Fields, span: timedelta) -> str:
    text = query.text("timeframe")
    if text is None:
        return "1Min" if span < MINUTES_BELOW else "15Min" if span < QUARTERS_BELOW else DAILY
    known = {one.lower(): one for one in TIMEFRAMES}
    if text.lower() not in known:
        message = f"invalid timeframe {text[:20]!r}: take one of {', '.join(TIMEFRAMES)}"
        raise refused("FIELD_VALUE", message, pointer="/timeframe")
    timeframe = known[text.lower()]
    if timeframe != DAILY and span > INTRADAY_MAX:
        message = f"more than {INTRADAY_MAX.days - 1} days are shown by 1D only"
        raise refused("FIELD_RANGE", message, pointer="/timeframe")
    return timeframe


def _is_shown(reporting: Reporting) -> Callable[[datetime], bool]:
    if reporting is Reporting.CONTINUOUS:
        return lambda _: True
    is_extended = reporting is Reporting.EXTENDED
    # The last price of a session is told as it closes.
    return lambda at: any(CALENDAR.is_open(one, extended_hours=is_extended) for one in (at, at - _INSTANT))


def _profits(history: PortfolioHistoryView, *, reset: Reset) -> Sequence[tuple[Decimal, Decimal | None]]:
    """Return profit and its ratio to the base at each point; reset, the base is the last worth of the day before."""
    told: list[tuple[Decimal, Decimal | None]] = []
    base, before = history.base_value, Decimal(0)
    day: date | None = None
    last: tuple[Decimal, Decimal] | None = None
    for at, equity, profit in zip(history.timestamps, history.equity, history.profit_loss, strict=True):
        today = at.astimezone(NEW_YORK).date()
        if reset is Reset.PER_DAY and last is not None and today != day:
            base, before = last
        day, last = today, (equity, profit)
        told.append((profit - before, (profit - before) / base if base else None))
    return told
