"""Use cases that only read: orders, executions, positions, the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.contracts.trading import (
    ExecutionsView,
    GetOrder,
    LedgerView,
    ListExecutions,
    ListLedger,
    ListOrders,
    ListPositions,
    OrdersView,
    OrderView,
    PositionsView,
)
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, BookId, OrderId
from alphintra.trading.repository.orders import OrderFilter
from alphintra.trading.service.accounts import may_see, owned_account
from alphintra.trading.service.views import execution_view, ledger_entry_view, order_view, position_view

if TYPE_CHECKING:
    from alphintra.kernel.messages import Context
    from alphintra.trading.domain.orders import Order
    from alphintra.trading.repository.books import Books

__all__ = ["get_order", "list_executions", "list_ledger", "list_orders", "list_positions", "page_limit"]

PAGE_MAX = 1000


async def get_order(command: GetOrder, context: Context, *, books: Books) -> OrderView:
    """Return an order the actor may see. Raises ORDER_NOT_FOUND, also for other people's."""
    order = await books.order(OrderId(command.order_id))
    if order is None or not may_see(order, context):
        raise AlphintraError("ORDER_NOT_FOUND", f"there is no order {command.order_id}", kind=Kind.NOT_FOUND)
    return order_view(order)


async def list_orders(command: ListOrders, context: Context, *, books: Books) -> OrdersView:
    """Return an account's orders. Raises PAGE_LIMIT or ACCOUNT_NOT_FOUND."""
    account = await owned_account(AccountId(command.account_id), context, books=books)
    wanted = OrderFilter(
        statuses=command.statuses if command.status is None else (command.status,),
        after=command.after,
        until=command.until,
        side=command.side,
        symbols=command.symbols,
        oldest_first=command.oldest_first,
        limit=page_limit(command.limit),
    )
    if command.client_order_id is None:
        found = await books.orders(account.account_id, wanted)
    else:
        _, named = await books.known([(account.account_id, command.client_order_id)])
        found = tuple(order for order in named.values() if _is_wanted(order, wanted))
    return OrdersView(orders=tuple(order_view(order) for order in found))


def _is_wanted(order: Order, wanted: OrderFilter) -> bool:
    return (
        (wanted.statuses is None or order.status in wanted.statuses)
        and (wanted.after is None or order.created_at > wanted.after)
        and (wanted.until is None or order.created_at < wanted.until)
        and (wanted.side is None or order.side is wanted.side)
        and (wanted.symbols is None or order.symbol in wanted.symbols)
    )


async def list_executions(command: ListExecutions, context: Context, *, books: Books) -> ExecutionsView:
    """Return an account's executions, oldest first."""
    account = await owned_account(AccountId(command.account_id), context, books=books)
    rows = await books.executions(
        account.account_id,
        book_id=None if command.book_id is None else BookId(command.book_id),
        execution_ids=command.execution_ids,
        limit=page_limit(command.limit),
    )
    return ExecutionsView(executions=tuple(execution_view(row) for row in rows))


async def list_positions(command: ListPositions, context: Context, *, books: Books) -> PositionsView:
    """Return an account's positions, by symbol."""
    account = await owned_account(AccountId(command.account_id), context, books=books)
    return PositionsView(positions=tuple(position_view(row) for row in await books.positions(account.account_id)))


async def list_ledger(command: ListLedger, context: Context, *, books: Books) -> LedgerView:
    """Return an account's ledger entries, oldest first, and their sum over all, which is zero."""
    account = await owned_account(AccountId(command.account_id), context, books=books)
    rows, total = await books.ledger(account.account_id, limit=page_limit(command.limit))
    return LedgerView(entries=tuple(ledger_entry_view(row) for row in rows), total=total)


def page_limit(asked: int) -> int:
    """Return how many are asked for. Raises PAGE_LIMIT beyond a thousand."""
    if not 1 <= asked <= PAGE_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must be 1 to {PAGE_MAX}", pointer="/limit")
    return asked
