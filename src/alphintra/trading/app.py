"""Composition root of trading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.contracts import broker as from_broker
from alphintra.contracts import risk as from_risk
from alphintra.contracts import trading as messages
from alphintra.contracts import unclaimed
from alphintra.contracts.prices import ListPrices
from alphintra.trading.endpoints import BookEndpoints, Endpoints, OrderQueue, UpkeepEndpoints
from alphintra.trading.gateways import RiskGateway
from alphintra.trading.repository.books import Books
from alphintra.trading.repository.months import Months

if TYPE_CHECKING:
    from alphintra.infrastructure.host import Parts, ServiceHost

__all__ = ["wire"]


def wire(host: ServiceHost, parts: Parts) -> None:
    """Enter what trading answers, hears and does in the background."""
    books = Books(host.database)
    risk = RiskGateway(host.bus)
    queue = OrderQueue(books=books, risk=risk, clock=host.clock, ids=host.ids)
    endpoints = Endpoints(books=books, queue=queue, risk=risk, clock=host.clock, ids=host.ids)
    if parts.commands:
        host.run("orders", queue.run)
    answer = host.bus.answer
    answer(messages.OpenAccount, endpoints.open_account)
    answer(messages.GetAccount, endpoints.get_account)
    answer(messages.ListAccounts, endpoints.list_accounts)
    answer(messages.SubmitOrder, endpoints.submit_order)
    answer(messages.ReplaceOrder, endpoints.replace_order)
    answer(messages.CancelOrder, endpoints.cancel_order)
    answer(messages.CancelOrders, endpoints.cancel_orders)
    answer(messages.ClosePositions, endpoints.close_positions)
    answer(messages.GetOrder, endpoints.get_order)
    answer(messages.ListOrders, endpoints.list_orders)
    answer(messages.ListOrderEvents, endpoints.list_order_events)
    answer(messages.ListExecutions, endpoints.list_executions)
    answer(messages.ListPositions, endpoints.list_positions)
    answer(messages.ListLedger, endpoints.list_ledger)
    answer(messages.ListLots, endpoints.list_lots)
    answer(messages.ListLotCloses, endpoints.list_lot_closes)
    answer(messages.ListTrades, endpoints.list_trades)
    answer(messages.ListBookingBreaks, endpoints.list_booking_breaks)
    hear = host.hear
    hear(from_risk.LimitsChanged, endpoints.on_limits_changed)
    hear(from_risk.KillStateChanged, endpoints.on_kill_state_changed)
    hear(from_risk.OrdersBarred, endpoints.on_orders_barred)
    hear(from_broker.ConnectionOpened, endpoints.on_connection_opened)
    hear(from_broker.ExternalOrderAdopted, endpoints.on_external_order_adopted)
    host.hear_many((from_broker.ExecutionReported,), endpoints.on_executions_reported)
    told_of_orders = (
        from_broker.OrderAcknowledged,
        from_broker.OrderRefused,
        from_broker.OrderCanceled,
        from_broker.CancelRefused,
        from_broker.OrderExpired,
        from_broker.OrderReplaced,
        from_broker.OrderTriggered,
        from_broker.OrderTrailed,
        from_broker.OrderUncertain,
        from_broker.OrderSuspended,
    )
    host.hear_many(told_of_orders, endpoints.on_orders_reported)
    _wire_books(host, BookEndpoints(books=books, clock=host.clock, ids=host.ids))
    kept = UpkeepEndpoints(months=Months(host.database), books=books, clock=host.clock, ids=host.ids)
    host.show_months(kept.months_kept)
    answer(unclaimed.ListUnclaimedReports, kept.list_unclaimed)
    answer(unclaimed.ReplayReports, kept.replay_reports)
    if parts.background:
        host.run("months", kept.keep_months)
        host.run("replays", kept.keep_replaying)


def _wire_books(host: ServiceHost, endpoints: BookEndpoints) -> None:
    answer = host.bus.answer
    answer(messages.GetSummary, endpoints.get_summary)
    answer(messages.GetPortfolioHistory, endpoints.get_portfolio_history)
    answer(messages.MarkPortfolios, endpoints.mark_portfolios)
    answer(ListPrices, endpoints.list_prices)
    answer(messages.ListActivities, endpoints.list_activities)
    answer(messages.BookCashFlow, endpoints.book_cash_flow)
    answer(messages.ListBooks, endpoints.list_books)
    answer(messages.ClaimCapital, endpoints.claim_capital)
    answer(messages.ReleaseBook, endpoints.release_book)
    answer(messages.TransferPosition, endpoints.transfer_position)
    answer(messages.ApplySplit, endpoints.apply_split)
