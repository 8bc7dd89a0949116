"""What strategy draws and tells of what was run: courses reduced to what a chart shows, and the terms of a backtest."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.contracts.datasets import DatasetView
from alphintra.contracts.strategy import BacktestView
from alphintra.kernel.messages import Command, Utc, View
from alphintra.kernel.vocabulary import Intrabar

__all__ = [
    "BacktestCourseView",
    "BacktestTermsView",
    "BarCourseView",
    "DrawBacktest",
    "DrawBars",
    "FigureView",
    "FiguresView",
    "GetBacktestTerms",
    "ReportFileView",
    "RunTrial",
]


class BarCourseView(View, frozen=True):
    """Bars of a symbol to be drawn, at most 5,000: columns of one length, adjusted for splits.

    ``closed_s`` is when each closed, in seconds since 1970. Each joins ``stride`` stored ones, the first perhaps fewer.
    """

    symbol: str
    timeframe: str
    stride: int
    closed_s: tuple[int, ...]
    open: tuple[float, ...]
    high: tuple[float, ...]
    low: tuple[float, ...]
    close: tuple[float, ...]
    volume: tuple[float, ...]


class BacktestCourseView(View, frozen=True):
    """The course of a finished backtest over the bars of one of its symbols, to be drawn, at most 5,000 of each.

    ``equity`` is the newest known at each close, ``benchmark`` what the starting cash would be worth, bought and held
    without costs. ``drawdown`` is the deepest within the bars that are joined, as a share: zero or less.
    """

    backtest_id: UUID
    bars: BarCourseView
    equity: tuple[float, ...]
    benchmark: tuple[float, ...]
    drawdown: tuple[float, ...]


class BacktestTermsView(View, frozen=True):
    """What a backtest was run from: the graph as JSON text with its parameters put in, the terms, and the bars."""

    backtest_id: UUID
    graph: str
    start: Utc | None
    end: Utc | None
    initial_cash: Decimal
    fee_bps: Decimal
    fee_per_share: Decimal
    fee_minimum: Decimal
    slippage_bps: Decimal
    datasets: tuple[DatasetView, ...]
    intrabar: Intrabar = Intrabar.CHRONOLOGICAL


class FigureView(View, frozen=True):
    """What a figure is: its formula, its unit, where the formula is from, what it means, why it may have no value."""

    name: str
    label: str
    formula: str
    unit: str
    source: str
    meaning: str
    undefined: str


class FiguresView(View, frozen=True):
    """All figures of a backtest, in the order they are shown."""

    figures: tuple[FigureView, ...]


class ReportFileView(View, frozen=True):
    """A report as the text of a file."""

    file_name: str
    media_type: str
    text: str


class DrawBars(Command[BarCourseView], tag="strategy.draw_bars.v1", frozen=True):
    """Fetch the newest bars of a symbol that closed in ``[start, end)``, joined until a chart can show them."""

    symbol: str
    start: Utc | None = None
    end: Utc | None = None


class DrawBacktest(Command[BacktestCourseView], tag="strategy.draw_backtest.v1", frozen=True):
    """Fetch the course of a finished backtest within ``[start, end)``; of several symbols over the bars of one."""

    backtest_id: UUID
    symbol: str = ""
    start: Utc | None = None
    end: Utc | None = None


class GetBacktestTerms(Command[BacktestTermsView], tag="strategy.get_backtest_terms.v1", frozen=True):
    """Fetch what a backtest was run from."""

    backtest_id: UUID


class RunTrial(Command[BacktestView], tag="strategy.run_trial.v1", frozen=True):
    """Queue a backtest of one trial of a sweep: the very run, so that it comes to the trial's result."""

    sweep_id: UUID
    role: str
    segment: int
    number: int
