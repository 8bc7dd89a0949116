"""Equal strategies hash equally; plans are ordered and know their warm-up."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.graph import Plan, canonical_json, compile_plan, graph_hash
from alphintra.engine.templates import crossover
from alphintra.kernel.errors import AlphintraError
from unit.engine.builders import graph, node


@given(st.randoms(use_true_random=False))
def test_neither_the_order_nor_the_layout_changes_the_hash(random: object) -> None:
    base = crossover()
    nodes, edges = list(base.nodes), list(base.edges)
    random.shuffle(nodes)  # type: ignore[attr-defined]  # hypothesis hands out a random.Random
    random.shuffle(edges)  # type: ignore[attr-defined]  # as above
    shuffled = msgspec.structs.replace(base, nodes=tuple(nodes), edges=tuple(edges), layout={})
    assert graph_hash(shuffled) == graph_hash(base)
    assert compile_plan(shuffled) == compile_plan(base)


def test_every_other_change_changes_the_hash() -> None:
    variants = [
        crossover(),
        crossover(19),
        crossover(20, 51),
        crossover(average="sma"),
        crossover(percent="94"),
        crossover(timeframe="1h"),
    ]
    assert len({graph_hash(variant) for variant in variants}) == len(variants)


def test_a_default_and_its_spelling_out_are_the_same_strategy() -> None:
    assert graph_hash(crossover(percent="95")) == graph_hash(crossover(percent="95.00"))
    plots = [
        graph([node("bars", "Bars"), sma, node("plot", "Plot")], [("bars.close", "sma.in"), ("sma.out", "plot.value")])
        for sma in (node("sma", "SMA"), node("sma", "SMA", period=20))
    ]
    assert canonical_json(plots[0]) == canonical_json(plots[1])


def test_steps_come_after_what_they_read() -> None:
    plan = compile_plan(crossover())
    seen: set[str] = set()
    for step in plan.steps:
        assert all(source in seen for ends in step.inputs.values() for source, _ in ends)
        seen.add(step.node)
    assert len(seen) == len(crossover().nodes)


def test_warm_up_adds_along_the_path_and_counts_only_what_leads_to_an_order() -> None:
    assert compile_plan(crossover(average="sma")).warm_up_bars == 49 + 1
    assert compile_plan(crossover()).warm_up_bars == 49 + 231 + 1
    base = crossover(5, 10, average="sma")
    chart = node("trend", "SMA", period=200)
    extra = graph([*base.nodes, chart, node("trend_plot", "Plot")], [])
    edges = (*base.edges, *graph([], [("bars.close", "trend.in"), ("trend.out", "trend_plot.value")]).edges)
    plan = compile_plan(msgspec.structs.replace(extra, edges=edges))
    assert plan.warm_up_bars == 9 + 1
    assert plan.slowest().node == "slow"


def test_a_plan_survives_the_way_through_json() -> None:
    plan = compile_plan(crossover())
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan


def test_an_invalid_graph_does_not_compile_and_the_first_problem_is_told() -> None:
    with pytest.raises(AlphintraError) as caught:
        compile_plan(graph([node("sma", "SMA", period=0)], []))
    assert caught.value.code == "FIELD_RANGE"
    assert "more problems" in caught.value.detail
