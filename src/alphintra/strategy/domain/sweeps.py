"""What a sweep is to do, and what its trials say together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.search import (
    Space,
    corner_warm_up,
    read_constraint,
    values_between,
    values_of,
    with_point,
)
from alphintra.strategy.domain.trials import OBJECTIVES, Market, Simulation, Trial, simulate, since

if TYPE_CHECKING:
    from alphintra.engine.algorithm_runs import Host
    from alphintra.engine.graph.wire import Graph
    from alphintra.engine.overfit.entries import Entered

__all__ = [
    "Segment",
    "StoredTrial",
    "SweepPlan",
    "best_of",
    "examine",
    "join_tests",
    "segments_of",
    "space_of",
    "surface_of",
    "together",
    "with_exposed",
]

TRIALS_MAX: Final = 10_000
_MONTE_CARLO_PATHS: Final = 1000
_PBO_DAYS: Final = 64
_BEST_DAYS: Final = 10
_SIDES: Final = re.compile("<=|>=|<|>")


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """The values one parameter may take."""

    name: str
    min: Decimal
    max: Decimal
    step: Decimal


class Lengths(msgspec.Struct, frozen=True, kw_only=True):
    """Bars of a walk-forward's windows."""

    train: int
    test: int
    step: int | None = None
    is_anchored: bool = False


class SweepPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to search, how, and what is kept from it."""

    parameters: tuple[Range, ...]
    constraints: tuple[str, ...]
    method: str
    trials: int
    seed: int
    objective: str
    holdout: Decimal
    walk_forward: Lengths | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Bars that one choice is made on, and those it is tried on afterwards; a sweep has one without the latter."""

    number: int
    measured_from: datetime | None
    end: datetime | None
    test_from: datetime | None = None
    test_end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrial:
    """A trial as the ledger has it."""

    number: int
    parameters: dict[str, Decimal]
    start: datetime | None
    end: datetime | None
    score: float | None
    metrics: dict[str, float | None]
    returns: bytes
    error_code: str


def space_of(plan: SweepPlan, graph: Graph) -> Space:
    """Return what is searched, checked against the graph, whose own rules hold too.

    Raises SWEEP_RANGE, CONSTRAINT_FORMAT, PARAMETER_UNKNOWN, FIELD_TYPE, SWEEP_OBJECTIVE, or what the graph's checks
    say of every corner.
    """
    names = [each.name for each in plan.parameters]
    if not names or len(set(names)) != len(names):
        message = "name the parameters of the sweep, each once, as node.param"
        raise AlphintraError("SWEEP_RANGE", message, pointer="/parameters")
    if not 1 <= plan.trials <= TRIALS_MAX:
        raise AlphintraError("SWEEP_RANGE", f"trials must be 1 to {TRIALS_MAX}", pointer="/trials")
    if plan.objective not in OBJECTIVES:
        message = f"the objective {plan.objective[:20]!r} is not known: write one of {', '.join(OBJECTIVES)}"
        raise AlphintraError("SWEEP_OBJECTIVE", message, pointer="/objective")
    values = {each.name: values_between(each.name, each.min, each.max, each.step) for each in plan.parameters}
    with_point(graph, {name: each[0] for name, each in values.items()})
    with_point(graph, {name: each[-1] for name, each in values.items()})
    sides = {side.strip() for text in graph.constraints for side in _SIDES.split(text)}
    fixed = {name: value for name, value in values_of(graph, sorted(sides)).items() if name not in values}
    own = [read_constraint(text, {**values, **fixed}) for text in graph.constraints]
    space = Space(values, (*(read_constraint(text, values) for text in plan.constraints), *own), fixed)
    corner_warm_up(graph, space)
    return space


def with_exposed(plan: SweepPlan, graph: Graph) -> SweepPlan:
    """Return the plan with the parameters the graph exposes, where it names none itself. Raises SWEEP_RANGE."""
    if plan.parameters:
        return plan
    if not graph.exposed:
        message = "the strategy exposes no parameter: name those to be turned, or expose them in its graph"
        raise AlphintraError("SWEEP_RANGE", message, pointer="/parameters")
    exposed = tuple(
        Range(name=name, min=Decimal(str(told.min)), max=Decimal(str(told.max)), step=Decimal(str(told.step)))
        for name, told in sorted(graph.exposed.items())
    )
    return msgspec.structs.replace(plan, parameters=exposed)


def segments_of(
    plan: SweepPlan, graph: Graph, closes: Sequence[datetime], span: tuple[datetime | None, datetime | None]
) -> tuple[tuple[Segment, ...], datetime | None]:
    """Return what is searched one after the other, and the close from which on the bars are locked away.

    Of several symbols the closes of any of them are counted. Raises RANGE, WINDOW_RANGE or HOLDOUT_RANGE.
    """
    from alphintra.engine.overfit.windows import holdout_start, walk_forward_windows  # noqa: PLC0415 - loads numpy

    used = [ts for ts in closes if (span[0] is None or ts >= span[0]) and (span[1] is None or ts < span[1])]
    if not used:
        message = f"no bar lies in the range: the data spans {closes[0]:%Y-%m-%d} to {closes[-1]:%Y-%m-%d}"
        raise AlphintraError("RANGE", message, pointer="/start")
    open_bars = holdout_start(len(used), float(plan.holdout))
    locked = used[open_bars] if open_bars < len(used) else None
    end = locked or span[1]
    if plan.walk_forward is None:
        return (Segment(number=0, measured_from=None, end=end),), locked
    lengths = plan.walk_forward
    windows = walk_forward_windows(
        open_bars,
        train=lengths.train,
        test=lengths.test,
        step=lengths.step,
        warm_up=corner_warm_up(graph, space_of(plan, graph)),
        is_anchored=lengths.is_anchored,
    )
    return tuple(
        Segment(
            number=window.number,
            measured_from=used[window.train_start],
            end=used[window.train_end],
            test_from=used[window.test_start],
            test_end=used[window.test_end] if window.test_end < open_bars else end,
        )
        for window in windows
    ), locked


def best_of(trials: Sequence[StoredTrial]) -> StoredTrial | None:
    """Return the trial of the highest score, the first of equals; None where none has one."""
    scored = [trial for trial in trials if trial.score is not None]
    return max(scored, key=lambda trial: (trial.score or 0.0, -trial.number)) if scored else None


def surface_of(space: Space, trials: Sequence[StoredTrial]) -> dict[str, Any]:
    """Return the scores over the parameters, and whether the best of them stands on a plateau."""
    import numpy as np  # noqa: PLC0415 - as in together

    from alphintra.engine.overfit.plateau import plateau_of  # noqa: PLC0415 - as above

    index = {name: {value: place for place, value in enumerate(values)} for name, values in space.values.items()}
    rows = [([index[name][trial.parameters[name]] for name in space.values], trial.score) for trial in trials]
    found: dict[str, Any] = {
        "values": {name: [f"{value:f}" for value in values] for name, values in space.values.items()},
        "rows": [[*places, None if score is None else round(score, 6)] for places, score in rows],
        "plateau": None,
    }
    scored = [(places, score, trial) for (places, score), trial in zip(rows, trials, strict=True) if score is not None]
    if not scored:
        return found
    plateau = plateau_of(
        np.array([places for places, _, _ in scored]).reshape(len(scored), len(space.values)),
        [len(values) for values in space.values.values()],
        np.array([score for _, score, _ in scored]),
    )
    steadiest = scored[plateau.steadiest][2]
    found["plateau"] = msgspec.to_builtins(plateau) | {
        "steadiest": {"number": steadiest.number, "parameters": steadiest.parameters, "score": steadiest.score}
    }
    return found


def together(trials: Sequence[StoredTrial]) -> dict[str, Any] | None:
    """Return the probability of overfitting of a sweep; None where too few trials or days can be compared."""
    import numpy as np  # noqa: PLC0415 - a service's start must not wait for it

    from alphintra.engine.overfit.selection import backtest_overfitting  # noqa: PLC0415 - as above

    rows = [np.frombuffer(trial.returns) for trial in trials if trial.returns]
    days = max((row.size for row in rows), default=0)
    whole = [row for row in rows if row.size == days]
    if len(whole) < 2 or days < _PBO_DAYS:  # noqa: PLR2004 - one trial is no choice
        return None
    return msgspec.to_builtins(backtest_overfitting(np.stack(whole, axis=1)))  # type: ignore[no-any-return]


def examine(trial: Trial, bars: Market, *, seed: int, host: Host | None = None) -> dict[str, Any]:
    """Return what the best trial is worth: its returns and its trades in other orders, its entries against chance."""
    import numpy as np  # noqa: PLC0415 - as in together

    from alphintra.engine.overfit.entries import entry_significance  # noqa: PLC0415 - as above
    from alphintra.engine.overfit.resampling import (  # noqa: PLC0415 - as above
        shuffle_trades,
        simulate_returns,
        skip_trades,
        without_best_days,
    )

    run = simulate(trial, bars, host=host)
    curve, returns = since(run.curve, run.offset)
    table = run.table
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {"monte_carlo": None, "drawdown_by_order_5": None, "entries": None, "thinned": {}}
    if returns.size:
        count = max(1, min(_BEST_DAYS, returns.size // 100))
        found["thinned"][f"without the {count} best day(s)"] = without_best_days(returns, count)
    if returns.size and float(returns.min()) > -1:
        fan = simulate_returns(returns, rng=rng, paths=_MONTE_CARLO_PATHS)
        found["monte_carlo"] = {
            "days": fan.days.tolist(),
            "bands": np.round(fan.bands, 6).tolist(),
            "ruin": fan.ruin,
            "drawdown_5": fan.drawdown_5,
            "drawdown_50": fan.drawdown_50,
            "loss": fan.loss,
            "paths": fan.paths,
        }
    if len(table):
        drawdowns = shuffle_trades(table.net, curve.initial, rng=rng)
        found["thinned"]["a tenth of the trades skipped (5th percentile)"] = skip_trades(
            table.net, curve.initial, rng=np.random.default_rng(seed)
        )
        found["drawdown_by_order_5"] = float(np.percentile(drawdowns, 95))
        found["entries"] = msgspec.to_builtins(entry_significance(_entered(run), rng=rng))
    return found


def _entered(run: Simulation) -> list[Entered]:
    """Return the trades of each symbol with the opens they could have met."""
    import numpy as np  # noqa: PLC0415 - as in together

    from alphintra.engine.graph.tape import epoch_ns  # noqa: PLC0415 - as above
    from alphintra.engine.overfit.entries import Entered  # noqa: PLC0415 - as above

    table = run.table
    if not isinstance(run.used, Mapping):
        held = table.exit_index - table.entry_index
        return [Entered(run.used.open[0], table.entry_index, held, table.side)]
    found, traded = [], np.array(table.symbol.texts())
    for symbol, own in run.used.items():
        rows = traded == symbol
        if rows.any():
            closes = np.array([epoch_ns(bar.ts) for bar in own])
            entries, exits = (np.searchsorted(closes, times[rows]) for times in (table.entry_time, table.exit_time))
            opens = np.array([float(bar.open) for bar in own])
            found.append(Entered(opens, entries, exits - entries, table.side[rows]))
    return found


def join_tests(
    outside: Sequence[bytes], inside: Sequence[bytes], *, periods: int, chosen: Sequence[Mapping[str, Decimal]]
) -> dict[str, Any]:
    """Return what the tests of a walk-forward say together, and how steady the choices were."""
    import numpy as np  # noqa: PLC0415 - as in together

    from alphintra.engine.overfit.windows import parameter_stability, stitch  # noqa: PLC0415 - as above

    joined = stitch(
        [np.frombuffer(part) for part in outside], [np.frombuffer(part) for part in inside], periods=periods
    )
    course = np.cumprod(1 + np.concatenate([np.frombuffer(part) for part in outside]))
    return {
        "stitched": msgspec.to_builtins(joined),
        "course": np.round(course, 6).tolist(),
        "stability": parameter_stability(chosen),
    }
