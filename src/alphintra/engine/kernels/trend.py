"""Trend: which way, how strongly, and where it would turn."""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel, part
from alphintra.engine.kernels.parts import blank, is_bar, max_pass, min_pass, sum_pass, true_range_pass, wilder_pass

__all__ = [
    "adx",
    "aroon",
    "efficiency",
    "heikin_ashi",
    "ichimoku",
    "mid_price",
    "parabolic_sar",
    "supertrend",
    "trend_intensity",
    "vertical_horizontal",
]

NAN = math.nan


@kernel
def adx(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, line: Vector, plus: Vector, minus: Vector
) -> None:
    """Wilder's directional movement over p[0]: ADX, +DI and -DI (TA-Lib ADX, PLUS_DI, MINUS_DI).

    State: bars seen (at most p[0] + 1), high, low and close before, three sums, directional indices seen, ADX.
    """
    period = int(p[0])
    seen, top, bottom, before = int(s[0]), s[1], s[2], s[3]
    ups, downs, spans, count, strength = s[4], s[5], s[6], int(s[7]), s[8]
    for i in range(close.size):
        line[i] = plus[i] = minus[i] = NAN
        if not is_bar(high[i], low[i], close[i]):
            continue
        if seen > 0:
            up, down = _directional(high[i] - top, bottom - low[i])
            span = _span(high[i], low[i], before)
            if seen >= period:
                ups, downs, spans = ups - ups / period, downs - downs / period, spans - spans / period
            ups, downs, spans = ups + up, downs + down, spans + span
        seen = min(seen + 1, period + 1)
        top, bottom, before = high[i], low[i], close[i]
        if seen <= period:
            continue
        plus[i] = 100.0 * (ups / spans) if spans > 0.0 else 0.0
        minus[i] = 100.0 * (downs / spans) if spans > 0.0 else 0.0
        both = plus[i] + minus[i]
        if both > 0.0:
            index = 100.0 * (abs(minus[i] - plus[i]) / both)
            if count < period:
                count += 1
                strength += index / period
            else:
                strength = (strength * (period - 1) + index) / period
        line[i] = strength if count == period else NAN
    s[0], s[1], s[2], s[3] = seen, top, bottom, before
    s[4], s[5], s[6], s[7], s[8] = ups, downs, spans, count, strength


@part
def _directional(up: float, down: float) -> tuple[float, float]:
    """Return +DM and -DM: the larger of the two moves, the other is none."""
    if down > 0.0 and up < down:
        return 0.0, down
    return (up, 0.0) if up > 0.0 and up > down else (0.0, 0.0)


@part
def _span(high: float, low: float, before: float) -> float:
    """Return the true range of a bar after a close."""
    return (high if high > before else before) - (low if low < before else before)


@kernel
def aroon(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, up: Vector, down: Vector, oscillator: Vector
) -> None:
    """Chande's Aroon over p[0] (TA-Lib AROON, AROONOSC): 100 at a new high or low, 0 at one p[0] bars old.

    State: bars seen, next place in the ring, bars since the high, bars since the low, rings of p[0] + 1 highs and lows.
    """
    period = int(p[0])
    size = period + 1
    seen, place, top, bottom = int(s[0]), int(s[1]), int(s[2]), int(s[3])
    highs, lows = s[4 : 4 + size], s[4 + size :]
    for i in range(high.size):
        if not (math.isfinite(high[i]) and math.isfinite(low[i])):
            up[i] = down[i] = oscillator[i] = NAN
            continue
        highs[place], lows[place] = high[i], -low[i]
        seen = min(seen + 1, size)
        top = _since_greatest(top + 1, seen, place, size, highs)
        bottom = _since_greatest(bottom + 1, seen, place, size, lows)
        place = place + 1 if place + 1 < size else 0
        up[i] = 100.0 * (period - top) / period if seen == size else NAN
        down[i] = 100.0 * (period - bottom) / period if seen == size else NAN
        oscillator[i] = up[i] - down[i]
    s[0], s[1], s[2], s[3] = seen, place, top, bottom


@part
def _since_greatest(since: int, seen: int, place: int, size: int, ring: Vector) -> int:
    """Return how long ago the greatest of the ring was, the latest of equals; ``since``: how old the last is now."""
    if seen == 1 or (since < seen and ring[place] >= ring[place - since if place >= since else place - since + size]):
        return 0
    if since < seen:
        return since
    best = 0
    for age in range(1, seen):
        at = place - age if place >= age else place - age + size
        here = place - best if place >= best else place - best + size
        if ring[at] > ring[here]:
            best = age
    return best


@kernel
def supertrend(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, line: Vector, direction: Vector
) -> None:
    """Seban's SuperTrend: a band p[1] average true ranges over p[0] from the middle, which only tightens until crossed.

    direction is 1 above the band and -1 below it. State: ATR (4), whether there was a band, upper, lower, close before,
    direction.
    """
    true_range_pass(s[:2], high, low, close, line)
    wilder_pass(int(p[0]), s[2:4], line, line)
    seen, upper, lower, before, side = s[4], s[5], s[6], s[7], s[8]
    for i in range(close.size):
        if not math.isfinite(line[i]):
            direction[i] = NAN
            continue
        middle, wide = (high[i] + low[i]) / 2.0, p[1] * line[i]
        top, bottom = middle + wide, middle - wide
        if seen > 0.0:
            upper = top if top < upper or before > upper else upper
            lower = bottom if bottom > lower or before < lower else lower
            if side < 0.0:
                side = 1.0 if close[i] > upper else -1.0
            else:
                side = -1.0 if close[i] < lower else 1.0
        else:
            seen, upper, lower = 1.0, top, bottom
            side = 1.0 if close[i] > middle else -1.0
        before = close[i]
        line[i] = lower if side > 0.0 else upper
        direction[i] = side
    s[4], s[5], s[6], s[7], s[8] = seen, upper, lower, before, side


@kernel
def parabolic_sar(p: Vector, s: Vector, high: Vector, low: Vector, out: Vector) -> None:
    """Wilder's parabolic stop and reverse (TA-Lib SAR): acceleration p[0] a step, at most p[1].

    State: bars seen, whether long, stop, extreme, acceleration, high and low before.
    """
    step, most = min(p[0], p[1]), p[1]
    seen, side, stop, extreme, pace, top, bottom = s[0], s[1], s[2], s[3], s[4], s[5], s[6]
    for i in range(high.size):
        if not (math.isfinite(high[i]) and math.isfinite(low[i])):
            out[i] = NAN
            continue
        out[i] = NAN
        if seen == 1.0:
            # Worked upside down while short: the lows are then highs below zero.
            side = -1.0 if bottom - low[i] > 0.0 and bottom - low[i] > high[i] - top else 1.0
            extreme = high[i] if side > 0.0 else -low[i]
            stop = bottom if side > 0.0 else -top
            pace = step
        if seen >= 1.0:
            peak, trough = (high[i], low[i]) if side > 0.0 else (-low[i], -high[i])
            past = bottom if side > 0.0 else -top
            if seen == 1.0:
                past = trough
            if trough <= stop:
                crown = -(top if side > 0.0 else -bottom) if seen > 1.0 else -peak
                stop = _smaller(-extreme, _smaller(crown, -peak))
                out[i] = -side * stop
                side, pace, extreme = -side, step, -trough
                stop = _smaller(stop + pace * (extreme - stop), _smaller(crown, -peak))
            else:
                out[i] = side * stop
                if peak > extreme:
                    extreme, pace = peak, _smaller(pace + step, most)
                stop = _smaller(stop + pace * (extreme - stop), _smaller(past, trough))
        seen = seen + 1.0 if seen < 2.0 else 2.0
        top, bottom = high[i], low[i]
    s[0], s[1], s[2], s[3], s[4], s[5], s[6] = seen, side, stop, extreme, pace, top, bottom


@part
def _smaller(a: float, b: float) -> float:
    """Return the smaller of two known values."""
    return a if a < b else b


@part
def _middle_pass(period: int, s: Vector, high: Vector, low: Vector, out: Vector) -> None:
    """Middle between the greatest high and the least low. State, 6 + 2 period."""
    bottom = blank(high)
    for i in range(high.size):
        is_known = math.isfinite(high[i]) and math.isfinite(low[i])
        out[i] = high[i] if is_known else NAN
        bottom[i] = low[i] if is_known else NAN
    max_pass(period, s[: 3 + period], out, out)
    min_pass(period, s[3 + period : 6 + 2 * period], bottom, bottom)
    for i in range(high.size):
        out[i] = (out[i] + bottom[i]) / 2.0


@kernel
def mid_price(p: Vector, s: Vector, high: Vector, low: Vector, out: Vector) -> None:
    """Middle between the greatest high and the least low of p[0] bars (TA-Lib MIDPRICE). State: 6 + 2 p[0]."""
    _middle_pass(int(p[0]), s, high, low, out)


@part
def _delay_pass(bars: int, s: Vector, x: Vector) -> None:
    """Replace each known value by that of some known values before. State, 2 + bars: seen, next place, ring."""
    seen, place = int(s[0]), int(s[1])
    for i in range(x.size):
        if math.isfinite(x[i]):
            was, s[2 + place] = s[2 + place], x[i]
            x[i] = was if seen == bars else NAN
            place = place + 1 if place + 1 < bars else 0
            seen = min(seen + 1, bars)
    s[0], s[1] = seen, place


@kernel
def ichimoku(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, conversion: Vector, base: Vector, span_a: Vector, span_b: Vector
) -> None:
    """Hosoda's Ichimoku as it stands over this bar: middles over p[0] (conversion), p[1] (base), p[2] (span B).

    The spans are those computed p[3] bars ago and drawn forward to this bar: nothing is read from the future, and the
    lagging line, which is the close itself, is left out.
    State: 22 + 2 (p[0] + p[1] + p[2] + p[3]).
    """
    fast, middle, slow, bars = int(p[0]), int(p[1]), int(p[2]), int(p[3])
    a = 6 + 2 * fast
    b = a + 6 + 2 * middle
    c = b + 6 + 2 * slow
    _middle_pass(fast, s[:a], high, low, conversion)
    _middle_pass(middle, s[a:b], high, low, base)
    _middle_pass(slow, s[b:c], high, low, span_b)
    for i in range(high.size):
        span_a[i] = (conversion[i] + base[i]) / 2.0
    _delay_pass(bars, s[c : c + 2 + bars], span_a)
    _delay_pass(bars, s[c + 2 + bars :], span_b)


@kernel
def heikin_ashi(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector,
    s: Vector,
    opening: Vector,
    high: Vector,
    low: Vector,
    close: Vector,
    ha_open: Vector,
    ha_high: Vector,
    ha_low: Vector,
    ha_close: Vector,
) -> None:
    """Heikin-Ashi bars (Valcu 2004): close is the bar's mean, open the middle of the body before.

    The first open is the middle of the first body. State: whether there was a bar, its open, its close.
    """
    seen, first, last = s[0], s[1], s[2]
    for i in range(close.size):
        if not (is_bar(high[i], low[i], close[i]) and math.isfinite(opening[i])):
            ha_open[i] = ha_high[i] = ha_low[i] = ha_close[i] = NAN
            continue
        begin = (first + last) / 2.0 if seen > 0.0 else (opening[i] + close[i]) / 2.0
        end = (opening[i] + high[i] + low[i] + close[i]) / 4.0
        top, bottom = (begin, end) if begin > end else (end, begin)
        ha_open[i], ha_close[i] = begin, end
        ha_high[i] = high[i] if high[i] > top else top
        ha_low[i] = low[i] if low[i] < bottom else bottom
        seen, first, last = 1.0, begin, end
    s[0], s[1], s[2] = seen, first, last


@part
def _moves_pass(s: Vector, x: Vector, out: Vector) -> None:
    """Size of each move. State, 2: whether there was a value, which."""
    seen, before = s[0], s[1]
    for i in range(x.size):
        if math.isfinite(x[i]):
            out[i] = abs(x[i] - before) if seen > 0.0 else NAN
            seen, before = 1.0, x[i]
        else:
            out[i] = NAN
    s[0], s[1] = seen, before


@kernel
def efficiency(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Kaufman's efficiency ratio over p[0]: how much of the way travelled was progress, 0 to 1, and 1 where none was.

    State: 2, then 3 + p[0], then seen, next place, ring of p[0] values.
    """
    period = int(p[0])
    tail = s[5 + period :]
    seen, place = int(tail[0]), int(tail[1])
    _moves_pass(s[:2], x, out)
    sum_pass(period, s[2 : 5 + period], out, out)
    for i in range(x.size):
        if math.isfinite(x[i]):
            way = abs(x[i] - tail[2 + place])
            if seen == period:
                out[i] = way / out[i] if out[i] > way else 1.0
            tail[2 + place] = x[i]
            place = place + 1 if place + 1 < period else 0
            seen = min(seen + 1, period)
    tail[0], tail[1] = seen, place


@kernel
def vertical_horizontal(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """White's vertical horizontal filter: range of the last p[0] values over the way travelled in as many moves (1991).

    0 where nothing moved. State: 11 + 3 p[0].
    """
    period = int(p[0])
    top, bottom = blank(x), blank(x)
    max_pass(period, s[: 3 + period], x, top)
    min_pass(period, s[3 + period : 6 + 2 * period], x, bottom)
    _moves_pass(s[6 + 2 * period : 8 + 2 * period], x, out)
    sum_pass(period, s[8 + 2 * period :], out, out)
    for i in range(x.size):
        if math.isfinite(out[i]):
            out[i] = (top[i] - bottom[i]) / out[i] if out[i] > 0.0 else 0.0


@kernel
def trend_intensity(p: Vector, s: Vector, x: Vector, average: Vector, out: Vector) -> None:
    """Share, in percent, of the last p[0] values that lay above an average (Pee's trend intensity). State: 3 + p[0]."""
    for i in range(x.size):
        above = 1.0 if x[i] > average[i] else 0.0
        out[i] = above if math.isfinite(x[i]) and math.isfinite(average[i]) else NAN
    sum_pass(int(p[0]), s, out, out)
    for i in range(x.size):
        out[i] = 100.0 * out[i] / p[0]
