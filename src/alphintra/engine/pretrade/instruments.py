"""What is known of a symbol: its specification, its venue's abilities, its newest price."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from alphintra.kernel.vocabulary import OrderType, TimeInForce

__all__ = ["Instrument", "Market", "VenueAbilities", "nearest"]

_ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """The specification of a symbol; what is None is not restricted.

    Args:
        symbol: whose it is.
        version: of the specification.
        tick: prices are whole multiples of it.
        lot: quantities are whole multiples of it.
        qty_min: least quantity of an order.
        qty_max: largest quantity of an order.
        multiplier: units of the underlying in one.
        expires_at: when it is traded no more.
        sector: one class for concentration.
        asset_class: another.
        collar_pct: takes the place of the account's ``price_collar_pct``.
        collar_abs: takes the place of the account's ``price_collar_abs``.
        is_shortable: whether it can be borrowed.
        is_halted: whether its trading is halted.
    """

    symbol: str
    version: int = 1
    tick: Decimal | None = None
    lot: Decimal | None = None
    qty_min: Decimal | None = None
    qty_max: Decimal | None = None
    multiplier: Decimal = _ONE
    expires_at: datetime | None = None
    sector: str = ""
    asset_class: str = ""
    collar_pct: Decimal | None = None
    collar_abs: Decimal | None = None
    is_shortable: bool = True
    is_halted: bool = False

    @property
    def buckets(self) -> frozenset[str]:
        """The classes it counts in; none if it is not classified."""
        named = (("sector", self.sector), ("asset_class", self.asset_class))
        return frozenset(f"{kind} {name}" for kind, name in named if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What is known of a symbol when an order for it is judged.

    Args:
        instrument: its specification, None if it has none.
        priced_at: when its last price was told, by the time of the account's market.
        bid: newest bid, None if the feed tells none.
        ask: newest ask, None if the feed tells none.
        restriction: why its trade is restricted, None if it is not; not for the trader's eyes.
        is_order_unknown: whether the outcome of one of the account's orders for it is unknown.
        resting_buy: highest limit price at which the owner's orders buy, in any account.
        resting_sell: lowest limit price at which the owner's orders sell, in any account.
    """

    instrument: Instrument | None = None
    priced_at: datetime | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    restriction: str | None = None
    is_order_unknown: bool = False
    resting_buy: Decimal | None = None
    resting_sell: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueAbilities:
    """What a venue works; the default works everything."""

    name: str = "paper"
    types: frozenset[OrderType] = frozenset(OrderType)
    times_in_force: frozenset[TimeInForce] = frozenset(TimeInForce)
    has_notional: bool = True
    has_extended_hours: bool = True
    has_groups: bool = True


def nearest(value: Decimal, step: Decimal) -> tuple[Decimal, Decimal]:
    """Return the whole multiples of a step just below and just above a value."""
    below = (value / step).to_integral_value(rounding=ROUND_FLOOR) * step
    above = (value / step).to_integral_value(rounding=ROUND_CEILING) * step
    return below, above
