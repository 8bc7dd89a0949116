"""Use cases that read orders: one with its legs, pages of them, what happened to one."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.orders import OrderEventsView, OrderEventView, OrdersView, OrderView
from alphintra.contracts.trading import GetOrder, ListOrderEvents, ListOrders
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, BookId, OrderId, UserId
from alphintra.kernel.vocabulary import OrderStatus
from alphintra.trading.domain.orders import NewOrder, Order, OrderEvent, OrderEventKind, begin
from alphintra.trading.domain.states import fold
from alphintra.trading.repository.orders import OrderFilter
from alphintra.trading.service.accounts import may_see, owned_account, require_for_order
from alphintra.trading.service.views import order_view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alphintra.kernel.messages import Context
    from alphintra.trading.repository.books import Books

__all__ = ["get_order", "list_order_events", "list_orders", "refolded"]

PAGE_MAX = 1000
EVENTS_MAX = 10_000
CURSOR_MAX = 200


async def get_order(command: GetOrder, context: Context, *, books: Books) -> OrderView:
    """Return an order the actor may see, with its legs. Raises ORDER_NOT_FOUND, also for other people's."""
    order = await _visible(OrderId(command.order_id), context, books=books)
    legs = await books.legs([order.order_id] if order.is_group_head else [])
    return order_view(order, legs.get(order.order_id, ()))


async def list_orders(command: ListOrders, context: Context, *, books: Books) -> OrdersView:
    """Return a page of an account's orders. Raises PAGE_LIMIT, CURSOR_INVALID or ACCOUNT_NOT_FOUND."""
    if not 1 <= command.limit <= PAGE_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must be 1 to {PAGE_MAX}", pointer="/limit")
    account = await owned_account(AccountId(command.account_id), context, books=books)
    wanted = OrderFilter(
        statuses=command.statuses if command.status is None else (command.status,),
        symbols=command.symbols,
        side=command.side,
        after=command.after,
        until=command.until,
        oldest_first=command.oldest_first,
        beyond=None if command.cursor is None else _position(command.cursor),
        heads_only=command.nested,
        limit=command.limit + 1,  # one more than is shown tells whether there is a further page
    )
    if command.client_order_id is None:
        found = await books.orders(account.account_id, wanted)
    else:
        _, named = await books.known([(account.account_id, command.client_order_id)])
        found = tuple(order for order in named.values() if _is_wanted(order, wanted))
    page = found[: command.limit]
    legs = await books.legs(order.order_id for order in page if order.is_group_head)
    return OrdersView(
        orders=tuple(order_view(order, legs.get(order.order_id, ())) for order in page),
        next_cursor=_cursor(page[-1]) if len(found) > len(page) else None,
    )


async def list_order_events(command: ListOrderEvents, context: Context, *, books: Books) -> OrderEventsView:
    """Return what happened to an order. Raises ORDER_NOT_FOUND, also for other people's."""
    order = await _visible(OrderId(command.order_id), context, books=books)
    rows = await books.history(order.order_id, limit=EVENTS_MAX)
    return OrderEventsView(order_id=order.order_id, events=tuple(_event_view(row) for row in rows))


def refolded(rows: Sequence[Mapping[str, Any]]) -> Order:
    """Return an order rebuilt from its stored events alone, the first of which says what was asked for."""
    first, *later = rows
    begun = msgspec.json.decode(first["detail"], type=_Beginning)
    terms = msgspec.structs.asdict(begun.terms)
    del terms["order_id"]
    terms["from_fill"] = begun.terms.reckoning
    asked = NewOrder(**terms, book_id=begun.book_id)
    order = begin(
        asked,
        OrderStatus(first["status"]),
        owner_id=begun.owner_id,
        decision_id=begun.decision_id,
        at=first["occurred_at"],
    )
    started = replace(order, carried_qty=begun.carried_qty, reason_code=begun.code, reason=begun.reason)
    return fold(started, [_event(row) for row in later])


class _Beginning(msgspec.Struct, frozen=True, kw_only=True):
    terms: OrderTerms
    owner_id: UserId
    book_id: BookId | None
    decision_id: UUID | None
    carried_qty: Decimal
    code: str
    reason: str


class _Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What the detail of a stored event says; an execution's is the whole report."""

    code: str = ""
    reason: str = ""
    qty: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    final_qty: Decimal | None = None
    other_order_id: UUID | None = None
    hwm: Decimal | None = None
    seq: int = 0
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    execution_id: str | None = None


_decode_recorded = msgspec.json.Decoder(_Recorded).decode


def _event(row: Mapping[str, Any]) -> OrderEvent:
    told = _decode_recorded(row["detail"])
    return OrderEvent(
        kind=OrderEventKind(row["kind"]),
        at=row["occurred_at"],
        code=told.code,
        reason=told.reason,
        qty=told.qty,
        price=told.price,
        final_qty=told.final_qty,
        other_order_id=None if told.other_order_id is None else OrderId(told.other_order_id),
        hwm=told.hwm,
        seq=told.seq,
        limit_price=told.limit_price,
        stop_price=told.stop_price,
    )


def _event_view(row: Mapping[str, Any]) -> OrderEventView:
    told = _decode_recorded(row["detail"])
    return OrderEventView(
        version=row["version"],
        kind=row["kind"],
        status=OrderStatus(row["status"]),
        occurred_at=row["occurred_at"],
        code=told.code,
        reason=told.reason,
        qty=told.qty or None,
        price=told.price or None,
        execution_id=told.execution_id,
        other_order_id=told.other_order_id,
        detail=row["detail"],
    )


async def _visible(order_id: OrderId, context: Context, *, books: Books) -> Order:
    order = await books.order(order_id)
    if order is None or not may_see(order, context):
        raise AlphintraError("ORDER_NOT_FOUND", f"there is no order {order_id}", kind=Kind.NOT_FOUND)
    await require_for_order(order, context, books=books)
    return order


def _is_wanted(order: Order, wanted: OrderFilter) -> bool:
    return (
        (wanted.statuses is None or order.status in wanted.statuses)
        and (wanted.after is None or order.created_at > wanted.after)
        and (wanted.until is None or order.created_at < wanted.until)
        and (wanted.side is None or order.side is wanted.side)
        and (wanted.symbols is None or order.symbol in wanted.symbols)
    )


def _cursor(order: Order) -> str:
    return urlsafe_b64encode(f"{order.created_at.isoformat()} {order.order_id}".encode()).decode()


def _position(cursor: str) -> tuple[datetime, UUID]:
    """Return the creation and id a cursor stands for. Raises CURSOR_INVALID for anything we did not write."""
    message = "the cursor is none of ours: take next_cursor of the page before, or leave it out"
    invalid = AlphintraError("CURSOR_INVALID", message, pointer="/cursor")
    if len(cursor) > CURSOR_MAX:
        raise invalid
    try:
        created_at, order_id = urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").split(" ")
        moment, ident = datetime.fromisoformat(created_at), UUID(order_id)
    except ValueError as error:
        raise invalid from error
    if moment.tzinfo is None:
        raise invalid
    return moment, ident
