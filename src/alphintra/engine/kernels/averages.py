"""Moving averages beyond the simple and the weighted one."""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel
from alphintra.engine.kernels.parts import blank, ema_pass, larger, sma_pass, sum_pass, weighted_pass, wilder_pass

__all__ = [
    "alma",
    "dema",
    "ema",
    "hma",
    "kama",
    "mcginley",
    "smma",
    "t3",
    "tema",
    "trima",
    "vidya",
    "vwma",
    "zlema",
]

NAN = math.nan
UNITS = 1e6


@kernel
def ema(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Exponential moving average over p[0], alpha 2 / (p[0] + 1), seeded with the first mean (TA-Lib EMA). State: 2."""
    ema_pass(int(p[0]), 0, s, x, out)


@kernel
def smma(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Wilder's smoothed average over p[0], alpha 1 / p[0], seeded with the first mean. State: 2."""
    wilder_pass(int(p[0]), s, x, out)


@kernel
def dema(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Mulloy's double exponential average, 2 EMA - EMA of EMA (TA-Lib DEMA). State: 4."""
    period = int(p[0])
    once = blank(x)
    ema_pass(period, 0, s[:2], x, once)
    ema_pass(period, 0, s[2:], once, out)
    for i in range(x.size):
        out[i] = 2.0 * once[i] - out[i]


@kernel
def tema(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Mulloy's triple exponential average, 3 EMA - 3 EMA(EMA) + EMA(EMA(EMA)) (TA-Lib TEMA). State: 6."""
    period = int(p[0])
    once, twice = blank(x), blank(x)
    ema_pass(period, 0, s[:2], x, once)
    ema_pass(period, 0, s[2:4], once, twice)
    ema_pass(period, 0, s[4:], twice, out)
    for i in range(x.size):
        out[i] = 3.0 * once[i] - 3.0 * twice[i] + out[i]


@kernel
def t3(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Tillson's T3 over p[0] with volume factor p[1]: six EMAs one after another (TA-Lib T3). State: 12."""
    period, v = int(p[0]), p[1]
    third, fourth, fifth = blank(x), blank(x), blank(x)
    ema_pass(period, 0, s[:2], x, out)
    ema_pass(period, 0, s[2:4], out, out)
    ema_pass(period, 0, s[4:6], out, third)
    ema_pass(period, 0, s[6:8], third, fourth)
    ema_pass(period, 0, s[8:10], fourth, fifth)
    ema_pass(period, 0, s[10:], fifth, out)
    c1 = -v * v * v
    c2 = 3.0 * (v * v - c1)
    c3 = -6.0 * v * v - 3.0 * (v - c1)
    c4 = 1.0 + 3.0 * v - c1 + 3.0 * v * v
    for i in range(x.size):
        out[i] = c1 * out[i] + c2 * fifth[i] + c3 * fourth[i] + c4 * third[i]


@kernel
def trima(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Triangular average over p[0]: the mean of means of half the length (TA-Lib TRIMA). State: 7 + p[0]."""
    period = int(p[0])
    first = (period + 1) // 2
    sma_pass(first, s[: 3 + first], x, out)
    sma_pass(period + 1 - first, s[3 + first :], out, out)


@kernel
def hma(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Hull average over p[0]: WMA over sqrt(n) of 2 WMA(n / 2) - WMA(n), whole periods rounded down (Hull 2005).

    State: 12 + 2 (p[0] + p[0] // 2 + floor(sqrt(p[0]))).
    """
    period = int(p[0])
    half, root = max(period // 2, 1), max(int(math.sqrt(period)), 1)
    sums, short = blank(x), blank(x)
    at = 4 + 2 * period
    to = at + 4 + 2 * half
    weighted_pass(period, s[:at], x, sums, out)
    weighted_pass(half, s[at:to], x, sums, short)
    long_scale, short_scale = UNITS * (period * (period + 1) // 2), UNITS * (half * (half + 1) // 2)
    for i in range(x.size):
        out[i] = 2.0 * (short[i] / short_scale) - out[i] / long_scale
    weighted_pass(root, s[to:], out, sums, out)
    for i in range(x.size):
        out[i] /= UNITS * (root * (root + 1) // 2)


@kernel
def zlema(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Zero-lag EMA over p[0]: the EMA of 2 x - x of (p[0] - 1) / 2 bars ago (Ehlers and Way 2010).

    State: 4 + (p[0] - 1) // 2.
    """
    period = int(p[0])
    lag = (period - 1) // 2
    seen, place = int(s[2]), int(s[3])
    ring = s[4:]
    for i in range(x.size):
        if not math.isfinite(x[i]):
            out[i] = NAN
            continue
        out[i] = x[i]
        if lag > 0:
            out[i] = 2.0 * x[i] - ring[place] if seen == lag else NAN
            ring[place] = x[i]
            place = place + 1 if place + 1 < lag else 0
            if seen < lag:
                seen += 1
    s[2], s[3] = seen, place
    ema_pass(period, 0, s[:2], out, out)


@kernel
def alma(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Arnaud Legoux average over p[0]: Gaussian weights around p[1] of the window, p[0] / p[2] wide (2009).

    State: values seen, next place in the ring, ring, weights.
    """
    period = int(p[0])
    seen, place = int(s[0]), int(s[1])
    ring, weights = s[2 : 2 + period], s[2 + period : 2 + 2 * period]
    middle, wide = p[1] * (period - 1), period / p[2]
    total = 0.0
    for k in range(period):
        weights[k] = math.exp(-((k - middle) * (k - middle)) / (2.0 * wide * wide))
        total += weights[k]
    for i in range(x.size):
        if not math.isfinite(x[i]):
            out[i] = NAN
            continue
        ring[place] = x[i]
        place = place + 1 if place + 1 < period else 0
        if seen < period:
            seen += 1
        value = 0.0
        for k in range(period):
            value += weights[k] * ring[(place + k) % period]
        out[i] = value / total if seen == period else NAN
    s[0], s[1] = seen, place


@kernel
def kama(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Kaufman's adaptive average over p[0], as fast as an EMA of p[1] and as slow as one of p[2] (TA-Lib: 2 and 30).

    State: seen, next place, average, ring of p[0] values, then the rolling sum of the p[0] moves (3 + p[0]).
    """
    period = int(p[0])
    slow = 2.0 / (p[2] + 1.0)
    range_ = 2.0 / (p[1] + 1.0) - slow
    seen, place = int(s[0]), int(s[1])
    ring = s[3 : 3 + period]
    moves = blank(x)
    for i in range(x.size):
        out[i] = moves[i] = NAN
        if math.isfinite(x[i]):
            if seen > 0:
                moves[i] = abs(x[i] - ring[place - 1 if place > 0 else period - 1])
            if seen >= period:
                out[i] = x[i] - ring[place]
            ring[place] = x[i]
            place = place + 1 if place + 1 < period else 0
            seen = min(seen + 1, period)
    sum_pass(period, s[3 + period :], moves, moves)
    value = s[2]
    for i in range(x.size):
        if math.isfinite(out[i]):
            ratio = abs(out[i] / moves[i]) if moves[i] > out[i] and moves[i] > 0.0 else 1.0
            speed = ratio * range_ + slow
            value += (x[i] - value) * speed * speed
            out[i] = value
        elif math.isfinite(x[i]):
            value = x[i]
    s[0], s[1], s[2] = seen, place, value


@kernel
def vidya(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Chande's variable index average over p[0]: an EMA whose alpha is scaled by |CMO| over p[1] moves (1992).

    Seeded with the value at which the first CMO is known. State: average, whether there is one, value before, whether
    there was one, then two rolling sums of p[1] moves (3 + p[1] each).
    """
    alpha, period = 2.0 / (p[0] + 1.0), int(p[1])
    value, is_seeded, before, seen = s[0], s[1], s[2], s[3]
    ups, downs = blank(x), blank(x)
    for i in range(x.size):
        ups[i] = downs[i] = NAN
        if math.isfinite(x[i]):
            if seen > 0.0:
                ups[i], downs[i] = larger(x[i] - before, 0.0), larger(before - x[i], 0.0)
            seen, before = 1.0, x[i]
    sum_pass(period, s[4 : 7 + period], ups, ups)
    sum_pass(period, s[7 + period :], downs, downs)
    for i in range(x.size):
        total = ups[i] + downs[i]
        if not math.isfinite(total):
            out[i] = NAN
            continue
        speed = alpha * abs(ups[i] - downs[i]) / total if total > 0.0 else 0.0
        value = value + (x[i] - value) * speed if is_seeded > 0.0 else x[i]
        is_seeded = 1.0
        out[i] = value
    s[0], s[1], s[2], s[3] = value, is_seeded, before, seen


@kernel
def mcginley(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """McGinley dynamic over p[0]: steps of (x - average) / (0.6 p[0] (x / average)^4), none past x (1990).

    Seeded with the first mean. State: 2.
    """
    period = int(p[0])
    seen, value = int(s[0]), s[1]
    for i in range(x.size):
        if not math.isfinite(x[i]):
            out[i] = NAN
            continue
        if seen < period:
            seen += 1
            value += x[i]
            if seen == period:
                value /= period
        elif value != 0.0:
            ratio = x[i] / value
            pace = 0.6 * period * ratio * ratio * ratio * ratio
            value = value + (x[i] - value) / pace if pace > 1.0 else x[i]
        else:
            value = x[i]
        out[i] = value if seen == period else NAN
    s[0], s[1] = seen, value


@kernel
def vwma(p: Vector, s: Vector, x: Vector, volume: Vector, out: Vector) -> None:
    """Mean of the last p[0] values weighted by volume; unknown where none was traded. State: 6 + 2 p[0]."""
    period = int(p[0])
    traded = blank(x)
    for i in range(x.size):
        is_known = math.isfinite(x[i]) and math.isfinite(volume[i])
        traded[i] = volume[i] if is_known else NAN
        out[i] = x[i] * volume[i] if is_known else NAN
    sum_pass(period, s[: 3 + period], out, out)
    sum_pass(period, s[3 + period :], traded, traded)
    for i in range(x.size):
        out[i] = out[i] / traded[i] if traded[i] > 0.0 else NAN
