"""The replacement of a working order by another one."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import TERMINAL, OrderStatus, TimeInForce
from alphintra.trading.domain.orders import NewOrder, Order
from alphintra.trading.domain.validation import validate

__all__ = ["Amendment", "require_replaceable", "successor"]

_REPLACEABLE: Final = frozenset(
    {
        OrderStatus.HELD,
        OrderStatus.ACCEPTED,
        OrderStatus.NEW,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.SUSPENDED,
        OrderStatus.DONE_FOR_DAY,
    }
)
_ASKED: Final = tuple(field.name for field in fields(NewOrder))


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """What is to be different; what is None stays as it was."""

    client_order_id: str
    qty: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    time_in_force: TimeInForce | None = None
    expire_at: datetime | None = None


def successor(old: Order, wish: Amendment) -> NewOrder:
    """Return the order that is to take the place of another.

    Raises the errors of an order, AMEND_NOTHING where nothing differs and ORDER_FIELD_FORBIDDEN for a quantity of an
    order for an amount of money.
    """
    if wish.qty is not None and old.qty is None:
        message = "the order is for an amount of money: its quantity cannot be set, cancel it and place another"
        raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/qty")
    changes = {
        field.name: getattr(wish, field.name) for field in fields(Amendment) if getattr(wish, field.name) is not None
    }
    if wish.trail_price is not None and wish.trail_percent is None:
        changes["trail_percent"] = None
    if wish.trail_percent is not None and wish.trail_price is None:
        changes["trail_price"] = None
    if wish.time_in_force not in {None, TimeInForce.GTD} and wish.expire_at is None:
        changes["expire_at"] = None
    if old.status is not OrderStatus.HELD or wish.limit_price is not None or wish.stop_price is not None:
        changes["from_fill"] = None  # its price is known, or somebody says another
    kept = NewOrder(**{name: getattr(old, name) for name in _ASKED})
    asked = replace(kept, **changes, replaces=old.order_id)
    if replace(asked, client_order_id=kept.client_order_id, replaces=None, from_fill=None) == replace(
        kept, replaces=None, from_fill=None
    ):
        raise AlphintraError("AMEND_NOTHING", "the order is like that already: say what is to change")
    if asked.client_order_id == old.client_order_id:
        message = "the replacement is a new order: give it a client_order_id of its own"
        raise AlphintraError("ORDER_ID_REUSED", message, kind=Kind.CONFLICT, pointer="/client_order_id")
    validate(asked)
    return asked


def require_replaceable(old: Order, asked: NewOrder) -> None:
    """Refuse to replace an order as it stands now.

    Raises ORDER_TERMINAL for a closed one, ORDER_PENDING for one that waits for the venue's word, and
    AMEND_BELOW_FILLED where the new quantity would leave nothing to trade.
    """
    if old.status in TERMINAL:
        message = f"order {old.order_id} is {old.status}: place a new one"
        raise AlphintraError("ORDER_TERMINAL", message, kind=Kind.CONFLICT)
    if old.status not in _REPLACEABLE:
        message = f"order {old.order_id} is {old.status}: it can be replaced once the venue has answered"
        raise AlphintraError("ORDER_PENDING", message, kind=Kind.CONFLICT)
    filled = old.carried_qty + old.filled_qty
    if asked.qty is not None and asked.qty <= filled:
        message = f"{filled:f} of the order is filled: ask for more than that, or cancel the order"
        raise AlphintraError("AMEND_BELOW_FILLED", message, pointer="/qty")
