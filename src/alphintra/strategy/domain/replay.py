"""A replay: the bars of several symbols as numbered steps, one per time at which any of them closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from alphintra.engine.bars import Bar
from alphintra.engine.corporate_actions import Split, adjust_for_splits
from alphintra.engine.sessions import calendar_named, calendar_of
from alphintra.kernel.errors import AlphintraError

__all__ = [
    "FeedSplit",
    "Hours",
    "Step",
    "bars_before",
    "bars_until",
    "between",
    "following",
    "hours_of",
    "is_split_between",
    "steps_of",
    "within",
]

_LOOKED_AT = 2000  # steps from which the hours of a feed are told: more than a day of bars of a minute
_INTRADAY_MAX = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Step:
    """Everything that closed at one time; ``seq`` counts from 1, and down from 0 before the begin of a live feed."""

    seq: int
    ts: datetime
    bars: tuple[tuple[str, Bar], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSplit:
    """A split of a symbol that was applied while its feed ran: bars up to the step ``after_seq`` are in old shares."""

    symbol: str
    after_seq: int
    new_shares: int
    old_shares: int


@dataclass(frozen=True, slots=True)
class Hours:
    """How long the bars of a symbol are, and the name of the calendar it trades by."""

    interval: timedelta
    calendar: str


def within(bars: Sequence[Bar], start: datetime | None, end: datetime | None) -> tuple[Bar, ...]:
    """Return the bars that closed in ``[start, end)``. Raises RANGE for a reversed or empty range."""
    if start is not None and end is not None and start >= end:
        raise AlphintraError("RANGE", f"the range ends ({end}) before it starts ({start})", pointer="/end")
    chosen = tuple(bar for bar in bars if (start is None or bar.ts >= start) and (end is None or bar.ts < end))
    if not chosen:
        span = f"{bars[0].ts:%Y-%m-%d} to {bars[-1].ts:%Y-%m-%d}" if bars else "nothing"
        raise AlphintraError("RANGE", f"no bar lies in the range: the data spans {span}", pointer="/start")
    return chosen


def steps_of(series: Mapping[str, Sequence[Bar]]) -> tuple[Step, ...]:
    """Merge the bars of several symbols by closing time, oldest first; symbols in alphabetical order."""
    by_time: dict[datetime, list[tuple[str, Bar]]] = {}
    for symbol in sorted(series):
        for bar in series[symbol]:
            by_time.setdefault(bar.ts, []).append((symbol, bar))
    return tuple(Step(seq, ts, tuple(by_time[ts])) for seq, ts in enumerate(sorted(by_time), start=1))


def bars_before(steps: Sequence[Step], seq: int, symbol: str, *, splits: Sequence[FeedSplit]) -> tuple[Bar, ...]:
    """Return the bars of a symbol before a step, in shares of that step: as if its splits had been adjusted for.

    The step's own bar must be there. Prices are rounded as `adjust_for_splits` does.
    """
    return bars_until(steps, seq, symbol, splits=splits)[:-1]


def bars_until(steps: Sequence[Step], seq: int, symbol: str, *, splits: Sequence[FeedSplit]) -> tuple[Bar, ...]:
    """Return the bars of a symbol up to a step, that one included, in shares of the last of them."""
    bars = [(step.seq, bar) for step in steps if step.seq <= seq for name, bar in step.bars if name == symbol]
    found = []
    for split in splits:
        first = next((index for index, (number, _) in enumerate(bars) if number > split.after_seq), None)
        if split.symbol == symbol and first is not None:
            found.append(Split(first, bars[first][1].ts, Fraction(split.new_shares, split.old_shares)))
    return adjust_for_splits([bar for _, bar in bars], found) if bars else ()


def following(steps: Sequence[Step], seq: int) -> Step | None:
    """Return the step after the one of that number, of steps without a gap; None where there is none yet."""
    index = seq + 1 - steps[0].seq if steps else 0
    return steps[index] if 0 <= index < len(steps) else None


def between(steps: Sequence[Step], after: int, until: int) -> Sequence[Step]:
    """Return the steps after one number up to another, that one included, of steps without a gap."""
    first = steps[0].seq if steps else 1
    return steps[max(after + 1 - first, 0) : max(until + 1 - first, 0)]


def is_split_between(splits: Sequence[FeedSplit], symbol: str, last_seq: int, seq: int) -> bool:
    """Tell whether a symbol was split after one step and before a later one."""
    return any(split.symbol == symbol and last_seq <= split.after_seq < seq for split in splits)


def hours_of(steps: Sequence[Step]) -> dict[str, Hours]:
    """Return the hours of those symbols of a replay whose bars are shorter than a session.

    A symbol with a bar at a time when New York is closed, before and after its regular session too, always trades.
    Nothing is said of bars beyond the days the calendar knows.
    """
    times: dict[str, list[datetime]] = {}
    for step in steps[:_LOOKED_AT]:
        for symbol, bar in step.bars:
            times.setdefault(symbol, []).append(bar.ts)
    found = {symbol: _hours(symbol, closes) for symbol, closes in times.items()}
    return {symbol: hours for symbol, hours in found.items() if hours is not None}


def _hours(symbol: str, closes: Sequence[datetime]) -> Hours | None:
    interval = min((later - earlier for earlier, later in pairwise(closes)), default=None)
    if interval is None or interval > _INTRADAY_MAX:
        return None
    calendar = calendar_of(symbol)
    try:
        if not all(calendar.is_open(ts - interval, extended_hours=True) for ts in closes):
            calendar = calendar_named("24/7")
    except AlphintraError:
        return None
    return Hours(interval, calendar.name)
