"""Use cases on what venues report and what is asked of working orders: acknowledgements, refusals, cancels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from alphintra.contracts.broker import (
    CancelRefused,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderRefused,
    OrderReplaced,
    OrderSuspended,
    OrderTrailed,
    OrderTriggered,
    OrderUncertain,
)
from alphintra.contracts.orders import OrdersView, OrderView
from alphintra.contracts.trading import CancelOrder, CancelOrders, CancelRequested, OrderClosed, OrderUpdated
from alphintra.infrastructure.events import (
    AuditEntry,
    Delivery,
    EventEntry,
    append_audits,
    append_each,
    append_event,
    receive_many,
    receive_once,
)
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.authority import require_for_account
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, OrderId
from alphintra.kernel.messages import Event
from alphintra.kernel.vocabulary import TERMINAL, AccountMode, OrderStatus
from alphintra.trading.domain.orders import Order, OrderEvent, OrderEventKind, Reason
from alphintra.trading.domain.states import advance, standing
from alphintra.trading.repository.orders import OrderStep
from alphintra.trading.service.accounts import may_see, owned_account
from alphintra.trading.service.unclaimed import await_order, keep_aside
from alphintra.trading.service.views import order_view

if TYPE_CHECKING:
    from alphintra.contracts.risk import KillStateChanged, OrdersBarred
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.trading.repository.books import Books, BooksTransaction

__all__ = [
    "Folding",
    "cancel_order",
    "cancel_orders",
    "event_detail",
    "fold_fresh",
    "kill_state_changed",
    "locked_order",
    "orders_barred",
    "orders_reported",
    "request_cancels",
    "state_event",
    "tell_state",
]

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
        if context.actor.mode is not None:
            mode = AccountMode(await tx.session.value("accounts.mode", order.account_id))
            require_for_account(context.actor, order.account_id, mode)
        folding = Folding((order,), at=at)
        folding.request_cancel(order.order_id, context, code=_asked_by(context))
        await folding.store(tx, ids=ids)
    return order_view(folding.orders[order.order_id])


async def cancel_orders(
    command: CancelOrders, context: Context, *, books: Books, ids: IdSource, at: datetime
) -> OrdersView:
    """Ask the venue to cancel all open orders of an account; answers those for which that is new."""
    account = await owned_account(AccountId(command.account_id), context, books=books)
    async with books.transaction() as tx:
        orders = await tx.lock_open_orders(account.account_id, symbols=command.symbols)
        folding = Folding(orders, at=at)
        asked = [order for order in orders if folding.request_cancel(order.order_id, context, code=_asked_by(context))]
        await folding.store(tx, ids=ids)
    return OrdersView(orders=tuple(order_view(folding.orders[order.order_id]) for order in asked))


async def kill_state_changed(
    delivery: Delivery[KillStateChanged], *, books: Books, ids: IdSource, at: datetime
) -> None:
    """Ask for every open order in the scope of a block to be canceled."""
    kill = delivery.event.kill
    async with books.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery) or kill.state not in _BLOCKING:
            return
        scope = None if kill.account_id is None else AccountId(kill.account_id)
        orders = await tx.lock_open_orders(scope)
        folding = Folding(orders, at=at)
        for order in orders:
            folding.request_cancel(order.order_id, delivery.context, code=Reason.KILL_SWITCH)
        await folding.store(tx, ids=ids)


async def orders_barred(delivery: Delivery[OrdersBarred], *, books: Books, ids: IdSource, at: datetime) -> None:
    """Ask for the orders of a blocked strategy, in a restricted symbol, or the one named to be canceled."""
    event = delivery.event
    async with books.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        if event.order_id is not None:
            orders = tuple((await tx.lock_orders([OrderId(event.order_id)])).values())
        elif event.book_id is not None or event.symbols:
            account_id = None if event.account_id is None else AccountId(event.account_id)
            orders = await tx.lock_open_orders(account_id, symbols=event.symbols or None, book_id=event.book_id)
        else:
            get_logger().error("orders.barred_without_scope", event_id=str(delivery.event_id))
            return
        await request_cancels(tx, orders, delivery.context, code=event.code, ids=ids, at=at)


async def orders_reported(reports: Sequence[Delivery[Any]], *, books: Books, ids: IdSource, at: datetime) -> None:
    """Fold a venue's words on orders, executions apart, in one transaction.

    Those on orders that are unknown after ten seconds are kept aside. Raises ORDER_NOT_FOUND, with nothing stored, for
    a younger one, so that it comes again.
    """
    async with books.transaction() as tx:
        await fold_fresh(tx, await receive_many(tx.session, _CONSUMER, reports), ids=ids, at=at)


async def fold_fresh(tx: BooksTransaction, fresh: Sequence[Delivery[Any]], *, ids: IdSource, at: datetime) -> None:
    """Fold a venue's words on orders that have had no effect yet. Raises as `orders_reported`."""
    wanted = [OrderId(report.event.order_id) for report in fresh]
    wanted += [OrderId(report.event.replaced_by) for report in fresh if isinstance(report.event, OrderReplaced)]
    refused = [OrderId(report.event.order_id) for report in fresh if isinstance(report.event, OrderRefused)]
    if refused:
        wanted += await tx.predecessors(refused)
    # All at once, oldest first as everywhere: whoever holds one of them never waits for an older one.
    folding = Folding((await tx.lock_orders(wanted)).values(), at=at)
    strange = [report for report in fresh if OrderId(report.event.order_id) not in folding.orders]
    for report in strange:
        await_order(report, at=at)
    for report in fresh:
        if OrderId(report.event.order_id) in folding.orders:
            folding.report(report)
    await folding.store(tx, ids=ids)
    await keep_aside(tx, strange, ids=ids, at=at)


class Folding:
    """Orders that are held, folded event by event, and all that is to be stored and told of it."""

    def __init__(self, orders: Iterable[Order], *, at: datetime) -> None:
        self.orders = {order.order_id: order for order in orders}
        self._at = at
        self.steps: list[OrderStep] = []
        self.told: list[EventEntry] = []
        self._audit: list[AuditEntry] = []

    def fold(self, order_id: OrderId, event: OrderEvent, context: Context) -> Order | None:
        """Fold one event and tell the state after it; None where it changes nothing."""
        moved = self._advance(order_id, event)
        if moved is not None:
            self.told.append(EventEntry(order_id, state_event(moved), context))
        return moved

    def request_cancel(self, order_id: OrderId, context: Context, *, code: str) -> bool:
        """Ask the venue to cancel an order; tell whether that is new."""
        event = OrderEvent(kind=OrderEventKind.CANCEL_REQUESTED, at=self._at, code=code)
        moved = self._advance(order_id, event)
        if moved is None:
            return False
        wish = CancelRequested(order_id=order_id, account_id=moved.account_id)
        self.told.append(EventEntry(order_id, wish, context))
        self._audit.append(AuditEntry("order.cancel", f"order:{order_id}", wish, context))
        return True

    def report(self, report: Delivery[Any]) -> None:
        """Fold a venue's word on an order, and what follows for the one it replaces or is replaced by."""
        before = self.orders[OrderId(report.event.order_id)]
        event = _order_event(report.event, before, at=self._at)
        if event.kind is OrderEventKind.TRAILED:  # shown where the order is, and no new state to tell
            self._advance(before.order_id, event)
            return
        moved = self.fold(before.order_id, event, report.context)
        if moved is None:
            get_logger().info("order.report_without_effect", order_id=str(before.order_id), kind=event.kind)
        elif event.kind is OrderEventKind.REFUSED and before.replaces in self.orders:
            # The venue did not take the new order: the old one goes on.
            refused = replace(event, kind=OrderEventKind.REPLACE_REFUSED)
            self.fold(before.replaces, refused, report.context)
        elif event.kind is OrderEventKind.REPLACED and event.other_order_id in self.orders:
            self.carry_over(moved, report.context)
            if before.status is OrderStatus.PENDING_CANCEL:
                # The cancel met an order that was just being replaced: it is the new one that is to go.
                self.request_cancel(event.other_order_id, report.context, code=before.reason_code)

    def carry_over(self, order: Order, context: Context) -> None:
        """Let the order that replaces another one, or is about to, know what the other has filled."""
        while order.replaced_by in self.orders:
            carried = order.carried_qty + order.filled_qty
            event = OrderEvent(kind=OrderEventKind.CARRIED, at=self._at, qty=carried)
            moved = self.fold(order.replaced_by, event, context)
            if moved is None:
                return
            order = moved

    async def store(self, tx: BooksTransaction, *, ids: IdSource) -> None:
        """Write everything that changed, in a handful of statements for any number of orders."""
        await tx.save_steps(self.steps)
        await append_each(tx.session, self.told, ids=ids, at=self._at)
        await append_audits(tx.session, self._audit, ids=ids, at=self._at)

    def _advance(self, order_id: OrderId, event: OrderEvent) -> Order | None:
        moved = advance(self.orders[order_id], event)
        if moved is not None:
            self.orders[order_id] = moved
            self.steps.append(OrderStep(moved, event, event_detail(event)))
        return moved


def event_detail(event: OrderEvent) -> str:
    """Return what is stored of an event beside its kind and time; what it does not say is left out."""
    facts = {
        "code": str(event.code),
        "reason": event.reason,
        "qty": event.qty,
        "price": event.price,
        "final_qty": event.final_qty,
        "other_order_id": event.other_order_id,
        "hwm": event.hwm,
        "seq": event.seq,
        "limit_price": event.limit_price,
        "stop_price": event.stop_price,
    }
    return _encode({name: value for name, value in facts.items() if value}).decode()


async def request_cancels(
    tx: BooksTransaction, orders: Iterable[Order], context: Context, *, code: str, ids: IdSource, at: datetime
) -> tuple[OrderId, ...]:
    """Ask for the cancellation of those orders where that changes something; return these, in one go for any number."""
    folding = Folding(orders, at=at)
    moved = tuple(
        order_id for order_id in tuple(folding.orders) if folding.request_cancel(order_id, context, code=code)
    )
    await folding.store(tx, ids=ids)
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


def _order_event(event: Any, order: Order, *, at: datetime) -> OrderEvent:  # noqa: ANN401 - any report on an order
    """Return a report as what it means for the order."""
    return OrderEvent(
        kind=_kind(event, order),
        at=at,
        code=getattr(event, "code", ""),
        reason=getattr(event, "reason", ""),
        other_order_id=getattr(event, "replaced_by", None),
        hwm=getattr(event, "hwm", None),
        seq=getattr(event, "seq", 0),
        limit_price=getattr(event, "limit_price", None),
        stop_price=event.stop_price if isinstance(event, OrderAcknowledged) else None,
    )


_KINDS: Mapping[type[Event], OrderEventKind] = {
    OrderRefused: OrderEventKind.REFUSED,
    CancelRefused: OrderEventKind.CANCEL_REFUSED,
    OrderCanceled: OrderEventKind.CANCELED,
    OrderExpired: OrderEventKind.EXPIRED,
    OrderReplaced: OrderEventKind.REPLACED,
    OrderTriggered: OrderEventKind.TRIGGERED,
    OrderTrailed: OrderEventKind.TRAILED,
    OrderUncertain: OrderEventKind.UNCERTAIN,
}


def _kind(event: Event, order: Order) -> OrderEventKind:
    if isinstance(event, OrderSuspended):
        return OrderEventKind.DONE_FOR_DAY if event.is_done_for_day else OrderEventKind.SUSPENDED
    if not isinstance(event, OrderAcknowledged):
        return _KINDS[type(event)]
    if event.is_queued:
        return OrderEventKind.ACCEPTED
    is_held = order.status not in TERMINAL and standing(order) is OrderStatus.HELD
    return OrderEventKind.ACTIVATED if is_held else OrderEventKind.ACKNOWLEDGED


def _asked_by(context: Context) -> Reason:
    if context.actor.user_id is not None:
        return Reason.CANCEL_BY_USER
    return Reason.CANCEL_BY_OPERATOR if context.actor.id == "operator" else Reason.CANCEL_BY_SERVICE


def _known(orders: Mapping[OrderId, Order], order_id: UUID) -> Order:
    order = orders.get(OrderId(order_id))
    if order is None:
        # The event comes again until the order is known: a report is never dropped.
        raise AlphintraError("ORDER_NOT_FOUND", f"a venue reports on unknown order {order_id}", kind=Kind.NOT_FOUND)
    return order
