"""What differs between two graphs is told completely, in one order, and not more than differs."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.graph import Edge, Graph, Node, graph_hash
from alphintra.engine.graph.diff import GraphDiff, compare_graphs
from alphintra.engine.graph.wire import Exposure, ParamValue
from alphintra.engine.templates import crossover

BASE = crossover()


def changed(graph: Graph, node_id: str, **params: ParamValue) -> Graph:
    nodes = tuple(
        msgspec.structs.replace(node, params={**node.params, **params}) if node.id == node_id else node
        for node in graph.nodes
    )
    return msgspec.structs.replace(graph, nodes=nodes)


def renamed(graph: Graph, names: dict[str, str]) -> Graph:
    def end(text: str) -> str:
        node, _, port = text.partition(".")
        return f"{names.get(node, node)}.{port}"

    nodes = tuple(msgspec.structs.replace(node, id=names.get(node.id, node.id)) for node in graph.nodes)
    edges = tuple(Edge(source=end(edge.source), target=end(edge.target)) for edge in graph.edges)
    return msgspec.structs.replace(graph, nodes=nodes, edges=edges, layout={})


def applied(before: Graph, diff: GraphDiff) -> Graph:
    """Return what a graph becomes by a diff alone."""
    names = {change.former_node: change.node for change in diff.changed}
    gone = {node.id for node in diff.removed}
    edges = tuple(edge for edge in before.edges if edge not in diff.wires_removed)
    kept = renamed(
        msgspec.structs.replace(before, nodes=tuple(n for n in before.nodes if n.id not in gone), edges=edges), names
    )
    params = {
        change.node: ({item.name: item.after for item in change.params}, change.version_after)
        for change in diff.changed
    }
    nodes = [
        msgspec.structs.replace(
            node,
            version=params.get(node.id, ({}, node.version))[1],
            params={**node.params, **params.get(node.id, ({}, 1))[0]},
        )
        for node in kept.nodes
    ]
    frame = {item.name: item.after for item in diff.frame}
    return msgspec.structs.replace(kept, nodes=(*nodes, *diff.added), edges=(*kept.edges, *diff.wires_added), **frame)


@st.composite
def variants(draw: st.DrawFn) -> Graph:
    graph = crossover(draw(st.integers(2, 4)), draw(st.integers(5, 7)), average=draw(st.sampled_from(["sma", "ema"])))
    if draw(st.booleans()):
        graph = changed(graph, "entry", tag=draw(st.sampled_from(["a", "b"])))
    for node_id in draw(st.sets(st.sampled_from(["plot_fast", "plot_slow"]))):
        graph = msgspec.structs.replace(
            graph,
            nodes=tuple(node for node in graph.nodes if node.id != node_id),
            edges=tuple(edge for edge in graph.edges if edge.target != f"{node_id}.value"),
        )
    ids = [node.id for node in graph.nodes]
    names = {one: draw(st.sampled_from(["x", "y", "z"])) + one for one in draw(st.sets(st.sampled_from(ids)))}
    graph = renamed(graph, names)
    return msgspec.structs.replace(graph, timeframe=draw(st.sampled_from(["1d", "1h"])))


@given(variants(), variants())
def test_a_diff_holds_everything_that_is_needed_to_make_the_later_graph(before: Graph, after: Graph) -> None:
    assert graph_hash(applied(before, compare_graphs(before, after))) == graph_hash(after)


@given(variants(), variants(), st.randoms(use_true_random=False))
def test_the_order_of_nodes_and_wires_changes_no_diff(before: Graph, after: Graph, random: object) -> None:
    nodes, edges = list(after.nodes), list(after.edges)
    random.shuffle(nodes)  # type: ignore[attr-defined] # hypothesis hands out a random.Random
    random.shuffle(edges)  # type: ignore[attr-defined] # as above
    shuffled = msgspec.structs.replace(after, nodes=tuple(nodes), edges=tuple(edges))
    assert compare_graphs(before, shuffled) == compare_graphs(before, after)
    assert compare_graphs(after, shuffled).is_same


@given(variants(), variants())
def test_a_diff_is_empty_exactly_for_one_hash_and_says_a_sentence_for_everything_else(
    before: Graph, after: Graph
) -> None:
    diff = compare_graphs(before, after)
    assert diff.is_same == (graph_hash(before) == graph_hash(after)) == (not diff.sentences)


def test_a_parameter_is_told_with_its_value_before_and_after() -> None:
    diff = compare_graphs(BASE, changed(BASE, "fast", period=10))
    (change,) = diff.changed
    assert (change.node, change.former_node, change.type) == ("fast", "fast", "EMA")
    assert [(item.name, item.before, item.after) for item in change.params] == [("period", 20, 10)]
    assert diff.sentences == ("fast (EMA): period was 20 and is 10.",)


def test_a_default_written_out_is_no_difference() -> None:
    assert compare_graphs(BASE, changed(BASE, "size", percent="95.0")).is_same


def test_moved_nodes_are_no_difference() -> None:
    assert compare_graphs(BASE, msgspec.structs.replace(BASE, layout={"fast": (1.0, 2.0)})).is_same


def test_renamed_nodes_keep_their_wires() -> None:
    diff = compare_graphs(BASE, renamed(BASE, {"fast": "quick", "bars": "prices", "order": "buy"}))
    assert {change.former_node: change.node for change in diff.changed} == {
        "fast": "quick",
        "bars": "prices",
        "order": "buy",
    }
    assert (diff.added, diff.removed, diff.wires_added, diff.wires_removed) == ((), (), (), ())
    assert "fast (EMA) is called quick now." in diff.sentences


def test_a_node_renamed_and_changed_at_once_is_known_by_its_wires() -> None:
    diff = compare_graphs(BASE, changed(renamed(BASE, {"fast": "quick"}), "quick", period=7))
    (change,) = diff.changed
    assert (change.former_node, change.node, change.params[0].after) == ("fast", "quick", 7)


def test_of_two_alike_nodes_renamed_none_is_guessed() -> None:
    """Two plots of one pane on one wire are alike in all: which became which nobody can say."""
    twin = Node(id="plot_more", type="Plot", params={"pane": "price"})
    wire = Edge(source="fast.out", target="plot_more.value")
    before = msgspec.structs.replace(BASE, nodes=(*BASE.nodes, twin), edges=(*BASE.edges, wire))
    after = renamed(before, {"plot_more": "p1", "plot_fast": "p2"})
    diff = compare_graphs(before, after)
    assert [node.id for node in diff.added] == ["p1", "p2"]
    assert [node.id for node in diff.removed] == ["plot_fast", "plot_more"]
    assert len(diff.wires_added) == len(diff.wires_removed) == 2


def test_a_node_of_another_type_under_the_same_id_is_another_node() -> None:
    diff = compare_graphs(crossover(average="ema"), crossover(average="sma"))
    assert [(node.id, node.type) for node in diff.removed] == [("fast", "EMA"), ("slow", "EMA")]
    assert [(node.id, node.type) for node in diff.added] == [("fast", "SMA"), ("slow", "SMA")]
    assert diff.sentences[0] == 'The name was "EMA 20/50 crossover" and is "SMA 20/50 crossover".'


def test_a_rewired_input_is_a_wire_gone_and_a_wire_new() -> None:
    edges = tuple(
        Edge(source="bars.open", target="fast.in") if edge.target == "fast.in" else edge for edge in BASE.edges
    )
    diff = compare_graphs(BASE, msgspec.structs.replace(BASE, edges=edges))
    assert diff.sentences == ("The wire bars.open → fast.in is new.", "The wire bars.close → fast.in is gone.")


def test_exposed_parameters_and_constraints_are_compared_under_the_new_names() -> None:
    before = msgspec.structs.replace(
        BASE,
        exposed={"fast.period": Exposure(min=5, max=30, step=5)},
        constraints=("fast.period < slow.period",),
    )
    after = msgspec.structs.replace(
        renamed(before, {"fast": "quick"}),
        exposed={"quick.period": Exposure(min=5, max=40, step=5)},
        constraints=("quick.period<slow.period",),
    )
    diff = compare_graphs(before, after)
    assert [(item.name, item.before, item.after) for item in diff.exposed] == [
        ("quick.period", {"min": 5, "max": 30, "step": 5}, {"min": 5, "max": 40, "step": 5})
    ]
    assert (diff.constraints_added, diff.constraints_removed) == ((), ())
    gone = compare_graphs(after, msgspec.structs.replace(after, exposed={}, constraints=()))
    assert gone.sentences == (
        "quick.period is no longer exposed.",
        "The constraint quick.period < slow.period is gone.",
    )


def test_a_draft_that_does_not_validate_is_compared_too() -> None:
    broken = changed(BASE, "fast", period="ten", wrong=True)
    diff = compare_graphs(BASE, broken)
    assert [(item.name, item.before, item.after) for item in diff.changed[0].params] == [
        ("period", 20, "ten"),
        ("wrong", None, True),
    ]
    assert compare_graphs(changed(BASE, "fast", wrong=1), changed(BASE, "fast", wrong=True)).sentences == (
        "fast (EMA): wrong was 1 and is true.",
    )
