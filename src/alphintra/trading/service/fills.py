"""The use case of booking what venues executed, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from alphintra.contracts.books import ExecutionView
from alphintra.contracts.broker import ExecutionReported
from alphintra.contracts.trading import ExecutionFlagged, FillBooked
from alphintra.infrastructure.events import (
    AuditEntry,
    Delivery,
    EventEntry,
    append_audits,
    append_each,
    receive_many,
)
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.ids import AccountId, ExecutionId, OrderId
from alphintra.kernel.vocabulary import TERMINAL, Side
from alphintra.trading.domain.booking import (
    CashChange,
    Execution,
    Finding,
    HoldingKey,
    book_execution,
    flags_of,
    holding_key,
    refusal_of,
)
from alphintra.trading.repository.booking import BookedExecution, HoldingChanges, Posting
from alphintra.trading.repository.orders import OrderStep
from alphintra.trading.service.reports import Folding, state_event
from alphintra.trading.service.unclaimed import await_order, keep_aside
from alphintra.trading.service.views import order_view

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.kernel.ids import BookId, IdSource
    from alphintra.kernel.messages import Context
    from alphintra.trading.domain.accounts import Account
    from alphintra.trading.domain.booking import Booking
    from alphintra.trading.domain.orders import Order
    from alphintra.trading.repository.books import Books, BooksTransaction

__all__ = ["book_fills", "book_fresh"]

_CONSUMER = "trading"
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode
Report = tuple[Delivery[ExecutionReported], Execution]
Detail = msgspec.Struct | dict[str, object]


async def book_fills(
    deliveries: Sequence[Delivery[ExecutionReported]], *, books: Books, ids: IdSource, at: datetime
) -> None:
    """Book executions in one transaction and a handful of round trips, each once per execution id.

    Order, holding, cash and ledger change together. A report of an order still unknown after ten seconds, or one that
    contradicts its order or what is booked under its id, is kept and told and not booked; one that is odd is booked,
    kept and told. Raises ORDER_NOT_FOUND for a younger report of an unknown order, so that it comes again.
    """
    async with books.transaction() as tx:
        fresh = await receive_many(tx.session, _CONSUMER, deliveries)
        if not fresh:
            return
        await book_fresh(tx, fresh, ids=ids, at=at)
        fault_point("trading.before_fill_commit")
    fault_point("trading.fill_committed")


async def book_fresh(
    tx: BooksTransaction, fresh: Sequence[Delivery[ExecutionReported]], *, ids: IdSource, at: datetime
) -> None:
    """Book executions that were not reported before. Raises as `book_fills`."""
    reports = [(delivery, _execution(delivery.event)) for delivery in fresh]
    batch = await _Batch.opened(tx, reports, ids=ids, at=at)
    for delivery, execution in reports:
        batch.take(delivery, execution)
    await batch.store()


class _Batch:
    """Executions that are booked together: what they found, and what they change of it one by one."""

    def __init__(self, tx: BooksTransaction, *, ids: IdSource, at: datetime) -> None:
        self._tx = tx
        self._ids = ids
        self._at = at
        self._accounts: dict[AccountId, Account] = {}
        self._orders: dict[OrderId, Order] = {}
        self._known: dict[tuple[AccountId, str], Execution] = {}
        self._net: dict[tuple[AccountId, str], Decimal] = {}
        self._cash: dict[AccountId, Decimal] = {}
        self._changes = HoldingChanges()
        self._money: dict[tuple[AccountId, BookId], CashChange] = {}
        self._steps: list[OrderStep] = []
        self._booked: list[BookedExecution] = []
        self._postings: list[Posting] = []
        self._breaks: list[tuple[object, ...]] = []
        self._strange: list[Delivery[ExecutionReported]] = []
        self._events: list[EventEntry] = []
        self._audit: list[AuditEntry] = []

    @classmethod
    async def opened(cls, tx: BooksTransaction, reports: Sequence[Report], *, ids: IdSource, at: datetime) -> _Batch:
        """Read everything the reports may change, and hold it.

        Accounts come first: fills of other orders of an account would else be lost from its position and cash, and
        whoever books for several accounts waits for them in the same order.
        """
        batch = cls(tx, ids=ids, at=at)
        executions = [execution for _delivery, execution in reports]
        batch._accounts = await tx.lock_accounts([execution.account_id for execution in executions])
        batch._orders = await tx.lock_orders([execution.order_id for execution in executions])
        await batch._lock_heirs()
        batch._known = await tx.booked(executions)
        batch._cash = {account_id: account.cash for account_id, account in batch._accounts.items()}
        wanted: dict[HoldingKey, dict[Side, Decimal]] = {}
        for delivery, execution in reports:
            order = batch._orders.get(execution.order_id)
            if order is None:
                await_order(delivery, at=at)
            taken = abs(execution.qty) + abs(execution.fee_qty)
            if order is None or order.account_id not in batch._accounts or not taken.is_finite():
                continue
            sides = wanted.setdefault(holding_key(order), {})
            sides[order.side] = sides.get(order.side, Decimal(0)) + taken
        if wanted:
            batch._changes.holdings = await tx.held(wanted)
            batch._net = await tx.account_quantities(tuple(wanted))
        return batch

    async def _lock_heirs(self) -> None:
        """Hold the orders that replace these, or are about to, and those that replace them."""
        wanted = [order.replaced_by for order in self._orders.values() if order.replaced_by is not None]
        while missing := [order_id for order_id in wanted if order_id not in self._orders]:
            found = await self._tx.lock_orders(missing)
            self._orders |= found
            wanted = [order.replaced_by for order in found.values() if order.replaced_by is not None]

    def take(self, delivery: Delivery[ExecutionReported], execution: Execution) -> None:
        """Book one execution, unless it is booked already or cannot be."""
        order = self._orders.get(execution.order_id)
        booked = self._known.get((execution.account_id, execution.execution_id))
        refusal = refusal_of(execution, order, booked)
        if order is None:
            self._strange.append(delivery)
        if refusal is not None or order is None:
            self._flag(delivery, execution, order, refusal, is_booked=False)
            return
        if booked is not None:
            get_logger().warning("execution.repeated", execution_id=execution.execution_id)
            return
        key = holding_key(order)
        before = self._changes.holdings[key]
        order = replace(order, final_qty=delivery.event.final_qty or order.final_qty)
        booking = book_execution(order, before, execution, at=self._at, seq=delivery.event.seq)
        self._known[execution.account_id, execution.execution_id] = execution
        self._orders[order.order_id] = booking.order
        self._changes.fold(key, execution, booking)
        net = self._net[key.account_id, key.symbol] + booking.position.qty - before.position.qty
        self._net[key.account_id, key.symbol] = net
        self._cash[key.account_id] += booking.cash_change
        money = CashChange(booking.cash_change, booking.realized, booking.fee)
        owner = (key.account_id, key.book_id)
        self._money[owner] = self._money.get(owner, CashChange()) + money
        transaction_id = self._ids.new()
        self._steps.append(OrderStep(booking.order, booking.event, _encode(delivery.event).decode()))
        self._booked.append(BookedExecution(execution, booking, transaction_id))
        self._postings.append(Posting(transaction_id, self._accounts[key.account_id], booking.lines))
        self._tell_booked(delivery, execution, booking, before=order)
        if booking.order.replaced_by is not None:
            heirs = Folding(self._orders.values(), at=self._at)
            heirs.carry_over(booking.order, delivery.context)
            self._orders |= heirs.orders
            self._steps += heirs.steps
            self._events += heirs.told
        for finding in flags_of(execution, booking.order, at=self._at):
            self._flag(delivery, execution, order, finding, is_booked=True)

    async def store(self) -> None:
        """Write everything that changed."""
        tx = self._tx
        if self._booked:
            await tx.save_steps(self._steps)
            await tx.add_executions(self._booked, at=self._at)
            await tx.save_holdings(self._changes, at=self._at)
            await tx.book_cash(self._money)
            await tx.add_postings(self._postings, at=self._at)
        if self._breaks:
            await tx.add_breaks(self._breaks)
        await keep_aside(tx, self._strange, ids=self._ids, at=self._at)
        await append_each(tx.session, self._events, ids=self._ids, at=self._at)
        await append_audits(tx.session, self._audit, ids=self._ids, at=self._at)

    def _tell_booked(
        self, delivery: Delivery[ExecutionReported], execution: Execution, booking: Booking, *, before: Order
    ) -> None:
        order = booking.order
        told = FillBooked(
            owner_id=order.owner_id,
            execution=_execution_view(execution, booking, at=self._at),
            order_status=order.status,
            account_qty=self._net[order.account_id, order.symbol],
            cash=self._cash[order.account_id],
            order=order_view(order),
        )
        self._events.append(EventEntry(order.order_id, told, delivery.context))
        self._record("execution.book", order.order_id, delivery.context, delivery.event)
        if order.status in TERMINAL and before.status not in TERMINAL:
            self._events.append(EventEntry(order.order_id, state_event(order), delivery.context))

    def _flag(
        self,
        delivery: Delivery[ExecutionReported],
        execution: Execution,
        order: Order | None,
        finding: Finding | None,
        *,
        is_booked: bool,
    ) -> None:
        """Keep and tell what is wrong with a report."""
        if finding is None:
            return
        code, detail = finding
        get_logger().error("execution.flagged", code=code, execution_id=execution.execution_id, detail=detail)
        report = _encode(delivery.event).decode()
        names = (execution.account_id, execution.order_id, execution.execution_id, execution.symbol)
        self._breaks.append((self._ids.new(), *names, code, detail, report, is_booked, self._at))
        account = self._accounts.get(execution.account_id)
        owner_id = order.owner_id if order is not None else None if account is None else account.owner_id
        told = ExecutionFlagged(
            owner_id=owner_id,
            account_id=execution.account_id,
            order_id=execution.order_id,
            execution_id=execution.execution_id,
            symbol=execution.symbol,
            code=code,
            detail=detail,
            is_booked=is_booked,
        )
        self._events.append(EventEntry(execution.order_id, told, delivery.context))
        action = "execution.flag" if is_booked else "execution.conflict"
        self._record(action, execution.order_id, delivery.context, {"code": code, "report": delivery.event})

    def _record(self, action: str, order_id: UUID, context: Context, detail: Detail) -> None:
        self._audit.append(AuditEntry(action, f"order:{order_id}", detail, context))


def _execution(event: ExecutionReported) -> Execution:
    return Execution(
        execution_id=ExecutionId(event.execution_id),
        order_id=OrderId(event.order_id),
        account_id=AccountId(event.account_id),
        symbol=event.symbol,
        side=event.side,
        qty=event.qty,
        price=event.price,
        fee=event.fee,
        executed_at=event.executed_at,
        fee_qty=event.fee_qty,
    )


def _execution_view(execution: Execution, booking: Booking, *, at: datetime) -> ExecutionView:
    order = booking.order
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
        realized_pnl=booking.realized,
        executed_at=execution.executed_at,
        booked_at=at,
        fee_qty=execution.fee_qty,
    )
