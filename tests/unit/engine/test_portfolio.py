"""The books balance to the last digit, whatever is filled."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.portfolio import FLAT, FeeModel, Position, apply_fill, cash_delta
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Side

quantities = st.decimals(min_value="0.000000001", max_value="1000000", places=9)
whole = st.integers(min_value=1, max_value=500).map(Decimal)
fill_prices = st.decimals(min_value="0.000001", max_value="100000", places=6)
fills = st.lists(st.tuples(st.sampled_from(Side), quantities | whole, fill_prices), max_size=25)
fee_models = st.builds(
    FeeModel,
    commission_bps=st.decimals(min_value=0, max_value=100, places=2),
    per_share=st.decimals(min_value=0, max_value=1, places=4),
    minimum=st.decimals(min_value=0, max_value=5, places=2),
)


@given(fills, fee_models, fill_prices)
def test_equity_changes_by_realised_plus_unrealised_minus_fees(
    history: list[tuple[Side, Decimal, Decimal]], fees: FeeModel, mark: Decimal
) -> None:
    cash, position, paid = Decimal(0), FLAT, Decimal(0)
    for side, qty, price in history:
        fee = fees.fee(qty, price)
        before = position.realized
        position, realized = apply_fill(position, side, qty=qty, price=price)
        cash += cash_delta(side, qty, price=price, fee=fee)
        paid += fee
        assert position.realized - before == realized
        equity = cash + position.market_value(mark)
        assert equity == position.realized + position.unrealized(mark) - paid


@given(fills)
def test_the_quantity_is_the_sum_of_signed_fills_and_a_flat_book_has_no_cost(
    history: list[tuple[Side, Decimal, Decimal]],
) -> None:
    position = FLAT
    for side, qty, price in history:
        position, _ = apply_fill(position, side, qty=qty, price=price)
    assert position.qty == sum((qty if side is Side.BUY else -qty for side, qty, _ in history), Decimal(0))
    if not position.qty:
        assert position.cost == 0


def test_adding_averages_the_price_and_books_no_profit() -> None:
    position, _ = apply_fill(FLAT, Side.BUY, qty=Decimal(10), price=Decimal(10))
    position, realized = apply_fill(position, Side.BUY, qty=Decimal(30), price=Decimal(20))
    assert (position.qty, position.avg_price, realized) == (Decimal(40), Decimal("17.5"), Decimal(0))


def test_a_partial_close_keeps_the_average_price() -> None:
    position, realized = apply_fill(Position(Decimal(40), Decimal(700)), Side.SELL, qty=Decimal(10), price=Decimal(20))
    assert (position.qty, position.avg_price, realized) == (Decimal(30), Decimal("17.5"), Decimal(25))


def test_crossing_zero_closes_the_whole_position_and_opens_the_rest_at_the_fill_price() -> None:
    position, realized = apply_fill(Position(Decimal(10), Decimal(100)), Side.SELL, qty=Decimal(15), price=Decimal(12))
    assert (position.qty, position.avg_price, realized) == (Decimal(-5), Decimal(12), Decimal(20))


def test_a_short_position_gains_when_bought_back_lower() -> None:
    short, _ = apply_fill(FLAT, Side.SELL, qty=Decimal(10), price=Decimal(50))
    assert short.unrealized(Decimal(45)) == Decimal(50)
    _, realized = apply_fill(short, Side.BUY, qty=Decimal(10), price=Decimal(40))
    assert realized == Decimal(100)


def test_the_fee_is_commission_plus_per_share_but_never_below_the_minimum() -> None:
    fees = FeeModel(commission_bps=Decimal(10), per_share=Decimal("0.005"), minimum=Decimal(1))
    assert fees.fee(Decimal(100), Decimal(50)) == Decimal("5.5")
    assert fees.fee(Decimal(1), Decimal(50)) == Decimal(1)


def test_a_negative_fee_is_refused() -> None:
    with pytest.raises(AlphintraError, match="FEE_SIGN"):
        FeeModel(minimum=Decimal(-1))


@pytest.mark.parametrize(("qty", "price"), [("0", "1"), ("-1", "1"), ("1", "0"), ("NaN", "1"), ("1", "Infinity")])
def test_an_impossible_fill_is_refused(qty: str, price: str) -> None:
    with pytest.raises(AlphintraError):
        apply_fill(FLAT, Side.BUY, qty=Decimal(qty), price=Decimal(price))
