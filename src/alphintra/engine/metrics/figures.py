"""All figures of a run in one value."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from alphintra.engine.metrics.days import periods_per_year, returns_of
from alphintra.engine.metrics.returns import (
    against_benchmark,
    moments_of,
    omega,
    probabilistic_sharpe,
    ratio,
    sharpe,
    sortino,
    tail_95,
    volatility,
)
from alphintra.engine.metrics.trading import trade_figures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alphintra.engine.metrics.series import Curve, TradeTable

__all__ = ["Falls", "Metrics", "compute_metrics", "falls_of", "metric_values"]

DAYS_PER_YEAR: Final = 365.25
VOLUME_SHARE: Final = 0.01
_DAY_NS: Final = 86_400 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Figures of one run; fractions, not percent. ``documents`` holds the formula of each, in this order.

    A fall or a loss is positive; None where a figure is undefined, never NaN.
    """

    final_equity: float
    total_return: float | None
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    psr: float | None
    max_drawdown: float | None
    max_drawdown_bars: int | None
    max_drawdown_days: float | None
    recovery_days: float | None
    calmar: float | None
    ulcer: float | None
    var_95: float | None
    cvar_95: float | None
    skewness: float | None
    kurtosis: float | None
    omega: float | None
    best_day: float | None
    worst_day: float | None
    days: int
    periods_per_year: int
    benchmark_return: float | None
    alpha: float | None
    beta: float | None
    correlation: float | None
    information_ratio: float | None
    tracking_error: float | None
    exposure: float | None
    gross_exposure: float | None
    net_exposure: float | None
    leverage_max: float | None
    turnover: float | None
    capacity: float | None
    trade_count: int
    long_count: int
    win_rate: float | None
    payoff: float | None
    profit_factor: float | None
    expectancy: float | None
    best_trade: float | None
    worst_trade: float | None
    sqn: float | None
    kelly: float | None
    mae_mean: float | None
    mfe_mean: float | None
    duration_bars: float | None
    duration_days: float | None
    longest_wins: int
    longest_losses: int
    fees_total: float
    slippage_total: float
    borrow_total: float
    cost_total: float
    cost_share: float | None
    break_even_cost: float | None


@dataclass(frozen=True, slots=True)
class Falls:
    """Falls of a value below its running peak, as fractions of it; lengths from peak to peak, the last may be open."""

    deepest: float | None = None
    longest_bars: int | None = None
    longest_days: float | None = None
    recovery_days: float | None = None
    ulcer: float | None = None


def compute_metrics(curve: Curve, table: TradeTable, *, risk_free: float = 0.0) -> Metrics:
    """Compute every figure of a run.

    Args:
        curve: course of the book.
        table: its closed trades.
        risk_free: rate per year that returns are held against, spread evenly over the calendar's days.
    """
    periods = periods_per_year(curve.calendar)
    returns = returns_of(curve, curve.equity, initial=curve.initial)
    excess = returns - risk_free / periods
    growth = ratio(float(curve.equity[-1]), curve.initial) if curve.equity.size else None
    growth_rate = _cagr(growth, _years(curve))
    falls = falls_of(curve.closes, curve.equity)
    loss, shortfall = tail_95(returns)
    shape = moments_of(excess)
    traded = trade_figures(table)
    return Metrics(
        final_equity=float(curve.equity[-1]) if curve.equity.size else curve.initial,
        total_return=None if growth is None else growth - 1,
        cagr=growth_rate,
        volatility=volatility(returns, periods),
        sharpe=sharpe(excess, periods),
        sortino=sortino(excess, periods),
        psr=None if shape is None else probabilistic_sharpe(shape),
        max_drawdown=falls.deepest,
        max_drawdown_bars=falls.longest_bars,
        max_drawdown_days=falls.longest_days,
        recovery_days=falls.recovery_days,
        calmar=ratio(growth_rate, falls.deepest),
        ulcer=falls.ulcer,
        var_95=loss,
        cvar_95=shortfall,
        skewness=None if shape is None else shape.skewness,
        kurtosis=None if shape is None else shape.kurtosis,
        omega=omega(excess),
        best_day=float(returns.max()) if returns.size else None,
        worst_day=float(returns.min()) if returns.size else None,
        days=int(returns.size),
        periods_per_year=periods,
        **_compared(curve, excess, risk_free=risk_free / periods, periods=periods),
        **_held(curve),
        **{field.name: getattr(traded, field.name) for field in fields(traded)},
        **_costs(curve, table),
    )


def metric_values(metrics: Metrics) -> dict[str, float | None]:
    """Return the figures by name as plain numbers."""
    found = {field.name: getattr(metrics, field.name) for field in fields(metrics)}
    return {name: None if value is None else float(value) for name, value in found.items()}


def falls_of(closes: NDArray[np.int64], values: NDArray[np.float64]) -> Falls:
    """Return the deepest fall, the longest time below a peak, and how long the deepest took to be regained.

    ``recovery_days`` runs from the lowest point of the deepest fall to the first bar at its peak again, None where that
    did not come. Nothing can be said of values that do not begin above zero.
    """
    if values.size == 0 or values[0] <= 0:
        return Falls()
    # One array throughout: at a million bars, fetching memory costs more than reckoning.
    falls = np.maximum.accumulate(values)
    np.divide(values, falls, out=falls)
    tops = np.append(np.flatnonzero(falls >= 1), values.size)
    np.subtract(1, falls, out=falls)
    lengths = np.diff(tops)
    below = np.flatnonzero(lengths > 1)
    regained = np.minimum(tops[below + 1], values.size - 1)
    spans = closes[regained] - closes[tops[below]]
    lowest = int(falls.argmax())
    after = int(np.searchsorted(tops, lowest))
    recovered = falls[lowest] > 0 and tops[after] < values.size
    return Falls(
        deepest=float(falls[lowest]),
        longest_bars=int(lengths.max()) - 1,
        longest_days=float(spans.max(initial=0)) / _DAY_NS,
        recovery_days=float(closes[tops[after]] - closes[lowest]) / _DAY_NS if recovered else None,
        ulcer=math.sqrt(float(falls @ falls) / falls.size),
    )


def _years(curve: Curve) -> float:
    if curve.closes.size == 0:
        return 0.0
    return float(curve.closes[-1] - curve.closes[0]) / _DAY_NS / DAYS_PER_YEAR


def _cagr(growth: float | None, years: float) -> float | None:
    """(E_T / E_0)^(1 / years) - 1; undefined without time, from a negative end or beyond what a float holds."""
    if growth is None or growth < 0 or years <= 0:
        return None
    try:
        return float(growth ** (1 / years)) - 1
    except OverflowError:
        return None


def _compared(curve: Curve, excess: NDArray[np.float64], *, risk_free: float, periods: int) -> dict[str, Any]:
    names = ("alpha", "beta", "correlation", "information_ratio", "tracking_error")
    if curve.benchmark is None or curve.benchmark.size == 0:
        return dict.fromkeys(("benchmark_return", *names))
    # The run's first day starts from its cash and the benchmark's from its first close: both returns of that day are
    # taken over the same bars.
    other = returns_of(curve, curve.benchmark, initial=float(curve.benchmark[0]))
    against = against_benchmark(excess, other, risk_free=risk_free, periods=periods)
    growth = ratio(float(curve.benchmark[-1]), float(curve.benchmark[0]))
    found = {name: getattr(against, name) for name in names}
    return {"benchmark_return": None if growth is None else growth - 1, **found}


def _held(curve: Curve) -> dict[str, Any]:
    """Return how much was in the market and how often it was turned over."""
    count, years = curve.equity.size, _years(curve)
    if count == 0:
        return dict.fromkeys(
            ("exposure", "gross_exposure", "net_exposure", "leverage_max", "turnover", "capacity"), None
        )
    mean = float(curve.equity.mean())
    solvent = bool(curve.equity.min() > 0)
    share = curve.gross / curve.equity if solvent else None
    gross, highest = (None, None) if share is None else (float(share.mean()), float(share.max()))
    if share is not None:
        np.divide(curve.net, curve.equity, out=share)
    traded = float(curve.traded.sum())
    return {
        "exposure": float(np.count_nonzero(curve.gross)) / count,
        "gross_exposure": gross,
        "net_exposure": None if share is None else float(share.mean()),
        "leverage_max": highest,
        "turnover": ratio(ratio(traded, 2 * mean), years),
        "capacity": _capacity(curve) if solvent else None,
    }


def _capacity(curve: Curve) -> float | None:
    """Return the largest equity with which no bar would have traded more than 1 % of its market value."""
    if curve.market_value is None:
        return None
    rows = np.flatnonzero(curve.traded > 0)
    if rows.size == 0:
        return None
    return float((VOLUME_SHARE * curve.market_value[rows] * curve.equity[rows] / curve.traded[rows]).min())


def _costs(curve: Curve, table: TradeTable) -> dict[str, Any]:
    fees, slippage, borrow = (float(part.sum()) for part in (curve.fees, curve.slippage, curve.borrow))
    total = fees + slippage + borrow
    # Before any cost: prices of fills already hold the slippage, so it is put back.
    earned = float(curve.equity[-1]) - curve.initial + total if curve.equity.size else 0.0
    count = len(table)
    return {
        "fees_total": fees,
        "slippage_total": slippage,
        "borrow_total": borrow,
        "cost_total": total,
        "cost_share": ratio(total, earned),
        "break_even_cost": earned / count if count else None,
    }
