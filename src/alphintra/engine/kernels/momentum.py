"""Momentum: how fast, and where within its range, a series moves."""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel, part
from alphintra.engine.kernels.parts import (
    blank,
    change_pass,
    ema_pass,
    is_bar,
    larger,
    max_pass,
    min_pass,
    sma_pass,
    subtract_columns,
    sum_pass,
    typical_pass,
    weighted_pass,
)

__all__ = [
    "balance_of_power",
    "cci",
    "connors_rsi",
    "coppock",
    "elder_ray",
    "fast_stochastic",
    "kst",
    "momentum",
    "relative_vigor",
    "roc",
    "rsi",
    "stoch_rsi",
    "stochastic",
    "stochastic_momentum",
    "tsi",
    "williams_r",
]

NAN = math.nan
UNITS = 1e6


@part
def _rsi_pass(period: int, s: Vector, x: Vector, out: Vector) -> None:
    """Wilder's relative strength. State, 4: values seen (at most the period + 1), value before, gains, losses."""
    seen, before, gains, losses = int(s[0]), s[1], s[2], s[3]
    alpha = 1.0 / period
    for i in range(x.size):
        value = x[i]
        if not math.isfinite(value):
            out[i] = NAN
            continue
        move = value - before
        gain = move if move > 0.0 else 0.0
        if seen > period:
            gains += (gain - gains) * alpha
            losses += (gain - move - losses) * alpha
        else:
            if seen > 0:
                gains += gain
                losses += gain - move
            if seen == period:
                gains /= period
                losses /= period
            seen += 1
        total = gains + losses
        if seen <= period:
            out[i] = NAN
        else:
            out[i] = 100.0 * (gains / total) if total > 0.0 else 0.0
        before = value
    s[0], s[1], s[2], s[3] = seen, before, gains, losses


@kernel
def rsi(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Wilder's relative strength index over p[0] (TA-Lib RSI): 0 to 100, and 0 where nothing has moved. State: 4."""
    _rsi_pass(int(p[0]), s, x, out)


@part
def _lag_pass(bars: int, s: Vector, x: Vector, out: Vector) -> None:
    """The value some bars ago. State, 2 + bars: values seen, next place in the ring, ring."""
    begun = min(bars - int(s[0]), x.size)
    _lag_one_by_one(bars, s, x[:begun], out[:begun])
    rest, given, unknown = x[begun:], out[begun:], 0
    for i in range(rest.size):
        unknown += 0 if math.isfinite(rest[i]) else 1
    if unknown > 0 or s[0] < bars or rest.size < bars:
        _lag_one_by_one(bars, s, rest, given)
        return
    place, ring = int(s[1]), s[2:]
    for k in range(bars):
        given[k] = ring[place + k if place + k < bars else place + k - bars]
    before, later = rest[: rest.size - bars], given[bars:]
    for i in range(later.size):
        later[i] = before[i]
    last, place = rest[rest.size - bars :], (place + rest.size) % bars
    for k in range(bars):
        ring[place + k if place + k < bars else place + k - bars] = last[k]
    s[1] = place


@part
def _lag_one_by_one(bars: int, s: Vector, x: Vector, out: Vector) -> None:
    """As `_lag_pass`, for any values."""
    seen, place = int(s[0]), int(s[1])
    for i in range(x.size):
        if not math.isfinite(x[i]):
            out[i] = NAN
            continue
        out[i] = s[2 + place] if seen == bars else NAN
        s[2 + place] = x[i]
        place = place + 1 if place + 1 < bars else 0
        if seen < bars:
            seen += 1
    s[0], s[1] = seen, place


@part
def _roc_pass(bars: int, s: Vector, x: Vector, out: Vector) -> None:
    """Change over some bars in percent, 0 where it would be of zero. State as `_lag_pass`."""
    _lag_pass(bars, s, x, out)
    for i in range(x.size):
        before, change = out[i], 0.0
        if before != 0.0:
            change = (x[i] / before - 1.0) * 100.0
        out[i] = change if math.isfinite(before) else NAN


@kernel
def roc(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Change over p[0] bars in percent (TA-Lib ROC); 0 where the earlier value is zero. State: 2 + p[0]."""
    _roc_pass(int(p[0]), s, x, out)


@kernel
def momentum(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Change over p[0] bars (TA-Lib MOM). State: 2 + p[0]."""
    _lag_pass(int(p[0]), s, x, out)
    for i in range(x.size):
        out[i] = x[i] - out[i] if math.isfinite(out[i]) else NAN


@part
def _range_pass(  # noqa: PLR0913 - what a range is made of
    period: int, s: Vector, high: Vector, low: Vector, close: Vector, top: Vector, bottom: Vector
) -> None:
    """Greatest high and least low of the last complete bars. State, 6 + 2 period."""
    for i in range(close.size):
        is_known = is_bar(high[i], low[i], close[i])
        top[i] = high[i] if is_known else NAN
        bottom[i] = low[i] if is_known else NAN
    max_pass(period, s[: 3 + period], top, top)
    min_pass(period, s[3 + period : 6 + 2 * period], bottom, bottom)


@part
def _place_pass(period: int, s: Vector, high: Vector, low: Vector, close: Vector, out: Vector) -> None:
    """Where the close lies in its range, 0 to 100, and 0 in a range of nothing. State, 6 + 2 period."""
    top = blank(close)
    _range_pass(period, s, high, low, close, top, out)
    for i in range(close.size):
        span = (top[i] - out[i]) / 100.0
        if math.isfinite(span):
            out[i] = (close[i] - out[i]) / span if span != 0.0 else 0.0


@kernel
def stochastic(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, k: Vector, d: Vector
) -> None:
    """Slow stochastic (TA-Lib STOCH): %K over p[0] smoothed over p[1], and %D its mean over p[2].

    Unlike TA-Lib %K does not wait for %D. State: 12 + 2 p[0] + p[1] + p[2].
    """
    period, smooth, signal = int(p[0]), int(p[1]), int(p[2])
    at = 6 + 2 * period
    _place_pass(period, s[:at], high, low, close, k)
    sma_pass(smooth, s[at : at + 3 + smooth], k, k)
    sma_pass(signal, s[at + 3 + smooth :], k, d)


@kernel
def fast_stochastic(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, k: Vector, d: Vector
) -> None:
    """Fast stochastic (TA-Lib STOCHF): raw %K over p[0] and %D its mean over p[1]. State: 9 + 2 p[0] + p[1]."""
    at = 6 + 2 * int(p[0])
    _place_pass(int(p[0]), s[:at], high, low, close, k)
    sma_pass(int(p[1]), s[at:], k, d)


@kernel
def stoch_rsi(p: Vector, s: Vector, x: Vector, k: Vector, d: Vector) -> None:
    """Fast stochastic of the RSI (TA-Lib STOCHRSI): RSI over p[0], its %K over p[1], %D over p[2].

    State: 15 + 2 p[1] + p[2].
    """
    at = 12 + 2 * int(p[1])
    strength = blank(x)
    _rsi_pass(int(p[0]), s[:6], x, strength)
    _place_pass(int(p[1]), s[6:at], strength, strength, strength, k)
    sma_pass(int(p[2]), s[at:], k, d)


@kernel
def williams_r(p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, out: Vector) -> None:
    """Williams %R over p[0] (TA-Lib WILLR): -100 at the bottom of the range to 0 at its top. State: 6 + 2 p[0]."""
    top = blank(close)
    _range_pass(int(p[0]), s, high, low, close, top, out)
    for i in range(close.size):
        span = (top[i] - out[i]) / -100.0
        if math.isfinite(span):
            out[i] = (top[i] - close[i]) / span if span != 0.0 else 0.0


@kernel
def cci(p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, out: Vector) -> None:
    """Commodity channel index over p[0] (TA-Lib CCI): distance of the typical price from its mean in 0.015 mean ones.

    State: values seen, next place in the ring, ring, then the mean (3 + p[0]).
    """
    period = int(p[0])
    seen, place = int(s[0]), int(s[1])
    ring = s[2 : 2 + period]
    typical = blank(close)
    typical_pass(high, low, close, typical)
    sma_pass(period, s[2 + period :], typical, out)
    for i in range(close.size):
        value = typical[i]
        if not math.isfinite(value):
            continue
        ring[place] = value
        place = place + 1 if place + 1 < period else 0
        seen = min(seen + 1, period)
        if seen == period:
            mean, away = out[i], 0.0
            for k in range(period):
                away += abs(ring[k] - mean)
            out[i] = (value - mean) / (0.015 * (away / period)) if away > 0.0 else 0.0
    s[0], s[1] = seen, place


@kernel
def tsi(p: Vector, s: Vector, x: Vector, line: Vector, signal: Vector) -> None:
    """Blau's true strength index: moves smoothed over p[0], then p[1], over their sizes; signal its EMA over p[2].

    State: 12.
    """
    sizes = blank(x)
    change_pass(s[:2], x, line)
    for i in range(x.size):
        sizes[i] = abs(line[i])
    ema_pass(int(p[0]), 0, s[2:4], line, line)
    ema_pass(int(p[1]), 0, s[4:6], line, line)
    ema_pass(int(p[0]), 0, s[6:8], sizes, sizes)
    ema_pass(int(p[1]), 0, s[8:10], sizes, sizes)
    for i in range(x.size):
        if math.isfinite(sizes[i]):
            line[i] = 100.0 * line[i] / sizes[i] if sizes[i] > 0.0 else 0.0
    ema_pass(int(p[2]), 0, s[10:], line, signal)


@kernel
def kst(p: Vector, s: Vector, x: Vector, line: Vector, signal: Vector) -> None:
    """Pring's know sure thing: 1 to 4 times the means of four rates of change; signal its mean.

    p: four rates of change, their four smoothings, the signal's period. State: sum of the first four (2 each), of the
    next four (3 each), signal (3) and all nine periods.
    """
    part_, at = blank(x), 0
    for i in range(x.size):
        line[i] = 0.0
    for k in range(4):
        bars, smooth = int(p[k]), int(p[4 + k])
        _roc_pass(bars, s[at : at + 2 + bars], x, part_)
        at += 2 + bars
        sma_pass(smooth, s[at : at + 3 + smooth], part_, part_)
        at += 3 + smooth
        for i in range(x.size):
            line[i] += (k + 1.0) * part_[i]
    sma_pass(int(p[8]), s[at:], line, signal)


@kernel
def coppock(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Coppock curve: WMA over p[2] of the rates of change over p[0] and p[1] added up.

    State: 8 + p[0] + p[1] + 2 p[2].
    """
    slow, fast, period = int(p[0]), int(p[1]), int(p[2])
    second = blank(x)
    _roc_pass(slow, s[: 2 + slow], x, out)
    _roc_pass(fast, s[2 + slow : 4 + slow + fast], x, second)
    for i in range(x.size):
        second[i] += out[i]
    weighted_pass(period, s[4 + slow + fast :], second, second, out)
    scale = UNITS * (period * (period + 1) // 2)
    for i in range(x.size):
        out[i] /= scale


@kernel
def relative_vigor(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, opening: Vector, high: Vector, low: Vector, close: Vector, line: Vector, signal: Vector
) -> None:
    """Relative vigor index over p[0]: close - open over high - low, both weighted 1 2 2 1 and averaged (Ehlers 2002).

    signal is the line weighted 1 2 2 1 over four bars. State: 18 + 2 p[0].
    """
    period = int(p[0])
    spans = blank(close)
    for i in range(close.size):
        is_known = math.isfinite(opening[i]) and is_bar(high[i], low[i], close[i])
        line[i] = close[i] - opening[i] if is_known else NAN
        spans[i] = high[i] - low[i] if is_known else NAN
    _swing_pass(s[:4], line, line)
    _swing_pass(s[4:8], spans, spans)
    sum_pass(period, s[12 : 15 + period], line, line)
    sum_pass(period, s[15 + period : 18 + 2 * period], spans, spans)
    for i in range(close.size):
        if math.isfinite(line[i]):
            line[i] = line[i] / spans[i] if spans[i] > 0.0 else 0.0
    _swing_pass(s[8:12], line, signal)


@part
def _swing_pass(s: Vector, x: Vector, out: Vector) -> None:
    """Mean of four values weighted 1 2 2 1. State, 4: values seen, the last three from the newest on."""
    seen, a, b, c = s[0], s[1], s[2], s[3]
    for i in range(x.size):
        value = x[i]
        if not math.isfinite(value):
            out[i] = NAN
            continue
        out[i] = (value + 2.0 * a + 2.0 * b + c) / 6.0 if seen > 2.0 else NAN
        seen = seen + 1.0 if seen < 3.0 else 3.0
        a, b, c = value, a, b
    s[0], s[1], s[2], s[3] = seen, a, b, c


@kernel
def balance_of_power(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, opening: Vector, high: Vector, low: Vector, close: Vector, out: Vector
) -> None:
    """(close - open) / (high - low), averaged over p[0]; TA-Lib BOP is that over 1. State: 3 + p[0]."""
    for i in range(close.size):
        if math.isfinite(opening[i]) and is_bar(high[i], low[i], close[i]):
            span = high[i] - low[i]
            out[i] = (close[i] - opening[i]) / span if span > 0.0 else 0.0
        else:
            out[i] = NAN
    sma_pass(int(p[0]), s, out, out)


@kernel
def elder_ray(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, bull: Vector, bear: Vector
) -> None:
    """Elder's bull and bear power: high and low less the EMA of closes over p[0]. State: 2."""
    average = blank(close)
    for i in range(close.size):
        average[i] = close[i] if is_bar(high[i], low[i], close[i]) else NAN
    ema_pass(int(p[0]), 0, s, average, average)
    subtract_columns(high, average, bull)
    subtract_columns(low, average, bear)


@kernel
def stochastic_momentum(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, line: Vector, signal: Vector
) -> None:
    """Blau's stochastic momentum: distance of the close from the middle of the range of p[0] bars, -100 to 100.

    Distance and range are smoothed by EMAs over p[1] and p[2]; signal is the line's EMA over p[3]. State: 16 + 2 p[0].
    """
    period = int(p[0])
    top, bottom = blank(close), blank(close)
    _range_pass(period, s[: 6 + 2 * period], high, low, close, top, bottom)
    tail = s[6 + 2 * period :]
    for i in range(close.size):
        line[i] = close[i] - (top[i] + bottom[i]) / 2.0
        top[i] = (top[i] - bottom[i]) / 2.0
    ema_pass(int(p[1]), 0, tail[:2], line, line)
    ema_pass(int(p[2]), 0, tail[2:4], line, line)
    ema_pass(int(p[1]), 0, tail[4:6], top, top)
    ema_pass(int(p[2]), 0, tail[6:8], top, top)
    for i in range(close.size):
        if math.isfinite(line[i]):
            line[i] = 100.0 * line[i] / top[i] if top[i] > 0.0 else 0.0
    ema_pass(int(p[3]), 0, tail[8:], line, signal)


@kernel
def connors_rsi(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Connors RSI: mean of RSI over p[0], RSI over p[1] of the streak, and the rank of the move among the last p[2].

    State: 6 + 6, then value before, whether there was one, streak, moves seen, next place, ring of p[2] moves.
    """
    period = int(p[2])
    before, known, streak, seen, place = s[12], s[13], s[14], int(s[15]), int(s[16])
    ring = s[17:]
    streaks, ranks = blank(x), blank(x)
    for i in range(x.size):
        streaks[i] = ranks[i] = NAN
        if not math.isfinite(x[i]):
            continue
        if known > 0.0:
            move = x[i] / before - 1.0 if before != 0.0 else 0.0
            if move > 0.0:
                streak = larger(streak, 0.0) + 1.0
            elif move < 0.0:
                streak = -larger(-streak, 0.0) - 1.0
            else:
                streak = 0.0
            if seen == period:
                below = 0
                for k in range(period):
                    below += 1 if ring[k] < move else 0
                ranks[i] = 100.0 * below / period
            ring[place] = move
            place = place + 1 if place + 1 < period else 0
            seen = min(seen + 1, period)
        streaks[i], before, known = streak, x[i], 1.0
    s[12], s[13], s[14], s[15], s[16] = before, known, streak, seen, place
    _rsi_pass(int(p[0]), s[:6], x, out)
    _rsi_pass(int(p[1]), s[6:12], streaks, streaks)
    for i in range(x.size):
        out[i] = (out[i] + streaks[i] + ranks[i]) / 3.0
