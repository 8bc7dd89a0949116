"""What trading answers and tells."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import msgspec

from alphintra.contracts import books, orders
from alphintra.contracts.approval import Approval, OrderTerms
from alphintra.kernel.messages import Command, Event, Utc
from alphintra.kernel.vocabulary import (
    AccountMode,
    OrderClass,
    OrderStatus,
    OrderType,
    PositionIntent,
    Side,
    TimeInForce,
)

__all__ = [
    "AccountOpened",
    "ApplySplit",
    "ApprovedLeg",
    "BookCashFlow",
    "CancelOrder",
    "CancelOrders",
    "CancelRequested",
    "CashBooked",
    "ClaimCapital",
    "ClosePositions",
    "ExecutionFlagged",
    "FillBooked",
    "GetAccount",
    "GetOrder",
    "GetPortfolioHistory",
    "GetSummary",
    "ListAccounts",
    "ListActivities",
    "ListBookingBreaks",
    "ListBooks",
    "ListExecutions",
    "ListLedger",
    "ListLotCloses",
    "ListLots",
    "ListOrderEvents",
    "ListOrders",
    "ListPositions",
    "ListTrades",
    "MarkPortfolios",
    "MonthsMissing",
    "OpenAccount",
    "OrderClosed",
    "OrderDenied",
    "OrderSubmitted",
    "OrderUpdated",
    "PositionTransferred",
    "ReleaseBook",
    "ReplaceOrder",
    "SplitApplied",
    "SubmitOrder",
    "TransferPosition",
]


class OpenAccount(Command[orders.AccountView], tag="trading.open_account.v1", frozen=True):
    """Open an account: a paper one that trades against a price feed, or a live one that a connection leads to a venue.

    A live account's feed is the one by whose prices risk judges its orders: without one those of its own venue.
    The mode never changes. A live account is confirmed by typing its name once more; its starting cash is what the
    venue holds for it. Safe to repeat with the same ``key``.
    """

    name: str
    starting_cash: Decimal
    feed_id: UUID | None = None
    currency: str = "USD"
    mode: AccountMode = AccountMode.PAPER
    confirm: str = ""
    key: str | None = None


class GetAccount(Command[orders.AccountView], tag="trading.get_account.v1", frozen=True):
    """Fetch one account."""

    account_id: UUID


class ListAccounts(Command[orders.AccountsView], tag="trading.list_accounts.v1", frozen=True):
    """List the acting user's accounts."""


class SubmitOrder(Command[orders.OrderView], tag="trading.submit_order.v1", frozen=True):
    """Place an order. Safe to repeat with the same ``client_order_id``: the same order is answered.

    A refusal by risk is an order in status ``denied`` with its reason, not a failure. Exactly one of ``qty`` and
    ``notional`` says how much. The legs of a group get client order ids of their own, derived where none is given.
    ``book_id`` and ``strategy_hash`` name the deployment and the version it runs, where a strategy asks.
    """

    account_id: UUID
    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    qty: Decimal | None = None
    notional: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    expire_at: Utc | None = None
    extended_hours: bool = False
    reduce_only: bool = False
    position_intent: PositionIntent | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: orders.TakeProfit | None = None
    stop_loss: orders.StopLoss | None = None
    book_id: UUID | None = None
    strategy_hash: str = ""


class ReplaceOrder(Command[orders.OrderView], tag="trading.replace_order.v1", frozen=True):
    """Put a new order in the place of a working one; what is left out stays as it was. Answers the new order.

    Safe to repeat with the same ``client_order_id``, which names the new order. ``qty`` is the quantity of the whole,
    what was filled before included.
    """

    order_id: UUID
    client_order_id: str
    qty: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    time_in_force: TimeInForce | None = None
    expire_at: Utc | None = None


class CancelOrder(Command[orders.OrderView], tag="trading.cancel_order.v1", frozen=True):
    """Ask for an order to be canceled; a closed order is answered as it is."""

    order_id: UUID


class CancelOrders(Command[orders.OrdersView], tag="trading.cancel_orders.v1", frozen=True):
    """Ask for all open orders of an account to be canceled, of some symbols where given; answers those."""

    account_id: UUID
    symbols: tuple[str, ...] | None = None


class ClosePositions(Command[orders.OrdersView], tag="trading.close_positions.v1", frozen=True):
    """Place market orders that bring an account's positions to zero; answers the orders.

    One order for each book that holds something. ``client_order_id`` is what their ids begin with: repeated with the
    same one, a position is not closed twice. ``symbols`` are all where left out; ``qty``, of one symbol and book alone,
    closes a part.
    """

    account_id: UUID
    client_order_id: str
    symbols: tuple[str, ...] | None = None
    qty: Decimal | None = None


class ListOrderEvents(Command[orders.OrderEventsView], tag="trading.list_order_events.v1", frozen=True):
    """List what happened to an order, oldest first: why it was denied, canceled or expired among it."""

    order_id: UUID


class GetOrder(Command[orders.OrderView], tag="trading.get_order.v1", frozen=True):
    """Fetch one order."""

    order_id: UUID


class ListOrders(Command[orders.OrdersView], tag="trading.list_orders.v1", frozen=True):
    """List orders of an account page by page, newest first unless ``oldest_first``, at most ``limit``.

    Each filter that is given narrows the list: one ``status``, or any of ``statuses``; created later than ``after`` and
    earlier than ``until``; one side; any of the symbols; the one order of that client order id. ``nested`` shows a
    group as its first order alone, with the others as its legs. ``cursor`` is ``next_cursor`` of the page before.
    """

    account_id: UUID
    status: OrderStatus | None = None
    limit: int = 100
    statuses: tuple[OrderStatus, ...] | None = None
    after: Utc | None = None
    until: Utc | None = None
    side: Side | None = None
    symbols: tuple[str, ...] | None = None
    client_order_id: str | None = None
    oldest_first: bool = False
    nested: bool = False
    cursor: str | None = None


class ListExecutions(Command[books.ExecutionsView], tag="trading.list_executions.v1", frozen=True):
    """List executions of an account, oldest first; of one book, or by execution id, where given."""

    account_id: UUID
    book_id: UUID | None = None
    execution_ids: tuple[str, ...] | None = None
    limit: int = 1000


class ListPositions(Command[books.PositionsView], tag="trading.list_positions.v1", frozen=True):
    """List positions of an account."""

    account_id: UUID


class ListLedger(Command[books.LedgerView], tag="trading.list_ledger.v1", frozen=True):
    """List the double entries of an account, oldest first."""

    account_id: UUID
    limit: int = 1000


class ListLots(Command[books.LotsView], tag="trading.list_lots.v1", frozen=True):
    """List the open lots of an account, of one symbol where given."""

    account_id: UUID
    symbol: str | None = None
    limit: int = 1000


class ListLotCloses(Command[books.LotClosesView], tag="trading.list_lot_closes.v1", frozen=True):
    """List what was closed of an account's lots, from ``start`` on and before ``end``: what the tax asks for."""

    account_id: UUID
    start: Utc | None = None
    end: Utc | None = None
    limit: int = 1000


class ListTrades(Command[books.TradesView], tag="trading.list_trades.v1", frozen=True):
    """List the round trips of an account, of one book where given."""

    account_id: UUID
    book_id: UUID | None = None
    limit: int = 100


class ListBookingBreaks(Command[books.BookingBreaksView], tag="trading.list_booking_breaks.v1", frozen=True):
    """List what was wrong with reports of executions for an account."""

    account_id: UUID
    limit: int = 100


class GetSummary(Command[books.SummaryView], tag="trading.get_summary.v1", frozen=True):
    """Fetch what an account is worth at its newest prices."""

    account_id: UUID


class GetPortfolioHistory(Command[books.PortfolioHistoryView], tag="trading.get_portfolio_history.v1", frozen=True):
    """Fetch what an account was worth over time: the last ``limit`` intervals from ``start`` on and before ``end``."""

    account_id: UUID
    timeframe: str = "1D"
    start: Utc | None = None
    end: Utc | None = None
    limit: int = 1000


class ListActivities(Command[books.ActivitiesView], tag="trading.list_activities.v1", frozen=True):
    """List what happened to an account's money and shares, newest first unless ``oldest_first``."""

    account_id: UUID
    kinds: tuple[str, ...] | None = None
    after: Utc | None = None
    until: Utc | None = None
    page_token: str | None = None
    oldest_first: bool = False
    limit: int = 100


class BookCashFlow(Command[books.ActivityView], tag="trading.book_cash_flow.v1", frozen=True):
    """Book money that came or went otherwise than by an execution; safe to repeat with the same ``reference``.

    Owners of paper accounts deposit, withdraw and reset (``amount`` is then the cash it has afterwards, and it must
    hold nothing); dividend, interest, funding and fee are the operator's and services'.
    """

    account_id: UUID
    kind: str
    amount: Decimal
    reference: str
    symbol: str = ""
    description: str = ""


class MarkPortfolios(Command[books.PricesMarkedView], tag="trading.mark_portfolios.v1", frozen=True):
    """Take the newest prices of a feed and keep what its accounts are worth; an older sequence changes nothing."""

    feed_id: UUID
    seq: int
    at: Utc
    prices: tuple[books.PriceMark, ...]


class ListBooks(Command[books.BooksView], tag="trading.list_books.v1", frozen=True):
    """List the books of an account, the unassigned rest first."""

    account_id: UUID


class ClaimCapital(Command[books.BooksView], tag="trading.claim_capital.v1", frozen=True):
    """Open a book with a part of the account's cash that is in no other; safe to repeat for the same book."""

    account_id: UUID
    book_id: UUID
    capital: Decimal
    name: str = ""


class ReleaseBook(Command[books.BooksView], tag="trading.release_book.v1", frozen=True):
    """Give the cash of a book back to the unassigned rest; what it holds stays in it. Safe to repeat."""

    account_id: UUID
    book_id: UUID


class TransferPosition(Command[books.BooksView], tag="trading.transfer_position.v1", frozen=True):
    """Move a quantity between books (none is the unassigned rest): at cost, or at a price the two books meet at.

    At cost neither book has a profit; at a price the giver sells to the receiver, and cash goes the other way. Safe to
    repeat with the same ``reference``.
    """

    account_id: UUID
    symbol: str
    qty: Decimal
    reference: str
    from_book: UUID | None = None
    to_book: UUID | None = None
    price: Decimal | None = None


class ApplySplit(Command[books.SplitAppliedView], tag="trading.apply_split.v1", frozen=True):
    """Apply a split of ``new_shares`` for ``old_shares`` to every account of a feed; safe to repeat per reference.

    Working orders of the symbol are asked to be canceled: their quantities and prices are of old shares.
    """

    feed_id: UUID
    symbol: str
    new_shares: int
    old_shares: int
    reference: str


class AccountOpened(Event, tag="trading.account_opened.v1", frozen=True):
    """An account was opened."""

    account_id: UUID
    owner_id: UUID
    mode: AccountMode
    currency: str
    starting_cash: Decimal
    feed_id: UUID | None


class ApprovedLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A further order of a group, to work once the group's first order lets it."""

    terms: OrderTerms
    approval: Approval


class OrderSubmitted(Event, tag="trading.order_submitted.v1", frozen=True):
    """Risk approved an order and trading accepted it: to be sent to the venue, with the legs of its group.

    Where ``terms.replaces`` names an order, that one leaves the venue as this one takes its place, or neither.
    """

    owner_id: UUID
    book_id: UUID | None
    terms: OrderTerms
    approval: Approval
    legs: tuple[ApprovedLeg, ...] = ()


class OrderDenied(Event, tag="trading.order_denied.v1", frozen=True):
    """Risk refused an order."""

    owner_id: UUID
    terms: OrderTerms
    code: str
    reason: str
    decision_id: UUID | None


class OrderUpdated(Event, tag="trading.order_updated.v1", frozen=True):
    """An order changed state without closing."""

    owner_id: UUID
    order: orders.OrderView


class OrderClosed(Event, tag="trading.order_closed.v1", frozen=True):
    """An order reached a state it never leaves, other than by denial."""

    owner_id: UUID
    order: orders.OrderView


class CancelRequested(Event, tag="trading.cancel_requested.v1", frozen=True):
    """A working order is to be canceled at the venue."""

    order_id: UUID
    account_id: UUID


class FillBooked(Event, tag="trading.fill_booked.v1", frozen=True):
    """An execution was booked: order, position and cash changed together; ``order`` is the order after it."""

    owner_id: UUID
    execution: books.ExecutionView
    order_status: OrderStatus
    account_qty: Decimal
    cash: Decimal
    order: orders.OrderView | None = None


class ExecutionFlagged(Event, tag="trading.execution_flagged.v1", frozen=True):
    """Something is wrong with the report of an execution; it is kept, and booked where ``is_booked`` says so.

    Attributes:
        owner_id: whose account it is, where that is known.
        code: EXTERNAL_ORDER or EXEC_CONFLICT, which are not booked; OVERFILL, LATE_FILL, FEE_SIGN or TIME_SKEW, which
            are.
        detail: what is said and what we have, in one sentence.
    """

    owner_id: UUID | None
    account_id: UUID
    order_id: UUID
    execution_id: str
    symbol: str
    code: str
    detail: str
    is_booked: bool


class CashBooked(Event, tag="trading.cash_booked.v1", frozen=True):
    """Money came into an account or left it otherwise than by an execution; ``change`` is signed."""

    owner_id: UUID
    account_id: UUID
    activity_id: UUID
    kind: str
    symbol: str
    change: Decimal
    cash: Decimal


class SplitApplied(Event, tag="trading.split_applied.v1", frozen=True):
    """A split: quantities after it and what it added; the feed's prices up to step ``after_seq`` are of old shares."""

    owner_id: UUID
    account_id: UUID
    symbol: str
    new_shares: int
    old_shares: int
    account_qty: Decimal
    account_change: Decimal
    books: tuple[books.BookQuantity, ...]
    feed_id: UUID | None = None
    after_seq: int = 0
    reference: str = ""


class PositionTransferred(Event, tag="trading.position_transferred.v1", frozen=True):
    """A signed quantity left one book for another (none is the unassigned rest); the account holds what it held."""

    owner_id: UUID
    account_id: UUID
    symbol: str
    qty: Decimal
    from_book: UUID | None
    to_book: UUID | None


class MonthsMissing(Event, tag="trading.months_missing.v1", frozen=True):
    """A table is about to run out of months, or has: ``kept_until`` is the first instant that none of them holds."""

    table: str
    kept_until: Utc | None
    detail: str
