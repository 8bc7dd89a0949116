"""Trades run from flat to flat and carry their fees."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.portfolio import FLAT, apply_fill
from alphintra.engine.trades import OpenTrade, Trade, TradeFill, fold_trade
from alphintra.kernel.vocabulary import Side
from unit.engine.builders import day


def fold(fills: list[tuple[Side, Decimal, Decimal, Decimal]]) -> tuple[list[Trade], OpenTrade | None, Decimal]:
    position, current, closed, realized_sum = FLAT, None, [], Decimal(0)
    for index, (side, qty, price, fee) in enumerate(fills):
        held = position.qty
        position, realized = apply_fill(position, side, qty=qty, price=price)
        realized_sum += realized
        fill = TradeFill(day(index), index, side, qty, price, fee, realized, held, tag=f"t{index}")
        current, trade = fold_trade(current, fill)
        closed += [trade] if trade else []
    return closed, current, realized_sum


def test_two_entries_and_two_exits_are_one_trade() -> None:
    amounts = [(Side.BUY, 10, 10), (Side.BUY, 10, 20), (Side.SELL, 5, 30), (Side.SELL, 15, 10)]
    closed, current, _ = fold([(side, Decimal(qty), Decimal(price), Decimal(1)) for side, qty, price in amounts])
    assert current is None
    (trade,) = closed
    assert (trade.qty, trade.entry_price, trade.exit_price) == (Decimal(20), Decimal(15), Decimal(15))
    assert (trade.gross, trade.fees, trade.net) == (Decimal(0), Decimal(4), Decimal(-4))
    assert (trade.opened_ts, trade.closed_ts, trade.bars) == (day(0), day(3), 3)
    assert (trade.side, trade.entry_tag, trade.exit_tag) == (Side.BUY, "t0", "t3")


def test_crossing_zero_ends_one_trade_and_starts_another_with_the_fee_split_by_quantity() -> None:
    amounts = [(Side.BUY, 10, 10, 1), (Side.SELL, 15, 12, 3), (Side.BUY, 5, 11, 1)]
    closed, current, _ = fold([(s, Decimal(q), Decimal(p), Decimal(f)) for s, q, p, f in amounts])
    assert current is None
    assert [(trade.side, trade.gross, trade.fees) for trade in closed] == [
        (Side.BUY, Decimal(20), Decimal(3)),
        (Side.SELL, Decimal(5), Decimal(2)),
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Side),
            st.integers(1, 9).map(Decimal),
            st.decimals(1, 100, places=2),
            st.decimals(0, 5, places=2),
        ),
        max_size=20,
    )
)
def test_trades_neither_lose_nor_invent_profit_or_fees(fills: list[tuple[Side, Decimal, Decimal, Decimal]]) -> None:
    closed, current, realized = fold(fills)
    still_open = current or OpenTrade(day(0), 0, Side.BUY, "")
    assert sum((trade.gross for trade in closed), still_open.realized) == realized
    assert sum((trade.fees for trade in closed), still_open.fees) == sum((fill[3] for fill in fills), Decimal(0))
