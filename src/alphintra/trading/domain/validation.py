"""What an order may be: which fields go with which type, and what makes no sense at all."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Final

from alphintra.engine.portfolio import notional
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import plain, require_finite, require_positive
from alphintra.kernel.vocabulary import OrderClass, OrderType, PositionIntent, Side, TimeInForce
from alphintra.trading.domain.orders import NewOrder

__all__ = ["require_client_order_id", "require_unexpired", "validate"]

_CLIENT_ORDER_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,31}")
_PERCENT_MAX: Final = Decimal(100)

_LIMITED: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_STOPPED: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_IMMEDIATE: Final = frozenset({OrderType.MARKET, OrderType.LIMIT})
# What takes part in one auction or works for one moment cannot wait for a price.
_AT_ONCE: Final = frozenset({TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG, TimeInForce.CLS})
_RESTING: Final = frozenset({TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD})
_INTENT_SIDES: Final = {
    PositionIntent.BUY_TO_OPEN: Side.BUY,
    PositionIntent.BUY_TO_CLOSE: Side.BUY,
    PositionIntent.SELL_TO_OPEN: Side.SELL,
    PositionIntent.SELL_TO_CLOSE: Side.SELL,
}


def validate(order: NewOrder) -> None:
    """Refuse an order that makes no sense. Raises one error with code and pointer; nothing is stored."""
    require_client_order_id(order.client_order_id)
    if not _SYMBOL.fullmatch(order.symbol):
        message = f"{order.symbol[:40]!r} is no symbol: write it in capitals, e.g. AAPL"
        raise AlphintraError("ORDER_UNKNOWN_SYMBOL", message, pointer="/symbol")
    _check_amount(order)
    for name, wanted in (("limit_price", order.type in _LIMITED), ("stop_price", order.type in _STOPPED)):
        _check_price(order, name, is_wanted=wanted)
    _check_trail(order)
    _check_time_in_force(order)
    _check_flags(order)
    if order.limit_price is not None and order.qty is not None:
        _require_bookable(order.qty, order.limit_price)


def require_client_order_id(text: str, *, pointer: str = "/client_order_id") -> None:
    """Refuse what no client order id is. Raises ORDER_ID_FORMAT."""
    if not _CLIENT_ORDER_ID.fullmatch(text):
        message = "client_order_id is 1 to 128 characters of A-Z a-z 0-9 . _ : -"
        raise AlphintraError("ORDER_ID_FORMAT", message, pointer=pointer)


def require_unexpired(order: NewOrder, *, at: datetime) -> None:
    """Refuse an order whose time is over before it begins; a repetition is not asked. Raises EXPIRY_PAST."""
    if order.expire_at is not None and order.expire_at <= at:
        message = f"expire_at {order.expire_at.isoformat()} is not in the future"
        raise AlphintraError("EXPIRY_PAST", message, pointer="/expire_at")


def _check_amount(order: NewOrder) -> None:
    if order.qty is None and order.notional is None:
        message = "say how much: give qty, or notional for an amount of money"
        raise AlphintraError("ORDER_FIELD_REQUIRED", message, pointer="/qty")
    if order.qty is not None and order.notional is not None:
        message = "qty and notional are both given: leave one of them out"
        raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/notional")
    if order.qty is not None:
        require_positive(order.qty, pointer="/qty")
        return
    if order.order_class is not OrderClass.SIMPLE:
        message = f"a {order.order_class} needs qty: its orders must be of one quantity"
        raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/notional")
    if order.notional is not None:
        require_positive(order.notional, pointer="/notional")


def _check_price(order: NewOrder, name: str, *, is_wanted: bool) -> None:
    price: Decimal | None = getattr(order, name)
    if price is None:
        if is_wanted:
            message = f"a {order.type} order needs {name}"
            raise AlphintraError("ORDER_FIELD_REQUIRED", message, pointer=f"/{name}")
        return
    if not is_wanted:
        message = f"a {order.type} order takes no {name}: leave it out or choose another type"
        raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer=f"/{name}")
    require_positive(price, pointer=f"/{name}")


def _check_trail(order: NewOrder) -> None:
    given = [name for name in ("trail_price", "trail_percent") if getattr(order, name) is not None]
    if order.type is not OrderType.TRAILING_STOP:
        if given:
            message = f"a {order.type} order takes no {given[0]}: leave it out or set type to trailing_stop"
            raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer=f"/{given[0]}")
        return
    if not given:
        message = "a trailing_stop order needs trail_price or trail_percent"
        raise AlphintraError("ORDER_FIELD_REQUIRED", message, pointer="/trail_price")
    if len(given) > 1:
        message = "trail_price and trail_percent are both given: leave one of them out"
        raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/trail_percent")
    distance = require_positive(getattr(order, given[0]), pointer=f"/{given[0]}")
    if order.trail_percent is not None and distance >= _PERCENT_MAX:
        message = f"a stop that trails by {plain(distance):f} percent never fires: stay below 100"
        raise AlphintraError("FIELD_RANGE", message, pointer="/trail_percent")


def _check_time_in_force(order: NewOrder) -> None:
    if order.time_in_force in _AT_ONCE and order.type not in _IMMEDIATE:
        message = f"a {order.type} order waits for a price: it cannot be {order.time_in_force}, choose day, gtc or gtd"
        raise AlphintraError("ORDER_UNSUPPORTED", message, pointer="/time_in_force")
    if order.time_in_force is not TimeInForce.GTD:
        if order.expire_at is not None:
            message = f"expire_at belongs to gtd orders, this one is {order.time_in_force}"
            raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/expire_at")
        return
    if order.expire_at is None:
        raise AlphintraError("ORDER_FIELD_REQUIRED", "a gtd order needs expire_at", pointer="/expire_at")
    if order.expire_at.tzinfo is None:
        message = "expire_at has no time zone: write e.g. 2026-03-02T21:00:00Z"
        raise AlphintraError("TIME_NO_ZONE", message, pointer="/expire_at")


def _check_flags(order: NewOrder) -> None:
    if order.extended_hours:
        is_resting = order.type is OrderType.LIMIT and order.time_in_force in _RESTING
        if not is_resting or order.order_class is not OrderClass.SIMPLE:
            message = "extended_hours is for simple limit orders that are day, gtc or gtd"
            raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/extended_hours")
    intent = order.position_intent
    if intent is None:
        return
    if _INTENT_SIDES[intent] is not order.side:
        message = f"{intent} does not go with side {order.side}"
        raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/position_intent")
    if order.reduce_only and intent in {PositionIntent.BUY_TO_OPEN, PositionIntent.SELL_TO_OPEN}:
        message = f"an order that is reduce_only cannot be {intent}"
        raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/position_intent")


def _require_bookable(qty: Decimal, limit_price: Decimal) -> None:
    """Refuse an order whose traded amount no column could hold. Raises NUMBER_RANGE."""
    try:
        require_finite(notional(qty, limit_price))
    except AlphintraError as error:
        message = f"{plain(qty):f} at {plain(limit_price):f} is beyond the largest amount, 10^18"
        raise AlphintraError("NUMBER_RANGE", message, pointer="/qty") from error
