"""The words of trading, spelled as Alpaca spells them (lower case); FIX tags in the comments."""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "TERMINAL",
    "WORKING",
    "AccountMode",
    "Leg",
    "OrderClass",
    "OrderStatus",
    "OrderType",
    "PositionIntent",
    "Side",
    "TimeInForce",
]


class Side(StrEnum):
    """Side of an order or execution (FIX 54)."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """How an order is priced (FIX 40)."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(StrEnum):
    """How long an order works (FIX 59); ``opg`` and ``cls`` take part in the opening or closing auction only."""

    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    OPG = "opg"
    CLS = "cls"
    GTD = "gtd"


class OrderClass(StrEnum):
    """How orders belong together (FIX 1385)."""

    SIMPLE = "simple"
    OTO = "oto"
    OCO = "oco"
    BRACKET = "bracket"


class Leg(StrEnum):
    """What an order is to its group: the one that opens, or one of the two that close."""

    ENTRY = "entry"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"


class PositionIntent(StrEnum):
    """What an order is to do to the position (FIX 77)."""

    BUY_TO_OPEN = "buy_to_open"
    BUY_TO_CLOSE = "buy_to_close"
    SELL_TO_OPEN = "sell_to_open"
    SELL_TO_CLOSE = "sell_to_close"


class OrderStatus(StrEnum):
    """State of an order (FIX 39 plus the states before the venue has answered); the first is given by risk."""

    HELD = "held"
    PENDING_NEW = "pending_new"
    ACCEPTED = "accepted"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    SUSPENDED = "suspended"
    DONE_FOR_DAY = "done_for_day"
    DENIED = "denied"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"
    UNKNOWN = "unknown"


TERMINAL = frozenset(
    {
        OrderStatus.DENIED,
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REJECTED,
        OrderStatus.REPLACED,
    }
)
WORKING = frozenset(OrderStatus) - TERMINAL


class AccountMode(StrEnum):
    """Paper or live: fixed when the account is opened, never switched."""

    PAPER = "paper"
    LIVE = "live"
