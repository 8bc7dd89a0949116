"""Orders in Alpaca's terms: placing, listing and cancelling."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alphintra.contracts.orders import OrderView, StopLoss, TakeProfit
from alphintra.contracts.trading import CancelOrder, ListOrders, ReplaceOrder, SubmitOrder
from alphintra.edge.alpaca.desk import Desk, desk_of
from alphintra.edge.alpaca.errors import error_body, error_response, refused
from alphintra.edge.alpaca.reading import Fields, body_of, path_id, query_of, symbol_of
from alphintra.edge.alpaca.shapes import json_response, order_shape, status_of_order
from alphintra.edge.guards import Scope
from alphintra.infrastructure.bus import BATCH_MAX
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import (
    TERMINAL,
    WORKING,
    OrderClass,
    OrderStatus,
    OrderType,
    PositionIntent,
    Side,
    TimeInForce,
)

__all__ = [
    "cancel_all_orders",
    "cancel_every_order",
    "cancel_order",
    "denial_of",
    "get_order",
    "get_order_by_client_order_id",
    "list_orders",
    "replace_order",
    "submit_order",
]

PAGE_DEFAULT: Final = 50
PAGE_MAX: Final = 500
READ_MAX: Final = 1000
SYMBOLS_MAX: Final = 100
CLIENT_ID_MAX: Final = 128
NO_LONGER_OPEN: Final = frozenset({OrderStatus.FILLED, OrderStatus.EXPIRED, OrderStatus.REJECTED, OrderStatus.REPLACED})
_MULTI_STATUS: Final = 207


class Wanted(StrEnum):
    """Which orders are listed."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


class Direction(StrEnum):
    """In which order of time."""

    ASC = "asc"
    DESC = "desc"


async def submit_order(request: Request) -> Response:
    """Place an order, or a group of them; a refusal by risk is a 403 with its reason, as Alpaca's own is."""
    desk = await desk_of(request, Scope.TRADE)
    body = await body_of(request)
    given = body.text("client_order_id")
    command = _command(desk, body, given or str(desk.caller.gate.ids.new()))
    await _require_unused(desk, given)
    order = await desk.caller.ask(command)
    return denial_of(order) or json_response(order_shape(order))


async def replace_order(request: Request) -> Response:
    """Put a new order in the place of a working one; answers the new order. Refused, the old one stays as it is."""
    desk = await desk_of(request, Scope.TRADE)
    old = await desk.order(path_id(request, "order_id"))
    body = await body_of(request)
    given = body.text("client_order_id")
    trail = body.amount("trail")
    command = ReplaceOrder(
        order_id=old.order_id,
        client_order_id=given or str(desk.caller.gate.ids.new()),
        qty=body.amount("qty"),
        limit_price=body.amount("limit_price"),
        stop_price=body.amount("stop_price"),
        trail_price=trail if old.trail_percent is None else None,
        trail_percent=None if old.trail_percent is None else trail,
        time_in_force=body.choice("time_in_force", TimeInForce),
    )
    await _require_unused(desk, given)
    order = await desk.caller.ask(command)
    return denial_of(order) or json_response(order_shape(order))


async def _require_unused(desk: Desk, client_order_id: str | None) -> None:
    if client_order_id is not None and await _by_client_order_id(desk, client_order_id) is not None:
        raise AlphintraError("ORDER_ID_REUSED", "client_order_id must be unique", kind=Kind.CONFLICT)


def denial_of(order: OrderView) -> Response | None:
    """Return what is answered in place of an order that risk refused; None for any other."""
    if order.status is not OrderStatus.DENIED:
        return None
    error = AlphintraError("ORDER_DENIED", order.reason or "risk refused the order", kind=Kind.FORBIDDEN)
    extra = {"reason_code": order.reason_code or "ORDER_DENIED", "order_id": order.order_id, "symbol": order.symbol}
    return error_response(error, extra=extra)


def _command(desk: Desk, body: Fields, client_order_id: str) -> SubmitOrder:
    order_class = body.choice("order_class", OrderClass) or OrderClass.SIMPLE
    if body.is_filled("legs"):
        raise refused("ORDER_UNSUPPORTED", "legs are of options, which are not traded here", pointer="/legs")
    take_profit, stop_loss = body.inner("take_profit"), body.inner("stop_loss")
    return SubmitOrder(
        account_id=desk.account_id,
        client_order_id=client_order_id,
        symbol=symbol_of(body.required_text("symbol")),
        side=_side(body),
        type=body.required_choice("type", OrderType),
        time_in_force=body.required_choice("time_in_force", TimeInForce),
        qty=body.amount("qty"),
        notional=body.amount("notional"),
        limit_price=body.amount("limit_price"),
        stop_price=body.amount("stop_price"),
        trail_price=body.amount("trail_price"),
        trail_percent=body.amount("trail_percent"),
        extended_hours=body.flag("extended_hours") or False,
        position_intent=body.choice("position_intent", PositionIntent),
        order_class=order_class,
        take_profit=None if take_profit is None else _take_profit(take_profit),
        stop_loss=None if stop_loss is None else _stop_loss(stop_loss),
    )


def _side(body: Fields) -> Side:
    intent = body.choice("position_intent", PositionIntent)
    if intent is not None and not body.has("side"):
        return Side(intent.partition("_")[0])
    return body.required_choice("side", Side)


def _take_profit(leg: Fields) -> TakeProfit:
    price = leg.amount("limit_price")
    if price is None:
        message = "take_profit.limit_price is required"
        raise refused("FIELD_REQUIRED", message, pointer="/take_profit/limit_price")
    return TakeProfit(limit_price=price)


def _stop_loss(leg: Fields) -> StopLoss:
    return StopLoss(
        stop_price=leg.amount("stop_price"),
        limit_price=leg.amount("limit_price"),
        trail_price=leg.amount("trail_price"),
        trail_percent=leg.amount("trail_percent"),
    )


async def list_orders(request: Request) -> Response:
    """List orders: open ones unless asked otherwise, newest first."""
    desk = await desk_of(request, Scope.READ)
    query = query_of(request)
    limit = query.whole("limit", default=PAGE_DEFAULT, most=PAGE_MAX)
    wanted = query.choice("status", Wanted) or Wanted.OPEN
    symbols = query.texts("symbols")
    is_nested = query.flag("nested") or False
    if len(symbols) > SYMBOLS_MAX:
        raise refused("FIELD_LENGTH", f"at most {SYMBOLS_MAX} symbols at once", pointer="/symbols")
    found = await desk.caller.ask(
        ListOrders(
            account_id=desk.account_id,
            statuses=_statuses(wanted),
            after=query.moment("after"),
            until=query.moment("until"),
            side=query.choice("side", Side),
            symbols=tuple(map(symbol_of, symbols)) or None,
            oldest_first=query.choice("direction", Direction) is Direction.ASC,
            limit=limit,
        )
    )
    return json_response(_shapes(found.orders, is_nested=is_nested))


def _shapes(orders: Sequence[OrderView], *, is_nested: bool) -> list[object]:
    """Return orders; nested, those that stand as legs below another of the list are not listed beside it.

    A leg whose first order is not in the list, open where that has been filled, is: nobody loses sight of it.
    """
    below = {leg.order_id for order in orders for leg in order.legs} if is_nested else set()
    return [order_shape(order, is_nested=is_nested) for order in orders if order.order_id not in below]


def _statuses(wanted: Wanted) -> tuple[OrderStatus, ...] | None:
    match wanted:
        case Wanted.OPEN:
            return tuple(sorted(WORKING))
        case Wanted.CLOSED:
            return tuple(sorted(TERMINAL))
        case Wanted.ALL:
            return None


async def get_order(request: Request) -> Response:
    """Fetch an order, its legs below it where ``nested``."""
    desk = await desk_of(request, Scope.READ)
    is_nested = query_of(request).flag("nested") or False
    order = await desk.order(path_id(request, "order_id"))
    return json_response(order_shape(order, is_nested=is_nested))


async def get_order_by_client_order_id(request: Request) -> Response:
    """Fetch an order by the id its client gave it."""
    desk = await desk_of(request, Scope.READ)
    client_order_id = query_of(request).required_text("client_order_id")
    order = await _by_client_order_id(desk, client_order_id)
    if order is None:
        message = f"order not found for client order id {client_order_id[:CLIENT_ID_MAX]}"
        raise refused("ORDER_NOT_FOUND", message, kind=Kind.NOT_FOUND)
    return json_response(order_shape(order))


async def _by_client_order_id(desk: Desk, client_order_id: str) -> OrderView | None:
    if len(client_order_id) > CLIENT_ID_MAX:
        return None
    asked = ListOrders(account_id=desk.account_id, client_order_id=client_order_id, limit=1)
    return next(iter((await desk.caller.ask(asked)).orders), None)


async def cancel_order(request: Request) -> Response:
    """Ask for an order to be cancelled; one that has ended otherwise is a 422."""
    desk = await desk_of(request, Scope.TRADE)
    order = await desk.order(path_id(request, "order_id"))
    canceled = await desk.caller.ask(CancelOrder(order_id=order.order_id))
    if canceled.status in NO_LONGER_OPEN:
        message = f'order is already in "{status_of_order(canceled.status)}" state'
        raise refused("ORDER_NOT_CANCELABLE", message)
    return Response(status_code=204)


async def cancel_all_orders(request: Request) -> Response:
    """Ask for all open orders to be cancelled, and tell of each how that went."""
    desk = await desk_of(request, Scope.TRADE)
    return json_response(await cancel_every_order(desk), status=_MULTI_STATUS)


async def cancel_every_order(desk: Desk) -> list[object]:
    """Ask for the cancel of each open order; return Alpaca's answer for each."""
    told: list[object] = []
    asked_of: set[object] = set()
    while True:
        page = ListOrders(account_id=desk.account_id, statuses=tuple(sorted(WORKING)), limit=READ_MAX)
        orders = (await desk.caller.ask(page)).orders
        fresh = [order for order in orders if order.order_id not in asked_of]
        if not fresh:
            return told
        asked_of |= {order.order_id for order in fresh}
        batches = [fresh[start : start + BATCH_MAX] for start in range(0, len(fresh), BATCH_MAX)]
        for answers in await asyncio.gather(*(_cancel_batch(desk, batch) for batch in batches)):
            told += answers
        if len(orders) < READ_MAX:
            return told


async def _cancel_batch(desk: Desk, orders: Sequence[OrderView]) -> list[object]:
    requests = [(CancelOrder(order_id=order.order_id), desk.caller.context) for order in orders]
    outcomes = await desk.caller.gate.bus.ask_many(requests)
    return [_told(order, outcome) for order, outcome in zip(orders, outcomes, strict=True)]


def _told(order: OrderView, outcome: OrderView | AlphintraError) -> dict[str, object]:
    if isinstance(outcome, AlphintraError):
        status, body = error_body(outcome)
        return {"id": order.order_id, "status": status, "body": body}
    return {"id": order.order_id, "status": 200, "body": order_shape(outcome)}
