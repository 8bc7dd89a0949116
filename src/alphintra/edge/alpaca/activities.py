"""What happened to the account, in Alpaca's terms: executions, and money or shares that came and went otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from alphintra.contracts.books import ActivityView
from alphintra.contracts.orders import OrderView
from alphintra.contracts.trading import GetOrder, ListActivities
from alphintra.edge.alpaca.desk import Desk, desk_of
from alphintra.edge.alpaca.errors import refused
from alphintra.edge.alpaca.market import NEW_YORK, local_midnight
from alphintra.edge.alpaca.reading import Fields, query_of
from alphintra.edge.alpaca.shapes import json_response, moment, money, status_of_order
from alphintra.edge.guards import Scope
from alphintra.infrastructure.bus import BATCH_MAX
from alphintra.kernel.errors import AlphintraError

__all__ = ["list_activities", "list_activities_of_type"]

PAGE_MAX: Final = 100
FILL: Final = "FILL"
_INSTANT: Final = timedelta(microseconds=1)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
# What each kind of activity is called.
_TYPE_OF: Final[Mapping[str, str]] = MappingProxyType(
    {
        "fill": FILL,
        "deposit": "CSD",
        "withdrawal": "CSW",
        "reset": "JNLC",
        "dividend": "DIV",
        "interest": "INT",
        "funding": "CFEE",
        "fee": "FEE",
        "split": "SPLIT",
    }
)
_KIND_OF: Final[Mapping[str, str]] = MappingProxyType({name: kind for kind, name in _TYPE_OF.items()})
_GROUPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"TRANS": ("CSD", "CSW"), "JNL": ("JNLC",)})
# Types of Alpaca's that nothing here is of: asked for, they are an empty list.
_FOREIGN: Final = (
    "ACATC ACATS CIL DIVCGL DIVCGS DIVFEE DIVFT DIVNRA DIVROC DIVTW DIVTXEX DIVWH EXTRD FXTRD INTNRA INTPNL INTTW "
    "JNLS MA MEM MISC NC OCT OPASN OPCA OPCSH OPEXC OPEXP OPTRD OPXRC PTC PTR REORG SC SPIN SSO SSP SWP VOF WH"
)
_NEVER: Final = frozenset(_FOREIGN.split())


class Category(StrEnum):
    """Executions, or what else there is."""

    TRADE = "trade_activity"
    NON_TRADE = "non_trade_activity"


class Direction(StrEnum):
    """In which order of time."""

    ASC = "asc"
    DESC = "desc"


async def list_activities(request: Request) -> Response:
    """List activities of all types, of some, or of a category; newest first unless asked otherwise."""
    desk = await desk_of(request, Scope.READ)
    query = query_of(request)
    return json_response(await _activities(desk, query, _kinds(query)))


async def list_activities_of_type(request: Request) -> Response:
    """List activities of the type in the path."""
    desk = await desk_of(request, Scope.READ)
    return json_response(await _activities(desk, query_of(request), _kinds_of([request.path_params["activity_type"]])))


def _kinds(query: Fields) -> tuple[str, ...] | None:
    """Return which kinds are asked for, None for all. Raises ACTIVITY_TYPE_UNKNOWN or FIELD_*."""
    category = query.choice("category", Category)
    types = query.texts("activity_types")
    if category is not None and types:
        message = "category and activity_types cannot be used together"
        raise refused("FIELD_FORBIDDEN", message, pointer="/category")
    match category:
        case Category.TRADE:
            return ("fill",)
        case Category.NON_TRADE:
            return tuple(kind for kind in _TYPE_OF if kind != "fill")
        case None:
            return _kinds_of(types) if types else None


def _kinds_of(types: Sequence[str]) -> tuple[str, ...]:
    kinds: list[str] = []
    for name in (text.upper() for text in types):
        if name in _NEVER:
            continue
        if name not in _KIND_OF and name not in _GROUPS:
            message = f"invalid activity type: {name[:40]}"
            raise refused("ACTIVITY_TYPE_UNKNOWN", message, pointer="/activity_types")
        kinds += [_KIND_OF[one] for one in _GROUPS.get(name, (name,))]
    return tuple(kinds)


async def _activities(desk: Desk, query: Fields, kinds: tuple[str, ...] | None) -> list[dict[str, Any]]:
    after, until = _span(query)
    limit = query.whole("page_size", default=PAGE_MAX, most=PAGE_MAX)
    command = ListActivities(
        account_id=desk.account_id,
        kinds=kinds,
        after=after,
        until=until,
        page_token=query.text("page_token"),
        oldest_first=query.choice("direction", Direction) is Direction.ASC,
        limit=limit,
    )
    if kinds == ():
        return []
    found = (await desk.caller.ask(command)).activities
    orders = await _orders(desk, found)
    return [_shape(one, None if one.order_id is None else orders.get(one.order_id)) for one in found]


def _span(query: Fields) -> tuple[datetime | None, datetime | None]:
    """Return the instants that activities lie between. Raises TIME_* or FIELD_FORBIDDEN."""
    day, after, until = query.day("date"), query.moment("after"), query.moment("until")
    if day is None:
        return after, until
    if after is not None or until is not None:
        raise refused("FIELD_FORBIDDEN", "date cannot be used with after or until", pointer="/date")
    beginning = local_midnight(day)
    # ``after`` leaves out its own instant.
    return beginning - min(_INSTANT, beginning - _FIRST), local_midnight(day, days=1)


async def _orders(desk: Desk, activities: Sequence[ActivityView]) -> dict[UUID, OrderView]:
    """Return the orders that were executed; one that cannot be read at the moment is left out."""
    wanted = sorted({one.order_id for one in activities if one.order_id is not None})
    found: dict[UUID, OrderView] = {}
    for start in range(0, len(wanted), BATCH_MAX):
        requests = [(GetOrder(order_id=one), desk.caller.context) for one in wanted[start : start + BATCH_MAX]]
        outcomes = await desk.caller.gate.bus.ask_many(requests)
        found |= {one.order_id: one for one in outcomes if not isinstance(one, AlphintraError)}
    return found


def _shape(activity: ActivityView, order: OrderView | None) -> dict[str, Any]:
    base = {"id": activity.activity_id, "activity_type": _TYPE_OF.get(activity.kind, "MISC")}
    if base["activity_type"] == FILL:
        return base | _trade(activity, order)
    return base | {
        "date": activity.booked_at.astimezone(NEW_YORK).date().isoformat(),
        "created_at": moment(activity.booked_at),
        "net_amount": money(activity.net_amount),
        "description": activity.description,
        "symbol": activity.symbol or None,
        "qty": money(activity.qty) if activity.qty else None,
        "per_share_amount": None,
        "status": "executed",
    }


def _trade(activity: ActivityView, order: OrderView | None) -> dict[str, Any]:
    is_last = activity.leaves_qty == Decimal(0)
    return {
        "transaction_time": moment(activity.executed_at or activity.booked_at),
        "type": "fill" if is_last else "partial_fill",
        "price": money(activity.price),
        "qty": money(activity.qty),
        "side": None if activity.side is None else activity.side.value,
        "symbol": activity.symbol,
        "leaves_qty": money(activity.leaves_qty),
        "cum_qty": money(activity.cum_qty),
        "order_id": activity.order_id,
        "order_status": None if order is None else status_of_order(order.status),
    }
