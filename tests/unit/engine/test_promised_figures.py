"""Every figure a report is to have is computed, and documented with its formula, unit and source."""

from __future__ import annotations

from dataclasses import fields

import pytest

from alphintra.engine.metrics.documents import metric_documents
from alphintra.engine.metrics.figures import Metrics

PROMISED = {
    "growth": ("total_return", "cagr"),
    "swing": ("volatility", "sharpe", "sortino", "psr"),
    "falls": ("max_drawdown", "max_drawdown_days", "recovery_days", "calmar", "ulcer"),
    "shape": ("var_95", "cvar_95", "skewness", "kurtosis", "omega"),
    "benchmark": ("alpha", "beta", "information_ratio", "tracking_error"),
    "exposure": ("exposure", "gross_exposure", "net_exposure", "turnover", "capacity"),
    "trades": ("win_rate", "payoff", "profit_factor", "expectancy", "sqn", "kelly"),
    "each trade": ("mae_mean", "mfe_mean", "duration_bars", "duration_days", "longest_wins", "longest_losses"),
    "cost ledger": ("fees_total", "slippage_total", "borrow_total", "cost_total", "cost_share", "break_even_cost"),
}


@pytest.mark.parametrize("name", [name for names in PROMISED.values() for name in names])
def test_a_promised_figure_is_computed_and_documented(name: str) -> None:
    document = next(each for each in metric_documents() if each.name == name)
    assert document.formula
    assert document.unit
    assert document.source
    assert document.meaning
    assert name in {each.name for each in fields(Metrics)}
