"""Orders: placing and fetching one go past the wide API's machinery, the rest through it."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar
from uuid import UUID

import msgspec
from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.order_checks import CheckOrder, OrderCheckView
from alphintra.contracts.orders import OrderEventsView, OrdersView, OrderView, StopLoss, TakeProfit
from alphintra.contracts.risk import GetDecisions
from alphintra.contracts.trading import (
    CancelOrder,
    CancelOrders,
    ClosePositions,
    GetOrder,
    ListOrderEvents,
    ListOrders,
    ReplaceOrder,
    SubmitOrder,
)
from alphintra.edge.decoding import Amount, bind
from alphintra.edge.guards import Scope, gate_of
from alphintra.edge.problems import did_you_mean, problem_response
from alphintra.edge.replies import encode_reply
from alphintra.edge.routing import Body, Operation, PageLimit, Reader, Routes, Trader
from alphintra.edge.strict_json import parse_json
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Utc
from alphintra.kernel.money import parse_decimal, require_positive
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

if TYPE_CHECKING:
    from alphintra.contracts.assessments import Finding
    from alphintra.edge.guards import Caller

__all__ = ["HOT_OPERATIONS", "hot_routes", "routes"]

routes = Routes("orders")
B = TypeVar("B", bound=msgspec.Struct)

_ORDER_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_IDEMPOTENCY_KEY: Final = re.compile(r"[!-~]{1,128}")


class TakeProfitBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The exit that closes with a profit: a limit order."""

    limit_price: Amount
    client_order_id: str | None = None


class StopLossBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The exit that closes with a loss: a stop, a stop_limit with ``limit_price``, or a trailing_stop with a trail."""

    stop_price: Amount | None = None
    limit_price: Amount | None = None
    trail_price: Amount | None = None
    trail_percent: Amount | None = None
    client_order_id: str | None = None


class OrderBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An order to place; ``client_order_id`` may be left out where an Idempotency-Key is sent.

    Exactly one of ``qty`` and ``notional`` says how much. ``take_profit`` and ``stop_loss`` belong to a ``bracket``
    (both), an ``oto`` (one) or an ``oco`` (the order itself takes the profit).
    """

    account_id: UUID
    symbol: str
    side: Side
    type: OrderType
    qty: Amount | None = None
    notional: Amount | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    trail_price: Amount | None = None
    trail_percent: Amount | None = None
    expire_at: Utc | None = None
    extended_hours: bool = False
    reduce_only: bool = False
    position_intent: PositionIntent | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: TakeProfitBody | None = None
    stop_loss: StopLossBody | None = None
    client_order_id: str | None = None


class ReplacementBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to be different about a working order; ``client_order_id`` names the new order, as for any order.

    ``qty`` is the quantity of the whole, what is filled already included.
    """

    qty: Amount | None = None
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    trail_price: Amount | None = None
    trail_percent: Amount | None = None
    time_in_force: TimeInForce | None = None
    expire_at: Utc | None = None
    client_order_id: str | None = None


HOT_OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/orders",
        name="submit_order",
        scope=Scope.TRADE,
        body=OrderBody,
        is_body_optional=False,
        reply=OrderView,
        status=201,
        description="Place an order; repeating it answers the same order. A refusal by risk is a 422 with its code.",
    ),
    Operation(
        method="PATCH",
        path="/orders/{order_id}",
        name="replace_order",
        scope=Scope.TRADE,
        body=ReplacementBody,
        is_body_optional=False,
        reply=OrderView,
        status=200,
        description="Put a new order in the place of a working one; answers the new order. The old one goes on if risk "
        "or the venue refuse.",
    ),
    Operation(
        method="GET",
        path="/orders/{order_id}",
        name="get_order",
        scope=Scope.READ,
        body=None,
        is_body_optional=False,
        reply=OrderView,
        status=200,
        description="Fetch an order as its events add up to now.",
    ),
)


def hot_routes() -> list[Route]:
    """Return the routes that answer ahead of the wide API."""
    return [
        Route("/api/v1/orders", submit_order, methods=["POST"]),
        Route("/api/v1/orders/{order_id}", get_order, methods=["GET"]),
        Route("/api/v1/orders/{order_id}", replace_order, methods=["PATCH"]),
    ]


async def submit_order(request: Request) -> Response:
    """Place an order; repeating it answers the same order, a refusal by risk is a 422 with its reason code."""
    caller = await _admitted(request, Scope.TRADE)
    key = _idempotency_key(request)
    body = _bound(OrderBody, parse_json(await request.body()))
    order = await _asked(
        caller,
        key if body.client_order_id is None else None,
        SubmitOrder(
            account_id=body.account_id,
            client_order_id=_client_order_id(body.client_order_id, key),
            symbol=body.symbol,
            side=body.side,
            type=body.type,
            time_in_force=body.time_in_force,
            **_amounts(body, ("qty", "notional", "limit_price", "stop_price", "trail_price", "trail_percent")),
            expire_at=body.expire_at,
            extended_hours=body.extended_hours,
            reduce_only=body.reduce_only,
            position_intent=body.position_intent,
            order_class=body.order_class,
            take_profit=None if body.take_profit is None else _take_profit(body.take_profit),
            stop_loss=None if body.stop_loss is None else _stop_loss(body.stop_loss),
        ),
    )
    if order.status is OrderStatus.DENIED:
        return await _denied(order, caller, request)
    headers = {"Location": f"/api/v1/orders/{order.order_id}"}
    return Response(encode_reply(order), status_code=201, headers=headers, media_type="application/json")


async def replace_order(request: Request) -> Response:
    """Put a new order in the place of a working one; a refusal by risk is a 422 and leaves the old one as it is."""
    caller = await _admitted(request, Scope.TRADE)
    order_id = _order_id(request)
    key = _idempotency_key(request)
    body = _bound(ReplacementBody, parse_json(await request.body()))
    order = await _asked(
        caller,
        key if body.client_order_id is None else None,
        ReplaceOrder(
            order_id=order_id,
            client_order_id=_client_order_id(body.client_order_id, key),
            **_amounts(body, ("qty", "limit_price", "stop_price", "trail_price", "trail_percent")),
            time_in_force=body.time_in_force,
            expire_at=body.expire_at,
        ),
    )
    if order.status is OrderStatus.DENIED:
        return await _denied(order, caller, request)
    return Response(encode_reply(order), media_type="application/json")


async def get_order(request: Request) -> Response:
    """Fetch an order as its events add up to now."""
    caller = await _admitted(request, Scope.READ)
    order = await caller.ask(GetOrder(order_id=_order_id(request)))
    return Response(encode_reply(order), media_type="application/json")


@routes.get("/orders")
async def list_orders(  # noqa: PLR0913 - one parameter a filter
    caller: Reader,
    account_id: UUID,
    *,
    status: Annotated[str, Query(description="open, closed, all, or one state such as canceled.")] = "all",
    symbols: Annotated[str | None, Query(description="Those alone, with commas between.")] = None,
    side: Side | None = None,
    after: Annotated[datetime | None, Query(description="Placed after that.")] = None,
    until: Annotated[datetime | None, Query(description="Placed before that.")] = None,
    direction: Annotated[Literal["desc", "asc"], Query(description="Newest or oldest first.")] = "desc",
    nested: Annotated[bool, Query(description="Show a group as its first order, with the others as its legs.")] = False,
    cursor: Annotated[str | None, Query(description="next_cursor of the page before.")] = None,
    limit: PageLimit = 100,
) -> OrdersView:
    """List orders of an account page by page."""
    return await caller.ask(
        ListOrders(
            account_id=account_id,
            statuses=_statuses(status),
            symbols=None if symbols is None else tuple(symbols.split(",")),
            side=side,
            after=_with_zone(after, "/after"),
            until=_with_zone(until, "/until"),
            oldest_first=direction == "asc",
            nested=nested,
            cursor=cursor,
            limit=limit,
        )
    )


@routes.get("/orders/{order_id}/events")
async def list_order_events(caller: Reader, order_id: UUID) -> OrderEventsView:
    """List what happened to an order, oldest first; why it was denied, canceled or expired is told by its codes."""
    return await caller.ask(ListOrderEvents(order_id=order_id))


@routes.delete("/orders")
async def cancel_orders(
    caller: Trader,
    account_id: UUID,
    symbols: Annotated[str | None, Query(description="Those alone, with commas between.")] = None,
) -> OrdersView:
    """Ask for all open orders of an account to be canceled; answers those for which that is new."""
    wanted = None if symbols is None else tuple(symbols.split(","))
    return await caller.ask(CancelOrders(account_id=account_id, symbols=wanted))


@routes.delete("/accounts/{account_id}/positions")
async def close_positions(
    caller: Trader,
    account_id: UUID,
    symbol: Annotated[str | None, Query(description="That position alone.")] = None,
    qty: Annotated[str | None, Query(description="A part of it; all where left out.")] = None,
    client_order_id: Annotated[
        str | None, Query(description="What the ids of the orders begin with; repeated, nothing is closed twice.")
    ] = None,
) -> OrdersView:
    """Place market orders that bring positions to zero and only reduce; answers the orders, refused ones included."""
    if qty is not None and symbol is None:
        raise AlphintraError("FIELD_REQUIRED", "qty is a part of one position: name its symbol", pointer="/symbol")
    return await caller.ask(
        ClosePositions(
            account_id=account_id,
            client_order_id=client_order_id or f"close-{caller.context.trace_id}",
            symbols=None if symbol is None else (symbol,),
            qty=None if qty is None else require_positive(parse_decimal(qty, pointer="/qty"), pointer="/qty"),
        )
    )


@routes.delete("/orders/{order_id}")
async def cancel_order(caller: Trader, order_id: UUID) -> OrderView:
    """Ask for an order to be canceled; a closed order is answered as it is."""
    return await caller.ask(CancelOrder(order_id=order_id))


@routes.post("/orders/check")
async def check_order(caller: Trader, body: Annotated[OrderBody, Depends(Body(OrderBody))]) -> OrderCheckView:
    """Ask what every control says of an order now, without placing it: nothing is reserved, stored or told."""
    if body.order_class is not OrderClass.SIMPLE:
        raise AlphintraError("ORDER_UNSUPPORTED", "single orders alone are checked", pointer="/order_class")
    terms = OrderTerms(
        order_id=caller.gate.ids.new(),
        client_order_id=body.client_order_id or "check",
        account_id=body.account_id,
        symbol=body.symbol,
        side=body.side,
        type=body.type,
        time_in_force=body.time_in_force,
        **_amounts(body, ("qty", "notional", "limit_price", "stop_price", "trail_price", "trail_percent")),
        expire_at=body.expire_at,
        extended_hours=body.extended_hours,
        reduce_only=body.reduce_only,
        position_intent=body.position_intent,
    )
    return await caller.ask(CheckOrder(terms=terms))


_SCOPES: Final = {"all": None, "open": tuple(sorted(WORKING)), "closed": tuple(sorted(TERMINAL))}


def _statuses(status: str) -> tuple[OrderStatus, ...] | None:
    if status in _SCOPES:
        return _SCOPES[status]
    try:
        return (OrderStatus(status),)
    except ValueError as error:
        message = f"status {status[:40]!r} is none: {did_you_mean(status, (*_SCOPES, *OrderStatus))}"
        raise AlphintraError("FIELD_VALUE", message, pointer="/status") from error


def _with_zone(moment: datetime | None, pointer: str) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise AlphintraError("TIME_NO_ZONE", "write the time with its zone, e.g. 2026-03-02T21:00:00Z", pointer=pointer)
    return moment


def _order_id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["order_id"])
    except ValueError as error:
        raise AlphintraError("FIELD_FORMAT", "order_id is no UUID", pointer="/order_id") from error


def _amounts(body: msgspec.Struct, names: tuple[str, ...], *, place: str = "") -> dict[str, Any]:
    """Return amounts as the plain numbers of a command. Raises QTY_NOT_POSITIVE."""
    given = {name: getattr(body, name) for name in names}
    return {
        name: None if amount is None else require_positive(Decimal(amount), pointer=f"{place}/{name}")
        for name, amount in given.items()
    }


def _take_profit(body: TakeProfitBody) -> TakeProfit:
    return TakeProfit(**_amounts(body, ("limit_price",), place="/take_profit"), client_order_id=body.client_order_id)


def _stop_loss(body: StopLossBody) -> StopLoss:
    names = ("stop_price", "limit_price", "trail_price", "trail_percent")
    return StopLoss(**_amounts(body, names, place="/stop_loss"), client_order_id=body.client_order_id)


async def _denied(order: OrderView, caller: Caller, request: Request) -> Response:
    findings = await _findings_on(order, caller)
    place = findings[0].field.removeprefix("/terms") if findings else ""
    code, reason = order.reason_code or "ORDER_DENIED", order.reason or "risk refused the order"
    refused = AlphintraError(code, reason, pointer=place)
    extra = {"order_id": order.order_id, "decision_id": order.decision_id, "order": order, "findings": findings}
    return problem_response(refused, request.state.trace_id, extra=extra)


async def _findings_on(order: OrderView, caller: Caller) -> tuple[Finding, ...]:
    """Return what each control had against an order, the first being its reason; nothing where risk cannot be asked."""
    try:
        decisions = (await caller.ask(GetDecisions(order_id=order.order_id))).decisions
    except AlphintraError:
        return ()
    return next((each.findings for each in decisions if each.decision_id == order.decision_id), ())


async def _admitted(request: Request, needed: Scope) -> Caller:
    caller = await gate_of(request).admit(request, needed)
    for name in request.query_params:
        message = f"there is no query parameter {name[:60]!r}: this takes none"
        raise AlphintraError("FIELD_UNKNOWN", message, pointer=f"/{name}")
    return caller


_OF_A_KEY: Final = {
    "ORDER_ID_REUSED": (
        "IDEMPOTENCY_MISMATCH",
        "this Idempotency-Key came with another request before: take a new one",
    ),
    "ORDER_CONFLICT": ("IN_PROGRESS", "the request with this Idempotency-Key is still being answered: try again"),
}


async def _asked(caller: Caller, key: str | None, command: SubmitOrder | ReplaceOrder) -> OrderView:
    """Send an order; what is wrong with its id is told of the key where that stands for it."""
    try:
        return await caller.ask(command)
    except AlphintraError as error:
        if key is None or error.code not in _OF_A_KEY:
            raise
        code, message = _OF_A_KEY[error.code]
        raise AlphintraError(code, message, kind=error.kind, pointer="Idempotency-Key") from error


def _idempotency_key(request: Request) -> str | None:
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    if len(keys) > 1 or not _IDEMPOTENCY_KEY.fullmatch(keys[0]):
        message = "Idempotency-Key is one header of 1 to 128 visible ASCII characters"
        raise AlphintraError("IDEMPOTENCY_FORMAT", message, pointer="Idempotency-Key")
    return keys[0]


def _client_order_id(stated: str | None, key: str | None) -> str:
    if stated is not None:
        if not _ORDER_ID.fullmatch(stated):
            message = "client_order_id is 1 to 128 characters of A-Z a-z 0-9 . _ : -"
            raise AlphintraError("ORDER_ID_FORMAT", message, pointer="/client_order_id")
        if key is not None and key != stated:
            message = "Idempotency-Key and client_order_id differ: send one of them"
            raise AlphintraError("IDEMPOTENCY_AMBIGUOUS", message, pointer="/client_order_id")
        return stated
    if key is None:
        message = "send an Idempotency-Key header or a client_order_id, so that a repetition is recognised"
        raise AlphintraError("IDEMPOTENCY_REQUIRED", message, pointer="/client_order_id")
    # A key may hold characters an order id may not: then its hash stands for it, the same at each repetition.
    return key if _ORDER_ID.fullmatch(key) else f"key-{sha256(key.encode()).hexdigest()}"


def _bound(wanted: type[B], tree: object) -> B:
    try:
        return bind(wanted, tree)
    except AlphintraError as error:
        if error.code == "FIELD_VALUE" and error.pointer in _CHOICES:
            message = f"{error.detail}; supported are {', '.join(_CHOICES[error.pointer])}"
            raise AlphintraError("ORDER_UNSUPPORTED", message, pointer=error.pointer) from error
        raise


_CHOICES: Final = {"/type": tuple(OrderType), "/time_in_force": tuple(TimeInForce), "/order_class": tuple(OrderClass)}
