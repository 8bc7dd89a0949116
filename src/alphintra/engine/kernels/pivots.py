"""Turning points, known only once bars after them have confirmed them: nothing here ever looks ahead or repaints.

A pivot is a value that no value before it reaches, over ``left`` bars, and none after it passes, over ``right`` bars.
It is told at the bar that confirms it, ``right`` bars late.
"""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel, part
from alphintra.engine.kernels.parts import is_bar

__all__ = ["divergence", "levels", "pivots"]

NAN = math.nan


@part
def _enter_ring(size: int, s: Vector, value: float) -> None:
    """Put a value into a ring. State, 2 + size: values seen (at most the size), place of the newest, ring."""
    place = int(s[1]) + 1 if s[0] > 0.0 and int(s[1]) + 1 < size else 0
    s[2 + place] = value
    s[1] = place
    s[0] = s[0] + 1.0 if s[0] < size else s[0]


@part
def _aged(size: int, s: Vector, age: int) -> float:
    """Return the value that many entries ago."""
    at = int(s[1]) - age
    value: float = s[2 + (at if at >= 0 else at + size)]
    return value


@part
def _is_peak(left: int, right: int, side: float, s: Vector) -> bool:
    """Tell whether the value ``right`` entries ago is a pivot: a high for side 1, a low for -1."""
    size = left + right + 1
    if s[0] < size:
        return False
    value = side * _aged(size, s, right)
    for age in range(size):
        other = side * _aged(size, s, age)
        if (age < right and other > value) or (age > right and other >= value):
            return False
    return True


@kernel
def pivots(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector,
    s: Vector,
    high: Vector,
    low: Vector,
    top: Vector,
    bottom: Vector,
    new_top: Vector,
    new_bottom: Vector,
) -> None:
    """Price of the last confirmed pivot high and low, and events at the bars that confirm them.

    p: bars before, bars after. State: whether there is a high, which, the same for the low, two rings of
    3 + p[0] + p[1] each.
    """
    left, right = int(p[0]), int(p[1])
    size = left + right + 1
    highs, lows = s[4 : 6 + size], s[6 + size : 8 + 2 * size]
    for i in range(high.size):
        top[i] = bottom[i] = new_top[i] = new_bottom[i] = NAN
        if not (math.isfinite(high[i]) and math.isfinite(low[i])):
            continue
        _enter_ring(size, highs, high[i])
        _enter_ring(size, lows, low[i])
        new_top[i] = new_bottom[i] = 0.0
        if _is_peak(left, right, 1.0, highs):
            new_top[i], s[0], s[1] = 1.0, 1.0, _aged(size, highs, right)
        if _is_peak(left, right, -1.0, lows):
            new_bottom[i], s[2], s[3] = 1.0, 1.0, _aged(size, lows, right)
        top[i] = s[1] if s[0] > 0.0 else NAN
        bottom[i] = s[3] if s[2] > 0.0 else NAN


@part
def _nearest(kept: int, side: float, s: Vector, close: float) -> float:
    """Return the kept level nearest to the close on one side of it, unknown if there is none."""
    found = NAN
    for k in range(int(s[0])):
        level = s[2 + k]
        if side * (level - close) >= 0.0 and (math.isnan(found) or side * (found - level) > 0.0):
            found = level
    return found


@kernel
def levels(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector,
    s: Vector,
    high: Vector,
    low: Vector,
    close: Vector,
    support: Vector,
    resistance: Vector,
    at_support: Vector,
    at_resistance: Vector,
) -> None:
    """The nearest of the last p[2] pivot lows and highs below (support) and above the close (resistance).

    A broken resistance is a support from then on, and the other way round. at_support and at_resistance tell whether
    the close is within p[3] percent of them.
    State: two rings of bars (3 + p[0] + p[1] each), then 2 + p[2] for the levels.
    """
    left, right, kept = int(p[0]), int(p[1]), int(p[2])
    size = left + right + 1
    highs, lows, found = s[: 2 + size], s[2 + size : 4 + 2 * size], s[4 + 2 * size :]
    for i in range(close.size):
        support[i] = resistance[i] = at_support[i] = at_resistance[i] = NAN
        if not is_bar(high[i], low[i], close[i]):
            continue
        _enter_ring(size, highs, high[i])
        _enter_ring(size, lows, low[i])
        if _is_peak(left, right, 1.0, highs):
            _enter_ring(kept, found, _aged(size, highs, right))
        if _is_peak(left, right, -1.0, lows):
            _enter_ring(kept, found, _aged(size, lows, right))
        if found[0] == 0.0:
            continue
        reach = abs(close[i]) * p[3] / 100.0
        support[i] = _nearest(kept, -1.0, found, close[i])
        resistance[i] = _nearest(kept, 1.0, found, close[i])
        at_support[i] = 1.0 if close[i] - support[i] <= reach else 0.0
        at_resistance[i] = 1.0 if resistance[i] - close[i] <= reach else 0.0


@kernel
def divergence(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector,
    s: Vector,
    price: Vector,
    oscillator: Vector,
    bullish: Vector,
    bearish: Vector,
    hidden_bullish: Vector,
    hidden_bearish: Vector,
) -> None:
    """Events where price and oscillator disagree between two pivots of the price at most p[2] bars apart.

    Bullish: a lower low with a higher oscillator, hidden: a higher low with a lower one; bearish: a higher high with a
    lower oscillator, hidden: a lower high with a higher one. Told at the bar that confirms the second pivot.
    p: bars before, bars after, bars between pivots. State: for lows, then highs, whether there was a pivot, its price,
    its oscillator, bars since; then two rings (3 + p[0] + p[1] each).
    """
    left, right = int(p[0]), int(p[1])
    size = left + right + 1
    prices, swings = s[8 : 10 + size], s[10 + size : 12 + 2 * size]
    for i in range(price.size):
        bullish[i] = bearish[i] = hidden_bullish[i] = hidden_bearish[i] = NAN
        if not (math.isfinite(price[i]) and math.isfinite(oscillator[i])):
            continue
        _enter_ring(size, prices, price[i])
        _enter_ring(size, swings, oscillator[i])
        swing = _aged(size, swings, right) if prices[0] == size else 0.0
        plain, hidden = _disagrees(left, right, p[2], -1.0, s[:4], prices, swing)
        bullish[i], hidden_bullish[i] = plain, hidden
        plain, hidden = _disagrees(left, right, p[2], 1.0, s[4:8], prices, swing)
        bearish[i], hidden_bearish[i] = plain, hidden


@part
def _disagrees(  # noqa: PLR0913 - a pivot and the one before it
    left: int, right: int, most: float, side: float, last: Vector, prices: Vector, swing: float
) -> tuple[float, float]:
    """Return whether a pivot confirmed now diverges from the one before it, plainly and hidden, and keep it."""
    plain = hidden = 0.0
    last[3] = last[3] + 1.0 if last[3] <= most else last[3]
    if _is_peak(left, right, side, prices):
        price = _aged(left + right + 1, prices, right)
        if last[0] > 0.0 and last[3] <= most:
            ahead, behind = side * (price - last[1]), side * (swing - last[2])
            plain = 1.0 if ahead > 0.0 and behind < 0.0 else 0.0
            hidden = 1.0 if ahead < 0.0 and behind > 0.0 else 0.0
        last[0], last[1], last[2], last[3] = 1.0, price, swing, 0.0
    return plain, hidden
