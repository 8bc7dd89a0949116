"""Trading calendars: when the market of a symbol is open, and which trading day a moment belongs to.

Equities keep the hours of the New York Stock Exchange. Pairs such as BTC/USD always trade; their day is the UTC day.
The days are a table (`engine.session_days`) written from the library ``exchange_calendars`` and compared with it by the
tests: the library itself needs pandas, which would take a second and 90 MB in each process that decides on orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from alphintra.engine.session_days import XNYS
from alphintra.kernel.clock import require_utc
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Calendar", "Session", "calendar_named", "calendar_of"]

NEW_YORK: Final = ZoneInfo("America/New_York")
OPEN: Final = time(9, 30)
CLOSE: Final = time(16, 0)
EXTENDED_OPEN: Final = time(4, 0)
EXTENDED_AFTER_CLOSE: Final = timedelta(hours=4)
SESSIONS_MAX: Final = 40_000
_SATURDAY: Final = 5
_MINUTES_OF_DAY: Final = 1440
_MINUTES_OF_SESSION: Final = (CLOSE.hour - OPEN.hour) * 60 + CLOSE.minute - OPEN.minute
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One trading day, all times UTC; the market is open from an opening until just before its closing.

    Attributes:
        day: the date it is called by, at the exchange.
        open: opening of the regular session.
        close: closing of the regular session, earlier on half days.
        extended_open: opening of the session before it.
        extended_close: closing of the session after it.
    """

    day: date
    open: datetime
    close: datetime
    extended_open: datetime
    extended_close: datetime

    def bounds(self, *, extended_hours: bool) -> tuple[datetime, datetime]:
        """Return opening and closing, of the regular session or with those before and after it."""
        return (self.extended_open, self.extended_close) if extended_hours else (self.open, self.close)


class Calendar:
    """The trading days of one market.

    Every method that is given a moment wants aware UTC (else TIME_NO_ZONE), and raises CALENDAR_RANGE beyond
    ``first_day`` and ``last_day``.

    Attributes:
        name: ISO 10383 code of the market, or 24/7.
        is_always_open: whether it has neither holidays nor hours; each UTC day then is a session.
    """

    def __init__(self, name: str, days: Mapping[date, time | None] | None, *, first_day: date, last_day: date) -> None:
        self.name = name
        self.is_always_open = days is None
        self.first_day = first_day
        self.last_day = last_day
        self._days = days or {}

    @property
    def holidays(self) -> tuple[date, ...]:
        """Weekdays without trading, in order; none where it always trades."""
        return tuple(sorted(day for day, close in self._days.items() if close is None))

    @property
    def session_minutes(self) -> int:
        """Minutes of a regular session."""
        return _MINUTES_OF_DAY if self.is_always_open else _MINUTES_OF_SESSION

    def session_on(self, day: date) -> Session | None:
        """Return the session of that date, None on a day without trading. Raises CALENDAR_RANGE."""
        if not self.first_day <= day <= self.last_day:
            message = f"{day} is beyond the calendar {self.name}, which knows {self.first_day} to {self.last_day}"
            raise AlphintraError("CALENDAR_RANGE", message)
        if self.is_always_open:
            return _utc_day(day)
        if day.weekday() >= _SATURDAY:
            return None
        close = self._days.get(day, CLOSE)
        return None if close is None else _exchange_day(day, close)

    def sessions(self, first: date, last: date) -> tuple[Session, ...]:
        """Return the sessions of the dates from ``first`` to ``last``, both included. Raises CALENDAR_RANGE."""
        if last < first:
            return ()
        if (last - first).days > SESSIONS_MAX:
            raise AlphintraError("CALENDAR_RANGE", f"ask for at most {SESSIONS_MAX} days at once")
        days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
        return tuple(session for session in map(self.session_on, days) if session is not None)

    def is_open(self, at: datetime, *, extended_hours: bool = False) -> bool:
        """Tell whether the regular session, or with ``extended_hours`` one of the three, is open at the moment."""
        opening, closing = self.session_at(at, extended_hours=extended_hours).bounds(extended_hours=extended_hours)
        return opening <= at < closing

    def session_at(self, at: datetime, *, extended_hours: bool = False) -> Session:
        """Return the session the moment falls into, or the next one where it falls between two."""
        day = self._local_day(at)
        while True:
            session = self.session_on(day)
            if session is not None and at < session.bounds(extended_hours=extended_hours)[1]:
                return session
            day += _DAY

    def trading_day(self, at: datetime, *, extended_hours: bool = False) -> date:
        """Return the date of `session_at`: after a closing that is the next session's."""
        return self.session_at(at, extended_hours=extended_hours).day

    def next_open(self, at: datetime) -> datetime:
        """Return the first opening of a regular session after the moment; of the next day where it never closes."""
        session = self.session_at(at)
        return session.open if session.open > at else self.session_at(session.close).open

    def next_close(self, at: datetime) -> datetime:
        """Return the first closing of a regular session after the moment."""
        return self.session_at(at).close

    def _local_day(self, at: datetime) -> date:
        require_utc(at)
        return at.date() if self.is_always_open else at.astimezone(NEW_YORK).date()


def calendar_of(symbol: str) -> Calendar:
    """Return the calendar a symbol trades by: a pair with a slash, e.g. BTC/USD, always; others as New York does."""
    return _always() if "/" in symbol else _new_york()


def calendar_named(name: str) -> Calendar:
    """Return the calendar of that name: XNYS or 24/7. Raises CALENDAR_UNKNOWN."""
    for calendar in (_new_york(), _always()):
        if calendar.name == name:
            return calendar
    raise AlphintraError("CALENDAR_UNKNOWN", f"there is no calendar {name[:20]!r}: write XNYS or 24/7")


@cache
def _always() -> Calendar:
    return Calendar("24/7", None, first_day=date(1970, 1, 1), last_day=date(9999, 12, 30))


@cache
def _new_york() -> Calendar:
    days: dict[date, time | None] = {}
    years = [line.split() for line in XNYS.splitlines()]
    for year, *entries in years:
        for entry in entries:
            day, _, close = entry.partition("-")
            days[_date(year + day)] = time(int(close[:2]), int(close[2:])) if close else None
    return Calendar("XNYS", days, first_day=_date(f"{years[0][0]}0101"), last_day=_date(f"{years[-1][0]}1231"))


def _date(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


@lru_cache(maxsize=1024)
def _exchange_day(day: date, close: time) -> Session:
    closing = datetime.combine(day, close, NEW_YORK).astimezone(UTC)
    return Session(
        day=day,
        open=datetime.combine(day, OPEN, NEW_YORK).astimezone(UTC),
        close=closing,
        extended_open=datetime.combine(day, EXTENDED_OPEN, NEW_YORK).astimezone(UTC),
        extended_close=closing + EXTENDED_AFTER_CLOSE,
    )


def _utc_day(day: date) -> Session:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    end = start + _DAY
    return Session(day=day, open=start, close=end, extended_open=start, extended_close=end)
