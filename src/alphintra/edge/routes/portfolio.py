"""What an account is worth and why: summary, history, activities, cash that came and went, books, splits."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends, Query

from alphintra.contracts.books import (
    ActivitiesView,
    ActivityView,
    BooksView,
    PortfolioHistoryView,
    SplitAppliedView,
    SummaryView,
)
from alphintra.contracts.prices import ListPrices, PricesView
from alphintra.contracts.trading import (
    ApplySplit,
    BookCashFlow,
    GetPortfolioHistory,
    GetSummary,
    ListActivities,
    ListBooks,
    ReleaseBook,
    TransferPosition,
)
from alphintra.edge.decoding import Amount, Label
from alphintra.edge.routes.holdings import utc
from alphintra.edge.routing import Admin, Body, PageLimit, Reader, Routes, Trader

__all__ = ["routes"]

routes = Routes("accounts")

HistoryLimit = Annotated[int, Query(ge=1, le=10_000, description="How many intervals at most, the newest of them.")]


class FlowBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Money that came or went; the reference makes a repetition safe."""

    kind: str
    amount: Amount
    reference: str
    symbol: str = ""
    description: Label | None = None


class TransferBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A quantity to move between books; a book left out is the unassigned rest, without a price it moves at cost."""

    symbol: str
    qty: Amount
    reference: str
    from_book: UUID | None = None
    to_book: UUID | None = None
    price: Amount | None = None


class SplitBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A split of a symbol for every account of a feed."""

    feed_id: UUID
    symbol: str
    new_shares: int
    old_shares: int
    reference: str


@routes.get("/accounts/{account_id}/summary")
async def get_summary(caller: Reader, account_id: UUID) -> SummaryView:
    """Fetch what the account is worth at its newest prices, and what it has earned."""
    return await caller.ask(GetSummary(account_id=account_id))


@routes.get("/prices")
async def list_prices(
    caller: Reader, symbols: Annotated[str, Query(description="Which, with commas between.")]
) -> PricesView:
    """List the newest prices of symbols on the feeds of one's accounts."""
    return await caller.ask(ListPrices(symbols=tuple(symbols.split(","))))


@routes.get("/accounts/{account_id}/portfolio/history")
async def get_portfolio_history(
    caller: Reader,
    account_id: UUID,
    timeframe: str = "1D",
    start: datetime | None = None,
    end: datetime | None = None,
    limit: HistoryLimit = 1000,
) -> PortfolioHistoryView:
    """Fetch what the account was worth at the end of each interval: 1Min, 5Min, 15Min, 1H or 1D."""
    command = GetPortfolioHistory(
        account_id=account_id, timeframe=timeframe, start=utc(start, "start"), end=utc(end, "end"), limit=limit
    )
    return await caller.ask(command)


@routes.get("/accounts/{account_id}/activities")
async def list_activities(
    caller: Reader,
    account_id: UUID,
    kinds: str | None = None,
    page_token: str | None = None,
    oldest_first: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    limit: PageLimit = 100,
) -> ActivitiesView:
    """List executions and all other movements of money and shares; ``kinds`` is a list such as fill,dividend."""
    command = ListActivities(
        account_id=account_id,
        kinds=None if kinds is None else tuple(kinds.split(",")),
        page_token=page_token,
        oldest_first=oldest_first,
        limit=limit,
    )
    return await caller.ask(command)


@routes.post("/accounts/{account_id}/cash-flows", status=201)
async def book_cash_flow(
    caller: Trader, account_id: UUID, body: Annotated[FlowBody, Depends(Body(FlowBody))]
) -> ActivityView:
    """Deposit to, withdraw from or reset a paper account; the operator books dividends, interest, funding and fees."""
    command = BookCashFlow(
        account_id=account_id,
        kind=body.kind,
        amount=Decimal(body.amount),
        reference=body.reference,
        symbol=body.symbol,
        description=str(body.description or ""),
    )
    return await caller.ask(command)


@routes.get("/accounts/{account_id}/books")
async def list_books(caller: Reader, account_id: UUID) -> BooksView:
    """List the books of the account's deployments, the unassigned rest first; they add up to the account."""
    return await caller.ask(ListBooks(account_id=account_id))


@routes.post("/accounts/{account_id}/books/{book_id}/release")
async def release_book(caller: Trader, account_id: UUID, book_id: UUID) -> BooksView:
    """Give a book's cash back to the account; what it holds stays in it."""
    return await caller.ask(ReleaseBook(account_id=account_id, book_id=book_id))


@routes.post("/accounts/{account_id}/transfers", status=201)
async def transfer_position(
    caller: Trader, account_id: UUID, body: Annotated[TransferBody, Depends(Body(TransferBody))]
) -> BooksView:
    """Move a quantity from one book to another, at cost or at a price."""
    command = TransferPosition(
        account_id=account_id,
        symbol=body.symbol,
        qty=Decimal(body.qty),
        reference=body.reference,
        from_book=body.from_book,
        to_book=body.to_book,
        price=None if body.price is None else Decimal(body.price),
    )
    return await caller.ask(command)


@routes.post("/splits", status=201)
async def apply_split(caller: Admin, body: Annotated[SplitBody, Depends(Body(SplitBody))]) -> SplitAppliedView:
    """Apply a split to every account of a feed: other quantities and prices, no profit; working orders are canceled."""
    command = ApplySplit(
        feed_id=body.feed_id,
        symbol=body.symbol,
        new_shares=body.new_shares,
        old_shares=body.old_shares,
        reference=body.reference,
    )
    return await caller.ask(command)
