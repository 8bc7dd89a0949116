"""One trial: a backtest of one choice of parameters, over one symbol or several, with what a sweep must know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeAlias
from uuid import UUID

import msgspec

from alphintra.engine.backtest import BacktestResult, BacktestSettings
from alphintra.engine.course import moment
from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.graph.plan import compile_plan
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.altered_bars import Altered, altered_across, altered_bars
from alphintra.strategy.domain.histories import History, history_of, run_over
from alphintra.strategy.domain.universes import closes_of, name_of, within_each

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from alphintra.engine.algorithm_runs import Host
    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.plan import Plan
    from alphintra.engine.graph.tape import Tape
    from alphintra.engine.metrics.series import Curve, TradeTable
    from alphintra.engine.universe_backtest import UniverseResult

__all__ = ["OBJECTIVES", "Market", "Part", "Simulation", "Trial", "TrialOutcome", "run_trial", "simulate", "since"]

Market: TypeAlias = "Sequence[Bar] | History | Mapping[str, Sequence[Bar]]"
"""What a trial runs over: the bars of its one symbol, or those of each of its symbols."""

OBJECTIVES: Final = ("sharpe", "sortino", "calmar", "total_return", "profit_factor", "expectancy", "sqn", "psr")


@dataclass(frozen=True, slots=True)
class Part:
    """One symbol of a trial, its bars in the catalogue, and the splits that they are adjusted for."""

    symbol: str
    dataset_id: UUID
    splits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is run, in a form that travels to another process.

    Attributes:
        segment: window of a walk-forward, 0 for a sweep.
        number: place in the sweep.
        parts: what it trades, in the order that settles ties.
        graph: strategy with its parameters set, as JSON.
        settings: terms of the run, as JSON.
        start: bars before are not read, None for all.
        end: bars from here on are not read, None for all.
        measured_from: figures count from the first bar at or after this; just so many bars before it are read as the
            strategy's warm-up needs. None for all.
        altered: how the bars are changed before they are read, None for not at all.
    """

    segment: int
    number: int
    parts: tuple[Part, ...]
    graph: str
    settings: str
    start: datetime | None = None
    end: datetime | None = None
    measured_from: datetime | None = None
    altered: Altered | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """What it trades."""
        return tuple(part.symbol for part in self.parts)

    @property
    def symbol(self) -> str:
        """What it trades, under one name."""
        return name_of(self.symbols)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """A trial that was run: what came out, as arrays too, and what it was run over.

    ``offset`` is the place among its closes from which it is measured, ``first`` the first close that was read.
    """

    result: BacktestResult | UniverseResult
    used: Tape | Mapping[str, Sequence[Bar]]
    curve: Curve
    table: TradeTable
    offset: int
    first: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOutcome:
    """What came out: figures and daily returns (float64 as bytes), or a code.

    ``graph_hash``, ``start`` and ``end`` name the backtest that repeats it, ``digest`` what that must come to.
    """

    segment: int
    number: int
    graph_hash: str
    start: datetime | None = None
    end: datetime | None = None
    digest: str = ""
    metrics: dict[str, float | None] = field(default_factory=dict)
    returns: bytes = b""
    sharpe: float | None = None
    error_code: str = ""
    error: str = ""


def run_trial(trial: Trial, bars: Market, *, host: Host | None = None) -> TrialOutcome:
    """Run a trial over its datasets' bars; a strategy that cannot run is an outcome with a code."""
    from alphintra.engine.metrics.figures import compute_metrics, metric_values  # noqa: PLC0415 - loads numpy
    from alphintra.engine.metrics.returns import moments_of  # noqa: PLC0415 - as above

    try:
        run = simulate(trial, bars, host=host)
    except AlphintraError as error:
        return TrialOutcome(
            segment=trial.segment, number=trial.number, graph_hash="", error_code=error.code, error=error.detail
        )
    curve, returns = since(run.curve, run.offset)
    moments = moments_of(returns)
    return TrialOutcome(
        segment=trial.segment,
        number=trial.number,
        graph_hash=run.result.graph_hash,
        start=trial.start if run.offset == 0 else run.first,
        end=trial.end,
        digest=run.result.digest,
        metrics=metric_values(compute_metrics(curve, run.table)),
        returns=returns.tobytes(),
        sharpe=None if moments is None else moments.sharpe,
    )


def simulate(trial: Trial, bars: Market, *, host: Host | None = None) -> Simulation:
    """Run a trial. This is the one place where trials meet the engine.

    Raises what ``compile_plan``, ``run_backtest`` and ``run_universe`` raise.
    """
    plan = compile_plan(parse_graph(trial.graph.encode()))
    if isinstance(bars, Mapping):
        return _across(trial, plan, bars)
    from alphintra.engine.metrics.results import curve_of, trades_of  # noqa: PLC0415 - loads numpy

    history = history_of(bars)
    first = 0 if trial.start is None else history.place(trial.start)
    last = history.tape.closes if trial.end is None else history.place(trial.end)
    measured = first if trial.measured_from is None else max(first, history.place(trial.measured_from))
    begin = first if trial.measured_from is None else max(first, measured - plan.warm_up_bars)
    used = history.part(begin, last)
    if trial.altered is not None:
        used = history_of(altered_bars(used.bars, trial.altered))
    settings = msgspec.json.decode(trial.settings, type=BacktestSettings)
    result = run_over(used, plan, trial.symbol, settings=settings, host=host)
    return Simulation(
        result=result,
        used=used.tape,
        curve=curve_of(result, used.tape),
        table=trades_of(result, used.tape),
        offset=measured - begin,
        first=moment(used.tape.ts[0]),
    )


def _across(trial: Trial, plan: Plan, bars: Mapping[str, Sequence[Bar]]) -> Simulation:
    """Run a trial over several symbols; before what is measured it reads as many of their closes as warm it up."""
    from alphintra.engine.metrics.across import curve_across, trades_across  # noqa: PLC0415 - loads numpy
    from alphintra.engine.universe_backtest import run_universe  # noqa: PLC0415 - as above

    start = trial.start
    if trial.measured_from is not None:
        before = [ts for ts in closes_of(bars) if ts < trial.measured_from and (start is None or ts >= start)]
        warming = before[max(len(before) - plan.warm_up_bars, 0) :]
        start = warming[0] if warming else trial.measured_from
    used = within_each({symbol: bars[symbol] for symbol in trial.symbols}, start, trial.end)
    closes = closes_of(used)
    offset = 0 if trial.measured_from is None else sum(ts < trial.measured_from for ts in closes)
    if trial.altered is not None:
        used = altered_across(used, trial.altered)
    settings = msgspec.json.decode(trial.settings, type=BacktestSettings)
    result = run_universe(plan, used, settings=settings)
    return Simulation(
        result=result,
        used=used,
        curve=curve_across(result, used),
        table=trades_across(result, used),
        offset=offset,
        first=closes[0],
    )


def since(curve: Curve, offset: int) -> tuple[Curve, NDArray[np.float64]]:
    """Return the curve from a bar on and its daily returns; that bar's own return is from the close before it."""
    from alphintra.engine.metrics.days import returns_of  # noqa: PLC0415 - loads numpy

    if offset == 0:
        return curve, returns_of(curve, curve.equity, initial=curve.initial)
    base = curve.part(offset - 1)
    return base, returns_of(base, base.equity, initial=base.initial)
