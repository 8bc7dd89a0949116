"""Exits that a venue works as a pair of its own: sent as one, known by the first, adapted by the venue.

The venue names the second order only in its answer to the first, and again when it adapts it to what the first has
filled. Until then reports on a name nobody knows may be of that order: they are asked for again and are no finding.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alphintra.broker.domain.live_groups import arranged, sent_together
from alphintra.broker.domain.reports import CLOSED, LiveOrder, LiveStatus, VenueOrder, apply_state
from alphintra.broker.service.grouping import add_part, ended, lose_answer, regroup
from alphintra.broker.service.reporting import tell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from alphintra.broker.repository.live import Live, LiveRows
    from alphintra.broker.service.telling import Desk
    from alphintra.kernel.ids import AccountId, OrderId

__all__ = ["align_pair", "begin_pair", "successor_of", "take_legs", "unpair"]

_UNANSWERED = frozenset({LiveStatus.SENDING, LiveStatus.UNKNOWN})


async def begin_pair(tx: LiveRows, order: LiveOrder, *, at: datetime) -> tuple[LiveOrder, LiveOrder] | None:
    """Store the intent to send an order with its partner as one; None where it is sent alone."""
    if order.part_of is None or order.group_id is None:
        return None
    pair = sent_together(arranged(await tx.group(order.group_id)), order)
    if pair is None:
        return None
    name = pair[0].order_id
    await tx.pair([part.order_id for part in pair], name)
    target, stop = (replace(part, status=LiveStatus.SENDING, attempts=part.attempts + 1, pair_id=name) for part in pair)
    for part in (target, stop):
        await tx.store(part, at=at)
    return target, stop


async def align_pair(
    tx: LiveRows, order_id: OrderId, *, desk: Desk, at: datetime, reason: str, is_answered: bool
) -> None:  # fmt: skip
    """Let what was sent with an order be as certain as that order is.

    ``is_answered`` says that no answer is awaited any more: what it should have told of the others is to be asked for.
    """
    first = await tx.lock(order_id)
    if first is None or first.pair_id != first.order_id or first.group_id is None:
        return
    others = [each for each in await tx.group(first.group_id) if each.pair_id == first.order_id != each.order_id]
    for other in others:
        if other.status not in _UNANSWERED:
            continue
        if first.status is LiveStatus.QUEUED:
            again = replace(other, status=LiveStatus.QUEUED, misses=0, unknown_since=None, missed_at=None)
            await tx.store(again, at=at)
        elif first.status in {LiveStatus.REJECTED, LiveStatus.CANCELED, LiveStatus.EXPIRED}:
            await ended(tx, other, first.status, reason=reason, desk=desk, at=at)
        elif other.status is LiveStatus.SENDING and is_answered:
            await lose_answer(tx, other, reason, desk=desk, at=at)


async def take_legs(
    tx: LiveRows, order: LiveOrder, legs: Sequence[VenueOrder], *, desk: Desk, at: datetime, is_replayed: bool
) -> bool:  # fmt: skip
    """Take in what the venue shows with an order of the orders it keeps together with it.

    Returns whether executions are missing.
    """
    if order.pair_id is None or order.group_id is None:
        return False
    is_behind = False
    for report in legs:
        group = await tx.group(order.group_id)
        known = [each for each in group if each.venue_order_id == report.venue_order_id]
        unnamed = [each for each in group if each.pair_id == order.pair_id and each.venue_order_id is None]
        leg = next(iter([*known, *(each for each in unnamed if each.status not in CLOSED)]), None)
        leg = leg or await successor_of(tx, order.account_id, report, at=at)
        if leg is None:
            continue
        applied = apply_state(leg, report, is_replayed=is_replayed)
        is_behind = is_behind or applied.is_behind
        if applied.order != leg or applied.tales or applied.findings:
            await tell(tx, applied, desk=desk, at=at, reason=report.reason)
    return is_behind


async def successor_of(tx: LiveRows, account_id: AccountId, report: VenueOrder, *, at: datetime) -> LiveOrder | None:
    """Return the order that a venue put in the place of one of a pair by itself, stored; None where it is none such."""
    if report.replaces is None:
        return None
    old = await tx.lock_reported(account_id, client_order_id="", venue_order_id=report.replaces)
    if old is None or old.pair_id is None or old.group_id is None:
        return None
    leg = next((leg for leg in arranged(await tx.group(old.group_id)).exits if leg.order.order_id == old.part_of), None)
    if leg is None or not leg.left(old):
        return None
    fresh = await add_part(tx, leg, leg.left(old), at=at)
    await tx.pair([fresh.order_id], old.pair_id)
    named = replace(
        fresh,
        status=LiveStatus.WORKING,
        venue_order_id=report.venue_order_id,
        attempts=1,
        pair_id=old.pair_id,
        is_cancel_requested=old.is_cancel_requested,
    )
    await tx.store(named, at=at)
    return named


async def unpair(order: LiveOrder, *, live: Live, desk: Desk, at: datetime, before: datetime) -> None:
    """Let an order work alone whose partner ended before a moment while the venue goes on working it."""
    async with live.transaction() as tx:
        now = await tx.lock(order.order_id)
        if now is None or now.pair_id is None or now.group_id is None or now.status is not LiveStatus.WORKING:
            return
        pair = [each for each in await tx.group(now.group_id) if each.pair_id == now.pair_id]
        others = [each for each in pair if each.part_of != now.part_of]
        if any(each.status not in CLOSED or each.updated_at is None or each.updated_at > before for each in others):
            return
        await tx.pair([each.order_id for each in pair], None)
        await regroup(tx, now.group_id, desk=desk, at=at)
