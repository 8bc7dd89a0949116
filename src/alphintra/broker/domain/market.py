"""The market of a feed: its steps, in order, and the trading hours of their bars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from alphintra.engine.bars import Bar
from alphintra.engine.matching import WHOLE, Phase
from alphintra.engine.sessions import Calendar
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import FeedId
from alphintra.kernel.money import PRICE_QUANTUM, require_finite

__all__ = ["Hours", "Market", "Step", "end_of_day", "first_step", "phase_of", "require_next", "step_of"]


@dataclass(frozen=True, slots=True)
class Market:
    """How far a feed has come: its last step and the latest bar close in it, None before the first step."""

    last_seq: int
    last_ts: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a feed: at most one bar for each symbol, and the times they span.

    Attributes:
        feed_id: the feed.
        seq: number of the step, from 1 on.
        bars: by symbol.
        hours: of those bars that are less than a whole session.
        first_ts: earliest close.
        last_ts: latest close.
    """

    feed_id: FeedId
    seq: int
    bars: Mapping[str, Bar]
    hours: Mapping[str, Hours]
    first_ts: datetime
    last_ts: datetime


@dataclass(frozen=True, slots=True)
class Hours:
    """When a bar began, and the calendar its symbol trades by."""

    opened_at: datetime
    calendar: Calendar


def step_of(feed_id: FeedId, seq: int, bars: Iterable[tuple[str, Bar, Hours | None]]) -> Step:
    """Return the checked step of a feed.

    Raises MARKET_BARS for no bars, two of one symbol, a price below a millionth or a bar that ends before it begins,
    FIELD_RANGE for a sequence below 1 and NUMBER_* for amounts the books cannot hold.
    """
    if seq < 1:
        raise AlphintraError("FIELD_RANGE", f"step {seq} is below 1, the first of a feed", pointer="/seq")
    found: dict[str, Bar] = {}
    known: dict[str, Hours] = {}
    for index, (symbol, bar, hours) in enumerate(bars):
        pointer = f"/bars/{index}"
        if symbol in found:
            raise AlphintraError("MARKET_BARS", f"{symbol} has two bars in one step: send one", pointer=pointer)
        for amount in (bar.open, bar.high, bar.low, bar.close, bar.volume):
            require_finite(amount, pointer=pointer)
        if bar.low < PRICE_QUANTUM:
            message = f"{symbol} trades at {bar.low}, below the smallest price, {PRICE_QUANTUM}"
            raise AlphintraError("MARKET_BARS", message, pointer=pointer)
        found[symbol] = bar
        if hours is not None:
            if hours.opened_at >= bar.ts:
                message = f"the bar of {symbol} ends at {bar.ts.isoformat()}, not after it began"
                raise AlphintraError("MARKET_BARS", message, pointer=pointer)
            known[symbol] = hours
    if not found:
        raise AlphintraError("MARKET_BARS", "a step needs at least one bar", pointer="/bars")
    times = [bar.ts for bar in found.values()]
    return Step(feed_id=feed_id, seq=seq, bars=found, hours=known, first_ts=min(times), last_ts=max(times))


def first_step() -> Market:
    """Return a market that no step has reached yet."""
    return Market(0, None)


def require_next(market: Market, step: Step) -> None:
    """Check that a step follows the last one. Raises MARKET_SEQ or TIME_ORDER."""
    if step.seq != market.last_seq + 1:
        message = f"the market is at step {market.last_seq}: send step {market.last_seq + 1}, not {step.seq}"
        raise AlphintraError("MARKET_SEQ", message, kind=Kind.CONFLICT, pointer="/seq")
    if market.last_ts is not None and step.first_ts <= market.last_ts:
        message = (
            f"a bar closes at {step.first_ts.isoformat()}, not after the last step ({market.last_ts.isoformat()}): "
            "send bars in order of time"
        )
        raise AlphintraError("TIME_ORDER", message, pointer="/bars")


def phase_of(bar: Bar, hours: Hours | None) -> Phase:
    """Return where in its session a bar lies; one without hours is a whole session."""
    if hours is None:
        return WHOLE
    session = hours.calendar.session_at(hours.opened_at)
    is_regular = bar.ts > session.open
    return Phase(
        is_opening=is_regular and hours.opened_at <= session.open,
        is_closing=is_regular and bar.ts >= session.close,
        is_regular=is_regular,
    )


def end_of_day(bar: Bar, hours: Hours | None, *, known_ts: datetime | None, extended_hours: bool) -> datetime:
    """Return when a day order ends that was accepted at ``known_ts`` and first meets this bar.

    That is the close of the trading day it was accepted in, or of the next one where it was accepted between two; with
    bars that are whole sessions, the close of its first bar.
    """
    if hours is None:
        return bar.ts
    since = hours.opened_at if known_ts is None else min(known_ts, hours.opened_at)
    session = hours.calendar.session_at(since, extended_hours=extended_hours)
    return session.bounds(extended_hours=extended_hours)[1]
