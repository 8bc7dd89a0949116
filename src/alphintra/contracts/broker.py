"""What broker answers and tells."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.kernel.messages import Command, Event, Utc, View
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, Side, TimeInForce

__all__ = [
    "AdvanceMarket",
    "BarView",
    "BreakFound",
    "CancelRefused",
    "ConnectionChanged",
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
    "OrderReplaced",
    "OrderSuspended",
    "OrderTriggered",
    "OrderUncertain",
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
    """One bar of a symbol, stamped at its close.

    A bar that is less than a whole session says when it began, and by which calendar its symbol trades: XNYS or 24/7.
    """

    symbol: str
    ts: Utc
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    opened_at: Utc | None = None
    calendar: str | None = None


class VenueExecution(View, frozen=True):
    """An execution at the paper venue."""

    execution_id: str
    order_id: UUID
    account_id: UUID


class MarketAdvanced(View, frozen=True):
    """What one step of a feed did at the paper venue; the same for every repetition of the step.

    Where there are more executions, ``after`` is what to send with the same step to get the next of them.
    """

    seq: int
    executions: tuple[VenueExecution, ...]
    after: UUID | None = None


class VenueOrderView(View, frozen=True):
    """An order as the venue side knows it."""

    order_id: UUID
    account_id: UUID
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal | None
    limit_price: Decimal | None
    filled_qty: Decimal
    status: str
    accepted_at: Utc
    notional: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    expire_at: Utc | None = None
    extended_hours: bool = False
    reduce_only: bool = False
    order_class: OrderClass = OrderClass.SIMPLE
    leg: Leg = Leg.ENTRY
    group_id: UUID | None = None
    replaces: UUID | None = None
    prior_qty: Decimal = Decimal(0)
    allowed_qty: Decimal | None = None
    hwm: Decimal | None = None
    triggered_at: Utc | None = None


class VenueOrdersView(View, frozen=True):
    """Venue orders, newest first."""

    orders: tuple[VenueOrderView, ...]


class AdvanceMarket(Command[MarketAdvanced], tag="broker.advance_market.v1", frozen=True):
    """Drive the paper venue of a feed by one step; safe to repeat. Steps begin at 1 and cannot be skipped."""

    feed_id: UUID
    seq: int
    bars: tuple[BarView, ...]
    after: UUID | None = None


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
    """The venue has the order: working, or ``is_queued`` until it goes to the market, e.g. outside of the session."""

    order_id: UUID
    venue_order_id: str
    is_queued: bool = False


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
    """The venue executed (part of) an order.

    ``final_qty`` is what the order will have filled in all, where this execution is known to be its last.
    """

    execution_id: str
    order_id: UUID
    account_id: UUID
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    executed_at: Utc
    final_qty: Decimal | None = None


class OrderReplaced(Event, tag="broker.order_replaced.v1", frozen=True):
    """Another order took the place of this one at the venue."""

    order_id: UUID
    replaced_by: UUID


class OrderTriggered(Event, tag="broker.order_triggered.v1", frozen=True):
    """The price reached an order's stop: it works as a market or limit order from here on."""

    order_id: UUID
    stop_price: Decimal


class OrderUncertain(Event, tag="broker.order_uncertain.v1", frozen=True):
    """Whether the venue has the order is not known; it is asked until it is."""

    order_id: UUID
    reason: str


class OrderSuspended(Event, tag="broker.order_suspended.v1", frozen=True):
    """The order is with the venue and cannot be executed now; ``is_done_for_day`` until the next session."""

    order_id: UUID
    is_done_for_day: bool
    reason: str


class CancelRefused(Event, tag="broker.cancel_refused.v1", frozen=True):
    """The venue did not cancel an order: it goes on working, or closed before."""

    order_id: UUID
    code: str
    reason: str


class BreakFound(Event, tag="broker.break_found.v1", frozen=True):
    """Reconciliation found a difference between the venue and us; it is reported and never silently mended.

    Attributes:
        break_id: the case.
        account_id: whose account it concerns.
        code: EXTERNAL_ORDER, EXEC_CONFLICT, EXEC_MISSING, OVERFILL, POSITION_DIFF, CASH_DIFF, FEE_SIGN, TIME_SKEW,
            VENUE_ENUM_UNKNOWN, VENUE_PROTOCOL, or PROTECTION_MISSING where a group's position has no working stop.
        symbol: what it concerns, empty for the account as a whole.
        order_id: which order, where it is one of ours.
        detail: what the venue says and what we have, in one sentence.
    """

    break_id: UUID
    account_id: UUID
    code: str
    symbol: str
    order_id: UUID | None
    detail: str


class ConnectionChanged(Event, tag="broker.connection_changed.v1", frozen=True):
    """A connection's state changed: open, degraded, reconciling, expired or closed; and why."""

    account_id: UUID
    status: str
    reason: str
