"""The words of trading, spelled as Alpaca spells them (lower case); FIX tags in the comments."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["TERMINAL", "AccountMode", "OrderStatus", "OrderType", "Side", "TimeInForce"]


class Side(StrEnum):
    """Side of an order or execution (FIX 54)."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """How an order is priced (FIX 40)."""

    MARKET = "market"
    LIMIT = "limit"


class TimeInForce(StrEnum):
    """How long an order works (FIX 59)."""

    DAY = "day"
    GTC = "gtc"


class OrderStatus(StrEnum):
    """State of an order (FIX 39 plus the states before the venue has answered)."""

    CREATED = "created"
    DENIED = "denied"
    PENDING_NEW = "pending_new"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


TERMINAL = frozenset(
    {OrderStatus.DENIED, OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED}
)


class AccountMode(StrEnum):
    """Paper or live: fixed when the account is opened, never switched."""

    PAPER = "paper"
    LIVE = "live"
