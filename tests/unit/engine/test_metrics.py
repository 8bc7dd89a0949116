"""Figures agree with values computed by hand or by other code, and are None, never NaN, where undefined."""

from __future__ import annotations

import dataclasses
import math
import statistics as reference
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.graph import compile_plan
from alphintra.engine.graph.tape import epoch_ns
from alphintra.engine.metrics.days import calendar_for, daily_closes, periods_per_year, returns_of
from alphintra.engine.metrics.documents import metric_documents
from alphintra.engine.metrics.figures import Metrics, compute_metrics, falls_of, metric_values
from alphintra.engine.metrics.results import curve_of, measure, trades_of
from alphintra.engine.metrics.returns import moments_of, probabilistic_sharpe
from alphintra.engine.metrics.series import Curve, TradeTable, excursions, labels_of
from alphintra.engine.metrics.trading import breakdown, trade_figures
from alphintra.kernel.errors import AlphintraError
from unit.engine.builders import bar, threshold_graph

DAY_NS = 86_400 * 10**9
MONDAY = datetime(2024, 1, 8, 21, tzinfo=UTC)


def at(day: float) -> int:
    return epoch_ns(MONDAY) + int(day * DAY_NS)


def curve(equity: list[float], *, days: list[float] | None = None, **changed: object) -> Curve:
    """Return a curve with a bar a day from a Monday on, always trading, unless a test says otherwise."""
    count = len(equity)
    zeros = np.zeros(count)
    base = Curve(
        closes=np.array([at(day) for day in (days or range(count))], dtype=np.int64),
        equity=np.array(equity, dtype=np.float64),
        net=zeros,
        gross=zeros,
        traded=zeros,
        fees=zeros,
        slippage=zeros,
        borrow=zeros,
        initial=equity[0],
        calendar="24/7",
    )
    return dataclasses.replace(base, **changed)  # type: ignore[arg-type]


def table(nets: list[float], **changed: object) -> TradeTable:
    """Return trades of one bar each with the given results, no fees."""
    count = len(nets)
    index = np.arange(count, dtype=np.int64)
    ones, zeros = np.ones(count), np.zeros(count)
    base = TradeTable(
        entry_index=index,
        exit_index=index + 1,
        entry_time=epoch_ns(MONDAY) + index * DAY_NS,
        exit_time=epoch_ns(MONDAY) + (index + 1) * DAY_NS,
        side=np.ones(count, dtype=np.int64),
        qty=ones,
        entry_price=ones,
        exit_price=ones,
        gross=np.array(nets, dtype=np.float64),
        fees=zeros,
        mae=zeros,
        mfe=zeros,
        entry_tag=labels_of(["in"] * count),
        exit_reason=labels_of(["out"] * count),
        symbol=labels_of(["TEST"] * count),
    )
    return dataclasses.replace(base, **changed)  # type: ignore[arg-type]


def test_returns_drawdown_and_ratios_by_hand() -> None:
    got = compute_metrics(curve([100, 110, 99, 104, 121]), table([]))
    returns = [0.1, -0.1, 104 / 99 - 1, 121 / 104 - 1]
    mean, deviation = reference.fmean(returns), reference.stdev(returns)
    assert got.total_return == pytest.approx(0.21)
    assert got.cagr == pytest.approx(1.21 ** (365.25 / 4) - 1)
    assert got.volatility == pytest.approx(deviation * math.sqrt(365))
    assert got.sharpe == pytest.approx(mean / deviation * math.sqrt(365))
    assert got.sortino == pytest.approx(mean / math.sqrt(0.01 / 4) * math.sqrt(365))
    assert got.omega == pytest.approx((0.1 + 104 / 99 - 1 + 121 / 104 - 1) / 0.1)
    assert got.max_drawdown == pytest.approx(0.1)
    assert got.max_drawdown_bars == 2
    assert (got.max_drawdown_days, got.recovery_days) == (3.0, 2.0)
    assert got.ulcer == pytest.approx(math.sqrt((0.1**2 + (6 / 110) ** 2) / 5))
    assert got.cagr is not None
    assert got.calmar == pytest.approx(got.cagr / 0.1)
    assert got.best_day == pytest.approx(121 / 104 - 1)
    assert got.worst_day == pytest.approx(-0.1)
    assert got.days == 4


def test_a_rate_without_risk_is_taken_off_every_day() -> None:
    free, held = compute_metrics(curve([100, 101, 100, 102]), table([])), curve([100, 101, 100, 102])
    returns = [value - 0.0365 / 365 for value in (0.01, 100 / 101 - 1, 0.02)]
    got = compute_metrics(held, table([]), risk_free=0.0365)
    assert got.sharpe == pytest.approx(reference.fmean(returns) / reference.stdev(returns) * math.sqrt(365))
    assert got.volatility == free.volatility


def test_value_at_risk_is_the_worst_day_in_twenty() -> None:
    rng = np.random.default_rng(1)
    equity = 100 * np.cumprod(np.concatenate(([1.0], 1 + rng.normal(0, 0.01, 100))))
    got = compute_metrics(curve(list(equity)), table([]))
    worst = sorted(equity[1:] / equity[:-1] - 1)[:5]
    assert got.var_95 == pytest.approx(-worst[4])
    assert got.cvar_95 == pytest.approx(-sum(worst) / 5)


def test_skewness_kurtosis_and_the_probability_of_the_sharpe_ratio_by_hand() -> None:
    moments = moments_of(np.array([0.01, 0.02, -0.03, 0.04]))
    assert moments is not None
    mean = 0.01
    second = (0.0 + 0.01**2 + 0.04**2 + 0.03**2) / 4
    third = (0.01**3 - 0.04**3 + 0.03**3) / 4
    fourth = (0.01**4 + 0.04**4 + 0.03**4) / 4
    assert moments.skewness == pytest.approx(third / second**1.5)
    assert moments.kurtosis == pytest.approx(fourth / second**2)
    sharpe = mean / math.sqrt(second * 4 / 3)
    spread = math.sqrt(1 - moments.skewness * sharpe + (moments.kurtosis - 1) / 4 * sharpe**2)
    expected = 0.5 * math.erfc(-(sharpe - 0.1) * math.sqrt(3) / spread / math.sqrt(2))
    assert probabilistic_sharpe(moments, against=0.1) == pytest.approx(expected)


def test_a_benchmark_explains_what_follows_it() -> None:
    rng = np.random.default_rng(2)
    moves = rng.normal(0.001, 0.01, 300)
    own = 0.0005 + 1.5 * moves + rng.normal(0, 0.002, 300)
    levels, equity = (100 * np.cumprod(np.concatenate(([1.0], 1 + part))) for part in (moves, own))
    got = compute_metrics(curve(list(equity), benchmark=levels), table([]))
    (beta, alpha), apart = np.polyfit(moves, own, 1), own - moves
    assert got.beta == pytest.approx(beta)
    assert got.alpha == pytest.approx(alpha * 365)
    assert got.correlation == pytest.approx(np.corrcoef(moves, own)[0, 1])
    assert got.tracking_error == pytest.approx(reference.stdev(apart) * math.sqrt(365))
    assert got.information_ratio == pytest.approx(apart.mean() / reference.stdev(apart) * math.sqrt(365))
    assert got.benchmark_return == pytest.approx(levels[-1] / 100 - 1)


def test_trade_figures_by_hand() -> None:
    got = trade_figures(table([10, 20, -5, 0], side=np.array([1, 1, -1, -1])))
    assert (got.trade_count, got.long_count, got.win_rate, got.profit_factor) == (4, 2, 0.5, 6.0)
    assert (got.expectancy, got.payoff, got.best_trade, got.worst_trade) == (6.25, 3.0, 20.0, -5.0)
    assert got.kelly == pytest.approx(0.5 - 0.5 / 3)
    assert got.sqn == pytest.approx(2 * 6.25 / reference.stdev([10, 20, -5, 0]))
    assert (got.duration_bars, got.duration_days, got.longest_wins, got.longest_losses) == (1.0, 1.0, 2, 1)


def test_fees_decide_whether_a_trade_won() -> None:
    got = trade_figures(table([10, 10], fees=np.array([1.0, 11.0])))
    assert (got.win_rate, got.expectancy, got.profit_factor) == (0.5, 4.0, 9.0)


def test_trades_are_split_by_what_they_share() -> None:
    tags = labels_of(["a", "b", "a", "b"])
    some = table([10, -4, 5, -1], entry_tag=tags, side=np.array([1, -1, 1, -1]))
    by_tag = breakdown(some, "entry_tag")
    assert [(g.name, g.trades, g.wins, g.net, g.expectancy) for g in by_tag] == [
        ("a", 2, 2, 15.0, 7.5),
        ("b", 2, 0, -5.0, -2.5),
    ]
    assert [g.name for g in breakdown(some, "side")] == ["long", "short"]
    assert [g.name for g in breakdown(some, "weekday")] == ["Monday", "Tuesday", "Wednesday", "Thursday"]
    with pytest.raises(AlphintraError, match="GROUPING_UNKNOWN"):
        breakdown(some, "moon")


def test_exposure_leverage_turnover_and_capacity_by_hand() -> None:
    held = curve(
        [100, 100, 200],
        days=[0, 365.25 / 2, 365.25],
        net=np.array([0.0, -50.0, 300.0]),
        gross=np.array([0.0, 50.0, 300.0]),
        traded=np.array([0.0, 80.0, 20.0]),
        market_value=np.array([1.0, 4_000.0, 9_000.0]),
    )
    got = compute_metrics(held, table([]))
    assert got.exposure == pytest.approx(2 / 3)
    assert (got.gross_exposure, got.leverage_max) == (2 / 3, 1.5)
    assert got.net_exposure == pytest.approx(1 / 3)
    assert got.turnover == pytest.approx(100 / (2 * 400 / 3))
    assert got.capacity == pytest.approx(0.01 * 4_000 * 100 / 80)


def test_the_cost_ledger_adds_up() -> None:
    fees, slippage, borrow = (np.array([0.0, value]) for value in (3.0, 2.0, 1.0))
    got = compute_metrics(curve([100, 114], fees=fees, slippage=slippage, borrow=borrow), table([9, 5]))
    assert (got.fees_total, got.slippage_total, got.borrow_total, got.cost_total) == (3.0, 2.0, 1.0, 6.0)
    assert (got.cost_share, got.break_even_cost) == (6 / 20, 10.0)


def test_excursions_see_the_bars_until_the_exit_and_no_more_of_the_exit_bar() -> None:
    highs, lows = np.array([11.0, 14.0, 12.0, 99.0]), np.array([9.0, 10.0, 8.0, 1.0])
    span = np.array([0, 0, 3]), np.array([3, 3, 3])
    prices = np.array([10.0, 10.0, 50.0]), np.array([12.0, 12.0, 40.0])
    mae, mfe = excursions(span, prices, side=np.array([1, -1, 1]), highs=highs, lows=lows)
    assert list(mae) == pytest.approx([0.2, 0.4, 0.2])
    assert list(mfe) == pytest.approx([0.4, 0.2, 0.0])


def test_days_are_those_of_the_calendar_whatever_the_bars() -> None:
    # Friday and the Tuesday after Martin Luther King's day, 2024: of the days between only Tuesday is a session.
    closes = np.array([at(4), at(4) + 60 * 10**9, at(8)], dtype=np.int64)
    daily = daily_closes(closes, np.array([1.0, 2.0, 3.0]), "XNYS")
    assert list(daily.values) == [2.0, 3.0]
    assert list(daily_closes(closes, np.array([1.0, 2.0, 3.0]), "24/7").values) == [2.0, 2.0, 2.0, 2.0, 3.0]
    assert (periods_per_year("XNYS"), periods_per_year("24/7")) == (252, 365)


def test_the_late_session_belongs_to_its_day_in_summer_and_winter() -> None:
    for month, hour in ((1, 1), (7, 0)):
        late = datetime(2024, month, 10, hour, tzinfo=UTC)  # 20:00 the day before in New York
        early = late.replace(hour=8 + hour)  # 4:00 of the day
        closes = np.array([epoch_ns(at) for at in (late - timedelta(hours=3), late, early)], dtype=np.int64)
        assert list(daily_closes(closes, np.array([1.0, 2.0, 3.0]), "XNYS").values) == [2.0, 3.0]


def test_minutes_and_days_of_the_same_course_have_the_same_ratio() -> None:
    rng = np.random.default_rng(3)
    worth = 100 * np.cumprod(1 + rng.normal(0, 0.001, 24 * 60))
    hours = curve(list(worth), days=[(hour - 20) / 24 for hour in range(24 * 60)])
    last = worth[23::24]
    days = curve([100.0, *last], days=[-0.9, *(day + 3 / 24 for day in range(60))], initial=100.0)
    hourly = compute_metrics(dataclasses.replace(hours, initial=100.0), table([]))
    assert hourly.sharpe == pytest.approx(compute_metrics(days, table([])).sharpe)
    assert hourly.days == 60


def test_a_market_that_trades_at_weekends_is_seen_by_its_bars() -> None:
    week = np.array([at(day) for day in range(7)], dtype=np.int64)
    assert calendar_for("XNYS", week) == "24/7"
    assert calendar_for("XNYS", week[:5]) == "XNYS"
    assert calendar_for("24/7", week[:5]) == "24/7"


def test_the_way_back_up_is_open_until_the_peak_is_regained() -> None:
    closes = np.array([at(day) for day in range(5)], dtype=np.int64)
    under = falls_of(closes, np.array([10.0, 12.0, 6.0, 9.0, 11.0]))
    assert (under.deepest, under.longest_bars, under.longest_days, under.recovery_days) == (0.5, 3, 3.0, None)
    back = falls_of(closes, np.array([10.0, 12.0, 6.0, 9.0, 12.0]))
    assert (back.longest_bars, back.longest_days, back.recovery_days) == (2, 3.0, 2.0)


def test_what_is_undefined_is_none() -> None:
    still = metric_values(compute_metrics(curve([100, 100, 100]), table([])))
    undefined = ["sharpe", "sortino", "calmar", "win_rate", "profit_factor", "expectancy", "payoff", "psr", "beta"]
    assert [still[name] for name in undefined] == [None] * len(undefined)
    assert (still["total_return"], still["volatility"], still["max_drawdown"]) == (0.0, 0.0, 0.0)
    single = compute_metrics(curve([100]), table([]))
    assert (single.cagr, single.volatility, single.turnover) == (None, None, None)
    wins = compute_metrics(curve([100, 101]), table([1]))
    assert (wins.profit_factor, wins.payoff, wins.win_rate, wins.recovery_days) == (None, None, 1.0, None)


def test_a_spent_account_has_no_growth_rate_and_no_ratio() -> None:
    got = compute_metrics(curve([100, -5, 10]), table([]))
    assert (got.volatility, got.sharpe, got.sortino, got.leverage_max) == (None, None, None, None)
    assert compute_metrics(curve([100, -5]), table([])).cagr is None
    assert compute_metrics(curve([100, 0]), table([])).cagr == -1.0


@settings(max_examples=50)
@given(st.lists(st.integers(-5, 10**9), min_size=1, max_size=30), st.lists(st.integers(-99, 99), max_size=9))
def test_no_figure_is_ever_nan(equity: list[float], nets: list[float]) -> None:
    start = max(equity[0], 1)
    course = curve(equity, initial=start, benchmark=np.abs(np.array(equity, dtype=np.float64)) + 1)
    values = metric_values(compute_metrics(course, table(nets)))
    assert all(value is None or math.isfinite(value) for value in values.values())


def test_every_figure_has_its_formula() -> None:
    documents = metric_documents()
    assert [document.name for document in documents] == [field.name for field in dataclasses.fields(Metrics)]
    assert all(d.label and d.formula and d.unit and d.source and d.meaning for d in documents)


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(AlphintraError, match="SERIES_LENGTH"):
        curve([100, 101], fees=np.zeros(3))
    with pytest.raises(AlphintraError, match="SERIES_LENGTH"):
        table([1, 2], symbol=labels_of(["A"]))


def test_a_run_in_decimals_becomes_arrays() -> None:
    prices = ["9 9 9 9", "9 12 8 11", "12 15 11 14", "14 20 9 9", "8 8 1 8"]
    bars = [bar(index, each) for index, each in enumerate(prices)]
    terms = BacktestSettings(initial_cash=Decimal(1000), slippage_bps=Decimal(100))
    result = run_backtest(compile_plan(threshold_graph()), "TEST", bars=bars, settings=terms)
    course, trades = curve_of(result, bars), trades_of(result, bars)
    assert list(course.equity) == [float(point.equity) for point in result.equity]
    assert list(course.traded) == pytest.approx([0, 0, 121.2, 0, 79.2])
    assert list(course.slippage) == pytest.approx([0, 0, 1.2, 0, 0.8])
    assert (list(trades.entry_index), list(trades.exit_index)) == ([2], [4])
    assert list(trades.mfe) == pytest.approx([(20 - 12.12) / 12.12])
    assert list(trades.mae) == pytest.approx([(12.12 - 7.92) / 12.12])
    assert trades.entry_tag.texts() == ["in"]
    assert measure(result, bars)["slippage_total"] == pytest.approx(2.0)
    assert list(returns_of(course, course.equity)) == pytest.approx(list(course.equity[1:] / course.equity[:-1] - 1))
