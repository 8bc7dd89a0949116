"""The runs that the best trial of a sweep should survive, and those it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import count, islice
from typing import TYPE_CHECKING, Final

import msgspec

from alphintra.engine.backtest import BacktestSettings
from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.graph.plan import compile_plan
from alphintra.engine.graph.wire import Edge, Node
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.sessions import calendar_of
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.altered_bars import Alteration, Altered
from alphintra.strategy.domain.replay import within
from alphintra.strategy.domain.search import numbers_of, with_point

if TYPE_CHECKING:
    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.wire import Graph
    from alphintra.engine.overfit.stress import Variant
    from alphintra.strategy.domain.trials import Trial

__all__ = ["CANDLE_RUNS_MAX", "CANDLE_RUNS_MIN", "candle_trials", "entries_late", "stress_trials"]

CANDLE_RUNS_MAX: Final = 40
CANDLE_RUNS_MIN: Final = 10  # fewer say nothing of a 95th percentile
_CANDLE_BARS: Final = 200_000  # bars that all runs over resampled candles may read together
_CENT: Final = Decimal("0.01")
_ENTRIES: Final = {"Entry": ("when", "short"), "RebalanceTo": ("when",)}
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


def stress_trials(trial: Trial, bars: Sequence[Bar], names: Sequence[str]) -> tuple[dict[str, Trial], dict[str, str]]:
    """Return the stress variants that can be run, by name, and why the others cannot."""
    from alphintra.engine.overfit.stress import stress_plan  # noqa: PLC0415 - as everything of overfit

    graph = parse_graph(trial.graph.encode())
    used = within(bars, trial.start, trial.end)
    runnable: dict[str, Trial] = {}
    left_out: dict[str, str] = {}
    for variant in stress_plan(numbers_of(graph, names), [trial.symbol]):
        found = _changed(trial, variant, graph, used)
        if isinstance(found, str):
            left_out[variant.name] = found
        else:
            runnable[variant.name] = found
    return runnable, left_out


def candle_trials(trial: Trial, bars: int, *, seed: int) -> dict[str, Trial]:
    """Return runs over the same candles in other orders, at most 40 and fewer the more bars; none beyond 20,000."""
    runs = min(CANDLE_RUNS_MAX, _CANDLE_BARS // max(bars, 1))
    if runs < CANDLE_RUNS_MIN:
        return {}
    return {
        str(run): replace(trial, altered=Altered(kind=Alteration.ORDER, seed=(seed + 1) * 1000 + run))
        for run in range(runs)
    }


def entries_late(graph: Graph) -> Graph:
    """Return the graph with entries that come a bar later: the conditions that ask for them are shifted by one.

    Raises STRESS_ENTRIES where nothing in the graph asks to enter.
    """
    kinds = {node.id: node.type for node in graph.nodes}
    nodes, edges, taken = list(graph.nodes), [], set(kinds)
    numbered = count(1)
    for edge in graph.edges:
        name, _, port = edge.target.partition(".")
        if port not in _ENTRIES.get(kinds.get(name, ""), ()):
            edges.append(edge)
            continue
        free = (name for name in (f"late{place}" for place in numbered) if name not in taken)
        one, zero, number, before, when = islice(free, 5)
        nodes += [
            Node(id=one, type="Const", params={"value": 1.0}),
            Node(id=zero, type="Const", params={"value": 0.0}),
            Node(id=number, type="Choose"),
            Node(id=before, type="Shift", params={"bars": 1}),
            Node(id=when, type="Compare", params={"op": "gt"}),
        ]
        edges += [
            Edge(source=edge.source, target=f"{number}.condition"),
            Edge(source=f"{one}.out", target=f"{number}.a"),
            Edge(source=f"{zero}.out", target=f"{number}.b"),
            Edge(source=f"{number}.out", target=f"{before}.in"),
            Edge(source=f"{before}.out", target=f"{when}.a"),
            Edge(source=f"{zero}.out", target=f"{when}.b"),
            Edge(source=f"{when}.out", target=edge.target),
        ]
    if len(nodes) == len(graph.nodes):
        raise AlphintraError("STRESS_ENTRIES", "no condition of the strategy asks to enter, so none can come late")
    return msgspec.structs.replace(graph, nodes=tuple(nodes), edges=tuple(edges))


def _changed(trial: Trial, variant: Variant, graph: Graph, used: Sequence[Bar]) -> Trial | str:
    """Return the trial as the variant wants it, or why it cannot be run."""
    found: Trial | str
    match variant.kind:
        case "costs" | "tick":
            found = _dearer(trial, variant)
        case "delay":
            found = _late(trial, graph)
        case "noise":
            found = replace(trial, altered=Altered(kind=Alteration.NOISE, seed=variant.seed, share=variant.noise))
        case "start" if variant.start_shift_bars < len(used):
            found = replace(trial, start=used[variant.start_shift_bars].ts)
        case "start":
            found = "the range is too short"
        case "parameter":
            point = {name: Decimal(str(value)) for name, value in variant.parameters.items()}
            found = replace(trial, graph=msgspec.json.encode(with_point(graph, point)).decode())
        case _:
            found = "a run has one symbol"
    return found


def _late(trial: Trial, graph: Graph) -> Trial | str:
    try:
        late = entries_late(graph)
        compile_plan(late)
    except AlphintraError as error:
        return error.detail
    return replace(trial, graph=msgspec.json.encode(late).decode())


def _dearer(trial: Trial, variant: Variant) -> Trial | str:
    """Return the trial with higher costs. A tick on every fill takes as much cash as a fee of a tick for each unit."""
    settings = msgspec.json.decode(trial.settings, type=BacktestSettings)
    factor, more = Decimal(variant.cost_factor), Decimal(0)
    if variant.extra_ticks:
        tick = _tick(settings, trial.symbol)
        if tick is None:
            return "the tick of the symbol is not known: enter its specification and name an account"
        if settings.fees.minimum:
            return "a tick hides behind the least fee"
        more = tick * variant.extra_ticks
    fees = FeeModel(
        commission_bps=settings.fees.commission_bps * factor,
        per_share=settings.fees.per_share * factor + more,
        minimum=settings.fees.minimum * factor,
    )
    dearer = replace(settings, fees=fees, slippage_bps=min(settings.slippage_bps * factor, Decimal(1000)))
    if dearer == settings:
        return "the run has no costs: set fees or slippage"
    return replace(trial, settings=_encode(dearer).decode())


def _tick(settings: BacktestSettings, symbol: str) -> Decimal | None:
    """Return the least step of prices: as specified, else a cent on an exchange of shares."""
    if settings.instrument is not None and settings.instrument.tick is not None:
        return settings.instrument.tick
    return _CENT if calendar_of(symbol).name == "XNYS" else None
