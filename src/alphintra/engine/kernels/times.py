"""Kernels of the time of day; what is known of each close is given by ``engine.session_columns``."""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel

__all__ = ["clock"]

NAN = math.nan


@kernel
def clock(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector,
    s: Vector,
    session: Vector,
    week: Vector,
    month: Vector,
    weekday: Vector,
    since_open: Vector,
    to_close: Vector,
    out_since: Vector,
    out_to: Vector,
    out_weekday: Vector,
    new_day: Vector,
    new_week: Vector,
    new_month: Vector,
) -> None:
    """Session times, and events at the first close of a new day, week and month.

    Whether the very first bar is the first of its day is unknown: that would depend on where the data begins.
    State: 1 once a bar was seen, its session, week and month.
    """
    is_known, day_before, week_before, month_before = s[0], s[1], s[2], s[3]
    for i in range(session.size):
        out_since[i], out_to[i], out_weekday[i] = since_open[i], to_close[i], weekday[i]
        if math.isnan(session[i]) or is_known == 0:
            new_day[i], new_week[i], new_month[i] = NAN, NAN, NAN
        else:
            new_day[i] = 1.0 if session[i] > day_before else 0.0
            new_week[i] = 1.0 if week[i] > week_before else 0.0
            new_month[i] = 1.0 if month[i] > month_before else 0.0
        if not math.isnan(session[i]):
            is_known, day_before, week_before, month_before = 1.0, session[i], week[i], month[i]
    s[0], s[1], s[2], s[3] = is_known, day_before, week_before, month_before
