"""Kernels over a window of the last values; an unknown value is passed over and takes no place in the window."""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel, part

__all__ = ["shift", "sma"]

NAN = math.nan
UNITS = 1e6  # prices are multiples of a millionth (kernel.money): in these units their sums are exact integers
ROUNDER = 1.5 * 2.0**52  # adding and taking it away rounds to a whole number, half to even, in two additions
GRID = 2.0**-50  # a float this close to a whole number of units, relatively, was written as one


@part
def _units(value: float) -> float:
    """Return a value in millionths: a whole number where it is one but for the float's last digits."""
    scaled = value * UNITS
    whole = (scaled + ROUNDER) - ROUNDER
    return whole if abs(scaled - whole) <= abs(scaled) * GRID else scaled


@kernel
def sma(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Simple moving average over p[0] values.

    Summed in millionths, where sums of prices are exact and equal averages are equal; what other values lose in a sum
    is kept beside it (Knuth's two-sum), so that nothing that has left the window leaves a trace.
    State: values seen (at most the period), next place in the ring, sum, lost digits, ring.
    """
    period = int(p[0])
    seen, place, total, lost = int(s[0]), int(s[1]), s[2], s[3]
    ring = s[4:]
    scale = UNITS * period
    for i in range(x.size):
        value = x[i]
        if not math.isfinite(value):
            out[i] = NAN
            continue
        new, old = _units(value), ring[place]
        ring[place] = new
        place += 1
        if place == period:
            place = 0
        change = new - old
        back = change - new
        lost += (new - (change - back)) - (old + back)
        after = total + change
        back = after - total
        lost += (total - (after - back)) + (change - back)
        total = after
        if seen < period:
            seen += 1
        out[i] = (total + lost) / scale if seen == period else NAN
    s[0], s[1], s[2], s[3] = seen, place, total, lost


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
