"""What the books of trading show: executions, positions, lots, trades, the ledger; parts of its answers."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import msgspec

from alphintra.kernel.messages import Utc, View
from alphintra.kernel.vocabulary import Side

__all__ = [
    "ActivitiesView",
    "ActivityView",
    "BookQuantity",
    "BookView",
    "BookingBreakView",
    "BookingBreaksView",
    "BooksView",
    "ExecutionView",
    "ExecutionsView",
    "LedgerEntryView",
    "LedgerView",
    "LotCloseView",
    "LotClosesView",
    "LotView",
    "LotsView",
    "PortfolioHistoryView",
    "PositionView",
    "PositionsView",
    "PriceMark",
    "PricesMarkedView",
    "SplitAppliedView",
    "SummaryView",
    "TradeView",
    "TradesView",
]


class ExecutionView(View, frozen=True):
    """One execution (fill) as booked.

    ``fee`` is what was charged in the account's currency, ``fee_qty`` what the venue kept of what is traded: the
    position has so much less. The fees of position, trade and account count its worth at the price of the execution.
    """

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
    fee_qty: Decimal = Decimal(0)


class ExecutionsView(View, frozen=True):
    """Executions, oldest first."""

    executions: tuple[ExecutionView, ...]


class PositionView(View, frozen=True):
    """A net position of one account, book and symbol.

    ``price`` is the newest one of the account's feed, and ``marked_at`` of when; value and profit not booked yet are at
    it, before fees. All four are None where there is none yet.
    """

    account_id: UUID
    book_id: UUID | None
    symbol: str
    qty: Decimal
    avg_price: Decimal
    realized_pnl: Decimal
    fees: Decimal
    price: Decimal | None = None
    marked_at: Utc | None = None
    market_value: Decimal | None = None
    unrealized_pnl: Decimal | None = None


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


class BookView(View, frozen=True):
    """A part of an account that is kept apart, such as a deployment's; the one without id is what is in no other.

    ``profit`` is realised and unrealised, less fees; ``capital`` is what was claimed for the book.
    """

    account_id: UUID
    book_id: UUID | None
    name: str
    status: str
    capital: Decimal
    cash: Decimal
    equity: Decimal
    realized_pnl: Decimal
    unrealized_pnl: Decimal
    fees: Decimal
    profit: Decimal


class BooksView(View, frozen=True):
    """All books of an account; their cash, equity and quantities add up to the account's."""

    books: tuple[BookView, ...]


class SummaryView(View, frozen=True):
    """What an account is worth at its newest prices.

    ``last_equity`` is that of the last mark before the day of the newest one; ``invested`` is what was put in.
    """

    account_id: UUID
    currency: str
    cash: Decimal
    equity: Decimal
    last_equity: Decimal
    buying_power: Decimal
    long_market_value: Decimal
    short_market_value: Decimal
    cost: Decimal
    unrealized_pnl: Decimal
    realized_pnl: Decimal
    fees: Decimal
    invested: Decimal
    profit: Decimal
    marked_at: Utc | None


class PortfolioHistoryView(View, frozen=True):
    """What an account was worth at the end of each interval, oldest first; profit is since ``base_value``."""

    account_id: UUID
    timeframe: str
    base_value: Decimal
    timestamps: tuple[Utc, ...]
    equity: tuple[Decimal, ...]
    profit_loss: tuple[Decimal, ...]
    profit_loss_pct: tuple[Decimal, ...]


class ActivityView(View, frozen=True):
    """An execution, or money or shares that came and went otherwise; ``activity_id`` is its place in the list.

    Of executions alone: ``executed_at`` at the venue, ``cum_qty`` of the order with this execution and those before it,
    ``leaves_qty`` that was left of it, None where an order for an amount of money has not told yet, and ``fee_qty``
    that the venue kept of what is traded.
    """

    activity_id: str
    account_id: UUID
    kind: str
    symbol: str
    side: Side | None
    qty: Decimal
    price: Decimal | None
    net_amount: Decimal
    order_id: UUID | None
    description: str
    booked_at: Utc
    executed_at: Utc | None = None
    cum_qty: Decimal | None = None
    leaves_qty: Decimal | None = None
    fee_qty: Decimal = Decimal(0)


class ActivitiesView(View, frozen=True):
    """Activities in the order asked for; ``next_page_token`` is there where more follow."""

    activities: tuple[ActivityView, ...]
    next_page_token: str | None


class PriceMark(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol's newest price."""

    symbol: str
    price: Decimal


class PricesMarkedView(View, frozen=True):
    """How many prices were newer than those kept, and of how many accounts the worth was kept."""

    marked: int
    accounts: int


class SplitAppliedView(View, frozen=True):
    """The accounts a split changed; those it had changed before are left out."""

    accounts: tuple[UUID, ...]


class BookQuantity(msgspec.Struct, frozen=True, kw_only=True):
    """What a book holds of a symbol; without an id it is the unassigned rest."""

    book_id: UUID | None
    qty: Decimal
    cost: Decimal
    change: Decimal
