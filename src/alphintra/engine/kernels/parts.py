"""What kernels are made of: passes over one column that carry their state in a slice of the kernel's state.

A pass reads a value before it writes the output there, so that it may write over its input.
A pass skips what is unknown (NaN or infinite): its output there is NaN and its state stays. Windows are kept in blocks
as long as the window (van Herk 1992, Gil and Werman 1993): the block before holds the aggregates of its tails, the
present block that of its head, and a window is one tail joined to one head. Nothing is ever taken out of an aggregate,
so nothing that has left a window leaves a trace, and every value costs the same however long the window is.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from alphintra.engine.kernels.marks import Vector, part

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "add_columns",
    "blank",
    "change_pass",
    "deviation_pass",
    "ema_pass",
    "is_bar",
    "larger",
    "max_pass",
    "min_pass",
    "sma_pass",
    "subtract_columns",
    "sum_pass",
    "true_range_pass",
    "typical_pass",
    "units",
    "weighted_pass",
    "wilder_pass",
]

NAN = math.nan
UNITS = 1e6  # prices are multiples of a millionth (kernel.money): in these units their sums are exact integers
ROUNDER = 1.5 * 2.0**52  # adding and taking it away rounds to a whole number, half to even, in two additions
STRIDE = 4096  # bars worked at together: their columns stay in the fastest cache
GRID = 2.0**-50  # a float this close to a whole number of units, relatively, was written as one


@part
def units(value: float) -> float:
    """Return a value in millionths: a whole number where it is one but for the float's last digits."""
    scaled = value * UNITS
    whole = (scaled + ROUNDER) - ROUNDER
    return whole if abs(scaled - whole) <= abs(scaled) * GRID else scaled


@part
def is_bar(high: float, low: float, close: float) -> bool:
    """Tell whether all three prices are known."""
    return math.isfinite(high) and math.isfinite(low) and math.isfinite(close)


@part
def larger(a: float, b: float) -> float:
    """Return the larger of two known values; ``max`` chooses otherwise between zeros of two signs when compiled."""
    return a if a > b else b


@part
def blank(like: Vector) -> Vector:
    """Return a scratch column as long as another one."""
    return np.empty_like(like)


@part
def add_columns(a: Vector, b: Vector, out: Vector) -> None:
    """Add bar by bar; unknown where either is."""
    for i in range(a.size):
        out[i] = a[i] + b[i] if math.isfinite(a[i]) and math.isfinite(b[i]) else NAN


@part
def subtract_columns(a: Vector, b: Vector, out: Vector) -> None:
    """Take b from a bar by bar; unknown where either is."""
    for i in range(a.size):
        out[i] = a[i] - b[i] if math.isfinite(a[i]) and math.isfinite(b[i]) else NAN


@part
def typical_pass(high: Vector, low: Vector, close: Vector, out: Vector) -> None:
    """(high + low + close) / 3, added up in millionths: equal typical prices are equal."""
    for i in range(close.size):
        if is_bar(high[i], low[i], close[i]):
            out[i] = (units(high[i]) + units(low[i]) + units(close[i])) / (3.0 * UNITS)
        else:
            out[i] = NAN


@part
def sma_pass(period: int, s: Vector, x: Vector, out: Vector) -> None:
    """Mean of the last ``period`` values, summed in millionths, where sums of prices are exact.

    State, 3 + period: values seen (at most the period), next place in the block, sum of the head, tails.
    """
    stride = period * (STRIDE // period if period < STRIDE else 1)
    work = np.empty((2, stride if stride < x.size else x.size))
    at = 0
    while at < x.size:
        place, left = int(s[1]), x.size - at
        if place == 0 and s[0] == period and left >= period:
            count = stride if stride < left else left // period * period
            some, means = x[at : at + count], out[at : at + count]
            if not _block_means(period, s, some, means, work):
                _means(period, s, some, means)
        else:
            count = period - place if period - place < left else left
            _means(period, s, x[at : at + count], out[at : at + count])
        at += count


@part
def _means(period: int, s: Vector, x: Vector, out: Vector) -> None:
    """As `sma_pass`, for any values."""
    seen, place, head = int(s[0]), int(s[1]), s[2]
    ring = s[3:]
    scale = UNITS * period
    for i in range(x.size):
        if not math.isfinite(x[i]):
            out[i] = NAN
            continue
        value = units(x[i])
        ring[place] = value
        head += value
        place += 1
        if seen < period:
            seen += 1
        if place == period:
            tail = 0.0
            for k in range(period - 1, -1, -1):
                tail += ring[k]
                ring[k] = tail
            out[i] = tail / scale
            place, head = 0, 0.0
        else:
            out[i] = (head + ring[place]) / scale if seen == period else NAN
    s[0], s[1], s[2] = seen, place, head


@part
def _block_means(period: int, s: Vector, x: Vector, out: Vector, work: NDArray[np.float64]) -> bool:
    """As `_means`, faster, over whole blocks of known values from the beginning of one on, adding up in the same order.

    Returns whether all values are known; else nothing is done.
    """
    fresh, tails, scale, last = work[0, : x.size], work[1, : x.size], UNITS * period, period - 1
    if not _in_units(x, fresh):
        return False
    shape = (x.size // period, period)
    sums = tails.reshape(shape)
    _add_up(fresh.reshape(shape), out.reshape(shape), sums)
    ring, later, before = s[3:], out[period:], tails[1:]
    for k in range(last):
        out[k] = (out[k] + ring[k + 1]) / scale
    for i in range(later.size):  # at the last bar of a block, what is right comes below
        later[i] = (later[i] + before[i]) / scale
    means = out.reshape(shape)
    for block in range(shape[0]):
        means[block, last] = sums[block, 0] / scale
    for k in range(period):
        ring[k] = tails[x.size - period + k]
    return True


@part
def _in_units(x: Vector, fresh: Vector) -> bool:
    """Put values into millionths; tell whether all are known."""
    unknown = 0
    for i in range(x.size):
        is_known = math.isfinite(x[i])
        unknown += 0 if is_known else 1
        fresh[i] = units(x[i] if is_known else 0.0)
    return unknown == 0


@part
def _add_up(values: NDArray[np.float64], heads: NDArray[np.float64], tails: NDArray[np.float64]) -> None:
    """Write of each block, a row, the sums from its first value on and those down to its last."""
    blocks, period = values.shape
    for block in range(blocks):
        total = 0.0
        for k in range(period):
            total += values[block, k]
            heads[block, k] = total
    for block in range(blocks):
        total = 0.0
        for k in range(period - 1, -1, -1):
            total += values[block, k]
            tails[block, k] = total


@part
def sum_pass(period: int, s: Vector, x: Vector, out: Vector) -> None:
    """Sum of the last ``period`` values.

    State, 3 + period: values seen (at most the period), next place in the block, sum of the head, tails.
    """
    seen, place, head = int(s[0]), int(s[1]), s[2]
    ring = s[3:]
    for i in range(x.size):
        value = x[i]
        if not math.isfinite(value):
            out[i] = NAN
            continue
        ring[place] = value
        head += value
        place += 1
        if seen < period:
            seen += 1
        if place == period:
            tail = 0.0
            for k in range(period - 1, -1, -1):
                tail += ring[k]
                ring[k] = tail
            out[i] = tail
            place, head = 0, 0.0
        else:
            out[i] = head + ring[place] if seen == period else NAN
    s[0], s[1], s[2] = seen, place, head


@part
def max_pass(period: int, s: Vector, x: Vector, out: Vector) -> None:
    """Greatest of the last ``period`` values. State as that of `sum_pass`."""
    seen, place, head = int(s[0]), int(s[1]), s[2]
    ring = s[3:]
    if place == 0:
        head = -math.inf
    for i in range(x.size):
        value = x[i]
        if not math.isfinite(value):
            out[i] = NAN
            continue
        ring[place] = value
        head = value if value > head else head
        place += 1
        if seen < period:
            seen += 1
        if place == period:
            tail = head = -math.inf
            for k in range(period - 1, -1, -1):
                tail = ring[k] if ring[k] > tail else tail
                ring[k] = tail
            out[i] = tail
            place = 0
        else:
            tail = ring[place]
            out[i] = (tail if tail > head else head) if seen == period else NAN
    s[0], s[1], s[2] = seen, place, head


@part
def min_pass(period: int, s: Vector, x: Vector, out: Vector) -> None:
    """Least of the last ``period`` values. State as that of `sum_pass`."""
    seen, place, head = int(s[0]), int(s[1]), s[2]
    ring = s[3:]
    if place == 0:
        head = math.inf
    for i in range(x.size):
        value = x[i]
        if not math.isfinite(value):
            out[i] = NAN
            continue
        ring[place] = value
        head = value if value < head else head
        place += 1
        if seen < period:
            seen += 1
        if place == period:
            tail = head = math.inf
            for k in range(period - 1, -1, -1):
                tail = ring[k] if ring[k] < tail else tail
                ring[k] = tail
            out[i] = tail
            place = 0
        else:
            tail = ring[place]
            out[i] = (tail if tail < head else head) if seen == period else NAN
    s[0], s[1], s[2] = seen, place, head


@part
def weighted_pass(period: int, s: Vector, x: Vector, sums: Vector, weighted: Vector) -> None:
    """Sum of the last values, and their sum with weights 1 (oldest) to ``period`` (newest), both in millionths.

    State, 4 + 2 period: values seen, next place, sum and weighted sum of the head, tails of both.
    """
    seen, place, head, heavy = int(s[0]), int(s[1]), s[2], s[3]
    plain, risen = s[4 : 4 + period], s[4 + period :]
    for i in range(x.size):
        if not math.isfinite(x[i]):
            sums[i] = weighted[i] = NAN
            continue
        value = units(x[i])
        plain[place] = value
        place += 1
        head += value
        heavy += place * value
        if seen < period:
            seen += 1
        if place == period:
            tail = leant = 0.0
            for k in range(period - 1, -1, -1):
                tail += plain[k]
                leant += tail
                plain[k], risen[k] = tail, leant
            sums[i], weighted[i] = tail, leant
            place, head, heavy = 0, 0.0, 0.0
        elif seen == period:
            sums[i] = head + plain[place]
            weighted[i] = heavy + (period - place) * head + risen[place]
        else:
            sums[i] = weighted[i] = NAN
    s[0], s[1], s[2], s[3] = seen, place, head, heavy


@part
def deviation_pass(period: int, s: Vector, x: Vector, means: Vector, squares: Vector) -> None:
    """Mean of the last ``period`` values and the sum of their squared distances from it (Chan, Golub, LeVeque 1983).

    State, 4 + 2 period: values seen, next place, mean and squares of the head, tails of both.
    """
    seen, place, mean, square = int(s[0]), int(s[1]), s[2], s[3]
    centre, spread = s[4 : 4 + period], s[4 + period :]
    for i in range(x.size):
        value = x[i]
        if not math.isfinite(value):
            means[i] = squares[i] = NAN
            continue
        centre[place] = value
        place += 1
        step = value - mean
        mean += step / place
        square += step * (value - mean)
        if seen < period:
            seen += 1
        if place == period:
            middle = wide = 0.0
            for k in range(period - 1, -1, -1):
                away = centre[k] - middle
                middle += away / (period - k)
                wide += away * (centre[k] - middle)
                centre[k], spread[k] = middle, wide
            means[i], squares[i] = middle, wide
            place, mean, square = 0, 0.0, 0.0
        elif seen == period:
            away = mean - centre[place]
            means[i] = centre[place] + away * place / period
            squares[i] = square + spread[place] + away * away * place * (period - place) / period
        else:
            means[i] = squares[i] = NAN
    s[0], s[1], s[2], s[3] = seen, place, mean, square


@part
def ema_pass(period: int, skip: int, s: Vector, x: Vector, out: Vector) -> None:
    """Exponential average, alpha 2 / (period + 1), seeded with the mean of ``period`` values after the first ``skip``.

    State, 2: values seen (at most skip + period), sum of the seed and then the average.
    """
    seen, value = int(s[0]), s[1]
    alpha = 2.0 / (period + 1)
    ready = skip + period
    for i in range(x.size):
        if not math.isfinite(x[i]):
            out[i] = NAN
        elif seen == ready:
            value += (x[i] - value) * alpha
            out[i] = value
        else:
            seen += 1
            if seen > skip:
                value += x[i]
            if seen == ready:
                value /= period
            out[i] = value if seen == ready else NAN
    s[0], s[1] = seen, value


@part
def wilder_pass(period: int, s: Vector, x: Vector, out: Vector) -> None:
    """Wilder's average, alpha 1 / period, seeded with the mean of the first ``period`` values.

    State, 2: values seen (at most the period), sum of the seed and then the average.
    """
    seen, value = int(s[0]), s[1]
    alpha = 1.0 / period
    for i in range(x.size):
        if not math.isfinite(x[i]):
            out[i] = NAN
        elif seen == period:
            value += (x[i] - value) * alpha
            out[i] = value
        else:
            seen += 1
            value += x[i]
            if seen == period:
                value /= period
            out[i] = value if seen == period else NAN
    s[0], s[1] = seen, value


@part
def change_pass(s: Vector, x: Vector, out: Vector) -> None:
    """The value less the one before. State, 2: whether there was one, which."""
    seen, before = s[0], s[1]
    for i in range(x.size):
        value = x[i]
        if not math.isfinite(value):
            out[i] = NAN
            continue
        out[i] = value - before if seen > 0.0 else NAN
        seen, before = 1.0, value
    s[0], s[1] = seen, before


@part
def true_range_pass(s: Vector, high: Vector, low: Vector, close: Vector, out: Vector) -> None:
    """Wilder's true range; unknown at the first bar, which has no close before it (TA-Lib). State as `change_pass`."""
    unknown = 0
    for i in range(close.size):
        unknown += 0 if is_bar(high[i], low[i], close[i]) else 1
    if unknown > 0 or s[0] == 0.0 or close.size == 0:
        _true_ranges(s, high, low, close, out)
        return
    first = s[1]
    out[0] = larger(high[0] - low[0], larger(abs(high[0] - first), abs(low[0] - first)))
    before, highs, lows, later = close[:-1], high[1:], low[1:], out[1:]
    for i in range(later.size):
        later[i] = larger(highs[i] - lows[i], larger(abs(highs[i] - before[i]), abs(lows[i] - before[i])))
    s[1] = close[-1]


@part
def _true_ranges(s: Vector, high: Vector, low: Vector, close: Vector, out: Vector) -> None:
    """As `true_range_pass`, among unknown values."""
    seen, before = s[0], s[1]
    for i in range(close.size):
        if not is_bar(high[i], low[i], close[i]):
            out[i] = NAN
            continue
        if seen > 0.0:
            out[i] = larger(high[i] - low[i], larger(abs(high[i] - before), abs(low[i] - before)))
        else:
            out[i] = NAN
        seen, before = 1.0, close[i]
    s[0], s[1] = seen, before
