"""Putting another exit in the place of one of which nothing was sent yet: a matter of our own store.

What works for an exit at the venue is not replaced: the venue may execute it meanwhile, and of two exits it keeps as a
pair it puts others in their place by itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from alphintra.broker.domain.approvals import Refusal
from alphintra.broker.domain.live_groups import arranged, refuse_replacing
from alphintra.broker.domain.reports import CLOSED, LiveStatus
from alphintra.broker.service.grouping import add_order, regroup, told
from alphintra.broker.service.telling import Desk
from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.broker import OrderAcknowledged, OrderReplaced
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.ids import OrderId
from alphintra.kernel.vocabulary import Leg, Side

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from alphintra.broker.domain.approvals import Evidence
    from alphintra.broker.repository.live import LiveRows
    from alphintra.contracts.approval import Approval

__all__ = ["is_swap", "refuse_swap", "swap_exit"]

_CHANGING = frozenset(
    {"order_id", "client_order_id", "qty", "limit_price", "stop_price", "trail_price", "trail_percent"}
)
_KEPT = tuple(name for name in OrderTerms.__struct_fields__ if name not in {*_CHANGING, "replaces"})


def is_swap(terms: OrderTerms) -> bool:
    """Tell whether an order is an exit that is to take the place of another exit of its group."""
    return terms.replaces is not None and terms.group_id is not None and terms.leg is not Leg.ENTRY


async def refuse_swap(tx: LiveRows, terms: OrderTerms) -> Refusal | None:
    """Return why an exit cannot take the place of another, None if it can. Its group is held from here on."""
    if not is_swap(terms) or terms.replaces is None or terms.group_id is None:
        return None
    old, queued = await tx.lock(OrderId(terms.replaces)), await tx.queued(OrderId(terms.replaces))
    if old is None or queued is None or old.account_id != terms.account_id or old.group_id != terms.group_id:
        return Refusal("ORDER_TERMINAL", "the exit to be replaced is none of this group's")
    before = msgspec.json.decode(queued.terms, type=OrderTerms)
    group = arranged(await tx.group(OrderId(terms.group_id)))
    is_alike = all(getattr(before, name) == getattr(terms, name) for name in _KEPT)
    refusal = refuse_replacing(group, old, qty=terms.qty, is_alike=is_alike)
    if refusal is not None:
        return refusal
    others = [await tx.queued(leg.order.order_id) for leg in group.exits if leg.order.order_id != old.order_id]
    return _refuse_side([terms, *(msgspec.json.decode(each.terms, type=OrderTerms) for each in others if each)])


def _refuse_side(exits: Sequence[OrderTerms]) -> Refusal | None:
    """Return why two exits would act at once, None if they do not: each stands on its side of the other."""
    target, stop = ({leg.leg: leg for leg in exits}.get(name) for name in (Leg.TAKE_PROFIT, Leg.STOP_LOSS))
    if target is None or stop is None or target.limit_price is None or stop.stop_price is None:
        return None
    room = target.limit_price - stop.stop_price
    if room > 0 if target.side is Side.SELL else room < 0:
        return None
    reason = f"the stop loss at {stop.stop_price:f} and the take profit at {target.limit_price:f} would act at once"
    return Refusal("ORDER_STOP_SIDE", reason)


async def swap_exit(
    tx: LiveRows, terms: OrderTerms, approval: Approval, *, evidence: Evidence, desk: Desk, at: datetime
) -> None:
    """Put an exit in the place of another that waits, and tell both; what was to be sent for that one is not sent."""
    old = None if terms.replaces is None else await tx.lock(OrderId(terms.replaces))
    if old is None or old.group_id is None:
        message = f"order {terms.order_id} replaces no exit"
        raise RuntimeError(message)
    for part in await tx.group(old.group_id):
        if part.part_of == old.order_id and part.status not in CLOSED:
            await tx.store(replace(part, status=LiveStatus.CANCELED, is_cancel_requested=True), at=at)
    await tx.store(replace(old, status=LiveStatus.REPLACED), at=at)
    await add_order(tx, terms, approval, evidence=evidence, at=at)
    fault_point("broker.exit_swapped")
    new = await tx.lock(OrderId(terms.order_id))
    if new is None:
        message = f"order {terms.order_id} was stored and is gone"
        raise RuntimeError(message)
    await told(tx, old, OrderReplaced(order_id=old.order_id, replaced_by=new.order_id), desk=desk, at=at)
    waits = OrderAcknowledged(order_id=new.order_id, venue_order_id="", is_queued=True)
    await told(tx, new, waits, desk=desk, at=at)
    await regroup(tx, old.group_id, desk=desk, at=at)
