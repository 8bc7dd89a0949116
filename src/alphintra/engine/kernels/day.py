"""The trading day: windows of time, opening ranges, and what the session before left behind.

Times are those of the exchange's calendar (``engine.session_columns``), never of the machine.
"""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel
from alphintra.engine.kernels.parts import is_bar

__all__ = ["day_filter", "opening_range", "session_levels", "time_window", "vwap"]

NAN = math.nan


@kernel
def time_window(p: Vector, s: Vector, minute: Vector, out: Vector) -> None:
    """Whether a close lies after minute p[0] of the day and not after p[1]; over midnight where p[1] is the lesser.

    Keeps nothing.
    """
    for i in range(minute.size):
        if math.isnan(minute[i]):
            out[i] = NAN
            continue
        after, before = minute[i] > p[0], minute[i] <= p[1]
        out[i] = 1.0 if (after and before if p[0] < p[1] else after or before) else 0.0


@kernel
def day_filter(p: Vector, s: Vector, weekday: Vector, out: Vector) -> None:
    """Whether the close lies on one of the chosen days: p has a 1 or 0 for each from Monday on. Keeps nothing."""
    for i in range(weekday.size):
        out[i] = NAN if math.isnan(weekday[i]) else p[int(weekday[i])]


@kernel
def opening_range(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector,
    s: Vector,
    session: Vector,
    since_open: Vector,
    high: Vector,
    low: Vector,
    close: Vector,
    top: Vector,
    bottom: Vector,
    ready: Vector,
) -> None:
    """Highest high and lowest low of the bars that closed within p[0] minutes of the opening.

    Known from the first close at which those minutes are over (ready); a session whose first minutes hold no bar has
    none. State: whether there was a bar, its session, whether the range holds a bar, high, low.
    """
    seen, day, held, upper, lower = s[0], s[1], s[2], s[3], s[4]
    for i in range(close.size):
        top[i] = bottom[i] = ready[i] = NAN
        if not is_bar(high[i], low[i], close[i]) or math.isnan(session[i]) or math.isnan(since_open[i]):
            continue
        if seen == 0.0 or session[i] != day:
            seen, day, held = 1.0, session[i], 0.0
        if 0.0 < since_open[i] <= p[0]:
            upper = high[i] if held == 0.0 or high[i] > upper else upper
            lower = low[i] if held == 0.0 or low[i] < lower else lower
            held = 1.0
        is_over = since_open[i] >= p[0] and held > 0.0
        ready[i] = 1.0 if is_over else 0.0
        if is_over:
            top[i], bottom[i] = upper, lower
    s[0], s[1], s[2], s[3], s[4] = seen, day, held, upper, lower


@kernel
def session_levels(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector,
    s: Vector,
    session: Vector,
    week: Vector,
    opening: Vector,
    high: Vector,
    low: Vector,
    close: Vector,
    now_open: Vector,
    now_high: Vector,
    now_low: Vector,
    past_high: Vector,
    past_low: Vector,
    past_close: Vector,
) -> None:
    """Open, high and low so far of this session (p[0] = 0) or week (1), and high, low and close of the one before.

    The first one is left out, because the data may begin in its middle. State: how many have begun (at most 3), which,
    open, high, low and close of this one, high, low and close of the one before.
    """
    begun, when, first, top, bottom, last = s[0], s[1], s[2], s[3], s[4], s[5]
    was_top, was_bottom, was_last = s[6], s[7], s[8]
    for i in range(close.size):
        now_open[i] = now_high[i] = now_low[i] = past_high[i] = past_low[i] = past_close[i] = NAN
        now = session[i] if p[0] == 0.0 else week[i]
        if math.isnan(now) or not is_bar(high[i], low[i], close[i]) or math.isnan(opening[i]):
            continue
        if begun == 0.0 or now != when:
            was_top, was_bottom, was_last = top, bottom, last
            begun = begun + 1.0 if begun < 3.0 else 3.0
            when, first, top, bottom = now, opening[i], high[i], low[i]
        top = high[i] if high[i] > top else top
        bottom = low[i] if low[i] < bottom else bottom
        last = close[i]
        if begun >= 2.0:
            now_open[i], now_high[i], now_low[i] = first, top, bottom
        if begun >= 3.0:
            past_high[i], past_low[i], past_close[i] = was_top, was_bottom, was_last
    s[0], s[1], s[2], s[3], s[4], s[5] = begun, when, first, top, bottom, last
    s[6], s[7], s[8] = was_top, was_bottom, was_last


@kernel
def vwap(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector,
    s: Vector,
    session: Vector,
    week: Vector,
    high: Vector,
    low: Vector,
    close: Vector,
    volume: Vector,
    out: Vector,
    deviation: Vector,
) -> None:
    """Volume-weighted mean of the typical price since this session (p[0] = 0) or week (1) began.

    deviation is the volume-weighted standard deviation (West 1979). Unknown until something was traded.
    State: whether there was a bar, its session or week, volume, mean, squares.
    """
    seen, since, traded, mean, squares = s[0], s[1], s[2], s[3], s[4]
    for i in range(close.size):
        now = session[i] if p[0] == 0.0 else week[i]
        out[i] = deviation[i] = NAN
        if math.isnan(now) or not is_bar(high[i], low[i], close[i]) or not math.isfinite(volume[i]):
            continue
        if seen == 0.0 or now != since:
            seen, since, traded, mean, squares = 1.0, now, 0.0, 0.0, 0.0
        if volume[i] > 0.0:
            typical = (high[i] + low[i] + close[i]) / 3.0
            traded += volume[i]
            step = typical - mean
            mean += step * volume[i] / traded
            squares += volume[i] * step * (typical - mean)
        if traded > 0.0:
            out[i], deviation[i] = mean, math.sqrt(squares / traded) if squares > 0.0 else 0.0
    s[0], s[1], s[2], s[3], s[4] = seen, since, traded, mean, squares
