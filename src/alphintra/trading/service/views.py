"""What trading shows of its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.books import ExecutionView, LedgerEntryView, PositionView
from alphintra.contracts.orders import AccountView, LegView, OrderView
from alphintra.engine.portfolio import Position
from alphintra.kernel.vocabulary import Side
from alphintra.trading.domain.accounts import Account
from alphintra.trading.domain.booking import UNASSIGNED_BOOK
from alphintra.trading.domain.orders import NewOrder, Order, order_id_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["account_view", "execution_view", "ledger_entry_view", "order_view", "position_view", "terms_of"]

_SHOWN = tuple(name for name in LegView.__struct_fields__ if name != "filled_avg_price")


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


def order_view(order: Order, legs: Iterable[Order] = ()) -> OrderView:
    """Show an order, with the further orders of the group it leads."""
    return OrderView(**_shown(order), legs=tuple(LegView(**_shown(leg)) for leg in legs))


def _shown(order: Order) -> dict[str, Any]:
    shown: dict[str, Any] = {name: getattr(order, name) for name in _SHOWN}
    shown["filled_avg_price"] = order.filled_avg_price
    return shown


def terms_of(order: NewOrder) -> OrderTerms:
    """Return the part of an order that is approved and sent."""
    return OrderTerms(
        order_id=order_id_of(order.account_id, order.client_order_id),
        client_order_id=order.client_order_id,
        account_id=order.account_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        time_in_force=order.time_in_force,
        qty=order.qty,
        notional=order.notional,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        trail_price=order.trail_price,
        trail_percent=order.trail_percent,
        expire_at=order.expire_at,
        extended_hours=order.extended_hours,
        reduce_only=order.reduce_only,
        position_intent=order.position_intent,
        order_class=order.order_class,
        leg=order.leg,
        group_id=order.group_id,
        replaces=order.replaces,
        from_fill=UNSET if order.from_fill is None else order.from_fill,
    )


def execution_view(row: Mapping[str, Any]) -> ExecutionView:
    """Show an execution as stored."""
    return ExecutionView(**{**row, "side": Side(row["side"])})


def position_view(row: Mapping[str, Any]) -> PositionView:
    """Show a position as stored; the unassigned book has no id."""
    position = Position(row["qty"], row["cost"], row["realized_pnl"])
    mark = row["price"]
    return PositionView(
        account_id=row["account_id"],
        book_id=None if row["book_id"] == UNASSIGNED_BOOK else row["book_id"],
        symbol=row["symbol"],
        qty=position.qty,
        avg_price=position.avg_price,
        realized_pnl=position.realized,
        fees=row["fees"],
        price=mark,
        marked_at=row["marked_at"],
        market_value=None if mark is None else position.market_value(mark),
        unrealized_pnl=None if mark is None else position.unrealized(mark),
    )


def ledger_entry_view(row: Mapping[str, Any]) -> LedgerEntryView:
    """Show a ledger entry as stored."""
    book_id = None if row["book_id"] == UNASSIGNED_BOOK else row["book_id"]
    return LedgerEntryView(**{**row, "book_id": book_id})
