"""Taking orders off their venue: on request, and by the kill switch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from alphintra.broker.domain.approvals import is_blocking, is_stopping, kill_scope
from alphintra.broker.domain.orders import VenueOrderStatus
from alphintra.broker.domain.paper import given_up
from alphintra.broker.repository.live import LiveRows
from alphintra.broker.service.inbox import CONSUMER
from alphintra.broker.service.live_orders import cancel_live
from alphintra.broker.service.telling import Desk
from alphintra.contracts.broker import (
    OrderCanceled,
)
from alphintra.infrastructure.events import (
    AuditEntry,
    Delivery,
    EventEntry,
    append_audit,
    append_audits,
    append_each,
    append_events,
    receive_many,
    receive_once,
)
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import OrderId

if TYPE_CHECKING:
    from alphintra.broker.repository.records import Records, RecordsTransaction
    from alphintra.contracts.risk import KillScopeChanged, KillStateChanged
    from alphintra.contracts.trading import CancelRequested
    from alphintra.kernel.ids import IdSource

__all__ = ["cancel_order", "cancel_simple_orders", "note_kill_state", "withdraw_all"]

Cancel = Delivery["CancelRequested"]


async def cancel_order(delivery: Delivery[CancelRequested], *, records: Records, ids: IdSource, at: datetime) -> None:
    """Take a working order off its venue, and what its group then has no use for.

    One that is closed stays as it is, and its filling tells why.

    Raises ORDER_NOT_HEARD if nothing was decided on the order yet: its own event is on the way, this one comes again.
    """
    order_id, context = OrderId(delivery.event.order_id), delivery.context
    async with records.transaction() as tx:
        if not await receive_once(tx.session, CONSUMER, delivery):
            return
        if not await tx.paper.lock_orders([order_id]):
            live = LiveRows(tx.session)
            if await live.lock(order_id) is not None:
                await cancel_live(live, order_id, desk=Desk(ids, context), at=at)
                return
            if not await tx.is_decided(order_id):
                message = f"order {order_id} has not arrived yet: its cancellation waits"
                raise AlphintraError("ORDER_NOT_HEARD", message, kind=Kind.UNAVAILABLE)
            return
        leaving = given_up(await tx.paper.with_group(order_id), order_id)
        if not leaving:
            return
        await tx.paper.end(leaving, VenueOrderStatus.CANCELED, at=at)
        told = [(gone, OrderCanceled(order_id=gone)) for gone in leaving]
        await append_events(tx.session, told, ids=ids, context=context, at=at)
        detail: dict[str, object] = {"with": leaving[1:]}
        await append_audit(tx.session, "order.cancel", f"order:{order_id}", detail, ids=ids, context=context, at=at)
        fault_point("broker.cancel_stored")
    fault_point("broker.cancel_committed")


async def cancel_simple_orders(
    deliveries: Sequence[Cancel], *, records: Records, ids: IdSource, at: datetime
) -> list[Cancel]:
    """Take orders in no group off the paper venue with one commit; return the others, to be canceled one by one.

    A halt asks for many at once, and has mostly taken them off before.
    """
    async with records.transaction() as tx:
        asked = [OrderId(delivery.event.order_id) for delivery in deliveries]
        simple = await tx.paper.simple_of(asked)
        chosen = [delivery for delivery in deliveries if delivery.event.order_id in simple]
        contexts = {
            OrderId(each.event.order_id): each.context for each in await receive_many(tx.session, CONSUMER, chosen)
        }
        if contexts:
            await tx.paper.lock_orders(list(contexts))
            gone = await tx.paper.end(list(contexts), VenueOrderStatus.CANCELED, at=at)
            left = [(order_id, context) for order_id, context in contexts.items() if order_id in gone]
            told = [EventEntry(order_id, OrderCanceled(order_id=order_id), context) for order_id, context in left]
            await append_each(tx.session, told, ids=ids, at=at)
            audited = [AuditEntry("order.cancel", f"order:{each}", {"with": []}, context) for each, context in left]
            await append_audits(tx.session, audited, ids=ids, at=at)
        fault_point("broker.cancel_stored")
    fault_point("broker.cancel_committed")
    return [delivery for delivery in deliveries if delivery.event.order_id not in simple]


async def note_kill_state(
    delivery: Delivery[KillStateChanged] | Delivery[KillScopeChanged], *, records: Records, ids: IdSource, at: datetime
) -> None:
    """Take note of a kill state: if it blocks, approvals from before its epoch are dead from now on.

    Where it stops all trading, orders that work are taken off their venue. Trading asks for that too, but cannot know
    of an order that it accepted after the block and that came here before it.
    """
    kill, context = delivery.event.kill, delivery.context
    scope = kill_scope(kill.scope, account_id=kill.account_id, book_id=kill.book_id, symbol=kill.symbol)
    async with records.transaction() as tx:
        if not await receive_once(tx.session, CONSUMER, delivery):
            return
        await tx.close_gate()
        if is_blocking(kill.state):
            await tx.raise_block(scope, epoch=kill.epoch, state=kill.state, at=kill.set_at)
        withdrawn: list[OrderId] = []
        if is_stopping(kill.state):
            withdrawn = await withdraw_all(tx, scope, at=at)
            live = LiveRows(tx.session)
            for order_id in await live.open_in(scope):
                await cancel_live(live, order_id, desk=Desk(ids, context), at=at)
        told = [(order_id, OrderCanceled(order_id=order_id)) for order_id in withdrawn]
        await append_events(tx.session, told, ids=ids, context=context, at=at)
        detail: dict[str, object] = {"state": kill.state, "epoch": kill.epoch, "canceled": withdrawn}
        await append_audit(tx.session, "kill.note", f"scope:{scope}", detail, ids=ids, context=context, at=at)
        fault_point("broker.kill_stored")
    fault_point("broker.kill_committed")


async def withdraw_all(tx: RecordsTransaction, scope: str, *, at: datetime) -> list[OrderId]:
    """Take every working and every held order of a kill scope off its venue; returns those it had until now."""
    found = await tx.paper.alive_in(scope)
    if not found:
        return []
    await tx.paper.lock_orders(found)
    gone = await tx.paper.end(found, VenueOrderStatus.CANCELED, at=at)
    return [order_id for order_id in found if order_id in gone]
