"""Orders as they were approved, and as they stand at their venue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from alphintra.kernel.from_fill import FromFill
from alphintra.kernel.ids import AccountId, OrderId
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, Side, TimeInForce

__all__ = ["Order", "SentOrder", "VenueOrderStatus"]


class VenueOrderStatus(StrEnum):
    """State of an order as the venue side knows it.

    ``sending`` until the venue has answered; ``held`` while it waits for the entry of its group.
    """

    SENDING = "sending"
    HELD = "held"
    WORKING = "working"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The terms of an order, as they were approved; either a quantity or an amount of money (``notional``).

    Of an exit with ``from_fill`` limit and stop price are about where it will lie, and where it lies once its entry
    has filled.
    """

    order_id: OrderId
    client_order_id: str
    account_id: AccountId
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal | None
    limit_price: Decimal | None = None
    notional: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    expire_at: datetime | None = None
    extended_hours: bool = False
    reduce_only: bool = False
    order_class: OrderClass = OrderClass.SIMPLE
    leg: Leg = Leg.ENTRY
    group_id: OrderId | None = None
    replaces: OrderId | None = None
    from_fill: FromFill | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentOrder:
    """An order as it stands at its venue.

    Attributes:
        order: its terms.
        filled_qty: what it has filled itself.
        prior_qty: what the orders it replaced had filled, which counts towards its quantity.
        allowed_qty: what its group lets it fill, None where it is in none.
        hwm: best price a trailing stop has seen.
        triggered_at: close of the bar in which its stop fired.
        status: where it is.
        accepted_at: when the venue took it.
        venue_order_id: the venue's own name of it.
    """

    order: Order
    filled_qty: Decimal
    prior_qty: Decimal
    allowed_qty: Decimal | None
    hwm: Decimal | None
    triggered_at: datetime | None
    status: VenueOrderStatus
    accepted_at: datetime
    venue_order_id: str | None
