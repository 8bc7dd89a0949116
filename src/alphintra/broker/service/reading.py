"""Reading what was sent to venues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.broker.domain.orders import SentOrder
from alphintra.broker.service.connections import visible_connection
from alphintra.contracts.broker import (
    ListVenueOrders,
    VenueOrdersView,
    VenueOrderView,
)
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.broker.repository.records import Records
    from alphintra.kernel.messages import Context

__all__ = ["ORDERS_LIMIT_MAX", "list_venue_orders"]

ORDERS_LIMIT_MAX = 1000


async def list_venue_orders(command: ListVenueOrders, context: Context, *, records: Records) -> VenueOrdersView:
    """Return what was sent for an account, newest first. Raises CONNECTION_NOT_FOUND and PAGE_LIMIT."""
    if not 1 <= command.limit <= ORDERS_LIMIT_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must lie between 1 and {ORDERS_LIMIT_MAX}", pointer="/limit")
    connection = await visible_connection(command.account_id, context, records)
    orders = await records.sent_orders(connection.account_id, limit=command.limit)
    return VenueOrdersView(orders=tuple(_order_view(order) for order in orders))


def _order_view(order: SentOrder) -> VenueOrderView:
    return VenueOrderView(
        order_id=order.order_id,
        account_id=order.account_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        time_in_force=order.time_in_force,
        qty=order.qty,
        limit_price=order.limit_price,
        filled_qty=order.filled_qty,
        status=order.status,
        accepted_at=order.accepted_at,
    )
