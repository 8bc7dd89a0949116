"""Oscillators: differences of averages, and series that swing around a level."""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel, part
from alphintra.engine.kernels.parts import (
    blank,
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
    "accelerator",
    "awesome",
    "chande_momentum",
    "detrended",
    "fisher",
    "macd",
    "price_oscillator",
    "price_oscillator_percent",
    "qstick",
    "schaff",
    "trix",
    "ultimate",
    "vortex",
]

NAN = math.nan


@part
def _difference_pass(fast: int, slow: int, s: Vector, x: Vector, line: Vector, steady: Vector) -> None:
    """EMA over one period less EMA over another, and the second. State, 4."""
    ema_pass(fast, 0, s[:2], x, line)
    ema_pass(slow, 0, s[2:4], x, steady)
    for i in range(x.size):
        line[i] -= steady[i]


@kernel
def macd(p: Vector, s: Vector, x: Vector, line: Vector, signal: Vector, hist: Vector) -> None:
    """Appel's MACD (TA-Lib MACD): EMA over p[0] less EMA over p[1], signal its EMA over p[2], hist line - signal.

    Both averages start where the longer one does. Unlike TA-Lib the line does not wait for the signal. State: 6.
    """
    fast, slow = int(p[0]), int(p[1])
    ema_pass(fast, slow - fast if slow > fast else 0, s[:2], x, line)
    ema_pass(slow, fast - slow if fast > slow else 0, s[2:4], x, hist)
    for i in range(x.size):
        line[i] -= hist[i]
    ema_pass(int(p[2]), 0, s[4:], line, signal)
    for i in range(x.size):
        hist[i] = line[i] - signal[i]


@kernel
def price_oscillator(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """EMA over p[0] less EMA over p[1] (TA-Lib APO with exponential averages). State: 4."""
    _difference_pass(int(p[0]), int(p[1]), s, x, out, blank(x))


@kernel
def price_oscillator_percent(p: Vector, s: Vector, x: Vector, line: Vector, signal: Vector, hist: Vector) -> None:
    """EMA over p[0] above EMA over p[1] in percent (TA-Lib PPO with exponential averages); signal its EMA over p[2].

    State: 6.
    """
    _difference_pass(int(p[0]), int(p[1]), s, x, line, hist)
    for i in range(x.size):
        if math.isfinite(line[i]):
            line[i] = line[i] / hist[i] * 100.0 if hist[i] != 0.0 else 0.0
    ema_pass(int(p[2]), 0, s[4:], line, signal)
    for i in range(x.size):
        hist[i] = line[i] - signal[i]


@part
def _awesome_pass(fast: int, slow: int, s: Vector, high: Vector, low: Vector, out: Vector) -> None:
    """Fast less slow mean of the middles. State, 6 + fast + slow."""
    mean = blank(high)
    for i in range(high.size):
        out[i] = (high[i] + low[i]) / 2.0 if math.isfinite(high[i]) and math.isfinite(low[i]) else NAN
    sma_pass(slow, s[3 + fast :], out, mean)
    sma_pass(fast, s[: 3 + fast], out, out)
    for i in range(high.size):
        out[i] -= mean[i]


@kernel
def awesome(p: Vector, s: Vector, high: Vector, low: Vector, out: Vector) -> None:
    """Williams's awesome oscillator: mean of the middles over p[0] less that over p[1]. State: 6 + p[0] + p[1]."""
    _awesome_pass(int(p[0]), int(p[1]), s, high, low, out)


@kernel
def accelerator(p: Vector, s: Vector, high: Vector, low: Vector, out: Vector) -> None:
    """Williams's accelerator: the awesome oscillator less its mean over p[2]. State: 9 + p[0] + p[1] + p[2]."""
    fast, slow = int(p[0]), int(p[1])
    mean = blank(high)
    _awesome_pass(fast, slow, s[: 6 + fast + slow], high, low, out)
    sma_pass(int(p[2]), s[6 + fast + slow :], out, mean)
    for i in range(high.size):
        out[i] -= mean[i]


@kernel
def ultimate(p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, out: Vector) -> None:
    """Williams's ultimate oscillator over p[0], p[1] and p[2] (TA-Lib ULTOSC): buying pressure weighted 4, 2, 1.

    State: 22 + 2 (p[0] + p[1] + p[2]): true range (2), close before (2), six rolling sums.
    """
    spans, pressure, ratio = blank(close), blank(close), blank(close)
    seen, before = s[2], s[3]
    true_range_pass(s[:2], high, low, close, spans)
    for i in range(close.size):
        out[i] = pressure[i] = NAN
        if is_bar(high[i], low[i], close[i]):
            out[i] = 0.0
            if seen > 0.0:
                pressure[i] = close[i] + larger(-low[i], -before)
            seen, before = 1.0, close[i]
    s[2], s[3] = seen, before
    at, weight = 4, 4.0
    ranges = blank(close)
    for k in range(3):
        period = int(p[k])
        sum_pass(period, s[at : at + 3 + period], pressure, ratio)
        sum_pass(period, s[at + 3 + period : at + 6 + 2 * period], spans, ranges)
        at += 6 + 2 * period
        for i in range(close.size):
            if math.isfinite(ranges[i]):
                out[i] += weight * (ratio[i] / ranges[i]) if ranges[i] > 0.0 else 0.0
            else:
                out[i] = NAN
        weight /= 2.0
    for i in range(close.size):
        out[i] = 100.0 * (out[i] / 7.0)


@kernel
def trix(p: Vector, s: Vector, x: Vector, line: Vector, signal: Vector) -> None:
    """Change in percent, bar by bar, of a triple EMA over p[0] (TA-Lib TRIX); signal its EMA over p[1]. State: 10."""
    period = int(p[0])
    ema_pass(period, 0, s[:2], x, signal)
    ema_pass(period, 0, s[2:4], signal, signal)
    ema_pass(period, 0, s[4:6], signal, signal)
    seen, before = s[6], s[7]
    for i in range(x.size):
        line[i] = NAN
        if math.isfinite(signal[i]):
            if seen > 0.0:
                line[i] = (signal[i] / before - 1.0) * 100.0 if before != 0.0 else 0.0
            seen, before = 1.0, signal[i]
    s[6], s[7] = seen, before
    ema_pass(int(p[1]), 0, s[8:], line, signal)


@kernel
def chande_momentum(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Chande's momentum with Wilder's averages over p[0] (TA-Lib CMO): -100 to 100, 0 where nothing moved. State: 6."""
    period = int(p[0])
    downs = blank(x)
    seen, before = s[0], s[1]
    for i in range(x.size):
        out[i] = downs[i] = NAN
        if math.isfinite(x[i]):
            if seen > 0.0:
                out[i], downs[i] = larger(x[i] - before, 0.0), larger(before - x[i], 0.0)
            seen, before = 1.0, x[i]
    s[0], s[1] = seen, before
    wilder_pass(period, s[2:4], out, out)
    wilder_pass(period, s[4:], downs, downs)
    for i in range(x.size):
        total = out[i] + downs[i]
        if math.isfinite(total):
            out[i] = 100.0 * ((out[i] - downs[i]) / total) if total > 0.0 else 0.0


@kernel
def detrended(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Detrended price over p[0], not centred: the value of p[0] / 2 + 1 bars ago less the mean of the last p[0].

    State: values seen, next place in the ring, ring of p[0] // 2 + 1 values, then 3 + p[0].
    """
    period = int(p[0])
    bars = period // 2 + 1
    seen, place = int(s[0]), int(s[1])
    sma_pass(period, s[2 + bars :], x, out)
    for i in range(x.size):
        if not math.isfinite(x[i]):
            continue
        out[i] = s[2 + place] - out[i] if seen == bars else NAN
        s[2 + place] = x[i]
        place = place + 1 if place + 1 < bars else 0
        seen = seen + 1 if seen < bars else bars
    s[0], s[1] = seen, place


@kernel
def fisher(p: Vector, s: Vector, high: Vector, low: Vector, line: Vector, signal: Vector) -> None:
    """Ehlers's Fisher transform of the middle's place in its range over p[0]; signal is the line one bar before (2002).

    State: smoothed place, line, whether there was a line, then 6 + 2 p[0].
    """
    period = int(p[0])
    value, last, seen = s[0], s[1], s[2]
    middle = blank(high)
    for i in range(high.size):
        middle[i] = (high[i] + low[i]) / 2.0 if math.isfinite(high[i]) and math.isfinite(low[i]) else NAN
    max_pass(period, s[3 : 6 + period], middle, line)
    min_pass(period, s[6 + period :], middle, signal)
    for i in range(high.size):
        span = line[i] - signal[i]
        if not math.isfinite(span):
            line[i] = signal[i] = NAN
            continue
        place = (middle[i] - signal[i]) / span - 0.5 if span > 0.0 else 0.0
        value = 0.66 * place + 0.67 * value
        value = 0.999 if value > 0.999 else (-0.999 if value < -0.999 else value)
        now = 0.5 * math.log((1.0 + value) / (1.0 - value)) + 0.5 * last
        signal[i] = last if seen > 0.0 else NAN
        line[i] = now
        last, seen = now, 1.0
    s[0], s[1], s[2] = value, last, seen


@kernel
def qstick(p: Vector, s: Vector, opening: Vector, close: Vector, out: Vector) -> None:
    """Chande's Qstick: mean of close - open over p[0]. State: 3 + p[0]."""
    for i in range(close.size):
        out[i] = close[i] - opening[i] if math.isfinite(opening[i]) and math.isfinite(close[i]) else NAN
    sma_pass(int(p[0]), s, out, out)


@part
def _cycle_pass(period: int, share: float, s: Vector, x: Vector, out: Vector) -> None:
    """Place in the range of the last values, 0 to 100, smoothed by a share. State, 9 + 2 period.

    In a range of nothing the place stays what it was.
    """
    bottom = blank(x)
    max_pass(period, s[3 : 6 + period], x, out)
    min_pass(period, s[6 + period : 9 + 2 * period], x, bottom)
    seen, place, value = s[0], s[1], s[2]
    for i in range(x.size):
        span = out[i] - bottom[i]
        if not math.isfinite(span):
            out[i] = NAN
            continue
        place = 100.0 * (x[i] - bottom[i]) / span if span > 0.0 else place
        value = value + share * (place - value) if seen > 0.0 else place
        seen = 1.0
        out[i] = value
    s[0], s[1], s[2] = seen, place, value


@kernel
def schaff(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Schaff's trend cycle: the stochastic over p[2] of the stochastic over p[2] of the MACD line of p[0] and p[1].

    Each smoothed by half; 0 to 100 (Schaff 1999). State: 22 + 4 p[2].
    """
    period = int(p[2])
    slow = blank(x)
    _difference_pass(int(p[0]), int(p[1]), s, x, out, slow)
    at = 13 + 2 * period
    _cycle_pass(period, 0.5, s[4:at], out, slow)
    _cycle_pass(period, 0.5, s[at:], slow, out)


@kernel
def vortex(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, plus: Vector, minus: Vector
) -> None:
    """Vortex over p[0]: moves from the low before to the high, and from the high to the low, over true ranges (2010).

    State: high and low before, true range (2), then three rolling sums (3 + p[0] each).
    """
    period = int(p[0])
    spans = blank(close)
    top, bottom = s[0], s[1]
    true_range_pass(s[2:4], high, low, close, spans)
    for i in range(close.size):
        plus[i] = minus[i] = NAN
        if is_bar(high[i], low[i], close[i]):
            if math.isfinite(spans[i]):
                plus[i], minus[i] = abs(high[i] - bottom), abs(low[i] - top)
            top, bottom = high[i], low[i]
    s[0], s[1] = top, bottom
    width = 3 + period
    sum_pass(period, s[4 : 4 + width], spans, spans)
    sum_pass(period, s[4 + width : 4 + 2 * width], plus, plus)
    sum_pass(period, s[4 + 2 * width :], minus, minus)
    for i in range(close.size):
        if math.isfinite(spans[i]):
            plus[i] = plus[i] / spans[i] if spans[i] > 0.0 else 0.0
            minus[i] = minus[i] / spans[i] if spans[i] > 0.0 else 0.0
