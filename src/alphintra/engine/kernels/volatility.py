"""Volatility: how wide a series swings."""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel, part
from alphintra.engine.kernels.parts import (
    blank,
    deviation_pass,
    ema_pass,
    is_bar,
    larger,
    max_pass,
    min_pass,
    sma_pass,
    sum_pass,
    true_range_pass,
    wilder_pass,
)

__all__ = [
    "atr",
    "average_range",
    "chaikin_volatility",
    "chandelier",
    "choppiness",
    "donchian",
    "garman_klass",
    "historical_volatility",
    "keltner",
    "mass_index",
    "natr",
    "parkinson",
    "relative_volatility",
    "rogers_satchell",
    "true_range",
    "ulcer",
    "yang_zhang",
]

NAN = math.nan


@kernel
def true_range(p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, out: Vector) -> None:
    """Wilder's true range (TA-Lib TRANGE), unknown at the first bar. State: 2."""
    true_range_pass(s, high, low, close, out)


@kernel
def atr(p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, out: Vector) -> None:
    """Wilder's average true range over p[0] (TA-Lib ATR). State: 4."""
    true_range_pass(s[:2], high, low, close, out)
    wilder_pass(int(p[0]), s[2:], out, out)


@kernel
def natr(p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, out: Vector) -> None:
    """Average true range over p[0] in percent of the close (TA-Lib NATR), 0 at a close of zero. State: 4."""
    true_range_pass(s[:2], high, low, close, out)
    wilder_pass(int(p[0]), s[2:], out, out)
    for i in range(close.size):
        if math.isfinite(out[i]):
            out[i] = out[i] / close[i] * 100.0 if close[i] != 0.0 else 0.0


@kernel
def average_range(p: Vector, s: Vector, high: Vector, low: Vector, out: Vector) -> None:
    """Mean of high - low over p[0] bars. State: 3 + p[0]."""
    for i in range(high.size):
        out[i] = high[i] - low[i] if math.isfinite(high[i]) and math.isfinite(low[i]) else NAN
    sma_pass(int(p[0]), s, out, out)


@kernel
def keltner(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, upper: Vector, mid: Vector, lower: Vector
) -> None:
    """Keltner channel: EMA of closes over p[0], and p[2] average true ranges over p[1] around it (Raschke).

    State: 6.
    """
    true_range_pass(s[:2], high, low, close, upper)
    wilder_pass(int(p[1]), s[2:4], upper, upper)
    for i in range(close.size):
        mid[i] = close[i] if is_bar(high[i], low[i], close[i]) else NAN
    ema_pass(int(p[0]), 0, s[4:], mid, mid)
    for i in range(close.size):
        wide = p[2] * upper[i]
        upper[i], lower[i] = mid[i] + wide, mid[i] - wide


@part
def _before_pass(s: Vector, upper: Vector, lower: Vector, high: Vector, low: Vector) -> None:
    """Put the range of the bar before in place of each bar's own.

    State, 3: whether there was one, its top, its bottom.
    """
    known, top, bottom = s[0], s[1], s[2]
    for i in range(high.size):
        if not (math.isfinite(high[i]) and math.isfinite(low[i])):
            continue
        was_top, was_bottom = top, bottom
        top, bottom = upper[i], lower[i]
        upper[i] = was_top if known > 0.0 else NAN
        lower[i] = was_bottom if known > 0.0 else NAN
        known = 1.0
    s[0], s[1], s[2] = known, top, bottom


@kernel
def donchian(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, upper: Vector, mid: Vector, lower: Vector
) -> None:
    """Greatest high and least low of p[0] bars: those before this one where p[1] is 0, with this one where it is 1.

    State: 9 + 2 p[0].
    """
    period, with_own = int(p[0]), p[1] > 0.0
    for i in range(high.size):
        is_known = math.isfinite(high[i]) and math.isfinite(low[i])
        upper[i] = high[i] if is_known else NAN
        lower[i] = low[i] if is_known else NAN
    max_pass(period, s[: 3 + period], upper, upper)
    min_pass(period, s[3 + period : 6 + 2 * period], lower, lower)
    if not with_own:
        _before_pass(s[6 + 2 * period :], upper, lower, high, low)
    for i in range(high.size):
        mid[i] = (upper[i] + lower[i]) / 2.0


@kernel
def chandelier(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, long: Vector, short: Vector
) -> None:
    """LeBeau's chandelier exits: greatest high of p[0] less p[1] average true ranges, least low plus as many.

    State: 10 + 2 p[0].
    """
    period = int(p[0])
    span = blank(close)
    true_range_pass(s[:2], high, low, close, span)
    wilder_pass(period, s[2:4], span, span)
    for i in range(close.size):
        is_known = is_bar(high[i], low[i], close[i])
        long[i] = high[i] if is_known else NAN
        short[i] = low[i] if is_known else NAN
    max_pass(period, s[4 : 7 + period], long, long)
    min_pass(period, s[7 + period :], short, short)
    for i in range(close.size):
        long[i] -= p[1] * span[i]
        short[i] += p[1] * span[i]


@kernel
def chaikin_volatility(p: Vector, s: Vector, high: Vector, low: Vector, out: Vector) -> None:
    """Change over p[1] bars, in percent, of the EMA of high - low over p[0]; 0 where it was zero. State: 4 + p[1]."""
    bars = int(p[1])
    seen, place = int(s[2]), int(s[3])
    ring = s[4:]
    for i in range(high.size):
        out[i] = high[i] - low[i] if math.isfinite(high[i]) and math.isfinite(low[i]) else NAN
    ema_pass(int(p[0]), 0, s[:2], out, out)
    for i in range(high.size):
        if not math.isfinite(out[i]):
            continue
        before, ring[place] = ring[place], out[i]
        place = place + 1 if place + 1 < bars else 0
        if seen == bars:
            out[i] = (out[i] - before) / before * 100.0 if before > 0.0 else 0.0
        else:
            seen += 1
            out[i] = NAN
    s[2], s[3] = seen, place


@kernel
def ulcer(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Martin's ulcer index over p[0]: root of the mean squared fall, in percent, from the greatest of p[0] values.

    State: 6 + 2 p[0].
    """
    period = int(p[0])
    max_pass(period, s[: 3 + period], x, out)
    for i in range(x.size):
        if math.isfinite(out[i]):
            fall = 100.0 * (x[i] - out[i]) / out[i] if out[i] > 0.0 else 0.0
            out[i] = fall * fall
    sum_pass(period, s[3 + period :], out, out)
    for i in range(x.size):
        out[i] = math.sqrt(out[i] / period) if math.isfinite(out[i]) else NAN


@part
def _log_ratio(a: float, b: float) -> float:
    """Logarithm of a / b, unknown unless both are above zero."""
    return math.log(a / b) if a > 0.0 and b > 0.0 and math.isfinite(a) and math.isfinite(b) else NAN


@kernel
def historical_volatility(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Sample deviation of the last p[0] log returns, times the root of p[1] bars a year, in percent.

    State: 6 + 2 p[0].
    """
    period = int(p[0])
    before = s[0]
    for i in range(x.size):
        out[i] = NAN
        if math.isfinite(x[i]) and x[i] > 0.0:
            out[i] = _log_ratio(x[i], before)
            before = x[i]
    s[0] = before
    deviation_pass(period, s[1:], out, blank(x), out)
    for i in range(x.size):
        if math.isfinite(out[i]):
            out[i] = 100.0 * math.sqrt(out[i] / max(period - 1, 1) * p[1])


@part
def _mean_root_pass(period: int, a_year: float, s: Vector, out: Vector) -> None:
    """Root of the mean of variances, a year, in percent. State, 3 + period."""
    sum_pass(period, s, out, out)
    for i in range(out.size):
        if math.isfinite(out[i]):
            out[i] = 100.0 * math.sqrt(larger(out[i], 0.0) / period * a_year)


@kernel
def parkinson(p: Vector, s: Vector, high: Vector, low: Vector, out: Vector) -> None:
    """Volatility from ln(high / low) over p[0] bars, p[1] bars a year, in percent (Parkinson 1980). State: 3 + p[0]."""
    for i in range(high.size):
        ratio = _log_ratio(high[i], low[i])
        out[i] = ratio * ratio / (4.0 * math.log(2.0))
    _mean_root_pass(int(p[0]), p[1], s, out)


@kernel
def garman_klass(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, opening: Vector, high: Vector, low: Vector, close: Vector, out: Vector
) -> None:
    """Volatility from open, range and close over p[0] bars, p[1] bars a year, in percent (Garman and Klass 1980).

    State: 3 + p[0].
    """
    for i in range(close.size):
        span, move = _log_ratio(high[i], low[i]), _log_ratio(close[i], opening[i])
        out[i] = 0.5 * span * span - (2.0 * math.log(2.0) - 1.0) * move * move
    _mean_root_pass(int(p[0]), p[1], s, out)


@part
def _rogers(opening: float, high: float, low: float, close: float) -> float:
    """Rogers and Satchell's variance of one bar."""
    up, down = _log_ratio(high, opening), _log_ratio(low, opening)
    return _log_ratio(high, close) * up + _log_ratio(low, close) * down


@kernel
def rogers_satchell(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, opening: Vector, high: Vector, low: Vector, close: Vector, out: Vector
) -> None:
    """Volatility free of drift over p[0] bars, p[1] bars a year, in percent (Rogers and Satchell 1991).

    State: 3 + p[0].
    """
    for i in range(close.size):
        out[i] = _rogers(opening[i], high[i], low[i], close[i])
    _mean_root_pass(int(p[0]), p[1], s, out)


@kernel
def yang_zhang(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, opening: Vector, high: Vector, low: Vector, close: Vector, out: Vector
) -> None:
    """Volatility with overnight gaps over p[0] bars, p[1] bars a year, in percent (Yang and Zhang 2000).

    State: close before, then overnight and open-to-close deviations (4 + 2 p[0] each), then 3 + p[0].
    """
    period = int(p[0])
    at = 5 + 2 * period
    before = s[0]
    nights, days, means = blank(close), blank(close), blank(close)
    for i in range(close.size):
        out[i] = _rogers(opening[i], high[i], low[i], close[i])
        nights[i] = days[i] = NAN
        if math.isfinite(out[i]):
            nights[i], days[i] = _log_ratio(opening[i], before), _log_ratio(close[i], opening[i])
            before = close[i]
        if not math.isfinite(nights[i]):
            out[i] = days[i] = NAN
    s[0] = before
    deviation_pass(period, s[1:at], nights, means, nights)
    deviation_pass(period, s[at : at + 4 + 2 * period], days, means, days)
    sum_pass(period, s[at + 4 + 2 * period :], out, out)
    share = 0.34 / (1.34 + (period + 1.0) / max(period - 1.0, 1.0))
    for i in range(close.size):
        if math.isfinite(out[i]):
            free = max(period - 1, 1)
            sum_ = nights[i] / free + share * days[i] / free + (1.0 - share) * larger(out[i], 0.0) / period
            out[i] = 100.0 * math.sqrt(sum_ * p[1])


@kernel
def mass_index(p: Vector, s: Vector, high: Vector, low: Vector, out: Vector) -> None:
    """Dorsey's mass index: sum over p[1] of the EMA of high - low over p[0] divided by its own EMA. State: 7 + p[1]."""
    period = int(p[0])
    once = blank(high)
    for i in range(high.size):
        once[i] = high[i] - low[i] if math.isfinite(high[i]) and math.isfinite(low[i]) else NAN
    ema_pass(period, 0, s[:2], once, once)
    ema_pass(period, 0, s[2:4], once, out)
    for i in range(high.size):
        if math.isfinite(out[i]):
            out[i] = once[i] / out[i] if out[i] > 0.0 else 1.0
    sum_pass(int(p[1]), s[4:], out, out)


@kernel
def relative_volatility(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Dorsey's relative volatility: share of rising bars' deviation over p[0], smoothed by Wilder's average over p[1].

    0 to 100, and 50 where nothing has moved. State: 10 + 2 p[0].
    """
    period = int(p[0])
    before, seen = s[0], s[1]
    ups = blank(x)
    deviation_pass(period, s[6:], x, ups, out)
    for i in range(x.size):
        ups[i] = NAN
        if not math.isfinite(x[i]):
            continue
        wide = math.sqrt(out[i] / period) if seen > 0.0 and math.isfinite(out[i]) else NAN
        ups[i] = wide if x[i] > before else wide * 0.0
        out[i] = wide if x[i] < before else wide * 0.0
        before, seen = x[i], 1.0
    s[0], s[1] = before, seen
    wilder_pass(int(p[1]), s[2:4], ups, ups)
    wilder_pass(int(p[1]), s[4:6], out, out)
    for i in range(x.size):
        total = ups[i] + out[i]
        if math.isfinite(total):
            out[i] = 100.0 * ups[i] / total if total > 0.0 else 50.0


@kernel
def choppiness(p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, out: Vector) -> None:
    """Dreiss's choppiness over p[0]: 100 log(sum of true ranges / range) / log(p[0]); high means sideways.

    State: 11 + 3 p[0].
    """
    period = int(p[0])
    top, bottom = blank(close), blank(close)
    true_range_pass(s[:2], high, low, close, out)
    for i in range(close.size):
        top[i] = high[i] if math.isfinite(out[i]) else NAN
        bottom[i] = low[i] if math.isfinite(out[i]) else NAN
    sum_pass(period, s[2 : 5 + period], out, out)
    max_pass(period, s[5 + period : 8 + 2 * period], top, top)
    min_pass(period, s[8 + 2 * period :], bottom, bottom)
    for i in range(close.size):
        span = top[i] - bottom[i]
        if math.isfinite(out[i]):
            out[i] = 100.0 * math.log(out[i] / span) / math.log(period) if span > 0.0 and out[i] > 0.0 else NAN
