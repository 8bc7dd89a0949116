"""A sweep comes to what each pair's own run comes to; figures are those of their definitions."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphintra.engine.account.columns import Columns
from alphintra.engine.account.figures import figures_of
from alphintra.engine.account.rules import AccountRules, Size, Sizing
from alphintra.engine.account.run import AccountRun, simulate
from alphintra.engine.account.sweep import averages_of, sweep_crossings
from alphintra.engine.costs import Costs
from alphintra.engine.portfolio import FeeModel


def market(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(draw.normal(0, 0.01, count)))
    return closes * np.exp(draw.normal(0, 0.002, count)), closes


@pytest.mark.slow
def test_a_sweep_comes_to_what_each_run_comes_to() -> None:
    opens, closes = market(3_000, 3)
    pairs = [(3, 8), (5, 20), (8, 9), (20, 60)]
    averages = averages_of(closes, {length for pair in pairs for length in pair})
    found = sweep_crossings((opens, closes), averages, pairs, cash=1e6, fee_bps=10, slippage_bps=2, threads=2)
    rules = AccountRules(
        initial_cash=Decimal(1_000_000),
        sizing=Sizing(Size.ALL_CASH),
        costs=Costs(FeeModel(Decimal(10)), Decimal(2)),
        is_rounded=False,
    )
    for (fast, slow), equity, trades in zip(pairs, found.equity, found.trades, strict=True):
        above = averages[fast] > averages[slow]
        turns = np.zeros(closes.size)
        turns[slow:] = above[slow:].astype(float) - above[slow - 1 : -1]
        columns = Columns(
            open=opens, high=closes, low=closes, close=closes, entry=np.maximum(turns, 0), leave=np.maximum(-turns, 0)
        )
        run = simulate(rules, columns)
        assert equity == pytest.approx(run.equity[-1], rel=1e-12)
        assert trades == run.trades.net.size > 10


def run_of(equity: list[float]) -> AccountRun:
    """Return a run with an equity curve and nothing else."""
    count = len(equity)
    return AccountRun(
        scale=1.0,
        lot=1.0,
        units=np.array(equity),
        outcomes=np.zeros(count, np.int8),
        orders=np.empty((0, 6)),
        fills=np.empty((0, 9)),
        carry=0.0,
        cash=equity[0],
        is_exact=False,
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(50, 150), min_size=3, max_size=60))
def test_figures_are_those_of_their_definitions(equity: list[float]) -> None:
    figures = figures_of(run_of(equity), periods=252)
    values = np.array(equity)
    changes = values[1:] / values[:-1] - 1
    highest = np.maximum.accumulate(values)
    longest = below = 0
    for value, high in zip(values, highest, strict=True):
        below = 0 if value == high else below + 1
        longest = max(longest, below)
    assert figures.max_drawdown == pytest.approx(((highest - values) / highest).max())
    assert figures.longest_drawdown == longest
    assert figures.volatility == pytest.approx(changes.std(ddof=1) * math.sqrt(252), abs=1e-9)
    assert figures.total_return == pytest.approx(values[-1] / values[0] - 1)
    if changes.std(ddof=1) > 1e-6:
        assert figures.sharpe == pytest.approx(changes.mean() / changes.std(ddof=1) * math.sqrt(252), rel=1e-6)
