"""Reading what was sent to venues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from alphintra.broker.domain.orders import SentOrder
from alphintra.broker.service.connections import visible_connection
from alphintra.broker.service.links import visible_link
from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.broker import (
    ListVenueOrders,
    VenueOrdersView,
    VenueOrderView,
)
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.broker.repository.live import Live, Sent
    from alphintra.broker.repository.records import Records
    from alphintra.kernel.messages import Context

__all__ = ["ORDERS_LIMIT_MAX", "list_venue_orders"]

ORDERS_LIMIT_MAX = 1000


async def list_venue_orders(
    command: ListVenueOrders, context: Context, *, records: Records, live: Live
) -> VenueOrdersView:
    """Return what was sent for an account, newest first. Raises CONNECTION_NOT_FOUND and PAGE_LIMIT."""
    if not 1 <= command.limit <= ORDERS_LIMIT_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must lie between 1 and {ORDERS_LIMIT_MAX}", pointer="/limit")
    link = await visible_link(command.account_id, context, live=live)
    if link is not None:
        async with live.reading() as rows:
            sent = await rows.listed(link.account_id, limit=command.limit, order_id=command.order_id)
        return VenueOrdersView(orders=tuple(_live_view(order) for order in sent))
    connection = await visible_connection(command.account_id, context, records)
    orders = await records.sent_orders(connection.account_id, limit=command.limit, order_id=command.order_id)
    return VenueOrdersView(orders=tuple(_order_view(order) for order in orders))


def _live_view(order: Sent) -> VenueOrderView:
    terms = msgspec.json.decode(order.terms, type=OrderTerms)
    return VenueOrderView(
        order_id=order.order_id,
        account_id=order.account_id,
        symbol=terms.symbol,
        side=terms.side,
        type=terms.type,
        time_in_force=terms.time_in_force,
        qty=terms.qty,
        limit_price=terms.limit_price,
        filled_qty=order.filled_qty,
        status=order.status,
        accepted_at=order.queued_at,
        venue_order_id=order.venue_order_id,
    )


def _order_view(sent: SentOrder) -> VenueOrderView:
    order = sent.order
    return VenueOrderView(
        order_id=order.order_id,
        account_id=order.account_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        time_in_force=order.time_in_force,
        qty=order.qty,
        limit_price=order.limit_price,
        filled_qty=sent.filled_qty,
        status=sent.status,
        accepted_at=sent.accepted_at,
        notional=order.notional,
        stop_price=order.stop_price,
        trail_price=order.trail_price,
        trail_percent=order.trail_percent,
        expire_at=order.expire_at,
        extended_hours=order.extended_hours,
        reduce_only=order.reduce_only,
        order_class=order.order_class,
        leg=order.leg,
        group_id=order.group_id,
        replaces=order.replaces,
        prior_qty=sent.prior_qty,
        allowed_qty=sent.allowed_qty,
        hwm=sent.hwm,
        triggered_at=sent.triggered_at,
        venue_order_id=sent.venue_order_id,
    )
