"""Orders: placing and fetching one go past the wide API's machinery, the rest through it."""

from __future__ import annotations

import re
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from alphintra.contracts.trading import (
    CancelOrder,
    GetOrder,
    ListOrders,
    OrdersView,
    OrderView,
    SubmitOrder,
)
from alphintra.edge.decoding import Amount, bind
from alphintra.edge.guards import Scope, gate_of
from alphintra.edge.problems import problem_response
from alphintra.edge.replies import encode_reply
from alphintra.edge.routing import Operation, PageLimit, Reader, Routes, Trader
from alphintra.edge.strict_json import parse_json
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import require_positive
from alphintra.kernel.vocabulary import OrderStatus, OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from alphintra.edge.guards import Caller

__all__ = ["HOT_OPERATIONS", "hot_routes", "routes"]

routes = Routes("orders")

_ORDER_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_IDEMPOTENCY_KEY: Final = re.compile(r"[!-~]{1,128}")


class OrderBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An order to place; ``client_order_id`` may be left out where an Idempotency-Key is sent."""

    account_id: UUID
    symbol: str
    side: Side
    qty: Amount
    type: OrderType
    time_in_force: TimeInForce = TimeInForce.DAY
    limit_price: Amount | None = None
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
    ]


async def submit_order(request: Request) -> Response:
    """Place an order; repeating it answers the same order, a refusal by risk is a 422 with its reason code."""
    caller = await _admitted(request, Scope.TRADE)
    key = _idempotency_key(request)
    body = _bound(parse_json(await request.body()))
    order = await caller.ask(
        SubmitOrder(
            account_id=body.account_id,
            client_order_id=_client_order_id(body.client_order_id, key),
            symbol=body.symbol,
            side=body.side,
            qty=require_positive(Decimal(body.qty), pointer="/qty"),
            type=body.type,
            time_in_force=body.time_in_force,
            limit_price=None if body.limit_price is None else Decimal(body.limit_price),
        )
    )
    if order.status is OrderStatus.DENIED:
        refused = AlphintraError(order.reason_code or "ORDER_DENIED", order.reason or "risk refused the order")
        extra = {"order_id": order.order_id, "decision_id": order.decision_id, "order": order}
        return problem_response(refused, request.state.trace_id, extra=extra)
    headers = {"Location": f"/api/v1/orders/{order.order_id}"}
    return Response(encode_reply(order), status_code=201, headers=headers, media_type="application/json")


async def get_order(request: Request) -> Response:
    """Fetch an order as its events add up to now."""
    caller = await _admitted(request, Scope.READ)
    try:
        order_id = UUID(request.path_params["order_id"])
    except ValueError as error:
        raise AlphintraError("FIELD_FORMAT", "order_id is no UUID", pointer="/order_id") from error
    order = await caller.ask(GetOrder(order_id=order_id))
    return Response(encode_reply(order), media_type="application/json")


@routes.get("/orders")
async def list_orders(
    caller: Reader, account_id: UUID, status: OrderStatus | None = None, limit: PageLimit = 100
) -> OrdersView:
    """List orders of an account, newest first."""
    return await caller.ask(ListOrders(account_id=account_id, status=status, limit=limit))


@routes.delete("/orders/{order_id}")
async def cancel_order(caller: Trader, order_id: UUID) -> OrderView:
    """Ask for an order to be canceled; a closed order is answered as it is."""
    return await caller.ask(CancelOrder(order_id=order_id))


async def _admitted(request: Request, needed: Scope) -> Caller:
    caller = await gate_of(request).admit(request, needed)
    for name in request.query_params:
        message = f"there is no query parameter {name[:60]!r}: this takes none"
        raise AlphintraError("FIELD_UNKNOWN", message, pointer=f"/{name}")
    return caller


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


def _bound(tree: object) -> OrderBody:
    try:
        return bind(OrderBody, tree)
    except AlphintraError as error:
        if error.code == "FIELD_VALUE" and error.pointer in {"/type", "/time_in_force"}:
            message = f"{error.detail}; supported are type market and limit, time in force day and gtc"
            raise AlphintraError("ORDER_UNSUPPORTED", message, pointer=error.pointer) from error
        raise
