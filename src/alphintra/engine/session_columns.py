"""Where each close lies in its trading session, as columns of float64 for whole series at once.

Computed from close times and the calendar alone, never from other bars: one bar live gives what all bars give in a
backtest, and nothing depends on where the data begins.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.sessions import OPEN
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from alphintra.engine.sessions import Calendar

__all__ = ["SESSION_COLUMNS", "session_columns"]

SESSION_COLUMNS: Final = (
    "session",
    "week",
    "month",
    "weekday",
    "minute_of_day",
    "since_open",
    "to_close",
    "is_last",
)
"""What is known of each close. All rise with time but the last five:

``session``: the date of its trading day, in days since 1970; ``week``: weeks since 1970, starting on Mondays;
``month``: months since 1970; ``weekday``: 0 for Monday; ``minute_of_day``: minutes since midnight on the exchange's
clock (UTC for pairs), 570 at an opening of New York; ``since_open``: minutes since the regular opening, negative
before it; ``to_close``: minutes to the regular closing, of that day also where it is a half day, negative after it;
``is_last``: 1 from the closing on, where it is certain that the session is over.
"""

_MINUTE_NS: Final = 60_000_000_000
_DAY_NS: Final = 1440 * _MINUTE_NS
_OPEN_MINUTE: Final = OPEN.hour * 60 + OPEN.minute
_MONDAY: Final = 3  # 1 January 1970 was a Thursday


def session_columns(ts: NDArray[np.int64], calendar: Calendar) -> dict[str, NDArray[np.float64]]:
    """Return the columns of SESSION_COLUMNS for close times in nanoseconds since 1970 UTC.

    A bar belongs to the day that its last moment lies in, so that what closes at midnight belongs to the day before;
    one on a day without trading belongs to the session before it. Raises CALENDAR_RANGE.
    """
    if not ts.size:
        return {name: np.empty(0) for name in SESSION_COLUMNS}
    if calendar.is_always_open:
        day = (ts - 1) // _DAY_NS
        opened = day * _DAY_NS
        closed, open_minute = opened + _DAY_NS, 0
    else:
        day, opened, closed = _exchange(ts, calendar)
        open_minute = _OPEN_MINUTE
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    since_open = (ts - opened) / _MINUTE_NS
    weekday = (day + _MONDAY) % 7
    columns = {
        "session": day,
        "week": (day + _MONDAY) // 7,
        "month": month,
        "weekday": weekday,
        # No clock is ever changed between the midnight before a session and the one after it.
        "minute_of_day": since_open + open_minute,
        "since_open": since_open,
        "to_close": (closed - ts) / _MINUTE_NS,
        "is_last": ts >= closed,
    }
    return {name: column.astype(np.float64) for name, column in columns.items()}


def _exchange(ts: NDArray[np.int64], calendar: Calendar) -> tuple[NDArray[np.int64], ...]:
    """Return day, opening and closing of the session each close belongs to."""
    first, last = (
        int(year) + 1970 for year in ts[[0, -1]].astype("datetime64[ns]").astype("datetime64[Y]").astype(int)
    )
    known = range(calendar.first_day.year, calendar.last_day.year + 1)
    if first not in known or last not in known:
        message = (
            f"a bar of {first} or {last} is beyond the calendar {calendar.name}: it knows {known[0]} to {known[-1]}"
        )
        raise AlphintraError("CALENDAR_RANGE", message)
    start, *table = _joined(_year(calendar, year) for year in range(max(first - 1, known[0]), last + 1))
    place = np.searchsorted(start, ts, side="left") - 1
    if place[0] < 0:
        raise AlphintraError("CALENDAR_RANGE", f"a bar is older than the first session of the calendar {calendar.name}")
    return tuple(column[place] for column in table)


def _joined(years: Iterable[tuple[NDArray[np.int64], ...]]) -> tuple[NDArray[np.int64], ...]:
    return tuple(np.concatenate(columns) for columns in zip(*years, strict=True))


@lru_cache(maxsize=256)
def _year(calendar: Calendar, year: int) -> tuple[NDArray[np.int64], ...]:
    """Return midnight before, day, opening and closing of the sessions of a year."""
    sessions = calendar.sessions(
        calendar.first_day.replace(year=year, month=1, day=1), calendar.first_day.replace(year=year, month=12, day=31)
    )
    opened = np.array([_ns(session.open.timestamp()) for session in sessions], dtype=np.int64)
    closed = np.array([_ns(session.close.timestamp()) for session in sessions], dtype=np.int64)
    day = np.array([session.day for session in sessions], dtype="datetime64[D]").astype(np.int64)
    return opened - _OPEN_MINUTE * _MINUTE_NS, day, opened, closed


def _ns(seconds: float) -> int:
    return int(seconds) * 1_000_000_000
