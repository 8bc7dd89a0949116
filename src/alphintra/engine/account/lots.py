"""How many lots an entry of the account kernel orders."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from alphintra.engine.kernels.amounts import EXACT_MAX, INEXACT, IS_EXACT, LOT_NANO, level_of
from alphintra.engine.kernels.exact import is_within
from alphintra.engine.kernels.kernel import Vector, part

__all__ = ["ALL_CASH", "PERCENT_NANO", "SIZE_KIND", "SIZE_MOST", "SIZE_NUMBER", "size_of"]

PERCENT_NANO: Final = 1e11  # a hundred percent, in billionths of one
SIZE_KIND: Final = 8
SIZE_NUMBER: Final = 9
SIZE_MOST: Final = 10
ALL_CASH: Final = 6.0
FIXED_QTY, FIXED_NOTIONAL, PERCENT_EQUITY, RISK = 1.0, 2.0, 3.0, 4.0


@part
def _most(p: Vector, s: Vector, amount: float, percent: float, price: float) -> float:
    """Return the most lots a percentage (in billionths) of an amount pays at a price."""
    if p[IS_EXACT] == 0.0:
        return amount * (percent / PERCENT_NANO) / price if amount > 0.0 else 0.0
    if amount <= 0.0 or percent <= 0.0:
        return 0.0
    lot = p[LOT_NANO] * 100.0
    lots = math.floor(amount * percent / (price * lot))
    if lots * price > EXACT_MAX or lot > EXACT_MAX:
        s[INEXACT] = 1.0
        return 0.0
    while not is_within(lots * price, lot, amount, percent):
        lots -= 1.0
    while is_within((lots + 1.0) * price, lot, amount, percent):
        lots += 1.0
    return float(lots)


@part
def size_of(p: Vector, s: Vector, money: tuple[float, float], close: float, told: float) -> float:
    """Return how many lots an entry orders, of equity and cash; ``told`` is the sizing's column at this close."""
    equity, cash = money
    kind, number = p[SIZE_KIND], p[SIZE_NUMBER]
    lots = 0.0
    if kind == ALL_CASH:
        lots = 1.0 if cash > 0.0 else 0.0  # how many shows at the fill
    elif kind == FIXED_QTY:
        lots = number
    elif kind == FIXED_NOTIONAL:
        lots = _most(p, s, number, PERCENT_NANO, close)
    elif kind == PERCENT_EQUITY:
        lots = _most(p, s, equity, number, close)
    elif kind == RISK:
        distance = level_of(p, told)
        lots = _most(p, s, equity, number, distance) if distance > 0.0 else 0.0
    elif math.isfinite(told) and told > 0.0:
        lots = _most(p, s, equity, np.rint(min(number / told, 1e3) * PERCENT_NANO), close)
    return lots if p[SIZE_MOST] == 0.0 else min(lots, _most(p, s, equity, p[SIZE_MOST], close))
