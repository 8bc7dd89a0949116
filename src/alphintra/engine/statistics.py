"""Figures of a backtest, each with its formula; None where a figure is undefined, never NaN.

Floats throughout except money: statistics describe a result, they are never booked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.engine.backtest import BacktestResult, EquityPoint
    from alphintra.engine.trades import Trade

__all__ = ["MetricDocument", "Statistics", "compute_statistics", "metric_documents"]

DAYS_PER_YEAR = 365.25
_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Figures of one run; fractions, not percent. ``metric_documents`` holds the formula of each.

    Lengths are in bars; expectancy, fees and final equity in currency; a drawdown is positive.
    """

    final_equity: Decimal
    total_return: float | None
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    max_drawdown: float | None
    max_drawdown_bars: int | None
    calmar: float | None
    exposure: float | None
    turnover: float | None
    trade_count: int
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None
    payoff: float | None
    fees_total: Decimal


@dataclass(frozen=True, slots=True)
class MetricDocument:
    """One metric for people: field name, label, formula, unit and the source of the formula."""

    name: str
    label: str
    formula: str
    unit: str
    source: str


def compute_statistics(result: BacktestResult, *, periods_per_year: int = 252) -> Statistics:
    """Compute the figures of a run from its equity, fills and closed trades.

    Args:
        result: a finished run.
        periods_per_year: bars per year, 252 for daily bars of stocks, 365 of crypto.
    """
    start = result.settings.initial_cash
    equity = [float(point.equity) for point in result.equity]
    years = _years(result.equity)
    returns = _returns(equity)
    growth = equity[-1] / float(start) if equity else None
    cagr = _cagr(growth, years)
    drawdown, drawdown_bars = _drawdown(equity)
    traded = sum((float(fill.qty * fill.price) for fill in result.fills), 0.0)
    return Statistics(
        final_equity=result.equity[-1].equity if result.equity else start,
        total_return=None if growth is None else growth - 1,
        cagr=cagr,
        volatility=_volatility(returns, periods_per_year),
        sharpe=_sharpe(returns, periods_per_year),
        sortino=_sortino(returns, periods_per_year),
        max_drawdown=drawdown,
        max_drawdown_bars=drawdown_bars,
        calmar=_ratio(cagr, drawdown),
        exposure=_ratio(float(sum(point.qty != 0 for point in result.equity)), float(len(equity))),
        turnover=_turnover(traded, equity, years),
        fees_total=sum((fill.fee for fill in result.fills), Decimal(0)),
        trade_count=len(result.trades),
        win_rate=_win_rate(result.trades),
        profit_factor=_profit_factor(result.trades),
        expectancy=_expectancy(result.trades),
        payoff=_payoff(result.trades),
    )


def metric_documents() -> tuple[MetricDocument, ...]:
    """Return label, formula, unit and source of every metric, in the order they are shown."""
    return tuple(MetricDocument(*row) for row in _DOCUMENTS)


_COMMON = "common definition"
_DOCUMENTS = (
    ("final_equity", "Final equity", "cash + position valued at the last close", "currency", _COMMON),
    ("total_return", "Total return", "E_T / E_0 - 1", "fraction", _COMMON),
    ("cagr", "CAGR", "(E_T / E_0)^(365.25 / days) - 1", "fraction per year", _COMMON),
    ("volatility", "Volatility", "sd(r, n - 1) * sqrt(P)", "fraction per year", _COMMON),
    ("sharpe", "Sharpe ratio", "mean(r) / sd(r, n - 1) * sqrt(P), risk-free rate 0", "ratio", "Sharpe 1994"),
    (
        "sortino",
        "Sortino ratio",
        "mean(r) * sqrt(P) / sqrt(sum(min(r, 0)^2) / n), n counts all bars",
        "ratio",
        "Sortino and Price 1994",
    ),
    ("max_drawdown", "Maximum drawdown", "max(1 - E / running peak of E)", "fraction", _COMMON),
    ("max_drawdown_bars", "Longest drawdown", "most bars in a row below an earlier peak", "bars", _COMMON),
    ("calmar", "Calmar ratio", "CAGR / maximum drawdown over the whole run", "ratio", "Young 1991"),
    ("exposure", "Exposure", "bars with a position at the close / all bars", "fraction", _COMMON),
    ("turnover", "Turnover", "sum(traded amounts) / (2 * mean(E)) / years", "times per year", _COMMON),
    ("trade_count", "Closed trades", "flat to open to flat counts once", "trades", _COMMON),
    ("win_rate", "Win rate", "trades with net > 0 / closed trades", "fraction", _COMMON),
    ("profit_factor", "Profit factor", "sum(net of wins) / abs(sum(net of losses))", "ratio", _COMMON),
    ("expectancy", "Expectancy", "W * mean(win) - L * mean(loss) = mean(net of trades)", "currency", "Tharp 1998"),
    ("payoff", "Payoff ratio", "mean(net of wins) / abs(mean(net of losses))", "ratio", _COMMON),
    ("fees_total", "Fees", "sum of the fees of all fills", "currency", _COMMON),
)


def _years(points: Sequence[EquityPoint]) -> float:
    if not points:
        return 0.0
    return (points[-1].ts - points[0].ts).total_seconds() / _SECONDS_PER_DAY / DAYS_PER_YEAR


def _returns(equity: Sequence[float]) -> list[float]:
    """Return r_t = E_t / E_(t-1) - 1; empty if equity was ever spent, because no return follows from nothing."""
    if any(value <= 0 for value in equity[:-1]):
        return []
    return [later / earlier - 1 for earlier, later in pairwise(equity)]


def _cagr(growth: float | None, years: float) -> float | None:
    """(E_T / E_0)^(1 / years) - 1; undefined without time or from a negative end."""
    if growth is None or growth < 0 or years <= 0:
        return None
    try:
        return float(growth ** (1 / years)) - 1
    except OverflowError:
        return None


def _deviation(returns: Sequence[float]) -> float | None:
    """Sample standard deviation, divisor n - 1."""
    if len(returns) < 2:  # noqa: PLR2004 - n - 1 must be above zero
        return None
    mean = math.fsum(returns) / len(returns)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in returns) / (len(returns) - 1))


def _volatility(returns: Sequence[float], periods: int) -> float | None:
    deviation = _deviation(returns)
    return None if deviation is None else deviation * math.sqrt(periods)


def _sharpe(returns: Sequence[float], periods: int) -> float | None:
    """Arithmetic mean over sample deviation, annualised by sqrt(P) (Sharpe 1994); rf = 0."""
    deviation = _deviation(returns)
    mean = math.fsum(returns) / len(returns) if returns else None
    ratio = _ratio(mean, deviation)
    return None if ratio is None else ratio * math.sqrt(periods)


def _sortino(returns: Sequence[float], periods: int) -> float | None:
    """Mean over downside deviation below 0, whose divisor counts all bars (Sortino and Price 1994)."""
    if not returns:
        return None
    downside = math.sqrt(math.fsum(min(value, 0.0) ** 2 for value in returns) / len(returns))
    ratio = _ratio(math.fsum(returns) / len(returns), downside)
    return None if ratio is None else ratio * math.sqrt(periods)


def _drawdown(equity: Sequence[float]) -> tuple[float | None, int | None]:
    """Return the deepest fall from a running peak as a fraction, and the most bars in a row below a peak."""
    if not equity or equity[0] <= 0:
        return None, None
    peak, deepest, longest, below = equity[0], 0.0, 0, 0
    for value in equity:
        if value >= peak:
            peak, below = value, 0
        else:
            below += 1
            deepest = max(deepest, 1 - value / peak)
            longest = max(longest, below)
    return deepest, longest


def _turnover(traded: float, equity: Sequence[float], years: float) -> float | None:
    if not equity or years <= 0:
        return None
    mean = math.fsum(equity) / len(equity)
    return traded / (2 * mean) / years if mean > 0 else None


def _split(trades: Sequence[Trade]) -> tuple[list[float], list[float]]:
    """Return the net results of winning and of losing trades; a zero is neither."""
    nets = [float(trade.net) for trade in trades]
    return [net for net in nets if net > 0], [net for net in nets if net < 0]


def _win_rate(trades: Sequence[Trade]) -> float | None:
    wins, _ = _split(trades)
    return _ratio(float(len(wins)), float(len(trades)))


def _profit_factor(trades: Sequence[Trade]) -> float | None:
    """Sum of wins over sum of losses, in money; undefined without a loss."""
    wins, losses = _split(trades)
    return _ratio(math.fsum(wins), -math.fsum(losses))


def _expectancy(trades: Sequence[Trade]) -> float | None:
    """Mean net result of a closed trade, in currency."""
    return _ratio(math.fsum(float(trade.net) for trade in trades), float(len(trades)))


def _payoff(trades: Sequence[Trade]) -> float | None:
    """Mean win over mean loss; undefined without either."""
    wins, losses = _split(trades)
    if not wins or not losses:
        return None
    return (math.fsum(wins) / len(wins)) / (-math.fsum(losses) / len(losses))


def _ratio(above: float | None, below: float | None) -> float | None:
    if above is None or below is None or below <= 0:
        return None
    return above / below
