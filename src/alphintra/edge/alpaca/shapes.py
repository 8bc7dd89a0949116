"""Views of the platform in the shapes of Alpaca: amounts as text, its names, its words, null for what is not known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec
from starlette.responses import Response

from alphintra.contracts.orders import LegView, OrderView
from alphintra.contracts.strategy import DatasetView
from alphintra.kernel.money import plain
from alphintra.kernel.vocabulary import OrderClass, OrderStatus, TimeInForce

__all__ = [
    "asset_class_of",
    "asset_id_of",
    "asset_shape",
    "json_response",
    "moment",
    "money",
    "order_shape",
    "status_of_order",
]

Shape = dict[str, Any]

_PLACES: Final = Decimal("0.000000001")
# What Alpaca has no word for, in the word nearest to it.
_STATUS: Final[Mapping[OrderStatus, str]] = MappingProxyType(
    {
        OrderStatus.DENIED: "rejected",
        OrderStatus.UNKNOWN: "pending_review",
    }
)
_encode = msgspec.json.Encoder(decimal_format="string").encode


def json_response(content: object, *, status: int = 200) -> Response:
    """Return an answer with this JSON."""
    return Response(_encode(content), status_code=status, media_type="application/json")


def money(value: Decimal | None) -> str | None:
    """Return an amount as Alpaca writes it: a plain number in text, at most nine decimals."""
    if value is None:
        return None
    exponent = value.as_tuple().exponent
    rounded = value.quantize(_PLACES) if isinstance(exponent, int) and exponent < -9 else value  # noqa: PLR2004 - places
    return f"{plain(rounded):f}"


def moment(value: datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def asset_id_of(symbol: str) -> UUID:
    """Return the id of a symbol, the same on every installation."""
    return uuid5(NAMESPACE_OID, f"alphintra/asset/{symbol}")


def asset_class_of(symbol: str) -> str:
    """Return the class of a symbol: pairs with a slash are crypto."""
    return "crypto" if "/" in symbol else "us_equity"


def exchange_of(symbol: str) -> str:
    """Return the exchange, empty where the platform does not know it."""
    return "CRYPTO" if "/" in symbol else ""


def status_of_order(status: OrderStatus) -> str:
    """Return the state of an order in Alpaca's words."""
    return _STATUS.get(status, status.value)


def order_shape(order: LegView, *, is_nested: bool = True) -> Shape:
    """Return an order; with its legs where ``is_nested`` and it has some."""
    legs = order.legs if isinstance(order, OrderView) and is_nested else ()
    # A gtd order is shown as gtc with its end: Alpaca has no word for it.
    in_force = TimeInForce.GTC if order.time_in_force is TimeInForce.GTD else order.time_in_force
    return {
        "id": order.order_id,
        "client_order_id": order.client_order_id,
        "created_at": moment(order.created_at),
        "updated_at": moment(order.updated_at),
        "submitted_at": moment(order.submitted_at or order.created_at),
        "filled_at": moment(order.filled_at),
        "expired_at": moment(order.expired_at),
        "expires_at": moment(order.expire_at),
        "canceled_at": moment(order.canceled_at),
        "failed_at": moment(order.failed_at),
        "replaced_at": moment(order.replaced_at),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": asset_id_of(order.symbol),
        "symbol": order.symbol,
        "asset_class": asset_class_of(order.symbol),
        "notional": money(order.notional),
        "qty": money(order.qty),
        "filled_qty": money(order.filled_qty),
        "filled_avg_price": money(order.filled_avg_price),
        "order_class": "" if order.order_class is OrderClass.SIMPLE else order.order_class.value,
        "order_type": order.type.value,
        "type": order.type.value,
        "side": order.side.value,
        "position_intent": None if order.position_intent is None else order.position_intent.value,
        "time_in_force": in_force.value,
        "limit_price": money(order.limit_price),
        "stop_price": money(order.stop_price),
        "status": status_of_order(order.status),
        "extended_hours": order.extended_hours,
        "legs": [order_shape(leg) for leg in legs] or None,
        "trail_percent": money(order.trail_percent),
        "trail_price": money(order.trail_price),
        "hwm": money(order.hwm),
        "subtag": None,
        "source": None,
    }


def asset_shape(symbol: str, dataset: DatasetView | None, *, may_short: bool) -> Shape:
    """Return an asset; one the catalogue has no prices of is inactive and not tradable."""
    is_known = dataset is not None
    return {
        "id": asset_id_of(symbol),
        "class": asset_class_of(symbol),
        "exchange": exchange_of(symbol),
        "symbol": symbol,
        "name": symbol,
        "status": "active" if is_known else "inactive",
        "tradable": is_known,
        "marginable": False,
        "shortable": is_known and may_short,
        "easy_to_borrow": is_known and may_short,
        "fractionable": is_known,
        "attributes": [],
    }
