"""Placing approved orders at the paper venue, alone, in groups and in the place of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.broker.domain.approvals import Refusal
from alphintra.broker.domain.orders import Order, VenueOrderStatus
from alphintra.broker.domain.paper import (
    REJECTED,
    PaperOrder,
    check_order,
    group_of,
    is_rejected,
    paper_order_id,
    refuse_swap,
)
from alphintra.contracts.broker import OrderAcknowledged, OrderReplaced
from alphintra.engine import groups
from alphintra.engine.matching import UNTOUCHED, Watch
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.ids import OrderId
from alphintra.kernel.vocabulary import Leg, OrderClass

if TYPE_CHECKING:
    from alphintra.broker.domain.connections import Connection
    from alphintra.broker.repository.records import RecordsTransaction
    from alphintra.kernel.messages import Event

__all__ = ["place_on_paper", "refuse_on_paper"]

Told = list[tuple[UUID, "Event"]]


async def refuse_on_paper(
    tx: RecordsTransaction, orders: Sequence[Order], connection: Connection | None
) -> Refusal | None:
    """Return why the paper venue does not take these orders, None if it does; the market of a replaced one is held."""
    first = orders[0]
    for order in orders:
        if refusal := check_order(order, connection):
            return refusal
    if is_rejected(first.order_id, await tx.paper.settings(first.account_id)):
        return Refusal(REJECTED, "the paper venue refuses a share of all orders by chance, as it was set to")
    if first.replaces is None:
        return None
    await tx.paper.lock_orders([first.replaces])
    return refuse_swap(await tx.paper.order(first.replaces), first)


async def place_on_paper(
    tx: RecordsTransaction, orders: Sequence[Order], connection: Connection | None, *, at: datetime
) -> Told:
    """Have the paper venue work orders from the next step of the connection's feed on; returns what is to be told.

    The exits of an entry are held. Intent, acceptance and what is told commit together, because the venue lives in the
    same database.
    """
    if connection is None:
        message = "orders without a connection are refused before"
        raise RuntimeError(message)
    settings = await tx.paper.settings(orders[0].account_id)
    entries = [_entry(order, PaperOrder(order=order, settings=settings, status=_status(order))) for order in orders]
    if orders[0].replaces is not None:
        return await _swap(tx, entries[0], orders[0].replaces, connection, at=at)
    told: Told = []
    for entry in entries:
        await tx.paper.add(entry, connection.feed_id, at=at)
    fault_point("broker.intent_stored")
    for entry in entries:
        told += await _enter(tx, entry, connection, at=at)
    fault_point("broker.venue_answered")
    return told


def _status(order: Order) -> VenueOrderStatus:
    has_entry = order.leg is not Leg.ENTRY and order.order_class is not OrderClass.OCO
    return VenueOrderStatus.HELD if has_entry else VenueOrderStatus.WORKING


def _entry(order: Order, entry: PaperOrder) -> PaperOrder:
    return replace(entry, allowed=order.qty) if order.order_class is OrderClass.OCO else entry


async def _enter(tx: RecordsTransaction, entry: PaperOrder, connection: Connection, *, at: datetime) -> Told:
    order_id = entry.order.order_id
    venue_order_id = paper_order_id(order_id)
    if entry.status is VenueOrderStatus.HELD:
        await tx.paper.hold(order_id, venue_order_id=venue_order_id, at=at)
        return []
    await tx.paper.accept(order_id, connection.feed_id, venue_order_id=venue_order_id, at=at)
    order = entry.order
    prices = (None, None) if order.from_fill is None else (order.limit_price, order.stop_price)
    told = OrderAcknowledged(
        order_id=order_id, venue_order_id=venue_order_id, limit_price=prices[0], stop_price=prices[1]
    )
    return [(order_id, told)]


async def _swap(
    tx: RecordsTransaction, entry: PaperOrder, old_id: OrderId, connection: Connection, *, at: datetime
) -> Told:
    """Put an order in the place of another whose market is held: what that one has filled counts for this one too."""
    members = {member.order.order_id: member for member in await tx.paper.with_group(old_id)}
    old = members.pop(old_id)
    is_exit = entry.order.leg is not Leg.ENTRY
    order = entry.order
    if order.from_fill is not None and old.status is VenueOrderStatus.WORKING:
        # Its entry has filled since it was asked for: it lies where the one before it lay.
        order = replace(order, limit_price=old.order.limit_price, stop_price=old.order.stop_price)
    entry = replace(
        entry,
        order=order,
        status=old.status,
        prior=old.prior + old.filled,
        allowed=Decimal(0) if is_exit else None,
        watch=_kept_watch(old, order),
    )
    if entry.watch.is_triggered:
        entry = replace(entry, triggered_at=old.triggered_at)
    await tx.paper.end([old_id], VenueOrderStatus.REPLACED, at=at)
    await tx.paper.add(entry, connection.feed_id, at=at)
    fault_point("broker.intent_stored")
    new_id = entry.order.order_id
    told: Told = [(old_id, OrderReplaced(order_id=old_id, replaced_by=new_id))]
    told += await _enter(tx, entry, connection, at=at)
    if entry.status is VenueOrderStatus.HELD:
        told.append((new_id, OrderAcknowledged(order_id=new_id, venue_order_id=paper_order_id(new_id), is_queued=True)))
    if entry.order.group_id is not None:
        group = group_of([*members.values(), entry])
        resized = [action for action in groups.plan(group) if isinstance(action, groups.Resize)]
        await tx.paper.allow([(OrderId(action.order_id), action.allowed) for action in resized])
    fault_point("broker.venue_answered")
    return told


def _kept_watch(old: PaperOrder, new: Order) -> Watch:
    """Return how far a stop has come that keeps its price or trail; a trail keeps its best price in any case."""
    same = ("stop_price", "trail_price", "trail_percent")
    if all(getattr(old.order, name) == getattr(new, name) for name in same):
        return old.watch
    return Watch(hwm=old.watch.hwm) if old.watch.hwm is not None else UNTOUCHED
