"""What each kind of venue works, as far as risk holds orders against it before they are sent."""

from __future__ import annotations

from typing import Final

from alphintra.engine.pretrade.instruments import VenueAbilities
from alphintra.kernel.vocabulary import OrderType, TimeInForce

__all__ = ["abilities_of"]

_KNOWN: Final = {
    "paper": VenueAbilities(name="paper"),
    "alpaca": VenueAbilities(name="alpaca", times_in_force=frozenset(TimeInForce) - {TimeInForce.GTD}),
    "ccxt": VenueAbilities(
        name="ccxt",
        types=frozenset(OrderType),
        times_in_force=frozenset({TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK}),
        has_extended_hours=False,
        has_notional=False,
    ),
}
_NOTHING: Final = VenueAbilities(types=frozenset(), times_in_force=frozenset())


def abilities_of(venue: str) -> VenueAbilities:
    """Return what a venue works; one that is not known works nothing, for broker has the last word on it."""
    return _KNOWN.get(venue, _NOTHING)
