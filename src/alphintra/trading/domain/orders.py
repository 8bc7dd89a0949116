"""What an order is: what is asked for, what has happened to it, how it stands."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from uuid import NAMESPACE_OID, UUID, uuid5

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.from_fill import FromFill
from alphintra.kernel.ids import AccountId, BookId, OrderId, UserId
from alphintra.kernel.money import AMOUNT_PLACES
from alphintra.kernel.vocabulary import (
    Leg,
    OrderClass,
    OrderStatus,
    OrderType,
    PositionIntent,
    Side,
    TimeInForce,
)
from alphintra.trading.domain.accounts import Account

__all__ = [
    "NewOrder",
    "Order",
    "OrderEvent",
    "OrderEventKind",
    "Reason",
    "accept",
    "begin",
    "deny",
    "hold",
    "order_id_of",
    "require_same_request",
]


class OrderEventKind(StrEnum):
    """What can happen to an order; the first three begin it."""

    SUBMITTED = "submitted"
    DENIED = "denied"
    HELD = "held"
    ACTIVATED = "activated"
    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"
    TRIGGERED = "triggered"
    TRAILED = "trailed"
    EXECUTED = "executed"
    CANCEL_REQUESTED = "cancel_requested"
    CANCEL_REFUSED = "cancel_refused"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACE_REQUESTED = "replace_requested"
    REPLACED = "replaced"
    REPLACE_REFUSED = "replace_refused"
    CARRIED = "carried"
    SUSPENDED = "suspended"
    DONE_FOR_DAY = "done_for_day"
    UNCERTAIN = "uncertain"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why an order closed or was flagged, where trading itself says so; risk and venues have codes of their own."""

    CANCEL_BY_USER = "CANCEL_BY_USER"
    CANCEL_BY_OPERATOR = "CANCEL_BY_OPERATOR"
    CANCEL_BY_SERVICE = "CANCEL_BY_SERVICE"
    KILL_SWITCH = "KILL_SWITCH"
    SPLIT = "SPLIT"
    CANCELED_BY_VENUE = "CANCELED_BY_VENUE"
    GROUP_ENDED = "GROUP_ENDED"
    TIME_IN_FORCE_ENDED = "TIME_IN_FORCE_ENDED"
    LATE_FILL = "LATE_FILL"
    OVERFILL = "OVERFILL"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """What is asked for, before any decision; exactly one of ``qty`` and ``notional`` is given.

    ``strategy_hash`` is the version of the strategy that asks for its book, empty where a person asks. ``from_fill`` is
    how the price of an exit follows from that at which its entry fills; its own price is about that until then.
    """

    account_id: AccountId
    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    expire_at: datetime | None = None
    extended_hours: bool = False
    reduce_only: bool = False
    position_intent: PositionIntent | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    leg: Leg = Leg.ENTRY
    group_id: OrderId | None = None
    replaces: OrderId | None = None
    book_id: BookId | None = None
    strategy_hash: str = ""
    from_fill: FromFill | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(NewOrder):
    """An order as its events add up.

    Attributes:
        resumes: where a pending_cancel or pending_replace order stands at the venue, and returns to if refused.
        filled_amount: the exact money traded.
        final_qty: what a notional order fills in all, once the venue has said so.
        carried_qty: what the orders it replaces had filled; counts towards ``qty``.
        replaced_by: the order that took its place.
        report_seq: the number of the newest word on where it stands at its venue; 0 where those carry none.
    """

    order_id: OrderId
    owner_id: UserId
    status: OrderStatus
    resumes: OrderStatus | None = None
    filled_qty: Decimal = Decimal(0)
    filled_amount: Decimal = Decimal(0)
    final_qty: Decimal | None = None
    carried_qty: Decimal = Decimal(0)
    replaced_by: OrderId | None = None
    hwm: Decimal | None = None
    reason_code: str = ""
    reason: str = ""
    decision_id: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None = None
    triggered_at: datetime | None = None
    filled_at: datetime | None = None
    canceled_at: datetime | None = None
    expired_at: datetime | None = None
    failed_at: datetime | None = None
    replaced_at: datetime | None = None
    report_seq: int = 0

    @property
    def filled_avg_price(self) -> Decimal | None:
        """Average price of what was filled, to nine decimals; None before the first fill."""
        return round(self.filled_amount / self.filled_qty, AMOUNT_PLACES) if self.filled_qty else None

    @property
    def is_group_head(self) -> bool:
        """Whether it is the first order of a group."""
        return self.group_id == self.order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """Something that happened to an order after it was accepted.

    Attributes:
        kind: what.
        at: when trading learned of it.
        code: why, out of a closed list.
        reason: the same for a person.
        qty: quantity executed or carried over.
        price: at which it was executed.
        final_qty: what the order fills in all, where the venue said so.
        other_order_id: the order that replaces this one.
        hwm: the best price a trailing stop has seen.
        seq: the number of the report it comes from, upwards for each order; 0 where that carries none.
        limit_price: where an exit lies now that its entry has filled.
        stop_price: the same of a stop.
    """

    kind: OrderEventKind
    at: datetime
    code: str = ""
    reason: str = ""
    qty: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    final_qty: Decimal | None = None
    other_order_id: OrderId | None = None
    hwm: Decimal | None = None
    seq: int = 0
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


_MOVING = ("limit_price", "stop_price")


@lru_cache(maxsize=4096)
def order_id_of(account_id: AccountId, client_order_id: str) -> OrderId:
    """Return the order id of a client's id: the same for every repetition, so that a reservation is found again."""
    return OrderId(uuid5(NAMESPACE_OID, f"{account_id}/{client_order_id}"))


# Orders stored before versions were noted have none: a repetition that names it is the same request. The price of an
# exit that follows from its entry's fill is another one once that is known.
_ASKED = tuple(field.name for field in fields(NewOrder) if field.name not in {"strategy_hash", *_MOVING})


def require_same_request(stored: Order, asked: NewOrder) -> None:
    """Refuse a client order id that was used for something else. Raises ORDER_ID_REUSED."""
    names = _ASKED if asked.from_fill is not None else (*_ASKED, *_MOVING)
    if any(getattr(stored, name) != getattr(asked, name) for name in names):
        message = f"client_order_id {asked.client_order_id} already names another order: choose a new one"
        raise AlphintraError("ORDER_ID_REUSED", message, kind=Kind.CONFLICT, pointer="/client_order_id")


def accept(
    asked: NewOrder, account: Account, *, decision_id: UUID, at: datetime, carried_qty: Decimal = Decimal(0)
) -> Order:
    """Return the order risk has approved, not yet answered by the venue."""
    order = begin(asked, OrderStatus.PENDING_NEW, owner_id=account.owner_id, decision_id=decision_id, at=at)
    return replace(order, carried_qty=carried_qty) if carried_qty else order


def hold(asked: NewOrder, account: Account, *, decision_id: UUID, at: datetime) -> Order:
    """Return the leg of a group that risk has approved and that waits for the group's first order."""
    return begin(asked, OrderStatus.HELD, owner_id=account.owner_id, decision_id=decision_id, at=at)


def deny(asked: NewOrder, account: Account, *, decision_id: UUID, finding: tuple[str, str], at: datetime) -> Order:
    """Return the order risk has refused, with code and reason."""
    order = begin(asked, OrderStatus.DENIED, owner_id=account.owner_id, decision_id=decision_id, at=at)
    code, reason = finding
    return replace(order, reason_code=code, reason=reason)


def begin(asked: NewOrder, status: OrderStatus, *, owner_id: UserId, decision_id: UUID | None, at: datetime) -> Order:
    """Return an order in its first state: pending_new, held or denied."""
    return Order(
        order_id=order_id_of(asked.account_id, asked.client_order_id),
        client_order_id=asked.client_order_id,
        account_id=asked.account_id,
        owner_id=owner_id,
        book_id=asked.book_id,
        strategy_hash=asked.strategy_hash,
        from_fill=asked.from_fill,
        symbol=asked.symbol,
        side=asked.side,
        type=asked.type,
        time_in_force=asked.time_in_force,
        qty=asked.qty,
        notional=asked.notional,
        limit_price=asked.limit_price,
        stop_price=asked.stop_price,
        trail_price=asked.trail_price,
        trail_percent=asked.trail_percent,
        expire_at=asked.expire_at,
        extended_hours=asked.extended_hours,
        reduce_only=asked.reduce_only,
        position_intent=asked.position_intent,
        order_class=asked.order_class,
        leg=asked.leg,
        group_id=asked.group_id,
        replaces=asked.replaces,
        status=status,
        decision_id=decision_id,
        version=1,
        created_at=at,
        updated_at=at,
        submitted_at=at if status is OrderStatus.PENDING_NEW else None,
        failed_at=at if status is OrderStatus.DENIED else None,
    )
