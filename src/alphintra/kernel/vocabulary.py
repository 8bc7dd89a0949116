"""The words of trading, spelled as Alpaca spells them (lower case); FIX tags in the comments."""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "TERMINAL",
    "WORKING",
    "AccountMode",
    "Intrabar",
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


class Intrabar(StrEnum):
    """What a bar does to stops and targets: ours, or what another engine does (docs/backtests.md)."""

    CHRONOLOGICAL = "chronological"
    """The entry's bar counts; gaps fill at the open; a stop before a target (docs/decisions/0012)."""
    VECTORBT = "vectorbt"
    """As vectorbt: exits are reckoned from the close of the entry's bar, which does not count itself; a trail lies
    where the bars before have brought it; an exit comes before an order that would take the same bar's open."""
    BACKTRADER = "backtrader"
    """As backtrader with a StopTrail and a limit sent at the close of the entry's bar: they count from the next bar on,
    and the trail follows closes."""
