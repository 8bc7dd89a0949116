"""The use case of booking what a venue executed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from alphintra.contracts.trading import ExecutionView, FillBooked
from alphintra.infrastructure.events import Delivery, append_audit, append_event, receive_once
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import ExecutionId
from alphintra.kernel.vocabulary import TERMINAL
from alphintra.trading.domain.booking import Execution, book_execution
from alphintra.trading.domain.orders import Order, OrderEvent, OrderEventKind
from alphintra.trading.service.reports import locked_order, tell_state
from alphintra.trading.service.views import order_view

if TYPE_CHECKING:
    from alphintra.contracts.broker import ExecutionReported
    from alphintra.kernel.ids import IdSource
    from alphintra.trading.repository.books import Books, BooksTransaction

__all__ = ["book_fill"]

_CONSUMER = "trading"
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


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
        order = await locked_order(tx, event.order_id)
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
            order=order_view(booking.order),
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
            await tell_state(tx, booking.order, delivery.context, ids=ids, at=at)
        fault_point("trading.before_fill_commit")
    fault_point("trading.fill_committed")


async def _record_conflict(
    tx: BooksTransaction, order: Order, delivery: Delivery[ExecutionReported], *, ids: IdSource, at: datetime
) -> None:
    get_logger().error("execution.conflict", execution_id=delivery.event.execution_id, order_id=str(order.order_id))
    facts: dict[str, object] = {"code": "EXEC_CONFLICT", "report": delivery.event}
    subject = f"order:{order.order_id}"
    await append_audit(tx.session, "execution.conflict", subject, facts, ids=ids, context=delivery.context, at=at)


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
