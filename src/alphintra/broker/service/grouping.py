"""Running the groups of live accounts: exits follow the fills of their entry, and each other's.

Whatever changes an order of a group brings the group on in the same transaction: what the venue reports and what is to
be sent or cancelled because of it commit together, so that an end of this process at any moment loses nothing.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from alphintra.broker.domain.live_groups import (
    Add,
    End,
    Exit,
    Grow,
    LiveGroup,
    Mark,
    Step,
    Withdraw,
    arranged,
    part_id,
    steps,
    unprotected,
)
from alphintra.broker.domain.reports import CLOSED, Applied, Finding, LiveOrder, LiveStatus, Tale
from alphintra.broker.repository.live import LiveRows, Queued
from alphintra.broker.service.telling import Desk, open_breaks, tell_of
from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.broker import OrderAcknowledged, OrderCanceled, OrderExpired, OrderRefused, OrderUncertain
from alphintra.engine.from_fill import working_price
from alphintra.infrastructure.events import append_audit
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.ids import AccountId, OrderId
from alphintra.kernel.money import round_price
from alphintra.kernel.vocabulary import Leg, OrderClass

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.broker.domain.approvals import Evidence
    from alphintra.broker.domain.reports import VenueFill
    from alphintra.contracts.approval import Approval
    from alphintra.kernel.messages import Event

__all__ = [
    "add_order",
    "add_part",
    "cancel_member",
    "close",
    "ended",
    "known_again",
    "lose_answer",
    "of_exit",
    "regroup",
    "told",
    "withdraw",
]

ROUNDS_MAX = 50
PROTECTION_MISSING = "PROTECTION_MISSING"
_text_of = msgspec.json.Encoder(decimal_format="string").encode


async def add_order(tx: LiveRows, terms: OrderTerms, approval: Approval, *, evidence: Evidence, at: datetime) -> None:
    """Store an approved order: to be sent, or held where it is an exit."""
    is_exit = terms.leg is not Leg.ENTRY
    order = LiveOrder(
        order_id=OrderId(terms.order_id),
        account_id=AccountId(terms.account_id),
        client_order_id=terms.client_order_id,
        symbol=terms.symbol,
        side=terms.side,
        qty=terms.qty,
        status=LiveStatus.HELD if is_exit else LiveStatus.QUEUED,
        venue_order_id=None,
        filled_qty=Decimal(0),
        replaces=None if terms.replaces is None else OrderId(terms.replaces),
        order_class=terms.order_class,
        leg=terms.leg,
        group_id=None if terms.group_id is None else OrderId(terms.group_id),
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


async def regroup(tx: LiveRows, group_id: OrderId, *, desk: Desk, at: datetime, reason: str = "") -> None:
    """Bring a group, which is held, to where it should stand; ``reason`` is why an order of it was refused."""
    for _ in range(ROUNDS_MAX):
        group = arranged(await tx.group(group_id))
        found = steps(group)
        if not found:
            fault_point("broker.group_planned")
            return
        for step in found:
            await _take(tx, group, step, desk=desk, at=at, reason=reason)
    message = f"group {group_id} does not come to rest"
    raise RuntimeError(message)


async def withdraw(tx: LiveRows, order: LiveOrder, *, desk: Desk, at: datetime) -> bool:
    """Have an order leave its venue; True where it had not been sent and is canceled by that."""
    leaving = replace(order, is_cancel_requested=True)
    if order.status is LiveStatus.QUEUED and order.attempts == 0:
        await close(tx, leaving, LiveStatus.CANCELED, OrderCanceled(order_id=order.order_id), desk=desk, at=at)
        return True
    if not order.is_cancel_requested:
        await tx.store(leaving, at=at)
        tx.session.is_wake_due = True
    return False


async def cancel_member(tx: LiveRows, order: LiveOrder, *, desk: Desk, at: datetime) -> None:
    """Cancel an order of a group at somebody's wish: of a pair both, of an entry what it has no use for then."""
    for member in await tx.group(order.group_id or order.order_id):
        is_meant = member.order_id == order.order_id or order.order_class is OrderClass.OCO
        if member.status is LiveStatus.HELD and is_meant:
            await tx.store(replace(member, is_cancel_requested=True), at=at)
        elif member.order_id == order.order_id and member.status not in CLOSED:
            await withdraw(tx, member, desk=desk, at=at)
    await regroup(tx, order.group_id or order.order_id, desk=desk, at=at)


async def close(
    tx: LiveRows, order: LiveOrder, status: LiveStatus, event: Event, *, desk: Desk, at: datetime
) -> None:  # fmt: skip
    """End an order without the venue's doing. Of what works for an exit nobody else knows."""
    await tx.store(replace(order, status=status), at=at)
    if order.part_of is None:
        await told(tx, order, event, desk=desk, at=at)


async def told(tx: LiveRows, order: LiveOrder, event: Event, *, desk: Desk, at: datetime) -> None:
    """Tell something of an order, and enter that it was told."""
    await tell_of(tx, order.order_id, [event], desk=desk, at=at)
    facts: dict[str, object] = {"told": type(event).__name__, "attempts": order.attempts}
    what = f"order:{order.order_id}"
    await append_audit(tx.session, "order.send", what, facts, ids=desk.ids, context=desk.context, at=at)


async def of_exit(tx: LiveRows, applied: Applied, fill: VenueFill | None, *, at: datetime) -> Applied:
    """Return what follows for an exit from a report on a part of it, with the exit as it is stored then."""
    part = applied.order
    leg = None if part.part_of is None else await tx.lock(part.part_of)
    if leg is None:
        message = f"order {part.order_id} works for an exit that is gone"
        raise RuntimeError(message)
    tales = tuple(tale for tale in applied.tales if tale in {Tale.ACKNOWLEDGED, Tale.EXECUTED})
    filled = leg.filled_qty + (fill.qty if fill is not None and Tale.EXECUTED in tales else 0)
    is_whole = leg.qty is not None and filled >= leg.qty and leg.status is LiveStatus.HELD
    leg = replace(
        leg,
        filled_qty=filled,
        attempts=1 if tales else leg.attempts,
        status=LiveStatus.FILLED if is_whole else leg.status,
    )
    if tales:
        await tx.store(leg, at=at)
    findings = tuple(replace(finding, order_id=leg.order_id) for finding in applied.findings)
    return replace(applied, order=replace(leg, venue_order_id=part.venue_order_id), tales=tales, findings=findings)


async def _take(tx: LiveRows, group: LiveGroup, step: Step, *, desk: Desk, at: datetime, reason: str) -> None:
    match step:
        case Add(leg, order_id, qty):
            await _add(tx, leg, order_id, qty, at=at)
            tx.session.is_wake_due = True
        case Grow(part, qty):
            queued = await tx.queued(part.order_id)
            if queued is not None:
                terms = msgspec.structs.replace(msgspec.json.decode(queued.terms, type=OrderTerms), qty=qty)
                terms = await _lying(tx, terms, part)
                await tx.grow(part.order_id, qty=qty, terms=_text_of(terms).decode(), at=at)
        case Withdraw(order):
            await withdraw(tx, order, desk=desk, at=at)
        case Mark(leg):
            await tx.store(replace(leg, is_cancel_requested=True), at=at)
        case End(leg, status):
            await _end(tx, leg, status, desk=desk, at=at, reason=reason)
            await _look_for_protection(tx, group, desk=desk, at=at)


async def add_part(tx: LiveRows, leg: Exit, qty: Decimal, *, at: datetime) -> LiveOrder:
    """Store the next order that works for an exit, and return it."""
    return await _add(tx, leg.order, part_id(leg.order, len(leg.parts)), qty, at=at)


async def ended(
    tx: LiveRows, order: LiveOrder, status: LiveStatus, *, reason: str, desk: Desk, at: datetime
) -> None:  # fmt: skip
    """End an order of a pair that the venue does not have, and bring its group on."""
    await tx.store(replace(order, status=status), at=at)
    if order.group_id is not None:
        await regroup(tx, order.group_id, desk=desk, at=at, reason=reason)


async def lose_answer(tx: LiveRows, order: LiveOrder, reason: str, *, desk: Desk, at: datetime) -> None:
    """Hold an order for unknown of which the venue may or may not have heard, and tell it."""
    lost = replace(order, status=LiveStatus.UNKNOWN, unknown_since=at, misses=0, missed_at=None)
    await tx.store(lost, at=at)
    known = order if order.part_of is None else await tx.lock(order.part_of) or order
    await told(tx, known, OrderUncertain(order_id=known.order_id, reason=reason), desk=desk, at=at)


async def _add(tx: LiveRows, leg: LiveOrder, order_id: OrderId, qty: Decimal, *, at: datetime) -> LiveOrder:
    """Store an order that is to work for an exit, under the exit's approval: it closes what that allows."""
    queued = await tx.queued(leg.order_id)
    if queued is None:
        message = f"exit {leg.order_id} has no terms"
        raise RuntimeError(message)
    terms = msgspec.structs.replace(
        msgspec.json.decode(queued.terms, type=OrderTerms),
        order_id=order_id,
        client_order_id=order_id.hex,
        qty=qty,
        order_class=OrderClass.SIMPLE,
        leg=Leg.ENTRY,
        group_id=None,
        replaces=None,
    )
    terms = await _lying(tx, terms, leg)
    part = replace(
        leg,
        order_id=order_id,
        client_order_id=terms.client_order_id,
        qty=qty,
        status=LiveStatus.QUEUED,
        venue_order_id=None,
        filled_qty=Decimal(0),
        replaces=None,
        attempts=0,
        part_of=leg.order_id,
        pair_id=None,
    )
    text = _text_of(terms).decode()
    await tx.add_part(part, replace(queued, order_id=order_id, terms=text), at=at)
    return part


async def _lying(tx: LiveRows, terms: OrderTerms, leg: LiveOrder) -> OrderTerms:
    """Return what is to work for an exit where the average price puts it at which its entry has filled so far.

    What was sent for it before stays where it is.
    """
    entered = None if terms.reckoning is None or leg.group_id is None else await tx.entered_at(leg.group_id)
    if terms.reckoning is None or entered is None:
        return terms
    is_limit = leg.leg is Leg.TAKE_PROFIT
    price = working_price(terms.reckoning, round_price(entered), terms.side, is_limit=is_limit)
    if is_limit:
        return msgspec.structs.replace(terms, limit_price=price)
    return msgspec.structs.replace(terms, stop_price=price)


async def _end(tx: LiveRows, leg: LiveOrder, status: LiveStatus, *, desk: Desk, at: datetime, reason: str) -> None:
    event: Event = OrderCanceled(order_id=leg.order_id)
    if status is LiveStatus.EXPIRED:
        event = OrderExpired(order_id=leg.order_id)
    elif status is LiveStatus.REJECTED:
        why = reason or "the venue refuses the order that was to close"
        event = OrderRefused(order_id=leg.order_id, code="VENUE_REJECTED", reason=why)
    await close(tx, leg, status, event, desk=desk, at=at)


async def _look_for_protection(tx: LiveRows, group: LiveGroup, *, desk: Desk, at: datetime) -> None:
    group_id = group.exits[0].order.group_id
    now = arranged(await tx.group(group_id)) if group_id is not None else group
    qty = unprotected(now)
    if qty <= 0 or group_id is None:
        return
    leg = next(each.order for each in now.exits if each.order.leg is Leg.STOP_LOSS)
    finding = Finding(
        code=PROTECTION_MISSING,
        key=str(group_id),
        detail=f"{qty:f} {leg.symbol} are open and the venue ended the stop that was to close them",
        symbol=leg.symbol,
        order_id=leg.order_id,
    )
    await open_breaks(tx, leg.account_id, [finding], desk=desk, at=at)


def known_again(order: LiveOrder) -> OrderAcknowledged:
    """Return what is told of an exit that was called unknown because of an order which never reached the venue."""
    return OrderAcknowledged(
        order_id=order.order_id, venue_order_id=order.venue_order_id or "", is_queued=not order.attempts
    )
