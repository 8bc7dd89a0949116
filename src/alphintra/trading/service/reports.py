"""Use cases on what venues report and what is asked of working orders: acknowledgements, cancels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from alphintra.contracts.trading import (
    CancelOrder,
    CancelRequested,
    OrderClosed,
    OrderUpdated,
    OrderView,
)
from alphintra.infrastructure.events import Delivery, append_event, append_events, receive_once
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, OrderId
from alphintra.kernel.vocabulary import TERMINAL
from alphintra.trading.domain.orders import Order, OrderEvent, OrderEventKind, advance
from alphintra.trading.service.accounts import may_see
from alphintra.trading.service.views import order_view

if TYPE_CHECKING:
    from alphintra.contracts.risk import KillStateChanged
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.trading.repository.books import Books, BooksTransaction

__all__ = ["cancel_order", "kill_state_changed", "locked_order", "order_reported", "tell_state"]

_CONSUMER = "trading"
_BLOCKING = {"cancel_only", "halted"}
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


async def cancel_order(
    command: CancelOrder, context: Context, *, books: Books, ids: IdSource, at: datetime
) -> OrderView:
    """Ask the venue to cancel an order; a closed order, or one being canceled, is answered as it is."""
    async with books.transaction() as tx:
        order = await tx.lock_order(OrderId(command.order_id))
        if order is None or not may_see(order, context):
            raise AlphintraError("ORDER_NOT_FOUND", f"there is no order {command.order_id}", kind=Kind.NOT_FOUND)
        return order_view(await _request_cancel(tx, order, context, ids=ids, at=at))


async def kill_state_changed(
    delivery: Delivery[KillStateChanged], *, books: Books, ids: IdSource, at: datetime
) -> None:
    """Ask for every working order in the scope of a block to be canceled."""
    kill = delivery.event.kill
    async with books.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery) or kill.state not in _BLOCKING:
            return
        scope = None if kill.account_id is None else AccountId(kill.account_id)
        await _request_cancels(tx, await tx.lock_working_orders(scope), delivery.context, ids=ids, at=at)


async def order_reported(  # noqa: PLR0913 - what happened, to which order, and where it is stored
    delivery: Delivery[Any],
    kind: OrderEventKind,
    *,
    books: Books,
    ids: IdSource,
    at: datetime,
    code: str = "",
    reason: str = "",
) -> None:
    """Fold the venue's word on an order: acknowledged, refused, canceled or expired."""
    async with books.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        order = await locked_order(tx, delivery.event.order_id)
        event = OrderEvent(kind=kind, at=at, code=code, reason=reason)
        moved = advance(order, event)
        if moved is None:
            get_logger().info("order.report_without_effect", order_id=str(order.order_id), kind=kind)
            return
        await tx.save_order(moved, event, detail=_encode({"code": code, "reason": reason}).decode())
        await tell_state(tx, moved, delivery.context, ids=ids, at=at)


async def _request_cancel(
    tx: BooksTransaction, order: Order, context: Context, *, ids: IdSource, at: datetime
) -> Order:
    moved = await _request_cancels(tx, (order,), context, ids=ids, at=at)
    return moved[0] if moved else order


async def _request_cancels(
    tx: BooksTransaction, orders: Sequence[Order], context: Context, *, ids: IdSource, at: datetime
) -> tuple[Order, ...]:
    """Ask for the cancellation of those orders where that changes something; return these, in one go for any number."""
    event = OrderEvent(kind=OrderEventKind.CANCEL_REQUESTED, at=at)
    moved = tuple(order for order in (advance(order, event) for order in orders) if order is not None)
    told = [(order.order_id, CancelRequested(order_id=order.order_id, account_id=order.account_id)) for order in moved]
    audited = [
        (ids.new(), context.actor.id, "order.cancel", f"order:{each}", _encode(fact).decode(), context.trace_id, at)
        for each, fact in told
    ]
    await tx.save_orders(moved, event, detail="{}")
    await append_events(tx.session, told, ids=ids, context=context, at=at)
    await tx.add_audit_rows(audited)
    return moved


async def locked_order(tx: BooksTransaction, order_id: Any) -> Order:  # noqa: ANN401 - a raw id off the wire
    """Read an order a venue reports on and hold it. Raises ORDER_NOT_FOUND."""
    order = await tx.lock_order(OrderId(order_id))
    if order is None:
        # The event comes again until the order is known: a report is never dropped.
        raise AlphintraError("ORDER_NOT_FOUND", f"a venue reports on unknown order {order_id}", kind=Kind.NOT_FOUND)
    return order


async def tell_state(tx: BooksTransaction, order: Order, context: Context, *, ids: IdSource, at: datetime) -> None:
    """Tell the new state of an order."""
    kind = OrderClosed if order.status in TERMINAL else OrderUpdated
    told = kind(owner_id=order.owner_id, order=order_view(order))
    await append_event(tx.session, told, ids=ids, aggregate_id=order.order_id, context=context, at=at)
