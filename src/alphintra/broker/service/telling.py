"""What others are told of orders at venues elsewhere, and of differences found there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.broker.domain.links import LinkStatus, may_become
from alphintra.broker.domain.reconciling import BLOCKING
from alphintra.broker.domain.reports import Applied, Tale
from alphintra.contracts.broker import (
    BreakFound,
    ConnectionChanged,
    ExecutionReported,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderRefused,
    OrderReplaced,
    OrderSuspended,
)
from alphintra.infrastructure.events import append_audit, append_event, append_events
from alphintra.infrastructure.telemetry import get_logger, new_trace_id
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Context, Event

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from alphintra.broker.domain.links import Link
    from alphintra.broker.domain.reports import Finding, LiveOrder, VenueFill
    from alphintra.broker.repository.live import LiveRows
    from alphintra.kernel.ids import AccountId, IdSource

__all__ = ["Desk", "open_breaks", "tell", "turn_link", "worker_context"]

VENUE_REJECTED = "VENUE_REJECTED"


@dataclass(frozen=True, slots=True)
class Desk:
    """Under whose name something is written, and with which ids."""

    ids: IdSource
    context: Context


def worker_context() -> Context:
    """Return the context of what a venue reports by itself."""
    return Context(trace_id=new_trace_id(), actor=Actor(id="service:broker"))


async def tell(
    tx: LiveRows, applied: Applied, *, desk: Desk, at: datetime, fill: VenueFill | None = None, reason: str = ""
) -> None:
    """Store an order as a report left it, and tell what follows."""
    order = applied.order
    await tx.store(order, at=at)
    told: list[tuple[UUID, Event]] = []
    for tale in applied.tales:
        replaced_by = await tx.replacing(order) if tale is Tale.REPLACED else None
        told.append((order.order_id, _event(tale, applied, fill=fill, replaced_by=replaced_by, reason=reason)))
    await append_events(tx.session, told, ids=desk.ids, context=desk.context, at=at)
    if told:
        facts: dict[str, object] = {"told": list(applied.tales), "status": order.status}
        what = f"order:{order.order_id}"
        await append_audit(tx.session, "order.report", what, facts, ids=desk.ids, context=desk.context, at=at)
    await open_breaks(tx, order.account_id, applied.findings, desk=desk, at=at)


async def open_breaks(
    tx: LiveRows, account_id: AccountId, findings: Iterable[Finding], *, desk: Desk, at: datetime
) -> int:
    """Open a break for each finding that is new, and let the account only reduce where it may hold something else.

    Returns how many are new.
    """
    opened = [
        (break_id, finding)
        for finding in findings
        for break_id in (desk.ids.new(),)
        if await tx.links.open_break(break_id, account_id, finding, at=at)
    ]
    for break_id, finding in opened:
        get_logger().warning("break.found", account_id=str(account_id), code=finding.code, detail=finding.detail)
        event = BreakFound(
            break_id=break_id,
            account_id=account_id,
            code=finding.code,
            symbol=finding.symbol,
            order_id=finding.order_id,
            detail=finding.detail,
        )
        facts: dict[str, object] = {"code": finding.code, "detail": finding.detail}
        what = f"account:{account_id}"
        await append_event(tx.session, event, ids=desk.ids, aggregate_id=account_id, context=desk.context, at=at)
        await append_audit(tx.session, "break.find", what, facts, ids=desk.ids, context=desk.context, at=at)
    blocking = sorted({finding.code for _, finding in opened} & BLOCKING)
    if blocking:
        link = await tx.links.lock(account_id)
        if link is not None and link.status is LinkStatus.OPEN:
            reason = f"only reducing: {', '.join(blocking)} is open"
            await turn_link(tx, link, LinkStatus.RECONCILING, reason=reason, desk=desk, at=at)
    return len(opened)


async def turn_link(
    tx: LiveRows, link: Link, status: LinkStatus, *, reason: str, desk: Desk, at: datetime
) -> None:  # fmt: skip
    """Bring a connection, which is held, into another state, and tell it. Raises CONNECTION_STATE."""
    if status is link.status and reason == link.reason:
        return
    if status is not link.status and not may_become(link.status, status):
        message = f"the connection is {link.status} and cannot become {status}"
        raise AlphintraError("CONNECTION_STATE", message, kind=Kind.CONFLICT)
    await tx.links.turn(link.account_id, status, reason, at=at)
    event = ConnectionChanged(account_id=link.account_id, status=status, reason=reason)
    facts: dict[str, object] = {"status": status, "reason": reason}
    what = f"account:{link.account_id}"
    await append_event(tx.session, event, ids=desk.ids, aggregate_id=link.account_id, context=desk.context, at=at)
    await append_audit(tx.session, "connection.turn", what, facts, ids=desk.ids, context=desk.context, at=at)


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
        final_qty=order.filled_qty if fill.is_final and not applied.is_behind else None,
    )
