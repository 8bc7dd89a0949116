"""What others are told of orders at venues elsewhere when a venue reports on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from alphintra.broker.domain.reports import CLOSED, Applied, LiveStatus, Tale
from alphintra.broker.service.grouping import of_exit, regroup
from alphintra.broker.service.telling import Desk, open_breaks, tell_of
from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.broker import (
    ExecutionReported,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderRefused,
    OrderReplaced,
    OrderSuspended,
)
from alphintra.infrastructure.events import append_audit
from alphintra.kernel.vocabulary import Leg

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from alphintra.broker.domain.reports import LiveOrder, VenueFill
    from alphintra.broker.repository.live import LiveRows
    from alphintra.kernel.messages import Event

__all__ = ["tell"]

VENUE_REJECTED = "VENUE_REJECTED"


async def tell(
    tx: LiveRows, applied: Applied, *, desk: Desk, at: datetime, fill: VenueFill | None = None, reason: str = ""
) -> None:
    """Store an order as a report left it, tell what follows, and bring its group on."""
    order = part = applied.order
    await tx.store(order, at=at)
    group_id = order.group_id
    if group_id is not None and order.leg is Leg.ENTRY and order.status in CLOSED:
        tx.session.is_wake_due = True  # exits may have waited for it
    if order.part_of is not None:
        applied = await of_exit(tx, applied, fill, at=at)
        order = applied.order
    replaced_by = await tx.replacing(order) if order.status is LiveStatus.REPLACED else None
    if replaced_by is not None:
        await tx.carry(replaced_by, order.prior_qty + order.filled_qty)
    told = [_event(tale, applied, fill=fill, replaced_by=replaced_by, reason=reason) for tale in applied.tales]
    told = [await _with_prices(tx, part, event) for event in told]
    await tell_of(tx, order.order_id, told, desk=desk, at=at)
    if told:
        facts: dict[str, object] = {"told": list(applied.tales), "status": order.status}
        what = f"order:{order.order_id}"
        await append_audit(tx.session, "order.report", what, facts, ids=desk.ids, context=desk.context, at=at)
    await open_breaks(tx, order.account_id, applied.findings, desk=desk, at=at)
    if group_id is not None:
        await regroup(tx, group_id, desk=desk, at=at, reason=reason)


async def _with_prices(tx: LiveRows, part: LiveOrder, event: Event) -> Event:
    """Return the acknowledgement of an exit with where it lies, if that was reckoned from its entry's fill."""
    if part.part_of is None or not isinstance(event, OrderAcknowledged):
        return event
    queued = await tx.queued(part.order_id)
    terms = None if queued is None else msgspec.json.decode(queued.terms, type=OrderTerms)
    if terms is None or terms.reckoning is None:
        return event
    return OrderAcknowledged(
        order_id=event.order_id,
        venue_order_id=event.venue_order_id,
        limit_price=terms.limit_price,
        stop_price=terms.stop_price,
    )


def _event(tale: Tale, applied: Applied, *, fill: VenueFill | None, replaced_by: UUID | None, reason: str) -> Event:
    order: LiveOrder = applied.order
    order_id = order.order_id
    event: Event = OrderCanceled(order_id=order_id)
    match tale:
        case Tale.ACKNOWLEDGED:
            event = OrderAcknowledged(order_id=order_id, venue_order_id=order.venue_order_id or "")
        case Tale.REJECTED:
            event = OrderRefused(order_id=order_id, code=VENUE_REJECTED, reason=reason or "the venue gives no reason")
        case Tale.EXPIRED:
            event = OrderExpired(order_id=order_id)
        case Tale.SUSPENDED | Tale.DONE_FOR_DAY:
            is_done = tale is Tale.DONE_FOR_DAY
            event = OrderSuspended(order_id=order_id, is_done_for_day=is_done, reason=f"the venue says {tale}")
        case Tale.EXECUTED if fill is not None:
            event = _executed(applied, fill)
        case Tale.REPLACED if replaced_by is not None:
            event = OrderReplaced(order_id=order_id, replaced_by=replaced_by)
        case _:
            pass  # canceled, or replaced by an order that is none of ours: it works no longer
    return event


def _executed(applied: Applied, fill: VenueFill) -> ExecutionReported:
    order = applied.order
    return ExecutionReported(
        execution_id=fill.execution_id,
        order_id=order.order_id,
        account_id=order.account_id,
        symbol=order.symbol,
        side=fill.side,
        qty=fill.qty,
        price=fill.price,
        fee=applied.fee,
        executed_at=fill.executed_at,
        fee_qty=fill.fee_qty,
        final_qty=order.filled_qty if _is_final(order, fill) and not applied.is_behind else None,
    )


def _is_final(order: LiveOrder, fill: VenueFill) -> bool:
    """Tell whether an execution ends the order: for an exit that its parts have closed everything."""
    return fill.is_final if order.leg is Leg.ENTRY else order.status is LiveStatus.FILLED
