"""Kernels between timeframes: bars of a longer one, known on the closes of the base, and the way back."""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel, part

__all__ = ["hold", "longer_bars", "pulse"]

NAN = math.nan
DAY = 1440.0
AFTER_HOURS = 10_000.0  # more intervals than a session has
START, DROPPED, WAITING, OPEN = 0, 1, 2, 3


@part
def _interval(minutes: float, since_open: float, to_close: float) -> tuple[float, bool]:
    """Return which interval of its session a close lies in, and whether that ends with it; NaN for none.

    Intervals start at the opening and end with the session at the latest; those after hours start at its close. A day
    is the regular session alone.
    """
    if minutes >= DAY:
        return (NAN, False) if since_open <= 0 or to_close < 0 else (0.0, to_close <= 0)
    if to_close < 0:
        place = math.ceil(-to_close / minutes)
        return AFTER_HOURS + place, -to_close >= place * minutes
    place = math.ceil(since_open / minutes)
    return float(place), since_open >= place * minutes or to_close <= 0


@kernel
def longer_bars(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector,
    s: Vector,
    opened: Vector,
    high: Vector,
    low: Vector,
    close: Vector,
    volume: Vector,
    session: Vector,
    since_open: Vector,
    to_close: Vector,
    out_open: Vector,
    out_high: Vector,
    out_low: Vector,
    out_close: Vector,
    out_volume: Vector,
) -> None:
    """Bars of p[0] minutes, each at the close where it is certain that it is over; unknown at all others.

    That is the base bar that ends it, or, where that one is missing, the next base bar there is. The interval the data
    begins in is left out: whether it is whole is unknown.
    State: phase, session, interval, open, high, low, close, volume.
    """
    phase, day, place = int(s[0]), s[1], s[2]
    first, top, bottom, last, traded = s[3], s[4], s[5], s[6], s[7]
    for i in range(close.size):
        out_open[i], out_high[i], out_low[i], out_close[i], out_volume[i] = NAN, NAN, NAN, NAN, NAN
        interval, is_over = _interval(p[0], since_open[i], to_close[i])
        is_told = False
        if session[i] == day and interval == place and phase in (DROPPED, OPEN):
            top = max(top, high[i])
            bottom = min(bottom, low[i])
            last, traded = close[i], traded + volume[i]
        else:
            if phase == OPEN:
                out_open[i], out_high[i], out_low[i], out_close[i], out_volume[i] = first, top, bottom, last, traded
                is_told = True
            if math.isnan(interval):
                phase = START if phase == START else WAITING
            else:
                phase = DROPPED if phase == START else OPEN
            day, place = session[i], interval
            first, top, bottom, last, traded = opened[i], high[i], low[i], close[i], volume[i]
        if is_over and phase == DROPPED:
            phase = WAITING
        elif is_over and phase == OPEN and not is_told:
            out_open[i], out_high[i], out_low[i], out_close[i], out_volume[i] = first, top, bottom, last, traded
            phase = WAITING
    s[0], s[1], s[2] = phase, day, place
    s[3], s[4], s[5], s[6], s[7] = first, top, bottom, last, traded


@kernel
def hold(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """The last known value. State: whether there was one, the value."""
    is_known, last = s[0], s[1]
    for i in range(x.size):
        if not math.isnan(x[i]):
            is_known, last = 1.0, x[i]
        out[i] = last if is_known > 0 else NAN
    s[0], s[1] = is_known, last


@kernel
def pulse(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """The event at the close where it became known, and none until the next is. State: whether there was a value."""
    is_known = s[0]
    for i in range(x.size):
        if math.isnan(x[i]):
            out[i] = 0.0 if is_known > 0 else NAN
        else:
            is_known, out[i] = 1.0, x[i]
    s[0] = is_known
