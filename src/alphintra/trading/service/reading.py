"""Use cases that only read: executions, positions, the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.contracts.books import ExecutionsView, LedgerView, PositionsView
from alphintra.contracts.trading import ListExecutions, ListLedger, ListPositions
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId, BookId
from alphintra.trading.service.accounts import owned_account
from alphintra.trading.service.views import execution_view, ledger_entry_view, position_view

if TYPE_CHECKING:
    from alphintra.kernel.messages import Context
    from alphintra.trading.repository.books import Books

__all__ = ["list_executions", "list_ledger", "list_positions", "page_limit"]

PAGE_MAX = 1000


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
