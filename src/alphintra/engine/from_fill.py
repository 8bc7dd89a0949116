"""Prices of exits that are known once their entry has filled."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final

from alphintra.engine.ticks import limit_on_tick, stop_on_tick
from alphintra.kernel.money import PRICE_QUANTUM, round_price

if TYPE_CHECKING:
    from alphintra.kernel.from_fill import FromFill
    from alphintra.kernel.vocabulary import Side

__all__ = ["exit_price", "working_price"]

_WIDE: Final = Context(prec=60)


def exit_price(reckoning: FromFill, fill: Decimal, side: Side, *, is_limit: bool) -> Decimal:
    """Return the price of an exit on a side whose entry filled at a price; zero and below where none is left."""
    found = round_price(_WIDE.add(_WIDE.multiply(reckoning.factor, fill), reckoning.offset))
    if reckoning.tick is None or found <= 0:
        return found
    on_tick = limit_on_tick if is_limit else stop_on_tick
    return on_tick(found, reckoning.tick, side)


def working_price(reckoning: FromFill, fill: Decimal, side: Side, *, is_limit: bool) -> Decimal:
    """Return the same for an order, which has to have a price: the least there is where none is left."""
    return max(exit_price(reckoning, fill, side, is_limit=is_limit), reckoning.tick or PRICE_QUANTUM)
