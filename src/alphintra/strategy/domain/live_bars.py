"""Live bars: when one is over and the next is due, and which of a source's answers become steps of a feed.

A source is asked for the bars of the last few intervals again and again. Of what it answers a bar is published once, in
order of time, when it is over; what comes otherwise than before, or when later bars were published already, is remarked
and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from alphintra.engine.bars import Bar
from alphintra.engine.sessions import NEW_YORK, calendar_of
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import AMOUNT_PLACES
from alphintra.strategy.domain.intervals import Interval
from alphintra.strategy.domain.replay import Hours

__all__ = [
    "Intake",
    "LiveTerms",
    "RawBar",
    "Remark",
    "ask_from",
    "close_of",
    "is_due",
    "live_hours",
    "next_close",
    "next_poll",
    "require_live_interval",
    "retry_in",
    "take",
]

CORRECTED: Final = "corrected"
LATE: Final = "late"
INVALID: Final = "invalid"
ASKED_AGAIN: Final = 3  # intervals before the last bar that are asked for once more, for late bars and corrections
ASKED_AGAIN_MIN: Final = timedelta(minutes=10)
SETTLE: Final = timedelta(seconds=2)  # clocks differ, and a source needs a moment to close a bar
SETTLE_DAY: Final = timedelta(seconds=60)
PATIENCE: Final = timedelta(seconds=15)  # for a bar of one symbol where others have come
POLL_MIN_S: Final = 1.0
POLL_MAX_S: Final = 15.0
RETRY_FIRST_S: Final = 0.5
RETRY_MAX_S: Final = 60.0
_DOUBLINGS_MAX: Final = 10
_HOUR: Final = 60
_SESSION_HOURS: Final = timedelta(hours=6)
_TICK: Final = timedelta(microseconds=1)
_QUANTUM: Final = Decimal(1).scaleb(-AMOUNT_PLACES)


@dataclass(frozen=True, slots=True)
class RawBar:
    """A bar as a source tells it: when it opened, and open, high, low, close and volume."""

    symbol: str
    opened_at: datetime
    values: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTerms:
    """What a live feed carries.

    Attributes:
        symbols: whose bars.
        interval: how long they are.
        is_extended: whether with those before and after the regular session.
    """

    symbols: tuple[str, ...]
    interval: Interval
    is_extended: bool = False

    @property
    def length(self) -> timedelta:
        """How long a bar is."""
        return timedelta(minutes=self.interval.minutes)

    @property
    def settle(self) -> timedelta:
        """How long after its close a bar is believed to be over."""
        return SETTLE if self.interval.is_intraday else SETTLE_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something about a bar that is recorded and changes nothing: ``kind`` is corrected, late or invalid."""

    symbol: str
    closed_at: datetime
    kind: str
    bar: Bar | None
    detail: str


@dataclass(frozen=True, slots=True)
class Intake:
    """What an answer brought: bars by closing time, oldest first, to be published; and remarks."""

    steps: tuple[tuple[datetime, tuple[tuple[str, Bar], ...]], ...]
    remarks: tuple[Remark, ...]


def require_live_interval(interval: Interval, symbols: Iterable[str]) -> None:
    """Refuse intervals that do not fit days. Raises LIVE_TIMEFRAME."""
    minutes = interval.minutes
    fits = interval.unit == "d" or (interval.is_intraday and 24 * _HOUR % minutes == 0)
    if fits and minutes < 24 * _HOUR and minutes > _HOUR:
        fits = all(calendar_of(symbol).is_always_open for symbol in symbols)
    if not fits:
        message = (
            f"a live feed has bars of minutes, hours or a day that days are a multiple of, not {interval.polars_name}; "
            "bars of stocks are 1h at most, or 1d"
        )
        raise AlphintraError("LIVE_TIMEFRAME", message, pointer="/timeframe")


def close_of(symbol: str, opened_at: datetime, terms: LiveTerms) -> datetime | None:
    """Return when a bar closes; None for one outside the hours the feed carries. Raises CALENDAR_RANGE."""
    calendar = calendar_of(symbol)
    if not terms.interval.is_intraday and not calendar.is_always_open:
        session = calendar.session_on(opened_at.astimezone(NEW_YORK).date())
        return None if session is None else session.close
    closed_at = opened_at + terms.length
    return closed_at if _is_traded(symbol, opened_at, closed_at, terms) else None


def next_close(symbol: str, after: datetime, terms: LiveTerms) -> datetime:
    """Return the first close of a bar of the symbol after the moment. Raises CALENDAR_RANGE."""
    calendar = calendar_of(symbol)
    if not terms.interval.is_intraday and not calendar.is_always_open:
        return calendar.next_close(after)
    closed_at = _grid(after, terms.length) + terms.length
    opened_at = closed_at - terms.length
    if _is_traded(symbol, opened_at, closed_at, terms):
        return closed_at
    session = calendar.session_at(opened_at, extended_hours=terms.is_extended)
    return _grid(session.bounds(extended_hours=terms.is_extended)[0], terms.length) + terms.length


def is_due(terms: LiveTerms, last_ts: datetime, at: datetime) -> bool:
    """Tell whether prices are to be expected now: within sessions, or after them while their last bar is owed."""
    ahead = terms.length if terms.interval.is_intraday else timedelta()
    return any(at >= next_close(symbol, last_ts, terms) - ahead for symbol in terms.symbols)


def next_poll(terms: LiveTerms, last_ts: datetime, at: datetime) -> float:
    """Return the seconds until the source is to be asked: when a bar is over, and often while one is overdue."""
    due = min(next_close(symbol, last_ts, terms) for symbol in terms.symbols) + terms.settle
    if at < due:
        return (due - at).total_seconds()
    return min(max((at - due).total_seconds() / 4, POLL_MIN_S), POLL_MAX_S)


def retry_in(failures: int, *, chance: float) -> float:
    """Return the seconds until a source is asked again: doubling to a minute, times a half to one by ``chance``."""
    return min(RETRY_FIRST_S * 2.0 ** min(failures, _DOUBLINGS_MAX), RETRY_MAX_S) * (0.5 + chance / 2)


def ask_from(terms: LiveTerms, last_ts: datetime) -> datetime:
    """Return from which opening on bars are asked for: those that are missing and the few before them."""
    return last_ts - max(ASKED_AGAIN * terms.length, ASKED_AGAIN_MIN) - terms.length


def live_hours(terms: LiveTerms) -> dict[str, Hours]:
    """Return the hours of the symbols whose bars are shorter than a session."""
    if terms.length > _SESSION_HOURS:
        return {}
    return {symbol: Hours(terms.length, calendar_of(symbol).name) for symbol in terms.symbols}


def take(
    known: Mapping[tuple[str, datetime], Bar],
    answer: Sequence[RawBar],
    *,
    terms: LiveTerms,
    begun_at: datetime,
    last_ts: datetime,
    at: datetime,
) -> Intake:
    """Return what is new in an answer, which may hold bars twice, in any order, unfinished and older ones.

    Args:
        known: the bars recorded of late, by symbol and close.
        answer: what the source told.
        terms: of the feed.
        begun_at: bars that closed until then are none of the feed's.
        last_ts: close of the last step.
        at: now.
    """
    fresh: dict[datetime, dict[str, Bar]] = {}
    newest: dict[str, datetime] = {}
    remarks: dict[tuple[str, datetime, str], Remark] = {}
    for raw in answer:
        closed_at = close_of(raw.symbol, raw.opened_at, terms)
        if raw.symbol not in terms.symbols or closed_at is None or closed_at + terms.settle > at:
            continue
        newest[raw.symbol] = max(newest.get(raw.symbol, closed_at), closed_at)
        found = _read(raw, closed_at)
        before = known.get((raw.symbol, closed_at))
        if before is None and closed_at <= begun_at:
            continue
        remark = _remark(raw.symbol, closed_at, found, before, is_passed=closed_at <= last_ts)
        if remark is not None:
            remarks[remark.symbol, remark.closed_at, remark.kind] = remark
        elif before is None and isinstance(found, Bar):
            fresh.setdefault(closed_at, {})[raw.symbol] = found
    steps = []
    for closed_at in sorted(fresh):
        if not _is_complete(closed_at, fresh[closed_at], newest, terms=terms, at=at):
            break
        steps.append((closed_at, tuple(sorted(fresh[closed_at].items()))))
    return Intake(tuple(steps), tuple(remarks[key] for key in sorted(remarks)))


def _remark(
    symbol: str, closed_at: datetime, found: Bar | AlphintraError, before: Bar | None, *, is_passed: bool
) -> Remark | None:
    """Return what is to be said of a bar that is not published; None for one that is, or that is known as it is."""
    if isinstance(found, AlphintraError):
        return Remark(symbol=symbol, closed_at=closed_at, kind=INVALID, bar=None, detail=found.detail)
    if before is not None:
        if found == before:
            return None
        detail = (
            f"came with close {found.close:f} and volume {found.volume:f} after {before.close:f}, {before.volume:f}"
        )
        return Remark(symbol=symbol, closed_at=closed_at, kind=CORRECTED, bar=found, detail=detail)
    if is_passed:
        detail = "came when later bars were published"
        return Remark(symbol=symbol, closed_at=closed_at, kind=LATE, bar=found, detail=detail)
    return None


def _is_complete(
    closed_at: datetime,
    found: Mapping[str, Bar],
    newest: Mapping[str, datetime],
    *,
    terms: LiveTerms,
    at: datetime,
) -> bool:
    """Tell whether nothing more is to come for a time: a symbol without trades has no bar at most sources."""
    if at - closed_at >= PATIENCE + terms.settle:
        return True
    return all(
        symbol in found
        or newest.get(symbol, closed_at) > closed_at
        or next_close(symbol, closed_at - _TICK, terms) != closed_at
        for symbol in terms.symbols
    )


def _read(raw: RawBar, closed_at: datetime) -> Bar | AlphintraError:
    try:
        return Bar(closed_at, *(value.quantize(_QUANTUM) if value.is_finite() else value for value in raw.values))
    except AlphintraError as error:
        return error
    except (ArithmeticError, TypeError):
        return AlphintraError("BAR_INVALID", f"bar of {closed_at.isoformat()}: its amounts cannot be read")


def _is_traded(symbol: str, opened_at: datetime, closed_at: datetime, terms: LiveTerms) -> bool:
    session = calendar_of(symbol).session_at(opened_at, extended_hours=terms.is_extended)
    opening, closing = session.bounds(extended_hours=terms.is_extended)
    return opening < closed_at and opened_at < closing


def _grid(moment: datetime, length: timedelta) -> datetime:
    """Return the last mark of the interval at or before a moment, counted from midnight UTC."""
    midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // length * length
