"""Entries that wait for a price: where they lie, how long they wait, and what is told of one that cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from alphintra.engine.backtest import BacktestResult, BacktestSettings, run_backtest
from alphintra.engine.bars import Bar
from alphintra.engine.compiled_backtest import run_compiled
from alphintra.engine.graph import Graph, compile_plan, graph_hash, validate
from alphintra.engine.graph.tape import tape_of
from alphintra.engine.graph.wire import Edge, Node
from alphintra.engine.intents import Outcome
from alphintra.engine.plan_runs import run_plan
from alphintra.kernel.vocabulary import OrderStatus
from unit.engine.builders import bar, node, threshold_graph

D = Decimal
LIMIT: dict[str, Any] = {"type": "limit", "tif": "day", "offset": "1"}


def waiting(order: dict[str, Any], *, wires: dict[str, str] | None = None, timeframe: str = "1d") -> Graph:
    """Return a strategy that is in above 10, with its order priced as told."""
    asked = threshold_graph()
    nodes = [msgspec.structs.replace(each, params=order) if each.id == "order" else each for each in asked.nodes]
    edges = [Edge(source=source, target=f"order.{port}") for port, source in (wires or {}).items()]
    return msgspec.structs.replace(asked, nodes=tuple(nodes), edges=(*asked.edges, *edges), timeframe=timeframe)


def run(graph: Graph, shapes: list[str]) -> BacktestResult:
    bars = [bar(index, prices) for index, prices in enumerate(shapes)]
    return run_backtest(compile_plan(graph), "AAPL", bars=bars, settings=BacktestSettings())


@pytest.mark.parametrize(
    ("order", "second", "price"),
    [
        (LIMIT, "20 20 19.8 20", "19.8"),  # touched at its price
        (LIMIT, "19 20 19 20", "19"),  # opened through it: the better open
        (LIMIT, "20 20 19.81 20", None),
        (LIMIT | {"offset": "-1"}, "20.1 21 20.1 21", "20.1"),  # marketable: the open
        (LIMIT | {"offset": "-1"}, "20.3 21 20.3 21", None),  # beyond what it pays at most
        (LIMIT | {"type": "stop"}, "20 20.2 20 20", "20.2"),  # touched: its trigger
        (LIMIT | {"type": "stop"}, "21 21 21 21", "21"),  # a gap: the open
        (LIMIT | {"type": "stop"}, "20 20.1 20 20", None),
        (LIMIT | {"type": "stop", "offset": "0.05", "unit": "amount"}, "20 20.05 20 20", "20.05"),
        (LIMIT | {"type": "stop_limit", "through": "1"}, "21 21 21 21", None),  # beyond the limit of 20.402
        (LIMIT | {"type": "stop_limit", "through": "1"}, "20 20.3 20 20.3", "20.2"),
    ],
)
def test_an_entry_is_filled_where_the_market_met_its_price(
    order: dict[str, Any], second: str, price: str | None
) -> None:
    result = run(waiting(order), ["20 20 20 20", second])
    assert [fill.price for fill in result.fills[:1]] == ([] if price is None else [D(price)])
    assert result.orders[0].status is (OrderStatus.EXPIRED if price is None else OrderStatus.FILLED)


def test_a_price_may_be_wired_and_so_may_the_distance() -> None:
    by_price = run(
        waiting({"type": "limit", "tif": "day"}, wires={"limit": "bars.low"}), ["20 20 18 20", "19 19 17 19"]
    )
    by_distance = run(
        waiting(LIMIT | {"offset": "0.1"}, wires={"distance": "bars.low"}), ["20 20 18 20", "19 19 17 19"]
    )
    assert [fill.price for fill in by_price.fills] == [D(18)]
    assert [order.order.intent.limit_price for order in by_distance.orders[:1]] == [D("18.2")]


def test_an_entry_rests_until_it_is_filled_or_its_bars_are_over() -> None:
    shapes = ["20 20 20 20", *["20 20 20 20"] * 3, "20 20 19 20", "20 20 20 20"]
    rests = run(waiting({"type": "limit", "tif": "gtc", "offset": "4"}), shapes)
    assert [(fill.ts.day, fill.price) for fill in rests.fills] == [(5, D("19.2"))]
    ends = run(waiting({"type": "limit", "tif": "gtc", "offset": "4", "bars": 2}), shapes)
    assert [(order.order.created_ts.day, order.status) for order in ends.orders] == [
        (1, OrderStatus.EXPIRED),
        (3, OrderStatus.FILLED),
    ]
    assert ends.blocked["ORDER_EXPIRED"] == 1


def test_an_order_of_the_day_on_short_bars_ends_with_its_session() -> None:
    opened = datetime(2024, 3, 5, 20, 0, tzinfo=UTC)  # an hour before the close in New York
    times = [opened + timedelta(minutes=15 * place) for place in range(5)] + [opened + timedelta(hours=18)]
    lows = ["20", "20", "20", "20", "20", "18"]
    bars = [Bar(ts, D(20), D(20), D(low), D(20), D(1000)) for ts, low in zip(times, lows, strict=True)]
    plan = compile_plan(waiting({"type": "limit", "tif": "day", "offset": "5"}, timeframe="15m"))
    result = run_backtest(plan, "AAPL", bars=bars, settings=BacktestSettings())
    assert [(order.order.created_ts, order.status) for order in result.orders] == [
        (times[0], OrderStatus.EXPIRED),
        (times[4], OrderStatus.FILLED),
    ]
    assert run_plan(plan, "AAPL", tape=tape_of(bars), settings=BacktestSettings()) is None


def test_a_resting_entry_is_compiled_on_any_bars() -> None:
    plan = compile_plan(waiting({"type": "limit", "tif": "gtc", "offset": "5"}))
    bars = [bar(index, shape) for index, shape in enumerate(["20 20 20 20", "20 20 20 20", "20 20 18 20", "9 9 9 9"])]
    found = run_plan(plan, "AAPL", tape=tape_of(bars), settings=BacktestSettings())
    assert found is not None
    assert found.is_decided
    assert found.run.fills[:, 2].tolist() == [19_000_000.0]


@pytest.mark.parametrize(
    ("order", "wires", "code", "port"),
    [
        ({"type": "limit", "tif": "day"}, {}, "GRAPH_INCOMPLETE", "limit"),
        ({"type": "stop", "tif": "day"}, {}, "GRAPH_INCOMPLETE", "stop"),
        ({"type": "market", "tif": "day"}, {"limit": "bars.low"}, "GRAPH_EDGE", "limit"),
        ({"type": "stop", "tif": "day", "offset": "1"}, {"limit": "bars.low"}, "GRAPH_EDGE", "limit"),
        (LIMIT, {"limit": "bars.low"}, "GRAPH_EDGE", "limit"),
        ({"type": "market", "tif": "day", "offset": "1"}, {}, "FIELD_RANGE", ""),
        ({"type": "market", "tif": "gtc"}, {}, "FIELD_RANGE", ""),
        ({"type": "trailing_stop", "tif": "day"}, {}, "ORDER_UNSUPPORTED", "type"),
        ({"type": "limit", "tif": "ioc", "offset": "1"}, {}, "ORDER_UNSUPPORTED", "tif"),
        (LIMIT | {"bars": -1}, {}, "FIELD_RANGE", "bars"),
        (
            {"type": "stop_limit", "tif": "day", "offset": "1", "through": "1"},
            {"limit": "bars.low"},
            "GRAPH_EDGE",
            "limit",
        ),
    ],
)
def test_an_order_that_says_too_little_or_too_much_is_told(
    order: dict[str, Any], wires: dict[str, str], code: str, port: str
) -> None:
    found = [(problem.code, problem.node, problem.port) for problem in validate(waiting(order, wires=wires))]
    assert found == [(code, "order", port)]
    assert all(problem.fix for problem in validate(waiting(order, wires=wires)))


def test_a_market_order_keeps_the_hash_it_had() -> None:
    plain = waiting({"type": "market", "tif": "day"})
    spelled = waiting({"type": "market", "tif": "day", "bars": 0, "offset": "0", "unit": "percent", "through": "0"})
    assert graph_hash(plain) == graph_hash(spelled) == graph_hash(threshold_graph())
    assert node("order", "Order", type="market", tif="day") in threshold_graph().nodes


def acting(*more: Node, wires: list[tuple[str, str]]) -> Graph:
    """Return the strategy with a limit that rests far below, and nodes that act upon it."""
    asked = waiting({"type": "limit", "tif": "gtc", "offset": "30"})
    level = node("level", "Const", value=21.0)
    above = node("rises", "Compare", op="gt")
    edges = [("bars.close", "rises.a"), ("level.out", "rises.b"), *wires]
    return msgspec.structs.replace(
        asked,
        nodes=(*asked.nodes, level, above, *more),
        edges=(*asked.edges, *(Edge(source=source, target=target) for source, target in edges)),
    )


def test_close_leaves_what_is_held_and_takes_off_what_waits() -> None:
    graph = acting(node("flat", "Close", tag="enough"), wires=[("rises.out", "flat.when")])
    held = run(graph, ["20 20 20 20", "14 14 14 14", "22 22 22 22", "22 22 22 22"])
    assert [(order.order.intent.reason, order.order.intent.tag) for order in held.orders[:2]] == [
        ("entry", "in"),
        ("exit", "enough"),
    ]
    waits = run(graph, ["20 20 20 20", "22 22 22 22", "14 14 14 14"])
    assert [order.status for order in waits.orders] == [OrderStatus.CANCELED, OrderStatus.NEW]
    assert [decision.outcome for decision in waits.decisions] == [
        Outcome.INTENT,
        Outcome.ENTRY_CANCELED,
        Outcome.INTENT,
    ]


def test_what_waits_is_taken_off_by_its_tag_and_what_is_held_is_not() -> None:
    graph = acting(node("off", "CancelTagged", tag="in"), wires=[("rises.out", "off.when")])
    waits = run(graph, ["20 20 20 20", "22 22 22 22", "20 20 20 20"])
    assert [order.status for order in waits.orders] == [OrderStatus.CANCELED, OrderStatus.NEW]
    held = run(graph, ["20 20 20 20", "14 14 14 14", "22 22 22 22", "22 22 22 22"])
    assert len(held.fills) == 1


@pytest.mark.parametrize(
    ("more", "wires", "order"),
    [
        (node("off", "CancelTagged", tag="other"), [("rises.out", "off.when")], LIMIT),
        (node("off", "CancelTagged", tag="in"), [("rises.out", "off.when")], {"type": "market", "tif": "day"}),
    ],
)
def test_what_has_nothing_to_take_off_is_told(more: Node, wires: list[tuple[str, str]], order: dict[str, Any]) -> None:
    asked = acting(more, wires=wires)
    nodes = [msgspec.structs.replace(each, params=order) if each.id == "order" else each for each in asked.nodes]
    found = validate(msgspec.structs.replace(asked, nodes=tuple(nodes)))
    assert [(problem.code, problem.node) for problem in found] == [("GRAPH_INCOMPLETE", "off")]


def test_a_bracket_is_its_stop_and_a_target_so_many_times_as_far() -> None:
    """Both from the price the entry filled at, not from the close it was decided on."""
    asked = waiting({"type": "market", "tif": "day"})
    bracket = node("bracket", "Bracket", percent="10", reward="1.5")
    graph = msgspec.structs.replace(
        asked,
        nodes=(*asked.nodes, bracket),
        edges=(*asked.edges, Edge(source="bracket.exit", target="order.exit")),
    )
    for opened, low, high, leg, price in (
        ("20", "20", "24", "target", "23"),
        ("21", "18.95", "24.14", "", ""),
        ("21", "18.9", "24.14", "stop", "18.9"),
        ("21", "18.95", "24.15", "target", "24.15"),
    ):
        shapes = ["20 20 20 20", f"{opened} {opened} {opened} {opened}", f"{opened} {high} {low} {opened}"]
        bars = [bar(index, shape) for index, shape in enumerate(shapes)]
        result = run_backtest(compile_plan(graph), "AAPL", bars=bars, settings=BacktestSettings())
        expected = [("", D(opened)), *([(leg, D(price))] if leg else [])]
        assert [(fill.leg, fill.price) for fill in result.fills] == expected
        found = run_plan(compile_plan(graph), "AAPL", tape=tape_of(bars), settings=BacktestSettings())
        assert found is not None
        assert found.run.fills[:, 2].tolist() == [float(paid * 1_000_000) for _, paid in expected]
    twice = msgspec.structs.replace(
        graph,
        nodes=(*graph.nodes, node("stop", "StopLoss")),
        edges=(*graph.edges, Edge(source="stop.exit", target="order.exit")),
    )
    assert [problem.code for problem in validate(twice)] == ["GRAPH_EDGE"]


@pytest.mark.parametrize(
    "order",
    [
        {"type": "limit", "tif": "gtc", "offset": "1.5", "bars": 3},
        {"type": "limit", "tif": "day", "offset": "0.5"},
        {"type": "stop", "tif": "gtc", "offset": "1"},
    ],
)
def test_a_job_leaves_entries_that_wait_to_the_reference(order: dict[str, Any]) -> None:
    bars = [bar(index, "20 21 19 20") for index in range(10)]
    terms = BacktestSettings(slippage_bps=D(3))
    graph = waiting(order)
    assert run_backtest(compile_plan(graph), "TEST", bars=bars, settings=terms).orders
    assert run_compiled(compile_plan(graph), "TEST", tape=tape_of(bars), settings=terms) is None
