"""Whether an order can be judged at all: the fields each type takes, and how much it asks for."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from alphintra.engine.pretrade.values import Order
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import require_positive
from alphintra.kernel.vocabulary import OrderType, PositionIntent, Side, TimeInForce

__all__ = ["SYMBOL", "check_order"]

SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,31}")
_HUNDRED = Decimal(100)
_TAKES: Final = {
    OrderType.MARKET: frozenset[str](),
    OrderType.LIMIT: frozenset({"limit_price"}),
    OrderType.STOP: frozenset({"stop_price"}),
    OrderType.STOP_LIMIT: frozenset({"limit_price", "stop_price"}),
    OrderType.TRAILING_STOP: frozenset[str](),  # one of the two trails, which is asked apart
}
_TRAILS = ("trail_price", "trail_percent")
_BUYS = {PositionIntent.BUY_TO_OPEN, PositionIntent.BUY_TO_CLOSE}


def check_order(order: Order) -> Order:
    """Return the order if it can be judged at all. Raises QTY_NOT_POSITIVE, NUMBER_* or ORDER_*."""
    if (order.qty is None) == (order.notional is None):
        message = "say how much by exactly one of qty and notional"
        code = "ORDER_FIELD_REQUIRED" if order.qty is None else "ORDER_FIELD_FORBIDDEN"
        raise AlphintraError(code, message, pointer=order.size_field)
    for name in ("qty", "notional", "limit_price", "stop_price", *_TRAILS):
        value: Decimal | None = getattr(order, name)
        if value is not None:
            require_positive(value, pointer=f"/terms/{name}")
    if not SYMBOL.fullmatch(order.symbol):
        message = f"{order.symbol[:40]!r} is no symbol: write it in capitals, e.g. AAPL"
        raise AlphintraError("ORDER_UNKNOWN_SYMBOL", message, pointer="/terms/symbol")
    _check_prices(order)
    _check_trail(order)
    _check_validity(order)
    if order.is_exit and not order.is_reducing:
        message = f"the {order.leg} order of a group closes what the group opened: set reduce_only"
        raise AlphintraError("ORDER_FIELD_REQUIRED", message, pointer="/terms/reduce_only")
    intent = order.position_intent
    if intent is not None and (intent in _BUYS) != (order.side is Side.BUY):
        message = f"{intent} does not fit a {order.side} order"
        raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/terms/position_intent")
    return order


def _check_prices(order: Order) -> None:
    for name in ("limit_price", "stop_price"):
        is_given = getattr(order, name) is not None
        if name in _TAKES[order.type] and not is_given:
            message = f"a {order.type} order needs {name}"
            raise AlphintraError("ORDER_FIELD_REQUIRED", message, pointer=f"/terms/{name}")
        if name not in _TAKES[order.type] and is_given:
            message = f"a {order.type} order takes no {name}: leave it out or set another type"
            raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer=f"/terms/{name}")


def _check_trail(order: Order) -> None:
    given = [name for name in _TRAILS if getattr(order, name) is not None]
    if order.type is not OrderType.TRAILING_STOP:
        if given:
            message = f"a {order.type} order takes no {given[0]}: leave it out or set type to trailing_stop"
            raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer=f"/terms/{given[0]}")
        return
    if len(given) != 1:
        message = "a trailing_stop order needs exactly one of trail_price and trail_percent"
        code = "ORDER_FIELD_FORBIDDEN" if given else "ORDER_FIELD_REQUIRED"
        raise AlphintraError(code, message, pointer="/terms/trail_price")
    if order.trail_percent is not None and order.trail_percent >= _HUNDRED:
        message = f"trail_percent is {order.trail_percent}: it lies below 100"
        raise AlphintraError("ORDER_FIELD_RANGE", message, pointer="/terms/trail_percent")


def _check_validity(order: Order) -> None:
    if order.time_in_force is TimeInForce.GTD and order.expire_at is None:
        raise AlphintraError("ORDER_FIELD_REQUIRED", "a gtd order needs expire_at", pointer="/terms/expire_at")
    if order.time_in_force is not TimeInForce.GTD and order.expire_at is not None:
        message = f"a {order.time_in_force} order takes no expire_at: leave it out or set time_in_force to gtd"
        raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/terms/expire_at")
