"""Volume: what was traded beside how the price moved.

The running totals (OBV, AD, VPT, NVI, PVI) begin where the data begin: only their changes mean something.
"""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel, part
from alphintra.engine.kernels.parts import blank, ema_pass, is_bar, larger, sma_pass, sum_pass, typical_pass

__all__ = [
    "accumulation",
    "chaikin_flow",
    "chaikin_oscillator",
    "ease_of_movement",
    "force_index",
    "klinger",
    "money_flow",
    "negative_volume",
    "on_balance",
    "positive_volume",
    "price_trend",
    "volume_average",
    "volume_oscillator",
    "volume_ratio",
    "vwap_rolling",
]

NAN = math.nan


@kernel
def on_balance(p: Vector, s: Vector, close: Vector, volume: Vector, out: Vector) -> None:
    """Granville's on-balance volume (TA-Lib OBV): starts with the first volume. State: seen, close before, total."""
    seen, before, total = s[0], s[1], s[2]
    for i in range(close.size):
        if not (math.isfinite(close[i]) and math.isfinite(volume[i])):
            out[i] = NAN
            continue
        if seen == 0.0 or close[i] > before:
            total += volume[i]
        elif close[i] < before:
            total -= volume[i]
        seen, before = 1.0, close[i]
        out[i] = total
    s[0], s[1], s[2] = seen, before, total


@part
def _flow(high: float, low: float, close: float, volume: float) -> float:
    """Volume times where the close lies in its bar, -1 to 1; 0 in a bar without a range, unknown without one price."""
    if not (is_bar(high, low, close) and math.isfinite(volume)):
        return NAN
    span = high - low
    return ((close - low) - (high - close)) / span * volume if span > 0.0 else 0.0


@kernel
def accumulation(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, volume: Vector, out: Vector
) -> None:
    """Chaikin's accumulation/distribution line (TA-Lib AD). State: total."""
    total = s[0]
    for i in range(close.size):
        out[i] = _flow(high[i], low[i], close[i], volume[i])
        if math.isfinite(out[i]):
            total += out[i]
            out[i] = total
    s[0] = total


@kernel
def chaikin_oscillator(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, volume: Vector, out: Vector
) -> None:
    """Fast (p[0]) less slow (p[1]) EMA of the accumulation line (TA-Lib ADOSC): both start with its first value.

    Kept as the line's distance from each average, so that the line's size loses no digits.
    State: bars seen (at most p[1]), distance from the fast and from the slow average.
    """
    fast, slow = 2.0 / (p[0] + 1.0), 2.0 / (p[1] + 1.0)
    wait = larger(p[0], p[1])
    seen, near, far = s[0], s[1], s[2]
    for i in range(close.size):
        step = _flow(high[i], low[i], close[i], volume[i])
        if not math.isfinite(step):
            out[i] = NAN
            continue
        if seen > 0.0:
            near = (near + step) * (1.0 - fast)
            far = (far + step) * (1.0 - slow)
        seen = seen + 1.0 if seen < wait else wait
        out[i] = far - near if seen == wait else NAN
    s[0], s[1], s[2] = seen, near, far


@kernel
def chaikin_flow(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, volume: Vector, out: Vector
) -> None:
    """Chaikin money flow over p[0]: volume by place of the close over all volume, -1 to 1. State: 6 + 2 p[0]."""
    period = int(p[0])
    traded = blank(close)
    for i in range(close.size):
        out[i] = _flow(high[i], low[i], close[i], volume[i])
        traded[i] = volume[i] if math.isfinite(out[i]) else NAN
    sum_pass(period, s[: 3 + period], out, out)
    sum_pass(period, s[3 + period :], traded, traded)
    for i in range(close.size):
        if math.isfinite(out[i]):
            out[i] = out[i] / traded[i] if traded[i] > 0.0 else 0.0


@kernel
def money_flow(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, volume: Vector, out: Vector
) -> None:
    """Money flow index over p[0] (TA-Lib MFI): share of the money traded at a rising typical price, 0 to 100.

    0 where no money flowed (TA-Lib: where it was less than 1). State: 8 + 2 p[0].
    """
    period = int(p[0])
    seen, before = s[0], s[1]
    every = blank(close)
    typical_pass(high, low, close, every)
    for i in range(close.size):
        value = every[i]
        out[i] = every[i] = NAN
        if not (math.isfinite(value) and math.isfinite(volume[i])):
            continue
        if seen > 0.0:
            out[i] = value * volume[i] if value > before else 0.0
            every[i] = value * volume[i] if value != before else 0.0
        seen, before = 1.0, value
    s[0], s[1] = seen, before
    sum_pass(period, s[2 : 5 + period], out, out)
    sum_pass(period, s[5 + period :], every, every)
    for i in range(close.size):
        if math.isfinite(out[i]):
            out[i] = 100.0 * (out[i] / every[i]) if every[i] > 0.0 else 0.0


@kernel
def ease_of_movement(p: Vector, s: Vector, high: Vector, low: Vector, volume: Vector, out: Vector) -> None:
    """Arms's ease of movement: mean over p[0] of the middle's move times the range, over volume in units of p[1].

    0 in a bar without volume. State: seen, middle before, then 3 + p[0].
    """
    seen, before = s[0], s[1]
    for i in range(high.size):
        out[i] = NAN
        if is_bar(high[i], low[i], volume[i]):
            middle = (high[i] + low[i]) / 2.0
            if seen > 0.0:
                out[i] = (middle - before) * (high[i] - low[i]) * p[1] / volume[i] if volume[i] > 0.0 else 0.0
            seen, before = 1.0, middle
    s[0], s[1] = seen, before
    sma_pass(int(p[0]), s[2:], out, out)


@kernel
def force_index(p: Vector, s: Vector, close: Vector, volume: Vector, out: Vector) -> None:
    """Elder's force index: EMA over p[0] of the close's move times volume. State: seen, close before, then 2."""
    seen, before = s[0], s[1]
    for i in range(close.size):
        out[i] = NAN
        if math.isfinite(close[i]) and math.isfinite(volume[i]):
            if seen > 0.0:
                out[i] = (close[i] - before) * volume[i]
            seen, before = 1.0, close[i]
    s[0], s[1] = seen, before
    ema_pass(int(p[0]), 0, s[2:], out, out)


@part
def _index_pass(sign: float, s: Vector, close: Vector, volume: Vector, out: Vector) -> None:
    """Total of returns on bars whose volume moved by ``sign``, from 1000. State: seen, close, volume, index."""
    seen, before, traded, index = s[0], s[1], s[2], s[3]
    for i in range(close.size):
        if not (math.isfinite(close[i]) and math.isfinite(volume[i])):
            out[i] = NAN
            continue
        if seen == 0.0:
            index = 1000.0
        elif sign * (volume[i] - traded) > 0.0 and before > 0.0 and close[i] > 0.0:
            index = index * (close[i] / before)
        seen, before, traded = 1.0, close[i], volume[i]
        out[i] = index
    s[0], s[1], s[2], s[3] = seen, before, traded, index


@kernel
def negative_volume(p: Vector, s: Vector, close: Vector, volume: Vector, out: Vector) -> None:
    """Negative volume index (Dysart, Fosback), from 1000: moves with the close on bars of falling volume. State: 4."""
    _index_pass(-1.0, s, close, volume, out)


@kernel
def positive_volume(p: Vector, s: Vector, close: Vector, volume: Vector, out: Vector) -> None:
    """Positive volume index (Dysart, Fosback), from 1000: moves with the close on bars of rising volume. State: 4."""
    _index_pass(1.0, s, close, volume, out)


@kernel
def price_trend(p: Vector, s: Vector, close: Vector, volume: Vector, out: Vector) -> None:
    """Volume price trend: running total of volume times the close's return. State: seen, close before, total."""
    seen, before, total = s[0], s[1], s[2]
    for i in range(close.size):
        if not (math.isfinite(close[i]) and math.isfinite(volume[i])):
            out[i] = NAN
            continue
        if seen > 0.0 and before != 0.0:
            total += volume[i] * (close[i] - before) / before
        seen, before = 1.0, close[i]
        out[i] = total
    s[0], s[1], s[2] = seen, before, total


@kernel
def volume_average(p: Vector, s: Vector, volume: Vector, out: Vector) -> None:
    """Mean volume over p[0] bars. State: 3 + p[0]."""
    sma_pass(int(p[0]), s, volume, out)


@kernel
def volume_ratio(p: Vector, s: Vector, volume: Vector, out: Vector) -> None:
    """Volume over its mean of the p[0] bars before; unknown where that is zero.

    State: mean before, whether, 3 + p[0].
    """
    before, known = s[0], s[1]
    sma_pass(int(p[0]), s[2:], volume, out)
    for i in range(volume.size):
        if math.isfinite(volume[i]):
            mean, is_known = before, known
            known = 1.0 if math.isfinite(out[i]) else 0.0
            before = out[i] if known > 0.0 else 0.0
            out[i] = volume[i] / mean if is_known > 0.0 and mean > 0.0 else NAN
    s[0], s[1] = before, known


@kernel
def volume_oscillator(p: Vector, s: Vector, volume: Vector, line: Vector, signal: Vector, hist: Vector) -> None:
    """Percentage volume oscillator: EMA over p[0] above that over p[1] in percent; signal its EMA over p[2].

    State: 6.
    """
    ema_pass(int(p[0]), 0, s[:2], volume, line)
    ema_pass(int(p[1]), 0, s[2:4], volume, hist)
    for i in range(volume.size):
        if math.isfinite(hist[i]):
            line[i] = 100.0 * (line[i] - hist[i]) / hist[i] if hist[i] > 0.0 else 0.0
    ema_pass(int(p[2]), 0, s[4:], line, signal)
    for i in range(volume.size):
        hist[i] = line[i] - signal[i]


@kernel
def klinger(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, volume: Vector, line: Vector, signal: Vector
) -> None:
    """Klinger oscillator: EMA over p[0] less EMA over p[1] of the volume force; signal its EMA over p[2] (1997).

    State: seen, sum of prices before, trend, range before, running range, then 6.
    """
    seen, before, trend, was, run = s[0], s[1], s[2], s[3], s[4]
    for i in range(close.size):
        signal[i] = NAN
        if not (is_bar(high[i], low[i], close[i]) and math.isfinite(volume[i])):
            continue
        span, level = high[i] - low[i], high[i] + low[i] + close[i]
        if seen > 0.0:
            side = 1.0 if level > before else -1.0
            run = run + span if side == trend else was + span
            trend = side
            signal[i] = volume[i] * abs(2.0 * (span / run - 1.0)) * side * 100.0 if run > 0.0 else 0.0
        seen, before, was = 1.0, level, span
    s[0], s[1], s[2], s[3], s[4] = seen, before, trend, was, run
    ema_pass(int(p[0]), 0, s[5:7], signal, line)
    ema_pass(int(p[1]), 0, s[7:9], signal, signal)
    for i in range(close.size):
        line[i] -= signal[i]
    ema_pass(int(p[2]), 0, s[9:], line, signal)


@kernel
def vwap_rolling(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, volume: Vector, out: Vector
) -> None:
    """Volume-weighted mean of the typical price over p[0] bars; unknown where none was traded. State: 6 + 2 p[0]."""
    period = int(p[0])
    traded = blank(close)
    typical_pass(high, low, close, out)
    for i in range(close.size):
        is_known = math.isfinite(out[i]) and math.isfinite(volume[i])
        traded[i] = volume[i] if is_known else NAN
        out[i] = out[i] * volume[i] if is_known else NAN
    sum_pass(period, s[: 3 + period], out, out)
    sum_pass(period, s[3 + period :], traded, traded)
    for i in range(close.size):
        out[i] = out[i] / traded[i] if traded[i] > 0.0 else NAN
