"""What a bar does to entries that wait for a price and to exits: parts of the account kernel."""

from __future__ import annotations

import math
from typing import Final

from alphintra.engine.kernels.kernel import part

__all__ = ["AT_LIMIT", "AT_STOP", "is_in_order", "met", "met_known", "rest"]

NAN: Final = math.nan
AT_LIMIT: Final = 1.0
AT_STOP: Final = 2.0
BY_STOP, BY_TARGET, BY_TRAIL = 4.0, 5.0, 6.0  # why a position was left, among the kernel's reasons


@part
def met(kind: float, bar: tuple[float, float, float], price: float, direction: float) -> tuple[float, float]:
    """Return the price at which a bar (open, high, low) fills an entry, and the signed level within the bar.

    The price is NaN where the entry is not filled, the level where it is filled at the open.
    """
    opened, high, low = bar
    signed, level = opened * direction, price * direction
    if kind == AT_LIMIT:
        is_open, is_within = signed <= level, (low if direction > 0.0 else -high) <= level
    else:
        is_open, is_within = signed >= level, (high if direction > 0.0 else -low) >= level
    if is_open:
        return opened, NAN
    return (price, level) if is_within else (NAN, NAN)


@part
def is_in_order(direction: float, stop: float, limit: float, target: float) -> bool:
    """Tell whether what is known of stop, limit and target lies in this order, from the losing side on."""
    side = 1.0 if direction > 0.0 else -1.0
    return not (stop * side >= limit * side or limit * side >= target * side or stop * side >= target * side)


@part
def rest(
    kind: float, level: float, bar: tuple[float, float, float, float, float]
) -> tuple[float, float, float, float, float]:
    """Return what of a bar surely came after an entry was filled at a level within it (docs/decisions/0012).

    Signed: up is better for the position. Open, best, worst, close, and whether it is such a rest.
    """
    best, worst, closed = bar[1], bar[2], bar[3]
    if kind == AT_LIMIT:
        return level, max(level, closed), worst, closed, 1.0
    return level, best, min(level, closed), closed, 1.0


@part
def met_known(
    bar: tuple[float, float, float, float, float], stop: float, target: float, trail: float
) -> tuple[float, float, float]:
    """Let exits whose levels were known before a bar meet it, as other engines do: the stop first, then the target.

    Signed; return reason (0: none), level, and whether it is ambiguous, as the account's own way does.
    """
    opened, best, worst = bar[0], bar[1], bar[2]
    reason, level = (BY_TRAIL, trail) if math.isnan(stop) or trail > stop else (BY_STOP, stop)
    if opened <= level:
        return reason, opened, 0.0
    if worst <= level:
        return reason, level, 1.0 if best >= target else 0.0
    if opened >= target:
        return BY_TARGET, opened, 0.0
    if best >= target:
        return BY_TARGET, target, 0.0
    return 0.0, 0.0, 0.0
