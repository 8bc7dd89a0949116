"""What strategy answers of the backtests of ready strategies, and of backtests made again."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from alphintra.contracts.strategy import BacktestView
from alphintra.kernel.messages import Command, Utc, View

__all__ = [
    "SAMPLE_SOURCE",
    "BacktestComparisonView",
    "CompareBacktests",
    "ListTemplateBacktests",
    "MakeTemplateBacktests",
    "RepeatBacktest",
    "TemplateBacktestView",
    "TemplateBacktestsView",
]

SAMPLE_SOURCE: Final = "Quandl WIKI (public domain)"
"""Where the prices that `alphintra up --sample` brings come from: what says so is a sample."""


class TemplateBacktestView(View, frozen=True):
    """The backtest of a ready strategy over prices that everybody here has.

    ``backtest_id`` is None, and ``missing`` says why, where there is none. ``is_current`` tells whether it is the run
    of the template, the prices and the engine as they are now. ``figures`` are the chief ones.
    """

    template: str
    symbols: tuple[str, ...]
    timeframe: str
    backtest_id: UUID | None
    status: str
    run_hash: str
    result_hash: str
    figures: dict[str, float | None]
    is_current: bool
    missing: str
    finished_at: Utc | None


class TemplateBacktestsView(View, frozen=True):
    """One for each template, by name."""

    backtests: tuple[TemplateBacktestView, ...]


class BacktestComparisonView(View, frozen=True):
    """How two finished backtests compare.

    ``is_same_run``: strategy, bars, range, terms and engine are the same. ``is_equal``: orders, fills and equity are.
    ``differences`` tells the first of each kind, in sentences.
    """

    is_same_run: bool
    is_equal: bool
    differences: tuple[str, ...]


class ListTemplateBacktests(Command[TemplateBacktestsView], tag="strategy.list_template_backtests.v1", frozen=True):
    """List the backtests of the ready strategies."""


class MakeTemplateBacktests(Command[TemplateBacktestsView], tag="strategy.make_template_backtests.v1", frozen=True):
    """Queue the backtests of ready strategies that are missing; those that wait, run or are current stay."""


class RepeatBacktest(Command[BacktestView], tag="strategy.repeat_backtest.v1", frozen=True):
    """Queue a finished backtest anew, from the very same strategy, bars, range and terms."""

    backtest_id: UUID


class CompareBacktests(Command[BacktestComparisonView], tag="strategy.compare_backtests.v1", frozen=True):
    """Compare two finished backtests."""

    backtest_id: UUID
    other_id: UUID
