"""Orders as they were approved, and as they stand at their venue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from alphintra.kernel.ids import AccountId, OrderId
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

__all__ = ["Order", "SentOrder", "VenueOrderStatus"]


class VenueOrderStatus(StrEnum):
    """State of an order as the venue side knows it; ``sending`` until the venue has answered."""

    SENDING = "sending"
    WORKING = "working"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The terms of an order, as they were approved."""

    order_id: OrderId
    client_order_id: str
    account_id: AccountId
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal
    limit_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentOrder:
    """An order as it stands at its venue."""

    order_id: OrderId
    account_id: AccountId
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal
    limit_price: Decimal | None
    filled_qty: Decimal
    status: VenueOrderStatus
    accepted_at: datetime
