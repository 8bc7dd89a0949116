"""Amounts as the account kernel reckons them: prices, values and fees in its units, rounded once where that is asked.

The parameters are those of ``account.kernel``; a product too large to be exact sets its mark.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from alphintra.engine.kernels.exact import over
from alphintra.engine.kernels.marks import Vector, part

__all__ = ["fee_of", "in_units", "level_of", "lost_by", "moved_by", "value_of"]

NAN: Final = math.nan
EXACT_MAX: Final = 2.0**53
BILLION: Final = 1e9
BPS_NANO: Final = 1e13  # ten thousand bps, in billionths of one

SCALE, IS_EXACT, UNIT, LOT_NANO = 0, 1, 2, 3
SLIP, FEE_BPS, FEE_UNIT, FEE_MIN = 4, 5, 6, 7
INEXACT: Final = 11  # of the state


@part
def in_units(value: float, scale: float) -> float:
    """Return a price in the account's units: millionths, or as it is where the scale is one."""
    return value if scale == 1.0 else float(np.rint(value * scale))


@part
def lost_by(value: float, price: float, scale: float) -> float:
    """Return what a price of more than six decimals lost by its rounding, beyond the float's own error."""
    return abs(value * scale - price) - price * 1e-15


@part
def level_of(p: Vector, value: float) -> float:
    """Return a price or distance a node computed, rounded; NaN where it is unknown or nothing is left of it."""
    if not math.isfinite(value):
        return NAN
    scaled = value * p[SCALE]
    if p[IS_EXACT] != 0.0:
        scaled = np.rint(scaled)
    return float(scaled if scaled > 0.0 else NAN)


@part
def value_of(p: Vector, s: Vector, lots: float, price: float) -> float:
    """Return what lots are worth at a price."""
    if p[UNIT] != 0.0:
        worth = lots * p[UNIT] * price
    else:
        nano = lots * p[LOT_NANO]
        if abs(nano) > EXACT_MAX:
            s[INEXACT] = 1.0
        worth = over(nano, price, 0.0, 0.0, BILLION)
    if p[IS_EXACT] != 0.0 and not abs(worth) <= EXACT_MAX:
        s[INEXACT] = 1.0
    return float(worth)


@part
def moved_by(p: Vector, price: float, share: float, base: float) -> float:
    """Return a price moved by a share of a base, both in billionths; rounded."""
    if share == 0.0:
        return float(price)
    if p[IS_EXACT] == 0.0:
        return float(price * (1.0 + share / base))
    return over(price, base + share, 0.0, 0.0, base)


@part
def fee_of(p: Vector, s: Vector, lots: float, worth: float) -> float:
    """Return the fee of a fill: the larger of the least and commission plus fee by unit."""
    if p[IS_EXACT] == 0.0:
        return float(max(p[FEE_MIN], worth * (p[FEE_BPS] / BPS_NANO) + p[FEE_UNIT] * 1e-9 * lots))
    if p[FEE_BPS] == 0.0 and p[FEE_UNIT] == 0.0:
        return float(p[FEE_MIN])
    nano = lots * p[LOT_NANO]
    if nano > EXACT_MAX:
        s[INEXACT] = 1.0
    return float(max(p[FEE_MIN], over(worth, p[FEE_BPS], p[FEE_UNIT] * 10.0, nano, BPS_NANO)))
