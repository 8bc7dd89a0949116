"""What broker tells of orders: each venue's word on them, and its executions.

Several of them say where an order stands, and an event that could not be handled at once is delivered again behind
those that followed it. ``seq`` counts what broker told of an order at a venue elsewhere, upwards: a word on where the
order stands is old news beside one of a larger number. It is 0 where no word takes back an earlier one, which is so at
the paper venue, and in events from before there was a number. An end, an execution, a refused cancellation and the best
price of a trail count whenever they come.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.kernel.messages import Event, Utc
from alphintra.kernel.vocabulary import Side

__all__ = [
    "CancelRefused",
    "ExecutionReported",
    "ExternalOrderAdopted",
    "OrderAcknowledged",
    "OrderCanceled",
    "OrderExpired",
    "OrderRefused",
    "OrderReplaced",
    "OrderSuspended",
    "OrderTrailed",
    "OrderTriggered",
    "OrderUncertain",
]


class OrderAcknowledged(Event, tag="broker.order_acknowledged.v1", frozen=True):
    """The venue has the order: working, or ``is_queued`` until it goes to the market, e.g. outside of the session.

    ``limit_price`` or ``stop_price`` is where an exit lies whose price was reckoned from its entry's fill.
    """

    order_id: UUID
    venue_order_id: str
    is_queued: bool = False
    seq: int = 0
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


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

    ``final_qty`` is what the order will have filled in all, where this execution is known to be its last; ``fee_qty``
    what the venue kept of what is traded, beside ``fee`` in money: the position has so much less, ``qty`` has not.
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
    fee_qty: Decimal = Decimal(0)
    seq: int = 0


class ExternalOrderAdopted(Event, tag="broker.external_order_adopted.v1", frozen=True):
    """A person took an execution that we did not order into the books; it is reported as one of this order."""

    order_id: UUID
    client_order_id: str
    account_id: UUID
    symbol: str
    side: Side
    qty: Decimal
    adopted_by: str
    reason: str


class OrderReplaced(Event, tag="broker.order_replaced.v1", frozen=True):
    """Another order took the place of this one at the venue."""

    order_id: UUID
    replaced_by: UUID


class OrderTriggered(Event, tag="broker.order_triggered.v1", frozen=True):
    """The price reached an order's stop: it works as a market or limit order from here on."""

    order_id: UUID
    stop_price: Decimal
    seq: int = 0


class OrderTrailed(Event, tag="broker.order_trailed.v1", frozen=True):
    """A trailing stop that works saw a better price: highest for a sale, lowest for a purchase."""

    order_id: UUID
    hwm: Decimal


class OrderUncertain(Event, tag="broker.order_uncertain.v1", frozen=True):
    """Whether the venue has the order is not known; it is asked until it is."""

    order_id: UUID
    reason: str
    seq: int = 0


class OrderSuspended(Event, tag="broker.order_suspended.v1", frozen=True):
    """The order is with the venue and cannot be executed now; ``is_done_for_day`` until the next session."""

    order_id: UUID
    is_done_for_day: bool
    reason: str
    seq: int = 0


class CancelRefused(Event, tag="broker.cancel_refused.v1", frozen=True):
    """The venue did not cancel an order: it goes on working, or closed before."""

    order_id: UUID
    code: str
    reason: str
