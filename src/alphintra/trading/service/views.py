"""What trading shows of its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.trading import AccountView, ExecutionView, LedgerEntryView, OrderView, PositionView
from alphintra.engine.portfolio import Position
from alphintra.kernel.vocabulary import Side
from alphintra.trading.domain.accounts import Account
from alphintra.trading.domain.booking import UNASSIGNED_BOOK
from alphintra.trading.domain.orders import Order

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["account_view", "execution_view", "ledger_entry_view", "order_view", "position_view", "terms_of"]


def account_view(account: Account) -> AccountView:
    """Show an account."""
    return AccountView(
        account_id=account.account_id,
        owner_id=account.owner_id,
        name=account.name,
        mode=account.mode,
        currency=account.currency,
        status="active" if account.is_active else "pending",
        feed_id=account.feed_id,
        starting_cash=account.starting_cash,
        cash=account.cash,
        realized_pnl=account.realized_pnl,
        fees=account.fees,
        created_at=account.created_at,
    )


def order_view(order: Order) -> OrderView:
    """Show an order."""
    return OrderView(
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        account_id=order.account_id,
        book_id=order.book_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        time_in_force=order.time_in_force,
        qty=order.qty,
        limit_price=order.limit_price,
        status=order.status,
        filled_qty=order.filled_qty,
        filled_avg_price=order.filled_avg_price,
        reason_code=order.reason_code,
        reason=order.reason,
        decision_id=order.decision_id,
        version=order.version,
        created_at=order.created_at,
        updated_at=order.updated_at,
    )


def terms_of(order: Order) -> OrderTerms:
    """Return the part of an order that is approved and sent."""
    return OrderTerms(
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        account_id=order.account_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        time_in_force=order.time_in_force,
        qty=order.qty,
        limit_price=order.limit_price,
    )


def execution_view(row: Mapping[str, Any]) -> ExecutionView:
    """Show an execution as stored."""
    return ExecutionView(**{**row, "side": Side(row["side"])})


def position_view(row: Mapping[str, Any]) -> PositionView:
    """Show a position as stored; the unassigned book has no id."""
    position = Position(row["qty"], row["cost"], row["realized_pnl"])
    return PositionView(
        account_id=row["account_id"],
        book_id=None if row["book_id"] == UNASSIGNED_BOOK else row["book_id"],
        symbol=row["symbol"],
        qty=position.qty,
        avg_price=position.avg_price,
        realized_pnl=position.realized,
        fees=row["fees"],
    )


def ledger_entry_view(row: Mapping[str, Any]) -> LedgerEntryView:
    """Show a ledger entry as stored."""
    book_id = None if row["book_id"] == UNASSIGNED_BOOK else row["book_id"]
    return LedgerEntryView(**{**row, "book_id": book_id})
