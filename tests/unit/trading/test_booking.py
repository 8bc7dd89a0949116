"""What a fill books: balanced ledger lines, exact cash, equity that changes by the profit alone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.holding import NOTHING_HELD, Holding
from alphintra.engine.portfolio import Position
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import ExecutionId
from alphintra.kernel.vocabulary import Side
from alphintra.trading.domain.booking import Booking, Execution, book_execution
from unit.trading.orders import LATER, an_order

QUANTITIES = st.decimals(min_value="0.000000001", max_value=10**6, places=9)
PRICES = st.decimals(min_value="0.000001", max_value=10**6, places=6)
FEES = st.decimals(min_value=-5, max_value=100, places=9)
FILLS = st.lists(st.tuples(st.sampled_from(list(Side)), QUANTITIES, PRICES, FEES), min_size=1, max_size=8)


def book(holding: Holding, side: Side, qty: Decimal, price: Decimal, fee: Decimal = Decimal(0)) -> Booking:
    """Book one execution of an order of ten thousand."""
    order = an_order(side=side, qty=Decimal(10_000))
    execution = Execution(
        execution_id=ExecutionId("x-1"),
        order_id=order.order_id,
        account_id=order.account_id,
        symbol=order.symbol,
        side=side,
        qty=qty,
        price=price,
        fee=fee,
        executed_at=LATER - timedelta(days=400),
    )
    return book_execution(order, holding, execution, at=LATER)


@given(FILLS, PRICES)
def test_lines_balance_and_equity_changes_by_profit_less_fees(
    fills: list[tuple[Side, Decimal, Decimal, Decimal]], mark: Decimal
) -> None:
    holding, ledger = NOTHING_HELD, dict.fromkeys(("cash", "fees", "realized_pnl", "securities:AAPL"), Decimal(0))
    cash = realized = fees = Decimal(0)
    for side, qty, price, fee in fills:
        position = holding.position
        booking = book(holding, side, qty, price, fee)
        assert sum((line.amount for line in booking.lines), Decimal(0)) == 0
        assert all(line.amount for line in booking.lines)
        for line in booking.lines:
            ledger[line.ledger_account] += line.amount
        cash, realized, fees = cash + booking.cash_change, realized + booking.realized, fees + fee
        change = booking.cash_change + booking.position.market_value(mark) - position.market_value(mark)
        unrealized = booking.position.unrealized(mark) - position.unrealized(mark)
        assert change == booking.realized + unrealized - fee
        holding = booking.filled.holding
        position = holding.position
    assert cash + position.market_value(mark) == realized + position.unrealized(mark) - fees
    assert (ledger["cash"], ledger["fees"], ledger["realized_pnl"]) == (cash, fees, -realized)
    assert ledger["securities:AAPL"] == position.cost
    assert position.realized == realized


def test_a_sale_through_zero_realizes_the_long_and_opens_the_short() -> None:
    long = book(NOTHING_HELD, Side.BUY, Decimal(10), Decimal(100)).filled.holding
    booking = book(long, Side.SELL, Decimal(15), Decimal(110), Decimal(1))
    assert (booking.realized, booking.cash_change) == (Decimal(100), Decimal(1649))
    assert booking.position == Position(Decimal(-5), Decimal(-550), Decimal(100))
    assert {line.ledger_account: line.amount for line in booking.lines} == {
        "cash": Decimal(1649),
        "fees": Decimal(1),
        "realized_pnl": Decimal(-100),
        "securities:AAPL": Decimal(-1550),
    }


def test_the_order_is_dated_by_the_booking_and_not_by_the_time_of_a_replayed_market() -> None:
    booking = book(NOTHING_HELD, Side.BUY, Decimal(1), Decimal(1))
    assert booking.order.updated_at == LATER


@pytest.mark.parametrize(
    ("qty", "price", "fee", "code"),
    [
        ("0", "1", "0", "QTY_NOT_POSITIVE"),
        ("1", "-1", "0", "QTY_NOT_POSITIVE"),
        ("NaN", "1", "0", "NUMBER_NOT_FINITE"),
        ("1", "Infinity", "0", "NUMBER_NOT_FINITE"),
        ("1", "1", "NaN", "NUMBER_NOT_FINITE"),
        ("1", "1", "0.0000000001", "NUMBER_SCALE"),
    ],
)
def test_an_impossible_execution_is_not_booked(qty: str, price: str, fee: str, code: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        book(NOTHING_HELD, Side.BUY, Decimal(qty), Decimal(price), Decimal(fee))
    assert caught.value.code == code
