"""Kernels over a window of the last values; an unknown value is passed over and takes no place in the window."""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel, part
from alphintra.engine.kernels.parts import blank, deviation_pass, max_pass, min_pass, sma_pass, sum_pass, weighted_pass

__all__ = [
    "bollinger",
    "linreg",
    "median",
    "percentile",
    "rolling_max",
    "rolling_min",
    "rolling_rank",
    "rolling_sum",
    "scale",
    "shift",
    "sma",
    "stddev",
    "variance",
    "wma",
    "zscore",
]

NAN = math.nan
UNITS = 1e6


@kernel
def sma(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Simple moving average over p[0] values (TA-Lib SMA), summed in millionths: equal averages of prices are equal.

    State: 3 + p[0].
    """
    sma_pass(int(p[0]), s, x, out)


@kernel
def shift(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """The value p[0] closes ago. State: values seen, next place in the ring, ring of p[0] values."""
    bars = int(p[0])
    seen, place = int(s[0]), int(s[1])
    ring = s[2:]
    for i in range(x.size):
        if not math.isfinite(x[i]):
            out[i] = NAN
            continue
        out[i] = ring[place] if seen == bars else NAN
        ring[place] = x[i]
        place = place + 1 if place + 1 < bars else 0
        if seen < bars:
            seen += 1
    s[0], s[1] = seen, place


@kernel
def rolling_sum(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Sum of the last p[0] values (TA-Lib SUM). State: 3 + p[0]."""
    sum_pass(int(p[0]), s, x, out)


@kernel
def rolling_max(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Greatest of the last p[0] values (TA-Lib MAX). State: 3 + p[0]."""
    max_pass(int(p[0]), s, x, out)


@kernel
def rolling_min(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Least of the last p[0] values (TA-Lib MIN). State: 3 + p[0]."""
    min_pass(int(p[0]), s, x, out)


@kernel
def wma(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Mean with weights 1 (oldest) to p[0] (newest): TA-Lib WMA. State: 4 + 2 p[0]."""
    period = int(p[0])
    weighted_pass(period, s, x, blank(x), out)
    scale = UNITS * (period * (period + 1) // 2)
    for i in range(x.size):
        out[i] /= scale


@kernel
def variance(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Mean squared distance from the mean of the last p[0] values, ddof 0 (TA-Lib VAR). State: 4 + 2 p[0]."""
    period = int(p[0])
    deviation_pass(period, s, x, blank(x), out)
    for i in range(x.size):
        out[i] /= period


@kernel
def stddev(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Standard deviation of the last p[0] values with p[1] degrees of freedom taken off: 0 is TA-Lib STDDEV.

    State: 4 + 2 p[0].
    """
    period, count = int(p[0]), max(int(p[0]) - int(p[1]), 1)
    deviation_pass(period, s, x, blank(x), out)
    for i in range(x.size):
        out[i] = math.sqrt(out[i] / count) if math.isfinite(out[i]) else NAN


@kernel
def bollinger(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, x: Vector, upper: Vector, mid: Vector, lower: Vector, percent_b: Vector, width: Vector
) -> None:
    """Bollinger bands: mean of p[0] values, p[1] population deviations up and p[2] down (TA-Lib BBANDS, ddof 0).

    percent_b is where x lies between lower (0) and upper (1), width the distance of the bands over mid; both unknown
    where they would divide by zero. State: 7 + 3 p[0].
    """
    period = int(p[0])
    sma_pass(period, s[: 3 + period], x, mid)
    deviation_pass(period, s[3 + period :], x, lower, upper)
    for i in range(x.size):
        if not math.isfinite(upper[i]):
            lower[i] = percent_b[i] = width[i] = NAN
            continue
        deviation = math.sqrt(upper[i] / period)
        upper[i] = mid[i] + p[1] * deviation
        lower[i] = mid[i] - p[2] * deviation
        span = upper[i] - lower[i]
        percent_b[i] = (x[i] - lower[i]) / span if span > 0.0 else NAN
        width[i] = span / mid[i] if mid[i] != 0.0 else NAN


@kernel
def zscore(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Distance from the mean of the last p[0] values in population deviations; unknown where they are all equal.

    State: 4 + 2 p[0].
    """
    period = int(p[0])
    means = blank(x)
    deviation_pass(period, s, x, means, out)
    for i in range(x.size):
        deviation = math.sqrt(out[i] / period) if math.isfinite(out[i]) else 0.0
        out[i] = (x[i] - means[i]) / deviation if deviation > 0.0 else NAN


@kernel
def scale(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Where the value lies between the least (0) and the greatest (1) of the last p[0]; 0.5 where all are equal.

    State: 6 + 2 p[0].
    """
    period = int(p[0])
    low = blank(x)
    min_pass(period, s[: 3 + period], x, low)
    max_pass(period, s[3 + period :], x, out)
    for i in range(x.size):
        span = out[i] - low[i]
        if math.isfinite(span):
            out[i] = (x[i] - low[i]) / span if span > 0.0 else 0.5


@kernel
def rolling_rank(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Share of the p[0] values before it that lie below the value, in percent; a tie counts half.

    State: values seen, next place in the ring, ring of p[0] values.
    """
    period = int(p[0])
    seen, place = int(s[0]), int(s[1])
    ring = s[2:]
    for i in range(x.size):
        value = x[i]
        if not math.isfinite(value):
            out[i] = NAN
            continue
        if seen == period:
            below = 0.0
            for k in range(period):
                if ring[k] < value:
                    below += 1.0
                elif ring[k] == value:
                    below += 0.5
            out[i] = 100.0 * below / period
        else:
            seen += 1
            out[i] = NAN
        ring[place] = value
        place = place + 1 if place + 1 < period else 0
    s[0], s[1] = seen, place


@part
def _enter(period: int, seen: int, place: int, ring: Vector, ordered: Vector, value: float) -> tuple[int, int]:
    """Put a value in order, in the place of the oldest once the window is full; return how many and where next."""
    at = seen
    if seen == period:
        at = 0
        while ordered[at] != ring[place]:
            at += 1
        while at + 1 < period and ordered[at + 1] < value:
            ordered[at] = ordered[at + 1]
            at += 1
    else:
        seen += 1
    while at > 0 and ordered[at - 1] > value:
        ordered[at] = ordered[at - 1]
        at -= 1
    ordered[at] = value
    ring[place] = value
    return seen, place + 1 if place + 1 < period else 0


@kernel
def median(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Median of the last p[0] values. State: 2 + 2 p[0] (as `percentile`)."""
    period = int(p[0])
    upper, lower = period // 2, (period - 1) // 2
    seen, place = int(s[0]), int(s[1])
    ring, ordered = s[2 : 2 + period], s[2 + period :]
    for i in range(x.size):
        if not math.isfinite(x[i]):
            out[i] = NAN
            continue
        seen, place = _enter(period, seen, place, ring, ordered, x[i])
        out[i] = (ordered[lower] + ordered[upper]) / 2.0 if seen == period else NAN
    s[0], s[1] = seen, place


@kernel
def percentile(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Value below which p[1] percent of the last p[0] values lie, linear between neighbours (numpy's default).

    State: values seen, next place in the ring, ring, the same values in order.
    """
    period = int(p[0])
    where = p[1] / 100.0 * (period - 1)
    lower = int(where)
    upper = min(lower + 1, period - 1)
    share = where - lower
    seen, place = int(s[0]), int(s[1])
    ring, ordered = s[2 : 2 + period], s[2 + period :]
    for i in range(x.size):
        if not math.isfinite(x[i]):
            out[i] = NAN
            continue
        seen, place = _enter(period, seen, place, ring, ordered, x[i])
        out[i] = ordered[lower] + (ordered[upper] - ordered[lower]) * share if seen == period else NAN
    s[0], s[1] = seen, place


@kernel
def linreg(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, x: Vector, value: Vector, slope: Vector, intercept: Vector, forecast: Vector
) -> None:
    """Least-squares line through the last p[0] values: TA-Lib LINEARREG, _SLOPE, _INTERCEPT and TSF.

    value is the line at this bar, forecast one bar on, intercept at the oldest bar, slope per bar. State: 4 + 2 p[0].
    """
    period = int(p[0])
    weighted_pass(period, s, x, value, slope)
    for i in range(x.size):
        total, heavy = value[i], slope[i]
        rise = 6.0 * (2.0 * heavy - (period + 1) * total) / (period * (period * period - 1.0)) / UNITS
        base = total / UNITS / period - rise * (period - 1) / 2.0
        slope[i] = rise
        intercept[i] = base
        value[i] = base + rise * (period - 1)
        forecast[i] = base + rise * period
