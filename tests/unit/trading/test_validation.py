"""Which fields go with which type, time in force and group; each refusal with its code and place."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, PositionIntent, Side, TimeInForce
from alphintra.trading.domain.groups import StopLoss, TakeProfit, orders_asked
from alphintra.trading.domain.orders import NewOrder, order_id_of
from alphintra.trading.domain.validation import require_unexpired, validate
from unit.trading.orders import ACCOUNT_ID, LATER, NOON, asked

T, F = OrderType, TimeInForce
PRICES: dict[OrderType, dict[str, Any]] = {
    T.MARKET: {},
    T.LIMIT: {"limit_price": Decimal(100)},
    T.STOP: {"stop_price": Decimal(90)},
    T.STOP_LIMIT: {"stop_price": Decimal(90), "limit_price": Decimal(89)},
    T.TRAILING_STOP: {"trail_percent": Decimal(5)},
}
PROFIT, LOSS = TakeProfit(limit_price=Decimal(120)), StopLoss(stop_price=Decimal(90))


def order_of(type_: OrderType, **fields: Any) -> NewOrder:  # noqa: ANN401 - those of NewOrder
    """Return a good order of a type, with some fields otherwise."""
    return asked(**{"type": type_, **PRICES[type_], **fields})


def refusal_of(order: NewOrder) -> tuple[str, str] | None:
    """Return code and place of the refusal of an order, None if it is fine."""
    try:
        validate(order)
    except AlphintraError as error:
        return error.code, error.pointer
    return None


def group_refusal(
    take_profit: TakeProfit | None = PROFIT,
    stop_loss: StopLoss | None = LOSS,
    **fields: Any,  # noqa: ANN401 - those of NewOrder
) -> tuple[str, str] | None:
    """Return code and place of the refusal of a group, a bracket unless said otherwise."""
    try:
        orders_asked(asked(**{"order_class": OrderClass.BRACKET, **fields}), take_profit, stop_loss)
    except AlphintraError as error:
        return error.code, error.pointer
    return None


@pytest.mark.parametrize(("type_", "tif"), list(product(OrderType, TimeInForce)))
def test_every_type_and_time_in_force_is_taken_or_refused_by_rule(type_: OrderType, tif: TimeInForce) -> None:
    expire_at = LATER if tif is F.GTD else None
    waits = type_ not in {T.MARKET, T.LIMIT} and tif in {F.IOC, F.FOK, F.OPG, F.CLS}
    expected = ("ORDER_UNSUPPORTED", "/time_in_force") if waits else None
    assert refusal_of(order_of(type_, time_in_force=tif, expire_at=expire_at)) == expected


@pytest.mark.parametrize(("type_", "name"), list(product(OrderType, ["limit_price", "stop_price"])))
def test_each_price_is_required_by_its_types_and_forbidden_to_the_others(type_: OrderType, name: str) -> None:
    if name in PRICES[type_]:
        assert refusal_of(order_of(type_, **{name: None})) == ("ORDER_FIELD_REQUIRED", f"/{name}")
        assert refusal_of(order_of(type_, **{name: Decimal(0)})) == ("QTY_NOT_POSITIVE", f"/{name}")
        assert refusal_of(order_of(type_, **{name: Decimal("NaN")})) == ("NUMBER_NOT_FINITE", f"/{name}")
    else:
        assert refusal_of(order_of(type_, **{name: Decimal(1)})) == ("ORDER_FIELD_FORBIDDEN", f"/{name}")


@pytest.mark.parametrize("name", ["trail_price", "trail_percent"])
def test_a_trail_belongs_to_trailing_stops_alone(name: str) -> None:
    for type_ in set(OrderType) - {T.TRAILING_STOP}:
        assert refusal_of(order_of(type_, **{name: Decimal(1)})) == ("ORDER_FIELD_FORBIDDEN", f"/{name}")
    bare = {"trail_percent": None, "trail_price": None}
    assert refusal_of(order_of(T.TRAILING_STOP, **(bare | {name: Decimal(1)}))) is None
    assert refusal_of(order_of(T.TRAILING_STOP, **(bare | {name: Decimal(-1)}))) == ("QTY_NOT_POSITIVE", f"/{name}")


def test_a_trailing_stop_has_one_distance_below_the_whole_price() -> None:
    assert refusal_of(order_of(T.TRAILING_STOP, trail_percent=None)) == ("ORDER_FIELD_REQUIRED", "/trail_price")
    both = order_of(T.TRAILING_STOP, trail_price=Decimal(1))
    assert refusal_of(both) == ("ORDER_FIELD_FORBIDDEN", "/trail_percent")
    for percent, refusal in (("99.999999999", None), ("100", ("FIELD_RANGE", "/trail_percent"))):
        assert refusal_of(order_of(T.TRAILING_STOP, trail_percent=Decimal(percent))) == refusal


def test_an_order_says_how_much_once() -> None:
    assert refusal_of(asked(qty=None)) == ("ORDER_FIELD_REQUIRED", "/qty")
    assert refusal_of(asked(notional=Decimal(1))) == ("ORDER_FIELD_FORBIDDEN", "/notional")
    assert refusal_of(asked(qty=None, notional=Decimal(1))) is None
    for amount, code in (("0", "QTY_NOT_POSITIVE"), ("Infinity", "NUMBER_NOT_FINITE"), ("1E-10", "NUMBER_SCALE")):
        assert refusal_of(asked(qty=None, notional=Decimal(amount))) == (code, "/notional")


def test_only_a_gtd_order_has_an_end_and_it_has_a_zone() -> None:
    assert refusal_of(asked(expire_at=LATER)) == ("ORDER_FIELD_FORBIDDEN", "/expire_at")
    assert refusal_of(asked(time_in_force=F.GTD)) == ("ORDER_FIELD_REQUIRED", "/expire_at")
    naive = datetime(2026, 3, 2, 13)  # noqa: DTZ001 - what is refused
    assert refusal_of(asked(time_in_force=F.GTD, expire_at=naive)) == ("TIME_NO_ZONE", "/expire_at")


@pytest.mark.parametrize(("seconds", "is_past"), [(-1, True), (0, True), (1, False)])
def test_an_order_that_ends_before_it_begins_is_refused(seconds: int, *, is_past: bool) -> None:
    order = asked(time_in_force=F.GTD, expire_at=NOON + timedelta(seconds=seconds))
    if not is_past:
        require_unexpired(order, at=NOON)
        return
    with pytest.raises(AlphintraError) as caught:
        require_unexpired(order, at=NOON)
    assert (caught.value.code, caught.value.pointer) == ("EXPIRY_PAST", "/expire_at")


@pytest.mark.parametrize(
    ("fields", "is_fine"),
    [
        ({"type": T.LIMIT, "limit_price": Decimal(1)}, True),
        ({"type": T.LIMIT, "limit_price": Decimal(1), "time_in_force": F.GTC}, True),
        ({"type": T.LIMIT, "limit_price": Decimal(1), "time_in_force": F.IOC}, False),
        ({"type": T.MARKET}, False),
        ({"type": T.STOP, "stop_price": Decimal(1)}, False),
    ],
)
def test_extended_hours_are_for_limit_orders_that_rest(fields: dict[str, Any], *, is_fine: bool) -> None:
    expected = None if is_fine else ("ORDER_FIELD_FORBIDDEN", "/extended_hours")
    assert refusal_of(asked(extended_hours=True, **fields)) == expected


@pytest.mark.parametrize(("intent", "side"), list(product(PositionIntent, Side)))
def test_a_position_intent_goes_with_its_side_and_not_with_reduce_only_where_it_opens(
    intent: PositionIntent, side: Side
) -> None:
    fits = intent.value.startswith(side.value)
    refusal = ("ORDER_FIELD_FORBIDDEN", "/position_intent")
    assert refusal_of(asked(position_intent=intent, side=side)) == (None if fits else refusal)
    opens = intent.value.endswith("open")
    expected = None if fits and not opens else refusal
    assert refusal_of(asked(position_intent=intent, side=side, reduce_only=True)) == expected


def test_a_bracket_becomes_an_entry_and_two_exits_that_only_reduce() -> None:
    head, profit, loss = orders_asked(
        asked(order_class=OrderClass.BRACKET, time_in_force=F.GTC), PROFIT, StopLoss(trail_price=Decimal(3))
    )
    group_id = order_id_of(ACCOUNT_ID, "c-1")
    assert {order.group_id for order in (head, profit, loss)} == {group_id}
    assert [order.leg for order in (head, profit, loss)] == [Leg.ENTRY, Leg.TAKE_PROFIT, Leg.STOP_LOSS]
    assert [order.client_order_id for order in (head, profit, loss)] == ["c-1", "c-1-tp", "c-1-sl"]
    assert [(order.type, order.side, order.reduce_only) for order in (head, profit, loss)] == [
        (T.MARKET, Side.BUY, False),
        (T.LIMIT, Side.SELL, True),
        (T.TRAILING_STOP, Side.SELL, True),
    ]
    assert {(order.qty, order.time_in_force, order.symbol) for order in (head, profit, loss)} == {
        (Decimal(10), F.GTC, "AAPL")
    }


@pytest.mark.parametrize(
    ("wish", "type_"),
    [
        (StopLoss(stop_price=Decimal(90)), T.STOP),
        (StopLoss(stop_price=Decimal(90), limit_price=Decimal(89)), T.STOP_LIMIT),
        (StopLoss(trail_percent=Decimal(5)), T.TRAILING_STOP),
    ],
)
def test_the_fields_of_a_stop_loss_say_its_type(wish: StopLoss, type_: OrderType) -> None:
    _head, loss = orders_asked(asked(order_class=OrderClass.OTO), None, wish)
    assert (loss.type, loss.leg) == (type_, Leg.STOP_LOSS)


@pytest.mark.parametrize(
    ("entry", "leg"), [(F.DAY, F.DAY), (F.GTC, F.GTC), (F.GTD, F.GTD), (F.IOC, F.GTC), (F.OPG, F.GTC)]
)
def test_exits_rest_as_long_as_the_entry_or_until_canceled(entry: TimeInForce, leg: TimeInForce) -> None:
    expire_at = LATER if entry is F.GTD else None
    wish = asked(order_class=OrderClass.OTO, time_in_force=entry, expire_at=expire_at)
    _head, profit = orders_asked(wish, PROFIT, None)
    assert (profit.time_in_force, profit.expire_at) == (leg, expire_at)


@pytest.mark.parametrize("how", ["limit_price", "take_profit", "both"])
def test_an_oco_s_own_order_takes_the_profit(how: str) -> None:
    wish = asked(
        order_class=OrderClass.OCO,
        type=T.LIMIT,
        side=Side.SELL,
        limit_price=None if how == "take_profit" else Decimal(120),
    )
    head, loss = orders_asked(wish, None if how == "limit_price" else PROFIT, LOSS)
    assert (head.leg, head.limit_price, head.reduce_only, head.side) == (Leg.TAKE_PROFIT, Decimal(120), True, Side.SELL)
    assert (loss.leg, loss.side, loss.type, loss.client_order_id) == (Leg.STOP_LOSS, Side.SELL, T.STOP, "c-1-sl")


OCO: dict[str, Any] = {"order_class": OrderClass.OCO, "type": T.LIMIT, "side": Side.SELL, "limit_price": Decimal(120)}
OTO = {"order_class": OrderClass.OTO}
SIMPLE = {"order_class": OrderClass.SIMPLE}


@pytest.mark.parametrize(
    ("profit", "loss", "fields", "code", "pointer"),
    [
        (PROFIT, None, SIMPLE, "ORDER_FIELD_FORBIDDEN", "/take_profit"),
        (None, LOSS, SIMPLE, "ORDER_FIELD_FORBIDDEN", "/stop_loss"),
        (PROFIT, None, {}, "ORDER_FIELD_REQUIRED", "/stop_loss"),
        (None, LOSS, {}, "ORDER_FIELD_REQUIRED", "/take_profit"),
        (None, None, {}, "ORDER_FIELD_REQUIRED", "/take_profit"),
        (None, None, OTO, "ORDER_FIELD_REQUIRED", "/take_profit"),
        (PROFIT, LOSS, OTO, "ORDER_FIELD_FORBIDDEN", "/stop_loss"),
        (None, None, OCO, "ORDER_FIELD_REQUIRED", "/stop_loss"),
        (None, LOSS, OCO | {"type": T.MARKET, "limit_price": None}, "ORDER_FIELD_REQUIRED", "/type"),
        (None, LOSS, OCO | {"limit_price": None}, "ORDER_FIELD_REQUIRED", "/limit_price"),
        (PROFIT, LOSS, OCO | {"limit_price": Decimal(119)}, "ORDER_FIELD_FORBIDDEN", "/take_profit/limit_price"),
        (PROFIT, LOSS, {"reduce_only": True}, "ORDER_FIELD_FORBIDDEN", "/reduce_only"),
        (PROFIT, LOSS, {"qty": None, "notional": Decimal(9)}, "ORDER_FIELD_FORBIDDEN", "/notional"),
        (PROFIT, StopLoss(), {}, "ORDER_FIELD_REQUIRED", "/stop_loss/stop_price"),
        (
            PROFIT,
            StopLoss(stop_price=Decimal(1), trail_price=Decimal(1)),
            {},
            "ORDER_FIELD_FORBIDDEN",
            "/stop_loss/stop_price",
        ),
        (PROFIT, StopLoss(stop_price=Decimal(0)), {}, "QTY_NOT_POSITIVE", "/stop_loss/stop_price"),
        (TakeProfit(limit_price=Decimal("NaN")), LOSS, {}, "NUMBER_NOT_FINITE", "/take_profit/limit_price"),
        (
            TakeProfit(limit_price=Decimal(120), client_order_id="a b"),
            LOSS,
            {},
            "ORDER_ID_FORMAT",
            "/take_profit/client_order_id",
        ),
        (PROFIT, LOSS, {"client_order_id": "x" * 126}, "ORDER_ID_FORMAT", "/take_profit/client_order_id"),
        (
            TakeProfit(limit_price=Decimal(120), client_order_id="c-1-sl"),
            LOSS,
            {},
            "ORDER_ID_REUSED",
            "/stop_loss/client_order_id",
        ),
        (PROFIT, StopLoss(stop_price=Decimal(120)), {}, "ORDER_STOP_SIDE", "/stop_loss/stop_price"),
        (PROFIT, LOSS, {"side": Side.SELL}, "ORDER_STOP_SIDE", "/stop_loss/stop_price"),
        (PROFIT, LOSS, {"type": T.LIMIT, "limit_price": Decimal(90)}, "ORDER_STOP_SIDE", "/stop_loss/stop_price"),
        (PROFIT, LOSS, {"type": T.LIMIT, "limit_price": Decimal(120)}, "ORDER_STOP_SIDE", "/take_profit/limit_price"),
        (None, StopLoss(stop_price=Decimal(121)), OCO, "ORDER_STOP_SIDE", "/stop_loss/stop_price"),
    ],
)
def test_a_group_that_cannot_work_is_refused(
    profit: TakeProfit | None, loss: StopLoss | None, fields: dict[str, Any], code: str, pointer: str
) -> None:
    assert group_refusal(profit, loss, **fields) == (code, pointer)


def test_a_group_one_tick_on_the_right_side_is_taken() -> None:
    fields: dict[str, Any] = {"type": T.LIMIT, "limit_price": Decimal("119.99")}
    assert group_refusal(PROFIT, StopLoss(stop_price=Decimal("119.98")), **fields) is None
    short = {"side": Side.SELL}
    assert group_refusal(TakeProfit(limit_price=Decimal(89)), LOSS, **short) is None
