"""What an order asks of the book in the worst case, for every type, by quantity and by amount of money."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphintra.engine.pretrade.claims import claim_of
from alphintra.engine.pretrade.orders import check_order
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Leg, OrderType, PositionIntent, Side, TimeInForce
from unit.risk.books import NOON, TICK, order

BUY, SELL = Side.BUY, Side.SELL
STOP, STOP_LIMIT, TRAILING = OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP


@pytest.mark.parametrize(
    ("side", "limit", "more", "price"),
    [
        (BUY, None, {}, "105"),
        (SELL, None, {}, "105"),
        (BUY, "90", {}, "90"),
        (SELL, "90", {}, "100"),
        (SELL, "120", {}, "120"),
        (BUY, None, {"type": STOP, "stop_price": Decimal(120)}, "126"),
        (BUY, None, {"type": STOP, "stop_price": Decimal(80)}, "105"),
        (BUY, "130", {"type": STOP_LIMIT, "stop_price": Decimal(120)}, "130"),
        (BUY, None, {"type": TRAILING, "trail_price": Decimal(20)}, "126"),
        (BUY, None, {"type": TRAILING, "trail_percent": Decimal(10)}, "115.5"),
        (SELL, None, {"type": TRAILING, "trail_percent": Decimal(10)}, "105"),
    ],
)
def test_an_order_counts_at_the_worst_price_of_its_type(
    side: Side, limit: str | None, more: dict[str, Any], price: str
) -> None:
    claim = claim_of(check_order(order(side, "2", limit, **more)), Decimal(100))
    assert claim is not None
    assert (claim.price, claim.value) == (Decimal(price), 2 * Decimal(price))
    assert claim.cash == (2 * Decimal(price) if side is BUY else 0)


def test_an_amount_of_money_claims_exactly_itself_and_the_most_units_it_may_buy() -> None:
    claim = claim_of(check_order(order(BUY, None, notional=Decimal(100))), Decimal(3))
    assert claim is not None
    assert claim.cash == claim.value == 100
    assert claim.qty == Decimal("33.333333334")
    cheaper = claim_of(order(BUY, None, "2", notional=Decimal(100)), Decimal(3))
    assert cheaper is not None
    assert cheaper.qty == 50


def test_what_only_reduces_a_position_claims_no_cash() -> None:
    for more in ({"reduce_only": True}, {"position_intent": PositionIntent.BUY_TO_CLOSE}):
        claim = claim_of(order(BUY, "2", **more), Decimal(100))
        assert claim is not None
        assert claim.cash == claim.added_cash == 0
        assert claim.value == 210


def test_without_a_price_only_a_limit_tells() -> None:
    assert claim_of(order(BUY, "2"), None) is None
    assert claim_of(order(BUY, None, notional=Decimal(5)), None) is None
    limited = claim_of(order(BUY, "2", "7"), None)
    assert limited is not None
    assert limited.cash == 14


@settings(deadline=None)
@given(st.decimals("0.000000001", 10**9, places=9), st.decimals("0.000000001", 10**6, places=9))
def test_the_units_of_an_amount_are_worth_it_and_not_a_tick_more_than_needed(money: Decimal, price: Decimal) -> None:
    claim = claim_of(order(BUY, None, notional=money), price)
    assert claim is not None
    assert claim.qty * price >= money or claim.qty == 10**18
    assert (claim.qty - TICK) * price < money


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"qty": None}, "ORDER_FIELD_REQUIRED", "/terms/qty"),
        ({"notional": Decimal(5)}, "ORDER_FIELD_FORBIDDEN", "/terms/notional"),
        ({"qty": None, "notional": Decimal(0)}, "QTY_NOT_POSITIVE", "/terms/notional"),
        ({"type": STOP}, "ORDER_FIELD_REQUIRED", "/terms/stop_price"),
        ({"type": STOP_LIMIT, "stop_price": Decimal(1)}, "ORDER_FIELD_REQUIRED", "/terms/limit_price"),
        ({"stop_price": Decimal(1)}, "ORDER_FIELD_FORBIDDEN", "/terms/stop_price"),
        ({"trail_price": Decimal(1)}, "ORDER_FIELD_FORBIDDEN", "/terms/trail_price"),
        ({"type": TRAILING}, "ORDER_FIELD_REQUIRED", "/terms/trail_price"),
        (
            {"type": TRAILING, "trail_price": Decimal(1), "trail_percent": Decimal(1)},
            "ORDER_FIELD_FORBIDDEN",
            "/terms/trail_price",
        ),
        ({"type": TRAILING, "trail_percent": Decimal(100)}, "ORDER_FIELD_RANGE", "/terms/trail_percent"),
        ({"time_in_force": TimeInForce.GTD}, "ORDER_FIELD_REQUIRED", "/terms/expire_at"),
        ({"expire_at": NOON}, "ORDER_FIELD_FORBIDDEN", "/terms/expire_at"),
        ({"position_intent": PositionIntent.SELL_TO_OPEN}, "ORDER_FIELD_FORBIDDEN", "/terms/position_intent"),
        (
            {"leg": Leg.STOP_LOSS, "group_id": order(BUY, "1").order_id},
            "ORDER_FIELD_REQUIRED",
            "/terms/reduce_only",
        ),
    ],
)
def test_a_field_that_does_not_fit_the_type_is_named(fields: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(AlphintraError) as refused:
        check_order(order(BUY, "1", **fields) if "qty" not in fields else order(BUY, **fields))
    assert (refused.value.code, refused.value.pointer) == (code, pointer)
