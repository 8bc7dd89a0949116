"""How trading shows an order and the account it is of; parts of its answers and events."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import msgspec

from alphintra.kernel.from_fill import FromFill
from alphintra.kernel.messages import Utc, View
from alphintra.kernel.vocabulary import (
    AccountMode,
    Leg,
    OrderClass,
    OrderStatus,
    OrderType,
    PositionIntent,
    Side,
    TimeInForce,
)

__all__ = [
    "AccountView",
    "AccountsView",
    "LegView",
    "OrderEventView",
    "OrderEventsView",
    "OrderView",
    "OrdersView",
    "StopLoss",
    "TakeProfit",
]


class AccountView(View, frozen=True):
    """An account with its cash; ``status`` is pending until risk and broker have taken it up, then active."""

    account_id: UUID
    owner_id: UUID
    name: str
    mode: AccountMode
    currency: str
    status: str
    feed_id: UUID | None
    starting_cash: Decimal
    cash: Decimal
    realized_pnl: Decimal
    fees: Decimal
    created_at: Utc


class AccountsView(View, frozen=True):
    """The acting user's accounts, oldest first."""

    accounts: tuple[AccountView, ...]


class LegView(View, frozen=True):
    """An order as its events add up to now, without the legs it may lead."""

    order_id: UUID
    client_order_id: str
    account_id: UUID
    book_id: UUID | None
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal | None
    limit_price: Decimal | None
    status: OrderStatus
    filled_qty: Decimal
    filled_avg_price: Decimal | None
    reason_code: str
    reason: str
    decision_id: UUID | None
    version: int
    created_at: Utc
    updated_at: Utc
    notional: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    hwm: Decimal | None = None
    expire_at: Utc | None = None
    extended_hours: bool = False
    reduce_only: bool = False
    position_intent: PositionIntent | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    leg: Leg = Leg.ENTRY
    group_id: UUID | None = None
    replaces: UUID | None = None
    replaced_by: UUID | None = None
    submitted_at: Utc | None = None
    triggered_at: Utc | None = None
    filled_at: Utc | None = None
    canceled_at: Utc | None = None
    expired_at: Utc | None = None
    failed_at: Utc | None = None
    replaced_at: Utc | None = None


class OrderView(LegView, frozen=True):
    """An order as its events add up to now; the first order of a group shows the others as its legs."""

    legs: tuple[LegView, ...] = ()


class OrdersView(View, frozen=True):
    """Orders, and where the next page begins if there is one."""

    orders: tuple[OrderView, ...]
    next_cursor: str | None = None


class OrderEventView(View, frozen=True):
    """Something that happened to an order.

    Attributes:
        version: its place in the order's history, from 1.
        kind: what.
        status: of the order afterwards.
        occurred_at: when trading learned of it.
        code: why, out of a closed list; empty where nothing is to be explained.
        reason: the same for a person.
        qty: what was executed or carried over.
        price: at which it was executed.
        execution_id: which execution it was.
        other_order_id: the order that replaces this one.
        detail: all that is stored of it.
    """

    version: int
    kind: str
    status: OrderStatus
    occurred_at: Utc
    code: str
    reason: str
    qty: Decimal | None
    price: Decimal | None
    execution_id: str | None
    other_order_id: UUID | None
    detail: str


class OrderEventsView(View, frozen=True):
    """What happened to an order, oldest first."""

    order_id: UUID
    events: tuple[OrderEventView, ...]


class TakeProfit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The leg that closes with a profit: a limit order.

    With ``from_fill`` its price follows from that at which the entry fills; ``limit_price`` is where it will lie about,
    which is what the controls go by until then.
    """

    limit_price: Decimal
    client_order_id: str | None = None
    from_fill: FromFill | None = None


class StopLoss(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The leg that closes with a loss: stop, stop_limit with ``limit_price``, or trailing_stop with a trail.

    With ``from_fill``, which is for stops alone, ``stop_price`` follows from the price at which the entry fills.
    """

    stop_price: Decimal | None = None
    limit_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    client_order_id: str | None = None
    from_fill: FromFill | None = None
