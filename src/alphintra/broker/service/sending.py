"""Sending an approved order to its venue."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from alphintra.broker.domain.approvals import judge_approval, scopes_of
from alphintra.broker.domain.orders import Order
from alphintra.broker.domain.paper import refuse_strangers
from alphintra.broker.repository.live import LiveRows
from alphintra.broker.service.exit_swaps import refuse_swap
from alphintra.broker.service.inbox import CONSUMER
from alphintra.broker.service.live_orders import queue_orders, refuse_for_link
from alphintra.broker.service.placing import place_on_paper, refuse_on_paper
from alphintra.broker.service.telling import Desk
from alphintra.contracts.broker import OrderRefused
from alphintra.infrastructure.events import Delivery, append_audit, append_events, receive_once
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.ids import AccountId, OrderId

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.broker.domain.approvals import Refusal
    from alphintra.broker.repository.records import Records
    from alphintra.broker.service.vetting import Vetted
    from alphintra.contracts.approval import OrderTerms
    from alphintra.contracts.trading import OrderSubmitted
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Event

__all__ = ["order_of", "send_order"]


async def send_order(
    delivery: Delivery[OrderSubmitted], vetted: Vetted, *, records: Records, ids: IdSource, at: datetime
) -> None:
    """Send an order, with the legs of its group, to its venue if risk's approval of these very terms stands.

    Else it is refused, and its legs with it; once for each order. Raises RISK_UNAVAILABLE where an expired approval
    could not be renewed: the order is then neither sent nor refused, and its event comes again.
    """
    if vetted.failure is not None:
        raise vetted.failure
    event, context = delivery.event, delivery.context
    orders = [order_of(terms) for terms in vetted.terms]
    first, evidence, refusal = orders[0], vetted.evidence, vetted.refusal
    fault_point("broker.approval_examined")
    async with records.transaction() as tx:
        if not await receive_once(tx.session, CONSUMER, delivery):
            return
        # Terms nobody approved are not even asked about: they may hold what no database takes.
        known = all(proof.is_genuine for proof in evidence)
        scopes = scopes_of(first.account_id, book_id=event.book_id, symbol=first.symbol) if known else ()
        connection, epoch = await tx.way_for(first.account_id, scopes)
        for proof in evidence:
            refusal = refusal or judge_approval(proof, blocking_epoch=epoch, at=at)
        refusal = refusal or refuse_strangers(orders)
        live = LiveRows(tx.session)
        link = await live.links.get(first.account_id)
        if link is None:
            refusal = refusal or await refuse_on_paper(tx, orders, connection)
        else:
            refusal = refusal or refuse_for_link(link, event.terms) or await refuse_swap(live, event.terms)
        for order in orders:
            if not await tx.decide(order.order_id, refusal, book_id=event.book_id, at=at):
                get_logger().warning("order.replayed", order_id=str(order.order_id), event_id=str(delivery.event_id))
                return
        told: list[tuple[UUID, Event]] = []
        if refusal is not None:
            told = [(order.order_id, _refused(order, refusal)) for order in orders]
        elif link is not None:
            asked = [(event.terms, event.approval), *((leg.terms, leg.approval) for leg in event.legs)]
            await queue_orders(live, asked, evidence=evidence, at=at, desk=Desk(ids, context))
        else:
            told = await place_on_paper(tx, orders, connection, at=at)
        action = "order.send" if refusal is None else "order.refuse"
        detail: dict[str, object] = {
            "code": "" if refusal is None else refusal.code,
            "decision_id": event.approval.decision_id,
            "kill_epoch": evidence[0].kill_epoch,
        }
        await append_events(tx.session, told, ids=ids, context=context, at=at)
        await append_audit(tx.session, action, f"order:{first.order_id}", detail, ids=ids, context=context, at=at)
        fault_point("broker.answer_stored")
    fault_point("broker.answer_committed")


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
        qty=terms.qty,
        limit_price=terms.limit_price,
        notional=terms.notional,
        stop_price=terms.stop_price,
        trail_price=terms.trail_price,
        trail_percent=terms.trail_percent,
        expire_at=terms.expire_at,
        extended_hours=terms.extended_hours,
        reduce_only=terms.reduce_only,
        order_class=terms.order_class,
        leg=terms.leg,
        group_id=None if terms.group_id is None else OrderId(terms.group_id),
        replaces=None if terms.replaces is None else OrderId(terms.replaces),
        from_fill=terms.reckoning,
    )
