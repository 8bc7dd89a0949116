"""Use case of checking, before anything changes, that a live account's venue can work what a strategy asks for."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.graph.plan import compile_plan
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.strategy.domain.sides import stance_of
from alphintra.strategy.domain.venue_fit import Offer, Trade, misfits, source_of_venue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.contracts.broker import CapabilitiesView, ConnectionView
    from alphintra.contracts.orders import AccountView
    from alphintra.kernel.messages import Context
    from alphintra.strategy.gateways.services import Limits, Orders
    from alphintra.strategy.repository import Desk, Feed

__all__ = ["require_meant", "require_venue_fit"]


def require_meant(confirm: str, account: AccountView) -> None:
    """Refuse what would reach a venue and was not confirmed by the account's name. Raises CONFIRM_REQUIRED."""
    if confirm != account.name:
        message = "a strategy on a live account sends orders to its venue: confirm it by the account's name"
        raise AlphintraError("CONFIRM_REQUIRED", message, pointer="/confirm")


async def require_venue_fit(  # noqa: PLR0913 - what is to trade where, and whom to ask
    graph_text: str,
    symbols: Sequence[str],
    feed: Feed,
    account: AccountView,
    context: Context,
    *,
    desk: Desk,
    orders: Orders,
    limits: Limits,
    at: datetime,
) -> None:
    """Refuse a strategy whose orders the account's venue would not work, with every reason at once.

    Raises DEPLOYMENT_FEED, VENUE_NOT_OPEN, DEPLOYMENT_UNFIT.
    """
    connection = await orders.connection(account.account_id, context)
    capabilities = connection.capabilities
    if connection.status != "open" or capabilities is None:
        why = f": {connection.reason}" if connection.reason else ""
        message = f"the account's connection is {connection.status}{why}: deploy when it is open"
        raise AlphintraError("VENUE_NOT_OPEN", message, kind=Kind.CONFLICT, pointer="/account_id")
    _require_own_bars(feed, connection)
    graph = parse_graph(graph_text.encode())
    held = await orders.holdings(account.account_id, context)
    priced = await _priced(account, context, desk=desk, orders=orders)
    trades = [
        Trade(
            symbol=symbol,
            instrument=await limits.instrument(symbol, context),
            is_priced=symbol in priced,
            held=held.get(symbol, Decimal(0)),
        )
        for symbol in symbols
    ]
    offer = _offer(capabilities, may_short=(await limits.of_account(account.account_id, context)).may_short)
    plan, stance = compile_plan(graph), stance_of(graph)
    found = misfits(plan, stance, trades, offer, is_extended=feed.is_extended, at=at)
    if found:
        message = "; ".join(found)
        raise AlphintraError("DEPLOYMENT_UNFIT", message, kind=Kind.CONFLICT, pointer="/version_id")


def _require_own_bars(feed: Feed, connection: ConnectionView) -> None:
    """Refuse a feed of anything but the venue's own bars as they come. Raises DEPLOYMENT_FEED."""
    wanted = source_of_venue(connection.adapter, connection.exchange)
    if not feed.is_live or feed.source.split(":")[0] != wanted.split(":")[0] or not feed.source.startswith(wanted):
        found = f"live bars of {feed.source}" if feed.is_live else "a replay"
        message = f"a live account trades on live bars of its venue, and the feed is {found}: name one of {wanted}"
        raise AlphintraError("DEPLOYMENT_FEED", message, kind=Kind.CONFLICT, pointer="/feed_id")


async def _priced(account: AccountView, context: Context, *, desk: Desk, orders: Orders) -> frozenset[str]:
    """Return the symbols risk can judge an account's orders by: those of its feed, or those its venue tells."""
    feed = None if account.feed_id is None else await desk.row("feeds.get", account.feed_id)
    if feed is not None:
        return frozenset(feed["symbols"])
    watched = await orders.watched(account.account_id, context)
    return frozenset(each.symbol for each in watched if each.price is not None)


def _offer(found: CapabilitiesView, *, may_short: bool) -> Offer:
    return Offer(
        types=frozenset(found.types),
        times_in_force=frozenset(found.times_in_force),
        order_classes=frozenset(found.order_classes),
        has_fractional=found.has_fractional,
        has_two_exits=found.has_two_exits,
        may_short=may_short,
    )
