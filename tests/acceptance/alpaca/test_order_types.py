"""Every type, class and time in force of orders through the unmodified alpaca-py, until they are filled or gone."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the library's own imports
    from alpaca.common.exceptions import APIError
    from alpaca.trading.enums import OrderClass, OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
    from alpaca.trading.requests import (
        GetOrdersRequest,
        LimitOrderRequest,
        MarketOrderRequest,
        ReplaceOrderRequest,
        StopLimitOrderRequest,
        StopLossRequest,
        StopOrderRequest,
        TakeProfitRequest,
        TrailingStopOrderRequest,
    )

if TYPE_CHECKING:
    from acceptance.alpaca.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

BUY, SELL = OrderSide.BUY, OrderSide.SELL
DAY, GTC, IOC, FOK, OPG, CLS = (getattr(TimeInForce, name) for name in ("DAY", "GTC", "IOC", "FOK", "OPG", "CLS"))


def bought(desk: Desk, qty: float, *, to: int = 2) -> None:
    """Hold shares, bought at the next open."""
    order = desk.trading.submit_order(MarketOrderRequest(symbol=desk.symbol, qty=qty, side=BUY, time_in_force=DAY))
    desk.step(to)
    desk.order(order.id, OrderStatus.FILLED)


def test_each_type_and_time_in_force_fills_at_its_price_or_dies_as_it_should(desk: Desk) -> None:
    # The second bar opens at 101, reaches 103 and 99, and closes at 102.
    def asked(kind: Any, tif: TimeInForce, **fields: Any) -> Any:  # noqa: ANN401 - of the library
        amount = {} if "notional" in fields else {"qty": 2}
        return kind(symbol=desk.symbol, side=BUY, time_in_force=tif, **{**amount, **fields})

    wanted = [
        (asked(MarketOrderRequest, DAY), OrderStatus.FILLED, "101"),
        (asked(MarketOrderRequest, DAY, notional=505), OrderStatus.FILLED, "101"),
        (asked(LimitOrderRequest, GTC, limit_price=99.5), OrderStatus.FILLED, "99.5"),
        (asked(LimitOrderRequest, DAY, limit_price=99.25, extended_hours=True), OrderStatus.FILLED, "99.25"),
        (asked(StopOrderRequest, DAY, stop_price=102.5), OrderStatus.FILLED, "102.5"),
        (asked(StopLimitOrderRequest, GTC, stop_price=102, limit_price=102.75), OrderStatus.FILLED, "102"),
        (asked(LimitOrderRequest, IOC, limit_price=90), OrderStatus.CANCELED, None),
        (asked(MarketOrderRequest, IOC), OrderStatus.FILLED, "101"),
        (asked(MarketOrderRequest, FOK), OrderStatus.FILLED, "101"),
        (asked(MarketOrderRequest, OPG), OrderStatus.FILLED, "101"),
        (asked(LimitOrderRequest, CLS, limit_price=105), OrderStatus.FILLED, "102"),
        (asked(LimitOrderRequest, DAY, limit_price=50), OrderStatus.EXPIRED, None),
    ]
    placed = [(desk.trading.submit_order(request), request) for request, _, _ in wanted]
    for order, request in placed:
        assert (order.type, order.time_in_force, order.side) == (request.type, request.time_in_force, BUY)
    desk.step(3)
    for (order, _), (_, status, price) in zip(placed, wanted, strict=True):
        ended = desk.order(order.id, status)
        assert ended.filled_avg_price == price, order
        assert (ended.filled_at is None) is (price is None)
    assert desk.trading.get_order_by_id(placed[1][0].id).filled_qty == "5"
    assert desk.trading.get_orders() == []


def test_a_trailing_stop_follows_the_price_and_sells_as_it_turns(desk: Desk) -> None:
    bought(desk, 10)
    order = desk.trading.submit_order(
        TrailingStopOrderRequest(symbol=desk.symbol, qty=10, side=SELL, time_in_force=GTC, trail_price=3)
    )
    assert (order.trail_price, order.trail_percent, order.order_type.value) == ("3", None, "trailing_stop")
    desk.order(order.id, OrderStatus.NEW)
    closer = desk.trading.replace_order_by_id(order.id, ReplaceOrderRequest(trail=1.5))
    desk.order(order.id, OrderStatus.REPLACED)
    desk.step(3)  # opens at 102: the stop is at 100.5, and the low is 100
    filled = desk.order(closer.id, OrderStatus.FILLED)
    assert (filled.trail_price, filled.filled_avg_price) == ("1.5", "100.5")


@pytest.mark.usefixtures("stream")
def test_a_bracket_takes_the_profit_and_drops_the_stop(desk: Desk) -> None:
    bracket = desk.trading.submit_order(
        MarketOrderRequest(
            symbol=desk.symbol,
            qty=10,
            side=BUY,
            time_in_force=GTC,
            order_class=OrderClass.BRACKET,
            take_profit=TakeProfitRequest(limit_price=104.5),
            stop_loss=StopLossRequest(stop_price=90, limit_price=89),
        )
    )
    profit, stop = bracket.legs
    assert (bracket.order_class, profit.status, stop.status) == (OrderClass.BRACKET, OrderStatus.HELD, OrderStatus.HELD)
    assert (profit.limit_price, stop.stop_price, stop.limit_price, stop.side) == ("104.5", "90", "89", SELL)
    desk.order(bracket.id, OrderStatus.NEW)
    (nested,) = desk.trading.get_orders(GetOrdersRequest(nested=True))
    assert [leg.id for leg in nested.legs] == [profit.id, stop.id]
    flat = desk.trading.get_orders(GetOrdersRequest(status=QueryOrderStatus.OPEN))
    assert {(order.id, order.legs is None) for order in flat} == {
        (one, True) for one in (bracket.id, profit.id, stop.id)
    }
    desk.step(2)
    desk.order(bracket.id, OrderStatus.FILLED)
    desk.order(profit.id, OrderStatus.NEW)
    desk.order(stop.id, OrderStatus.NEW)
    desk.step(4)
    assert desk.order(profit.id, OrderStatus.FILLED).filled_avg_price == "104.5"
    desk.order(stop.id, OrderStatus.CANCELED)
    desk.until(desk.trading.get_all_positions, lambda found: found == [])
    desk.told(("fill", bracket.id), ("new", profit.id), ("fill", profit.id), ("canceled", stop.id))


def test_an_oto_protects_what_it_bought_and_an_oco_sells_it_once(desk: Desk) -> None:
    oto = desk.trading.submit_order(
        LimitOrderRequest(
            symbol=desk.symbol,
            qty=5,
            side=BUY,
            time_in_force=GTC,
            limit_price=99,
            order_class=OrderClass.OTO,
            stop_loss=StopLossRequest(stop_price=80),
        )
    )
    (leg,) = oto.legs
    desk.step(2)
    assert desk.order(oto.id, OrderStatus.FILLED).filled_avg_price == "99"
    desk.order(leg.id, OrderStatus.NEW)
    desk.trading.cancel_order_by_id(leg.id)
    desk.order(leg.id, OrderStatus.CANCELED)
    oco = desk.trading.submit_order(
        LimitOrderRequest(
            symbol=desk.symbol,
            qty=5,
            side=SELL,
            time_in_force=GTC,
            order_class=OrderClass.OCO,
            take_profit=TakeProfitRequest(limit_price=150),
            stop_loss=StopLossRequest(stop_price=100.5),
        )
    )
    (stop,) = oco.legs
    assert (oco.limit_price, oco.order_class, stop.stop_price) == ("150", OrderClass.OCO, "100.5")
    desk.step(3)  # its low is 100
    assert desk.order(stop.id, OrderStatus.FILLED).filled_avg_price == "100.5"
    desk.order(oco.id, OrderStatus.CANCELED)
    desk.until(desk.trading.get_all_positions, lambda found: found == [])


@pytest.mark.usefixtures("stream")
def test_a_chain_of_replacements_is_told_and_only_its_end_works(desk: Desk) -> None:
    first = desk.trading.submit_order(
        LimitOrderRequest(symbol=desk.symbol, qty=10, side=BUY, time_in_force=GTC, limit_price=50)
    )
    desk.order(first.id, OrderStatus.NEW)
    second = desk.trading.replace_order_by_id(first.id, ReplaceOrderRequest(qty=7, limit_price=51.5))
    assert (second.id != first.id, second.replaces, second.qty, second.limit_price) == (True, first.id, "7", "51.5")
    desk.order(second.id, OrderStatus.NEW)
    assert desk.order(first.id, OrderStatus.REPLACED).replaced_by == second.id
    third = desk.trading.replace_order_by_id(
        second.id, ReplaceOrderRequest(limit_price=101.25, time_in_force=DAY, client_order_id="the-last")
    )
    assert (third.client_order_id, third.time_in_force) == ("the-last", DAY)
    desk.step(2)
    assert desk.order(third.id, OrderStatus.FILLED).filled_qty == "7"
    assert desk.trading.get_open_position(desk.symbol).qty == "7"
    for ended in (first, third):
        with pytest.raises(APIError) as refused:
            desk.trading.replace_order_by_id(ended.id, ReplaceOrderRequest(qty=9))
        assert (refused.value.status_code, refused.value.code) == (422, 42210000)
    told = desk.told(("replaced", first.id), ("new", second.id), ("replaced", second.id), ("fill", third.id))
    assert told.index(("pending_replace", first.id)) < told.index(("replaced", first.id))
    assert told.index(("new", second.id)) < told.index(("replaced", second.id)) < told.index(("fill", third.id))


@pytest.mark.usefixtures("stream")
def test_orders_that_expire_and_orders_the_venue_rejects_are_told(desk: Desk) -> None:
    away = LimitOrderRequest(symbol=desk.symbol, qty=1, side=BUY, time_in_force=DAY, limit_price=50)
    expiring = desk.trading.submit_order(away)
    desk.order(expiring.id, OrderStatus.NEW)
    desk.step(3)  # two days later
    assert desk.order(expiring.id, OrderStatus.EXPIRED).expired_at is not None
    path = f"/accounts/{desk.account_id}/paper-settings"
    desk.person.api.put(path, {"reject_bps": "10000"})
    rejected = desk.trading.submit_order(away)
    desk.step(4)
    assert desk.order(rejected.id, OrderStatus.REJECTED).failed_at is not None
    told = desk.told(("expired", expiring.id), ("rejected", rejected.id))
    assert told.index(("new", expiring.id)) < told.index(("expired", expiring.id))


def test_a_replacement_risk_refuses_leaves_the_order_as_it_is(desk: Desk) -> None:
    resting = desk.trading.submit_order(
        LimitOrderRequest(symbol=desk.symbol, qty=10, side=BUY, time_in_force=GTC, limit_price=50)
    )
    desk.order(resting.id, OrderStatus.NEW)
    with pytest.raises(APIError) as refused:
        desk.trading.replace_order_by_id(resting.id, ReplaceOrderRequest(qty=99_999))
    assert (refused.value.status_code, refused.value.code) == (403, 40310000)
    assert desk.order(resting.id, OrderStatus.NEW).qty == "10"


def test_orders_that_cannot_be_are_refused_with_a_number_and_leave_no_trace(desk: Desk) -> None:
    whole = {"symbol": desk.symbol, "side": "buy", "type": "market", "time_in_force": "day", "qty": "1"}
    for changes in (
        {"type": "limit"},
        {"limit_price": "10"},
        {"qty": "NaN"},
        {"qty": "-1"},
        {"qty": "1_000"},
        {"notional": "100"},
        {"type": "stop", "stop_price": "200", "time_in_force": "ioc"},
        {"type": "trailing_stop"},
        {"type": "limit", "limit_price": "90", "order_class": "bracket"},
        {"client_order_id": "x" * 129},
        {"client_order_id": "two\nlines"},
        {"side": "short"},
    ):
        with pytest.raises(APIError) as refused:
            desk.trading.post("/orders", {**whole, **changes})
        assert (refused.value.status_code, refused.value.code) == (422, 42210000), changes
    everything = GetOrdersRequest(status=QueryOrderStatus.ALL)
    assert desk.trading.get_orders(everything) == []
    with pytest.raises(APIError) as unknown:
        desk.trading.post("/orders", {**whole, "symbol": "NOT-THERE"})
    assert (unknown.value.status_code, unknown.value.code) == (403, 40310000)
    assert [order.status for order in desk.trading.get_orders(everything)] == [OrderStatus.REJECTED]
