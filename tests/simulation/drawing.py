"""Orders as a seed draws them: every kind, alone and in groups, and what is to be changed of one that works."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from alphintra.contracts.orders import OrderView, StopLoss, TakeProfit
from alphintra.contracts.trading import ReplaceOrder, SubmitOrder
from alphintra.kernel.vocabulary import OrderClass, OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

__all__ = ["drawn_amendment", "drawn_order", "legs_of"]

_CLASSES: Final = (*[OrderClass.SIMPLE] * 6, OrderClass.BRACKET, OrderClass.BRACKET, OrderClass.OTO, OrderClass.OCO)
_KINDS: Final = (OrderType.MARKET, OrderType.LIMIT, OrderType.LIMIT, *OrderType)
_KEPT: Final = (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTC)
_AT_ONCE: Final = (TimeInForce.IOC, TimeInForce.FOK)
_REDUCES: Final = 0.15
_NOTIONAL: Final = 0.08
_AT_ONCE_SHARE: Final = 0.1


def drawn_order(
    rng: Random, account_id: UUID, client_order_id: str, prices: Mapping[str, Decimal], *, at: datetime
) -> SubmitOrder:
    """Return an order of any kind near the newest prices."""
    symbol = rng.choice(tuple(prices))
    kind = rng.choice(_CLASSES)
    order = _simple(rng, account_id, client_order_id, (symbol, prices[symbol]), at=at)
    return order if kind is OrderClass.SIMPLE else _grouped(rng, order, kind, prices[symbol])


def drawn_amendment(rng: Random, order: OrderView, client_order_id: str, price: Decimal) -> ReplaceOrder:
    """Return a wish to change an order: its quantity, its price, or both."""
    near = _near(rng, price)
    changes: dict[str, Any] = {}
    if order.limit_price is not None:
        changes["limit_price"] = near
    elif order.stop_price is not None:
        changes["stop_price"] = near
    if not changes or rng.random() < 0.5:
        changes["qty"] = Decimal(rng.randint(1, 30))
    return ReplaceOrder(order_id=order.order_id, client_order_id=client_order_id, **changes)


def legs_of(order: SubmitOrder) -> tuple[str, ...]:
    """Return the client order ids of the orders beside the first that a request makes."""
    name = order.client_order_id
    if order.order_class is OrderClass.SIMPLE:
        return ()
    has_profit = order.take_profit is not None and order.order_class is not OrderClass.OCO
    return (*([f"{name}-tp"] if has_profit else []), *([f"{name}-sl"] if order.stop_loss is not None else []))


def _simple(
    rng: Random, account_id: UUID, client_order_id: str, priced: tuple[str, Decimal], *, at: datetime
) -> SubmitOrder:
    symbol, newest = priced
    kind = rng.choice(_KINDS)
    price = _near(rng, newest)
    has_limit = kind in {OrderType.LIMIT, OrderType.STOP_LIMIT}
    has_stop = kind in {OrderType.STOP, OrderType.STOP_LIMIT}
    is_notional = kind is OrderType.MARKET and rng.random() < _NOTIONAL
    is_at_once = kind in {OrderType.MARKET, OrderType.LIMIT} and not is_notional and rng.random() < _AT_ONCE_SHARE
    lasts = rng.choice(_AT_ONCE) if is_at_once else rng.choice(_KEPT)
    is_dated = has_limit and not is_at_once and rng.random() < _AT_ONCE_SHARE
    return SubmitOrder(
        account_id=account_id,
        client_order_id=client_order_id,
        symbol=symbol,
        side=rng.choice(tuple(Side)),
        qty=None if is_notional else Decimal(rng.randint(1, 30)),
        notional=Decimal(rng.randint(50, 900)) if is_notional else None,
        type=kind,
        time_in_force=TimeInForce.DAY if is_notional else TimeInForce.GTD if is_dated else lasts,
        expire_at=at + timedelta(hours=rng.randint(2, 48)) if is_dated else None,
        limit_price=price if has_limit else None,
        stop_price=price if has_stop else None,
        trail_percent=Decimal(2) if kind is OrderType.TRAILING_STOP else None,
        reduce_only=not is_notional and rng.random() < _REDUCES,
    )


def _grouped(rng: Random, order: SubmitOrder, kind: OrderClass, newest: Decimal) -> SubmitOrder:
    """Return the order as the head of a group, with exits on both sides of the price."""
    is_up = order.side is Side.BUY if kind is not OrderClass.OCO else order.side is Side.SELL
    far, near = Decimal("1.03"), Decimal("0.97")
    profit, stop = (far, near) if is_up else (near, far)
    target = round(newest * profit, 2)
    take = TakeProfit(limit_price=target)
    cut = StopLoss(trail_percent=Decimal(3)) if rng.random() < 0.3 else StopLoss(stop_price=round(newest * stop, 2))
    takes = kind is OrderClass.BRACKET or (kind is OrderClass.OTO and rng.random() < 0.5)
    cuts = kind is not OrderClass.OTO or not takes
    is_limit = kind is OrderClass.OCO or rng.random() < 0.5
    price = target if kind is OrderClass.OCO else newest
    fields = {name: getattr(order, name) for name in ("account_id", "client_order_id", "symbol", "side")}
    return SubmitOrder(
        **fields,
        type=OrderType.LIMIT if is_limit else OrderType.MARKET,
        limit_price=price if is_limit else None,
        qty=order.qty or Decimal(5),
        time_in_force=rng.choice(_KEPT),
        order_class=kind,
        take_profit=take if takes else None,
        stop_loss=cut if cuts else None,
    )


def _near(rng: Random, price: Decimal) -> Decimal:
    return round(price * rng.choice((90, 97, 100, 103, 110)) / 100, 2)
