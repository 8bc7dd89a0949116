"""Where the exits of an entry of the account kernel lie, by the price at which it fills."""

from __future__ import annotations

import math
from typing import Final

from alphintra.engine.account.lots import PERCENT_NANO
from alphintra.engine.kernels.amounts import BILLION, IS_EXACT, moved_by
from alphintra.engine.kernels.exact import over
from alphintra.engine.kernels.kernel import Vector, part

__all__ = [
    "ASKED_STOP",
    "ASKED_TARGET",
    "DISTANCE",
    "PERCENT",
    "PERCENT_NANO",
    "PRICE",
    "STOP_KIND",
    "STOP_NUMBER",
    "TARGET_KIND",
    "TARGET_NUMBER",
    "exit_levels",
]

NAN: Final = math.nan
STOP_KIND, STOP_NUMBER, TARGET_KIND, TARGET_NUMBER = 11, 12, 13, 14  # of the parameters
ASKED_STOP, ASKED_TARGET = 20, 21  # of the state
PRICE, DISTANCE, PERCENT, REWARD = 1.0, 2.0, 3.0, 4.0


@part
def exit_levels(p: Vector, s: Vector, price: float, direction: float) -> tuple[float, float]:
    """Return where stop and target of an entry lie that fills at a price; NaN where there is none."""
    stop = _exit_level(p, price, (p[STOP_KIND], s[ASKED_STOP], p[STOP_NUMBER]), -direction)
    if p[TARGET_KIND] != REWARD:
        return stop, _exit_level(p, price, (p[TARGET_KIND], s[ASKED_TARGET], p[TARGET_NUMBER]), direction)
    reward, lies = p[TARGET_NUMBER], s[ASKED_STOP]
    if p[IS_EXACT] != 0.0:
        target = over(price, BILLION + reward, -lies, reward, BILLION)
    else:
        target = price + (price - lies) * (reward / BILLION)
    return stop, target if target > 0.0 else NAN


@part
def _exit_level(p: Vector, price: float, bound: tuple[float, float, float], direction: float) -> float:
    """Return where an exit lies; NaN where there is none."""
    kind, amount, percent = bound
    level = NAN
    if kind == PRICE:
        level = amount
    elif kind == DISTANCE:
        level = price + direction * amount
    elif kind == PERCENT:
        level = moved_by(p, price, direction * percent, PERCENT_NANO)
    return level if level > 0.0 else NAN
