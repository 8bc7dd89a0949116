"""What the books of trading show: executions, positions, lots, trades, the ledger; parts of its answers."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.kernel.messages import Utc, View
from alphintra.kernel.vocabulary import Side

__all__ = [
    "BookingBreakView",
    "BookingBreaksView",
    "ExecutionView",
    "ExecutionsView",
    "LedgerEntryView",
    "LedgerView",
    "LotCloseView",
    "LotClosesView",
    "LotView",
    "LotsView",
    "PositionView",
    "PositionsView",
    "TradeView",
    "TradesView",
]


class ExecutionView(View, frozen=True):
    """One execution (fill) as booked."""

    execution_id: str
    order_id: UUID
    account_id: UUID
    book_id: UUID | None
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    realized_pnl: Decimal
    executed_at: Utc
    booked_at: Utc


class ExecutionsView(View, frozen=True):
    """Executions, oldest first."""

    executions: tuple[ExecutionView, ...]


class PositionView(View, frozen=True):
    """A net position of one account, book and symbol."""

    account_id: UUID
    book_id: UUID | None
    symbol: str
    qty: Decimal
    avg_price: Decimal
    realized_pnl: Decimal
    fees: Decimal


class PositionsView(View, frozen=True):
    """Positions, by symbol; flat ones included once they were traded."""

    positions: tuple[PositionView, ...]


class LedgerEntryView(View, frozen=True):
    """One side of a double entry; the amounts of a transaction add up to zero."""

    transaction_id: UUID
    account_id: UUID
    ledger_account: str
    amount: Decimal
    currency: str
    booked_at: Utc
    book_id: UUID | None = None


class LedgerView(View, frozen=True):
    """Ledger entries, oldest first, and the sum over all of them, which is zero."""

    entries: tuple[LedgerEntryView, ...]
    total: Decimal


class LotView(View, frozen=True):
    """What is left of one purchase, or of one short sale (negative); ``cost`` is what was paid for it."""

    account_id: UUID
    book_id: UUID | None
    symbol: str
    lot_no: int
    qty: Decimal
    cost: Decimal
    opened_at: Utc
    execution_id: str


class LotsView(View, frozen=True):
    """Open lots, by symbol and book, oldest first."""

    lots: tuple[LotView, ...]


class LotCloseView(View, frozen=True):
    """A part of a lot that an execution closed, first in, first out; the profit is before fees."""

    account_id: UUID
    execution_id: str
    book_id: UUID | None
    lot_no: int
    symbol: str
    qty: Decimal
    cost: Decimal
    proceeds: Decimal
    realized_pnl: Decimal
    opened_at: Utc
    closed_at: Utc


class LotClosesView(View, frozen=True):
    """What was closed of lots, oldest first."""

    closes: tuple[LotCloseView, ...]


class TradeView(View, frozen=True):
    """A round trip from flat to flat; ``closed_at`` is empty while it is under way."""

    account_id: UUID
    book_id: UUID | None
    symbol: str
    trade_no: int
    side: Side
    qty: Decimal
    open_qty: Decimal
    entry_price: Decimal | None
    exit_price: Decimal | None
    realized_pnl: Decimal
    fees: Decimal
    opened_at: Utc
    closed_at: Utc | None


class TradesView(View, frozen=True):
    """Round trips, newest first."""

    trades: tuple[TradeView, ...]


class BookingBreakView(View, frozen=True):
    """A report of an execution with something wrong about it; ``is_booked`` tells whether it counts all the same."""

    break_id: UUID
    account_id: UUID
    order_id: UUID
    execution_id: str
    symbol: str
    code: str
    detail: str
    is_booked: bool
    found_at: Utc


class BookingBreaksView(View, frozen=True):
    """What was wrong with reports of executions, newest first."""

    breaks: tuple[BookingBreakView, ...]
