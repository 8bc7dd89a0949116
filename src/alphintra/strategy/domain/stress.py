"""The runs that the best trial of a sweep should survive, and those it is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from alphintra.strategy.domain.altered_bars import Alteration, Altered, shared_bars
from alphintra.strategy.domain.histories import history_of
from alphintra.strategy.domain.search import numbers_of, with_point
from alphintra.strategy.domain.universes import closes_of, require_runnable

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.engine.graph.wire import Graph
    from alphintra.engine.overfit.stress import Variant
    from alphintra.strategy.domain.trials import Market, Trial

__all__ = [
    "CANDLE_RUNS_MAX",
    "CANDLE_RUNS_MIN",
    "bars_to_reorder",
    "candle_trials",
    "entries_late",
    "stress_trials",
]

CANDLE_RUNS_MAX: Final = 40
CANDLE_RUNS_MIN: Final = 10  # fewer say nothing of a 95th percentile
_CANDLE_BARS: Final = 200_000  # bars that all runs over resampled candles may read together
_SHARED_MIN: Final = 0.9
_CENT: Final = Decimal("0.01")
_ENTRIES: Final = {"Entry": ("when", "short"), "RebalanceTo": ("when",)}
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


def stress_trials(
    trial: Trial, closes: Sequence[datetime], names: Sequence[str]
) -> tuple[dict[str, Trial], dict[str, str]]:
    """Return the stress variants that can be run, by name, and why the others cannot.

    Args:
        trial: what is to survive.
        closes: when its bars close.
        names: numbers to nudge, by ``node.param``.
    """
    from alphintra.engine.overfit.stress import stress_plan  # noqa: PLC0415 - as everything of overfit

    graph = parse_graph(trial.graph.encode())
    used = [ts for ts in closes if (trial.start is None or ts >= trial.start) and (trial.end is None or ts < trial.end)]
    runnable: dict[str, Trial] = {}
    left_out: dict[str, str] = {}
    for variant in stress_plan(numbers_of(graph, names), trial.symbols):
        found = _changed(trial, variant, graph, used)
        if isinstance(found, str):
            left_out[variant.name] = found
        else:
            runnable[variant.name] = found
    return runnable, left_out


def bars_to_reorder(bars: Market) -> int:
    """Return how many bars a run over candles in another order reads; 0 where there can be none that compares.

    Of several symbols those at closes they share are put into another order together. Where these are fewer than nine
    tenths of the closes, such a run would not be like the run it is held against.
    """
    if not isinstance(bars, Mapping):
        return history_of(bars).tape.closes
    shared = shared_bars(bars)
    closes = len(next(iter(shared.values())))
    return closes * len(shared) if closes >= _SHARED_MIN * len(closes_of(bars)) else 0


def candle_trials(trial: Trial, bars: int, *, seed: int) -> dict[str, Trial]:
    """Return runs over the same candles in other orders, at most 40 and fewer the more bars.

    None without bars, or beyond 20,000.
    """
    if not bars:
        return {}
    runs = min(CANDLE_RUNS_MAX, _CANDLE_BARS // bars)
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


def _changed(trial: Trial, variant: Variant, graph: Graph, used: Sequence[datetime]) -> Trial | str:
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
            found = replace(trial, start=used[variant.start_shift_bars])
        case "start":
            found = "the range is too short"
        case "parameter":
            point = {name: Decimal(str(value)) for name, value in variant.parameters.items()}
            found = replace(trial, graph=msgspec.json.encode(with_point(graph, point)).decode())
        case _:
            found = _without(trial, variant.without_symbol, graph)
    return found


def _without(trial: Trial, symbol: str, graph: Graph) -> Trial | str:
    left = tuple(part for part in trial.parts if part.symbol != symbol)
    try:
        require_runnable(compile_plan(graph), [part.symbol for part in left])
    except AlphintraError as error:
        return error.detail
    return replace(trial, parts=left)


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
        ticks = {_tick(settings, symbol) for symbol in trial.symbols}
        if len(ticks) > 1:
            return "the ticks of the symbols differ: no one fee stands for them"
        tick = ticks.pop()
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
    specified = settings.instruments.get(symbol, settings.instrument)
    if specified is not None and specified.tick is not None:
        return specified.tick
    return _CENT if calendar_of(symbol).name == "XNYS" else None
