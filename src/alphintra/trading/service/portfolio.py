"""Use cases on what accounts are worth: prices taken, the worth now and over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

from alphintra.contracts.books import PortfolioHistoryView, PricesMarkedView, SummaryView
from alphintra.contracts.prices import PricesView, PriceView
from alphintra.engine.portfolio import Position
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId
from alphintra.kernel.money import AMOUNT_PLACES, require_positive
from alphintra.trading.domain.equity import Held, Worth, worth_of
from alphintra.trading.service.accounts import list_accounts, owned_account

if TYPE_CHECKING:
    from alphintra.contracts.prices import ListPrices
    from alphintra.contracts.trading import GetPortfolioHistory, GetSummary, MarkPortfolios
    from alphintra.kernel.messages import Context
    from alphintra.trading.repository.books import Books

__all__ = ["TIMEFRAMES", "get_portfolio_history", "get_summary", "held_of", "list_prices", "mark_portfolios"]

HISTORY_MAX = 10_000
PRICES_MAX = 100  # symbols of one question
TIMEFRAMES = {
    "1Min": timedelta(minutes=1),
    "5Min": timedelta(minutes=5),
    "15Min": timedelta(minutes=15),
    "1H": timedelta(hours=1),
    "1D": timedelta(days=1),
}


async def mark_portfolios(command: MarkPortfolios, *, books: Books) -> PricesMarkedView:
    """Take the newest prices of a feed, and keep what each of its accounts is worth at them.

    Prices and worth are stored together: a repetition, or an older step, finds no older price and changes nothing.
    """
    for place, mark in enumerate(command.prices):
        require_positive(mark.price, pointer=f"/prices/{place}/price")
    async with books.transaction() as tx:
        marked = await tx.session.rows(
            "marks.put",
            command.feed_id,
            [mark.symbol for mark in command.prices],
            [mark.price for mark in command.prices],
            command.seq,
            command.at,
        )
        if not marked:
            return PricesMarkedView(marked=0, accounts=0)
        rows = await tx.session.rows("holdings.on_feed", command.feed_id)
        worth: list[tuple[AccountId, Worth, Decimal]] = []
        for account_id, each in groupby(rows, key=lambda row: row["account_id"]):
            held = list(each)
            first = held[0]
            invested = first["starting_cash"] + first["net_flows"]
            summed = worth_of(held_of(held), cash=first["cash"], invested=invested)
            worth.append((account_id, summed, first["net_flows"]))
        await tx.session.execute(
            "portfolio.put",
            [account_id for account_id, _worth, _flows in worth],
            command.at,
            [each.equity for _id, each, _flows in worth],
            [each.cash for _id, each, _flows in worth],
            [flows for _id, _worth, flows in worth],
        )
    return PricesMarkedView(marked=len(marked), accounts=len(worth))


async def list_prices(command: ListPrices, context: Context, *, books: Books) -> PricesView:
    """Return the newest prices on the feeds of the acting user's accounts. Raises RANGE or USER_REQUIRED."""
    if not 1 <= len(command.symbols) <= PRICES_MAX:
        raise AlphintraError("RANGE", f"name 1 to {PRICES_MAX} symbols", pointer="/symbols")
    accounts = await list_accounts(context, books=books)
    feeds = sorted({one.feed_id for one in accounts if one.feed_id is not None})
    rows = await books.rows("marks.newest", feeds, list(command.symbols))
    return PricesView(prices=tuple(PriceView(**row) for row in rows))


async def get_summary(command: GetSummary, context: Context, *, books: Books) -> SummaryView:
    """Return what an account is worth at its newest prices."""
    account = await owned_account(AccountId(command.account_id), context, books=books)
    rows = await books.rows("holdings.of_account", account.account_id)
    (flows,) = await books.rows("accounts.net_flows", account.account_id)
    worth = worth_of(held_of(rows), cash=account.cash, invested=account.starting_cash + flows["net_flows"])
    newest = await books.rows("portfolio.newest", account.account_id)
    marked_at = newest[0]["marked_at"] if newest else None
    last_equity = account.starting_cash
    if marked_at is not None:
        day = marked_at.replace(hour=0, minute=0, second=0, microsecond=0)
        before = await books.rows("portfolio.last_before", account.account_id, day)
        last_equity = before[0]["equity"] if before else last_equity
    return SummaryView(
        account_id=account.account_id,
        currency=account.currency,
        cash=worth.cash,
        equity=worth.equity,
        last_equity=last_equity,
        buying_power=worth.buying_power,
        long_market_value=worth.long_value,
        short_market_value=worth.short_value,
        cost=worth.cost,
        unrealized_pnl=worth.unrealized,
        realized_pnl=account.realized_pnl,
        fees=account.fees,
        invested=worth.invested,
        profit=worth.profit,
        marked_at=marked_at,
    )


async def get_portfolio_history(
    command: GetPortfolioHistory, context: Context, *, books: Books
) -> PortfolioHistoryView:
    """Return what an account was worth over time. Raises FIELD_CHOICE, RANGE, PAGE_LIMIT or ACCOUNT_NOT_FOUND.

    The base is the worth at the last mark before the first interval shown, or the starting cash. Profit leaves out what
    was paid in or taken out meanwhile.
    """
    account = await owned_account(AccountId(command.account_id), context, books=books)
    if command.timeframe not in TIMEFRAMES:
        message = f"timeframe is one of {', '.join(TIMEFRAMES)}"
        raise AlphintraError("FIELD_CHOICE", message, pointer="/timeframe")
    if command.start is not None and command.end is not None and command.end < command.start:
        raise AlphintraError("RANGE", "end is before start", pointer="/end")
    if not 1 <= command.limit <= HISTORY_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must be 1 to {HISTORY_MAX}", pointer="/limit")
    step = TIMEFRAMES[command.timeframe]
    newest_first = await books.rows(
        "portfolio.history", account.account_id, step, command.start, command.end, command.limit
    )
    rows = list(reversed(newest_first))
    base_value, base_flows = account.starting_cash, Decimal(0)
    if rows:
        start = rows[0]["bucket"] if command.start is None else max(rows[0]["bucket"], command.start)
        before = await books.rows("portfolio.last_before", account.account_id, start)
        if before:
            base_value, base_flows = before[0]["equity"], before[0]["net_flows"]
    profits = tuple(row["equity"] - base_value - (row["net_flows"] - base_flows) for row in rows)
    return PortfolioHistoryView(
        account_id=account.account_id,
        timeframe=command.timeframe,
        base_value=base_value,
        timestamps=tuple(row["bucket"] for row in rows),
        equity=tuple(row["equity"] for row in rows),
        profit_loss=profits,
        profit_loss_pct=tuple(_ratio(profit, base_value) for profit in profits),
    )


def held_of(rows: Iterable[Mapping[str, Any]]) -> list[Held]:
    """Return what rows of holdings say is held; a row without a symbol holds nothing."""
    return [Held(Position(row["qty"], row["cost"]), row["price"]) for row in rows if row["symbol"] is not None]


def _ratio(profit: Decimal, base: Decimal) -> Decimal:
    return round(profit / base, AMOUNT_PLACES) if base else Decimal(0)
