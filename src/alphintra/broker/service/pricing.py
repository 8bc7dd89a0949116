"""Prices of live accounts: asked for at their own venue, kept, and told to risk and trading.

They go out under the id of the account as that of a feed, which every live account has that names no other. A price is
told when the venue dates it newer than the one before: one that stopped coming grows old for everybody who judges by
age, and after a while its silence is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from alphintra.broker.domain.prices import AskedBars, Quote, Watched, by_minute, news, require_symbols, stalls
from alphintra.broker.gateways.venue import BarVenue
from alphintra.broker.repository.prices import PriceRows
from alphintra.broker.service.links import opened_venue, require_link
from alphintra.broker.service.telling import worker_context
from alphintra.contracts.broker import PricesStalled, WatchedPricesView, WatchedPriceView
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from alphintra.broker.gateways.marks import Marks
    from alphintra.broker.gateways.pacing import Pace
    from alphintra.broker.gateways.venue import PricingVenue
    from alphintra.broker.repository.live import Live
    from alphintra.broker.service.links import Venues
    from alphintra.contracts.broker import ListVenueBars, ListWatchedPrices, VenueBarsView, WatchPrices
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import AccountId, IdSource
    from alphintra.kernel.messages import Context

__all__ = ["PriceKeeping", "keep_prices", "list_bars", "list_watched", "watch_prices"]

TOGETHER = timedelta(seconds=10)  # prices that are told as of one moment differ by this much at most


async def watch_prices(
    command: WatchPrices, context: Context, *, live: Live, ids: IdSource, at: datetime
) -> WatchedPricesView:
    """Say which prices a connection asks for, in place of what was said before.

    Symbols with open orders or a position go on. Raises CONNECTION_NOT_FOUND, FIELD_LENGTH and FIELD_VALUE.
    """
    link = await require_link(command.account_id, context, live=live)
    symbols = require_symbols(command.symbols)
    async with live.transaction() as tx:
        await tx.links.lock(link.account_id)
        rows = PriceRows(tx.session)
        await rows.want(link.account_id, symbols, at=at)
        facts: dict[str, object] = {"symbols": list(symbols)}
        what = f"account:{link.account_id}"
        await append_audit(tx.session, "connection.watch", what, facts, ids=ids, context=context, at=at)
        return _view(link.account_id, await rows.wanted(link.account_id))


async def list_bars(command: ListVenueBars, context: Context, *, live: Live, venues: Venues) -> VenueBarsView:
    """Ask a connection's venue for bars, with its credentials.

    Raises CONNECTION_NOT_FOUND, CREDENTIALS_MISSING, FIELD_LENGTH, FIELD_VALUE, BARS_UNSUPPORTED and VenueError.
    """
    link = await require_link(command.account_id, context, live=live)
    symbols = require_symbols(command.symbols)
    if len({"/" in symbol for symbol in symbols}) != 1:
        message = "ask for bars of stocks, or of pairs, at least of one"
        raise AlphintraError("FIELD_VALUE", message, pointer="/symbols")
    async with opened_venue(link, live=live, venues=venues) as venue:
        if not isinstance(venue, BarVenue):
            message = f"the connection's venue ({link.adapter} {link.exchange}) is not asked for bars with its keys"
            raise AlphintraError("BARS_UNSUPPORTED", message, kind=Kind.CONFLICT, pointer="/account_id")
        asked = AskedBars(
            symbols=symbols,
            minutes=command.minutes,
            start=command.start,
            end=command.end,
            data_feed=command.data_feed,
            page_token=command.page_token,
        )
        return await venue.bars(asked)


async def list_watched(command: ListWatchedPrices, context: Context, *, live: Live) -> WatchedPricesView:
    """Return the prices a connection asks for, with the newest of each. Raises CONNECTION_NOT_FOUND."""
    link = await require_link(command.account_id, context, live=live)
    async with live.reading() as rows:
        return _view(link.account_id, await PriceRows(rows.session).watched(link.account_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceKeeping:
    """What the keeping of prices stands on.

    Attributes:
        live: what is kept about live accounts.
        marks: tells risk and trading what prices are.
        clock: time of day.
        ids: of events.
        every: how often prices are asked for.
        silence: how long a symbol may have no new price while its market is open.
    """

    live: Live
    marks: Marks
    clock: Clock
    ids: IdSource
    every: timedelta = timedelta(seconds=10)
    silence: timedelta = timedelta(minutes=2)


async def keep_prices(venue: PricingVenue, account_id: AccountId, keep: PriceKeeping, pace: Pace) -> None:
    """Ask for prices again and again. That they do not come ends nothing: it is told, and they grow old."""
    failures = 0
    while True:
        try:
            await take_prices(venue, account_id, keep)
            failures, pause = 0, keep.every
        except AlphintraError as error:
            failures += 1
            pause = max(keep.every, pace.retry_in(failures))
            get_logger().warning("prices.retry", account_id=str(account_id), code=error.code, pause=str(pause))
        with suppress(AlphintraError):
            await notice_stalls(account_id, keep)
        await asyncio.sleep(pause.total_seconds())


async def take_prices(venue: PricingVenue, account_id: AccountId, keep: PriceKeeping) -> int:
    """Ask for the prices of an account's symbols, tell those that are new and keep them; returns how many were new.

    They are kept last: what was told and not kept is told once more. Raises VenueError and what risk and trading do.
    """
    async with keep.live.reading() as rows:
        watched = await PriceRows(rows.session).watched(account_id)
    if not watched:
        return 0
    context = worker_context()
    fresh = news(watched, await venue.quotes([each.symbol for each in watched]))
    first = int(keep.clock.now().timestamp() * 1000)
    groups = _together(fresh)
    for seq, group in enumerate(groups, first - len(groups)):
        await keep.marks.tell_risk(account_id, seq, group, context)
    valued = by_minute(watched, fresh)
    if valued:
        await keep.marks.tell_trading(account_id, first, valued, context)
    if fresh:
        async with keep.live.transaction() as tx:
            await PriceRows(tx.session).store(account_id, fresh)
    return len(fresh)


async def notice_stalls(account_id: AccountId, keep: PriceKeeping) -> None:
    """Tell of symbols whose prices stopped coming while their market is open, and of those that come again."""
    async with keep.live.reading() as rows:
        watched = await PriceRows(rows.session).watched(account_id)
    at, context = keep.clock.now(), worker_context()
    for stall in stalls(watched, at=at, patience=keep.silence):
        async with keep.live.transaction() as tx:
            if not await PriceRows(tx.session).turn(account_id, stall):
                continue
            event = PricesStalled(
                account_id=account_id,
                symbol=stall.symbol,
                is_stalled=stall.is_stalled,
                priced_at=stall.priced_at,
            )
            facts: dict[str, object] = {"symbol": stall.symbol, "is_stalled": stall.is_stalled}
            what = f"account:{account_id}"
            await append_event(tx.session, event, ids=keep.ids, aggregate_id=account_id, context=context, at=at)
            await append_audit(tx.session, "prices.stall", what, facts, ids=keep.ids, context=context, at=at)
        name = "prices.stalled" if stall.is_stalled else "prices.resumed"
        get_logger().warning(name, account_id=str(account_id), symbol=stall.symbol)


def _together(quotes: Sequence[Quote]) -> list[list[Quote]]:
    """Return quotes, which come oldest first, in groups of about the same moment."""
    groups: list[list[Quote]] = []
    for quote in quotes:
        if groups and quote.at - groups[-1][0].at <= TOGETHER:
            groups[-1].append(quote)
        else:
            groups.append([quote])
    return groups


def _view(account_id: AccountId, watched: Sequence[Watched]) -> WatchedPricesView:
    prices = tuple(
        WatchedPriceView(
            symbol=each.symbol,
            price=each.price,
            bid=each.bid,
            ask=each.ask,
            priced_at=each.priced_at,
            is_stalled=each.is_stalled,
        )
        for each in watched
    )
    return WatchedPricesView(account_id=account_id, prices=prices)
