"""Daily returns: taken over the days of a calendar, so that they mean the same whatever bars a run had."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.sessions import calendar_named

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alphintra.engine.metrics.series import Curve

__all__ = ["DailyCloses", "calendar_for", "daily_closes", "dates_of", "periods_per_year", "returns_of"]

ALWAYS: Final = "24/7"
_DAY_NS: Final = 86_400 * 10**9
# New York is four or five hours behind UTC and its last session ends at 20:00 there: five hours back, every moment from
# before the early session to after the late one has the date it is called by.
_EXCHANGE_SHIFT_NS: Final = 5 * 3600 * 10**9
_SESSIONS_PER_YEAR: Final = 252
_DAYS_PER_YEAR: Final = 365
_EPOCH_WEEKDAY: Final = 3  # the first day of 1970 was a Thursday
_SATURDAY: Final = 5


class DailyCloses:
    """Days as numbers since 1970 and a value at the close of each."""

    __slots__ = ("days", "values")

    def __init__(self, days: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        self.days = days
        self.values = values


def periods_per_year(calendar: str) -> int:
    """Return by how many days a year figures are annualised: 252 sessions, or 365 days where it always trades."""
    return _DAYS_PER_YEAR if calendar == ALWAYS else _SESSIONS_PER_YEAR


def calendar_for(symbol_calendar: str, closes: NDArray[np.int64]) -> str:
    """Return the calendar of a run: the symbol's own, but 24/7 if bars close on days on which every exchange rests."""
    if symbol_calendar == ALWAYS or closes.size == 0:
        return symbol_calendar
    days, upto = _by_day(closes, symbol_calendar)
    weekend = (days + _EPOCH_WEEKDAY) % 7 >= _SATURDAY
    return ALWAYS if bool((np.diff(upto, prepend=0)[weekend] > 0).any()) else symbol_calendar


def daily_closes(closes: NDArray[np.int64], values: NDArray[np.float64], calendar: str) -> DailyCloses:
    """Return the last value of each day of the calendar; a day without a bar keeps the value of the day before.

    A day is in New York's reckoning for XNYS and in UTC for 24/7. A bar that closed at midnight belongs to the day it
    ended. Where bars lie on days the calendar does not have, those days are taken in.
    """
    if closes.size == 0:
        return DailyCloses(np.zeros(0, dtype=np.int64), np.zeros(0))
    days, upto = _by_day(closes, calendar)
    if calendar != ALWAYS:
        is_session = np.is_busday(days.astype("datetime64[D]"), busdaycal=_exchange_days(calendar))
        kept = is_session | (np.diff(upto, prepend=0) > 0)
        days, upto = days[kept], upto[kept]
    return DailyCloses(days, values[upto - 1])


def returns_of(curve: Curve, values: NDArray[np.float64], *, initial: float | None = None) -> NDArray[np.float64]:
    """Return r_d = V_d / V_(d-1) - 1 over the calendar's days; empty if a value ever was zero or less before the last.

    Args:
        curve: gives times and calendar.
        values: one per bar of the curve.
        initial: value before the first bar, from which the first day's return is taken if that day has several bars.
    """
    daily = daily_closes(curve.closes, values, curve.calendar).values
    if initial is not None and daily.size and _has_course(curve):
        daily = np.concatenate(([initial], daily))
    if daily.size == 0 or (daily[:-1] <= 0).any():
        return np.zeros(0)
    returned: NDArray[np.float64] = daily[1:] / daily[:-1] - 1
    return returned


def _has_course(curve: Curve) -> bool:
    """Tell whether the first day has more than one bar: before the close of the first nothing can have been earned."""
    first = dates_of(curve.closes[:2], curve.calendar)
    return bool(first.size > 1 and first[0] == first[1])


def _by_day(closes: NDArray[np.int64], calendar: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return every date from the first close to the last, and how many closes came up to the end of each."""
    first, last = (int(day) for day in dates_of(closes[[0, -1]], calendar))
    days = np.arange(first, last + 1, dtype=np.int64)
    return days, np.searchsorted(closes, (days + 1) * _DAY_NS + _shift(calendar), side="right")


def dates_of(moments: NDArray[np.int64], calendar: str) -> NDArray[np.int64]:
    """Return the day each moment belongs to, as a number since 1970; a moment at midnight belongs to the day before."""
    found: NDArray[np.int64] = (moments - _shift(calendar) - 1) // _DAY_NS
    return found


def _shift(calendar: str) -> int:
    return 0 if calendar == ALWAYS else _EXCHANGE_SHIFT_NS


@cache
def _exchange_days(calendar: str) -> np.busdaycalendar:
    days = np.array(calendar_named(calendar).holidays, dtype="datetime64[D]")
    return np.busdaycalendar(holidays=days)
