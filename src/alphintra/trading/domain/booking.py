"""What executions book: order, holding, cash and balanced ledger lines; and what is wrong with a report of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from alphintra.engine.holding import Fill, Filled, Holding, fill_holding
from alphintra.engine.portfolio import Position, cash_delta, fee_worth, position_delta
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId, BookId, ExecutionId, OrderId
from alphintra.kernel.money import plain, require_finite, require_positive
from alphintra.kernel.vocabulary import Side
from alphintra.trading.domain.orders import Order, OrderEvent, OrderEventKind
from alphintra.trading.domain.states import executed

__all__ = [
    "UNASSIGNED_BOOK",
    "Booking",
    "BreakCode",
    "CashChange",
    "Execution",
    "Finding",
    "HoldingKey",
    "LedgerLine",
    "book_execution",
    "flags_of",
    "holding_key",
    "refusal_of",
]

UNASSIGNED_BOOK = BookId(UUID(int=0))
SKEW_MAX = timedelta(seconds=5)  # clocks of venues and ours differ; a fill beyond this is of the future


class BreakCode(StrEnum):
    """What can be wrong with the report of an execution; the first two are not booked, the others are and are told."""

    EXTERNAL_ORDER = "EXTERNAL_ORDER"
    EXEC_CONFLICT = "EXEC_CONFLICT"
    OVERFILL = "OVERFILL"
    LATE_FILL = "LATE_FILL"
    FEE_SIGN = "FEE_SIGN"
    TIME_SKEW = "TIME_SKEW"


class Finding(NamedTuple):
    """Something wrong with a report: its code, and one sentence with what is said and what we have."""

    code: BreakCode
    detail: str


@dataclass(frozen=True, slots=True)
class CashChange:
    """What changes of the money of an account or book: its cash, its profit before fees, the fees it paid."""

    cash: Decimal = Decimal(0)
    realized: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)

    def __add__(self, other: CashChange) -> CashChange:
        """Add up two changes."""
        return CashChange(self.cash + other.cash, self.realized + other.realized, self.fee + other.fee)

    @property
    def amounts(self) -> tuple[Decimal, Decimal, Decimal]:
        """Cash, profit and fee, in this order."""
        return self.cash, self.realized, self.fee


class HoldingKey(NamedTuple):
    """Which holding: of one symbol in one book; the unassigned book has an id of its own."""

    account_id: AccountId
    book_id: BookId
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execution as the broker reported it, of an order it names.

    ``fee`` is in the account's currency; ``fee_qty`` is what the venue kept of what is traded.
    """

    execution_id: ExecutionId
    order_id: OrderId
    account_id: AccountId
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    executed_at: datetime
    fee_qty: Decimal = Decimal(0)

    @property
    def net_qty(self) -> Decimal:
        """What came into the holding or left it, above zero; a fee in kind makes a purchase smaller, a sale larger."""
        return abs(position_delta(self.side, self.qty, fee_qty=self.fee_qty))

    @property
    def fee_worth(self) -> Decimal:
        """The whole fee in the account's currency: what was charged in it, and what was kept at the price paid."""
        return fee_worth(self.side, qty=self.qty, price=self.price, fee=self.fee, fee_qty=self.fee_qty)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One side of a double entry, in a book; positive amounts are debits."""

    ledger_account: str
    amount: Decimal
    book_id: BookId = UNASSIGNED_BOOK


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """Everything one execution changes, to be stored in one transaction."""

    order: Order
    event: OrderEvent
    filled: Filled
    cash_change: Decimal
    fee: Decimal
    lines: tuple[LedgerLine, ...]

    @property
    def position(self) -> Position:
        """The position after it, by weighted average."""
        return self.filled.holding.position

    @property
    def realized(self) -> Decimal:
        """Profit it booked by weighted average, before fees."""
        return self.filled.realized


def holding_key(order: Order) -> HoldingKey:
    """Return which holding an order's executions change."""
    return HoldingKey(order.account_id, order.book_id or UNASSIGNED_BOOK, order.symbol)


def refusal_of(report: Execution, order: Order | None, booked: Execution | None) -> Finding | None:
    """Tell why a report cannot be booked: of an unknown order, against its order or what its id already stands for.

    None for a report that is booked already as it is: that is no contradiction (see ``booked == report``).
    """
    if order is None:
        detail = f"execution {report.execution_id} is of order {report.order_id}, which is none of ours"
        return Finding(BreakCode.EXTERNAL_ORDER, detail)
    if booked is not None and booked != report:
        detail = (
            f"execution {report.execution_id} is booked as {_told(booked)}, of order {booked.order_id}; "
            f"now told as {_told(report)}, of order {report.order_id}"
        )
        return Finding(BreakCode.EXEC_CONFLICT, detail)
    said = (report.account_id, report.symbol, report.side)
    if said != (order.account_id, order.symbol, order.side):
        detail = (
            f"execution {report.execution_id} is told as {report.side} {report.symbol} of account {report.account_id}, "
            f"its order is {order.side} {order.symbol} of account {order.account_id}"
        )
        return Finding(BreakCode.EXEC_CONFLICT, detail)
    try:
        require_positive(report.qty)
        require_positive(report.price)
        require_finite(report.fee)
        require_finite(report.fee_qty)
    except AlphintraError as error:
        return Finding(BreakCode.EXEC_CONFLICT, f"execution {report.execution_id} cannot be: {error.detail}")
    if not 0 <= report.fee_qty < report.qty:
        kept = f"of {plain(report.qty):f} the venue kept {plain(report.fee_qty):f} as a fee"
        detail = f"execution {report.execution_id} cannot be: {kept}"
        return Finding(BreakCode.EXEC_CONFLICT, detail)
    return None


def _told(one: Execution) -> str:
    """Return what an execution did, with its amounts as plain numbers."""
    traded = f"{one.side} {plain(one.qty):f} {one.symbol} at {plain(one.price):f}"
    return f"{traded}, fee {plain(one.fee):f} and {plain(one.fee_qty):f} in kind"


def flags_of(report: Execution, booked: Order, *, at: datetime) -> tuple[Finding, ...]:
    """Tell what is odd about a report that is booked all the same: the venue did it, so the books must hold it.

    Args:
        report: what was told.
        booked: its order with the execution counted.
        at: when it is booked.
    """
    found = []
    if booked.reason_code == BreakCode.OVERFILL:
        detail = f"{plain(booked.filled_qty):f} is filled of order {booked.order_id}, which is more than it asked for"
        found.append(Finding(BreakCode.OVERFILL, detail))
    elif booked.reason_code == BreakCode.LATE_FILL:
        detail = f"{plain(report.qty):f} was filled after order {booked.order_id} was {booked.status}"
        found.append(Finding(BreakCode.LATE_FILL, detail))
    if report.fee < 0:
        found.append(Finding(BreakCode.FEE_SIGN, f"the fee is {plain(report.fee):f}: a rebate, if the venue pays any"))
    if report.executed_at > at + SKEW_MAX:
        detail = f"it is dated {report.executed_at.isoformat()}, which is after {at.isoformat()}"
        found.append(Finding(BreakCode.TIME_SKEW, detail))
    return tuple(found)


def book_execution(
    order: Order, holding: Holding, execution: Execution, *, at: datetime, seq: int = 0
) -> Booking:  # fmt: skip
    """Return everything an execution changes: order, holding, cash and the balanced ledger lines.

    A fee in kind is booked as paid at the execution's price: what it took was never bought, or was sold too, and its
    worth is a fee. So cash moves by what was executed, and the position by what came or went.

    ``at`` is when it is booked: the venue's own time is on another clock and does not date the order. ``seq`` is the
    number of the report.
    """
    event = OrderEvent(kind=OrderEventKind.EXECUTED, at=at, qty=execution.qty, price=execution.price, seq=seq)
    fill = Fill(
        execution_id=execution.execution_id,
        side=order.side,
        qty=execution.net_qty,
        price=execution.price,
        fee=execution.fee_worth,
        executed_at=execution.executed_at,
    )
    filled = fill_holding(holding, fill)
    cash = cash_delta(order.side, execution.qty, price=execution.price, fee=execution.fee)
    amounts = {
        "cash": cash,
        "fees": fill.fee,
        "realized_pnl": -filled.realized,
        f"securities:{order.symbol}": filled.realized - cash - fill.fee,
    }
    book_id = holding_key(order).book_id
    return Booking(
        order=executed(order, event),
        event=event,
        filled=filled,
        cash_change=cash,
        fee=fill.fee,
        lines=tuple(LedgerLine(name, amount, book_id) for name, amount in amounts.items() if amount),
    )
