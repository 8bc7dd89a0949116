"""Parts that reckon with whole numbers beyond what one float holds: products are taken in two, and rounded once."""

from __future__ import annotations

from typing import Final

import numpy as np

from alphintra.engine.kernels.marks import part

__all__ = ["is_within", "over", "product"]

SPLITTER: Final = 134217729.0  # 2^27 + 1: cuts a float into two halves whose products are exact (Dekker)


@part
def product(a: float, b: float) -> tuple[float, float]:
    """Return a product and what its rounding lost: together it, exactly."""
    whole = a * b
    cut = SPLITTER * a
    a_high = cut - (cut - a)
    a_low = a - a_high
    cut = SPLITTER * b
    b_high = cut - (cut - b)
    b_low = b - b_high
    return whole, a_low * b_low - (((whole - a_high * b_high) - a_low * b_high) - a_high * b_low)


@part
def over(a: float, b: float, c: float, d: float, by: float) -> float:
    """Return (a * b + c * d) / by for whole numbers, rounded half to even."""
    first, lost = product(a, b)
    second, lost_too = product(c, d)
    total = first + second
    back = total - first
    lost = ((first - (total - back)) + (second - back)) + (lost + lost_too)
    found = float(np.rint(total / by))
    taken, rest = product(found, by)
    left = ((total - taken) - rest) + lost
    half = by / 2.0
    while left > half or (left == half and found % 2.0 == 1.0):
        found += 1.0
        left -= by
    while left < -half or (left == -half and found % 2.0 == 1.0):
        found -= 1.0
        left += by
    return found


@part
def is_within(a: float, b: float, c: float, d: float) -> bool:
    """Tell whether a * b <= c * d for whole numbers."""
    first, lost = product(a, b)
    second, lost_too = product(c, d)
    return (first - second) + (lost - lost_too) <= 0.0
