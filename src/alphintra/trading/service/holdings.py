"""Use cases that read what is held and how it came about: lots, what closed them, round trips, breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alphintra.contracts.books import (
    BookingBreaksView,
    BookingBreakView,
    LotClosesView,
    LotCloseView,
    LotsView,
    LotView,
    TradesView,
    TradeView,
)
from alphintra.contracts.trading import ListBookingBreaks, ListLotCloses, ListLots, ListTrades
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId, BookId
from alphintra.kernel.money import AMOUNT_PLACES
from alphintra.kernel.vocabulary import Side
from alphintra.trading.domain.booking import UNASSIGNED_BOOK
from alphintra.trading.service.accounts import owned_account
from alphintra.trading.service.reading import page_limit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from alphintra.kernel.messages import Context
    from alphintra.trading.repository.books import Books

__all__ = ["list_booking_breaks", "list_lot_closes", "list_lots", "list_trades"]


async def list_lots(command: ListLots, context: Context, *, books: Books) -> LotsView:
    """Return an account's open lots, by symbol and book, oldest first."""
    account = await owned_account(AccountId(command.account_id), context, books=books)
    rows = await books.lots(account.account_id, symbol=command.symbol, limit=page_limit(command.limit))
    return LotsView(lots=tuple(LotView(**_with_book(row)) for row in rows))


async def list_lot_closes(command: ListLotCloses, context: Context, *, books: Books) -> LotClosesView:
    """Return what was closed of an account's lots, oldest first. Raises RANGE for a range that is reversed."""
    account = await owned_account(AccountId(command.account_id), context, books=books)
    if command.start is not None and command.end is not None and command.end < command.start:
        raise AlphintraError("RANGE", "end is before start", pointer="/end")
    rows = await books.lot_closes(
        account.account_id, start=command.start, end=command.end, limit=page_limit(command.limit)
    )
    return LotClosesView(closes=tuple(LotCloseView(**_with_book(row)) for row in rows))


async def list_trades(command: ListTrades, context: Context, *, books: Books) -> TradesView:
    """Return an account's round trips, newest first."""
    account = await owned_account(AccountId(command.account_id), context, books=books)
    book_id = None if command.book_id is None else BookId(command.book_id)
    rows = await books.trades(account.account_id, book_id=book_id, limit=page_limit(command.limit))
    return TradesView(trades=tuple(_trade_view(row) for row in rows))


async def list_booking_breaks(command: ListBookingBreaks, context: Context, *, books: Books) -> BookingBreaksView:
    """Return what was wrong with reports of executions for an account, newest first."""
    account = await owned_account(AccountId(command.account_id), context, books=books)
    rows = await books.booking_breaks(account.account_id, limit=page_limit(command.limit))
    return BookingBreaksView(breaks=tuple(BookingBreakView(**row) for row in rows))


def _trade_view(row: Mapping[str, Any]) -> TradeView:
    """Show a trade; its averages are rounded to nine decimals."""
    left = row["entry_qty"] - row["open_qty"]
    return TradeView(
        account_id=row["account_id"],
        book_id=_book(row),
        symbol=row["symbol"],
        trade_no=row["trade_no"],
        side=Side(row["side"]),
        qty=row["entry_qty"],
        open_qty=row["open_qty"],
        entry_price=_average(row["entry_amount"], row["entry_qty"]),
        exit_price=_average(row["exit_amount"], left),
        realized_pnl=row["realized_pnl"],
        fees=row["fees"],
        opened_at=row["opened_at"],
        closed_at=row["closed_at"],
    )


def _average(amount: Decimal, qty: Decimal) -> Decimal | None:
    return round(amount / qty, AMOUNT_PLACES) if qty > 0 else None


def _book(row: Mapping[str, Any]) -> BookId | None:
    return None if row["book_id"] == UNASSIGNED_BOOK else row["book_id"]


def _with_book(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**row, "book_id": _book(row)}
