"""Orders for venues elsewhere, from the approved order to the venue's answer.

The intent is committed before the venue is called, the call is made outside any transaction, and its answer is
committed afterwards. Whoever finds an intent without an answer asks the venue before anything else.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from alphintra.broker.domain.approvals import KILL_ACTIVE, NO_APPROVAL, Refusal
from alphintra.broker.domain.capabilities import UNSUPPORTED
from alphintra.broker.domain.links import LinkStatus
from alphintra.broker.domain.reports import CLOSED, Applied, LiveOrder, LiveStatus, Tale
from alphintra.broker.domain.reports import apply_state as apply_report
from alphintra.broker.gateways.venue import Duplicate, NotSent, Refused, Taken, Uncertain
from alphintra.broker.repository.live import LiveRows, Queued
from alphintra.broker.service.telling import Desk, tell
from alphintra.contracts.approval import Approval, OrderTerms
from alphintra.contracts.broker import CancelRefused, OrderCanceled, OrderRefused, OrderUncertain
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.ids import AccountId, OrderId

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.broker.domain.approvals import Evidence
    from alphintra.broker.domain.links import Link
    from alphintra.broker.gateways.venue import Answer
    from alphintra.broker.repository.live import Live
    from alphintra.kernel.messages import Event

__all__ = [
    "begin_sending",
    "cancel_live",
    "finish_sending",
    "forget_answers",
    "not_renewed",
    "queue_order",
    "read_approval",
    "read_terms",
    "refuse_cancel",
    "refuse_for_link",
    "refuse_queued",
]

_ZERO = Decimal(0)
_text_of = msgspec.json.Encoder(decimal_format="string").encode
CLOSED_CONNECTION = Refusal("CONNECTION_CLOSED", "the account's connection is closed: orders need another account")
NOT_CONNECTED = Refusal("BROKER_NO_CONNECTION", "the account has no credentials for its venue yet: add its connection")


def read_terms(queued: Queued) -> OrderTerms:
    """Return the terms of an order as they were approved."""
    return msgspec.json.decode(queued.terms, type=OrderTerms)


def read_approval(queued: Queued) -> Approval:
    """Return the approval an order came with."""
    return msgspec.json.decode(queued.approval, type=Approval)


def refuse_for_link(link: Link, *, count: int) -> Refusal | None:
    """Return why a connection does not take so many orders that belong together, None if it does, now or later."""
    if count > 1:
        return Refusal(UNSUPPORTED, "groups of orders are not offered for live accounts: place the orders one by one")
    if link.status is LinkStatus.CLOSED:
        return CLOSED_CONNECTION
    return NOT_CONNECTED if link.status is LinkStatus.PENDING else None


async def queue_order(tx: LiveRows, terms: OrderTerms, approval: Approval, *, evidence: Evidence, at: datetime) -> None:
    """Store an approved order to be sent, in the transaction in which it was heard of."""
    order = LiveOrder(
        order_id=OrderId(terms.order_id),
        account_id=AccountId(terms.account_id),
        client_order_id=terms.client_order_id,
        symbol=terms.symbol,
        side=terms.side,
        qty=terms.qty,
        status=LiveStatus.QUEUED,
        venue_order_id=None,
        filled_qty=_ZERO,
        replaces=None if terms.replaces is None else OrderId(terms.replaces),
    )
    queued = Queued(
        order_id=order.order_id,
        terms=_text_of(terms).decode(),
        approval=_text_of(approval).decode(),
        kill_epoch=evidence.kill_epoch,
        approved_until=evidence.expires_at,
    )
    await tx.add(order, queued, at=at)
    tx.session.is_wake_due = True


async def begin_sending(order_id: OrderId, *, live: Live, desk: Desk, at: datetime) -> LiveOrder | None:
    """Commit the intent to call the venue; None where the order is not to be sent any more, or not on this approval.

    What ends it here is told: a cancellation, and trading having been blocked after it was approved.
    """
    async with live.transaction() as tx:
        epoch = await tx.blocking_epoch(order_id)
        order, queued = await tx.lock(order_id), await tx.queued(order_id)
        if order is None or queued is None or order.status is not LiveStatus.QUEUED:
            return None
        if order.is_cancel_requested:
            await _close(tx, order, LiveStatus.CANCELED, OrderCanceled(order_id=order.order_id), desk=desk, at=at)
            return None
        if queued.kill_epoch < epoch:
            reason = f"trading was blocked (epoch {epoch}) after the approval was given (epoch {queued.kill_epoch})"
            event = OrderRefused(order_id=order.order_id, code=KILL_ACTIVE, reason=reason)
            await _close(tx, order, LiveStatus.REJECTED, event, desk=desk, at=at)
            return None
        if queued.approved_until <= at:
            return None
        sending = replace(order, status=LiveStatus.SENDING, attempts=order.attempts + 1)
        await tx.store(sending, at=at)
        fault_point("broker.sending_stored")
    fault_point("broker.sending_committed")
    return sending


def not_renewed(reason: str) -> Refusal:
    """Return the refusal of an order whose approval died before it could be sent and which risk does not renew."""
    return Refusal(NO_APPROVAL, f"the approval expired while the order was queued and risk does not renew it: {reason}")


async def refuse_queued(queued: Queued, refusal: Refusal, *, live: Live, desk: Desk, at: datetime) -> None:
    """End an order that waits and is not to be sent."""
    async with live.transaction() as tx:
        order = await tx.lock(queued.order_id)
        if order is not None and order.status is LiveStatus.QUEUED:
            event = OrderRefused(order_id=order.order_id, code=refusal.code, reason=refusal.reason)
            await _close(tx, order, LiveStatus.REJECTED, event, desk=desk, at=at)


async def finish_sending(order: LiveOrder, answer: Answer, *, live: Live, desk: Desk, at: datetime) -> None:
    """Commit what the venue answered; what it reported meanwhile stands."""
    async with live.transaction() as tx:
        now = await tx.lock(order.order_id)
        if now is None:
            message = f"order {order.order_id} was sent and is gone"
            raise RuntimeError(message)
        match answer:
            case Taken(report):
                await tell(tx, apply_report(now, report, is_replayed=False), desk=desk, at=at, reason=report.reason)
                await _end_replaced(tx, now, desk=desk, at=at)
            case Refused(code, reason) if now.status is LiveStatus.SENDING:
                event = OrderRefused(order_id=now.order_id, code=code, reason=reason)
                await _close(tx, now, LiveStatus.REJECTED, event, desk=desk, at=at)
            case NotSent() if now.status is LiveStatus.SENDING:
                await tx.store(replace(now, status=LiveStatus.QUEUED), at=at)
            case Duplicate() | Uncertain() if now.status is LiveStatus.SENDING:
                reason = answer.reason if isinstance(answer, Uncertain) else "the venue has seen the order before"
                await _lose_answer(tx, now, reason, desk=desk, at=at)
            case _:
                pass  # the venue reported on the order before it answered: the report says more
        fault_point("broker.answer_kept")
    fault_point("broker.answer_kept_committed")


async def forget_answers(account_id: AccountId, *, live: Live, desk: Desk, at: datetime) -> None:
    """Hold the orders whose answer an end of this process swallowed for unknown; at the start of a connection."""
    async with live.transaction() as tx:
        for order in await tx.active(account_id):
            held = await tx.lock(order.order_id) if order.status is LiveStatus.SENDING else None
            if held is not None and held.status is LiveStatus.SENDING:
                await _lose_answer(tx, held, "broker ended before the venue's answer", desk=desk, at=at)


async def cancel_live(tx: LiveRows, order_id: OrderId, *, desk: Desk, at: datetime) -> bool:
    """Ask for an order's cancellation; True where it had not been sent and is canceled by that."""
    order = await tx.lock(order_id)
    if order is None or order.status in CLOSED:
        return False
    if order.status is LiveStatus.QUEUED and order.attempts == 0:
        await _close(tx, order, LiveStatus.CANCELED, OrderCanceled(order_id=order_id), desk=desk, at=at)
        return True
    if not order.is_cancel_requested:
        await tx.store(replace(order, is_cancel_requested=True), at=at)
        tx.session.is_wake_due = True
    return False


async def refuse_cancel(order: LiveOrder, answer: Refused, *, live: Live, desk: Desk, at: datetime) -> None:
    """Tell that the venue does not cancel an order that goes on working."""
    async with live.transaction() as tx:
        now = await tx.lock(order.order_id)
        if now is None or now.status in CLOSED or not now.is_cancel_requested:
            return
        await tx.store(replace(now, is_cancel_requested=False), at=at)
        event = CancelRefused(order_id=now.order_id, code=answer.code, reason=answer.reason)
        await _told(tx, now, event, desk=desk, at=at)


async def _end_replaced(tx: LiveRows, order: LiveOrder, *, desk: Desk, at: datetime) -> None:
    old = None if order.replaces is None else await tx.lock(order.replaces)
    if old is None or old.status in CLOSED:
        return
    applied = Applied(order=replace(old, status=LiveStatus.REPLACED), tales=(Tale.REPLACED,))
    await tell(tx, applied, desk=desk, at=at)


async def _lose_answer(tx: LiveRows, order: LiveOrder, reason: str, *, desk: Desk, at: datetime) -> None:
    lost = replace(order, status=LiveStatus.UNKNOWN, unknown_since=at, misses=0, missed_at=None)
    await tx.store(lost, at=at)
    await _told(tx, lost, OrderUncertain(order_id=order.order_id, reason=reason), desk=desk, at=at)


async def _close(
    tx: LiveRows, order: LiveOrder, status: LiveStatus, event: Event, *, desk: Desk, at: datetime
) -> None:  # fmt: skip
    await tx.store(replace(order, status=status), at=at)
    await _told(tx, order, event, desk=desk, at=at)


async def _told(tx: LiveRows, order: LiveOrder, event: Event, *, desk: Desk, at: datetime) -> None:
    await append_event(tx.session, event, ids=desk.ids, aggregate_id=order.order_id, context=desk.context, at=at)
    facts: dict[str, object] = {"told": type(event).__name__, "attempts": order.attempts}
    what = f"order:{order.order_id}"
    await append_audit(tx.session, "order.send", what, facts, ids=desk.ids, context=desk.context, at=at)
