"""What may become of a working order when another one is put in its place."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import TERMINAL, OrderStatus, OrderType, TimeInForce
from alphintra.trading.domain.orders import NewOrder, Order
from alphintra.trading.domain.replacing import Amendment, require_replaceable, successor
from unit.trading.orders import LATER, an_order

S = OrderStatus


def working(status: OrderStatus = S.NEW, **fields: Any) -> Order:  # noqa: ANN401 - those of NewOrder
    """Return a limit order for ten at 100."""
    return an_order(status, **{"type": OrderType.LIMIT, "limit_price": Decimal(100), **fields})


def amended(order: Order, **wish: Any) -> NewOrder:  # noqa: ANN401 - those of Amendment
    """Return the order that replaces one."""
    return successor(order, Amendment(**{"client_order_id": "c-2", **wish}))


def refusal_of(order: Order, **wish: Any) -> tuple[str, str]:  # noqa: ANN401 - those of Amendment
    """Return code and place of the refusal of a replacement."""
    with pytest.raises(AlphintraError) as caught:
        require_replaceable(order, amended(order, **wish))
    return caught.value.code, caught.value.pointer


def test_what_is_left_out_stays_as_it_was() -> None:
    old = working(reduce_only=True)
    new = amended(old, limit_price=Decimal(101))
    assert (new.limit_price, new.qty, new.symbol, new.reduce_only) == (Decimal(101), Decimal(10), "AAPL", True)
    assert (new.client_order_id, new.replaces) == ("c-2", old.order_id)


def test_an_order_can_become_good_till_a_date_and_back() -> None:
    dated = amended(working(), time_in_force=TimeInForce.GTD, expire_at=LATER)
    assert (dated.time_in_force, dated.expire_at) == (TimeInForce.GTD, LATER)
    back = amended(working(time_in_force=TimeInForce.GTD, expire_at=LATER), time_in_force=TimeInForce.GTC)
    assert (back.time_in_force, back.expire_at) == (TimeInForce.GTC, None)


def test_a_trail_can_change_its_measure() -> None:
    old = an_order(S.NEW, type=OrderType.TRAILING_STOP, trail_price=Decimal(3))
    new = amended(old, trail_percent=Decimal(5))
    assert (new.trail_price, new.trail_percent) == (None, Decimal(5))


@pytest.mark.parametrize(
    ("wish", "code", "pointer"),
    [
        ({}, "AMEND_NOTHING", ""),
        ({"limit_price": Decimal("100.0")}, "AMEND_NOTHING", ""),
        ({"qty": Decimal(11), "client_order_id": "c-1"}, "ORDER_ID_REUSED", "/client_order_id"),
        ({"qty": Decimal(11), "client_order_id": "a b"}, "ORDER_ID_FORMAT", "/client_order_id"),
        ({"stop_price": Decimal(1)}, "ORDER_FIELD_FORBIDDEN", "/stop_price"),
        ({"trail_price": Decimal(1)}, "ORDER_FIELD_FORBIDDEN", "/trail_price"),
        ({"qty": Decimal(-1)}, "QTY_NOT_POSITIVE", "/qty"),
        ({"limit_price": Decimal("NaN")}, "NUMBER_NOT_FINITE", "/limit_price"),
        ({"time_in_force": TimeInForce.GTD}, "ORDER_FIELD_REQUIRED", "/expire_at"),
    ],
)
def test_a_replacement_that_is_no_order_is_refused(wish: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        amended(working(), **wish)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


def test_the_quantity_of_an_order_for_an_amount_of_money_cannot_be_set() -> None:
    with pytest.raises(AlphintraError) as caught:
        amended(working(qty=None, notional=Decimal(1000)), qty=Decimal(1))
    assert (caught.value.code, caught.value.pointer) == ("ORDER_FIELD_FORBIDDEN", "/qty")


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_closed_order_is_not_replaced(status: OrderStatus) -> None:
    assert refusal_of(working(status), qty=Decimal(11))[0] == "ORDER_TERMINAL"


@pytest.mark.parametrize("status", [S.PENDING_NEW, S.UNKNOWN, S.PENDING_CANCEL, S.PENDING_REPLACE])
def test_an_order_that_waits_for_a_word_is_not_replaced_yet(status: OrderStatus) -> None:
    assert refusal_of(working(status), qty=Decimal(11))[0] == "ORDER_PENDING"


@pytest.mark.parametrize("status", [S.HELD, S.ACCEPTED, S.NEW, S.PARTIALLY_FILLED, S.SUSPENDED, S.DONE_FOR_DAY])
def test_an_order_that_waits_for_its_group_or_works_is_replaced(status: OrderStatus) -> None:
    new = amended(working(status), qty=Decimal(11))
    require_replaceable(working(status), new)
    assert (new.qty, new.replaces) == (Decimal(11), working(status).order_id)


@pytest.mark.parametrize(("qty", "is_fine"), [("4.5", False), ("5", False), ("5.000000001", True)])
def test_the_new_quantity_leaves_something_to_trade_beyond_all_that_is_filled(qty: str, *, is_fine: bool) -> None:
    old = replace(working(S.PARTIALLY_FILLED), filled_qty=Decimal(3), carried_qty=Decimal(2))
    if is_fine:
        require_replaceable(old, amended(old, qty=Decimal(qty)))
    else:
        assert refusal_of(old, qty=Decimal(qty)) == ("AMEND_BELOW_FILLED", "/qty")
