"""What broker shows of orders and prices at venues; parts of its answers."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.kernel.messages import Utc, View
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, Side, TimeInForce

__all__ = [
    "VenueBarView",
    "VenueBarsView",
    "VenueOrderView",
    "VenueOrdersView",
    "WatchedPriceView",
    "WatchedPricesView",
]


class VenueOrderView(View, frozen=True):
    """An order as the venue side knows it; ``venue_order_id`` is the venue's own name of it, once it gave one."""

    order_id: UUID
    account_id: UUID
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal | None
    limit_price: Decimal | None
    filled_qty: Decimal
    status: str
    accepted_at: Utc
    notional: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    expire_at: Utc | None = None
    extended_hours: bool = False
    reduce_only: bool = False
    order_class: OrderClass = OrderClass.SIMPLE
    leg: Leg = Leg.ENTRY
    group_id: UUID | None = None
    replaces: UUID | None = None
    prior_qty: Decimal = Decimal(0)
    allowed_qty: Decimal | None = None
    hwm: Decimal | None = None
    triggered_at: Utc | None = None
    venue_order_id: str | None = None


class VenueOrdersView(View, frozen=True):
    """Venue orders, newest first."""

    orders: tuple[VenueOrderView, ...]


class WatchedPriceView(View, frozen=True):
    """A symbol whose price a connection asks for; nothing of it before the first, ``priced_at`` as the venue dates it.

    ``is_stalled`` says that its prices stopped coming while its market is open.
    """

    symbol: str
    price: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    priced_at: Utc | None
    is_stalled: bool


class WatchedPricesView(View, frozen=True):
    """The prices a connection asks for, by symbol."""

    account_id: UUID
    prices: tuple[WatchedPriceView, ...]


class VenueBarView(View, frozen=True):
    """A bar as a venue tells it, by the time it opened; it may be under way."""

    symbol: str
    opened_at: Utc
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class VenueBarsView(View, frozen=True):
    """Bars of a venue; where there are more, ``next_page_token`` says how to ask on."""

    bars: tuple[VenueBarView, ...]
    next_page_token: str
