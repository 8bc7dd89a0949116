"""What a run is judged by, in one pass over its equity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.account.course import COURSE, course

if TYPE_CHECKING:
    from alphintra.engine.account.run import AccountRun

__all__ = ["Figures", "figures_of"]

COMPILED_BARS_MIN: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Figures of one run; returns are those from close to close, ratios are per ``periods`` closes.

    NaN where a figure has no value: no returns, no deviation, no trades.
    """

    total_return: float
    volatility: float
    sharpe: float
    sortino: float
    max_drawdown: float
    longest_drawdown: int
    trades: int
    win_rate: float
    profit_factor: float
    expectancy: float
    exposure: float


def figures_of(run: AccountRun, *, periods: float = 252.0) -> Figures:
    """Return the figures of a run of at least one bar, without a risk-free rate."""
    s = run.course
    if s is None:
        s = np.zeros(COURSE)
        is_compiled = course.is_loaded or run.units.size >= COMPILED_BARS_MIN
        (course.compiled if is_compiled else course.interpreted)(np.zeros(0), s, run.units)
    count, total, squares, losses = s[0] - 1, s[2], s[3], s[4]
    deepest = max(s[8], (s[5] - s[7]) / s[5]) if s[5] > 0 else math.nan
    mean = total / count if count > 0 else math.nan
    deviation = math.sqrt(max(squares - count * mean * mean, 0.0) / (count - 1)) if count > 1 else math.nan
    downside = math.sqrt(losses / count) if count > 0 else math.nan
    net, trades = run.trades.net, run.trades
    gains, losses_of = np.maximum(net, 0.0), np.minimum(net, 0.0)
    won, lost = float(gains.sum()), -float(losses_of.sum())
    held = int(trades.closed.sum() - trades.opened.sum())
    if len(run.fills) % 2:
        held += run.units.size - int(run.fills[-1, 0])
    return Figures(
        total_return=float(run.units[-1] / run.scale) / run.cash - 1.0,
        volatility=deviation * math.sqrt(periods),
        sharpe=_over(mean, deviation) * math.sqrt(periods),
        sortino=_over(mean, downside) * math.sqrt(periods),
        max_drawdown=float(deepest),
        longest_drawdown=int(max(s[9], s[0] - s[6] - 1)),
        trades=net.size,
        win_rate=_over(float((net > 0).sum()), float(net.size)),
        profit_factor=_over(won, lost),
        expectancy=_over(float(net.sum()), float(net.size)),
        exposure=held / run.units.size,
    )


def _over(above: float, below: float) -> float:
    return above / below if below > 0 else math.nan
