"""Groups of orders: one request becomes an entry with its exits, or two exits of which one works."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.from_fill import FromFill
from alphintra.kernel.ids import OrderId
from alphintra.kernel.money import require_positive
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, Side, TimeInForce
from alphintra.trading.domain.orders import NewOrder, order_id_of
from alphintra.trading.domain.validation import require_client_order_id, validate

__all__ = ["StopLoss", "TakeProfit", "orders_asked"]

_OPPOSITE: Final = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
_KEPT: Final = frozenset({TimeInForce.DAY, TimeInForce.GTD})


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeProfit:
    """The exit that closes with a profit: a limit order; ``from_fill`` as of an order."""

    limit_price: Decimal
    client_order_id: str | None = None
    from_fill: FromFill | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLoss:
    """The exit that closes with a loss: stop, stop_limit with a limit price, trailing_stop with a trail.

    ``from_fill``, of a stop, as of an order.
    """

    stop_price: Decimal | None = None
    limit_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    client_order_id: str | None = None
    from_fill: FromFill | None = None


def orders_asked(first: NewOrder, take_profit: TakeProfit | None, stop_loss: StopLoss | None) -> tuple[NewOrder, ...]:
    """Return the orders of one request, its first order in front; each is valid by itself and with the others.

    Raises ORDER_*, NUMBER_*, QTY_*, TIME_NO_ZONE or FIELD_RANGE with a pointer into the request.
    """
    if first.order_class is OrderClass.SIMPLE:
        for name, given in (("take_profit", take_profit), ("stop_loss", stop_loss)):
            if given is not None:
                message = f"{name} belongs to a group: set order_class to bracket, oto or oco"
                raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer=f"/{name}")
        validate(first)
        return (first,)
    if first.order_class is OrderClass.OCO:
        orders = _oco(first, take_profit, stop_loss)
    else:
        orders = _entry_with_exits(first, take_profit, stop_loss)
    _require_distinct_ids(orders)
    _require_sides(orders)
    return orders


def _oco(first: NewOrder, take_profit: TakeProfit | None, stop_loss: StopLoss | None) -> tuple[NewOrder, ...]:
    """Return the profit-taking limit order, which is the first, and the stop beside it; both close a position."""
    if first.type is not OrderType.LIMIT:
        message = "an oco's own order takes the profit: set type to limit"
        raise AlphintraError("ORDER_FIELD_REQUIRED", message, pointer="/type")
    if stop_loss is None:
        raise AlphintraError("ORDER_FIELD_REQUIRED", "an oco needs stop_loss", pointer="/stop_loss")
    for name, wish in (("take_profit", take_profit), ("stop_loss", stop_loss)):
        if wish is not None and wish.from_fill is not None:
            message = "an oco has no entry whose fill its prices could follow from: leave from_fill out"
            raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer=f"/{name}/from_fill")
    price = first.limit_price
    if take_profit is not None:
        if price is not None and price != take_profit.limit_price:
            message = "limit_price and take_profit name two prices for one order: leave one of them out"
            raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/take_profit/limit_price")
        price = take_profit.limit_price
        if take_profit.client_order_id not in {None, first.client_order_id}:
            message = "the order of an oco that takes the profit has the request's own client_order_id"
            raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/take_profit/client_order_id")
    head = replace(first, limit_price=price, leg=Leg.TAKE_PROFIT, reduce_only=True, group_id=_group_id(first))
    validate(head)
    return head, _stop(head, stop_loss, side=head.side)


def _entry_with_exits(
    first: NewOrder, take_profit: TakeProfit | None, stop_loss: StopLoss | None
) -> tuple[NewOrder, ...]:
    given = [name for name, exit_ in (("take_profit", take_profit), ("stop_loss", stop_loss)) if exit_ is not None]
    if not given or (first.order_class is OrderClass.BRACKET and len(given) == 1):
        missing = "take_profit" if take_profit is None else "stop_loss"
        how = "take_profit and stop_loss" if first.order_class is OrderClass.BRACKET else "take_profit or stop_loss"
        raise AlphintraError("ORDER_FIELD_REQUIRED", f"a {first.order_class} needs {how}", pointer=f"/{missing}")
    if first.order_class is OrderClass.OTO and len(given) > 1:
        message = "an oto has one exit: leave one out, or set order_class to bracket"
        raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/stop_loss")
    if first.reduce_only:
        message = f"the first order of a {first.order_class} opens a position: it cannot be reduce_only"
        raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/reduce_only")
    head = replace(first, group_id=_group_id(first))
    validate(head)
    side = _OPPOSITE[head.side]
    exits = []
    if take_profit is not None:
        exits.append(_profit(head, take_profit, side=side))
    if stop_loss is not None:
        exits.append(_stop(head, stop_loss, side=side))
    return head, *exits


def _profit(head: NewOrder, wish: TakeProfit, *, side: Side) -> NewOrder:
    require_positive(wish.limit_price, pointer="/take_profit/limit_price")
    name = wish.client_order_id or f"{head.client_order_id}-tp"
    order = _exit(head, name, side=side, leg=Leg.TAKE_PROFIT)
    order = replace(order, type=OrderType.LIMIT, limit_price=wish.limit_price, from_fill=wish.from_fill)
    return _valid(order, "/take_profit")


def _stop(head: NewOrder, wish: StopLoss, *, side: Side) -> NewOrder:
    trails = wish.trail_price is not None or wish.trail_percent is not None
    order = replace(
        _exit(head, wish.client_order_id or f"{head.client_order_id}-sl", side=side, leg=Leg.STOP_LOSS),
        type=_stop_type(wish, trails=trails),
        limit_price=wish.limit_price,
        stop_price=wish.stop_price,
        trail_price=wish.trail_price,
        trail_percent=wish.trail_percent,
        from_fill=wish.from_fill,
    )
    if wish.from_fill is not None and order.type is not OrderType.STOP:
        message = "from_fill says where a stop lies: leave limit_price and trail out, or leave it out"
        raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/stop_loss/from_fill")
    return _valid(order, "/stop_loss")


def _stop_type(wish: StopLoss, *, trails: bool) -> OrderType:
    if trails:
        return OrderType.TRAILING_STOP
    return OrderType.STOP if wish.limit_price is None else OrderType.STOP_LIMIT


def _exit(head: NewOrder, client_order_id: str, *, side: Side, leg: Leg) -> NewOrder:
    """Return an exit; it works as long as its entry where that rests, else until it is canceled."""
    is_kept = head.time_in_force in _KEPT
    return NewOrder(
        account_id=head.account_id,
        client_order_id=client_order_id,
        symbol=head.symbol,
        side=side,
        type=OrderType.MARKET,
        time_in_force=head.time_in_force if is_kept else TimeInForce.GTC,
        qty=head.qty,
        expire_at=head.expire_at if is_kept else None,
        reduce_only=True,
        order_class=head.order_class,
        leg=leg,
        group_id=head.group_id,
        book_id=head.book_id,
        strategy_hash=head.strategy_hash,
    )


def _valid(order: NewOrder, place: str) -> NewOrder:
    """Return the exit if it is valid; what is wrong with it is told where the request says it."""
    require_client_order_id(order.client_order_id, pointer=f"{place}/client_order_id")
    if order.from_fill is not None:
        order.from_fill.check(f"{place}/from_fill")
    try:
        validate(order)
    except AlphintraError as error:
        pointer = error.pointer if error.pointer == "/qty" else f"{place}{error.pointer}"
        raise AlphintraError(error.code, error.detail, kind=error.kind, pointer=pointer) from error
    return order


def _group_id(first: NewOrder) -> OrderId:
    return order_id_of(first.account_id, first.client_order_id)


def _require_distinct_ids(orders: tuple[NewOrder, ...]) -> None:
    seen: set[str] = set()
    for order in orders:
        if order.client_order_id in seen:
            place = "take_profit" if order.leg is Leg.TAKE_PROFIT else "stop_loss"
            message = f"client_order_id {order.client_order_id} names two orders of the group: choose another"
            pointer = f"/{place}/client_order_id"
            raise AlphintraError("ORDER_ID_REUSED", message, kind=Kind.CONFLICT, pointer=pointer)
        seen.add(order.client_order_id)


def _require_sides(orders: tuple[NewOrder, ...]) -> None:
    """Refuse exits on the wrong side of each other or of the entry's limit. Raises ORDER_STOP_SIDE."""
    by_leg = {order.leg: order for order in orders}
    profit, stop, entry = (by_leg.get(leg) for leg in (Leg.TAKE_PROFIT, Leg.STOP_LOSS, Leg.ENTRY))
    exit_side = orders[-1].side
    loss_price = None if stop is None else stop.stop_price
    profit_price = None if profit is None else profit.limit_price
    entry_price = None if entry is None else entry.limit_price
    pairs = (
        (loss_price, profit_price, "/stop_loss/stop_price", "the stop loss", "the take profit"),
        (loss_price, entry_price, "/stop_loss/stop_price", "the stop loss", "the entry"),
        (entry_price, profit_price, "/take_profit/limit_price", "the entry", "the take profit"),
    )
    for lower, upper, pointer, lower_name, upper_name in pairs:
        if lower is None or upper is None:
            continue
        if (lower >= upper) if exit_side is Side.SELL else (lower <= upper):
            where = "below" if exit_side is Side.SELL else "above"
            message = f"{lower_name} at {lower} must be {where} {upper_name} at {upper}: it would act at once"
            raise AlphintraError("ORDER_STOP_SIDE", message, pointer=pointer)
