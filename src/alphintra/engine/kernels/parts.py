"""What kernels are made of: passes over one column that carry their state in a slice of the kernel's state.

A pass reads a value before it writes the output there, so that it may write over its input.
A pass skips what is unknown (NaN or infinite): its output there is NaN and its state stays. Windows are kept in blocks
as long as the window (van Herk 1992, Gil and Werman 1993): the block before holds the aggregates of its tails, the
present block that of its head, and a window is one tail joined to one head. Nothing is ever taken out of an aggregate,
so nothing that has left a window leaves a trace, and every value costs the same however long the window is.
"""

from __future__ import annotations

import math

import numpy as np

from alphintra.engine.kernels.marks import Vector, part

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
EXACT = 2.0**51  # whole numbers to twice this size, and their differences, lose nothing
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
    work = np.empty(period + min(x.size, STRIDE))
    for start in range(0, x.size, STRIDE):
        end = min(start + STRIDE, x.size)
        if not (end - start >= period and _whole_means(period, s, x[start:end], out[start:end], work)):
            _means(period, s, x[start:end], out[start:end])


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
def _whole_means(period: int, s: Vector, x: Vector, out: Vector, work: Vector) -> bool:
    """As `sma_pass`, faster, where all values are known and whole millionths of sums that a float64 holds exactly.

    Exact sums are equal however they are added up, so that this leaves the same bits in the outputs and in the state.
    Returns whether the values were so; else nothing is done.
    """
    if s[0] < period:
        return False
    fresh = work[period : period + x.size]
    if not (_all_whole(x, EXACT / period, fresh) and _unfold(period, s, work)):
        return False
    total, scale = s[2] + s[3 + int(s[1])], UNITS * period
    for i in range(x.size):
        total += fresh[i] - work[i]
        out[i] = total
    for i in range(x.size):
        out[i] /= scale
    _fold(period, s, work, x.size)
    return True


@part
def _all_whole(x: Vector, most: float, fresh: Vector) -> bool:
    """Put values into millionths and tell whether all are whole numbers of at most some size."""
    unfit = 0
    for i in range(x.size):
        scaled = x[i] * UNITS
        whole = (scaled + ROUNDER) - ROUNDER
        fresh[i] = whole
        is_fit = math.isfinite(scaled) and abs(scaled - whole) <= abs(scaled) * GRID and abs(whole) <= most
        unfit += 0 if is_fit else 1
    return unfit == 0


@part
def _unfold(period: int, s: Vector, work: Vector) -> bool:
    """Write the window from its oldest value on; tell whether all sums it is kept in are whole and exact."""
    place, ring = int(s[1]), s[3:]
    unfit = 0
    for k in range(period):
        tail = ring[k]
        unfit += 0 if abs(tail) <= EXACT and (tail + ROUNDER) - ROUNDER == tail else 1
        at = place + k
        if at < period:
            work[k] = ring[at] - ring[at + 1] if at + 1 < period else ring[at]
        else:
            work[k] = ring[at - period]
    return unfit == 0


@part
def _fold(period: int, s: Vector, work: Vector, count: int) -> None:
    """Keep the last values of a window that has moved on by at least its length, as adding them one by one would."""
    place = (int(s[1]) + count) % period
    ring, begun = s[3:], count + period - place
    head, tail = 0.0, 0.0
    for k in range(place):
        ring[k] = work[begun + k]
        head += ring[k]
    for k in range(period - 1, -1, -1):
        tail += work[begun - period + k]
        if k >= place:
            ring[k] = tail
    s[1], s[2] = place, head


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
