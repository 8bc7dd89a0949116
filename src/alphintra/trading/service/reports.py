"""Use cases on what venues report and what is asked of working orders: acknowledgements, cancels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from alphintra.contracts.broker import OrderAcknowledged, OrderCanceled, OrderExpired, OrderRefused
from alphintra.contracts.trading import (
    CancelOrder,
    CancelRequested,
    OrderClosed,
    OrderUpdated,
    OrderView,
)
from alphintra.infrastructure.events import (
    AuditEntry,
    Delivery,
    EventEntry,
    append_audits,
    append_each,
    append_event,
    append_events,
    receive_many,
    receive_once,
)
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, OrderId
from alphintra.kernel.messages import Event
from alphintra.kernel.vocabulary import TERMINAL
from alphintra.trading.domain.orders import Order, OrderEvent, OrderEventKind, advance
from alphintra.trading.repository.orders import OrderStep
from alphintra.trading.service.accounts import may_see
from alphintra.trading.service.views import order_view

if TYPE_CHECKING:
    from alphintra.contracts.risk import KillStateChanged
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.trading.repository.books import Books, BooksTransaction

__all__ = [
    "cancel_order",
    "kill_state_changed",
    "locked_order",
    "orders_reported",
    "request_cancels",
    "state_event",
    "tell_state",
]

_CONSUMER = "trading"
_BLOCKING = {"cancel_only", "halted"}
_KINDS: Mapping[type[Event], OrderEventKind] = {
    OrderAcknowledged: OrderEventKind.ACKNOWLEDGED,
    OrderCanceled: OrderEventKind.CANCELED,
    OrderExpired: OrderEventKind.EXPIRED,
}
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
        await request_cancels(tx, await tx.lock_working_orders(scope), delivery.context, ids=ids, at=at)


async def orders_reported(reports: Sequence[Delivery[Any]], *, books: Books, ids: IdSource, at: datetime) -> None:
    """Fold a venue's words on orders, acknowledged, refused, canceled or expired, in one transaction.

    Raises ORDER_NOT_FOUND, with nothing stored, if one of the orders is unknown.
    """
    async with books.transaction() as tx:
        fresh = await receive_many(tx.session, _CONSUMER, reports)
        orders = await tx.lock_orders([OrderId(report.event.order_id) for report in fresh])
        steps: list[OrderStep] = []
        told: list[EventEntry] = []
        for report in fresh:
            event = _order_event(report.event, at)
            order = _known(orders, report.event.order_id)
            moved = advance(order, event)
            if moved is None:
                get_logger().info("order.report_without_effect", order_id=str(order.order_id), kind=event.kind)
                continue
            orders[order.order_id] = moved
            steps.append(OrderStep(moved, event, _encode({"code": event.code, "reason": event.reason}).decode()))
            told.append(EventEntry(order.order_id, state_event(moved), report.context))
        await tx.save_steps(steps)
        await append_each(tx.session, told, ids=ids, at=at)


def _order_event(event: Event, at: datetime) -> OrderEvent:
    if isinstance(event, OrderRefused):
        return OrderEvent(kind=OrderEventKind.REFUSED, at=at, code=event.code, reason=event.reason)
    return OrderEvent(kind=_KINDS[type(event)], at=at)


def _known(orders: Mapping[OrderId, Order], order_id: UUID) -> Order:
    order = orders.get(OrderId(order_id))
    if order is None:
        # The event comes again until the order is known: a report is never dropped.
        raise AlphintraError("ORDER_NOT_FOUND", f"a venue reports on unknown order {order_id}", kind=Kind.NOT_FOUND)
    return order


async def _request_cancel(
    tx: BooksTransaction, order: Order, context: Context, *, ids: IdSource, at: datetime
) -> Order:
    moved = await request_cancels(tx, (order,), context, ids=ids, at=at)
    return moved[0] if moved else order


async def request_cancels(
    tx: BooksTransaction, orders: Sequence[Order], context: Context, *, ids: IdSource, at: datetime
) -> tuple[Order, ...]:
    """Ask for the cancellation of those orders where that changes something; return these, in one go for any number."""
    event = OrderEvent(kind=OrderEventKind.CANCEL_REQUESTED, at=at)
    moved = tuple(order for order in (advance(order, event) for order in orders) if order is not None)
    told = [(order.order_id, CancelRequested(order_id=order.order_id, account_id=order.account_id)) for order in moved]
    subjects = [(f"order:{order_id}", fact) for order_id, fact in told]
    await tx.save_steps([OrderStep(order, event, "{}") for order in moved])
    await append_events(tx.session, told, ids=ids, context=context, at=at)
    audited = [AuditEntry("order.cancel", subject, fact, context) for subject, fact in subjects]
    await append_audits(tx.session, audited, ids=ids, at=at)
    return moved


async def locked_order(tx: BooksTransaction, order_id: UUID) -> Order:
    """Read an order a venue reports on and hold it. Raises ORDER_NOT_FOUND."""
    return _known(await tx.lock_orders([OrderId(order_id)]), order_id)


async def tell_state(tx: BooksTransaction, order: Order, context: Context, *, ids: IdSource, at: datetime) -> None:
    """Tell the new state of an order."""
    await append_event(tx.session, state_event(order), ids=ids, aggregate_id=order.order_id, context=context, at=at)


def state_event(order: Order) -> OrderClosed | OrderUpdated:
    """Return what is told of an order's new state."""
    kind = OrderClosed if order.status in TERMINAL else OrderUpdated
    return kind(owner_id=order.owner_id, order=order_view(order))
