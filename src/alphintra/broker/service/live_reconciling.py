"""Comparing a venue with our books: orders, executions, positions, cash. What differs is reported, never mended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from alphintra.broker.domain.links import Link, LinkStatus, is_active
from alphintra.broker.domain.reconciling import BLOCKING, compare_cash, compare_positions
from alphintra.broker.domain.reports import Finding, LiveStatus
from alphintra.broker.service.hearing import hear_fill, hear_order
from alphintra.broker.service.telling import Desk, open_breaks, turn_link

if TYPE_CHECKING:
    from alphintra.broker.gateways.venue import RemoteVenue
    from alphintra.broker.repository.live import Live
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import AccountId

__all__ = ["reconcile", "replay_executions", "replay_orders"]

OVERLAP = timedelta(minutes=5)  # executions are listed by the venue's clock and may appear late
COMPARISONS = 3  # a difference counts once it is there whenever one looks: executions go on meanwhile


async def replay_executions(venue: RemoteVenue, account_id: AccountId, *, live: Live, desk: Desk, clock: Clock) -> bool:
    """Take in what the venue executed since the last time.

    Returns whether everything found its order: what may be of one whose answer is not here yet is taken in later.
    """
    async with live.reading() as rows:
        link = await rows.links.get(account_id)
    since = None if link is None else (link.seen_at or link.opened_at) - OVERLAP
    fills = await venue.executions(since)
    rebates = venue.capabilities.pays_rebates
    is_whole = True
    for fill in fills:
        if await hear_fill(fill, account_id, live=live, desk=desk, at=clock.now(), pays_rebates=rebates):
            is_whole = False
    newest = max((fill.executed_at for fill in fills), default=None)
    if (
        is_whole
        and newest is not None
        and newest <= clock.now()
        and (link is None or link.seen_at is None or newest > link.seen_at)
    ):
        async with live.transaction() as tx:
            await tx.links.seen(account_id, newest)
    return is_whole


async def reconcile(venue: RemoteVenue, account_id: AccountId, *, live: Live, desk: Desk, clock: Clock) -> bool:
    """Compare everything, report what differs, and open the connection where nothing is in the way.

    Returns whether the account may trade. A second run over the same venue writes nothing but when it was.
    """
    await replay_orders(venue, account_id, live=live, desk=desk, clock=clock)
    findings = await _holdings(venue, account_id, live=live, desk=desk, clock=clock)
    async with live.transaction() as tx:
        await open_breaks(tx, account_id, findings, desk=desk, at=clock.now())
        link = await tx.links.lock(account_id)
        if link is None or not is_active(link.status):
            return False
        await tx.links.reconciled(account_id, at=clock.now())
        blocking = sorted(await tx.links.open_codes(account_id) & BLOCKING)
        if blocking:
            reason = f"only reducing: {', '.join(blocking)} is open"
            await turn_link(tx, link, LinkStatus.RECONCILING, reason=reason, desk=desk, at=clock.now())
            return False
        if link.status is LinkStatus.DEGRADED:
            reason = "the venue answers again"
            await turn_link(tx, link, LinkStatus.RECONCILING, reason=reason, desk=desk, at=clock.now())
            link = await tx.links.lock(account_id) or link
        await turn_link(tx, link, LinkStatus.OPEN, reason="", desk=desk, at=clock.now())
    return True


async def replay_orders(
    venue: RemoteVenue, account_id: AccountId, *, live: Live, desk: Desk, clock: Clock, has_settled: bool = True
) -> None:
    """Take in how every order stands. Orders are read before executions: what they count is listed then.

    Unless ``has_settled``, executions may be listed a moment later than orders count them: what is missing is no
    finding yet.
    """
    reported = {order.client_order_id: order for order in await venue.open_orders()}
    named = {order.venue_order_id for order in reported.values()}
    async with live.reading() as rows:
        ours = await rows.active(account_id)
    lost: list[Finding] = []
    for order in ours:
        if order.status is not LiveStatus.WORKING or order.venue_order_id in named:
            continue
        if reported.keys() & {order.client_order_id, order.order_id.hex}:
            continue
        age = None if order.updated_at is None else clock.now() - order.updated_at
        if age is not None and timedelta(0) <= age < venue.capabilities.visibility_delay:
            continue  # it may not be visible yet; a change of the time to come was made before the clock was set back
        found = await venue.find(
            order.client_order_id, order_id=order.order_id, venue_order_id=order.venue_order_id, symbol=order.symbol
        )
        if found is None:
            detail = f"order {order.client_order_id} worked at the venue, which now says there is none such"
            key = f"{order.order_id}:gone"
            lost.append(
                Finding(code="EXEC_CONFLICT", key=key, detail=detail, symbol=order.symbol, order_id=order.order_id)
            )
        else:
            reported[found.client_order_id or order.client_order_id] = found
    is_whole = await replay_executions(venue, account_id, live=live, desk=desk, clock=clock)
    for report in reported.values():
        await hear_order(report, account_id, live=live, desk=desk, at=clock.now(), is_replayed=has_settled and is_whole)
    if not is_whole:
        await replay_executions(venue, account_id, live=live, desk=desk, clock=clock)
    async with live.transaction() as tx:
        await open_breaks(tx, account_id, lost, desk=desk, at=clock.now())


async def _holdings(
    venue: RemoteVenue, account_id: AccountId, *, live: Live, desk: Desk, clock: Clock
) -> list[Finding]:
    """Return the differences in positions and cash that are there at every one of several looks."""
    kept: dict[tuple[str, str], Finding] = {}
    for look in range(COMPARISONS):
        positions, cash = await venue.positions(), await venue.cash()
        async with live.reading() as rows:
            link: Link | None = await rows.links.get(account_id)
            mine, flow = await rows.positions(account_id), await rows.cash_flow(account_id)
            open_symbols = await rows.unanswered(account_id)
        if link is None:
            return []
        found = [item for item in compare_positions(mine, positions) if item.symbol not in open_symbols]
        if not open_symbols:
            found += compare_cash(link.starting_cash + flow, cash)
        named = {(item.code, item.key): item for item in found}
        kept = named if look == 0 else {name: item for name, item in kept.items() if name in named}
        if not kept:
            return []
        await replay_executions(venue, account_id, live=live, desk=desk, clock=clock)
    return list(kept.values())
