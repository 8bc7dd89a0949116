"""What an execution books: position, cash and balanced ledger lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from alphintra.engine.portfolio import Position, apply_fill, cash_delta
from alphintra.kernel.ids import BookId, ExecutionId
from alphintra.kernel.money import require_finite
from alphintra.trading.domain.orders import Order, OrderEvent, OrderEventKind, executed

__all__ = ["UNASSIGNED_BOOK", "Booking", "Execution", "LedgerLine", "book_execution"]

UNASSIGNED_BOOK = BookId(UUID(int=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execution as the broker reported it."""

    execution_id: ExecutionId
    qty: Decimal
    price: Decimal
    fee: Decimal
    executed_at: datetime


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One side of a double entry; positive amounts are debits."""

    ledger_account: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """Everything one execution changes, to be stored in one transaction."""

    order: Order
    position: Position
    realized: Decimal
    cash_change: Decimal
    lines: tuple[LedgerLine, ...]


def book_execution(order: Order, position: Position, execution: Execution, *, at: datetime) -> Booking:
    """Return everything an execution changes: order, position, cash and the balanced ledger lines.

    ``at`` is when it is booked: the venue's own time is on another clock and does not date the order.
    """
    event = OrderEvent(kind=OrderEventKind.EXECUTED, at=at, qty=execution.qty, price=execution.price)
    require_finite(execution.fee, pointer="/fee")
    moved, realized = apply_fill(position, order.side, qty=execution.qty, price=execution.price)
    cash = cash_delta(order.side, execution.qty, price=execution.price, fee=execution.fee)
    amounts = {
        "cash": cash,
        "fees": execution.fee,
        "realized_pnl": -realized,
        f"securities:{order.symbol}": realized - cash - execution.fee,
    }
    return Booking(
        order=executed(order, event),
        position=moved,
        realized=realized,
        cash_change=cash,
        lines=tuple(LedgerLine(name, amount) for name, amount in amounts.items() if amount),
    )
