"""Positions in Alpaca's terms: an account's net holding of each symbol, over all its books."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from alphintra.contracts.books import PositionView
from alphintra.contracts.orders import OrderView
from alphintra.contracts.risk import ExposureView, RiskStateView
from alphintra.contracts.trading import SubmitOrder
from alphintra.edge.alpaca.desk import Desk, desk_of
from alphintra.edge.alpaca.errors import error_body, refused
from alphintra.edge.alpaca.orders import cancel_every_order, denial_of
from alphintra.edge.alpaca.reading import Fields, query_of
from alphintra.edge.alpaca.shapes import asset_class_of, asset_id_of, exchange_of, json_response, money, order_shape
from alphintra.edge.guards import Scope
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.money import require_positive, round_quantity_down
from alphintra.kernel.vocabulary import OrderStatus, OrderType, Side, TimeInForce

__all__ = ["Holding", "close_all_positions", "close_position", "get_position", "holdings_of", "list_positions"]

HUNDRED: Final = Decimal(100)
QTY_LOT: Final = Decimal("0.000000001")
_MULTI_STATUS: Final = 207


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What an account holds of a symbol; ``price`` is the last one risk has seen, None before the first."""

    symbol: str
    qty: Decimal
    cost: Decimal
    price: Decimal | None
    reserved: Decimal

    @property
    def market_value(self) -> Decimal | None:
        """Quantity at the last price; negative for a short position."""
        return None if self.price is None else self.qty * self.price


def holdings_of(positions: Sequence[PositionView], risk: RiskStateView) -> dict[str, Holding]:
    """Return the open net positions by symbol."""
    exposures = {item.symbol: item for item in risk.exposures}
    totals: dict[str, tuple[Decimal, Decimal]] = {}
    for item in positions:
        qty, cost = totals.get(item.symbol, (Decimal(0), Decimal(0)))
        totals[item.symbol] = qty + item.qty, cost + item.qty * item.avg_price
    return {symbol: _holding(symbol, qty, cost, exposures.get(symbol)) for symbol, (qty, cost) in totals.items() if qty}


def _holding(symbol: str, qty: Decimal, cost: Decimal, exposure: ExposureView | None) -> Holding:
    reserved = Decimal(0)
    if exposure is not None:
        reserved = exposure.reserved_sell_qty if qty > 0 else exposure.reserved_buy_qty
    price = None if exposure is None else exposure.last_price
    return Holding(symbol=symbol, qty=qty, cost=cost, price=price, reserved=reserved)


def _shape(holding: Holding) -> dict[str, Any]:
    value = holding.market_value
    profit = None if value is None else value - holding.cost
    share = None if profit is None or not holding.cost else profit / abs(holding.cost)
    return {
        "asset_id": asset_id_of(holding.symbol),
        "symbol": holding.symbol,
        "exchange": exchange_of(holding.symbol),
        "asset_class": asset_class_of(holding.symbol),
        "asset_marginable": False,
        "qty": money(holding.qty),
        "qty_available": money(max(abs(holding.qty) - holding.reserved, Decimal(0))),
        "avg_entry_price": money(holding.cost / holding.qty),
        "side": "long" if holding.qty > 0 else "short",
        "market_value": money(value),
        "cost_basis": money(holding.cost),
        "unrealized_pl": money(profit),
        "unrealized_plpc": money(share),
        "unrealized_intraday_pl": None,
        "unrealized_intraday_plpc": None,
        "current_price": money(holding.price),
        "lastday_price": None,
        "change_today": None,
    }


async def _holdings(desk: Desk) -> Mapping[str, Holding]:
    return holdings_of(*await asyncio.gather(desk.positions(), desk.risk()))


async def _holding_at(request: Request, desk: Desk) -> Holding:
    text = request.path_params["symbol"]
    holdings = await _holdings(desk)
    wanted = text.strip().upper()
    for symbol, holding in holdings.items():
        if wanted in {symbol, symbol.replace("/", ""), str(asset_id_of(symbol)).upper()}:
            return holding
    message = f"position does not exist: {text[:40]}"
    raise refused("POSITION_NOT_FOUND", message, kind=Kind.NOT_FOUND)


async def list_positions(request: Request) -> Response:
    """List open positions, by symbol."""
    desk = await desk_of(request, Scope.READ)
    holdings = await _holdings(desk)
    return json_response([_shape(holdings[symbol]) for symbol in sorted(holdings)])


async def get_position(request: Request) -> Response:
    """Fetch the open position of a symbol or asset id."""
    desk = await desk_of(request, Scope.READ)
    return json_response(_shape(await _holding_at(request, desk)))


async def close_position(request: Request) -> Response:
    """Close a position, or ``qty`` or ``percentage`` of it, with a market order; answers the order."""
    desk = await desk_of(request, Scope.TRADE)
    holding = await _holding_at(request, desk)
    order = await desk.caller.ask(_closing(desk, holding, _part(query_of(request), holding)))
    return denial_of(order) or json_response(order_shape(order))


async def close_all_positions(request: Request) -> Response:
    """Close every position with a market order each, on request after cancelling all open orders."""
    desk = await desk_of(request, Scope.TRADE)
    if query_of(request).flag("cancel_orders"):
        await cancel_every_order(desk)
    holdings = await _holdings(desk)
    closing = [_closed(desk, holdings[symbol]) for symbol in sorted(holdings)]
    return json_response(await asyncio.gather(*closing), status=_MULTI_STATUS)


async def _closed(desk: Desk, holding: Holding) -> dict[str, object]:
    try:
        order = await desk.caller.ask(_closing(desk, holding, abs(holding.qty)))
    except AlphintraError as error:
        status, body = error_body(error)
        return {"symbol": holding.symbol, "status": status, "body": body}
    if order.status is OrderStatus.DENIED:
        return {"symbol": holding.symbol, "status": 403, "body": _denied(order, holding)}
    return {"symbol": holding.symbol, "status": 200, "order_id": order.order_id, "body": order_shape(order)}


def _denied(order: OrderView, holding: Holding) -> dict[str, object]:
    _, body = error_body(AlphintraError("ORDER_DENIED", order.reason or "risk refused it", kind=Kind.FORBIDDEN))
    held = {"existing_qty": abs(holding.qty), "held_for_orders": holding.reserved, "symbol": holding.symbol}
    return {**body, **held}


def _part(query: Fields, holding: Holding) -> Decimal:
    qty, percentage = query.amount("qty"), query.amount("percentage")
    if qty is not None and percentage is not None:
        raise refused("ORDER_FIELD_FORBIDDEN", "give qty or percentage, not both", pointer="/percentage")
    held = abs(holding.qty)
    if qty is not None:
        if require_positive(qty, pointer="/qty") > held:
            message = f"insufficient qty available for order (requested: {qty}, available: {held})"
            raise refused("QTY_MAX", message, kind=Kind.FORBIDDEN, pointer="/qty")
        return qty
    if percentage is None:
        return held
    if not 0 < percentage <= HUNDRED:
        raise refused("FIELD_RANGE", "percentage must be above 0 and at most 100", pointer="/percentage")
    return round_quantity_down(held * percentage / HUNDRED, lot=QTY_LOT)


def _closing(desk: Desk, holding: Holding, qty: Decimal) -> SubmitOrder:
    return SubmitOrder(
        account_id=desk.account_id,
        client_order_id=str(desk.caller.gate.ids.new()),
        symbol=holding.symbol,
        side=Side.SELL if holding.qty > 0 else Side.BUY,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.GTC if "/" in holding.symbol else TimeInForce.DAY,
        qty=require_positive(qty, pointer="/qty"),
        reduce_only=True,
    )
