"""What an order may be, and how its state folds over events."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import assert_never
from uuid import NAMESPACE_OID, UUID, uuid5

from alphintra.engine.portfolio import notional
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, BookId, OrderId, UserId
from alphintra.kernel.money import AMOUNT_PLACES, require_finite, require_positive
from alphintra.kernel.vocabulary import TERMINAL, OrderStatus, OrderType, Side, TimeInForce
from alphintra.trading.domain.accounts import Account

__all__ = [
    "NewOrder",
    "Order",
    "OrderEvent",
    "OrderEventKind",
    "accept",
    "advance",
    "deny",
    "executed",
    "order_id_of",
    "require_same_request",
    "validate",
]

_CLIENT_ORDER_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,31}")


class OrderEventKind(StrEnum):
    """What can happen to an order."""

    SUBMITTED = "submitted"
    DENIED = "denied"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    EXECUTED = "executed"
    CANCEL_REQUESTED = "cancel_requested"
    CANCELED = "canceled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """What is asked for, before any decision."""

    account_id: AccountId
    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal
    limit_price: Decimal | None
    book_id: BookId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as its events add up; ``filled_amount`` is the exact money traded."""

    order_id: OrderId
    client_order_id: str
    account_id: AccountId
    owner_id: UserId
    book_id: BookId | None
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal
    limit_price: Decimal | None
    status: OrderStatus
    filled_qty: Decimal
    filled_amount: Decimal
    reason_code: str
    reason: str
    decision_id: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def filled_avg_price(self) -> Decimal | None:
        """Average price of what was filled, to nine decimals; None before the first fill."""
        return round(self.filled_amount / self.filled_qty, AMOUNT_PLACES) if self.filled_qty else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """Something that happened to an order after it was accepted."""

    kind: OrderEventKind
    at: datetime
    code: str = ""
    reason: str = ""
    qty: Decimal = Decimal(0)
    price: Decimal = Decimal(0)


def validate(order: NewOrder) -> None:
    """Refuse an order that makes no sense. Raises one error with code and pointer; nothing is stored."""
    if not _CLIENT_ORDER_ID.fullmatch(order.client_order_id):
        message = "client_order_id is 1 to 128 characters of A-Z a-z 0-9 . _ : -"
        raise AlphintraError("ORDER_ID_FORMAT", message, pointer="/client_order_id")
    if not _SYMBOL.fullmatch(order.symbol):
        message = f"{order.symbol[:40]!r} is no symbol: write it in capitals, e.g. AAPL"
        raise AlphintraError("ORDER_UNKNOWN_SYMBOL", message, pointer="/symbol")
    require_positive(order.qty, pointer="/qty")
    match order.type:
        case OrderType.MARKET:
            if order.limit_price is not None:
                message = "a market order takes no limit_price: leave it out or set type to limit"
                raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/limit_price")
        case OrderType.LIMIT:
            if order.limit_price is None:
                raise AlphintraError("ORDER_FIELD_REQUIRED", "a limit order needs limit_price", pointer="/limit_price")
            require_positive(order.limit_price, pointer="/limit_price")
            _require_bookable(order.qty, order.limit_price)
        case OrderType.STOP | OrderType.STOP_LIMIT | OrderType.TRAILING_STOP:
            raise AlphintraError("ORDER_UNSUPPORTED", f"{order.type} orders are not taken yet", pointer="/type")
        case _:
            assert_never(order.type)


def order_id_of(account_id: AccountId, client_order_id: str) -> OrderId:
    """Return the order id of a client's id: the same for every repetition, so that a reservation is found again."""
    return OrderId(uuid5(NAMESPACE_OID, f"{account_id}/{client_order_id}"))


def require_same_request(stored: Order, asked: NewOrder) -> None:
    """Refuse a client order id that was used for something else. Raises ORDER_ID_REUSED."""
    same = (
        stored.symbol == asked.symbol
        and stored.side == asked.side
        and stored.type == asked.type
        and stored.time_in_force == asked.time_in_force
        and stored.qty == asked.qty
        and stored.limit_price == asked.limit_price
        and stored.book_id == asked.book_id
    )
    if not same:
        message = f"client_order_id {asked.client_order_id} already names another order: choose a new one"
        raise AlphintraError("ORDER_ID_REUSED", message, kind=Kind.CONFLICT, pointer="/client_order_id")


def accept(asked: NewOrder, account: Account, *, decision_id: UUID, at: datetime) -> Order:
    """Return the order risk has approved, not yet answered by the venue."""
    return _first_state(asked, account, OrderStatus.PENDING_NEW, decision_id=decision_id, at=at)


def deny(asked: NewOrder, account: Account, *, decision_id: UUID, finding: tuple[str, str], at: datetime) -> Order:
    """Return the order risk has refused, with code and reason."""
    order = _first_state(asked, account, OrderStatus.DENIED, decision_id=decision_id, at=at)
    code, reason = finding
    return replace(order, reason_code=code, reason=reason)


def advance(order: Order, event: OrderEvent) -> Order | None:
    """Return the order after the event, None where the event changes nothing.

    Terminal states never reopen. A fill is always booked: after a cancel or expiry it counts but does not reopen.
    """
    match event.kind:
        case OrderEventKind.EXECUTED:
            return executed(order, event)
        case OrderEventKind.ACKNOWLEDGED:
            status = OrderStatus.NEW if order.status in {OrderStatus.PENDING_NEW, OrderStatus.UNKNOWN} else None
        case OrderEventKind.REFUSED:
            status = _unless_terminal(order, OrderStatus.REJECTED)
        case OrderEventKind.CANCEL_REQUESTED:
            wanted = None if order.status is OrderStatus.PENDING_CANCEL else OrderStatus.PENDING_CANCEL
            status = wanted and _unless_terminal(order, wanted)
        case OrderEventKind.CANCELED:
            status = _unless_terminal(order, OrderStatus.CANCELED)
        case OrderEventKind.EXPIRED:
            status = _unless_terminal(order, OrderStatus.EXPIRED)
        case OrderEventKind.SUBMITTED | OrderEventKind.DENIED:
            message = f"{event.kind} is the first event of an order, not a later one"
            raise AlphintraError("ORDER_EVENT", message, kind=Kind.BUG)
        case _:
            assert_never(event.kind)
    return None if status is None else _next(order, status, event)


def executed(order: Order, event: OrderEvent) -> Order:
    """Return the order after an execution, which always counts."""
    filled = order.filled_qty + event.qty
    code = ""
    if order.status in TERMINAL:
        status, code = order.status, "LATE_FILL"
    elif filled >= order.qty:
        status = OrderStatus.FILLED
    else:
        status = OrderStatus.PARTIALLY_FILLED if order.status is not OrderStatus.PENDING_CANCEL else order.status
    if filled > order.qty:
        code = "OVERFILL"
    grown = replace(order, filled_qty=filled, filled_amount=order.filled_amount + notional(event.qty, event.price))
    return _next(grown, status, replace(event, code=code))


def _require_bookable(qty: Decimal, limit_price: Decimal) -> None:
    """Refuse an order whose traded amount no column could hold. Raises NUMBER_RANGE."""
    try:
        require_finite(notional(qty, limit_price))
    except AlphintraError as error:
        message = f"{qty} at {limit_price} is beyond the largest amount, 10^18"
        raise AlphintraError("NUMBER_RANGE", message, pointer="/qty") from error


def _first_state(asked: NewOrder, account: Account, status: OrderStatus, *, decision_id: UUID, at: datetime) -> Order:
    return Order(
        order_id=order_id_of(asked.account_id, asked.client_order_id),
        client_order_id=asked.client_order_id,
        account_id=asked.account_id,
        owner_id=account.owner_id,
        book_id=asked.book_id,
        symbol=asked.symbol,
        side=asked.side,
        type=asked.type,
        time_in_force=asked.time_in_force,
        qty=asked.qty,
        limit_price=asked.limit_price,
        status=status,
        filled_qty=Decimal(0),
        filled_amount=Decimal(0),
        reason_code="",
        reason="",
        decision_id=decision_id,
        version=1,
        created_at=at,
        updated_at=at,
    )


def _unless_terminal(order: Order, status: OrderStatus) -> OrderStatus | None:
    return None if order.status in TERMINAL else status


def _next(order: Order, status: OrderStatus, event: OrderEvent) -> Order:
    return replace(
        order,
        status=status,
        reason_code=event.code or order.reason_code,
        reason=event.reason or order.reason,
        version=order.version + 1,
        updated_at=event.at,
    )
