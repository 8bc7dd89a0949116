"""What others are told of connections, and of differences found at venues elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from alphintra.broker.domain.links import LinkStatus, may_become
from alphintra.broker.domain.reconciling import BLOCKING
from alphintra.contracts.broker import BreakFound, ConnectionChanged
from alphintra.infrastructure.events import append_audit, append_event, append_events
from alphintra.infrastructure.telemetry import get_logger, new_trace_id
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Context

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from alphintra.broker.domain.links import Link
    from alphintra.broker.domain.reports import Finding
    from alphintra.broker.repository.live import LiveRows
    from alphintra.kernel.ids import AccountId, IdSource, OrderId
    from alphintra.kernel.messages import Event

__all__ = ["Desk", "open_breaks", "tell_of", "turn_link", "worker_context"]


@dataclass(frozen=True, slots=True)
class Desk:
    """Under whose name something is written, and with which ids."""

    ids: IdSource
    context: Context


def worker_context() -> Context:
    """Return the context of what a venue reports by itself."""
    return Context(trace_id=new_trace_id(), actor=Actor(id="service:broker"))


async def tell_of(
    tx: LiveRows, order_id: OrderId, events: Sequence[Event], *, desk: Desk, at: datetime
) -> None:  # fmt: skip
    """Store what is told of an order at a venue elsewhere, which is held, each with its number where it has one."""
    if not events:
        return
    numbers = await tx.number(order_id, len(events), at=at)
    told = [
        (order_id, msgspec.structs.replace(event, seq=number) if "seq" in event.__struct_fields__ else event)
        for event, number in zip(events, numbers, strict=True)
    ]
    await append_events(tx.session, told, ids=desk.ids, context=desk.context, at=at)


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
