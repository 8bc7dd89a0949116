"""What broker answers and tells."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.kernel.messages import Command, Event, Utc, View
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

__all__ = [
    "AdvanceMarket",
    "BarView",
    "ConnectionOpened",
    "ConnectionView",
    "ConnectionsView",
    "ExecutionReported",
    "GetConnection",
    "ListConnections",
    "ListVenueOrders",
    "MarketAdvanced",
    "OrderAcknowledged",
    "OrderCanceled",
    "OrderExpired",
    "OrderRefused",
    "VenueExecution",
    "VenueOrderView",
    "VenueOrdersView",
]


class ConnectionView(View, frozen=True):
    """How an account reaches its venue; the paper venue is driven by a price feed."""

    account_id: UUID
    adapter: str
    feed_id: UUID | None
    status: str
    opened_at: Utc


class ConnectionsView(View, frozen=True):
    """The acting user's connections."""

    connections: tuple[ConnectionView, ...]


class BarView(View, frozen=True):
    """One bar of a symbol, stamped at its close."""

    symbol: str
    ts: Utc
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class VenueExecution(View, frozen=True):
    """An execution at the paper venue."""

    execution_id: str
    order_id: UUID
    account_id: UUID


class MarketAdvanced(View, frozen=True):
    """What one step of a feed did at the paper venue; the same for every repetition of the step."""

    seq: int
    executions: tuple[VenueExecution, ...]


class VenueOrderView(View, frozen=True):
    """An order as the venue side knows it."""

    order_id: UUID
    account_id: UUID
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal
    limit_price: Decimal | None
    filled_qty: Decimal
    status: str
    accepted_at: Utc


class VenueOrdersView(View, frozen=True):
    """Venue orders, newest first."""

    orders: tuple[VenueOrderView, ...]


class AdvanceMarket(Command[MarketAdvanced], tag="broker.advance_market.v1", frozen=True):
    """Drive the paper venue of a feed by one step; safe to repeat. Steps begin at 1 and cannot be skipped."""

    feed_id: UUID
    seq: int
    bars: tuple[BarView, ...]


class GetConnection(Command[ConnectionView], tag="broker.get_connection.v1", frozen=True):
    """Fetch an account's connection."""

    account_id: UUID


class ListConnections(Command[ConnectionsView], tag="broker.list_connections.v1", frozen=True):
    """List the acting user's connections."""


class ListVenueOrders(Command[VenueOrdersView], tag="broker.list_venue_orders.v1", frozen=True):
    """List what was sent to the venue for an account, newest first."""

    account_id: UUID
    limit: int = 100


class ConnectionOpened(Event, tag="broker.connection_opened.v1", frozen=True):
    """An account can reach its venue."""

    account_id: UUID
    adapter: str


class OrderAcknowledged(Event, tag="broker.order_acknowledged.v1", frozen=True):
    """The venue has the order working."""

    order_id: UUID
    venue_order_id: str


class OrderRefused(Event, tag="broker.order_refused.v1", frozen=True):
    """The order was not sent, or the venue refused it."""

    order_id: UUID
    code: str
    reason: str


class OrderCanceled(Event, tag="broker.order_canceled.v1", frozen=True):
    """The venue canceled the order."""

    order_id: UUID


class OrderExpired(Event, tag="broker.order_expired.v1", frozen=True):
    """The order's time in force ended at the venue."""

    order_id: UUID


class ExecutionReported(Event, tag="broker.execution_reported.v1", frozen=True):
    """The venue executed (part of) an order."""

    execution_id: str
    order_id: UUID
    account_id: UUID
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    executed_at: Utc
