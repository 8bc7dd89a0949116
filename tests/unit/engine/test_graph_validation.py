"""Every problem of a graph is told at once, with its place and its remedy."""

from __future__ import annotations

import msgspec
import pytest

from alphintra.engine.graph import Edge, Graph, Node, catalogue_document, validate
from alphintra.engine.graph.catalogue import CATALOGUE
from alphintra.engine.graph.wire import ParamValue
from alphintra.engine.templates import crossover
from alphintra.kernel.errors import AlphintraError
from unit.engine.builders import graph, node, threshold_graph


def codes(subject: Graph) -> set[tuple[str, str, str]]:
    return {(problem.code, problem.node, problem.port) for problem in validate(subject)}


def plotted(*more: Node, wires: list[tuple[str, str]]) -> Graph:
    """Return a graph that plots the close, with more nodes and wires."""
    nodes = [node("bars", "Bars"), node("plot", "Plot"), *more]
    return graph(nodes, [("bars.close", "plot.value"), *wires])


@pytest.mark.parametrize("subject", [crossover(), crossover(5, 10, average="sma"), threshold_graph()])
def test_the_templates_have_no_problem(subject: Graph) -> None:
    assert validate(subject) == []


def test_a_cycle_is_shown_with_its_path() -> None:
    subject = plotted(
        node("a", "SMA"),
        node("b", "EMA"),
        node("c", "Shift"),
        wires=[("a.out", "b.in"), ("b.out", "c.in"), ("c.out", "a.in")],
    )
    found = [problem for problem in validate(subject) if problem.code == "GRAPH_CYCLE"]
    assert len(found) == 1
    assert found[0].message in {f"{path} is a cycle" for path in ("a → b → c → a", "b → c → a → b", "c → a → b → c")}


def test_two_separate_cycles_are_both_reported() -> None:
    subject = plotted(
        node("a", "SMA"),
        node("b", "SMA"),
        node("c", "SMA"),
        wires=[("a.out", "b.in"), ("b.out", "a.in"), ("c.out", "c.in")],
    )
    assert sum(problem.code == "GRAPH_CYCLE" for problem in validate(subject)) == 2


@pytest.mark.parametrize(
    "wire",
    [
        ("bars.close", "ghost.in"),
        ("ghost.out", "sma.in"),
        ("bars.clse", "sma.in"),
        ("bars.close", "sma.inn"),
        ("bars", "sma.in"),
        ("plot.value", "sma.in"),
    ],
)
def test_a_wire_to_nowhere_is_a_graph_edge_problem(wire: tuple[str, str]) -> None:
    assert "GRAPH_EDGE" in {code for code, _, _ in codes(plotted(node("sma", "SMA"), wires=[wire]))}


def test_a_second_wire_into_a_single_input_and_a_repeated_wire_are_refused() -> None:
    second = plotted(wires=[("bars.open", "plot.value")])
    repeated = plotted(wires=[("bars.close", "plot.value")])
    assert ("GRAPH_EDGE", "plot", "value") in codes(second)
    assert ("GRAPH_EDGE", "plot", "value") in codes(repeated)


@pytest.mark.parametrize(
    ("wire", "place"),
    [
        (("bars.close", "not.in"), ("GRAPH_TYPE", "not", "in")),
        (("cmp.out", "sma.in"), ("GRAPH_TYPE", "sma", "in")),
        (("entry.signal", "order.size"), ("GRAPH_TYPE", "order", "size")),
        (("entry.signal", "order.exit"), ("GRAPH_TYPE", "order", "exit")),
    ],
)
def test_a_wire_between_different_kinds_is_refused(wire: tuple[str, str], place: tuple[str, str, str]) -> None:
    subject = plotted(
        node("not", "Not"),
        node("sma", "SMA"),
        node("cmp", "Compare", op="gt"),
        node("entry", "Entry"),
        node("order", "Order", type="market", tif="day"),
        wires=[wire],
    )
    assert place in codes(subject)


def test_an_event_may_feed_a_condition() -> None:
    subject = crossover()
    cross = [problem for problem in validate(subject) if problem.node in {"entry", "leave"}]
    assert cross == []


def test_an_incomplete_graph_names_each_gap() -> None:
    subject = graph([node("sma", "SMA"), node("lonely", "Const", value=1.0)], [])
    found = codes(subject)
    assert ("GRAPH_INCOMPLETE", "sma", "in") in found
    messages = " ".join(problem.message for problem in validate(subject))
    assert "orders or plots" in messages
    assert "market data" in messages


def test_a_node_that_leads_nowhere_is_named() -> None:
    assert ("GRAPH_INCOMPLETE", "sma", "") in codes(plotted(node("sma", "SMA"), wires=[("bars.close", "sma.in")]))


def test_an_entry_without_exit_needs_an_explicit_hold() -> None:
    base = threshold_graph()
    edges = tuple(edge for edge in base.edges if edge.target != "order.exit")
    nodes = tuple(item for item in base.nodes if item.id not in {"leave", "below", "low"})
    kept = tuple(
        edge for edge in edges if {edge.source.split(".")[0], edge.target.split(".")[0]} <= {n.id for n in nodes}
    )
    without = msgspec.structs.replace(base, nodes=nodes, edges=kept)
    assert codes(without) == {("GRAPH_INCOMPLETE", "order", "exit")}
    held = tuple(node("entry", "Entry", hold=True) if item.id == "entry" else item for item in nodes)
    assert validate(msgspec.structs.replace(without, nodes=held)) == []


def test_a_node_id_used_twice_is_refused() -> None:
    subject = plotted(node("bars", "Bars"), wires=[])
    assert ("GRAPH_DUP_ID", "bars", "") in codes(subject)


@pytest.mark.parametrize("name", ["1a", "a.b", "", "a b", "x" * 65, "ünï"])
def test_a_node_id_with_other_characters_is_refused(name: str) -> None:
    assert "FIELD_CHARS" in {code for code, _, _ in codes(plotted(node(name, "SMA"), wires=[]))}


def test_an_unknown_or_future_node_version_is_refused() -> None:
    future = Node(id="sma", type="SMA", version=2, params={})
    assert ("NODE_VERSION", "sma", "") in codes(plotted(future, wires=[("bars.close", "sma.in")]))


def test_an_unknown_node_type_is_answered_with_the_nearest_one() -> None:
    found = [problem for problem in validate(plotted(node("x", "CrossAbov"), wires=[])) if problem.node == "x"]
    assert [(problem.code, problem.fix) for problem in found[:1]] == [("NODE_UNKNOWN", 'did you mean "CrossAbove"?')]


def test_too_many_nodes_too_many_wires_and_too_long_a_chain_are_refused() -> None:
    many = graph([node(f"n{index}", "SMA") for index in range(10_000)], [])
    fan = msgspec.structs.replace(crossover(), edges=(Edge(source="bars.close", target="fast.in"),) * 1001)
    chain = [node(f"s{index}", "Shift") for index in range(70)]
    wires = [(f"s{index}.out", f"s{index + 1}.in") for index in range(69)]
    deep = graph(
        [node("bars", "Bars"), *chain, node("plot", "Plot")],
        [("bars.close", "s0.in"), *wires, ("s69.out", "plot.value")],
    )
    assert [codes(subject) for subject in (many, fan, deep)] == [{("GRAPH_TOO_LARGE", "", "")}] * 3


@pytest.mark.parametrize(
    ("kind", "params", "code", "port"),
    [
        ("SMA", {"period": 0}, "FIELD_RANGE", "period"),
        ("SMA", {"period": 5001}, "FIELD_RANGE", "period"),
        ("SMA", {"period": 10**400}, "FIELD_RANGE", "period"),
        ("SMA", {"period": True}, "FIELD_TYPE", "period"),
        ("SMA", {"period": 5.0}, "FIELD_TYPE", "period"),
        ("SMA", {"perod": 5}, "FIELD_UNKNOWN", "perod"),
        ("Shift", {"bars": -1}, "LOOKAHEAD", "bars"),
        ("Shift", {"bars": 0}, "LOOKAHEAD", "bars"),
        ("Const", {}, "FIELD_REQUIRED", "value"),
        ("Const", {"value": float("inf")}, "NUMBER_NOT_FINITE", "value"),
        ("Compare", {"op": "=="}, "FIELD_CHOICE", "op"),
        ("Entry", {"tag": "a\u202eb"}, "FIELD_CHARS", "tag"),
        ("Entry", {"tag": "x" * 65}, "FIELD_RANGE", "tag"),
        ("Entry", {"hold": "true"}, "FIELD_TYPE", "hold"),
        ("PercentEquity", {"percent": "0"}, "FIELD_RANGE", "percent"),
        ("PercentEquity", {"percent": "100.1"}, "FIELD_RANGE", "percent"),
        ("PercentEquity", {"percent": "NaN"}, "NUMBER_NOT_FINITE", "percent"),
        ("PercentEquity", {"percent": "1_0"}, "NUMBER_FORMAT", "percent"),
        ("PercentEquity", {"percent": 9.5}, "FIELD_TYPE", "percent"),
        ("FixedQty", {"quantity": 0}, "FIELD_RANGE", "quantity"),
        ("MACD", {"fast": 26, "slow": 26}, "FIELD_RANGE", "fast"),
        ("MACD", {"fast": 26}, "FIELD_RANGE", "fast"),
        ("Clip", {"low": "5", "high": "-5"}, "FIELD_RANGE", "low"),
        ("UltimateOscillator", {"middle": 30}, "FIELD_RANGE", "middle"),
        ("Pick", {"symbol": "aapl"}, "SYMBOL_FORMAT", "symbol"),
        ("Bars", {"timeframe": "2h"}, "FIELD_CHOICE", "timeframe"),
        ("RebalanceTo", {"type": "market", "tif": "day", "band": "100"}, "FIELD_RANGE", "band"),
        ("RebalanceTo", {"type": "market"}, "FIELD_REQUIRED", "tif"),
        ("Order", {"type": "trailing_stop", "tif": "day"}, "ORDER_UNSUPPORTED", "type"),
        ("Order", {"type": "market", "tif": "ioc"}, "ORDER_UNSUPPORTED", "tif"),
        ("Order", {"type": "market"}, "FIELD_REQUIRED", "tif"),
        ("Order", {"type": "market", "tif": "day", "ofset": 1}, "FIELD_UNKNOWN", "ofset"),
    ],
)
def test_a_bad_parameter_is_named(kind: str, params: dict[str, ParamValue], code: str, port: str) -> None:
    subject = plotted(Node(id="x", type=kind, params=params), wires=[])
    assert (code, "x", port) in codes(subject)


def test_a_bad_frame_is_refused_field_by_field() -> None:
    subject = msgspec.structs.replace(crossover(), schema=2, name="a\x00", timeframe="2d", layout={"ghost": (0.0, 0.0)})
    assert {problem.code for problem in validate(subject)} == {
        "GRAPH_SCHEMA",
        "FIELD_CHARS",
        "FIELD_CHOICE",
        "FIELD_UNKNOWN",
    }


def test_all_problems_are_returned_and_each_has_a_remedy() -> None:
    subject = graph(
        [node("a", "SMA", period=0), node("b", "Ema"), node("a", "Plot")], [("a.out", "zzz.in"), ("b.out", "a.value")]
    )
    found = validate(subject)
    assert {"FIELD_RANGE", "NODE_UNKNOWN", "GRAPH_DUP_ID", "GRAPH_EDGE"} <= {problem.code for problem in found}
    assert all(problem.message and problem.fix for problem in found)


def test_no_node_of_the_catalogue_looks_ahead() -> None:
    assert all(definition.lookahead == 0 for definition in CATALOGUE.values())


def test_the_catalogue_is_data_and_names_every_node() -> None:
    document = msgspec.json.decode(msgspec.json.encode(catalogue_document()))
    assert {entry["type"] for entry in document} == {name for name, _ in CATALOGUE}
    ema = next(entry for entry in document if entry["type"] == "EMA")
    assert (ema["lookback_bars_by_default"], ema["params"][0]["maximum"]) == (19, "5000")


@pytest.mark.parametrize(("fast", "slow"), [(50, 20), (20, 20)])
def test_a_crossover_whose_fast_average_is_not_faster_is_refused(fast: int, slow: int) -> None:
    with pytest.raises(AlphintraError, match="FIELD_RANGE"):
        crossover(fast, slow)
