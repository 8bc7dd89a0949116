"""Sending many approved orders with one commit: the plain ones of paper accounts, which are most in a burst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.broker.domain.approvals import Evidence, judge_approval, scopes_of
from alphintra.broker.domain.connections import PAPER, Connection
from alphintra.broker.domain.orders import Order
from alphintra.broker.domain.paper import check_order, paper_order_id
from alphintra.broker.service.inbox import CONSUMER
from alphintra.broker.service.sending import order_of
from alphintra.contracts.broker import OrderAcknowledged
from alphintra.infrastructure.events import (
    AuditEntry,
    Delivery,
    EventEntry,
    append_audits,
    append_each,
    receive_many,
)
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.ids import OrderId
from alphintra.kernel.vocabulary import OrderClass, OrderType, TimeInForce

if TYPE_CHECKING:
    from alphintra.broker.repository.records import Records, RecordsTransaction
    from alphintra.broker.service.vetting import Vetted
    from alphintra.contracts.trading import OrderSubmitted
    from alphintra.kernel.ids import AccountId, IdSource

__all__ = ["send_plain_orders"]

Submitted = Delivery["OrderSubmitted"]


async def send_plain_orders(
    deliveries: Sequence[Submitted], vetted: Mapping[UUID, Vetted], *, records: Records, ids: IdSource, at: datetime
) -> list[Submitted]:
    """Send those orders that need nothing but their venue's yes; return the others, which are to be sent one by one.

    Sent here is a single market or limit order, by quantity, day or gtc, of a paper account, whose approval stands.
    """
    plain = [
        delivery
        for delivery in deliveries
        if _is_plain(delivery.event) and vetted[delivery.event_id].evidence[0].is_genuine
    ]
    examined = {delivery.event_id: vetted[delivery.event_id].evidence[0] for delivery in plain}
    fault_point("broker.approval_examined")
    async with records.transaction() as tx:
        ways, blocked = await tx.ways_for(
            [order_of(delivery.event.terms).account_id for delivery in plain],
            [scope for delivery in plain for scope in _narrow_scopes(delivery.event)],
        )
        sendable = [
            delivery for delivery in plain if _is_sendable(delivery, examined[delivery.event_id], ways, blocked, at)
        ]
        fresh = {
            order_of(each.event.terms).order_id: each for each in await receive_many(tx.session, CONSUMER, sendable)
        }
        sent = await _send(tx, fresh, ways, at=at)
        told = [EventEntry(order_id, event, fresh[order_id].context) for order_id, event in sent]
        await append_each(tx.session, told, ids=ids, at=at)
        audited = [_audited(fresh[order_id], examined) for order_id, _event in sent]
        await append_audits(tx.session, audited, ids=ids, at=at)
        fault_point("broker.answer_stored")
    fault_point("broker.answer_committed")
    done = {delivery.event_id for delivery in sendable}
    return [delivery for delivery in deliveries if delivery.event_id not in done]


def _is_plain(event: OrderSubmitted) -> bool:
    terms = event.terms
    return (
        not event.legs
        and terms.order_class is OrderClass.SIMPLE
        and terms.replaces is None
        and terms.qty is not None
        and terms.type in {OrderType.MARKET, OrderType.LIMIT}
        and terms.time_in_force in {TimeInForce.DAY, TimeInForce.GTC}
        and not (terms.extended_hours or terms.reduce_only)
    )


def _narrow_scopes(event: OrderSubmitted) -> tuple[str, ...]:
    """Return the scopes of an order beside the firm and its account, whose blocks come with the connection."""
    terms = event.terms
    return scopes_of(terms.account_id, book_id=event.book_id, symbol=terms.symbol)[2:]


def _is_sendable(
    delivery: Submitted,
    evidence: Evidence,
    ways: dict[AccountId, tuple[Connection, int]],
    blocked: Mapping[str, int],
    at: datetime,
) -> bool:
    order = order_of(delivery.event.terms)
    connection, epoch = ways.get(order.account_id, (None, 0))
    epoch = max(epoch, *(blocked.get(scope, 0) for scope in _narrow_scopes(delivery.event)))
    return (
        connection is not None
        and connection.adapter == PAPER
        and judge_approval(evidence, blocking_epoch=epoch, at=at) is None
        and check_order(order, connection) is None
    )


async def _send(
    tx: RecordsTransaction,
    fresh: dict[OrderId, Submitted],
    ways: dict[AccountId, tuple[Connection, int]],
    *,
    at: datetime,
) -> list[tuple[OrderId, OrderAcknowledged]]:
    """Have the orders work that nothing was decided on before; return what is told of them, in their order."""
    undecided = await tx.decide_to_send(list(fresh), [each.event.book_id for each in fresh.values()], at=at)
    placed: list[tuple[Order, Connection]] = []
    for order_id, delivery in fresh.items():
        if order_id not in undecided:
            get_logger().warning("order.replayed", order_id=str(order_id), event_id=str(delivery.event_id))
            continue
        order = order_of(delivery.event.terms)
        placed.append((order, ways[order.account_id][0]))
    if not placed:
        return []
    venue_order_ids = [paper_order_id(order.order_id) for order, _connection in placed]
    fault_point("broker.intent_stored")
    await tx.paper.accept_many(placed, venue_order_ids, at=at)
    fault_point("broker.venue_answered")
    return [
        (order.order_id, OrderAcknowledged(order_id=order.order_id, venue_order_id=venue_order_id))
        for (order, _connection), venue_order_id in zip(placed, venue_order_ids, strict=True)
    ]


def _audited(delivery: Submitted, examined: dict[UUID, Evidence]) -> AuditEntry:
    detail: dict[str, object] = {
        "code": "",
        "decision_id": delivery.event.approval.decision_id,
        "kill_epoch": examined[delivery.event_id].kill_epoch,
    }
    return AuditEntry("order.send", f"order:{delivery.event.terms.order_id}", detail, delivery.context)
