"""One trial: a backtest of one choice of parameters, with what a sweep must know of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from alphintra.engine.backtest import BacktestResult, BacktestSettings
from alphintra.engine.course import moment
from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.graph.plan import compile_plan
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.altered_bars import Altered, altered_bars
from alphintra.strategy.domain.histories import History, history_of, run_over

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from alphintra.engine.algorithm_runs import Host
    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.tape import Tape
    from alphintra.engine.metrics.series import Curve

__all__ = ["OBJECTIVES", "Trial", "TrialOutcome", "run_trial", "simulate", "since"]

OBJECTIVES: Final = ("sharpe", "sortino", "calmar", "total_return", "profit_factor", "expectancy", "sqn", "psr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is run, in a form that travels to another process.

    Attributes:
        segment: window of a walk-forward, 0 for a sweep.
        number: place in the sweep.
        dataset_id: bars in the catalogue.
        splits: that they are adjusted for.
        graph: strategy with its parameters set, as JSON.
        symbol: what it trades.
        settings: terms of the run, as JSON.
        start: bars before are not read, None for all.
        end: bars from here on are not read, None for all.
        measured_from: figures count from the first bar at or after this; just so many bars before it are read as the
            strategy's warm-up needs. None for all.
        altered: how the bars are changed before they are read, None for not at all.
    """

    segment: int
    number: int
    dataset_id: UUID
    splits: tuple[str, ...]
    graph: str
    symbol: str
    settings: str
    start: datetime | None = None
    end: datetime | None = None
    measured_from: datetime | None = None
    altered: Altered | None = None


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


def run_trial(trial: Trial, bars: Sequence[Bar] | History, *, host: Host | None = None) -> TrialOutcome:
    """Run a trial over its dataset's bars; a strategy that cannot run is an outcome with a code."""
    from alphintra.engine.metrics.figures import compute_metrics, metric_values  # noqa: PLC0415 - loads numpy
    from alphintra.engine.metrics.results import curve_of, trades_of  # noqa: PLC0415 - as above
    from alphintra.engine.metrics.returns import moments_of  # noqa: PLC0415 - as above

    try:
        result, used, offset = simulate(trial, bars, host=host)
    except AlphintraError as error:
        return TrialOutcome(
            segment=trial.segment, number=trial.number, graph_hash="", error_code=error.code, error=error.detail
        )
    curve, returns = since(curve_of(result, used), offset)
    moments = moments_of(returns)
    return TrialOutcome(
        segment=trial.segment,
        number=trial.number,
        graph_hash=result.graph_hash,
        start=trial.start if offset == 0 else moment(used.ts[0]),
        end=trial.end,
        digest=result.digest,
        metrics=metric_values(compute_metrics(curve, trades_of(result, used))),
        returns=returns.tobytes(),
        sharpe=None if moments is None else moments.sharpe,
    )


def simulate(
    trial: Trial, bars: Sequence[Bar] | History, *, host: Host | None = None
) -> tuple[BacktestResult, Tape, int]:
    """Run a trial; return its result, the bars it read, and the place among them from which it is measured.

    This is the one place where trials meet the engine. Raises what ``compile_plan`` and ``run_backtest`` raise.
    """
    plan, history = compile_plan(parse_graph(trial.graph.encode())), history_of(bars)
    first = 0 if trial.start is None else history.place(trial.start)
    last = history.tape.closes if trial.end is None else history.place(trial.end)
    measured = first if trial.measured_from is None else max(first, history.place(trial.measured_from))
    begin = first if trial.measured_from is None else max(first, measured - plan.warm_up_bars)
    used = history.part(begin, last)
    if trial.altered is not None:
        used = history_of(altered_bars(used.bars, trial.altered))
    settings = msgspec.json.decode(trial.settings, type=BacktestSettings)
    return run_over(used, plan, trial.symbol, settings=settings, host=host), used.tape, measured - begin


def since(curve: Curve, offset: int) -> tuple[Curve, NDArray[np.float64]]:
    """Return the curve from a bar on and its daily returns; that bar's own return is from the close before it."""
    from alphintra.engine.metrics.days import returns_of  # noqa: PLC0415 - loads numpy

    if offset == 0:
        return curve, returns_of(curve, curve.equity, initial=curve.initial)
    base = curve.part(offset - 1)
    return base, returns_of(base, base.equity, initial=base.initial)
