"""What a graph that is being drawn shows: all that can be computed, as a run computes it, and why not the rest."""

from __future__ import annotations

import math
from decimal import Decimal

import msgspec
import pytest

from alphintra.engine.bars import Bar
from alphintra.engine.graph import Edge, Graph, Node
from alphintra.engine.graph.evaluation import Evaluation
from alphintra.engine.graph.plan import compile_plan
from alphintra.engine.graph.tape import tape_of
from alphintra.engine.preview import VALUES_MAX, bars_to_read, computable, series_of
from alphintra.engine.sessions import calendar_of
from alphintra.engine.templates import GALLERY
from alphintra.kernel.errors import AlphintraError
from unit.engine.builders import day

RSI = GALLERY["rsi_reversion"].graph
NYSE = calendar_of("AAPL")


def waves(count: int) -> tuple[Bar, ...]:
    closes = [Decimal(str(round(100 + 10 * math.sin(place / 9), 2))) for place in range(count)]
    return tuple(
        Bar(day(place), close, close + 1, close - 1, close, Decimal(1000)) for place, close in enumerate(closes)
    )


def test_a_whole_strategy_is_shown_as_a_run_computes_it() -> None:
    bars = waves(500)
    part = computable(RSI)
    assert part.plan is not None
    assert part.left_out == {}
    shown = series_of(part.plan, bars, calendar=NYSE, last=120)
    run = Evaluation(compile_plan(RSI)).market(tape_of(bars, NYSE))
    assert {(one.node, one.port) for one in shown} == set(run)
    for one in shown:
        expected = run[one.node, one.port][0, -120:]
        assert one.values == tuple(float(f"{value:.7g}") if math.isfinite(value) else None for value in expected)
    assert {one.kind for one in shown if one.node == "falls_below"} == {"Event"}


def test_nodes_that_are_not_finished_are_left_out_with_all_that_waits_for_them() -> None:
    edges = tuple(edge for edge in RSI.edges if edge.target != "trend.in")
    part = computable(msgspec.structs.replace(RSI, edges=edges))
    assert part.plan is not None
    assert part.left_out["trend"] == "input in of trend is not connected"
    assert part.left_out["above_trend"] == "it waits for trend"
    # ``both`` takes several wires: it would run on the one that is left, and say something else than it will
    assert {"both", "entry", "size", "order", "plot_trend"} <= set(part.left_out)
    assert {step.node for step in part.plan.steps} >= {"bars", "rsi", "falls_below", "plot_rsi"}


def test_a_single_node_without_purpose_is_shown() -> None:
    graph = Graph(name="x", timeframe="1d", nodes=(Node(id="bars", type="Bars"),), edges=())
    part = computable(graph)
    assert part.plan is not None
    assert [step.node for step in part.plan.steps] == ["bars"]


def test_only_what_leads_to_the_asked_node_is_computed() -> None:
    part = computable(RSI, ["rsi"])
    assert part.plan is not None
    assert [step.node for step in part.plan.steps] == ["bars", "rsi"]


@pytest.mark.parametrize(
    ("template", "node", "why"),
    [("turtle", "position", "the position"), ("pairs", "a", "compares symbols")],
)
def test_what_a_preview_has_not_leaves_nodes_out(template: str, node: str, why: str) -> None:
    assert why in computable(GALLERY[template].graph).left_out[node]


def test_an_empty_graph_shows_nothing_and_a_broken_frame_says_so() -> None:
    assert computable(msgspec.structs.replace(RSI, nodes=(), edges=())).plan is None
    with pytest.raises(AlphintraError, match="timeframe"):
        computable(msgspec.structs.replace(RSI, timeframe="7x"))


def test_a_cycle_is_left_out_and_the_rest_is_shown() -> None:
    looped = (*(edge for edge in RSI.edges if edge.target != "rsi.in"), Edge(source="rsi.out", target="rsi.in"))
    part = computable(msgspec.structs.replace(RSI, edges=looped))
    assert part.plan is not None
    assert "cycle" in part.left_out["rsi"]
    assert "trend" in {step.node for step in part.plan.steps}


def test_earlier_bars_are_read_for_the_warm_up_within_a_limit() -> None:
    part = computable(RSI)
    assert part.plan is not None
    assert bars_to_read(part.plan, 120) == 120 + max(step.warm_up_bars for step in part.plan.steps)
    slow = Node(id="rsi", type="RSI", params={"period": 5000})
    long = computable(msgspec.structs.replace(RSI, nodes=tuple(slow if n.id == "rsi" else n for n in RSI.nodes)))
    assert long.plan is not None
    assert bars_to_read(long.plan, 120) == VALUES_MAX // len(long.plan.steps)
