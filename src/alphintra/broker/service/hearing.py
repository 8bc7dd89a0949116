"""Taking in what a venue reports, as often and in whatever order it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.broker.domain import reconciling
from alphintra.broker.domain.reports import VenueFill, VenueOrder, VenueState, apply_fill, apply_state
from alphintra.broker.service.pairing import align_pair, successor_of, take_legs
from alphintra.broker.service.reporting import tell
from alphintra.broker.service.telling import Desk, open_breaks
from alphintra.infrastructure.faults import fault_point

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.broker.repository.live import Live, LiveRows
    from alphintra.kernel.ids import AccountId

__all__ = ["hear_fill", "hear_order"]

_AT_WORK = frozenset({VenueState.PENDING, VenueState.WORKING, VenueState.SUSPENDED, VenueState.DONE_FOR_DAY})


async def hear_order(
    report: VenueOrder, account_id: AccountId, *, live: Live, desk: Desk, at: datetime, is_replayed: bool = False
) -> bool:
    """Take in a venue's description of an order; returns whether executions are missing that are to be asked for.

    ``is_replayed`` says that they were asked for after the venue described the order.
    """
    async with live.transaction() as tx:
        # Read before the order is looked for: one that is named in between is found by that name.
        awaited = await tx.awaited_legs(account_id)
        order = await tx.lock_reported(
            account_id, client_order_id=report.client_order_id, venue_order_id=report.venue_order_id
        )
        order = order or await successor_of(tx, account_id, report, at=at)
        if order is None and report.symbol in awaited:
            return True  # it may be the second of two sent as one, whose answer is not here yet
        if order is None:
            findings = reconciling.external_orders([report]) if report.state in _AT_WORK else []
            await open_breaks(tx, account_id, findings, desk=desk, at=at)
            return False
        applied = apply_state(order, report, is_replayed=is_replayed)
        if applied.order != order or applied.tales or applied.findings:
            await tell(tx, applied, desk=desk, at=at, reason=report.reason)
        is_behind = await take_legs(tx, applied.order, report.legs, desk=desk, at=at, is_replayed=is_replayed)
        reason = report.reason or "the venue does not show it with the order it was sent with"
        await align_pair(tx, order.order_id, desk=desk, at=at, reason=reason, is_answered=False)
        fault_point("broker.report_stored")
    return applied.is_behind or is_behind


async def hear_fill(
    fill: VenueFill, account_id: AccountId, *, live: Live, desk: Desk, at: datetime, pays_rebates: bool
) -> bool:
    """Take in an execution, once; returns whether it, or earlier ones, are to be asked for again."""
    async with live.transaction() as tx:
        # Read before the order is looked for: one that is answered in between is found by the venue's id then.
        unanswered = await (tx.awaited_legs if fill.client_order_id else tx.unanswered)(account_id)
        order = await tx.lock_reported(
            account_id, client_order_id=fill.client_order_id, venue_order_id=fill.venue_order_id
        )
        if fill.is_bust:
            await open_breaks(tx, account_id, [reconciling.bust(fill)], desk=desk, at=at)
            return False
        known = await tx.known_fill(account_id, fill, None if order is None else order.order_id)
        if known is not None:
            conflict = reconciling.altered(known, fill)
            await open_breaks(tx, account_id, [] if conflict is None else [conflict], desk=desk, at=at)
            return False
        if order is None:
            if fill.symbol in unanswered:
                return True  # it may be of an order of ours whose answer is not here yet: that is asked for first
            await _keep_external(tx, fill, account_id, desk=desk, at=at)
            return False
        applied = apply_fill(order, fill, pays_rebates=pays_rebates, at=at)
        await tx.add_fill(account_id, fill, order_id=order.order_id, fee=applied.fee, at=at)
        await tell(tx, applied, desk=desk, at=at, fill=fill)
        fault_point("broker.fill_stored")
    fault_point("broker.fill_committed")
    return applied.is_behind


async def _keep_external(tx: LiveRows, fill: VenueFill, account_id: AccountId, *, desk: Desk, at: datetime) -> None:
    """Keep an execution of an order we did not send, as a case for a person; it moves no book."""
    if await tx.add_fill(account_id, fill, order_id=None, fee=fill.fee, at=at):
        await open_breaks(tx, account_id, [reconciling.external_fill(fill)], desk=desk, at=at)
