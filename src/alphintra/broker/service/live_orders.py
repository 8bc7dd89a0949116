"""Orders for venues elsewhere, from the approved order to the venue's answer.

The intent is committed before the venue is called, the call is made outside any transaction, and its answer is
committed afterwards. Whoever finds an intent without an answer asks the venue before anything else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from alphintra.broker.domain.approvals import KILL_ACTIVE, Refusal
from alphintra.broker.domain.capabilities import UNSUPPORTED
from alphintra.broker.domain.links import LinkStatus
from alphintra.broker.domain.reports import CLOSED, LiveOrder, LiveStatus, VenueState
from alphintra.broker.domain.reports import apply_state as apply_report
from alphintra.broker.gateways.venue import Duplicate, NotSent, Refused, Taken, Uncertain
from alphintra.broker.repository.live import LiveRows, Queued
from alphintra.broker.service.exit_swaps import is_swap, swap_exit
from alphintra.broker.service.grouping import (
    add_order,
    cancel_member,
    close,
    known_again,
    lose_answer,
    regroup,
    told,
    withdraw,
)
from alphintra.broker.service.pairing import align_pair, begin_pair, take_legs
from alphintra.broker.service.reporting import tell
from alphintra.broker.service.telling import Desk
from alphintra.contracts.approval import Approval, OrderTerms
from alphintra.contracts.broker import CancelRefused, OrderCanceled, OrderRefused
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.ids import AccountId, OrderId

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from alphintra.broker.domain.approvals import Evidence
    from alphintra.broker.domain.links import Link
    from alphintra.broker.domain.reports import VenueOrder
    from alphintra.broker.gateways.venue import Answer
    from alphintra.broker.repository.live import Live
    from alphintra.kernel.messages import Event

__all__ = [
    "Sending",
    "begin_sending",
    "cancel_live",
    "finish_sending",
    "forget_answers",
    "queue_orders",
    "read_group",
    "read_terms",
    "refuse_cancel",
    "refuse_for_link",
    "refuse_queued",
]

_ZERO = Decimal(0)
_text_of = msgspec.json.Encoder(decimal_format="string").encode
CLOSED_CONNECTION = Refusal("CONNECTION_CLOSED", "the account's connection is closed: orders need another account")
NOT_CONNECTED = Refusal("BROKER_NO_CONNECTION", "the account has no credentials for its venue yet: add its connection")


_AWAITED = frozenset({VenueState.PENDING, VenueState.WORKING})


def read_terms(queued: Queued) -> OrderTerms:
    """Return the terms of an order as they were approved."""
    return msgspec.json.decode(queued.terms, type=OrderTerms)


def read_group(texts: Sequence[str]) -> tuple[OrderTerms, ...]:
    """Return the terms of a group's exits, as they are sent: an exit takes the place of another before that."""
    legs = (msgspec.json.decode(text, type=OrderTerms) for text in texts)
    return tuple(msgspec.structs.replace(leg, replaces=None) for leg in legs)


def refuse_for_link(link: Link, terms: OrderTerms) -> Refusal | None:
    """Return why a connection does not take an order, with those that belong to it; None if it does, now or later."""
    if terms.replaces is not None and terms.group_id is not None and not is_swap(terms):
        reason = "the entry of a group is not replaced on live accounts: cancel and place anew"
        return Refusal(UNSUPPORTED, reason)
    if link.status is LinkStatus.CLOSED:
        return CLOSED_CONNECTION
    return NOT_CONNECTED if link.status is LinkStatus.PENDING else None


async def queue_orders(
    tx: LiveRows,
    asked: Sequence[tuple[OrderTerms, Approval]],
    *,
    evidence: Sequence[Evidence],
    at: datetime,
    desk: Desk,
) -> None:
    """Store approved orders, in the transaction in which they were heard of: one, or those of a group."""
    first, approval = asked[0]
    if is_swap(first):
        await swap_exit(tx, first, approval, evidence=evidence[0], desk=desk, at=at)
        return
    for (terms, approval), proof in zip(asked, evidence, strict=True):
        await add_order(tx, terms, approval, evidence=proof, at=at)
    group_id = asked[0][0].group_id
    if group_id is not None:
        await regroup(tx, OrderId(group_id), desk=desk, at=at)


@dataclass(frozen=True, slots=True)
class Sending:
    """An order that is being sent, with its terms, and with those of the stop that goes with it as a pair."""

    order: LiveOrder
    queued: Queued
    stop: Queued | None = None


async def begin_sending(
    order_id: OrderId, *, live: Live, desk: Desk, at: datetime, has_pairs: bool = False
) -> Sending | None:
    """Commit the intent to call the venue; None where the order is not to be sent any more, or not on this approval.

    The terms to be sent are those returned: a group may have let the order grow while it waited. What ends it here is
    told: a cancellation, and trading having been blocked after it was approved. ``has_pairs`` says that the venue works
    two exits as a pair: where the order is one of two, both are sent, as the first of them.
    """
    async with live.transaction() as tx:
        epoch = await tx.blocking_epoch(order_id)
        order, queued = await tx.lock(order_id), await tx.queued(order_id)
        if order is None or queued is None or order.status is not LiveStatus.QUEUED:
            return None
        if order.is_cancel_requested:
            event: Event = OrderCanceled(order_id=order.order_id)
            await _ended(tx, order, LiveStatus.CANCELED, event, desk=desk, at=at)
            return None
        is_bound = order.part_of is None  # what works for an exit only closes, and was approved with its entry
        if is_bound and queued.kill_epoch < epoch:
            reason = f"trading was blocked (epoch {epoch}) after the approval was given (epoch {queued.kill_epoch})"
            event = OrderRefused(order_id=order.order_id, code=KILL_ACTIVE, reason=reason)
            await _ended(tx, order, LiveStatus.REJECTED, event, desk=desk, at=at)
            return None
        if is_bound and queued.approved_until <= at:
            return None
        pair = await begin_pair(tx, order, at=at) if has_pairs else None
        if pair is None:
            sending = Sending(replace(order, status=LiveStatus.SENDING, attempts=order.attempts + 1), queued)
            await tx.store(sending.order, at=at)
        else:
            first, stop = [await tx.queued(part.order_id) for part in pair]
            sending = Sending(pair[0], first or queued, stop)
        fault_point("broker.sending_stored")
    fault_point("broker.sending_committed")
    return sending


async def refuse_queued(queued: Queued, refusal: Refusal, *, live: Live, desk: Desk, at: datetime) -> None:
    """End an order that waits and is not to be sent."""
    async with live.transaction() as tx:
        order = await tx.lock(queued.order_id)
        if order is not None and order.status is LiveStatus.QUEUED:
            event = OrderRefused(order_id=order.order_id, code=refusal.code, reason=refusal.reason)
            await _ended(tx, order, LiveStatus.REJECTED, event, desk=desk, at=at)


async def finish_sending(order: LiveOrder, answer: Answer, *, live: Live, desk: Desk, at: datetime) -> None:
    """Commit what the venue answered; what it reported meanwhile stands."""
    async with live.transaction() as tx:
        now = await tx.lock(order.order_id)
        if now is None:
            message = f"order {order.order_id} was sent and is gone"
            raise RuntimeError(message)
        match answer:
            case Taken(report) if now.replaces is not None and report.state in _AWAITED:
                await _await_swap(tx, now, report, at=at)
            case Taken(report):
                await tell(tx, apply_report(now, report, is_replayed=False), desk=desk, at=at, reason=report.reason)
                await take_legs(tx, now, report.legs, desk=desk, at=at, is_replayed=False)
            case Refused(code, reason) if now.status is LiveStatus.SENDING:
                event = OrderRefused(order_id=now.order_id, code=code, reason=reason)
                await _ended(tx, now, LiveStatus.REJECTED, event, desk=desk, at=at)
            case NotSent() if now.status is LiveStatus.SENDING:
                await tx.store(replace(now, status=LiveStatus.QUEUED), at=at)
            case Duplicate() | Uncertain() if now.status is LiveStatus.SENDING:
                reason = answer.reason if isinstance(answer, Uncertain) else "the venue has seen the order before"
                await lose_answer(tx, now, reason, desk=desk, at=at)
            case _:
                pass  # the venue reported on the order before it answered: the report says more
        reason = answer.reason if isinstance(answer, Refused | Uncertain) else "the venue's answer does not show it"
        await align_pair(tx, now.order_id, desk=desk, at=at, reason=reason, is_answered=True)
        fault_point("broker.answer_kept")
    fault_point("broker.answer_kept_committed")


async def forget_answers(account_id: AccountId, *, live: Live, desk: Desk, at: datetime) -> None:
    """Hold the orders whose answer an end of this process swallowed for unknown; at the start of a connection."""
    async with live.transaction() as tx:
        for order in await tx.active(account_id):
            held = await tx.lock(order.order_id) if order.status is LiveStatus.SENDING else None
            if held is not None and held.status is LiveStatus.SENDING:
                await lose_answer(tx, held, "broker ended before the venue's answer", desk=desk, at=at)


async def cancel_live(tx: LiveRows, order_id: OrderId, *, desk: Desk, at: datetime) -> bool:
    """Ask for an order's cancellation; True where it had not been sent and is canceled by that."""
    order = await tx.lock(order_id)
    if order is None or order.status in CLOSED:
        return False
    if order.group_id is None:
        return await withdraw(tx, order, desk=desk, at=at)
    await cancel_member(tx, order, desk=desk, at=at)
    return False


async def refuse_cancel(order: LiveOrder, answer: Refused, *, live: Live, desk: Desk, at: datetime) -> None:
    """Tell that the venue does not cancel an order that goes on working."""
    async with live.transaction() as tx:
        now = await tx.lock(order.order_id)
        if now is None or now.status in CLOSED or not now.is_cancel_requested:
            return
        await tx.store(replace(now, is_cancel_requested=False), at=at)
        if now.part_of is None:
            event = CancelRefused(order_id=now.order_id, code=answer.code, reason=answer.reason)
            await told(tx, now, event, desk=desk, at=at)
        if now.group_id is not None:
            await regroup(tx, now.group_id, desk=desk, at=at)


async def _await_swap(tx: LiveRows, order: LiveOrder, report: VenueOrder, *, at: datetime) -> None:
    """Keep a replacement the venue has taken in until it tells that the swap was made; it may yet be refused.

    The order before it may be filled first. Nobody is told of a doubt, since there is none about the answer.
    """
    if order.status is LiveStatus.SENDING:
        waiting = replace(order, status=LiveStatus.UNKNOWN, venue_order_id=report.venue_order_id, unknown_since=at)
        await tx.store(replace(waiting, misses=0, missed_at=None), at=at)


async def _ended(
    tx: LiveRows, order: LiveOrder, status: LiveStatus, event: Event, *, desk: Desk, at: datetime
) -> None:  # fmt: skip
    """End an order that the venue does not have, and bring its group on."""
    await close(tx, order, status, event, desk=desk, at=at)
    if order.group_id is None:
        return
    reason = event.reason if isinstance(event, OrderRefused) else ""
    await regroup(tx, order.group_id, desk=desk, at=at, reason=reason)
    leg = None if order.part_of is None or not order.attempts else await tx.lock(order.part_of)
    if leg is not None and leg.status is LiveStatus.HELD:
        await told(tx, leg, known_again(leg), desk=desk, at=at)
