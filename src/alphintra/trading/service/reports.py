"""Use cases on what venues report and what is asked of working orders: acknowledgements, fills, cancels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from alphintra.contracts.trading import (
    CancelOrder,
    CancelRequested,
    ExecutionView,
    FillBooked,
    OrderClosed,
    OrderUpdated,
    OrderView,
)
from alphintra.infrastructure.events import Delivery, append_audit, append_event, append_events, receive_once
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, ExecutionId, OrderId
from alphintra.kernel.vocabulary import TERMINAL
from alphintra.trading.domain import Execution, Order, OrderEvent, OrderEventKind, advance, book_execution
from alphintra.trading.service.accounts import may_see
from alphintra.trading.service.views import order_view

if TYPE_CHECKING:
    from alphintra.contracts.broker import ExecutionReported
    from alphintra.contracts.risk import KillStateChanged
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.trading.repository import Books, BooksTransaction

__all__ = ["book_fill", "cancel_order", "kill_state_changed", "order_reported"]

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
        order = await _locked(tx, delivery.event.order_id)
        event = OrderEvent(kind=kind, at=at, code=code, reason=reason)
        moved = advance(order, event)
        if moved is None:
            get_logger().info("order.report_without_effect", order_id=str(order.order_id), kind=kind)
            return
        await tx.save_order(moved, event, detail=_encode({"code": code, "reason": reason}).decode())
        await _tell(tx, moved, delivery.context, ids=ids, at=at)


async def book_fill(delivery: Delivery[ExecutionReported], *, books: Books, ids: IdSource, at: datetime) -> None:
    """Book an execution: order, position, cash and ledger in one transaction, once per execution id.

    A report that contradicts its order or what is booked under its id is kept in the audit log and not booked.
    """
    event = delivery.event
    execution = Execution(
        execution_id=ExecutionId(event.execution_id),
        qty=event.qty,
        price=event.price,
        fee=event.fee,
        executed_at=event.executed_at,
    )
    async with books.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        order = await _locked(tx, event.order_id)
        # Held from here on: fills of other orders of this account would else be lost from position and cash.
        account = await tx.lock_account(order.account_id)
        if account is None:
            raise AlphintraError("ACCOUNT_NOT_FOUND", f"no account {order.account_id}", kind=Kind.BUG)
        booked = await tx.booked(order.account_id, event.execution_id)
        if booked == (order.order_id, execution):
            get_logger().warning("execution.repeated", execution_id=event.execution_id)
            return
        if booked is not None or (event.account_id, event.symbol, event.side) != (
            order.account_id,
            order.symbol,
            order.side,
        ):
            await _record_conflict(tx, order, delivery, ids=ids, at=at)
            return
        booking = book_execution(order, await tx.lock_position(order), execution, at=at)
        transaction_id = ids.new()
        facts = OrderEvent(kind=OrderEventKind.EXECUTED, at=at, qty=execution.qty, price=execution.price)
        await tx.save_order(booking.order, facts, detail=_encode(event).decode())
        await tx.add_execution(order, execution, realized=booking.realized, transaction_id=transaction_id, at=at)
        net = await tx.save_position(order, booking.position, fee=execution.fee, at=at)
        cash = await tx.book_cash(
            order.account_id, change=booking.cash_change, realized=booking.realized, fee=execution.fee
        )
        await tx.add_lines(account, booking.lines, transaction_id=transaction_id, at=at)
        told = FillBooked(
            owner_id=order.owner_id,
            execution=_execution_view(order, execution, realized=booking.realized, at=at),
            order_status=booking.order.status,
            account_qty=net,
            cash=cash,
        )
        await append_event(tx.session, told, ids=ids, aggregate_id=order.order_id, context=delivery.context, at=at)
        await append_audit(
            tx.session,
            "execution.book",
            f"order:{order.order_id}",
            event,
            ids=ids,
            context=delivery.context,
            at=at,
        )
        if booking.order.status in TERMINAL and order.status not in TERMINAL:
            await _tell(tx, booking.order, delivery.context, ids=ids, at=at)
        fault_point("trading.before_fill_commit")
    fault_point("trading.fill_committed")


async def _record_conflict(
    tx: BooksTransaction, order: Order, delivery: Delivery[ExecutionReported], *, ids: IdSource, at: datetime
) -> None:
    get_logger().error("execution.conflict", execution_id=delivery.event.execution_id, order_id=str(order.order_id))
    facts: dict[str, object] = {"code": "EXEC_CONFLICT", "report": delivery.event}
    subject = f"order:{order.order_id}"
    await append_audit(tx.session, "execution.conflict", subject, facts, ids=ids, context=delivery.context, at=at)


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


async def _locked(tx: BooksTransaction, order_id: Any) -> Order:  # noqa: ANN401 - a raw id off the wire
    order = await tx.lock_order(OrderId(order_id))
    if order is None:
        # The event comes again until the order is known: a report is never dropped.
        raise AlphintraError("ORDER_NOT_FOUND", f"a venue reports on unknown order {order_id}", kind=Kind.NOT_FOUND)
    return order


async def _tell(tx: BooksTransaction, order: Order, context: Context, *, ids: IdSource, at: datetime) -> None:
    kind = OrderClosed if order.status in TERMINAL else OrderUpdated
    told = kind(owner_id=order.owner_id, order=order_view(order))
    await append_event(tx.session, told, ids=ids, aggregate_id=order.order_id, context=context, at=at)


def _execution_view(order: Order, execution: Execution, *, realized: Any, at: datetime) -> ExecutionView:  # noqa: ANN401
    return ExecutionView(
        execution_id=execution.execution_id,
        order_id=order.order_id,
        account_id=order.account_id,
        book_id=order.book_id,
        symbol=order.symbol,
        side=order.side,
        qty=execution.qty,
        price=execution.price,
        fee=execution.fee,
        realized_pnl=realized,
        executed_at=execution.executed_at,
        booked_at=at,
    )
