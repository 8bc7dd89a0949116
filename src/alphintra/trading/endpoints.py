"""Ways into trading: commands, the order queue, events of broker and risk."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from alphintra.contracts import books, orders, unclaimed
from alphintra.contracts import broker as from_broker
from alphintra.contracts import trading as messages
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId
from alphintra.trading.service import (
    accounts,
    adopting,
    amending,
    closing,
    deployment_books,
    fills,
    flows,
    holdings,
    order_lists,
    portfolio,
    reading,
    replaying,
    reports,
    splits,
    submission,
    upkeep,
)
from alphintra.trading.service.views import account_view

if TYPE_CHECKING:
    from alphintra.contracts.prices import ListPrices, PricesView
    from alphintra.contracts.risk import KillStateChanged, LimitsChanged, OrdersBarred
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.health import MonthsView
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.trading.gateways import RiskGateway
    from alphintra.trading.repository.books import Books
    from alphintra.trading.repository.months import Months
    from alphintra.trading.service.submission import Submission

__all__ = ["BookEndpoints", "Endpoints", "OrderQueue", "UpkeepEndpoints"]

QUEUE_MAX = 1024
BATCH_MAX = 64
GATHER_S = 0.002
GATHERED_MAX = 16  # a batch of these is cheap enough an order; more come while it is written
MONTHS_INTERVAL_S = 3600.0
REPLAY_INTERVAL_S = 10.0
Waiting = tuple["Submission", "asyncio.Future[orders.OrderView]"]


class OrderQueue:
    """The one writer of orders in this process: takes what has queued, decides it together, answers each.

    Waiting for one commit, further orders queue up and share the next; that is what makes a durable order cheap.
    Orders answered together tend to be followed by as many: it waits a moment for them, and never for a lone one.
    """

    def __init__(self, *, books: Books, risk: RiskGateway, clock: Clock, ids: IdSource) -> None:
        self._books = books
        self._risk = risk
        self._clock = clock
        self._ids = ids
        self._waiting: deque[Waiting] = deque()
        self._filled = asyncio.Event()
        self._enough = asyncio.Event()
        self._expected = 1  # as many as were in the queue or answered a moment ago

    async def submit(self, item: Submission) -> orders.OrderView:
        """Queue an order and wait for the decision on it. Raises BUSY when the queue is full."""
        if len(self._waiting) >= QUEUE_MAX:
            raise AlphintraError("BUSY", "the order queue is full: try again", kind=Kind.LIMITED)
        future: asyncio.Future[orders.OrderView] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._filled.set()
        if len(self._waiting) >= self._expected:
            self._enough.set()
        return await future

    async def run(self) -> None:
        """Write batches until cancelled."""
        while True:
            if not self._waiting:
                self._filled.clear()
                await self._filled.wait()
            await self._gather()
            batch = self._take()
            if batch:
                await self._write(batch)
            self._expected = min(len(batch) + len(self._waiting), GATHERED_MAX)

    async def _gather(self) -> None:
        if len(self._waiting) >= self._expected:
            return
        self._enough.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER_S):
                await self._enough.wait()

    def _take(self) -> list[Waiting]:
        """Take up to 64 orders; the same client order id twice goes into two batches, first come first.

        Nobody waits any more for an order whose caller gave up: it is not placed late.
        """
        taken: list[Waiting] = []
        later: list[Waiting] = []
        names: set[object] = set()
        size = 0
        while self._waiting and size < BATCH_MAX:
            entry = self._waiting.popleft()
            if entry[1].done():
                continue
            keys = entry[0].keys
            if size + len(keys) > BATCH_MAX or not names.isdisjoint(keys):
                later.append(entry)
                names.update(keys)  # what comes after it with the same name waits with it
                continue
            names.update(keys)
            size += len(keys)
            taken.append(entry)
        self._waiting.extendleft(reversed(later))
        return taken

    async def _write(self, batch: list[Waiting]) -> None:
        try:
            outcomes: list[Any] = await submission.submit_orders(
                [item for item, _future in batch],
                books=self._books,
                risk=self._risk,
                ids=self._ids,
                at=self._clock.now(),
            )
        except Exception as error:  # noqa: BLE001 - every waiting caller is told; the writer goes on
            outcomes = [error] * len(batch)
        for (_item, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)


class Endpoints:
    """Handlers with what they need at hand."""

    def __init__(self, *, books: Books, queue: OrderQueue, risk: RiskGateway, clock: Clock, ids: IdSource) -> None:
        self._books = books
        self._queue = queue
        self._risk = risk
        self._clock = clock
        self._ids = ids

    async def open_account(self, command: messages.OpenAccount, context: Context) -> orders.AccountView:
        """Answer ``trading.open_account``."""
        at = self._clock.now()
        return await accounts.open_account(command, context, books=self._books, ids=self._ids, at=at)

    async def get_account(self, command: messages.GetAccount, context: Context) -> orders.AccountView:
        """Answer ``trading.get_account``."""
        account_id = AccountId(command.account_id)
        return account_view(await accounts.owned_account(account_id, context, books=self._books))

    async def list_accounts(self, _command: messages.ListAccounts, context: Context) -> orders.AccountsView:
        """Answer ``trading.list_accounts``."""
        return orders.AccountsView(accounts=await accounts.list_accounts(context, books=self._books))

    async def submit_order(self, command: messages.SubmitOrder, context: Context) -> orders.OrderView:
        """Answer ``trading.submit_order``."""
        return await self._queue.submit(submission.read_order(command, context))

    async def replace_order(self, command: messages.ReplaceOrder, context: Context) -> orders.OrderView:
        """Answer ``trading.replace_order``."""
        at = self._clock.now()
        return await amending.replace_order(command, context, books=self._books, risk=self._risk, ids=self._ids, at=at)

    async def close_positions(self, command: messages.ClosePositions, context: Context) -> orders.OrdersView:
        """Answer ``trading.close_positions``."""
        plan = await closing.plan_closing(command, context, books=self._books)
        placed = await asyncio.gather(*(self._queue.submit(item) for item in plan.missing))
        return orders.OrdersView(orders=(*plan.stored, *placed))

    async def cancel_orders(self, command: messages.CancelOrders, context: Context) -> orders.OrdersView:
        """Answer ``trading.cancel_orders``."""
        at = self._clock.now()
        return await reports.cancel_orders(command, context, books=self._books, ids=self._ids, at=at)

    async def cancel_order(self, command: messages.CancelOrder, context: Context) -> orders.OrderView:
        """Answer ``trading.cancel_order``."""
        at = self._clock.now()
        return await reports.cancel_order(command, context, books=self._books, ids=self._ids, at=at)

    async def get_order(self, command: messages.GetOrder, context: Context) -> orders.OrderView:
        """Answer ``trading.get_order``."""
        return await order_lists.get_order(command, context, books=self._books)

    async def list_orders(self, command: messages.ListOrders, context: Context) -> orders.OrdersView:
        """Answer ``trading.list_orders``."""
        return await order_lists.list_orders(command, context, books=self._books)

    async def list_order_events(self, command: messages.ListOrderEvents, context: Context) -> orders.OrderEventsView:
        """Answer ``trading.list_order_events``."""
        return await order_lists.list_order_events(command, context, books=self._books)

    async def list_executions(self, command: messages.ListExecutions, context: Context) -> books.ExecutionsView:
        """Answer ``trading.list_executions``."""
        return await reading.list_executions(command, context, books=self._books)

    async def list_positions(self, command: messages.ListPositions, context: Context) -> books.PositionsView:
        """Answer ``trading.list_positions``."""
        return await reading.list_positions(command, context, books=self._books)

    async def list_ledger(self, command: messages.ListLedger, context: Context) -> books.LedgerView:
        """Answer ``trading.list_ledger``."""
        return await reading.list_ledger(command, context, books=self._books)

    async def list_lots(self, command: messages.ListLots, context: Context) -> books.LotsView:
        """Answer ``trading.list_lots``."""
        return await holdings.list_lots(command, context, books=self._books)

    async def list_lot_closes(self, command: messages.ListLotCloses, context: Context) -> books.LotClosesView:
        """Answer ``trading.list_lot_closes``."""
        return await holdings.list_lot_closes(command, context, books=self._books)

    async def list_trades(self, command: messages.ListTrades, context: Context) -> books.TradesView:
        """Answer ``trading.list_trades``."""
        return await holdings.list_trades(command, context, books=self._books)

    async def list_booking_breaks(
        self, command: messages.ListBookingBreaks, context: Context
    ) -> books.BookingBreaksView:
        """Answer ``trading.list_booking_breaks``."""
        return await holdings.list_booking_breaks(command, context, books=self._books)

    async def on_limits_changed(self, delivery: Delivery[LimitsChanged]) -> None:
        """Hear ``risk.limits_changed``."""
        await accounts.limits_set(delivery, books=self._books)

    async def on_connection_opened(self, delivery: Delivery[from_broker.ConnectionOpened]) -> None:
        """Hear ``broker.connection_opened``."""
        await accounts.connection_opened(delivery, books=self._books)

    async def on_kill_state_changed(self, delivery: Delivery[KillStateChanged]) -> None:
        """Hear ``risk.kill_state_changed``."""
        at = self._clock.now()
        await reports.kill_state_changed(delivery, books=self._books, ids=self._ids, at=at)

    async def on_orders_barred(self, delivery: Delivery[OrdersBarred]) -> None:
        """Hear ``risk.orders_barred``."""
        await reports.orders_barred(delivery, books=self._books, ids=self._ids, at=self._clock.now())

    async def on_orders_reported(self, deliveries: Sequence[Delivery[Any]]) -> None:
        """Hear what broker tells of orders beside their executions, many at once."""
        await reports.orders_reported(deliveries, books=self._books, ids=self._ids, at=self._clock.now())

    async def on_external_order_adopted(self, delivery: Delivery[from_broker.ExternalOrderAdopted]) -> None:
        """Hear ``broker.external_order_adopted``."""
        await adopting.adopt_order(delivery, books=self._books, ids=self._ids, at=self._clock.now())

    async def on_executions_reported(self, deliveries: Sequence[Delivery[from_broker.ExecutionReported]]) -> None:
        """Hear ``broker.execution_reported``, many at once, in the order they were told."""
        await fills.book_fills(deliveries, books=self._books, ids=self._ids, at=self._clock.now())


class UpkeepEndpoints:
    """What trading does by itself for as long as it runs."""

    def __init__(self, *, months: Months, books: Books, clock: Clock, ids: IdSource) -> None:
        self._months = months
        self._books = books
        self._clock = clock
        self._ids = ids

    async def months_kept(self) -> MonthsView:
        """Return how the tables that are cut by month stand."""
        return await upkeep.months_kept(months=self._months, at=self._clock.now())

    async def keep_months(self) -> None:
        """Make the months to come, again and again until cancelled."""
        while True:
            await upkeep.keep_months(months=self._months, books=self._books, ids=self._ids, at=self._clock.now())
            await asyncio.sleep(MONTHS_INTERVAL_S)

    async def list_unclaimed(
        self, command: unclaimed.ListUnclaimedReports, context: Context
    ) -> unclaimed.UnclaimedReportsView:
        """Answer ``trading.list_unclaimed_reports``."""
        return await replaying.list_unclaimed(command, context, books=self._books)

    async def replay_reports(self, command: unclaimed.ReplayReports, context: Context) -> unclaimed.ReportsReplayedView:
        """Answer ``trading.replay_reports``."""
        at = self._clock.now()
        return await replaying.replay_reports(command, context, books=self._books, ids=self._ids, at=at)

    async def keep_replaying(self) -> None:
        """Take up reports whose orders are known meanwhile, again and again until cancelled."""
        while True:
            await replaying.replay_unclaimed(None, books=self._books, ids=self._ids, at=self._clock.now())
            await asyncio.sleep(REPLAY_INTERVAL_S)


class BookEndpoints:
    """Handlers of what is kept of an account's money and worth."""

    def __init__(self, *, books: Books, clock: Clock, ids: IdSource) -> None:
        self._books = books
        self._clock = clock
        self._ids = ids

    async def get_summary(self, command: messages.GetSummary, context: Context) -> books.SummaryView:
        """Answer ``trading.get_summary``."""
        return await portfolio.get_summary(command, context, books=self._books)

    async def get_portfolio_history(
        self, command: messages.GetPortfolioHistory, context: Context
    ) -> books.PortfolioHistoryView:
        """Answer ``trading.get_portfolio_history``."""
        return await portfolio.get_portfolio_history(command, context, books=self._books)

    async def mark_portfolios(self, command: messages.MarkPortfolios, _context: Context) -> books.PricesMarkedView:
        """Answer ``trading.mark_portfolios``."""
        return await portfolio.mark_portfolios(command, books=self._books)

    async def list_prices(self, command: ListPrices, context: Context) -> PricesView:
        """Answer ``trading.list_prices``."""
        return await portfolio.list_prices(command, context, books=self._books)

    async def list_activities(self, command: messages.ListActivities, context: Context) -> books.ActivitiesView:
        """Answer ``trading.list_activities``."""
        return await flows.list_activities(command, context, books=self._books)

    async def book_cash_flow(self, command: messages.BookCashFlow, context: Context) -> books.ActivityView:
        """Answer ``trading.book_cash_flow``."""
        at = self._clock.now()
        return await flows.book_cash_flow(command, context, books=self._books, ids=self._ids, at=at)

    async def list_books(self, command: messages.ListBooks, context: Context) -> books.BooksView:
        """Answer ``trading.list_books``."""
        return await deployment_books.list_books(command, context, books=self._books)

    async def claim_capital(self, command: messages.ClaimCapital, context: Context) -> books.BooksView:
        """Answer ``trading.claim_capital``."""
        at = self._clock.now()
        return await deployment_books.claim_capital(command, context, books=self._books, ids=self._ids, at=at)

    async def release_book(self, command: messages.ReleaseBook, context: Context) -> books.BooksView:
        """Answer ``trading.release_book``."""
        at = self._clock.now()
        return await deployment_books.release_book(command, context, books=self._books, ids=self._ids, at=at)

    async def transfer_position(self, command: messages.TransferPosition, context: Context) -> books.BooksView:
        """Answer ``trading.transfer_position``."""
        at = self._clock.now()
        return await deployment_books.transfer_position(command, context, books=self._books, ids=self._ids, at=at)

    async def apply_split(self, command: messages.ApplySplit, context: Context) -> books.SplitAppliedView:
        """Answer ``trading.apply_split``."""
        at = self._clock.now()
        return await splits.apply_split(command, context, books=self._books, ids=self._ids, at=at)
