"""Amounts: what is read, what is refused and how they are rounded and shown."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.kernel import money
from alphintra.kernel.errors import AlphintraError

AMOUNTS = st.decimals(min_value=-(10**18) + 1, max_value=10**18 - 1, places=9)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("NaN", "NUMBER_NOT_FINITE"),
        ("sNaN", "NUMBER_NOT_FINITE"),
        ("-nan", "NUMBER_NOT_FINITE"),
        ("Infinity", "NUMBER_NOT_FINITE"),
        ("-inf", "NUMBER_NOT_FINITE"),
        (" inf ", "NUMBER_NOT_FINITE"),
        ("", "NUMBER_FORMAT"),
        (" 12 ", "NUMBER_FORMAT"),
        ("12\n", "NUMBER_FORMAT"),
        ("1_000", "NUMBER_FORMAT"),
        ("1,5", "NUMBER_FORMAT"),
        ("1,000.00", "NUMBER_FORMAT"),
        ("١٢٣", "NUMBER_FORMAT"),
        ("１２", "NUMBER_FORMAT"),  # noqa: RUF001 - full-width digits are the point
        ("1e999999", "NUMBER_FORMAT"),
        ("1E3", "NUMBER_FORMAT"),
        ("+1", "NUMBER_FORMAT"),
        ("--1", "NUMBER_FORMAT"),
        (".5", "NUMBER_FORMAT"),
        ("5.", "NUMBER_FORMAT"),
        ("0x10", "NUMBER_FORMAT"),
        ("True", "NUMBER_FORMAT"),
        ("1\x00", "NUMBER_FORMAT"),
        ("9" * 31, "NUMBER_FORMAT"),
        ("0.0000000001", "NUMBER_SCALE"),
        ("1.1234567891", "NUMBER_SCALE"),
        ("1000000000000000000", "NUMBER_RANGE"),
        ("-1000000000000000000", "NUMBER_RANGE"),
    ],
)
def test_a_text_that_is_no_plain_amount_is_refused_with_its_code_and_place(text: str, code: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        money.parse_decimal(text, pointer="/qty")
    assert (caught.value.code, caught.value.pointer) == (code, "/qty")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("-5", "-5"),
        ("12.50", "12.5"),
        ("007", "7"),
        ("0.123456789", "0.123456789"),
        ("1.100000000000", "1.1"),
        ("999999999999999999.999999999", "999999999999999999.999999999"),
    ],
)
def test_a_plain_amount_is_read_exactly(text: str, value: str) -> None:
    assert money.parse_decimal(text) == Decimal(value)


@given(AMOUNTS)
def test_what_is_shown_is_read_back_as_the_same_amount(amount: Decimal) -> None:
    shown = f"{money.plain(amount):f}"
    assert "." not in shown or not shown.endswith("0")
    assert money.parse_decimal(shown) == amount
    if amount == 0 or abs(amount) >= Decimal("0.000001"):  # Python writes what is smaller with an exponent
        assert str(money.plain(amount)) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [("10.000", "10"), ("0E-9", "0"), ("-0.0", "0"), ("1E+2", "100"), ("1.50", "1.5"), ("NaN", "NaN")],
)
def test_amounts_are_shown_without_exponent_or_trailing_zeros(value: str, shown: str) -> None:
    assert str(money.plain(Decimal(value))) == shown


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("NaN", "NUMBER_NOT_FINITE"),
        ("-Infinity", "NUMBER_NOT_FINITE"),
        ("1E+999999", "NUMBER_RANGE"),
        ("1E-999999", "NUMBER_SCALE"),
        ("0", "QTY_NOT_POSITIVE"),
        ("-0", "QTY_NOT_POSITIVE"),
        ("-0.000000001", "QTY_NOT_POSITIVE"),
    ],
)
def test_what_must_be_positive_is_finite_in_range_and_above_zero(value: str, code: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        money.require_positive(Decimal(value), pointer="/qty")
    assert caught.value.code == code
    assert len(caught.value.detail) < 120


def test_a_refusal_does_not_repeat_a_number_of_a_million_digits() -> None:
    with pytest.raises(AlphintraError) as caught:
        money.require_finite(Decimal("0." + "1" * 1_000_000))
    assert caught.value.code == "NUMBER_SCALE"
    assert len(caught.value.detail) < 120


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("0.0000005", "0.000000"), ("0.0000015", "0.000002"), ("-0.0000025", "-0.000002"), ("1.23456749", "1.234567")],
)
def test_cash_and_prices_are_rounded_half_to_even_at_a_millionth(value: str, rounded: str) -> None:
    assert str(money.round_cash(Decimal(value))) == rounded
    assert str(money.round_price(Decimal(value))) == rounded


@pytest.mark.parametrize(("value", "code"), [("1E+40", "NUMBER_RANGE"), ("Infinity", "NUMBER_NOT_FINITE")])
def test_what_no_column_can_hold_is_refused_instead_of_rounded(value: str, code: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        money.round_cash(Decimal(value))
    assert caught.value.code == code


@given(st.decimals(min_value=0, max_value=10**9, places=9), st.sampled_from(["1", "0.1", "0.001", "100", "0.25"]))
def test_a_quantity_is_rounded_down_to_whole_lots(quantity: Decimal, lot: str) -> None:
    rounded = money.round_quantity_down(quantity, lot=Decimal(lot))
    assert rounded <= quantity < rounded + Decimal(lot)
    assert rounded % Decimal(lot) == 0


@pytest.mark.parametrize(
    ("value", "told"), [("0E-9", "0"), ("-1E-7", "-0.0000001"), ("-10.000000000", "-10"), ("-1E+2", "-100")]
)
def test_a_refused_amount_is_told_without_exponent_or_trailing_zeros(value: str, told: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        money.require_positive(Decimal(value))
    assert caught.value.detail == f"{told} must be above zero"
