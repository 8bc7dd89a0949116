"""What an order and an account may be, and when a repetition is one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId, BookId
from alphintra.kernel.vocabulary import AccountMode, OrderStatus, OrderType, Side, TimeInForce
from alphintra.trading.domain.accounts import new_account
from alphintra.trading.domain.orders import NewOrder, Order, accept, deny, order_id_of, require_same_request
from alphintra.trading.domain.validation import validate
from unit.trading.orders import ACCOUNT_ID, DECISION_ID, FEED_ID, NOON, OWNER_ID, an_account, asked

LIMIT: dict[str, Any] = {"type": OrderType.LIMIT, "limit_price": Decimal(100)}


def refusal_of(**fields: Any) -> tuple[str, str] | None:  # noqa: ANN401 - those of NewOrder
    """Return code and place of the refusal of an order, None if it is fine."""
    try:
        validate(asked(**fields))
    except AlphintraError as error:
        return error.code, error.pointer
    return None


def is_repetition(stored: Order, asked_again: NewOrder) -> bool:
    """Tell whether what is asked for is what was stored."""
    try:
        require_same_request(stored, asked_again)
    except AlphintraError as error:
        assert (error.code, error.pointer) == ("ORDER_ID_REUSED", "/client_order_id")  # noqa: PT017 - on both ways
        return False
    return True


@pytest.mark.parametrize("client_order_id", ["", "a" * 129, "a b", "a\n", "a/b", "é", "a\x00", "\u0661"])
def test_a_client_order_id_of_other_characters_or_length_is_refused(client_order_id: str) -> None:
    assert refusal_of(client_order_id=client_order_id) == ("ORDER_ID_FORMAT", "/client_order_id")


@pytest.mark.parametrize("symbol", ["", "aapl", "AAPL ", "-A", "A" * 33, "AAPL\n", "А"])  # noqa: RUF001 - a Cyrillic A
def test_what_cannot_be_a_symbol_is_refused(symbol: str) -> None:
    assert refusal_of(symbol=symbol) == ("ORDER_UNKNOWN_SYMBOL", "/symbol")


@pytest.mark.parametrize(
    ("qty", "code"),
    [
        ("0", "QTY_NOT_POSITIVE"),
        ("-0", "QTY_NOT_POSITIVE"),
        ("-5", "QTY_NOT_POSITIVE"),
        ("NaN", "NUMBER_NOT_FINITE"),
        ("sNaN", "NUMBER_NOT_FINITE"),
        ("Infinity", "NUMBER_NOT_FINITE"),
        ("1e999999", "NUMBER_RANGE"),
        ("0.30000000000000004", "NUMBER_SCALE"),
    ],
)
def test_a_quantity_that_is_no_amount_is_refused(qty: str, code: str) -> None:
    assert refusal_of(qty=Decimal(qty)) == (code, "/qty")
    assert refusal_of(type=OrderType.LIMIT, limit_price=Decimal(qty)) == (code, "/limit_price")


def test_a_limit_price_belongs_to_limit_orders_alone() -> None:
    assert refusal_of(type=OrderType.LIMIT) == ("ORDER_FIELD_REQUIRED", "/limit_price")
    assert refusal_of(limit_price=Decimal(1)) == ("ORDER_FIELD_FORBIDDEN", "/limit_price")


@pytest.mark.parametrize("qty", ["100000000000", "999999999999999999"])
def test_an_order_worth_more_than_any_amount_is_refused(qty: str) -> None:
    for price in ("100000000000", "999999999999999999"):
        wish: dict[str, Any] = {"type": OrderType.LIMIT, "limit_price": Decimal(price), "qty": Decimal(qty)}
        assert refusal_of(**wish) == ("NUMBER_RANGE", "/qty")


@pytest.mark.parametrize(
    ("qty", "price"), [("0.123456789", "100.01"), ("0.000000001", "0.000000001"), ("3", "33.333333333")]
)
def test_a_small_quantity_at_a_fine_price_is_no_bad_number(qty: str, price: str) -> None:
    assert refusal_of(type=OrderType.LIMIT, qty=Decimal(qty), limit_price=Decimal(price)) is None


def test_an_order_id_follows_from_account_and_client_order_id_for_ever() -> None:
    assert order_id_of(ACCOUNT_ID, "c-1") == UUID("83e804c0-44f9-5ded-830e-6033e370fd17")
    others = {
        order_id_of(ACCOUNT_ID, "c-2"),
        order_id_of(AccountId(UUID(int=9)), "c-1"),
        order_id_of(ACCOUNT_ID, "c-1"),
    }
    assert len(others) == 3


@pytest.mark.parametrize(
    "other",
    [
        {"symbol": "MSFT"},
        {"side": Side.SELL},
        {"type": OrderType.MARKET, "limit_price": None},
        {"time_in_force": TimeInForce.GTC},
        {"qty": Decimal("10.000000001")},
        {"limit_price": Decimal(101)},
        {"book_id": BookId(UUID(int=8))},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_client_order_id_used_for_anything_else_is_refused(other: dict[str, Any]) -> None:
    stored = accept(asked(**LIMIT), an_account(), decision_id=DECISION_ID, at=NOON)
    assert not is_repetition(stored, asked(**(LIMIT | other)))


def test_the_same_order_written_with_other_zeros_is_a_repetition() -> None:
    stored = accept(asked(**LIMIT), an_account(), decision_id=DECISION_ID, at=NOON)
    assert is_repetition(stored, asked(**(LIMIT | {"qty": Decimal("10.000"), "limit_price": Decimal("1E+2")})))


def test_a_denied_order_carries_code_and_reason_and_a_taken_one_waits_for_the_venue() -> None:
    denied = deny(asked(), an_account(), decision_id=DECISION_ID, finding=("RISK_QTY_MAX", "too many"), at=NOON)
    assert (denied.status, denied.reason_code, denied.reason) == (OrderStatus.DENIED, "RISK_QTY_MAX", "too many")
    taken = accept(asked(), an_account(), decision_id=DECISION_ID, at=NOON)
    assert (taken.status, taken.owner_id, taken.version) == (OrderStatus.PENDING_NEW, OWNER_ID, 1)
    assert taken.order_id == denied.order_id


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"name": " "}, "FIELD_LENGTH", "/name"),
        ({"name": "a" * 81}, "FIELD_LENGTH", "/name"),
        ({"name": "a\x00"}, "FIELD_LENGTH", "/name"),
        ({"name": "a\u202eb"}, "FIELD_LENGTH", "/name"),
        ({"name": "a\u200bb"}, "FIELD_LENGTH", "/name"),
        ({"currency": "usd"}, "FIELD_VALUE", "/currency"),
        ({"currency": "USD\n"}, "FIELD_VALUE", "/currency"),
        ({"starting_cash": Decimal(0)}, "QTY_NOT_POSITIVE", "/starting_cash"),
        ({"starting_cash": Decimal("NaN")}, "NUMBER_NOT_FINITE", "/starting_cash"),
        ({"starting_cash": Decimal(10) ** 18}, "NUMBER_RANGE", "/starting_cash"),
    ],
)
def test_an_account_with_a_bad_part_is_refused(fields: dict[str, Any], code: str, pointer: str) -> None:
    good: dict[str, Any] = {"name": "Savings", "starting_cash": Decimal(1000), "currency": "USD"}
    with pytest.raises(AlphintraError) as caught:
        new_account(**{**good, **fields}, account_id=ACCOUNT_ID, owner_id=OWNER_ID, feed_id=FEED_ID, at=NOON)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


def test_an_account_takes_orders_once_risk_and_venue_are_ready() -> None:
    account = an_account()
    assert (account.mode, account.is_active) == (AccountMode.PAPER, True)
    assert not replace(account, is_risk_ready=False).is_active
    assert not replace(account, is_venue_ready=False).is_active
