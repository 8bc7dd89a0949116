"""What a fill books: balanced ledger lines, exact cash, equity that changes by the profit alone."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_DOWN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.holding import NOTHING_HELD, Holding
from alphintra.engine.portfolio import Position, cash_delta
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import ExecutionId
from alphintra.kernel.vocabulary import Side
from alphintra.trading.domain.booking import Booking, BreakCode, Execution, book_execution, refusal_of
from unit.trading.orders import LATER, an_order

QUANTITIES = st.decimals(min_value="0.000000001", max_value=10**6, places=9)
PRICES = st.decimals(min_value="0.000001", max_value=10**6, places=6)
FEES = st.decimals(min_value=-5, max_value=100, places=9)
KEPT = st.sampled_from([Decimal(0), Decimal("0.001"), Decimal("0.5")])
FILLS = st.lists(st.tuples(st.sampled_from(list(Side)), QUANTITIES, PRICES, FEES, KEPT), min_size=1, max_size=8)


def book(
    holding: Holding, side: Side, qty: Decimal, price: Decimal, fee: Decimal = Decimal(0), *, kept: Decimal = Decimal(0)
) -> Booking:
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
        fee_qty=kept,
    )
    return book_execution(order, holding, execution, at=LATER)


@given(FILLS, PRICES)
def test_lines_balance_and_equity_changes_by_profit_less_fees(
    fills: list[tuple[Side, Decimal, Decimal, Decimal, Decimal]], mark: Decimal
) -> None:
    holding, ledger = NOTHING_HELD, dict.fromkeys(("cash", "fees", "realized_pnl", "securities:AAPL"), Decimal(0))
    cash = realized = fees = held = Decimal(0)
    for side, qty, price, charged, part in fills:
        position = holding.position
        kept = (qty * part).quantize(Decimal("1e-9"), ROUND_DOWN)
        booking = book(holding, side, qty, price, charged, kept=kept)
        assert booking.cash_change == cash_delta(side, qty, price=price, fee=charged)
        fee = booking.fee
        assert kept or fee == charged
        held += (qty if side is Side.BUY else -qty) - kept
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
        assert position.qty == held == sum((lot.qty for lot in holding.lots), Decimal(0))
    assert cash + position.market_value(mark) == realized + position.unrealized(mark) - fees
    assert (ledger["cash"], ledger["fees"], ledger["realized_pnl"]) == (cash, fees, -realized)
    assert ledger["securities:AAPL"] == position.cost
    assert position.realized == realized


def test_a_fee_kept_of_what_was_bought_makes_the_position_smaller_and_is_a_fee_at_the_price_paid() -> None:
    booking = book(NOTHING_HELD, Side.BUY, Decimal(2), Decimal(100), kept=Decimal("0.002"))
    assert booking.position == Position(Decimal("1.998"), Decimal("199.8"))
    assert {line.ledger_account: line.amount for line in booking.lines} == {
        "cash": Decimal(-200),
        "fees": Decimal("0.2"),
        "securities:AAPL": Decimal("199.8"),
    }
    assert booking.order.filled_qty == 2
    sold = book(booking.filled.holding, Side.SELL, Decimal(1), Decimal(110), kept=Decimal("0.001"))
    assert (sold.position.qty, sold.cash_change, sold.fee) == (Decimal("0.997"), Decimal(110), Decimal("0.11"))
    assert sold.realized == Decimal("10.01")


@pytest.mark.parametrize("kept", ["-0.1", "1", "2", "NaN"])
def test_a_fee_in_kind_that_leaves_nothing_of_an_execution_or_adds_to_it_is_a_conflict(kept: str) -> None:
    order = an_order(qty=Decimal(1))
    execution = Execution(
        execution_id=ExecutionId("x-1"),
        order_id=order.order_id,
        account_id=order.account_id,
        symbol=order.symbol,
        side=order.side,
        qty=Decimal(1),
        price=Decimal(1),
        fee=Decimal(0),
        executed_at=LATER,
        fee_qty=Decimal(kept),
    )
    found = refusal_of(execution, order, None)
    assert found is not None
    assert found.code is BreakCode.EXEC_CONFLICT


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
