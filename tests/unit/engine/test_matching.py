"""What a bar may fill, at which price, and what it may never use."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.matching import OrderTerms, match_bar, require_slippage
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import OrderType, Side
from unit.engine.builders import bar, day


def market(side: Side) -> OrderTerms:
    return OrderTerms(side, OrderType.MARKET, day(0))


def limit(side: Side, price: str) -> OrderTerms:
    return OrderTerms(side, OrderType.LIMIT, day(0), Decimal(price))


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "100.5"), (Side.SELL, "99.5")])
def test_a_market_order_takes_the_open_moved_against_it(side: Side, price: str) -> None:
    got = match_bar(market(side), bar(1, "100 110 90 105"), slippage_bps=Decimal(50))
    assert got == Decimal(price)


@given(st.integers(101, 500), st.integers(1, 99), st.integers(1, 500), st.sampled_from(Side))
def test_nothing_of_the_bar_beyond_its_open_moves_a_market_fill(high: int, low: int, close: int, side: Side) -> None:
    shape = f"100 {max(high, close)} {min(low, close)} {close}"
    got = match_bar(market(side), bar(1, shape), slippage_bps=Decimal(10))
    assert got == match_bar(market(side), bar(1, "100 100 100 100"), slippage_bps=Decimal(10))


@pytest.mark.parametrize("terms", [market(Side.BUY), limit(Side.BUY, "200"), limit(Side.SELL, "1")])
@pytest.mark.parametrize("index", [-1, 0])
def test_an_order_never_sees_the_bar_it_was_created_on_or_an_older_one(terms: OrderTerms, index: int) -> None:
    assert match_bar(terms, bar(index, "100 110 90 105"), slippage_bps=Decimal(0)) is None
    assert match_bar(terms, bar(1, "100 110 90 105"), slippage_bps=Decimal(0)) is not None


@pytest.mark.parametrize(
    ("side", "price", "shape", "fill"),
    [
        (Side.BUY, "95", "100 110 90 105", "95"),  # touched on the way
        (Side.BUY, "90", "100 110 90 105", "90"),  # touched exactly at the low
        (Side.BUY, "89.99", "100 110 90 105", None),
        (Side.BUY, "100", "100 110 100 105", "100"),  # at the open
        (Side.BUY, "105", "100 110 90 105", "100"),  # gap through: the better open
        (Side.BUY, "120", "100 110 90 105", "100"),
        (Side.SELL, "105", "100 110 90 105", "105"),
        (Side.SELL, "110", "100 110 90 105", "110"),
        (Side.SELL, "110.01", "100 110 90 105", None),
        (Side.SELL, "100", "100 100 90 95", "100"),
        (Side.SELL, "95", "100 110 90 105", "100"),
        (Side.SELL, "80", "100 110 90 105", "100"),
    ],
)
def test_limit_orders_fill_at_the_limit_or_at_a_better_open(
    side: Side, price: str, shape: str, fill: str | None
) -> None:
    got = match_bar(limit(side, price), bar(1, shape), slippage_bps=Decimal(50))
    assert got == (None if fill is None else Decimal(fill))


@given(st.sampled_from(Side), st.integers(1, 200), st.lists(st.integers(1, 200), min_size=4, max_size=4))
def test_a_limit_fill_is_never_worse_than_the_limit_and_never_outside_the_bar(
    side: Side, price: int, four: list[int]
) -> None:
    shape = bar(1, f"{four[0]} {max(four)} {min(four)} {four[1]}")
    got = match_bar(limit(side, str(price)), shape, slippage_bps=Decimal(0))
    if got is not None:
        assert shape.low <= got <= shape.high
        assert got <= price if side is Side.BUY else got >= price


def test_a_limit_order_without_a_price_and_a_market_order_with_one_are_refused() -> None:
    with pytest.raises(AlphintraError, match="ORDER_FIELD_REQUIRED"):
        OrderTerms(Side.BUY, OrderType.LIMIT, day(0))
    with pytest.raises(AlphintraError, match="ORDER_FIELD_FORBIDDEN"):
        OrderTerms(Side.BUY, OrderType.MARKET, day(0), Decimal(1))


@pytest.mark.parametrize("value", ["-1", "1000.1", "NaN"])
def test_slippage_outside_its_range_is_refused(value: str) -> None:
    with pytest.raises(AlphintraError):
        require_slippage(Decimal(value))
