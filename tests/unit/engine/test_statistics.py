"""Figures agree with values computed by hand and are None, never NaN, where undefined."""

from __future__ import annotations

import dataclasses
import math
import statistics as reference
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphintra.engine.backtest import BacktestResult, BacktestSettings, EquityPoint, run_backtest
from alphintra.engine.graph import compile_plan
from alphintra.engine.statistics import Statistics, compute_statistics, metric_documents
from alphintra.engine.step import Fill
from alphintra.engine.trades import Trade
from alphintra.kernel.vocabulary import Side
from unit.engine.builders import START, day, flat_bars, threshold_graph

PLAN = compile_plan(threshold_graph())


def result(equity: list[str], *, nets: list[int] | None = None, held: str = "0") -> BacktestResult:
    """Return a run with the given equity curve, a point a day, and trades with the given net results."""
    points = [EquityPoint(day(i), Decimal(e), Decimal(e), Decimal(held), Decimal(1)) for i, e in enumerate(equity)]
    one = Decimal(1)
    trades = tuple(
        Trade(day(0), day(1), 1, Side.BUY, one, one, one, Decimal(net), Decimal(0), Decimal(net), "", "")
        for net in nets or []
    )
    terms = BacktestSettings(initial_cash=Decimal(equity[0]))
    base = run_backtest(PLAN, "TEST", bars=flat_bars([10, 10]), settings=terms)
    return dataclasses.replace(base, equity=tuple(points), trades=trades)


def test_returns_drawdown_and_ratios_by_hand() -> None:
    got = compute_statistics(result(["100", "110", "99", "104", "121"]))
    returns = [0.1, -0.1, 104 / 99 - 1, 121 / 104 - 1]
    mean, deviation = reference.fmean(returns), reference.stdev(returns)
    assert got.total_return == pytest.approx(0.21)
    assert got.cagr == pytest.approx(1.21 ** (365.25 / 4) - 1)
    assert got.volatility == pytest.approx(deviation * math.sqrt(252))
    assert got.sharpe == pytest.approx(mean / deviation * math.sqrt(252))
    assert got.sortino == pytest.approx(mean / math.sqrt(0.01 / 4) * math.sqrt(252))
    assert got.max_drawdown == pytest.approx(0.1)
    assert got.max_drawdown_bars == 2
    assert got.cagr is not None
    assert got.calmar == pytest.approx(got.cagr / 0.1)


def test_trade_figures_by_hand() -> None:
    got = compute_statistics(result(["100", "105"], nets=[10, 20, -5, 0]))
    assert (got.trade_count, got.win_rate, got.profit_factor) == (4, 0.5, 6.0)
    assert (got.expectancy, got.payoff) == (6.25, 3.0)


def test_exposure_turnover_and_fees_by_hand() -> None:
    base = result(["100", "100", "100"])
    points = tuple(
        dataclasses.replace(point, qty=Decimal(index), ts=START + timedelta(days=index * 365.25 / 2))
        for index, point in enumerate(base.equity)
    )
    fills = (
        Fill("a", day(1), Side.BUY, Decimal(2), Decimal(30), Decimal("0.5"), Decimal(0)),
        Fill("b", day(2), Side.SELL, Decimal(2), Decimal(20), Decimal("0.25"), Decimal(0)),
    )
    got = compute_statistics(dataclasses.replace(base, equity=points, fills=fills))
    assert got.exposure == pytest.approx(2 / 3)
    assert got.turnover == pytest.approx(100 / 200)
    assert got.fees_total == Decimal("0.75")


def test_what_is_undefined_is_none() -> None:
    still = compute_statistics(result(["100", "100", "100"]))
    undefined = ["sharpe", "sortino", "calmar", "win_rate", "profit_factor", "expectancy", "payoff"]
    assert [getattr(still, name) for name in undefined] == [None] * len(undefined)
    assert (still.total_return, still.volatility, still.max_drawdown, still.max_drawdown_bars) == (0.0, 0.0, 0.0, 0)
    single = compute_statistics(result(["100"]))
    assert (single.cagr, single.volatility, single.turnover) == (None, None, None)
    wins = compute_statistics(result(["100", "101"], nets=[1]))
    assert (wins.profit_factor, wins.payoff, wins.win_rate) == (None, None, 1.0)


def test_a_spent_account_has_no_growth_rate_and_no_ratio() -> None:
    got = compute_statistics(result(["100", "-5", "10"]))
    assert (got.volatility, got.sharpe, got.sortino) == (None, None, None)
    assert compute_statistics(result(["100", "-5"])).cagr is None
    assert compute_statistics(result(["100", "0"])).cagr == -1.0


@settings(max_examples=50)
@given(st.lists(st.integers(1, 10**9).map(str), min_size=1, max_size=30), st.lists(st.integers(-99, 99), max_size=9))
def test_no_figure_is_ever_nan(equity: list[str], nets: list[int]) -> None:
    got = compute_statistics(result(equity, nets=nets))
    values = [getattr(got, field.name) for field in dataclasses.fields(Statistics)]
    assert all(value is None or math.isfinite(value) for value in values)


def test_every_figure_has_its_formula() -> None:
    names = [document.name for document in metric_documents()]
    assert names == [field.name for field in dataclasses.fields(Statistics)]
    assert all(document.formula and document.unit and document.source for document in metric_documents())
