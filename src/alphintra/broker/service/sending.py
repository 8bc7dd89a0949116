"""Sending an approved order to its venue."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.broker.domain.approvals import NO_APPROVAL, Refusal, judge_approval, needs_renewal
from alphintra.broker.domain.connections import Connection
from alphintra.broker.domain.market import check_order
from alphintra.broker.domain.orders import Order
from alphintra.broker.gateways.paper import PaperVenue
from alphintra.broker.gateways.venue import Venue
from alphintra.broker.service.inbox import CONSUMER
from alphintra.contracts.broker import (
    OrderAcknowledged,
    OrderRefused,
)
from alphintra.infrastructure.events import Delivery, append_audit, append_event, receive_once
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.ids import AccountId, OrderId

if TYPE_CHECKING:
    from alphintra.broker.gateways.approvals import Approvals
    from alphintra.broker.repository.records import Records, RecordsTransaction
    from alphintra.contracts.approval import OrderTerms
    from alphintra.contracts.trading import OrderSubmitted
    from alphintra.kernel.ids import IdSource

__all__ = ["order_of", "send_order"]


async def send_order(
    delivery: Delivery[OrderSubmitted], *, records: Records, approvals: Approvals, ids: IdSource, at: datetime
) -> None:
    """Send an order to its venue if risk's approval of these very terms stands, else refuse it; once for each order.

    Raises RISK_UNAVAILABLE where an expired approval could not be renewed: the order is then neither sent nor
    refused, and its event comes again.
    """
    event = delivery.event
    order = order_of(event.terms)
    evidence = approvals.examine(event.terms, event.approval)
    refusal: Refusal | None = None
    if needs_renewal(evidence, at=at) and not await records.is_decided(order.order_id):
        renewal = await approvals.renew(event.terms, trace_id=delivery.context.trace_id)
        at = renewal.at
        if renewal.evidence is None:
            reason = f"the approval expired while the order was queued and risk does not renew it: {renewal.reason}"
            refusal = Refusal(NO_APPROVAL, reason)
        else:
            evidence = renewal.evidence
    fault_point("broker.approval_examined")
    async with records.transaction() as tx:
        if not await receive_once(tx.session, CONSUMER, delivery):
            return
        connection, epoch = await tx.way_for(order.account_id)
        refusal = refusal or judge_approval(evidence, blocking_epoch=epoch, at=at)
        refusal = refusal or check_order(order, connection)
        if not await tx.decide(order.order_id, refusal, at=at):
            get_logger().warning("order.replayed", order_id=str(order.order_id), event_id=str(delivery.event_id))
            return
        told = await _place(tx, order, connection, at) if refusal is None else _refused(order, refusal)
        action = "order.send" if refusal is None else "order.refuse"
        detail: dict[str, object] = {
            "code": "" if refusal is None else refusal.code,
            "decision_id": event.approval.decision_id,
            "kill_epoch": evidence.kill_epoch,
        }
        context = delivery.context
        await append_event(tx.session, told, ids=ids, aggregate_id=order.order_id, context=context, at=at)
        await append_audit(tx.session, action, f"order:{order.order_id}", detail, ids=ids, context=context, at=at)
        fault_point("broker.answer_stored")
    fault_point("broker.answer_committed")


async def _place(
    tx: RecordsTransaction, order: Order, connection: Connection | None, at: datetime
) -> OrderAcknowledged:
    if connection is None:
        message = "an order without a connection is refused before"
        raise RuntimeError(message)
    venue: Venue = PaperVenue(tx)
    await tx.add_intent(order, connection, at=at)
    fault_point("broker.intent_stored")
    venue_order_id = await venue.place(order, connection, at=at)
    fault_point("broker.venue_answered")
    return OrderAcknowledged(order_id=order.order_id, venue_order_id=venue_order_id)


def _refused(order: Order, refusal: Refusal) -> OrderRefused:
    return OrderRefused(order_id=order.order_id, code=refusal.code, reason=refusal.reason)


def order_of(terms: OrderTerms) -> Order:
    """Return the order that was approved."""
    return Order(
        order_id=OrderId(terms.order_id),
        client_order_id=terms.client_order_id,
        account_id=AccountId(terms.account_id),
        symbol=terms.symbol,
        side=terms.side,
        type=terms.type,
        time_in_force=terms.time_in_force,
        qty=terms.qty or Decimal(0),  # refused by check_order
        limit_price=terms.limit_price,
    )
