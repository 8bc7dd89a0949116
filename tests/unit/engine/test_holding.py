"""A holding's position, lots and trades tell one story, whatever is filled, moved or split."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.holding import NOTHING_HELD, Fill, Holding, fill_holding, move_holding, split_holding
from alphintra.engine.portfolio import cash_delta
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Side

START = datetime(2026, 1, 5, 15, tzinfo=UTC)
ZERO = Decimal(0)


def exactly(value: Any) -> Any:  # noqa: ANN401 - whole numbers equal Decimals, which the type checker does not know
    """Return what is expected."""
    return value


QUANTITIES = st.decimals(min_value="0.000000001", max_value=10**6, places=9)
PRICES = st.decimals(min_value="0.000001", max_value=10**6, places=6)
FEES = st.decimals(min_value=-5, max_value=100, places=9)
FILLS = st.lists(st.tuples(st.sampled_from(list(Side)), QUANTITIES, PRICES, FEES), min_size=1, max_size=10)


def fill(number: int, side: Side, qty: object, price: object, fee: object = 0) -> Fill:
    """Return a fill, ``number`` minutes after the start."""
    amounts = (Decimal(str(qty)), Decimal(str(price)), Decimal(str(fee)))
    return Fill(f"x-{number}", side, *amounts, START + timedelta(minutes=number))


def after(*fills: Fill) -> Holding:
    """Return what is held after fills."""
    holding = NOTHING_HELD
    for each in fills:
        holding = fill_holding(holding, each).holding
    return holding


def test_crossing_zero_closes_a_trade_and_opens_another_with_the_fee_by_quantity() -> None:
    long = after(fill(1, Side.BUY, 10, 100, 1))
    crossed = fill_holding(long, fill(2, Side.SELL, 15, 110, 3))
    assert crossed.finished is not None
    trade = crossed.finished.trade
    assert (crossed.finished.number, trade.gross, trade.fees, trade.net) == exactly((1, 100, 3, 97))
    opened = crossed.holding.trade
    assert opened is not None
    assert (opened.side, opened.entry_qty, opened.fees) == exactly((Side.SELL, 5, 1))
    assert crossed.holding.trades_opened == 2
    assert [lot.number for lot in crossed.holding.lots] == [2]


def test_flat_to_open_to_flat_is_one_trade_however_many_fills() -> None:
    fills = [(Side.BUY, 4, 10), (Side.BUY, 6, 12), (Side.SELL, 3, 15), (Side.SELL, 7, 13)]
    holding, finished = NOTHING_HELD, []
    for number, (side, qty, price) in enumerate(fills):
        filled = fill_holding(holding, fill(number, side, qty, price))
        holding = filled.holding
        finished += [filled.finished] if filled.finished else []
    (done,) = finished
    assert (done.number, done.trade.qty, done.trade.gross, done.exit_amount - done.entry_amount) == exactly(
        (1, 10, 24, 24)
    )
    assert (holding.trade, holding.lots, holding.position.qty) == exactly((None, (), 0))


@given(FILLS)
def test_trades_lots_and_position_explain_the_same_money(fills: list[tuple[Side, Decimal, Decimal, Decimal]]) -> None:
    holding, cash, gross, fees, by_lots = NOTHING_HELD, ZERO, ZERO, ZERO, ZERO
    for number, (side, qty, price, fee) in enumerate(fills):
        done = fill_holding(holding, Fill(f"x-{number}", side, qty, price, fee, START))
        holding = done.holding
        cash += cash_delta(side, qty, price=price, fee=fee)
        by_lots += sum((part.realized for part in done.closes), ZERO)
        if done.finished:
            gross, fees = gross + done.finished.trade.gross, fees + done.finished.trade.fees
        assert (holding.trade is None) == (holding.position.qty == 0)
    if holding.trade is not None:
        gross, fees = gross + holding.trade.realized, fees + holding.trade.fees
    assert (gross, fees) == (holding.position.realized, holding.fees)
    assert cash == gross - fees - holding.position.cost
    assert by_lots - sum((lot.cost for lot in holding.lots), ZERO) == gross - holding.position.cost


@given(FILLS, st.integers(1, 200), st.integers(1, 200))
def test_a_split_changes_no_profit_and_no_cost(
    fills: list[tuple[Side, Decimal, Decimal, Decimal]], numerator: int, denominator: int
) -> None:
    before = after(*(Fill(f"x-{n}", *each, START) for n, each in enumerate(fills)))
    split = split_holding(before, numerator=numerator, denominator=denominator)
    assert (split.position.cost, split.position.realized) == (before.position.cost, before.position.realized)
    assert sum((lot.qty for lot in split.lots), ZERO) == split.position.qty
    assert [lot.cost for lot in split.lots] == [lot.cost for lot in before.lots]
    wanted = before.position.qty * numerator / denominator
    assert abs(split.position.qty - wanted) <= Decimal("0.000000001")


def test_selling_after_a_split_realises_what_the_price_moved_and_nothing_else() -> None:
    held = split_holding(after(fill(1, Side.BUY, 100, 700)), numerator=7, denominator=1)
    assert (held.position.qty, held.position.avg_price) == exactly((700, 100))
    sold = fill_holding(held, fill(2, Side.SELL, 700, 101))
    assert sold.realized == 700
    assert sum((part.realized for part in sold.closes), ZERO) == 700
    assert sold.finished is not None
    assert (sold.finished.trade.qty, sold.finished.trade.entry_price) == exactly((700, 100))


def test_moving_to_another_book_takes_cost_and_oldest_lots_and_books_no_profit() -> None:
    source = after(fill(1, Side.BUY, 10, 100), fill(2, Side.BUY, 10, 120))
    moved = move_holding(source, NOTHING_HELD, qty=Decimal(15), at=START)
    assert (moved.qty, moved.cost) == exactly((15, 1650))
    assert (moved.source.position.qty, moved.source.position.cost) == exactly((5, 550))
    assert [(lot.number, lot.qty, lot.cost) for lot in moved.target.lots] == exactly([(1, 10, 1000), (2, 5, 600)])
    assert [(lot.number, lot.qty, lot.cost) for lot in moved.source.lots] == exactly([(2, 5, 600)])
    assert moved.target.trade is not None
    assert (moved.target.trade.entry_qty, moved.target.trade.entry_amount) == exactly((15, 1650))
    assert moved.source.trade is not None
    assert moved.source.trade.entry_qty == 5


@given(FILLS, FILLS, st.integers(1, 100))
def test_moving_keeps_the_sum_over_both_books(
    mine: list[tuple[Side, Decimal, Decimal, Decimal]],
    theirs: list[tuple[Side, Decimal, Decimal, Decimal]],
    percent: int,
) -> None:
    source, target = (
        after(*(Fill(f"{name}-{n}", *each, START) for n, each in enumerate(fills)))
        for name, fills in (("a", mine), ("b", theirs))
    )
    qty = abs(round(source.position.qty * percent / 100, 9))
    if not qty or source.position.qty * target.position.qty < 0:
        return
    moved = move_holding(source, target, qty=qty, at=START)
    for name in ("qty", "cost", "realized"):
        before = getattr(source.position, name) + getattr(target.position, name)
        assert getattr(moved.source.position, name) + getattr(moved.target.position, name) == before
    costs = [sum((lot.cost for lot in each.lots), ZERO) for each in (source, target, moved.source, moved.target)]
    assert costs[0] + costs[1] == costs[2] + costs[3]
    assert sum((lot.qty for lot in moved.target.lots), ZERO) == moved.target.position.qty
    assert sum((lot.qty for lot in moved.source.lots), ZERO) == moved.source.position.qty


@pytest.mark.parametrize(("held", "qty", "code"), [("10", "11", "TRANSFER_QTY"), ("-10", "5", "TRANSFER_OPPOSITE")])
def test_moving_too_much_or_against_the_other_side_is_refused(held: str, qty: str, code: str) -> None:
    side = Side.BUY if Decimal(held) > 0 else Side.SELL
    source = after(fill(1, side, abs(Decimal(held)), 100))
    target = after(fill(1, Side.BUY, 1, 100))
    with pytest.raises(AlphintraError) as caught:
        move_holding(source, target, qty=Decimal(qty), at=START)
    assert caught.value.code == code
