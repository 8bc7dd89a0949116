"""Prices as whole ticks, on the side that waits: a limit pays less or asks for more, a stop lies further away."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.engine.pretrade.instruments import nearest
from alphintra.kernel.vocabulary import Side

if TYPE_CHECKING:
    from alphintra.engine.intents import Intent
    from alphintra.engine.protection import Level

__all__ = ["limit_on_tick", "on_ticks", "stop_on_tick", "trail_on_tick"]


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


def on_ticks(intent: Intent, tick: Decimal | None) -> Intent:
    """Return an entry with its prices in whole ticks of its symbol; so will those of the exits be that it brings."""
    if tick is None:
        return intent
    protection = intent.protection
    if protection is not None:
        side = Side.SELL if intent.side is Side.BUY else Side.BUY
        stop, target, trail = protection.stop, protection.target, protection.trail
        if stop is not None and stop.is_price:
            stop = replace(stop, amount=stop_on_tick(stop.amount, tick, side))
        if target is not None and target.is_price:
            target = replace(target, amount=limit_on_tick(target.amount, tick, side))
        protection = replace(protection, stop=stop, target=target, trail=_trail(trail, tick), tick=tick)
    limit, trigger = intent.limit_price, intent.stop_price
    return replace(
        intent,
        protection=protection,
        limit_price=None if limit is None else limit_on_tick(limit, tick, intent.side),
        stop_price=None if trigger is None else stop_on_tick(trigger, tick, intent.side),
    )


def _trail(trail: Level | None, tick: Decimal) -> Level | None:
    if trail is None or not trail.is_distance:
        return trail
    return replace(trail, amount=trail_on_tick(trail.amount, tick))
