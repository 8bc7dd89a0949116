"""Prices as whole ticks, on the side that waits: a limit pays less or asks for more, a stop lies further away."""

from __future__ import annotations

from decimal import Decimal

from alphintra.engine.pretrade.instruments import nearest
from alphintra.kernel.vocabulary import Side

__all__ = ["limit_on_tick", "stop_on_tick", "trail_on_tick"]


def limit_on_tick(price: Decimal, tick: Decimal, side: Side) -> Decimal:
    """Return a limit price in whole ticks, at least one: no worse for its order than it was."""
    below, above = nearest(price, tick)
    return max(below, tick) if side is Side.BUY else above


def stop_on_tick(price: Decimal, tick: Decimal, side: Side) -> Decimal:
    """Return a stop price in whole ticks, at least one: no sooner reached than it was."""
    below, above = nearest(price, tick)
    return above if side is Side.BUY else max(below, tick)


def trail_on_tick(distance: Decimal, tick: Decimal) -> Decimal:
    """Return the distance of a trailing stop in whole ticks, no nearer than it was."""
    return nearest(distance, tick)[1]
